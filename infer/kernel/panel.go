package kernel

import (
	"unsafe"

	"hotcell/models/gguf"
)

// Mul computes dst[t*stride + r] = sum over c of W[r][c] * x[t][c] for all tokens t of x and the rows r of panels lo to hi-1. stride is at
// least m.PaddedRows(): the rows that fill up the last panel are written too (with zeros). Quantised formats need x.Quantize
// before. Calls on different panels may run at the same time.
func (m *Matrix) Mul(dst []float32, stride int, x *Acts, lo, hi int) {
	if lo >= hi || x.Tokens == 0 {
		return
	}
	_ = dst[(x.Tokens-1)*stride+hi*PanelRows-1]
	p := product{yStride: uintptr(stride * 4), x: unsafe.Pointer(&x.f[0]), xStride: uintptr(m.Cols * 4), n: m.Cols}
	if m.Format.Quantized() {
		p.n = m.Cols / BlockCols
		p.x, p.xStride = unsafe.Pointer(&x.q[0]), uintptr(actRecordBytes(p.n))
	}
	panelBytes := m.Format.PanelBytes(m.Cols)
	for i := lo; i < hi; i++ {
		p.y, p.w = unsafe.Pointer(&dst[i*PanelRows]), unsafe.Pointer(&m.Data[i*panelBytes])
		p.multiply(m.Format, x.Tokens)
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
	if !f.Quantized() {
		p.run(active.panel[f], active.tile[f], 0, tokens)
		return
	}
	one, done := active.panel[f], 0
	if tokens >= expandTokens || one == nil {
		form := layouts[f].form
		scratch := takeExpanded()
		wide := *p
		wide.w = scratch.room(p.n * form.blockBytes())
		active.expand[f](wide.w, p.w, p.n)
		done = wide.run(nil, active.form[form], 0, tokens)
		scratch.giveBack()
	}
	if one != nil {
		p.run(one, nil, done, tokens)
	}
}

// run computes tokens from to tokens-1 as far as it can by tiles, widest first, the rest by one, and returns at which token it ended: at the
// end unless one is nil.
func (p *product) run(one panelFunc, tiles []tile, from, tokens int) int {
	for _, t := range tiles {
		for ; from+t.tokens <= tokens; from += t.tokens {
			y, x := p.at(from)
			t.multiply(y, p.yStride, p.w, x, p.xStride, p.n)
		}
	}
	if one != nil {
		for ; from < tokens; from++ {
			y, x := p.at(from)
			one(y, p.w, x, p.n)
		}
	}
	return from
}

// at is the output and the input of a token, which must exist: a pointer past the last would be none of Go's.
func (p *product) at(token int) (y, x unsafe.Pointer) {
	return unsafe.Add(p.y, uintptr(token)*p.yStride), unsafe.Add(p.x, uintptr(token)*p.xStride)
}

// The references of ops.panel. y is [16]float32, w one panel, x one token's input.

func panelF32Go(y, w, x unsafe.Pointer, cols int) {
	wf := unsafe.Slice((*float32)(w), cols*PanelRows)
	panelFloatGo(y, x, cols, func(i int) float32 { return wf[i] })
}

func panelF16Go(y, w, x unsafe.Pointer, cols int) {
	wh := unsafe.Slice((*uint16)(w), cols*PanelRows)
	panelFloatGo(y, x, cols, func(i int) float32 { return gguf.F16ToF32(wh[i]) })
}

func panelBF16Go(y, w, x unsafe.Pointer, cols int) {
	wh := unsafe.Slice((*uint16)(w), cols*PanelRows)
	panelFloatGo(y, x, cols, func(i int) float32 { return bf16ToF32(wh[i]) })
}

// panelI8Go is the reference of ops.panelI8.
func panelI8Go(y, w, x unsafe.Pointer, cols int) {
	wb := unsafe.Slice((*int8)(w), cols*PanelRows)
	panelFloatGo(y, x, cols, func(i int) float32 { return float32(wb[i]) })
}

func panelFloatGo(y, x unsafe.Pointer, cols int, weight func(i int) float32) {
	var acc [PanelRows]float32
	for c, v := range unsafe.Slice((*float32)(x), cols) {
		for r := range acc {
			acc[r] += weight(c*PanelRows+r) * v
		}
	}
	*(*[PanelRows]float32)(y) = acc
}

// panelGo is the reference of a quantised format.
func panelGo(f Format) panelFunc {
	return func(y, w, x unsafe.Pointer, n int) {
		l := &layouts[f]
		panel := unsafe.Slice((*byte)(w), f.PanelBytes(n*BlockCols))
		var acc [PanelRows]float32
		var values [BlockCols]int8
		for b := range n {
			header, codes := l.at(panel, b)
			for r := range acc {
				l.values(panel, codes, r, &values)
				scale, least := l.scales(header, b, r)
				acc[r] = addBlock(acc[r], l.form, &values, scale, least, x, n, b)
			}
		}
		*(*[PanelRows]float32)(y) = acc
	}
}

// record views a token's 8-bit record.
func record(x unsafe.Pointer, blocks int) (q []int8, scales []float32, sums []int32) {
	return unsafe.Slice((*int8)(x), blocks*BlockCols),
		unsafe.Slice((*float32)(unsafe.Add(x, blocks*BlockCols)), blocks),
		unsafe.Slice((*int32)(unsafe.Add(x, blocks*(BlockCols+4))), blocks)
}

// tileGo is the reference of a float format's tile: one token after the other.
func tileGo(one panelFunc) []tile {
	return []tile{{Tile, func(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int) {
		for t := range uintptr(Tile) {
			one(unsafe.Add(y, t*yStride), w, unsafe.Add(x, t*xStride), n)
		}
	}}}
}
