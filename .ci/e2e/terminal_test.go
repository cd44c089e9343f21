// Package e2e drives the real program as a person does: in a real terminal
// (tmux) with the keyboard, and from a shell's pipes. Nothing here looks inside
// the program; what counts is what stands on the screen, the exit status and
// the state in which the terminal is left.
//
//	go test ./.ci/e2e
//
// Nothing sleeps for a fixed time: each wait looks at the screen until what it
// wants is there, and fails with the last screen when patience ends.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience is how long a screen may take to show what it should. It is far
// more than a slow machine needs: a test never fails on speed.
const patience = 60 * time.Second

// hotcell is the program under test.
var hotcell string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hotcell-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	hotcell = filepath.Join(dir, "hotcell")
	if out, err := exec.Command("go", "build", "-o", hotcell, "hotcell").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// prompt is what the shell in the terminal prints when it waits for a command.
const prompt = "shell>"

// terminal is a tmux server of its own with one window, in which a shell runs.
type terminal struct {
	t      *testing.T
	socket string
	before string // the settings of the line discipline when the shell began
}

func newTerminal(t *testing.T, width, height int) *terminal {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed")
	}
	dir, err := os.MkdirTemp("", "tmux") // t.TempDir is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, socket: filepath.Join(dir, "s")}
	t.Cleanup(func() {
		term.tmux("kill-server")
		os.RemoveAll(dir)
	})
	shell := fmt.Sprintf("exec env PS1='%[1]s ' PATH='%[2]s:%[3]s' HOME='%[4]s' HOTCELL_DATA='%[4]s' XDG_CONFIG_HOME='%[4]s' COLORTERM=truecolor bash --norc --noprofile -i",
		prompt, filepath.Dir(hotcell), os.Getenv("PATH"), t.TempDir())
	term.tmux("-f", "/dev/null", "new-session", "-d", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height), shell)
	term.waitFor("the shell", prompt+"$")
	term.before = term.settings()
	return term
}

func (term *terminal) tmux(args ...string) string {
	term.t.Helper()
	cmd := exec.Command("tmux", append([]string{"-u", "-S", term.socket}, args...)...)
	cmd.Env = append(os.Environ(), "TMUX=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		term.t.Errorf("tmux %v: %v: %s", args, err, out)
	}
	return string(out)
}

// screen returns the lines that are shown, without trailing blanks.
func (term *terminal) screen() string {
	term.t.Helper()
	return strings.TrimRight(term.tmux("capture-pane", "-p"), "\n ")
}

// write types text as it is.
func (term *terminal) write(text string) {
	term.t.Helper()
	term.tmux("send-keys", "-l", text)
}

// press types keys by their tmux names, such as Enter, Escape or C-c.
func (term *terminal) press(keys ...string) {
	term.t.Helper()
	term.tmux(append([]string{"send-keys"}, keys...)...)
}

// command types a line into the shell.
func (term *terminal) command(line string) {
	term.t.Helper()
	term.write(line)
	term.press("Enter")
}

// until waits until done is content with the screen, and returns that screen.
func (term *terminal) until(what string, done func(screen string) bool) string {
	term.t.Helper()
	var screen string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		if screen = term.screen(); done(screen) {
			return screen
		}
		if strings.Contains(screen, "goroutine ") || strings.Contains(screen, "panic:") {
			break
		}
	}
	term.t.Fatalf("waiting for %s; the screen is:\n%s", what, screen)
	return ""
}

// waitFor is until a line of the screen matches the pattern.
func (term *terminal) waitFor(what, pattern string) string {
	term.t.Helper()
	re := regexp.MustCompile("(?m)" + pattern)
	return term.until(what, re.MatchString)
}

// settings are those of the line discipline: echo, canonical mode and all.
func (term *terminal) settings() string {
	term.t.Helper()
	out, err := exec.Command("stty", "-g", "-F", strings.TrimSpace(term.tmux("display-message", "-p", "#{pane_tty}"))).Output()
	if err != nil {
		term.t.Errorf("stty: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// restored checks that the shell has the terminal back as it was, after a
// program that ended with this exit status.
func (term *terminal) restored(status int) {
	term.t.Helper()
	term.until("the shell's prompt", func(screen string) bool { return strings.HasSuffix(screen, prompt) })
	term.command(`echo "status=$? ali""ve"`)
	term.waitFor("an echoed command", fmt.Sprintf("^status=%d alive$", status))
	const want = "cursor 1, alternate 0, mouse 0"
	if state := term.tmux("display-message", "-p",
		"cursor #{cursor_flag}, alternate #{alternate_on}, mouse #{mouse_any_flag}"); strings.TrimSpace(state) != want {
		term.t.Errorf("the terminal is left with %s; want %s", strings.TrimSpace(state), want)
	}
	if after := term.settings(); term.before != after {
		term.t.Errorf("the terminal's settings are %s, they were %s", after, term.before)
	}
}
