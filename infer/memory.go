package infer

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
	"hotcell/models/gguf"
	"hotcell/models/pack"
	"hotcell/planner"
)

// MemoryNeed is what a session with the model in f and this configuration will hold, beside what the machine has available now. It reads
// nothing but the file's header. The error is the one for which Open would refuse the model or the configuration.
func MemoryNeed(f *gguf.File, c Config) (planner.Memory, error) {
	h, err := readHparams(f)
	if err != nil {
		return planner.Memory{}, err
	}
	if err := c.check(); err != nil {
		return planner.Memory{}, err
	}
	if p, ok := pack.Of(f); ok {
		return packNeed(p, f, h, c)
	}
	return memoryNeed(f, h, c)
}

// packNeed is MemoryNeed for a model in a pack: of its neurons as much is in memory as there is room for.
func packNeed(p *pack.File, f *gguf.File, h *hparams, c Config) (m planner.Memory, err error) {
	ld, plan, err := planPacked(p, f, h, &c)
	if err != nil {
		return m, err
	}
	available, _ := AvailableMemory()
	s := plan.Memory
	m = planner.Judge(s.Fixed+s.Predictor+s.Hot+s.Cold, s.KV, s.Work, available)
	var all int64
	for _, g := range ld.neurons {
		all += int64(g.Units) * int64(g.UnitBytes)
	}
	if m.Verdict == planner.Fits && s.Hot+s.Cold < all {
		m.Verdict = planner.Streams
	}
	return m, nil
}

// memoryNeed is MemoryNeed for a configuration that was checked. It takes the loader's first walk, which sizes the weights without memory.
func memoryNeed(f *gguf.File, h *hparams, c Config) (m planner.Memory, err error) {
	if h.experts == 0 && slices.ContainsFunc(f.Tensors(), func(t gguf.Tensor) bool { return ofExpert(t.Name) }) {
		return m, fmt.Errorf("%s: the file has experts but %s.expert_count does not say how many", f.Name(), h.name)
	}
	ld, err := newLoader(f, h, &c)
	if err != nil {
		return m, err
	}
	context := ld.context
	w := ld.plan()
	if ld.err != nil {
		return m, ld.err
	}
	if err := checkKV(h, context, c.KV); err != nil {
		return m, err
	}
	available, _ := AvailableMemory() // 0 where the system does not tell: judged as unknown
	return planner.Judge(int64(ld.size), kvBytes(h, context, c.KV), workBytes(h, w, context, c.Threads, ld.predictor), available), nil
}

// workBytes is what newEngine's buffers take; a test holds the two together.
func workBytes(h *hparams, w *weights, context, threads int, predicted bool) int64 {
	batch := min(batchTokens, context)
	n := min(chunkTokens, batch)
	ff, rank, scored, neurons := 0, 0, 0, 0
	for l := range w.layers {
		lw := &w.layers[l]
		for _, f := range append([]*feedForward{lw.ffn, lw.shared}, lw.experts...) {
			if f == nil {
				continue
			}
			if rank = max(rank, f.predict1.Rows); f.neurons == nil {
				ff = max(ff, f.ff())
			} else {
				neurons = max(neurons, f.ff())
			}
			scored = max(scored, f.ff())
		}
	}
	floats := func(rows, cols int) int64 { return int64(rows) * int64(cols) * 4 }
	padded := func(rows, cols int) int64 {
		return floats(rows, (cols+kernel.PanelRows-1)/kernel.PanelRows*kernel.PanelRows)
	}
	acts := func(rows, cols int) int64 { // float32, and 8 bits with a scale and sums for each block
		return floats(rows, cols) + max(1, int64(rows)*int64(cols/kernel.BlockCols)*kernel.ActBlockBytes)
	}
	qDim, kvDim, rows := h.heads*h.headDim, h.kvHeads*h.headDim, n
	sum := floats(batch, 1) + floats(batch, h.dim) + acts(n, max(h.dim, qDim)) + padded(n, qDim) + 2*padded(n, kvDim) + padded(1, h.vocab)
	sum += int64(numCounters(h, batch)) * int64(unsafe.Sizeof(workers.Counter{}))
	if w.positions.Rows > 0 {
		sum += padded(threads, h.dim)
	}
	if h.parallel {
		sum += floats(batch, h.dim)
	}
	if h.experts > 0 {
		rows = n * h.expertsUsed
		sum += floats(n, h.dim) + acts(rows, h.dim) + padded(n, h.experts) + 4*floats(rows, 1) + floats(threads, h.experts)
	}
	sum += acts(rows, ff) + 2*padded(rows, ff) + padded(rows, h.dim)
	for _, p := range h.ropes {
		sum += padded(batch, p.dims)
	}
	if predicted {
		sum += acts(n, h.dim) + acts(n, rank) + padded(n, rank) + padded(n, scored)
	}
	if neurons > 0 {
		sum += sparseBytes(h, neurons, threads, batch)
	}
	parts, scratch := attendBytes(h, context)
	return sum + parts + int64(threads)*(scratch+ownBytes(h, predicted, rank))
}

// AvailableMemory is how many bytes the system thinks it could give without swapping (MemAvailable); ok is false where it does not tell. Files in the
// page cache count as free, also a model's own, so it is an upper bound.
func AvailableMemory() (bytes int64, ok bool) {
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if bytes, ok = parseAvailable(lines.Text()); ok {
			return bytes, true
		}
	}
	return 0, false
}

// parseAvailable reads the line "MemAvailable:   24123456 kB".
func parseAvailable(line string) (bytes int64, ok bool) {
	fields := strings.Fields(line)
	if len(fields) != 3 || fields[0] != "MemAvailable:" || fields[2] != "kB" {
		return 0, false
	}
	kb, err := strconv.ParseUint(fields[1], 10, 50)
	return int64(kb) * 1024, err == nil
}

// HeldMemory is what the process holds now, in bytes of memory that are its own or of files that it mapped (RssAnon and RssFile); ok is false where the
// system does not tell.
func HeldMemory() (bytes int64, ok bool) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && (fields[0] == "RssAnon:" || fields[0] == "RssFile:") {
			kb, err := strconv.ParseUint(fields[1], 10, 50)
			if err != nil {
				return 0, false
			}
			bytes, ok = bytes+int64(kb)*1024, true
		}
	}
	return bytes, ok
}
