#include "textflag.h"
#include "avx2_amd64.h"

// Operations on single neurons' rows, codes and scales apart (neuron.go), on AVX2. Rows lie wherever a page has room, so nothing is aligned
// to more than 2 bytes, and every load ends within its part. AVX-512 CPUs use them too.
//
// Dots go by groups of 8 blocks. The group's factors, scale of the row times scale of the activations, are made at once and kept on the stack;
// a block then is 32 codes times 32 activations, summed to 8 lanes of int32, converted, and added with its factor. The lanes are added at the
// end. Q4's nibbles are taken as 0 to 15: 8 times the sum of the activations is taken off once for each group. Blocks that fill no group follow
// one at a time, with the same operations on each number. 9 instructions a block: 0.27 a weight, in a tile of four tokens 0.20.
//
//	SI codes   DX scales   CX blocks left, less 8
//	BX R10 R11 R12 tokens' activations   R8 bytes from a block's activations to its factor's part
//	Y0 Y6 Y7 Y8 sums   Y9 to Y12 sums of activations   Y15 ones   Y14 nibbles   Y13 shifts 0 and 4

// LANES adds the lanes of r (x its lower half) into x.
#define LANES(r, x, tmp) \
	VEXTRACTF128 $1, r, tmp    \
	VADDPS       tmp, x, x     \
	VPERMILPS    $0x4e, x, tmp \
	VADDPS       tmp, x, x     \
	VPERMILPS    $0xb1, x, tmp \
	VADDPS       tmp, x, x

// SHIFTS makes the constants of CODES4.
#define SHIFTS \
	NIBBLES(Y14)              \
	MOVL      $4, AX          \
	VMOVD     AX, X13         \
	VPBROADCASTQ X13, X13     \
	VPXOR     X1, X1, X1      \
	VINSERTI128 $1, X13, Y1, Y13

// CODES4 puts 16 bytes' nibbles into the bytes of r in the order of the columns.
#define CODES4(off, r) \
	VBROADCASTI128 off(SI), r \
	VPSRLVQ        Y13, r, r  \
	VPAND          Y14, r, r

// FACTORS puts 8 blocks' factors for one token on the stack: scales at (xs), row's in Y1.
#define FACTORS(xs, at, tmp) \
	VMULPS  xs, Y1, tmp \
	VMOVUPS tmp, at

// PRODUCT4 adds the products of the nibbles in Y2 with a token's activations, times the factor.
#define PRODUCT4(x, factor, acc) \
	VPMADDUBSW   x, Y2, Y4      \
	VPMADDWD     Y15, Y4, Y4    \
	VCVTDQ2PS    Y4, Y4         \
	VBROADCASTSS factor, Y5     \
	VFMADD231PS  Y5, Y4, acc

// PRODUCT8 is the same for the signed bytes in Y2 with the magnitudes in Y3.
#define PRODUCT8(x, factor, acc) \
	VMOVDQU      x, Y4          \
	VPSIGNB      Y2, Y4, Y4     \
	VPMADDUBSW   Y4, Y3, Y4     \
	VPMADDWD     Y15, Y4, Y4    \
	VCVTDQ2PS    Y4, Y4         \
	VBROADCASTSS factor, Y5     \
	VFMADD231PS  Y5, Y4, acc

// FACTOR1 puts one block's factor into the lowest lane of f and on the stack.
#define FACTOR1(xs, f, at) \
	VMULSS xs, X1, f \
	VMOVSS f, at

// SUMS1 adds the factor in f times the block's sum of activations at s to the lowest lane of acc, whose other lanes stay: the loads clear theirs.
#define SUMS1(s, f, acc, tmp, xtmp) \
	VMOVD       s, xtmp     \
	VCVTDQ2PS   tmp, tmp    \
	VFMADD231PS tmp, f, acc

// HALF1 makes the row's next scale a float in X1.
#define HALF1 \
	MOVWLZX   (DX), AX \
	VMOVD     AX, X1   \
	VCVTPH2PS X1, X1

// func neuronDotQ8AVX2(codes, scales, x unsafe.Pointer, blocks int) float32
TEXT ·neuronDotQ8AVX2(SB), NOSPLIT, $32-36
	MOVQ codes+0(FP), SI
	MOVQ scales+8(FP), DX
	MOVQ x+16(FP), BX
	MOVQ blocks+24(FP), CX
	MOVQ CX, R8
	SHLQ $5, R8
	MOVQ CX, R9
	SHLQ $2, R9
	ADDQ R8, R9
	VXORPS Y0, Y0, Y0
	ONES16(Y15)
	SUBQ $8, CX
	JLT ones

eight:
	VCVTPH2PS (DX), Y1
	FACTORS((BX)(R8*1), 0(SP), Y4)
	VMOVDQU 0(SI), Y2
	VPABSB Y2, Y3
	PRODUCT8(0(BX), 0(SP), Y0)
	VMOVDQU 32(SI), Y2
	VPABSB Y2, Y3
	PRODUCT8(32(BX), 4(SP), Y0)
	VMOVDQU 64(SI), Y2
	VPABSB Y2, Y3
	PRODUCT8(64(BX), 8(SP), Y0)
	VMOVDQU 96(SI), Y2
	VPABSB Y2, Y3
	PRODUCT8(96(BX), 12(SP), Y0)
	VMOVDQU 128(SI), Y2
	VPABSB Y2, Y3
	PRODUCT8(128(BX), 16(SP), Y0)
	VMOVDQU 160(SI), Y2
	VPABSB Y2, Y3
	PRODUCT8(160(BX), 20(SP), Y0)
	VMOVDQU 192(SI), Y2
	VPABSB Y2, Y3
	PRODUCT8(192(BX), 24(SP), Y0)
	VMOVDQU 224(SI), Y2
	VPABSB Y2, Y3
	PRODUCT8(224(BX), 28(SP), Y0)
	ADDQ $256, SI
	ADDQ $16, DX
	ADDQ $256, BX
	SUBQ $224, R8
	SUBQ $224, R9
	SUBQ $8, CX
	JGE eight

ones:
	ADDQ $8, CX
	JZ done

one:
	HALF1
	FACTOR1((BX)(R8*1), X4, 0(SP))
	VMOVDQU (SI), Y2
	VPABSB Y2, Y3
	PRODUCT8((BX), 0(SP), Y0)
	ADDQ $32, SI
	ADDQ $2, DX
	ADDQ $32, BX
	SUBQ $28, R8
	SUBQ $28, R9
	DECQ CX
	JNZ one

done:
	LANES(Y0, X0, X1)
	VZEROUPPER
	MOVSS X0, ret+32(FP)
	RET

// func neuronDotQ4AVX2(codes, scales, x unsafe.Pointer, blocks int) float32
TEXT ·neuronDotQ4AVX2(SB), NOSPLIT, $32-36
	MOVQ codes+0(FP), SI
	MOVQ scales+8(FP), DX
	MOVQ x+16(FP), BX
	MOVQ blocks+24(FP), CX
	MOVQ CX, R8
	SHLQ $5, R8
	MOVQ CX, R9
	SHLQ $2, R9
	ADDQ R8, R9
	VXORPS Y0, Y0, Y0
	VXORPS Y9, Y9, Y9
	ONES16(Y15)
	SHIFTS
	SUBQ $8, CX
	JLT ones

eight:
	VCVTPH2PS (DX), Y1
	FACTORS((BX)(R8*1), 0(SP), Y4)
	VCVTDQ2PS (BX)(R9*1), Y5
	VFMADD231PS Y4, Y5, Y9
	CODES4(0, Y2)
	PRODUCT4(0(BX), 0(SP), Y0)
	CODES4(16, Y2)
	PRODUCT4(32(BX), 4(SP), Y0)
	CODES4(32, Y2)
	PRODUCT4(64(BX), 8(SP), Y0)
	CODES4(48, Y2)
	PRODUCT4(96(BX), 12(SP), Y0)
	CODES4(64, Y2)
	PRODUCT4(128(BX), 16(SP), Y0)
	CODES4(80, Y2)
	PRODUCT4(160(BX), 20(SP), Y0)
	CODES4(96, Y2)
	PRODUCT4(192(BX), 24(SP), Y0)
	CODES4(112, Y2)
	PRODUCT4(224(BX), 28(SP), Y0)
	ADDQ $128, SI
	ADDQ $16, DX
	ADDQ $256, BX
	SUBQ $224, R8
	SUBQ $224, R9
	SUBQ $8, CX
	JGE eight

ones:
	ADDQ $8, CX
	JZ done

one:
	HALF1
	FACTOR1((BX)(R8*1), X4, 0(SP))
	SUMS1((BX)(R9*1), Y4, Y9, Y5, X5)
	CODES4(0, Y2)
	PRODUCT4((BX), 0(SP), Y0)
	ADDQ $16, SI
	ADDQ $2, DX
	ADDQ $32, BX
	SUBQ $28, R8
	SUBQ $28, R9
	DECQ CX
	JNZ one

done:
	MOVL $0x41000000, AX // 8
	VMOVD AX, X1
	VBROADCASTSS X1, Y1
	VFNMADD231PS Y9, Y1, Y0
	LANES(Y0, X0, X1)
	VZEROUPPER
	MOVSS X0, ret+32(FP)
	RET

// func neuronTileQ8AVX2(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)
TEXT ·neuronTileQ8AVX2(SB), NOSPLIT, $128-48
	MOVQ y+0(FP), DI
	MOVQ codes+8(FP), SI
	MOVQ scales+16(FP), DX
	MOVQ x+24(FP), BX
	MOVQ xStride+32(FP), AX
	MOVQ blocks+40(FP), CX
	LEAQ (BX)(AX*1), R10
	LEAQ (R10)(AX*1), R11
	LEAQ (R11)(AX*1), R12
	MOVQ CX, R8
	SHLQ $5, R8
	MOVQ CX, R9
	SHLQ $2, R9
	ADDQ R8, R9
	VXORPS Y0, Y0, Y0
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	ONES16(Y15)
	SUBQ $8, CX
	JLT ones

eight:
	VCVTPH2PS (DX), Y1
	FACTORS((BX)(R8*1), 0(SP), Y4)
	FACTORS((R10)(R8*1), 32(SP), Y4)
	FACTORS((R11)(R8*1), 64(SP), Y4)
	FACTORS((R12)(R8*1), 96(SP), Y4)
	VMOVDQU 0(SI), Y2
	VPABSB Y2, Y3
	PRODUCT8(0(BX), 0(SP), Y0)
	PRODUCT8(0(R10), 32(SP), Y6)
	PRODUCT8(0(R11), 64(SP), Y7)
	PRODUCT8(0(R12), 96(SP), Y8)
	VMOVDQU 32(SI), Y2
	VPABSB Y2, Y3
	PRODUCT8(32(BX), 4(SP), Y0)
	PRODUCT8(32(R10), 36(SP), Y6)
	PRODUCT8(32(R11), 68(SP), Y7)
	PRODUCT8(32(R12), 100(SP), Y8)
	VMOVDQU 64(SI), Y2
	VPABSB Y2, Y3
	PRODUCT8(64(BX), 8(SP), Y0)
	PRODUCT8(64(R10), 40(SP), Y6)
	PRODUCT8(64(R11), 72(SP), Y7)
	PRODUCT8(64(R12), 104(SP), Y8)
	VMOVDQU 96(SI), Y2
	VPABSB Y2, Y3
	PRODUCT8(96(BX), 12(SP), Y0)
	PRODUCT8(96(R10), 44(SP), Y6)
	PRODUCT8(96(R11), 76(SP), Y7)
	PRODUCT8(96(R12), 108(SP), Y8)
	VMOVDQU 128(SI), Y2
	VPABSB Y2, Y3
	PRODUCT8(128(BX), 16(SP), Y0)
	PRODUCT8(128(R10), 48(SP), Y6)
	PRODUCT8(128(R11), 80(SP), Y7)
	PRODUCT8(128(R12), 112(SP), Y8)
	VMOVDQU 160(SI), Y2
	VPABSB Y2, Y3
	PRODUCT8(160(BX), 20(SP), Y0)
	PRODUCT8(160(R10), 52(SP), Y6)
	PRODUCT8(160(R11), 84(SP), Y7)
	PRODUCT8(160(R12), 116(SP), Y8)
	VMOVDQU 192(SI), Y2
	VPABSB Y2, Y3
	PRODUCT8(192(BX), 24(SP), Y0)
	PRODUCT8(192(R10), 56(SP), Y6)
	PRODUCT8(192(R11), 88(SP), Y7)
	PRODUCT8(192(R12), 120(SP), Y8)
	VMOVDQU 224(SI), Y2
	VPABSB Y2, Y3
	PRODUCT8(224(BX), 28(SP), Y0)
	PRODUCT8(224(R10), 60(SP), Y6)
	PRODUCT8(224(R11), 92(SP), Y7)
	PRODUCT8(224(R12), 124(SP), Y8)
	ADDQ $256, SI
	ADDQ $16, DX
	ADDQ $256, BX
	ADDQ $256, R10
	ADDQ $256, R11
	ADDQ $256, R12
	SUBQ $224, R8
	SUBQ $224, R9
	SUBQ $8, CX
	JGE eight

ones:
	ADDQ $8, CX
	JZ done

one:
	HALF1
	FACTOR1((BX)(R8*1), X4, 0(SP))
	FACTOR1((R10)(R8*1), X4, 32(SP))
	FACTOR1((R11)(R8*1), X4, 64(SP))
	FACTOR1((R12)(R8*1), X4, 96(SP))
	VMOVDQU (SI), Y2
	VPABSB Y2, Y3
	PRODUCT8((BX), 0(SP), Y0)
	PRODUCT8((R10), 32(SP), Y6)
	PRODUCT8((R11), 64(SP), Y7)
	PRODUCT8((R12), 96(SP), Y8)
	ADDQ $32, SI
	ADDQ $2, DX
	ADDQ $32, BX
	ADDQ $32, R10
	ADDQ $32, R11
	ADDQ $32, R12
	SUBQ $28, R8
	SUBQ $28, R9
	DECQ CX
	JNZ one

done:
	LANES(Y0, X0, X1)
	LANES(Y6, X6, X1)
	LANES(Y7, X7, X1)
	LANES(Y8, X8, X1)
	VMOVSS X0, 0(DI)
	VMOVSS X6, 4(DI)
	VMOVSS X7, 8(DI)
	VMOVSS X8, 12(DI)
	VZEROUPPER
	RET

// func neuronTileQ4AVX2(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)
TEXT ·neuronTileQ4AVX2(SB), NOSPLIT, $128-48
	MOVQ y+0(FP), DI
	MOVQ codes+8(FP), SI
	MOVQ scales+16(FP), DX
	MOVQ x+24(FP), BX
	MOVQ xStride+32(FP), AX
	MOVQ blocks+40(FP), CX
	LEAQ (BX)(AX*1), R10
	LEAQ (R10)(AX*1), R11
	LEAQ (R11)(AX*1), R12
	MOVQ CX, R8
	SHLQ $5, R8
	MOVQ CX, R9
	SHLQ $2, R9
	ADDQ R8, R9
	VXORPS Y0, Y0, Y0
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10
	VXORPS Y11, Y11, Y11
	VXORPS Y12, Y12, Y12
	ONES16(Y15)
	SHIFTS
	SUBQ $8, CX
	JLT ones

eight:
	VCVTPH2PS (DX), Y1
	FACTORS((BX)(R8*1), 0(SP), Y4)
	VCVTDQ2PS (BX)(R9*1), Y5
	VFMADD231PS Y4, Y5, Y9
	FACTORS((R10)(R8*1), 32(SP), Y4)
	VCVTDQ2PS (R10)(R9*1), Y5
	VFMADD231PS Y4, Y5, Y10
	FACTORS((R11)(R8*1), 64(SP), Y4)
	VCVTDQ2PS (R11)(R9*1), Y5
	VFMADD231PS Y4, Y5, Y11
	FACTORS((R12)(R8*1), 96(SP), Y4)
	VCVTDQ2PS (R12)(R9*1), Y5
	VFMADD231PS Y4, Y5, Y12
	CODES4(0, Y2)
	PRODUCT4(0(BX), 0(SP), Y0)
	PRODUCT4(0(R10), 32(SP), Y6)
	PRODUCT4(0(R11), 64(SP), Y7)
	PRODUCT4(0(R12), 96(SP), Y8)
	CODES4(16, Y2)
	PRODUCT4(32(BX), 4(SP), Y0)
	PRODUCT4(32(R10), 36(SP), Y6)
	PRODUCT4(32(R11), 68(SP), Y7)
	PRODUCT4(32(R12), 100(SP), Y8)
	CODES4(32, Y2)
	PRODUCT4(64(BX), 8(SP), Y0)
	PRODUCT4(64(R10), 40(SP), Y6)
	PRODUCT4(64(R11), 72(SP), Y7)
	PRODUCT4(64(R12), 104(SP), Y8)
	CODES4(48, Y2)
	PRODUCT4(96(BX), 12(SP), Y0)
	PRODUCT4(96(R10), 44(SP), Y6)
	PRODUCT4(96(R11), 76(SP), Y7)
	PRODUCT4(96(R12), 108(SP), Y8)
	CODES4(64, Y2)
	PRODUCT4(128(BX), 16(SP), Y0)
	PRODUCT4(128(R10), 48(SP), Y6)
	PRODUCT4(128(R11), 80(SP), Y7)
	PRODUCT4(128(R12), 112(SP), Y8)
	CODES4(80, Y2)
	PRODUCT4(160(BX), 20(SP), Y0)
	PRODUCT4(160(R10), 52(SP), Y6)
	PRODUCT4(160(R11), 84(SP), Y7)
	PRODUCT4(160(R12), 116(SP), Y8)
	CODES4(96, Y2)
	PRODUCT4(192(BX), 24(SP), Y0)
	PRODUCT4(192(R10), 56(SP), Y6)
	PRODUCT4(192(R11), 88(SP), Y7)
	PRODUCT4(192(R12), 120(SP), Y8)
	CODES4(112, Y2)
	PRODUCT4(224(BX), 28(SP), Y0)
	PRODUCT4(224(R10), 60(SP), Y6)
	PRODUCT4(224(R11), 92(SP), Y7)
	PRODUCT4(224(R12), 124(SP), Y8)
	ADDQ $128, SI
	ADDQ $16, DX
	ADDQ $256, BX
	ADDQ $256, R10
	ADDQ $256, R11
	ADDQ $256, R12
	SUBQ $224, R8
	SUBQ $224, R9
	SUBQ $8, CX
	JGE eight

ones:
	ADDQ $8, CX
	JZ done

one:
	HALF1
	FACTOR1((BX)(R8*1), X4, 0(SP))
	SUMS1((BX)(R9*1), Y4, Y9, Y5, X5)
	FACTOR1((R10)(R8*1), X4, 32(SP))
	SUMS1((R10)(R9*1), Y4, Y10, Y5, X5)
	FACTOR1((R11)(R8*1), X4, 64(SP))
	SUMS1((R11)(R9*1), Y4, Y11, Y5, X5)
	FACTOR1((R12)(R8*1), X4, 96(SP))
	SUMS1((R12)(R9*1), Y4, Y12, Y5, X5)
	CODES4(0, Y2)
	PRODUCT4((BX), 0(SP), Y0)
	PRODUCT4((R10), 32(SP), Y6)
	PRODUCT4((R11), 64(SP), Y7)
	PRODUCT4((R12), 96(SP), Y8)
	ADDQ $16, SI
	ADDQ $2, DX
	ADDQ $32, BX
	ADDQ $32, R10
	ADDQ $32, R11
	ADDQ $32, R12
	SUBQ $28, R8
	SUBQ $28, R9
	DECQ CX
	JNZ one

done:
	MOVL $0x41000000, AX // 8
	VMOVD AX, X1
	VBROADCASTSS X1, Y1
	VFNMADD231PS Y9, Y1, Y0
	VFNMADD231PS Y10, Y1, Y6
	VFNMADD231PS Y11, Y1, Y7
	VFNMADD231PS Y12, Y1, Y8
	LANES(Y0, X0, X1)
	LANES(Y6, X6, X1)
	LANES(Y7, X7, X1)
	LANES(Y8, X8, X1)
	VMOVSS X0, 0(DI)
	VMOVSS X6, 4(DI)
	VMOVSS X7, 8(DI)
	VMOVSS X8, 12(DI)
	VZEROUPPER
	RET

// Axpys add four rows to y: a block of 32 outputs is loaded once, each row's codes are converted and added in turn, and it is stored once.
//
//	DI y   SI rows   R8-R11 codes   R12 R13 BX DX scales   CX blocks
//	Y0-Y3 y   Y4-Y7 coefficients   Y8 factor   Y15 nibbles   Y14 8 in each lane

// ROWS loads the rows' pointers and coefficients.
#define ROWS \
	MOVQ         (SI), R8      \
	MOVQ         8(SI), R12    \
	VBROADCASTSS 16(SI), Y4    \
	MOVQ         24(SI), R9    \
	MOVQ         32(SI), R13   \
	VBROADCASTSS 40(SI), Y5    \
	MOVQ         48(SI), R10   \
	MOVQ         56(SI), BX    \
	VBROADCASTSS 64(SI), Y6    \
	MOVQ         72(SI), R11   \
	MOVQ         80(SI), DX    \
	VBROADCASTSS 88(SI), Y7

// FACTOR is coefficient times the block's scale.
#define FACTOR(scales, coef) \
	VPBROADCASTW (scales), X8   \
	VCVTPH2PS    X8, Y8         \
	VMULPS       coef, Y8, Y8

// ADD4 adds the 8 nibbles of r, less 8, to acc.
#define ADD4(r, acc) \
	VPSUBD      Y14, r, r  \
	VCVTDQ2PS   r, r       \
	VFMADD231PS r, Y8, acc

// ROW4 adds a block of 32 nibbles.
#define ROW4(codes, scales, coef) \
	FACTOR(scales, coef)            \
	VPMOVZXBD (codes), Y9           \
	VPMOVZXBD 8(codes), Y10         \
	VPSRLD    $4, Y9, Y11           \
	VPSRLD    $4, Y10, Y12          \
	VPAND     Y15, Y9, Y9           \
	VPAND     Y15, Y10, Y10         \
	ADD4(Y9, Y0)                    \
	ADD4(Y10, Y1)                   \
	ADD4(Y11, Y2)                   \
	ADD4(Y12, Y3)                   \
	ADDQ      $16, codes            \
	ADDQ      $2, scales

// ADD8 adds 8 signed bytes to acc.
#define ADD8(at, acc) \
	VPMOVSXBD   at, Y9      \
	VCVTDQ2PS   Y9, Y9      \
	VFMADD231PS Y9, Y8, acc

// ROW8 adds a block of 32 bytes.
#define ROW8(codes, scales, coef) \
	FACTOR(scales, coef)  \
	ADD8((codes), Y0)     \
	ADD8(8(codes), Y1)    \
	ADD8(16(codes), Y2)   \
	ADD8(24(codes), Y3)   \
	ADDQ $32, codes       \
	ADDQ $2, scales

#define LOADY \
	VMOVUPS (DI), Y0   \
	VMOVUPS 32(DI), Y1 \
	VMOVUPS 64(DI), Y2 \
	VMOVUPS 96(DI), Y3

#define STOREY \
	VMOVUPS Y0, (DI)   \
	VMOVUPS Y1, 32(DI) \
	VMOVUPS Y2, 64(DI) \
	VMOVUPS Y3, 96(DI) \
	ADDQ    $128, DI

// LANES8 makes 8 in each 32-bit lane.
#define LANES8(r, x) \
	MOVL         $8, AX \
	VMOVD        AX, x  \
	VPBROADCASTD x, r

// func neuronAxpyQ8AVX2(y *float32, rows *[axpyRows]Weighted, blocks int)
TEXT ·neuronAxpyQ8AVX2(SB), NOSPLIT, $0-24
	MOVQ y+0(FP), DI
	MOVQ rows+8(FP), SI
	MOVQ blocks+16(FP), CX
	ROWS

block:
	LOADY
	ROW8(R8, R12, Y4)
	ROW8(R9, R13, Y5)
	ROW8(R10, BX, Y6)
	ROW8(R11, DX, Y7)
	STOREY
	DECQ CX
	JNZ  block

	VZEROUPPER
	RET

// func neuronAxpyQ4AVX2(y *float32, rows *[axpyRows]Weighted, blocks int)
TEXT ·neuronAxpyQ4AVX2(SB), NOSPLIT, $0-24
	MOVQ y+0(FP), DI
	MOVQ rows+8(FP), SI
	MOVQ blocks+16(FP), CX
	ROWS
	LANES8(Y14, X14)
	VPCMPEQD Y15, Y15, Y15
	VPSRLD   $28, Y15, Y15

block:
	LOADY
	ROW4(R8, R12, Y4)
	ROW4(R9, R13, Y5)
	ROW4(R10, BX, Y6)
	ROW4(R11, DX, Y7)
	STOREY
	DECQ CX
	JNZ  block

	VZEROUPPER
	RET

// Columns: every output has its own scale.
//
//	DI y   SI codes   DX scales   CX blocks   Y4 coefficient

// COLUMN adds the 8 integers of r, each with its scale, to 8 outputs.
#define COLUMN(r, n) \
	VCVTDQ2PS   r, r              \
	VCVTPH2PS   (16*n)(DX), Y8    \
	VMULPS      Y4, Y8, Y8        \
	VFMADD213PS (32*n)(DI), Y8, r \
	VMOVUPS     r, (32*n)(DI)

// func neuronColumnQ8AVX2(y *float32, codes, scales unsafe.Pointer, a float32, blocks int)
TEXT ·neuronColumnQ8AVX2(SB), NOSPLIT, $0-40
	MOVQ         y+0(FP), DI
	MOVQ         codes+8(FP), SI
	MOVQ         scales+16(FP), DX
	VBROADCASTSS a+24(FP), Y4
	MOVQ         blocks+32(FP), CX

block:
	VPMOVSXBD (SI), Y9
	VPMOVSXBD 8(SI), Y10
	VPMOVSXBD 16(SI), Y11
	VPMOVSXBD 24(SI), Y12
	COLUMN(Y9, 0)
	COLUMN(Y10, 1)
	COLUMN(Y11, 2)
	COLUMN(Y12, 3)
	ADDQ      $32, SI
	ADDQ      $64, DX
	ADDQ      $128, DI
	DECQ      CX
	JNZ       block

	VZEROUPPER
	RET

// func neuronColumnQ4AVX2(y *float32, codes, scales unsafe.Pointer, a float32, blocks int)
TEXT ·neuronColumnQ4AVX2(SB), NOSPLIT, $0-40
	MOVQ         y+0(FP), DI
	MOVQ         codes+8(FP), SI
	MOVQ         scales+16(FP), DX
	VBROADCASTSS a+24(FP), Y4
	MOVQ         blocks+32(FP), CX
	LANES8(Y14, X14)
	VPCMPEQD     Y15, Y15, Y15
	VPSRLD       $28, Y15, Y15

block:
	VPMOVZXBD (SI), Y9
	VPMOVZXBD 8(SI), Y10
	VPSRLD    $4, Y9, Y11
	VPSRLD    $4, Y10, Y12
	VPAND     Y15, Y9, Y9
	VPAND     Y15, Y10, Y10
	VPSUBD    Y14, Y9, Y9
	VPSUBD    Y14, Y10, Y10
	VPSUBD    Y14, Y11, Y11
	VPSUBD    Y14, Y12, Y12
	COLUMN(Y9, 0)
	COLUMN(Y10, 1)
	COLUMN(Y11, 2)
	COLUMN(Y12, 3)
	ADDQ      $16, SI
	ADDQ      $64, DX
	ADDQ      $128, DI
	DECQ      CX
	JNZ       block

	VZEROUPPER
	RET

// func prefetchAVX2(p unsafe.Pointer, bytes int)
TEXT ·prefetchAVX2(SB), NOSPLIT, $0-16
	MOVQ p+0(FP), SI
	MOVQ bytes+8(FP), CX

line:
	PREFETCHT0 (SI)
	ADDQ       $64, SI
	SUBQ       $64, CX
	JG         line
	RET
