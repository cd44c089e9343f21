package jinja

import (
	"fmt"
	"strings"
	"time"
)

// Template is a parsed template. It may render on several goroutines at once.
type Template struct{ body []stmt }

// Options of one rendering.
type Options struct {
	Now   time.Time // what strftime_now prints
	Bytes int       // how many bytes the template may build in all, intermediate values included
}

// Parse parses a template. The error names the line. A source of more than 1 MB is refused.
func Parse(source string) (t *Template, err error) {
	defer contain(&err)
	if len(source) > maxSource {
		return nil, fmt.Errorf("the template is larger than %d bytes", maxSource)
	}
	tokens, err := lex(source)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	body, _, err := p.body()
	if err != nil {
		return nil, err
	}
	return &Template{body}, nil
}

// Render runs the template over variables, whose values are nil, bool, int, float64, string,
// []any, *[Dict] or [Func]. The errors are a *[RaisedError], [ErrBudget], or tell the line and
// what is wrong there.
func (t *Template) Render(vars map[string]any, o Options) (text string, err error) {
	defer contain(&err)
	r := &run{steps: maxSteps, bytes: o.Bytes, now: o.Now}
	globals := &frame{run: r, vars: functions}
	given := &frame{run: r, vars: vars, up: globals}
	var out strings.Builder
	top := &frame{run: r, out: &out, vars: map[string]any{}, up: given}
	if err := top.exec(t.body); err != nil {
		return "", err
	}
	return out.String(), nil
}

// contain turns a panic into an error. None is known; but the source is hostile, and the program
// that holds the user's conversation must outlive it.
func contain(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the template broke its interpreter: %v", p)
	}
}
