#include "textflag.h"

// Products of two expanded panels with 6, 4 or 2 tokens on AVX-512 with VNNI (see expand.go for the forms; expand_vnni_amd64.s expands the panels, so that
// codes of symmetric types are their values and 128). The arithmetic is that of panel_vnni_amd64.s.
//
// A core multiplies twice and loads twice in a cycle. A tile of one panel must load activations for each multiplication, beside the codes, and so
// waits for loads. Here 4 activations are broadcast once for both panels: 6 tokens take 96 multiplications and 74 loads. What is left beside
// the multiplications of codes is the scaling, 2 float multiplications of each sum on the same units: at most 80 % of bare multiplication. Sums start at
// -128 times the sum of activations by a shift and a subtraction, for which any vector unit will do; VPMULLD would take a multiplier.
//
// A multiplication takes 4 cycles, so at least 8 sums keep the two multipliers busy: 6 tokens of two panels have 12, and 12 accumulators; with sums
// of halves there is room for 4 tokens.
//
//	SI, R8 expanded blocks of the panels  CX blocks left   AX 0, BX, DI, R11: 1, 3, 5 times xStride
//	DX activations   R9 scales   R10 sums   R13 sums of first halves, all of token 0
//	Z0-Z11 acc   Z12-Z23 integer sums, p; of 4 tokens: Z0-Z7, Z8-Z15, sums of second halves Z16-Z23
//	Z24, Z25 codes, scales   Z26, Z27 activations, scratch   Z28, Z29 minima, scales of second halves   Z31 0

#define BEGIN \
	MOVQ   w+16(FP), SI         \
	MOVQ   wStride+24(FP), R8   \
	MOVQ   x+32(FP), DX         \
	MOVQ   xStride+40(FP), BX   \
	MOVQ   n+48(FP), CX         \
	ADDQ   SI, R8               \
	MOVQ   CX, AX               \
	SHLQ   $5, AX               \
	LEAQ   (DX)(AX*1), R9       \
	LEAQ   (R9)(CX*4), R10      \
	LEAQ   (R10)(CX*4), R13     \
	XORL   AX, AX               \
	LEAQ   (BX)(BX*2), DI       \
	LEAQ   (BX)(BX*4), R11      \
	VPXORD Z31, Z31, Z31

// TWO, FOUR and SIX do op for each token: with its acc, sum and second sum of both panels and the address of what it has, less that of token 0. SIX has no
// second sums.
#define TWO(op) \
	op(Z0, Z1, Z8, Z9, Z16, Z17, (AX*1))    \
	op(Z2, Z3, Z10, Z11, Z18, Z19, (BX*1))
#define FOUR(op) \
	TWO(op)                                 \
	op(Z4, Z5, Z12, Z13, Z20, Z21, (BX*2))  \
	op(Z6, Z7, Z14, Z15, Z22, Z23, (DI*1))
#define SIX(op) \
	op(Z0, Z1, Z12, Z13, Z31, Z31, (AX*1))  \
	op(Z2, Z3, Z14, Z15, Z31, Z31, (BX*1))  \
	op(Z4, Z5, Z16, Z17, Z31, Z31, (BX*2))  \
	op(Z6, Z7, Z18, Z19, Z31, Z31, (DI*1))  \
	op(Z8, Z9, Z20, Z21, Z31, Z31, (BX*4))  \
	op(Z10, Z11, Z22, Z23, Z31, Z31, (R11*1))

#define CLEARACC(a, b, sa, sb, ta, tb, i) \
	VPXORD a, a, a \
	VPXORD b, b, b

// How sums start.
#define CLEAR(a, b, sa, sb, ta, tb, i) \
	VPXORD sa, sa, sa \
	VPXORD sb, sb, sb
#define CLEARHALVES(a, b, sa, sb, ta, tb, i) \
	VPXORD sa, sa, sa \
	VPXORD sb, sb, sb \
	VPXORD ta, ta, ta \
	VPXORD tb, tb, tb
#define OFFSET(a, b, sa, sb, ta, tb, i) \
	VPSLLD.BCST $7, (R10)i, Z26 \
	VPSUBD      Z26, Z31, sa    \
	VMOVDQA64   sa, sb
#define OFFSETHALVES(a, b, sa, sb, ta, tb, i) \
	VPBROADCASTD (R13)i, Z26      \
	VPSUBD.BCST  (R10)i, Z26, Z27 \
	VPSUBD       Z26, Z31, Z26    \
	VPSLLD       $7, Z26, sa      \
	VPSLLD       $7, Z27, ta      \
	VMOVDQA64    sa, sb           \
	VMOVDQA64    ta, tb

// DOT multiplies a group, whose codes are in Z24 and Z25; SECOND adds to the sums of second halves.
#define DOT(a, b, sa, sb, ta, tb, i) \
	VBROADCASTSS (DX)i, Z26   \
	VPDPBUSD     Z26, Z24, sa  \
	VPDPBUSD     Z26, Z25, sb
#define SECOND(a, b, sa, sb, ta, tb, i) \
	VBROADCASTSS (DX)i, Z26   \
	VPDPBUSD     Z26, Z24, ta  \
	VPDPBUSD     Z26, Z25, tb

#define BOTH(off, ra, rb) \
	VMOVUPS off(SI), ra \
	VMOVUPS off(R8), rb

#define GROUP(g, each, dot) \
	BOTH((g*64), Z24, Z25) \
	each(dot)              \
	ADDQ $4, DX
#define GROUPS(each, second) \
	GROUP(0, each, DOT)    \
	GROUP(1, each, DOT)    \
	GROUP(2, each, DOT)    \
	GROUP(3, each, DOT)    \
	GROUP(4, each, second) \
	GROUP(5, each, second) \
	GROUP(6, each, second) \
	GROUP(7, each, second)

// SCALE makes p of the sums by the scales in Z24 and Z25; SCALEHALVES of both sums by Z24, Z25 and Z28, Z29.
#define SCALE(a, b, sa, sb, ta, tb, i) \
	VCVTDQ2PS sa, sa      \
	VCVTDQ2PS sb, sb      \
	VMULPS    Z24, sa, sa \
	VMULPS    Z25, sb, sb
#define SCALEHALVES(a, b, sa, sb, ta, tb, i) \
	VCVTDQ2PS   ta, ta      \
	VCVTDQ2PS   tb, tb      \
	SCALE(a, b, sa, sb, ta, tb, i) \
	VFMADD231PS Z28, ta, sa \
	VFMADD231PS Z29, tb, sb

// TAKEMIN takes the minima in Z28 and Z29 off; TAKEHALVES those of the halves, in Z24, Z25 and Z28, Z29.
#define TAKEMIN(a, b, sa, sb, ta, tb, i) \
	VCVTDQ2PS.BCST (R10)i, Z26  \
	VFNMADD231PS   Z28, Z26, sa \
	VFNMADD231PS   Z29, Z26, sb
#define TAKEHALVES(a, b, sa, sb, ta, tb, i) \
	VPBROADCASTD   (R10)i, Z27      \
	VCVTDQ2PS.BCST (R13)i, Z26      \
	VPSUBD.BCST    (R13)i, Z27, Z27 \
	VFNMADD231PS   Z24, Z26, sa     \
	VFNMADD231PS   Z25, Z26, sb     \
	VCVTDQ2PS      Z27, Z27         \
	VFNMADD231PS   Z28, Z27, sa     \
	VFNMADD231PS   Z29, Z27, sb

#define ADDBLOCK(a, b, sa, sb, ta, tb, i) \
	VBROADCASTSS (R9)i, Z26  \
	VFMADD231PS  Z26, sa, a  \
	VFMADD231PS  Z26, sb, b

#define NEXT(bytes) \
	ADDQ $bytes, SI \
	ADDQ $bytes, R8 \
	ADDQ $4, R9     \
	ADDQ $4, R10    \
	ADDQ $4, R13    \
	DECQ CX

#define STORE(a, b, sa, sb, ta, tb, i) \
	VMOVUPS a, (DI)   \
	VMOVUPS b, 64(DI) \
	ADDQ    DX, DI

#define END(each) \
	MOVQ y+0(FP), DI       \
	MOVQ yStride+8(FP), DX \
	each(STORE)            \
	VZEROUPPER

// ONESCALE is a kernel of the forms with one scale and no minima.
#define ONESCALE(each) \
	BEGIN \
	each(CLEARACC)      \
block:                      \
	each(OFFSET)        \
	GROUPS(each, DOT)   \
	BOTH(512, Z24, Z25) \
	each(SCALE)         \
	each(ADDBLOCK)      \
	NEXT(576)           \
	JNZ block           \
	END(each)

#define ONEMINIMUM(each) \
	BEGIN \
	each(CLEARACC)      \
block:                      \
	each(CLEAR)         \
	GROUPS(each, DOT)   \
	BOTH(512, Z24, Z25) \
	BOTH(576, Z28, Z29) \
	each(SCALE)         \
	each(TAKEMIN)       \
	each(ADDBLOCK)      \
	NEXT(640)           \
	JNZ block           \
	END(each)

#define TWOSCALES(each) \
	BEGIN \
	each(CLEARACC)       \
block:                       \
	each(OFFSETHALVES)   \
	GROUPS(each, SECOND) \
	BOTH(512, Z24, Z25)  \
	BOTH(576, Z28, Z29)  \
	each(SCALEHALVES)    \
	each(ADDBLOCK)       \
	NEXT(640)            \
	JNZ block            \
	END(each)

#define TWOMINIMA(each) \
	BEGIN \
	each(CLEARACC)       \
block:                       \
	each(CLEARHALVES)    \
	GROUPS(each, SECOND) \
	BOTH(512, Z24, Z25)  \
	BOTH(576, Z28, Z29)  \
	each(SCALEHALVES)    \
	BOTH(640, Z24, Z25)  \
	BOTH(704, Z28, Z29)  \
	each(TAKEHALVES)     \
	each(ADDBLOCK)       \
	NEXT(768)            \
	JNZ block            \
	END(each)

// func pair6ScaleVNNI(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·pair6ScaleVNNI(SB), NOSPLIT, $0-56
	ONESCALE(SIX)
	RET

// func pair6MinimumVNNI(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·pair6MinimumVNNI(SB), NOSPLIT, $0-56
	ONEMINIMUM(SIX)
	RET

// func pair4ScalesVNNI(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·pair4ScalesVNNI(SB), NOSPLIT, $0-56
	TWOSCALES(FOUR)
	RET

// func pair4MinimaVNNI(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·pair4MinimaVNNI(SB), NOSPLIT, $0-56
	TWOMINIMA(FOUR)
	RET

// func pair2ScaleVNNI(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·pair2ScaleVNNI(SB), NOSPLIT, $0-56
	ONESCALE(TWO)
	RET

// func pair2MinimumVNNI(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·pair2MinimumVNNI(SB), NOSPLIT, $0-56
	ONEMINIMUM(TWO)
	RET

// func pair2ScalesVNNI(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·pair2ScalesVNNI(SB), NOSPLIT, $0-56
	TWOSCALES(TWO)
	RET

// func pair2MinimaVNNI(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·pair2MinimaVNNI(SB), NOSPLIT, $0-56
	TWOMINIMA(TWO)
	RET
