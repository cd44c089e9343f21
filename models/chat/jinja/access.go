package jinja

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// attribute is x.name: a method or field first, then an item.
func attribute(x any, name string) (any, error) {
	switch x := x.(type) {
	case undefined:
		return nil, x.error()
	case string:
		if m, ok := stringMethods[name]; ok {
			return Func(func(c *Call) (any, error) { return m(c, x) }), nil
		}
	case *Dict:
		if m, ok := dictMethods[name]; ok {
			return Func(func(c *Call) (any, error) { return m(c, x) }), nil
		}
		if v, ok := x.values[name]; ok {
			return v, nil
		}
	case *namespace:
		if v, ok := x.vars[name]; ok {
			return v, nil
		}
	case *loop:
		return x.attribute(name), nil
	}
	if items, ok := sequence(x); ok {
		if m, ok := listMethods[name]; ok {
			return Func(func(c *Call) (any, error) { return m(c, items) }), nil
		}
	}
	return undefined{name}, nil
}

// item is x[i]: an item first, then an attribute. What is not there is undefined.
func (r *run) item(x, i any) (any, error) {
	if u, ok := x.(undefined); ok {
		return nil, u.error()
	}
	if d, ok := x.(*Dict); ok && hashable(i) {
		if v, ok := d.values[i]; ok {
			return v, nil
		}
	}
	if n, ok := integer(i); ok {
		if s, ok := x.(string); ok {
			return r.character(s, n)
		}
		items, _ := sequence(x)
		if n < 0 {
			n += len(items)
		}
		if n >= 0 && n < len(items) {
			return items[n], nil
		}
		return undefined{fmt.Sprintf("item %d", n)}, nil
	}
	if s, ok := i.(string); ok {
		return attribute(x, s)
	}
	return undefined{"the item"}, nil
}

// character is s[n], counted in characters.
func (r *run) character(s string, n int) (any, error) {
	if err := r.spend(len(s) / bytesPerStep); err != nil {
		return nil, err
	}
	if n < 0 {
		n += utf8.RuneCountInString(s)
	}
	for _, c := range s {
		if n == 0 {
			return string(c), nil
		}
		n--
	}
	return undefined{"the character"}, nil
}

// slice is x[low:high:step]; bounds that are nil are left out.
func (r *run) slice(x, low, high, step any) (any, error) {
	if u, ok := x.(undefined); ok {
		return nil, u.error()
	}
	s, isString := x.(string)
	items, isList := sequence(x)
	if isString {
		var err error
		if items, err = r.iterate(s); err != nil {
			return nil, err
		}
	} else if !isList {
		return nil, fmt.Errorf("a value of type %s cannot be sliced", typeName(x))
	}
	by := 1
	if step != nil {
		by, _ = integer(step)
	}
	if by == 0 {
		return nil, fmt.Errorf("a slice's step is zero")
	}
	from, to := bound(low, len(items), by, by < 0), bound(high, len(items), by, by > 0)
	if err := r.build(len(items) * itemBytes); err != nil {
		return nil, err
	}
	var out []any
	for i := from; by > 0 && i < to || by < 0 && i > to; i += by {
		out = append(out, items[i])
		if i > len(items) || by > len(items) || -by > len(items) {
			break // the next index would be past the end, and could overflow
		}
	}
	switch x.(type) {
	case string:
		var b strings.Builder
		for _, c := range out {
			b.WriteString(c.(string))
		}
		return b.String(), nil
	case tuple:
		return tuple(out), nil
	}
	return out, nil
}

// bound makes a slice bound an index, by Python's rules. One that is left out is the sequence's
// far end if atEnd, else its near end.
func bound(v any, n, step int, atEnd bool) int {
	low, high := 0, n
	if step < 0 {
		low, high = -1, n-1
	}
	if v == nil {
		if atEnd {
			return high
		}
		return low
	}
	i, _ := integer(v)
	if i < 0 {
		i += n
	}
	return min(max(i, low), high)
}
