#include "textflag.h"
#include "avx2_amd64.h"

// Products of expanded panels with 4 tokens on AVX2 (see expand.go for the forms). The arithmetic is that of panel_avx2_amd64.s.
//
// A code is loaded once for the 4 tokens, an activation broadcast once for both halves of the rows. The integer sums take 8 registers,
// so the float accumulators, used once in a block, wait in the frame. So does p between the halves of a block that have scales of their own.
//
//	SI expanded block   CX minus 4 times the blocks left
//	(DX, R11, R12, R13)(CX*8) activations of tokens 0-3   R9 scales, R10 sums, R8 sums of first halves of token 0   BX xStride   DI 3*xStride
//	R14 acc [4][2]ymm in the frame, aligned, then p [4][2]ymm
//	Y0-Y7 integer sums [4][2]   Y8, Y9 codes   Y10, Y11 magnitudes, scales   Y12-Y14 scratch   Y15 ones

// BEGIN begins the accumulators with 0 or, for a part within a panel, with y.
#define BEGIN \
	MOVQ    y+0(FP), DI             \
	MOVQ    yStride+8(FP), BX       \
	MOVQ    x+24(FP), DX            \
	MOVQ    n+40(FP), AX            \
	MOVQ    first+48(FP), R8        \
	MOVQ    count+56(FP), CX        \
	LEAQ    acc-513(SP), R14        \
	ANDQ    $~31, R14               \
	VXORPS  Y0, Y0, Y0              \
	VMOVAPS Y0, Y1                  \
	VMOVAPS Y0, Y2                  \
	VMOVAPS Y0, Y3                  \
	VMOVAPS Y0, Y4                  \
	VMOVAPS Y0, Y5                  \
	VMOVAPS Y0, Y6                  \
	VMOVAPS Y0, Y7                  \
	TESTQ   R8, R8                  \
	JZ      begun                   \
	VMOVUPS (DI), Y0                \
	VMOVUPS 32(DI), Y1              \
	VMOVUPS (DI)(BX*1), Y2          \
	VMOVUPS 32(DI)(BX*1), Y3        \
	LEAQ    (DI)(BX*2), DI          \
	VMOVUPS (DI), Y4                \
	VMOVUPS 32(DI), Y5              \
	VMOVUPS (DI)(BX*1), Y6          \
	VMOVUPS 32(DI)(BX*1), Y7        \
begun:                              \
	VMOVAPS Y0, (R14)               \
	VMOVAPS Y1, 32(R14)             \
	VMOVAPS Y2, 64(R14)             \
	VMOVAPS Y3, 96(R14)             \
	VMOVAPS Y4, 128(R14)            \
	VMOVAPS Y5, 160(R14)            \
	VMOVAPS Y6, 192(R14)            \
	VMOVAPS Y7, 224(R14)            \
	MOVQ    w+16(FP), SI            \
	MOVQ    AX, R9                  \
	SHLQ    $5, R9                  \
	ADDQ    DX, R9                  \
	LEAQ    (R9)(R8*4), R9          \
	LEAQ    (R9)(AX*4), R10         \
	ADDQ    CX, R8                  \
	SHLQ    $5, R8                  \
	ADDQ    R8, DX                  \
	LEAQ    (R10)(AX*4), R8         \
	SHLQ    $2, CX                  \
	NEGQ    CX                      \
	MOVQ    xStride+32(FP), BX      \
	LEAQ    (DX)(BX*1), R11         \
	LEAQ    (DX)(BX*2), R12         \
	LEAQ    (R11)(BX*2), R13        \
	LEAQ    (BX)(BX*2), DI          \
	ONES16(Y15)

#define STORETOKEN(i) \
	VMOVAPS (i*64)(R14), Y0    \
	VMOVAPS (i*64+32)(R14), Y1 \
	VMOVUPS Y0, (DI)           \
	VMOVUPS Y1, 32(DI)         \
	ADDQ    DX, DI

#define END \
	MOVQ yStride+8(FP), DX \
	MOVQ y+0(FP), DI       \
	STORETOKEN(0)          \
	STORETOKEN(1)          \
	STORETOKEN(2)          \
	STORETOKEN(3)          \
	VZEROUPPER

// NEXTBLOCK ends with the flag that is zero after the last block; NEXTHALVES is for blocks that use the sums of first halves.
#define NEXTBLOCK(blockBytes) \
	ADDQ $(blockBytes), SI \
	ADDQ $4, R9            \
	ADDQ $4, R10           \
	ADDQ $4, CX
#define NEXTHALVES(blockBytes) \
	ADDQ $4, R8 \
	NEXTBLOCK(blockBytes)

// ALL does op for the 4 tokens: with each one's integer sums, its place in the frame, and where its scale, sum and first half's sum lie.
#define ALL(op) \
	op(Y0, Y1, 0, (R9), (R10), (R8))                      \
	op(Y2, Y3, 1, (R9)(BX*1), (R10)(BX*1), (R8)(BX*1))    \
	op(Y4, Y5, 2, (R9)(BX*2), (R10)(BX*2), (R8)(BX*2))    \
	op(Y6, Y7, 3, (R9)(DI*1), (R10)(DI*1), (R8)(DI*1))

// Groups of unsigned codes, summed in 16 bits. Of each kind of groups the first one's products begin the sums, which saves adding to zero.
#define FIRSTTOKENU(g, x, sumA, sumB) \
	VPBROADCASTD ((g)*4)(x)(CX*8), Y12 \
	VPMADDUBSW   Y12, Y8, sumA   \
	VPMADDUBSW   Y12, Y9, sumB
#define FIRSTU(g) \
	VMOVDQU ((g)*64)(SI), Y8      \
	VMOVDQU ((g)*64+32)(SI), Y9   \
	FIRSTTOKENU(g, DX, Y0, Y1)    \
	FIRSTTOKENU(g, R11, Y2, Y3)   \
	FIRSTTOKENU(g, R12, Y4, Y5)   \
	FIRSTTOKENU(g, R13, Y6, Y7)
#define TOKENU(g, x, sumA, sumB) \
	VPBROADCASTD ((g)*4)(x)(CX*8), Y12 \
	VPMADDUBSW   Y12, Y8, Y13    \
	VPMADDUBSW   Y12, Y9, Y14    \
	VPADDW       Y13, sumA, sumA \
	VPADDW       Y14, sumB, sumB
#define GROUPU(g) \
	VMOVDQU ((g)*64)(SI), Y8    \
	VMOVDQU ((g)*64+32)(SI), Y9 \
	TOKENU(g, DX, Y0, Y1)       \
	TOKENU(g, R11, Y2, Y3)      \
	TOKENU(g, R12, Y4, Y5)      \
	TOKENU(g, R13, Y6, Y7)

// Pairs of groups of codes of up to 6 bits, whose 16-bit sums are widened.
#define FIRSTPAIRTOKEN(g, x, sumA, sumB) \
	VPBROADCASTD ((g)*4)(x)(CX*8), Y12    \
	VPBROADCASTD ((g)*4+4)(x)(CX*8), Y14  \
	VPMADDUBSW   Y12, Y8, Y13       \
	VPMADDUBSW   Y12, Y9, Y12       \
	VPMADDWD     Y15, Y13, sumA     \
	VPMADDWD     Y15, Y12, sumB     \
	SECONDOFPAIR(sumA, sumB)
#define PAIRTOKEN(g, x, sumA, sumB) \
	VPBROADCASTD ((g)*4)(x)(CX*8), Y12    \
	VPBROADCASTD ((g)*4+4)(x)(CX*8), Y14  \
	VPMADDUBSW   Y12, Y8, Y13       \
	VPMADDUBSW   Y12, Y9, Y12       \
	VPMADDWD     Y15, Y13, Y13      \
	VPMADDWD     Y15, Y12, Y12      \
	VPADDD       Y13, sumA, sumA    \
	VPADDD       Y12, sumB, sumB    \
	SECONDOFPAIR(sumA, sumB)
#define SECONDOFPAIR(sumA, sumB) \
	VPMADDUBSW   Y14, Y10, Y13      \
	VPMADDUBSW   Y14, Y11, Y14      \
	VPMADDWD     Y15, Y13, Y13      \
	VPMADDWD     Y15, Y14, Y14      \
	VPADDD       Y13, sumA, sumA    \
	VPADDD       Y14, sumB, sumB
#define PAIR(g, token) \
	VMOVDQU ((g)*64)(SI), Y8      \
	VMOVDQU ((g)*64+32)(SI), Y9   \
	VMOVDQU ((g)*64+64)(SI), Y10  \
	VMOVDQU ((g)*64+96)(SI), Y11  \
	token(g, DX, Y0, Y1)          \
	token(g, R11, Y2, Y3)         \
	token(g, R12, Y4, Y5)         \
	token(g, R13, Y6, Y7)

// Groups of signed codes.
#define FIRSTTOKENS(g, x, sumA, sumB) \
	VPBROADCASTD ((g)*4)(x)(CX*8), Y12 \
	VPSIGNB      Y8, Y12, Y13    \
	VPSIGNB      Y9, Y12, Y14    \
	VPMADDUBSW   Y13, Y10, Y13   \
	VPMADDUBSW   Y14, Y11, Y14   \
	VPMADDWD     Y15, Y13, sumA  \
	VPMADDWD     Y15, Y14, sumB
#define TOKENS(g, x, sumA, sumB) \
	VPBROADCASTD ((g)*4)(x)(CX*8), Y12 \
	VPSIGNB      Y8, Y12, Y13    \
	VPSIGNB      Y9, Y12, Y14    \
	VPMADDUBSW   Y13, Y10, Y13   \
	VPMADDUBSW   Y14, Y11, Y14   \
	VPMADDWD     Y15, Y13, Y13   \
	VPMADDWD     Y15, Y14, Y14   \
	VPADDD       Y13, sumA, sumA \
	VPADDD       Y14, sumB, sumB
#define LOADSIGNED(g) \
	VMOVDQU ((g)*64)(SI), Y8    \
	VMOVDQU ((g)*64+32)(SI), Y9 \
	VPABSB  Y8, Y10             \
	VPABSB  Y9, Y11
#define FIRSTS(g) \
	LOADSIGNED(g)               \
	FIRSTTOKENS(g, DX, Y0, Y1)  \
	FIRSTTOKENS(g, R11, Y2, Y3) \
	FIRSTTOKENS(g, R12, Y4, Y5) \
	FIRSTTOKENS(g, R13, Y6, Y7)
#define GROUPS(g) \
	LOADSIGNED(g)               \
	TOKENS(g, DX, Y0, Y1)       \
	TOKENS(g, R11, Y2, Y3)      \
	TOKENS(g, R12, Y4, Y5)      \
	TOKENS(g, R13, Y6, Y7)

#define HALF(first, group, g) \
	first(g)   \
	group(g+1) \
	group(g+2) \
	group(g+3)
#define PAIRS(g) \
	PAIR(g, FIRSTPAIRTOKEN) \
	PAIR(g+2, PAIRTOKEN)
#define BLOCK(first, group) \
	HALF(first, group, 0) \
	group(4)       \
	group(5)       \
	group(6)       \
	group(7)

#define SCALES(off) \
	VMOVUPS (off)(SI), Y8    \
	VMOVUPS (off+32)(SI), Y9

// What follows the sums. WIDEN makes them 32-bit, OFFSET8 takes 8 times the sum of the activations off.
#define WIDEN(sumA, sumB, i, xd, xsum, first) \
	VPMADDWD Y15, sumA, sumA \
	VPMADDWD Y15, sumB, sumB
#define OFFSET8(sumA, sumB, i, xd, xsum, first) \
	VPBROADCASTD xsum, Y12        \
	VPSLLD       $3, Y12, Y12     \
	VPSUBD       Y12, sumA, sumA  \
	VPSUBD       Y12, sumB, sumB

// MULTIPLY makes p of the sums by the scales Y8, Y9; ADDBLOCK adds it to acc.
#define MULTIPLY(sumA, sumB, i, xd, xsum, first) \
	VCVTDQ2PS sumA, sumA     \
	VCVTDQ2PS sumB, sumB     \
	VMULPS    Y8, sumA, sumA \
	VMULPS    Y9, sumB, sumB
#define ADDBLOCK(sumA, sumB, i, xd, xsum, first) \
	VBROADCASTSS xd, Y12                    \
	VFMADD213PS  (i*64)(R14), Y12, sumA     \
	VFMADD213PS  (i*64+32)(R14), Y12, sumB  \
	VMOVAPS      sumA, (i*64)(R14)          \
	VMOVAPS      sumB, (i*64+32)(R14)

// TAKEMIN takes the minima Y10, Y11 off.
#define TAKEMIN(sumA, sumB, i, xd, xsum, first) \
	VPBROADCASTD xsum, Y12 \
	MINIMUM(sumA, sumB)
#define MINIMUM(sumA, sumB) \
	VCVTDQ2PS    Y12, Y12       \
	VFNMADD231PS Y10, Y12, sumA \
	VFNMADD231PS Y11, Y12, sumB

// KEEP puts p of the first half into the frame; SECOND makes p of both.
#define KEEP(sumA, sumB, i, xd, xsum, first) \
	VMOVAPS sumA, (256+i*64)(R14)   \
	VMOVAPS sumB, (288+i*64)(R14)
#define SECOND(sumA, sumB, i, xd, xsum, first) \
	VCVTDQ2PS   sumA, sumA                   \
	VCVTDQ2PS   sumB, sumB                   \
	VFMADD213PS (256+i*64)(R14), Y8, sumA    \
	VFMADD213PS (288+i*64)(R14), Y9, sumB

// OFFSETFIRST and OFFSETSECOND take 32 times the sums of the halves of the activations off, MINFIRST and MINSECOND the minima Y10, Y11.
#define OFFSETFIRST(sumA, sumB, i, xd, xsum, first) \
	VPBROADCASTD first, Y12 \
	OFFSET32(sumA, sumB)
#define OFFSETSECOND(sumA, sumB, i, xd, xsum, first) \
	XSECOND(xsum, first) \
	OFFSET32(sumA, sumB)
#define OFFSET32(sumA, sumB) \
	VPSLLD $5, Y12, Y12     \
	VPSUBD Y12, sumA, sumA  \
	VPSUBD Y12, sumB, sumB
#define XSECOND(xsum, first) \
	VPBROADCASTD xsum, Y12  \
	VPBROADCASTD first, Y13 \
	VPSUBD       Y13, Y12, Y12
#define MINFIRST(sumA, sumB, i, xd, xsum, first) \
	VPBROADCASTD first, Y12 \
	MINIMUM(sumA, sumB)
#define MINSECOND(sumA, sumB, i, xd, xsum, first) \
	XSECOND(xsum, first) \
	MINIMUM(sumA, sumB)

// func tileNibbles32AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n, first, count int)
TEXT ·tileNibbles32AVX2(SB), NOSPLIT, $544-64
	BEGIN

block:
	BLOCK(FIRSTU, GROUPU)
	ALL(WIDEN)
	ALL(OFFSET8)
	SCALES(512)
	ALL(MULTIPLY)
	ALL(ADDBLOCK)
	NEXTBLOCK(576)
	JNZ block

	END
	RET

// func tileBytes32AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n, first, count int)
TEXT ·tileBytes32AVX2(SB), NOSPLIT, $544-64
	BEGIN

block:
	BLOCK(FIRSTS, GROUPS)
	SCALES(512)
	ALL(MULTIPLY)
	ALL(ADDBLOCK)
	NEXTBLOCK(576)
	JNZ block

	END
	RET

// WIDENKEEP puts the widened sums of the first half into the frame, WIDENADD adds them to those of the second.
#define WIDENKEEP(sumA, sumB, i, xd, xsum, first) \
	WIDEN(sumA, sumB, i, xd, xsum, first)  \
	VMOVDQA sumA, (256+i*64)(R14)      \
	VMOVDQA sumB, (288+i*64)(R14)
#define WIDENADD(sumA, sumB, i, xd, xsum, first) \
	WIDEN(sumA, sumB, i, xd, xsum, first)      \
	VPADDD (256+i*64)(R14), sumA, sumA     \
	VPADDD (288+i*64)(R14), sumB, sumB

// func tileMinima32AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n, first, count int)
TEXT ·tileMinima32AVX2(SB), NOSPLIT, $544-64
	BEGIN

block:
	HALF(FIRSTU, GROUPU, 0)
	ALL(WIDENKEEP)
	HALF(FIRSTU, GROUPU, 4)
	ALL(WIDENADD)
	SCALES(512)
	ALL(MULTIPLY)
	VMOVUPS 576(SI), Y10
	VMOVUPS 608(SI), Y11
	ALL(TAKEMIN)
	ALL(ADDBLOCK)
	NEXTBLOCK(640)
	JNZ block

	END
	RET

// func tileCodes16AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n, first, count int)
TEXT ·tileCodes16AVX2(SB), NOSPLIT, $544-64
	BEGIN

block:
	PAIRS(0)
	ALL(OFFSETFIRST)
	SCALES(512)
	ALL(MULTIPLY)
	ALL(KEEP)
	PAIRS(4)
	ALL(OFFSETSECOND)
	SCALES(576)
	ALL(SECOND)
	ALL(ADDBLOCK)
	NEXTHALVES(640)
	JNZ block

	END
	RET

// func tileBytes16AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n, first, count int)
TEXT ·tileBytes16AVX2(SB), NOSPLIT, $544-64
	BEGIN

block:
	HALF(FIRSTS, GROUPS, 0)
	SCALES(512)
	ALL(MULTIPLY)
	ALL(KEEP)
	HALF(FIRSTS, GROUPS, 4)
	SCALES(576)
	ALL(SECOND)
	ALL(ADDBLOCK)
	NEXTBLOCK(640)
	JNZ block

	END
	RET

// func tileMinima16AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n, first, count int)
TEXT ·tileMinima16AVX2(SB), NOSPLIT, $544-64
	BEGIN

block:
	HALF(FIRSTU, GROUPU, 0)
	ALL(WIDEN)
	SCALES(512)
	ALL(MULTIPLY)
	ALL(KEEP)
	HALF(FIRSTU, GROUPU, 4)
	ALL(WIDEN)
	SCALES(576)
	ALL(SECOND)
	VMOVUPS 640(SI), Y10
	VMOVUPS 672(SI), Y11
	ALL(MINFIRST)
	VMOVUPS 704(SI), Y10
	VMOVUPS 736(SI), Y11
	ALL(MINSECOND)
	ALL(ADDBLOCK)
	NEXTHALVES(768)
	JNZ block

	END
	RET
