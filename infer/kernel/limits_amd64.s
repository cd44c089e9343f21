#include "textflag.h"

// What a core can do at best; see limits.go. Nothing here depends on the result of the instruction before it: there are more
// accumulators than an instruction takes cycles times the number of its execution units.

// readAhead is how far ahead the streaming read asks for memory: past the end of a 4 KB page, where the CPU's own prefetcher stops.
#define readAhead 4096

// func readLimitAVX2(mem unsafe.Pointer, n int) uint64
//
//	SI memory   CX pieces of 256 bytes left   Y0-Y3 sums of 64-bit words
TEXT ·readLimitAVX2(SB), NOSPLIT, $0-24
	MOVQ  mem+0(FP), SI
	MOVQ  n+8(FP), CX
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3

piece:
	PREFETCHT0 (readAhead)(SI)
	PREFETCHT0 (readAhead+64)(SI)
	PREFETCHT0 (readAhead+128)(SI)
	PREFETCHT0 (readAhead+192)(SI)
	VPADDQ (SI), Y0, Y0
	VPADDQ 32(SI), Y1, Y1
	VPADDQ 64(SI), Y2, Y2
	VPADDQ 96(SI), Y3, Y3
	VPADDQ 128(SI), Y0, Y0
	VPADDQ 160(SI), Y1, Y1
	VPADDQ 192(SI), Y2, Y2
	VPADDQ 224(SI), Y3, Y3
	ADDQ   $256, SI
	DECQ   CX
	JNZ    piece

	VPADDQ       Y1, Y0, Y0
	VPADDQ       Y3, Y2, Y2
	VPADDQ       Y2, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDQ       X1, X0, X0
	VPSRLDQ      $8, X0, X1
	VPADDQ       X1, X0, X0
	VMOVQ        X0, AX
	MOVQ         AX, ret+16(FP)
	VZEROUPPER
	RET

// DOT6 adds products of pairs of bytes to the 16-bit sums Y0-Y5.
#define DOT6 \
	VPMADDUBSW Y14, Y14, Y6  \
	VPMADDUBSW Y14, Y14, Y7  \
	VPMADDUBSW Y14, Y14, Y8  \
	VPMADDUBSW Y14, Y14, Y9  \
	VPMADDUBSW Y14, Y14, Y10 \
	VPMADDUBSW Y14, Y14, Y11 \
	VPADDW     Y6, Y0, Y0    \
	VPADDW     Y7, Y1, Y1    \
	VPADDW     Y8, Y2, Y2    \
	VPADDW     Y9, Y3, Y3    \
	VPADDW     Y10, Y4, Y4   \
	VPADDW     Y11, Y5, Y5

// WIDEN adds the 16-bit sums s to the 32-bit sums Y13 and clears them.
#define WIDEN(s, tmp) \
	VPMADDWD Y15, s, tmp   \
	VPXOR    s, s, s       \
	VPADDD   tmp, Y13, Y13

// func int8LimitAVX2(sums *[16]int32, n int)
//
// 16 bits hold the sum of 8 pairs of products of 4-bit weights, so one widening follows 8 multiplications: the best case, Q4.
//
//	CX rounds left   Y0-Y5 16-bit sums   Y13 32-bit sums   Y14, Y15 1 in each byte, in each 16 bits
TEXT ·int8LimitAVX2(SB), NOSPLIT, $0-16
	MOVQ     sums+0(FP), DI
	MOVQ     n+8(FP), CX
	VPCMPEQW Y15, Y15, Y15
	VPABSB   Y15, Y14
	VPSRLW   $15, Y15, Y15
	VPXOR    Y0, Y0, Y0
	VPXOR    Y1, Y1, Y1
	VPXOR    Y2, Y2, Y2
	VPXOR    Y3, Y3, Y3
	VPXOR    Y4, Y4, Y4
	VPXOR    Y5, Y5, Y5
	VPXOR    Y13, Y13, Y13

round:
	DOT6
	DOT6
	DOT6
	DOT6
	DOT6
	DOT6
	DOT6
	DOT6
	WIDEN(Y0, Y6)
	WIDEN(Y1, Y7)
	WIDEN(Y2, Y8)
	WIDEN(Y3, Y9)
	WIDEN(Y4, Y10)
	WIDEN(Y5, Y11)
	DECQ CX
	JNZ  round

	VMOVDQU Y13, (DI)
	VZEROUPPER
	RET

// func float32LimitAVX2(sums *[16]float32, n int)
//
//	CX rounds left   Y0-Y11 sums   Y14 1 in each lane
TEXT ·float32LimitAVX2(SB), NOSPLIT, $0-16
	MOVQ         sums+0(FP), DI
	MOVQ         n+8(FP), CX
	MOVL         $0x3f800000, AX
	VMOVD        AX, X14
	VPBROADCASTD X14, Y14
	VPXOR        Y0, Y0, Y0
	VPXOR        Y1, Y1, Y1
	VPXOR        Y2, Y2, Y2
	VPXOR        Y3, Y3, Y3
	VPXOR        Y4, Y4, Y4
	VPXOR        Y5, Y5, Y5
	VPXOR        Y6, Y6, Y6
	VPXOR        Y7, Y7, Y7
	VPXOR        Y8, Y8, Y8
	VPXOR        Y9, Y9, Y9
	VPXOR        Y10, Y10, Y10
	VPXOR        Y11, Y11, Y11

round:
	VFMADD231PS Y14, Y14, Y0
	VFMADD231PS Y14, Y14, Y1
	VFMADD231PS Y14, Y14, Y2
	VFMADD231PS Y14, Y14, Y3
	VFMADD231PS Y14, Y14, Y4
	VFMADD231PS Y14, Y14, Y5
	VFMADD231PS Y14, Y14, Y6
	VFMADD231PS Y14, Y14, Y7
	VFMADD231PS Y14, Y14, Y8
	VFMADD231PS Y14, Y14, Y9
	VFMADD231PS Y14, Y14, Y10
	VFMADD231PS Y14, Y14, Y11
	DECQ        CX
	JNZ         round

	VADDPS  Y1, Y0, Y0
	VADDPS  Y3, Y2, Y2
	VADDPS  Y5, Y4, Y4
	VADDPS  Y7, Y6, Y6
	VADDPS  Y9, Y8, Y8
	VADDPS  Y11, Y10, Y10
	VADDPS  Y2, Y0, Y0
	VADDPS  Y6, Y4, Y4
	VADDPS  Y10, Y8, Y8
	VADDPS  Y4, Y0, Y0
	VADDPS  Y8, Y0, Y0
	VMOVUPS Y0, (DI)
	VZEROUPPER
	RET

// EACH16 does op(r) for the accumulators Z0-Z15.
#define EACH16(op) \
	op(Z0)  \
	op(Z1)  \
	op(Z2)  \
	op(Z3)  \
	op(Z4)  \
	op(Z5)  \
	op(Z6)  \
	op(Z7)  \
	op(Z8)  \
	op(Z9)  \
	op(Z10) \
	op(Z11) \
	op(Z12) \
	op(Z13) \
	op(Z14) \
	op(Z15)

#define CLEAR(r) VPXORD r, r, r
#define DOT(r) VPDPBUSD Z30, Z31, r
#define FMA(r) VFMADD231PS Z31, Z31, r
#define ADDINT(r) VPADDD r, Z29, Z29
#define ADDFLOAT(r) VADDPS r, Z29, Z29

// func int8LimitVNNI(sums *[16]int32, n int)
//
//	CX rounds left   Z0-Z15 sums   Z30, Z31 1 in each byte
TEXT ·int8LimitVNNI(SB), NOSPLIT, $0-16
	MOVQ         sums+0(FP), DI
	MOVQ         n+8(FP), CX
	MOVL         $0x01010101, AX
	VPBROADCASTD AX, Z30
	VPBROADCASTD AX, Z31
	CLEAR(Z29)
	EACH16(CLEAR)

round:
	EACH16(DOT)
	DECQ CX
	JNZ  round

	EACH16(ADDINT)
	VMOVDQU32 Z29, (DI)
	VZEROUPPER
	RET

// func float32LimitAVX512(sums *[16]float32, n int)
//
//	CX rounds left   Z0-Z15 sums   Z31 1 in each lane
TEXT ·float32LimitAVX512(SB), NOSPLIT, $0-16
	MOVQ         sums+0(FP), DI
	MOVQ         n+8(FP), CX
	MOVL         $0x3f800000, AX
	VPBROADCASTD AX, Z31
	CLEAR(Z29)
	EACH16(CLEAR)

round:
	EACH16(FMA)
	DECQ CX
	JNZ  round

	EACH16(ADDFLOAT)
	VMOVUPS Z29, (DI)
	VZEROUPPER
	RET
