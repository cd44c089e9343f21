package panels

import (
	"strings"

	"github.com/charmbracelet/lipgloss"
)

// Glyphs says which characters graphs and bars are made of.
type Glyphs uint8

// The sets of glyphs.
const (
	Braille Glyphs = iota // graphs of 2x4 dots a cell
	Blocks                // graphs of eighths of a cell, for fonts without braille
	ASCII                 // nothing but ASCII
)

// Theme is the look: what a colour means, and the glyphs. Styles may set the colour and the weight of
// characters, nothing of the space around them. They are made for the terminal's colours when the theme is given to [New], so set the colour profile before.
type Theme struct {
	Text, OK, Warn, Bad, Accent, Dim, Border lipgloss.Style
	Glyphs                                   Glyphs
}

// ink is the meaning of a cell's colour.
type ink uint8

const (
	plain ink = iota
	good
	warn
	bad
	accent
	dim
	border
	inks
)

// paint is a theme made ready to be written: what a terminal is sent before and after a run of cells.
type paint struct {
	before, after [inks]string
	glyphs        Glyphs
}

// newPaint asks each style once. Rendering a style costs microseconds and garbage; a frame has hundreds of runs.
func newPaint(t Theme) *paint {
	p := &paint{glyphs: t.Glyphs}
	for k, style := range [inks]lipgloss.Style{t.Text, t.OK, t.Warn, t.Bad, t.Accent, t.Dim, t.Border} {
		p.before[k], p.after[k], _ = strings.Cut(style.Render("x"), "x")
	}
	return p
}

// asciiOf is what stands for a glyph of ours where only ASCII may be drawn.
func asciiOf(r rune) byte {
	switch r {
	case '─':
		return '-'
	case '│':
		return '|'
	case '╭', '╮', '╰', '╯', '┤', '└':
		return '+'
	case '█', '▰':
		return '#'
	case '▓', '▆':
		return '*'
	case '▒', '▅':
		return '+'
	case '░', '▱', '·', '▁', '▏', '▎', '▍':
		return '.'
	case '▂':
		return ':'
	case '▃', '–':
		return '-'
	case '▄', '▌', '▋', '▊', '▉':
		return '='
	case '▇':
		return '%'
	case '▲':
		return '!'
	case '●':
		return '@'
	case '…':
		return '~'
	case '°':
		return ' '
	}
	if r < 0x80 {
		return byte(r)
	}
	return '?'
}
