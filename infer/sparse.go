package infer

import (
	"math/bits"
	"sync/atomic"
	"unsafe"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
	"hotcell/iosched"
	"hotcell/models/pack"
	"hotcell/neuroncache"
)

// The feed-forward block by neurons, for models whose activation makes most of them zero (PowerInfer-2, arXiv 2406.06282, sections 4.1 and 4.3).
//
// One token. The layer's positions are cut into clusters, and each worker takes the next one:
//
//	candidates  all positions (exact), or those whose predicted score reaches the threshold (predicted)
//	gate        a candidate's gate row times x; a neuron that this makes zero is done
//	up          the others' up row times x, and the activation
//	down        the cluster's partial sum of activation times down row
//
// There is no barrier between these. A candidate whose rows are on flash waits while the others go on, and while a cluster has but waiting ones
// the worker takes another; so reads and products overlap. When all clusters are done their partial sums are added in the clusters' order: the
// result is the same bits whatever was in memory, whatever order reads ended in and whoever computed what.
//
// Many tokens. Every worker has its own tokens, and all walk through the clusters in order, each of which is read once for all tokens. A cluster
// adds to a token what it would add to a single one, in the same order, so that prompts and single tokens give the same bits here too.

// sparseState is what the walks need besides the engine's own buffers.
type sparseState struct {
	candidates []candidate  // [neurons] of the layer; cluster c's begin at c*size
	runs       []clusterRun // [clusters]
	partial    []float32    // [clusters][dim]
	next       workers.Counter
	finished   atomic.Int32 // clusters
	scratch    []sparseScratch
	wide       *kernel.Acts // [batch][dim] input of the FFN for many tokens
	wideSum    []float32    // [batch][dim] its result
	flash      *flash       // nil: all neurons are in memory

	calibration *calibration // while margins of sketches are found
	recorder    *recorder    // while Record runs

	serial     bool   // WithoutPipeline
	readsEarly bool   // see readEarly
	givenCount int    // bits of given
	early      buffer // [1][neurons] scores of the layer that is read early

	spying    bool // on the predictor: this layer's other neurons are computed too, and counted, but not used
	spyAlways bool
	spied     int              // layers since the last one
	recall    [2]atomic.Uint64 // active neurons of spied layers: those that the predictor named, all

	active   func(layer int) []uint64 // Config.Active
	givenFor int                      // the layer of given; asked for once in each token
	given    []uint64                 // a bit for each position that it gave for the current layer
}

// isGiven tells whether Config.Active gave the position.
func (s *sparseState) isGiven(pos int32) bool { return s.given[pos>>6]>>(pos&63)&1 != 0 }

// give asks Config.Active for a layer's positions. Called by one worker, between barriers.
func (s *sparseState) give(layer int) {
	if s.active == nil || s.givenFor == layer {
		return
	}
	s.givenFor = layer
	clear(s.given)
	copy(s.given, s.active(layer))
	s.givenCount = 0
	for _, word := range s.given {
		s.givenCount += bits.OnesCount64(word)
	}
}

// candidate is a neuron that may be active.
type candidate struct {
	pos   int32
	slot  int32 // of the cache, with the part that the phase needs; -1: not asked for
	phase phase
	spy   bool // the predictor did not name it: computed only to know what it missed
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

// sparseScratch is one worker's.
type sparseScratch struct {
	units    []int32
	who      []int32 // whose unit it is: candidates
	found    []neuroncache.Found
	requests []*iosched.Request
	rows     []kernel.Weighted
	gates    []float32 // [cluster][chunkTokens]
	sum      []float32 // [dim]
	active   int
	known    int
	_        [128]byte
}

// newSparseState makes the buffers for a model's largest layer.
func newSparseState(h *hparams, neurons, pool, batch int) *sparseState {
	size := clusterNeurons(neurons)
	clusters := (neurons + size - 1) / size
	s := &sparseState{
		scratch:    make([]sparseScratch, pool),
		candidates: make([]candidate, clusters*size),
		runs:       make([]clusterRun, clusters),
		partial:    make([]float32, clusters*h.dim),
		wide:       kernel.NewActs(batch, h.dim),
		wideSum:    make([]float32, batch*h.dim),
		givenFor:   -1,
		given:      make([]uint64, (neurons+63)/64),
	}
	for i := range s.scratch {
		c := &s.scratch[i]
		c.units, c.who = make([]int32, 0, size), make([]int32, 0, size)
		c.found, c.requests = make([]neuroncache.Found, size), make([]*iosched.Request, 0, size)
		c.rows = make([]kernel.Weighted, 0, size+kernel.AxpyRows-1)
		c.gates = make([]float32, size*chunkTokens)
		c.sum = make([]float32, h.dim)
	}
	return s
}

// sparseBytes is what newSparseState's buffers take.
func sparseBytes(h *hparams, neurons, pool, batch int) int64 {
	size := clusterNeurons(neurons)
	clusters := (neurons + size - 1) / size
	perWorker := size*(4+4+int(unsafe.Sizeof(neuroncache.Found{}))+8+int(unsafe.Sizeof(kernel.Weighted{}))+4*chunkTokens) + (kernel.AxpyRows-1)*int(unsafe.Sizeof(kernel.Weighted{})) + 4*h.dim
	n := clusters*(size*int(unsafe.Sizeof(candidate{}))+int(unsafe.Sizeof(clusterRun{}))+4*h.dim) + pool*(perWorker+int(unsafe.Sizeof(sparseScratch{})))
	return int64(n) + int64((neurons+63)/64*8) + int64(batch)*int64(h.dim)*8 + max(1, int64(batch)*int64(h.dim/kernel.BlockCols)*kernel.ActBlockBytes)
}

// ffnByNeurons computes a layer's feed-forward block for the whole batch and adds it to x. All attention of the batch is done; a barrier was
// passed.
func (e *engine) ffnByNeurons(w *workers.Worker, l int) {
	if len(e.ids) == 1 {
		e.sparseOne(w, l)
	} else {
		e.sparseMany(w, l)
	}
	lo, hi := w.Split(len(e.ids))
	for t := lo; t < hi; t++ {
		y := e.sparse.wideSum[t*e.h.dim:][:e.h.dim]
		e.w.layers[l].ffn.down.finish(y)
		e.addBlock(w, l, chunk{}, t, y)
	}
	w.Barrier()
}

// sparseOne leaves the block's result for a single token in wideSum's first row. It ends with a barrier.
func (e *engine) sparseOne(w *workers.Worker, l int) {
	s, h, lw := e.sparse, e.h, &e.w.layers[l]
	n := lw.ffn.neurons
	one := chunk{n: 1}
	e.normalise(w, one, lw.ffnNorm)
	w.Barrier()
	switch {
	case !e.predicted:
	case lw.ffn.sketch.Rows > 0:
		e.multiply(w, e.counter(one, l, phasePredict), &lw.ffn.sketch, e.score, e.in)
	default:
		e.predict(w, one, l, phasePredict, e.score)
	}
	clusters := n.clusters()
	if w.ID == 0 {
		for c := range clusters {
			s.runs[c].state.Store(isNew)
		}
		s.next.Reset()
		s.finished.Store(0)
		s.give(l)
		s.spy(e.predicted)
		s.flash.beginLayer()
	}
	w.Barrier()
	if s.serial {
		e.matrixByMatrix(w, lw.ffn, clusters)
	}
	s.flash.collect() // what was read early
	for !s.serial {
		if c, _, ok := w.Next(&s.next, 1, clusters); ok {
			e.startCluster(w, lw.ffn, c)
			s.runs[c].state.Store(e.advanceCluster(w, lw.ffn, c))
			s.flash.collect()
			continue
		}
		if s.flash == nil || int(s.finished.Load()) == clusters || s.flash.failed() {
			break // in memory nothing is ever left waiting
		}
		if !e.advanceAny(w, lw.ffn, clusters) {
			s.flash.wait(w)
		}
	}
	w.Barrier()
	scratch := &s.scratch[w.ID]
	e.active.Add(uint64(scratch.active))
	e.neurons.Add(uint64(scratch.known))
	scratch.active, scratch.known = 0, 0
	if w.ID == 0 {
		s.recorder.layer(s, n)
		s.flash.endLayer()
		s.givenFor = -1
	}

	// Each worker adds the partial sums of its own columns.
	first, last := w.Split((h.dim + kernel.BlockCols - 1) / kernel.BlockCols)
	lo, hi := first*kernel.BlockCols, min(h.dim, last*kernel.BlockCols)
	if lo < hi {
		y := s.wideSum[lo:hi]
		clear(y)
		for c := range clusters {
			if s.runs[c].any {
				add(y, s.partial[c*h.dim:][lo:hi])
			}
		}
	}
	w.Barrier()
}

// matrixByMatrix is the way without a pipeline, to compare with: all reads for the gates, then all their products, then all reads for the other
// matrices, then their products. Each worker has its own clusters.
func (e *engine) matrixByMatrix(w *workers.Worker, f *feedForward, clusters int) {
	s, n := e.sparse, f.neurons
	for c := w.ID; c < clusters; c += e.pool.Size() {
		e.startCluster(w, f, c)
		s.runs[c].state.Store(isFree)
	}
	for {
		for c := w.ID; c < clusters; c += e.pool.Size() {
			list := s.candidates[c*clusterNeurons(n.group.Neurons):][:s.runs[c].n]
			for which := partGate; which <= partUp && s.flash != nil; which++ {
				s.flash.ask(w, &s.scratch[w.ID], n, list, which)
			}
		}
		w.Barrier()
		for s.flash != nil && s.flash.reads.Pending() > 0 {
			s.flash.wait(w)
		}
		w.Barrier()
		if int(s.finished.Load()) == clusters || s.flash.failed() { // nothing changes between the barriers
			return
		}
		for c := w.ID; c < clusters; c += e.pool.Size() {
			if r := &s.runs[c]; r.state.Load() == isFree {
				r.state.Store(e.advanceCluster(w, f, c))
			}
		}
		w.Barrier()
	}
}

// advanceAny goes on with the clusters that nobody holds, and tells whether any candidate got further.
func (e *engine) advanceAny(w *workers.Worker, f *feedForward, clusters int) bool {
	further := false
	for c := range clusters {
		r := &e.sparse.runs[c]
		if r.state.Load() != isFree || !r.state.CompareAndSwap(isFree, isHeld) {
			continue
		}
		before := r.waiting
		state := e.advanceCluster(w, f, c)
		further = further || r.waiting < before
		r.state.Store(state)
	}
	return further
}

// startCluster makes the list of a cluster's candidates.
func (e *engine) startCluster(w *workers.Worker, f *feedForward, c int) {
	s, n := e.sparse, f.neurons
	size := clusterNeurons(n.group.Neurons)
	r := &s.runs[c]
	lo, hi := c*size, min(n.group.Neurons, (c+1)*size)
	list := s.candidates[lo:lo:hi]
	var scores []float32
	if e.predicted {
		scores = e.score.row(0, n.group.Neurons)
	}
	for pos := lo; pos < hi; pos++ {
		named := scores == nil || pos < n.always || e.named(f, scores, pos)
		if named || s.spying {
			list = append(list, candidate{pos: int32(pos), slot: -1, spy: !named})
		}
	}
	r.n, r.waiting, r.any = len(list), len(list), false
	s.scratch[w.ID].known += hi - lo
	switch {
	case s.flash == nil:
		for i := range list {
			list[i].unit = n.inMemory(int(list[i].pos))
		}
		return
	case s.serial:
		return
	}
	s.flash.ask(w, &s.scratch[w.ID], n, list, partGate)
}

// named tells whether the predictor takes a position for active; scores are those of its layer.
func (e *engine) named(f *feedForward, scores []float32, pos int) bool {
	switch {
	case e.sparse.active != nil:
		return e.sparse.isGiven(int32(pos))
	case f.sketch.Rows > 0:
		return scores[pos] >= f.margin
	}
	return scores[f.neurons.group.Neuron(pos)] >= e.h.threshold
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
	if s.spying {
		s.countSpied(list)
	}
	for i := range list {
		if p := &list[i]; p.coef != 0 {
			scratch.rows = append(scratch.rows, n.downRow(p.unit, int(p.pos), p.coef))
			if f.counts != nil {
				f.counts[n.group.Neuron(int(p.pos))]++
			}
		}
	}
	if r.any = len(scratch.rows) > 0; r.any {
		y := s.partial[c*e.h.dim:][:e.h.dim]
		clear(y)
		n.addDown(y, scratch.rows)
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
	n.gate.Dots(scratch.rows, e.in, 0)
	inParts := false
	for k, i := range scratch.who {
		p := &list[i]
		p.gate = f.gate.finishOne(scratch.rows[k].Coef, n.group.Neuron(int(p.pos)))
		if s.active != nil {
			p.gate = s.givenGate(p.pos, p.gate)
		}
		if p.gate <= 0 {
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
	n.up.Dots(scratch.rows, e.in, 0)
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

// spyEvery is how many layers pass between two in which the predictor is spied on: 16 tokens of a model with 32 layers, and another layer each
// time. What it costs, all gates of a layer, is then 1/500 of a token.
const spyEvery = 16*32 + 1

// spy decides whether to spy in the coming layer. Where neurons are on flash nothing is read for it.
func (s *sparseState) spy(predicted bool) {
	s.spied++
	s.spying = predicted && s.flash == nil && s.active == nil && (s.spyAlways || s.spied >= spyEvery)
	if s.spying {
		s.spied = 0
	}
}

// countSpied counts what the predictor found of a cluster's active neurons, and takes the others out.
func (s *sparseState) countSpied(list []candidate) {
	var named, all uint64
	for i := range list {
		if p := &list[i]; p.coef != 0 {
			if all++; p.spy {
				p.coef = 0
			} else {
				named++
			}
		}
	}
	s.recall[0].Add(named)
	s.recall[1].Add(all)
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
