package pack

import "hotcell/models/gguf"

// A span is a run of units in memory, on its way to or from the file.
type span struct {
	g         *Group
	bytes     []byte
	first     int      // unit
	positions []uint32 // of the group, see Positions
}

// A window is a run of rows of one of the group's matrices in GGUF's layout.
type window struct {
	bytes    []byte
	first, n int // row of the matrix, number of rows
	rowBytes int
}

// units is the number of units in the span.
func (s *span) units() int { return len(s.bytes) / s.g.UnitBytes }

// piece is number k's part of p in unit u.
func (s *span) piece(p Piece, u, k int) []byte {
	return s.bytes[(u-s.first)*s.g.UnitBytes+p.Offset+k*p.Stride:][:p.Bytes]
}

// row is row r of the matrix.
func (w *window) row(r int) []byte { return w.bytes[(r-w.first)*w.rowBytes:][:w.rowBytes] }

// store copies what the window has of the span's neurons into the span.
func (s *span) store(m *Matrix, w *window) {
	switch m.Form {
	case Rows:
		s.shared(w.first, w.first+w.n, func(neuron, u, k int) { copy(s.piece(m.Codes, u, k), w.row(neuron)) })
	case SplitRows:
		s.shared(w.first, w.first+w.n, func(neuron, u, k int) {
			splitRow(m.Type, s.piece(m.Codes, u, k), s.piece(m.Scales, u, k), w.row(neuron))
		})
	case Column, ColumnCodes:
		s.columns(m, w, getColumn)
	case ColumnBlocks:
		s.blocks(m, w, func(unit, row []byte) { copy(unit, row) })
	}
}

// load is the inverse of store. Scales that the span does not have are left alone.
func (s *span) load(m *Matrix, w *window) {
	switch m.Form {
	case Rows:
		s.shared(w.first, w.first+w.n, func(neuron, u, k int) { copy(w.row(neuron), s.piece(m.Codes, u, k)) })
	case SplitRows:
		s.shared(w.first, w.first+w.n, func(neuron, u, k int) {
			joinRow(m.Type, w.row(neuron), s.piece(m.Codes, u, k), s.piece(m.Scales, u, k))
		})
	case Column, ColumnCodes:
		s.columns(m, w, func(t gguf.Type, column, rows []byte, rowBytes, i int) { putColumn(t, rows, column, rowBytes, i) })
	case ColumnBlocks:
		s.blocks(m, w, func(unit, row []byte) { copy(row, unit) })
	}
}

// shared calls do for each neuron from lo to hi-1 that is in the span, with its unit and
// its number in it, going through whichever is fewer: the span's positions or the neurons.
func (s *span) shared(lo, hi int, do func(neuron, u, k int)) {
	first := s.first * s.g.UnitNeurons
	end := min(s.g.Neurons, first+s.units()*s.g.UnitNeurons)
	if s.g.Order == nil {
		first, end = max(first, lo), min(end, hi)
	}
	if end-first <= hi-lo || s.positions == nil {
		for p := first; p < end; p++ {
			if n := s.g.Neuron(p); n >= lo && n < hi {
				do(n, p/s.g.UnitNeurons, p%s.g.UnitNeurons)
			}
		}
		return
	}
	for n := lo; n < hi; n++ {
		if p := int(s.positions[n]); p >= first && p < end {
			do(n, p/s.g.UnitNeurons, p%s.g.UnitNeurons)
		}
	}
}

// columns moves the columns of the span's neurons, 32 outputs at a time so that the rows
// and the pieces that they meet in stay in the processor's cache.
func (s *span) columns(m *Matrix, w *window, move func(t gguf.Type, column, rows []byte, rowBytes, i int)) {
	step := codeBytes(m.Type, blockLen)
	for r := 0; r < w.n; r += blockLen {
		rows := w.bytes[r*w.rowBytes : min(w.n, r+blockLen)*w.rowBytes]
		at := (w.first + r) / blockLen * step
		s.shared(0, s.g.Neurons, func(neuron, u, k int) {
			column := s.piece(m.Codes, u, k)[at:]
			move(m.Type, column[:min(len(column), step)], rows, w.rowBytes, neuron)
		})
	}
}

// blocks moves what each row of the window has of each unit.
func (s *span) blocks(m *Matrix, w *window, move func(unit, row []byte)) {
	n := m.Codes.Bytes
	for u := s.first; u < s.first+s.units(); u++ {
		for r := w.first; r < w.first+w.n; r++ {
			row := w.row(r)[u*n:]
			row = row[:min(len(row), n)]
			move(s.piece(m.Codes, u, r)[:len(row)], row)
		}
	}
}

// rowStep is what windows of a matrix must be a multiple of, but for the last.
func (m *Matrix) rowStep() int {
	if m.Form == Column || m.Form == ColumnCodes {
		return blockLen
	}
	return 1
}

// windows calls do for empty windows over all rows of one of g's matrices, of at most about
// most bytes each. They share buf, which grows.
func (g *Group) windows(m *Matrix, most int, buf *[]byte, do func(w *window) error) error {
	size, rows := rowBytes(m.Type, g.cols(m)), int(g.rows(m))
	step := max(1, most/size/m.rowStep()) * m.rowStep()
	for lo := 0; lo < rows; lo += step {
		w := window{first: lo, n: min(step, rows-lo), rowBytes: size}
		if cap(*buf) < w.n*size {
			*buf = nil // before there are two
			*buf = make([]byte, w.n*size)
		}
		w.bytes = (*buf)[:w.n*size]
		if err := do(&w); err != nil {
			return err
		}
	}
	return nil
}

// fill reads the span's units out of the model, into bytes that are zero.
func (s *span) fill(src *gguf.File, buf *[]byte) error {
	for _, m := range s.g.matrices() {
		if !m.Has() {
			continue
		}
		err := s.g.windows(m, windowBytes, buf, func(w *window) error {
			if !s.needs(m, w) {
				return nil
			}
			if err := w.read(src, m); err != nil {
				return err
			}
			s.store(m, w)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// fillDownScales reads the scales of a down matrix of form ColumnCodes out of the model.
func (g *Group) fillDownScales(src *gguf.File, scales []byte, buf *[]byte) error {
	m := &g.Down
	return g.windows(m, windowBytes, buf, func(w *window) error {
		if err := w.read(src, m); err != nil {
			return err
		}
		getScales(m.Type, scales, w.bytes, w.rowBytes, g.Dim, w.first)
		return nil
	})
}

// read fills the window with rows of the model.
func (w *window) read(src *gguf.File, m *Matrix) error {
	return src.ReadTensor(src.Tensors()[m.Tensor], w.bytes, (m.FirstRow+int64(w.first))*int64(w.rowBytes))
}

// needs tells whether any of the window goes into the span.
func (s *span) needs(m *Matrix, w *window) bool {
	if m.rowStep() > 1 || m.Form == ColumnBlocks {
		return true
	}
	any := false
	s.shared(w.first, w.first+w.n, func(int, int, int) { any = true })
	return any
}

// windowBytes is how much of a tensor is read at once.
const windowBytes = 4 << 20

// A reader gives matrices back, and keeps its buffers from one to the next.
type reader struct {
	f             *File
	units, window []byte
}

// matrix reads one of g's matrices back in GGUF's layout and hands it to put in
// pieces, from the first row on.
func (r *reader) matrix(g *Group, m *Matrix, put func([]byte) error) error {
	f := r.f
	s := span{g: g, positions: g.Positions()}
	var scales []byte
	if m.Form == ColumnCodes {
		scales = make([]byte, g.scaleBytes())
		t, _ := f.resident.Tensor(g.DownScales)
		if err := f.resident.ReadTensor(t, scales, g.DownScaleRow*int64(g.Dim)*scaleBytes); err != nil {
			return err
		}
	}
	batch := min(g.Units, max(1, windowBytes/g.UnitBytes))
	if len(r.units) < batch*g.UnitBytes {
		r.units = make([]byte, batch*g.UnitBytes)
	}
	return g.windows(m, sliceBytes, &r.window, func(w *window) error {
		for s.first = 0; s.first < g.Units; s.first += batch {
			s.bytes = r.units[:min(batch, g.Units-s.first)*g.UnitBytes]
			if !s.needs(m, w) {
				continue
			}
			if err := f.readUnits(&s, m); err != nil {
				return err
			}
			s.load(m, w)
		}
		if scales != nil {
			putScales(m.Type, w.bytes, scales, w.rowBytes, g.Dim, w.first)
		}
		return put(w.bytes)
	})
}

// readUnits fills the span with what its units have of one matrix, at least. Of small units
// all is read: flash is no faster with gaps.
func (f *File) readUnits(s *span, m *Matrix) error {
	const small = 64 << 10
	g := s.g
	page := (g.Offset + int64(s.first)*int64(g.UnitBytes)) / PageBytes
	if g.UnitBytes <= small {
		return f.readPages(s.bytes, page)
	}
	from, to := g.extent(m)
	for at := 0; at < len(s.bytes); at += g.UnitBytes {
		if err := f.readPages(s.bytes[at+from:at+to], page+int64((at+from)/PageBytes)); err != nil {
			return err
		}
	}
	return nil
}

// extent is the range of whole pages of a unit in which a matrix lies.
func (g *Group) extent(m *Matrix) (from, to int) {
	n := g.UnitNeurons
	if m.Form == ColumnBlocks {
		n = g.Dim
	}
	end := m.Codes.Offset + (n-1)*m.Codes.Stride + m.Codes.Bytes
	if from = m.Codes.Offset; m.Scales.Bytes > 0 {
		from = min(from, m.Scales.Offset)
		end = max(end, m.Scales.Offset+(n-1)*m.Scales.Stride+m.Scales.Bytes)
	}
	return from &^ (PageBytes - 1), alignUp(end, PageBytes)
}

// sliceBytes is how much of a group is made, or given back, at once. It bounds the
// memory that packing takes, whatever the size of the model: where a group is
// larger, its matrices are read once for each slice.
var sliceBytes = 192 << 20 // tests make it smaller
