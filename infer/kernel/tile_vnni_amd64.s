#include "textflag.h"
#include "avx2_amd64.h"
#include "vnni_amd64.h"

// Products of Q4 and Q8 panels with 4 tokens on AVX-512 with VNNI. The arithmetic is that of panel_vnni_amd64.s; a weight is unpacked once for
// the 4 tokens.
//
// Instructions per weight and token: Q4 0.04, Q8 0.04.
//
//	SI codes   R8 scales of the weights   CX blocks left
//	DX, R11, R12, R13 activations of tokens 0-3   R9 scales, R10 sums of token 0   BX xStride   DI 3*xStride
//	Z0-Z3 acc of tokens 0-3   Z4-Z7 their integer sums   Z8-Z11 second integer sums   Z29 zero
//	Z30 nibble mask   Z31 0x80 in each byte   Z12, Z13 weights

#define TILEOFFSETS(shift) \
	OFFSET(shift, (R10), Z4)        \
	OFFSET(shift, (R10)(BX*1), Z5)  \
	OFFSET(shift, (R10)(BX*2), Z6)  \
	OFFSET(shift, (R10)(DI*1), Z7)  \
	VPXORD Z8, Z8, Z8               \
	VPXORD Z9, Z9, Z9               \
	VPXORD Z10, Z10, Z10            \
	VPXORD Z11, Z11, Z11

#define TILEADDBLOCK \
	VCVTPH2PS (R8), Z12               \
	ADDBLOCK((R9), Z4, Z8, Z0)        \
	ADDBLOCK((R9)(BX*1), Z5, Z9, Z1)  \
	ADDBLOCK((R9)(BX*2), Z6, Z10, Z2) \
	ADDBLOCK((R9)(DI*1), Z7, Z11, Z3)

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
	NEXTBLOCK(256, 32)
	JNZ block

	TILEEND
	RET

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
	NEXTBLOCK(512, 32)
	JNZ block

	TILEEND
	RET
