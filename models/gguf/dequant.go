package gguf

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Dequantize writes the values of src to dst. Both must hold the same whole
// blocks of t: len(src) is exactly what len(dst) elements take. The results are
// the bits that ggml's own conversion gives, on every machine.
func Dequantize(t Type, dst []float32, src []byte) error {
	if !CanDequantize(t) {
		return fmt.Errorf("dequantising %v is not supported", t)
	}
	if err := t.checkBlocks(len(dst), len(src)); err != nil {
		return fmt.Errorf("dequantising %v: %w", t, err)
	}
	switch t {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(le.Uint32(src[4*i:]))
		}
	case F16:
		for i := range dst {
			dst[i] = half(src[2*i:])
		}
	case BF16:
		for i := range dst {
			dst[i] = BF16ToF32(le.Uint16(src[2*i:]))
		}
	default:
		dequantUnpacked(t, dst, src)
	}
	return nil
}

// CanDequantize reports whether Dequantize knows t.
func CanDequantize(t Type) bool { return t.form() != opaque }

// dequantUnpacked takes the blocks apart, 256 elements at a time, and puts the
// parts together.
func dequantUnpacked(t Type, dst []float32, src []byte) {
	var (
		q            [256]int8
		scale, least [len(q) / SubBlock]float32
	)
	elems, bytes := t.Block()
	for len(dst) > 0 {
		n := min(len(q), len(dst))
		size := n / elems * bytes
		unpack(t, q[:n], scale[:], least[:], src[:size])
		for sub := range n / SubBlock {
			at := sub * SubBlock
			scaleBlock((*[SubBlock]float32)(dst[at:]), (*[SubBlock]int8)(q[at:]), scale[sub], least[sub])
		}
		dst, src = dst[n:], src[size:]
	}
}

// scaleBlock computes scale*q - min. The product is rounded before the minimum
// is taken off: the conversion to float32 that looks redundant forbids the
// compiler a fused multiply-add. Four elements a turn and float32s from a table
// take half the time of the plain loop, whose conversions wait for each other.
func scaleBlock(dst *[SubBlock]float32, q *[SubBlock]int8, scale, min float32) {
	for i := 0; i < SubBlock; i += 4 {
		dst[i] = float32(scale*int8Values[uint8(q[i])]) - min
		dst[i+1] = float32(scale*int8Values[uint8(q[i+1])]) - min
		dst[i+2] = float32(scale*int8Values[uint8(q[i+2])]) - min
		dst[i+3] = float32(scale*int8Values[uint8(q[i+3])]) - min
	}
}

// int8Values has the float32 of every int8, by its bits.
var int8Values = func() (values [256]float32) {
	for i := range values {
		values[i] = float32(int8(i))
	}
	return values
}()

// checkBlocks says what is wrong with elems elements of t in size bytes.
func (t Type) checkBlocks(elems, size int) error {
	blockElems, blockBytes := t.Block()
	if elems%blockElems != 0 {
		return fmt.Errorf("%d elements are not whole blocks of %d", elems, blockElems)
	}
	if want := elems / blockElems * blockBytes; size != want {
		return fmt.Errorf("%d elements take %d bytes, not %d", elems, want, size)
	}
	return nil
}

var le = binary.LittleEndian

func half(b []byte) float32 { return F16ToF32(le.Uint16(b)) }
