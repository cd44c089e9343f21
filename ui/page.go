package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// page is a screen of text over the chat: help and statistics. Esc closes it.
type page struct {
	title, note string
	lines       func(w int) []string // drawn anew each time, so that numbers are live
	top         int                  // first line shown
}

// handle does what a key means on a page and reports whether the page is to be closed.
func (p *page) handle(a action, h int) (done bool) {
	switch a {
	case stop:
		return true
	case lineUp:
		p.top--
	case lineDown, send:
		p.top++
	case pageUp:
		p.top -= max(1, p.bodyRows(h)-1)
	case pageDown:
		p.top += max(1, p.bodyRows(h)-1)
	case lineStart:
		p.top = 0
	case lineEnd:
		p.top = 1 << 20
	}
	return false
}

// bodyRows is how many lines of the page fit on a screen of h rows.
func (p *page) bodyRows(h int) int {
	if h < 4 {
		return h
	}
	return h - 3 // title, rule, hint
}

// draw returns the h rows of the screen.
func (p *page) draw(t theme, w, h int) []string {
	lines, body := p.lines(w), p.bodyRows(h)
	p.top = max(0, min(p.top, len(lines)-body))
	var rows []string
	if body < h {
		title := " " + t.accent.Render(t.back+" "+p.title)
		rows = append(rows,
			t.spread(title, t.dim.Render(p.note)+" ", w),
			t.border.Render(strings.Repeat(t.rule, w)))
	}
	for i := 0; i < body; i++ {
		rows = append(rows, t.fit(lineAt(lines, p.top+i), w))
	}
	if body < h {
		hint := " esc close"
		if len(lines) > body {
			hint = " " + t.up + t.down + " scroll  esc close"
		}
		rows = append(rows, t.dim.Render(t.fit(hint, w)))
	}
	return rows
}

// table draws rows of a name and what it means, the second column wrapped.
func table(t theme, rows [][2]string, w int) []string {
	first := 0
	for _, r := range rows {
		first = max(first, ansi.StringWidth(r[0]))
	}
	first = min(first, w/2)
	var lines []string
	for _, r := range rows {
		left := "  " + t.accent.Render(pad(t.fit(r[0], first), first)) + "  "
		for _, part := range wrapLine(r[1], max(8, w-first-5)) {
			lines = append(lines, left+part)
			left = strings.Repeat(" ", first+4)
		}
	}
	return lines
}

// heading is a line that begins a part of a page.
func heading(t theme, s string) string { return " " + t.dim.Bold(true).Render(s) }
