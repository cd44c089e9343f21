package chat

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"hotcell/models/token"
)

// guard keeps messages from being read as control tokens. It puts token.Literal into every
// occurrence of a control token's text in a message, after the first character. A message that
// ends with the beginning of such a text gets the mark there too, for what the template writes
// next could complete it.
type guard struct {
	texts map[byte][]string // by first byte
}

func newGuard(texts []string) *guard {
	g := &guard{texts: map[byte][]string{}}
	seen := map[string]bool{}
	for _, s := range texts {
		if s != "" && !seen[s] {
			seen[s] = true
			g.texts[s[0]] = append(g.texts[s[0]], s)
		}
	}
	return g
}

func (g *guard) protect(content string) string {
	content = strings.ReplaceAll(content, string(token.Literal), "")
	// Templates trim messages, so a beginning in front of trailing space is at the end, too.
	trimmed := len(strings.TrimRightFunc(content, unicode.IsSpace))
	var marks []int
	for i := range len(content) {
		rest := content[i:]
		for _, s := range g.texts[content[i]] {
			switch {
			case strings.HasPrefix(rest, s):
				_, n := utf8.DecodeRuneInString(rest)
				marks = append(marks, i+n)
			case strings.HasPrefix(s, rest):
				marks = append(marks, len(content))
			case i < trimmed && strings.HasPrefix(s, content[i:trimmed]):
				marks = append(marks, trimmed)
			}
		}
	}
	if len(marks) == 0 {
		return content
	}
	slices.Sort(marks)
	var b strings.Builder
	done := 0
	for _, at := range slices.Compact(marks) {
		b.WriteString(content[done:at])
		b.WriteRune(token.Literal)
		done = at
	}
	b.WriteString(content[done:])
	return b.String()
}

// marker is the usual shape of a control token's text.
var marker = regexp.MustCompile(`<[^\s<>]{1,64}>`)

// markerAt is the control text at the beginning of s, or what looks like one, or "".
func markerAt(s string, texts []string) string {
	for _, t := range texts {
		if t != "" && strings.HasPrefix(s, t) {
			return t
		}
	}
	if at := marker.FindStringIndex(s); at != nil && at[0] == 0 {
		return s[:at[1]]
	}
	return ""
}

// markersIn finds the tokens that a template itself writes around a message and that look like
// control tokens. Files exist that declare them as ordinary tokens. The marks of reasoning are
// not among them: an assistant's message may hold them, and templates look for them there.
func markersIn(s string, v Vocabulary) []string {
	var out []string
	for _, m := range marker.FindAllString(s, -1) {
		if _, ok := v.Lookup(m); ok && !strings.Contains(m, "think") {
			out = append(out, m)
		}
	}
	return out
}
