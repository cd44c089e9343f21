package jinja

import (
	"fmt"
	"slices"
)

// maxNesting bounds how deep tags and brackets may stand in each other, so that no template can
// exhaust the stack.
const maxNesting = 200

type parser struct {
	tokens []token
	pos    int
	depth  int
	loops  int // enclosing for loops, for break and continue
}

func (p *parser) peek() token { return p.tokens[p.pos] }

func (p *parser) next() token {
	t := p.tokens[p.pos]
	if t.kind != eofTok {
		p.pos++
	}
	return t
}

func (p *parser) accept(k kind, text string) bool {
	if p.peek().is(k, text) {
		p.pos++
		return true
	}
	return false
}

func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("line %d: %s", p.peek().line, fmt.Sprintf(format, args...))
}

func (p *parser) expect(k kind, text string) error {
	if !p.accept(k, text) {
		return p.errorf("expected %q, found %s", text, p.peek())
	}
	return nil
}

func (p *parser) ident() (string, error) {
	if p.peek().kind != nameTok {
		return "", p.errorf("expected a name, found %s", p.peek())
	}
	return p.next().text, nil
}

// enter guards every recursive rule; leave is its counterpart.
func (p *parser) enter() error {
	if p.depth++; p.depth > maxNesting {
		return p.errorf("nested too deeply")
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// body parses up to one of the end tags and returns which one it was. The end tag's name has
// been read, the rest of the tag has not. With no end tags it parses up to the end.
func (p *parser) body(ends ...string) ([]stmt, string, error) {
	if err := p.enter(); err != nil {
		return nil, "", err
	}
	defer p.leave()
	var out []stmt
	for {
		t := p.next()
		switch t.kind {
		case eofTok:
			if len(ends) > 0 {
				return nil, "", p.errorf("the tag %q is missing", ends[len(ends)-1])
			}
			return out, "", nil
		case dataTok:
			out = append(out, &textStmt{t.text})
		case varBegin:
			x, err := p.tupleOrExpr()
			if err != nil {
				return nil, "", err
			}
			if p.next().kind != varEnd {
				p.pos--
				return nil, "", p.errorf("expected \"}}\", found %s", p.peek())
			}
			out = append(out, &outputStmt{x, t.line})
		case blockBegin:
			if tag := p.peek(); tag.kind == nameTok && slices.Contains(ends, tag.text) {
				p.next()
				return out, tag.text, nil
			}
			s, err := p.statement()
			if err != nil {
				return nil, "", err
			}
			out = append(out, s)
		default:
			p.pos--
			return nil, "", p.errorf("unexpected %s", t)
		}
	}
}

func (p *parser) endTag() error {
	if p.peek().kind != blockEnd {
		return p.errorf("expected \"%%}\", found %s", p.peek())
	}
	p.next()
	return nil
}

// closedBody parses the rest of a tag, its body and its end tag.
func (p *parser) closedBody(end string) ([]stmt, error) {
	if err := p.endTag(); err != nil {
		return nil, err
	}
	body, _, err := p.body(end)
	if err != nil {
		return nil, err
	}
	return body, p.endTag()
}

func (p *parser) statement() (stmt, error) {
	tag, err := p.ident()
	if err != nil {
		return nil, err
	}
	switch tag {
	case "if":
		return p.ifTag()
	case "for":
		return p.forTag()
	case "set":
		return p.setTag()
	case "macro":
		return p.macroTag()
	case "with":
		return p.withTag()
	case "filter":
		return p.filterTag()
	case "generation":
		body, err := p.closedBody("endgeneration")
		return &blockStmt{body}, err
	case "do":
		s := &doStmt{line: p.peek().line}
		if s.x, err = p.tupleOrExpr(); err != nil {
			return nil, err
		}
		return s, p.endTag()
	case "break", "continue":
		if p.loops == 0 {
			return nil, p.errorf("%q stands outside of a loop", tag)
		}
		if tag == "break" {
			return breakStmt{}, p.endTag()
		}
		return continueStmt{}, p.endTag()
	case "include", "import", "from", "extends", "block":
		return nil, p.errorf("the tag %q is not allowed: a chat template stands alone", tag)
	}
	return nil, p.errorf("unknown tag %q", tag)
}

func (p *parser) ifTag() (stmt, error) {
	s := &ifStmt{line: p.peek().line}
	for tag := "if"; tag != "endif"; {
		if tag != "else" {
			cond, err := p.tupleOrExpr()
			if err != nil {
				return nil, err
			}
			s.conds = append(s.conds, cond)
		}
		if err := p.endTag(); err != nil {
			return nil, err
		}
		ends := []string{"elif", "else", "endif"}
		if tag == "else" {
			ends = []string{"endif"}
		}
		body, end, err := p.body(ends...)
		if err != nil {
			return nil, err
		}
		s.bodies = append(s.bodies, body)
		tag = end
	}
	return s, p.endTag()
}

// names parses "a" or "a, b" or "(a, b)".
func (p *parser) names() ([]string, error) {
	paren := p.accept(opTok, "(")
	var out []string
	for {
		n, err := p.ident()
		if err != nil {
			return nil, err
		}
		out = append(out, n)
		if !p.accept(opTok, ",") {
			break
		}
	}
	if paren {
		return out, p.expect(opTok, ")")
	}
	return out, nil
}

func (p *parser) forTag() (stmt, error) {
	s := &forStmt{line: p.peek().line}
	var err error
	if s.targets, err = p.names(); err != nil {
		return nil, err
	}
	if err = p.expect(nameTok, "in"); err != nil {
		return nil, err
	}
	// The iterable is parsed without inline if: "if" begins the loop's filter.
	if s.iter, err = p.tupleOf(p.or); err != nil {
		return nil, err
	}
	if p.accept(nameTok, "if") {
		if s.filter, err = p.expr(); err != nil {
			return nil, err
		}
	}
	if err = p.endTag(); err != nil {
		return nil, err
	}
	p.loops++
	body, end, err := p.body("else", "endfor")
	p.loops--
	if err != nil {
		return nil, err
	}
	s.body = body
	if end == "else" {
		if err = p.endTag(); err != nil {
			return nil, err
		}
		if s.empty, _, err = p.body("endfor"); err != nil {
			return nil, err
		}
	}
	return s, p.endTag()
}

func (p *parser) setTag() (stmt, error) {
	s := &setStmt{line: p.peek().line}
	var err error
	if s.targets, err = p.names(); err != nil {
		return nil, err
	}
	if len(s.targets) == 1 && p.accept(opTok, ".") {
		if s.attr, err = p.ident(); err != nil {
			return nil, err
		}
	}
	if p.accept(opTok, "=") {
		if s.value, err = p.tupleOrExpr(); err != nil {
			return nil, err
		}
		return s, p.endTag()
	}
	if s.filters, err = p.filterChain(); err != nil {
		return nil, err
	}
	s.body, err = p.closedBody("endset")
	return s, err
}

// filterChain parses "| a | b(x)" without a value in front.
func (p *parser) filterChain() ([]*filterExpr, error) {
	var out []*filterExpr
	for p.accept(opTok, "|") {
		f, err := p.filterCall(nil)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func (p *parser) macroTag() (stmt, error) {
	s := &macroStmt{}
	var err error
	if s.name, err = p.ident(); err != nil {
		return nil, err
	}
	if err = p.expect(opTok, "("); err != nil {
		return nil, err
	}
	for !p.accept(opTok, ")") {
		if len(s.params) > 0 {
			if err = p.expect(opTok, ","); err != nil {
				return nil, err
			}
		}
		param, err := p.ident()
		if err != nil {
			return nil, err
		}
		var def expr
		if p.accept(opTok, "=") {
			if def, err = p.expr(); err != nil {
				return nil, err
			}
		} else if n := len(s.defaults); n > 0 && s.defaults[n-1] != nil {
			return nil, p.errorf("a parameter without a default follows one with a default")
		}
		s.params, s.defaults = append(s.params, param), append(s.defaults, def)
	}
	loops := p.loops
	p.loops = 0
	s.body, err = p.closedBody("endmacro")
	p.loops = loops
	return s, err
}

func (p *parser) withTag() (stmt, error) {
	s := &withStmt{}
	for p.peek().kind != blockEnd {
		if len(s.names) > 0 {
			if err := p.expect(opTok, ","); err != nil {
				return nil, err
			}
		}
		n, err := p.ident()
		if err != nil {
			return nil, err
		}
		if err := p.expect(opTok, "="); err != nil {
			return nil, err
		}
		v, err := p.expr()
		if err != nil {
			return nil, err
		}
		s.names, s.values = append(s.names, n), append(s.values, v)
	}
	var err error
	s.body, err = p.closedBody("endwith")
	return s, err
}

func (p *parser) filterTag() (stmt, error) {
	s := &filterStmt{line: p.peek().line}
	first, err := p.filterCall(nil)
	if err != nil {
		return nil, err
	}
	rest, err := p.filterChain()
	if err != nil {
		return nil, err
	}
	s.filters = append([]*filterExpr{first}, rest...)
	s.body, err = p.closedBody("endfilter")
	return s, err
}
