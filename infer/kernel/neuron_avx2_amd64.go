package kernel

import "unsafe"

var neuronAVX2 = neuronOps{
	dotQ8: neuronDotQ8AVX2, dotQ4: neuronDotQ4AVX2, dotBF16: dotBF16AVX2,
	dotsQ8: neuronDotsQ8AVX2, dotsQ4: neuronDotsQ4AVX2,
	tileQ8: neuronTileQ8AVX2, tileQ4: neuronTileQ4AVX2,
	sumQ8: neuronSumQ8AVX2, sumQ4: neuronSumQ4AVX2, axpyBF16: axpyBF16AVX2,
	columnQ8: neuronColumnQ8AVX2, columnQ4: neuronColumnQ4AVX2,
	prefetch: prefetchAVX2,
}

// neuron_dot_q8_avx2_amd64.s, neuron_dot_q4_avx2_amd64.s

//go:noescape
func neuronDotsQ8AVX2(rows *Weighted, n int, x unsafe.Pointer, blocks int)

//go:noescape
func neuronDotsQ4AVX2(rows *Weighted, n int, x unsafe.Pointer, blocks int)

//go:noescape
func neuronDotQ8AVX2(codes, scales, x unsafe.Pointer, blocks int) float32

//go:noescape
func neuronDotQ4AVX2(codes, scales, x unsafe.Pointer, blocks int) float32

//go:noescape
func neuronTileQ8AVX2(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)

//go:noescape
func neuronTileQ4AVX2(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)

// neuron_sum_avx2_amd64.s

//go:noescape
func neuronSumQ8AVX2(y *float32, rows *Weighted, n, blocks int)

//go:noescape
func neuronSumQ4AVX2(y *float32, rows *Weighted, n, blocks int)

//go:noescape
func neuronColumnQ8AVX2(y *float32, codes, scales unsafe.Pointer, a float32, blocks int)

//go:noescape
func neuronColumnQ4AVX2(y *float32, codes, scales unsafe.Pointer, a float32, blocks int)

// neuron_bf16_avx2_amd64.s

//go:noescape
func dotBF16AVX2(x *float32, w unsafe.Pointer, n int) float32

//go:noescape
func axpyBF16AVX2(y *float32, w unsafe.Pointer, a float32, n int)

// neuron_prefetch_amd64.s

//go:noescape
func prefetchAVX2(p unsafe.Pointer, bytes int)
