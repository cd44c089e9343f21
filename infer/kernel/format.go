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
	numFormats
)

// String returns the name of the format.
func (f Format) String() string {
	return [...]string{"F32", "F16", "Q8", "Q4"}[f]
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
	default:
		return cols / BlockCols * (q4BlockBytes + scaleBytes)
	}
}

const (
	q8BlockBytes = PanelRows * BlockCols     // one block of all rows of a panel
	q4BlockBytes = PanelRows * BlockCols / 2 // one block of all rows of a panel
	scaleBytes   = PanelRows * 2             // float16 scales of one block
)

// FormatOf says which run-time layout holds the weights of a file type exactly: the same numbers, moved or widened, never
// rounded. Types without a layout of their own are widened to F32. ok is false for types that cannot be read at all.
func FormatOf(t gguf.Type) (f Format, ok bool) {
	switch t {
	case gguf.F16:
		return F16, true
	case gguf.Q8_0, gguf.Q5_0:
		return Q8, true
	case gguf.Q4_0:
		return Q4, true
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
	var wide []float32 // one row of a type that is widened
	for r := range rows {
		row := src[r*rowBytes:][:rowBytes]
		if f != F32 {
			packRow(dst, r, t, row, m.Cols)
			continue
		}
		if wide == nil {
			wide = make([]float32, m.Cols)
		}
		if err := gguf.Dequantize(t, wide, row); err != nil {
			return fmt.Errorf("kernel: widening %v weights: %w", t, err)
		}
		for c, v := range wide {
			binary.LittleEndian.PutUint32(dst[(c*PanelRows+r)*4:], math.Float32bits(v))
		}
	}
	return nil
}

func packRow(dst []byte, r int, t gguf.Type, src []byte, cols int) {
	blocks := cols / BlockCols
	switch t {
	case gguf.F16:
		for c := range cols {
			copy(dst[(c*PanelRows+r)*2:][:2], src[c*2:])
		}
	case gguf.Q8_0: // scale, 32 int8
		for b := range blocks {
			blk := src[b*34:][:34]
			copy(dst[blocks*q8BlockBytes+b*scaleBytes+r*2:][:2], blk)
			for g := range 8 {
				copy(dst[b*q8BlockBytes+(g*PanelRows+r)*4:][:4], blk[2+4*g:])
			}
		}
	case gguf.Q5_0: // scale, 32 fifth bits, 16 bytes of nibble pairs; value = 5-bit code - 16
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
	case gguf.Q4_0: // scale, 16 bytes of nibble pairs
		for b := range blocks {
			blk := src[b*18:][:18]
			copy(dst[blocks*q4BlockBytes+b*scaleBytes+r*2:][:2], blk)
			for g := range 4 {
				copy(dst[b*q4BlockBytes+(g*PanelRows+r)*4:][:4], blk[2+4*g:])
			}
		}
	}
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
	}
}
