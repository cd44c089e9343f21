package infer

import (
	"math/bits"
	"sync/atomic"
	"unsafe"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
	"hotcell/iosched"
	"hotcell/neuroncache"
)

// The feed-forward block by neurons, for models whose activation makes most of them zero (PowerInfer-2, arXiv 2406.06282, sections 4.1 and 4.3).
//
// One token. The layer's positions are cut into clusters, and each worker takes the next one:
//
//	scores      the predictor's rows for the cluster (predicted)
//	candidates  all positions (exact), or those whose score reaches the threshold (predicted)
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

	serial bool   // WithoutPipeline
	ahead  *ahead // nil: nothing is read early

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
	if a := s.ahead; a != nil && a.comingFor == layer {
		copy(s.given, a.coming)
		a.comingFor = -1
		return
	}
	clear(s.given)
	copy(s.given, s.active(layer))
}

// sparseScratch is one worker's.
type sparseScratch struct {
	units    []int32
	who      []int32 // whose unit it is: candidates
	found    []neuroncache.Found
	requests []*iosched.Request
	unsent   []*iosched.Request // claimed and filled in
	ahead    []int32            // units read early for the next layer, as many as there is room for
	rows     []kernel.Weighted
	gated    []float32   // [cluster] gates of the active neurons of a cluster in memory
	in       kernel.Acts // [1][dim] a single token's normalised residual
	asked    kernel.Acts // [1][rank] or [1][dim] what the layer's scores are computed from
	gates    []float32   // [cluster][chunkTokens]
	sum      []float32   // [dim]
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
		c.unsent = make([]*iosched.Request, 0, sendAtOnce)
		c.rows = make([]kernel.Weighted, 0, size)
		c.gated = make([]float32, size)
		c.gates = make([]float32, size*chunkTokens)
		c.sum = make([]float32, h.dim)
	}
	return s
}

// sparseBytes is what newSparseState's buffers take.
func sparseBytes(h *hparams, neurons, pool, batch int) int64 {
	size := clusterNeurons(neurons)
	clusters := (neurons + size - 1) / size
	perWorker := size*(4+4+int(unsafe.Sizeof(neuroncache.Found{}))+8+int(unsafe.Sizeof(kernel.Weighted{}))+4+4*chunkTokens) + 4*h.dim
	n := clusters*(size*int(unsafe.Sizeof(candidate{}))+int(unsafe.Sizeof(clusterRun{}))+4*h.dim) + pool*(perWorker+8*sendAtOnce+int(unsafe.Sizeof(sparseScratch{})))
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
	lo, hi := e.tokens(w, len(e.ids))
	for t := lo; t < hi; t++ {
		y := e.changeable(w, e.sparse.wideSum[t*e.h.dim:][:e.h.dim])
		e.w.layers[l].ffn.down.finish(y)
		e.addBlock(w, l, chunk{}, t, y)
	}
	e.share(w)
}

// begin prepares the walk through a layer for a single token. Called by one worker, with a barrier before the walk; nobody walks through another.
func (s *sparseState) begin(f *feedForward, l int) {
	for c := range f.neurons.clusters() {
		s.runs[c].state.Store(isNew)
	}
	s.next.Reset()
	s.finished.Store(0)
	s.give(l)
	s.spy(f.predicts())
	s.flash.beginLayer()
}

// sparseOne leaves the block's result for a single token in wideSum's first row. It ends with a barrier.
func (e *engine) sparseOne(w *workers.Worker, l int) {
	s, h, lw := e.sparse, e.h, &e.w.layers[l]
	n, scratch := lw.ffn.neurons, &e.sparse.scratch[w.ID]
	one := chunk{n: 1}
	e.normalise(w, one, lw.ffnNorm)
	scratch.in = e.input(w, 1)
	if scratch.asked = scratch.in; lw.ffn.predict1.Rows > 0 {
		scratch.asked = e.predictInner(w, one, l)
	}
	clusters, early := n.clusters(), len(scratch.ahead)
	s.flash.collect() // what was read early
	switch {
	case s.flash == nil:
		e.residentClusters(w, lw.ffn)
	case s.serial:
		e.matrixByMatrix(w, lw.ffn, clusters)
	default:
		e.clustersFromFlash(w, lw.ffn, clusters)
	}
	w.Barrier()
	e.judge(scratch, lw.ffn, early)
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
				addTo(y, s.partial[c*h.dim:][lo:hi])
			}
		}
	}
	w.Barrier()
}

// clustersFromFlash goes through clusters of which some neurons may have to be read: all that is absent is asked for before anything is computed, and then
// whatever has come is.
func (e *engine) clustersFromFlash(w *workers.Worker, f *feedForward, clusters int) {
	s := e.sparse
	for {
		c, _, ok := w.Next(&s.next, 1, clusters)
		if !ok {
			break
		}
		e.startCluster(w, f, c)
		s.runs[c].state.Store(isFree)
		s.flash.news.tell(c)
	}
	s.flash.send(&s.scratch[w.ID])
	for int(s.finished.Load()) < clusters && !s.flash.failed() {
		switch {
		case e.advanceAny(w, f, clusters):
		case s.flash.news.told(): // of a cluster that another worker holds
			pause()
		case e.askAhead(w):
			s.flash.collect()
		default:
			s.flash.wait(w)
		}
	}
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
			for which := partGate; which <= partUp; which++ {
				s.flash.ask(w, &s.scratch[w.ID], n, list, which)
			}
		}
		s.flash.send(&s.scratch[w.ID])
		w.Barrier()
		for s.flash.reads.Pending() > 0 {
			s.flash.wait(w)
		}
		ended := int(s.finished.Load()) == clusters // since behind the next barrier another worker may already finish the last one
		w.Barrier()
		if ended || s.flash.failed() {
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

// advanceAny goes on with clusters that something has come for and nobody holds, and tells whether there was one.
func (e *engine) advanceAny(w *workers.Worker, f *feedForward, clusters int) (any bool) {
	s := e.sparse
	for i := range s.flash.news.come {
		word := &s.flash.news.come[i]
		for left := word.Load(); left != 0; left &= left - 1 {
			bit := left & -left
			if word.And(^bit)&bit == 0 { // another worker took it
				continue
			}
			c := i<<6 + bits.TrailingZeros64(bit)
			if c >= clusters {
				continue
			}
			r := &s.runs[c]
			if !r.state.CompareAndSwap(isFree, isHeld) {
				if r.state.Load() != isEnded {
					s.flash.news.tell(c) // who holds it may have looked before this came
				}
				continue
			}
			any = true
			r.state.Store(e.advanceCluster(w, f, c))
			s.flash.send(&s.scratch[w.ID])
			s.flash.collect()
		}
	}
	return any
}
