package infer

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
	"hotcell/models/gguf"
)

// Loading takes as long as the slowest of reading the file, clearing new memory (which the system does at the first touch) and packing. All workers do
// all three, a piece at a time in the file's order, so that one waits for the disk while another packs, and the disk sees one long read.

// pieceBytes is how much a worker reads at once. From 256 KiB to 8 MiB it made no difference.
const pieceBytes = 1 << 20

// aheadBytes is how far ahead of the workers the system is told to read: more than any disk or flash has in flight, and what a phone can spare.
const aheadBytes = 16 << 20

// piece is rows lo to hi-1 of a job; lo begins a panel.
type piece struct {
	job    *packJob
	lo, hi int
}

// pieces cuts the jobs up, in the order of their bytes in the file.
func (ld *loader) pieces() (list []piece) {
	slices.SortStableFunc(ld.jobs, func(a, b packJob) int { return a.tensor.Compare(b.tensor) })
	for i := range ld.jobs {
		j := &ld.jobs[i]
		step := j.rowsAtOnce()
		if j.order != nil {
			step = j.num // whose rows lie anywhere in the tensor
		}
		for lo := 0; lo < j.num; lo += step {
			list = append(list, piece{j, lo, min(j.num, lo+step)})
		}
	}
	return list
}

// read does the jobs, on all workers.
func (ld *loader) read(ctx context.Context, pool *workers.Pool, progress func(done, total int64)) error {
	pieces, total := ld.pieces(), int64(0)
	for _, p := range pieces {
		total += p.bytes()
	}
	ahead := 0
	for n := int64(0); ahead < len(pieces) && n < aheadBytes; ahead++ {
		pieces[ahead].prefetch(ld.f)
		n += pieces[ahead].bytes()
	}
	var (
		next   workers.Counter
		failed atomic.Bool
		mu     sync.Mutex // guards the following
		done   int64
		err    error
	)
	pool.Run(func(w *workers.Worker) {
		var buffer []byte
		for {
			i, _, ok := w.Next(&next, 1, len(pieces))
			if !ok || failed.Load() {
				return
			}
			if i+ahead < len(pieces) {
				pieces[i+ahead].prefetch(ld.f)
			}
			p, e := pieces[i], ctx.Err()
			if e == nil {
				e = p.job.load(ld.f, p.lo, p.hi, &buffer)
			}
			mu.Lock()
			if e != nil && err == nil {
				err = e
				failed.Store(true)
			}
			if done += p.bytes(); progress != nil && err == nil {
				progress(done, total)
			}
			mu.Unlock()
		}
	})
	return err
}

// bytes is how much the piece reads.
func (p *piece) bytes() int64 { return int64((p.hi - p.lo) * p.job.rowBytes()) }

// prefetch tells the system that the piece will be read soon. Of neurons, which are read by megabytes, it finds out by itself.
func (p *piece) prefetch(f *gguf.File) {
	if p.job.neurons == nil {
		f.Prefetch(p.job.tensor, int64(p.job.first+p.lo)*int64(p.job.rowBytes()), p.bytes())
	}
}

// rowBytes is what a row takes in the file. Neurons are one row.
func (j *packJob) rowBytes() int {
	if j.neurons != nil {
		return j.neurons.group.UnitBytes
	}
	return int(j.tensor.RowSize())
}

// load reads rows lo to hi-1 of the job; lo begins a panel. buffer is the worker's own and grows as needed.
func (j *packJob) load(f *gguf.File, lo, hi int, buffer *[]byte) error {
	if j.neurons != nil {
		return j.neurons.fill(f)
	}
	if j.order != nil {
		return j.loadInOrder(f, buffer)
	}
	rowBytes := j.rowBytes()
	offset, n := int64(j.first+lo)*int64(rowBytes), (hi-lo)*rowBytes
	if j.rows != nil {
		return f.ReadTensor(j.tensor, j.rows[lo*rowBytes:][:n], offset)
	}
	raw := room(buffer, n)
	if err := f.ReadTensor(j.tensor, raw, offset); err != nil {
		return err
	}
	return j.unpack(f, lo, hi, raw)
}

// rowsAtOnce is how many rows a piece has: whole panels.
func (j *packJob) rowsAtOnce() int {
	return max(1, pieceBytes/j.rowBytes()/kernel.PanelRows) * kernel.PanelRows
}

// loadInOrder reads the whole tensor and puts its rows into the job's order. The memory for it goes back at once: the neuron cache is empty yet, and wants it later.
func (j *packJob) loadInOrder(f *gguf.File, buffer *[]byte) error {
	rowBytes := j.rowBytes()
	size := j.num * rowBytes
	mem, err := newArena(arenaSize(size), unix.MADV_HUGEPAGE)
	if err != nil {
		return fmt.Errorf("%s: the tensor %s: %w", f.Name(), j.tensor.Name, err)
	}
	defer mem.free()
	all := mem.take(size)
	if err := f.ReadTensor(j.tensor, all, 0); err != nil {
		return err
	}
	step := j.rowsAtOnce()
	for lo := 0; lo < j.num; lo += step {
		hi := min(j.num, lo+step)
		raw := room(buffer, (hi-lo)*rowBytes)
		for k, row := range j.order[lo:hi] {
			copy(raw[k*rowBytes:][:rowBytes], all[int(row)*rowBytes:])
		}
		if err := j.unpack(f, lo, hi, raw); err != nil {
			return err
		}
	}
	return nil
}

// room is n bytes of a buffer that grows as needed.
func room(buffer *[]byte, n int) []byte {
	if cap(*buffer) < n {
		*buffer = make([]byte, n)
	}
	return (*buffer)[:n]
}

// unpack brings rows lo to hi-1 from raw, in the file's layout, to where they belong.
func (j *packJob) unpack(f *gguf.File, lo, hi int, raw []byte) (err error) {
	if j.floats != nil {
		cols := len(j.floats) / j.num
		err = gguf.Dequantize(j.tensor.Type, j.floats[lo*cols:hi*cols], raw)
	} else {
		err = j.matrix.Pack(lo/kernel.PanelRows, j.tensor.Type, raw)
	}
	if err != nil {
		return fmt.Errorf("%s: the tensor %s: %w", f.Name(), j.tensor.Name, err)
	}
	return nil
}
