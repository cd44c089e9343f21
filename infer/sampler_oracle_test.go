package infer

import (
	"math"
	"math/rand/v2"
	"slices"
)

// The sampler never sorts. The oracle here does, and the tests compare the two.

// oracle is what the filters are compared with: it sorts, adds up in float64, and cuts, in the documented order.
// The result holds the probability of each token; sure is false when a cut lies so close to its limit that
// rounding decides.
func oracle(s Sampling, logits []float32) (probs []float64, sure bool) {
	order := make([]int, 0, len(logits))
	l := make([]float64, len(logits))
	for id, v := range logits {
		if l[id] = float64(v); v > -inf {
			order = append(order, id)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case l[a] > l[b]:
			return -1
		case l[a] < l[b]:
			return 1
		}
		return a - b
	})
	probs, sure = make([]float64, len(logits)), true
	if len(order) == 0 {
		return probs, sure
	}
	top := l[order[0]]
	if math.IsInf(top, 1) {
		order = slices.DeleteFunc(order, func(id int) bool { return !math.IsInf(l[id], 1) })
		for _, id := range order {
			l[id] = 0
		}
		top = 0
	}
	if s.TopK > 0 && s.TopK < len(order) {
		order = order[:s.TopK]
	}
	weight := func(id int, t float64) float64 { return math.Exp((l[id] - top) / t) }
	total := func(t float64) (sum float64) {
		for _, id := range order {
			sum += weight(id, t)
		}
		return sum
	}
	const close = 1e-7
	if s.TopP > 0 && s.TopP < 1 {
		target, sum := float64(s.TopP)*total(1), 0.0
		for i, id := range order {
			sum += weight(id, 1)
			if math.Abs(sum-target) < close*target {
				sure = false
			}
			if sum >= target {
				order = order[:i+1]
				break
			}
		}
	}
	if s.MinP > 0 {
		kept := order[:0]
		for _, id := range order {
			w := weight(id, 1)
			if math.Abs(w-float64(s.MinP)) < close && l[id] != top {
				sure = false
			}
			if w >= float64(s.MinP) || l[id] == top {
				kept = append(kept, id)
			}
		}
		order = kept
	}
	sum := total(float64(s.Temperature))
	for _, id := range order {
		probs[id] = weight(id, float64(s.Temperature)) / sum
	}
	return probs, sure
}

// kept is what the filters leave of logits: the ids that may be drawn, and the weights that draw left.
func kept(s Sampling, logits []float32) map[int32]float64 {
	sm := newSampler(s, len(logits))
	buffer := slices.Clone(logits)
	c, top := sm.filter(buffer, argmax(buffer))
	sum := 0.0
	weights := map[int32]float64{}
	if len(c) == 0 {
		return weights
	}
	ids := slices.Clone(sm.ids[:len(c)])
	sm.draw(c, top)
	for i, id := range ids {
		weights[id] = float64(c[i])
		sum += float64(c[i])
	}
	for id := range weights {
		weights[id] /= sum
	}
	return weights
}

// randomLogits makes logits as models do (a peak over noise) and as they should not (ties, masks, outliers).
func randomLogits(rng *rand.Rand, n int) []float32 {
	logits := make([]float32, n)
	scale := math.Exp(rng.Float64()*6 - 3)
	shape := rng.IntN(5)
	for i := range logits {
		v := rng.NormFloat64() * scale
		switch shape {
		case 1: // many equals
			v = math.Round(v)
		case 2: // masked
			if rng.IntN(3) == 0 {
				v = math.Inf(-1)
			}
		case 3: // outliers
			if rng.IntN(20) == 0 {
				v *= 1000
			}
		case 4: // all equal
			v = 0.5
		}
		logits[i] = float32(v)
	}
	return logits
}

func randomSampling(rng *rand.Rand, vocab int) Sampling {
	s := Sampling{Temperature: float32(math.Exp(rng.Float64()*4 - 2)), Seed: int64(rng.IntN(1000))}
	if rng.IntN(2) == 0 {
		s.TopK = 1 + rng.IntN(vocab+5)
	}
	if rng.IntN(2) == 0 {
		s.TopP = rng.Float32()
	}
	if rng.IntN(2) == 0 {
		s.MinP = rng.Float32() * rng.Float32()
	}
	return s
}
