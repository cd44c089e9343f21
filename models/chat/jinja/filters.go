package jinja

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// filter is what stands after "|".
type filter func(c *Call, x any) (any, error)

var filters map[string]filter

func init() {
	filters = map[string]filter{
		"default": defaultFilter, "d": defaultFilter,
		"length": lengthFilter, "count": lengthFilter,
		"first":      func(c *Call, x any) (any, error) { return c.end(x, true) },
		"last":       func(c *Call, x any) (any, error) { return c.end(x, false) },
		"list":       listFilter,
		"items":      itemsFilter,
		"join":       joinFilter,
		"reverse":    reverseFilter,
		"sort":       sortFilter,
		"dictsort":   dictsortFilter,
		"unique":     uniqueFilter,
		"min":        func(c *Call, x any) (any, error) { return c.extreme(x, -1) },
		"max":        func(c *Call, x any) (any, error) { return c.extreme(x, 1) },
		"sum":        sumFilter,
		"map":        mapFilter,
		"select":     selectFilter(true, false),
		"reject":     selectFilter(false, false),
		"selectattr": selectFilter(true, true),
		"rejectattr": selectFilter(false, true),
		"attr": func(c *Call, x any) (any, error) {
			name, err := c.String()
			if err != nil {
				return nil, err
			}
			return attribute(x, name)
		},
		"upper":      textFilter(strings.ToUpper),
		"lower":      textFilter(strings.ToLower),
		"capitalize": textFilter(capitalize),
		"title":      textFilter(titleFilter),
		"string":     textFilter(func(s string) string { return s }),
		"safe":       textFilter(func(s string) string { return s }),
		"escape":     escapeFilter, "e": escapeFilter,
		"trim":      trimFilter,
		"replace":   replaceFilter,
		"indent":    indentFilter,
		"format":    func(c *Call, x any) (any, error) { return c.percent(x) },
		"wordcount": wordcountFilter,
		"tojson":    tojson,
		"int":       intFilter,
		"float":     floatFilter,
		"abs":       absFilter,
		"round":     roundFilter,
	}
}

func defaultFilter(c *Call, x any) (any, error) {
	a, err := c.args("default_value", "boolean")
	if err != nil {
		return nil, err
	}
	if _, missing := x.(undefined); missing || truth(a[1]) && !truth(x) {
		if _, none := a[0].(undefined); none {
			return "", nil
		}
		return a[0], nil
	}
	return x, nil
}

func lengthFilter(c *Call, x any) (any, error) {
	if s, ok := x.(string); ok {
		if err := c.run.spend(len(s) / bytesPerStep); err != nil {
			return nil, err
		}
	}
	return length(x)
}

func (c *Call) end(x any, first bool) (any, error) {
	items, err := c.run.iterate(x)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return undefined{"the item of an empty sequence"}, nil
	}
	if first {
		return items[0], nil
	}
	return items[len(items)-1], nil
}

func listFilter(c *Call, x any) (any, error) {
	items, err := c.run.iterate(x)
	if err != nil {
		return nil, err
	}
	return slices.Clone(items), c.run.build(len(items) * itemBytes)
}

func itemsFilter(c *Call, x any) (any, error) {
	switch x := x.(type) {
	case undefined:
		return []any(nil), nil
	case *Dict:
		return dictItems(c, x)
	}
	return nil, fmt.Errorf("a value of type %s has no items", typeName(x))
}

func joinFilter(c *Call, x any) (any, error) {
	a, err := c.args("d", "attribute")
	if err != nil {
		return nil, err
	}
	sep, err := stringOr(a[0], "")
	if err != nil {
		return nil, err
	}
	items, err := c.values(x, a[1])
	if err != nil {
		return nil, err
	}
	return c.run.joinAll(items, sep)
}

// values gives the items of x, or an attribute of each.
func (c *Call) values(x, attr any) ([]any, error) {
	items, err := c.run.iterate(x)
	if err != nil || absent(attr) {
		return items, err
	}
	if err := c.run.build(len(items) * itemBytes); err != nil {
		return nil, err
	}
	out := make([]any, len(items))
	for i, item := range items {
		if out[i], err = c.path(item, attr); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// path is the attribute of x that a filter's argument names: "a.b" or an index.
func (c *Call) path(x, attr any) (any, error) {
	name, ok := attr.(string)
	if !ok {
		return c.run.item(x, attr)
	}
	for _, part := range strings.Split(name, ".") {
		var key any = part
		if n, err := strconv.Atoi(part); err == nil {
			key = n
		}
		var err error
		if err = c.run.spend(1); err != nil {
			return nil, err
		}
		if x, err = c.run.item(x, key); err != nil {
			return nil, err
		}
	}
	return x, nil
}

func reverseFilter(c *Call, x any) (any, error) {
	items, err := c.run.iterate(x)
	if err != nil {
		return nil, err
	}
	if err := c.run.build(len(items) * itemBytes); err != nil {
		return nil, err
	}
	items = slices.Clone(items)
	slices.Reverse(items)
	if _, ok := x.(string); ok {
		return c.run.joinAll(items, "")
	}
	return items, nil
}

// folded is the value by which sorting compares: texts without their case, unless it matters.
func folded(v any, caseSensitive bool) any {
	if s, ok := v.(string); ok && !caseSensitive {
		return strings.ToLower(s)
	}
	return v
}

// sorted sorts items by keys, which have the same length.
func (c *Call) sorted(items, keys []any, reverse, caseSensitive bool) ([]any, error) {
	if err := c.run.build(len(items) * 4 * itemBytes); err != nil {
		return nil, err
	}
	type pair struct{ key, item any }
	pairs := make([]pair, len(items))
	for i := range items {
		pairs[i] = pair{folded(keys[i], caseSensitive), items[i]}
	}
	var failed error
	slices.SortStableFunc(pairs, func(a, b pair) int {
		if failed != nil {
			return 0
		}
		n, err := c.run.order(a.key, b.key)
		failed = err
		if reverse {
			return -n
		}
		return n
	})
	out := make([]any, len(items))
	for i, p := range pairs {
		out[i] = p.item
	}
	return out, failed
}

func sortFilter(c *Call, x any) (any, error) {
	a, err := c.args("reverse", "case_sensitive", "attribute")
	if err != nil {
		return nil, err
	}
	items, err := c.run.iterate(x)
	if err != nil {
		return nil, err
	}
	keys, err := c.values(x, a[2])
	if err != nil {
		return nil, err
	}
	return c.sorted(items, keys, truth(a[0]), truth(a[1]))
}

func dictsortFilter(c *Call, x any) (any, error) {
	a, err := c.args("case_sensitive", "by", "reverse")
	if err != nil {
		return nil, err
	}
	d, ok := x.(*Dict)
	if !ok {
		return nil, fmt.Errorf("a value of type %s is no dict", typeName(x))
	}
	items, err := dictItems(c, d)
	if err != nil {
		return nil, err
	}
	part := 0
	if a[1] == any("value") {
		part = 1
	}
	keys, err := c.values(items, part)
	if err != nil {
		return nil, err
	}
	return c.sorted(items.([]any), keys, truth(a[2]), truth(a[0]))
}

func uniqueFilter(c *Call, x any) (any, error) {
	a, err := c.args("case_sensitive", "attribute")
	if err != nil {
		return nil, err
	}
	items, err := c.run.iterate(x)
	if err != nil {
		return nil, err
	}
	keys, err := c.values(x, a[1])
	if err != nil {
		return nil, err
	}
	seen := map[any]bool{}
	var out []any
	for i, k := range keys {
		if k = folded(k, truth(a[0])); !hashable(k) {
			return nil, fmt.Errorf("a value of type %s cannot be compared", typeName(k))
		}
		if !seen[k] {
			seen[k] = true
			out = append(out, items[i])
		}
	}
	return out, c.run.build(len(items) * 4 * itemBytes)
}

// mapFilter is map(attribute="a.b", default=...) or map("filter", arguments...).
func mapFilter(c *Call, x any) (any, error) {
	items, err := c.run.iterate(x)
	if err != nil {
		return nil, err
	}
	apply, err := c.mapping()
	if err != nil {
		return nil, err
	}
	if err := c.run.build(len(items) * itemBytes); err != nil {
		return nil, err
	}
	out := make([]any, len(items))
	for i, item := range items {
		if err := c.run.spend(1); err != nil {
			return nil, err
		}
		if out[i], err = apply(item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *Call) mapping() (func(x any) (any, error), error) {
	if len(c.positional) == 0 {
		a, err := c.args("attribute", "default")
		if err != nil {
			return nil, err
		}
		return func(x any) (any, error) {
			v, err := c.path(x, a[0])
			if _, missing := v.(undefined); missing && !absent(a[1]) {
				return a[1], err
			}
			return v, err
		}, nil
	}
	name, err := stringArg(c.positional[0])
	if err != nil {
		return nil, err
	}
	f, ok := filters[name]
	if !ok {
		return nil, fmt.Errorf("unknown filter %q", name)
	}
	inner := *c
	inner.positional = c.positional[1:]
	return func(x any) (any, error) {
		if err := c.run.nest(); err != nil {
			return nil, err
		}
		defer c.run.unnest()
		return f(&inner, x)
	}, nil
}

// selectFilter keeps the items, or those whose attribute, passes (or fails) a test.
func selectFilter(keep, byAttribute bool) filter {
	return func(c *Call, x any) (any, error) {
		items, err := c.run.iterate(x)
		if err != nil {
			return nil, err
		}
		inner := *c
		var attr any
		if byAttribute {
			if len(inner.positional) == 0 {
				return nil, errors.New("the attribute is missing")
			}
			attr, inner.positional = inner.positional[0], inner.positional[1:]
		}
		passes := func(_ *Call, x any) (bool, error) { return truth(x), nil }
		if len(inner.positional) > 0 {
			name, err := stringArg(inner.positional[0])
			if err != nil {
				return nil, err
			}
			var ok bool
			if passes, ok = tests[name]; !ok {
				return nil, fmt.Errorf("unknown test %q", name)
			}
			inner.positional = inner.positional[1:]
		}
		values, err := c.values(x, attr)
		if err != nil {
			return nil, err
		}
		if err := c.run.build(len(items) * itemBytes); err != nil {
			return nil, err
		}
		var out []any
		for i, v := range values {
			if err := c.run.spend(1); err != nil {
				return nil, err
			}
			yes, err := passes(&inner, v)
			if err != nil {
				return nil, err
			}
			if yes == keep {
				out = append(out, items[i])
			}
		}
		return out, nil
	}
}
