package kernel

import "unsafe"

// avx512vnniOps differs from avx2Ops in the matrix products; the rest is too short to gain from wider registers.
var avx512vnniOps = ops{
	name: "avx512vnni",
	panel: [numFormats]panelFunc{
		F32: panelF32AVX512, F16: panelF16AVX512, BF16: panelBF16AVX512,
		Q8: panelQ8VNNI, Q4: panelQ4VNNI, Q41: panelQ41VNNI, Q50: panelQ50VNNI, Q51: panelQ51VNNI, Q2K: panelQ2KVNNI,
		Q3K: panelQ3KVNNI, Q4K: panelQ4KVNNI, Q5K: panelQ5KVNNI, Q6K: panelQ6KVNNI, Q4T: panelQ4TVNNI, Q8S: panelQ8SVNNI,
	},
	tile:   [numFormats][]tile{F32: {{4, tileF32AVX512}}, F16: {{4, tileF16AVX512}}, BF16: {{4, tileBF16AVX512}}},
	expand: expandVNNI,
	form:   forms([]tile{{4, tileScaleVNNI}}, []tile{{4, tileMinimumVNNI}}, []tile{{4, tileScalesVNNI}}, []tile{{4, tileMinimaVNNI}}),
	pair:   [numFormats][]pairTile{F32: {{4, pairF32AVX512}}, F16: {{4, pairF16AVX512}}, BF16: {{4, pairBF16AVX512}}},
	formPair: forms(
		[]pairTile{{6, pair6ScaleVNNI}, {2, pair2ScaleVNNI}}, []pairTile{{6, pair6MinimumVNNI}, {2, pair2MinimumVNNI}},
		[]pairTile{{4, pair4ScalesVNNI}, {2, pair2ScalesVNNI}}, []pairTile{{4, pair4MinimaVNNI}, {2, pair2MinimaVNNI}}),
	quantize: quantizeAVX2,
	halve:    halveAVX2,
	dotF32:   dotF32AVX2,
	dotF16:   dotF16AVX2,
	axpyF32:  axpyF32AVX2,
	axpyF16:  axpyF16AVX2,
	axpyQ8:   axpyQ8AVX2,
	axpyQ4:   axpyQ4AVX2,
	pack:     packAVX2,
	neuron:   neuronAVX512VNNI,

	panelI8: panelI8AVX512,
	tileI8:  []tile{{4, tileI8AVX512}},
	pairI8:  []pairTile{{4, pairI8AVX512}},

	max:         maxAVX2,
	expSum:      expSumAVX2,
	logisticMul: logisticMulAVX2,
	scaleMul:    scaleMulAVX2,
}

var expandVNNI = [numFormats]expandFunc{
	Q8: expandQ8VNNI, Q4: expandQ4VNNI, Q41: expandQ41VNNI, Q50: expandQ50VNNI, Q51: expandQ51VNNI, Q2K: expandQ2KVNNI,
	Q3K: expandQ3KVNNI, Q4K: expandQ4KVNNI, Q5K: expandQ5KVNNI, Q6K: expandQ6KVNNI, Q4T: expandQ4TVNNI, Q8S: expandQ8SVNNI,
}

//go:noescape
func panelF32AVX512(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelF16AVX512(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelBF16AVX512(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ8VNNI(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ4VNNI(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ41VNNI(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ50VNNI(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ51VNNI(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ2KVNNI(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ3KVNNI(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ4KVNNI(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ5KVNNI(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ6KVNNI(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ4TVNNI(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ8SVNNI(y, w, x unsafe.Pointer, n int)

//go:noescape
func tileF32AVX512(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileF16AVX512(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileBF16AVX512(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func pairF32AVX512(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func pairF16AVX512(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func pairBF16AVX512(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func expandQ8VNNI(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ4VNNI(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ41VNNI(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ50VNNI(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ51VNNI(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ2KVNNI(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ3KVNNI(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ4KVNNI(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ5KVNNI(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ6KVNNI(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ4TVNNI(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ8SVNNI(dst, w unsafe.Pointer, n int)

//go:noescape
func tileScaleVNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileMinimumVNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileScalesVNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileMinimaVNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func pair6ScaleVNNI(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func pair6MinimumVNNI(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func pair4ScalesVNNI(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func pair4MinimaVNNI(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func pair2ScaleVNNI(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func pair2MinimumVNNI(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func pair2ScalesVNNI(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func pair2MinimaVNNI(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func panelI8AVX512(y, w, x unsafe.Pointer, n int)

//go:noescape
func tileI8AVX512(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func pairI8AVX512(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)
