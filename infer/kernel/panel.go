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
	p.y, p.w, p.wStride = unsafe.Pointer(&dst[lo*PanelRows]), unsafe.Pointer(&m.Panel(lo)[0]), m.Format.PanelBytes(m.Cols)
	p.multiply(m.Format, hi-lo, x.Tokens)
}

// product is some panels, wStride bytes apart from w on, times the inputs x of some tokens, xStride bytes apart. A token's results of all panels lie
// one behind the other, those of the next token yStride bytes further. n is what panelFunc counts.
type product struct {
	y       unsafe.Pointer
	yStride uintptr
	w       unsafe.Pointer
	wStride int
	x       unsafe.Pointer
	xStride uintptr
	n       int
}

// kernels compute a product: where expand is set, tiles take expanded panels; tokens that tiles leave are computed by one, if there is one.
type kernels struct {
	expand expandFunc
	pairs  []pairTile
	tiles  []tile
	one    panelFunc
}

// kernelsOf are those of a format for so many tokens.
func kernelsOf(f Format, tokens int) kernels {
	k := kernels{pairs: active.pair[f], tiles: active.tile[f], one: active.panel[f]}
	if f.Quantized() && (tokens >= expandTokens || k.one == nil) {
		form := layouts[f].form
		k.expand, k.pairs, k.tiles = active.expand[f], active.formPair[form], active.form[form]
	}
	return k
}

// multiply computes so many panels for so many tokens with the kernels of a format.
func (p *product) multiply(f Format, panels, tokens int) {
	if one := active.panel[f]; tokens == 1 && one != nil { // the hottest loop of all: what by adds to it is 2 % of a small model's time
		for i := range panels {
			one(unsafe.Add(p.y, i*PanelRows*4), unsafe.Add(p.w, i*p.wStride), p.x, p.n)
		}
		return
	}
	if p.inParts(f, panels, tokens) {
		return
	}
	k := kernelsOf(f, tokens)
	if k.expand == nil {
		p.by(&k, panels, tokens, nil, 0)
		return
	}
	wide := p.n * layouts[f].form.blockBytes()
	scratch := takeExpanded()
	p.by(&k, panels, tokens, scratch.room(2*wide), wide)
	scratch.giveBack()
}

// by computes so many panels for so many tokens, two panels at once where there are tiles for two. Expanded panels go to scratch, wide bytes each. (To
// ask for the next panels before each tile, so that their expansion would not wait for memory, was tried: on AVX2 it was 2 to 8 % slower with 16 tokens.)
func (p *product) by(k *kernels, panels, tokens int, scratch unsafe.Pointer, wide int) {
	for i, some := 0, 1; i < panels; i += some {
		if some = 1; len(k.pairs) > 0 && i+2 <= panels {
			some = 2
		}
		q, done := p.panel(i), 0
		if k.expand != nil {
			for j := range some {
				k.expand(unsafe.Add(scratch, j*wide), unsafe.Add(q.w, j*q.wStride), q.n)
			}
			q.w, q.wStride = scratch, wide
		}
		if some == 2 {
			done = q.runPairs(k.pairs, tokens)
		} else {
			done = q.run(k.tiles, tokens)
		}
		for j := 0; j < some && done < tokens; j++ {
			q = p.panel(i + j)
			q.rest(k.one, done, tokens)
		}
	}
}

// panel is the product from panel i on, which must exist: a pointer past the last would be none of Go's.
func (p *product) panel(i int) product {
	q := *p
	q.y, q.w = unsafe.Add(p.y, i*PanelRows*4), unsafe.Add(p.w, i*p.wStride)
	return q
}

// run computes tokens from the first on as far as it can by tiles, widest first, and returns at which it ended.
func (p *product) run(tiles []tile, tokens int) int {
	done := 0
	for _, t := range tiles {
		for ; done+t.tokens <= tokens; done += t.tokens {
			y, x := p.at(done)
			t.multiply(y, p.yStride, p.w, x, p.xStride, p.n)
		}
	}
	return done
}

// runPairs is run for two panels.
func (p *product) runPairs(tiles []pairTile, tokens int) int {
	done := 0
	for _, t := range tiles {
		for ; done+t.tokens <= tokens; done += t.tokens {
			y, x := p.at(done)
			t.multiply(y, p.yStride, p.w, uintptr(p.wStride), x, p.xStride, p.n)
		}
	}
	return done
}

// rest computes tokens from to tokens-1 of one panel one by one.
func (p *product) rest(one panelFunc, from, tokens int) {
	for ; from < tokens; from++ {
		y, x := p.at(from)
		one(y, p.w, x, p.n)
	}
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
