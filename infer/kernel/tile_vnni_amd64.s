#include "textflag.h"

// Products of expanded panels with 8 and with 4 tokens on AVX-512 with VNNI (see expand.go for the forms; the panels are expanded by
// expand_avx2_amd64.s). The arithmetic is that of panel_vnni_amd64.s.
//
// A code is loaded once for all tokens; VPDPBUSD broadcasts the activations itself. Its result comes after 4 cycles and 2 start in each, so 8
// tokens keep it busy with one sum each.
//
//	SI expanded block   CX blocks left   AX 0, BX, DI, R11, R12: 1, 3, 5, 7 times xStride
//	DX activations   R9 scales   R10 sums   R13 sums of first halves, all of token 0
//	Z0-Z7 acc   Z8-Z15 integer sums, p   Z16-Z23 integer sums of second halves   Z24 codes   Z25 scales   Z26, Z27 minima, scratch
//	Z29 minus the code of 0   Z30 scratch   Z31 what makes codes unsigned

#define BEGIN(zero, flip) \
	MOVL         $-zero, AX          \
	VPBROADCASTD AX, Z29             \
	MOVL         $(flip*0x01010101), AX \
	VPBROADCASTD AX, Z31             \
	MOVQ         w+16(FP), SI        \
	MOVQ         x+24(FP), DX        \
	MOVQ         xStride+32(FP), BX  \
	MOVQ         n+40(FP), CX        \
	MOVQ         CX, AX              \
	SHLQ         $5, AX              \
	LEAQ         (DX)(AX*1), R9      \
	LEAQ         (R9)(CX*4), R10     \
	LEAQ         (R10)(CX*4), R13    \
	XORL         AX, AX              \
	LEAQ         (BX)(BX*2), DI      \
	LEAQ         (BX)(BX*4), R11     \
	LEAQ         (DI)(BX*4), R12

// FOUR and EIGHT do op for each token: with its acc, sum, second sum and the address of what it has, less that of token 0.
#define FOUR(op) \
	op(Z0, Z8, Z16, (AX*1))   \
	op(Z1, Z9, Z17, (BX*1))   \
	op(Z2, Z10, Z18, (BX*2))  \
	op(Z3, Z11, Z19, (DI*1))
#define EIGHT(op) \
	FOUR(op)                  \
	op(Z4, Z12, Z20, (BX*4))  \
	op(Z5, Z13, Z21, (R11*1)) \
	op(Z6, Z14, Z22, (DI*2))  \
	op(Z7, Z15, Z23, (R12*1))

#define CLEARACC(acc, sum, second, i) VPXORD acc, acc, acc

// How sums start.
#define CLEAR(acc, sum, second, i) VPXORD sum, sum, sum
#define CLEARHALVES(acc, sum, second, i) \
	VPXORD sum, sum, sum          \
	VPXORD second, second, second
#define OFFSET(acc, sum, second, i) VPMULLD.BCST (R10)i, Z29, sum
#define OFFSETHALVES(acc, sum, second, i) \
	VPBROADCASTD (R10)i, Z30           \
	VPMULLD.BCST (R13)i, Z29, sum      \
	VPSUBD.BCST  (R13)i, Z30, Z30      \
	VPMULLD      Z29, Z30, second

// DOT0 to DOT7 multiply group g, whose codes are in Z24.
#define DOT0(acc, sum, second, i) VPDPBUSD.BCST (DX)i, Z24, sum
#define DOT1(acc, sum, second, i) VPDPBUSD.BCST 4(DX)i, Z24, sum
#define DOT2(acc, sum, second, i) VPDPBUSD.BCST 8(DX)i, Z24, sum
#define DOT3(acc, sum, second, i) VPDPBUSD.BCST 12(DX)i, Z24, sum
#define DOT4(acc, sum, second, i) VPDPBUSD.BCST 16(DX)i, Z24, sum
#define DOT5(acc, sum, second, i) VPDPBUSD.BCST 20(DX)i, Z24, sum
#define DOT6(acc, sum, second, i) VPDPBUSD.BCST 24(DX)i, Z24, sum
#define DOT7(acc, sum, second, i) VPDPBUSD.BCST 28(DX)i, Z24, sum

// SECOND4 to SECOND7 add to the sums of second halves.
#define SECOND4(acc, sum, second, i) VPDPBUSD.BCST 16(DX)i, Z24, second
#define SECOND5(acc, sum, second, i) VPDPBUSD.BCST 20(DX)i, Z24, second
#define SECOND6(acc, sum, second, i) VPDPBUSD.BCST 24(DX)i, Z24, second
#define SECOND7(acc, sum, second, i) VPDPBUSD.BCST 28(DX)i, Z24, second

#define CODES(g) VPXORD (g*64)(SI), Z31, Z24

#define GROUPS(each, dot4, dot5, dot6, dot7) \
	CODES(0)   \
	each(DOT0) \
	CODES(1)   \
	each(DOT1) \
	CODES(2)   \
	each(DOT2) \
	CODES(3)   \
	each(DOT3) \
	CODES(4)   \
	each(dot4) \
	CODES(5)   \
	each(dot5) \
	CODES(6)   \
	each(dot6) \
	CODES(7)   \
	each(dot7)

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
	ADDQ $32, DX    \
	ADDQ $4, R9     \
	ADDQ $4, R10    \
	ADDQ $4, R13    \
	DECQ CX

#define STORE(acc, sum, second, i) \
	VMOVUPS acc, (DI) \
	ADDQ    DX, DI

#define END(each) \
	MOVQ y+0(FP), DI       \
	MOVQ yStride+8(FP), DX \
	each(STORE)            \
	VZEROUPPER

// ONESCALE is a kernel of the forms with one scale and no minima.
#define ONESCALE(each, zero, flip) \
	BEGIN(zero, flip)                    \
	each(CLEARACC)                       \
block:                                       \
	each(OFFSET)                         \
	GROUPS(each, DOT4, DOT5, DOT6, DOT7) \
	VMOVUPS 512(SI), Z25                 \
	each(SCALE)                          \
	each(ADDBLOCK)                       \
	NEXT(576)                            \
	JNZ block                            \
	END(each)

#define ONEMINIMUM(each) \
	BEGIN(0, 0)                          \
	each(CLEARACC)                       \
block:                                       \
	each(CLEAR)                          \
	GROUPS(each, DOT4, DOT5, DOT6, DOT7) \
	VMOVUPS 512(SI), Z25                 \
	VMOVUPS 576(SI), Z26                 \
	each(SCALE)                          \
	each(TAKEMIN)                        \
	each(ADDBLOCK)                       \
	NEXT(640)                            \
	JNZ block                            \
	END(each)

#define TWOSCALES(each, zero, flip) \
	BEGIN(zero, flip)                                \
	each(CLEARACC)                                   \
block:                                                   \
	each(OFFSETHALVES)                               \
	GROUPS(each, SECOND4, SECOND5, SECOND6, SECOND7) \
	VMOVUPS 512(SI), Z25                             \
	VMOVUPS 576(SI), Z26                             \
	each(SCALEHALVES)                                \
	each(ADDBLOCK)                                   \
	NEXT(640)                                        \
	JNZ block                                        \
	END(each)

#define TWOMINIMA(each) \
	BEGIN(0, 0)                                      \
	each(CLEARACC)                                   \
block:                                                   \
	each(CLEARHALVES)                                \
	GROUPS(each, SECOND4, SECOND5, SECOND6, SECOND7) \
	VMOVUPS 512(SI), Z25                             \
	VMOVUPS 576(SI), Z26                             \
	each(SCALEHALVES)                                \
	VMOVUPS 640(SI), Z26                             \
	VMOVUPS 704(SI), Z27                             \
	each(TAKEHALVES)                                 \
	each(ADDBLOCK)                                   \
	NEXT(768)                                        \
	JNZ block                                        \
	END(each)

// func tile8Nibbles32VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tile8Nibbles32VNNI(SB), NOSPLIT, $0-48
	ONESCALE(EIGHT, 8, 0)
	RET

// func tile8Bytes32VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tile8Bytes32VNNI(SB), NOSPLIT, $0-48
	ONESCALE(EIGHT, 128, 0x80)
	RET

// func tile8Minima32VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tile8Minima32VNNI(SB), NOSPLIT, $0-48
	ONEMINIMUM(EIGHT)
	RET

// func tile8Codes16VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tile8Codes16VNNI(SB), NOSPLIT, $0-48
	TWOSCALES(EIGHT, 32, 0)
	RET

// func tile8Bytes16VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tile8Bytes16VNNI(SB), NOSPLIT, $0-48
	TWOSCALES(EIGHT, 128, 0x80)
	RET

// func tile8Minima16VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tile8Minima16VNNI(SB), NOSPLIT, $0-48
	TWOMINIMA(EIGHT)
	RET

// func tile4Nibbles32VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tile4Nibbles32VNNI(SB), NOSPLIT, $0-48
	ONESCALE(FOUR, 8, 0)
	RET

// func tile4Bytes32VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tile4Bytes32VNNI(SB), NOSPLIT, $0-48
	ONESCALE(FOUR, 128, 0x80)
	RET

// func tile4Minima32VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tile4Minima32VNNI(SB), NOSPLIT, $0-48
	ONEMINIMUM(FOUR)
	RET

// func tile4Codes16VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tile4Codes16VNNI(SB), NOSPLIT, $0-48
	TWOSCALES(FOUR, 32, 0)
	RET

// func tile4Bytes16VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tile4Bytes16VNNI(SB), NOSPLIT, $0-48
	TWOSCALES(FOUR, 128, 0x80)
	RET

// func tile4Minima16VNNI(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tile4Minima16VNNI(SB), NOSPLIT, $0-48
	TWOMINIMA(FOUR)
	RET
