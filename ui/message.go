package ui

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// kind is what a message of the chat is.
type kind int

const (
	fromUser  kind = iota
	fromModel      // an answer, whole or still growing
	fromApp        // a sentence of ours; never sent to the model
)

// message is one message of the chat as it is shown.
type message struct {
	kind kind
	name string // who speaks, for the header
	text string // as typed or generated, never cleaned; it only grows
	at   time.Time

	thought string // what a reasoning model thought before it answered; it only grows
	notices string // lines above an answer's text: what the engine had to tell about it
	ending  string // a line below an answer's text: why it ended early; empty when it ended by itself
	failed  bool   // a fromApp message that tells of a failure

	model    string // name of the model that answers
	speed    speed  // of an answer that has ended
	ended    bool
	rows     wrapped
	topRows  wrapped
	thinking wrapped // of thought
	lastRows wrapped
}

// thoughtLines is how many lines of a thought are shown while the answer has not begun.
const thoughtLines = 3

// thoughtRows shows a thought: its last lines as they come, and one line in their place once the answer has begun.
func (m *message) thoughtRows(width int) []string {
	if strings.TrimSpace(m.thought) == "" {
		return nil
	}
	if m.text != "" || m.ended {
		return []string{ansi.Truncate(fmt.Sprintf("thought for %d words", len(strings.Fields(m.thought))), max(1, width), "")}
	}
	rows := m.thinking.get(m.thought, width)
	return rows[max(0, len(rows)-thoughtLines):]
}

// speed is what is measured of one answer.
type speed struct {
	rate    reading       // decoded tokens per second, average of the answer
	tokens  uint64        // decoded
	ttft    time.Duration // from sending to the first text
	ttftSet bool
}

// parts are the measured numbers as words, the most important first.
func (s speed) parts(t theme) []string {
	parts := []string{t.tenths(s.rate) + " tok/s", fmt.Sprintf("%d tok", s.tokens)}
	if s.ttftSet {
		parts = append(parts, "TTFT "+seconds(s.ttft))
	}
	return parts
}

// wrapped is text that only grows, cut into lines of one width. Lines that are complete are wrapped
// once; each further call wraps only what has come since and the line that was not yet complete.
type wrapped struct {
	width  int
	seen   int      // bytes of the text that lines holds
	done   int      // bytes up to the last newline
	stable int      // lines that are final: those before done
	lines  []string // sanitised, each at most width cells
}

// get returns the lines of text. The slice is valid until the next call.
func (w *wrapped) get(text string, width int) []string {
	width = max(1, width)
	if width != w.width || len(text) < w.seen {
		*w = wrapped{width: width, lines: w.lines[:0]}
	}
	if len(text) > w.seen {
		w.lines = w.lines[:w.stable]
		for {
			end := strings.IndexByte(text[w.done:], '\n')
			if end < 0 {
				break
			}
			w.lines = append(w.lines, wrapLine(text[w.done:w.done+end], width)...)
			w.done += end + 1
		}
		w.stable = len(w.lines)
		if tail := text[w.done:]; tail != "" {
			w.lines = append(w.lines, wrapLine(tail, width)...)
		}
		w.seen = len(text)
	}
	return trimBlank(w.lines)
}

// hanging is what the lines below the first one are moved in by: the indent and the mark of a list item.
var hanging = regexp.MustCompile(`^ *(?:[-*•] +|[0-9]{1,3}[.)] +)?`)

// wrapLine cuts one line at spaces, and words that are too long at the edge.
func wrapLine(line string, width int) []string {
	line = sanitize(line)
	if ansi.StringWidth(line) <= width {
		return []string{line}
	}
	indent := ansi.StringWidth(hanging.FindString(line))
	if indent > width/2 {
		indent = 0
	}
	lines := wrapWords(line, width)
	first := lines[0]
	if indent == 0 || !strings.HasPrefix(line, first) {
		return lines
	}
	lines = lines[:1]
	for _, part := range wrapWords(strings.TrimLeft(line[len(first):], " "), width-indent) {
		lines = append(lines, strings.Repeat(" ", indent)+part)
	}
	return lines
}

// wrapWords wraps without an indent. ansi.Wrap lets a line that begins with a wide character grow too
// wide where the width is that of a character or two, so such lines are cut again.
func wrapWords(line string, width int) []string {
	var lines []string
	for _, part := range strings.Split(ansi.Wrap(line, width, ""), "\n") {
		if ansi.StringWidth(part) <= width {
			lines = append(lines, part)
			continue
		}
		lines = append(lines, strings.Split(ansi.Hardwrap(part, width, true), "\n")...)
	}
	return lines
}

// trimBlank leaves out empty lines at both ends; models like to begin and end with them.
func trimBlank(lines []string) []string {
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}
