#include "textflag.h"

// Products of one expanded panel with 4 tokens on AVX-512 with VNNI, where no second panel is left for the tiles of pair_vnni_amd64.s. The arithmetic
// is that of panel_vnni_amd64.s.
//
// A code is loaded once for all tokens; VPDPBUSD broadcasts the activations itself, so that there is a load for each multiplication: those set the pace.
//
//	SI expanded block   CX blocks left   AX 0, BX, DI: 1, 3 times xStride
//	DX activations   R9 scales   R10 sums   R13 sums of first halves, all of token 0
//	Z0-Z3 acc   Z8-Z11 integer sums, p   Z16-Z19 integer sums of second halves   Z24 codes   Z25 scales   Z26, Z27 minima, scratch
//	Z30 scratch   Z31 0

#define BEGIN \
	MOVQ   w+16(FP), SI        \
	MOVQ   x+24(FP), DX        \
	MOVQ   xStride+32(FP), BX  \
	MOVQ   n+40(FP), CX        \
	MOVQ   CX, AX              \
	SHLQ   $5, AX              \
	LEAQ   (DX)(AX*1), R9      \
	LEAQ   (R9)(CX*4), R10     \
	LEAQ   (R10)(CX*4), R13    \
	XORL   AX, AX              \
	LEAQ   (BX)(BX*2), DI      \
	VPXORD Z31, Z31, Z31

// FOUR does op for each token: with its acc, sum, second sum and the address of what it has, less that of token 0.
#define FOUR(op) \
	op(Z0, Z8, Z16, (AX*1))  \
	op(Z1, Z9, Z17, (BX*1))  \
	op(Z2, Z10, Z18, (BX*2)) \
	op(Z3, Z11, Z19, (DI*1))

#define CLEARACC(acc, sum, second, i) VPXORD acc, acc, acc

// How sums start.
#define CLEAR(acc, sum, second, i) VPXORD sum, sum, sum
#define CLEARHALVES(acc, sum, second, i) \
	VPXORD sum, sum, sum          \
	VPXORD second, second, second
#define OFFSET(acc, sum, second, i) \
	VPSLLD.BCST $7, (R10)i, Z30 \
	VPSUBD      Z30, Z31, sum
#define OFFSETHALVES(acc, sum, second, i) \
	VPBROADCASTD (R13)i, Z30         \
	VPSUBD.BCST  (R10)i, Z30, second \
	VPSUBD       Z30, Z31, sum       \
	VPSLLD       $7, sum, sum        \
	VPSLLD       $7, second, second

// DOT multiplies a group, whose codes are in Z24; SECOND adds to the sums of second halves.
#define DOT(acc, sum, second, i) VPDPBUSD.BCST (DX)i, Z24, sum
#define SECOND(acc, sum, second, i) VPDPBUSD.BCST (DX)i, Z24, second

#define GROUP(g, dot) \
	VMOVUPS (g*64)(SI), Z24 \
	FOUR(dot)               \
	ADDQ $4, DX
#define GROUPS(second) \
	GROUP(0, DOT)    \
	GROUP(1, DOT)    \
	GROUP(2, DOT)    \
	GROUP(3, DOT)    \
	GROUP(4, second) \
	GROUP(5, second) \
	GROUP(6, second) \
	GROUP(7, second)

// SCALE makes p of the sum by the scales in Z25; SCALEHALVES of both sums by Z25 and Z26.
#define SCALE(acc, sum, second, i) \
	VCVTDQ2PS sum, sum      \
	VMULPS    Z25, sum, sum
#define SCALEHALVES(acc, sum, second, i) \
	VCVTDQ2PS   sum, sum          \
	VCVTDQ2PS   second, second    \
	VMULPS      Z25, sum, sum     \
	VFMADD231PS Z26, second, sum

// TAKEMIN takes the minima in Z26 off; TAKEHALVES those of the halves, in Z26 and Z27.
#define TAKEMIN(acc, sum, second, i) \
	VCVTDQ2PS.BCST (R10)i, Z30    \
	VFNMADD231PS   Z26, Z30, sum
#define TAKEHALVES(acc, sum, second, i) \
	VPBROADCASTD   (R10)i, Z24        \
	VCVTDQ2PS.BCST (R13)i, Z30        \
	VPSUBD.BCST    (R13)i, Z24, Z24   \
	VFNMADD231PS   Z26, Z30, sum      \
	VCVTDQ2PS      Z24, Z24           \
	VFNMADD231PS   Z27, Z24, sum

#define ADDBLOCK(acc, sum, second, i) VFMADD231PS.BCST (R9)i, sum, acc

#define NEXT(bytes) \
	ADDQ $bytes, SI \
	ADDQ $4, R9     \
	ADDQ $4, R10    \
	ADDQ $4, R13    \
	DECQ CX

#define STORE(acc, sum, second, i) \
	VMOVUPS acc, (DI) \
	ADDQ    DX, DI

#define END \
	MOVQ y+0(FP), DI       \
	MOVQ yStride+8(FP), DX \
	FOUR(STORE)            \
	VZEROUPPER

// func tileScaleVNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileScaleVNNI(SB), NOSPLIT, $0-48
	BEGIN
	FOUR(CLEARACC)

block:
	FOUR(OFFSET)
	GROUPS(DOT)
	VMOVUPS 512(SI), Z25
	FOUR(SCALE)
	FOUR(ADDBLOCK)
	NEXT(576)
	JNZ block

	END
	RET

// func tileMinimumVNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileMinimumVNNI(SB), NOSPLIT, $0-48
	BEGIN
	FOUR(CLEARACC)

block:
	FOUR(CLEAR)
	GROUPS(DOT)
	VMOVUPS 512(SI), Z25
	VMOVUPS 576(SI), Z26
	FOUR(SCALE)
	FOUR(TAKEMIN)
	FOUR(ADDBLOCK)
	NEXT(640)
	JNZ block

	END
	RET

// func tileScalesVNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileScalesVNNI(SB), NOSPLIT, $0-48
	BEGIN
	FOUR(CLEARACC)

block:
	FOUR(OFFSETHALVES)
	GROUPS(SECOND)
	VMOVUPS 512(SI), Z25
	VMOVUPS 576(SI), Z26
	FOUR(SCALEHALVES)
	FOUR(ADDBLOCK)
	NEXT(640)
	JNZ block

	END
	RET

// func tileMinimaVNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileMinimaVNNI(SB), NOSPLIT, $0-48
	BEGIN
	FOUR(CLEARACC)

block:
	FOUR(CLEARHALVES)
	GROUPS(SECOND)
	VMOVUPS 512(SI), Z25
	VMOVUPS 576(SI), Z26
	FOUR(SCALEHALVES)
	VMOVUPS 640(SI), Z26
	VMOVUPS 704(SI), Z27
	FOUR(TAKEHALVES)
	FOUR(ADDBLOCK)
	NEXT(768)
	JNZ block

	END
	RET
