package gguf

import "math"

// plainValue is element i of one block, computed as the format's definition
// reads and with no thought of speed. It is what Unpack is tested against and
// shares only the codebooks with it.
func plainValue(t Type, b []byte, i int) float32 {
	half := func(at int) float32 { return F16ToF32(le.Uint16(b[at:])) }
	bit := func(at, n int) int { return int(b[at+n/8]) >> (n % 8) & 1 } // bit n of the bytes from at
	nibble := func(at, n int) int { return int(b[at+n/2]) >> (n % 2 * 4) & 15 }
	split := func(at int) int { return int(b[at+i%16]) >> (i / 16 % 2 * 4) & 15 } // of 32 elements in 16 bytes
	minus := func(scale float32, q int, min float32) float32 { return float32(scale*float32(q)) - min }

	sub, column, half128 := i/32, i%32, i/128 // of a super-block
	switch t {
	case Q8_0:
		return half(0) * float32(int8(b[2+i]))
	case Q4_0:
		return half(0) * float32(split(2)-8)
	case Q4_1:
		return minus(half(0), split(4), -half(2))
	case Q5_0:
		return half(0) * float32(split(6)+16*bit(2, i)-16)
	case Q5_1:
		return minus(half(0), split(8)+16*bit(4, i), -half(2))
	case Q2_K:
		scales := b[i/16]
		q := b[16+32*half128+column] >> (sub % 4 * 2) & 3
		return minus(half(80)*float32(scales&15), int(q), half(82)*float32(scales>>4))
	case Q3_K:
		n := i / 16
		scale := nibble(96, n%8*2+n/8) + 16*(int(b[104+n%4])>>(n/4*2)&3)
		q := int(b[32+32*half128+column])>>(sub%4*2)&3 + 4*bit(column, sub)
		return half(108) * float32(scale-32) * float32(q-4)
	case Q4_K, Q5_K:
		var scale, min int
		if sub < 4 {
			scale, min = int(b[4+sub])%64, int(b[8+sub])%64
		} else {
			scale = int(b[8+sub])%16 + int(b[sub])/64*16
			min = int(b[8+sub])/16 + int(b[4+sub])/64*16
		}
		codes, fifth := 16, 0
		if t == Q5_K {
			codes, fifth = 48, bit(16+column, sub)
		}
		q := int(b[codes+sub/2*32+column])>>(sub%2*4)&15 + 16*fifth
		return minus(half(0)*float32(scale), q, half(2)*float32(min))
	case Q6_K:
		k := sub % 4
		low := int(b[64*half128+k%2*32+column]) >> (k / 2 * 4) & 15
		high := int(b[128+32*half128+column]) >> (2 * k) & 3
		return half(208) * float32(int8(b[192+i/16])) * float32(low+16*high-32)
	case IQ4_NL:
		return half(0) * float32(iq4Values[split(2)])
	case IQ4_XS:
		scale := nibble(4, sub) + 16*(int(le.Uint16(b[2:]))>>(2*sub)&3)
		return half(0) * float32(scale-32) * float32(iq4Values[split(8+16*sub)])
	case MXFP4:
		return float32(math.Ldexp(float64(fp4Values[split(1)]), int(b[0])-128))
	case TQ1_0:
		at, digit := i%32, i/32
		switch {
		case i >= 240:
			at, digit = 48+(i-240)%4, (i-240)/4
		case i >= 160:
			at, digit = 32+(i-160)%16, (i-160)/16
		}
		fraction := int(b[at])
		for range digit {
			fraction = fraction * 3 % 256
		}
		return half(52) * float32(fraction*3/256-1)
	case TQ2_0:
		return half(64) * float32(int(b[32*half128+column])>>(sub%4*2)&3-1)
	}
	return plainCodebookValue(t, b, i)
}

// plainCodebookValue is plainValue for IQ1, IQ2 and IQ3.
func plainCodebookValue(t Type, b []byte, i int) float32 {
	half := func(at int) float32 { return F16ToF32(le.Uint16(b[at:])) }
	group, sub := i/8, i/32
	quarters := func(s int) float32 { return (float32(s) + 0.5) / 4 }
	nibble := func(at, n int) int { return int(b[at+n/2]) >> (n % 2 * 4) & 15 }
	sign := func(signs byte) float32 { return 1 - 2*float32(signs>>(i%8)&1) }
	coordinate8 := func(book []uint64, n int) float32 { return float32(book[n] >> (i % 8 * 8) & 255) }
	coordinate4 := func(book []uint32, n int) float32 { return float32(book[n] >> (i % 4 * 8) & 255) }
	iq1 := func(d float32, scale, n int, down bool) float32 {
		point := coordinate8(iq1Book(), n)/8 - 1
		if down {
			return d * float32(2*scale+1) * (point - 0.125)
		}
		return d * float32(2*scale+1) * (point + 0.125)
	}

	switch t {
	case IQ2_XXS:
		word := le.Uint32(b[2+8*sub+4:])
		signs := evenSigns(word >> (group % 4 * 7))
		return half(0) * quarters(int(word>>28)) * coordinate8(iq2xxsBook(), int(b[2+8*sub+group%4])) * sign(signs)
	case IQ2_XS:
		code := le.Uint16(b[2+2*group:])
		return half(0) * quarters(nibble(66, i/16)) * coordinate8(iq2xsBook(), int(code%512)) * sign(evenSigns(uint32(code/512)))
	case IQ2_S:
		n := int(b[2+group]) + 256*(int(b[66+sub])>>(group%4*2)&3)
		return half(0) * quarters(nibble(74, i/16)) * coordinate8(iq2sBook(), n) * sign(b[34+group])
	case IQ3_XXS:
		word := le.Uint32(b[66+4*sub:])
		signs := evenSigns(word >> (group % 4 * 7))
		return half(0) * 2 * quarters(int(word>>28)) * coordinate4(iq3xxsBook(), int(b[2+i/4])) * sign(signs)
	case IQ3_S:
		n := int(b[2+i/4]) + 256*(int(b[66+sub])>>(i/4%8)&1)
		return half(0) * float32(2*nibble(106, sub)+1) * coordinate4(iq3sBook(), n) * sign(b[74+group])
	case IQ1_S:
		word := int(le.Uint16(b[34+2*sub:]))
		n := int(b[2+group]) + 256*(word>>(group%4*3)&7)
		return iq1(half(0), word>>12&7, n, word>>15 == 1)
	case IQ1_M:
		word := func(k int) int { return int(le.Uint16(b[48+2*k:])) }
		d := F16ToF32(uint16(word(0)>>12 | word(1)>>12<<4 | word(2)>>12<<8 | word(3)>>12<<12))
		n := int(b[group]) + 256*(nibble(32, group)&7)
		return iq1(d, word(i/64)>>(i/16%4*3)&7, n, nibble(32, group) >= 8)
	}
	return float32(math.NaN())
}
