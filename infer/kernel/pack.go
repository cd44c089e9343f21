package kernel

import (
	"fmt"
	"slices"
	"unsafe"

	"hotcell/models/gguf"
)

// Pack fills panels from panel first on with src, which holds rows in the file's layout, one after the other: 16 for each panel, fewer in the matrix's last.
// The type's layout must be m.Format. Bytes that no weight uses keep their values; the weights of missing rows become zero.
//
// Loading should take no longer than reading, so what a panel has as the file has it is moved as it is and never taken apart into numbers (pack_units.go).
func (m *Matrix) Pack(first int, t gguf.Type, src []byte) error {
	f, ok := FormatOf(t)
	if !ok || f != m.Format {
		return fmt.Errorf("kernel: %v weights cannot be packed as %v", t, m.Format)
	}
	elems, size := t.Block()
	rowBytes := m.Cols / elems * size
	panelBytes, left := PanelRows*rowBytes, (m.Rows-first*PanelRows)*rowBytes
	if m.Cols%elems != 0 || len(src) > left || len(src) < left && len(src)%panelBytes != 0 {
		return fmt.Errorf("kernel: %d bytes are not whole panels of the %d rows from row %d on, of %d %v weights", len(src), m.Rows-first*PanelRows, first*PanelRows, m.Cols, t)
	}
	p := packing{format: f, typ: t, cols: m.Cols, rowBytes: rowBytes, move: &active.pack}
	for ; len(src) > 0; first++ {
		n := min(len(src), panelBytes)
		if err := p.panel(m.Panel(first), src[:n]); err != nil {
			return err
		}
		src = src[n:]
	}
	return nil
}

// panel packs the rows of one panel.
func (p *packing) panel(dst, src []byte) error {
	f := p.format
	if f == Q4T || f == Q8S {
		return p.codes(dst, src)
	}
	if missing := PanelRows*p.rowBytes - len(src); missing > 0 {
		src = append(slices.Clip(src), make([]byte, missing)...)
	}
	to, from := unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0])
	switch f {
	case F32, F16, BF16:
		p.floats(to, from)
	case Q8, Q4:
		p.move.scaled(to, from, p.rowBytes, p.cols/BlockCols, layouts[f].block/plane)
	default:
		p.quantized(to, from)
	}
	return nil
}

// codes packs rows by way of their small integers: types with a table, whose codes become those of 4 bits, and types of any code at all.
func (p *packing) codes(dst, src []byte) error {
	l := &layouts[p.format]
	rows, cols := len(src)/p.rowBytes, p.cols
	if rows < PanelRows {
		clear(dst)
	}
	q, parts := make([]int8, cols), make([]float32, 2*cols/gguf.SubBlock)
	scale, least := parts[:cols/gguf.SubBlock], parts[cols/gguf.SubBlock:]
	var code [256]int8 // of a value of the table, by its bits
	if l.table > 0 {
		table, _ := p.typ.Codebook()
		for i, v := range table {
			dst[i] = byte(v)
			code[byte(v)] = int8(i)
		}
	}
	for r := range rows {
		if err := gguf.Unpack(p.typ, q, scale, least, src[r*p.rowBytes:][:p.rowBytes]); err != nil {
			return fmt.Errorf("kernel: packing %v weights: %w", p.typ, err)
		}
		if l.table > 0 {
			for i, v := range q {
				q[i] = code[byte(v)]
			}
		}
		values := unsafe.Slice((*byte)(unsafe.Pointer(&q[0])), cols)
		for b := range cols / BlockCols {
			header, codes := l.at(dst, b)
			setFloat32(header[r*4:], scale[2*b]) // both halves of a block have one scale in types with a table
			if l.scaling == wideHalves {
				setFloat32(header[wideBytes+r*4:], scale[2*b+1])
			}
			l.setBlock(codes, r, values[b*BlockCols:][:BlockCols])
		}
	}
	return nil
}

// setBlock stores the 32 codes of row r of a block: nibbles or whole bytes.
func (l *layout) setBlock(codes []byte, r int, values []byte) {
	for g := range l.block / plane {
		w := uint32At(values[4*g:])
		if l.nibbles {
			w |= uint32At(values[4*g+16:]) << 4
		}
		setUint32(codes[g*plane+r*4:], w)
	}
}
