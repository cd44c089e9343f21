package gguf

import "fmt"

// SubBlock is the number of elements that share one scale and one minimum in
// Unpack's view of any quantised type.
const SubBlock = 16

// Unpack takes quantised blocks apart into small integers: element i has the
// value
//
//	float32(scale[i/16]*float32(q[i])) - min[i/16]
//
// and computed so, with the product rounded before the subtraction, it is bit
// for bit what Dequantize gives. Types without minima (see HasMin) get minima
// of 0. Blocks are independent: any run of them can be unpacked alone.
//
// Bounds: len(q) is whole blocks of t, len(src) is exactly the bytes that they
// take, and scale and min have len(q)/16 entries; anything else is an error
// that leaves all three untouched. The integers have a fixed range whatever the
// bytes of src are:
//
//	-128..127  Q8_0               -9..9     IQ1_S, IQ1_M (odd only)
//	-127..113  IQ4_NL, IQ4_XS     -8..7     Q4_0
//	 -62..62   IQ3_XXS            -4..3     Q3_K
//	 -43..43   IQ2_XXS, _XS, _S   -1..1     TQ1_0
//	 -32..31   Q6_K               -1..2     TQ2_0 (2 only in a hostile file)
//	 -16..15   Q5_0                0..31    Q5_1, Q5_K
//	 -15..15   IQ3_S               0..15    Q4_1, Q4_K
//	 -12..12   MXFP4               0..3     Q2_K
//
// Scales and minima have no such bound: either sign, and in a hostile file also
// infinite or NaN.
func Unpack(t Type, q []int8, scale, min []float32, src []byte) error {
	if !CanUnpack(t) {
		return fmt.Errorf("unpacking %v is not supported", t)
	}
	if err := t.checkBlocks(len(q), len(src)); err != nil {
		return fmt.Errorf("unpacking %v: %w", t, err)
	}
	if want := len(q) / SubBlock; len(scale) != want || len(min) != want {
		return fmt.Errorf("unpacking %v: %d elements have %d scales and minima, not %d and %d",
			t, len(q), want, len(scale), len(min))
	}
	if !t.HasMin() {
		clear(min)
	}
	unpack(t, q, scale, min, src)
	return nil
}

// CanUnpack reports whether Unpack knows t: every quantised type that
// Dequantize knows.
func CanUnpack(t Type) bool { return t.form() >= scaled }

// HasMin reports whether Unpack gives t minima that are not all 0.
func (t Type) HasMin() bool { return t.form() == scaledWithMin }

// unpack is Unpack of whole blocks. Where t has no minima it leaves min alone.
// The switch calls each function directly, unlike a table of functions, so that
// callers may keep the parts on their stack.
func unpack(t Type, q []int8, scale, min []float32, src []byte) {
	switch t {
	case Q4_0:
		unpackQ4_0(q, scale, src)
	case Q4_1:
		unpackQ4_1(q, scale, min, src)
	case Q5_0:
		unpackQ5_0(q, scale, src)
	case Q5_1:
		unpackQ5_1(q, scale, min, src)
	case Q8_0:
		unpackQ8_0(q, scale, src)
	case Q2_K:
		unpackQ2_K(q, scale, min, src)
	case Q3_K:
		unpackQ3_K(q, scale, src)
	case Q4_K:
		unpackQ4_K(q, scale, min, src)
	case Q5_K:
		unpackQ5_K(q, scale, min, src)
	case Q6_K:
		unpackQ6_K(q, scale, src)
	case IQ1_S:
		unpackIQ1_S(q, scale, src)
	case IQ1_M:
		unpackIQ1_M(q, scale, src)
	case IQ2_XXS:
		unpackIQ2_XXS(q, scale, src)
	case IQ2_XS:
		unpackIQ2_XS(q, scale, src)
	case IQ2_S:
		unpackIQ2_S(q, scale, src)
	case IQ3_XXS:
		unpackIQ3_XXS(q, scale, src)
	case IQ3_S:
		unpackIQ3_S(q, scale, src)
	case IQ4_NL:
		unpackIQ4_NL(q, scale, src)
	case IQ4_XS:
		unpackIQ4_XS(q, scale, src)
	case MXFP4:
		unpackMXFP4(q, scale, src)
	case TQ1_0:
		unpackTQ1_0(q, scale, src)
	case TQ2_0:
		unpackTQ2_0(q, scale, src)
	}
}

// The unpack functions below and in the other unpack files get whole blocks.
// They work on eight elements at once, as the bytes of a uint64: every format
// was laid out so that neighbouring elements lie at the same bits of
// neighbouring bytes.

// ones has 1 in each of its eight bytes: n*ones has n in each.
const ones = 0x0101010101010101

// put8 writes eight elements. The compiler makes one store of it.
func put8(q []int8, x uint64) {
	_ = q[7]
	q[0], q[1], q[2], q[3] = int8(x), int8(x>>8), int8(x>>16), int8(x>>24)
	q[4], q[5], q[6], q[7] = int8(x>>32), int8(x>>40), int8(x>>48), int8(x>>56)
}

// less takes n from each byte. Bytes and n are below 128, so that the top bits,
// set for the while, keep a byte from borrowing of the next.
func less(x, n uint64) uint64 { return (x | 0x80*ones) - n*ones ^ 0x80*ones }

// spread makes byte i of its result bit i of b.
func spread(b byte) uint64 {
	const diagonal = 0x8040201008040201 // bit i of byte i
	return (ones*uint64(b)&diagonal + 0x7f*ones) >> 7 & ones
}

// both sets the scales (or minima) of both halves of 32 elements.
func both(pair []float32, x float32) { pair[0], pair[1] = x, x }
