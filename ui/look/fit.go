package look

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Fit cuts s to w cells and says with an ellipsis that it did.
func (t Theme) Fit(s string, w int) string {
	if w <= 0 {
		return ""
	}
	if Width(s) <= w {
		return s
	}
	return ansi.Truncate(s, w, t.Ellipsis)
}

// Cut cuts s to w cells.
func Cut(s string, w int) string {
	if Width(s) <= w {
		return s
	}
	return ansi.Truncate(s, max(0, w), "")
}

// Pad fills s up to w cells.
func Pad(s string, w int) string { return s + strings.Repeat(" ", max(0, w-Width(s))) }

// Width is how many cells s takes; colours take none. Every row of every frame is measured, and nearly all hold nothing but ASCII, our own
// glyphs and colours, which are counted here; anything else is left to the table of grapheme clusters.
func Width(s string) int {
	n := 0
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c >= ' ' && c < 0x7f:
			n, i = n+1, i+1
		case c == 0x1b:
			end := colourEnd(s[i:])
			if end == 0 {
				return ansi.StringWidth(s)
			}
			i += end
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			if !oneCell(r) {
				return ansi.StringWidth(s)
			}
			n, i = n+1, i+size
		}
	}
	return n
}

// colourEnd is the length of the colour sequence that s begins with, 0 if it is another one.
func colourEnd(s string) int {
	if len(s) < 3 || s[1] != '[' {
		return 0
	}
	for i := 2; i < len(s); i++ {
		switch c := s[i]; {
		case c == 'm':
			return i + 1
		case (c < '0' || c > '9') && c != ';' && c != ':':
			return 0
		}
	}
	return 0
}

// oneCell reports whether a character takes one cell whatever stands beside it: arrows, lines, blocks, shapes, braille, a few signs. No mark
// that joins with the character before is among them.
func oneCell(r rune) bool {
	switch {
	case r >= 0x2500 && r <= 0x25fc, r >= 0x2800 && r <= 0x28ff, r >= 0x2190 && r <= 0x21ff:
		return true
	}
	return r == '·' || r == '°' || r == '–' || r == '…' || r == '‹' || r == '•'
}

// Spread puts left at the left end and right at the right end of a line of w cells. If there is no room
// for both, left is cut; right goes when it would leave less than half of the line.
func (t Theme) Spread(left, right string, w int) string {
	wr := Width(right)
	if wr == 0 || wr+1 > w/2 && Width(left)+wr+1 > w {
		return t.Fit(left, w)
	}
	left = t.Fit(left, w-wr-1)
	return left + strings.Repeat(" ", w-Width(left)-wr) + right
}

// JoinFitting joins as many of the parts, from the first on, as fit into w cells.
func JoinFitting(parts []string, sep string, w int) string {
	line := ""
	for _, p := range parts {
		next := p
		if line != "" {
			next = line + sep + p
		}
		if Width(next) > w {
			break
		}
		line = next
	}
	return line
}

// LineAt is line i, or an empty one when there are fewer.
func LineAt(lines []string, i int) string {
	if i >= 0 && i < len(lines) {
		return lines[i]
	}
	return ""
}

// Wrap sanitises text and cuts it into lines of at most w cells.
func Wrap(text string, w int) []string {
	var lines []string
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		lines = append(lines, WrapLine(line, w)...)
	}
	return lines
}

// hanging is what the lines below the first one are moved in by: the indent and the mark of a list item.
var hanging = regexp.MustCompile(`^ *(?:[-*•] +|[0-9]{1,3}[.)] +)?`)

// WrapLine sanitises one line and cuts it at spaces, and words that are too long at the edge.
func WrapLine(line string, width int) []string {
	line, width = Sanitize(line), max(1, width)
	if Width(line) <= width {
		return []string{line}
	}
	indent := Width(hanging.FindString(line))
	if indent > width/2 {
		indent = 0
	}
	lines := wrapWords(line, width)
	first := lines[0]
	if indent == 0 || !strings.HasPrefix(line, first) {
		return lines
	}
	lines = lines[:1]
	for _, part := range wrapWords(strings.TrimLeft(line[len(first):], " "), width-indent) {
		lines = append(lines, strings.Repeat(" ", indent)+part)
	}
	return lines
}

// wrapWords wraps without an indent. ansi.Wrap lets a line that begins with a wide character grow too
// wide where the width is that of a character or two, so such lines are cut again.
func wrapWords(line string, width int) []string {
	var lines []string
	for _, part := range strings.Split(ansi.Wrap(line, width, ""), "\n") {
		if Width(part) <= width {
			lines = append(lines, part)
			continue
		}
		lines = append(lines, strings.Split(ansi.Hardwrap(part, width, true), "\n")...)
	}
	return lines
}

// Table draws rows of a name and what it means, the second column wrapped.
func (t Theme) Table(rows [][2]string, w int) []string {
	first := 0
	for _, r := range rows {
		first = max(first, Width(r[0]))
	}
	first = min(first, w/2)
	var lines []string
	for _, r := range rows {
		left := "  " + t.Accent.Render(Pad(t.Fit(r[0], first), first)) + "  "
		for _, part := range WrapLine(r[1], max(8, w-first-5)) {
			lines = append(lines, left+part)
			left = strings.Repeat(" ", first+4)
		}
	}
	return lines
}

// Heading is a line that begins a part of a page.
func (t Theme) Heading(s string) string { return " " + t.Dim.Bold(true).Render(s) }
