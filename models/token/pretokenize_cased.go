package token

import (
	"unicode"
	"unicode/utf8"
)

// casedRules describe the scanners that also begin a word at a capital letter
// behind a small one: camelCase is two words.
//
// With U = [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}] and L = [\p{Ll}\p{Lm}\p{Lo}\p{M}] they
// stand for
//
//	[^\r\n\p{L}\p{N}]?U*L+C?|[^\r\n\p{L}\p{N}]?U+L*C?|\p{N}{1,digits}|
//	 ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
//
// where C is a contraction, or nothing.
type casedRules struct {
	contractions bool
	digits       int
}

var (
	gpt4oRules  = casedRules{contractions: true, digits: 3}
	tekkenRules = casedRules{digits: 1}
)

// cut is the scanner of the rules.
func (r casedRules) cut(s string) int {
	first, size := classAt(s, 0)
	if first&(letter|number|lineEnd) != 0 {
		size = 0 // no prefix
	}
	// The expression prefers a word that holds a small letter, with the prefix
	// and then without it, to a word of capitals.
	small, capitals := casedWord(s, size)
	if small == 0 && size > 0 {
		var alone int
		if small, alone = casedWord(s, 0); capitals == 0 {
			capitals = alone
		}
	}
	if small > 0 {
		return r.contraction(s, small)
	}
	if capitals > 0 {
		return r.contraction(s, capitals)
	}
	if first&number != 0 {
		return runUpTo(s, number, r.digits)
	}
	from := 0
	if s[0] == ' ' {
		from = 1
	}
	if end := run(s, from, other); end > from {
		for end < len(s) && (s[end] == '\r' || s[end] == '\n' || s[end] == '/') {
			end++
		}
		return end
	}
	return whiteSpace(s, true)
}

func (r casedRules) contraction(s string, end int) int {
	if r.contractions {
		end += contraction(s[end:], true)
	}
	return end
}

// casedWord returns the ends of U*L+ and of U+L* at s[i:], 0 where there is
// none. Where both match only the first is asked for.
func casedWord(s string, i int) (small, capitals int) {
	end, lastBoth := i, 0
	for end < len(s) {
		upper, lower, size := caseAt(s, end)
		if !upper {
			if !lower {
				break
			}
			// A small letter: the word goes on to the end of L.
			for lower {
				end += size
				_, lower, size = caseAt(s, end)
			}
			return end, 0
		}
		end += size
		if lower {
			lastBoth = end
		}
	}
	if end > i {
		capitals = end
	}
	// Without a small letter the last character that has no case takes its
	// place, and what stands behind it begins a new word.
	return lastBoth, capitals
}

// caseAt says whether the character at s[i] is in U, whether it is in L, and its
// length.
func caseAt(s string, i int) (upper, lower bool, size int) {
	if i >= len(s) {
		return false, false, 0
	}
	if b := s[i]; b < utf8.RuneSelf {
		return b >= 'A' && b <= 'Z', b >= 'a' && b <= 'z', 1
	}
	r, size := utf8.DecodeRuneInString(s[i:])
	switch {
	case unicode.In(r, unicode.Lu, unicode.Lt):
		return true, false, size
	case unicode.Is(unicode.Ll, r):
		return false, true, size
	}
	caseless := unicode.In(r, unicode.Lm, unicode.Lo, unicode.M)
	return caseless, caseless, size
}
