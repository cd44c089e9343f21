package infer

import (
	"hotcell/infer/kernel"
	"hotcell/infer/workers"
)

// ffn computes the feed-forward block, dense or of experts, and adds its result to the residual. The caller has finished its own tokens and has not
// passed a barrier since. Each worker finishes with its own tokens again.
func (e *engine) ffn(w *workers.Worker, c chunk, l int) {
	lw := &e.w.layers[l]
	e.normalise(w, c, lw.ffnNorm)
	e.share(w)
	in := e.input(w, c.n)
	if lw.ffn == nil {
		e.experts(w, c, l, &in)
		return
	}
	if e.predicted {
		inner := e.predictInner(w, c, l)
		e.multiply(w, e.counter(c, l, phaseScore), &lw.ffn.predict2, e.score, &inner)
		w.Barrier()
	}
	e.pass(w, c, l, phasePass, &in, e.oneGroup(w, c, lw.ffn))
	lo, hi := e.tokens(w, c.n)
	for t := lo; t < hi; t++ {
		y := e.result(w, t)
		lw.ffn.down.finish(y)
		e.addBlock(w, l, c, t, y)
	}
}

// addBlock adds the block's result y [dim] for a token to the residual.
func (e *engine) addBlock(w *workers.Worker, l int, c chunk, t int, y []float32) {
	if post := e.w.layers[l].postFFN; post != nil {
		post.vector(y, y)
	}
	multiplyBy(y, e.h.residualScale)
	x := e.residual(w, c, t)
	if e.h.parallel {
		addTo(x, e.attended(w, c, t))
	}
	addTo(x, y)
}

// experts sends each token through its experts, and through the shared one if there is one, and adds the weighted sum to the residual. in [n][dim] is the
// chunk's normalised residual.
func (e *engine) experts(w *workers.Worker, c chunk, l int, in *kernel.Acts) {
	h, lw, r := e.h, &e.w.layers[l], e.routing
	if !h.routeEarly {
		e.route(w, c, l, in)
	}
	lo, hi := e.tokens(w, c.n)
	if lw.shared != nil {
		e.pass(w, c, l, phasePassShared, in, e.oneGroup(w, c, lw.shared))
		for t := lo; t < hi; t++ {
			y := e.result(w, t)
			lw.shared.down.finish(y)
			if lw.sharedGate != nil {
				multiplyBy(y, logistic(kernel.DotF32(in.Row(t), lw.sharedGate)))
			}
			copy(e.mixedRow(w, t), y)
		}
	} else {
		for t := lo; t < hi; t++ {
			clear(e.mixedRow(w, t))
		}
	}

	pairs := *in // solo all experts have the same input
	if !e.solo {
		n := c.n * r.used
		pairs = shaped(e.pairs, n, h.dim)
		first, last := w.Split(n)
		for p := first; p < last; p++ {
			copy(pairs.Row(p), in.Row(int(r.token[p])))
		}
		pairs.Quantize(first, last)
		w.Barrier()
	}
	e.pass(w, c, l, phasePass, &pairs, r.groups)

	for t := lo; t < hi; t++ {
		x := e.mixedRow(w, t)
		for k := range r.used {
			i := t*r.used + k
			y := e.result(w, int(r.pair[i]))
			lw.experts[r.expert[i]].down.finish(y)
			kernel.AxpyF32(x, y, r.weight[i])
		}
		e.addBlock(w, l, c, t, x)
	}
}

// mixedRow is where token t's experts are summed up.
func (e *engine) mixedRow(w *workers.Worker, t int) []float32 {
	if e.solo {
		return e.own[w.ID].mixed
	}
	return e.mixed[t*e.h.dim:][:e.h.dim]
}

// oneGroup is all tokens of the chunk as one group.
func (e *engine) oneGroup(w *workers.Worker, c chunk, f *feedForward) []group {
	g := &e.own[w.ID].alone
	g[0] = group{f, 0, c.n}
	return g[:]
}

// pass sends the rows of in [rows][dim], or its only row, through the FFNs of groups: e.sum's rows become down . act(gate . in, up . in), without
// the down matrix's scale and bias. phase is the first of two. It ends with a barrier.
func (e *engine) pass(w *workers.Worker, c chunk, l, phase int, in *kernel.Acts, groups []group) {
	// All groups of a pass have FFNs of one shape.
	f, end := groups[0].f, groups[len(groups)-1]
	inner := shaped(e.inner, end.first+end.n, f.ff())
	// Rounding needs whole blocks, and no norm or float32 product that wants the row itself.
	rounded := f.subNorm == nil && f.downRows.N == 0 && f.down.Format.Quantized() && f.ff()%kernel.BlockCols == 0

	// Gate, up, activation and rounding of the same neurons are one piece of work: no barrier lies between, and it stays in the cache.
	var active, computed int
	e.eachPiece(w, e.counter(c, l, phase), groups, func(f *feedForward) int { return f.up.Panels() }, func(g group, lo, hi int) {
		x := *in
		if in.Tokens > 1 {
			x = in.View(g.first, g.n)
		}
		if g.f.gate.Rows > 0 {
			g.f.gate.Mul(e.gate.from(g.first), e.gate.stride, &x, lo, hi)
		}
		g.f.up.Mul(e.up.from(g.first), e.up.stride, &x, lo, hi)
		first, last := lo*kernel.PanelRows, min(g.f.ff(), hi*kernel.PanelRows)
		for t := g.first; t < g.first+g.n; t++ {
			active += e.activate(g.f, t, first, last)
			if rounded {
				inner.QuantizePart(t, first, e.up.row(t, last)[first:], e.own[w.ID].kernel)
			}
		}
		computed += (last - first) * g.n
	})
	if e.h.activation.sparse() {
		e.active.Add(uint64(active))
		e.neurons.Add(uint64(computed))
	}
	w.Barrier()

	switch {
	case f.downRows.N > 0:
		e.downByNeuron(w, groups)
		w.Barrier()
		return
	case !rounded:
		lo, hi := w.Split(inner.Tokens)
		for t := lo; t < hi; t++ {
			y := inner.Row(t)
			copy(y, e.up.row(t, f.ff()))
			if f.subNorm != nil {
				f.subNorm.vector(y, y)
			}
		}
		inner.Quantize(lo, hi)
		w.Barrier()
	}
	e.eachPiece(w, e.counter(c, l, phase+1), groups, func(f *feedForward) int { return f.down.Panels() }, func(g group, lo, hi int) {
		x := inner.View(g.first, g.n)
		g.f.down.Mul(e.sum.from(g.first), e.sum.stride, &x, lo, hi)
	})
	w.Barrier()
}

// eachPiece shares the panels of all groups among the workers.
func (e *engine) eachPiece(w *workers.Worker, c *workers.Counter, groups []group, panels func(*feedForward) int, do func(g group, lo, hi int)) {
	total := 0
	for _, g := range groups {
		total += panels(g.f)
	}
	step := e.panelStep(total)
	for {
		lo, hi, ok := w.Next(c, step, total)
		if !ok {
			return
		}
		start := 0
		for _, g := range groups {
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
	e.h.activation.vector(g, u)
	if scores == nil && !e.h.activation.sparse() {
		return 0
	}
	for i, s := range scores {
		if s < e.h.threshold {
			u[i] = 0
		}
	}
	for i, v := range u {
		if v != 0 {
			active++
			if f.counts != nil {
				f.counts[first+i]++
			}
		}
	}
	return active
}

// predictInner computes the inside of a predictor, relu(fc1 . x) [n][rank] of the residual before the norm, as PowerInfer does. The scores are fc2 times that,
// which any worker may compute at once.
func (e *engine) predictInner(w *workers.Worker, c chunk, l int) (inner kernel.Acts) {
	f := e.w.layers[l].ffn
	lo, hi := e.tokens(w, c.n)
	rank := f.predict1.Rows
	residual, inner := e.predictorInput(w, c.n, rank)
	for t := lo; t < hi; t++ {
		copy(residual.Row(t), e.residual(w, c, t))
	}
	residual.Quantize(lo, hi)
	e.share(w)
	e.multiply(w, e.counter(c, l, phasePredict), &f.predict1, e.rank, &residual)
	w.Barrier()
	for t := lo; t < hi; t++ {
		row := inner.Row(t)
		for i, v := range e.rank.row(t, rank) {
			row[i] = max(v, 0)
		}
	}
	inner.Quantize(lo, hi)
	e.share(w)
	return inner
}

// downByNeuron computes e.sum = activations . W for down matrices stored one row per neuron, skipping neurons that are zero. Each worker has
// its own columns, so that the order of the sum, and with it every bit, is the same for any number of workers.
func (e *engine) downByNeuron(w *workers.Worker, groups []group) {
	h := e.h
	blocks := (h.dim + kernel.BlockCols - 1) / kernel.BlockCols
	first, last := w.Split(blocks)
	lo, hi := first*kernel.BlockCols, min(h.dim, last*kernel.BlockCols)
	if lo >= hi {
		return
	}
	for _, g := range groups {
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
