package gguf

// Formats in blocks of 32 elements with one scale.

// Q8_0: f16 scale d, 32 x int8 q. Value d*q.
func unpackQ8_0(q []int8, scale []float32, src []byte) {
	for ; len(q) > 0; q, scale, src = q[32:], scale[2:], src[34:] {
		both(scale, half(src))
		for i := 0; i < 32; i += 8 {
			put8(q[i:], le.Uint64(src[2+i:]))
		}
	}
}

// Q4_0: f16 scale d, 16 bytes; the low nibbles are elements 0-15, the high
// ones 16-31. Value d*(q-8).
func unpackQ4_0(q []int8, scale []float32, src []byte) {
	for ; len(q) > 0; q, scale, src = q[32:], scale[2:], src[18:] {
		both(scale, half(src))
		for i := 0; i < 16; i += 8 {
			x := le.Uint64(src[2+i:])
			put8(q[i:], less(x&(15*ones), 8))
			put8(q[i+16:], less(x>>4&(15*ones), 8))
		}
	}
}

// Q4_1: f16 scale d, f16 minimum m, nibbles as in Q4_0. Value d*q+m.
func unpackQ4_1(q []int8, scale, min []float32, src []byte) {
	for ; len(q) > 0; q, scale, min, src = q[32:], scale[2:], min[2:], src[20:] {
		both(scale, half(src))
		both(min, -half(src[2:]))
		for i := 0; i < 16; i += 8 {
			x := le.Uint64(src[4+i:])
			put8(q[i:], x&(15*ones))
			put8(q[i+16:], x>>4&(15*ones))
		}
	}
}

// Q5_0: f16 scale d, u32 of fifth bits (bit i for element i), nibbles as in
// Q4_0. Value d*(q-16).
func unpackQ5_0(q []int8, scale []float32, src []byte) {
	for ; len(q) > 0; q, scale, src = q[32:], scale[2:], src[22:] {
		both(scale, half(src))
		for i := 0; i < 16; i += 8 {
			x, fifth := le.Uint64(src[6+i:]), src[2+i/8:]
			put8(q[i:], less(x&(15*ones)|spread(fifth[0])<<4, 16))
			put8(q[i+16:], less(x>>4&(15*ones)|spread(fifth[2])<<4, 16))
		}
	}
}

// Q5_1: f16 scale d, f16 minimum m, fifth bits and nibbles as in Q5_0.
// Value d*q+m.
func unpackQ5_1(q []int8, scale, min []float32, src []byte) {
	for ; len(q) > 0; q, scale, min, src = q[32:], scale[2:], min[2:], src[24:] {
		both(scale, half(src))
		both(min, -half(src[2:]))
		for i := 0; i < 16; i += 8 {
			x, fifth := le.Uint64(src[8+i:]), src[4+i/8:]
			put8(q[i:], x&(15*ones)|spread(fifth[0])<<4)
			put8(q[i+16:], x>>4&(15*ones)|spread(fifth[2])<<4)
		}
	}
}
