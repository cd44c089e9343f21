package jinja

import (
	"slices"
	"strconv"
	"strings"
)

// The rules stand from the weakest to the strongest binding, as in Jinja's own grammar. Note
// that filters and "is" bind tighter than every operator.

// tupleOrExpr parses "a" or "a, b".
func (p *parser) tupleOrExpr() (expr, error) { return p.tupleOf(p.expr) }

func (p *parser) tupleOf(rule func() (expr, error)) (expr, error) {
	x, err := rule()
	if err != nil || !p.peek().is(opTok, ",") {
		return x, err
	}
	t := &tupleExpr{[]expr{x}}
	for p.accept(opTok, ",") {
		if k := p.peek(); k.kind == varEnd || k.kind == blockEnd || k.is(opTok, ")") || k.is(opTok, "]") {
			break
		}
		if x, err = rule(); err != nil {
			return nil, err
		}
		t.items = append(t.items, x)
	}
	return t, nil
}

// expr parses an expression with an inline if.
func (p *parser) expr() (expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	x, err := p.or()
	for err == nil && p.accept(nameTok, "if") {
		c := &condExpr{then: x}
		if c.cond, err = p.or(); err != nil {
			return nil, err
		}
		if p.accept(nameTok, "else") {
			if c.other, err = p.expr(); err != nil {
				return nil, err
			}
		}
		x = c
	}
	return x, err
}

func (p *parser) or() (expr, error) {
	x, err := p.and()
	for err == nil && p.accept(nameTok, "or") {
		var y expr
		y, err = p.and()
		x = &logicExpr{true, x, y}
	}
	return x, err
}

func (p *parser) and() (expr, error) {
	x, err := p.not()
	for err == nil && p.accept(nameTok, "and") {
		var y expr
		y, err = p.not()
		x = &logicExpr{false, x, y}
	}
	return x, err
}

func (p *parser) not() (expr, error) {
	if !p.accept(nameTok, "not") {
		return p.compare()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	x, err := p.not()
	return &notExpr{x}, err
}

// comparison reads a comparison operator, if one stands here.
func (p *parser) comparison() string {
	t := p.peek()
	switch {
	case t.kind == opTok && slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, t.text), t.is(nameTok, "in"):
		return p.next().text
	case t.is(nameTok, "not") && p.tokens[p.pos+1].is(nameTok, "in"):
		p.pos += 2
		return "not in"
	}
	return ""
}

func (p *parser) compare() (expr, error) {
	x, err := p.sum()
	if err != nil {
		return nil, err
	}
	c := &compareExpr{first: x}
	for op := p.comparison(); op != ""; op = p.comparison() {
		y, err := p.sum()
		if err != nil {
			return nil, err
		}
		c.ops, c.rest = append(c.ops, op), append(c.rest, y)
	}
	if len(c.ops) == 0 {
		return x, nil
	}
	return c, nil
}

// leftToRight parses a chain of operators of equal strength.
func (p *parser) leftToRight(rule func() (expr, error), ops ...string) (expr, error) {
	x, err := rule()
	for err == nil && p.peek().kind == opTok && slices.Contains(ops, p.peek().text) {
		op := p.next().text
		var y expr
		y, err = rule()
		x = &binaryExpr{op, x, y}
	}
	return x, err
}

func (p *parser) sum() (expr, error)     { return p.leftToRight(p.concat, "+", "-") }
func (p *parser) concat() (expr, error)  { return p.leftToRight(p.product, "~") }
func (p *parser) product() (expr, error) { return p.leftToRight(p.power, "*", "/", "//", "%") }
func (p *parser) power() (expr, error)   { return p.leftToRight(p.filtered, "**") }

// filtered parses a signed value with its filters and tests.
func (p *parser) filtered() (expr, error) {
	x, err := p.signed()
	for err == nil {
		switch {
		case p.accept(opTok, "|"):
			x, err = p.filterCall(x)
		case p.accept(nameTok, "is"):
			x, err = p.test(x)
		default:
			return x, nil
		}
	}
	return nil, err
}

func (p *parser) signed() (expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if p.accept(opTok, "-") {
		x, err := p.signed()
		return &negExpr{x}, err
	}
	if p.accept(opTok, "+") {
		x, err := p.signed()
		return &posExpr{x}, err
	}
	return p.postfix()
}

func (p *parser) filterCall(x expr) (*filterExpr, error) {
	f := &filterExpr{x: x}
	var err error
	if f.name, err = p.ident(); err != nil {
		return nil, err
	}
	var known bool
	if f.fn, known = filters[f.name]; !known {
		return nil, p.errorf("unknown filter %q", f.name)
	}
	if p.accept(opTok, "(") {
		f.args, err = p.arguments()
	}
	return f, err
}

// test parses what stands after "is". A test may take one argument without parentheses.
func (p *parser) test(x expr) (expr, error) {
	negated := p.accept(nameTok, "not")
	t := &testExpr{x: x}
	var err error
	if t.name, err = p.ident(); err != nil {
		return nil, err
	}
	var known bool
	if t.fn, known = tests[t.name]; !known {
		return nil, p.errorf("unknown test %q", t.name)
	}
	switch k := p.peek(); {
	case p.accept(opTok, "("):
		t.args, err = p.arguments()
	case k.kind == stringTok, k.kind == intTok, k.kind == floatTok, k.is(opTok, "["), k.is(opTok, "{"),
		k.kind == nameTok && !slices.Contains([]string{"else", "or", "and", "if", "is", "in", "not"}, k.text):
		var arg expr
		arg, err = p.postfix()
		t.args.positional = []expr{arg}
	}
	if negated {
		return &notExpr{t}, err
	}
	return t, err
}

// arguments parses the rest of "(a, b=c)".
func (p *parser) arguments() (argList, error) {
	var args argList
	for first := true; !p.accept(opTok, ")"); first = false {
		if !first {
			if err := p.expect(opTok, ","); err != nil {
				return args, err
			}
			if p.accept(opTok, ")") {
				break
			}
		}
		named := p.peek().kind == nameTok && p.tokens[p.pos+1].is(opTok, "=")
		if named {
			args.names = append(args.names, p.next().text)
			p.next()
		}
		x, err := p.expr()
		if err != nil {
			return args, err
		}
		if named {
			args.named = append(args.named, x)
		} else if len(args.named) > 0 {
			return args, p.errorf("a positional argument follows a named one")
		} else {
			args.positional = append(args.positional, x)
		}
	}
	return args, nil
}

// postfix parses a value with its attributes, items and calls.
func (p *parser) postfix() (expr, error) {
	x, err := p.primary()
	for err == nil {
		switch {
		case p.accept(opTok, "."):
			t := p.next()
			switch t.kind {
			case nameTok:
				x = &attrExpr{x, t.text}
			case intTok:
				var n int
				n, err = strconv.Atoi(t.text)
				x = &indexExpr{x, &literal{n}}
			default:
				p.pos--
				err = p.errorf("expected a name after \".\", found %s", t)
			}
		case p.accept(opTok, "["):
			x, err = p.subscript(x)
		case p.accept(opTok, "("):
			c := &callExpr{fn: x}
			c.args, err = p.arguments()
			x = c
		default:
			return x, nil
		}
	}
	return nil, err
}

// subscript parses the rest of "x[i]" or "x[low:high:step]".
func (p *parser) subscript(x expr) (expr, error) {
	s := &sliceExpr{x: x}
	parts, colons := []*expr{&s.low, &s.high, &s.step}, 0
	for {
		t := p.peek()
		switch {
		case p.accept(opTok, "]"):
			if colons > 0 {
				return s, nil
			}
			if s.low == nil {
				return nil, p.errorf("expected an index")
			}
			return &indexExpr{x, s.low}, nil
		case t.is(opTok, ":") && colons < 2:
			p.next()
			colons++
		case *parts[colons] == nil:
			part, err := p.expr()
			if err != nil {
				return nil, err
			}
			*parts[colons] = part
		default:
			return nil, p.errorf("expected \"]\", found %s", t)
		}
	}
}

var constants = map[string]any{"true": true, "True": true, "false": false, "False": false, "none": nil, "None": nil}

func (p *parser) primary() (expr, error) {
	t := p.next()
	switch t.kind {
	case nameTok:
		if v, ok := constants[t.text]; ok {
			return &literal{v}, nil
		}
		return &name{t.text}, nil
	case stringTok:
		parts := []string{t.text}
		for p.peek().kind == stringTok { // strings side by side are one string
			parts = append(parts, p.next().text)
		}
		return &literal{strings.Join(parts, "")}, nil
	case intTok:
		n, err := strconv.Atoi(t.text)
		if err != nil {
			return nil, p.errorf("the number %s is too large", t.text)
		}
		return &literal{n}, nil
	case floatTok:
		n, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return nil, p.errorf("the number %s is too large", t.text)
		}
		return &literal{n}, nil
	case opTok:
		switch t.text {
		case "(":
			if p.accept(opTok, ")") {
				return &tupleExpr{}, nil
			}
			x, err := p.tupleOrExpr()
			if err != nil {
				return nil, err
			}
			return x, p.expect(opTok, ")")
		case "[":
			items, err := p.items("]")
			return &listExpr{items}, err
		case "{":
			return p.dict()
		}
	}
	if t.kind != eofTok {
		p.pos--
	}
	return nil, p.errorf("expected a value, found %s", t)
}

func (p *parser) items(end string) ([]expr, error) {
	var out []expr
	for !p.accept(opTok, end) {
		if len(out) > 0 {
			if err := p.expect(opTok, ","); err != nil {
				return nil, err
			}
			if p.accept(opTok, end) {
				break
			}
		}
		x, err := p.expr()
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

func (p *parser) dict() (expr, error) {
	d := &dictExpr{}
	for !p.accept(opTok, "}") {
		if len(d.keys) > 0 {
			if err := p.expect(opTok, ","); err != nil {
				return nil, err
			}
			if p.accept(opTok, "}") {
				break
			}
		}
		k, err := p.expr()
		if err != nil {
			return nil, err
		}
		if err := p.expect(opTok, ":"); err != nil {
			return nil, err
		}
		v, err := p.expr()
		if err != nil {
			return nil, err
		}
		d.keys, d.values = append(d.keys, k), append(d.values, v)
	}
	return d, nil
}
