package kernel

import (
	"math"
	"unsafe"
)

// Acts are the activations of some tokens as the input of matrix products.
//
// They are written as float32 rows ([Acts.Row]); products with quantised weights also need them in 8 bits, which [Acts.Quantize]
// makes. A token's 8-bit record, for b = cols/32 blocks, is
//
//	values [b*32]int8, scales [b]float32, sums [b]int32, firsts [b]int32
//
// with value = round(x / scale), scale = max|x| of the block / 127, sums of the 32 values and of the first 16 of them, by which kernels
// that need unsigned weights take their offset out again. Values are 0 where x is not finite (the scale then is NaN or Inf) and where
// all of the block is below about 4e-37, which has no reciprocal.
type Acts struct {
	Tokens, Cols int // in use; set by Reset
	f            []float32
	q            []byte
}

// ActBlockBytes is what a block of 32 activations takes in a token's 8-bit record.
const ActBlockBytes = BlockCols + 12

// actRecordBytes is the size of a token's 8-bit record for b blocks.
func actRecordBytes(b int) int { return b * ActBlockBytes }

// NewActs makes room for products of up to maxTokens tokens with up to maxCols columns.
func NewActs(maxTokens, maxCols int) *Acts {
	blocks := maxCols / BlockCols
	return &Acts{
		f: make([]float32, maxTokens*maxCols),
		q: make([]byte, max(1, maxTokens*actRecordBytes(blocks))),
	}
}

// Reset sets the shape; the contents are undefined until they are written.
func (a *Acts) Reset(tokens, cols int) { a.Tokens, a.Cols = tokens, cols }

// Row is the float32 activations of token t, to be written and read.
func (a *Acts) Row(t int) []float32 {
	return a.f[t*a.Cols : (t+1)*a.Cols : (t+1)*a.Cols]
}

// View is tokens first to first+n-1 as activations of their own, over the same memory.
func (a *Acts) View(first, n int) Acts {
	v := Acts{Tokens: n, Cols: a.Cols, f: a.f[first*a.Cols:]}
	if r := actRecordBytes(a.Cols / BlockCols); first*r < len(a.q) {
		v.q = a.q[first*r:]
	}
	return v
}

// Quantize makes the 8-bit records of tokens lo to hi-1 from their rows. It does nothing where Cols is no multiple of 32: no quantised
// matrix has such a width.
func (a *Acts) Quantize(lo, hi int) {
	blocks := a.Cols / BlockCols
	if a.Cols%BlockCols != 0 || blocks == 0 {
		return
	}
	n := actRecordBytes(blocks)
	for t := lo; t < hi; t++ {
		active.quantize(unsafe.Pointer(&a.q[t*n]), &a.f[t*a.Cols], blocks)
	}
}

// QuantizePart makes the 8-bit blocks of columns from to from+len(x)-1 of token t from x; the token's float32 row may hold anything. from and len(x)
// are multiples of 32; where Cols is none, nothing is done. Threads may make different parts of one token at the same time.
func (a *Acts) QuantizePart(t, from int, x []float32, scratch *KVScratch) {
	all := a.Cols / BlockCols
	if a.Cols%BlockCols != 0 || all == 0 {
		return
	}
	whole := a.q[t*actRecordBytes(all):][:actRecordBytes(all)]
	for len(x) > 0 {
		n := min(len(x)/BlockCols, len(scratch.records)/ActBlockBytes)
		part := scratch.records[:actRecordBytes(n)]
		_ = x[n*BlockCols-1]
		active.quantize(unsafe.Pointer(&part[0]), &x[0], n)
		copy(whole[from:], part[:n*BlockCols])
		for word := BlockCols; word < ActBlockBytes; word += 4 { // one of each block's scale and sums
			copy(whole[all*word+from/BlockCols*4:], part[n*word:][:n*4])
		}
		x, from = x[n*BlockCols:], from+n*BlockCols
	}
}

// quantizeGo is the reference of ops.quantize.
func quantizeGo(dst unsafe.Pointer, x *float32, blocks int) {
	in := unsafe.Slice(x, blocks*BlockCols)
	q := unsafe.Slice((*int8)(dst), blocks*BlockCols)
	d := unsafe.Slice((*float32)(unsafe.Add(dst, blocks*BlockCols)), blocks)
	sums := unsafe.Slice((*int32)(unsafe.Add(dst, blocks*(BlockCols+4))), 2*blocks)
	for b := range blocks {
		v := in[b*BlockCols:][:BlockCols]
		var amax float32
		for _, e := range v {
			amax = max(amax, float32(math.Abs(float64(e))))
		}
		d[b] = amax / 127
		inv := 127 / amax
		if !(inv <= math.MaxFloat32) { // all zero, too small for a reciprocal, or NaN
			inv = 0
		}
		var sum int32
		for i, e := range v {
			r := math.RoundToEven(float64(e * inv))
			if r != r { // from NaN or Inf, which the scale carries; a conversion to int would differ by CPU
				r = 0
			}
			q[b*BlockCols+i] = int8(min(127, max(-127, r)))
			sum += int32(q[b*BlockCols+i])
			if i == BlockCols/2-1 {
				sums[blocks+b] = sum
			}
		}
		sums[b] = sum
	}
}
