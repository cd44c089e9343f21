package kernel

import "unsafe"

var avx2Ops = ops{
	name: "avx2",
	panel: [numFormats]panelFunc{
		F32: panelF32AVX2, F16: panelF16AVX2, BF16: panelBF16AVX2,
		Q8: panelQ8AVX2, Q4: panelQ4AVX2, Q41: panelQ41AVX2, Q50: panelQ50AVX2, Q51: panelQ51AVX2, Q2K: panelQ2KAVX2,
		Q3K: panelQ3KAVX2, Q4K: panelQ4KAVX2, Q5K: panelQ5KAVX2, Q6K: panelQ6KAVX2, Q4T: panelQ4TAVX2, Q8S: panelQ8SAVX2,
	},
	tile:     [numFormats][]tile{F32: {{4, tileF32AVX2}}, F16: {{4, tileF16AVX2}}, BF16: {{4, tileBF16AVX2}}},
	expand:   expandAVX2,
	form:     wholes(&partsAVX2),
	part:     partsAVX2,
	quantize: quantizeAVX2,
	halve:    halveAVX2,
	dotF32:   dotF32AVX2,
	dotF16:   dotF16AVX2,
	axpyF32:  axpyF32AVX2,
	axpyF16:  axpyF16AVX2,
	axpyQ8:   axpyQ8AVX2,
	axpyQ4:   axpyQ4AVX2,
	pack:     packAVX2,
	neuron:   neuronAVX2,

	panelI8: panelI8AVX2,
	tileI8:  []tile{{4, tileI8AVX2}},

	max:         maxAVX2,
	expSum:      expSumAVX2,
	logisticMul: logisticMulAVX2,
	scaleMul:    scaleMulAVX2,
}

var partsAVX2 = [numForms]partFunc{
	nibbles32: tileNibbles32AVX2, bytes32: tileBytes32AVX2, minima32: tileMinima32AVX2,
	codes16: tileCodes16AVX2, bytes16: tileBytes16AVX2, minima16: tileMinima16AVX2,
}

var expandAVX2 = [numFormats]expandFunc{
	Q8: expandQ8AVX2, Q4: expandQ4AVX2, Q41: expandQ41AVX2, Q50: expandQ50AVX2, Q51: expandQ51AVX2, Q2K: expandQ2KAVX2,
	Q3K: expandQ3KAVX2, Q4K: expandQ4KAVX2, Q5K: expandQ5KAVX2, Q6K: expandQ6KAVX2, Q4T: expandQ4TAVX2, Q8S: expandQ8SAVX2,
}

//go:noescape
func expandQ8AVX2(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ4AVX2(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ41AVX2(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ50AVX2(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ51AVX2(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ2KAVX2(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ3KAVX2(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ4KAVX2(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ5KAVX2(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ6KAVX2(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ4TAVX2(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ8SAVX2(dst, w unsafe.Pointer, n int)

//go:noescape
func panelF32AVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelF16AVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelBF16AVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ8AVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ4AVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ41AVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ50AVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ51AVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ2KAVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ3KAVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ4KAVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ5KAVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ6KAVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ4TAVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ8SAVX2(y, w, x unsafe.Pointer, n int)

//go:noescape
func tileF32AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileF16AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileBF16AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileNibbles32AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n, first, count int)

//go:noescape
func tileBytes32AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n, first, count int)

//go:noescape
func tileMinima32AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n, first, count int)

//go:noescape
func tileCodes16AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n, first, count int)

//go:noescape
func tileBytes16AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n, first, count int)

//go:noescape
func tileMinima16AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n, first, count int)

//go:noescape
func quantizeAVX2(dst unsafe.Pointer, x *float32, blocks int)

//go:noescape
func halveAVX2(dst *uint16, x *float32, n int)

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

// pack_avx2_amd64.s

var packAVX2 = packMoves{interleave: interleaveAVX2, scaled: scaledAVX2, split: splitAVX2, halves: halvesAVX2, bytes: bytesAVX2}

//go:noescape
func interleaveAVX2(dst, src unsafe.Pointer, stride, n int)

//go:noescape
func scaledAVX2(dst, src unsafe.Pointer, stride, blocks, n int)

//go:noescape
func splitAVX2(dst, src unsafe.Pointer, parts, step int)

//go:noescape
func halvesAVX2(dst, src unsafe.Pointer, n int)

//go:noescape
func bytesAVX2(dst, src unsafe.Pointer, n int)
