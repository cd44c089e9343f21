package pack

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"path/filepath"

	"hotcell/models/disk"
	"hotcell/models/gguf"
)

// Options say how a pack is written. The zero value keeps the original order.
type Options struct {
	// Activity, if not nil, puts often active neurons first.
	Activity *Activity
	// Progress, if not nil, is called with bytes done and their total, from the
	// goroutine that called Write. The work is to read the model once for its hash,
	// and then to write the pack.
	Progress func(done, total int64)
}

// Write writes src as the pack out, which appears whole or not at all and replaces
// a pack of that name. It takes less than 500 MB of memory, however large the
// model. If it is interrupted, out.part stays; the next Write of the same model and
// activity goes on from there. Errors are plain sentences; after ctx is cancelled
// the error is that of ctx.
func Write(ctx context.Context, src *gguf.File, out string, o Options) error {
	if err := disk.MayReplace(out, "pack", Magic); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(out), err)
	}
	w := &writer{ctx: ctx, src: src, progress: o.Progress}
	var err error
	if w.dir, err = newPlan(src, o.Activity, wholeExpert); err != nil {
		return err
	}
	for _, step := range []func() error{w.sections, w.hash, func() error { return w.write(out) }} {
		if err == nil {
			err = step()
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// writer makes one pack.
type writer struct {
	ctx         context.Context
	src         *gguf.File
	progress    func(done, total int64)
	done, total int64

	header header
	dir    *directory
	meta   []byte // the sections, filled up
	dirs   []byte
	sums   sums
	part   *part
	buf    []byte // a window of a tensor
	slice  []byte // units, or a piece of a tensor
}

// advance reports n more bytes done.
func (w *writer) advance(n int64) error {
	w.done += n
	if w.progress != nil {
		w.progress(w.done, w.total)
	}
	return w.ctx.Err()
}

// sections makes the sections before the data and decides where everything goes.
func (w *writer) sections() error {
	h := &w.header
	var meta bytes.Buffer
	if _, err := copyOf(w.src).WriteTo(&meta); err != nil {
		return err
	}
	w.meta, h.metaBytes = filled(meta.Bytes())
	w.dirs, h.dirBytes = filled(w.dir.encode())
	// The pages are counted before it is known where they begin.
	if err := w.dir.place(0); err != nil {
		return fmt.Errorf("%s: %w", w.src.Name(), err)
	}
	if h.pages = w.dir.pages; h.metaBytes > maxMetadata || h.dirBytes > maxDirectory || h.pages > maxPages {
		return fmt.Errorf("%s: the model is too large for a pack", w.src.Name())
	}
	h.place()
	if err := w.dir.place(h.dataAt); err != nil {
		return fmt.Errorf("%s: %w", w.src.Name(), err)
	}
	w.dir.summary(h)
	h.arch = architecture(w.src)
	h.metaSum, h.dirSum = checksum(w.meta), checksum(w.dirs)
	w.sums = make(sums, pageUp(4*h.pages))

	for _, t := range w.dir.tensors {
		w.total += t.Size
	}
	w.total += h.pages * PageBytes
	return nil
}

// filled appends zeros up to whole pages.
func filled(b []byte) ([]byte, int64) {
	n := int64(len(b))
	return append(b, make([]byte, pageUp(n)-n)...), n
}

// copyOf is a writer of f's metadata, to which tensors may be added.
func copyOf(f *gguf.File) *gguf.Writer {
	w := &gguf.Writer{Version: f.Version(), PowerInfer: f.PowerInfer()}
	for _, key := range f.Keys() {
		v, _ := f.Value(key)
		w.Set(key, v)
	}
	return w
}

// hash reads the whole model as the file that Unpack will write.
func (w *writer) hash() error {
	w.buf = make([]byte, windowBytes)
	sum := sha256.New()
	err := writeModel(sum, w.src, w.dir.tensors, func(i int, put func([]byte) error) error {
		return eachWindow(w.src, w.dir.tensors[i], w.buf, func(b []byte) error {
			if err := put(b); err != nil {
				return err
			}
			return w.advance(int64(len(b)))
		})
	})
	w.header.hash = [32]byte(sum.Sum(nil))
	return err
}

// writeModel writes a GGUF file with the metadata of f and the tensors, whose bytes come
// from data(i). An error of data or out is returned as it is.
func writeModel(out io.Writer, f *gguf.File, tensors []gguf.Tensor, data func(i int, put func([]byte) error) error) error {
	w := copyOf(f)
	var failed error
	for i, t := range tensors {
		w.AddTensor(t.Name, t.Type, t.Dims, func(dst io.Writer) error {
			failed = data(i, func(b []byte) error {
				_, err := dst.Write(b)
				return err
			})
			return failed
		})
	}
	_, err := w.WriteTo(out)
	return cmp.Or(failed, err)
}

// eachWindow reads a tensor in pieces of the size of buf.
func eachWindow(f *gguf.File, t gguf.Tensor, buf []byte, do func(b []byte) error) error {
	for at := int64(0); at < t.Size; at += int64(len(buf)) {
		b := buf[:min(int64(len(buf)), t.Size-at)]
		if err := f.ReadTensor(t, b, at); err != nil {
			return err
		}
		if err := do(b); err != nil {
			return err
		}
	}
	return nil
}

// write fills the part file and makes it the pack.
func (w *writer) write(out string) error {
	p, err := w.openPart(out + ".part")
	if err != nil {
		return err
	}
	w.part = p
	defer p.close()
	for i := range w.dir.resident {
		t := w.dir.resident[i]
		if from := w.dir.source[i]; w.dir.packed[from] {
			err = w.scales(t, from)
		} else {
			err = w.tensor(t, w.dir.tensors[from])
		}
		if err != nil {
			return err
		}
	}
	for i := range w.dir.groups {
		if err := w.group(&w.dir.groups[i]); err != nil {
			return err
		}
	}
	w.header.tableSum = checksum(w.sums)
	return p.finish(w.header.encode(Magic), out)
}

// tensorSlice is how much of a resident tensor is written at once.
const tensorSlice = 16 << 20

// tensor writes a resident tensor as it is.
func (w *writer) tensor(t, source gguf.Tensor) error {
	for at := int64(0); at < t.Size; at += tensorSlice {
		n := min(tensorSlice, t.Size-at)
		err := w.piece(t.Offset+at, pageUp(n), func(b []byte) error {
			clear(b[n:])
			return w.src.ReadTensor(source, b[:n], at)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// scales writes the scales t of down matrix i, transposed: those of as few of its
// groups at once as make whole pages.
func (w *writer) scales(t gguf.Tensor, i int) error {
	var run []*Group
	start, end := int64(0), int64(0)
	for j := range w.dir.groups {
		g := &w.dir.groups[j]
		if g.Down.Tensor != i {
			continue
		}
		run, end = append(run, g), end+g.scaleBytes()
		if end%PageBytes != 0 && end < t.Size {
			continue
		}
		err := w.piece(t.Offset+start, pageUp(end-start), func(b []byte) error {
			clear(b)
			for _, g := range run {
				if err := g.fillDownScales(w.src, b[:g.scaleBytes()], &w.buf); err != nil {
					return err
				}
				b = b[g.scaleBytes():]
			}
			return nil
		})
		if err != nil {
			return err
		}
		run, start = run[:0], end
	}
	return nil
}

// group writes a group in slices of whole units.
func (w *writer) group(g *Group) error {
	s := span{g: g, positions: g.Positions()}
	step := max(1, sliceBytes/g.UnitBytes)
	for ; s.first < g.Units; s.first += step {
		n := int64(min(step, g.Units-s.first)) * int64(g.UnitBytes)
		err := w.piece(g.Offset+int64(s.first)*int64(g.UnitBytes), n, func(b []byte) error {
			clear(b)
			s.bytes = b
			return s.fill(w.src, &w.buf)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// piece writes n bytes, whole pages, at an offset, unless the part file has them.
// fill gets a buffer that has been used before.
func (w *writer) piece(offset, n int64, fill func(b []byte) error) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if int64(cap(w.slice)) < n {
		w.slice = nil // before there are two
		w.slice = make([]byte, n)
	}
	b := w.slice[:n]
	page := (offset - w.header.dataAt) / PageBytes
	if !w.part.has(page, b) {
		if err := fill(b); err != nil {
			return err
		}
		if err := w.part.put(page, b); err != nil {
			return err
		}
	}
	return w.advance(n)
}
