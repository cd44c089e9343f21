package ui

import (
	"fmt"
	"strings"
	"time"

	"hotcell/ui/look"
	"hotcell/ui/store"
)

// kind is what a message of the chat is.
type kind int

const (
	fromUser  kind = iota
	fromModel      // an answer, whole or still growing
	fromApp        // a sentence of ours; never sent to the model and not kept
)

// message is one message of the chat as it is shown.
type message struct {
	kind kind
	name string // who speaks, for the header
	text string // as typed or generated, never cleaned; it only grows
	at   time.Time

	id            int64 // in the store; 0: not there
	place, places int   // among the branches at this point, from 1; 0: not known

	thought string // what a reasoning model thought before it answered; it only grows
	notices string // lines above an answer's text: what the engine had to tell about it
	ending  string // a line below an answer's text: why it ended early; empty when it ended by itself
	failed  bool   // a failure is told here

	model string // name of the model that answers
	speed speed  // of an answer that has ended
	ended bool
	cut   bool // it ended before the model had ended its turn, so it can be continued

	plain    wrapped // of text, where it is not markdown
	topRows  wrapped
	thinking wrapped // of thought
	lastRows wrapped
	prose    prose // of text
}

// restored is a message as it comes from the store.
func restored(s store.Message) *message {
	m := &message{
		kind: fromUser, name: "you", text: s.Text, at: s.Created, id: s.ID, place: s.Place, places: s.Places,
		thought: s.Thought, notices: s.Notice, ending: s.Ending, model: look.Label(s.Model), ended: true,
	}
	if s.Speaker != store.Assistant {
		return m
	}
	m.kind, m.name = fromModel, look.Label(s.Role)
	if m.name == "" {
		m.name = "assistant"
	}
	m.failed = s.State == store.Failed
	m.cut = s.State == store.Stopped
	if m.cut && m.ending == "" {
		m.ending = "stopped when the program ended; /continue goes on"
	}
	m.speed = speed{tokens: uint64(s.Tokens), rate: look.Known(s.Rate, s.Rate > 0), ttft: s.FirstText, ttftSet: s.FirstText > 0}
	return m
}

// branched reports whether the message has siblings to switch to.
func (m *message) branched() bool { return m.places > 1 }

// thoughtLines is how many lines of a thought are shown while the answer has not begun.
const thoughtLines = 3

// thoughtRows shows a thought: its last lines as they come, and one line in their place once the answer has begun, unless
// it is unfolded.
func (m *message) thoughtRows(width int, unfolded bool) []string {
	if strings.TrimSpace(m.thought) == "" {
		return nil
	}
	rows := m.thinking.get(m.thought, width)
	switch {
	case unfolded:
		return append([]string{look.Cut(fmt.Sprintf("thought, %d words:", len(strings.Fields(m.thought))), width)}, rows...)
	case m.text != "" || m.ended:
		return []string{look.Cut(fmt.Sprintf("thought for %d words, ^T unfolds", len(strings.Fields(m.thought))), max(1, width))}
	}
	return rows[max(0, len(rows)-thoughtLines):]
}

// speed is what is measured of one answer.
type speed struct {
	rate    look.Reading  // decoded tokens per second, average of the answer
	tokens  uint64        // decoded
	ttft    time.Duration // from sending to the first text
	ttftSet bool
}

// parts are the measured numbers as words, the most important first.
func (s speed) parts(t look.Theme) []string {
	parts := []string{t.Tenths(s.rate) + " tok/s", fmt.Sprintf("%d tok", s.tokens)}
	if s.ttftSet {
		parts = append(parts, "TTFT "+look.Seconds(s.ttft))
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
			w.lines = append(w.lines, look.WrapLine(text[w.done:w.done+end], width)...)
			w.done += end + 1
		}
		w.stable = len(w.lines)
		if tail := text[w.done:]; tail != "" {
			w.lines = append(w.lines, look.WrapLine(tail, width)...)
		}
		w.seen = len(text)
	}
	return trimBlank(w.lines)
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
