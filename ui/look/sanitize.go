package look

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

const (
	tabStop     = 4
	maxMarks    = 4 // combining marks kept on one character
	unknownRune = '□'
)

// Sanitize makes text safe and steady to draw. What a model or a file says is untrusted: it may hold
// escape sequences that move the cursor or set the clipboard. And terminals, Termux among them, disagree
// about the width of joined emoji, which leaves ghost characters behind. So
//
//   - escape sequences and all control characters but the newline go, tabs become spaces;
//   - joiners, variation selectors, skin tones, text direction marks and other invisible characters
//     go; of a joined emoji the first one stays; flags become two letters;
//   - characters that are not in Go's Unicode tables become □, since no two programs agree on them.
//
// The result is for the eye only: what is copied or sent to a model is the text itself.
func Sanitize(s string) string {
	if isPlain(s) {
		return s
	}
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = sanitizeLine(line)
	}
	return strings.Join(lines, "\n")
}

// isPlain reports whether s is printable ASCII and newlines, which most text is.
func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < ' ' && c != '\n') || c >= 0x7f {
			return false
		}
	}
	return true
}

func sanitizeLine(line string) string {
	if strings.IndexByte(line, 0x1b) >= 0 {
		line = ansi.Strip(line) // line by line, so that a sequence without an end hides one line at most
	}
	var b strings.Builder
	b.Grow(len(line))
	col, marks := 0, 0
	emoji, joined := false, false // the last character was an emoji; a joiner followed it
	for _, r := range line {
		switch {
		case r == '\t':
			n := tabStop - col%tabStop
			b.WriteString("    "[:n])
			col += n
			emoji, joined = false, false
			continue
		case r == 0x200d: // zero width joiner
			joined = emoji
			continue
		case r >= 0x1f3fb && r <= 0x1f3ff, r == 0xfe0f, r == 0x20e3: // skin tones, emoji selector, keycap
			continue
		case r >= 0x1f1e6 && r <= 0x1f1ff: // a flag is a pair of these
			r = 'A' + r - 0x1f1e6
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
			continue
		case !unicode.IsGraphic(r):
			r = unknownRune
		}
		if unicode.Is(unicode.M, r) {
			if marks++; marks > maxMarks {
				continue
			}
		} else {
			marks = 0
			isEmoji := unicode.Is(unicode.So, r)
			if joined && isEmoji {
				joined = false
				continue
			}
			emoji, joined = isEmoji, false
		}
		b.WriteRune(r)
		if r < utf8.RuneSelf {
			col++
		} else {
			col += ansi.StringWidth(string(r))
		}
	}
	return b.String()
}

// Label is Sanitize for a name that must fit on one line.
func Label(s string) string {
	return strings.Join(strings.Fields(Sanitize(s)), " ")
}
