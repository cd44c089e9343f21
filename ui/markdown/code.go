package markdown

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/yuin/goldmark/ast"

	"hotcell/ui/look"
)

// code is a code block that is being drawn.
type code struct {
	lang        string
	text        []byte // with the end of each line
	first, last int    // rows of the document
}

// code draws a code block: a header with its language and number, its lines, and a rule. Lines are never wrapped at
// words: what is too long goes on in the next row behind a mark.
func (r *renderer) code(n ast.Node, lang string) {
	goesOn := false // the first line is the rest of one
	if r.from.inCode && n.PreviousSibling() == nil && n.Parent().Kind() == ast.KindDocument {
		r.lex, goesOn = r.from.lex, r.from.midway
	} else {
		r.codes = append(r.codes, code{lang: lang, first: len(r.lines)})
		r.emit(r.codeHeader(lang, len(r.codes)))
		r.lex = newLexer(lang)
	}
	block := &r.codes[len(r.codes)-1]
	lines := n.Lines()
	for i := range lines.Len() {
		seg := lines.At(i)
		if seg.Start >= r.stop.at {
			break
		}
		value := seg.Value(r.src)
		text := strings.TrimRight(string(value), "\r\n")
		if r.stop.code == n && i == lines.Len()-1 && seg.Stop == r.stop.at && r.src[seg.Stop-1] != '\n' {
			value = []byte(text) // cut inside the line: its end is still to come
		}
		block.text = append(block.text, value...)
		r.codeLine(r.lex.spans(look.Sanitize(text)), goesOn)
		goesOn = false
	}
	if r.stop.code != n {
		r.rule()
	}
	block.last = len(r.lines) - 1
}

// codeHeader is the line above a block: its language, and the number it is copied by.
func (r *renderer) codeHeader(lang string, number int) string {
	for _, right := range []string{fmt.Sprintf(" [%d] copy ", number), fmt.Sprintf(" [%d] ", number)} {
		const after = 2 // cells of rule behind the number
		left := ansi.Truncate(lang, max(0, r.room/2), "")
		if left != "" {
			left += " "
		}
		if rule := r.room - ansi.StringWidth(left) - len(right) - after; rule > 0 {
			line := left + strings.Repeat(r.sheet.rule, rule) + right + strings.Repeat(r.sheet.rule, after)
			return r.sheet.render(line, dim)
		}
	}
	if short := fmt.Sprintf("[%d]", number); len(short) <= r.room {
		return r.sheet.render(short, dim)
	}
	return r.sheet.render(strings.Repeat(r.sheet.rule, r.room), dim)
}

// codeLine draws one line of code. GoesOn says that it is the rest of a line.
func (r *renderer) codeLine(spans []span, goesOn bool) {
	gutter := 0 // cells before the code
	switch {
	case r.room >= 60:
		gutter = 2
	case r.room >= 4:
		gutter = 1
	}
	w := &wrapper{sheet: r.sheet, width: r.room - gutter}
	for _, s := range spans {
		w.breakUp(piece{text: s.text, mark: s.mark})
	}
	w.endRow()
	for i, row := range w.rows {
		before := strings.Repeat(" ", gutter)
		if (goesOn || i > 0) && gutter > 0 {
			before = r.sheet.render(r.sheet.goesOn, dim) + before[1:]
		} else if row.cells == 0 {
			before = ""
		}
		r.emit(before + row.text)
	}
}
