package kernel

import (
	"fmt"
	"unsafe"

	"hotcell/models/gguf"
)

// PackPanel fills panel p from src, which holds its rows (up to 16, fewer in the last panel) in the file's layout, one after
// the other. The type's layout must be m.Format. Bytes that no weight uses keep their values; the weights of missing rows become zero.
//
// Loading should take no longer than reading, so what a panel has as the file has it is moved as it is and never taken apart into numbers (pack_units.go).
func (m *Matrix) PackPanel(p int, t gguf.Type, src []byte) error {
	f, ok := FormatOf(t)
	if !ok || f != m.Format {
		return fmt.Errorf("kernel: %v weights cannot be packed as %v", t, m.Format)
	}
	rows := min(PanelRows, m.Rows-p*PanelRows)
	elems, size := t.Block()
	rowBytes := m.Cols / elems * size
	if m.Cols%elems != 0 || len(src) != rows*rowBytes {
		return fmt.Errorf("kernel: %d bytes for %d rows of %d %v weights", len(src), rows, m.Cols, t)
	}
	dst := m.Panel(p)
	if f == Q4T || f == Q8S {
		if rows < PanelRows {
			clear(dst)
		}
		return packCodes(dst, f, t, src, rows, m.Cols)
	}
	if rows < PanelRows {
		src = append(make([]byte, 0, PanelRows*rowBytes), src...)[:PanelRows*rowBytes]
	}
	units := packing{dst: unsafe.Pointer(&dst[0]), src: unsafe.Pointer(&src[0]), stride: rowBytes, move: &active.pack}
	switch f {
	case F32, F16, BF16:
		units.floats(m.Cols, size)
	case Q8, Q4:
		units.move.scaled(units.dst, units.src, rowBytes, m.Cols/BlockCols, layouts[f].block/plane)
	default:
		units.quantized(f, m.Cols/BlockCols, size*(BlockCols<<layouts[f].unit)/elems)
	}
	return nil
}

// packCodes packs rows by way of their small integers: types with a table, whose codes become those of 4 bits, and types of any code at all.
func packCodes(dst []byte, f Format, t gguf.Type, src []byte, rows, cols int) error {
	l := &layouts[f]
	rowBytes := len(src) / rows
	q, parts := make([]int8, cols), make([]float32, 2*cols/gguf.SubBlock)
	scale, least := parts[:cols/gguf.SubBlock], parts[cols/gguf.SubBlock:]
	var code [256]int8 // of a value of the table, by its bits
	if l.table > 0 {
		table, _ := t.Codebook()
		for i, v := range table {
			dst[i] = byte(v)
			code[byte(v)] = int8(i)
		}
	}
	for r := range rows {
		if err := gguf.Unpack(t, q, scale, least, src[r*rowBytes:][:rowBytes]); err != nil {
			return fmt.Errorf("kernel: packing %v weights: %w", t, err)
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
