package gguf

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Dequantize writes the values of src to dst. Both must hold the same whole
// blocks of t: len(src) is exactly what len(dst) elements take. The results are
// the bits that ggml's own conversion gives, on every machine: products are
// rounded before they are added (the conversions to float32 that look
// redundant forbid the compiler a fused multiply-add).
func Dequantize(t Type, dst []float32, src []byte) error {
	if !CanDequantize(t) {
		return fmt.Errorf("dequantising %v is not supported", t)
	}
	elems, bytes := t.Block()
	if len(dst)%elems != 0 {
		return fmt.Errorf("dequantising %v: %d elements are not whole blocks of %d", t, len(dst), elems)
	}
	if want := len(dst) / elems * bytes; len(src) != want {
		return fmt.Errorf("dequantising %v: %d elements take %d bytes, not %d", t, len(dst), want, len(src))
	}
	dequantizers[t](dst, src)
	return nil
}

// CanDequantize reports whether Dequantize knows t.
func CanDequantize(t Type) bool {
	return uint64(t) < uint64(len(dequantizers)) && dequantizers[t] != nil
}

// dequantizers is indexed by Type. Each function gets whole blocks.
var dequantizers = [...]func(dst []float32, src []byte){
	F32:     dequantF32,
	F16:     dequantF16,
	BF16:    dequantBF16,
	Q4_0:    dequantQ4_0,
	Q4_1:    dequantQ4_1,
	Q5_0:    dequantQ5_0,
	Q5_1:    dequantQ5_1,
	Q8_0:    dequantQ8_0,
	Q2_K:    dequantQ2_K,
	Q3_K:    dequantQ3_K,
	Q4_K:    dequantQ4_K,
	Q5_K:    dequantQ5_K,
	Q6_K:    dequantQ6_K,
	IQ1_S:   dequantIQ1_S,
	IQ1_M:   dequantIQ1_M,
	IQ2_XXS: dequantIQ2_XXS,
	IQ2_XS:  dequantIQ2_XS,
	IQ2_S:   dequantIQ2_S,
	IQ3_XXS: dequantIQ3_XXS,
	IQ3_S:   dequantIQ3_S,
	IQ4_NL:  dequantIQ4_NL,
	IQ4_XS:  dequantIQ4_XS,
	MXFP4:   dequantMXFP4,
	TQ1_0:   dequantTQ1_0,
	TQ2_0:   dequantTQ2_0,
}

var le = binary.LittleEndian

func half(b []byte) float32 { return F16ToF32(le.Uint16(b)) }

func dequantF32(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(le.Uint32(src[4*i:]))
	}
}

func dequantF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = half(src[2*i:])
	}
}

func dequantBF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = BF16ToF32(le.Uint16(src[2*i:]))
	}
}

// Q8_0: f16 scale d, 32 x int8 q. Value d*q.
func dequantQ8_0(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[32:], src[34:] {
		d, q := half(src), src[2:34]
		for i := range q {
			dst[i] = d * float32(int8(q[i]))
		}
	}
}

// Q4_0: f16 scale d, 16 bytes; the low nibbles are elements 0-15, the high
// ones 16-31. Value d*(q-8).
func dequantQ4_0(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[32:], src[18:] {
		d, q := half(src), src[2:18]
		for i, b := range q {
			dst[i] = d * float32(int(b&15)-8)
			dst[i+16] = d * float32(int(b>>4)-8)
		}
	}
}

// Q4_1: f16 scale d, f16 minimum m, nibbles as in Q4_0. Value d*q+m.
func dequantQ4_1(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[32:], src[20:] {
		d, m, q := half(src), half(src[2:]), src[4:20]
		for i, b := range q {
			dst[i] = float32(d*float32(b&15)) + m
			dst[i+16] = float32(d*float32(b>>4)) + m
		}
	}
}

// Q5_0: f16 scale d, u32 of fifth bits (bit i for element i), nibbles as in
// Q4_0. Value d*(q-16).
func dequantQ5_0(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[32:], src[22:] {
		d, high, q := half(src), le.Uint32(src[2:]), src[6:22]
		for i, b := range q {
			dst[i] = d * float32(int(b&15|fifth(high, i))-16)
			dst[i+16] = d * float32(int(b>>4|fifth(high, i+16))-16)
		}
	}
}

// Q5_1: f16 scale d, f16 minimum m, fifth bits and nibbles as in Q5_0.
// Value d*q+m.
func dequantQ5_1(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[32:], src[24:] {
		d, m, high, q := half(src), half(src[2:]), le.Uint32(src[4:]), src[8:24]
		for i, b := range q {
			dst[i] = float32(d*float32(b&15|fifth(high, i))) + m
			dst[i+16] = float32(d*float32(b>>4|fifth(high, i+16))) + m
		}
	}
}

// fifth returns bit i of high as bit 4.
func fifth(high uint32, i int) byte { return byte(high>>i&1) << 4 }
