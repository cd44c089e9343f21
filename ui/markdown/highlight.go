package markdown

import (
	"slices"
	"strings"
)

// lexer finds words, strings, numbers and comments in code, line by line. It knows families of languages rather
// than languages: what begins a comment, and one list of words that mean something in most of them. That is
// wrong now and then, and costs next to nothing. Its zero value finds nothing. It is copied when a line is frozen.
type lexer struct {
	*family
	inside string // what ends the comment or string that the line begins in; "" for none
	as     mark   // of that comment or string
}

// family is a group of languages that look alike to the lexer.
type family struct {
	names    string   // labels, each between spaces
	comments []string // what begins a comment up to the end of the line
	opening  []string // what begins a comment or a string of many lines
	closing  []string // what ends it
	text     bool     // of each: it is a string
	words    bool     // has keywords
	anyCase  bool     // they may be capitals
}

var families = []family{
	{names: " c h cc cpp c++ cxx hpp cs csharp java kotlin kt swift rust rs scala dart proto php objc zig ",
		comments: []string{"//"}, opening: []string{"/*"}, closing: []string{"*/"}, words: true},
	{names: " go golang js javascript jsx ts typescript tsx ", comments: []string{"//"},
		opening: []string{"/*", "`"}, closing: []string{"*/", "`"}, words: true},
	{names: " py python python3 ", comments: []string{"#"},
		opening: []string{`"""`, "'''"}, closing: []string{`"""`, "'''"}, text: true, words: true},
	{names: " sh bash zsh shell fish console ruby rb perl r julia elixir ex make makefile dockerfile cmake nim powershell ps1 ",
		comments: []string{"#"}, words: true},
	{names: " yaml yml toml ini conf nix ", comments: []string{"#"}},
	{names: " lua haskell hs ", comments: []string{"--"}, words: true},
	{names: " sql ada ", comments: []string{"--"}, words: true, anyCase: true},
	{names: " css scss less ", opening: []string{"/*"}, closing: []string{"*/"}},
	{names: " json json5 jsonc ", comments: []string{"//"}, words: true},
	{names: " html xml svg vue ", opening: []string{"<!--"}, closing: []string{"-->"}},
}

// keywords mean something in most languages.
var keywords = func() map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(`
		abstract alter and as assert async await begin bool break by byte case catch char class const continue create def
		default defer delete do done double drop echo elif else elseif elsif end enum esac except export extends extern
		false fi final finally float fn for foreach from func function go goto group if impl implements import in insert
		int interface into is join key lambda let limit local long loop map match mod module mut namespace new nil none not
		null on or order override package pass private protected pub public raise range readonly rescue return select self
		set short signed sizeof static string struct super switch table template then this throw throws trait true try
		type type typedef typeof undef union unless unsafe unsigned until update use using val values var virtual void volatile
		when where while with yield`) {
		set[word] = true
	}
	return set
}()

func newLexer(lang string) lexer {
	lang = " " + strings.ToLower(lang) + " "
	if i := slices.IndexFunc(families, func(f family) bool { return strings.Contains(f.names, lang) }); i >= 0 && lang != "  " {
		return lexer{family: &families[i]}
	}
	return lexer{}
}

// spans takes the next line apart.
func (l *lexer) spans(line string) []span {
	if l.family == nil {
		return []span{{line, plain}}
	}
	var out []span
	from := 0 // of the plain text that is not yet in out
	put := func(start, end int, m mark) {
		if from < start {
			out = append(out, span{line[from:start], plain})
		}
		if start < end {
			out = append(out, span{line[start:end], m})
		}
		from = end
	}
	for i := 0; i < len(line); {
		end, m := l.token(line, i)
		if m != plain {
			put(i, end, m)
		}
		i = end
	}
	put(len(line), len(line), plain)
	return out
}

// token is where the token at i ends, and what it is.
func (l *lexer) token(line string, i int) (end int, m mark) {
	rest := line[i:]
	if l.inside != "" {
		n := strings.Index(rest, l.inside)
		if n < 0 {
			return len(line), l.as
		}
		end = i + n + len(l.inside)
		l.inside = ""
		return end, l.as
	}
	for _, c := range l.comments {
		if strings.HasPrefix(rest, c) && (c != "#" || i == 0 || line[i-1] == ' ') {
			return len(line), comment
		}
	}
	for k, open := range l.opening {
		if strings.HasPrefix(rest, open) {
			l.inside, l.as = l.closing[k], comment
			if l.text || open == "`" {
				l.as = quoted
			}
			return i + len(open), l.as
		}
	}
	switch c := rest[0]; {
	case c == '"' || c == '\'':
		for n := 1; n < len(rest); n++ {
			switch rest[n] {
			case '\\':
				n++
			case c:
				return i + n + 1, quoted
			}
		}
		return i + 1, plain // an apostrophe, or a string of many lines
	case isDigit(c):
		n := 1
		for n < len(rest) && (isWord(rest[n]) || rest[n] == '.') {
			n++
		}
		return i + n, number
	case isWord(c):
		n := 1
		for n < len(rest) && isWord(rest[n]) {
			n++
		}
		word := rest[:n]
		if l.anyCase {
			word = strings.ToLower(word)
		}
		if l.words && keywords[word] {
			return i + n, keyword
		}
		return i + n, plain
	}
	return i + 1, plain
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return isDigit(c) || c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
