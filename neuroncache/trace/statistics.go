package trace

import "slices"

// Window is how many tokens back a unit counts as recently active in Statistics: that of LLM in a Flash.
const Window = 5

// Statistics measures a trace, token by token, in the terms in which activity is published.
type Statistics struct {
	header  Header
	first   []int    // [group] its first unit in counts and last
	counts  []uint32 // [unit] tokens in which it was active
	last    []int32  // [unit] the token after which it was active last, 0: never
	chosen  []int32  // [group] the same for groups
	tokens  int
	active  int // units
	fresh   int // units that were not active in the Window tokens before
	wanted  int // units in tokens that have Window tokens before them
	union   int // units that were active in any of Window tokens, summed over tokens
	pairs   int // layers of tokens that have one before them
	repeats int // those of which a group (where units are experts: a unit) was in use the token before
}

// NewStatistics measures traces of a header.
func NewStatistics(h Header) *Statistics {
	s := &Statistics{header: h, first: make([]int, len(h.Groups)), chosen: make([]int32, len(h.Groups))}
	units := 0
	for g, n := range h.Groups {
		s.first[g] = units
		units += n
	}
	s.counts, s.last = make([]uint32, units), make([]int32, units)
	return s
}

// Add counts a token.
func (s *Statistics) Add(token []Active) {
	now := int32(s.tokens + 1)
	warm := s.tokens >= Window
	layer, repeated := -1, false
	for _, a := range token {
		if l := a.Group / s.header.PerLayer; l != layer {
			s.endLayer(layer, repeated)
			layer, repeated = l, false
		}
		if s.header.PerLayer > 1 && now > 1 && s.chosen[a.Group] == now-1 {
			repeated = true
		}
		s.chosen[a.Group] = now
		for _, u := range a.Units {
			i := s.first[a.Group] + int(u)
			s.counts[i]++
			age := now - s.last[i]
			if s.header.PerLayer == 1 && s.last[i] > 0 && age == 1 {
				repeated = true
			}
			if warm && (s.last[i] == 0 || age > Window) {
				s.fresh++
			}
			// What was active in a window of tokens is counted by its first activity in it: a unit is in min(age, Window) windows for each one.
			if s.last[i] == 0 {
				age = Window
			}
			s.union += int(min(age, Window))
			s.last[i] = now
		}
		s.active += len(a.Units)
		if warm {
			s.wanted += len(a.Units)
		}
	}
	s.endLayer(layer, repeated)
	s.tokens++
}

func (s *Statistics) endLayer(layer int, repeated bool) {
	if layer < 0 || s.tokens == 0 {
		return
	}
	s.pairs++
	if repeated {
		s.repeats++
	}
}

// Tokens is how many were counted.
func (s *Statistics) Tokens() int { return s.tokens }

// Active is how many units a token uses of the whole model on average.
func (s *Statistics) Active() float64 { return float64(s.active) / float64(max(1, s.tokens)) }

// Share is Active as a share of all units.
func (s *Statistics) Share() float64 { return s.Active() / float64(len(s.counts)) }

// New is the share of a token's active units that were not active in the Window tokens before.
func (s *Statistics) New() float64 { return float64(s.fresh) / float64(max(1, s.wanted)) }

// Union is the share of all units that are active in at least one of Window tokens in a row.
func (s *Statistics) Union() float64 {
	return float64(s.union) / float64(max(1, s.tokens)) / float64(len(s.counts))
}

// Repeats is the share of tokens and layers that use at least one group again that the token before used: an expert, where a layer has more than
// one group; else a unit, which only tells something where units are experts.
func (s *Statistics) Repeats() float64 { return float64(s.repeats) / float64(max(1, s.pairs)) }

// Skew is the share of activity that the most active part of the units makes, part from 0 to 1, in each layer and then over all.
func (s *Statistics) Skew(part float64) float64 {
	top := uint64(0)
	s.eachLayer(func(falling []uint32) {
		for _, n := range falling[:int(part*float64(len(falling)))] {
			top += uint64(n)
		}
	})
	return float64(top) / float64(max(1, s.active))
}

// Coverage is the part of a layer's units that makes a share of its activity, the most active first, on average over the layers.
func (s *Statistics) Coverage(share float64) float64 {
	sum, layers := 0.0, 0
	s.eachLayer(func(falling []uint32) {
		total, top, n := 0.0, 0.0, 0
		for _, v := range falling {
			total += float64(v)
		}
		for n < len(falling) && top < share*total {
			top += float64(falling[n])
			n++
		}
		sum += float64(n) / float64(len(falling))
		layers++
	})
	return sum / float64(max(1, layers))
}

// eachLayer calls f with the activity of a layer's units, the most active first.
func (s *Statistics) eachLayer(f func(falling []uint32)) {
	for from := 0; from < len(s.first); from += s.header.PerLayer {
		to := len(s.counts)
		if from+s.header.PerLayer < len(s.first) {
			to = s.first[from+s.header.PerLayer]
		}
		falling := slices.Clone(s.counts[s.first[from]:to])
		slices.SortFunc(falling, func(a, b uint32) int { return int(b) - int(a) })
		f(falling)
	}
}
