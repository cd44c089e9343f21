package token

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The cuts of this file are steps of sequences: each cuts what one expression
// matches from what lies between.

var (
	// [\p{P}\$\+<=>\^~\|]+ and [\p{P}\$\+<=>\^~\|`]+
	punctuationRuns       = runsOf(isPunctuation)
	falconPunctuationRuns = runsOf(func(r rune) bool { return r == '`' || isPunctuation(r) })
	// \p{N}+
	numberRuns = runsOf(unicode.IsNumber)
	// [^\n]+|[\n]+
	lineEndRuns = runsOf(func(r rune) bool { return r == '\n' })

	// [\r\n]
	lineEnds = each(func(s string) int { return runUpTo(s, lineEnd, 1) })
	// \p{N}
	singleNumbers = each(func(s string) int { return runUpTo(s, number, 1) })
	// \p{N}{1,3}
	numberTriples = each(func(s string) int { return runUpTo(s, number, 3) })
	// [0-9][0-9][0-9]
	digitTriples = each(func(s string) int {
		if len(s) >= 3 && digitRun(s[:3], 0) == 3 {
			return 3
		}
		return 0
	})

	// \s?\p{L}+ and \s?\p{P}+
	spacedLetters     = spaced(unicode.IsSpace, unicode.IsLetter)
	spacedPunctuation = spaced(unicode.IsSpace, unicode.IsPunct)
	// \s? and the class, one or more times
	casedLetters        = spaced(unicode.IsSpace, deepseekLetters.has)
	deepseekPunctuation = spaced(unicode.IsSpace, chars("!-/:-~！-／：-～‘-‟、-。").has)
	//  ?[^(\s|.,!?…。，、।۔،)]+
	bloomWords = spaced(func(r rune) bool { return r == ' ' }, func(r rune) bool {
		return !unicode.IsSpace(r) && !strings.ContainsRune("(|.,!?…。，、।۔،)", r)
	})

	// The classes, one or more times. Those of youtuScripts are alternatives: a
	// run is of one of them. The range from U+8C48 in asianScripts, where U+F900
	// must have been meant, is llama.cpp's.
	deepseekCJK  = runsOf(chars("一-龥ࠀ-一가-퟿").has)
	deepseek3CJK = runsOf(chars("一-龥぀-ゟ゠-ヿ").has)
	asianScripts = runsOf(chars("一-鿿㐀-䶿\u8C48-\uFAFF぀-ゟ゠-ヿ･-ﾟ⼀-⿟เ-๿຀-໿ក-៿က-႟ꩠ-ꩿꧠ-꧿가-힯ᄀ-ᇿ").has)
	youtuScripts = runsOf(alternatives("가-힣ㄱ-ㆎ", "！…“”‘’—：；，、-〿︰-﹏", "ㄅ-ㄯ", "一-龥぀-ゟ゠-ヿ"))

	// Of Chameleon: special tokens for images, and the indents of code.
	sentinels         = each(sentinel)       // <sentinel:[0-9]+>
	images            = each(image)          // IMGIMG[A-I]{1,4}Z
	indents           = each(indent)         // [\t\n]|    |  with two or four spaces
	singlePunctuation = each(onePunctuation) // [\p{P}!-/:-@\[-`{-~]
)

// deepseekLetters are the letters of scripts that have capitals. They are written
// as numbers because editors like to replace some of them by others.
var deepseekLetters = chars("A-Za-z\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293\u0295-\u02AF" +
	"\u0370-\u0373\u0376\u0377\u037B-\u037D\u037F\u0386\u0388-\u038A\u038C\u038E-\u03A1\u03A3-\u03F5" +
	"\u03F7-\u0481\u048A-\u052F\u0531-\u0556\u10A0-\u10C5\u13A0-\u13F5\u13F8-\u13FD\u1C90-\u1CBA" +
	"\u1CBD-\u1CBF\u1D00-\u1D2B\u1D6B-\u1D77\u1D79-\u1D9A\u1E00-\u1F15\u1F18-\u1F1D\u1F20-\u1F45" +
	"\u1F48-\u1F4D\u1F50-\u1F57\u1F59\u1F5B\u1F5D\u1F5F-\u1F7D\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE" +
	"\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6-\u1FDB\u1FE0-\u1FEC\u1FF2-\u1FF4\u1FF6-\u1FFC\u2102" +
	"\u2107\u210A-\u2113\u2115\u2119-\u211D\u2124\u2126\u2128\u212A-\u212D\u212F-\u2134\u2139" +
	"\u213C-\u213F\u2145-\u2149\u214E\u2183\u2184\u2C00-\u2C7B\u2C7E-\u2CE4\u2CEB-\u2CEE\u2CF2\u2CF3" +
	"\uA640-\uA66D\uA680-\uA69B\uA722-\uA76F\uA771-\uA787\uA78B-\uA78E\uAB70-\uABBF\uFB00-\uFB06" +
	"\uFB13-\uFB17\uFF21-\uFF3A\uFF41-\uFF5A\U00010400-\U0001044F\U000104B0-\U000104D3" +
	"\U000104D8-\U000104FB\U00010C80-\U00010CB2\U00010CC0-\U00010CF2\U000118A0-\U000118DF" +
	"\U0001E900-\U0001E943")

// runsOf cuts between characters of different kinds.
func runsOf[kind comparable](of func(rune) kind) cut {
	return func(s string) int {
		var first kind
		for i, r := range s {
			if i == 0 {
				first = of(r)
			} else if of(r) != first {
				return i
			}
		}
		return len(s)
	}
}

// alternatives returns the number, from 1, of the class that a character is in,
// or 0.
func alternatives(expressions ...string) func(rune) int {
	var sets []charset
	for _, expression := range expressions {
		sets = append(sets, chars(expression))
	}
	return func(r rune) int {
		return 1 + slices.IndexFunc(sets, func(set charset) bool { return set.has(r) })
	}
}

// each cuts what match finds, one by one. match returns the length of what
// begins at s, or 0.
func each(match func(s string) int) cut {
	return func(s string) int {
		if n := match(s); n > 0 {
			return n
		}
		for i := range s {
			if i > 0 && match(s[i:]) > 0 {
				return i
			}
		}
		return len(s)
	}
}

// spaced cuts runs of the characters of a class, together with one blank before
// them. No blank is of the class.
func spaced(blank, in func(rune) bool) cut {
	return func(s string) int {
		begin := 0
		first, size := utf8.DecodeRuneInString(s)
		if blank(first) {
			begin = size
		}
		if end := runIn(s, begin, in); end > begin {
			return end
		}
		before := 0 // where a blank stands just before s[i], if one does
		for i, r := range s {
			switch {
			case !in(r):
				before = 0
				if blank(r) {
					before = i
				}
			case before > 0:
				return before
			default:
				return i
			}
		}
		return len(s)
	}
}

// runIn returns the end of the run of characters of a class at s[i].
func runIn(s string, i int, in func(rune) bool) int {
	for at, r := range s[i:] {
		if !in(r) {
			return i + at
		}
	}
	return len(s)
}

func isPunctuation(r rune) bool {
	switch r {
	case '$', '+', '<', '=', '>', '^', '~', '|':
		return true
	}
	return unicode.IsPunct(r)
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// digitRun returns the end of the run of ASCII digits at s[i].
func digitRun(s string, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

// trailingSpace cuts \s+$ off.
func trailingSpace(s string) int {
	end := len(strings.TrimRightFunc(s, unicode.IsSpace))
	if end == 0 {
		return len(s)
	}
	return end
}

// spaceBlocks cuts words of white space that hold no line end the way that
// \s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)| and so on to \s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}
// cuts the text. It stands behind llama3Rules, which leaves the last blank
// before a word to the word.
func spaceBlocks(s string) int {
	if c, _ := utf8.DecodeLastRuneInString(s); !unicode.IsSpace(c) || c == '\n' || c == '\r' {
		return len(s)
	}
	blanks := 0
	for end := range s {
		if blanks == 512 {
			return end
		}
		blanks++
	}
	block := 256
	for block > blanks {
		block /= 2
	}
	return runUpTo(s, space, block)
}

// leadingNumbers and triplesOfNumbers make triples of numbers from the right:
// of 12345 12 and 345. As in llama.cpp the first of them stays with the text
// before it, for the next cut. leadingNumbers cuts behind that one and
// at the end of the others, which are then whole triples.
func leadingNumbers(s string) int {
	text := 0 // length of the text before the numbers
	for text < len(s) {
		c, size := classAt(s, text)
		if c&number != 0 {
			break
		}
		text += size
	}
	end, numbers := text, 0
	for {
		c, size := classAt(s, end)
		if c&number == 0 {
			break
		}
		end += size
		numbers++
	}
	switch {
	case numbers%3 != 0:
		return text + runUpTo(s[text:], number, numbers%3)
	case text > 0:
		return text + runUpTo(s[text:], number, 3)
	}
	return end
}

func triplesOfNumbers(s string) int {
	if n := runUpTo(s, number, 3); n > 0 {
		return n
	}
	return len(s)
}

// leadingDigits and triplesOfDigits cut wherever (?=(\d{3})+(?!\d)) matches the
// empty text: behind every third digit, from the right. leadingDigits finds the
// first such place that is not within a run of triples.
func leadingDigits(s string) int {
	for at := 0; at < len(s); {
		end := digitRun(s, at)
		if first := at + (end-at)%3; end-at >= 3 && first > 0 {
			return first
		}
		_, size := utf8.DecodeRuneInString(s[end:])
		at = end + size
	}
	return len(s)
}

func triplesOfDigits(s string) int {
	if len(s) >= 6 && digitRun(s[:6], 0) == 6 {
		return 3
	}
	return len(s)
}

func onePunctuation(s string) int {
	if isASCIIPunctuation(s[0]) {
		return 1
	}
	return runUpTo(s, punctuation, 1)
}

func sentinel(s string) int {
	const begin = "<sentinel:"
	if !strings.HasPrefix(s, begin) {
		return 0
	}
	if end := digitRun(s, len(begin)); end > len(begin) && end < len(s) && s[end] == '>' {
		return end + 1
	}
	return 0
}

func image(s string) int {
	const begin = "IMGIMG"
	if !strings.HasPrefix(s, begin) {
		return 0
	}
	end := len(begin)
	for end < len(s) && end < len(begin)+4 && s[end] >= 'A' && s[end] <= 'I' {
		end++
	}
	if end > len(begin) && end < len(s) && s[end] == 'Z' {
		return end + 1
	}
	return 0
}

func indent(s string) int {
	switch {
	case s[0] == '\t' || s[0] == '\n':
		return 1
	case strings.HasPrefix(s, "    "):
		return 4
	case strings.HasPrefix(s, "  "):
		return 2
	}
	return 0
}
