package ui

import (
	"slices"
	"strings"
)

// chatView shows the messages. The bottom row of the view is the end of the newest message, unless the
// user has scrolled up: then it stays at one row of one message, whatever is added below. Only messages
// that are visible, or that are scrolled over, are ever wrapped.
type chatView struct {
	theme    theme
	messages []*message

	w, h   int
	indent int
	roomy  bool // an empty row between messages
	wide   bool // the model's name in an answer's header

	scrolled bool
	bottom   place // the row at the bottom of the view, when scrolled
}

// place is a row of the chat.
type place struct{ message, row int }

// add puts a message at the end and scrolls there.
func (c *chatView) add(m *message) {
	c.messages = append(c.messages, m)
	c.scrolled = false
}

// clear removes all messages.
func (c *chatView) clear() {
	c.messages = nil
	c.scrolled = false
}

// setSize gives the view its region. A scrolled view stays at the same part of the same message.
func (c *chatView) setSize(r Rects) {
	w, wide := r.Chat.W, r.Chat.W >= wideW
	if c.scrolled && w != c.w {
		was := c.height(c.bottom.message)
		c.w, c.h, c.indent, c.roomy, c.wide = w, r.Chat.H, r.Indent, r.Roomy, wide
		c.bottom.row = c.bottom.row * c.height(c.bottom.message) / max(1, was)
	}
	c.w, c.h, c.indent, c.roomy, c.wide = w, r.Chat.H, r.Indent, r.Roomy, wide
	c.settle()
}

// scrollBy moves the view by n rows; up is negative.
func (c *chatView) scrollBy(n int) {
	if len(c.messages) == 0 {
		return
	}
	if !c.scrolled {
		c.scrolled, c.bottom = true, c.end()
	}
	c.bottom, _ = c.step(c.bottom, n)
	c.settle()
}

// settle keeps a scrolled view inside the chat: not above its first row, and no longer scrolled when the
// newest row is visible.
func (c *chatView) settle() {
	if !c.scrolled {
		return
	}
	if c.bottom.message >= len(c.messages) {
		c.scrolled = false
		return
	}
	c.bottom.row = max(0, min(c.bottom.row, c.height(c.bottom.message)-1))
	if _, went := c.step(c.bottom, -(c.h - 1)); went < c.h-1 {
		c.bottom, _ = c.step(place{}, c.h-1)
	}
	if c.bottom == c.end() {
		c.scrolled = false
	}
}

// end is the last row of the chat.
func (c *chatView) end() place {
	last := len(c.messages) - 1
	return place{last, c.height(last) - 1}
}

// step walks n rows from p, up when n is negative, as far as there are rows, and tells how many it went.
func (c *chatView) step(p place, n int) (to place, went int) {
	for ; n < 0; n++ {
		if p.row == 0 {
			if p.message == 0 {
				return p, went
			}
			p.message--
			p.row = c.height(p.message)
		}
		p.row--
		went++
	}
	for ; n > 0; n-- {
		if p.row == c.height(p.message)-1 {
			if p.message == len(c.messages)-1 {
				return p, went
			}
			p = place{p.message + 1, -1}
		}
		p.row++
		went++
	}
	return p, went
}

// draw returns the h rows of the view.
func (c *chatView) draw() []string {
	rows := make([]string, c.h)
	if len(c.messages) == 0 || c.h == 0 {
		return rows
	}
	p := c.bottom
	if !c.scrolled {
		p = c.end()
	}
	p, above := c.step(p, -(c.h - 1))
	for i := 0; i <= above; i++ {
		rows[i] = c.row(p)
		p, _ = c.step(p, 1)
	}
	return rows
}

// parts are a message's rows in the order in which they are drawn.
type parts struct {
	gap, header          int // rows, 0 or 1
	notices, text, after []string
}

func (c *chatView) parts(i int) parts {
	m := c.messages[i]
	var p parts
	if i > 0 && c.roomy {
		p.gap = 1
	}
	if m.kind != fromApp {
		p.header = 1
	}
	w := c.w - c.indent
	p.notices = slices.Concat(m.topRows.get(m.notices, w), m.thoughtRows(w))
	p.text = m.rows.get(m.text, w)
	p.after = m.lastRows.get(m.ending, w)
	return p
}

// height is how many rows message i has, at least one.
func (c *chatView) height(i int) int {
	p := c.parts(i)
	return max(1, p.gap+p.header+len(p.notices)+len(p.text)+len(p.after))
}

// row draws one row.
func (c *chatView) row(at place) string {
	m, p, k := c.messages[at.message], c.parts(at.message), at.row
	if k < p.gap {
		return ""
	}
	if k -= p.gap; k < p.header {
		return c.header(m)
	}
	indent := strings.Repeat(" ", c.indent)
	if k -= p.header; k < len(p.notices) {
		return indent + c.theme.dim.Render(p.notices[k])
	}
	if k -= len(p.notices); k < len(p.text) {
		text := p.text[k]
		switch {
		case m.failed:
			text = c.theme.bad.Render(text)
		case m.kind == fromApp:
			text = c.theme.dim.Render(text)
		}
		return indent + text
	}
	if k -= len(p.text); k < len(p.after) {
		style := c.theme.dim
		if m.failed {
			style = c.theme.bad
		}
		return indent + style.Render(p.after[k])
	}
	return ""
}

// header is the line above a message: who, and what an answer took.
func (c *chatView) header(m *message) string {
	t := c.theme
	if m.kind == fromUser {
		return t.fit(t.ok.Bold(true).Render(m.name)+t.dim.Render("  "+m.at.Format("15:04")), c.w)
	}
	left := t.accent.Render(m.name)
	if c.wide {
		left += "  " + t.dim.Render(m.model)
	}
	if !m.ended || m.speed.tokens == 0 {
		return t.fit(left, c.w)
	}
	sep := " " + t.dot + " "
	if c.wide {
		return t.spread(left, t.dim.Render(strings.Join(m.speed.parts(t), sep)), c.w-c.indent)
	}
	room := c.w - len([]rune(m.name)) - 2
	return t.fit(left+"  "+t.dim.Render(joinFitting(m.speed.parts(t), sep, room)), c.w)
}
