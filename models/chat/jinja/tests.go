package jinja

import "strings"

// test is what stands after "is".
type test func(c *Call, x any) (bool, error)

var tests map[string]test

func init() {
	of := func(f func(x any) bool) test {
		return func(_ *Call, x any) (bool, error) { return f(x), nil }
	}
	compare := func(op string) test {
		return func(c *Call, x any) (bool, error) {
			a, err := c.args("other")
			if err != nil {
				return false, err
			}
			return c.run.compare(op, x, a[0])
		}
	}
	tests = map[string]test{
		"defined":   of(func(x any) bool { _, u := x.(undefined); return !u }),
		"undefined": of(func(x any) bool { _, u := x.(undefined); return u }),
		"none":      of(func(x any) bool { return x == nil }),
		"boolean":   of(func(x any) bool { _, ok := x.(bool); return ok }),
		"true":      of(func(x any) bool { return x == true }),
		"false":     of(func(x any) bool { return x == false }),
		"integer":   of(func(x any) bool { _, ok := x.(int); return ok }),
		"float":     of(func(x any) bool { _, ok := x.(float64); return ok }),
		"number":    of(func(x any) bool { _, ok := number(x); return ok }),
		"string":    of(func(x any) bool { _, ok := x.(string); return ok }),
		"mapping":   of(func(x any) bool { _, ok := x.(*Dict); return ok }),
		"callable":  of(func(x any) bool { _, ok := x.(Func); return ok }),
		"lower":     of(func(x any) bool { s, ok := x.(string); return ok && pyIsLower(s) }),
		"upper":     of(func(x any) bool { s, ok := x.(string); return ok && pyIsUpper(s) }),
		"sequence": of(func(x any) bool {
			_, err := length(x)
			return err == nil
		}),
		"iterable": of(func(x any) bool {
			_, err := length(x)
			return err == nil
		}),
		"odd":         divisible(2, 1),
		"even":        divisible(2, 0),
		"divisibleby": divisible(0, 0),
		"sameas": func(c *Call, x any) (bool, error) {
			a, err := c.args("other")
			if err != nil || typeName(a[0]) != typeName(x) {
				return false, err
			}
			return c.run.equal(x, a[0])
		},
		"eq": compare("=="), "equalto": compare("=="),
		"ne": compare("!="),
		"lt": compare("<"), "lessthan": compare("<"), "le": compare("<="),
		"gt": compare(">"), "greaterthan": compare(">"), "ge": compare(">="),
		"in": compare("in"),
		"filter": of(func(x any) bool {
			s, _ := x.(string)
			return filters[s] != nil
		}),
		"test": of(func(x any) bool {
			s, _ := x.(string)
			return tests[s] != nil
		}),
		// select and selectattr name these as strings.
		"==": compare("=="), "!=": compare("!="), "<": compare("<"), "<=": compare("<="),
		">": compare(">"), ">=": compare(">="),
	}
}

// divisible tests the remainder of a division by n, or by the test's argument if n is 0.
func divisible(n, rest int) test {
	return func(c *Call, x any) (bool, error) {
		by := any(n)
		if n == 0 {
			a, err := c.args("num")
			if err != nil {
				return false, err
			}
			by = a[0]
		}
		m, err := c.run.arithmetic("%", x, by)
		return m == any(rest), err
	}
}

// A string is lower or upper when it has letters with a case, and all have that one.
func pyIsLower(s string) bool { return strings.ToLower(s) == s && strings.ToUpper(s) != s }
func pyIsUpper(s string) bool { return strings.ToUpper(s) == s && strings.ToLower(s) != s }
