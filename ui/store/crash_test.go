package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// childEnv tells the test program to write to the store that it names until it is killed.
const childEnv = "HOTCELL_STORE_CHILD"

// child asks, answers and appends a piece every few milliseconds. It prints a line for each piece that is saved.
func child() {
	ctx := context.Background()
	s, err := Open(ctx, os.Getenv(childEnv))
	if err != nil {
		fmt.Println("error", err)
		return
	}
	c, _ := s.NewChat(ctx, "", "")
	q, _ := s.Ask(ctx, c.ID, 0, "count")
	a, err := s.Answer(ctx, c.ID, q.ID, "", "")
	for i := 0; err == nil; i++ {
		if err = s.Append(ctx, a.ID, fmt.Sprintf("%d ", i), ""); err == nil {
			fmt.Println("saved", i)
		}
		time.Sleep(2 * time.Millisecond)
	}
	fmt.Println("error", err)
}

func TestAKilledProcessLosesNothingThatWasSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), File)
	ok(t, os.CopyFS(path+"-engine", os.DirFS(engineFolder)))
	ok(t, os.Chmod(path+"-engine", 0o700))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	out := must[interface{ Read([]byte) (int, error) }](t)(cmd.StdoutPipe())
	ok(t, cmd.Start())
	last := -1
	for lines := bufio.NewScanner(out); lines.Scan() && last < 40; {
		if _, err := fmt.Sscanf(lines.Text(), "saved %d", &last); err != nil {
			t.Fatal(lines.Text())
		}
		if last == 20 {
			// While it is alive its answer is its own, also for a store that opens now.
			other := openTestStore(t, path)
			if m := must[Message](t)(other.Message(t.Context(), 2)); m.State != Writing {
				t.Errorf("the answer of a living process is %s", m.State)
			}
		}
	}
	ok(t, cmd.Process.Kill())
	_ = cmd.Wait()

	s := openTestStore(t, path)
	p := must[[]Message](t)(s.Path(t.Context(), 1))
	if len(p) != 2 {
		t.Fatalf("%d messages are left", len(p))
	}
	for i := range last {
		if !strings.Contains(p[1].Text, fmt.Sprintf("%d ", i)) {
			t.Errorf("piece %d of %d is lost: %q", i, last, p[1].Text)
		}
	}
	if p[1].State != Stopped || p[1].Ending == "" {
		t.Errorf("the half-written answer is %s, %q", p[1].State, p[1].Ending)
	}
	if hits := must[[]Hit](t)(s.Search(t.Context(), "10 11 12", 5)); len(hits) != 1 {
		t.Errorf("the half-written answer is not found: %v", hits)
	}

	// It can be continued.
	ok(t, s.Continue(t.Context(), p[1].ID))
	ok(t, s.Append(t.Context(), p[1].ID, "and so on", ""))
	ok(t, s.Finish(t.Context(), p[1].ID, Outcome{State: Complete}))
	if m := must[Message](t)(s.Message(t.Context(), p[1].ID)); m.Text != p[1].Text+"and so on" || m.State != Complete || m.Ending != "" {
		t.Errorf("continued it is %+v", m)
	}
}
