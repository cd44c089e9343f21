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
func unpackIQ2_XXS(q []int8, scale []float32, src []byte) {
	book := iq2xxsBook()
	for ; len(q) > 0; q, scale, src = q[256:], scale[16:], src[66:] {
		d := half(src)
		for sub := range 8 { // 32 elements each
			group := src[2+sub*8:][:8]
			signs := le.Uint32(group[4:])
			both(scale[sub*2:], d*(0.5+float32(signs>>28))*0.25)
			for i := range 4 {
				put8(q[sub*32+i*8:], signed8(book[group[i]], evenSigns(signs>>(7*i))))
			}
		}
	}
}

// IQ2_XS: f16 d, 32 x u16 (9-bit index, 7 signs), 8 bytes of 4-bit scales, one
// per 16 elements, the first in the low nibble. Value as in IQ2_XXS.
func unpackIQ2_XS(q []int8, scale []float32, src []byte) {
	book := iq2xsBook()
	for ; len(q) > 0; q, scale, src = q[256:], scale[16:], src[74:] {
		iq2Scales(scale, half(src), src[66:74])
		for i := range 32 { // 8 elements each
			code := le.Uint16(src[2+i*2:])
			put8(q[i*8:], signed8(book[code&511], evenSigns(uint32(code>>9))))
		}
	}
}

// IQ2_S: f16 d, 32 bytes with the low bits of 10-bit indices, 32 bytes of
// signs, 8 bytes with the upper index bits (four times 2, lowest first), scales
// and value as in IQ2_XS.
func unpackIQ2_S(q []int8, scale []float32, src []byte) {
	book := iq2sBook()
	for ; len(q) > 0; q, scale, src = q[256:], scale[16:], src[82:] {
		iq2Scales(scale, half(src), src[74:82])
		low, signs, high := src[2:34], src[34:66], src[66:74]
		for i := range 32 { // 8 elements each
			index := int(low[i]) | int(high[i/4]>>(i%4*2)&3)<<8
			put8(q[i*8:], signed8(book[index], signs[i]))
		}
	}
}

// iq2Scales unpacks the scales of IQ2_XS and IQ2_S, two to a byte.
func iq2Scales(scale []float32, d float32, packed []byte) {
	for i, b := range packed {
		scale[2*i] = d * (0.5 + float32(b&15)) * 0.25
		scale[2*i+1] = d * (0.5 + float32(b>>4)) * 0.25
	}
}

// IQ3_XXS: f16 d, 64 bytes of indices of 4 elements each, then per 32 elements
// a u32 of signs and scale as in IQ2_XXS. Value d*(scale+1/2)/2*point.
func unpackIQ3_XXS(q []int8, scale []float32, src []byte) {
	book := iq3xxsBook()
	for ; len(q) > 0; q, scale, src = q[256:], scale[16:], src[98:] {
		d := half(src)
		for sub := range 8 { // 32 elements each
			group, signs := src[2+sub*8:][:8], le.Uint32(src[66+sub*4:])
			both(scale[sub*2:], d*(0.5+float32(signs>>28))*0.5)
			for i := range 4 {
				points := uint64(book[group[2*i]]) | uint64(book[group[2*i+1]])<<32
				put8(q[sub*32+i*8:], signed8(points, evenSigns(signs>>(7*i))))
			}
		}
	}
}

// IQ3_S: f16 d, 64 bytes with the low bits of 9-bit indices of 4 elements each,
// 8 bytes with their ninth bits, 32 bytes of signs, 4 bytes of 4-bit scales, one
// per 32 elements. Value d*(2*scale+1)*point.
func unpackIQ3_S(q []int8, scale []float32, src []byte) {
	book := iq3sBook()
	for ; len(q) > 0; q, scale, src = q[256:], scale[16:], src[110:] {
		d, low, ninth, signs, scales := half(src), src[2:66], src[66:74], src[74:106], src[106:110]
		for sub := range 8 { // 32 elements each
			both(scale[sub*2:], d*float32(2*(scales[sub/2]>>(sub%2*4)&15)+1))
		}
		for i := range 32 { // 8 elements each
			high := int(ninth[i/4]) >> (i % 4 * 2)
			points := uint64(book[int(low[2*i])|high&1<<8]) | uint64(book[int(low[2*i+1])|high>>1&1<<8])<<32
			put8(q[i*8:], signed8(points, signs[i]))
		}
	}
}

// IQ1_S: f16 d, 32 bytes with the low bits of 11-bit indices, then per 32
// elements a u16: four times 3 upper index bits, a 3-bit scale, and on top
// the sign of delta. Value d*(2*scale+1)*(point+delta), delta being 1/8 or -1/8.
func unpackIQ1_S(q []int8, scale []float32, src []byte) {
	book := iq1Book()
	for ; len(q) > 0; q, scale, src = q[256:], scale[16:], src[50:] {
		d := half(src)
		for sub := range 8 { // 32 elements each
			low, high := src[2+sub*4:][:4], le.Uint16(src[34+sub*2:])
			both(scale[sub*2:], iq1Scale(d, high>>12))
			for i := range 4 {
				index := int(low[i]) | int(high>>(3*i)&7)<<8
				put8(q[sub*32+i*8:], shifted(book[index], byte(high>>15)))
			}
		}
	}
}

// IQ1_M: 32 bytes with the low bits of 11-bit indices, 16 bytes of nibbles (3
// upper index bits and the sign of delta), 4 x u16 of four 3-bit scales, one
// per 16 elements, whose top nibbles together are the f16 d, lowest first.
// Value as in IQ1_S.
func unpackIQ1_M(q []int8, scale []float32, src []byte) {
	book := iq1Book()
	for ; len(q) > 0; q, scale, src = q[256:], scale[16:], src[56:] {
		low, nibbles, scales := src[:32], src[32:48], src[48:56]
		var dBits uint16
		for i := range 4 {
			dBits |= le.Uint16(scales[2*i:]) >> 12 << (4 * i)
		}
		d := F16ToF32(dBits)
		for sub := range 16 { // 16 elements each
			scale[sub] = iq1Scale(d, le.Uint16(scales[sub/4*2:])>>(sub%4*3))
		}
		for i := range 32 { // 8 elements each
			nibble := nibbles[i/2] >> (i % 2 * 4)
			index := int(low[i]) | int(nibble&7)<<8
			put8(q[i*8:], shifted(book[index], nibble>>3&1))
		}
	}
}

// evenSigns completes the lowest 7 bits of s with an eighth that makes the
// number of ones even.
func evenSigns(s uint32) byte {
	return byte(s&127) | byte(bits.OnesCount32(s&127)&1)<<7
}

// signed8 negates byte i of the points where bit i of signs is set. No magnitude
// is 0, so that adding 1 to a complement never carries into the next byte.
func signed8(points uint64, signs byte) uint64 {
	negative := spread(signs)
	return points ^ negative*0xff + negative
}

// iq1Scale is an eighth of the scale of IQ1, because shifted gives eight times
// the point.
func iq1Scale(d float32, s uint16) float32 { return d * float32(2*(s&7)+1) * 0.125 }

// shifted is 8*(point+delta), where down (0 or 1) is the sign of delta and the
// book has 8*(point+1): 9 more than the result, or 7.
func shifted(point uint64, down byte) uint64 {
	return less(point+(2-2*uint64(down))*ones, 9)
}
