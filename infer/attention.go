package infer

import (
	"hotcell/infer/kernel"
	"hotcell/infer/workers"
)

// attention computes the attention block and adds its result to the residual, or for parallel families leaves it beside. Each worker finishes
// with its own tokens, without a barrier.
func (e *engine) attention(w *workers.Worker, c chunk, l int) {
	h, lw := e.h, &e.w.layers[l]
	e.normalise(w, c, lw.attnNorm)
	e.share(w)

	in := e.input(w, c.n)
	e.projections(w, e.counter(c, l, phaseQKV), lw, &in)
	w.Barrier()

	if lw.qNorm != nil && lw.qNorm.whole {
		e.normWholeRows(w, c, lw)
		w.Barrier()
	}
	if !e.solo {
		lo, hi := w.Split(h.kvHeads * c.n)
		for i := lo; i < hi; i++ { // head by head: tokens share cache lines
			e.store(w, c, l, i/c.n, i%c.n)
		}
		w.Barrier()
	}

	heads := shaped(e.in, c.n, h.heads*h.headDim)
	rounded := lw.subNorm == nil && h.heads/h.kvHeads*h.headDim%kernel.BlockCols == 0
	e.attend(w, c, l, &heads, rounded)
	w.Barrier()
	if !rounded {
		lo, hi := w.Split(c.n)
		for t := lo; t < hi && lw.subNorm != nil; t++ {
			lw.subNorm.vector(heads.Row(t), heads.Row(t))
		}
		heads.Quantize(lo, hi)
		w.Barrier()
	}

	e.multiply(w, e.counter(c, l, phaseOut), &lw.out.Matrix, e.sum, &heads)
	w.Barrier()

	lo, hi := e.tokens(w, c.n)
	for t := lo; t < hi; t++ {
		y := e.result(w, t)
		lw.out.finish(y)
		if lw.postAttn != nil {
			lw.postAttn.vector(y, y)
		}
		multiplyBy(y, h.residualScale)
		if h.parallel {
			copy(e.attended(w, c, t), y)
		} else {
			addTo(e.residual(w, c, t), y)
		}
	}
}

// finish applies what follows a product: the tensor's scale and its bias.
func (l *linear) finish(y []float32) {
	multiplyBy(y, l.scale)
	addTo(y, l.bias)
}

// finishPart is finish for rows from, from+1, ...
func (l *linear) finishPart(y []float32, from int) {
	multiplyBy(y, l.scale)
	if l.bias != nil {
		addTo(y, l.bias[from:from+len(y)])
	}
}

// projections computes q, k and v: one piece of work over the panels of all three.
func (e *engine) projections(w *workers.Worker, c *workers.Counter, lw *layerWeights, in *kernel.Acts) {
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
				p.m.Mul(p.out.data, p.out.stride, in, a, b)
			}
			start += n
		}
	}
}

// normWholeRows finishes q and k of the worker's tokens and normalises each as one vector (OLMo 2).
func (e *engine) normWholeRows(w *workers.Worker, c chunk, lw *layerWeights) {
	h := e.h
	lo, hi := w.Split(c.n)
	for t := lo; t < hi; t++ {
		q, k := e.q.row(t, h.heads*h.headDim), e.k.row(t, h.kvHeads*h.headDim)
		lw.q.finish(q)
		lw.qNorm.vector(q, q)
		if lw.kNorm != nil {
			lw.k.finish(k)
			lw.kNorm.vector(k, k)
		}
	}
}

// store finishes a token's key and value of a head, normalises and rotates the key, and writes both into the cache.
func (e *engine) store(w *workers.Worker, c chunk, l, head, t int) {
	h, lw := e.h, &e.w.layers[l]
	k := e.k.row(t, h.kvHeads*h.headDim)[head*h.headDim:][:h.headDim]
	v := e.v.row(t, h.kvHeads*h.headDim)[head*h.headDim:][:h.headDim]
	e.prepare(k, l, c.first+t, head, &lw.k, lw.kNorm)
	lw.v.finishPart(v, head*h.headDim)
	clamp(v, h.clampQKV)
	e.kv.head(l, head).Store(e.pos+c.first+t, k, v, e.own[w.ID].kernel)
}

// prepare brings one head of a query or key from the product to what is attended with; t counts in the batch.
func (e *engine) prepare(x []float32, l, t, head int, m *linear, n *headNorm) {
	if n == nil || !n.whole {
		m.finishPart(x, head*len(x))
	}
	clamp(x, e.h.clampQKV)
	if n != nil && !n.whole {
		one := n.head(head, len(x))
		one.vector(x, x)
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
