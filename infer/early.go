package infer

import (
	"unsafe"

	"hotcell/infer/workers"
	"hotcell/iosched"
	"hotcell/neuroncache"
)

// Early reads. While a layer's attention is computed flash would have nothing to do: which neurons its FFN needs is known only after it. But the
// residual stream changes little in one attention block, so the layer's predictor is asked before it too, and what it names is read ahead. The
// answer after attention decides what is computed, so the result is the same bits; a neuron named in vain costs a read, and the second
// question costs the predictor's weights once more. Measured with bamboo-7b on two cores and a virtual disk: with half of it on flash compute is the
// bottleneck (8.4 tokens/s instead of 9.6, though the stall falls from 11 to 4 %), with three quarters it is flash, and the neurons named in vain are those
// that are not in memory (39 % more bytes, 3.9 tokens/s instead of 4.7). So a plan asks for early reads only where it expects them to pay, between these.

// readEarly begins to read what the next token-by-token layer l is likely to need. All workers call it, after a barrier.
func (e *engine) readEarly(w *workers.Worker, l int) {
	s, f := e.sparse, e.w.layers[l].ffn
	if !f.predicts() {
		return
	}
	n := f.neurons
	one := chunk{n: 1}
	if f.sketch.Rows > 0 {
		e.normalise(w, one, e.w.layers[l].ffnNorm)
		in := e.input(w, 1)
		e.multiply(w, e.counter(one, l, phaseEarly1), &f.sketch, s.early, &in)
	} else {
		e.predict(w, one, l, phaseEarly1, s.early)
	}
	if w.ID == 0 {
		s.flash.beginEarly()
		s.give(l)
	}
	w.Barrier()
	scratch, first := &s.scratch[w.ID], e.answer(f, s.early.row(0, n.group.Neurons))
	lo, hi := w.Split(n.group.Neurons)
	scratch.units = scratch.units[:0]
	last := int32(-1)
	for pos := max(lo, n.always); pos < hi; pos++ {
		named := s.active == nil && first.names(pos) || s.active != nil && s.isGivenEarly(int32(pos), n.group.Neurons)
		if unit := int32(pos / n.group.UnitNeurons); unit != last && named {
			last = unit
			if scratch.units = append(scratch.units, unit); len(scratch.units) == cap(scratch.units) {
				s.flash.readAhead(w, scratch, n)
			}
		}
	}
	s.flash.readAhead(w, scratch, n)
}

// What the first answer of the built-in model's predictor has of the second: 80 % of the neurons, and 17 % of it are others.
const (
	earlyRecall = 0.80
	earlyVain   = 0.16 // for each neuron of the second answer
)

// isGivenEarly is the first answer where Config.Active gives the second: as good as was measured, and wrong about neurons of the more active half.
func (s *sparseState) isGivenEarly(pos int32, neurons int) bool {
	draw := float64((uint64(pos)*0x9e3779b97f4a7c15^s.given[pos>>6]*0xff51afd7ed558ccd)*0xc4ceb9fe1a85ec53>>40) / (1 << 24) // by what is active near it
	if s.isGiven(pos) {
		return draw < earlyRecall
	}
	return int(pos) < neurons/2 && draw < 2*earlyVain*float64(s.givenCount)/float64(neurons)
}

// setEarly turns early reads on, if the cold region has room for two layers: what is read ahead stays pinned until its layer is done. They are about
// whole units, not about rows that lie apart.
func (e *engine) setEarly(on bool) {
	s, widest := e.sparse, 0
	var largest int64
	for l := range e.w.layers {
		if e.byNeurons(l) {
			f := e.w.layers[l].ffn
			widest = max(widest, f.ff(), f.predict1.Rows)
			largest = max(largest, int64(f.neurons.group.Units)*int64(f.neurons.group.UnitBytes))
		}
	}
	if s.readsEarly = on && s.flash.pieces == nil && s.flash.plan.Memory.Cold >= 2*largest; s.readsEarly {
		s.early = newBuffer(1, widest)
	}
}

// beginEarly opens the batch of the coming layer before the layer. Called by one worker, between barriers.
func (f *flash) beginEarly() { f.early = f.cache.Begin(1) }

// readAhead asks for units that are likely to be needed soon, and forgets them.
func (f *flash) readAhead(w *workers.Worker, s *sparseScratch, n *neurons) {
	start := iosched.Now()
	parts := partGate
	if n.inParts {
		parts = partUp
	}
	for which := partGate; which <= parts && len(s.units) > 0; which++ {
		reads := f.pieces.of(n, which)
		s.requests = f.take(len(s.units)*reads, s.requests[:0])
		units := s.units[:len(s.requests)/reads]
		f.cache.Prefetch(f.early, n.cached+int(which), units, s.found)
		claimed := 0
		for i, unit := range units {
			if found := s.found[i]; found.State == neuroncache.Claimed {
				f.aim(s.requests[claimed:claimed+reads], n, unit, which, found.Slot)
				claimed += reads
			}
		}
		f.submit(iosched.Prefetch, s.requests[:claimed])
		f.giveBack(s.requests[claimed:]...)
	}
	s.units = s.units[:0]
	f.manageNs[w.ID].Add(uint64(iosched.Now() - start))
}

// aim makes requests those of a unit's part into a slot: one, or where bundles are left out one for each matrix.
func (f *flash) aim(list []*iosched.Request, n *neurons, unit int32, which part, slot int32) {
	f.pieces.begin(slot, len(list))
	offset, size := n.extent(which)
	at := n.group.Offset + int64(unit)*int64(n.group.UnitBytes) + int64(offset)
	for k, r := range list {
		first, end := span(size, k, len(list))
		r.Offset, r.Buf, r.Tag = at+int64(first), f.cache.Slot(slot)[first:end], uint64(slot)
		f.bySlot[slot].Store(uint32(f.number(r) + 1))
	}
}

// number is which of the flash's requests r is.
func (f *flash) number(r *iosched.Request) uintptr {
	return (uintptr(unsafe.Pointer(r)) - uintptr(unsafe.Pointer(&f.all[0]))) / unsafe.Sizeof(iosched.Request{})
}

// hurry makes the read into a slot a demand, if it is one that was begun ahead.
func (f *flash) hurry(slot int32) {
	if n := f.bySlot[slot].Load(); n > 0 {
		f.sched.Promote(&f.all[n-1])
	}
}
