package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// archOps are the variants of this CPU. "neon" needs no more than ARMv8.0; "dotprod" (ARMv8.2 option, in phones since 2018) replaces the
// quantised products.
func archOps() []ops {
	neon := ops{
		name: "neon",
		panel: [numFormats]panelFunc{
			F32: panelF32NEON, F16: panelF16NEON, Q8: panelQ8NEON, Q4: panelQ4NEON,
			Q4K: panelQ4KNEON, Q4T: panelQ4TNEON, Q8S: panelQ8SNEON, Q8A: panelQ8ANEON,
		},
		tile: [numFormats]tileFunc{
			F32: tileF32NEON, F16: tileF16NEON, Q8: tileQ8NEON, Q4: tileQ4NEON,
			Q4K: tileQ4KNEON, Q4T: tileQ4TNEON, Q8S: tileQ8SNEON, Q8A: tileQ8ANEON,
		},
		quantize: quantizeNEON,
		dotF32:   dotF32NEON,
		dotF16:   dotF16NEON,
		axpyF32:  axpyF32NEON,
		axpyF16:  axpyF16NEON,
		axpyQ8:   axpyQ8NEON,
		axpyQ4:   axpyQ4NEON,

		panelI8: panelI8NEON,
		tileI8:  tileI8NEON,

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
	dotprod.panel[Q8], dotprod.panel[Q4] = panelQ8Dotprod, panelQ4Dotprod
	dotprod.panel[Q4K], dotprod.panel[Q4T] = panelQ4KDotprod, panelQ4TDotprod
	dotprod.panel[Q8S], dotprod.panel[Q8A] = panelQ8SDotprod, panelQ8ADotprod
	dotprod.tile[Q8], dotprod.tile[Q4] = tileQ8Dotprod, tileQ4Dotprod
	dotprod.tile[Q4K], dotprod.tile[Q4T] = tileQ4KDotprod, tileQ4TDotprod
	dotprod.tile[Q8S], dotprod.tile[Q8A] = tileQ8SDotprod, tileQ8ADotprod
	return []ops{dotprod, neon}
}

// panel_float_arm64.s

//go:noescape
func panelF32NEON(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelF16NEON(y, w, x unsafe.Pointer, n int)

//go:noescape
func tileF32NEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileF16NEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

// panel_neon_arm64.s

//go:noescape
func panelQ8NEON(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ4NEON(y, w, x unsafe.Pointer, n int)

//go:noescape
func tileQ8NEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ4NEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

// panel_dotprod_arm64.s, tile_dotprod_arm64.s

//go:noescape
func panelQ8Dotprod(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ4Dotprod(y, w, x unsafe.Pointer, n int)

//go:noescape
func tileQ8Dotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ4Dotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

// panelk_neon_arm64.s

//go:noescape
func panelQ4KNEON(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ4TNEON(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ8SNEON(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ8ANEON(y, w, x unsafe.Pointer, n int)

//go:noescape
func tileQ4KNEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ4TNEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ8SNEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ8ANEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

// panelk_dotprod_arm64.s, tilek_dotprod_arm64.s

//go:noescape
func panelQ4KDotprod(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ4TDotprod(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ8SDotprod(y, w, x unsafe.Pointer, n int)

//go:noescape
func panelQ8ADotprod(y, w, x unsafe.Pointer, n int)

//go:noescape
func tileQ4KDotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ4TDotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ8SDotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

//go:noescape
func tileQ8ADotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

// quantize_arm64.s

//go:noescape
func quantizeNEON(dst unsafe.Pointer, x *float32, blocks int)

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
