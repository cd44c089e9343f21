package kernel

import (
	"encoding/binary"
	"unsafe"

	"hotcell/models/gguf"
)

// Tile is the number of tokens that the wide panel kernels compute at once, so that a weight is unpacked once for all of them.
const Tile = 4

// Mul computes dst[t*stride + r] = sum over c of W[r][c] * x[t][c] for all tokens t of x and the rows r of panels lo to hi-1. stride is at
// least m.PaddedRows(): the rows that fill up the last panel are written too (with zeros). Quantised formats need x.Quantize
// before. Calls on different panels may run at the same time.
func (m *Matrix) Mul(dst []float32, stride int, x *Acts, lo, hi int) {
	if lo >= hi || x.Tokens == 0 {
		return
	}
	_ = dst[(x.Tokens-1)*stride+hi*PanelRows-1]
	cols, xp, xStride := m.Cols, unsafe.Pointer(&x.f[0]), uintptr(m.Cols*4)
	if m.Format.Quantized() {
		cols = m.Cols / BlockCols
		xp, xStride = unsafe.Pointer(&x.q[0]), uintptr(actRecordBytes(cols))
	}
	panelBytes := m.Format.PanelBytes(m.Cols)
	for p := lo; p < hi; p++ {
		y := product{unsafe.Pointer(&dst[p*PanelRows]), uintptr(stride * 4), unsafe.Pointer(&m.Data[p*panelBytes]), xp, xStride, cols}
		y.multiply(m.Format, x.Tokens)
	}
}

// product is one panel w times the inputs x of some tokens, xStride bytes apart, to y, yStride bytes apart; n is what panelFunc counts.
type product struct {
	y       unsafe.Pointer
	yStride uintptr
	w, x    unsafe.Pointer
	xStride uintptr
	n       int
}

// multiply computes the product for so many tokens with the kernels of a format.
func (p *product) multiply(f Format, tokens int) {
	p.multiplyWith(active.panel[f], active.tile[f], tokens)
}

func (p *product) multiplyWith(one panelFunc, wide tileFunc, tokens int) {
	y, x := p.y, p.x
	for ; tokens >= Tile; tokens -= Tile {
		wide(y, p.yStride, p.w, x, p.xStride, p.n)
		y, x = unsafe.Add(y, Tile*p.yStride), unsafe.Add(x, Tile*p.xStride)
	}
	for ; tokens > 0; tokens-- {
		one(y, p.w, x, p.n)
		y, x = unsafe.Add(y, p.yStride), unsafe.Add(x, p.xStride)
	}
}

// The references of ops.panel. y is [16]float32, w one panel, x one token's input.

func panelF32Go(y, w, x unsafe.Pointer, cols int) {
	wf := unsafe.Slice((*float32)(w), cols*PanelRows)
	xf := unsafe.Slice((*float32)(x), cols)
	var acc [PanelRows]float32
	for c, v := range xf {
		row := wf[c*PanelRows:][:PanelRows]
		for r := range acc {
			acc[r] += row[r] * v
		}
	}
	*(*[PanelRows]float32)(y) = acc
}

func panelF16Go(y, w, x unsafe.Pointer, cols int) {
	wh := unsafe.Slice((*uint16)(w), cols*PanelRows)
	xf := unsafe.Slice((*float32)(x), cols)
	var acc [PanelRows]float32
	for c, v := range xf {
		row := wh[c*PanelRows:][:PanelRows]
		for r := range acc {
			acc[r] += gguf.F16ToF32(row[r]) * v
		}
	}
	*(*[PanelRows]float32)(y) = acc
}

func panelQ8Go(y, w, x unsafe.Pointer, blocks int) {
	wq := unsafe.Slice((*byte)(w), blocks*(q8BlockBytes+scaleBytes))
	scales := wq[blocks*q8BlockBytes:]
	xq, xd, _ := record(x, blocks)
	var acc [PanelRows]float32
	for b := range blocks {
		blk := wq[b*q8BlockBytes:][:q8BlockBytes]
		for r := range acc {
			var sum int32
			for c := range BlockCols {
				sum += int32(int8(blk[(c/4*PanelRows+r)*4+c%4])) * int32(xq[b*BlockCols+c])
			}
			d := gguf.F16ToF32(binary.LittleEndian.Uint16(scales[b*scaleBytes+r*2:]))
			acc[r] += float32(sum) * (d * xd[b])
		}
	}
	*(*[PanelRows]float32)(y) = acc
}

func panelQ4Go(y, w, x unsafe.Pointer, blocks int) {
	wq := unsafe.Slice((*byte)(w), blocks*(q4BlockBytes+scaleBytes))
	scales := wq[blocks*q4BlockBytes:]
	xq, xd, _ := record(x, blocks)
	var acc [PanelRows]float32
	for b := range blocks {
		blk := wq[b*q4BlockBytes:][:q4BlockBytes]
		for r := range acc {
			var sum int32
			for c := range BlockCols / 2 {
				v := blk[(c/4*PanelRows+r)*4+c%4]
				sum += (int32(v&15) - 8) * int32(xq[b*BlockCols+c])
				sum += (int32(v>>4) - 8) * int32(xq[b*BlockCols+16+c])
			}
			d := gguf.F16ToF32(binary.LittleEndian.Uint16(scales[b*scaleBytes+r*2:]))
			acc[r] += float32(sum) * (d * xd[b])
		}
	}
	*(*[PanelRows]float32)(y) = acc
}

func panelQ4KGo(y, w, x unsafe.Pointer, blocks int) {
	wq := unsafe.Slice((*byte)(w), blocks*q4BlockBytes+blocks/8*superBytes)
	supers := wq[blocks*q4BlockBytes:]
	xq, xd, xsum := record(x, blocks)
	var acc [PanelRows]float32
	for b := range blocks {
		blk, sup := wq[b*q4BlockBytes:][:q4BlockBytes], supers[b/8*superBytes:][:superBytes]
		for r := range acc {
			var sum int32
			for c := range BlockCols / 2 {
				v := blk[(c/4*PanelRows+r)*4+c%4]
				sum += int32(v&15)*int32(xq[b*BlockCols+c]) + int32(v>>4)*int32(xq[b*BlockCols+16+c])
			}
			d := gguf.F16ToF32(binary.LittleEndian.Uint16(sup[r*2:])) * float32(sup[PanelRows*4+b%8*PanelRows+r])
			least := gguf.F16ToF32(binary.LittleEndian.Uint16(sup[PanelRows*2+r*2:])) * float32(sup[PanelRows*12+b%8*PanelRows+r])
			acc[r] += float32(sum) * (d * xd[b])
			acc[r] -= float32(xsum[b]) * (least * xd[b])
		}
	}
	*(*[PanelRows]float32)(y) = acc
}

func panelQ4TGo(y, w, x unsafe.Pointer, blocks int) {
	wq := unsafe.Slice((*byte)(w), tableBytes+blocks*(q4BlockBytes+wideBytes))
	table, wq := wq[:16], wq[tableBytes:]
	xq, xd, _ := record(x, blocks)
	var acc [PanelRows]float32
	for b := range blocks {
		blk := wq[b*q4BlockBytes:][:q4BlockBytes]
		for r := range acc {
			var sum int32
			for c := range BlockCols / 2 {
				v := blk[(c/4*PanelRows+r)*4+c%4]
				sum += int32(int8(table[v&15]))*int32(xq[b*BlockCols+c]) + int32(int8(table[v>>4]))*int32(xq[b*BlockCols+16+c])
			}
			acc[r] += float32(sum) * (wideAt(wq[blocks*q4BlockBytes:], b, r) * xd[b])
		}
	}
	*(*[PanelRows]float32)(y) = acc
}

func panelQ8SGo(y, w, x unsafe.Pointer, blocks int) {
	wq := unsafe.Slice((*byte)(w), blocks*(q8BlockBytes+2*wideBytes))
	xq, xd, _ := record(x, blocks)
	var acc [PanelRows]float32
	for half := range 2 * blocks {
		for r := range acc {
			sum, _ := halfBlock(wq, xq, half, r)
			acc[r] += float32(sum) * (wideAt(wq[blocks*q8BlockBytes:], half, r) * xd[half/2])
		}
	}
	*(*[PanelRows]float32)(y) = acc
}

func panelQ8AGo(y, w, x unsafe.Pointer, blocks int) {
	wq := unsafe.Slice((*byte)(w), blocks*(q8BlockBytes+4*wideBytes))
	scales := wq[blocks*q8BlockBytes:]
	xq, xd, _ := record(x, blocks)
	var acc [PanelRows]float32
	for half := range 2 * blocks {
		for r := range acc {
			sum, xsum := halfBlock(wq, xq, half, r)
			acc[r] += float32(sum) * (wideAt(scales, half, r) * xd[half/2])
			acc[r] -= float32(xsum) * (wideAt(scales[blocks*2*wideBytes:], half, r) * xd[half/2])
		}
	}
	*(*[PanelRows]float32)(y) = acc
}

// halfBlock is row r's product with the activations over 16 columns, and the sum of these activations.
func halfBlock(wq []byte, xq []int8, half, r int) (sum, xsum int32) {
	for c := half * 16; c < half*16+16; c++ {
		sum += int32(int8(wq[c/BlockCols*q8BlockBytes+(c%BlockCols/4*PanelRows+r)*4+c%4])) * int32(xq[c])
		xsum += int32(xq[c])
	}
	return sum, xsum
}

// record views a token's 8-bit record.
func record(x unsafe.Pointer, blocks int) (q []int8, scales []float32, sums []int32) {
	return unsafe.Slice((*int8)(x), blocks*BlockCols),
		unsafe.Slice((*float32)(unsafe.Add(x, blocks*BlockCols)), blocks),
		unsafe.Slice((*int32)(unsafe.Add(x, blocks*(BlockCols+4))), blocks)
}

// tileGo is the reference of ops.tile for a format: one token after the other.
func tileGo(one panelFunc) tileFunc {
	return func(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int) {
		for t := range uintptr(Tile) {
			one(unsafe.Add(y, t*yStride), w, unsafe.Add(x, t*xStride), n)
		}
	}
}
