package kernel

import "unsafe"

// avx512vnniOps differs from avx2Ops in the matrix products; the rest is too short to gain from wider registers.
var avx512vnniOps = ops{
	name:     "avx512vnni",
	panel:    [numFormats]panelFunc{panelF32AVX512, panelF16AVX512, panelQ8VNNI, panelQ4VNNI},
	tile:     [numFormats]tileFunc{tileF32AVX512, tileF16AVX512, tileQ8VNNI, tileQ4VNNI},
	quantize: quantizeAVX2,
	dotF32:   dotF32AVX2,
	dotF16:   dotF16AVX2,
	axpyF32:  axpyF32AVX2,
	axpyF16:  axpyF16AVX2,
	axpyQ8:   axpyQ8AVX2,
	axpyQ4:   axpyQ4AVX2,
}

//go:noescape
func panelF32AVX512(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelF16AVX512(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ8VNNI(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ4VNNI(y, w, x unsafe.Pointer, n int)

//go:noescape
func tileF32AVX512(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileF16AVX512(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ8VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ4VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
