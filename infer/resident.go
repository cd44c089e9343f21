package infer

import (
	"unsafe"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
	"hotcell/models/pack"
)

// Clusters of a layer whose neurons are all in memory, for a single token. Nothing is ever waited for here but memory itself, for which the order of the rows
// counts: those that a predictor names are scattered, and then a neuron's three rows lie side by side; in exact mode all gates are computed and few are positive, and
// then the gates lie apart, in a stream (pack.Compact).

// residentClusters computes clusters as long as there are any left.
func (e *engine) residentClusters(w *workers.Worker, f *feedForward) {
	s, n, scratch := e.sparse, f.neurons, &e.sparse.scratch[w.ID]
	gates, ups, clusters := n.resident(&n.group.Gate), n.resident(&n.group.Up), n.clusters()
	for {
		c, _, ok := w.Next(&s.next, 1, clusters)
		if !ok {
			return
		}
		e.nameCluster(f, scratch, c)
		rows := gates.of(scratch.rows, scratch.who)
		n.gate.Dots(rows, &scratch.in, 0)
		e.keepActive(f, scratch, rows)
		rows = ups.of(scratch.rows, scratch.who)
		n.up.Dots(rows, &scratch.in, 0)
		rows = e.downsOf(f, scratch, c, rows)
		r := &s.runs[c]
		if r.any = len(rows) > 0; r.any {
			n.sumDown(s.partial[c*e.h.dim:][:e.h.dim], rows)
			scratch.active += len(rows)
		}
	}
}

// residentRows is where a matrix has its rows in memory.
type residentRows struct {
	codes, scales           unsafe.Pointer
	codeStride, scaleStride int
}

func (n *neurons) resident(m *pack.Matrix) residentRows {
	codes, scales := n.row(m, n.inMemory(), 0)
	return residentRows{codes, scales, m.Codes.Stride, m.Scales.Stride}
}

// of lists the rows of the positions, or their complements, in the memory of list. Exact mode sees every neuron of the model for every token, so nothing is
// asked for each.
func (r *residentRows) of(list []kernel.Weighted, who []int32) []kernel.Weighted {
	list = list[:len(who)]
	for i, pos := range who {
		k := int(max(pos, ^pos))
		list[i] = kernel.Weighted{Codes: unsafe.Add(r.codes, k*r.codeStride), Scales: unsafe.Add(r.scales, k*r.scaleStride)}
	}
	return list
}

// keepActive leaves the positions in scratch.who that their gates, the coefficients of the rows, leave active, and these gates in scratch.gated.
func (e *engine) keepActive(f *feedForward, scratch *sparseScratch, gates []kernel.Weighted) {
	s, active := e.sparse, 0
	for i, named := range scratch.who {
		pos := max(named, ^named)
		if s.active != nil && !s.isGiven(pos) {
			continue
		}
		if gate := e.gateOf(f, pos, gates[i].Coef); gate > 0 {
			scratch.who[active], scratch.gated[active] = named, gate
			active++
		}
	}
	scratch.who = scratch.who[:active]
}

// downsOf returns the down rows of the neurons that are not zero, with their activations, in place of their up rows.
func (e *engine) downsOf(f *feedForward, scratch *sparseScratch, c int, ups []kernel.Weighted) (downs []kernel.Weighted) {
	s, n, all := e.sparse, f.neurons, f.neurons.inMemory()
	r, downs := &s.runs[c], ups[:0]
	var found, missed uint64
	r.n = 0
	for i, named := range scratch.who {
		pos := max(named, ^named)
		up := f.up.finishOne(ups[i].Coef, n.group.Neuron(int(pos)))
		if s.active != nil {
			up = s.givenGate(pos, up)
		}
		coef := e.activation(scratch.gated[i], up)
		switch {
		case coef == 0:
			continue
		case named < 0:
			missed++
			continue
		}
		found++
		downs = append(downs, n.downRow(all, int(pos), coef))
		if f.counts != nil {
			f.counts[n.group.Neuron(int(pos))]++
		}
		if s.recorder != nil {
			s.candidates[c*clusterNeurons(n.group.Neurons)+r.n] = candidate{pos: pos, coef: coef}
			r.n++
		}
	}
	if s.spying {
		s.recall[0].Add(found)
		s.recall[1].Add(found + missed)
	}
	return downs
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
