package kernel

import (
	"math"
	"unsafe"

	"hotcell/models/gguf"
)

// The references of neuronOps.

func prefetchGo(unsafe.Pointer, int) {}

// neuronQ8 and neuronQ4 give the 32 values of a block of codes, without the scale.
func neuronQ8(codes unsafe.Pointer, b int) (v [BlockCols]int8) {
	return *(*[BlockCols]int8)(unsafe.Add(codes, b*BlockCols))
}

func neuronQ4(codes unsafe.Pointer, b int) (v [BlockCols]int8) {
	for c, e := range (*[BlockCols / 2]byte)(unsafe.Add(codes, b*BlockCols/2)) {
		v[c], v[c+BlockCols/2] = int8(e&15)-8, int8(e>>4)-8
	}
	return v
}

func halfAt(p unsafe.Pointer, i int) float32 { return gguf.F16ToF32(*(*uint16)(unsafe.Add(p, 2*i))) }

func neuronDotGo(block func(unsafe.Pointer, int) [BlockCols]int8) func(codes, scales, x unsafe.Pointer, blocks int) float32 {
	return func(codes, scales, x unsafe.Pointer, blocks int) float32 {
		xq, xd, _ := record(x, blocks)
		var acc float32
		for b := range blocks {
			var sum int32
			for c, v := range block(codes, b) {
				sum += int32(v) * int32(xq[b*BlockCols+c])
			}
			acc += float32(sum) * (halfAt(scales, b) * xd[b])
		}
		return acc
	}
}

func neuronDotsGo(block func(unsafe.Pointer, int) [BlockCols]int8) func(rows *Weighted, n int, x unsafe.Pointer, blocks int) {
	dot := neuronDotGo(block)
	return func(rows *Weighted, n int, x unsafe.Pointer, blocks int) {
		for i := range n {
			w := &unsafe.Slice(rows, n)[i]
			w.Coef = dot(w.Codes, w.Scales, x, blocks)
		}
	}
}

func neuronTileGo(block func(unsafe.Pointer, int) [BlockCols]int8) func(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int) {
	dot := neuronDotGo(block)
	return func(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int) {
		for t := range y {
			y[t] = dot(codes, scales, unsafe.Add(x, uintptr(t)*xStride), blocks)
		}
	}
}

func neuronSumGo(block func(unsafe.Pointer, int) [BlockCols]int8) func(y *float32, rows *Weighted, n, blocks int) {
	return func(y *float32, rows *Weighted, n, blocks int) {
		out, list := unsafe.Slice(y, blocks*BlockCols), unsafe.Slice(rows, n)
		clear(out)
		for i := range list {
			for b := range blocks {
				s := list[i].Coef * halfAt(list[i].Scales, b)
				for c, v := range block(list[i].Codes, b) {
					out[b*BlockCols+c] += s * float32(v)
				}
			}
		}
	}
}

func neuronColumnGo(block func(unsafe.Pointer, int) [BlockCols]int8) func(y *float32, codes, scales unsafe.Pointer, a float32, blocks int) {
	return func(y *float32, codes, scales unsafe.Pointer, a float32, blocks int) {
		out := unsafe.Slice(y, blocks*BlockCols)
		for b := range blocks {
			for c, v := range block(codes, b) {
				out[b*BlockCols+c] += a * halfAt(scales, b*BlockCols+c) * float32(v)
			}
		}
	}
}

func dotBF16Go(x *float32, w unsafe.Pointer, n int) float32 {
	xs, ws := unsafe.Slice(x, n), unsafe.Slice((*uint16)(w), n)
	var sum [4]float32 // four chains: one would wait for each addition
	for i, v := range xs {
		sum[i&3] += v * math.Float32frombits(uint32(ws[i])<<16)
	}
	return sum[0] + sum[1] + (sum[2] + sum[3])
}

func axpyBF16Go(y *float32, w unsafe.Pointer, a float32, n int) {
	ys, ws := unsafe.Slice(y, n), unsafe.Slice((*uint16)(w), n)
	for i := range ys {
		ys[i] += a * math.Float32frombits(uint32(ws[i])<<16)
	}
}
