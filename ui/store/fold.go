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
	snippetBefore = 24  // most runes shown in front of the first match
	snippetRunes  = 120 // most runes shown in all
)

// snippet cuts the neighbourhood of the first match out of a text, on one line. Pieces that follow each other
// differ in Match.
func snippet(text string, terms []string) (spans []Span) {
	from, before := 0, false
	if first := firstMatch(text, terms); first > snippetBefore {
		from, before = first-snippetBefore, true
	}
	window := make([]rune, 0, snippetRunes)
	i, after := 0, false
	for _, r := range text {
		if after = len(window) == snippetRunes; after {
			break
		}
		if i >= from {
			window = append(window, r)
		}
		i++
	}
	if before { // begin with a whole word, if there are words
		for i, r := range window[:min(snippetBefore, len(window))] {
			if unicode.IsSpace(r) {
				window = window[i+1:]
				break
			}
		}
	}

	add := func(piece string, match bool) {
		if n := len(spans); n > 0 && spans[n-1].Match == match {
			spans[n-1].Text += piece
			return
		}
		spans = append(spans, Span{piece, match})
	}
	if before {
		add("…", false)
	}
	match := matches(window, terms)
	for i, r := range window {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			r = ' '
		}
		add(string(r), match[i])
	}
	if after {
		add("…", false)
	}
	return spans
}

// firstMatch is the number of runes in front of the first term in text, 0 if there is none.
func firstMatch(text string, terms []string) int {
	folded := fold(text)
	first := len(folded)
	for _, t := range terms {
		if at := strings.Index(folded[:min(len(folded), first+len(t))], t); at >= 0 {
			first = min(first, at)
		}
	}
	if first == len(folded) {
		return 0
	}
	return utf8.RuneCountInString(folded[:first])
}

// matches marks the runes that belong to one of the terms.
func matches(runes []rune, terms []string) []bool {
	match := make([]bool, len(runes))
	folded := fold(string(runes))
	for _, t := range terms {
		n := utf8.RuneCountInString(t)
		for at := 0; ; at += len(t) {
			next := strings.Index(folded[at:], t)
			if next < 0 {
				break
			}
			at += next
			begin := utf8.RuneCountInString(folded[:at])
			for i := range match[begin : begin+n] {
				match[begin+i] = true
			}
		}
	}
	return match
}
