package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

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
	if rows < PanelRows || f.Quantized() {
		clear(dst)
	}
	switch f {
	case F32, F16, BF16:
		packFloats(dst, src, rows, rowBytes, size)
	case Q8:
		for r := range rows {
			packBytes(dst, r, src[r*rowBytes:][:rowBytes], m.Cols)
		}
	case Q4:
		for r := range rows {
			packNibbles(dst, r, src[r*rowBytes:][:rowBytes], m.Cols)
		}
	default:
		return packCodes(dst, f, t, src, rows, m.Cols)
	}
	return nil
}

// packFloats interleaves rows of numbers of 2 or 4 bytes.
func packFloats(dst, src []byte, rows, rowBytes, size int) {
	for c := 0; c < rowBytes; c += size {
		out := dst[c*PanelRows:][:PanelRows*size]
		if size == 2 {
			for r := range rows {
				setUint16(out[r*2:], uint16At(src[r*rowBytes+c:]))
			}
			continue
		}
		for r := range rows {
			setUint32(out[r*4:], uint32At(src[r*rowBytes+c:]))
		}
	}
}

// packBytes moves a row of Q8_0: a scale, 32 int8.
func packBytes(dst []byte, r int, src []byte, cols int) {
	l := &layouts[Q8]
	for b := range cols / BlockCols {
		header, codes := l.at(dst, b)
		blk := src[b*34:][:34]
		codes = codes[r*4:][:7*plane+4]
		setUint16(header[b%2*halfBytes+r*2:], uint16At(blk))
		for g := range 8 { // by words: copy calls memmove, and packing took 1.4 times as long
			setUint32(codes[g*plane:], uint32At(blk[2+4*g:]))
		}
	}
}

// packNibbles moves a row of Q4_0: a scale, 16 bytes whose low nibbles are columns 0-15 and whose high ones 16-31. A panel pairs them so too.
func packNibbles(dst []byte, r int, src []byte, cols int) {
	l := &layouts[Q4]
	for b := range cols / BlockCols {
		header, codes := l.at(dst, b)
		blk := src[b*18:][:18]
		codes = codes[r*4:][:3*plane+4]
		setUint16(header[b%2*halfBytes+r*2:], uint16At(blk))
		for g := range 4 {
			setUint32(codes[g*plane:], uint32At(blk[2+4*g:]))
		}
	}
}

// packCodes stores rows from their small integers, and their scales as they are in the file where the format has them so.
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
		row := src[r*rowBytes:][:rowBytes]
		if err := gguf.Unpack(t, q, scale, least, row); err != nil {
			return fmt.Errorf("kernel: packing %v weights: %w", t, err)
		}
		if l.table > 0 {
			for i, v := range q {
				q[i] = code[byte(v)]
			}
		}
		packScales(dst, r, f, t, row, scale)
		values := unsafe.Slice((*byte)(unsafe.Pointer(&q[0])), cols)
		for b := range cols / BlockCols {
			_, codes := l.at(dst, b)
			l.setBlock(codes, r, values[b*BlockCols:][:BlockCols])
		}
	}
	return nil
}

// packScales stores the scales of row r.
func packScales(dst []byte, r int, f Format, t gguf.Type, row []byte, scale []float32) {
	l := &layouts[f]
	_, size := t.Block()
	for b := range len(scale) / 2 {
		header, _ := l.at(dst, b)
		switch l.scaling {
		case wideScales: // both halves of a block have one scale in these types
			setFloat32(header[r*4:], scale[2*b])
		case wideHalves:
			setFloat32(header[r*4:], scale[2*b])
			setFloat32(header[wideBytes+r*4:], scale[2*b+1])
		case halfScales:
			copy(header[l.inUnit(b)*halfBytes+r*2:][:2], row[b*size:])
		case halfMinima:
			blk := row[b*size:][:4]
			copy(header[r*2:][:2], blk)
			header[halfBytes+r*2], header[halfBytes+r*2+1] = blk[2], blk[3]^0x80 // the file adds what a kernel takes off
		default:
			if l.inUnit(b) == 0 {
				packSuper(header, r, f, row[b>>l.unit*size:][:size])
			}
		}
	}
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
func setUint16(b []byte, v uint16)   { binary.LittleEndian.PutUint16(b, v) }
func setUint32(b []byte, v uint32)   { binary.LittleEndian.PutUint32(b, v) }
func setFloat32(b []byte, v float32) { setUint32(b, math.Float32bits(v)) }
func bf16ToF32(v uint16) float32     { return math.Float32frombits(uint32(v) << 16) }
