package kernel

import (
	"encoding/binary"
	"fmt"
	"math"

	"hotcell/models/gguf"
)

// PanelRows is the number of rows that are interleaved in one panel.
const PanelRows = 16

// BlockCols is the number of columns that share one scale in the Q formats.
const BlockCols = 32

// Format is a run-time layout of weights; see the package documentation.
type Format uint8

// The run-time layouts.
const (
	F32 Format = iota
	F16
	Q8
	Q4
	Q4K
	Q4T
	Q8S
	Q8A
	numFormats
)

// String returns the name of the format.
func (f Format) String() string {
	return [...]string{"F32", "F16", "Q8", "Q4", "Q4K", "Q4T", "Q8S", "Q8A"}[f]
}

// Quantized tells whether the format multiplies 8-bit activations.
func (f Format) Quantized() bool { return f >= Q8 }

// PanelBytes is the size of one panel with the given number of columns.
func (f Format) PanelBytes(cols int) int {
	switch f {
	case F32:
		return cols * PanelRows * 4
	case F16:
		return cols * PanelRows * 2
	case Q8:
		return cols / BlockCols * (q8BlockBytes + scaleBytes)
	case Q4:
		return cols / BlockCols * (q4BlockBytes + scaleBytes)
	case Q4K:
		return cols/BlockCols*q4BlockBytes + cols/superCols*superBytes
	case Q4T:
		return tableBytes + cols/BlockCols*(q4BlockBytes+wideBytes)
	case Q8S:
		return cols / BlockCols * (q8BlockBytes + 2*wideBytes)
	default:
		return cols / BlockCols * (q8BlockBytes + 4*wideBytes)
	}
}

const (
	q8BlockBytes = PanelRows * BlockCols     // one block of all rows of a panel
	q4BlockBytes = PanelRows * BlockCols / 2 // one block of all rows of a panel
	scaleBytes   = PanelRows * 2             // float16 scales of one block
	wideBytes    = PanelRows * 4             // float32 scales or minima of one block or half block
	tableBytes   = 64                        // Q4T's table of 16 int8, padded to a cache line
	superCols    = 256                       // columns of a super-block of K-quants
	superBytes   = PanelRows * (2 + 2 + 8 + 8)
)

// FormatOf says which run-time layout holds the weights of a file type exactly: the same numbers, moved or widened, never
// rounded. BF16 is widened to F32. ok is false for types that cannot be read.
func FormatOf(t gguf.Type) (f Format, ok bool) {
	switch t {
	case gguf.F16:
		return F16, true
	case gguf.Q8_0, gguf.Q5_0:
		return Q8, true
	case gguf.Q4_0:
		return Q4, true
	case gguf.Q4_K:
		return Q4K, true
	case gguf.IQ4_NL, gguf.IQ4_XS, gguf.MXFP4:
		return Q4T, true
	case gguf.Q4_1, gguf.Q5_1, gguf.Q2_K, gguf.Q5_K:
		return Q8A, true
	}
	if gguf.CanUnpack(t) {
		return Q8S, true
	}
	return F32, gguf.CanDequantize(t)
}

// Matrix is a weight matrix in panels.
type Matrix struct {
	Format     Format
	Rows, Cols int
	Data       []byte // Panels() panels; 64-byte aligned
}

// MatrixBytes is the memory that a matrix of this shape takes.
func MatrixBytes(f Format, rows, cols int) int {
	return (rows + PanelRows - 1) / PanelRows * f.PanelBytes(cols)
}

// Panels is the number of panels.
func (m *Matrix) Panels() int { return (m.Rows + PanelRows - 1) / PanelRows }

// PaddedRows is the number of rows with those that fill up the last panel; products write that many values.
func (m *Matrix) PaddedRows() int { return m.Panels() * PanelRows }

// Panel returns the bytes of panel p.
func (m *Matrix) Panel(p int) []byte {
	n := m.Format.PanelBytes(m.Cols)
	return m.Data[p*n : (p+1)*n : (p+1)*n]
}

// PackPanel fills panel p from src, which holds its rows (up to 16, fewer in the last panel) in the file's layout, one after
// the other. The type's layout must be m.Format.
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
	if rows < PanelRows {
		clear(dst)
	}
	for r := range rows {
		if err := packRow(dst, r, f, t, src[r*rowBytes:][:rowBytes], m.Cols); err != nil {
			return fmt.Errorf("kernel: packing %v weights: %w", t, err)
		}
	}
	return nil
}

// packRow moves row r of a panel from its file layout into dst.
func packRow(dst []byte, r int, f Format, t gguf.Type, src []byte, cols int) error {
	blocks := cols / BlockCols
	switch {
	case f == F32:
		return packWide(dst, r, t, src, cols)
	case t == gguf.F16:
		for c := range cols {
			copy(dst[(c*PanelRows+r)*2:][:2], src[c*2:])
		}
	case t == gguf.Q8_0: // scale, 32 int8
		for b := range blocks {
			blk := src[b*34:][:34]
			copy(dst[blocks*q8BlockBytes+b*scaleBytes+r*2:][:2], blk)
			for g := range 8 {
				copy(dst[b*q8BlockBytes+(g*PanelRows+r)*4:][:4], blk[2+4*g:])
			}
		}
	case t == gguf.Q5_0: // scale, 32 fifth bits, 16 bytes of nibble pairs; value = 5-bit code - 16
		for b := range blocks {
			blk := src[b*22:][:22]
			copy(dst[blocks*q8BlockBytes+b*scaleBytes+r*2:][:2], blk)
			high := binary.LittleEndian.Uint32(blk[2:])
			for c := range BlockCols {
				nibble := blk[6+c%16] >> (c / 16 * 4) & 15
				v := int8(nibble|byte(high>>c&1)<<4) - 16
				dst[b*q8BlockBytes+(c/4*PanelRows+r)*4+c%4] = byte(v)
			}
		}
	case t == gguf.Q4_0: // scale, 16 bytes of nibble pairs
		for b := range blocks {
			blk := src[b*18:][:18]
			copy(dst[blocks*q4BlockBytes+b*scaleBytes+r*2:][:2], blk)
			for g := range 4 {
				copy(dst[b*q4BlockBytes+(g*PanelRows+r)*4:][:4], blk[2+4*g:])
			}
		}
	case f == Q4K:
		packQ4K(dst, r, src, cols)
	default:
		return packUnpacked(dst, r, f, t, src, cols)
	}
	return nil
}

// packWide stores a row as float32.
func packWide(dst []byte, r int, t gguf.Type, src []byte, cols int) error {
	wide := make([]float32, cols)
	err := gguf.Dequantize(t, wide, src)
	for c, v := range wide {
		binary.LittleEndian.PutUint32(dst[(c*PanelRows+r)*4:], math.Float32bits(v))
	}
	return err
}

// packQ4K moves Q4_K super-blocks: d, dmin, 8 scales and 8 minima of 6 bits in 12 bytes, 4 x 32 bytes of nibble pairs (the low nibbles of the i-th
// are block 2i, the high ones block 2i+1).
func packQ4K(dst []byte, r int, src []byte, cols int) {
	supers := dst[cols/BlockCols*q4BlockBytes:]
	for s := range cols / superCols {
		blk, sup := src[s*144:][:144], supers[s*superBytes:][:superBytes]
		copy(sup[r*2:][:2], blk[:2])
		copy(sup[PanelRows*2+r*2:][:2], blk[2:4])
		packed := blk[4:16]
		for j := range 8 {
			var scale, least byte
			if j < 4 {
				scale, least = packed[j]&63, packed[j+4]&63
			} else {
				scale = packed[j+4]&15 | packed[j-4]>>6<<4
				least = packed[j+4]>>4 | packed[j]>>6<<4
			}
			sup[PanelRows*4+j*PanelRows+r] = scale
			sup[PanelRows*12+j*PanelRows+r] = least
			out, nibbles := dst[(s*8+j)*q4BlockBytes:][:q4BlockBytes], blk[16+j/2*32:][:32]
			for c := range 16 {
				low, high := nibbles[c]>>(j%2*4)&15, nibbles[16+c]>>(j%2*4)&15
				out[(c/4*PanelRows+r)*4+c%4] = low | high<<4
			}
		}
	}
}

// packUnpacked stores a row from its small integers, scales and minima.
func packUnpacked(dst []byte, r int, f Format, t gguf.Type, src []byte, cols int) error {
	q, scale, least := make([]int8, cols), make([]float32, cols/gguf.SubBlock), make([]float32, cols/gguf.SubBlock)
	if err := gguf.Unpack(t, q, scale, least, src); err != nil {
		return err
	}
	blocks := cols / BlockCols
	putWide := func(base, i int, v float32) {
		binary.LittleEndian.PutUint32(dst[base+i*wideBytes+r*4:], math.Float32bits(v))
	}
	if f == Q4T {
		table, _ := t.Codebook()
		var code [256]byte // of an int8 value, by its bits
		for i, v := range table {
			dst[i] = byte(v)
			code[byte(v)] = byte(i)
		}
		for b := range blocks {
			for c := range 16 {
				low, high := code[byte(q[b*BlockCols+c])], code[byte(q[b*BlockCols+16+c])]
				dst[tableBytes+b*q4BlockBytes+(c/4*PanelRows+r)*4+c%4] = low | high<<4
			}
			putWide(tableBytes+blocks*q4BlockBytes, b, scale[2*b]) // both halves of a block have one scale in these types
		}
		return nil
	}
	for c, v := range q {
		dst[c/BlockCols*q8BlockBytes+(c%BlockCols/4*PanelRows+r)*4+c%4] = byte(v)
	}
	for i := range scale {
		putWide(blocks*q8BlockBytes, i, scale[i])
		if f == Q8A {
			putWide(blocks*(q8BlockBytes+2*wideBytes), i, least[i])
		}
	}
	return nil
}

// Row writes the float32 values of row i to dst [Cols].
func (m *Matrix) Row(i int, dst []float32) {
	panel, r := m.Panel(i/PanelRows), i%PanelRows
	blocks := m.Cols / BlockCols
	scale := func(base, b int) float32 {
		return gguf.F16ToF32(binary.LittleEndian.Uint16(panel[base+b*scaleBytes+r*2:]))
	}
	switch m.Format {
	case F32:
		for c := range m.Cols {
			dst[c] = math.Float32frombits(binary.LittleEndian.Uint32(panel[(c*PanelRows+r)*4:]))
		}
	case F16:
		for c := range m.Cols {
			dst[c] = gguf.F16ToF32(binary.LittleEndian.Uint16(panel[(c*PanelRows+r)*2:]))
		}
	case Q8:
		for b := range blocks {
			d := scale(blocks*q8BlockBytes, b)
			for c := range BlockCols {
				dst[b*BlockCols+c] = d * float32(int8(panel[b*q8BlockBytes+(c/4*PanelRows+r)*4+c%4]))
			}
		}
	case Q4:
		for b := range blocks {
			d := scale(blocks*q4BlockBytes, b)
			for c := range 16 {
				v := panel[b*q4BlockBytes+(c/4*PanelRows+r)*4+c%4]
				dst[b*BlockCols+c] = d * float32(int(v&15)-8)
				dst[b*BlockCols+16+c] = d * float32(int(v>>4)-8)
			}
		}
	case Q4K:
		supers := panel[blocks*q4BlockBytes:]
		for b := range blocks {
			sup := supers[b/8*superBytes:]
			d := gguf.F16ToF32(binary.LittleEndian.Uint16(sup[r*2:])) * float32(sup[PanelRows*4+b%8*PanelRows+r])
			least := gguf.F16ToF32(binary.LittleEndian.Uint16(sup[PanelRows*2+r*2:])) * float32(sup[PanelRows*12+b%8*PanelRows+r])
			for c := range 16 {
				v := panel[b*q4BlockBytes+(c/4*PanelRows+r)*4+c%4]
				dst[b*BlockCols+c] = d*float32(v&15) - least
				dst[b*BlockCols+16+c] = d*float32(v>>4) - least
			}
		}
	case Q4T:
		for b := range blocks {
			d := wideAt(panel[tableBytes+blocks*q4BlockBytes:], b, r)
			for c := range 16 {
				v := panel[tableBytes+b*q4BlockBytes+(c/4*PanelRows+r)*4+c%4]
				dst[b*BlockCols+c] = d * float32(int8(panel[v&15]))
				dst[b*BlockCols+16+c] = d * float32(int8(panel[v>>4]))
			}
		}
	case Q8S, Q8A:
		scales := panel[blocks*q8BlockBytes:]
		for c := range m.Cols {
			v := wideAt(scales, c/gguf.SubBlock, r) * float32(int8(panel[c/BlockCols*q8BlockBytes+(c%BlockCols/4*PanelRows+r)*4+c%4]))
			if m.Format == Q8A {
				v -= wideAt(scales[blocks*2*wideBytes:], c/gguf.SubBlock, r)
			}
			dst[c] = v
		}
	}
}

// wideAt is row r's float32 of the i-th block or half block.
func wideAt(wide []byte, i, r int) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(wide[i*wideBytes+r*4:]))
}
