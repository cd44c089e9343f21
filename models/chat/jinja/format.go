package jinja

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

func (c *Call) percent(x any) (any, error) {
	s, err := c.run.text(x)
	if err != nil {
		return nil, err
	}
	return c.run.formatPercent(s, c.positional)
}

// formatPercent is Python's "%" on a string, with the verbs s, r, d, i and f and a precision.
func (r *run) formatPercent(s string, args tuple) (any, error) {
	var b strings.Builder
	for used := 0; ; used++ {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			if used < len(args) {
				return nil, errors.New("the format has too many arguments")
			}
			b.WriteString(s)
			return b.String(), r.build(len(s))
		}
		b.WriteString(s[:i])
		if err := r.build(i); err != nil {
			return nil, err
		}
		s = s[i+1:]
		if strings.HasPrefix(s, "%") {
			b.WriteByte('%')
			s = s[1:]
			used--
			continue
		}
		precision := -1
		if n := strings.TrimLeft(s, ".0123456789"); strings.HasPrefix(s, ".") {
			var err error
			if precision, err = strconv.Atoi(s[1 : len(s)-len(n)]); err != nil || precision > 100 {
				return nil, errors.New("the format's precision is not valid")
			}
			s = n
		}
		if s == "" || used >= len(args) {
			return nil, errors.New("the format has too few arguments")
		}
		if err := r.formatVerb(&b, s[0], precision, args[used]); err != nil {
			return nil, err
		}
		s = s[1:]
	}
}

func (r *run) formatVerb(b *strings.Builder, verb byte, precision int, v any) error {
	switch verb {
	case 's', 'r':
		return r.print(b, v, verb == 'r')
	case 'd', 'i', 'f':
		n, ok := number(v)
		if !ok {
			return fmt.Errorf("%%%c needs a number, not %s", verb, typeName(v))
		}
		if verb != 'f' {
			n, precision = math.Trunc(n), 0
		} else if precision < 0 {
			precision = 6
		}
		b.WriteString(strconv.FormatFloat(n, 'f', precision, 64))
		return r.build(400)
	}
	return fmt.Errorf("the format has an unknown verb %q", verb)
}

// formatMethod is str.format with plain fields: {}, {0} and {name}.
func formatMethod(c *Call, s string) (any, error) {
	var b strings.Builder
	next := 0
	for s != "" {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			i = len(s)
		}
		if err := c.run.build(i); err != nil {
			return nil, err
		}
		b.WriteString(s[:i])
		if s = s[i:]; s == "" {
			break
		}
		if strings.HasPrefix(s, "{{") || strings.HasPrefix(s, "}}") {
			b.WriteByte(s[0])
			s = s[2:]
			continue
		}
		end := strings.IndexByte(s, '}')
		if end < 1 {
			return nil, errors.New("a brace in the format stands alone")
		}
		v, err := c.field(s[1:end], &next)
		if err != nil {
			return nil, err
		}
		if err := c.run.print(&b, v, false); err != nil {
			return nil, err
		}
		s = s[end+1:]
	}
	return b.String(), nil
}

// field is the argument that a field of a format names.
func (c *Call) field(name string, next *int) (any, error) {
	if i := indexOf(c.names, name); i >= 0 {
		return c.named[i], nil
	}
	at := *next
	if name == "" {
		*next++
	} else if n, err := fmt.Sscanf(name, "%d", &at); n != 1 || err != nil || fmt.Sprint(at) != name {
		return nil, fmt.Errorf("the format has no argument %q", name)
	}
	if at < 0 || at >= len(c.positional) {
		return nil, fmt.Errorf("the format has no argument %d", at)
	}
	return c.positional[at], nil
}
