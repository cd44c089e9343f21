package token

// symbolWords is the scanner of DeepSeek V3. It joins letters with their marks,
// and tells punctuation and symbols from what is neither:
//
//	[!-/:-@\[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|
//	 ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
//
// Nothing of this matches a number or a control character by itself. What no
// alternative matches lies between the words, and is a word as well.
func symbolWords(s string) int {
	if len(s) > 1 && isASCIIPunctuation(s[0]) && isASCIILetter(s[1]) {
		end := 2
		for end < len(s) && isASCIILetter(s[end]) {
			end++
		}
		return end
	}
	const word, signs = letter | mark, punctuation | sign
	first, size := classAt(s, 0)
	second, _ := classAt(s, size)
	if first&(letter|signs|lineEnd) == 0 && second&word != 0 {
		return run(s, size, word)
	}
	if first&word != 0 {
		return run(s, 0, word)
	}
	from := 0
	if s[0] == ' ' {
		from = 1
	}
	if end := run(s, from, signs); end > from {
		return run(s, end, lineEnd)
	}
	if first&space != 0 {
		return whiteSpace(s, true)
	}
	// A number or another character of no word ends before one that has letters
	// behind it, because that one begins a word.
	end := size
	for {
		c, size := classAt(s, end)
		if c&(number|rest) == 0 {
			return end
		}
		if next, _ := classAt(s, end+size); next&word != 0 {
			return end
		}
		end += size
	}
}

func isASCIILetter(b byte) bool { return isSmall(b) || isCapital(b) }

func isASCIIPunctuation(b byte) bool {
	return b > ' ' && b < 0x7F && !isASCIILetter(b) && (b < '0' || b > '9')
}
