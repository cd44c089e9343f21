package kernel

import (
	"encoding/binary"
	"fmt"
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
	clear(dst)
	for r := range rows {
		if err := packRow(dst, r, f, t, src[r*rowBytes:][:rowBytes], m.Cols); err != nil {
			return fmt.Errorf("kernel: packing %v weights: %w", t, err)
		}
	}
	return nil
}

// packRow moves row r of a clear panel from its file layout into dst.
func packRow(dst []byte, r int, f Format, t gguf.Type, src []byte, cols int) error {
	switch f {
	case F32:
		for c := range cols {
			copy(dst[(c*PanelRows+r)*4:][:4], src[c*4:])
		}
	case F16, BF16:
		for c := range cols {
			copy(dst[(c*PanelRows+r)*2:][:2], src[c*2:])
		}
	case Q8:
		packBytes(dst, r, src, cols)
	case Q4:
		packNibbles(dst, r, src, cols)
	default:
		return packCodes(dst, r, f, t, src, cols)
	}
	return nil
}

// packBytes moves a row of Q8_0: a scale, 32 int8.
func packBytes(dst []byte, r int, src []byte, cols int) {
	l := &layouts[Q8]
	for b := range cols / BlockCols {
		header, codes := l.at(dst, b)
		blk := src[b*34:][:34]
		copy(header[b%2*halfBytes+r*2:][:2], blk)
		for g := range 8 {
			copy(codes[g*plane+r*4:][:4], blk[2+4*g:])
		}
	}
}

// packNibbles moves a row of Q4_0: a scale, 16 bytes whose low nibbles are columns 0-15 and whose high ones 16-31. A panel pairs them so too.
func packNibbles(dst []byte, r int, src []byte, cols int) {
	l := &layouts[Q4]
	for b := range cols / BlockCols {
		header, codes := l.at(dst, b)
		blk := src[b*18:][:18]
		copy(header[b%2*halfBytes+r*2:][:2], blk)
		for g := range 4 {
			copy(codes[g*plane+r*4:][:4], blk[2+4*g:])
		}
	}
}

// packCodes stores a row from its small integers, and its scales as they are in the file where the format has them so.
func packCodes(dst []byte, r int, f Format, t gguf.Type, src []byte, cols int) error {
	l := &layouts[f]
	q, scale, least := make([]int8, cols), make([]float32, cols/gguf.SubBlock), make([]float32, cols/gguf.SubBlock)
	if err := gguf.Unpack(t, q, scale, least, src); err != nil {
		return err
	}
	if l.table > 0 {
		table, _ := t.Codebook()
		var code [256]int8 // of a value, by its bits
		for i, v := range table {
			dst[i] = byte(v)
			code[byte(v)] = int8(i)
		}
		for i, v := range q {
			q[i] = code[byte(v)]
		}
	}
	_, size := t.Block()
	for b := range cols / BlockCols {
		header, codes := l.at(dst, b)
		for g := range 8 {
			v := q[b*BlockCols+4*g:][:4]
			l.setWord(codes, g, r, uint32(byte(v[0]+l.zero))|uint32(byte(v[1]+l.zero))<<8|uint32(byte(v[2]+l.zero))<<16|uint32(byte(v[3]+l.zero))<<24)
		}
		switch l.scaling {
		case wideScales: // both halves of a block have one scale in these types
			setFloat32(header[r*4:], scale[2*b])
		case wideHalves:
			setFloat32(header[r*4:], scale[2*b])
			setFloat32(header[wideBytes+r*4:], scale[2*b+1])
		case halfScales, halfMinima:
			blk := src[b*size:]
			copy(header[b%l.unit*halfBytes+r*2:][:2], blk)
			if l.scaling == halfMinima {
				header[halfBytes+r*2], header[halfBytes+r*2+1] = blk[2], blk[3]^0x80 // the file adds what a kernel takes off
			}
		default:
			if b%l.unit == 0 {
				packSuper(header, r, f, src[b/l.unit*size:][:size])
			}
		}
	}
	return nil
}

// packSuper moves the scales of row r's K super-block into a unit's header.
func packSuper(header []byte, r int, f Format, blk []byte) {
	parts := header[2*halfBytes:]
	half := func(i, off int) { copy(header[i*halfBytes+r*2:][:2], blk[off:]) }
	switch f {
	case Q2K: // 16 bytes of a scale and a minimum of 4 bits, 64 bytes of codes, d, dmin
		half(0, 80)
		half(1, 82)
		for i, v := range blk[:16] {
			parts[i*PanelRows+r] = v
		}
	case Q3K: // 32 bytes of bits, 64 of pairs, 12 of scales, d; a scale is 6 bits, 32 too large
		half(0, 108)
		low := blk[96:]
		for i := range 16 {
			v := low[i%8]>>(i/8*4)&15 | low[8+i%4]>>(i/4*2)&3<<4
			parts[i*PanelRows+r] = v - 32
		}
	case Q6K: // 128 bytes of nibbles, 64 of pairs, 16 int8 scales, d
		half(0, 208)
		for i, v := range blk[192:208] {
			parts[i*PanelRows+r] = v
		}
	default: // Q4_K and Q5_K: d, dmin, 8 scales and 8 minima of 6 bits in 12 bytes
		half(0, 0)
		half(1, 2)
		packed := blk[4:16]
		for j := range 8 {
			var scale, least byte
			if j < 4 {
				scale, least = packed[j]&63, packed[j+4]&63
			} else {
				scale = packed[j+4]&15 | packed[j-4]>>6<<4
				least = packed[j+4]>>4 | packed[j]>>6<<4
			}
			parts[j*PanelRows+r], parts[(8+j)*PanelRows+r] = scale, least
		}
	}
}

func uint16At(b []byte) uint16       { return binary.LittleEndian.Uint16(b) }
func uint32At(b []byte) uint32       { return binary.LittleEndian.Uint32(b) }
func float32At(b []byte) float32     { return math.Float32frombits(uint32At(b)) }
func setUint32(b []byte, v uint32)   { binary.LittleEndian.PutUint32(b, v) }
func setFloat32(b []byte, v float32) { setUint32(b, math.Float32bits(v)) }
func bf16ToF32(v uint16) float32     { return math.Float32frombits(uint32(v) << 16) }
