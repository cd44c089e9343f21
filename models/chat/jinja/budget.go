package jinja

import (
	"errors"
	"time"
)

// A template comes from a file that nobody has checked, so every rendering has a budget: each
// evaluated node and each item a filter looks at costs a step, and each byte of every value that
// is built is counted, whether it lives on or not. Together they bound time and memory.
const (
	maxSource    = 1 << 20 // bytes of template source
	maxSteps     = 4 << 20
	maxDepth     = 2000 // expressions and statements under evaluation in each other, macros included
	maxRange     = 100_000
	itemBytes    = 16  // of one list item
	frameBytes   = 256 // of one scope
	bytesPerStep = 32  // bytes of text that may be searched for the price of one step
)

// ErrBudget is returned by a template that does too much work.
var ErrBudget = errors.New("the template does too much work")

// run is one rendering.
type run struct {
	steps, bytes, depth int
	now                 time.Time
}

// spend takes n steps off the budget.
func (r *run) spend(n int) error {
	if r.steps -= n; r.steps < 0 {
		return ErrBudget
	}
	return nil
}

// build takes n bytes off the budget. It is called before the bytes are allocated.
func (r *run) build(n int) error {
	if n < 0 || n > r.bytes {
		r.bytes = 0
		return ErrBudget
	}
	r.bytes -= n
	return r.spend(n / bytesPerStep / 8)
}

// join is a+b, paid for.
func (r *run) join(a, b string) (string, error) {
	if err := r.build(len(a) + len(b)); err != nil {
		return "", err
	}
	return a + b, nil
}

// nest counts one level of evaluation; unnest gives it back.
func (r *run) nest() error {
	if r.depth >= maxDepth {
		return ErrBudget
	}
	r.depth++
	return nil
}

func (r *run) unnest() { r.depth-- }
