package jinja

import (
	"errors"
	"fmt"
	"maps"
)

// RaisedError is an error that the template itself raised with raise_exception.
type RaisedError struct{ Message string }

func (e *RaisedError) Error() string { return e.Message }

// functions are the names that every template knows. The map is never written.
var functions = map[string]any{
	"range":           Func(rangeFunc),
	"namespace":       Func(namespaceFunc),
	"dict":            Func(dictFunc),
	"raise_exception": Func(raiseFunc),
	"strftime_now":    Func(strftimeFunc),
}

func rangeFunc(c *Call) (any, error) {
	a, err := c.args("start", "stop", "step")
	if err != nil {
		return nil, err
	}
	if absent(a[1]) {
		a[0], a[1] = 0, a[0]
	}
	var n [3]int
	for i, v := range a {
		if i == 2 && absent(v) {
			v = 1
		}
		var ok bool
		if n[i], ok = integer(v); !ok {
			return nil, fmt.Errorf("range needs integers, not %s", typeName(v))
		}
	}
	start, stop, step := n[0], n[1], n[2]
	if step == 0 {
		return nil, errors.New("the step of a range is zero")
	}
	var out []any
	for i := start; step > 0 && i < stop || step < 0 && i > stop; {
		if len(out) >= maxRange {
			return nil, ErrBudget
		}
		out = append(out, i)
		next := i + step
		if (next > i) != (step > 0) {
			break // past the largest integer
		}
		i = next
	}
	return out, c.run.build(len(out) * 2 * itemBytes)
}

func namespaceFunc(c *Call) (any, error) {
	ns := &namespace{vars: map[string]any{}}
	for _, v := range c.positional {
		d, ok := v.(*Dict)
		if !ok {
			return nil, fmt.Errorf("namespace takes a dict, not %s", typeName(v))
		}
		for _, k := range d.keys {
			if s, ok := k.(string); ok {
				ns.vars[s] = d.values[k]
			}
		}
	}
	for i, n := range c.names {
		ns.vars[n] = c.named[i]
	}
	return ns, c.run.build(frameBytes + 4*itemBytes*len(ns.vars))
}

func dictFunc(c *Call) (any, error) {
	d := NewDict()
	for _, v := range c.positional {
		from, ok := v.(*Dict)
		if !ok {
			return nil, fmt.Errorf("dict takes a dict, not %s", typeName(v))
		}
		d.keys = append(d.keys, from.keys...)
		maps.Copy(d.values, from.values)
	}
	for i, n := range c.names {
		d.set(n, c.named[i])
	}
	return d, c.run.build(4 * itemBytes * len(d.keys))
}

func raiseFunc(c *Call) (any, error) {
	message, err := c.String()
	if err != nil {
		return nil, err
	}
	return nil, &RaisedError{message}
}

func strftimeFunc(c *Call) (any, error) {
	layout, err := c.String()
	if err != nil {
		return nil, err
	}
	if err := c.run.build(len(layout) * 16); err != nil {
		return nil, err
	}
	return strftime(c.run.now, layout), nil
}
