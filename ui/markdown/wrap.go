package markdown

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// span is a piece of sanitised text of one style. In the text of a paragraph a newline is a break between lines.
type span struct {
	text string
	mark mark
}

// row is a finished line and its width in cells.
type row struct {
	text  string
	cells int
}

// wrapper breaks spans into rows of at most width cells, at spaces and beside wide characters, which need
// none. A word that is longer than a row is broken anywhere.
type wrapper struct {
	sheet *Sheet
	width int
	rows  []row

	line      strings.Builder // the row being filled
	cells     int             // of line
	style     mark            // at the end of line
	begun     bool            // line holds anything
	spaces    []piece         // that wait for the next word
	word      []piece         // that waits for its end
	afterWide bool            // word may end here
}

// piece is a part of a word, or a cluster of it: text of one style that is not broken.
type piece struct {
	text  string
	cells int
	mark  mark
}

// wrap breaks spans into rows, at least one.
func wrap(sheet *Sheet, spans []span, width int) []row {
	w := &wrapper{sheet: sheet, width: max(1, width)}
	for _, s := range spans {
		w.add(s)
	}
	w.endWord()
	w.endRow()
	return w.rows
}

// closers are characters that do not begin a row after a wide one.
const closers = "、。，．！？：；）」』】》〉〕…,.!?:;)]}%\"'"

func (w *wrapper) add(s span) {
	for text := s.text; text != ""; {
		switch {
		case text[0] == '\n':
			w.endWord()
			w.endRow()
			text = text[1:]
			continue
		case text[0] == ' ':
			w.endWord()
			n := len(text) - len(strings.TrimLeft(text, " "))
			w.spaces = append(w.spaces, piece{text[:n], n, s.mark})
			text = text[n:]
			continue
		}
		p := firstPiece(text)
		text = text[len(p.text):]
		p.mark = s.mark
		wide := p.cells > 1 && p.text[0] >= utf8.RuneSelf
		if (wide || w.afterWide) && !strings.Contains(closers, p.text) {
			w.endWord()
		}
		w.word = append(w.word, p)
		w.afterWide = wide || w.afterWide
	}
}

// firstPiece takes a run of ASCII off the text, or one cluster of other characters.
func firstPiece(text string) piece {
	n := 0
	for n < len(text) && text[n] > ' ' && text[n] < utf8.RuneSelf {
		n++
	}
	if n > 1 && n < len(text) && text[n] >= utf8.RuneSelf {
		n-- // what follows may combine with the last one
	} else if n == 1 && len(text) > 1 && text[1] >= utf8.RuneSelf {
		n = 0
	}
	if n > 0 {
		return piece{text: text[:n], cells: n}
	}
	cluster, cells := ansi.FirstGraphemeCluster(text, ansi.GraphemeWidth)
	return piece{text: cluster, cells: cells}
}

// endWord puts the word on the row if there is room, else on the next one.
func (w *wrapper) endWord() {
	if len(w.word) == 0 {
		return
	}
	cells := 0
	for _, p := range w.word {
		cells += p.cells
	}
	before := 0
	for _, p := range w.spaces {
		before += p.cells
	}
	if w.begun && w.cells+before+cells > w.width {
		w.endRow()
		before = 0
	}
	if !w.begun && before > 0 { // the indent of a line
		w.spaces = w.spaces[:1]
		w.spaces[0].text = w.spaces[0].text[:min(w.spaces[0].cells, w.width/2)]
		w.spaces[0].cells = len(w.spaces[0].text)
	}
	for _, p := range w.spaces {
		w.put(p)
	}
	w.spaces = w.spaces[:0]
	for _, p := range w.word {
		if w.cells+p.cells <= w.width {
			w.put(p)
			continue
		}
		w.breakUp(p)
	}
	w.word, w.afterWide = w.word[:0], false
}

// breakUp fills rows with the clusters of a piece that is too long for one.
func (w *wrapper) breakUp(p piece) {
	for text := p.text; text != ""; {
		cluster, cells := ansi.FirstGraphemeCluster(text, ansi.GraphemeWidth)
		text = text[len(cluster):]
		if cells > w.width {
			cluster, cells = w.sheet.unknown, 1
		}
		if w.cells+cells > w.width {
			w.endRow()
		}
		w.put(piece{cluster, cells, p.mark})
	}
}

// put adds a piece to the row.
func (w *wrapper) put(p piece) {
	if p.mark != w.style {
		if w.sheet.sequence(w.style) != "" {
			w.line.WriteString(resetStyle)
		}
		w.line.WriteString(w.sheet.sequence(p.mark))
		w.style = p.mark
	}
	w.line.WriteString(p.text)
	w.cells += p.cells
	w.begun = true
}

// endRow finishes the row and begins the next one. Spaces at its end go.
func (w *wrapper) endRow() {
	if w.sheet.sequence(w.style) != "" {
		w.line.WriteString(resetStyle)
	}
	w.rows = append(w.rows, row{w.line.String(), w.cells})
	w.line.Reset()
	w.spaces = w.spaces[:0]
	w.cells, w.style, w.begun = 0, plain, false
}
