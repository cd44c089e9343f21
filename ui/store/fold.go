package store

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// fold makes texts equal that differ in upper and lower case only. It turns one rune into one rune, so a place
// in the folded text is a place in the text. White space becomes the space, so that a phrase is also found
// over the end of a line.
func fold(text string) string { return strings.Map(foldRune, text) }

func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		switch {
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		case r <= ' ':
			return ' '
		}
		return r
	}
	if unicode.IsSpace(r) {
		return ' '
	}
	// The runes that Unicode calls equal form a ring; its smallest stands for all of them.
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if least < utf8.RuneSelf {
		return foldRune(least)
	}
	return least
}

// The most that a search looks for.
const (
	maxQuery = 256 // bytes
	maxTerms = 8
)

// terms cuts what was typed into folded words that must all be found; words in double quotes are one.
func terms(query string) (found []string) {
	query = fold(clean(query))
	if len(query) > maxQuery {
		query = query[:maxQuery]
		for !utf8.ValidString(query) {
			query = query[:len(query)-1]
		}
	}
	for i, part := range strings.Split(query, `"`) {
		words := []string{strings.TrimSpace(part)}
		if i%2 == 0 {
			words = strings.Fields(part)
		}
		for _, w := range words {
			if w != "" && len(found) < maxTerms {
				found = append(found, w)
			}
		}
	}
	return found
}

// containsAll tells whether every term is in a folded text.
func containsAll(folded string, terms []string) bool {
	for _, t := range terms {
		if !strings.Contains(folded, t) {
			return false
		}
	}
	return true
}

// trigrams is the question that the index is asked before the messages are looked at: every group of three
// runes of every term, each once. It is "" if no term is long enough.
func trigrams(terms []string) string {
	var b strings.Builder
	asked := map[string]bool{}
	for _, t := range terms {
		runes := []rune(t)
		for i := 0; i+3 <= len(runes); i++ {
			group := string(runes[i : i+3])
			if asked[group] {
				continue
			}
			asked[group] = true
			if b.Len() > 0 {
				b.WriteString(" AND ")
			}
			b.WriteString(`"` + strings.ReplaceAll(group, `"`, `""`) + `"`)
		}
	}
	return b.String()
}

// Span is a piece of a snippet.
type Span struct {
	Text  string
	Match bool // the piece is one of the words that were looked for
}

const (
	snippetBefore = 24  // runes shown in front of the first match
	snippetRunes  = 120 // runes shown in all
)

// snippet cuts the neighbourhood of the first match out of a text, on one line.
func snippet(text string, terms []string) []Span {
	runes, folded := []rune(text), []rune(fold(text))
	match := make([]bool, 0, snippetRunes)
	first := len(runes)
	for _, t := range terms {
		if at := strings.Index(string(folded), t); at >= 0 {
			first = min(first, utf8.RuneCountInString(string(folded)[:at]))
		}
	}
	if first == len(runes) {
		first = 0
	}
	from := max(0, first-snippetBefore)
	to := min(len(runes), from+snippetRunes)
	window := string(folded[from:to])
	match = match[:to-from]
	for _, t := range terms {
		for at := 0; ; {
			next := strings.Index(window[at:], t)
			if next < 0 {
				break
			}
			begin := utf8.RuneCountInString(window[:at+next])
			for i := range utf8.RuneCountInString(t) {
				match[begin+i] = true
			}
			at += next + len(t)
		}
	}
	var spans []Span
	var b strings.Builder
	flush := func(match bool) {
		if b.Len() > 0 {
			spans = append(spans, Span{b.String(), match})
			b.Reset()
		}
	}
	if from > 0 {
		b.WriteString("…")
	}
	for i, r := range runes[from:to] {
		if i > 0 && match[i] != match[i-1] || i == 0 && match[0] {
			flush(!match[i])
		}
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			r = ' '
		}
		b.WriteRune(r)
	}
	if to > from {
		flush(match[to-from-1])
	}
	if to < len(runes) {
		b.WriteString("…")
		flush(false)
	}
	return spans
}
