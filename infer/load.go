package infer

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
	"hotcell/models/gguf"
	"hotcell/models/pack"
)

// packJob is one tensor, or some rows of it, or a layer's neurons, on its way into memory.
type packJob struct {
	tensor     gguf.Tensor
	first, num int           // rows
	order      []uint32      // matrix's row k is the tensor's row order[k]; nil: first+k. Only with all rows
	matrix     kernel.Matrix // where they go: panels, or
	rows       []byte        // rows as they are in the file, or
	neurons    *neurons      // all matrices of an FFN, or
	floats     []float32     // numbers
}

// loader makes a model's weights. It walks through the plan twice: first without memory, to learn how much is needed, then with an
// arena of that size. What is found on the second walk is read after it, all at once and in the file's order (load_read.go).
type loader struct {
	f         *gguf.File
	h         *hparams
	predictor bool
	without   map[int]bool // layers that go without their predictor, as a plan says
	context   int          // of the KV cache
	kv        KVType
	layer     int                 // the current one
	prefix    string              // of its tensors
	neurons   map[int]*pack.Group // per layer whose dense FFN is computed by neuron
	packed    bool                // neurons are in a pack, of which f has the other tensors
	mem       *arena              // nil on the first walk
	size      int                 // of the arena
	jobs      []packJob
	err       error
}

// newLoader checks that a model can be run as asked and makes the loader for it.
func newLoader(f *gguf.File, h *hparams, c *Config) (*loader, error) {
	ld := &loader{f: f, h: h, predictor: c.Mode.predicted(h), context: c.contextFor(h), kv: c.KV}
	if t, ok := f.Tensor("position_embd.weight"); ok && uint64(ld.context) > t.Rows() {
		return nil, fmt.Errorf("%s: the model knows %d positions, a context of %d is not possible", f.Name(), t.Rows(), ld.context)
	}
	if c.Mode == ModeExact && !h.activation.sparse() {
		return nil, fmt.Errorf("%s: the mode exact needs an activation that makes zeros (ReLU), which the family %s has not", f.Name(), h.name)
	}
	if c.Mode == ModeExact || ld.predictor {
		var err error
		if ld.neurons, err = neuronGroups(f, ld.predictor); err != nil {
			return nil, err
		}
		if ld.predictor && !h.hasPredictor && (len(ld.neurons) == 0 || !h.activation.sparse()) {
			return nil, fmt.Errorf("%s: the file brings no predictor, and none can be made for its kind of feed-forward layers; it cannot be run in predicted mode", f.Name())
		}
		if c.Mode == ModeExact && len(ld.neurons) == 0 {
			return nil, fmt.Errorf("%s: the mode exact needs feed-forward layers without experts in F32, F16, BF16, Q8_0 or Q4_0", f.Name())
		}
	}
	if c.Mode == ModeAuto && h.activation.sparse() {
		if groups, err := neuronGroups(f, false); err == nil && groupBytes(groups) >= exactFrom {
			ld.neurons = groups
		}
	}
	return ld, nil
}

// loadWeights reads all tensors that a model needs, on all workers. progress, if not nil, is called with bytes read and their total, from
// one goroutine at a time.
func loadWeights(ctx context.Context, ld *loader, pool *workers.Pool, progress func(done, total int64)) (*weights, error) {
	ld.plan()
	if ld.err != nil {
		return nil, ld.err
	}
	mem, err := newArena(ld.size, unix.MADV_HUGEPAGE)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ld.f.Name(), err)
	}
	ld.mem = mem
	w := ld.plan()
	w.mem, w.bytes = mem, ld.size
	if ld.err == nil {
		ld.err = ld.read(ctx, pool, progress)
	}
	if ld.err != nil {
		mem.free()
		return nil, ld.err
	}
	if w.output.Rows == 0 {
		w.output.Matrix, w.output.scale = w.embedding, 1
	}
	return w, nil
}

func (ld *loader) has(name string) bool { return has(ld.f, ld.prefix+name) }

// rowsOf is the number of rows of a tensor, 0 when it is missing.
func (ld *loader) rowsOf(name string) int {
	t, _ := ld.f.Tensor(ld.prefix + name)
	return int(t.Rows())
}

// find checks that a tensor has rows rows of cols values.
func (ld *loader) find(name string, rows, cols int) (gguf.Tensor, bool) {
	if ld.err != nil {
		return gguf.Tensor{}, false
	}
	t, err := findTensor(ld.f, ld.prefix+name, rows, cols)
	ld.err = err
	return t, err == nil
}

// linear plans a whole matrix with its bias and scale, where the file has these.
func (ld *loader) linear(name string, rows, cols int) linear {
	return ld.part(name, 0, rows, rows, cols)
}

// part plans rows first to first+rows-1 of a matrix that holds all rows.
func (ld *loader) part(name string, first, rows, all, cols int) linear {
	l := linear{scale: 1}
	ld.panels(&l.Matrix, name+".weight", first, rows, all, cols)
	if bias := ld.optional(name+".bias", all); bias != nil {
		l.bias = bias[first : first+rows]
	}
	if s := ld.now(name+".scale", 1); s != nil {
		l.scale = s[0]
	}
	return l
}

// slice plans expert e's matrix of a tensor that holds one for each, with its part of all experts' biases (nil: none).
func (ld *loader) slice(name string, e, rows, cols int, bias []float32) linear {
	l := linear{scale: 1}
	ld.panels(&l.Matrix, name, e*rows, rows, ld.h.experts*rows, cols)
	if bias != nil {
		l.bias = bias[e*rows : (e+1)*rows]
	}
	return l
}

// panels plans to read rows first to first+rows-1 of a tensor of all rows into panels. It returns the job, for the caller to say more; nil on the first walk.
func (ld *loader) panels(m *kernel.Matrix, name string, first, rows, all, cols int) *packJob {
	t, ok := ld.find(name, all, cols)
	if !ok {
		return nil
	}
	format, ok := kernel.FormatOf(t.Type)
	if !ok {
		ld.err = fmt.Errorf("%s: the tensor %s is of type %v, which is not supported", ld.f.Name(), t.Name, t.Type)
		return nil
	}
	*m = kernel.Matrix{Format: format, Rows: rows, Cols: cols}
	m.Data = ld.take(kernel.MatrixBytes(format, rows, cols))
	if m.Data == nil {
		return nil
	}
	ld.jobs = append(ld.jobs, packJob{tensor: t, first: first, num: rows, matrix: *m})
	return &ld.jobs[len(ld.jobs)-1]
}

// rows plans to read rows first to first+rows-1 of a tensor of all rows as they are.
func (ld *loader) rows(r *kernel.Rows, name string, first, rows, all, cols int) {
	t, ok := ld.find(name, all, cols)
	if !ok {
		return
	}
	if !kernel.RowType(t.Type) {
		ld.err = fmt.Errorf("%s: the tensor %s is of type %v, which is not supported where a row is a neuron (supported: F32, F16, Q8_0, Q4_0)", ld.f.Name(), t.Name, t.Type)
		return
	}
	*r = kernel.Rows{Type: t.Type, N: rows, Cols: cols}
	r.Data = ld.take(rows * r.RowBytes())
	if r.Data != nil {
		ld.jobs = append(ld.jobs, packJob{tensor: t, first: first, num: rows, rows: r.Data})
	}
}

// take is a piece of the arena; nil on the first walk.
func (ld *loader) take(n int) []byte {
	if ld.mem == nil {
		ld.size += arenaSize(n)
		return nil
	}
	return ld.mem.take(n)
}

// norm plans a norm; without weights in the file it is nil, except for families whose norms have none.
func (ld *loader) norm(name string, n int) *norm {
	weight := ld.optional(name+".weight", n)
	if weight == nil && !ld.h.bareNorms {
		return nil
	}
	return &norm{kind: ld.h.norm, eps: ld.h.eps, weight: weight, bias: ld.optional(name+".bias", n)}
}

// headNorm plans a norm of queries or keys, if the file has one.
func (ld *loader) headNorm(name string, heads int) *headNorm {
	t, ok := ld.f.Tensor(ld.prefix + name + ".weight")
	if !ok {
		return nil
	}
	n := &headNorm{norm: norm{kind: ld.h.norm, eps: ld.h.eps}}
	switch dim := ld.h.headDim; {
	case len(t.Dims) > 1:
		n.weight = ld.optional(name+".weight", dim, heads)
	case int(t.Cols()) == dim:
		n.weight = ld.optional(name+".weight", dim)
	default:
		n.weight, n.whole = ld.optional(name+".weight", dim*heads), true
	}
	return n
}

// optional plans to read a small tensor of the given shape (rows: 1 unless given) to the heap as float32; nil if the file has none.
func (ld *loader) optional(name string, cols int, rows ...int) []float32 {
	n := 1
	if len(rows) > 0 {
		n = rows[0]
	}
	out, job := ld.vector(name, cols, n)
	if out != nil && ld.mem != nil {
		ld.jobs = append(ld.jobs, job)
	}
	return out
}

// now reads a small tensor of n values at once, since the plan depends on them; nil if the file has none.
func (ld *loader) now(name string, n int) []float32 {
	out, job := ld.vector(name, n, 1)
	if out != nil && ld.mem != nil {
		ld.err = job.load(ld.f, 0, 1, new([]byte))
	}
	return out
}

// vector is room for a small tensor, and what fills it; nil if the file has none.
func (ld *loader) vector(name string, cols, rows int) ([]float32, packJob) {
	if !ld.has(name) {
		return nil, packJob{}
	}
	t, ok := ld.find(name, rows, cols)
	if !ok {
		return nil, packJob{}
	}
	out := make([]float32, rows*cols)
	return out, packJob{tensor: t, num: rows, floats: out}
}
