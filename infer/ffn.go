package infer

import (
	"hotcell/infer/kernel"
	"hotcell/infer/workers"
)

// ffn computes the feed-forward block, dense or of experts, and adds its result to x. The caller has finished its own tokens of x and has not
// passed a barrier since. Each worker finishes with its own tokens again.
func (e *engine) ffn(w *workers.Worker, c chunk, l int) {
	h, lw := e.h, &e.w.layers[l]
	lo, hi := w.Split(c.n)
	e.normalise(w, c, lw.ffnNorm)
	w.Barrier()

	switch {
	case lw.ffn != nil:
		if e.predicted {
			e.predict(w, c, l, phasePredict, e.score)
		}
		e.oneGroup(w, c, lw.ffn)
		e.pass(w, c, l, phasePass, e.in)
		for t := lo; t < hi; t++ {
			lw.ffn.down.finish(e.sum.row(t, h.dim))
		}
	default:
		e.experts(w, c, l, lo, hi)
	}
	for t := lo; t < hi; t++ {
		e.addBlock(l, c, t, e.sum.row(t, h.dim))
	}
}

// addBlock adds the block's result y [dim] for a token to x.
func (e *engine) addBlock(l int, c chunk, t int, y []float32) {
	if post := e.w.layers[l].postFFN; post != nil {
		post.apply(y, y)
	}
	scale(y, e.h.residualScale)
	x := e.token(e.x, c, t)
	if e.h.parallel {
		add(x, e.token(e.branch, c, t))
	}
	add(x, y)
}

// experts sends each token through its experts, and through the shared one if there is one, and leaves the weighted sum in e.mixed's rows, then
// e.sum's. The chunk's normalised residual is in e.in.
func (e *engine) experts(w *workers.Worker, c chunk, l, lo, hi int) {
	h, lw, r := e.h, &e.w.layers[l], e.routing
	if !h.routeEarly {
		e.route(w, c, l)
	}
	if lw.shared != nil {
		e.oneGroup(w, c, lw.shared)
		e.pass(w, c, l, phasePassShared, e.in)
		for t := lo; t < hi; t++ {
			y := e.sum.row(t, h.dim)
			lw.shared.down.finish(y)
			if lw.sharedGate != nil {
				scale(y, logistic(kernel.DotF32(e.in.Row(t), lw.sharedGate)))
			}
			copy(e.mixed[t*h.dim:][:h.dim], y)
		}
	} else {
		clear(e.mixed[lo*h.dim : hi*h.dim])
	}
	w.Barrier()

	pairs := c.n * r.used
	e.reshape(w, e.pairs, pairs, h.dim)
	first, last := w.Split(pairs)
	for p := first; p < last; p++ {
		copy(e.pairs.Row(p), e.in.Row(int(r.token[p])))
	}
	e.pairs.Quantize(first, last)
	if w.ID == 0 {
		e.groups = append(e.groups[:0], r.groups...)
	}
	w.Barrier()
	e.pass(w, c, l, phasePass, e.pairs)

	for t := lo; t < hi; t++ {
		x := e.mixed[t*h.dim:][:h.dim]
		for k := range r.used {
			i := t*r.used + k
			y := e.sum.row(int(r.pair[i]), h.dim)
			lw.experts[r.expert[i]].down.finish(y)
			kernel.AxpyF32(x, y, r.weight[i])
		}
	}
	w.Barrier() // the rows of e.sum are reused
	for t := lo; t < hi; t++ {
		copy(e.sum.row(t, h.dim), e.mixed[t*h.dim:][:h.dim])
	}
}

// oneGroup makes all tokens of the chunk one group.
func (e *engine) oneGroup(w *workers.Worker, c chunk, f *feedForward) {
	if w.ID == 0 {
		e.groups = append(e.groups[:0], group{f, 0, c.n})
	}
	w.Barrier()
}

// pass sends the rows of in [rows][dim] through the FFNs of e.groups: e.sum's rows become down . act(gate . in, up . in), without the down
// matrix's scale and bias. phase is the first of two. It ends with a barrier.
func (e *engine) pass(w *workers.Worker, c chunk, l, phase int, in *kernel.Acts) {
	// Gate and up of the same neurons are one piece of work, so that the activation needs no barrier.
	var active, computed int
	e.eachPiece(w, e.counter(c, l, phase), func(f *feedForward) int { return f.up.Panels() }, func(g group, lo, hi int) {
		x := in.View(g.first, g.n)
		if g.f.gate.Rows > 0 {
			g.f.gate.Mul(e.gate.from(g.first), e.gate.stride, &x, lo, hi)
		}
		g.f.up.Mul(e.up.from(g.first), e.up.stride, &x, lo, hi)
		first, last := lo*kernel.PanelRows, min(g.f.ff(), hi*kernel.PanelRows)
		for t := g.first; t < g.first+g.n; t++ {
			active += e.activate(g.f, t, first, last)
		}
		computed += (last - first) * g.n
	})
	if e.h.activation.sparse() {
		e.active.Add(uint64(active))
		e.neurons.Add(uint64(computed))
	}
	w.Barrier()

	// All groups of a pass have FFNs of one shape.
	f := e.groups[0].f
	rows := e.groups[len(e.groups)-1].first + e.groups[len(e.groups)-1].n
	if f.downRows.N > 0 {
		e.downByNeuron(w)
		w.Barrier()
		return
	}
	e.reshape(w, e.inner, rows, f.ff())
	lo, hi := w.Split(rows)
	for t := lo; t < hi; t++ {
		y := e.up.row(t, f.ff())
		if f.subNorm != nil {
			f.subNorm.apply(y, y)
		}
		copy(e.inner.Row(t), y)
	}
	e.inner.Quantize(lo, hi)
	w.Barrier()
	e.eachPiece(w, e.counter(c, l, phase+1), func(f *feedForward) int { return f.down.Panels() }, func(g group, lo, hi int) {
		x := e.inner.View(g.first, g.n)
		g.f.down.Mul(e.sum.from(g.first), e.sum.stride, &x, lo, hi)
	})
	w.Barrier()
}

// eachPiece shares the panels of all groups among the workers.
func (e *engine) eachPiece(w *workers.Worker, c *workers.Counter, panels func(*feedForward) int, do func(g group, lo, hi int)) {
	total := 0
	for _, g := range e.groups {
		total += panels(g.f)
	}
	step := e.panelStep(total)
	for {
		lo, hi, ok := w.Next(c, step, total)
		if !ok {
			return
		}
		start := 0
		for _, g := range e.groups {
			n := panels(g.f)
			if a, b := max(lo-start, 0), min(hi-start, n); a < b {
				do(g, a, b)
			}
			if start += n; start >= hi {
				break
			}
		}
	}
}

// activate turns the products of row t's neurons first to last-1 into activations, in e.up, and counts those that are not zero.
func (e *engine) activate(f *feedForward, t, first, last int) (active int) {
	u := e.up.row(t, f.ff())[first:last]
	f.up.finishPart(u, first)
	g := u // without a gate only u is looked at
	if f.gate.Rows > 0 {
		g = e.gate.row(t, f.ff())[first:last]
		f.gate.finishPart(g, first)
	}
	var scores []float32
	if e.predicted && f.predict1.Rows > 0 {
		scores = e.score.row(t, f.ff())[first:last]
	}
	for i := range u {
		if scores != nil && scores[i] < e.h.threshold {
			u[i] = 0
			continue
		}
		u[i] = e.h.activation.apply(g[i], u[i])
		if u[i] != 0 {
			active++
			if f.counts != nil {
				f.counts[first+i]++
			}
		}
	}
	return active
}

// predict computes the predictor's scores [n][ff] = fc2 . relu(fc1 . x) of the residual before the norm, as PowerInfer does, into out. phase is the first of two. It ends without a
// barrier after its last product.
func (e *engine) predict(w *workers.Worker, c chunk, l, phase int, out buffer) {
	f := e.w.layers[l].ffn
	lo, hi := w.Split(c.n)
	rank := f.predict1.Rows
	e.reshape(w, e.residual, c.n, e.h.dim)
	for t := lo; t < hi; t++ {
		copy(e.residual.Row(t), e.token(e.x, c, t))
	}
	e.residual.Quantize(lo, hi)
	w.Barrier()
	e.multiply(w, e.counter(c, l, phase), &f.predict1, out, e.residual)
	e.reshape(w, e.hidden, c.n, rank)
	for t := lo; t < hi; t++ {
		inner := e.hidden.Row(t)
		for i, v := range out.row(t, rank) {
			inner[i] = max(v, 0)
		}
	}
	e.hidden.Quantize(lo, hi)
	w.Barrier()
	e.multiply(w, e.counter(c, l, phase+1), &f.predict2, out, e.hidden)
}

// downByNeuron computes e.sum = activations . W for down matrices stored one row per neuron, skipping neurons that are zero. Each worker has
// its own columns, so that the order of the sum, and with it every bit, is the same for any number of workers.
func (e *engine) downByNeuron(w *workers.Worker) {
	h := e.h
	blocks := (h.dim + kernel.BlockCols - 1) / kernel.BlockCols
	first, last := w.Split(blocks)
	lo, hi := first*kernel.BlockCols, min(h.dim, last*kernel.BlockCols)
	if lo >= hi {
		return
	}
	for _, g := range e.groups {
		for t := g.first; t < g.first+g.n; t++ {
			clear(e.sum.row(t, h.dim)[lo:hi])
		}
		for neuron := range g.f.ff() {
			for t := g.first; t < g.first+g.n; t++ {
				if a := e.up.data[t*e.up.stride+neuron]; a != 0 {
					g.f.downRows.Axpy(e.sum.row(t, h.dim)[lo:hi], neuron, lo, hi, a)
				}
			}
		}
	}
}
