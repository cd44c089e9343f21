package jinja

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A value is one of: nil (None), bool, int, float64, string, []any (list), tuple, *Dict,
// *namespace, *loop, Func, and undefined. Lists and dicts are never changed once they are made:
// Jinja's sandbox forbids it, and so no value can contain itself.
type (
	tuple []any

	// undefined is what a missing name, item or attribute gives. It prints as nothing and is
	// false, but has no attributes.
	undefined struct{ name string }

	namespace struct{ vars map[string]any }

	// Func is a function that a template may call; see [Call].
	Func func(c *Call) (any, error)
)

// Dict is a mapping that keeps the order in which its keys were set. Keys are scalars.
type Dict struct {
	keys   []any
	values map[any]any
}

// NewDict makes a Dict from keys and values in turn: NewDict("role", "user", "content", "hi").
func NewDict(keysAndValues ...any) *Dict {
	d := &Dict{values: make(map[any]any, len(keysAndValues)/2)}
	for i := 0; i+1 < len(keysAndValues); i += 2 {
		d.set(keysAndValues[i], keysAndValues[i+1])
	}
	return d
}

func (d *Dict) set(key, value any) {
	if _, ok := d.values[key]; !ok {
		d.keys = append(d.keys, key)
	}
	d.values[key] = value
}

func hashable(v any) bool {
	switch v.(type) {
	case nil, bool, int, float64, string:
		return true
	}
	return false
}

func (u undefined) error() error { return fmt.Errorf("%q is undefined", u.name) }

// typeName is Python's name of a value's type, for error messages.
func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case []any:
		return "list"
	case tuple:
		return "tuple"
	case *Dict:
		return "dict"
	case undefined:
		return "undefined"
	case Func:
		return "function"
	}
	return "object"
}

func truth(v any) bool {
	switch v := v.(type) {
	case nil, undefined:
		return false
	case bool:
		return v
	case int:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case tuple:
		return len(v) > 0
	case *Dict:
		return len(v.keys) > 0
	}
	return true
}

// number gives a value as float64; bools count as 0 and 1, as in Python.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case bool, int:
		n, _ := integer(v)
		return float64(n), true
	case float64:
		return v, true
	}
	return 0, false
}

func integer(v any) (int, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int:
		return v, true
	}
	return 0, false
}

// sequence gives the items of a list or a tuple, which alias the value.
func sequence(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case tuple:
		return v, true
	}
	return nil, false
}

// length is Python's len; strings count characters.
func length(v any) (int, error) {
	switch v := v.(type) {
	case string:
		return utf8.RuneCountInString(v), nil
	case *Dict:
		return len(v.keys), nil
	case undefined:
		return 0, nil
	}
	if items, ok := sequence(v); ok {
		return len(items), nil
	}
	return 0, fmt.Errorf("a value of type %s has no length", typeName(v))
}

// iterate gives the items that a loop over v sees. The slice may alias the value.
func (r *run) iterate(v any) ([]any, error) {
	switch v := v.(type) {
	case undefined:
		return nil, nil
	case *Dict:
		return v.keys, nil
	case string:
		if err := r.build(len(v) * itemBytes); err != nil {
			return nil, err
		}
		out := make([]any, 0, len(v))
		for _, c := range v {
			out = append(out, string(c))
		}
		return out, nil
	}
	if items, ok := sequence(v); ok {
		return items, nil
	}
	return nil, fmt.Errorf("a value of type %s cannot be iterated", typeName(v))
}

// equal is Python's ==.
func (r *run) equal(a, b any) (bool, error) {
	if err := r.spend(1); err != nil {
		return false, err
	}
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && x == y, nil
	}
	switch a := a.(type) {
	case nil:
		return b == nil, nil
	case string:
		b, ok := b.(string)
		return ok && a == b, r.spend(min(len(a), len(b)) / bytesPerStep)
	case undefined:
		_, ok := b.(undefined)
		return ok, nil
	case []any:
		b, ok := b.([]any)
		return r.equalItems(a, b, ok)
	case tuple:
		b, ok := b.(tuple)
		return r.equalItems(a, b, ok)
	case *Dict:
		b, ok := b.(*Dict)
		if !ok || len(a.keys) != len(b.keys) {
			return false, nil
		}
		for _, k := range a.keys {
			v, ok := b.values[k]
			if !ok {
				return false, nil
			}
			if same, err := r.equal(a.values[k], v); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	case *namespace:
		b, ok := b.(*namespace)
		return ok && a == b, nil
	case *loop:
		b, ok := b.(*loop)
		return ok && a == b, nil
	}
	return false, nil
}

func (r *run) equalItems(a, b []any, sameType bool) (bool, error) {
	if !sameType || len(a) != len(b) {
		return false, nil
	}
	for i := range a {
		if same, err := r.equal(a[i], b[i]); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

// order is negative, zero or positive as a sorts before, with or after b.
func (r *run) order(a, b any) (int, error) {
	if err := r.spend(1); err != nil {
		return 0, err
	}
	x, okx := number(a)
	y, oky := number(b)
	switch {
	case okx && oky && x < y:
		return -1, nil
	case okx && oky && x > y:
		return 1, nil
	case okx && oky:
		return 0, nil
	}
	s, oks := a.(string)
	t, okt := b.(string)
	if oks && okt {
		return strings.Compare(s, t), r.spend(min(len(s), len(t)) / bytesPerStep)
	}
	return 0, fmt.Errorf("values of the types %s and %s have no order", typeName(a), typeName(b))
}

// contains is Python's "item in v".
func (r *run) contains(v, item any) (bool, error) {
	switch v := v.(type) {
	case undefined:
		return false, nil
	case string:
		s, ok := item.(string)
		if !ok {
			return false, fmt.Errorf("\"in\" on a str needs a str, not %s", typeName(item))
		}
		return strings.Contains(v, s), r.spend(len(v) / bytesPerStep)
	case *Dict:
		if !hashable(item) {
			return false, fmt.Errorf("a value of type %s cannot be a key", typeName(item))
		}
		_, ok := v.values[item]
		return ok, nil
	}
	items, ok := sequence(v)
	if !ok {
		return false, fmt.Errorf("\"in\" does not work on a value of type %s", typeName(v))
	}
	for _, x := range items {
		if same, err := r.equal(x, item); same || err != nil {
			return same, err
		}
	}
	return false, nil
}

// text is Python's str(v): what a template prints for the value.
func (r *run) text(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	var b strings.Builder
	err := r.print(&b, v, false)
	return b.String(), err
}

// print writes str(v), or repr(v) for a value inside another one. It spends as it goes: lists
// that share their items can print exponentially longer than they are.
func (r *run) print(b *strings.Builder, v any, repr bool) error {
	before := b.Len()
	switch v := v.(type) {
	case nil:
		b.WriteString("None")
	case undefined:
		if repr {
			b.WriteString("Undefined")
		}
	case bool:
		b.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case int:
		b.WriteString(strconv.Itoa(v))
	case float64:
		b.WriteString(floatText(v))
	case string:
		if err := r.build(len(v)); err != nil {
			return err
		}
		if repr {
			quotePython(b, v)
		} else {
			b.WriteString(v)
		}
	case []any:
		return r.printItems(b, "[", v, "]")
	case tuple:
		if len(v) == 1 {
			return r.printItems(b, "(", v, ",)")
		}
		return r.printItems(b, "(", v, ")")
	case *Dict:
		b.WriteByte('{')
		for i, k := range v.keys {
			if i > 0 {
				b.WriteString(", ")
			}
			if err := r.print(b, k, true); err != nil {
				return err
			}
			b.WriteString(": ")
			if err := r.print(b, v.values[k], true); err != nil {
				return err
			}
		}
		b.WriteByte('}')
		return r.build(2)
	default:
		b.WriteString("<" + typeName(v) + ">")
	}
	return r.build(b.Len() - before)
}

func (r *run) printItems(b *strings.Builder, open string, items []any, end string) error {
	b.WriteString(open)
	for i, x := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		if err := r.print(b, x, true); err != nil {
			return err
		}
	}
	b.WriteString(end)
	return r.build(2)
}

// floatText is Python's repr of a float.
func floatText(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 0):
		return strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(v, 'g', -1, 64)), "+")
	case v != 0 && (math.Abs(v) < 1e-4 || math.Abs(v) >= 1e16):
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func quotePython(b *strings.Builder, s string) {
	quote := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, "\"") {
		quote = '"'
	}
	b.WriteRune(quote)
	for _, c := range s {
		switch {
		case c == quote || c == '\\':
			b.WriteRune('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(c):
			b.WriteRune(c)
		case c < 0x100:
			fmt.Fprintf(b, `\x%02x`, c)
		case c < 0x10000:
			fmt.Fprintf(b, `\u%04x`, c)
		default:
			fmt.Fprintf(b, `\U%08x`, c)
		}
	}
	b.WriteRune(quote)
}
