package panels

// metric is a number with a severity.
type metric uint8

const (
	ofSpeed   metric = iota // share of the own best
	ofStall                 // share of the time
	ofHit                   // share of the wanted neurons
	ofCap                   // share of the highest clock
	ofSlower                // share by which decode is slower
	ofContext               // share of the context
	ofBudget                // share of the memory budget
	ofPlan                  // share of the plan's speed
)

// limits are the values up to which a metric is good, and up to which it is only a warning; for a metric of which more is
// better, down to which.
var limits = [...]struct {
	good, warn float64
	more       bool
}{
	ofSpeed:   {0.8, 0.5, true},
	ofStall:   {0.2, 0.5, false},
	ofHit:     {0.75, 0.5, true},
	ofCap:     {0.9, 0.7, true},
	ofSlower:  {0.1, 0.3, false},
	ofContext: {0.75, 0.9, false},
	ofBudget:  {1, 1.05, false},
	ofPlan:    {0.9, 0.7, true},
}

// level is the one place that judges a number.
func level(m metric, r Reading) ink {
	l := limits[m]
	better := func(limit float64) bool {
		if l.more {
			return r.Value >= limit
		}
		return r.Value <= limit
	}
	switch {
	case !r.OK:
		return dim
	case better(l.good):
		return good
	case better(l.warn):
		return warn
	}
	return bad
}

// worse is the worse of two levels.
func worse(a, b ink) ink {
	if a == dim || b != dim && b > a {
		return b
	}
	return a
}

// judged is text with its level, and the sign that says the same without colour.
func judged(k ink, text string) item {
	if k == warn || k == bad {
		text += "▲"
	}
	return item{{k, text}}
}
