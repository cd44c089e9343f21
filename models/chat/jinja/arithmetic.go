package jinja

import (
	"fmt"
	"math"
	"strings"
)

// arithmetic is Python's, on bools, ints, floats, strings and sequences.
func (r *run) arithmetic(op string, a, b any) (any, error) {
	if s, ok := a.(string); ok && op == "%" {
		args, ok := b.(tuple)
		if !ok {
			args = tuple{b}
		}
		return r.formatPercent(s, args)
	}
	if op == "*" {
		if n, ok := integer(a); ok {
			if v, ok, err := r.repeat(b, n); ok {
				return v, err
			}
		}
		if n, ok := integer(b); ok {
			if v, ok, err := r.repeat(a, n); ok {
				return v, err
			}
		}
	}
	if op == "+" {
		if v, ok, err := r.concat(a, b); ok {
			return v, err
		}
	}
	if x, ok := integer(a); ok {
		if y, ok := integer(b); ok {
			return intArithmetic(op, x, y)
		}
	}
	x, okx := number(a)
	y, oky := number(b)
	if !okx || !oky {
		return nil, fmt.Errorf("%q does not work on values of the types %s and %s", op, typeName(a), typeName(b))
	}
	return floatArithmetic(op, x, y)
}

var errZero = fmt.Errorf("a division by zero")

func intArithmetic(op string, x, y int) (any, error) {
	switch op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	case "**":
		p := math.Pow(float64(x), float64(y))
		if y >= 0 && math.Abs(p) < 1<<53 {
			return int(p), nil
		}
		return p, nil
	}
	if y == 0 {
		return nil, errZero
	}
	switch op {
	case "/":
		return float64(x) / float64(y), nil
	case "//":
		q := x / y
		if x%y != 0 && (x < 0) != (y < 0) {
			q-- // Python rounds down, Go towards zero
		}
		return q, nil
	}
	m := x % y
	if m != 0 && (m < 0) != (y < 0) {
		m += y
	}
	return m, nil
}

func floatArithmetic(op string, x, y float64) (any, error) {
	switch op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	case "**":
		return math.Pow(x, y), nil
	}
	if y == 0 {
		return nil, errZero
	}
	switch op {
	case "/":
		return x / y, nil
	case "//":
		return math.Floor(x / y), nil
	}
	m := math.Mod(x, y)
	if m != 0 && (m < 0) != (y < 0) {
		m += y
	}
	return m, nil
}

// concat is + on two strings, lists or tuples; ok says whether it applies.
func (r *run) concat(a, b any) (v any, ok bool, err error) {
	if s, ok := a.(string); ok {
		t, ok := b.(string)
		if !ok {
			return nil, false, nil
		}
		v, err = r.join(s, t)
		return v, true, err
	}
	x, okx := sequence(a)
	y, oky := sequence(b)
	if !okx || !oky || typeName(a) != typeName(b) {
		return nil, false, nil
	}
	if err := r.build((len(x) + len(y)) * itemBytes); err != nil {
		return nil, true, err
	}
	sum := append(append(make([]any, 0, len(x)+len(y)), x...), y...)
	if _, ok := a.(tuple); ok {
		return tuple(sum), true, nil
	}
	return sum, true, nil
}

// repeat is * on a string or a list; ok says whether it applies.
func (r *run) repeat(v any, n int) (out any, ok bool, err error) {
	n = max(n, 0)
	if s, ok := v.(string); ok {
		if s == "" {
			return "", true, nil
		}
		if n > r.bytes/len(s) {
			return nil, true, ErrBudget
		}
		return strings.Repeat(s, n), true, r.build(n * len(s))
	}
	items, ok := v.([]any)
	if !ok {
		return nil, false, nil
	}
	if len(items) > 0 && n > r.bytes/itemBytes/len(items) {
		return nil, true, ErrBudget
	}
	if len(items) == 0 {
		return items, true, nil
	}
	list := make([]any, 0, n*len(items))
	for range n {
		list = append(list, items...)
	}
	return list, true, r.build(n * len(items) * itemBytes)
}
