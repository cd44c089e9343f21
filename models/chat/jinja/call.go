package jinja

import "fmt"

// Call holds the arguments of a call to a function, method, filter or test.
type Call struct {
	frame      *frame
	run        *run
	positional []any
	names      []string
	named      []any
}

func (a *argList) eval(f *frame) (*Call, error) {
	c := &Call{frame: f, run: f.run, names: a.names}
	var err error
	if c.positional, err = f.evalAll(a.positional); err != nil {
		return nil, err
	}
	c.named, err = f.evalAll(a.named)
	return c, err
}

// args gives the arguments in the order of the parameters' names, undefined where the caller
// gave none. Too many arguments and unknown names are errors.
func (c *Call) args(params ...string) ([]any, error) {
	if len(c.positional) > len(params) {
		return nil, fmt.Errorf("at most %d arguments are expected, %d were given", len(params), len(c.positional))
	}
	out := make([]any, len(params))
	copy(out, c.positional)
	for i := len(c.positional); i < len(params); i++ {
		out[i] = undefined{params[i]}
	}
	for i, n := range c.names {
		at := indexOf(params, n)
		if at < 0 {
			return nil, fmt.Errorf("unknown argument %q", n)
		}
		out[at] = c.named[i]
	}
	return out, nil
}

func indexOf(list []string, s string) int {
	for i, x := range list {
		if x == s {
			return i
		}
	}
	return -1
}

// String is the text of the one argument of the call, for functions that take a text.
func (c *Call) String() (string, error) {
	a, err := c.args("text")
	if err != nil {
		return "", err
	}
	return stringArg(a[0])
}

// The functions below give an argument as a Go value. An argument that is not given, or is
// None, takes the default.

func stringArg(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	return "", fmt.Errorf("an argument should be a str, not %s", typeName(v))
}

func stringOr(v any, def string) (string, error) {
	if absent(v) {
		return def, nil
	}
	return stringArg(v)
}

func intOr(v any, def int) (int, error) {
	if absent(v) {
		return def, nil
	}
	if n, ok := integer(v); ok {
		return n, nil
	}
	return 0, fmt.Errorf("an argument should be an int, not %s", typeName(v))
}

func absent(v any) bool {
	_, missing := v.(undefined)
	return missing || v == nil
}
