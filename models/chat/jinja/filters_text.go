package jinja

import (
	"strings"
	"unicode"
)

// textFilter is a filter on the text of any value.
func textFilter(f func(string) string) filter {
	return func(c *Call, x any) (any, error) {
		if _, err := c.args(); err != nil {
			return nil, err
		}
		s, err := c.run.text(x)
		if err != nil {
			return nil, err
		}
		if err := c.run.build(2 * len(s)); err != nil {
			return nil, err
		}
		return f(s), nil
	}
}

// titleFilter begins words with a capital; unlike str.title it takes "don't" for one word.
func titleFilter(s string) string {
	start := true
	return strings.Map(func(r rune) rune {
		was := start
		start = isSpace(r) || strings.ContainsRune("-({[<", r)
		if was {
			return unicode.ToUpper(r)
		}
		return unicode.ToLower(r)
	}, s)
}

var htmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\"", "&#34;", "'", "&#39;")

func escapeFilter(c *Call, x any) (any, error) {
	s, err := c.run.text(x)
	if err != nil {
		return nil, err
	}
	return htmlEscapes.Replace(s), c.run.build(5 * len(s))
}

func trimFilter(c *Call, x any) (any, error) {
	s, err := c.run.text(x)
	if err != nil {
		return nil, err
	}
	return strip(true, true)(c, s)
}

func replaceFilter(c *Call, x any) (any, error) {
	s, err := c.run.text(x)
	if err != nil {
		return nil, err
	}
	return replaceMethod(c, s)
}

func indentFilter(c *Call, x any) (any, error) {
	a, err := c.args("width", "first", "blank")
	if err != nil {
		return nil, err
	}
	s, err := c.run.text(x)
	if err != nil {
		return nil, err
	}
	by, ok := a[0].(string)
	if !ok {
		n, err := intOr(a[0], 4)
		if err != nil {
			return nil, err
		}
		by = strings.Repeat(" ", min(max(n, 0), 1000))
	}
	count := strings.Count(s, "\n") + strings.Count(s, "\r") + 1
	if len(by) > 0 && count > c.run.bytes/len(by) {
		return nil, ErrBudget
	}
	if err := c.run.build(len(s) + count*(len(by)+itemBytes)); err != nil {
		return nil, err
	}
	var b strings.Builder
	for i, line := range lines(s+"\n", false) {
		if i > 0 {
			b.WriteByte('\n')
		}
		if i == 0 && truth(a[1]) || i > 0 && (line != "" || truth(a[2])) {
			b.WriteString(by)
		}
		b.WriteString(line)
	}
	return b.String(), nil
}

func wordcountFilter(c *Call, x any) (any, error) {
	s, err := c.run.text(x)
	if err != nil {
		return nil, err
	}
	return len(strings.Fields(s)), c.run.build(len(s) * itemBytes)
}
