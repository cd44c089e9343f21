package ui

import (
	"fmt"
	"slices"
	"strings"

	"hotcell/ui/look"
	"hotcell/ui/markdown"
)

// chatView shows the messages. The bottom row of the view is the end of the newest message, unless the
// user has scrolled up: then it stays at one row of one message, whatever is added below. Only messages
// that are visible, or that are scrolled over, are ever wrapped.
type chatView struct {
	theme    look.Theme
	sheet    *markdown.Sheet
	messages []*message

	w, h     int
	indent   int
	roomy    bool // an empty row between messages
	wide     bool // the model's name in an answer's header
	unfolded bool // thoughts are shown whole

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

// show replaces all messages and scrolls to the end.
func (c *chatView) show(messages []*message) {
	c.messages = messages
	c.scrolled = false
}

// setSize gives the view its region. A scrolled view stays at the same part of the same message.
func (c *chatView) setSize(r Rects) {
	w, wide := r.Chat.W, r.Chat.W >= look.Narrow && r.Wide
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

// scrollTo brings the beginning of message i to the top of the view.
func (c *chatView) scrollTo(i int) {
	if i < 0 || i >= len(c.messages) {
		return
	}
	c.scrolled = true
	c.bottom, _ = c.step(place{message: i}, c.h-1)
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
	for n != 0 {
		if n < 0 {
			if p.row > 0 {
				d := min(p.row, -n)
				p.row, n, went = p.row-d, n+d, went+d
				continue
			}
			if p.message == 0 {
				return p, went
			}
			p.message--
			p.row = c.height(p.message) - 1
			n, went = n+1, went+1
			continue
		}
		if last := c.height(p.message) - 1; p.row < last {
			d := min(last-p.row, n)
			p.row, n, went = p.row+d, n-d, went+d
			continue
		}
		if p.message == len(c.messages)-1 {
			return p, went
		}
		p = place{p.message + 1, 0}
		n, went = n-1, went+1
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
	for i := 0; i <= above; {
		all := c.rows(p.message)
		for ; p.row < len(all) && i <= above; i++ {
			rows[i] = all[p.row]()
			p.row++
		}
		p = place{message: p.message + 1}
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
	w := max(1, c.w-c.indent)
	p.notices = slices.Concat(m.topRows.get(m.notices, w), m.thoughtRows(w, c.unfolded))
	if m.kind == fromModel {
		p.text = m.prose.rows(m.text, !m.ended, w, c.sheet)
	} else {
		p.text = m.plain.get(m.text, w)
	}
	p.after = m.lastRows.get(m.ending, w)
	return p
}

// height is how many rows message i has, at least one.
func (c *chatView) height(i int) int {
	p := c.parts(i)
	return max(1, p.gap+p.header+len(p.notices)+len(p.text)+len(p.after))
}

// rows are the rows of message i, each drawn when it is called for.
func (c *chatView) rows(i int) []func() string {
	m, p := c.messages[i], c.parts(i)
	rows := make([]func() string, 0, p.gap+p.header+len(p.notices)+len(p.text)+len(p.after))
	indent := strings.Repeat(" ", c.indent)
	styled := func(lines []string, style func(...string) string) {
		for _, line := range lines {
			rows = append(rows, func() string { return indent + style(line) })
		}
	}
	asIs := func(s ...string) string { return s[0] }
	for range p.gap {
		rows = append(rows, func() string { return "" })
	}
	for range p.header {
		rows = append(rows, func() string { return c.header(m) })
	}
	styled(p.notices, c.theme.Dim.Render)
	switch {
	case m.kind == fromApp && m.failed:
		styled(p.text, c.theme.Bad.Render)
	case m.kind == fromApp:
		styled(p.text, c.theme.Dim.Render)
	default:
		styled(p.text, asIs)
	}
	if m.failed {
		styled(p.after, c.theme.Bad.Render)
	} else {
		styled(p.after, c.theme.Dim.Render)
	}
	if len(rows) == 0 {
		rows = append(rows, func() string { return "" })
	}
	return rows
}

// header is the line above a message: who, which branch, and what an answer took.
func (c *chatView) header(m *message) string {
	t := c.theme
	branch := ""
	if m.branched() {
		branch = fmt.Sprintf("%d/%d", m.place, m.places)
	}
	if m.kind == fromUser {
		left := t.OK.Bold(true).Render(m.name) + t.Dim.Render("  "+m.at.Format("15:04"))
		if branch != "" {
			branch = t.Warn.Render("edited " + t.Dot + " " + branch)
		}
		return t.Spread(left, branch, max(1, c.w-c.indent))
	}
	left := t.Accent.Render(m.name)
	if branch != "" {
		left += " " + t.Warn.Render(branch)
	}
	if c.wide {
		left += "  " + t.Dim.Render(m.model)
	}
	if !m.ended || m.speed.tokens == 0 {
		return t.Fit(left, c.w)
	}
	sep := " " + t.Dot + " "
	if c.wide {
		return t.Spread(left, t.Dim.Render(strings.Join(m.speed.parts(t), sep)), c.w-c.indent)
	}
	room := c.w - look.Width(left) - 2
	return t.Fit(left+"  "+t.Dim.Render(look.JoinFitting(m.speed.parts(t), sep, room)), c.w)
}
