package infer

import (
	"hotcell/infer/kernel"
	"hotcell/infer/workers"
)

// ffn adds the feed-forward block's result to x: down . act(gate . a, up . a) with a = norm(x). The caller owns its tokens of x and has not passed
// a barrier since it wrote them.
func (e *engine) ffn(w *workers.Worker, l int) {
	h, lw := e.h, &e.w.layers[l]
	counter := e.counters[l*phasesPerLayer:]
	lo, hi := w.Split(e.n)
	e.enter(w, e.in, h.dim)
	for t := lo; t < hi; t++ {
		rmsNormInto(e.in.Row(t), e.x[t*h.dim:][:h.dim], lw.ffnNorm, h.eps)
	}
	e.in.Quantize(lo, hi)
	if e.predicted {
		e.predict(w, l)
	}
	w.Barrier()

	// Gate and up of the same neurons are one piece of work, so that the activation needs no barrier.
	panels := lw.gate.Panels()
	step := e.panelStep(panels)
	var active, computed int
	for {
		p, end, ok := w.Next(&counter[phaseGateUp], step, panels)
		if !ok {
			break
		}
		lw.gate.Mul(e.gate.data, e.gate.stride, e.in, p, end)
		lw.up.Mul(e.up.data, e.up.stride, e.in, p, end)
		first, last := p*kernel.PanelRows, min(h.ff, end*kernel.PanelRows)
		for t := range e.n {
			active += e.activate(lw, t, first, last)
		}
		computed += (last - first) * e.n
	}
	e.active.Add(uint64(active))
	e.neurons.Add(uint64(computed))
	w.Barrier()

	if h.downByNeuron {
		e.downByNeuron(w, lw)
	} else {
		e.enter(w, e.in, h.ff)
		for t := lo; t < hi; t++ {
			copy(e.in.Row(t), e.gate.row(t, h.ff))
		}
		e.in.Quantize(lo, hi)
		w.Barrier()
		e.multiply(w, &counter[phaseDown], &lw.down, e.sum, e.in)
	}
	w.Barrier()

	for t := lo; t < hi; t++ {
		x := e.x[t*h.dim:][:h.dim]
		add(x, e.sum.row(t, h.dim))
		add(x, lw.downBias)
	}
}

// activate turns the gate products of token t's neurons first to last-1 into activations, in place, and counts those that are not zero.
func (e *engine) activate(lw *layerWeights, t, first, last int) (active int) {
	g, u := e.gate.row(t, e.h.ff)[first:last], e.up.row(t, e.h.ff)[first:last]
	addPart(g, lw.gateBias, first)
	addPart(u, lw.upBias, first)
	var scores []float32
	if e.predicted {
		scores = e.score.row(t, e.h.ff)[first:last]
	}
	for i := range g {
		if scores != nil && scores[i] < e.h.threshold {
			g[i] = 0
			continue
		}
		g[i] = e.h.activation.apply(g[i], u[i])
		if g[i] != 0 {
			active++
		}
	}
	return active
}

// predict computes the predictor's scores [n][ff] = fc2 . relu(fc1 . x) of the residual before the norm, as PowerInfer does. It ends without a
// barrier after its last product.
func (e *engine) predict(w *workers.Worker, l int) {
	lw := &e.w.layers[l]
	counter := e.counters[l*phasesPerLayer:]
	lo, hi := w.Split(e.n)
	rank := lw.predict1.Rows
	if w.ID == 0 {
		e.residual.Reset(e.n, e.h.dim)
		e.hidden.Reset(e.n, rank)
	}
	w.Barrier()
	for t := lo; t < hi; t++ {
		copy(e.residual.Row(t), e.x[t*e.h.dim:][:e.h.dim])
	}
	e.residual.Quantize(lo, hi)
	w.Barrier()
	e.multiply(w, &counter[phasePredict1], &lw.predict1, e.score, e.residual)
	w.Barrier()
	for t := lo; t < hi; t++ {
		out := e.hidden.Row(t)
		for i, v := range e.score.row(t, rank) {
			out[i] = max(v, 0)
		}
	}
	e.hidden.Quantize(lo, hi)
	w.Barrier()
	e.multiply(w, &counter[phasePredict2], &lw.predict2, e.score, e.hidden)
}

// downByNeuron computes sum = activations . W for down matrices stored one row per neuron, skipping neurons that are zero. Each worker has
// its own columns, so that the order of the sum, and with it every bit, is the same for any number of workers.
func (e *engine) downByNeuron(w *workers.Worker, lw *layerWeights) {
	h := e.h
	blocks := (h.dim + kernel.BlockCols - 1) / kernel.BlockCols
	first, last := w.Split(blocks)
	lo, hi := first*kernel.BlockCols, min(h.dim, last*kernel.BlockCols)
	for t := range e.n {
		clear(e.sum.row(t, h.dim)[lo:hi])
	}
	for neuron := range h.ff {
		for t := range e.n {
			if a := e.gate.data[t*e.gate.stride+neuron]; a != 0 {
				lw.downRows.Axpy(e.sum.row(t, h.dim)[lo:hi], neuron, lo, hi, a)
			}
		}
	}
}
