package convert

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"sync"

	"hotcell/models/gguf"
)

// stream writes tensors in pieces: it reads some rows, widens them to float32,
// encodes them on all cores, and writes them. Its buffers are the only memory that
// grows with the work, and they are bounded by piece or by one row.
type stream struct {
	ctx      context.Context
	progress func(done, total int64) // may be nil
	piece    int                     // elements read at once
	done     int64                   // bytes written
	total    int64

	raw, out []byte
	values   []float32
}

const (
	pieceElements = 1 << 20

	// transposedPieces are read as one: a transposed matrix comes in short runs out of
	// each row of its source, and this makes the runs longer.
	transposedPieces = 4
)

// data is the Data of an output.
func (s *stream) data(o *output) gguf.Data {
	return func(w io.Writer) error {
		for i := range o.parts {
			if err := s.part(w, o.typ, &o.parts[i]); err != nil {
				return err
			}
		}
		return nil
	}
}

func (s *stream) part(w io.Writer, t gguf.Type, p *part) error {
	elems, size := t.Block()
	rowBytes := p.cols / elems * size
	step := s.piece
	if p.order == transposed {
		step *= transposedPieces
	}
	step = max(1, step/p.cols)
	for lo := 0; lo < p.rows; lo += step {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		n := min(step, p.rows-lo)
		s.values = grow(s.values, n*p.cols)
		if err := s.read(p, lo, n); err != nil {
			return err
		}
		s.out = grow(s.out, n*rowBytes)
		if err := encode(t, s.out, s.values, rowBytes, p.cols); err != nil {
			return fmt.Errorf("%s: the tensor %s cannot be converted: %w", p.weight.shard.name, quote(p.weight.name), err)
		}
		if _, err := w.Write(s.out); err != nil {
			return err
		}
		s.done += int64(len(s.out))
		if s.progress != nil {
			s.progress(s.done, s.total)
		}
	}
	return nil
}

// read fills s.values [n][cols] with rows lo to lo+n-1 of the part.
func (s *stream) read(p *part, lo, n int) error {
	if p.values != nil {
		copy(s.values, p.values[lo*p.cols:])
		return nil
	}
	switch p.order {
	case interleaved:
		half := p.headDim / 2
		for i := range n {
			// Row 2j+h of a head is row j of its half h.
			row := lo + i
			head, in := row/p.headDim*p.headDim, row%p.headDim
			from := head + in%2*half + in/2
			if err := s.run(p, from*p.cols, s.values[i*p.cols:][:p.cols]); err != nil {
				return err
			}
		}
	case transposed:
		column := make([]float32, n)
		for c := range p.cols {
			if err := s.run(p, c*p.rows+lo, column); err != nil {
				return err
			}
			for i, v := range column {
				s.values[i*p.cols+c] = v
			}
		}
	default:
		return s.run(p, lo*p.cols, s.values)
	}
	return nil
}

// run reads len(dst) elements of the source, from the element first on.
func (s *stream) run(p *part, first int, dst []float32) error {
	size := int(elementBytes[p.weight.dtype])
	s.raw = grow(s.raw, len(dst)*size)
	if err := p.weight.read(s.raw, int64(first)*int64(size)); err != nil {
		return err
	}
	switch p.weight.dtype {
	case f32:
		for i := range dst {
			dst[i] = math.Float32frombits(le.Uint32(s.raw[4*i:]))
		}
	case f16:
		for i := range dst {
			dst[i] = gguf.F16ToF32(le.Uint16(s.raw[2*i:]))
		}
	default:
		for i := range dst {
			dst[i] = gguf.BF16ToF32(le.Uint16(s.raw[2*i:]))
		}
	}
	return nil
}

// encode quantises whole rows, shared among the cores.
func encode(t gguf.Type, dst []byte, src []float32, rowBytes, cols int) error {
	rows := len(src) / cols
	workers := min(runtime.GOMAXPROCS(0), rows, max(1, len(src)>>16))
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for i := range workers {
		lo, hi := rows*i/workers, rows*(i+1)/workers
		wg.Go(func() { errs[i] = quantize(t, dst[lo*rowBytes:hi*rowBytes], src[lo*cols:hi*cols]) })
	}
	wg.Wait()
	for _, err := range errs { // the first piece's error, whatever the order of the cores
		if err != nil {
			return err
		}
	}
	return nil
}

// grow returns a slice of n elements, b's own memory if that is enough.
func grow[T any](b []T, n int) []T {
	if cap(b) < n {
		return make([]T, n)
	}
	return b[:n]
}
