package kernel

import "unsafe"

var neuronAVX512VNNI = neuronOps{
	dotQ8: neuronDotQ8VNNI, dotQ4: neuronDotQ4VNNI, dotBF16: dotBF16AVX2,
	dotsQ8: neuronDotsQ8VNNI, dotsQ4: neuronDotsQ4VNNI,
	tileQ8: neuronTileQ8VNNI, tileQ4: neuronTileQ4VNNI,
	sumQ8: neuronSumQ8AVX512, sumQ4: neuronSumQ4AVX512, axpyBF16: axpyBF16AVX2,
	columnQ8: neuronColumnQ8AVX512, columnQ4: neuronColumnQ4AVX512,
	prefetch: prefetchAVX2,
}

// neuron_dot_vnni_amd64.s

//go:noescape
func neuronDotQ8VNNI(codes, scales, x unsafe.Pointer, blocks int) float32

//go:noescape
func neuronDotQ4VNNI(codes, scales, x unsafe.Pointer, blocks int) float32

//go:noescape
func neuronDotsQ8VNNI(rows *Weighted, n int, x unsafe.Pointer, blocks int)

//go:noescape
func neuronDotsQ4VNNI(rows *Weighted, n int, x unsafe.Pointer, blocks int)

//go:noescape
func neuronTileQ8VNNI(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)

//go:noescape
func neuronTileQ4VNNI(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)

// neuron_sum_avx512_amd64.s

//go:noescape
func neuronSumQ8AVX512(y *float32, rows *Weighted, n, blocks int)

//go:noescape
func neuronSumQ4AVX512(y *float32, rows *Weighted, n, blocks int)

//go:noescape
func neuronColumnQ8AVX512(y *float32, codes, scales unsafe.Pointer, a float32, blocks int)

//go:noescape
func neuronColumnQ4AVX512(y *float32, codes, scales unsafe.Pointer, a float32, blocks int)
