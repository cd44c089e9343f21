package token

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// class says to which of the classes of the rules a character belongs. The end
// of the text belongs to none.
type class uint16

const (
	alphabetic  class = 1 << iota // \p{L} but for the characters of han
	han                           // the letters of the blocks that llama.cpp counts as Han
	number                        // \p{N}
	space                         // \s
	lineEnd                       // \r and \n, which are space as well
	mark                          // \p{M}
	punctuation                   // \p{P}
	sign                          // \p{S}
	rest                          // anything else, also a byte that is not UTF-8

	letter = alphabetic | han                 // \p{L}
	other  = mark | punctuation | sign | rest // [^\s\p{L}\p{N}]
)

// classAt returns the class and the length of the character at s[i].
func classAt(s string, i int) (class, int) {
	if i >= len(s) {
		return 0, 0
	}
	if b := s[i]; b < utf8.RuneSelf {
		return asciiClass[b], 1
	}
	r, size := utf8.DecodeRuneInString(s[i:])
	return classOf(r), size
}

func classOf(r rune) class {
	switch {
	case r == '\n' || r == '\r':
		return space | lineEnd
	case unicode.IsLetter(r):
		if isHan(r) {
			return han
		}
		return alphabetic
	case unicode.IsNumber(r):
		return number
	case unicode.IsSpace(r):
		return space
	case unicode.IsMark(r):
		return mark
	case unicode.IsPunct(r):
		return punctuation
	case r == '~':
		return rest // a symbol, but llama.cpp's list of them lacks it
	case unicode.IsSymbol(r):
		return sign
	}
	return rest
}

// isHan tells the ideographs by their blocks, without U+3005 々 and its like.
func isHan(r rune) bool {
	return r >= 0x4E00 && r <= 0x9FFF || r >= 0x3400 && r <= 0x4DBF || r >= 0xF900 && r <= 0xFAFF ||
		r >= 0x20000 && r <= 0x2A6DF || r >= 0x2A700 && r <= 0x2EBEF || r >= 0x2F800 && r <= 0x2FA1F
}

var asciiClass = func() (table [utf8.RuneSelf]class) {
	for b := range table {
		table[b] = classOf(rune(b))
	}
	return table
}()

// run returns the end of the run of class c that begins at s[i].
func run(s string, i int, c class) int {
	for {
		have, size := classAt(s, i)
		if have&c == 0 {
			return i
		}
		i += size
	}
}

// runUpTo returns the end of the run of at most n characters of class c with
// which s begins.
func runUpTo(s string, c class, n int) int {
	end := 0
	for range n {
		have, size := classAt(s, end)
		if have&c == 0 {
			break
		}
		end += size
	}
	return end
}

// charset is a bracket expression: disjoint ranges of characters in ascending
// order. As in llama.cpp white space beyond ASCII is in none of them.
type charset [][2]rune

// chars reads the inside of a bracket expression: "A-Za-z…". A dash between two
// characters makes a range.
func chars(expression string) charset {
	var set charset
	list := []rune(expression)
	for i := 0; i < len(list); i++ {
		first, last := list[i], list[i]
		if i+2 < len(list) && list[i+1] == '-' {
			last = list[i+2]
			i += 2
		}
		set = append(set, [2]rune{first, last})
	}
	slices.SortFunc(set, func(a, b [2]rune) int { return int(a[0] - b[0]) })
	merged := set[:1]
	for _, next := range set[1:] {
		if last := &merged[len(merged)-1]; next[0] <= last[1] {
			last[1] = max(last[1], next[1])
		} else {
			merged = append(merged, next)
		}
	}
	return merged
}

func (set charset) has(r rune) bool {
	at, _ := slices.BinarySearchFunc(set, r, func(have [2]rune, r rune) int { return int(have[1] - r) })
	return at < len(set) && set[at][0] <= r && (r < utf8.RuneSelf || !unicode.IsSpace(r))
}
