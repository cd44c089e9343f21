package kernel

import "unsafe"

var avx2Ops = ops{
	name:     "avx2",
	panel:    [numFormats]panelFunc{panelF32AVX2, panelF16AVX2, panelQ8AVX2, panelQ4AVX2},
	tile:     [numFormats]tileFunc{tileF32AVX2, tileF16AVX2, tileQ8AVX2, tileQ4AVX2},
	quantize: quantizeAVX2,
	dotF32:   dotF32AVX2,
	dotF16:   dotF16AVX2,
	axpyF32:  axpyF32AVX2,
	axpyF16:  axpyF16AVX2,
	axpyQ8:   axpyQ8AVX2,
	axpyQ4:   axpyQ4AVX2,
}

//go:noescape
func panelF32AVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelF16AVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ8AVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ4AVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func tileF32AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileF16AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ8AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ4AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func quantizeAVX2(dst unsafe.Pointer, x *float32, blocks int)

//go:noescape
func dotF32AVX2(x *float32, w unsafe.Pointer, n int) float32

//go:noescape
func dotF16AVX2(x *float32, w unsafe.Pointer, n int) float32

//go:noescape
func axpyF32AVX2(y *float32, w unsafe.Pointer, a float32, n int)

//go:noescape
func axpyF16AVX2(y *float32, w unsafe.Pointer, a float32, n int)

//go:noescape
func axpyQ8AVX2(y *float32, w unsafe.Pointer, a float32, blocks int)

//go:noescape
func axpyQ4AVX2(y *float32, w unsafe.Pointer, a float32, blocks int)
