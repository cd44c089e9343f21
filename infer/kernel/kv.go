package kernel

import (
	"unsafe"

	"hotcell/models/gguf"
)

// KVBlock is the number of positions whose keys lie interleaved. Runs of positions begin at multiples of it.
const KVBlock = PanelRows

// KV is the keys and values of one head, as two matrices that grow by a position at a time:
//
//	keys    [positions][dim], the rows of panels: q.k of 16 positions is a panel's product, no sum across lanes is ever taken
//	values  [dim][positions], its transpose: a panel is 16 elements of all values, position after position, and the weights
//	        of the positions are its activations
//
// Keys lie in the layout of [F32], [F16] or [Q8]. Values in F32 or F16 lie in the panels of that format with Positions columns;
// in Q8 they are panels [positions][16]int8, then a float32 scale for each position and 32 elements, [dim/32][positions].
//
// Nothing is read of keys past the block in use and of values past the position in use, so memory may be mapped lazily.
type KV struct {
	Format       Format
	Dim          int // with Q8 a multiple of 32
	Positions    int // room, a multiple of KVBlock
	Keys, Values []byte
}

// KVFormat tells whether keys and values of this width can be kept in a format.
func KVFormat(f Format, dim int) bool {
	return f == F32 || f == F16 || f == Q8 && dim%BlockCols == 0 && actRecordBytes(dim/BlockCols) <= queryBytes
}

// KVBytes is the memory that the keys, and the values, of one head take. positions is a multiple of KVBlock.
func KVBytes(f Format, dim, positions int) (keys, values int) {
	strips := (dim + PanelRows - 1) / PanelRows
	switch f {
	case F32:
		return positions * dim * 4, positions * strips * PanelRows * 4
	case F16:
		return positions * dim * 2, positions * strips * PanelRows * 2
	default:
		return positions / KVBlock * Q8.PanelBytes(dim), positions * (dim + dim/BlockCols*4)
	}
}

// KVScratch is the memory that one thread needs for the operations of a KV; the zero value will do.
type KVScratch struct {
	records [queryBytes]byte // of queries, or of a key or value
	scaled  [mixQueries * mixPositions]float32
	part    [mixQueries * BlockCols]float32
	half    [halves]uint16 // of a key or value
}

const (
	queryBytes   = 4096
	mixPositions = 128
	mixQueries   = 2 * Tile
	halves       = 128
)

// Store writes the key and the value [Dim] of a position.
func (c *KV) Store(pos int, k, v []float32, scratch *KVScratch) {
	k, v = k[:c.Dim], v[:c.Dim]
	block, r := pos/KVBlock, pos%KVBlock
	switch c.Format {
	case F32:
		keys := words[float32](c.Keys)[block*c.Dim*KVBlock:][:c.Dim*KVBlock]
		values := words[float32](c.Values)
		for i := range k {
			keys[i*KVBlock+r] = k[i]
			values[(i/PanelRows*c.Positions+pos)*PanelRows+i%PanelRows] = v[i]
		}
	case F16:
		keys := words[uint16](c.Keys)[block*c.Dim*KVBlock:][:c.Dim*KVBlock]
		values := words[uint16](c.Values)
		half := &scratch.half
		for from := 0; from < c.Dim; from += halves {
			n := min(c.Dim-from, halves)
			active.halve(&half[0], &k[from], n)
			for i, h := range half[:n] {
				keys[(from+i)*KVBlock+r] = h
			}
			active.halve(&half[0], &v[from], n)
			for i := 0; i < n; i += PanelRows {
				copy(values[((from+i)/PanelRows*c.Positions+pos)*PanelRows:], half[i:min(n, i+PanelRows)])
			}
		}
	default:
		c.storeQ8(pos, k, v, scratch)
	}
}

func (c *KV) storeQ8(pos int, k, v []float32, scratch *KVScratch) {
	buffer := unsafe.Pointer(&scratch.records)
	blocks := c.Dim / BlockCols
	q, d, _ := record(buffer, blocks)

	active.quantize(buffer, &k[0], blocks)
	panel, r := c.Keys[pos/KVBlock*Q8.PanelBytes(c.Dim):][:Q8.PanelBytes(c.Dim)], pos%KVBlock
	for b := range blocks {
		header, codes := layouts[Q8].at(panel, b)
		words[uint16](header)[b%2*PanelRows+r] = gguf.F32ToF16(d[b])
		for i, e := range q[b*BlockCols:][:BlockCols] {
			codes[i/4*plane+r*4+i%4] = byte(e)
		}
	}

	active.quantize(buffer, &v[0], blocks)
	for i, e := range q {
		c.Values[(i/PanelRows*c.Positions+pos)*PanelRows+i%PanelRows] = byte(e)
	}
	scaled := words[float32](c.Values[c.Dim*c.Positions:])
	for b := range blocks {
		scaled[b*c.Positions+pos] = d[b]
	}
}

// Scores computes dst[i*stride + t-lo] = q_i . k_t for n queries, query i at q[i*qStride], and the positions t from lo, a multiple of
// KVBlock, to hi rounded up to one: what it gives for positions not yet stored is undefined. Queries are rounded to 8
// bits with Q8. A score has the same bits whatever lo, hi and n are.
//
// As the keys of a block are multiplied, the values of its positions are asked for, which Mix will want. They come from memory in pieces, each on a page of
// its own, where the CPU's prefetcher starts anew: with 300 positions of TinyLlama (Zen 4) waiting for them was half of Mix. (Asking for keys as
// well, which lie in one piece, of this head or of the next one, cost what it gave.)
func (c *KV) Scores(dst []float32, stride int, q []float32, qStride, n, lo, hi int, scratch *KVScratch) {
	if lo >= hi || n == 0 {
		return
	}
	blocks := (hi + KVBlock - 1) / KVBlock
	_, _, _ = dst[(n-1)*stride+blocks*KVBlock-lo-1], q[(n-1)*qStride+c.Dim-1], c.Keys[blocks*c.Format.PanelBytes(c.Dim)-1]
	if c.Format != Q8 {
		c.scores(dst, stride, unsafe.Pointer(&q[0]), qStride*4, n, lo, blocks)
		return
	}
	size := actRecordBytes(c.Dim / BlockCols)
	for room := queryBytes / size; n > 0; {
		some := min(n, room)
		for i := range some {
			active.quantize(unsafe.Pointer(&scratch.records[i*size]), &q[i*qStride], c.Dim/BlockCols)
		}
		c.scores(dst, stride, unsafe.Pointer(&scratch.records), size, some, lo, blocks)
		if n -= some; n > 0 {
			dst, q = dst[some*stride:], q[some*qStride:]
		}
	}
}

// scores multiplies n queries, prepared for the format and size bytes apart, with the keys from position lo to block blocks-1.
func (c *KV) scores(dst []float32, stride int, queries unsafe.Pointer, size, n, lo, blocks int) {
	panelBytes, cols, atOnce := c.Format.PanelBytes(c.Dim), c.Dim, blocksAtOnce
	if c.Format == Q8 {
		cols, atOnce = cols/BlockCols, blocksAtOnceQ8
	}
	first := lo / KVBlock
	for b := first; b < blocks; b += atOnce {
		some := min(atOnce, blocks-b)
		c.askValues(b*KVBlock, some*KVBlock)
		y := product{unsafe.Pointer(&dst[(b-first)*KVBlock]), uintptr(stride * 4), unsafe.Pointer(&c.Keys[b*panelBytes]), panelBytes, queries, uintptr(size), cols}
		y.multiply(c.Format, some, n)
	}
}

// How many blocks of keys are multiplied between requests for memory: few, since a core can wait for few lines at a time, but what tiles of two panels
// take; and a whole run of those that each product must expand (with 2, they took 20 % longer).
const (
	blocksAtOnce   = 2
	blocksAtOnceQ8 = 16
)

// askValues asks for the values of n positions from pos on.
func (c *KV) askValues(pos, n int) {
	width := c.valueBytes()
	for at := pos * width; at < (c.Dim+PanelRows-1)/PanelRows*c.Positions*width; at += c.Positions * width {
		active.neuron.prefetch(unsafe.Pointer(&c.Values[at]), n*width)
	}
}

// valueBytes is what 16 elements of a value take.
func (c *KV) valueBytes() int {
	switch c.Format {
	case F32:
		return PanelRows * 4
	case F16:
		return PanelRows * 2
	}
	return PanelRows
}

// Mix computes out_i = sum of p[i*pStride + t-lo] * v_t over the positions t from lo to hi-1, for n queries; out_i is out[i*stride:][:Dim].
// It is one sum over ascending positions: whoever divides a run of positions chooses the result's bits, n does not matter.
func (c *KV) Mix(out []float32, stride int, p []float32, pStride, n, lo, hi int, scratch *KVScratch) {
	if n == 0 {
		return
	}
	if lo >= hi {
		for i := range n {
			clear(out[i*stride:][:c.Dim])
		}
		return
	}
	_, _ = out[(n-1)*stride+c.Dim-1], p[(n-1)*pStride+hi-lo-1]
	if c.Format == Q8 {
		c.mixQ8(out, stride, p, pStride, n, lo, hi, scratch)
		return
	}
	width := c.valueBytes()
	strip, whole := c.Positions*width, c.Dim/PanelRows
	mix := product{unsafe.Pointer(&out[0]), uintptr(stride * 4), unsafe.Pointer(&c.Values[lo*width]), strip, unsafe.Pointer(&p[0]), uintptr(pStride * 4), hi - lo}
	mix.multiply(c.Format, whole, n)
	if d := whole * PanelRows; d < c.Dim {
		for i := range n { // the last elements: a product writes 16
			active.panel[c.Format](unsafe.Pointer(&scratch.part), unsafe.Pointer(&c.Values[whole*strip+lo*width]), unsafe.Add(mix.x, uintptr(i)*mix.xStride), hi-lo)
			copy(out[i*stride+d:i*stride+c.Dim], scratch.part[:])
		}
	}
}

// mixQ8 multiplies the weights by the values' scales before the values.
func (c *KV) mixQ8(out []float32, stride int, p []float32, pStride, n, lo, hi int, scratch *KVScratch) {
	scaled, y := &scratch.scaled, &scratch.part
	k := kernels{pairs: active.pairI8, tiles: active.tileI8, one: active.panelI8}
	scales := words[float32](c.Values[c.Dim*c.Positions:])
	for i := 0; i < n; i += mixQueries {
		some := min(n-i, mixQueries)
		for d := 0; d < c.Dim; d += BlockCols {
			for from := lo; from < hi; from += mixPositions {
				count := min(hi-from, mixPositions)
				for j := range some {
					ScaleMul(scaled[j*mixPositions:][:count], p[(i+j)*pStride+from-lo:], scales[d/BlockCols*c.Positions+from:], 1)
				}
				w := unsafe.Pointer(&c.Values[(d/PanelRows*c.Positions+from)*PanelRows])
				part := product{unsafe.Pointer(y), BlockCols * 4, w, c.Positions * PanelRows, unsafe.Pointer(scaled), mixPositions * 4, count}
				part.by(&k, BlockCols/PanelRows, some, nil, 0)
				for j := range some {
					to := out[(i+j)*stride+d:][:BlockCols]
					if from == lo {
						copy(to, y[j*BlockCols:])
					} else {
						AxpyF32(to, y[j*BlockCols:][:BlockCols], 1)
					}
				}
			}
		}
	}
}

// words views bytes, aligned to T, as values of T.
func words[T uint16 | float32](b []byte) []T {
	var t T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(t)))
}
