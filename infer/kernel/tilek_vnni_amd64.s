#include "textflag.h"
#include "avx2_amd64.h"
#include "vnni_amd64.h"

// Products of Q4K, Q4T, Q8S and Q8A panels with 4 tokens on AVX-512 with VNNI. The arithmetic is that of panelk_vnni_amd64.s, the registers are
// those of tile_vnni_amd64.s.
//
// Instructions per weight and token: Q4K 0.05, Q4T 0.05, Q8S 0.06, Q8A 0.08.
//
//	Z14-Z17 first half's sums of the activations of tokens 0-3, Z18-Z21 second half's
//	Z22, Z23 scales of a part of a super-block: d, dmin   Z24 minima

// CLEARSUMS and CLEARSUMS2 start the first and the second integer sums of a part at 0.
#define CLEARSUMS \
	VPXORD Z4, Z4, Z4 \
	VPXORD Z5, Z5, Z5 \
	VPXORD Z6, Z6, Z6 \
	VPXORD Z7, Z7, Z7

#define CLEARSUMS2 \
	VPXORD Z8, Z8, Z8    \
	VPXORD Z9, Z9, Z9    \
	VPXORD Z10, Z10, Z10 \
	VPXORD Z11, Z11, Z11

// OFFSETS starts the first integer sums at -(sum of the block's activations << shift).
#define OFFSETS(shift) \
	OFFSET(shift, (R10), Z4)       \
	OFFSET(shift, (R10)(BX*1), Z5) \
	OFFSET(shift, (R10)(BX*2), Z6) \
	OFFSET(shift, (R10)(DI*1), Z7)

// ADDSUMS adds the integer sums of all tokens, scaled by Z12.
#define ADDSUMS \
	ADDBLOCK((R9), Z4, Z8, Z0)        \
	ADDBLOCK((R9)(BX*1), Z5, Z9, Z1)  \
	ADDBLOCK((R9)(BX*2), Z6, Z10, Z2) \
	ADDBLOCK((R9)(DI*1), Z7, Z11, Z3)

// TAKEMIN takes the minima Z24 times a token's xsum, a float32, off.
#define TAKEMIN(xd, xsum, acc) \
	VMULPS.BCST  xd, Z24, Z13 \
	VFNMADD231PS Z13, xsum, acc

#define TAKEMINS(s0, s1, s2, s3) \
	TAKEMIN((R9), s0, Z0)       \
	TAKEMIN((R9)(BX*1), s1, Z1) \
	TAKEMIN((R9)(BX*2), s2, Z2) \
	TAKEMIN((R9)(DI*1), s3, Z3)

// func tileQ4KVNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ4KVNNI(SB), NOSPLIT, $0-48
	TILEBEGIN(8)
	BYTES(0x0f, Z30)

super: // R8 walks over the 8 scales; the minima lie 128 bytes on
	VCVTPH2PS (R8), Z22
	VCVTPH2PS 32(R8), Z23
	ADDQ      $64, R8

block:
	CLEARSUMS
	CLEARSUMS2
	Q4DOT4(0)
	Q4DOT4(1)
	Q4DOT4(2)
	Q4DOT4(3)
	VPMOVZXBD      (R8), Z12
	VPMOVZXBD      128(R8), Z24
	VCVTDQ2PS.BCST (R10), Z14
	VCVTDQ2PS.BCST (R10)(BX*1), Z15
	VCVTDQ2PS.BCST (R10)(BX*2), Z16
	VCVTDQ2PS.BCST (R10)(DI*1), Z17
	VCVTDQ2PS      Z12, Z12
	VCVTDQ2PS      Z24, Z24
	VMULPS         Z22, Z12, Z12
	VMULPS         Z23, Z24, Z24
	ADDSUMS
	TAKEMINS(Z14, Z15, Z16, Z17)
	NEXTBLOCK(256, 16)
	TESTQ          $7, CX
	JNZ            block
	ADDQ           $128, R8
	TESTQ          CX, CX
	JNZ            super

	TILEEND
	RET

// Q4TDOT4 adds group g, low nibbles to the first sums, high nibbles to the second.
#define Q4TDOT4(g) \
	VMOVDQU32 (g*64)(SI), Z12        \
	VPANDD    Z30, Z12, Z13          \
	VPSRLD    $4, Z12, Z12           \
	VPANDD    Z30, Z12, Z12          \
	VPSHUFB   Z13, Z31, Z13          \
	VPSHUFB   Z12, Z31, Z12          \
	DOT4((g*4), Z13, Z4, Z5, Z6, Z7) \
	DOT4((g*4+16), Z12, Z8, Z9, Z10, Z11)

// func tileQ4TVNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ4TVNNI(SB), NOSPLIT, $0-48
	TILEBEGIN(8)
	BYTES(0x0f, Z30)
	TABLE(SI, Z31, Z12)
	ADDQ $64, SI
	ADDQ $64, R8

block:
	OFFSETS(7)
	CLEARSUMS2
	Q4TDOT4(0)
	Q4TDOT4(1)
	Q4TDOT4(2)
	Q4TDOT4(3)
	VMOVUPS (R8), Z12
	ADDSUMS
	NEXTBLOCK(256, 64)
	JNZ     block

	TILEEND
	RET

// FIRSTHALVES multiplies the first half's activations of all tokens with Z31 into Z14-Z17.
#define FIRSTHALVES \
	VPXORD Z14, Z14, Z14             \
	VPXORD Z15, Z15, Z15             \
	VPXORD Z16, Z16, Z16             \
	VPXORD Z17, Z17, Z17             \
	DOT4(0, Z31, Z14, Z15, Z16, Z17) \
	DOT4(4, Z31, Z14, Z15, Z16, Z17) \
	DOT4(8, Z31, Z14, Z15, Z16, Z17) \
	DOT4(12, Z31, Z14, Z15, Z16, Z17)

// func tileQ8SVNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ8SVNNI(SB), NOSPLIT, $0-48
	TILEBEGIN(9)
	BYTES(0x80, Z31)

block:
	FIRSTHALVES
	VPSUBD    Z14, Z29, Z4
	VPSUBD    Z15, Z29, Z5
	VPSUBD    Z16, Z29, Z6
	VPSUBD    Z17, Z29, Z7
	CLEARSUMS2
	Q8DOT4(0, Z4, Z5, Z6, Z7)
	Q8DOT4(1, Z8, Z9, Z10, Z11)
	Q8DOT4(2, Z4, Z5, Z6, Z7)
	Q8DOT4(3, Z8, Z9, Z10, Z11)
	VMOVUPS   (R8), Z12
	ADDSUMS
	OFFSETS(7)
	VMOVDQA32 Z14, Z8 // what the first half has of them
	VMOVDQA32 Z15, Z9
	VMOVDQA32 Z16, Z10
	VMOVDQA32 Z17, Z11
	Q8DOT4(4, Z4, Z5, Z6, Z7)
	Q8DOT4(5, Z8, Z9, Z10, Z11)
	Q8DOT4(6, Z4, Z5, Z6, Z7)
	Q8DOT4(7, Z8, Z9, Z10, Z11)
	VMOVUPS   64(R8), Z12
	ADDSUMS
	NEXTBLOCK(512, 128)
	JNZ       block

	TILEEND
	RET

// Q8ADOT4 adds group g.
#define Q8ADOT4(g, s0, s1, s2, s3) \
	VMOVDQU32 (g*64)(SI), Z12 \
	DOT4((g*4), Z12, s0, s1, s2, s3)

// HALVES makes the sums of both halves of a token's activations float32; first holds those of the first half.
#define HALVES(xsum, first, second) \
	VPBROADCASTD xsum, second          \
	VPSUBD       first, second, second \
	VCVTDQ2PS    first, first          \
	VCVTDQ2PS    second, second

// func tileQ8AVNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ8AVNNI(SB), NOSPLIT, $0-48
	TILEBEGIN(9)
	BYTES(1, Z31)
	MOVQ CX, AX
	SHLQ $7, AX // from the scales to the minima

block:
	FIRSTHALVES
	HALVES((R10), Z14, Z18)
	HALVES((R10)(BX*1), Z15, Z19)
	HALVES((R10)(BX*2), Z16, Z20)
	HALVES((R10)(DI*1), Z17, Z21)
	CLEARSUMS
	CLEARSUMS2
	Q8ADOT4(0, Z4, Z5, Z6, Z7)
	Q8ADOT4(1, Z8, Z9, Z10, Z11)
	Q8ADOT4(2, Z4, Z5, Z6, Z7)
	Q8ADOT4(3, Z8, Z9, Z10, Z11)
	VMOVUPS (R8), Z12
	VMOVUPS (R8)(AX*1), Z24
	ADDSUMS
	TAKEMINS(Z14, Z15, Z16, Z17)
	CLEARSUMS
	CLEARSUMS2
	Q8ADOT4(4, Z4, Z5, Z6, Z7)
	Q8ADOT4(5, Z8, Z9, Z10, Z11)
	Q8ADOT4(6, Z4, Z5, Z6, Z7)
	Q8ADOT4(7, Z8, Z9, Z10, Z11)
	VMOVUPS 64(R8), Z12
	VMOVUPS 64(R8)(AX*1), Z24
	ADDSUMS
	TAKEMINS(Z18, Z19, Z20, Z21)
	NEXTBLOCK(512, 128)
	JNZ     block

	TILEEND
	RET
