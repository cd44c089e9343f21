#include "textflag.h"
#include "avx2_amd64.h"

// Products of single neurons' rows with one token and with four, codes and scales apart (neuron.go), on AVX2. Rows lie wherever a page has room, so
// nothing is aligned to more than 2 bytes, and every load ends within its part.
//
// Blocks go in groups of 8. A group's factors, scale of the row times scale of the activations, are made at once and kept on the stack; a block then is
// 32 codes times 32 activations, summed to 8 lanes of int32, converted, and added with its factor to the group's sum. Groups have sums of their own,
// so that the CPU can work on the next one while additions of the last, each after the other, are under way: one sum for the whole row takes twice
// as long. Q4's nibbles are taken as 0 to 15: a group's sum starts at -8 times the sums of the activations. Blocks that fill no group follow one
// at a time, as groups of one. The lanes are added at the end. A tile does for each token what the product of one token does.
//
// Instructions per weight and token, of a dot and of a tile: Q4 0.30 and 0.21, Q8 0.33 and 0.26.
//
//	SI codes   DX scales   CX blocks left, less 8   BX R10 R11 R12 tokens' activations
//	R8, R9 bytes from a block's activations to its scale and to its sum
//	Y0 scales of the row   Y1 codes   Y12 their magnitudes, or -8   Y2, Y3 scratch   Y4-Y7 sums   Y8-Y11 sums of the group
//	Y13 shifts 0 and 4   Y14 nibbles   Y15 ones

// CONSTANTS4 makes those of Q4.
#define CONSTANTS4 \
	ONES16(Y15)                   \
	NIBBLES(Y14)                  \
	MOVL         $4, AX           \
	VMOVD        AX, X13          \
	VPBROADCASTQ X13, X13         \
	VPXOR        X1, X1, X1       \
	VINSERTI128  $1, X13, Y1, Y13 \
	MOVL         $0xc1000000, AX  \ // -8
	VMOVD        AX, X12          \
	VBROADCASTSS X12, Y12
#define CONSTANTS8 ONES16(Y15)

// CODES puts block i's codes in the order of the columns.
#define CODES4(i) \
	VBROADCASTI128 ((i)*16)(SI), Y1 \
	VPSRLVQ        Y13, Y1, Y1      \
	VPAND          Y14, Y1, Y1
#define CODES8(i) \
	VMOVDQU ((i)*32)(SI), Y1 \
	VPABSB  Y1, Y12

// PRODUCT adds the products of the codes with a token's activations, times the factor.
#define PRODUCT4(x, factor, sum) \
	VPMADDUBSW   x, Y1, Y2   \
	VPMADDWD     Y15, Y2, Y2 \
	VCVTDQ2PS    Y2, Y2      \
	VBROADCASTSS factor, Y3  \
	VFMADD231PS  Y3, Y2, sum
#define PRODUCT8(x, factor, sum) \
	VMOVDQU      x, Y2        \
	VPSIGNB      Y1, Y2, Y2   \
	VPMADDUBSW   Y2, Y12, Y2  \
	VPMADDWD     Y15, Y2, Y2  \
	VCVTDQ2PS    Y2, Y2       \
	VBROADCASTSS factor, Y3   \
	VFMADD231PS  Y3, Y2, sum

// BEGIN makes the factors of a group for a token, at frame offset at of the stack, and starts its sum; BEGIN_ONE those of a group of one, in lane 0.
#define BEGIN4(x, at, sum) \
	VMULPS    (x)(R8*1), Y0, Y2 \
	VCVTDQ2PS (x)(R9*1), Y3     \
	VMOVUPS   Y2, at(SP)        \
	VMULPS    Y12, Y3, Y3       \
	VMULPS    Y2, Y3, sum
#define BEGIN8(x, at, sum) \
	VMULPS  (x)(R8*1), Y0, Y2 \
	VMOVUPS Y2, at(SP)        \
	VXORPS  sum, sum, sum
#define BEGIN4_ONE(x, at, sum) \
	VMOVSS    (x)(R8*1), X2 \
	VMULPS    Y0, Y2, Y2    \
	VMOVD     (x)(R9*1), X3 \
	VCVTDQ2PS Y3, Y3        \
	VMOVSS    X2, at(SP)    \
	VMULPS    Y12, Y3, Y3   \
	VMULPS    Y2, Y3, sum
#define BEGIN8_ONE(x, at, sum) \
	VMULSS (x)(R8*1), X0, X2 \
	VMOVSS X2, at(SP)        \
	VXORPS sum, sum, sum

// What is done for the one token and for each of four; i is the block.
#define ALONE_BEGIN(begin) begin(BX, 0, Y8)
#define ALONE(product, i) product(((i)*32)(BX), ((i)*4)(SP), Y8)
#define ALONE_END(bytes) \
	VADDPS Y8, Y4, Y4 \
	ADDQ   $bytes, BX
#define TILE_BEGIN(begin) \
	begin(BX, 0, Y8)   \
	begin(R10, 32, Y9) \
	begin(R11, 64, Y10) \
	begin(R12, 96, Y11)
#define TILE(product, i) \
	product(((i)*32)(BX), ((i)*4)(SP), Y8)      \
	product(((i)*32)(R10), ((i)*4+32)(SP), Y9)  \
	product(((i)*32)(R11), ((i)*4+64)(SP), Y10) \
	product(((i)*32)(R12), ((i)*4+96)(SP), Y11)
#define TILE_END(bytes) \
	VADDPS Y8, Y4, Y4  \
	VADDPS Y9, Y5, Y5  \
	VADDPS Y10, Y6, Y6 \
	VADDPS Y11, Y7, Y7 \
	ADDQ   $bytes, BX  \
	ADDQ   $bytes, R10 \
	ADDQ   $bytes, R11 \
	ADDQ   $bytes, R12

// ROW goes through a row, and asks for what lies a page behind it: where all gates are computed that is the row after next, and without it the rows came
// from memory at 7 GB/s instead of 10 (Zen 4, one core). R8 and R9 take back what the activations step on more than their scales and sums.
#define ROW(tokensBegin, tokens, tokensEnd, begin, beginOne, codes, product, codeBytes) \
	MOVQ   CX, R8     \
	SHLQ   $5, R8     \
	LEAQ   (R8)(CX*4), R9 \
	VXORPS Y4, Y4, Y4 \
	VXORPS Y5, Y5, Y5 \
	VXORPS Y6, Y6, Y6 \
	VXORPS Y7, Y7, Y7 \
	SUBQ   $8, CX     \
	JLT    ones       \
eight:                    \
	PREFETCHT0 prefetchBytes(SI)    \
	PREFETCHT0 prefetchBytes+64(SI) \
	VCVTPH2PS (DX), Y0 \
	tokensBegin(begin) \
	codes(0)           \
	tokens(product, 0) \
	codes(1)           \
	tokens(product, 1) \
	codes(2)           \
	tokens(product, 2) \
	codes(3)           \
	tokens(product, 3) \
	codes(4)           \
	tokens(product, 4) \
	codes(5)           \
	tokens(product, 5) \
	codes(6)           \
	tokens(product, 6) \
	codes(7)           \
	tokens(product, 7) \
	tokensEnd(256)     \
	ADDQ $(8*codeBytes), SI \
	ADDQ $16, DX      \
	SUBQ $224, R8     \
	SUBQ $224, R9     \
	SUBQ $8, CX       \
	JGE  eight        \
ones:                     \
	ADDQ $8, CX       \
	JZ   done         \
one:                      \
	MOVWLZX   (DX), AX \
	VMOVD     AX, X0   \
	VCVTPH2PS X0, Y0   \
	tokensBegin(beginOne) \
	codes(0)           \
	tokens(product, 0) \
	tokensEnd(32)      \
	ADDQ $codeBytes, SI \
	ADDQ $2, DX       \
	SUBQ $28, R8      \
	SUBQ $28, R9      \
	DECQ CX           \
	JNZ  one          \
done:

// LANES adds the lanes of r (x its lower half) into x.
#define LANES(r, x) \
	VEXTRACTF128 $1, r, X1    \
	VADDPS       X1, x, x     \
	VPERMILPS    $0x4e, x, X1 \
	VADDPS       X1, x, x     \
	VPERMILPS    $0xb1, x, X1 \
	VADDPS       X1, x, x

#define DOT_ARGS \
	MOVQ codes+0(FP), SI  \
	MOVQ scales+8(FP), DX \
	MOVQ x+16(FP), BX     \
	MOVQ blocks+24(FP), CX
#define TILE_ARGS \
	MOVQ y+0(FP), DI        \
	MOVQ codes+8(FP), SI    \
	MOVQ scales+16(FP), DX  \
	MOVQ x+24(FP), BX       \
	MOVQ xStride+32(FP), AX \
	MOVQ blocks+40(FP), CX  \
	LEAQ (BX)(AX*1), R10    \
	LEAQ (R10)(AX*1), R11   \
	LEAQ (R11)(AX*1), R12
#define TILE_RESULTS \
	LANES(Y4, X4)     \
	LANES(Y5, X5)     \
	LANES(Y6, X6)     \
	LANES(Y7, X7)     \
	VMOVSS X4, 0(DI)  \
	VMOVSS X5, 4(DI)  \
	VMOVSS X6, 8(DI)  \
	VMOVSS X7, 12(DI)

// func neuronDotQ8AVX2(codes, scales, x unsafe.Pointer, blocks int) float32
TEXT ·neuronDotQ8AVX2(SB), NOSPLIT, $32-36
	DOT_ARGS
	CONSTANTS8
	ROW(ALONE_BEGIN, ALONE, ALONE_END, BEGIN8, BEGIN8_ONE, CODES8, PRODUCT8, 32)
	LANES(Y4, X4)
	VZEROUPPER
	MOVSS X4, ret+32(FP)
	RET

// func neuronDotQ4AVX2(codes, scales, x unsafe.Pointer, blocks int) float32
TEXT ·neuronDotQ4AVX2(SB), NOSPLIT, $32-36
	DOT_ARGS
	CONSTANTS4
	ROW(ALONE_BEGIN, ALONE, ALONE_END, BEGIN4, BEGIN4_ONE, CODES4, PRODUCT4, 16)
	LANES(Y4, X4)
	VZEROUPPER
	MOVSS X4, ret+32(FP)
	RET

// func neuronTileQ8AVX2(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)
TEXT ·neuronTileQ8AVX2(SB), NOSPLIT, $128-48
	TILE_ARGS
	CONSTANTS8
	ROW(TILE_BEGIN, TILE, TILE_END, BEGIN8, BEGIN8_ONE, CODES8, PRODUCT8, 32)
	TILE_RESULTS
	VZEROUPPER
	RET

// func neuronTileQ4AVX2(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)
TEXT ·neuronTileQ4AVX2(SB), NOSPLIT, $128-48
	TILE_ARGS
	CONSTANTS4
	ROW(TILE_BEGIN, TILE, TILE_END, BEGIN4, BEGIN4_ONE, CODES4, PRODUCT4, 16)
	TILE_RESULTS
	VZEROUPPER
	RET
