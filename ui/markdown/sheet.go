package markdown

import (
	"strings"

	"github.com/charmbracelet/lipgloss"
)

// Style says how the parts of a text look. Only colours and attributes of text count; sizes, borders and margins do
// not. A style that changes nothing, as all do on a terminal without attributes, is replaced by the marks of
// markdown: **strong**, `code`.
type Style struct {
	Heading, Strong, Emphasis, Strike, Code lipgloss.Style
	Link                                    lipgloss.Style // addresses
	Dim                                     lipgloss.Style // rules, marks, labels

	// Inside code blocks.
	Keyword, String, Comment, Number lipgloss.Style

	ASCII bool // bullets and rules are drawn in ASCII
}

// mark is a set of ways in which a piece of text differs from plain text.
type mark uint16

const (
	heading mark = 1 << iota
	strong
	emphasis
	strike
	inlineCode
	link
	dim
	keyword
	quoted
	comment
	number

	plain mark = 0
)

const kinds = 11

const resetStyle = "\x1b[0m"

// Sheet is a [Style] made ready. It does not change, so documents share it.
type Sheet struct {
	begin [kinds]string // the control sequence of each mark, "" if it changes nothing
	glyphs
}

// glyphs are the characters that are drawn besides the text, each one cell wide.
type glyphs struct {
	bullet, rule, wall, cross, goesOn string
	unknown                           string // instead of a character that is wider than the line
}

// NewSheet makes a style ready. It must be called after lipgloss knows the colours of the terminal.
func NewSheet(s Style) *Sheet {
	sheet := &Sheet{glyphs: glyphs{bullet: "•", rule: "─", wall: "│", cross: "┼", goesOn: "↳", unknown: "□"}}
	if s.ASCII {
		sheet.glyphs = glyphs{bullet: "*", rule: "-", wall: "|", cross: "+", goesOn: ">", unknown: "?"}
	}
	for i, style := range [kinds]lipgloss.Style{s.Heading, s.Strong, s.Emphasis, s.Strike, s.Code, s.Link, s.Dim,
		s.Keyword, s.String, s.Comment, s.Number} {
		before, _, _ := strings.Cut(style.Inline(true).Padding(0).Render("x"), "x")
		sheet.begin[i] = before
	}
	return sheet
}

// sequence is the control sequence that begins text with the marks m.
func (s *Sheet) sequence(m mark) string {
	all := ""
	for i := 0; m != 0; i, m = i+1, m>>1 {
		if m&1 != 0 {
			all += s.begin[i]
		}
	}
	return all
}

// render is text with the marks m.
func (s *Sheet) render(text string, m mark) string {
	if begin := s.sequence(m); begin != "" && text != "" {
		return begin + text + resetStyle
	}
	return text
}

// shown is what stands around text with the mark m if the mark itself cannot be seen.
func (s *Sheet) shown(m mark, instead string) string {
	if s.sequence(m) != "" {
		return ""
	}
	return instead
}
