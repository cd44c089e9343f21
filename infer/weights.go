package infer

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
	"hotcell/models/gguf"
)

// weights are a model's tensors in run-time layouts, in one arena.
type weights struct {
	embedding  kernel.Matrix // [vocab][dim]
	output     kernel.Matrix // [vocab][dim]; the embedding's own data when the file ties them
	outputNorm []float32     // [dim]
	ropeFactor []float32     // [rope dims/2], nil: none
	layers     []layerWeights

	mem   *arena
	bytes int // in the arena
}

// layerWeights are one transformer block. Biases are nil where the file has none.
type layerWeights struct {
	attnNorm       []float32     // [dim]
	q, k, v        kernel.Matrix // [heads*headDim][dim], [kvHeads*headDim][dim] twice
	qBias, kBias   []float32
	vBias, outBias []float32
	out            kernel.Matrix // [dim][heads*headDim]

	ffnNorm            []float32     // [dim]
	gate, up           kernel.Matrix // [ff][dim]
	gateBias, upBias   []float32
	down               kernel.Matrix // [dim][ff]; empty when downRows is used
	downRows           kernel.Rows   // [ff][dim]: one row per neuron
	downBias           []float32
	predict1, predict2 kernel.Matrix // the predictor [rank][dim], [ff][rank]; empty: none
}

// findTensor looks a tensor up and checks its shape: rows of cols values. A vector has one row.
func findTensor(f *gguf.File, name string, rows, cols int) (gguf.Tensor, error) {
	t, ok := f.Tensor(name)
	if !ok {
		return t, fmt.Errorf("%s: the tensor %s is missing", f.Name(), name)
	}
	if int(t.Cols()) != cols || int(t.Rows()) != rows {
		want := fmt.Sprint([]int{cols, rows})
		if rows == 1 {
			want = fmt.Sprint([]int{cols})
		}
		return t, fmt.Errorf("%s: the tensor %s has the shape %v, expected %s", f.Name(), name, t.Dims, want)
	}
	return t, nil
}

// packJob is one tensor on its way into the arena.
type packJob struct {
	tensor gguf.Tensor
	matrix *kernel.Matrix // where it goes, or
	rows   *kernel.Rows
}

// loader collects what has to be read, then reads it in one pass over the file.
type loader struct {
	f    *gguf.File
	h    *hparams
	jobs []packJob
	size int // of the arena
	err  error
}

// loadWeights reads all tensors of a model on all workers. progress, if not nil, is called with bytes read and their total, from one
// goroutine at a time. Tensors that this engine does not use are left unread.
func loadWeights(ctx context.Context, f *gguf.File, h *hparams, predictor bool, pool *workers.Pool, progress func(done, total int64)) (*weights, error) {
	ld := &loader{f: f, h: h}
	w := &weights{layers: make([]layerWeights, h.layers)}
	qDim, kvDim := h.heads*h.headDim, h.kvHeads*h.headDim

	ld.matrix(&w.embedding, "token_embd.weight", h.vocab, h.dim)
	tied := !has(f, "output.weight")
	if !tied {
		ld.matrix(&w.output, "output.weight", h.vocab, h.dim)
	}
	w.outputNorm = ld.vector("output_norm.weight", h.dim)
	w.ropeFactor = ld.optional("rope_freqs.weight", h.rope.dims/2)
	for l := range w.layers {
		lw := &w.layers[l]
		name := func(s string) string { return fmt.Sprintf("blk.%d.%s", l, s) }
		lw.attnNorm = ld.vector(name("attn_norm.weight"), h.dim)
		ld.matrix(&lw.q, name("attn_q.weight"), qDim, h.dim)
		ld.matrix(&lw.k, name("attn_k.weight"), kvDim, h.dim)
		ld.matrix(&lw.v, name("attn_v.weight"), kvDim, h.dim)
		ld.matrix(&lw.out, name("attn_output.weight"), h.dim, qDim)
		lw.qBias = ld.optional(name("attn_q.bias"), qDim)
		lw.kBias = ld.optional(name("attn_k.bias"), kvDim)
		lw.vBias = ld.optional(name("attn_v.bias"), kvDim)
		lw.outBias = ld.optional(name("attn_output.bias"), h.dim)

		lw.ffnNorm = ld.vector(name("ffn_norm.weight"), h.dim)
		ld.matrix(&lw.gate, name("ffn_gate.weight"), h.ff, h.dim)
		ld.matrix(&lw.up, name("ffn_up.weight"), h.ff, h.dim)
		lw.gateBias = ld.optional(name("ffn_gate.bias"), h.ff)
		lw.upBias = ld.optional(name("ffn_up.bias"), h.ff)
		lw.downBias = ld.optional(name("ffn_down.bias"), h.dim)
		if h.downByNeuron {
			ld.rows(&lw.downRows, name("ffn_down_t.weight"), h.ff, h.dim)
		} else {
			ld.matrix(&lw.down, name("ffn_down.weight"), h.dim, h.ff)
		}
		if predictor {
			t, _ := f.Tensor(name("fc1.weight"))
			rank := int(t.Rows())
			ld.matrix(&lw.predict1, name("fc1.weight"), rank, h.dim)
			ld.matrix(&lw.predict2, name("fc2.weight"), h.ff, rank)
		}
	}
	if ld.err != nil {
		return nil, ld.err
	}
	var err error
	if w.mem, err = newArena(ld.size); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	w.bytes = ld.size
	if err := ld.read(ctx, w.mem, pool, progress); err != nil {
		w.mem.free()
		return nil, err
	}
	if tied {
		w.output = w.embedding
	}
	return w, nil
}

func has(f *gguf.File, name string) bool {
	_, ok := f.Tensor(name)
	return ok
}

func (ld *loader) find(name string, rows, cols int) (gguf.Tensor, bool) {
	if ld.err != nil {
		return gguf.Tensor{}, false
	}
	t, err := findTensor(ld.f, name, rows, cols)
	ld.err = err
	return t, err == nil
}

// matrix plans to read a tensor into panels.
func (ld *loader) matrix(m *kernel.Matrix, name string, rows, cols int) {
	t, ok := ld.find(name, rows, cols)
	if !ok {
		return
	}
	format, ok := kernel.FormatOf(t.Type)
	if !ok {
		ld.err = fmt.Errorf("%s: the tensor %s is of type %v, which is not supported", ld.f.Name(), name, t.Type)
		return
	}
	*m = kernel.Matrix{Format: format, Rows: rows, Cols: cols}
	ld.jobs = append(ld.jobs, packJob{tensor: t, matrix: m})
	ld.size += arenaSize(kernel.MatrixBytes(format, rows, cols))
}

// rows plans to read a tensor as it is.
func (ld *loader) rows(r *kernel.Rows, name string, rows, cols int) {
	t, ok := ld.find(name, rows, cols)
	if !ok {
		return
	}
	if !kernel.RowType(t.Type) {
		ld.err = fmt.Errorf("%s: the tensor %s is of type %v, which is not supported here (supported: F32, F16, Q8_0, Q4_0)", ld.f.Name(), name, t.Type)
		return
	}
	*r = kernel.Rows{Type: t.Type, N: rows, Cols: cols}
	ld.jobs = append(ld.jobs, packJob{tensor: t, rows: r})
	ld.size += arenaSize(int(t.Size))
}

// vector reads a small tensor to the heap as float32.
func (ld *loader) vector(name string, n int) []float32 {
	t, ok := ld.find(name, 1, n)
	if !ok {
		return nil
	}
	out, raw := make([]float32, n), make([]byte, t.Size)
	if ld.err = ld.f.ReadTensor(t, raw, 0); ld.err == nil {
		if ld.err = gguf.Dequantize(t.Type, out, raw); ld.err != nil {
			ld.err = fmt.Errorf("%s: the tensor %s: %w", ld.f.Name(), name, ld.err)
		}
	}
	return out
}

// optional is vector for a tensor that may be absent (nil).
func (ld *loader) optional(name string, n int) []float32 {
	if !has(ld.f, name) {
		return nil
	}
	return ld.vector(name, n)
}

// loadChunk is how much of a tensor one worker reads at once.
const loadChunk = 1 << 20

// read brings all planned tensors into the arena, on all workers: reading one chunk overlaps repacking another.
func (ld *loader) read(ctx context.Context, mem *arena, pool *workers.Pool, progress func(done, total int64)) error {
	var total int64
	for _, j := range ld.jobs {
		total += j.tensor.Size
		if j.matrix != nil {
			j.matrix.Data = mem.take(kernel.MatrixBytes(j.matrix.Format, j.matrix.Rows, j.matrix.Cols))
		} else {
			j.rows.Data = mem.take(int(j.tensor.Size))
		}
	}
	var (
		done    atomic.Int64
		failed  atomic.Bool
		mu      sync.Mutex // guards err and progress
		err     error
		buffers = make([][]byte, pool.Size())
		next    = make([]workers.Counter, len(ld.jobs))
	)
	pool.Run(func(w *workers.Worker) {
		for j, job := range ld.jobs {
			rowBytes := int(job.tensor.Size) / int(job.tensor.Rows())
			rows, step := int(job.tensor.Rows()), max(1, loadChunk/rowBytes)
			if job.matrix != nil {
				step = max(kernel.PanelRows, step/kernel.PanelRows*kernel.PanelRows)
			}
			for {
				lo, hi, ok := w.Next(&next[j], step, rows)
				if !ok || failed.Load() {
					break
				}
				e := ctx.Err()
				if e == nil {
					e = job.load(ld.f, lo, hi, rowBytes, &buffers[w.ID])
				}
				mu.Lock()
				if e != nil && err == nil {
					err = e
					failed.Store(true)
				}
				if progress != nil && err == nil {
					progress(done.Add(int64((hi-lo)*rowBytes)), total)
				}
				mu.Unlock()
			}
		}
	})
	return err
}

// load reads rows lo to hi-1; lo begins a panel. buffer is the worker's own and grows as needed.
func (j *packJob) load(f *gguf.File, lo, hi, rowBytes int, buffer *[]byte) error {
	offset, n := int64(lo*rowBytes), (hi-lo)*rowBytes
	if j.rows != nil {
		return f.ReadTensor(j.tensor, j.rows.Data[offset:][:n], offset)
	}
	if cap(*buffer) < n {
		*buffer = make([]byte, n)
	}
	raw := (*buffer)[:n]
	if err := f.ReadTensor(j.tensor, raw, offset); err != nil {
		return err
	}
	for r := lo; r < hi; r += kernel.PanelRows {
		end := min(hi, r+kernel.PanelRows)
		if err := j.matrix.PackPanel(r/kernel.PanelRows, j.tensor.Type, raw[(r-lo)*rowBytes:(end-lo)*rowBytes]); err != nil {
			return fmt.Errorf("%s: the tensor %s: %w", f.Name(), j.tensor.Name, err)
		}
	}
	return nil
}
