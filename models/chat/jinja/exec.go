package jinja

import (
	"errors"
	"fmt"
	"strings"
)

// A loop catches these; nothing else sees them, for the parser allows the tags only in loops.
var (
	errBreak    = errors.New("break")
	errContinue = errors.New("continue")
)

func (f *frame) exec(body []stmt) error {
	if err := f.run.nest(); err != nil {
		return err
	}
	defer f.run.unnest()
	for _, s := range body {
		if err := f.run.spend(1); err != nil {
			return err
		}
		if err := s.exec(f); err != nil {
			return err
		}
	}
	return nil
}

// capture runs a body and returns what it wrote.
func (f *frame) capture(body []stmt) (string, error) {
	inner := f.inner()
	inner.out = &strings.Builder{}
	err := inner.exec(body)
	return inner.out.String(), err
}

func (f *frame) write(s string) error {
	if err := f.run.build(len(s)); err != nil {
		return err
	}
	f.out.WriteString(s)
	return nil
}

// at adds the line to an error, once.
func at(line int, err error) error {
	var placed *lineError
	if err == nil || err == errBreak || err == errContinue || errors.As(err, &placed) {
		return err
	}
	return &lineError{line, err}
}

type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }
func (e *lineError) Unwrap() error { return e.err }

func (s *textStmt) exec(f *frame) error { return f.write(s.text) }

func (s *outputStmt) exec(f *frame) error {
	v, err := f.eval(s.x)
	if err != nil {
		return at(s.line, err)
	}
	text, err := f.run.text(v)
	if err != nil {
		return at(s.line, err)
	}
	return at(s.line, f.write(text))
}

func (s *ifStmt) exec(f *frame) error {
	for i, cond := range s.conds {
		yes, err := f.evalTruth(cond)
		if err != nil {
			return at(s.line, err)
		}
		if yes {
			return f.exec(s.bodies[i])
		}
	}
	if len(s.bodies) > len(s.conds) {
		return f.exec(s.bodies[len(s.conds)])
	}
	return nil
}

func (s *forStmt) exec(f *frame) error {
	v, err := f.eval(s.iter)
	if err != nil {
		return at(s.line, err)
	}
	items, err := f.run.iterate(v)
	if err != nil {
		return at(s.line, err)
	}
	if s.filter != nil {
		if items, err = s.filtered(f, items); err != nil {
			return at(s.line, err)
		}
	}
	if len(items) == 0 {
		return f.inner().exec(s.empty)
	}
	info := &loop{items: items}
	for i, item := range items {
		if err := f.run.spend(1); err != nil {
			return at(s.line, err)
		}
		info.index = i
		inner := f.inner()
		inner.vars["loop"] = info
		if err := inner.assign(s.targets, item); err != nil {
			return at(s.line, err)
		}
		switch err := inner.exec(s.body); err {
		case nil, errContinue:
		case errBreak:
			return nil
		default:
			return err
		}
	}
	return nil
}

// filtered keeps the items for which the loop's condition holds.
func (s *forStmt) filtered(f *frame, items []any) ([]any, error) {
	var kept []any
	for _, item := range items {
		inner := f.inner()
		if err := inner.assign(s.targets, item); err != nil {
			return nil, err
		}
		yes, err := inner.evalTruth(s.filter)
		if err != nil {
			return nil, err
		}
		if yes {
			kept = append(kept, item)
		}
	}
	return kept, nil
}

// assign sets one name to the value, or takes a sequence apart over several names.
func (f *frame) assign(names []string, v any) error {
	if len(names) == 1 {
		f.vars[names[0]] = v
		return nil
	}
	items, err := f.run.iterate(v)
	if err != nil {
		return err
	}
	if len(items) != len(names) {
		return fmt.Errorf("expected %d values, found %d", len(names), len(items))
	}
	for i, n := range names {
		f.vars[n] = items[i]
	}
	return nil
}

func (s *setStmt) exec(f *frame) error {
	v, err := s.evaluate(f)
	if err != nil {
		return at(s.line, err)
	}
	if s.attr == "" {
		return at(s.line, f.assign(s.targets, v))
	}
	ns, ok := f.lookup(s.targets[0]).(*namespace)
	if !ok {
		return at(s.line, fmt.Errorf("%q is not a namespace", s.targets[0]))
	}
	ns.vars[s.attr] = v
	return nil
}

func (s *setStmt) evaluate(f *frame) (any, error) {
	if s.value != nil {
		return f.eval(s.value)
	}
	text, err := f.capture(s.body)
	if err != nil {
		return nil, err
	}
	return applyAll(f, s.filters, text)
}

func applyAll(f *frame, filters []*filterExpr, v any) (any, error) {
	for _, filter := range filters {
		var err error
		if v, err = filter.apply(f, v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// exec makes the macro a function. Its body sees the scope in which it stands, and its own
// arguments; an argument that is not given and has no default is undefined.
func (s *macroStmt) exec(f *frame) error {
	f.vars[s.name] = Func(func(c *Call) (any, error) {
		args, err := c.args(s.params...)
		if err != nil {
			return nil, fmt.Errorf("macro %q: %w", s.name, err)
		}
		inner := f.inner()
		for i, p := range s.params {
			if _, missing := args[i].(undefined); missing {
				args[i] = undefined{p}
				if s.defaults[i] != nil {
					if args[i], err = inner.eval(s.defaults[i]); err != nil {
						return nil, err
					}
				}
			}
			inner.vars[p] = args[i]
		}
		return inner.capture(s.body)
	})
	return nil
}

func (s *withStmt) exec(f *frame) error {
	inner := f.inner()
	for i, n := range s.names {
		v, err := f.eval(s.values[i])
		if err != nil {
			return err
		}
		inner.vars[n] = v
	}
	return inner.exec(s.body)
}

func (s *filterStmt) exec(f *frame) error {
	text, err := f.capture(s.body)
	if err != nil {
		return err
	}
	v, err := applyAll(f, s.filters, text)
	if err != nil {
		return at(s.line, err)
	}
	if text, err = f.run.text(v); err != nil {
		return at(s.line, err)
	}
	return f.write(text)
}

func (s *doStmt) exec(f *frame) error {
	_, err := f.eval(s.x)
	return at(s.line, err)
}

func (s *blockStmt) exec(f *frame) error { return f.exec(s.body) }
func (breakStmt) exec(*frame) error      { return errBreak }
func (continueStmt) exec(*frame) error   { return errContinue }

// loop is the variable "loop" inside a for.
type loop struct {
	items []any
	index int
}

func (l *loop) attribute(name string) any {
	n := len(l.items)
	switch name {
	case "index":
		return l.index + 1
	case "index0":
		return l.index
	case "revindex":
		return n - l.index
	case "revindex0":
		return n - l.index - 1
	case "first":
		return l.index == 0
	case "last":
		return l.index == n-1
	case "length":
		return n
	case "depth":
		return 1 // it counts recursive loops, which are not supported
	case "depth0":
		return 0
	case "previtem":
		if l.index > 0 {
			return l.items[l.index-1]
		}
	case "nextitem":
		if l.index < n-1 {
			return l.items[l.index+1]
		}
	case "cycle":
		return Func(func(c *Call) (any, error) {
			if len(c.positional) == 0 {
				return nil, errors.New("loop.cycle needs arguments")
			}
			return c.positional[l.index%len(c.positional)], nil
		})
	}
	return undefined{"loop." + name}
}
