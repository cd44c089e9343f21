package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestAnEvening does what a person does in an evening: chats, stops an answer, edits a question, goes between the branches, switches role and
// model, searches the chats, watches the dashboard, turns the phone, quits, and goes on the next day.
func TestAnEvening(t *testing.T) {
	model, err := filepath.Abs("../../models/builtin/smalltalk-9m-q4_0.powerinfer.gguf")
	if err != nil {
		t.Fatal(err)
	}
	term := newTerminal(t, 80, 24)
	term.command("hotcell import '" + model + "' --name second")
	term.waitFor("the import", "imported second")
	term.command(endless)
	term.waitFor("the chat", ready)

	// Chat and stop.
	term.write("Tell me everything")
	term.press("Enter")
	term.until("some of the answer", func(screen string) bool { return len(answer(screen)) > 20 })
	stop(term)
	term.waitFor("that it was stopped", "stopped; /continue")

	// Watch the dashboard change.
	before := dash(term.screen())
	term.write("And now something else")
	term.press("Enter")
	term.until("other numbers on the dashboard", func(screen string) bool { return dash(screen) != "" && dash(screen) != before })
	stop(term)

	// Edit the question, and go between the branches.
	term.press("C-b")
	term.waitFor("the question in the input", "> And now something else")
	term.press("C-u")
	term.write("What about music")
	term.press("Enter")
	term.until("some of the answer", func(screen string) bool { return strings.Contains(screen, "esc stop") })
	stop(term)
	term.press("C-x")
	term.waitFor("the branch in the list of messages", "What about music .*branch 2 of 2")
	term.press("Escape")
	term.waitFor("the chat again", waiting)
	term.press("C-f")
	term.waitFor("the first branch", "branch 1 of 2")
	term.press("C-x")
	term.waitFor("its question", "And now something else .*branch 1 of 2")
	term.press("Escape")
	term.waitFor("the chat again", waiting)
	term.press("C-f")
	term.waitFor("the second branch", "branch 2 of 2")

	// Switch the role.
	term.write("/role mus")
	term.press("Enter")
	term.waitFor("the new role", "│ music lover")

	// Switch the model; the conversation stays.
	term.press("C-o")
	term.waitFor("the models", "second .*ready")
	term.press("Down", "Enter")
	term.waitFor("the other model", "loaded Hotcell")
	term.press("C-x")
	term.waitFor("the conversation", "What about music")
	term.press("Escape")
	term.waitFor("the chat again", waiting)
	term.press("C-o")
	term.waitFor("that it is loaded", "second .*loaded")
	term.press("Escape")
	term.waitFor("the chat again", waiting)

	// Turn the phone while an answer comes.
	term.write("Tell me more")
	term.press("Enter")
	term.until("some of the answer", func(screen string) bool { return strings.Contains(screen, "esc stop") })
	term.tmux("resize-window", "-x", "46", "-y", "19")
	term.waitFor("the chat at 46x19", "^> "+waiting)
	stop(term)

	// Another chat, then search the first one.
	term.press("C-n")
	term.waitFor("an empty chat", waiting)
	term.press("C-s")
	term.waitFor("the chats", "Tell me everything")
	term.write("/")
	term.write(`"what about music"`)
	term.waitFor("what the search found", `[1-9] places`)
	term.press("Enter")
	term.waitFor("the place in the chat", "^ +What about music$")

	quit(term)
	term.restored(0)

	// The next day.
	term.command("clear; hotcell --resume --seed 1")
	term.waitFor("the chat as it was", "companion|music lover")
	term.waitFor("its last question", "Tell me more|stopped")
	quit(term)
	term.restored(0)
}

// dash is the first row of the dashboard in its band: speed and the time of a token.
func dash(screen string) string {
	return regexp.MustCompile(`(?m)^│ .*tok/s.*$`).FindString(screen)
}

// TestKill9LosesAtMostTheLastSecond kills the program in the middle of an answer and looks for what was on the screen.
func TestKill9LosesAtMostTheLastSecond(t *testing.T) {
	term := newTerminal(t, 80, 24)
	pidFile := filepath.Join(t.TempDir(), "pid")
	term.command(`(echo $BASHPID >` + pidFile + `; exec ` + endless + ` -p "Tell me everything")`)
	var seen string
	term.until("some of the answer", func(screen string) bool { seen = answer(screen); return len(seen) > 60 })
	began := strings.Join(strings.Fields(seen)[:4], " ")
	time.Sleep(1500 * time.Millisecond) // what is a second old must be there
	kill(t, pidFile)
	term.until("the shell", func(screen string) bool {
		return strings.Contains(screen, "Killed") || strings.Contains(screen, prompt)
	})
	term.command("reset; clear; hotcell --resume --seed 1")
	term.waitFor("the chat", ready)
	term.press("Home")
	term.until("what it had said", func(screen string) bool {
		term.press("PageUp")
		return strings.Contains(strings.Join(strings.Fields(screen), " "), began)
	})
	quit(term)
}

func kill(t *testing.T, pidFile string) {
	t.Helper()
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
