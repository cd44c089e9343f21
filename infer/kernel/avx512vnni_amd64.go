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
	expand: expandAVX2,
	form: [numForms][]tile{
		nibbles32: {{8, tile8Nibbles32VNNI}, {4, tile4Nibbles32VNNI}},
		bytes32:   {{8, tile8Bytes32VNNI}, {4, tile4Bytes32VNNI}},
		minima32:  {{8, tile8Minima32VNNI}, {4, tile4Minima32VNNI}},
		codes16:   {{8, tile8Codes16VNNI}, {4, tile4Codes16VNNI}},
		bytes16:   {{8, tile8Bytes16VNNI}, {4, tile4Bytes16VNNI}},
		minima16:  {{8, tile8Minima16VNNI}, {4, tile4Minima16VNNI}},
	},
	quantize: quantizeAVX2,
	dotF32:   dotF32AVX2,
	dotF16:   dotF16AVX2,
	axpyF32:  axpyF32AVX2,
	axpyF16:  axpyF16AVX2,
	axpyQ8:   axpyQ8AVX2,
	axpyQ4:   axpyQ4AVX2,
	neuron:   neuronAVX512VNNI,

	panelI8: panelI8AVX512,
	tileI8:  []tile{{4, tileI8AVX512}},

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
func tile8Nibbles32VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tile8Bytes32VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tile8Minima32VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tile8Codes16VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tile8Bytes16VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tile8Minima16VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tile4Nibbles32VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tile4Bytes32VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tile4Minima32VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tile4Codes16VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tile4Bytes16VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tile4Minima16VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func panelI8AVX512(y, w, x unsafe.Pointer, n int)

//go:noescape
func tileI8AVX512(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
