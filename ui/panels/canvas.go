package panels

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// cell is one character of the screen. Every character that is drawn is one column wide.
type cell struct {
	r rune
	k ink
}

// canvas is a grid of cells that is drawn again and again, so its memory is kept.
type canvas struct {
	w, h  int
	cells []cell // [h][w]
	line  []byte // scratch for one row
}

// clear makes the canvas w x h and empty.
func (c *canvas) clear(w, h int) {
	c.w, c.h, c.cells = w, 0, c.cells[:0]
	c.grow(h)
}

// grow adds empty rows until there are h.
func (c *canvas) grow(h int) {
	for n := max(0, h-c.h) * c.w; n > 0; n-- {
		c.cells = append(c.cells, cell{r: ' '})
	}
	c.h = max(c.h, h)
}

// rows writes each row as a string of w cells, with runs of one ink joined.
func (c *canvas) rows(p *paint) []string {
	rows := make([]string, c.h)
	for y := range rows {
		out, k := append(c.line[:0], p.before[plain]...), plain
		for _, cell := range c.cells[y*c.w : (y+1)*c.w] {
			if cell.k != k && cell.r != ' ' {
				out = append(append(out, p.after[k]...), p.before[cell.k]...)
				k = cell.k
			}
			if p.glyphs == ASCII {
				out = append(out, asciiOf(cell.r))
			} else {
				out = utf8.AppendRune(out, cell.r)
			}
		}
		out = append(out, p.after[k]...)
		rows[y], c.line = string(out), out
	}
	return rows
}

// region is a rectangle of a canvas. What is drawn outside of it is not drawn. A region that grows has no last row.
type region struct {
	c          *canvas
	x, y, w, h int
	grows      bool
}

// whole is the region of all of the canvas.
func (c *canvas) whole() region { return region{c: c, w: c.w, h: c.h} }

// part is the rectangle at x, y of the region, no larger than what is left of it there.
func (g region) part(x, y, w, h int) region {
	x, y = max(0, x), max(0, y)
	return region{c: g.c, x: g.x + x, y: g.y + y, w: max(0, min(w, g.w-x)), h: max(0, min(h, g.h-y))}
}

// set draws one cell.
func (g region) set(x, y int, r rune, k ink) {
	if x < 0 || y < 0 || x >= g.w || y >= g.h && !g.grows {
		return
	}
	if g.grows {
		g.c.grow(g.y + y + 1)
	}
	g.c.cells[(g.y+y)*g.c.w+g.x+x] = cell{r, k}
}

// put draws s from column x on and returns the column behind it.
func (g region) put(x, y int, k ink, s string) int {
	for _, r := range s {
		g.set(x, y, r, k)
		x++
	}
	return x
}

// right draws s so that it ends before column end.
func (g region) right(end, y int, k ink, s string) {
	g.put(max(0, end-utf8.RuneCountInString(s)), y, k, s)
}

// fill draws a row of n equal cells.
func (g region) fill(x, y, n int, k ink, r rune) {
	for i := range n {
		g.set(x+i, y, r, k)
	}
}

// span is a piece of text of one ink; item is pieces that belong together, a number and its unit.
type (
	span struct {
		k ink
		s string
	}
	item []span
)

// width is how many cells the item takes.
func (t item) width() int {
	n := 0
	for _, s := range t {
		n += utf8.RuneCountInString(s.s)
	}
	return n
}

// text is the item without its inks.
func (t item) text() string {
	s := ""
	for _, part := range t {
		s += part.s
	}
	return s
}

// item draws t from column x on and returns the column behind it.
func (g region) item(x, y int, t item) int {
	for _, s := range t {
		x = g.put(x, y, s.k, s.s)
	}
	return x
}

// words draws as many of the items as fit into a row from column x on, with gap columns between. A number is drawn whole
// or not at all; only the first item is cut, where nothing else would be left. It returns the column behind the last.
func (g region) words(x, y, gap int, items ...item) int {
	end, drawn := x, 0
	for _, t := range items {
		w := t.width()
		if w == 0 {
			continue
		}
		at := end
		if drawn > 0 {
			at += gap
		}
		if at+w > g.w {
			if drawn == 0 && at < g.w {
				g.item(at, y, t)
				g.set(g.w-1, y, '…', dim)
				end = g.w
			}
			break
		}
		end = g.item(at, y, t)
		drawn++
	}
	return end
}

// wrap draws text broken at its spaces and returns the row below it.
func (g region) wrap(x, y int, k ink, s string) int {
	room := g.w - x
	if room <= 0 {
		return y
	}
	at := 0
	for word := range strings.FieldsSeq(s) {
		n := utf8.RuneCountInString(word)
		if at > 0 && at+1+n > room {
			at, y = 0, y+1
		} else if at > 0 {
			at++
		}
		for _, r := range word {
			if at == room { // a word longer than the row
				at, y = 0, y+1
			}
			g.set(x+at, y, r, k)
			at++
		}
	}
	return y + 1
}

// label makes text from outside safe and steady to draw: characters of one column only, on one line.
func label(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r < utf8.RuneSelf && unicode.IsPrint(r):
			return r
		case unicode.In(r, unicode.C, unicode.M) || r == utf8.RuneError:
			return -1
		case !unicode.IsGraphic(r), ansi.StringWidth(string(r)) != 1:
			return '?'
		}
		return r
	}, ansi.Strip(s))
	if ansi.StringWidth(s) == utf8.RuneCountInString(s) {
		return s
	}
	return strings.Map(func(r rune) rune { // some join their neighbours, as Hangul's parts of syllables do
		if r >= utf8.RuneSelf {
			return '?'
		}
		return r
	}, s)
}
