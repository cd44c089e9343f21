#include "textflag.h"
#include "avx2_amd64.h"

// Products of Q4 and Q8 panels with 4 tokens on AVX-512 with VNNI. The arithmetic is that of panel_vnni_amd64.s; a weight is unpacked once for
// the 4 tokens.
//
// Instructions per weight and token: Q4 0.04, Q8 0.04.
//
//	SI codes   R8 scales of the weights   CX blocks left
//	DX, R11, R12, R13 activations of tokens 0-3   R9 scales, R10 sums of token 0   BX xStride   DI 3*xStride
//	Z0-Z3 acc of tokens 0-3   Z4-Z7 their integer sums   Z8-Z11 second integer sums   Z29 zero
//	Z30 nibble mask   Z31 0x80 in each byte   Z12, Z13 weights

// BYTES puts the byte b in all bytes of r.
#define BYTES(b, r) \
	MOVL         $(b*0x01010101), AX \
	VPBROADCASTD AX, r

// OFFSET starts a sum at -(sum of the activations << shift).
#define OFFSET(shift, xsum, r) \
	VPSLLD.BCST $shift, xsum, r \
	VPSUBD      r, Z29, r

// TILEBEGIN loads the arguments and clears acc; a block of codes has 1<<codes bytes.
#define TILEBEGIN(codes) \
	MOVQ   w+16(FP), SI       \
	MOVQ   x+24(FP), DX       \
	MOVQ   xStride+32(FP), BX \
	MOVQ   n+40(FP), CX       \
	MOVQ   CX, AX             \
	SHLQ   $codes, AX         \
	LEAQ   (SI)(AX*1), R8     \
	MOVQ   CX, AX             \
	SHLQ   $5, AX             \
	LEAQ   (DX)(AX*1), R9     \
	LEAQ   (R9)(CX*4), R10    \
	LEAQ   (DX)(BX*1), R11    \
	LEAQ   (DX)(BX*2), R12    \
	LEAQ   (R11)(BX*2), R13   \
	LEAQ   (BX)(BX*2), DI     \
	VPXORD Z29, Z29, Z29      \
	VPXORD Z0, Z0, Z0         \
	VPXORD Z1, Z1, Z1         \
	VPXORD Z2, Z2, Z2         \
	VPXORD Z3, Z3, Z3

#define TILEOFFSETS(shift) \
	OFFSET(shift, (R10), Z4)        \
	OFFSET(shift, (R10)(BX*1), Z5)  \
	OFFSET(shift, (R10)(BX*2), Z6)  \
	OFFSET(shift, (R10)(DI*1), Z7)  \
	VPXORD Z8, Z8, Z8               \
	VPXORD Z9, Z9, Z9               \
	VPXORD Z10, Z10, Z10            \
	VPXORD Z11, Z11, Z11

// DOT4 adds the weights w times the activations at off to the sums of the 4 tokens.
#define DOT4(off, w, s0, s1, s2, s3) \
	VPDPBUSD.BCST off(DX), w, s0   \
	VPDPBUSD.BCST off(R11), w, s1  \
	VPDPBUSD.BCST off(R12), w, s2  \
	VPDPBUSD.BCST off(R13), w, s3

// ADDBLOCK adds a token's integer sums, scaled by Z12 (weights) and xd, to its acc.
#define ADDBLOCK(xd, sum, sum2, acc) \
	VPADDD      sum2, sum, sum \
	VMULPS.BCST xd, Z12, Z13   \
	VCVTDQ2PS   sum, sum       \
	VFMADD231PS Z13, sum, acc

#define TILEADDBLOCK \
	VCVTPH2PS (R8), Z12               \
	ADDBLOCK((R9), Z4, Z8, Z0)        \
	ADDBLOCK((R9)(BX*1), Z5, Z9, Z1)  \
	ADDBLOCK((R9)(BX*2), Z6, Z10, Z2) \
	ADDBLOCK((R9)(DI*1), Z7, Z11, Z3)

#define NEXTBLOCK(codes) \
	ADDQ $codes, SI \
	ADDQ $32, R8    \
	ADDQ $32, DX    \
	ADDQ $32, R11   \
	ADDQ $32, R12   \
	ADDQ $32, R13   \
	ADDQ $4, R9     \
	ADDQ $4, R10    \
	DECQ CX

#define TILEEND \
	MOVQ    y+0(FP), DI        \
	MOVQ    yStride+8(FP), DX  \
	LEAQ    (DI)(DX*2), AX     \
	VMOVUPS Z0, (DI)           \
	VMOVUPS Z1, (DI)(DX*1)     \
	VMOVUPS Z2, (AX)           \
	VMOVUPS Z3, (AX)(DX*1)     \
	VZEROUPPER

#define Q4DOT4(g) \
	VMOVDQU32 (g*64)(SI), Z12  \
	VPANDD    Z30, Z12, Z13    \
	VPSRLD    $4, Z12, Z12     \
	VPANDD    Z30, Z12, Z12    \
	DOT4((g*4), Z13, Z4, Z5, Z6, Z7) \
	DOT4((g*4+16), Z12, Z8, Z9, Z10, Z11)

// func tileQ4VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ4VNNI(SB), NOSPLIT, $0-48
	TILEBEGIN(8)
	BYTES(0x0f, Z30)

block:
	TILEOFFSETS(3)
	Q4DOT4(0)
	Q4DOT4(1)
	Q4DOT4(2)
	Q4DOT4(3)
	TILEADDBLOCK
	NEXTBLOCK(256)
	JNZ block

	TILEEND
	RET

#define Q8DOT4(g, s0, s1, s2, s3) \
	VPXORD (g*64)(SI), Z31, Z12 \
	DOT4((g*4), Z12, s0, s1, s2, s3)

// func tileQ8VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ8VNNI(SB), NOSPLIT, $0-48
	TILEBEGIN(9)
	BYTES(0x80, Z31)

block:
	TILEOFFSETS(7)
	Q8DOT4(0, Z4, Z5, Z6, Z7)
	Q8DOT4(1, Z8, Z9, Z10, Z11)
	Q8DOT4(2, Z4, Z5, Z6, Z7)
	Q8DOT4(3, Z8, Z9, Z10, Z11)
	Q8DOT4(4, Z4, Z5, Z6, Z7)
	Q8DOT4(5, Z8, Z9, Z10, Z11)
	Q8DOT4(6, Z4, Z5, Z6, Z7)
	Q8DOT4(7, Z8, Z9, Z10, Z11)
	TILEADDBLOCK
	NEXTBLOCK(512)
	JNZ block

	TILEEND
	RET
