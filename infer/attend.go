package infer

import (
	"math"
	"sync/atomic"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
)

// Attention proper: softmax(q.K) V for the query heads.
//
// The positions are cut into runs. A run gives each query a softmax of its own, and the runs of a query are merged in their order as in flash-decoding
// (Dao et al. 2023): where a run's largest score is above the others', what was summed up so far is scaled down to it. Runs are at fixed positions and
// products go over whole runs, with weight zero for what a query does not see; so a token's result is the same bits whether it comes alone or in a
// prompt, however that is cut, and whoever computes which run. The query heads that share a key head are computed together: its keys and
// values are read once for all of them.
//
// Many tokens: a piece of work is some tokens for one key head, with all runs one after the other. One token: a piece is one run for one key head, and
// who completes a head's last run merges them.

const (
	// runPositions is the length of a run: with fewer, a long context would spend its time on merging; with more, eight cores would not share
	// a thousand positions of four key heads evenly.
	runPositions = 256
	// queriesAtOnce is how many queries a piece has: their scores of a run and a run of keys and values stay in the cache.
	queriesAtOnce = 32
)

// softmaxOf is what a softmax over some positions has beside its weighted sum.
type softmaxOf struct{ top, sum float32 } // the largest score, the sum of e^(score-top); sum 0: of no position

// attendScratch is one worker's.
type attendScratch struct {
	prepared int         // solo: the key head whose queries are there; -1: none
	queries  []float32   // [queriesAtOnce][headDim]
	scores   []float32   // [queriesAtOnce][runPositions]
	mixed    []float32   // [queriesAtOnce][headDim] of a run
	of       []softmaxOf // [queriesAtOnce] of a run
	all      []softmaxOf // [queriesAtOnce] of the runs merged so far
}

// queryRows is how many queries there can be in a piece.
func queryRows(h *hparams) int { return max(queriesAtOnce, h.heads/h.kvHeads) }

func newAttendScratch(h *hparams) attendScratch {
	n := queryRows(h)
	return attendScratch{
		queries: make([]float32, n*h.headDim),
		scores:  make([]float32, n*runPositions),
		mixed:   make([]float32, n*h.headDim),
		of:      make([]softmaxOf, n),
		all:     make([]softmaxOf, n),
	}
}

// attendParts is a single token's runs on their way to being merged.
type attendParts struct {
	mixed []float32   // [kvHeads][runs][group][headDim]
	of    []softmaxOf // [kvHeads][runs][group]
	done  []runsDone  // [kvHeads]
}

// runsDone counts the runs of a key head that are computed.
type runsDone struct {
	atomic.Int32
	_ [124]byte
}

// maxRuns is how many runs a context has.
func maxRuns(context int) int { return (context + runPositions - 1) / runPositions }

func newAttendParts(h *hparams, context int) attendParts {
	n := h.heads * maxRuns(context)
	return attendParts{make([]float32, n*h.headDim), make([]softmaxOf, n), make([]runsDone, h.kvHeads)}
}

// attendBytes is what newAttendParts and each worker's newAttendScratch take.
func attendBytes(h *hparams, context int) (parts, scratch int64) {
	const softmaxBytes, doneBytes = 8, 128
	n, rows := h.heads*maxRuns(context), queryRows(h)
	return int64(n*(h.headDim*4+softmaxBytes) + h.kvHeads*doneBytes), int64(rows * (2*h.headDim*4 + runPositions*4 + 2*softmaxBytes))
}

// attend writes the chunk's attention to heads [n][heads*headDim], rounded too if rounded.
func (e *engine) attend(w *workers.Worker, c chunk, l int, heads *kernel.Acts, rounded bool) {
	if e.solo {
		e.attendOne(w, c, l, heads, rounded)
		return
	}
	h := e.h
	s := &e.own[w.ID].attention
	group := h.heads / h.kvHeads
	tokens := max(1, queriesAtOnce/group)
	tiles := (c.n + tokens - 1) / tokens
	for {
		piece, _, ok := w.Next(e.counter(c, l, phaseAttend), 1, h.kvHeads*tiles)
		if !ok {
			return
		}
		head, lo := piece/tiles, piece%tiles*tokens
		hi := min(c.n, lo+tokens)
		pos, shape := e.pos+c.first, h.perLayer[l]
		e.prepareQueries(w, c, l, head, lo, hi)
		all := s.all[:(hi-lo)*group]
		for i := range all {
			all[i] = e.beginSoftmax(l, head*group+i%group, e.headOut(heads, lo+i/group, head*group+i%group))
		}
		for run := shape.first(pos+lo) / runPositions; run <= (pos+hi-1)/runPositions; run++ {
			e.attendRun(w, l, head, pos+lo, hi-lo, run, s.mixed, s.of)
			for i := range all {
				all[i].merge(e.headOut(heads, lo+i/group, head*group+i%group), s.of[i], s.mixed[i*h.headDim:][:h.headDim])
			}
		}
		for i := range all {
			multiplyBy(e.headOut(heads, lo+i/group, head*group+i%group), 1/all[i].sum)
		}
		if rounded {
			for t := lo; t < hi; t++ {
				e.roundHeads(w, heads, t, head)
			}
		}
	}
}

// attendOne is attend for a single token, whose key and value it stores.
func (e *engine) attendOne(w *workers.Worker, c chunk, l int, heads *kernel.Acts, rounded bool) {
	h, p := e.h, &e.parts
	s := &e.own[w.ID].attention
	group := h.heads / h.kvHeads
	first, last := h.perLayer[l].first(e.pos)/runPositions, e.pos/runPositions
	runs := last - first + 1
	s.prepared = -1
	for {
		piece, _, ok := w.Next(e.counter(c, l, phaseAttend), 1, h.kvHeads*runs)
		if !ok {
			return
		}
		head, run := piece/runs, piece%runs
		if s.prepared != head {
			e.prepareQueries(w, c, l, head, 0, 1)
			s.prepared = head
		}
		if first+run == last {
			e.store(w, c, l, head, 0)
		}
		at := piece * group
		e.attendRun(w, l, head, e.pos, 1, first+run, p.mixed[at*h.headDim:], p.of[at:])
		if p.done[head].Add(1) < int32(runs) {
			continue
		}
		p.done[head].Store(0)
		for i := range group {
			out := e.headOut(heads, 0, head*group+i)
			all := e.beginSoftmax(l, head*group+i, out)
			for run := range runs {
				at := (head*runs+run)*group + i
				all.merge(out, p.of[at], p.mixed[at*h.headDim:][:h.headDim])
			}
			multiplyBy(out, 1/all.sum)
		}
		if rounded {
			e.roundHeads(w, heads, 0, head)
		}
	}
}

// headOut is where a query head's result goes.
func (e *engine) headOut(heads *kernel.Acts, t, head int) []float32 {
	return heads.Row(t)[head*e.h.headDim:][:e.h.headDim]
}

// roundHeads rounds the results of the query heads that share a key head.
func (e *engine) roundHeads(w *workers.Worker, heads *kernel.Acts, t, head int) {
	n := e.h.heads / e.h.kvHeads * e.h.headDim
	heads.QuantizePart(t, head*n, heads.Row(t)[head*n:][:n], e.own[w.ID].kernel)
}

// prepareQueries brings the queries of a key head's group for tokens lo to hi-1 into the worker's scratch, scaled for the softmax.
func (e *engine) prepareQueries(w *workers.Worker, c chunk, l, head, lo, hi int) {
	h, lw := e.h, &e.w.layers[l]
	group := h.heads / h.kvHeads
	to := e.own[w.ID].attention.queries
	for t := lo; t < hi; t++ {
		copy(to, e.q.row(t, h.heads*h.headDim)[head*group*h.headDim:][:group*h.headDim])
		for i := range group {
			e.prepare(to[i*h.headDim:][:h.headDim], l, c.first+t, head*group+i, &lw.q, lw.qNorm)
		}
		multiplyBy(to[:group*h.headDim], h.attentionScale*h.temperatureAt(e.pos+c.first+t))
		to = to[group*h.headDim:]
	}
}

// attendRun computes a run for the worker's queries, which are those of n tokens from position pos on: mixed [n*group][headDim] becomes the sum of
// e^(score-top) v.
func (e *engine) attendRun(w *workers.Worker, l, head, pos, n, run int, mixed []float32, of []softmaxOf) {
	h := e.h
	s, scratch := &e.own[w.ID].attention, e.own[w.ID].kernel
	kv, shape := e.kv.head(l, head), h.perLayer[l]
	group := h.heads / h.kvHeads
	lo := run * runPositions
	hi := min(lo+runPositions, (pos+n-1)/kernel.KVBlock*kernel.KVBlock+kernel.KVBlock)
	kv.Scores(s.scores, runPositions, s.queries, h.headDim, n*group, lo, hi, scratch)
	for i := range n * group {
		at := pos + i/group
		from, to := max(lo, shape.first(at)), min(hi, at+1)
		row := s.scores[i*runPositions:][:hi-lo]
		if from >= to {
			clear(row)
			of[i] = softmaxOf{}
			continue
		}
		seen := row[from-lo : to-lo]
		softCapAll(seen, h.attentionCap)
		top := kernel.Max(seen)
		of[i] = softmaxOf{top, kernel.ExpSum(seen, top)}
		clear(row[:from-lo])
		clear(row[to-lo:])
	}
	kv.Mix(mixed, h.headDim, s.scores, runPositions, n*group, lo, hi, scratch)
}

// beginSoftmax is the softmax of a query head before its first run, and its sum in out: nothing, or the layer's sink, which takes weight and gives
// nothing.
func (e *engine) beginSoftmax(l, head int, out []float32) softmaxOf {
	clear(out)
	if sinks := e.w.layers[l].sinks; sinks != nil {
		return softmaxOf{sinks[head], 1}
	}
	return softmaxOf{}
}

// merge adds a run, with its weighted sum mixed, to what was summed up in out.
func (s *softmaxOf) merge(out []float32, run softmaxOf, mixed []float32) {
	switch {
	case run.sum == 0:
	case s.sum == 0:
		copy(out, mixed)
		*s = run
	case run.top > s.top:
		f := float32(math.Exp(float64(s.top - run.top)))
		multiplyBy(out, f)
		kernel.AxpyF32(out, mixed, 1)
		*s = softmaxOf{run.top, s.sum*f + run.sum}
	default:
		f := float32(math.Exp(float64(run.top - s.top)))
		kernel.AxpyF32(out, mixed, f)
		s.sum += run.sum * f
	}
}
