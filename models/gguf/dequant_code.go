package gguf

import "math"

// Formats whose codes are looked up or counted rather than scaled: 4-bit codes
// of unevenly spaced values, microscaling floats, and ternary digits.

// iq4Values are the 16 values of IQ4_NL and IQ4_XS: dense around zero, where
// weights are.
var iq4Values = [16]float32{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}

// IQ4_NL: f16 scale d, nibbles as in Q4_0. Value d*iq4Values[q].
func dequantIQ4_NL(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[32:], src[18:] {
		d := half(src)
		for i, b := range src[2:18] {
			dst[i] = d * iq4Values[b&15]
			dst[i+16] = d * iq4Values[b>>4]
		}
	}
}

// IQ4_XS: f16 d, u16 with the upper 2 bits of eight 6-bit scales, 4 bytes with
// their low nibbles, 128 bytes of codes: eight times 16 bytes for 32 elements,
// as in Q4_0. Value d*(scale-32)*iq4Values[q].
func dequantIQ4_XS(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[256:], src[136:] {
		d, high, low := half(src), le.Uint16(src[2:]), src[4:8]
		for sub := range 8 { // 32 elements each
			s := int(low[sub/2]>>(sub%2*4)&15) | int(high>>(2*sub)&3)<<4
			scale := d * float32(s-32)
			for i, b := range src[8+sub*16:][:16] {
				dst[sub*32+i] = scale * iq4Values[b&15]
				dst[sub*32+i+16] = scale * iq4Values[b>>4]
			}
		}
	}
}

// fp4Values are the 4-bit floats (1 sign, 2 exponent, 1 mantissa bit), doubled
// to be whole.
var fp4Values = [16]float32{0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12}

// MXFP4 (OCP microscaling): 1 byte exponent e, nibbles as in Q4_0. Value
// 2^(e-128)*fp4Values[q], the halved scale making up for the doubled values.
func dequantMXFP4(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[32:], src[17:] {
		d := float32(math.Ldexp(1, int(src[0])-128))
		for i, b := range src[1:17] {
			dst[i] = d * fp4Values[b&15]
			dst[i+16] = d * fp4Values[b>>4]
		}
	}
}

// TQ1_0: 48 bytes of five ternary digits each, 4 bytes of four, f16 d. Value
// d*(digit-1). A byte holds its digits as a fraction of 256: multiplying by a
// power of three (mod 256) brings a digit to the front. Digit n of byte j is
// element 32n+j for the first 32 bytes, 160+16n+j for the next 16, and
// 240+4n+j for the last 4.
func dequantTQ1_0(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[256:], src[54:] {
		d := half(src[52:])
		ternaryDigits(dst[:160], src[:32], d)
		ternaryDigits(dst[160:240], src[32:48], d)
		ternaryDigits(dst[240:256], src[48:52], d)
	}
}

func ternaryDigits(dst []float32, packed []byte, d float32) {
	for power := byte(1); len(dst) > 0; power *= 3 {
		for i, b := range packed {
			dst[i] = d * float32(int(uint16(b*power)*3>>8)-1)
		}
		dst = dst[len(packed):]
	}
}

// TQ2_0: 64 bytes of four 2-bit digits each, f16 d. Value d*(digit-1). Bits 2k
// of byte j in each half of 32 bytes belong to element 32k+j of that half.
func dequantTQ2_0(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[256:], src[66:] {
		d := half(src[64:])
		for sub := range 8 { // 32 elements each
			for i, b := range src[sub/4*32:][:32] {
				dst[sub*32+i] = d * float32(int(b>>(sub%4*2)&3)-1)
			}
		}
	}
}
