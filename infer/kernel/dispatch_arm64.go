package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// archOps are the variants of this CPU. "neon" needs no more than ARMv8.0; "dotprod" (ARMv8.2 option, in phones since 2018) replaces the
// quantised products.
func archOps() []ops {
	neon := ops{
		name:     "neon",
		panel:    [numFormats]panelFunc{panelF32NEON, panelF16NEON, panelQ8NEON, panelQ4NEON},
		tile:     [numFormats]tileFunc{tileF32NEON, tileF16NEON, tileQ8NEON, tileQ4NEON},
		quantize: quantizeNEON,
		dotF32:   dotF32NEON,
		dotF16:   dotF16NEON,
		axpyF32:  axpyF32NEON,
		axpyF16:  axpyF16NEON,
		axpyQ8:   axpyQ8NEON,
		axpyQ4:   axpyQ4NEON,
	}
	if !cpu.ARM64.HasASIMDDP {
		return []ops{neon}
	}
	dotprod := neon
	dotprod.name = "dotprod"
	dotprod.panel[Q8], dotprod.panel[Q4] = panelQ8Dotprod, panelQ4Dotprod
	dotprod.tile[Q8], dotprod.tile[Q4] = tileQ8Dotprod, tileQ4Dotprod
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
