package infer

import (
	"context"
	"fmt"
	"sync/atomic"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
	"hotcell/models/gguf"
)

// How one token becomes the next; in brackets what is shared out among the workers, "|" is a barrier.
//
//	tokens -> embedding row -> x, the residual stream [chunk][dim]
//	per layer:
//	   norm, round to 8 bits [tokens] | q, k, v [panels] | rotate, store k and v [heads] | attend [heads]
//	   | round [tokens] | output product [panels] | x += it, norm, round [tokens]
//	   | gate, up, activation [panels] | round [tokens] | down [panels or columns] | x += it [tokens]
//	norm -> logits [panels] -> sampler -> token
//
// The workers run the whole chunk as one program (SPMD): all walk through the same layers and meet at the barriers, and within a phase
// each takes the next free piece. The engine's buffers belong to whoever the phase gives the piece to; between barriers nothing is shared
// but what the last phase wrote.

// Mode says how feed-forward layers are computed.
type Mode string

// The modes. Predicted trusts the predictor in the file and is lossy against Dense.
const (
	ModeAuto      Mode = "auto"      // Dense
	ModeDense     Mode = "dense"     // every neuron
	ModePredicted Mode = "predicted" // neurons whose predicted score reaches the file's threshold
	ModeFile      Mode = "file"      // as the engine that the file was made for: Predicted if it brings a predictor, else Dense
)

// predicted tells whether the mode uses the predictor of a model.
func (m Mode) predicted(h *hparams) bool {
	return m == ModePredicted || m == ModeFile && h.hasPredictor
}

// chunkTokens is how many tokens of a prompt pass through a layer together: enough that each weight is unpacked rarely,
// few enough that their activations stay in the cache.
const chunkTokens = 64

// engine computes logits from tokens. Its methods are called by one goroutine at a time.
type engine struct {
	h    *hparams
	w    *weights
	kv   *kvCache
	pool *workers.Pool
	rope *ropeTable

	predicted bool

	// Scratch for one chunk of n tokens. Strides are in values; rows are padded to whole panels.
	n, pos   int       // tokens in this chunk, position of the first
	ids      []int32   // [n]
	wantAll  bool      // logits for all tokens, not only for the last
	x        []float32 // [n][dim]
	residual *kernel.Acts
	in       *kernel.Acts // input of the next products: [n][dim], [n][heads*headDim] or [n][ff]
	hidden   *kernel.Acts // predictor's inner layer
	q, k, v  buffer       // [n][heads*headDim], [n][kvHeads*headDim]
	gate, up buffer       // [n][ff]
	score    buffer       // [n][ff] of the predictor; first used for its inner layer
	sum      buffer       // [n][dim], what a block adds to x
	logits   buffer       // [n or 1][vocab]
	turns    []float32    // [n][rope dims]
	scores   [][]float32  // per worker: [context] attention weights
	counters []workers.Counter

	cancelled atomic.Bool // set by worker 0 at a layer's start, read by all after a barrier
	ctx       context.Context
	program   func(*workers.Worker) // e.run, bound once so that no call allocates

	active, neurons atomic.Uint64 // FFN neurons that were not zero, and all
}

// buffer is a product's output: one row per token, padded to whole panels.
type buffer struct {
	data   []float32
	stride int
}

func newBuffer(tokens, rows int) buffer {
	stride := (rows + kernel.PanelRows - 1) / kernel.PanelRows * kernel.PanelRows
	return buffer{make([]float32, tokens*stride), stride}
}

// row is token t's values, n of them.
func (b buffer) row(t, n int) []float32 { return b.data[t*b.stride:][:n:n] }

// phases of a layer that share their work by a counter.
const (
	phaseQKV = iota
	phaseAttend
	phaseOut
	phaseGateUp
	phaseDown
	phasePredict1
	phasePredict2
	phasesPerLayer
)

func newEngine(h *hparams, w *weights, kv *kvCache, pool *workers.Pool, predicted bool) *engine {
	qDim, kvDim := h.heads*h.headDim, h.kvHeads*h.headDim
	n := min(chunkTokens, kv.context)
	e := &engine{
		h: h, w: w, kv: kv, pool: pool, predicted: predicted,
		rope:     newRopeTable(h.rope, w.ropeFactor),
		ids:      make([]int32, n),
		x:        make([]float32, n*h.dim),
		in:       kernel.NewActs(n, max(h.dim, qDim, h.ff)),
		q:        newBuffer(n, qDim),
		k:        newBuffer(n, kvDim),
		v:        newBuffer(n, kvDim),
		gate:     newBuffer(n, h.ff),
		up:       newBuffer(n, h.ff),
		sum:      newBuffer(n, h.dim),
		logits:   newBuffer(1, h.vocab),
		turns:    make([]float32, n*h.rope.dims),
		counters: make([]workers.Counter, h.layers*phasesPerLayer+1),
	}
	if predicted {
		rank := 0
		for l := range w.layers {
			rank = max(rank, w.layers[l].predict1.Rows)
		}
		e.residual = kernel.NewActs(n, h.dim)
		e.hidden = kernel.NewActs(n, rank)
		e.score = newBuffer(n, max(h.ff, rank))
	}
	for range pool.Size() {
		e.scores = append(e.scores, make([]float32, kv.context))
	}
	e.program = e.run
	return e
}

// eval computes tokens at positions pos, pos+1, ... of the KV cache, in chunks. With each == nil only the last token's logits are computed and
// returned [vocab]; they are valid until the next call. Otherwise each is called with every token's index and logits. progress, if not nil,
// is called after each chunk with the tokens done. A cancelled ctx ends it within one layer; the cache then holds what the
// returned count says.
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
	e.ctx, e.wantAll = ctx, each != nil
	for done < len(tokens) {
		e.n, e.pos = min(cap(e.ids), len(tokens)-done), pos+done
		e.ids = append(e.ids[:0], tokens[done:done+e.n]...)
		for i := range e.counters {
			e.counters[i].Reset()
		}
		e.cancelled.Store(false)
		e.pool.Run(e.program)
		if e.cancelled.Load() {
			return nil, done, ctx.Err()
		}
		if each != nil {
			for t := range e.n {
				each(done+t, e.logits.row(t, e.h.vocab))
			}
		}
		done += e.n
		if progress != nil {
			progress(done)
		}
	}
	return e.logits.row(0, e.h.vocab), done, nil
}

// run is one worker's walk through all layers for the chunk.
func (e *engine) run(w *workers.Worker) {
	lo, hi := w.Split(e.n)
	for t := lo; t < hi; t++ {
		e.w.embedding.Row(int(e.ids[t]), e.x[t*e.h.dim:][:e.h.dim])
		e.rope.at(e.pos+t, e.turns[t*e.h.rope.dims:][:e.h.rope.dims])
	}
	for l := range e.w.layers {
		if w.ID == 0 && e.ctx.Err() != nil {
			e.cancelled.Store(true)
		}
		e.attention(w, l)
		if e.cancelled.Load() { // written before the barriers in attention, so all workers agree
			return
		}
		e.ffn(w, l)
	}
	e.head(w)
}

// multiply adds a phase that computes m times in for the whole chunk.
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
// holds the others up little.
func (e *engine) panelStep(panels int) int {
	return max(1, panels/(8*e.pool.Size()))
}

// attention adds the attention block's result to x. It ends without a barrier after x is written by the owner of each token.
func (e *engine) attention(w *workers.Worker, l int) {
	h, lw := e.h, &e.w.layers[l]
	counter := e.counters[l*phasesPerLayer:]
	lo, hi := w.Split(e.n)
	e.enter(w, e.in, h.dim)
	for t := lo; t < hi; t++ {
		rmsNormInto(e.in.Row(t), e.x[t*h.dim:][:h.dim], lw.attnNorm, h.eps)
	}
	e.in.Quantize(lo, hi)
	w.Barrier()

	// One counter over the panels of all three matrices.
	ends := [3]int{lw.q.Panels(), lw.q.Panels() + lw.k.Panels(), lw.q.Panels() + lw.k.Panels() + lw.v.Panels()}
	parts := [3]struct {
		m   *kernel.Matrix
		out buffer
	}{{&lw.q, e.q}, {&lw.k, e.k}, {&lw.v, e.v}}
	step := e.panelStep(ends[2])
	for {
		lo, hi, ok := w.Next(&counter[phaseQKV], step, ends[2])
		if !ok {
			break
		}
		start := 0
		for i, p := range parts {
			a, b := max(lo, start), min(hi, ends[i])
			if a < b {
				p.m.Mul(p.out.data, p.out.stride, e.in, a-start, b-start)
			}
			start = ends[i]
		}
	}
	w.Barrier()

	e.rotateAndStore(w, l)
	w.Barrier()

	e.enter(w, e.in, h.heads*h.headDim)
	group := h.heads / h.kvHeads
	for {
		lo, hi, ok := w.Next(&counter[phaseAttend], 1, e.n*h.heads)
		if !ok {
			break
		}
		for i := lo; i < hi; i++ {
			t, head := i/h.heads, i%h.heads
			q := e.q.row(t, h.heads*h.headDim)[head*h.headDim:][:h.headDim]
			out := e.in.Row(t)[head*h.headDim:][:h.headDim]
			e.kv.attend(out, q, l, head/group, 0, e.pos+t, h.attentionScale, e.scores[w.ID])
		}
	}
	w.Barrier()

	e.in.Quantize(lo, hi)
	w.Barrier()

	e.multiply(w, &counter[phaseOut], &lw.out, e.sum, e.in)
	w.Barrier()

	for t := lo; t < hi; t++ {
		x := e.x[t*h.dim:][:h.dim]
		add(x, e.sum.row(t, h.dim))
		add(x, lw.outBias)
	}
}

// enter gives the activations their shape for the coming phase. Every worker calls it and worker 0 writes; the caller has passed a barrier since the
// last use of a, and passes another before anyone reads.
func (e *engine) enter(w *workers.Worker, a *kernel.Acts, cols int) {
	if w.ID == 0 {
		a.Reset(e.n, cols)
	}
	w.Barrier()
}

// rotateAndStore adds the biases to q, k and v, rotates q and k by their positions, and writes k and v into the cache.
func (e *engine) rotateAndStore(w *workers.Worker, l int) {
	h, lw := e.h, &e.w.layers[l]
	perToken := h.heads + h.kvHeads
	lo, hi := w.Split(e.n * perToken)
	for i := lo; i < hi; i++ {
		t, head := i/perToken, i%perToken
		turns := e.turns[t*h.rope.dims:][:h.rope.dims]
		if head < h.heads {
			q := e.q.row(t, h.heads*h.headDim)[head*h.headDim:][:h.headDim]
			addPart(q, lw.qBias, head*h.headDim)
			rotate(q, turns)
			continue
		}
		head -= h.heads
		k := e.k.row(t, h.kvHeads*h.headDim)[head*h.headDim:][:h.headDim]
		v := e.v.row(t, h.kvHeads*h.headDim)[head*h.headDim:][:h.headDim]
		addPart(k, lw.kBias, head*h.headDim)
		addPart(v, lw.vBias, head*h.headDim)
		rotate(k, turns)
		e.kv.store(e.kv.keys, l, head, e.pos+t, k)
		e.kv.store(e.kv.values, l, head, e.pos+t, v)
	}
}

// addPart adds b[from:] to a; b may be nil.
func addPart(a, b []float32, from int) {
	if b != nil {
		add(a, b[from:from+len(a)])
	}
}

// head computes the logits of the last token, or of all.
func (e *engine) head(w *workers.Worker) {
	h := e.h
	first := e.n - 1
	if e.wantAll {
		first = 0
	}
	if w.ID == 0 {
		e.in.Reset(e.n-first, h.dim)
	}
	w.Barrier()
	lo, hi := w.Split(e.n - first)
	for t := lo; t < hi; t++ {
		rmsNormInto(e.in.Row(t), e.x[(first+t)*h.dim:][:h.dim], e.w.outputNorm, h.eps)
	}
	e.in.Quantize(lo, hi)
	w.Barrier()
	e.multiply(w, &e.counters[len(e.counters)-1], &e.w.output, e.logits, e.in)
}

// newModelEngine checks and loads a model and makes an engine for it.
func newModelEngine(ctx context.Context, f *gguf.File, c Config) (*engine, error) {
	h, err := readHparams(f)
	if err != nil {
		return nil, err
	}
	predicted := c.Mode.predicted(h)
	if predicted && !h.hasPredictor {
		return nil, fmt.Errorf("%s: the file brings no predictor, so it cannot be run in predicted mode", f.Name())
	}
	pool := workers.New(c.Threads, workers.Options{Pin: c.Pin})
	w, err := loadWeights(ctx, f, h, predicted, pool, c.Progress)
	if err != nil {
		pool.Close()
		return nil, err
	}
	kv, err := newKVCache(h, c.contextFor(h), c.KV)
	if err != nil {
		w.mem.free()
		pool.Close()
		return nil, err
	}
	return newEngine(h, w, kv, pool, predicted), nil
}

// close stops the threads and frees weights and cache.
func (e *engine) close() {
	e.pool.Close()
	e.w.mem.free()
	e.kv.mem.free()
}
