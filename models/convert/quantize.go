package convert

import (
	"encoding/binary"
	"fmt"
	"math"

	"hotcell/models/gguf"
)

var le = binary.LittleEndian

// quantize writes whole blocks of src to dst in the format t, bit for bit as
// llama.cpp's reference quantiser does. dst is exactly as long as the blocks take. A
// value that the format cannot hold is an error.
func quantize(t gguf.Type, dst []byte, src []float32) error {
	switch t {
	case gguf.F32:
		return encodeF32(dst, src)
	case gguf.F16:
		return encodeF16(dst, src)
	case gguf.Q8_0:
		return quantizeQ8_0(dst, src)
	case gguf.Q4_0:
		return quantizeQ4_0(dst, src)
	}
	return fmt.Errorf("quantising to %v is not supported", t)
}

func finite(v float32) bool { return math.Float32bits(v)&0x7f800000 != 0x7f800000 }

func encodeF32(dst []byte, src []float32) error {
	for i, v := range src {
		if !finite(v) {
			return fmt.Errorf("it holds the value %v", v)
		}
		le.PutUint32(dst[4*i:], math.Float32bits(v))
	}
	return nil
}

func encodeF16(dst []byte, src []float32) error {
	for i, v := range src {
		h := gguf.F32ToF16(v)
		if h&0x7c00 == 0x7c00 {
			return fmt.Errorf("it holds the value %v, which F16 cannot", v)
		}
		le.PutUint16(dst[2*i:], h)
	}
	return nil
}

const blockElements = 32 // of Q8_0 and Q4_0

// scale stores a block's scale as F16 and returns its inverse. The values are
// multiplied by the inverse of the unrounded scale, as the reference does.
func scale(dst []byte, d float32) (inverse float32, err error) {
	h := gguf.F32ToF16(d)
	if h&0x7c00 == 0x7c00 {
		return 0, fmt.Errorf("it holds values that are too large or no numbers (a block's scale is %v)", d)
	}
	le.PutUint16(dst, h)
	if d != 0 {
		inverse = 1 / d
	}
	if !finite(inverse) { // so small that the stored scale is zero
		inverse = 0
	}
	return inverse, nil
}

// quantizeQ8_0: a block is the F16 scale d = amax/127 and 32 x int8 round(x/d), halves
// away from zero.
func quantizeQ8_0(dst []byte, src []float32) error {
	for ; len(src) > 0; dst, src = dst[34:], src[blockElements:] {
		block := src[:blockElements]
		var amax float32
		for _, v := range block {
			if !finite(v) {
				return fmt.Errorf("it holds the value %v", v)
			}
			amax = max(amax, float32(math.Abs(float64(v))))
		}
		inverse, err := scale(dst, amax/127)
		if err != nil {
			return err
		}
		for i, v := range block {
			x := float64(float32(v * inverse)) // a float64 holds x + 0.5 exactly
			dst[2+i] = byte(int8(x + math.Copysign(0.5, x)))
		}
	}
	return nil
}

// quantizeQ4_0: a block is the F16 scale d = m/-8, where m is the value farthest from
// zero with its sign, and 16 bytes of nibbles trunc(x/d + 8.5), at most 15: the low
// ones are elements 0-15, the high ones 16-31.
func quantizeQ4_0(dst []byte, src []float32) error {
	for ; len(src) > 0; dst, src = dst[18:], src[blockElements:] {
		block := src[:blockElements]
		var amax, extreme float32
		for _, v := range block {
			if !finite(v) {
				return fmt.Errorf("it holds the value %v", v)
			}
			if a := float32(math.Abs(float64(v))); a > amax {
				amax, extreme = a, v
			}
		}
		inverse, err := scale(dst, extreme/-8)
		if err != nil {
			return err
		}
		for i := range blockElements / 2 {
			// The conversions forbid a fused multiply-add, which would round once less.
			low := min(15, int(float32(block[i]*inverse)+8.5))
			high := min(15, int(float32(block[i+16]*inverse)+8.5))
			dst[2+i] = byte(low | high<<4)
		}
	}
	return nil
}
