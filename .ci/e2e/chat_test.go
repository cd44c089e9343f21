package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// endless makes the small model talk until it is stopped: at this temperature
// every token is about as likely as the end of the turn.
const endless = "hotcell --temp 50 --top-p 1 --seed 1 --ctx 8192"

const (
	ready   = "ready · bamboo"  // in the status line, when the model is loaded
	waiting = "Write a message" // in the empty input field
)

// idle matches the keys that are shown when no answer is being made.
var idle = regexp.MustCompile(`(?m)^ ↵ send `)

var sizes = []struct{ width, height int }{{120, 36}, {80, 24}, {46, 19}}

func TestAConversationAtEverySize(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size.width, size.height), func(t *testing.T) {
			t.Parallel()
			term := newTerminal(t, size.width, size.height)
			term.command("hotcell --seed 1")
			screen := term.waitFor("the chat", ready)
			for _, part := range []string{"Hotcell", "companion", "ctx", "send"} {
				if !strings.Contains(screen, part) {
					t.Errorf("the first screen does not show %q:\n%s", part, screen)
				}
			}

			ask(term, "Hello there")
			ask(term, "What do you like to do on a rainy day")

			term.write("?")
			term.waitFor("the help page", `Help`)
			term.press("Escape")
			term.waitFor("the chat again", waiting)
			for _, menu := range []struct{ key, shows string }{
				{"C-o", "Smalltalk 9M"}, {"C-p", "movie buff"}, {"C-s", "Hello there"}, {"C-g", "theme"}, {"C-x", "Messages"}, {"Tab", "a panel"},
			} {
				term.press(menu.key)
				term.waitFor("the menu of "+menu.key, menu.shows)
				term.press("Escape")
				term.waitFor("the chat again", waiting)
			}

			quit(term)
			term.restored(0)
		})
	}
}

func TestEscTwiceStopsAnAnswerAndKeepsItsText(t *testing.T) {
	term := newTerminal(t, 80, 24)
	term.command(endless)
	term.waitFor("the chat", ready)
	term.write("Tell me everything")
	term.press("Enter")
	term.until("some of the answer", func(screen string) bool { return len(answer(screen)) > 20 })
	stop(term)
	if text := answer(term.screen()); len(text) <= 20 {
		t.Errorf("the stopped answer's text is gone, %q is left", text)
	}

	// The chat goes on with the stopped answer in it.
	term.write("And then")
	term.press("Enter")
	term.waitFor("the second message", "^ +And then$")
	term.until("some of the second answer", func(screen string) bool { return len(answer(screen)) > 20 })
	stop(term)
	quit(term)
	term.restored(0)
}

func TestTheScreenFollowsTheWindowWhileAnAnswerComes(t *testing.T) {
	term := newTerminal(t, 120, 36)
	term.command(endless)
	term.waitFor("the chat", ready)
	term.write("Tell me everything")
	term.press("Enter")
	for _, size := range [][2]int{{46, 19}, {20, 6}, {1, 1}, {80, 24}, {46, 19}} {
		before := term.screen()
		term.tmux("resize-window", "-x", strconv.Itoa(size[0]), "-y", strconv.Itoa(size[1]))
		term.until("the screen to change", func(screen string) bool { return screen != before })
	}
	stop(term)
	term.waitFor("the chat at its last size", "^> "+waiting)
	quit(term)
	term.restored(0)
}

func TestASignalDuringAnAnswerLeavesTheTerminalAsItWas(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			term := newTerminal(t, 80, 24)
			pidFile := filepath.Join(t.TempDir(), "pid")
			term.command(fmt.Sprintf(`(echo $BASHPID >%s; exec %s -p "Tell me everything")`, pidFile, endless))
			term.until("some of the answer", func(screen string) bool { return len(answer(screen)) > 20 })
			text, err := os.ReadFile(pidFile)
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(pid, signal); err != nil {
				t.Fatal(err)
			}
			term.restored(130)
		})
	}
}

// chatPart is the screen without the dashboard at the right of a wide terminal.
func chatPart(screen string) string {
	lines := strings.Split(screen, "\n")
	for i, line := range lines {
		if r := []rune(line); len(r) > 80 && r[80] == '│' {
			lines[i] = strings.TrimRight(string(r[:79]), " ")
		}
	}
	return strings.Join(lines, "\n")
}

// ask sends a question and waits until its answer has ended.
func ask(term *terminal, question string) {
	term.t.Helper()
	term.write(question)
	term.press("Enter")
	asked := regexp.MustCompile(`(?m)^ +` + question + `\??$`)
	finished := regexp.MustCompile(`^\n*companion .*\d tok/s`)
	screen := term.until("the answer to "+question, func(screen string) bool {
		screen = chatPart(screen)
		at := asked.FindStringIndex(screen)
		if at == nil || !idle.MatchString(screen) {
			return false
		}
		_, after, _ := strings.Cut(screen[at[1]:], "\n")
		return finished.MatchString(after)
	})
	if answer(screen) == "" {
		term.t.Errorf("the answer to %q is empty:\n%s", question, screen)
	}
	if !regexp.MustCompile(`(?m)^.?.?last answer .*tok/s`).MatchString(screen) {
		term.t.Errorf("the status line does not tell the speed:\n%s", screen)
	}
}

// answer returns the text below the last of the role's headings on a screen.
func answer(screen string) string {
	screen = chatPart(screen)
	headings := regexp.MustCompile(`(?m)^companion.*\n`).FindAllStringIndex(screen, -1)
	if len(headings) == 0 { // it has left the screen; text is moved in by two columns at 80x24
		return strings.Join(regexp.MustCompile(`(?m)^  \S.*$`).FindAllString(screen, -1), " ")
	}
	var text []string
	for _, line := range strings.Split(screen[headings[len(headings)-1][1]:], "\n") {
		if !strings.HasPrefix(line, " ") { // the chat's text is indented
			break
		}
		text = append(text, strings.TrimSpace(line))
	}
	return strings.Join(text, " ")
}

// stop presses Esc until the answer stops: the second press counts only within
// a second of the first, which a busy machine may miss.
func stop(term *terminal) {
	term.t.Helper()
	var pressed time.Time
	term.until("the answer to stop", func(screen string) bool {
		if idle.MatchString(screen) {
			return true
		}
		if time.Since(pressed) > 2*time.Second {
			term.press("Escape")
			term.waitFor("the question whether to stop", "esc again|"+idle.String())
			term.press("Escape")
			pressed = time.Now()
		}
		return false
	})
}

// quit presses ^C twice, like stop.
func quit(term *terminal) {
	term.t.Helper()
	var pressed time.Time
	term.until("the program to quit", func(screen string) bool {
		if strings.HasSuffix(screen, prompt) {
			return true
		}
		if time.Since(pressed) > 2*time.Second {
			term.press("C-c")
			term.waitFor("the question whether to quit", `\^C again|`+prompt+"$")
			term.press("C-c")
			pressed = time.Now()
		}
		return false
	})
}
