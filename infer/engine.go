package infer

import (
	"context"
	"fmt"
	"sync/atomic"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
	"hotcell/models/gguf"
	"hotcell/models/pack"
)

// How one token becomes the next; in brackets what is shared out among the workers, "|" is a barrier.
//
//	tokens -> embedding row -> x, the residual stream [batch][dim]
//	per layer, and in it per chunk of the batch:
//	   attention.go  norm, round to 8 bits [tokens] | q, k, v [panels] | rotate, store k and v [heads]
//	   attend.go     | attend, round [heads and tokens, or heads and positions]
//	   attention.go  | output product [panels] | x += it [tokens]
//	   ffn.go        norm, round [tokens] | with experts, route.go: choose [tokens] |
//	                 gate, up, activation, round [panels] | down [panels or columns] | x += it [tokens]
//	norm -> logits [panels] -> sampler -> token
//
// For a batch of a single token what says [tokens] has no barrier behind it: own.go.
//
// The workers run the whole batch as one program (SPMD): all walk through the same layers and meet at the barriers, and within a phase
// each takes the next free piece. The engine's buffers belong to whoever the phase gives the piece to; between barriers nothing is shared
// but what the last phase wrote.

// Mode says how feed-forward layers are computed.
type Mode string

// The modes. Predicted trusts the predictor in the file and is lossy against Dense.
const (
	ModeAuto      Mode = "auto"      // Exact where that is faster, else Dense; from a pack what the plan says of each layer
	ModeDense     Mode = "dense"     // every neuron
	ModeExact     Mode = "exact"     // every neuron's gate, and the rest of those that it does not make zero: Dense's result, but for rounding
	ModePredicted Mode = "predicted" // neurons whose predicted score reaches the file's threshold
	ModeFile      Mode = "file"      // as the engine that the file was made for: Predicted if it brings a predictor, else Dense
)

// predicted tells whether the mode uses the predictor of a model.
func (m Mode) predicted(h *hparams) bool {
	return m == ModePredicted || m == ModeFile && h.hasPredictor
}

// chunkTokens is how many tokens of a prompt pass through a matrix together: enough that each weight is unpacked rarely,
// few enough that their activations stay in the cache.
const chunkTokens = 128

// batchTokens is how many tokens of a prompt pass through a layer before the next layer begins: a weight that is on flash is read once for all of
// them.
const batchTokens = 512

// aloneBytes is how many bytes of weights a layer must have for a second worker to help with a single token. One core reads them in some 50 us, and
// five barriers take 2 us of that, but as soon as another program runs a worker that lost its core costs more than the other saved. The built-in
// model (1.2 MB a layer), best of 15 runs on two cores that others used too: 2500 to 2900 tokens/s alone, 750 to 1400 with two workers.
const aloneBytes = 2 << 20

// chunk is some tokens of the batch: the index-th chunk, tokens first to first+n-1.
type chunk struct{ index, first, n int }

// engine computes logits from tokens. Its methods are called by one goroutine at a time.
type engine struct {
	h    *hparams
	w    *weights
	kv   *kvCache
	pool *workers.Pool

	predicted bool

	// State of one batch of tokens.
	pos     int       // position of the first
	ids     []int32   // [batch]
	done    int       // tokens of earlier batches
	wantAll bool      // logits for all tokens, not only for the last
	alone   bool      // a single token is worker 0's: the layers are small
	solo    bool      // one token, for which each worker has its own stream
	x       []float32 // [batch][dim] residual stream
	branch  []float32 // [batch][dim] attention's result, for parallel families
	turns   []buffer  // per rope: [batch][dims] rotations

	// Scratch for one chunk of n tokens. An FFN pass has a row for each token, or with experts for each (token, expert) pair.
	position     buffer       // [workers][dim] a position's vector, for families that learn them
	mixed        []float32    // [n][dim] sum of the experts' results
	in           *kernel.Acts // [n][dim] or [n][heads*headDim], input of the next products
	pairs        *kernel.Acts // [rows][dim] input of the experts
	inner        *kernel.Acts // [rows][ff] input of the down product
	residualIn   *kernel.Acts // [n][dim] input of the predictor
	hidden       *kernel.Acts // [n][rank] predictor's inner layer
	q, k, v      buffer       // [n][heads*headDim], [n][kvHeads*headDim]
	gate, up     buffer       // [rows][ff]; up holds the activations in the end
	rank, score  buffer       // [n][rank] products of the predictor's inner layer, [n][ff] its answer
	sum          buffer       // [rows][dim], what a block adds to x
	logits       buffer       // [batch or 1][vocab]
	routerLogits buffer       // [n][experts]
	routing      *routing
	parts        attendParts
	own          []own // [workers]
	counters     []workers.Counter

	cancelled atomic.Bool // set by worker 0 at a chunk's start, read by all after a barrier
	ctx       context.Context
	progress  func(done int)        // of eval
	program   func(*workers.Worker) // e.run, bound once so that no call allocates

	sparse *sparseState // nil: no layer is computed by neuron

	active, neurons atomic.Uint64 // FFN neurons that were not zero, and all; of sparse activations only
}

// buffer is a product's output: one row per token, padded to whole panels.
type buffer struct {
	data   []float32
	stride int
}

func newBuffer(rows, width int) buffer {
	stride := (width + kernel.PanelRows - 1) / kernel.PanelRows * kernel.PanelRows
	return buffer{make([]float32, rows*stride), stride}
}

// row is row t's first n values.
func (b buffer) row(t, n int) []float32 { return b.data[t*b.stride:][:n:n] }

// from is the rows from t on.
func (b buffer) from(t int) []float32 { return b.data[t*b.stride:] }

// phases of a layer that share their work by a counter.
const (
	phaseQKV = iota
	phaseAttend
	phaseOut
	phaseRoute
	phasePass // two
	_
	phasePassShared // two
	_
	phasePredict
	phaseScore
	phasesPerLayer
)

func newEngine(h *hparams, w *weights, kv *kvCache, pool *workers.Pool, predicted bool) *engine {
	qDim, kvDim := h.heads*h.headDim, h.kvHeads*h.headDim
	batch := min(batchTokens, kv.context)
	n := min(chunkTokens, batch)
	rows, ff, rank, scored, neurons := n, 0, 0, 0, 0
	for l := range w.layers {
		lw := &w.layers[l]
		for _, f := range append([]*feedForward{lw.ffn, lw.shared}, lw.experts...) {
			if f == nil {
				continue
			}
			if rank = max(rank, f.predict1.Rows); f.neurons == nil {
				ff = max(ff, f.ff())
			} else {
				neurons = max(neurons, f.ff())
			}
			scored = max(scored, f.ff())
		}
	}
	e := &engine{
		h: h, w: w, kv: kv, pool: pool, predicted: predicted,
		ids:      make([]int32, batch),
		x:        make([]float32, batch*h.dim),
		in:       kernel.NewActs(n, max(h.dim, qDim)),
		q:        newBuffer(n, qDim),
		k:        newBuffer(n, kvDim),
		v:        newBuffer(n, kvDim),
		logits:   newBuffer(1, h.vocab),
		counters: make([]workers.Counter, numCounters(h, batch)),
	}
	if w.positions.Rows > 0 {
		e.position = newBuffer(pool.Size(), h.dim)
	}
	if h.parallel {
		e.branch = make([]float32, batch*h.dim)
	}
	if h.experts > 0 {
		rows = n * h.expertsUsed
		e.mixed = make([]float32, n*h.dim)
		e.pairs = kernel.NewActs(rows, h.dim)
		e.routerLogits = newBuffer(n, h.experts)
		e.routing = newRouting(h, n, pool.Size())
	}
	e.inner = kernel.NewActs(rows, ff)
	e.gate, e.up, e.sum = newBuffer(rows, ff), newBuffer(rows, ff), newBuffer(rows, h.dim)
	for _, p := range h.ropes {
		e.turns = append(e.turns, newBuffer(batch, p.dims))
	}
	if predicted {
		e.residualIn = kernel.NewActs(n, h.dim)
		e.hidden = kernel.NewActs(n, rank)
		e.rank, e.score = newBuffer(n, rank), newBuffer(n, scored)
	}
	if neurons > 0 {
		e.sparse = newSparseState(h, neurons, pool.Size(), batch)
	}
	e.parts = newAttendParts(h, kv.context)
	for range pool.Size() {
		e.own = append(e.own, newOwn(h, predicted, rank))
	}
	e.program = e.run
	work := e.work()
	e.alone = e.sparse == nil && work.readPerToken(1) < float64(h.layers*aloneBytes)
	return e
}

// numCounters is how many work counters a batch needs: for each phase of each layer and chunk, and one for the logits.
func numCounters(h *hparams, batch int) int {
	return h.layers*phasesPerLayer*((batch+chunkTokens-1)/chunkTokens) + 1
}

// eval computes tokens at positions pos, pos+1, ... of the KV cache, in batches. With each == nil only the last token's logits are computed and
// returned [vocab]; they are valid until the next call. Otherwise each is called with every token's index and logits. progress, if not nil,
// is called after each layer with the tokens that would have been done in the same time, and at the end. A cancelled ctx ends it within one
// chunk of one layer; the cache then holds what the returned count says.
func (e *engine) eval(ctx context.Context, tokens []int32, pos int, progress func(done int), each func(t int, logits []float32)) (logits []float32, done int, err error) {
	if err := e.h.checkTokens(tokens); err != nil {
		return nil, 0, err
	}
	if pos+len(tokens) > e.kv.context {
		return nil, 0, fmt.Errorf("%d tokens do not fit into a context of %d", pos+len(tokens), e.kv.context)
	}
	if each != nil && len(e.logits.data) < cap(e.ids)*e.logits.stride {
		e.logits = newBuffer(cap(e.ids), e.h.vocab)
	}
	e.ctx, e.wantAll, e.progress = ctx, each != nil, progress
	for done < len(tokens) {
		e.pos = pos + done
		e.ids = append(e.ids[:0], tokens[done:min(len(tokens), done+cap(e.ids))]...)
		e.solo = len(e.ids) == 1
		for i := range numCounters(e.h, len(e.ids)) - 1 {
			e.counters[i].Reset()
		}
		e.counters[len(e.counters)-1].Reset() // the logits'
		e.cancelled.Store(false)
		e.done = done
		if e.sparse != nil {
			if err := e.sparse.flash.unchanged(len(e.ids) > 1); err != nil {
				return nil, done, err
			}
			if len(e.ids) > 1 {
				e.sparse.flash.beginBatch()
			}
		}
		if e.alone && len(e.ids) == 1 {
			e.pool.RunAlone(e.program)
		} else {
			e.pool.Run(e.program)
		}
		if e.sparse != nil {
			if err := e.sparse.flash.endBatch(); err != nil {
				return nil, done, err
			}
		}
		if e.cancelled.Load() {
			return nil, done, ctx.Err()
		}
		if each != nil {
			for t := range e.ids {
				each(done+t, e.logits.row(t, e.h.vocab))
			}
		}
		done += len(e.ids)
	}
	return e.logits.row(0, e.h.vocab), done, nil
}

// run is one worker's walk through all layers for the batch.
func (e *engine) run(w *workers.Worker) {
	h := e.h
	lo, hi := e.tokens(w, len(e.ids))
	for t := lo; t < hi; t++ {
		x := e.residual(w, chunk{}, t)
		e.w.embedding.Row(int(e.ids[t]), x)
		multiplyBy(x, h.embeddingScale)
		if e.w.positions.Rows > 0 {
			e.w.positions.Row(e.pos+t, e.position.row(w.ID, h.dim))
			addTo(x, e.position.row(w.ID, h.dim))
		}
		for i, r := range e.w.ropes {
			if !e.solo || w.ID == 0 { // used behind the next barrier
				r.at(e.pos+t, e.turns[i].row(t, h.ropes[i].dims))
			}
		}
	}
	e.share(w) // a chunk's tokens are split otherwise than the batch's
	for l := range e.w.layers {
		for c := (chunk{}); c.first < len(e.ids); c.index, c.first = c.index+1, c.first+c.n {
			c.n = min(chunkTokens, len(e.ids)-c.first)
			switch {
			case w.ID != 0:
			case e.ctx.Err() != nil:
				e.cancelled.Store(true)
			case e.solo && e.byNeurons(l):
				e.sparse.begin(e.w.layers[l].ffn, l)
				e.sparse.ahead.begin(e, l)
			}
			if h.routeEarly && e.w.layers[l].router.Rows > 0 {
				e.normalise(w, c, nil)
				e.share(w)
				in := e.input(w, c.n)
				e.route(w, c, l, &in)
			}
			e.attention(w, c, l)
			if e.cancelled.Load() { // written before the barriers in attention, so all workers agree
				return
			}
			if !e.byNeurons(l) {
				e.ffn(w, c, l)
			}
		}
		if e.byNeurons(l) {
			e.share(w)
			e.ffnByNeurons(w, l)
			if e.sparse.flash.failed() { // set before the last barrier, so all workers agree
				return
			}
		}
		if w.ID == 0 && e.progress != nil {
			e.progress(e.done + len(e.ids)*(l+1)/len(e.w.layers))
		}
	}
	e.share(w)
	e.head(w)
}

// byNeurons tells whether a layer's FFN is computed by neuron (sparse.go).
func (e *engine) byNeurons(l int) bool {
	f := e.w.layers[l].ffn
	return f != nil && f.neurons != nil
}

// counter is the work counter of a phase.
func (e *engine) counter(c chunk, l, phase int) *workers.Counter {
	return &e.counters[(c.index*e.h.layers+l)*phasesPerLayer+phase]
}

// multiply is a phase that computes m times in for the whole chunk.
func (e *engine) multiply(w *workers.Worker, c *workers.Counter, m *kernel.Matrix, out buffer, in *kernel.Acts) {
	step := e.panelStep(m.Panels())
	for {
		lo, hi, ok := w.Next(c, step, m.Panels())
		if !ok {
			return
		}
		m.Mul(out.data, out.stride, in, lo, hi)
	}
}

// panelStep is how many panels a worker takes at once: about eight pieces per worker, so that a core that is slower or was interrupted
// holds the others up little. It is even, since some kernels multiply two panels at once, and so that a block of 32 rows is never divided.
func (e *engine) panelStep(panels int) int {
	return max(2, (panels/(8*e.pool.Size())+1)&^1)
}

// reshape gives activations their shape for the coming phase. All workers call it; none may still use a. It contains a barrier.
func (e *engine) reshape(w *workers.Worker, a *kernel.Acts, rows, cols int) {
	w.Barrier()
	if w.ID == 0 {
		a.Reset(rows, cols)
	}
	w.Barrier()
}

// normalise writes the normalised residual of the worker's own tokens to the input of the next products, rounded too; a nil norm copies it. Before
// others use it, share must follow.
func (e *engine) normalise(w *workers.Worker, c chunk, n *norm) {
	in := e.input(w, c.n)
	lo, hi := e.tokens(w, c.n)
	for t := lo; t < hi; t++ {
		x := e.residual(w, c, t)
		if n == nil {
			copy(in.Row(t), x)
		} else {
			n.vector(in.Row(t), x)
		}
	}
	in.Quantize(lo, hi)
}

// head computes the logits of the last token, or of all.
func (e *engine) head(w *workers.Worker) {
	first := len(e.ids) - 1
	if e.wantAll {
		first = 0
	}
	counter := &e.counters[len(e.counters)-1]
	for row := first; row < len(e.ids); row += chunkTokens {
		c := chunk{first: row, n: min(chunkTokens, len(e.ids)-row)}
		if w.ID == 0 && row > first {
			counter.Reset()
		}
		e.normalise(w, c, e.w.outputNorm)
		e.share(w)
		in, out := e.input(w, c.n), buffer{e.logits.from(row - first), e.logits.stride}
		e.multiply(w, counter, &e.w.output.Matrix, out, &in)
		w.Barrier()
		e.finishLogits(w, out, c.n)
	}
}

// finishLogits applies what follows the output product: rows are shared out, or a single one's parts.
func (e *engine) finishLogits(w *workers.Worker, out buffer, n int) {
	h := e.h
	lo, hi := w.Split(n)
	from, to := 0, h.vocab
	if n == 1 {
		lo, hi = 0, 1
		from, to = w.Split(h.vocab)
	}
	for t := lo; t < hi; t++ {
		y := out.row(t, to)[from:]
		e.w.output.finishPart(y, from)
		multiplyBy(y, h.logitScale)
		softCapAll(y, h.logitCap)
	}
}

// newModelEngine checks and loads a model and makes an engine for it.
func newModelEngine(ctx context.Context, f *gguf.File, c Config) (*engine, error) {
	h, err := readHparams(f)
	if err != nil {
		return nil, err
	}
	if c.Threshold != nil {
		h.threshold = *c.Threshold
	}
	p, packed := pack.Of(f)
	if packed {
		return newPackedEngine(ctx, p, f, h, c)
	}
	ld, err := newLoader(f, h, &c)
	if err != nil {
		return nil, err
	}
	pool := workers.New(c.Threads, workers.Options{Pin: c.Pin})
	w, err := loadWeights(ctx, ld, pool, c.Progress)
	if err != nil {
		pool.Close()
		return nil, err
	}
	kv, err := newKVCache(h, ld.context, c.KV)
	if err != nil {
		w.mem.free()
		pool.Close()
		return nil, err
	}
	e := newEngine(h, w, kv, pool, ld.predictor)
	if e.sparse != nil {
		e.sparse.active, e.sparse.serial = c.Active, c.Without&WithoutPipeline != 0
	}
	if ld.predictor && !h.hasPredictor {
		if err := e.makeSketches(ctx, f, c.Threshold); err != nil {
			e.close()
			return nil, err
		}
	}
	return e, nil
}

// close stops the threads and frees weights and cache.
func (e *engine) close() {
	e.pool.Close()
	e.w.mem.free()
	e.kv.mem.free()
	if e.sparse != nil {
		e.sparse.flash.close()
	}
}
