package workers

import "sync/atomic"

// Counter hands out the pieces of one step to whoever comes next. It lies apart from its neighbours in memory,
// so an array of counters costs no false sharing.
type Counter struct {
	_    [64]byte
	next atomic.Int64
	_    [56]byte
}

// Reset makes the counter start again at 0. A barrier must lie between the last Next of the old step and Reset,
// and another one between Reset and the first Next of the new step.
func (c *Counter) Reset() { c.next.Store(0) }

// Next takes the next piece of 0..total from c: indices lo to hi-1, at most chunk of them. Over all workers each
// index is given out exactly once; ok is false when none is left. A chunk below 1 counts as 1.
//
// Next is a preemption point, so a loop that calls one kernel per piece needs no other.
func (w *Worker) Next(c *Counter, chunk, total int) (lo, hi int, ok bool) {
	preemptionPoint(w.ID)
	chunk = max(chunk, 1)
	hi = int(c.next.Add(int64(chunk)))
	lo = hi - chunk
	if lo >= total {
		return 0, 0, false
	}
	return lo, min(hi, total), true
}

// Split is this worker's share of 0..total when each gets the same amount, give or take one: indices lo to
// hi-1. The shares are in the order of the workers and may be empty.
func (w *Worker) Split(total int) (lo, hi int) {
	n := w.pool.taking
	return total * w.ID / n, total * (w.ID + 1) / n
}
