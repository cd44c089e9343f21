package trace

import (
	"math"
	"testing"
)

func TestStatisticsAreThoseOfATraceCountedByHand(t *testing.T) {
	// Two layers of two groups of four units. Group 0 always uses unit 0 and in turn 1, 2, 3; group 2 and 3 take turns with unit 1.
	h := Header{PerLayer: 2, Groups: []int{4, 4, 4, 4}}
	s := NewStatistics(h)
	for token := range 12 {
		s.Add([]Active{{0, []int32{0, int32(1 + token%3)}}, {2 + token%2, []int32{1}}})
	}
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	near("active", s.Active(), 3)
	near("share", s.Share(), 3.0/16)
	near("new", s.New(), 0) // all come again within 5 tokens
	near("repeats", s.Repeats(), 0.5)
	near("skew of a quarter", s.Skew(0.25), (12+4+6+6)/36.0)
	near("coverage", s.Coverage(0.5), (1.0/8+1.0/8)/2)
	if s.Tokens() != 12 {
		t.Errorf("%d tokens", s.Tokens())
	}
	// Once the window is full it holds units 0 to 3 and one of each of groups 2 and 3: 6 of 16.
	long := NewStatistics(h)
	for token := range 100_000 {
		long.Add([]Active{{0, []int32{0, int32(1 + token%3)}}, {2 + token%2, []int32{1}}})
	}
	if u := long.Union(); math.Abs(u-6.0/16) > 1e-3 {
		t.Errorf("union %v, want %v", u, 6.0/16)
	}
	fresh := NewStatistics(Header{PerLayer: 1, Groups: []int{100}})
	for token := range 90 {
		fresh.Add([]Active{{0, []int32{int32(token % 10 / 5 * 50), int32(token % 30)}}})
	}
	// A unit of the first kind comes five times in a row and then not for five; none of the second kind comes again in time.
	if n := fresh.New(); n < 0.5 || n > 0.6 {
		t.Errorf("new %v", n)
	}
}
