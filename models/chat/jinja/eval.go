package jinja

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// frame is a scope: its own variables over those of the scope around it.
type frame struct {
	run  *run
	out  *strings.Builder
	vars map[string]any
	up   *frame
}

// inner is a scope inside f. It is paid for: a macro can keep it alive.
func (f *frame) inner() *frame {
	f.run.bytes -= frameBytes
	return &frame{run: f.run, out: f.out, vars: map[string]any{}, up: f}
}

func (f *frame) lookup(name string) any {
	for ; f != nil; f = f.up {
		if v, ok := f.vars[name]; ok {
			return v
		}
	}
	return undefined{name}
}

// eval evaluates a node within the budget. Nodes call it for their parts, never a part's own
// eval method.
func (f *frame) eval(x expr) (any, error) {
	if err := f.run.spend(1); err != nil {
		return nil, err
	}
	if err := f.run.nest(); err != nil {
		return nil, err
	}
	defer f.run.unnest()
	return x.eval(f)
}

func (f *frame) evalAll(xs []expr) ([]any, error) {
	if err := f.run.build(len(xs) * itemBytes); err != nil {
		return nil, err
	}
	out := make([]any, len(xs))
	for i, x := range xs {
		v, err := f.eval(x)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (f *frame) evalTruth(x expr) (bool, error) {
	v, err := f.eval(x)
	return truth(v), err
}

func (e *literal) eval(*frame) (any, error) { return e.value, nil }
func (e *name) eval(f *frame) (any, error)  { return f.lookup(e.name), nil }

func (e *listExpr) eval(f *frame) (any, error) { return f.evalAll(e.items) }

func (e *tupleExpr) eval(f *frame) (any, error) {
	items, err := f.evalAll(e.items)
	return tuple(items), err
}

func (e *dictExpr) eval(f *frame) (any, error) {
	d := NewDict()
	for i := range e.keys {
		if err := f.run.build(4 * itemBytes); err != nil {
			return nil, err
		}
		k, err := f.eval(e.keys[i])
		if err != nil {
			return nil, err
		}
		if !hashable(k) {
			return nil, fmt.Errorf("a value of type %s cannot be a key", typeName(k))
		}
		v, err := f.eval(e.values[i])
		if err != nil {
			return nil, err
		}
		d.set(k, v)
	}
	return d, nil
}

func (e *notExpr) eval(f *frame) (any, error) {
	v, err := f.evalTruth(e.x)
	return !v, err
}

func (e *negExpr) eval(f *frame) (any, error) {
	v, err := f.eval(e.x)
	if err != nil {
		return nil, err
	}
	if n, ok := integer(v); ok {
		return -n, nil
	}
	if n, ok := v.(float64); ok {
		return -n, nil
	}
	return nil, fmt.Errorf("\"-\" does not work on a value of type %s", typeName(v))
}

func (e *posExpr) eval(f *frame) (any, error) {
	v, err := f.eval(e.x)
	if err != nil {
		return nil, err
	}
	if _, ok := number(v); !ok {
		return nil, fmt.Errorf("\"+\" does not work on a value of type %s", typeName(v))
	}
	return v, nil
}

func (e *logicExpr) eval(f *frame) (any, error) {
	v, err := f.eval(e.left)
	if err != nil || truth(v) == e.or {
		return v, err
	}
	return f.eval(e.right)
}

func (e *condExpr) eval(f *frame) (any, error) {
	yes, err := f.evalTruth(e.cond)
	switch {
	case err != nil:
		return nil, err
	case yes:
		return f.eval(e.then)
	case e.other == nil:
		return undefined{"the missing else"}, nil
	}
	return f.eval(e.other)
}

func (e *compareExpr) eval(f *frame) (any, error) {
	left, err := f.eval(e.first)
	if err != nil {
		return nil, err
	}
	for i, op := range e.ops {
		right, err := f.eval(e.rest[i])
		if err != nil {
			return nil, err
		}
		if ok, err := f.run.compare(op, left, right); !ok || err != nil {
			return false, err
		}
		left = right
	}
	return true, nil
}

func (r *run) compare(op string, a, b any) (bool, error) {
	switch op {
	case "==":
		return r.equal(a, b)
	case "!=":
		same, err := r.equal(a, b)
		return !same, err
	case "in":
		return r.contains(b, a)
	case "not in":
		in, err := r.contains(b, a)
		return !in, err
	}
	for _, v := range []any{a, b} {
		if u, ok := v.(undefined); ok {
			return false, u.error()
		}
	}
	n, err := r.order(a, b)
	switch op {
	case "<":
		return n < 0, err
	case "<=":
		return n <= 0, err
	case ">":
		return n > 0, err
	}
	return n >= 0, err
}

func (e *binaryExpr) eval(f *frame) (any, error) {
	a, err := f.eval(e.left)
	if err != nil {
		return nil, err
	}
	b, err := f.eval(e.right)
	if err != nil {
		return nil, err
	}
	if e.op == "~" {
		s, err := f.run.text(a)
		if err != nil {
			return nil, err
		}
		t, err := f.run.text(b)
		if err != nil {
			return nil, err
		}
		return f.run.join(s, t)
	}
	for _, v := range []any{a, b} {
		if u, ok := v.(undefined); ok {
			return nil, u.error()
		}
	}
	return f.run.arithmetic(e.op, a, b)
}

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

func (e *attrExpr) eval(f *frame) (any, error) {
	x, err := f.eval(e.x)
	if err != nil {
		return nil, err
	}
	return attribute(x, e.name)
}

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

func (e *indexExpr) eval(f *frame) (any, error) {
	x, err := f.eval(e.x)
	if err != nil {
		return nil, err
	}
	i, err := f.eval(e.index)
	if err != nil {
		return nil, err
	}
	return f.run.item(x, i)
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

func (e *sliceExpr) eval(f *frame) (any, error) {
	x, err := f.eval(e.x)
	if err != nil {
		return nil, err
	}
	var bounds [3]any
	for i, part := range []expr{e.low, e.high, e.step} {
		if part == nil {
			continue
		}
		v, err := f.eval(part)
		if err != nil {
			return nil, err
		}
		if _, ok := integer(v); v != nil && !ok {
			return nil, fmt.Errorf("a slice needs integers, not %s", typeName(v))
		}
		bounds[i] = v
	}
	return f.run.slice(x, bounds[0], bounds[1], bounds[2])
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

func (e *callExpr) eval(f *frame) (any, error) {
	fn, err := f.eval(e.fn)
	if err != nil {
		return nil, err
	}
	call, err := e.args.eval(f)
	if err != nil {
		return nil, err
	}
	switch fn := fn.(type) {
	case Func:
		return fn(call)
	case undefined:
		return nil, fn.error()
	}
	return nil, fmt.Errorf("a value of type %s cannot be called", typeName(fn))
}

func (e *filterExpr) eval(f *frame) (any, error) {
	x, err := f.eval(e.x)
	if err != nil {
		return nil, err
	}
	return e.apply(f, x)
}

func (e *filterExpr) apply(f *frame, x any) (any, error) {
	call, err := e.args.eval(f)
	if err != nil {
		return nil, err
	}
	v, err := e.fn(call, x)
	if err != nil {
		return nil, fmt.Errorf("filter %q: %w", e.name, err)
	}
	return v, nil
}

func (e *testExpr) eval(f *frame) (any, error) {
	x, err := f.eval(e.x)
	if err != nil {
		return nil, err
	}
	call, err := e.args.eval(f)
	if err != nil {
		return nil, err
	}
	yes, err := e.fn(call, x)
	if err != nil {
		return nil, fmt.Errorf("test %q: %w", e.name, err)
	}
	return yes, nil
}
