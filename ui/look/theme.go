// Package look is how everything on the screen looks: what a colour means, the glyphs, and text that is cut,
// wrapped and padded to cells.
//
// The problem is that a terminal counts cells, not characters, that terminals disagree about some of them, and
// that what a model or a file says may hold escape sequences. So all text that is not ours passes through
// [Sanitize] or [Label], and every width is measured on what they return.
//
// Parts of the screen ask the [Theme] for a meaning (OK, Warn, Accent) and never name a colour; a colour is never
// the only sign of something. Without colours bold, faint and reverse video stay.
//
//	t := look.New(noColor, ascii) // after the colour profile is set
//	line := t.Spread(t.Accent.Render(name), t.Dim.Render("12 tok/s"), width)
package look

import (
	"strings"

	"github.com/charmbracelet/lipgloss"
)

// Theme is the look of everything.
type Theme struct {
	OK, Warn, Bad lipgloss.Style // severity
	Accent        lipgloss.Style // names, the prompt, what is being filled
	Dim           lipgloss.Style // what may be overlooked
	Border        lipgloss.Style // rules and boxes
	Cursor        lipgloss.Style
	Strong        lipgloss.Style // headings, what is selected
	Code          lipgloss.Style // text that is quoted as it is
	NoColor       bool
	ASCII         bool // only ASCII characters are drawn
	Glyphs
}

// Glyphs are the characters that are drawn besides text. Each is one cell wide in every terminal.
type Glyphs struct {
	Rule, Wall                                 string
	TopLeft, TopRight, BottomLeft, BottomRight string
	Full, Empty                                string // of a bar
	Line, Knob                                 string // of a slider
	Dot, Dash, Back, Enter, Ellipsis           string
	Up, Down, Left, Right, To                  string
	Mark, Open, Bullet                         string // the selected row, what can be opened, what is in use
}

var unicodeGlyphs = Glyphs{
	Rule: "─", Wall: "│", TopLeft: "╭", TopRight: "╮", BottomLeft: "╰", BottomRight: "╯",
	Full: "▰", Empty: "▱", Line: "━", Knob: "●", Dot: "·", Dash: "–", Back: "‹", Enter: "↵", Ellipsis: "…",
	Up: "↑", Down: "↓", Left: "←", Right: "→", To: "→", Mark: "▸", Open: "▾", Bullet: "●",
}

var asciiGlyphs = Glyphs{
	Rule: "-", Wall: "|", TopLeft: "+", TopRight: "+", BottomLeft: "+", BottomRight: "+",
	Full: "#", Empty: ".", Line: "=", Knob: "o", Dot: "-", Dash: "-", Back: "<", Enter: "enter", Ellipsis: "~",
	Up: "up", Down: "down", Left: "left", Right: "right", To: "->", Mark: ">", Open: "", Bullet: "*",
}

// New makes the theme. It must be called after lipgloss knows the colours of the terminal.
func New(noColor, ascii bool) Theme {
	colour := func(light, dark string) lipgloss.Style {
		if noColor {
			return lipgloss.NewStyle()
		}
		return lipgloss.NewStyle().Foreground(lipgloss.AdaptiveColor{Light: light, Dark: dark})
	}
	t := Theme{
		OK:      colour("#2e7d32", "#7fc97f"),
		Warn:    colour("#9a6700", "#e5b567").Bold(true),
		Bad:     colour("#b3261e", "#f2777a").Bold(true),
		Accent:  colour("#0b57a4", "#6fb3f2").Bold(true),
		Dim:     colour("#6b6b6b", "#8a8a8a"),
		Border:  colour("#a0a0a0", "#5a5a5a"),
		Cursor:  lipgloss.NewStyle(),
		Strong:  lipgloss.NewStyle().Bold(true),
		Code:    colour("#7a3e9d", "#c9a6e0"),
		NoColor: noColor,
		ASCII:   ascii,
		Glyphs:  unicodeGlyphs,
	}
	if ascii {
		t.Glyphs = asciiGlyphs
	}
	return t
}

// Bar draws a bar of w cells of which the share done/total is filled. Something begun shows at least one
// cell, and only what is complete fills the last.
func (t Theme) Bar(w int, done, total int64) string {
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
	return t.Accent.Render(strings.Repeat(t.Full, n)) + t.Dim.Render(strings.Repeat(t.Empty, w-n))
}

// Slider draws a line of w cells with a knob at share, which is 0 to 1.
func (t Theme) Slider(w int, share float64) string {
	if w <= 0 {
		return ""
	}
	at := int(min(1, max(0, share))*float64(w-1) + 0.5)
	return t.Accent.Render(strings.Repeat(t.Line, at)+t.Knob) + t.Dim.Render(strings.Repeat(t.Rule, w-1-at))
}

// RuleLine is a rule of w cells.
func (t Theme) RuleLine(w int) string { return t.Border.Render(strings.Repeat(t.Rule, max(0, w))) }

// Box draws lines into a box of w cells with a title in its upper edge. Lines are cut to fit.
func (t Theme) Box(title string, lines []string, w int) []string {
	if w < 6 {
		return fitAll(t, lines, w)
	}
	edge := t.Rule + " " + t.Fit(title, w-6) + " "
	if title == "" {
		edge = ""
	}
	rows := []string{t.Border.Render(t.TopLeft) + t.Border.Render(edge+strings.Repeat(t.Rule, w-2-Width(edge))+t.TopRight)}
	wall := t.Border.Render(t.Wall)
	for _, line := range lines {
		rows = append(rows, wall+" "+Pad(t.Fit(line, w-4), w-4)+" "+wall)
	}
	return append(rows, t.Border.Render(t.BottomLeft+strings.Repeat(t.Rule, w-2)+t.BottomRight))
}

func fitAll(t Theme, lines []string, w int) []string {
	var rows []string
	for _, line := range lines {
		rows = append(rows, t.Fit(line, w))
	}
	return rows
}

// Plain changes nothing.
func (t Theme) Plain() lipgloss.Style { return lipgloss.NewStyle() }
