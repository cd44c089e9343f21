package kernel

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"hotcell/models/gguf"
)

// Rows is a matrix kept row by row in the file's own layout, for uses that touch single rows: the down vectors of neurons, of which a sparse
// layer reads only those of active neurons.
type Rows struct {
	Type    gguf.Type // F32, F16, Q8_0 or Q4_0
	N, Cols int
	Data    []byte // N rows of RowBytes
}

// RowBytes is the size of one row.
func (r *Rows) RowBytes() int {
	elems, size := r.Type.Block()
	return r.Cols / elems * size
}

// RowType tells whether rows of this file type can be used as they are.
func RowType(t gguf.Type) bool {
	return t == gguf.F32 || t == gguf.F16 || t == gguf.Q8_0 || t == gguf.Q4_0
}

// Axpy adds coef * W[row][lo:hi] to y [hi-lo]. lo and hi are multiples of 32 or the ends of the row.
func (r *Rows) Axpy(y []float32, row, lo, hi int, coef float32) {
	if lo >= hi {
		return
	}
	_ = y[hi-lo-1]
	elems, size := r.Type.Block()
	w := unsafe.Pointer(&r.Data[row*r.RowBytes()+lo/elems*size])
	switch r.Type {
	case gguf.F32:
		active.axpyF32(&y[0], w, coef, hi-lo)
	case gguf.F16:
		active.axpyF16(&y[0], w, coef, hi-lo)
	case gguf.Q8_0:
		active.axpyQ8(&y[0], w, coef, (hi-lo)/BlockCols)
	case gguf.Q4_0:
		active.axpyQ4(&y[0], w, coef, (hi-lo)/BlockCols)
	default:
		panic(fmt.Sprintf("kernel: no row operations for %v", r.Type)) // a caller that did not ask RowType
	}
}

// DotF32 is the sum of x[i]*w[i] over len(x) values.
func DotF32(x, w []float32) float32 {
	if len(x) == 0 {
		return 0
	}
	_ = w[len(x)-1]
	return active.dotF32(&x[0], unsafe.Pointer(&w[0]), len(x))
}

// DotF16 is the sum of x[i]*w[i] over len(x) values; w holds float16 bits.
func DotF16(x []float32, w []uint16) float32 {
	if len(x) == 0 {
		return 0
	}
	_ = w[len(x)-1]
	return active.dotF16(&x[0], unsafe.Pointer(&w[0]), len(x))
}

// AxpyF32 adds a*w to y [len(y)].
func AxpyF32(y, w []float32, a float32) {
	if len(y) == 0 {
		return
	}
	_ = w[len(y)-1]
	active.axpyF32(&y[0], unsafe.Pointer(&w[0]), a, len(y))
}

// AxpyF16 adds a*w to y [len(y)]; w holds float16 bits.
func AxpyF16(y []float32, w []uint16, a float32) {
	if len(y) == 0 {
		return
	}
	_ = w[len(y)-1]
	active.axpyF16(&y[0], unsafe.Pointer(&w[0]), a, len(y))
}

// halveGo is the reference of ops.halve.
func halveGo(dst *uint16, x *float32, n int) {
	out := unsafe.Slice(dst, n)
	for i, v := range unsafe.Slice(x, n) {
		out[i] = gguf.F32ToF16(v)
	}
}

// The references of ops.dotF32 and so on.

func dotF32Go(x *float32, w unsafe.Pointer, n int) float32 {
	xs, ws := unsafe.Slice(x, n), unsafe.Slice((*float32)(w), n)
	var sum float32
	for i, v := range xs {
		sum += v * ws[i]
	}
	return sum
}

func dotF16Go(x *float32, w unsafe.Pointer, n int) float32 {
	xs, ws := unsafe.Slice(x, n), unsafe.Slice((*uint16)(w), n)
	var sum float32
	for i, v := range xs {
		sum += v * gguf.F16ToF32(ws[i])
	}
	return sum
}

func axpyF32Go(y *float32, w unsafe.Pointer, a float32, n int) {
	ys, ws := unsafe.Slice(y, n), unsafe.Slice((*float32)(w), n)
	for i := range ys {
		ys[i] += a * ws[i]
	}
}

func axpyF16Go(y *float32, w unsafe.Pointer, a float32, n int) {
	ys, ws := unsafe.Slice(y, n), unsafe.Slice((*uint16)(w), n)
	for i := range ys {
		ys[i] += a * gguf.F16ToF32(ws[i])
	}
}

func axpyQ8Go(y *float32, w unsafe.Pointer, a float32, blocks int) {
	ys, ws := unsafe.Slice(y, blocks*BlockCols), unsafe.Slice((*byte)(w), blocks*34)
	for b := range blocks {
		blk, out := ws[b*34:][:34], ys[b*BlockCols:][:BlockCols]
		s := a * gguf.F16ToF32(binary.LittleEndian.Uint16(blk))
		for c := range out {
			out[c] += s * float32(int8(blk[2+c]))
		}
	}
}

func axpyQ4Go(y *float32, w unsafe.Pointer, a float32, blocks int) {
	ys, ws := unsafe.Slice(y, blocks*BlockCols), unsafe.Slice((*byte)(w), blocks*18)
	for b := range blocks {
		blk, out := ws[b*18:][:18], ys[b*BlockCols:][:BlockCols]
		s := a * gguf.F16ToF32(binary.LittleEndian.Uint16(blk))
		for c := range 16 {
			out[c] += s * float32(int(blk[2+c]&15)-8)
			out[16+c] += s * float32(int(blk[2+c]>>4)-8)
		}
	}
}
