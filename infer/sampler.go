package infer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// sampler chooses tokens from logits by the rules of one Sampling. It belongs to one goroutine.
//
// All filters keep a beginning of the same order, larger logits first and lower ids first among equals. None of
// them sorts: each finds the last token that it keeps by radix selection over the bits of the logits (cut) and
// drops what comes after it. The candidates stay in the order of their ids, in which the draw walks over them.
type sampler struct {
	s    Sampling
	rng  *rand.Rand
	ids  []int32 // [vocab] token ids of the candidates; their logits are packed to the front of the logits
	seen []int32 // [vocab] occurrences among the recent tokens; all 0 between calls; nil without penalties
	bins [radixBins]float64
}

// defaultRepeatLast is the number of recent tokens that the penalties look at when Sampling does not say.
const defaultRepeatLast = 64

// newSampler makes the sampler of one answer for a model with vocab tokens. Two samplers of the same Sampling
// with a seed of 0 or more make the same choices.
func newSampler(s Sampling, vocab int) *sampler {
	seed := uint64(s.Seed)
	if s.Seed < 0 {
		seed = rand.Uint64()
	}
	sm := &sampler{s: s, ids: make([]int32, vocab), rng: rand.New(rand.NewPCG(seed, 0x686f7463656c6c))}
	if sm.s.RepeatLast <= 0 {
		sm.s.RepeatLast = defaultRepeatLast
	}
	if sm.penalises() {
		sm.seen = make([]int32, vocab)
	}
	return sm
}

// Validate says in one sentence what is wrong with s, or nil.
func (s Sampling) Validate() error {
	switch {
	case !(s.RepeatPenalty >= 0) || isInf(s.RepeatPenalty):
		return fmt.Errorf("repeat penalty is %v, but must be 0 (off) or a positive number", s.RepeatPenalty)
	case s.RepeatLast < 0:
		return fmt.Errorf("repeat last is %d, but must be a number of tokens, or 0 for %d", s.RepeatLast, defaultRepeatLast)
	case !finite(s.PresencePenalty):
		return fmt.Errorf("presence penalty is %v, but must be a number", s.PresencePenalty)
	case !finite(s.FrequencyPenalty):
		return fmt.Errorf("frequency penalty is %v, but must be a number", s.FrequencyPenalty)
	case s.TopK < 0:
		return fmt.Errorf("top-k is %d, but must be a number of tokens, or 0 for all", s.TopK)
	case !(s.TopP >= 0 && s.TopP <= 1):
		return fmt.Errorf("top-p is %v, but must lie between 0 and 1", s.TopP)
	case !(s.MinP >= 0 && s.MinP <= 1):
		return fmt.Errorf("min-p is %v, but must lie between 0 and 1", s.MinP)
	case !(s.Temperature >= 0) || isInf(s.Temperature):
		return fmt.Errorf("temperature is %v, but must be 0 (greedy) or a positive number", s.Temperature)
	}
	return nil
}

func isInf(v float32) bool  { return math.IsInf(float64(v), 0) }
func finite(v float32) bool { return v == v && !isInf(v) }

// sample chooses the next token. recent are the tokens so far, the latest last; logits are overwritten.
//
// A NaN is never chosen, nor is -Inf while there is anything else. Tokens at +Inf are equals and exclude all
// others. When no token can be drawn the result is the lowest id that is not NaN, or 0.
func (s *sampler) sample(logits []float32, recent []int32) int32 {
	logits = logits[:min(len(logits), len(s.ids))]
	if s.seen != nil {
		s.penalise(logits, recent)
	}
	best := argmax(logits)
	if !(s.s.Temperature > 0) {
		return best
	}
	c, top := s.filter(logits, best)
	if len(c) == 0 {
		return best
	}
	return s.draw(c, top)
}

// filter leaves the candidates that may be drawn: their logits are returned, packed to the front of logits,
// and their ids are in s.ids. top is the largest of them; best is the argmax.
func (s *sampler) filter(logits []float32, best int32) (c []float32, top float32) {
	if c, top = s.gather(logits, best); len(c) == 0 {
		return nil, 0
	}
	if k := s.s.TopK; k > 0 && k < len(c) {
		c = s.cut(c, top, byCount, float64(k))
	}
	if p := s.s.TopP; p > 0 && p < 1 {
		c = s.cut(c, top, byProbability, float64(p))
	}
	if p := s.s.MinP; p > 0 {
		c = s.keepFrom(c, float64(top)+math.Log(min(float64(p), 1)))
	}
	return c, top
}

func (s *sampler) penalises() bool {
	return (s.s.RepeatPenalty > 0 && s.s.RepeatPenalty != 1) || s.s.PresencePenalty != 0 || s.s.FrequencyPenalty != 0
}

// penalise lowers the logits of the recent tokens.
func (s *sampler) penalise(logits []float32, recent []int32) {
	recent = recent[max(0, len(recent)-s.s.RepeatLast):]
	inVocab := func(id int32) bool { return id >= 0 && int(id) < len(logits) }
	for _, id := range recent {
		if inVocab(id) {
			s.seen[id]++
		}
	}
	for _, id := range recent {
		if !inVocab(id) || s.seen[id] == 0 {
			continue
		}
		l := logits[id]
		if r := s.s.RepeatPenalty; r > 0 {
			if l > 0 {
				l /= r
			} else {
				l *= r
			}
		}
		logits[id] = l - s.s.PresencePenalty - float32(s.seen[id])*s.s.FrequencyPenalty
		s.seen[id] = 0
	}
}

// gather makes the candidates: it packs the logits that can be drawn to the front and their ids into s.ids.
func (s *sampler) gather(logits []float32, best int32) (c []float32, top float32) {
	if len(logits) == 0 {
		return nil, 0
	}
	if top = logits[best]; isInf(top) && top > 0 {
		for i, l := range logits { // equals, and the rest is nothing beside them
			if l == top {
				logits[i] = 0
			} else {
				logits[i] = float32(math.Inf(-1))
			}
		}
		top = 0
	}
	n := 0
	for i, l := range logits {
		if l >= -math.MaxFloat32 { // false for NaN too
			logits[n], s.ids[n] = l, int32(i)
			n++
		}
	}
	return logits[:n], top
}

// weighing says what cut adds up.
type weighing int

const (
	byCount       weighing = iota // 1 for each candidate; the target is a number of candidates
	byProbability                 // softmax without its divisor; the target is a share of all candidates' sum
)

// radixShifts are the lowest bits of the three digits of a key: bits 31-21, 20-10 and 9-0.
var radixShifts = [...]int{21, 10, 0}

const radixBins = 1 << 11

// cut keeps the smallest beginning of the order in which the weights reach target. Each pass adds up the
// weights by one digit of the keys and finds the digit at which the target is reached; after three passes the cut is
// exact, whatever the logits are. The first one drops most candidates.
func (s *sampler) cut(c []float32, top float32, weigh weighing, target float64) []float32 {
	var found uint32 // the digits so far; candidates above them are kept for sure
	above := 32      // lowest bit of found
	for _, shift := range radixShifts {
		bins := s.bins[:1<<(above-shift)]
		clear(bins)
		for _, l := range c {
			key := keyOf(l)
			if uint64(key)>>above != uint64(found) {
				continue
			}
			w := 1.0
			if weigh == byProbability {
				w = expDown(float64(l) - float64(top))
			}
			bins[int(key>>shift)&(len(bins)-1)] += w
		}
		if above == 32 && weigh == byProbability {
			all := 0.0
			for _, w := range bins {
				all += w
			}
			target *= all
		}
		digit, sum := reach(bins, target)
		target -= sum
		found = found<<(above-shift) | uint32(digit)
		above = shift
		if shift == radixShifts[0] { // the later passes would drop few
			c = s.keepFrom(c, float64(logitOf(found<<shift)))
		}
	}
	// What is left of the target must come from candidates of one key.
	last := logitOf(found)
	each := 1.0
	if weigh == byProbability {
		each = expDown(float64(last) - float64(top))
	}
	ties := len(c)
	if each > 0 {
		ties = max(1, int(min(math.Ceil(target/each), float64(len(c)))))
	}
	return s.keepAbove(c, last, ties)
}

// reach walks down the bins until their sum reaches target. It returns that bin and the sum of those above it.
// Where rounding keeps the sum below the target it is the lowest bin in use.
func reach(bins []float64, target float64) (at int, sum float64) {
	at = -1
	for b := len(bins) - 1; b >= 0; b-- {
		if bins[b] == 0 {
			continue
		}
		if at >= 0 {
			sum += bins[at]
		}
		at = b
		if sum+bins[at] >= target {
			break
		}
	}
	return max(at, 0), sum
}

// keyOf maps floats to integers of the same order. NaN does not occur; -0 counts as 0.
func keyOf(f float32) uint32 {
	b := math.Float32bits(f + 0)
	return b ^ (uint32(int32(b)>>31) | 1<<31)
}

// logitOf is the inverse of keyOf.
func logitOf(key uint32) float32 {
	return math.Float32frombits(key ^ (uint32(int32(^key)>>31) | 1<<31))
}

// keepFrom drops the candidates below floor and returns the others.
func (s *sampler) keepFrom(c []float32, floor float64) []float32 {
	n := 0
	for i, l := range c {
		if float64(l) >= floor {
			c[n], s.ids[n] = l, s.ids[i]
			n++
		}
	}
	return c[:n]
}

// keepAbove keeps the candidates above last and the first ties of those at last.
func (s *sampler) keepAbove(c []float32, last float32, ties int) []float32 {
	n := 0
	for i, l := range c {
		if l < last {
			continue
		}
		if l == last {
			if ties == 0 {
				continue
			}
			ties--
		}
		c[n], s.ids[n] = l, s.ids[i]
		n++
	}
	return c[:n]
}

// draw chooses one of the candidates with the probabilities of their softmax at the temperature.
func (s *sampler) draw(c []float32, top float32) int32 {
	perDegree := 1 / float64(s.s.Temperature)
	sum := 0.0
	for i, l := range c {
		c[i] = float32(expDown((float64(l) - float64(top)) * perDegree))
		sum += float64(c[i])
	}
	// The same additions in the same order, so the sum is reached at the latest by the last that has a weight.
	point, sum := s.rng.Float64()*sum, 0.0
	for i, w := range c {
		sum += float64(w)
		if point < sum {
			return s.ids[i]
		}
	}
	return s.ids[0]
}

// argmax is the lowest id with the largest logit; NaN is passed over. It is 0 when there is nothing else.
func argmax(logits []float32) int32 {
	best, top := -1, float32(math.Inf(-1))
	for i, l := range logits {
		if l > top {
			best, top = i, l
		}
	}
	if best < 0 {
		best = max(0, slices.Index(logits, top))
	}
	return int32(best)
}

// expDown is e^x for x <= 0, to 1e-8 of its value, and 0 below the normal numbers. It takes a quarter of
// math.Exp's time, which for 150 thousand candidates is most of the sampler's.
func expDown(x float64) float64 {
	x *= math.Log2E
	if !(x > -1022) {
		return 0
	}
	k := int(x - 0.5)                // e^x = 2^k * e^r
	r := (x - float64(k)) * math.Ln2 // |r| <= ln(2)/2, so eight terms of the series do
	e := 1 + r*(1+r*(1./2+r*(1./6+r*(1./24+r*(1./120+r*(1./720+r*(1./5040)))))))
	return e * math.Float64frombits(uint64(k+1023)<<52)
}
