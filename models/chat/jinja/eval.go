package jinja

import (
	"fmt"
	"strings"
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

func (e *attrExpr) eval(f *frame) (any, error) {
	x, err := f.eval(e.x)
	if err != nil {
		return nil, err
	}
	return attribute(x, e.name)
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
