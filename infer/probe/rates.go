package probe

import (
	"sync/atomic"
	"time"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
)

// readPiece is how much a worker reads before it looks at the clock: far less than 100 us even on a slow core.
const readPiece = 256 << 10

// ReadRate is how many bytes a second the workers of a pool read together, when they read mem in order and again and again for about the
// time d. It is 0 where the variant of the kernels in use has no loop for it. mem must be larger than the caches if memory is
// meant. The pool must be idle; for a pinned pool the caller has called Bind.
func ReadRate(p *workers.Pool, mem []byte, d time.Duration) (bytesPerSec float64) {
	size := min(readPiece, len(mem))
	if !kernel.HasLimits() || size == 0 {
		return 0
	}
	pieces := len(mem) / size
	var next workers.Counter
	return together(p, d, func(w *workers.Worker) int {
		i, _, _ := w.Next(&next, 1, 1<<62)
		i %= pieces
		kernel.StreamRead(mem[i*size : (i+1)*size])
		return size
	})
}

// Int8Rate is how many multiplications and additions of 8-bit integers a second the workers do together in registers, in about the
// time d: the limit of products of quantised weights. It is 0 where ReadRate is.
func Int8Rate(p *workers.Pool, d time.Duration) (operationsPerSec float64) {
	return multiplyRate(p, d, kernel.MultiplyInt8)
}

// Float32Rate is Int8Rate for float32: the limit of products of F16, BF16 and F32 weights.
func Float32Rate(p *workers.Pool, d time.Duration) (operationsPerSec float64) {
	return multiplyRate(p, d, kernel.MultiplyFloat32)
}

func multiplyRate(p *workers.Pool, d time.Duration, multiply func() int) float64 {
	if !kernel.HasLimits() {
		return 0
	}
	own := make([]workers.Counter, p.Size()) // Next is the preemption point that a loop around assembly needs
	return together(p, d, func(w *workers.Worker) int {
		w.Next(&own[w.ID], 1, 1<<62)
		return multiply()
	})
}

// together lets all workers repeat step, which returns the work that it did, for about the time d, and returns the work that all did in a
// second.
func together(p *workers.Pool, d time.Duration, step func(*workers.Worker) int) float64 {
	var total atomic.Int64
	var begin time.Time
	p.Run(func(w *workers.Worker) {
		w.Barrier() // all are awake
		if w.ID == 0 {
			begin = time.Now()
		}
		w.Barrier()
		work := step(w)
		for time.Since(begin) < d {
			work += step(w)
		}
		total.Add(int64(work))
	})
	return float64(total.Load()) / time.Since(begin).Seconds()
}
