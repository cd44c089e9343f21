package kernel

import "unsafe"

// Where a variant has partFuncs, panels are multiplied with many tokens part by part, so that what is used again and again stays near:
//
//	for each part of partBlocks blocks      the tokens' activations of a part, 180 KB for 128 of them, stay in the second cache
//	   for each panel                       its part is expanded, to 18 KB, which stay in the first cache
//	      for each 4 tokens                 their products with the part are added to y
//
// Panels that are expanded as a whole (37 to 260 KB) fit into no first cache, nor activations of 5632 columns (1 MB) into the second. On Zen 4, best of 8
// and 20 runs: with 128 tokens 200 instead of 190 GOP/s at 2048 columns and 196 instead of 193 at 5632, with 30 tokens 178 to 181 instead of 169. (Asking for
// the next part ahead and padding the last tile are in that too.) Whole prompts of 30 became 1.10 times as fast with two threads and 1.16 with one, those of
// 128 stayed as they were (0.98 and 0.97, 3 of 9 and 3 of 6 rounds faster: noise).

// partBlocks is how many blocks a part has at most: whole super-blocks of the K formats. 16 to 64 differ by 3 %, 8 cost 7 %.
const partBlocks = 32

// part returns where block b of a panel lies that begins a part, as an offset.
func (l *layout) part(b int) int { return b >> l.unit * (l.header + l.block<<l.unit) }

// inParts computes the product of count panels, if variant and format can, and tells whether it did.
func (p *product) inParts(f Format, count, tokens int) bool {
	if !f.Quantized() || tokens < expandTokens {
		return false
	}
	l := &layouts[f]
	multiply, expand := active.part[l.form], active.expand[f]
	if multiply == nil || l.table > 0 { // a part has no table
		return false
	}
	scratch := takeExpanded()
	defer scratch.giveBack()
	last := p.padded(scratch, l, count, tokens)
	for first := 0; first < p.n; first += partBlocks {
		blocks := min(partBlocks, p.n-first)
		for i := range count {
			w := unsafe.Add(p.w, i*p.wStride+l.part(first))
			expand(last.w, w, blocks)
			next := ahead{bytes: l.part(blocks)}
			switch {
			case i+1 < count:
				next.from = unsafe.Add(w, p.wStride)
			case first+blocks < p.n:
				next.from, next.bytes = unsafe.Add(p.w, l.part(first+blocks)), l.part(min(partBlocks, p.n-first-blocks))
			default:
				next.bytes = 0
			}
			piece := next.piece(tokens / Tile)
			for t := 0; t+Tile <= tokens; t += Tile {
				y, x := p.at(t)
				multiply(unsafe.Add(y, i*PanelRows*4), p.yStride, last.w, x, p.xStride, p.n, first, blocks)
				next.ask(piece)
			}
			if tokens%Tile > 0 {
				multiply(unsafe.Add(last.y, i*PanelRows*4), last.yStride, last.w, last.x, last.xStride, p.n, first, blocks)
			}
		}
	}
	for t := range tokens % Tile {
		y, _ := p.at(tokens - tokens%Tile + t)
		copy(unsafe.Slice((*float32)(y), count*PanelRows), unsafe.Slice((*float32)(unsafe.Add(last.y, uintptr(t)*last.yStride)), count*PanelRows))
	}
	return true
}

// padded is the product of the tokens after the last whole tile, filled up to one, in scratch memory; w is room for a part. Filling up takes less than reading
// all panels once more for single tokens.
func (p *product) padded(scratch *expanded, l *layout, count, tokens int) product {
	part := partBlocks * l.form.blockBytes()
	record, y := actRecordBytes(p.n), count*PanelRows*4
	w := scratch.room(part + Tile*(record+y))
	last := product{y: unsafe.Add(w, part), yStride: uintptr(y), w: w, x: unsafe.Add(w, part+Tile*y), xStride: uintptr(record), n: p.n}
	for t := range tokens % Tile {
		_, x := p.at(tokens - tokens%Tile + t)
		copy(unsafe.Slice((*byte)(unsafe.Add(last.x, t*record)), record), unsafe.Slice((*byte)(x), record))
	}
	return last
}

// ahead is memory that will be read soon. It is asked for in pieces between other work, since a core can wait for few lines at a time.
type ahead struct {
	from  unsafe.Pointer
	bytes int // left
}

// piece is the size of each of so many pieces, in whole cache lines.
func (a *ahead) piece(pieces int) int {
	const line = 64
	return (a.bytes/max(1, pieces) + line) &^ (line - 1)
}

// ask asks for the next bytes.
func (a *ahead) ask(bytes int) {
	if bytes = min(bytes, a.bytes); bytes <= 0 {
		return
	}
	active.neuron.prefetch(a.from, bytes)
	if a.bytes -= bytes; a.bytes > 0 {
		a.from = unsafe.Add(a.from, bytes)
	}
}
