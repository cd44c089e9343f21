package jinja

// An expr is an expression; see eval.go.
type expr interface {
	eval(f *frame) (any, error)
}

// A stmt is a statement or a piece of text; see exec.go.
type stmt interface {
	exec(f *frame) error
}

type (
	literal    struct{ value any }
	name       struct{ name string }
	listExpr   struct{ items []expr }
	tupleExpr  struct{ items []expr }
	dictExpr   struct{ keys, values []expr }
	binaryExpr struct {
		op          string
		left, right expr
	}
	// compareExpr is Python's chain: a < b < c means a < b and b < c.
	compareExpr struct {
		first expr
		ops   []string
		rest  []expr
	}
	logicExpr struct {
		or          bool
		left, right expr
	}
	notExpr  struct{ x expr }
	negExpr  struct{ x expr }
	posExpr  struct{ x expr }
	condExpr struct{ cond, then, other expr } // other may be nil
	attrExpr struct {
		x    expr
		name string
	}
	indexExpr struct{ x, index expr }
	sliceExpr struct{ x, low, high, step expr } // parts that are left out are nil
	callExpr  struct {
		fn   expr
		args argList
	}
	filterExpr struct {
		x    expr // nil in a filter block: the block's text
		name string
		fn   filter
		args argList
	}
	testExpr struct {
		x    expr
		name string
		fn   test
		args argList
	}
	argList struct {
		positional []expr
		names      []string
		named      []expr
	}
)

type (
	textStmt   struct{ text string }
	outputStmt struct {
		x    expr
		line int
	}
	ifStmt struct {
		conds  []expr
		bodies [][]stmt // one more than conds when there is an else
		line   int
	}
	forStmt struct {
		targets []string
		iter    expr
		filter  expr // nil without "if"
		body    []stmt
		empty   []stmt
		line    int
	}
	setStmt struct {
		targets []string // one name, or several that take a sequence apart
		attr    string   // set ns.attr: targets[0] is the namespace
		value   expr     // nil in the block form
		body    []stmt
		filters []*filterExpr // of the block form
		line    int
	}
	macroStmt struct {
		name     string
		params   []string
		defaults []expr // nil where a parameter has none
		body     []stmt
	}
	withStmt struct {
		names  []string
		values []expr
		body   []stmt
	}
	filterStmt struct {
		filters []*filterExpr
		body    []stmt
		line    int
	}
	doStmt struct {
		x    expr
		line int
	}
	// blockStmt is a tag that only marks its body: {% generation %}.
	blockStmt    struct{ body []stmt }
	breakStmt    struct{}
	continueStmt struct{}
)
