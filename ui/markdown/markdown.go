// Package markdown draws the markdown that a model writes as lines of a terminal, while it is being written.
//
// The parser is goldmark; this package turns its tree into styled lines of a given width. Three things make
// that more than a tree walk.
//
// The text grows by a few bytes at a time and is drawn up to 15 times a second. So a [Document] has a frozen
// prefix: as soon as a part of the text can no longer change by what follows, it is drawn for good, and only
// the open tail behind it is parsed and drawn again. Text may be frozen up to the start of
//
//   - a block of the top level that has a blank line or the end of a code block before it,
//   - an item of a list of the top level,
//   - a line inside a code block of the top level.
//
// That holds because nothing that is drawn depends on what comes later in another block. Two parts of CommonMark
// would, and are drawn in another way. Whether a list is loose is decided by all its items; here a row is blank exactly
// where the source has a blank line. And a link may be defined below its use; here definitions stay where they
// stand, as in a letter with footnotes, and the links that name them keep their brackets. So the lines of a
// text are the same whether it came at once or in pieces.
//
// The text is untrusted. Each piece that is drawn goes through [look.Sanitize] after entities and escapes are
// resolved; the only control sequences in a line are the colours of the [Sheet], and links are shown as text. What
// could cost more than its length has a limit: the tail ([maxOpen]), containers in each other ([maxDepth]),
// brackets and the like in one paragraph ([maxSpecial]), cells of a table ([maxTableCells]). Beyond it the text is
// cut into blocks or shown as it was typed.
//
// The screen may be 46 columns wide, or one. No line is ever wider than asked for. Indents give way before
// the text does, tables become rows of "column: value", and a long line of code continues behind a mark.
//
// Use:
//
//	sheet := markdown.NewSheet(style)           // one for all documents
//	doc := markdown.New(sheet)                  // one for each message
//	doc.SetText(textSoFar, stillGenerating)
//	for _, line := range doc.Lines(width) { ... }
package markdown

import (
	"bytes"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// maxOpen is the most text, in bytes, that is parsed at a time. It bounds what one drawing can cost, and what
// hostile text can make of a parser that is quadratic in places.
const maxOpen = 16 << 10

// Code is a code block of a document.
type Code struct {
	N           int    // the number drawn in its header, from 1
	Lang        string // the language it names, cleaned; may be empty
	Text        string // the code as the model wrote it, not cleaned, without the last line's end
	First, Last int    // its first and last row, header and footer included, in what Lines returned last
}

// Document is one text that may still grow. It is for one goroutine.
type Document struct {
	sheet *Sheet
	text  string
	open  bool
	width int // of lines; 0 when nothing is drawn yet

	drawn bool // lines are those of text
	lines []string
	codes []code
	done  frozen

	parsed int // bytes that the parser was given, for tests
}

// frozen says what is drawn for good.
type frozen struct {
	bytes int // of the text
	lines int // of Document.lines
	codes int // of Document.codes

	blank  bool   // the line before bytes is blank
	number int    // of the list item that begins at bytes, if it is one of an ordered list
	inCode bool   // bytes is inside a code block, the last one of codes
	fence  []byte // that block's opening line
	text   []byte // that block's code so far
	lex    lexer  // where the highlighting of that block stands
	midway bool   // bytes is inside a line of code
}

// New makes an empty document that is drawn in the given style.
func New(sheet *Sheet) *Document { return &Document{sheet: sheet} }

// SetText gives the document its whole text so far. It is cheap: drawing is put off until [Document.Lines].
//
// Open tells that more will come. Then what is half written at the end is drawn as what it will probably
// become: strong text and inline code that are not closed yet reach to the end, and markers that begin the last
// line wait for what they mark. A text that is not open is drawn as it is. A text that does not begin with the one
// before is drawn anew.
func (d *Document) SetText(text string, open bool) {
	if text == d.text && open == d.open {
		return
	}
	if !strings.HasPrefix(text, d.text) {
		d.reset()
	}
	d.text, d.open, d.drawn = text, open, false
}

// reset forgets all that is drawn.
func (d *Document) reset() {
	d.lines, d.codes, d.done, d.drawn = d.lines[:0], d.codes[:0], frozen{}, false
}

// Lines returns the text as lines of at most width cells, a width below 1 counting as 1. The slice is valid until
// the next call.
func (d *Document) Lines(width int) []string {
	width = max(1, width)
	if width != d.width {
		d.reset()
		d.width = width
	}
	if !d.drawn {
		d.draw()
		d.drawn = true
	}
	return d.lines
}

// Blocks returns the code blocks of what [Document.Lines] returned last, in the order of their numbers.
func (d *Document) Blocks() []Code {
	blocks := make([]Code, len(d.codes))
	for i, c := range d.codes {
		blocks[i] = Code{N: i + 1, Lang: c.lang, First: c.first, Last: c.last,
			Text: strings.TrimSuffix(string(c.text), "\n")}
	}
	return blocks
}

// draw freezes what can be frozen and draws the rest behind it.
func (d *Document) draw() {
	for {
		rest := d.text[d.done.bytes:]
		part := rest[:min(len(rest), maxOpen)]
		src, tree := d.parse(part)
		stop := freezable(tree, src, d.done)
		if stop.at == 0 && len(rest) > maxOpen {
			part = part[:cutAt(part)]
			src, tree = d.parse(part)
			stop = end(tree, src)
		}
		if stop.at > 0 {
			d.freeze(tree, src, stop)
			continue
		}
		if d.open {
			if wait := waiting(part); wait > 0 {
				src, tree = d.parse(part[:len(part)-wait])
			}
		}
		d.render(tree, src, place{at: len(src)}, d.open)
		return
	}
}

// parse parses a part of the text that follows the frozen one. If that is inside a code block, the
// block's opening line is put in front.
func (d *Document) parse(part string) (src []byte, tree ast.Node) {
	src = append(slices.Clip(d.done.fence), part...)
	d.parsed += len(src)
	return src, parse(src)
}

// render draws the tree up to stop behind the frozen lines. Open says that the text ends there and will go on.
func (d *Document) render(tree ast.Node, src []byte, stop place, open bool) lexer {
	r := &renderer{
		sheet: d.sheet, src: src, width: d.width, room: d.width, from: d.done, stop: stop,
		lines: d.lines[:d.done.lines], codes: d.codes[:d.done.codes],
	}
	if d.done.inCode {
		r.codes[d.done.codes-1].text = slices.Clip(d.done.text)
	}
	if open {
		r.unfinished = lastLeaf(tree)
	}
	r.blocks(tree)
	d.lines, d.codes = r.lines, r.codes
	return r.lex
}

// freeze draws the tree up to stop for good.
func (d *Document) freeze(tree ast.Node, src []byte, stop place) {
	lex := d.render(tree, src, stop, false)
	next := frozen{
		bytes: d.done.bytes + stop.at - len(d.done.fence), lines: len(d.lines), codes: len(d.codes),
		number: stop.number, inCode: stop.code != nil,
	}
	if next.inCode {
		start := lineStart(src, stop.code.Pos())
		next.fence = bytes.Clone(src[start:lineEnd(src, start)])
		next.text = d.codes[next.codes-1].text
		next.lex = lex
		next.midway = src[stop.at-1] != '\n'
	}
	next.blank = !next.inCode && endsBlank(d.text[:next.bytes])
	d.done = next
}
