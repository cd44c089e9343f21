package kernel

import (
	"encoding/binary"
	"math"

	"hotcell/models/gguf"
)

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

// Row writes the float32 values of row i to dst [Cols].
func (m *Matrix) Row(i int, dst []float32) {
	panel, r := m.Panel(i/PanelRows), i%PanelRows
	dst = dst[:m.Cols]
	switch m.Format {
	case F32:
		for c := range dst {
			dst[c] = float32At(panel[(c*PanelRows+r)*4:])
		}
	case F16:
		for c := range dst {
			dst[c] = gguf.F16ToF32(uint16At(panel[(c*PanelRows+r)*2:]))
		}
	case BF16:
		for c := range dst {
			dst[c] = bf16ToF32(uint16At(panel[(c*PanelRows+r)*2:]))
		}
	default:
		l := &layouts[m.Format]
		var values [BlockCols]int8
		for b := range m.Cols / BlockCols {
			header, codes := l.at(panel, b)
			scale, least := l.scales(header, b, r)
			l.values(panel, codes, r, &values)
			for c, v := range values {
				dst[b*BlockCols+c] = float32(scale[c/16]*float32(v)) - least[c/16]
			}
		}
	}
}

func uint16At(b []byte) uint16       { return binary.LittleEndian.Uint16(b) }
func uint32At(b []byte) uint32       { return binary.LittleEndian.Uint32(b) }
func float32At(b []byte) float32     { return math.Float32frombits(uint32At(b)) }
func setUint32(b []byte, v uint32)   { binary.LittleEndian.PutUint32(b, v) }
func setFloat32(b []byte, v float32) { setUint32(b, math.Float32bits(v)) }
func bf16ToF32(v uint16) float32     { return math.Float32frombits(uint32(v) << 16) }
