package infer

import (
	"math/bits"
	"sync/atomic"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
	"hotcell/models/pack"
)

// A cluster of neurons on its way through a layer whose neurons are in a pack, for a single token. Where all are in memory see resident.go.

// candidate is a neuron that may be active.
type candidate struct {
	pos   int32
	slot  int32 // of the cache, with the part that the phase needs; -1: not asked for
	phase phase
	gate  float32
	coef  float32 // the activation, when phase is isDone
	unit  unit    // what of it is in memory; nil: not known to be
}

type phase uint8

const (
	needsGate phase = iota
	needsUp
	isDone
)

// clusterRun is a cluster on its way through a layer. Its state says who may touch it and its candidates.
type clusterRun struct {
	state   atomic.Int32 // isNew, isFree, isHeld, isEnded
	n       int          // candidates
	waiting int          // of them not done
	any     bool         // the partial sum is not zero
	_       [128 - 32]byte
}

const (
	isNew   = iota // whom the work counter gives it to
	isFree         // nobody, until somebody holds it
	isHeld         // who made it so
	isEnded        // all may read
)

// startCluster makes the list of a cluster's candidates and asks for their gates.
func (e *engine) startCluster(w *workers.Worker, f *feedForward, c int) {
	s, n := e.sparse, f.neurons
	scratch, r := &s.scratch[w.ID], &s.runs[c]
	list := s.candidates[c*clusterNeurons(n.group.Neurons):]
	e.nameCluster(f, scratch, c)
	for i, pos := range scratch.who {
		list[i] = candidate{pos: pos, slot: -1}
	}
	r.n, r.waiting, r.any = len(scratch.who), len(scratch.who), false
	if !s.serial {
		s.flash.ask(w, scratch, n, list[:r.n], partGate)
	}
}

// nameCluster asks the predictor about a cluster, and leaves the positions that are to be computed in scratch.who. Flash so has work as soon as one cluster
// is known: scores of a whole layer first made a token 5 % slower where a quarter of bamboo-7b's neurons was in memory.
func (e *engine) nameCluster(f *feedForward, scratch *sparseScratch, c int) {
	n := f.neurons.group.Neurons
	size := clusterNeurons(n)
	lo, hi := c*size, min(n, (c+1)*size)
	scratch.known += hi - lo
	if f.predicts() {
		f.scorer().Mul(e.score.data, e.score.stride, &scratch.asked, lo/kernel.PanelRows, (hi+kernel.PanelRows-1)/kernel.PanelRows)
	}
	scratch.who = e.name(f, lo, hi, scratch.who[:0])
}

// name appends the positions from lo to hi-1 that are to be computed: all, or those that are hot or that the predictor takes for active. While it is spied
// on, the others follow as their complements.
func (e *engine) name(f *feedForward, lo, hi int, who []int32) []int32 {
	if !f.predicts() {
		for pos := lo; pos < hi; pos++ {
			who = append(who, int32(pos))
		}
		return who
	}
	a := e.answer(f, e.score.data)
	hot := min(hi, max(lo, f.neurons.always))
	for pos := lo; pos < hot; pos++ {
		who = append(who, int32(pos))
	}
	if !e.sparse.spying {
		return a.named(hot, hi, who)
	}
	for pos := hot; pos < hi; pos++ {
		if a.names(pos) {
			who = append(who, int32(pos))
		} else {
			who = append(who, ^int32(pos))
		}
	}
	return who
}

// answer is what a layer's predictor says.
type answer struct {
	scores []float32 // by position
	least  float32   // of the score of an active neuron
	given  []uint64  // what Config.Active says instead, a bit for each position; nil: nothing
}

// answer reads the scores of a layer.
func (e *engine) answer(f *feedForward, scores []float32) answer {
	switch {
	case e.sparse.active != nil:
		return answer{given: e.sparse.given}
	case f.sketch.Rows > 0:
		return answer{scores: scores, least: f.margin}
	}
	return answer{scores: scores, least: e.h.threshold}
}

// names tells whether a position is taken for active.
func (a *answer) names(pos int) bool {
	if a.given != nil {
		return a.given[pos>>6]>>(pos&63)&1 != 0
	}
	return a.scores[pos] >= a.least
}

// named appends the positions from lo to hi-1 that are taken for active.
func (a *answer) named(lo, hi int, who []int32) []int32 {
	if a.given == nil {
		for i, score := range a.scores[lo:hi] {
			if score >= a.least {
				who = append(who, int32(lo+i))
			}
		}
		return who
	}
	for pos := lo; pos < hi; pos = pos&^63 + 64 {
		word := a.given[pos>>6] >> (pos & 63)
		for ; word != 0; word &= word - 1 {
			if p := pos + bits.TrailingZeros64(word); p < hi {
				who = append(who, int32(p))
			}
		}
	}
	return who
}

// gateOf is a position's gate from the product of its row.
func (e *engine) gateOf(f *feedForward, pos int32, product float32) float32 {
	gate := f.gate.finishOne(product, f.neurons.group.Neuron(int(pos)))
	if e.sparse.active != nil {
		gate = e.sparse.givenGate(pos, gate)
	}
	return gate
}

// advanceCluster computes what can be computed of a cluster that the caller holds, and returns the state that it has then.
func (e *engine) advanceCluster(w *workers.Worker, f *feedForward, c int) (state int32) {
	s, n := e.sparse, f.neurons
	r, scratch := &s.runs[c], &s.scratch[w.ID]
	size := clusterNeurons(n.group.Neurons)
	list := s.candidates[c*size:][:r.n]
	e.gates(w, f, r, list)
	e.ups(w, f, r, list)
	if r.waiting > 0 {
		return isFree
	}
	scratch.rows = scratch.rows[:0]
	for i := range list {
		if p := &list[i]; p.coef != 0 {
			scratch.rows = append(scratch.rows, n.downRow(p.unit, int(p.pos), p.coef))
			if f.counts != nil {
				f.counts[n.group.Neuron(int(p.pos))]++
			}
		}
	}
	if r.any = len(scratch.rows) > 0; r.any {
		n.sumDown(s.partial[c*e.h.dim:][:e.h.dim], scratch.rows)
		scratch.active += len(scratch.rows)
	}
	s.finished.Add(1)
	return isEnded
}

// gates computes the gate products that can be, and asks for the other rows of neurons that they leave active.
func (e *engine) gates(w *workers.Worker, f *feedForward, r *clusterRun, list []candidate) {
	s, n := e.sparse, f.neurons
	scratch := &s.scratch[w.ID]
	unasked := scratch.present(s.flash, n, &n.group.Gate, list, needsGate)
	n.gate.Dots(scratch.rows, &scratch.in, 0)
	inParts := false
	for k, i := range scratch.who {
		p := &list[i]
		if p.gate = e.gateOf(f, p.pos, scratch.rows[k].Coef); p.gate <= 0 {
			p.phase = isDone
			r.waiting--
			continue
		}
		p.phase = needsUp
		if n.inParts {
			p.slot, inParts = -1, true
		}
	}
	if s.serial {
		return
	}
	if unasked {
		s.flash.ask(w, scratch, n, list, partGate)
	}
	if inParts {
		s.flash.ask(w, scratch, n, list, partUp)
	}
}

// ups computes the activations of the neurons whose up rows are there.
func (e *engine) ups(w *workers.Worker, f *feedForward, r *clusterRun, list []candidate) {
	s, n := e.sparse, f.neurons
	scratch := &s.scratch[w.ID]
	unasked := scratch.present(s.flash, n, &n.group.Up, list, needsUp)
	n.up.Dots(scratch.rows, &scratch.in, 0)
	for k, i := range scratch.who {
		p := &list[i]
		u := f.up.finishOne(scratch.rows[k].Coef, n.group.Neuron(int(p.pos)))
		if s.active != nil {
			u = s.givenGate(p.pos, u)
		}
		p.coef = e.activation(p.gate, u)
		p.phase = isDone
		r.waiting--
	}
	if unasked && !s.serial {
		s.flash.ask(w, scratch, n, list, partUp)
	}
}

// present lists the rows of matrix m that are in memory, of candidates that wait in a phase: who[k] is the candidate of rows[k]. It tells whether any
// of the others was not asked for.
func (s *sparseScratch) present(fl *flash, n *neurons, m *pack.Matrix, list []candidate, wait phase) (unasked bool) {
	s.rows, s.who = s.rows[:0], s.who[:0]
	for i := range list {
		p := &list[i]
		if p.phase != wait {
			continue
		}
		if !fl.ready(n, p) {
			unasked = unasked || p.slot < 0
			continue
		}
		codes, scales := n.row(m, p.unit, int(p.pos))
		s.rows, s.who = append(s.rows, kernel.Weighted{Codes: codes, Scales: scales}), append(s.who, int32(i))
	}
	return unasked
}

// givenGate makes a product positive for a position that was given to be active, and zero for the others.
func (s *sparseState) givenGate(pos int32, v float32) float32 {
	if !s.isGiven(pos) {
		return 0
	}
	return max(v, -v, 1e-6)
}

// activation is the neuron's value; both activations with a zero where gate or up is not positive are zero here too.
func (e *engine) activation(gate, up float32) float32 { return e.h.activation.apply(gate, up) }

// finishOne is finish for one row.
func (l *linear) finishOne(y float32, row int) float32 {
	y *= l.scale
	if l.bias != nil {
		y += l.bias[row]
	}
	return y
}
