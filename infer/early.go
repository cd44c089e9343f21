package infer

import (
	"math"
	"sync/atomic"
	"unsafe"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
	"hotcell/iosched"
	"hotcell/neuroncache"
)

// Early reads. While attention and the predictor of a layer are computed nobody knows which neurons its FFN needs, and flash would have nothing to do. But the
// residual stream changes little from one block to the next. So while workers wait for the neurons of a layer, and have nothing to compute, they ask the
// next layer's predictor about the residual stream as it is then, before this layer's FFN and the next one's attention; and what it is sure of is read
// ahead. The answer at the right time decides what is computed, so the result is the same bits. The question costs time that was lost anyway, and
// a layer that does not wait asks none. A neuron named in vain costs a read.
//
// How sure is sure enough differs from layer to layer (the stream changes most in the first ones), and only neurons that are not in memory count, about which
// predictors err more. So each layer has a margin above the predictor's threshold, and each answer that is proved right or wrong moves it, until
// aheadPrecision of what is read ahead is wanted. What that finds of the absent neurons that are wanted then was measured on the built-in model, with its
// predictor on 1536 tokens of text, by the size of the cache:
//
//	wanted and in memory                    58 %   76 %   89 %   96 %
//	found early, with the file's predictor  53 %   48 %   43 %   39 %   its second layer 12 %, the third to fifth 50 to 71 %
//
// and with sketches 65, 61, 56 and 50 %, where 45, 65, 79 and 92 % were in memory. Without a margin 76 % were found at 89 %, but 55 % of what was read was in vain. Asked after
// the FFN, right before attention, the predictor finds 55 % at 89 %, but then nothing waits, and the question costs its weights once more (8 % of a token).
//
// It is off unless asked for. A quarter of bamboo-7b in memory, tokens with and without in turn on two cores: the waiting falls from 48 to 33 %, but tokens gain 1.6 %
// in the median on a virtual disk, whose reads cost so much processor time (14 us each in the kernel) that attention pays for what is read during it, and lose
// 3 to 5 % on a simulated ufs4.0 or ufs3.1, where little is waited for.

// aheadPrecision is the share of what is read ahead that is to be wanted. Lower finds more (0.8: 49 % at 89 %), higher reads less in vain (0.9: 35 %).
const aheadPrecision = 0.85

// ahead is the question about the next layer, and where it stands. Workers take pieces of it, in stages, with no barrier between these.
type ahead struct {
	layer      int // that is asked about
	stage      atomic.Int32
	next       [askStages]workers.Counter // pieces of the stages
	done       atomic.Int32               // panels of the stage's product
	in, hidden *kernel.Acts               // [1][dim], [1][rank] input of the predictor's products
	inner      buffer                     // [1][rank] the first one's result
	scores     buffer                     // [1][neurons]

	asked          bool         // there was an answer about the layer before that one
	right, wrong   atomic.Int32 // units that it named
	margins, steps []float32    // [layers] above the predictor's threshold, and by how much they move; 0: not known yet

	coming    []uint64 // Config.Active's positions for the layer
	comingFor int      // the layer, -1: none
}

// Stages of a question.
const (
	askNothing  int32 = iota // there is no next layer, or nothing is left to ask
	askInput                 // what the predictor is asked about
	askPrepared              // somebody prepares the next stage
	askInner                 // the predictor's first product
	askScores                // its last, or a sketch
	askNames                 // which neurons that means
	askStages
)

// A piece of a question should take some 10 us: a worker in it does not see that what it waits for has come.
const (
	askBytes     = 128 << 10 // of a product's weights
	askPositions = 2048
)

// setEarly turns early reads on, if the cold region has room for two layers: what is read ahead stays pinned until its layer is done. They are about
// whole units, not about rows that lie apart.
func (e *engine) setEarly(on bool) {
	s, widest, rank := e.sparse, 0, 1
	var largest int64
	for l := range e.w.layers {
		if e.byNeurons(l) {
			f := e.w.layers[l].ffn
			widest, rank = max(widest, f.ff()), max(rank, f.predict1.Rows)
			largest = max(largest, int64(f.neurons.group.Units)*int64(f.neurons.group.UnitBytes))
		}
	}
	if !on || s.flash.pieces != nil || s.flash.plan.Memory.Cold < 2*largest {
		return
	}
	layers := len(e.w.layers)
	s.ahead = &ahead{
		in: kernel.NewActs(1, e.h.dim), hidden: kernel.NewActs(1, rank), inner: newBuffer(1, rank), scores: newBuffer(1, widest),
		margins: make([]float32, layers), steps: make([]float32, layers), coming: make([]uint64, len(s.given)), comingFor: -1,
	}
	for i := range s.scratch {
		s.scratch[i].ahead = make([]int32, 0, 2*maxReads)
	}
}

// begin learns from the answer that was judged last, and opens the question that is asked in layer l, about the next. Called by one worker, while none asks or
// judges.
func (a *ahead) begin(e *engine, l int) {
	if a == nil {
		return
	}
	if a.asked {
		a.learn(a.layer - 1)
	}
	a.asked = a.layer == l && a.stage.Load() > askPrepared
	for i := range a.next {
		a.next[i].Reset()
	}
	a.done.Store(0)
	a.layer = l + 1
	stage := askNothing
	if a.layer < len(e.w.layers) && e.byNeurons(a.layer) && e.w.layers[a.layer].ffn.predicts() {
		stage = askInput
	}
	a.stage.Store(stage)
}

// judge counts what was right and wrong of the worker's share of the early answer about a layer, the first units of scratch.ahead, when that is done and so the
// answer that counts is known. What follows them is about the next layer.
func (e *engine) judge(s *sparseScratch, f *feedForward, units int) {
	a := e.sparse.ahead
	if a == nil {
		return
	}
	per, now := f.neurons.group.UnitNeurons, e.answer(f, e.score.data)
	var right, wrong int32
	for _, unit := range s.ahead[:units] {
		wanted := false
		for pos := int(unit) * per; pos < min(f.ff(), int(unit+1)*per); pos++ {
			wanted = wanted || now.names(pos)
		}
		if wanted {
			right++
		} else {
			wrong++
		}
	}
	s.ahead = s.ahead[:copy(s.ahead, s.ahead[units:])]
	a.right.Add(right)
	a.wrong.Add(wrong)
}

// learn moves a layer's margin by what was right and wrong.
func (a *ahead) learn(l int) {
	right, wrong := a.right.Swap(0), a.wrong.Swap(0)
	move := float32(wrong)*aheadPrecision - float32(right)*(1-aheadPrecision)
	if right+wrong == 0 {
		move = -1
	}
	a.margins[l] = max(0, a.margins[l]+move*a.steps[l])
}

// askAhead does a piece of the question about the next layer, for a worker that has nothing else to do. It reports false if there is none.
func (e *engine) askAhead(w *workers.Worker) bool {
	a := e.sparse.ahead
	if a == nil {
		return false
	}
	stage := a.stage.Load()
	if stage == askNothing || stage == askPrepared {
		return false
	}
	f := e.w.layers[a.layer].ffn
	switch stage {
	case askInput:
		if !a.stage.CompareAndSwap(askInput, askPrepared) {
			return false
		}
		e.prepareAhead(w, f)
		if f.sketch.Rows > 0 {
			a.stage.Store(askScores)
		} else {
			a.stage.Store(askInner)
		}
		return true
	case askInner:
		return a.product(w, stage, &f.predict1, a.in, a.inner)
	case askScores:
		in := a.hidden
		if f.sketch.Rows > 0 {
			in = a.in
		}
		return a.product(w, stage, f.scorer(), in, a.scores)
	}
	lo, hi, ok := w.Next(&a.next[askNames], askPositions, f.ff())
	if ok {
		e.nameAhead(w, f, lo, hi)
	}
	return ok
}

// prepareAhead makes the predictor's input.
func (e *engine) prepareAhead(w *workers.Worker, f *feedForward) {
	s := e.sparse
	a := s.ahead
	a.in.Reset(1, e.h.dim)
	x, in := e.residual(w, chunk{}, 0), a.in.Row(0)
	if norm := e.w.layers[a.layer].ffnNorm; f.sketch.Rows > 0 && norm != nil {
		norm.vector(in, x)
	} else {
		copy(in, x)
	}
	a.in.Quantize(0, 1)
	if s.active != nil && a.comingFor != a.layer {
		clear(a.coming)
		copy(a.coming, s.active(a.layer))
		a.comingFor = a.layer
	}
	s.flash.beginEarly()
}

// product does a piece of one of the predictor's products, and with the last one prepares the next stage.
func (a *ahead) product(w *workers.Worker, stage int32, m *kernel.Matrix, in *kernel.Acts, out buffer) bool {
	lo, hi, ok := w.Next(&a.next[stage], max(1, askBytes*m.Panels()/len(m.Data)), m.Panels())
	if !ok {
		return false
	}
	m.Mul(out.data, out.stride, in, lo, hi)
	if int(a.done.Add(int32(hi-lo))) < m.Panels() {
		return true
	}
	if a.done.Store(0); stage == askInner {
		a.hidden.Reset(1, m.Rows)
		hidden := a.hidden.Row(0)
		for i, v := range out.row(0, m.Rows) {
			hidden[i] = max(v, 0)
		}
		a.hidden.Quantize(0, 1)
	} else if a.steps[a.layer] == 0 {
		spread := deviation(out.row(0, m.Rows))
		a.margins[a.layer], a.steps[a.layer] = spread/2, spread/200
	}
	a.stage.Store(stage + 1)
	return true
}

// deviation is the standard deviation of x.
func deviation(x []float32) float32 {
	var sum, squares float64
	for _, v := range x {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	n := float64(len(x))
	return float32(math.Sqrt(max(0, squares/n-sum/n*sum/n)))
}

// nameAhead reads what the answer is sure of, of positions lo to hi-1.
func (e *engine) nameAhead(w *workers.Worker, f *feedForward, lo, hi int) {
	s, n := e.sparse, f.neurons
	a, scratch := s.ahead, &s.scratch[w.ID]
	scratch.units = scratch.units[:0]
	last, sure := int32(-1), e.answer(f, a.scores.data)
	sure.least += a.margins[a.layer]
	for pos := max(lo, n.always); pos < hi; pos++ {
		unit := int32(pos / n.group.UnitNeurons)
		if unit == last || s.active == nil && !sure.names(pos) || s.active != nil && !a.isGiven(int32(pos), n.group.Activity) {
			continue
		}
		last = unit
		if scratch.units = append(scratch.units, unit); len(scratch.units) == cap(scratch.units) {
			s.flash.readAhead(w, scratch, n)
		}
	}
	s.flash.readAhead(w, scratch, n)
}

// What the answer finds of Config.Active's positions, and what it names in vain for each that is wanted: as measured where 89 % are in memory.
const (
	aheadRecall = 0.43
	aheadVain   = aheadRecall * (1 - aheadPrecision) / aheadPrecision
)

// isGiven is the answer where Config.Active gives the one that counts: as good as was measured, and wrong about a neuron the more often, the more often it is
// active.
func (a *ahead) isGiven(pos int32, activity []uint16) bool {
	word := a.coming[pos>>6]
	draw := float64((uint64(pos)*0x9e3779b97f4a7c15^word*0xff51afd7ed558ccd)*0xc4ceb9fe1a85ec53>>40) / (1 << 24) // by what is active near it
	if word>>(pos&63)&1 != 0 {
		return draw < aheadRecall
	}
	return int(pos) < len(activity) && draw < aheadVain*float64(activity[pos])/65535
}

// beginEarly opens the batch of the coming layer before the layer. Called by one worker.
func (f *flash) beginEarly() { f.early = f.cache.Begin(1) }

// readAhead asks for units that are likely to be needed soon, and forgets them.
func (f *flash) readAhead(w *workers.Worker, s *sparseScratch, n *neurons) {
	start := iosched.Now()
	parts := partGate
	if n.inParts {
		parts = partUp
	}
	for which := partGate; which <= parts && len(s.units) > 0; which++ {
		s.requests = f.take(len(s.units), s.requests[:0])
		units := s.units[:len(s.requests)]
		f.cache.Prefetch(f.early, n.cached+int(which), units, s.found)
		claimed := 0
		for i, unit := range units {
			if found := s.found[i]; found.State == neuroncache.Claimed {
				f.aim(s.requests[claimed:claimed+1], n, unit, which, found.Slot)
				if claimed++; which == partGate && len(s.ahead) < cap(s.ahead) {
					s.ahead = append(s.ahead, unit)
				}
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
