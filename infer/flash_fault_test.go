package infer

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hotcell/iosched"
	"hotcell/models/builtin"
	"hotcell/models/pack"
)

// gremlin is a device that spoils reads while it is told to.
type gremlin struct {
	iosched.Device
	spoil *atomic.Pointer[func(*iosched.Op)]
}

func (g gremlin) Reap(done []*iosched.Op, wait time.Duration) int {
	n := g.Device.Reap(done, wait)
	if spoil := g.spoil.Load(); spoil != nil {
		for _, op := range done[:n] {
			(*spoil)(op)
		}
	}
	return n
}

// flashSession is a session with a quarter of the built-in model's neurons in memory, and the switch of its gremlin.
func flashSession(t testing.TB, path *string) (*Session, *atomic.Pointer[func(*iosched.Op)]) {
	open := packed(t, builtin.Open)
	c := Config{Threads: 2, Mode: ModeExact}
	c.Plan = planFor(t, open, c, 0.25)
	spoil := &atomic.Pointer[func(*iosched.Op)]{}
	c.IO.Wrap = func(d iosched.Device) iosched.Device { return gremlin{d, spoil} }
	f, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if p, _ := pack.Of(f); path != nil {
		*path = p.Path()
	}
	s, err := Open(context.Background(), f, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, spoil
}

func ask(s *Session, text string) (string, Reason, error) {
	o := Options{MaxTokens: 24}
	return s.Generate(context.Background(), conversation(text), o).Wait(context.Background())
}

func TestAFaultOfTheStorageEndsAnAnswerAndTheNextOneIsRight(t *testing.T) {
	want, _ := talk(t, chatty(t, Config{Threads: 2, Mode: ModeExact}), conversation("Do you like music?"), Options{MaxTokens: 24})
	for name, spoil := range map[string]func(*iosched.Op){
		"an error":      func(op *iosched.Op) { op.N, op.Err = 0, syscall.EIO },
		"a short read":  func(op *iosched.Op) { op.N = min(op.N, 512) },
		"a flipped bit": func(op *iosched.Op) { op.Vec[0][100] ^= 4 },
	} {
		t.Run(name, func(t *testing.T) {
			s, fault := flashSession(t, nil)
			if text, _, err := ask(s, "Do you like music?"); err != nil || text != want {
				t.Fatalf("before the fault: %q, %v, want %q", text, err, want)
			}
			fault.Store(&spoil)
			text, reason, err := ask(s, "Tell me about your day.")
			if err == nil || reason != Failed {
				t.Fatalf("with the fault: %q, %v, no error", text, reason)
			}
			if !strings.Contains(err.Error(), "model.pack") || strings.Contains(err.Error(), "panic") {
				t.Errorf("the error %q does not say which file", err)
			}
			fault.Store(nil)
			if text, _, err := ask(s, "Do you like music?"); err != nil || text != want {
				t.Errorf("after the fault: %q, %v, want %q", text, err, want)
			}
		})
	}
}

func TestAFaultThatComesOnceIsHealedByASecondRead(t *testing.T) {
	want, _ := talk(t, chatty(t, Config{Threads: 2, Mode: ModeExact}), conversation("Do you like music?"), Options{MaxTokens: 24})
	s, fault := flashSession(t, nil)
	var reads, spoiled int
	seen := map[int64]bool{}
	spoil := func(op *iosched.Op) {
		if reads++; reads%7 == 0 && !seen[op.Offset] { // not the repetition too
			op.Vec[0][9] ^= 1
			spoiled++
		}
		seen[op.Offset] = true
	}
	fault.Store(&spoil)
	text, _, err := ask(s, "Do you like music?")
	fault.Store(nil)
	if err != nil || text != want {
		t.Errorf("%q, %v, want %q", text, err, want)
	}
	if spoiled == 0 {
		t.Error("no read was spoiled")
	}
}

func TestReadsThatComeLateAreWaitedFor(t *testing.T) {
	want, _ := talk(t, chatty(t, Config{Threads: 2, Mode: ModeExact}), conversation("Do you like music?"), Options{MaxTokens: 24})
	s, fault := flashSession(t, nil)
	var slept bool
	spoil := func(op *iosched.Op) {
		if !slept {
			time.Sleep(1500 * time.Millisecond)
			slept = true
		}
	}
	fault.Store(&spoil)
	text, _, err := ask(s, "Do you like music?")
	if err != nil || text != want {
		t.Errorf("%q, %v, want %q", text, err, want)
	}
	if st := s.Stats(); st.StallNs < uint64(time.Second) {
		t.Errorf("%v of stall for a read that was late by 1.5 s", time.Duration(st.StallNs))
	}
}

func TestAReplacedPackIsNoticed(t *testing.T) {
	var path string
	s, _ := flashSession(t, &path)
	if _, _, err := ask(s, "Do you like music?"); err != nil {
		t.Fatal(err)
	}
	other := path + ".other"
	if err := os.WriteFile(other, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	if text, _, err := ask(s, "Tell me about your day."); err == nil {
		t.Errorf("an answer from a file that was replaced: %q", text)
	}
}

func TestExactHasTheSameBitsWhateverOrderReadsEndIn(t *testing.T) {
	open := packed(t, builtin.Open)
	c := Config{Threads: 2, Context: 64, Bare: true, Mode: ModeExact}
	ids := sampleTokens(1000, 20)
	want := logitsOf(t, opened(t, builtin.Open, c), ids, true)
	c.Plan = planFor(t, open, c, 0.25)
	for seed := range uint64(3) {
		faults := &iosched.Faults{Seed: seed, Shuffle: 24}
		c.IO.Wrap = faults.Wrap
		for i, row := range logitsOf(t, opened(t, open, c), ids, true) {
			if !slices.Equal(row, want[i]) {
				t.Fatalf("seed %d: token %d has other bits", seed, i)
			}
		}
	}
}
