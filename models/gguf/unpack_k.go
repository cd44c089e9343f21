package gguf

// K-quants: super-blocks of 256 elements with one or two f16 scales, cut into
// sub-blocks of 16 or 32 that have small integer scales (and minimums) of
// their own. Design: ggml pull request 1684.

// Q2_K: 16 bytes of scales (low nibble scale, high nibble minimum, one per 16
// elements), 64 bytes of 2-bit q, f16 d, f16 dmin. Value d*scale*q - dmin*min.
// Byte j of each half of q holds elements j, j+32, j+64 and j+96 of that half.
func unpackQ2_K(q []int8, scale, min []float32, src []byte) {
	for ; len(q) > 0; q, scale, min, src = q[256:], scale[16:], min[16:], src[84:] {
		d, dmin := half(src[80:]), half(src[82:])
		for sub := range 16 { // 16 elements each
			scale[sub] = d * float32(src[sub]&15)
			min[sub] = dmin * float32(src[sub]>>4)
			codes, shift := src[16+sub/8*32+sub%2*16:][:16], sub%8/2*2
			for i := 0; i < 16; i += 8 {
				put8(q[sub*16+i:], le.Uint64(codes[i:])>>shift&(3*ones))
			}
		}
	}
}

// Q3_K: 32 bytes of third bits, 64 bytes of 2-bit q laid out as in Q2_K, 12
// bytes of 6-bit scales, f16 d. Value d*(scale-32)*(q-4) with q of 3 bits.
// Bit k of byte j of the third bits belongs to element 32k+j.
func unpackQ3_K(q []int8, scale []float32, src []byte) {
	for ; len(q) > 0; q, scale, src = q[256:], scale[16:], src[110:] {
		packed, d := src[96:108], half(src[108:])
		for sub := range 16 { // 16 elements each
			low := packed[sub%8] >> (sub / 8 * 4) & 15
			high := packed[8+sub%4] >> (sub / 4 * 2) & 3
			scale[sub] = d * float32(int(low|high<<4)-32)
			column, shift := sub%2*16, sub%8/2*2
			third, codes := src[column:][:16], src[32+sub/8*32+column:][:16]
			for i := 0; i < 16; i += 8 {
				x := le.Uint64(codes[i:])>>shift&(3*ones) | le.Uint64(third[i:])>>(sub/2)&ones<<2
				put8(q[sub*16+i:], less(x, 4))
			}
		}
	}
}

// Q4_K: f16 d, f16 dmin, 12 bytes of 6-bit scales and minimums, 128 bytes of
// nibbles. Value d*scale*q - dmin*min. Each 32 bytes hold two sub-blocks of 32,
// the first in the low nibbles.
func unpackQ4_K(q []int8, scale, min []float32, src []byte) {
	for ; len(q) > 0; q, scale, min, src = q[256:], scale[16:], min[16:], src[144:] {
		d, dmin := half(src), half(src[2:])
		for sub := range 8 { // 32 elements each
			s, m := scaleMin(src[4:16], sub)
			both(scale[sub*2:], d*float32(s))
			both(min[sub*2:], dmin*float32(m))
			codes, shift := src[16+sub/2*32:][:32], sub%2*4
			for i := 0; i < 32; i += 8 {
				put8(q[sub*32+i:], le.Uint64(codes[i:])>>shift&(15*ones))
			}
		}
	}
}

// Q5_K: as Q4_K with 32 bytes of fifth bits before the nibbles. Bit k of byte j
// belongs to element 32k+j.
func unpackQ5_K(q []int8, scale, min []float32, src []byte) {
	for ; len(q) > 0; q, scale, min, src = q[256:], scale[16:], min[16:], src[176:] {
		d, dmin, fifth := half(src), half(src[2:]), src[16:48]
		for sub := range 8 { // 32 elements each
			s, m := scaleMin(src[4:16], sub)
			both(scale[sub*2:], d*float32(s))
			both(min[sub*2:], dmin*float32(m))
			codes, shift := src[48+sub/2*32:][:32], sub%2*4
			for i := 0; i < 32; i += 8 {
				x := le.Uint64(codes[i:])>>shift&(15*ones) | le.Uint64(fifth[i:])>>sub&ones<<4
				put8(q[sub*32+i:], x)
			}
		}
	}
}

// scaleMin unpacks the 6-bit scale and minimum of sub-block 0-7. The first four
// stand whole in bytes 0-3 and 4-7; the others have their low nibbles in bytes
// 8-11 and their upper two bits in the spare bits of bytes 0-7.
func scaleMin(packed []byte, sub int) (scale, least byte) {
	if sub < 4 {
		return packed[sub] & 63, packed[sub+4] & 63
	}
	return packed[sub+4]&15 | packed[sub-4]>>6<<4, packed[sub+4]>>4 | packed[sub]>>6<<4
}

// Q6_K: 128 bytes of low nibbles, 64 bytes of upper 2 bits, 16 x int8 scales,
// f16 d. Value d*scale*(q-32). Each half of 128 elements takes 64 bytes of
// nibbles and 32 of upper bits: element 32k+j of it has its nibble in byte
// 32*(k%2)+j (low for k<2) and its upper bits at 2k of byte j.
func unpackQ6_K(q []int8, scale []float32, src []byte) {
	for ; len(q) > 0; q, scale, src = q[256:], scale[16:], src[210:] {
		scales, d := src[192:208], half(src[208:])
		for sub := range 16 { // 16 elements each
			scale[sub] = d * float32(int8(scales[sub]))
			k, column := sub%8/2, sub%2*16
			low := src[sub/8*64+k%2*32+column:][:16]
			high := src[128+sub/8*32+column:][:16]
			for i := 0; i < 16; i += 8 {
				x := le.Uint64(low[i:])>>(k/2*4)&(15*ones) | le.Uint64(high[i:])>>(2*k)&(3*ones)<<4
				put8(q[sub*16+i:], less(x, 32))
			}
		}
	}
}
