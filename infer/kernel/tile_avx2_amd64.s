#include "textflag.h"
#include "avx2_amd64.h"
#include "tile_avx2_amd64.h"

// Products of Q4 and Q8 panels with 4 tokens on AVX2. The arithmetic is that of panel_avx2_amd64.s.
//
// A weight is unpacked once for the 4 tokens, an activation broadcast once for both halves of the rows. The integer sums take 8 registers,
// so the float accumulators, used once in a block, wait in the frame.
//
//	SI codes   R8 scales of the weights   CX blocks left
//	DX, R11, R12, R13 activations of tokens 0-3   R9 scales, R10 sums of token 0   BX xStride   DI 3*xStride
//	R14 acc [4][2]ymm, aligned   Y0-Y7 integer sums in the same order   Y8-Y11 weights of one group
//
// Instructions per weight and token: Q4 0.13, Q8 0.18.

// Q4WIDEN makes one token's 16-bit sums 32-bit and takes the offset of the weights off; Y14 holds ones.
#define Q4WIDEN(xsum, sumA, sumB) \
	VPBROADCASTD xsum, Y10        \
	VPMADDWD     Y14, sumA, sumA  \
	VPMADDWD     Y14, sumB, sumB  \
	VPSLLD       $3, Y10, Y10     \
	VPSUBD       Y10, sumA, sumA  \
	VPSUBD       Y10, sumB, sumB

// func tileQ4AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ4AVX2(SB), NOSPLIT, $288-48
	TILEBEGIN(8, 256)
	NIBBLES(Y15)

block:
	CLEARSUMS
	Q4TILEGROUP(0)
	Q4TILEGROUP(1)
	Q4TILEGROUP(2)
	Q4TILEGROUP(3)
	ONES16(Y14)
	Q4WIDEN((R10), Y0, Y1)
	Q4WIDEN((R10)(BX*1), Y2, Y3)
	Q4WIDEN((R10)(BX*2), Y4, Y5)
	Q4WIDEN((R10)(DI*1), Y6, Y7)
	VCVTPH2PS (R8), Y8
	VCVTPH2PS 16(R8), Y9
	ADDBLOCK((R9), (R14), 32(R14), Y0, Y1)
	ADDBLOCK((R9)(BX*1), 64(R14), 96(R14), Y2, Y3)
	ADDBLOCK((R9)(BX*2), 128(R14), 160(R14), Y4, Y5)
	ADDBLOCK((R9)(DI*1), 192(R14), 224(R14), Y6, Y7)
	NEXTBLOCK(256, 32)
	JNZ       block

	TILEEND
	RET

// func tileQ8AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ8AVX2(SB), NOSPLIT, $288-48
	TILEBEGIN(9, 256)
	ONES16(Y15)

block:
	CLEARSUMS
	Q8TILEGROUP(0)
	Q8TILEGROUP(1)
	Q8TILEGROUP(2)
	Q8TILEGROUP(3)
	Q8TILEGROUP(4)
	Q8TILEGROUP(5)
	Q8TILEGROUP(6)
	Q8TILEGROUP(7)
	VCVTPH2PS (R8), Y8
	VCVTPH2PS 16(R8), Y9
	ADDBLOCK((R9), (R14), 32(R14), Y0, Y1)
	ADDBLOCK((R9)(BX*1), 64(R14), 96(R14), Y2, Y3)
	ADDBLOCK((R9)(BX*2), 128(R14), 160(R14), Y4, Y5)
	ADDBLOCK((R9)(DI*1), 192(R14), 224(R14), Y6, Y7)
	NEXTBLOCK(512, 32)
	JNZ       block

	TILEEND
	RET
