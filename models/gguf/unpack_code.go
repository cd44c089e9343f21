package gguf

import "math"

// Formats whose codes are looked up or counted rather than scaled: 4-bit codes
// of unevenly spaced values, microscaling floats, and ternary digits.

// Codebook returns the values that the 4-bit codes of IQ4_NL, IQ4_XS and MXFP4
// stand for, in Unpack's integers: q is table[code]. For other types ok is
// false.
func (t Type) Codebook() (table [16]int8, ok bool) {
	switch t {
	case IQ4_NL, IQ4_XS:
		return iq4Values, true
	case MXFP4:
		return fp4Values, true
	}
	return table, false
}

// iq4Values are the 16 values of IQ4_NL and IQ4_XS: dense around zero, where
// weights are.
var iq4Values = [16]int8{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}

// fp4Values are the 4-bit floats (1 sign, 2 exponent, 1 mantissa bit), doubled
// to be whole. Both zeros are +0, as in ggml.
var fp4Values = [16]int8{0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12}

var (
	iq4Pairs = pairs(iq4Values)
	fp4Pairs = pairs(fp4Values)
)

// pairs is a codebook for two codes at once: its index has the first code in the
// low nibble, its entries the first value in the low byte.
func pairs(table [16]int8) (p [256]uint16) {
	for i := range p {
		p[i] = uint16(uint8(table[i&15])) | uint16(table[i>>4])<<8
	}
	return p
}

// lookUp writes the values of 32 codes, which lie as in Q4_0.
func lookUp(q []int8, table *[256]uint16, codes []byte) {
	for i := 0; i < 16; i += 8 {
		x := le.Uint64(codes[i:])
		put8(q[i:], lookUp8(table, x&(15*ones)))
		put8(q[i+16:], lookUp8(table, x>>4&(15*ones)))
	}
}

// lookUp8 gives the values of eight codes, one a byte.
func lookUp8(table *[256]uint16, x uint64) uint64 {
	x |= x >> 4 // now every other byte is an index
	return uint64(table[byte(x)]) | uint64(table[byte(x>>16)])<<16 |
		uint64(table[byte(x>>32)])<<32 | uint64(table[byte(x>>48)])<<48
}

// IQ4_NL: f16 scale d, nibbles as in Q4_0. Value d*iq4Values[code].
func unpackIQ4_NL(q []int8, scale []float32, src []byte) {
	for ; len(q) > 0; q, scale, src = q[32:], scale[2:], src[18:] {
		both(scale, half(src))
		lookUp(q, &iq4Pairs, src[2:])
	}
}

// IQ4_XS: f16 d, u16 with the upper 2 bits of eight 6-bit scales, 4 bytes with
// their low nibbles, 128 bytes of codes: eight times 16 bytes for 32 elements,
// as in Q4_0. Value d*(scale-32)*iq4Values[code].
func unpackIQ4_XS(q []int8, scale []float32, src []byte) {
	for ; len(q) > 0; q, scale, src = q[256:], scale[16:], src[136:] {
		d, high, low := half(src), le.Uint16(src[2:]), src[4:8]
		for sub := range 8 { // 32 elements each
			s := int(low[sub/2]>>(sub%2*4)&15) | int(high>>(2*sub)&3)<<4
			both(scale[sub*2:], d*float32(s-32))
			lookUp(q[sub*32:], &iq4Pairs, src[8+sub*16:])
		}
	}
}

// MXFP4 (OCP microscaling): 1 byte exponent e, nibbles as in Q4_0. Value
// 2^(e-128)*fp4Values[code], the halved scale making up for the doubled values.
func unpackMXFP4(q []int8, scale []float32, src []byte) {
	for ; len(q) > 0; q, scale, src = q[32:], scale[2:], src[17:] {
		both(scale, float32(math.Float64frombits((uint64(src[0])+1023-128)<<52)))
		lookUp(q, &fp4Pairs, src[1:])
	}
}

// TQ1_0: 48 bytes of five ternary digits each, 4 bytes of four, f16 d. Value
// d*(digit-1). A byte holds its digits as a fraction of 256: multiplying by a
// power of three (mod 256) brings a digit to the front. Digit n of byte j is
// element 32n+j for the first 32 bytes, 160+16n+j for the next 16, and
// 240+4n+j for the last 4.
func unpackTQ1_0(q []int8, scale []float32, src []byte) {
	for ; len(q) > 0; q, scale, src = q[256:], scale[16:], src[54:] {
		d := half(src[52:])
		for sub := range 16 {
			scale[sub] = d
		}
		ternaryDigits(q[:160], src[:32])
		ternaryDigits(q[160:240], src[32:48])
		ternaryDigits(q[240:256], src[48:52])
	}
}

func ternaryDigits(q []int8, packed []byte) {
	for power := byte(1); len(q) > 0; power *= 3 {
		for i, b := range packed {
			q[i] = int8(uint16(b*power)*3>>8) - 1
		}
		q = q[len(packed):]
	}
}

// TQ2_0: 64 bytes of four 2-bit digits each, f16 d. Value d*(digit-1). Bits 2k
// of byte j in each half of 32 bytes belong to element 32k+j of that half.
func unpackTQ2_0(q []int8, scale []float32, src []byte) {
	for ; len(q) > 0; q, scale, src = q[256:], scale[16:], src[66:] {
		d := half(src[64:])
		for sub := range 8 { // 32 elements each
			both(scale[sub*2:], d)
			codes, shift := src[sub/4*32:][:32], sub%4*2
			for i := 0; i < 32; i += 8 {
				put8(q[sub*32+i:], less(le.Uint64(codes[i:])>>shift&(3*ones), 1))
			}
		}
	}
}
