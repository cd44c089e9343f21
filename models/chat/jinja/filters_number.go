package jinja

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

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
