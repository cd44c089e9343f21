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

func neuronDotsGo(block func(unsafe.Pointer, int) [BlockCols]int8) func(rows *Weighted, n int, x unsafe.Pointer, blocks, beside, besideScales int) {
	dot := neuronDotGo(block)
	return func(rows *Weighted, n int, x unsafe.Pointer, blocks, _, _ int) {
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

func neuronAxpyGo(block func(unsafe.Pointer, int) [BlockCols]int8) func(y *float32, rows *Weighted, n, blocks int) {
	return func(y *float32, rows *Weighted, n, blocks int) {
		out, list := unsafe.Slice(y, blocks*BlockCols), unsafe.Slice(rows, n)
		for b := range blocks {
			var largest uint32 // a factor's bits without its sign: in their order infinity comes after all numbers, and what is no number after it
			for i := range list {
				largest = max(largest, math.Float32bits(list[i].factor(b))&^(1<<31))
			}
			size := math.Float32frombits(largest)
			levels := factorLevels / size
			var sum [BlockCols]int32
			for i := range list {
				if largest < math.Float32bits(leastFactor) || largest >= infinite {
					break // the sum is 0, and infinity or what is no number makes it NaN
				}
				whole := int32(math.RoundToEven(float64(list[i].factor(b) * levels)))
				for c, v := range block(list[i].Codes, b) {
					sum[c] += whole * int32(v)
				}
			}
			step := size * (1. / factorLevels)
			for c, v := range sum {
				out[b*BlockCols+c] += float32(float32(v) * step) // the conversion rounds; without it arm64 would fuse this
			}
		}
	}
}

// infinite is the bits of the float32 infinity.
const infinite = 0x7f800000

// factor is what the row's block b is multiplied with.
func (w *Weighted) factor(b int) float32 { return w.Coef * halfAt(w.Scales, b) }

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
