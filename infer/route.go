package infer

import (
	"math"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
)

// group is some tokens that pass through one FFN together: rows first to first+n-1 of the pass's buffers.
type group struct {
	f        *feedForward
	first, n int
}

// routing is which experts the tokens of a chunk go to. A (token, expert) pair is a row of the FFN pass; the pairs are in the order of experts, so that
// each expert's weights are read once for all its tokens.
type routing struct {
	used   int       // experts per token
	expert []int32   // [n][used], in the order of their weight
	weight []float32 // [n][used]
	pair   []int32   // [n][used] row of each pair
	token  []int32   // [n*used] the pair's token
	groups []group   // experts that have tokens
	probs  [][]float32
}

func newRouting(h *hparams, n, workers int) *routing {
	r := &routing{used: h.expertsUsed, groups: make([]group, 0, h.experts)}
	r.expert, r.pair, r.token = make([]int32, n*r.used), make([]int32, n*r.used), make([]int32, n*r.used)
	r.weight = make([]float32, n*r.used)
	for range workers {
		r.probs = append(r.probs, make([]float32, h.experts))
	}
	return r
}

// choose picks a token's experts from the router's logits [experts] and weighs them.
func (r *routing) choose(h *hparams, selection []float32, t, worker int, logits []float32) {
	probs := r.probs[worker]
	switch h.gating {
	case softmaxAll:
		copy(probs, logits)
		softmax(probs)
	case sigmoid:
		for i, v := range logits {
			probs[i] = logistic(v)
		}
	case softmaxChosen:
		copy(probs, logits)
	}
	expert, weight := r.expert[t*r.used:][:r.used], r.weight[t*r.used:][:r.used]
	for k := range expert {
		best, score := int32(-1), float32(math.Inf(-1))
		for i, p := range probs {
			if selection != nil {
				p += selection[i]
			}
			if (best < 0 || p > score) && !contains(expert[:k], int32(i)) {
				best, score = int32(i), p
			}
		}
		expert[k], weight[k] = best, probs[best]
	}
	if h.gating == softmaxChosen {
		softmax(weight)
	}
	if h.renormalise {
		var sum float32
		for _, v := range weight {
			sum += v
		}
		if sum != 0 {
			scale(weight, 1/sum)
		}
	}
	scale(weight, h.expertScale)
}

func contains(list []int32, v int32) bool {
	for _, e := range list {
		if e == v {
			return true
		}
	}
	return false
}

// order sorts the pairs of n tokens by expert.
func (r *routing) order(n int, experts []*feedForward) {
	r.groups = r.groups[:0]
	row := 0
	for i, f := range experts {
		first := row
		for p, e := range r.expert[:n*r.used] {
			if int(e) == i {
				r.pair[p], r.token[row] = int32(row), int32(p/r.used)
				row++
			}
		}
		if row > first {
			r.groups = append(r.groups, group{f, first, row - first})
		}
	}
}

// route computes the router's logits from x [n][dim], a chunk's normalised residual or (SmallThinker) its layer input, and chooses the experts. It ends
// with a barrier, behind which all workers see the groups.
func (e *engine) route(w *workers.Worker, c chunk, l int, x *kernel.Acts) {
	lw := &e.w.layers[l]
	e.multiply(w, e.counter(c, l, phaseRoute), &lw.router.Matrix, e.routerLogits, x)
	w.Barrier()
	lo, hi := w.Split(c.n)
	for t := lo; t < hi; t++ {
		logits := e.routerLogits.row(t, e.h.experts)
		lw.router.finish(logits)
		e.routing.choose(e.h, lw.selection, t, w.ID, logits)
	}
	w.Barrier()
	if w.ID == 0 {
		e.routing.order(c.n, lw.experts)
	}
	w.Barrier()
}
