package kernel

import "unsafe"

var neuronNEON = neuronOps{
	dotQ8: neuronDotQ8NEON, dotQ4: neuronDotQ4NEON, dotBF16: dotBF16NEON,
	dotsQ8: neuronDotsQ8NEON, dotsQ4: neuronDotsQ4NEON,
	tileQ8: neuronTileQ8NEON, tileQ4: neuronTileQ4NEON,
	sumQ8: neuronSumQ8NEON, sumQ4: neuronSumQ4NEON, axpyBF16: axpyBF16NEON,
	columnQ8: neuronColumnQ8NEON, columnQ4: neuronColumnQ4NEON,
	prefetch: prefetchNEON,
}

// neuronDotprod is for i8mm too: SMMLA multiplies pairs of rows, and a single one would leave half of it empty.
var neuronDotprod = neuronOps{
	dotQ8: neuronDotQ8Dotprod, dotQ4: neuronDotQ4Dotprod, dotBF16: dotBF16NEON,
	dotsQ8: neuronDotsQ8Dotprod, dotsQ4: neuronDotsQ4Dotprod,
	tileQ8: neuronTileQ8Dotprod, tileQ4: neuronTileQ4Dotprod,
	sumQ8: neuronSumQ8Dotprod, sumQ4: neuronSumQ4Dotprod, axpyBF16: axpyBF16NEON,
	columnQ8: neuronColumnQ8Dotprod, columnQ4: neuronColumnQ4Dotprod,
	prefetch: prefetchNEON,
}

// neuron_dot_arm64.s

//go:noescape
func neuronDotQ8NEON(codes, scales, x unsafe.Pointer, blocks int) float32

//go:noescape
func neuronDotQ4NEON(codes, scales, x unsafe.Pointer, blocks int) float32

//go:noescape
func neuronDotsQ8NEON(rows *Weighted, n int, x unsafe.Pointer, blocks int)

//go:noescape
func neuronDotsQ4NEON(rows *Weighted, n int, x unsafe.Pointer, blocks int)

//go:noescape
func neuronTileQ8NEON(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)

//go:noescape
func neuronTileQ4NEON(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)

//go:noescape
func neuronDotQ8Dotprod(codes, scales, x unsafe.Pointer, blocks int) float32

//go:noescape
func neuronDotQ4Dotprod(codes, scales, x unsafe.Pointer, blocks int) float32

//go:noescape
func neuronDotsQ8Dotprod(rows *Weighted, n int, x unsafe.Pointer, blocks int)

//go:noescape
func neuronDotsQ4Dotprod(rows *Weighted, n int, x unsafe.Pointer, blocks int)

//go:noescape
func neuronTileQ8Dotprod(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)

//go:noescape
func neuronTileQ4Dotprod(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)

// neuron_sum_arm64.s

//go:noescape
func neuronSumQ8NEON(y *float32, rows *Weighted, n, blocks int)

//go:noescape
func neuronSumQ4NEON(y *float32, rows *Weighted, n, blocks int)

//go:noescape
func neuronColumnQ8NEON(y *float32, codes, scales unsafe.Pointer, a float32, blocks int)

//go:noescape
func neuronColumnQ4NEON(y *float32, codes, scales unsafe.Pointer, a float32, blocks int)

//go:noescape
func neuronSumQ8Dotprod(y *float32, rows *Weighted, n, blocks int)

//go:noescape
func neuronSumQ4Dotprod(y *float32, rows *Weighted, n, blocks int)

//go:noescape
func neuronColumnQ8Dotprod(y *float32, codes, scales unsafe.Pointer, a float32, blocks int)

//go:noescape
func neuronColumnQ4Dotprod(y *float32, codes, scales unsafe.Pointer, a float32, blocks int)

// neuron_bf16_arm64.s

//go:noescape
func dotBF16NEON(x *float32, w unsafe.Pointer, n int) float32

//go:noescape
func axpyBF16NEON(y *float32, w unsafe.Pointer, a float32, n int)

// neuron_prefetch_arm64.s

//go:noescape
func prefetchNEON(p unsafe.Pointer, bytes int)
