package kernel

import "unsafe"

// archLimits are the limits of the variant of that name; the zero value has none.
func archLimits(variant string) limits {
	neon := limits{
		read:         readLimitNEON,
		multiplyInt8: int8LimitNEON, int8MACs: 8 * 8 * 8,
		multiplyFloat32: float32LimitNEON, float32MACs: 16 * 4,
	}
	switch variant {
	case "neon":
		return neon
	case "dotprod":
		dotprod := neon
		dotprod.multiplyInt8, dotprod.int8MACs = int8LimitDotprod, 16*16
		return dotprod
	case "i8mm":
		i8mm := neon
		i8mm.multiplyInt8, i8mm.int8MACs = int8LimitI8MM, 16*32
		return i8mm
	}
	return limits{}
}

//go:noescape
func readLimitNEON(mem unsafe.Pointer, n int) uint64

//go:noescape
func int8LimitNEON(sums *[16]int32, n int)

//go:noescape
func int8LimitDotprod(sums *[16]int32, n int)

//go:noescape
func float32LimitNEON(sums *[16]float32, n int)

//go:noescape
func int8LimitI8MM(sums *[16]int32, n int)
