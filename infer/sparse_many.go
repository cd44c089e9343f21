package infer

import (
	"sync/atomic"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
)

// sparseMany leaves the block's results for the batch's tokens in wideSum. It ends with each worker having its own tokens' rows.
func (e *engine) sparseMany(w *workers.Worker, l int) {
	s, h, lw := e.sparse, e.h, &e.w.layers[l]
	n := lw.ffn.neurons
	lo, hi := w.Split(len(e.ids))
	if w.ID == 0 {
		s.give(l)
	}
	e.reshape(w, s.wide, len(e.ids), h.dim)
	for t := lo; t < hi; t++ {
		if x := e.x[t*h.dim:][:h.dim]; lw.ffnNorm == nil {
			copy(s.wide.Row(t), x)
		} else {
			lw.ffnNorm.vector(s.wide.Row(t), x)
		}
	}
	s.wide.Quantize(lo, hi)
	clear(s.wideSum[lo*h.dim : hi*h.dim])
	for c := range n.clusters() {
		if !s.flash.fetch(w, n, c) {
			break
		}
		for first := lo; first < hi; first += chunkTokens {
			e.clusterForTokens(w, l, c, first, min(hi, first+chunkTokens))
		}
		s.flash.release(w, n)
	}
	if w.ID == 0 {
		s.givenFor = -1
	}
	scratch := &s.scratch[w.ID]
	e.active.Add(uint64(scratch.active))
	e.neurons.Add(uint64(n.group.Neurons * (hi - lo)))
	scratch.active = 0
}

// clusterForTokens adds what a cluster gives to tokens lo to hi-1.
func (e *engine) clusterForTokens(w *workers.Worker, l, c, lo, hi int) {
	f := e.w.layers[l].ffn
	s, n, dim := e.sparse, f.neurons, e.h.dim
	scratch := &s.scratch[w.ID]
	size := clusterNeurons(n.group.Neurons)
	first, last := c*size, min(n.group.Neurons, (c+1)*size)
	for pos := first; pos < last; pos++ {
		unit, neuron := s.flash.unitOf(n, first, pos), n.group.Neuron(pos)
		codes, scales := n.row(&n.group.Gate, unit, pos)
		g := scratch.gates[(pos-first)*chunkTokens:][:hi-lo]
		n.gate.DotTokens(g, 1, codes, scales, s.wide, lo, hi)
		codes, scales = n.row(&n.group.Up, unit, pos)
		for i, v := range g {
			v = f.gate.finishOne(v, neuron)
			if s.active != nil {
				v = s.givenGate(int32(pos), v)
			}
			if v <= 0 {
				g[i] = 0
				continue
			}
			u := f.up.finishOne(n.up.Dot(codes, scales, s.wide, lo+i), neuron)
			if s.active != nil {
				u = s.givenGate(int32(pos), u)
			}
			g[i] = e.activation(v, u)
		}
	}
	for t := lo; t < hi; t++ {
		scratch.rows = scratch.rows[:0]
		for pos := first; pos < last; pos++ {
			if a := scratch.gates[(pos-first)*chunkTokens+t-lo]; a != 0 {
				scratch.rows = append(scratch.rows, n.downRow(s.flash.unitOf(n, first, pos), pos, a))
			}
		}
		if len(scratch.rows) == 0 {
			continue
		}
		n.sumDown(scratch.sum, scratch.rows)
		addTo(s.wideSum[t*dim:][:dim], scratch.sum)
		scratch.active += len(scratch.rows)
	}
	if s.calibration != nil && f.sketch.Rows > 0 {
		x := s.wide.View(lo, hi-lo)
		scores := s.calibration.scores[w.ID]
		f.sketch.Mul(scores.data, scores.stride, &x, first/kernel.PanelRows, (last+kernel.PanelRows-1)/kernel.PanelRows)
		s.calibration.sample(w, l, n, first, last, hi-lo, scratch.gates)
	}
	if f.counts == nil {
		return
	}
	for pos := first; pos < last; pos++ {
		for _, a := range scratch.gates[(pos-first)*chunkTokens:][:hi-lo] {
			if a != 0 {
				atomic.AddUint32(&f.counts[n.group.Neuron(pos)], 1) // other workers count their tokens
			}
		}
	}
}
