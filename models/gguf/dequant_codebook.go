package gguf

import "math/bits"

// Codebook formats: super-blocks of 256 elements in which a group of 8 elements
// (IQ3: 4) is one index into a codebook of points. Groups of 16 or 32 elements
// share a small integer scale. The codebooks of IQ2 and IQ3 hold magnitudes;
// signs stand beside them, a bit per element (bit i for element i of 8). Where
// a format stores 7 of 8 signs, the last makes the number of negative elements
// even. All values are products of few bits, so float32 holds them exactly.
// Design: llama.cpp pull requests 4773 (IQ2), 5196 (IQ3) and 5453 (IQ1).

// IQ2_XXS: f16 d, then per 32 elements 4 bytes of indices and a u32 of four
// times 7 signs and, on top, a 4-bit scale. Value d*(scale+1/2)/4*point.
func dequantIQ2_XXS(dst []float32, src []byte) {
	book := iq2xxsBook()
	for ; len(dst) > 0; dst, src = dst[256:], src[66:] {
		d := half(src)
		for sub := range 8 { // 32 elements each
			q := src[2+sub*8:][:8]
			signs := le.Uint32(q[4:])
			scale := d * (0.5 + float32(signs>>28)) * 0.25
			for i := range 4 {
				put8(dst[sub*32+i*8:], scale, &book[q[i]], evenSigns(signs>>(7*i)))
			}
		}
	}
}

// IQ2_XS: f16 d, 32 x u16 (9-bit index, 7 signs), 8 bytes of 4-bit scales, one
// per 16 elements, the first in the low nibble. Value as in IQ2_XXS.
func dequantIQ2_XS(dst []float32, src []byte) {
	book := iq2xsBook()
	for ; len(dst) > 0; dst, src = dst[256:], src[74:] {
		d, scales := half(src), src[66:74]
		for i := range 32 { // 8 elements each
			q := le.Uint16(src[2+i*2:])
			scale := d * (0.5 + float32(scales[i/4]>>(i/2%2*4)&15)) * 0.25
			put8(dst[i*8:], scale, &book[q&511], evenSigns(uint32(q>>9)))
		}
	}
}

// IQ2_S: f16 d, 32 bytes with the low bits of 10-bit indices, 32 bytes of
// signs, 8 bytes with the upper index bits (four times 2, lowest first), scales
// and value as in IQ2_XS.
func dequantIQ2_S(dst []float32, src []byte) {
	book := iq2sBook()
	for ; len(dst) > 0; dst, src = dst[256:], src[82:] {
		d, low, signs, high, scales := half(src), src[2:34], src[34:66], src[66:74], src[74:82]
		for i := range 32 { // 8 elements each
			index := int(low[i]) | int(high[i/4]>>(i%4*2)&3)<<8
			scale := d * (0.5 + float32(scales[i/4]>>(i/2%2*4)&15)) * 0.25
			put8(dst[i*8:], scale, &book[index], signs[i])
		}
	}
}

// IQ3_XXS: f16 d, 64 bytes of indices of 4 elements each, then per 32 elements
// a u32 of signs and scale as in IQ2_XXS. Value d*(scale+1/2)/2*point.
func dequantIQ3_XXS(dst []float32, src []byte) {
	book := iq3xxsBook()
	for ; len(dst) > 0; dst, src = dst[256:], src[98:] {
		d := half(src)
		for sub := range 8 { // 32 elements each
			q := src[2+sub*8:][:8]
			signs := le.Uint32(src[66+sub*4:])
			scale := d * (0.5 + float32(signs>>28)) * 0.5
			for i := range 4 {
				s := evenSigns(signs >> (7 * i))
				put4(dst[sub*32+i*8:], scale, &book[q[2*i]], s)
				put4(dst[sub*32+i*8+4:], scale, &book[q[2*i+1]], s>>4)
			}
		}
	}
}

// IQ3_S: f16 d, 64 bytes with the low bits of 9-bit indices of 4 elements each,
// 8 bytes with their ninth bits, 32 bytes of signs, 4 bytes of 4-bit scales, one
// per 32 elements. Value d*(2*scale+1)*point.
func dequantIQ3_S(dst []float32, src []byte) {
	book := iq3sBook()
	for ; len(dst) > 0; dst, src = dst[256:], src[110:] {
		d, low, ninth, signs, scales := half(src), src[2:66], src[66:74], src[74:106], src[106:110]
		for i := range 64 { // 4 elements each
			index := int(low[i]) | int(ninth[i/8]>>(i%8)&1)<<8
			scale := d * float32(2*(scales[i/16]>>(i/8%2*4)&15)+1)
			put4(dst[i*4:], scale, &book[index], signs[i/2]>>(i%2*4))
		}
	}
}

// iq1Delta is added to all coordinates of a ternary point of IQ1, or taken from
// them: a bit per group says which.
const iq1Delta = 0.125

// IQ1_S: f16 d, 32 bytes with the low bits of 11-bit indices, then per 32
// elements a u16: four times 3 upper index bits, a 3-bit scale, and on top
// whether iq1Delta is negative. Value d*(2*scale+1)*(point+delta).
func dequantIQ1_S(dst []float32, src []byte) {
	book := iq1Book()
	for ; len(dst) > 0; dst, src = dst[256:], src[50:] {
		d := half(src)
		for sub := range 8 { // 32 elements each
			q, high := src[2+sub*4:][:4], le.Uint16(src[34+sub*2:])
			scale := d * float32(2*(high>>12&7)+1)
			for i := range 4 {
				index := int(q[i]) | int(high>>(3*i)&7)<<8
				put1(dst[sub*32+i*8:], scale, &book[index], high>>15 != 0)
			}
		}
	}
}

// IQ1_M: 32 bytes with the low bits of 11-bit indices, 16 bytes of nibbles (3
// upper index bits and whether iq1Delta is negative), 4 x u16 of four 3-bit
// scales, one per 16 elements, whose top nibbles together are the f16 d, lowest
// first. Value as in IQ1_S.
func dequantIQ1_M(dst []float32, src []byte) {
	book := iq1Book()
	for ; len(dst) > 0; dst, src = dst[256:], src[56:] {
		low, nibbles, scales := src[:32], src[32:48], src[48:56]
		var dBits uint16
		for i := range 4 {
			dBits |= le.Uint16(scales[2*i:]) >> 12 << (4 * i)
		}
		d := F16ToF32(dBits)
		for i := range 32 { // 8 elements each
			nibble := nibbles[i/2] >> (i % 2 * 4)
			index := int(low[i]) | int(nibble&7)<<8
			scale := d * float32(2*(le.Uint16(scales[i/8*2:])>>(i/2%4*3)&7)+1)
			put1(dst[i*8:], scale, &book[index], nibble&8 != 0)
		}
	}
}

// evenSigns completes the lowest 7 bits of s with an eighth that makes the
// number of ones even.
func evenSigns(s uint32) byte {
	return byte(s&127) | byte(bits.OnesCount32(s&127)&1)<<7
}

// put8 writes scale*point, negated where signs has a bit.
func put8(dst []float32, scale float32, point *[8]int8, signs byte) {
	dst = dst[:8]
	for i, x := range point {
		dst[i] = scale * signedBy(x, signs>>i)
	}
}

// put4 is put8 for four elements and the lowest four signs.
func put4(dst []float32, scale float32, point *[4]int8, signs byte) {
	dst = dst[:4]
	for i, x := range point {
		dst[i] = scale * signedBy(x, signs>>i)
	}
}

// signedBy negates x if the lowest bit of s is set. Signs are random, so a
// branch would be guessed wrong half the time.
func signedBy(x int8, s byte) float32 {
	mask := -int32(s & 1)
	return float32((int32(x) ^ mask) - mask)
}

// put1 writes scale*(point+delta).
func put1(dst []float32, scale float32, point *[8]int8, down bool) {
	delta := float32(iq1Delta)
	if down {
		delta = -delta
	}
	dst = dst[:8]
	for i, x := range point {
		dst[i] = scale * (float32(x) + delta)
	}
}
