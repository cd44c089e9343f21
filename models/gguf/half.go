package gguf

import "math"

// F16ToF32 converts an IEEE 754 half. It is exact; NaNs become quiet.
func F16ToF32(h uint16) float32 {
	// Taken as the top of a float32, a half has its exponent too low by 112.
	// The product mends that, for subnormal halves too.
	sign := uint32(h&0x8000) << 16
	b := math.Float32bits(math.Float32frombits(uint32(h&0x7fff)<<13) * 0x1p112)
	if h&0x7c00 == 0x7c00 { // infinity or NaN
		b |= 0x7f800000
		if b != 0x7f800000 {
			b |= 0x400000
		}
	}
	return math.Float32frombits(sign | b)
}

// F32ToF16 converts to an IEEE 754 half, rounding to nearest even. Values past
// the largest half become infinite; NaNs keep the top of their payload.
func F32ToF16(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b>>16) & 0x8000
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000: // NaN
		return sign | 0x7e00 | uint16(b>>13)&0x3ff
	case b >= 0x47800000: // 65536 and up, and infinity
		return sign | 0x7c00
	case b < 0x38800000: // below 2^-14: subnormal
		// Adding 1/2 puts the unit 2^-24 at the last bit of a float32, so the
		// addition rounds as the half would.
		return sign | uint16(math.Float32bits(math.Float32frombits(b)+0.5)-math.Float32bits(0.5))
	}
	// Round away 13 bits; a carry runs on into the exponent, up to infinity.
	b += 0xfff + b>>13&1
	return sign | uint16(b>>13-112<<10)
}

// BF16ToF32 converts a bfloat16, the upper half of a float32.
func BF16ToF32(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// F32ToBF16 converts to bfloat16, rounding to nearest even. NaNs stay NaNs.
func F32ToBF16(f float32) uint16 {
	b := math.Float32bits(f)
	if b&0x7fffffff > 0x7f800000 {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}
