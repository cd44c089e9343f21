package kernel

import "unsafe"

// archLimits are the limits of the variant of that name; the zero value has none.
func archLimits(variant string) limits {
	switch variant {
	case avx512vnniOps.name:
		return limits{
			read:         readLimitAVX2,
			multiplyInt8: int8LimitVNNI, int8MACs: 16 * 64,
			multiplyFloat32: float32LimitAVX512, float32MACs: 16 * 16,
		}
	case avx2Ops.name:
		return limits{
			read:         readLimitAVX2,
			multiplyInt8: int8LimitAVX2, int8MACs: 8 * 6 * 32,
			multiplyFloat32: float32LimitAVX2, float32MACs: 12 * 8,
		}
	}
	return limits{}
}

//go:noescape
func readLimitAVX2(mem unsafe.Pointer, n int) uint64

//go:noescape
func int8LimitAVX2(sums *[16]int32, n int)

//go:noescape
func float32LimitAVX2(sums *[16]float32, n int)

//go:noescape
func int8LimitVNNI(sums *[16]int32, n int)

//go:noescape
func float32LimitAVX512(sums *[16]float32, n int)
