package token

import "strings"

// rules describe a scanner of the GPT-2 family. In all of them a word is, in
// this order of preference: an English contraction, letters, numbers, other
// characters, white space. They differ in what else a word may take in.
type rules struct {
	letters class // what words are made of
	others  class // what runs of other characters are made of

	contractions contractions
	anyPrefix    bool   // letters may follow any one character but a letter, a number or a line end; otherwise a space
	cased        bool   // a capital letter begins a word behind a small one: camelCase is two words
	phrases      bool   // a word may hold marks, and single spaces between letters
	hanApart     bool   // Han characters form words of their own
	digits       int    // most digits in a word; 0: no limit, and a space may come before them
	linesEnd     bool   // white space ends at its last line end
	trail        string // what other characters take in behind them
	trailOnce    bool   // of which they take in one character
}

// contractions say where 's, 't, 're, 've, 'm, 'll and 'd go.
type contractions uint8

const (
	noContractions contractions = iota
	smallAlone                  // a word, in small letters
	alone                       // a word, in any letters
	behind                      // the end of the letters before them
)

const (
	linesTrail = "\r\n"
	pathsTrail = "\r\n/"
)

// Published as regular expressions. C stands for '[sS]|'[tT]|'[rR][eE]|'[vV][eE]|
// '[mM]|'[lL][lL]|'[dD], and W for \s*[\r\n]+|\s+(?!\S)|\s+
var (
	// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
	gpt2Rules = rules{letters: letter, others: other, contractions: smallAlone}
	// C|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|W
	llama3Rules = rules{letters: letter, others: other, contractions: alone, anyPrefix: true, digits: 3,
		linesEnd: true, trail: linesTrail}
	// C|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|W
	qwen2Rules = rules{letters: letter, others: other, contractions: alone, anyPrefix: true, digits: 1,
		linesEnd: true, trail: linesTrail}
	// C|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|W
	qwen35Rules = rules{letters: letter | mark, others: other &^ mark, contractions: alone, anyPrefix: true, digits: 1,
		linesEnd: true, trail: linesTrail}
	// C|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|W
	seedRules = rules{letters: letter, others: other, contractions: alone, anyPrefix: true, digits: 1, linesEnd: true}
	// [^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|W
	ufakzekaRules = rules{letters: letter, others: other, anyPrefix: true, digits: 1, linesEnd: true, trail: linesTrail}
	// C|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|W
	exaoneRules = rules{letters: letter, others: other, contractions: alone, anyPrefix: true, phrases: true, digits: 1,
		linesEnd: true, trail: pathsTrail, trailOnce: true}

	// With U = [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}] and L = [\p{Ll}\p{Lm}\p{Lo}\p{M}]:
	// [^\r\n\p{L}\p{N}]?U*L+C?|[^\r\n\p{L}\p{N}]?U+L*C?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|W
	// Of these llama.cpp knows the case of ASCII letters only: other letters are
	// in U and in L, and marks are in neither.
	gpt4oRules = rules{letters: letter, others: other, contractions: behind, anyPrefix: true, cased: true, digits: 3,
		linesEnd: true, trail: pathsTrail}
	// The same without contractions, and \p{N} in place of \p{N}{1,3}.
	tekkenRules = rules{letters: letter, others: other, anyPrefix: true, cased: true, digits: 1,
		linesEnd: true, trail: pathsTrail}
	// The expression of gpt4oRules again, behind a cut of its own for numbers.
	// Here llama.cpp takes U and L for [\p{L}\p{M}].
	tinyAyaRules = rules{letters: letter | mark, others: other, contractions: behind, anyPrefix: true, digits: 3,
		linesEnd: true, trail: pathsTrail}
	// The same with \p{N} in place of \p{N}{1,3}.
	youtuRules = rules{letters: letter | mark, others: other, contractions: behind, anyPrefix: true, digits: 1,
		linesEnd: true, trail: pathsTrail}
	// \p{Han}+|, and then the expression of gpt4oRules with U and L without \p{Han}
	// and [\r\n]* for [\r\n/]*. llama.cpp takes U and L for \p{L} without \p{Han}.
	kimiRules = rules{letters: alphabetic, others: other, contractions: behind, anyPrefix: true, hanApart: true, digits: 3,
		linesEnd: true, trail: linesTrail}
)

// cut is the scanner of the rules.
func (r rules) cut(s string) int {
	if r.contractions == smallAlone || r.contractions == alone {
		if n := contraction(s, r.contractions == alone); n > 0 {
			return n
		}
	}
	first, size := classAt(s, 0)
	if r.hanApart && first&han != 0 {
		return run(s, 0, han)
	}
	// from is where the word begins behind a possible space, second its class.
	second, from := first, 0
	if s[0] == ' ' {
		second, _ = classAt(s, size)
		from = size
	}
	prefix := from
	if r.anyPrefix && first&(letter|number|lineEnd) == 0 {
		prefix = size
	}
	if end := r.word(s, prefix); end > prefix {
		return r.suffix(s, end)
	}
	if first&r.letters != 0 {
		return r.suffix(s, r.word(s, 0))
	}
	if r.digits == 0 && second&number != 0 {
		return run(s, from, number)
	}
	if first&number != 0 {
		return runUpTo(s, number, r.digits)
	}
	if second&r.others != 0 {
		return r.trailing(s, run(s, from, r.others))
	}
	return whiteSpace(s, r.linesEnd)
}

// word returns the end of the letters that begin at s[i].
func (r rules) word(s string, i int) int {
	switch {
	case r.cased:
		return casedWord(s, i)
	case r.phrases:
		return phrase(s, i)
	}
	return run(s, i, r.letters)
}

// suffix returns the end of a word whose letters end at s[end].
func (r rules) suffix(s string, end int) int {
	if r.contractions == behind {
		end += contraction(s[end:], true)
	}
	return end
}

// trailing returns the end of a run of other characters that itself ends at
// s[end].
func (r rules) trailing(s string, end int) int {
	for end < len(s) && strings.IndexByte(r.trail, s[end]) >= 0 {
		end++
		if r.trailOnce {
			break
		}
	}
	return end
}

// casedWord returns the end of U*L+, or else of U+L*, at s[i:].
func casedWord(s string, i int) int {
	end, caseless := i, i
	for {
		c, size := classAt(s, end)
		if c&letter == 0 {
			break
		}
		if isSmall(s[end]) {
			// The word goes on to the next capital.
			for c&letter != 0 && !isCapital(s[end]) {
				end += size
				c, size = classAt(s, end)
			}
			return end
		}
		end += size
		if !isCapital(s[end-size]) {
			caseless = end
		}
	}
	// Without a small letter the last one that has no case takes its place, and
	// what stands behind it begins a new word.
	if caseless > i {
		return caseless
	}
	return end
}

func isSmall(b byte) bool   { return b >= 'a' && b <= 'z' }
func isCapital(b byte) bool { return b >= 'A' && b <= 'Z' }

// phrase returns the end of letters with their marks, and with single spaces
// between them, at s[i:].
func phrase(s string, i int) int {
	for end := i; ; {
		c, size := classAt(s, end)
		if c&letter == 0 {
			return i
		}
		i = run(s, end+size, mark)
		end = i
		if i < len(s) && s[i] == ' ' {
			end++
		}
	}
}

// whiteSpace cuts a run of white space: with linesEnd up to its last line end if
// it has one; else all of it at the end of the text, and otherwise all but the
// last character, which goes to the word that follows. What is looked at but not
// taken is looked at once more by the next call, and then taken.
func whiteSpace(s string, linesEnd bool) int {
	last, end, afterLine := 0, 0, 0
	for end < len(s) {
		c, size := classAt(s, end)
		if c&space == 0 {
			break
		}
		last = end
		end += size
		if c&lineEnd != 0 {
			afterLine = end
		}
	}
	switch {
	case linesEnd && afterLine > 0:
		return afterLine
	case end < len(s) && last > 0:
		return last
	}
	return end
}

// contraction returns the length of 's, 't, 'm, 'd, 're, 've or 'll at the
// beginning of s, or 0.
func contraction(s string, anyCase bool) int {
	if len(s) < 2 || s[0] != '\'' {
		return 0
	}
	at := func(i int) byte {
		if i >= len(s) {
			return 0
		}
		if b := s[i]; anyCase && isCapital(b) {
			return b + 'a' - 'A'
		}
		return s[i]
	}
	switch at(1) {
	case 's', 't', 'm', 'd':
		return 2
	case 'r', 'v':
		if at(2) == 'e' {
			return 3
		}
	case 'l':
		if at(2) == 'l' {
			return 3
		}
	}
	return 0
}
