package kernel

import "unsafe"

// avx512vnniOps differs from avx2Ops in the matrix products; the rest is too short to gain from wider registers.
var avx512vnniOps = ops{
	name: "avx512vnni",
	panel: [numFormats]panelFunc{
		F32: panelF32AVX512, F16: panelF16AVX512, Q8: panelQ8VNNI, Q4: panelQ4VNNI,
		Q4K: panelQ4KVNNI, Q4T: panelQ4TVNNI, Q8S: panelQ8SVNNI, Q8A: panelQ8AVNNI,
	},
	tile: [numFormats]tileFunc{
		F32: tileF32AVX512, F16: tileF16AVX512, Q8: tileQ8VNNI, Q4: tileQ4VNNI,
		Q4K: tileQ4KVNNI, Q4T: tileQ4TVNNI, Q8S: tileQ8SVNNI, Q8A: tileQ8AVNNI,
	},
	quantize: quantizeAVX2,
	dotF32:   dotF32AVX2,
	dotF16:   dotF16AVX2,
	axpyF32:  axpyF32AVX2,
	axpyF16:  axpyF16AVX2,
	axpyQ8:   axpyQ8AVX2,
	axpyQ4:   axpyQ4AVX2,
	neuron:   neuronAVX2,

	panelI8: panelI8AVX512,
	tileI8:  tileI8AVX512,

	max:         maxAVX2,
	expSum:      expSumAVX2,
	logisticMul: logisticMulAVX2,
	scaleMul:    scaleMulAVX2,
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
func panelQ4KVNNI(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ4TVNNI(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ8SVNNI(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ8AVNNI(y, w, x unsafe.Pointer, n int)

//go:noescape
func tileF32AVX512(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileF16AVX512(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ8VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ4VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ4KVNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ4TVNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ8SVNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ8AVNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func panelI8AVX512(y, w, x unsafe.Pointer, n int)

//go:noescape
func tileI8AVX512(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
