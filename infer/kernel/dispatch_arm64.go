package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// archOps are the variants of this CPU. "neon" needs no more than ARMv8.0; "dotprod" (ARMv8.2 option, in phones since 2018) replaces the
// quantised products, "i8mm" (ARMv8.6, in phones since 2022) those of many tokens.
func archOps() []ops {
	neon := ops{
		name:   "neon",
		panel:  [numFormats]panelFunc{F32: panelF32NEON, F16: panelF16NEON, BF16: panelBF16NEON},
		tile:   [numFormats][]tile{F32: {{4, tileF32NEON}}, F16: {{4, tileF16NEON}}, BF16: {{4, tileBF16NEON}}},
		expand: expandNEON,
		form:   forms([]tile{{1, tileScaleNEON}}, []tile{{1, tileMinimumNEON}}, []tile{{1, tileScalesNEON}}, []tile{{1, tileMinimaNEON}}),

		quantize: quantizeNEON,
		halve:    halveNEON,
		dotF32:   dotF32NEON,
		dotF16:   dotF16NEON,
		axpyF32:  axpyF32NEON,
		axpyF16:  axpyF16NEON,
		axpyQ8:   axpyQ8NEON,
		axpyQ4:   axpyQ4NEON,
		pack:     packNEON,
		neuron:   neuronNEON,

		panelI8: panelI8NEON,
		tileI8:  []tile{{4, tileI8NEON}},

		max:         maxNEON,
		expSum:      expSumNEON,
		logisticMul: logisticMulNEON,
		scaleMul:    scaleMulNEON,
	}
	if !cpu.ARM64.HasASIMDDP {
		return []ops{neon}
	}
	dotprod := neon
	dotprod.name = "dotprod"
	dotprod.panel = panelDotprod
	dotprod.neuron = neuronDotprod
	dotprod.form = forms([]tile{{4, tileScaleDotprod}}, []tile{{4, tileMinimumDotprod}}, []tile{{4, tileScalesDotprod}}, []tile{{4, tileMinimaDotprod}})
	if !cpu.ARM64.HasI8MM {
		return []ops{dotprod, neon}
	}
	i8mm := dotprod
	i8mm.name = "i8mm"
	i8mm.expand = quantized([numFormats]expandFunc{}, expandI8MM)
	for _, f := range []form{nibbles32, bytes32} {
		i8mm.form[f] = []tile{{4, tileScaleI8MM}}
	}
	i8mm.form[minima32] = []tile{{4, tileMinimumI8MM}}
	return []ops{i8mm, dotprod, neon}
}

// expandI8MM arranges the rows of an expanded panel as the tiles of i8mm take them, where the format's form has one.
func expandI8MM(f Format) expandFunc {
	expand, form := expandNEON[f], layouts[f].form
	if form.halves() == 2 {
		return expand
	}
	return func(dst, w unsafe.Pointer, n int) {
		expand(dst, w, n)
		pairRowsI8MM(dst, n, form.blockBytes())
	}
}

var expandNEON = [numFormats]expandFunc{
	Q8: expandQ8NEON, Q4: expandQ4NEON, Q41: expandQ41NEON, Q50: expandQ50NEON, Q51: expandQ51NEON, Q2K: expandQ2KNEON,
	Q3K: expandQ3KNEON, Q4K: expandQ4KNEON, Q5K: expandQ5KNEON, Q6K: expandQ6KNEON, Q4T: expandQ4TNEON, Q8S: expandQ8SNEON,
}

var panelDotprod = [numFormats]panelFunc{
	F32: panelF32NEON, F16: panelF16NEON, BF16: panelBF16NEON,
	Q8: panelQ8Dotprod, Q4: panelQ4Dotprod, Q41: panelQ41Dotprod, Q50: panelQ50Dotprod, Q51: panelQ51Dotprod, Q2K: panelQ2KDotprod,
	Q3K: panelQ3KDotprod, Q4K: panelQ4KDotprod, Q5K: panelQ5KDotprod, Q6K: panelQ6KDotprod, Q4T: panelQ4TDotprod, Q8S: panelQ8SDotprod,
}

// panel_float_arm64.s

//go:noescape
func panelF32NEON(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelF16NEON(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelBF16NEON(y, w, x unsafe.Pointer, n int)

//go:noescape
func tileF32NEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileF16NEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileBF16NEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

// expand_arm64.s

//go:noescape
func expandQ8NEON(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ4NEON(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ41NEON(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ50NEON(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ51NEON(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ2KNEON(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ3KNEON(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ4KNEON(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ5KNEON(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ6KNEON(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ4TNEON(dst, w unsafe.Pointer, n int)

//go:noescape
func expandQ8SNEON(dst, w unsafe.Pointer, n int)

// panel_dotprod_arm64.s

//go:noescape
func panelQ8Dotprod(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ4Dotprod(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ41Dotprod(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ50Dotprod(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ51Dotprod(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ2KDotprod(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ3KDotprod(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ4KDotprod(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ5KDotprod(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ6KDotprod(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ4TDotprod(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ8SDotprod(y, w, x unsafe.Pointer, n int)

// form_dotprod_arm64.s, form_neon_arm64.s, form_i8mm_arm64.s

//go:noescape
func pairRowsI8MM(w unsafe.Pointer, n, blockBytes int)

//go:noescape
func tileScaleI8MM(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileMinimumI8MM(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileScaleDotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileMinimumDotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileScalesDotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileMinimaDotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileScaleNEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileMinimumNEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileScalesNEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileMinimaNEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

// quantize_arm64.s

//go:noescape
func quantizeNEON(dst unsafe.Pointer, x *float32, blocks int)

// halve_arm64.s

//go:noescape
func halveNEON(dst *uint16, x *float32, n int)

// rows_arm64.s

//go:noescape
func dotF32NEON(x *float32, w unsafe.Pointer, n int) float32

//go:noescape
func dotF16NEON(x *float32, w unsafe.Pointer, n int) float32

//go:noescape
func axpyF32NEON(y *float32, w unsafe.Pointer, a float32, n int)

//go:noescape
func axpyF16NEON(y *float32, w unsafe.Pointer, a float32, n int)

//go:noescape
func axpyQ8NEON(y *float32, w unsafe.Pointer, a float32, blocks int)

//go:noescape
func axpyQ4NEON(y *float32, w unsafe.Pointer, a float32, blocks int)

//go:noescape
func panelI8NEON(y, w, x unsafe.Pointer, n int)

//go:noescape
func tileI8NEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

// vector_arm64.s

//go:noescape
func maxNEON(x *float32, n int) float32

//go:noescape
func expSumNEON(x *float32, n int, top float32) float32

//go:noescape
func logisticMulNEON(dst, gate, up *float32, n int, linear, cubic float32)

//go:noescape
func scaleMulNEON(dst, a, b *float32, n int, s float32)

// pack_arm64.s

var packNEON = packMoves{interleave: interleaveNEON, scaled: scaledNEON, split: splitNEON, halves: halvesNEON, bytes: bytesNEON}

//go:noescape
func interleaveNEON(dst, src unsafe.Pointer, stride, n int)

//go:noescape
func scaledNEON(dst, src unsafe.Pointer, stride, blocks, n int)

//go:noescape
func splitNEON(dst, src unsafe.Pointer, parts, step int)

//go:noescape
func halvesNEON(dst, src unsafe.Pointer, n int)

//go:noescape
func bytesNEON(dst, src unsafe.Pointer, n int)
