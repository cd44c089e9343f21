package token

import (
	"fmt"
	"maps"
	"slices"
	"unicode"
	"unicode/utf8"
)

// preTokenizer cuts text into the words inside which pieces are merged.
type preTokenizer struct {
	cuts       []cut // each one cuts the pieces of the one before
	wholeWords bool  // a word that is a piece is one token, whatever the merges say
	addBOS     bool  // models of this kind want a BOS token unless the file says no
}

// cut returns the length in bytes of the first word of s. s is not empty, and
// the result is between 1 and len(s).
type cut func(s string) int

// preTokenizers are the known values of tokenizer.ggml.pre. The published rules
// are regular expressions; they stand beside the scanner that does the same in
// one pass.
var preTokenizers = map[string]preTokenizer{
	"default": {cuts: []cut{punctuationRuns, gpt2Rules.cut, numberRuns, digitTriples}},
	"falcon":  {cuts: []cut{falconPunctuationRuns, gpt2Rules.cut, digitTriples}},

	"gpt-2": gpt2, "phi-2": gpt2, "olmo": gpt2, "mpt": gpt2, "jais": gpt2,

	"starcoder": gpt2Digits, "refact": gpt2Digits, "command-r": gpt2Digits,
	"smollm": gpt2Digits, "codeshell": gpt2Digits, "minerva-7b": gpt2Digits,

	"llama-bpe": llama3, "llama3": llama3, "llama-v3": llama3,
	"falcon3": llama3, "falcon-h1": llama3, "pixtral": llama3, "lfm2": llama3,
	"dbrx":        {cuts: []cut{llama3Rules.cut}},
	"smaug-bpe":   {cuts: []cut{llama3Rules.cut}},
	"chatglm-bpe": {cuts: []cut{llama3Rules.cut}},
	"glm4":        {cuts: []cut{llama3Rules.cut}},

	"qwen2": qwen2, "deepseek-r1-qwen": qwen2, "stablelm2": qwen2, "hunyuan": qwen2, "megrez": qwen2,
	"seed-coder": {cuts: []cut{seedRules.cut}},

	"gpt-4o": gpt4o, "llama4": gpt4o,
	"tekken": {cuts: []cut{tekkenRules.cut}, wholeWords: true, addBOS: true},
}

var (
	gpt2       = preTokenizer{cuts: []cut{gpt2Rules.cut}}
	gpt2Digits = preTokenizer{cuts: []cut{singleNumbers, gpt2Rules.cut}}
	llama3     = preTokenizer{cuts: []cut{llama3Rules.cut}, wholeWords: true, addBOS: true}
	qwen2      = preTokenizer{cuts: []cut{qwen2Rules.cut}}
	gpt4o      = preTokenizer{cuts: []cut{gpt4oRules.cut}}
)

func newPreTokenizer(m Metadata) (preTokenizer, error) {
	name, err := m.StringOr(keyPre, "default")
	if err != nil {
		return preTokenizer{}, err
	}
	pre, ok := preTokenizers[name]
	if !ok {
		return pre, fmt.Errorf("%s: %s is %q, but only %s are known",
			m.Name(), keyPre, name, list(slices.Sorted(maps.Keys(preTokenizers))))
	}
	return pre, nil
}

// words calls word for each word of text, in order.
func (p preTokenizer) words(text string, word func(string)) { cutAll(p.cuts, text, word) }

func cutAll(cuts []cut, text string, word func(string)) {
	for text != "" {
		n := cuts[0](text)
		if len(cuts) == 1 {
			word(text[:n])
		} else {
			cutAll(cuts[1:], text[:n], word)
		}
		text = text[n:]
	}
}

// rules describe a scanner of the GPT-2 family. In all of them a word is, in
// this order of preference: an English contraction, letters, numbers, other
// characters, white space. They differ in what else a word may take in.
type rules struct {
	anyCase   bool // contractions also in capitals
	anyPrefix bool // letters may follow any one character but a number or a line end; otherwise a space
	digits    int  // most digits in a word; 0: no limit, and a space may come before them
	linesEnd  bool // white space ends at its last line end
	trailing  bool // other characters take the line ends behind them
}

var (
	// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
	gpt2Rules = rules{}
	// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
	//  ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
	llama3Rules = rules{anyCase: true, anyPrefix: true, digits: 3, linesEnd: true, trailing: true}
	// The same with \p{N} in place of \p{N}{1,3}.
	qwen2Rules = rules{anyCase: true, anyPrefix: true, digits: 1, linesEnd: true, trailing: true}
	// And that with  ?[^\s\p{L}\p{N}\r\n]+ in place of  ?[^\s\p{L}\p{N}]+[\r\n]*
	seedRules = rules{anyCase: true, anyPrefix: true, digits: 1, linesEnd: true}
)

// cut is the scanner of the rules.
func (r rules) cut(s string) int {
	if n := contraction(s, r.anyCase); n > 0 {
		return n
	}
	first, size := classAt(s, 0)
	// second is the class of what comes after a possible prefix.
	second, from := first, 0
	if s[0] == ' ' {
		second, _ = classAt(s, size)
		from = size
	}
	if r.anyPrefix && first&(letter|number|lineEnd) == 0 {
		if after, _ := classAt(s, size); after&letter != 0 {
			return run(s, size, letter)
		}
	}
	if first&letter != 0 {
		return run(s, 0, letter)
	}
	if !r.anyPrefix && second&letter != 0 {
		return run(s, from, letter)
	}
	if r.digits == 0 && second&number != 0 {
		return run(s, from, number)
	}
	if first&number != 0 {
		return runUpTo(s, number, r.digits)
	}
	if second&other != 0 {
		end := run(s, from, other)
		if r.trailing {
			end = run(s, end, lineEnd)
		}
		return end
	}
	return whiteSpace(s, r.linesEnd)
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
		if b := s[i]; anyCase && b >= 'A' && b <= 'Z' {
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

// punctuationRuns cuts [\p{P}\$\+<=>\^~\|]+ from what lies between.
func punctuationRuns(s string) int { return alternate(s, isPunctuation) }

// falconPunctuationRuns cuts [\p{P}\$\+<=>\^~\|`]+ from what lies between.
func falconPunctuationRuns(s string) int {
	return alternate(s, func(r rune) bool { return r == '`' || isPunctuation(r) })
}

// numberRuns cuts \p{N}+ from what lies between.
func numberRuns(s string) int { return alternate(s, unicode.IsNumber) }

// singleNumbers cuts each \p{N} from what lies between.
func singleNumbers(s string) int {
	if r, size := utf8.DecodeRuneInString(s); unicode.IsNumber(r) {
		return size
	}
	return numberRuns(s)
}

// alternate returns the length of the first run of runes that all are, or all
// are not, in the class.
func alternate(s string, in func(rune) bool) int {
	var first bool
	for i, r := range s {
		if i == 0 {
			first = in(r)
		} else if in(r) != first {
			return i
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

// digitTriples cuts [0-9][0-9][0-9] from what lies between.
func digitTriples(s string) int {
	digits := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			digits = 0
			continue
		}
		if digits++; digits == 3 {
			if i == 2 {
				return 3
			}
			return i - 2
		}
	}
	return len(s)
}

// class says to which of the classes of the rules a character belongs. The end
// of the text belongs to none.
type class uint8

const (
	letter  class = 1 << iota // \p{L}
	number                    // \p{N}
	space                     // \s
	lineEnd                   // \r and \n, which are space as well
	other                     // anything else, also a byte that is not UTF-8
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
		return letter
	case unicode.IsNumber(r):
		return number
	case unicode.IsSpace(r):
		return space
	}
	return other
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
