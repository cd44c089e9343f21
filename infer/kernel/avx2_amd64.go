package kernel

import "unsafe"

var avx2Ops = ops{
	name: "avx2",
	panel: [numFormats]panelFunc{
		F32: panelF32AVX2, F16: panelF16AVX2, Q8: panelQ8AVX2, Q4: panelQ4AVX2,
		Q4K: panelQ4KAVX2, Q4T: panelQ4TAVX2, Q8S: panelQ8SAVX2, Q8A: panelQ8AAVX2,
	},
	tile: [numFormats]tileFunc{
		F32: tileF32AVX2, F16: tileF16AVX2, Q8: tileQ8AVX2, Q4: tileQ4AVX2,
		Q4K: tileQ4KAVX2, Q4T: tileQ4TAVX2, Q8S: tileQ8SAVX2, Q8A: tileQ8AAVX2,
	},
	quantize: quantizeAVX2,
	dotF32:   dotF32AVX2,
	dotF16:   dotF16AVX2,
	axpyF32:  axpyF32AVX2,
	axpyF16:  axpyF16AVX2,
	axpyQ8:   axpyQ8AVX2,
	axpyQ4:   axpyQ4AVX2,
	neuron:   neuronAVX2,

	panelI8: panelI8AVX2,
	tileI8:  tileI8AVX2,

	max:         maxAVX2,
	expSum:      expSumAVX2,
	logisticMul: logisticMulAVX2,
	scaleMul:    scaleMulAVX2,
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
func panelQ4KAVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ4TAVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ8SAVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ8AAVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func tileF32AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileF16AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ8AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ4AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ4KAVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ4TAVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ8SAVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ8AAVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

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

//go:noescape
func panelI8AVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func tileI8AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func maxAVX2(x *float32, n int) float32

//go:noescape
func expSumAVX2(x *float32, n int, top float32) float32

//go:noescape
func logisticMulAVX2(dst, gate, up *float32, n int, linear, cubic float32)

//go:noescape
func scaleMulAVX2(dst, a, b *float32, n int, s float32)
