package jinja

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The methods of strings, dicts and lists, with Python's names and meaning.

type stringMethod func(c *Call, s string) (any, error)

var stringMethods = map[string]stringMethod{
	"strip":      strip(true, true),
	"lstrip":     strip(true, false),
	"rstrip":     strip(false, true),
	"upper":      mapped(strings.ToUpper),
	"lower":      mapped(strings.ToLower),
	"title":      mapped(titleWords),
	"capitalize": mapped(capitalize),
	"startswith": affix(strings.HasPrefix),
	"endswith":   affix(strings.HasSuffix),
	"removeprefix": func(c *Call, s string) (any, error) {
		p, err := c.String()
		return strings.TrimPrefix(s, p), err
	},
	"removesuffix": func(c *Call, s string) (any, error) {
		p, err := c.String()
		return strings.TrimSuffix(s, p), err
	},
	"split":      split(false),
	"rsplit":     split(true),
	"splitlines": splitlines,
	"replace":    replaceMethod,
	"join": func(c *Call, s string) (any, error) {
		a, err := c.args("iterable")
		if err != nil {
			return nil, err
		}
		items, err := c.run.iterate(a[0])
		if err != nil {
			return nil, err
		}
		for _, x := range items {
			if _, err := stringArg(x); err != nil {
				return nil, err
			}
		}
		return c.run.joinAll(items, s)
	},
	"find":    find(strings.Index),
	"rfind":   find(strings.LastIndex),
	"count":   countMethod,
	"format":  formatMethod,
	"isdigit": class(unicode.IsDigit),
	"isalpha": class(unicode.IsLetter),
	"isalnum": class(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }),
	"isspace": class(isSpace),
	"islower": func(_ *Call, s string) (any, error) { return pyIsLower(s), nil },
	"isupper": func(_ *Call, s string) (any, error) { return pyIsUpper(s), nil },
}

var dictMethods = map[string]func(c *Call, d *Dict) (any, error){
	"items": func(c *Call, d *Dict) (any, error) { return dictItems(c, d) },
	"keys": func(c *Call, d *Dict) (any, error) {
		return append([]any(nil), d.keys...), c.run.build(len(d.keys) * itemBytes)
	},
	"values": func(c *Call, d *Dict) (any, error) {
		var out []any
		for _, k := range d.keys {
			out = append(out, d.values[k])
		}
		return out, c.run.build(len(d.keys) * itemBytes)
	},
	"get": func(c *Call, d *Dict) (any, error) {
		a, err := c.args("key", "default")
		if err != nil {
			return nil, err
		}
		if hashable(a[0]) {
			if v, ok := d.values[a[0]]; ok {
				return v, nil
			}
		}
		if _, missing := a[1].(undefined); missing {
			return nil, nil
		}
		return a[1], nil
	},
}

func dictItems(c *Call, d *Dict) (any, error) {
	if err := c.run.build(len(d.keys) * 4 * itemBytes); err != nil {
		return nil, err
	}
	var out []any
	for _, k := range d.keys {
		out = append(out, tuple{k, d.values[k]})
	}
	return out, nil
}

var listMethods = map[string]func(c *Call, items []any) (any, error){
	"index": func(c *Call, items []any) (any, error) {
		a, err := c.args("value")
		if err != nil {
			return nil, err
		}
		for i, x := range items {
			if same, err := c.run.equal(x, a[0]); same || err != nil {
				return i, err
			}
		}
		return nil, errors.New("the value is not in the list")
	},
	"count": func(c *Call, items []any) (any, error) {
		a, err := c.args("value")
		if err != nil {
			return nil, err
		}
		n := 0
		for _, x := range items {
			same, err := c.run.equal(x, a[0])
			if err != nil {
				return nil, err
			}
			if same {
				n++
			}
		}
		return n, nil
	},
}

// isSpace is Python's str.isspace for one character.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

func trim(s, chars string, left, right bool) string {
	in := isSpace
	if chars != "" {
		in = func(r rune) bool { return strings.ContainsRune(chars, r) }
	}
	if left {
		s = strings.TrimLeftFunc(s, in)
	}
	if right {
		s = strings.TrimRightFunc(s, in)
	}
	return s
}

func strip(left, right bool) stringMethod {
	return func(c *Call, s string) (any, error) {
		a, err := c.args("chars")
		if err != nil {
			return nil, err
		}
		if absent(a[0]) {
			return trim(s, "", left, right), c.run.spend(len(s) / bytesPerStep)
		}
		chars, err := stringArg(a[0])
		if err != nil || chars == "" {
			return s, err
		}
		if err := c.run.spend(len(s) / bytesPerStep * (1 + len(chars)/bytesPerStep)); err != nil {
			return nil, err
		}
		return trim(s, chars, left, right), nil
	}
}

func mapped(f func(string) string) stringMethod {
	return func(c *Call, s string) (any, error) {
		if _, err := c.args(); err != nil {
			return nil, err
		}
		if err := c.run.build(2 * len(s)); err != nil {
			return nil, err
		}
		return f(s), nil
	}
}

// titleWords is str.title: every run of letters begins with a capital.
func titleWords(s string) string {
	inWord := false
	return strings.Map(func(r rune) rune {
		was := inWord
		inWord = unicode.IsLetter(r)
		if was {
			return unicode.ToLower(r)
		}
		return unicode.ToTitle(r)
	}, s)
}

func capitalize(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToTitle(r)) + strings.ToLower(s[n:])
}

// affix is startswith or endswith; the argument may be a tuple of choices.
func affix(has func(s, t string) bool) stringMethod {
	return func(c *Call, s string) (any, error) {
		a, err := c.args("affix")
		if err != nil {
			return nil, err
		}
		choices, ok := a[0].(tuple)
		if !ok {
			choices = tuple{a[0]}
		}
		for _, choice := range choices {
			t, err := stringArg(choice)
			if err != nil {
				return nil, err
			}
			if has(s, t) {
				return true, nil
			}
		}
		return false, c.run.spend(len(choices))
	}
}

func class(f func(rune) bool) stringMethod {
	return func(c *Call, s string) (any, error) {
		return s != "" && strings.IndexFunc(s, func(r rune) bool { return !f(r) }) < 0, c.run.spend(len(s) / bytesPerStep)
	}
}

// find gives the index of the argument in characters, or -1.
func find(index func(s, sub string) int) stringMethod {
	return func(c *Call, s string) (any, error) {
		sub, err := c.String()
		if err != nil {
			return nil, err
		}
		n := index(s, sub)
		if n > 0 {
			n = utf8.RuneCountInString(s[:n])
		}
		return n, c.run.spend(len(s) / bytesPerStep)
	}
}

func countMethod(c *Call, s string) (any, error) {
	sub, err := c.String()
	if err != nil {
		return nil, err
	}
	return strings.Count(s, sub), c.run.spend(len(s) / bytesPerStep)
}

func split(fromRight bool) stringMethod {
	return func(c *Call, s string) (any, error) {
		a, err := c.args("sep", "maxsplit")
		if err != nil {
			return nil, err
		}
		limit, err := intOr(a[1], -1)
		if err != nil {
			return nil, err
		}
		if limit < 0 || limit > len(s) {
			limit = len(s)
		}
		if absent(a[0]) {
			return c.run.splitSpace(s, limit, fromRight)
		}
		sep, err := stringArg(a[0])
		if err != nil {
			return nil, err
		}
		if sep == "" {
			return nil, errors.New("the separator is empty")
		}
		return c.run.splitAt(s, sep, limit, fromRight)
	}
}

// splitAt cuts s at no more than limit separators.
func (r *run) splitAt(s, sep string, limit int, fromRight bool) (any, error) {
	if err := r.build((min(strings.Count(s, sep), limit) + 1) * 2 * itemBytes); err != nil {
		return nil, err
	}
	var out []any
	if !fromRight {
		for ; limit > 0; limit-- {
			before, after, found := strings.Cut(s, sep)
			if !found {
				break
			}
			out, s = append(out, before), after
		}
		return append(out, s), r.spend(len(s) / bytesPerStep)
	}
	for ; limit > 0; limit-- {
		i := strings.LastIndex(s, sep)
		if i < 0 {
			break
		}
		out, s = append(out, s[i+len(sep):]), s[:i]
	}
	out = append(out, s)
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out, nil
}

// splitSpace cuts s at no more than limit runs of whitespace; the rest keeps its own.
func (r *run) splitSpace(s string, limit int, fromRight bool) (any, error) {
	if err := r.build(len(s) / 2 * 2 * itemBytes); err != nil {
		return nil, err
	}
	var out []any
	if fromRight {
		for s = trim(s, "", false, true); s != ""; {
			i := strings.LastIndexFunc(s, isSpace)
			if i < 0 || len(out) == limit {
				out = append(out, s)
				break
			}
			_, size := utf8.DecodeRuneInString(s[i:])
			out = append(out, s[i+size:])
			s = trim(s[:i], "", false, true)
		}
		for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
			out[i], out[j] = out[j], out[i]
		}
		return out, nil
	}
	for s = trim(s, "", true, false); s != ""; s = trim(s, "", true, false) {
		i := strings.IndexFunc(s, isSpace)
		if i < 0 || len(out) == limit {
			out = append(out, s)
			break
		}
		out, s = append(out, s[:i]), s[i:]
	}
	return out, nil
}

func splitlines(c *Call, s string) (any, error) {
	a, err := c.args("keepends")
	if err != nil {
		return nil, err
	}
	if err := c.run.build((strings.Count(s, "\n") + strings.Count(s, "\r") + 1) * 2 * itemBytes); err != nil {
		return nil, err
	}
	var out []any
	for _, line := range lines(s, truth(a[0])) {
		out = append(out, line)
	}
	return out, nil
}

// lines cuts s at its line ends; the last line may lack one.
func lines(s string, keepEnds bool) []string {
	var out []string
	for s != "" {
		n, end := strings.IndexAny(s, "\n\r"), 1
		if n < 0 {
			n, end = len(s), 0
		} else if strings.HasPrefix(s[n:], "\r\n") {
			end = 2
		}
		if keepEnds {
			out = append(out, s[:n+end])
		} else {
			out = append(out, s[:n])
		}
		s = s[n+end:]
	}
	return out
}

func replaceMethod(c *Call, s string) (any, error) {
	a, err := c.args("old", "new", "count")
	if err != nil {
		return nil, err
	}
	old, err := stringArg(a[0])
	if err != nil {
		return nil, err
	}
	with, err := stringArg(a[1])
	if err != nil {
		return nil, err
	}
	limit, err := intOr(a[2], -1)
	if err != nil {
		return nil, err
	}
	n := strings.Count(s, old)
	if limit >= 0 {
		n = min(n, limit)
	}
	if len(with) > 0 && n > c.run.bytes/len(with) {
		return nil, ErrBudget
	}
	if err := c.run.build(len(s) + n*len(with)); err != nil {
		return nil, err
	}
	return strings.Replace(s, old, with, limit), nil
}

// joinAll joins the texts of values.
func (r *run) joinAll(items []any, sep string) (string, error) {
	var b strings.Builder
	for i, x := range items {
		if i > 0 {
			if err := r.build(len(sep)); err != nil {
				return "", err
			}
			b.WriteString(sep)
		}
		if err := r.spend(1); err != nil {
			return "", err
		}
		if err := r.print(&b, x, false); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}
