package jinja

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
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

// extreme is the least (sign -1) or greatest (1) item.
func (c *Call) extreme(x any, sign int) (any, error) {
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
	if len(items) == 0 {
		return undefined{"the item of an empty sequence"}, nil
	}
	best := 0
	for i := range items {
		n, err := c.run.order(folded(keys[i], truth(a[0])), folded(keys[best], truth(a[0])))
		if err != nil {
			return nil, err
		}
		if n*sign > 0 {
			best = i
		}
	}
	return items[best], nil
}

func sumFilter(c *Call, x any) (any, error) {
	a, err := c.args("attribute", "start")
	if err != nil {
		return nil, err
	}
	items, err := c.values(x, a[0])
	if err != nil {
		return nil, err
	}
	var sum any = 0
	if !absent(a[1]) {
		sum = a[1]
	}
	for _, item := range items {
		if err := c.run.spend(1); err != nil {
			return nil, err
		}
		if sum, err = c.run.arithmetic("+", sum, item); err != nil {
			return nil, err
		}
	}
	return sum, nil
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

// textFilter is a filter on the text of any value.
func textFilter(f func(string) string) filter {
	return func(c *Call, x any) (any, error) {
		if _, err := c.args(); err != nil {
			return nil, err
		}
		s, err := c.run.text(x)
		if err != nil {
			return nil, err
		}
		if err := c.run.build(2 * len(s)); err != nil {
			return nil, err
		}
		return f(s), nil
	}
}

// titleFilter begins words with a capital; unlike str.title it takes "don't" for one word.
func titleFilter(s string) string {
	start := true
	return strings.Map(func(r rune) rune {
		was := start
		start = isSpace(r) || strings.ContainsRune("-({[<", r)
		if was {
			return unicode.ToUpper(r)
		}
		return unicode.ToLower(r)
	}, s)
}

var htmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\"", "&#34;", "'", "&#39;")

func escapeFilter(c *Call, x any) (any, error) {
	s, err := c.run.text(x)
	if err != nil {
		return nil, err
	}
	return htmlEscapes.Replace(s), c.run.build(5 * len(s))
}

func trimFilter(c *Call, x any) (any, error) {
	s, err := c.run.text(x)
	if err != nil {
		return nil, err
	}
	return strip(true, true)(c, s)
}

func replaceFilter(c *Call, x any) (any, error) {
	s, err := c.run.text(x)
	if err != nil {
		return nil, err
	}
	return replaceMethod(c, s)
}

func indentFilter(c *Call, x any) (any, error) {
	a, err := c.args("width", "first", "blank")
	if err != nil {
		return nil, err
	}
	s, err := c.run.text(x)
	if err != nil {
		return nil, err
	}
	by, ok := a[0].(string)
	if !ok {
		n, err := intOr(a[0], 4)
		if err != nil {
			return nil, err
		}
		by = strings.Repeat(" ", min(max(n, 0), 1000))
	}
	count := strings.Count(s, "\n") + strings.Count(s, "\r") + 1
	if len(by) > 0 && count > c.run.bytes/len(by) {
		return nil, ErrBudget
	}
	if err := c.run.build(len(s) + count*(len(by)+itemBytes)); err != nil {
		return nil, err
	}
	var b strings.Builder
	for i, line := range lines(s+"\n", false) {
		if i > 0 {
			b.WriteByte('\n')
		}
		if i == 0 && truth(a[1]) || i > 0 && (line != "" || truth(a[2])) {
			b.WriteString(by)
		}
		b.WriteString(line)
	}
	return b.String(), nil
}

func wordcountFilter(c *Call, x any) (any, error) {
	s, err := c.run.text(x)
	if err != nil {
		return nil, err
	}
	return len(strings.Fields(s)), c.run.build(len(s) * itemBytes)
}

func (c *Call) percent(x any) (any, error) {
	s, err := c.run.text(x)
	if err != nil {
		return nil, err
	}
	return c.run.formatPercent(s, c.positional)
}

// formatPercent is Python's "%" on a string, with the verbs s, r, d, i and f and a precision.
func (r *run) formatPercent(s string, args tuple) (any, error) {
	var b strings.Builder
	for used := 0; ; used++ {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			if used < len(args) {
				return nil, errors.New("the format has too many arguments")
			}
			b.WriteString(s)
			return b.String(), r.build(len(s))
		}
		b.WriteString(s[:i])
		if err := r.build(i); err != nil {
			return nil, err
		}
		s = s[i+1:]
		if strings.HasPrefix(s, "%") {
			b.WriteByte('%')
			s = s[1:]
			used--
			continue
		}
		precision := -1
		if n := strings.TrimLeft(s, ".0123456789"); strings.HasPrefix(s, ".") {
			var err error
			if precision, err = strconv.Atoi(s[1 : len(s)-len(n)]); err != nil || precision > 100 {
				return nil, errors.New("the format's precision is not valid")
			}
			s = n
		}
		if s == "" || used >= len(args) {
			return nil, errors.New("the format has too few arguments")
		}
		if err := r.formatVerb(&b, s[0], precision, args[used]); err != nil {
			return nil, err
		}
		s = s[1:]
	}
}

func (r *run) formatVerb(b *strings.Builder, verb byte, precision int, v any) error {
	switch verb {
	case 's', 'r':
		return r.print(b, v, verb == 'r')
	case 'd', 'i', 'f':
		n, ok := number(v)
		if !ok {
			return fmt.Errorf("%%%c needs a number, not %s", verb, typeName(v))
		}
		if verb != 'f' {
			n, precision = math.Trunc(n), 0
		} else if precision < 0 {
			precision = 6
		}
		b.WriteString(strconv.FormatFloat(n, 'f', precision, 64))
		return r.build(400)
	}
	return fmt.Errorf("the format has an unknown verb %q", verb)
}

func intFilter(c *Call, x any) (any, error) {
	a, err := c.args("default", "base")
	if err != nil {
		return nil, err
	}
	base, err := intOr(a[1], 10)
	if err != nil {
		return nil, err
	}
	if n, ok := integer(x); ok {
		return n, nil
	}
	if n, ok := x.(float64); ok && math.Abs(n) < 1<<62 {
		return int(n), nil
	}
	if s, ok := x.(string); ok && (base == 0 || base >= 2 && base <= 36) {
		if n, err := strconv.ParseInt(strings.TrimSpace(s), base, 0); err == nil {
			return int(n), nil
		}
		if n, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil && math.Abs(n) < 1<<62 {
			return int(n), nil
		}
	}
	if absent(a[0]) {
		return 0, nil
	}
	return a[0], nil
}

func floatFilter(c *Call, x any) (any, error) {
	a, err := c.args("default")
	if err != nil {
		return nil, err
	}
	if n, ok := number(x); ok {
		return n, nil
	}
	if s, ok := x.(string); ok {
		if n, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
			return n, nil
		}
	}
	if absent(a[0]) {
		return 0.0, nil
	}
	return a[0], nil
}

func absFilter(_ *Call, x any) (any, error) {
	if n, ok := integer(x); ok {
		return max(n, -n), nil
	}
	if n, ok := x.(float64); ok {
		return math.Abs(n), nil
	}
	return nil, fmt.Errorf("a value of type %s has no absolute value", typeName(x))
}

func roundFilter(c *Call, x any) (any, error) {
	a, err := c.args("precision", "method")
	if err != nil {
		return nil, err
	}
	places, err := intOr(a[0], 0)
	if err != nil {
		return nil, err
	}
	n, ok := number(x)
	if !ok {
		return nil, fmt.Errorf("a value of type %s cannot be rounded", typeName(x))
	}
	places = min(max(places, -15), 15)
	scale := math.Pow(10, float64(places))
	switch a[1] {
	case any("ceil"):
		return math.Ceil(n*scale) / scale, nil
	case any("floor"):
		return math.Floor(n*scale) / scale, nil
	}
	if places < 0 {
		n = math.RoundToEven(n*scale) / scale
	}
	if _, ok := integer(x); ok {
		return int(n), nil
	}
	// The decimal form is rounded exactly; n*scale would round twice.
	return strconv.ParseFloat(strconv.FormatFloat(n, 'f', max(places, 0), 64), 64)
}
