package main

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// step is one line of a script.
type step struct {
	line       int
	verb, text string
	a, b       int // the numbers of pause and size
}

// typing is the time between two characters.
const typing = 45 * time.Millisecond

// keyBytes are what a terminal sends for the keys that have names.
var keyBytes = map[string]string{
	"enter": "\r", "esc": "\x1b", "tab": "\t", "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "pgup": "\x1b[5~", "pgdn": "\x1b[6~",
}

// parse reads a script. Empty lines and lines that begin with # say nothing.
func parse(script io.Reader) (steps []step, err error) {
	lines := bufio.NewScanner(script)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		s := step{line: n}
		s.verb, s.text, _ = strings.Cut(line, " ")
		switch s.verb {
		case "wait", "gone", "type":
			if s.text == "" {
				return nil, fmt.Errorf("line %d: %s what?", n, s.verb)
			}
		case "pause":
			s.a, err = strconv.Atoi(s.text)
		case "size":
			_, err = fmt.Sscanf(s.text, "%d %d", &s.a, &s.b)
		case "key":
			if letter, ok := strings.CutPrefix(s.text, "ctrl-"); ok && len(letter) == 1 && letter[0] >= 'a' && letter[0] <= 'z' {
				s.text = string(letter[0] - 'a' + 1)
			} else if bytes, ok := keyBytes[s.text]; ok {
				s.text = bytes
			} else {
				return nil, fmt.Errorf("line %d: there is no key %q", n, s.text)
			}
		default:
			return nil, fmt.Errorf("line %d: there is no step %q", n, s.verb)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		steps = append(steps, s)
	}
	return steps, lines.Err()
}

// play does one step.
func (r *recorder) play(s step) error {
	switch s.verb {
	case "wait", "gone":
		for end := time.Now().Add(patience); r.shows(s.text) != (s.verb == "wait"); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				return fmt.Errorf("line %d: %s %q never came; the screen is\n%s", s.line, s.verb, s.text, r.screen.String())
			}
		}
	case "type":
		for _, c := range s.text {
			if _, err := r.master.WriteString(string(c)); err != nil {
				return err
			}
			time.Sleep(typing)
		}
	case "key":
		_, err := r.master.WriteString(s.text)
		time.Sleep(2 * typing)
		return err
	case "pause":
		time.Sleep(time.Duration(s.a) * time.Millisecond)
	case "size":
		r.mu.Lock()
		defer r.mu.Unlock()
		r.screen.Resize(s.a, s.b)
		r.event("r", fmt.Sprintf("%dx%d", s.a, s.b))
		return unix.IoctlSetWinsize(int(r.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(s.b), Col: uint16(s.a)})
	}
	return nil
}

// wholeCharacters is how many bytes of b are before an unfinished character at its end.
func wholeCharacters(b []byte) int {
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return i
			}
			break
		}
	}
	return len(b)
}
