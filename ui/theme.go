package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
)

// theme is the look of everything: what a colour means, and the glyphs. Parts ask it for a meaning and
// never name a colour. A colour is never the only sign of something.
type theme struct {
	ok, warn, bad lipgloss.Style // severity
	accent        lipgloss.Style // names, the prompt, what is being filled
	dim           lipgloss.Style // what may be overlooked
	border        lipgloss.Style // rules and boxes
	cursor        lipgloss.Style
	glyphs
}

// glyphs are the characters that are drawn besides text. Each is one cell wide in every terminal.
type glyphs struct {
	rule, wall                                     string
	topLeft, topRight, bottomLeft, bottomRight     string
	full, empty                                    string // of a bar
	dot, dash, back, enter, ellipsis, up, down, to string
}

var unicodeGlyphs = glyphs{
	rule: "─", wall: "│", topLeft: "╭", topRight: "╮", bottomLeft: "╰", bottomRight: "╯",
	full: "▰", empty: "▱", dot: "·", dash: "–", back: "‹", enter: "↵", ellipsis: "…",
	up: "↑", down: "↓", to: "→",
}

var asciiGlyphs = glyphs{
	rule: "-", wall: "|", topLeft: "+", topRight: "+", bottomLeft: "+", bottomRight: "+",
	full: "#", empty: ".", dot: "-", dash: "-", back: "<", enter: "enter", ellipsis: "~",
	up: "up", down: "down", to: "->",
}

// newTheme makes the theme. It must be called after the colour profile is set, see [setColours].
func newTheme(noColor, ascii bool) theme {
	colour := func(light, dark string) lipgloss.Style {
		if noColor {
			return lipgloss.NewStyle()
		}
		return lipgloss.NewStyle().Foreground(lipgloss.AdaptiveColor{Light: light, Dark: dark})
	}
	t := theme{
		ok:     colour("#2e7d32", "#7fc97f"),
		warn:   colour("#9a6700", "#e5b567").Bold(true),
		bad:    colour("#b3261e", "#f2777a").Bold(true),
		accent: colour("#0b57a4", "#6fb3f2").Bold(true),
		dim:    colour("#6b6b6b", "#8a8a8a"),
		border: colour("#a0a0a0", "#5a5a5a"),
		cursor: lipgloss.NewStyle(),
		glyphs: unicodeGlyphs,
	}
	if ascii {
		t.glyphs = asciiGlyphs
	}
	return t
}

// bar draws a bar of w cells of which the share done/total is filled. Something begun shows at least one
// cell, and only what is complete fills the last.
func (t theme) bar(w int, done, total int64) string {
	if w <= 0 {
		return ""
	}
	n := 0
	if total > 0 {
		n = int(min(float64(w), max(0, float64(done)/float64(total)*float64(w))))
		if n == 0 && done > 0 {
			n = 1
		}
	}
	return t.accent.Render(strings.Repeat(t.full, n)) + t.dim.Render(strings.Repeat(t.empty, w-n))
}

// fit cuts s to w cells and says with an ellipsis that it did.
func (t theme) fit(s string, w int) string {
	if w <= 0 {
		return ""
	}
	return ansi.Truncate(s, w, t.ellipsis)
}

// cut cuts s to w cells.
func cut(s string, w int) string { return ansi.Truncate(s, max(0, w), "") }

// pad fills s up to w cells.
func pad(s string, w int) string { return s + strings.Repeat(" ", max(0, w-ansi.StringWidth(s))) }

// spread puts left at the left end and right at the right end of a line of w cells. If there is no room
// for both, left is cut; right goes when it would leave less than half of the line.
func (t theme) spread(left, right string, w int) string {
	wr := ansi.StringWidth(right)
	if wr == 0 || wr+1 > w/2 && ansi.StringWidth(left)+wr+1 > w {
		return t.fit(left, w)
	}
	left = t.fit(left, w-wr-1)
	return left + strings.Repeat(" ", w-ansi.StringWidth(left)-wr) + right
}

// joinFitting joins as many of the parts, from the first on, as fit into w cells.
func joinFitting(parts []string, sep string, w int) string {
	line := ""
	for _, p := range parts {
		next := p
		if line != "" {
			next = line + sep + p
		}
		if ansi.StringWidth(next) > w {
			break
		}
		line = next
	}
	return line
}

// reading is a measured number that may not be known yet.
type reading struct {
	value float64
	ok    bool
}

// known makes a reading of the pair that the methods of infer.Stats return.
func known(value float64, ok bool) reading { return reading{value, ok} }

// tenths is the reading with one decimal, or the dash that stands for unknown.
func (t theme) tenths(r reading) string {
	if !r.ok {
		return t.dash
	}
	return fmt.Sprintf("%.1f", r.value)
}

// seconds is d for a person: 35 ms, 0.9 s, 12 s, 2 m 10 s.
func seconds(d time.Duration) string {
	switch {
	case d > 0 && d < 100*time.Millisecond:
		return fmt.Sprintf("%d ms", max(1, d.Milliseconds()))
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%d m %d s", d/time.Minute, d%time.Minute/time.Second)
}

// size is a number of bytes for a person: 812 MB, 3.4 GB.
func size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%d kB", (n+999)/1000)
}

// count is a number of tokens for a person: 4096, 32.8k.
func count(n int) string {
	if n < 10000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%.1fk", float64(n)/1000)
}
