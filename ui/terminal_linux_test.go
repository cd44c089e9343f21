package ui

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hotcell/ui/store"
)

// terminal is a program on a pseudo terminal that never answers a question.
type terminal struct {
	t      *testing.T
	master *os.File
	slave  *os.File // kept open, so that its settings can be looked at when the program has ended
	before unix.Termios
	cmd    *exec.Cmd
	start  time.Time

	mu  sync.Mutex
	out bytes.Buffer
}

// programs are the two test programs, built once.
var programs = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "hotcell-ui-test"); err != nil {
		return "", err
	}
	testPrograms = dir
	for _, name := range []string{"chat", "plain"} {
		build := exec.Command("go", "build", "-o", filepath.Join(dir, name), "./testdata/"+name)
		if out, err := build.CombinedOutput(); err != nil {
			return dir, fmt.Errorf("go build %s: %w\n%s", name, err, out)
		}
	}
	// SQLite is compiled here once, so that not every program does it.
	s, err := store.Open(context.Background(), filepath.Join(dir, store.File))
	if err != nil {
		return dir, err
	}
	return dir, s.Close()
})

func startProgram(t *testing.T, name string, env ...string) *terminal {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs programs")
	}
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t}
	if term.master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Skipf("no pseudo terminal: %v", err)
	}
	fd := int(term.master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	if term.slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	term.before = term.settings()

	term.cmd = exec.Command(filepath.Join(dir, name))
	term.cmd.Stdin, term.cmd.Stdout, term.cmd.Stderr = term.slave, term.slave, term.slave
	term.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true} // without one nothing is ever asked
	for _, v := range os.Environ() {
		switch k, _, _ := strings.Cut(v, "="); k {
		case "TERM", "COLORTERM", "CI", "NO_COLOR", "TMUX":
		default:
			term.cmd.Env = append(term.cmd.Env, v)
		}
	}
	term.cmd.Env = append(append(term.cmd.Env, "TERM=xterm-256color", "DATA="+dir), env...)
	go func() {
		for buf := make([]byte, 4096); ; {
			n, err := term.master.Read(buf)
			term.mu.Lock()
			term.out.Write(buf[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	term.start = time.Now()
	if err := term.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		term.cmd.Process.Kill()
		term.slave.Close()
		term.master.Close()
	})
	return term
}

func (term *terminal) settings() unix.Termios {
	s, err := unix.IoctlGetTermios(int(term.slave.Fd()), unix.TCGETS)
	if err != nil {
		term.t.Fatal(err)
	}
	return *s
}

func (term *terminal) output() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.out.String()
}

// waitFor returns how long after its start the program has written want.
func (term *terminal) waitFor(want string) time.Duration {
	term.t.Helper()
	for !strings.Contains(term.output(), want) {
		if time.Since(term.start) > 20*time.Second {
			term.t.Fatalf("%q never came; the output is %q", want, term.output())
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(term.start)
}

// TestNoFreezeOnATerminalThatDoesNotAnswer is the test of package termfirst. The control is a plain
// Bubble Tea program on the same kind of terminal: if it did not freeze, this would test nothing.
func TestNoFreezeOnATerminalThatDoesNotAnswer(t *testing.T) {
	const question = "\x1b]11;?"
	t.Run("hotcell draws at once", func(t *testing.T) {
		t.Parallel()
		term := startProgram(t, "chat")
		if d := term.waitFor("Qwen3-4B"); d > 4*time.Second {
			t.Errorf("the first frame took %v", d)
		}
		if strings.Contains(term.output(), question) {
			t.Error("the terminal was asked for its colours")
		}
		if !strings.Contains(term.output(), "\x1b[38;5;") {
			t.Error("256 colours of TERM are not used")
		}
	})
	t.Run("plain Bubble Tea freezes", func(t *testing.T) {
		t.Parallel()
		term := startProgram(t, "plain")
		if d := term.waitFor("first frame"); d < 4*time.Second {
			t.Errorf("the control drew after %v", d)
		}
		if !strings.Contains(term.output(), question) {
			t.Error("the control asked nothing")
		}
	})
}

func TestTheTerminalIsRestored(t *testing.T) {
	for _, c := range []struct {
		name   string
		script string
		prompt string
		end    func(term *terminal)
		says   string
		fails  bool
	}{
		{"after /quit", "", "", func(term *terminal) { term.master.WriteString("/quit\r") }, "", false},
		{"after ^C twice", "", "", func(term *terminal) { term.master.WriteString("\x03\x03") }, "", false},
		{"after ^C twice while answering", "", "hello", func(term *terminal) { term.master.WriteString("\x03\x03") }, "", false},
		{"after SIGTERM", "", "", func(term *terminal) { term.cmd.Process.Signal(syscall.SIGTERM) }, "", false},
		{"after SIGHUP", "", "", func(term *terminal) { term.cmd.Process.Signal(syscall.SIGHUP) }, "", false},
		{"after a panic in a command", "panic in load", "", nil, "scripted panic", true},
		{"after a panic in Update", "panic in update", "hello", nil, "scripted panic", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			term := startProgram(t, "chat", "SCRIPT="+c.script, "PROMPT="+c.prompt)
			if c.end != nil {
				term.waitFor("ctx")
				time.Sleep(100 * time.Millisecond)
				if raw := term.settings(); raw.Lflag&unix.ICANON != 0 {
					t.Error("the terminal is not in raw mode, so this tests nothing")
				}
				c.end(term)
			}
			err := term.cmd.Wait()
			if (err != nil) != c.fails {
				t.Errorf("the program ended with %v", err)
			}
			term.waitFor("\x1b[?1049l")
			term.waitFor(c.says)
			out := term.output()
			for name, seq := range map[string]string{"cursor": "\x1b[?25h", "paste mode": "\x1b[?2004l"} {
				if !strings.Contains(out, seq) {
					t.Errorf("the %s is not restored", name)
				}
			}
			if after := term.settings(); after != term.before {
				t.Errorf("the settings are %+v, were %+v", after, term.before)
			}
			_, rest, _ := strings.Cut(out, "\x1b[?1049l")
			if !strings.Contains(rest, c.says) {
				t.Errorf("after the screen was left came %q, want %q in it", rest, c.says)
			}
		})
	}
}

func TestKeysThatArriveInPiecesOverASlowLine(t *testing.T) {
	t.Parallel()
	term := startProgram(t, "chat")
	term.waitFor("ready")
	for _, b := range []byte("aé漢\x1b[Db") {
		term.master.Write([]byte{b})
		time.Sleep(2 * time.Millisecond)
	}
	term.waitFor("aéb") // Left was understood, and b stands before 漢
}

func TestWithoutATerminalThereIsASentence(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs a program")
	}
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(filepath.Join(dir, "chat")).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "hotcell run") || !strings.Contains(string(out), "adb shell -t") {
		t.Errorf("it said %q, %v", out, err)
	}
	if bytes.ContainsRune(out, 0x1b) {
		t.Errorf("it wrote escape sequences to a pipe: %q", out)
	}
}
