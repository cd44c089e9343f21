package infer

import (
	"hotcell/infer/kernel"
	"hotcell/infer/workers"
)

// attention computes the attention block and adds its result to x, or for parallel families leaves it in e.branch. Each worker
// finishes with its own tokens, without a barrier.
func (e *engine) attention(w *workers.Worker, c chunk, l int) {
	h, lw := e.h, &e.w.layers[l]
	lo, hi := w.Split(c.n)
	e.normalise(w, c, lw.attnNorm)
	w.Barrier()

	e.projections(w, e.counter(c, l, phaseQKV), lw)
	w.Barrier()

	if lw.qNorm != nil && lw.qNorm.whole {
		e.normWholeRows(lw, lo, hi)
		w.Barrier()
	}
	e.rotateAndStore(w, c, l)
	w.Barrier()

	e.reshape(w, e.in, c.n, h.heads*h.headDim)
	group, shape := h.heads/h.kvHeads, h.perLayer[l]
	for {
		lo, hi, ok := w.Next(e.counter(c, l, phaseAttend), 1, c.n*h.heads)
		if !ok {
			break
		}
		for i := lo; i < hi; i++ {
			t, head := i/h.heads, i%h.heads
			q := e.q.row(t, h.heads*h.headDim)[head*h.headDim:][:h.headDim]
			out := e.in.Row(t)[head*h.headDim:][:h.headDim]
			pos := e.pos + c.first + t
			p := attend{layer: l, head: head / group, first: shape.first(pos), last: pos, scale: h.attentionScale, limit: h.attentionCap, sink: noSink}
			if lw.sinks != nil {
				p.sink = lw.sinks[head]
			}
			e.kv.attend(out, q, p, e.scores[w.ID])
		}
	}
	w.Barrier()

	for t := lo; t < hi; t++ {
		if lw.subNorm != nil {
			lw.subNorm.apply(e.in.Row(t), e.in.Row(t))
		}
	}
	e.in.Quantize(lo, hi)
	w.Barrier()

	e.multiply(w, e.counter(c, l, phaseOut), &lw.out.Matrix, e.sum, e.in)
	w.Barrier()

	for t := lo; t < hi; t++ {
		y := e.sum.row(t, h.dim)
		lw.out.finish(y)
		if lw.postAttn != nil {
			lw.postAttn.apply(y, y)
		}
		scale(y, h.residualScale)
		if h.parallel {
			copy(e.token(e.branch, c, t), y)
		} else {
			add(e.token(e.x, c, t), y)
		}
	}
}

// finish applies what follows a product: the tensor's scale and its bias.
func (l *linear) finish(y []float32) {
	scale(y, l.scale)
	add(y, l.bias)
}

// finishPart is finish for rows from, from+1, ...
func (l *linear) finishPart(y []float32, from int) {
	scale(y, l.scale)
	if l.bias != nil {
		add(y, l.bias[from:from+len(y)])
	}
}

// projections computes q, k and v: one piece of work over the panels of all three.
func (e *engine) projections(w *workers.Worker, c *workers.Counter, lw *layerWeights) {
	parts := [3]struct {
		m   *kernel.Matrix
		out buffer
	}{{&lw.q.Matrix, e.q}, {&lw.k.Matrix, e.k}, {&lw.v.Matrix, e.v}}
	panels := lw.q.Panels() + lw.k.Panels() + lw.v.Panels()
	step := e.panelStep(panels)
	for {
		lo, hi, ok := w.Next(c, step, panels)
		if !ok {
			return
		}
		start := 0
		for _, p := range parts {
			n := p.m.Panels()
			if a, b := max(lo-start, 0), min(hi-start, n); a < b {
				p.m.Mul(p.out.data, p.out.stride, e.in, a, b)
			}
			start += n
		}
	}
}

// normWholeRows finishes q and k of tokens lo to hi-1 and normalises each as one vector (OLMo 2).
func (e *engine) normWholeRows(lw *layerWeights, lo, hi int) {
	h := e.h
	for t := lo; t < hi; t++ {
		q, k := e.q.row(t, h.heads*h.headDim), e.k.row(t, h.kvHeads*h.headDim)
		lw.q.finish(q)
		lw.qNorm.apply(q, q)
		if lw.kNorm != nil {
			lw.k.finish(k)
			lw.kNorm.apply(k, k)
		}
	}
}

// rotateAndStore finishes q, k and v, normalises and rotates the heads of q and k, and writes k and v into the cache.
func (e *engine) rotateAndStore(w *workers.Worker, c chunk, l int) {
	h, lw := e.h, &e.w.layers[l]
	perToken := h.heads + h.kvHeads
	lo, hi := w.Split(c.n * perToken)
	for i := lo; i < hi; i++ {
		t, head := i/perToken, i%perToken
		if head < h.heads {
			q := e.q.row(t, h.heads*h.headDim)[head*h.headDim:][:h.headDim]
			e.prepare(q, l, c.first+t, head, &lw.q, lw.qNorm)
			scale(q, h.temperatureAt(e.pos+c.first+t))
			continue
		}
		head -= h.heads
		k := e.k.row(t, h.kvHeads*h.headDim)[head*h.headDim:][:h.headDim]
		v := e.v.row(t, h.kvHeads*h.headDim)[head*h.headDim:][:h.headDim]
		e.prepare(k, l, c.first+t, head, &lw.k, lw.kNorm)
		lw.v.finishPart(v, head*h.headDim)
		clamp(v, h.clampQKV)
		e.kv.store(e.kv.keys, l, head, e.pos+c.first+t, k)
		e.kv.store(e.kv.values, l, head, e.pos+c.first+t, v)
	}
}

// prepare brings one head of a query or key from the product to what is attended with; t counts in the batch.
func (e *engine) prepare(x []float32, l, t, head int, m *linear, n *headNorm) {
	if n == nil || !n.whole {
		m.finishPart(x, head*len(x))
	}
	clamp(x, e.h.clampQKV)
	if n != nil && !n.whole {
		one := n.head(head, len(x))
		one.apply(x, x)
	}
	if r := e.h.perLayer[l].rope; r != noRope {
		e.w.ropes[r].rotate(x, e.turns[r].row(t, e.h.ropes[r].dims))
	}
}

// clamp limits values to -limit to limit; 0 leaves them alone.
func clamp(x []float32, limit float32) {
	if limit == 0 {
		return
	}
	for i, v := range x {
		x[i] = max(-limit, min(v, limit))
	}
}
