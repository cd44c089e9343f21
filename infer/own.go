package infer

import (
	"unsafe"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
)

// own is what one worker has for itself.
//
// A batch of one token is computed "solo": what lies between the products (norms, sums, rounding to 8 bits) takes a microsecond, about what a barrier
// costs, so every worker does all of it on a residual stream of its own instead of waiting for the one that did. All do the same operations, so all
// streams are the same bits, and a layer has five barriers, and two more for a
// predictor. With more tokens each worker has some tokens of the shared stream.
type own struct {
	x, branch, y, mixed []float32    // [dim] as the engine's, solo; y is a copy of a block's result
	in                  *kernel.Acts // [1][dim] as the engine's, solo
	residualIn, hidden  *kernel.Acts // [1][dim], [1][rank] as the engine's, solo
	alone               [1]group     // of a pass with one FFN

	attention attendScratch
	kernel    *kernel.KVScratch
	_         [128]byte // no false sharing with the next worker's
}

func newOwn(h *hparams, predicted bool, rank int) own {
	o := own{
		x: make([]float32, h.dim), y: make([]float32, h.dim), in: kernel.NewActs(1, h.dim),
		attention: newAttendScratch(h), kernel: &kernel.KVScratch{},
	}
	if predicted {
		o.residualIn, o.hidden = kernel.NewActs(1, h.dim), kernel.NewActs(1, rank)
	}
	if h.parallel {
		o.branch = make([]float32, h.dim)
	}
	if h.experts > 0 {
		o.mixed = make([]float32, h.dim)
	}
	return o
}

// ownBytes is what newOwn takes, but for the scratch of attention.
func ownBytes(h *hparams, predicted bool, rank int) int64 {
	acts := func(cols int) int { return cols*4 + max(1, cols/kernel.BlockCols*kernel.ActBlockBytes) }
	n := 2*h.dim*4 + acts(h.dim) + int(unsafe.Sizeof(own{})+unsafe.Sizeof(kernel.KVScratch{}))
	if predicted {
		n += acts(h.dim) + acts(rank)
	}
	if h.parallel {
		n += h.dim * 4
	}
	if h.experts > 0 {
		n += h.dim * 4
	}
	return int64(n)
}

// tokens is which of n tokens a worker finishes: solo all of them, which is one, else its share.
func (e *engine) tokens(w *workers.Worker, n int) (lo, hi int) {
	if e.solo {
		return 0, n
	}
	return w.Split(n)
}

// share is the barrier behind what workers did for their tokens; solo nobody needs another's.
func (e *engine) share(w *workers.Worker) {
	if !e.solo {
		w.Barrier()
	}
}

// residual is token t of the chunk in the residual stream.
func (e *engine) residual(w *workers.Worker, c chunk, t int) []float32 {
	if e.solo {
		return e.own[w.ID].x
	}
	return e.x[(c.first+t)*e.h.dim:][:e.h.dim]
}

// attended is token t of the chunk in what attention left for parallel families.
func (e *engine) attended(w *workers.Worker, c chunk, t int) []float32 {
	if e.solo {
		return e.own[w.ID].branch
	}
	return e.branch[(c.first+t)*e.h.dim:][:e.h.dim]
}

// input is the n tokens' normalised residual.
func (e *engine) input(w *workers.Worker, n int) kernel.Acts {
	if e.solo {
		return shaped(e.own[w.ID].in, n, e.h.dim)
	}
	return shaped(e.in, n, e.h.dim)
}

// predictorInput is where the predictor's inputs go, as they come and inside it.
func (e *engine) predictorInput(w *workers.Worker, n, rank int) (residual, hidden kernel.Acts) {
	if o := &e.own[w.ID]; e.solo {
		return shaped(o.residualIn, n, e.h.dim), shaped(o.hidden, n, rank)
	}
	return shaped(e.residualIn, n, e.h.dim), shaped(e.hidden, n, rank)
}

// result is a row of e.sum that the caller may change.
func (e *engine) result(w *workers.Worker, row int) []float32 {
	return e.changeable(w, e.sum.row(row, e.h.dim))
}

// changeable is a block's result y [dim] where the caller may change it.
func (e *engine) changeable(w *workers.Worker, y []float32) []float32 {
	if e.solo {
		copy(e.own[w.ID].y, y)
		return e.own[w.ID].y
	}
	return y
}

// shaped is a view of activations in the shape that a phase gives them, so that no worker need wait until another has set it.
func shaped(a *kernel.Acts, rows, cols int) kernel.Acts {
	v := *a
	v.Reset(rows, cols)
	return v
}
