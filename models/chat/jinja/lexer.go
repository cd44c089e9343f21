package jinja

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind uint8

const (
	dataTok    kind = iota // text outside of tags
	varBegin               // {{
	varEnd                 // }}
	blockBegin             // {%
	blockEnd               // %}
	nameTok
	stringTok // text holds the decoded value
	intTok
	floatTok
	opTok
	eofTok
)

// token is one lexical unit. text is the decoded value of strings and the source of all others.
type token struct {
	kind kind
	text string
	line int
}

func (t token) is(k kind, text string) bool { return t.kind == k && t.text == text }

func (t token) String() string {
	switch t.kind {
	case eofTok:
		return "the end of the template"
	case varBegin, varEnd, blockBegin, blockEnd, opTok, nameTok, intTok, floatTok:
		return strconv.Quote(t.text)
	case stringTok:
		return "a string"
	}
	return "text"
}

// lexer cuts a template into tokens. Whitespace control is done here, as in Jinja itself:
// trim_blocks drops the newline after a block or comment, lstrip_blocks drops the indentation
// in front of one that begins a line, and the signs '-' and '+' in a tag overrule both.
type lexer struct {
	src       string
	pos       int
	line      int
	lineStart bool // the last tag ended with a newline, so the next text begins a line
	tokens    []token
}

func lex(src string) ([]token, error) {
	src = strings.ReplaceAll(src, "\r\n", "\n")
	src = strings.ReplaceAll(src, "\r", "\n")
	src = strings.TrimSuffix(src, "\n") // keep_trailing_newline is off
	l := &lexer{src: src, line: 1, lineStart: true}
	for l.pos < len(l.src) {
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	l.emit(eofTok, "")
	return l.tokens, nil
}

func (l *lexer) emit(k kind, text string) {
	l.tokens = append(l.tokens, token{k, text, l.line})
}

func (l *lexer) errorf(format string, args ...any) error {
	return fmt.Errorf("line %d: %s", l.line, fmt.Sprintf(format, args...))
}

// advance moves over n bytes and counts lines.
func (l *lexer) advance(n int) string {
	s := l.src[l.pos : l.pos+n]
	l.line += strings.Count(s, "\n")
	l.pos += n
	return s
}

// next reads the text up to the next tag, and the tag.
func (l *lexer) next() error {
	n := nextTag(l.src[l.pos:])
	if n < 0 {
		l.data(l.src[l.pos:])
		l.advance(len(l.src) - l.pos)
		return nil
	}
	text, tag := l.src[l.pos:l.pos+n], l.src[l.pos+n:l.pos+n+2]
	control := l.control(l.pos + n + 2)
	l.data(l.stripBefore(text, tag, control))
	l.advance(n + 2 + len(control))
	l.lineStart = false
	switch tag {
	case "{#":
		return l.comment()
	case "{{":
		l.emit(varBegin, tag)
		return l.expression(varEnd, "}}")
	}
	if n := l.rawTag("raw"); n > 0 {
		l.advance(n)
		return l.raw()
	}
	l.emit(blockBegin, tag)
	return l.expression(blockEnd, "%}")
}

// nextTag is the place of the next tag in s, or -1.
func nextTag(s string) int {
	for i := 0; ; i++ {
		n := strings.IndexByte(s[i:], '{')
		if n < 0 || i+n+1 >= len(s) {
			return -1
		}
		i += n
		if c := s[i+1]; c == '{' || c == '%' || c == '#' {
			return i
		}
	}
}

// control is the whitespace sign at a place: "-", "+" or "".
func (l *lexer) control(at int) string {
	if at < len(l.src) && (l.src[at] == '-' || l.src[at] == '+') {
		return l.src[at : at+1]
	}
	return ""
}

// stripBefore removes from text what the tag after it says should go.
func (l *lexer) stripBefore(text, tag, control string) string {
	if control == "-" {
		return strings.TrimRightFunc(text, unicode.IsSpace)
	}
	if control == "+" || tag == "{{" {
		return text
	}
	line := strings.LastIndexByte(text, '\n') + 1
	if (line > 0 || l.lineStart) && strings.TrimSpace(text[line:]) == "" {
		return text[:line]
	}
	return text
}

func (l *lexer) data(text string) {
	if text != "" {
		l.emit(dataTok, text)
	}
}

// closeTag reads the end of a tag with its sign and the whitespace that goes with it, and
// reports whether the end was there.
func (l *lexer) closeTag(end string, trimNewline bool) bool {
	rest := l.src[l.pos:]
	switch {
	case strings.HasPrefix(rest, "-"+end):
		after := rest[1+len(end):]
		l.lineStart = l.endsLine(1 + len(end) + len(after) - len(strings.TrimLeftFunc(after, unicode.IsSpace)))
	case strings.HasPrefix(rest, "+"+end) && trimNewline:
		l.lineStart = l.endsLine(1 + len(end))
	case strings.HasPrefix(rest, end+"\n") && trimNewline:
		l.lineStart = l.endsLine(len(end) + 1)
	case strings.HasPrefix(rest, end):
		l.lineStart = l.endsLine(len(end))
	default:
		return false
	}
	return true
}

func (l *lexer) endsLine(n int) bool { return strings.HasSuffix(l.advance(n), "\n") }

func (l *lexer) comment() error {
	n := strings.Index(l.src[l.pos:], "#}")
	if n < 0 {
		return l.errorf("a comment is not closed")
	}
	if c := l.src[l.pos+max(n-1, 0)]; n > 0 && (c == '-' || c == '+') {
		n--
	}
	l.advance(n)
	l.closeTag("#}", true)
	return nil
}

// rawTag is the length of "raw %}" or "endraw %}" at the present place, with its signs, or 0.
func (l *lexer) rawTag(name string) int {
	rest := l.src[l.pos:]
	s := strings.TrimLeftFunc(rest, unicode.IsSpace)
	if !strings.HasPrefix(s, name) {
		return 0
	}
	s = strings.TrimLeftFunc(s[len(name):], unicode.IsSpace)
	if strings.HasPrefix(s, "-%}") {
		return len(rest) - len(strings.TrimLeftFunc(s[3:], unicode.IsSpace))
	}
	if strings.HasPrefix(s, "%}") {
		return len(rest) - len(s) + 2
	}
	return 0
}

// raw reads text up to {% endraw %} as it stands.
func (l *lexer) raw() error {
	for at := l.pos; ; {
		n := strings.Index(l.src[at:], "{%")
		if n < 0 {
			return l.errorf("a raw block is not closed")
		}
		at += n
		control := l.control(at + 2)
		look := &lexer{src: l.src, pos: at + 2 + len(control)}
		if end := look.rawTag("endraw"); end > 0 {
			l.data(l.stripBefore(l.src[l.pos:at], "{%", control))
			l.advance(look.pos + end - l.pos)
			if !strings.HasSuffix(l.src[:l.pos], "\n") && strings.HasPrefix(l.src[l.pos:], "\n") {
				l.advance(1)
			}
			l.lineStart = strings.HasSuffix(l.src[:l.pos], "\n")
			return nil
		}
		at += 2
	}
}

// Longest first, so that "//" is not read as two divisions.
var operators = []string{"**", "//", "==", "!=", ">=", "<=",
	"+", "-", "*", "/", "%", "~", "(", ")", "[", "]", "{", "}", "<", ">", "=", ".", ":", "|", ","}

// expression reads the tokens of a tag up to its end.
func (l *lexer) expression(endKind kind, end string) error {
	var open []byte // brackets that wait for their partner; inside them "}}" ends no tag
	for l.pos < len(l.src) {
		if len(open) == 0 {
			line := l.line
			if l.closeTag(end, endKind == blockEnd) {
				l.tokens = append(l.tokens, token{endKind, end, line})
				return nil
			}
		}
		rest := l.src[l.pos:]
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case unicode.IsSpace(r):
			l.advance(size)
		case r == '\'' || r == '"':
			if err := l.stringLiteral(rest); err != nil {
				return err
			}
		case r >= '0' && r <= '9':
			l.number(rest)
		case isNameRune(r):
			n := strings.IndexFunc(rest, func(r rune) bool { return !isNameRune(r) })
			if n < 0 {
				n = len(rest)
			}
			l.emit(nameTok, l.advance(n))
		default:
			op := operatorAt(rest)
			if op == "" {
				return l.errorf("unexpected %q", r)
			}
			var err error
			if open, err = l.balance(open, op[0]); err != nil {
				return err
			}
			l.emit(opTok, l.advance(len(op)))
		}
	}
	return l.errorf("a tag is not closed with %q", end)
}

func (l *lexer) balance(open []byte, c byte) ([]byte, error) {
	switch c {
	case '(':
		return append(open, ')'), nil
	case '[':
		return append(open, ']'), nil
	case '{':
		return append(open, '}'), nil
	case ')', ']', '}':
		if len(open) == 0 || open[len(open)-1] != c {
			return nil, l.errorf("unexpected %q", c)
		}
		return open[:len(open)-1], nil
	}
	return open, nil
}

func operatorAt(s string) string {
	for _, op := range operators {
		if strings.HasPrefix(s, op) {
			return op
		}
	}
	return ""
}

func isNameRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// number reads an integer or a float; '_' may stand between digits.
func (l *lexer) number(s string) {
	digits := func(i int) int {
		for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '_' && i > 0) {
			i++
		}
		return i
	}
	n, k := digits(0), intTok
	if n+1 < len(s) && s[n] == '.' && s[n+1] >= '0' && s[n+1] <= '9' {
		n, k = digits(n+1), floatTok
	}
	if n < len(s) && (s[n] == 'e' || s[n] == 'E') {
		e := n + 1
		if e < len(s) && (s[e] == '+' || s[e] == '-') {
			e++
		}
		if end := digits(e); end > e && s[e] != '_' {
			n, k = end, floatTok
		}
	}
	l.emit(k, strings.ReplaceAll(l.advance(n), "_", ""))
}

// stringLiteral reads a quoted string and decodes Python's escapes. An escape that Python does
// not know stands for itself, backslash included.
func (l *lexer) stringLiteral(s string) error {
	var b strings.Builder
	quote := s[0]
	for i := 1; i < len(s); {
		switch c := s[i]; {
		case c == quote:
			line := l.line
			l.advance(i + 1)
			l.tokens = append(l.tokens, token{stringTok, b.String(), line})
			return nil
		case c != '\\':
			b.WriteByte(c)
			i++
		case i+1 >= len(s):
			i++
		default:
			n, err := unescape(&b, s[i:])
			if err != nil {
				return l.errorf("%v", err)
			}
			i += n
		}
	}
	return l.errorf("a string is not closed")
}

var simpleEscapes = map[byte]string{'\n': "", '\\': "\\", '\'': "'", '"': "\"", 'a': "\a", 'b': "\b",
	'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v"}

// unescape decodes the escape at the beginning of s, which is at least two bytes long, and
// returns its length.
func unescape(b *strings.Builder, s string) (int, error) {
	c := s[1]
	if r, ok := simpleEscapes[c]; ok {
		b.WriteString(r)
		return 2, nil
	}
	digits, base, from := 0, 16, 2
	switch c {
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	case '0', '1', '2', '3', '4', '5', '6', '7':
		base, from, digits = 8, 1, 1
		for digits < 3 && 1+digits < len(s) && s[1+digits] >= '0' && s[1+digits] <= '7' {
			digits++
		}
	default:
		b.WriteByte('\\')
		return 1, nil
	}
	if from+digits > len(s) {
		return 0, fmt.Errorf("an escape in a string is cut off")
	}
	n, err := strconv.ParseUint(s[from:from+digits], base, 32)
	if err != nil || n > unicode.MaxRune {
		return 0, fmt.Errorf("the escape %q in a string is not valid", s[:from+digits])
	}
	b.WriteRune(rune(n))
	return from + digits, nil
}
