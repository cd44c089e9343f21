#include "textflag.h"
#include "avx2_amd64.h"
#include "neuron_amd64.h"

// Products of neuron rows of Q4_0 (neuron.go) on AVX2: of the rows of a list with one token, and of one row with four tokens. Rows lie wherever a
// page has room, so nothing is aligned to more than 2 bytes, and every load ends within its part.
//
// Blocks go in groups of 8, two of them in a register: an AND and a shift take its nibbles apart, as 0 to 15, and activations are put into the same
// order. The 32 products of a block are added in 16 bits to two sums of 16 each, which stay within 16 * 15 * 127. Those of eight blocks then lie in one register, where
// one VPMADDWD makes the eight sums. 8 times the sums of the activations is taken off, all that exact; then they become floats and are
// added, one lane for each block, with their factors, scale of the row times scale of the activations. Blocks that fill no group
// follow one at a time, in lane 0. The lanes are added at the end.
//
// A list goes two rows at a time: they share the ordering of the activations. A tile puts the codes into the order of the columns
// instead, once for its four tokens. What it adds to a lane is the same, and so the bits are.
//
// Instructions per weight and token: of a list 0.23, of a tile 0.18.
//
//	SI DI rows of the list   DX rows left   R8 R9 codes   R10 R11 scales   R12 R13 codes of rows ahead   AX twice the number of blocks done
//	BX activations of the block   R14 scales of the activations   R15 their sums   CX blocks left, less 8
//	Y0 Y1 codes or sums in 16 bits, as Y4-Y7   Y2 Y3 activations; 8 times their sums   Y8 Y9 scratch   Y10 Y11 sums of the rows
//	Y13 lanes of the eight sums   Y14 nibbles   Y15 ones
//
//	of a tile: SI codes   DX scales   BX R10 R11 R12 activations   R8, R9 bytes from a block's activations to its scale and to its sum
//	Y0-Y3 codes   Y4-Y7 sums of the tokens   Y8-Y10 scratch   Y12 scales of the row

// places tells for each sum of a group in which lane it was made.
DATA places<>+0(SB)/8, $0x0000000400000000
DATA places<>+8(SB)/8, $0x0000000500000001
DATA places<>+16(SB)/8, $0x0000000600000002
DATA places<>+24(SB)/8, $0x0000000700000003
GLOBL places<>(SB), RODATA|NOPTR, $32

#define CONSTANTS \
	ONES16(Y15)  \
	NIBBLES(Y14) \
	VMOVDQU places<>(SB), Y13

// ACTS has the first halves of blocks 2i and 2i+1 in Y2 and the second ones in Y3.
#define ACTS(i) \
	VMOVDQU  (64*i)(BX), Y2               \
	VMOVDQU  (64*i+16)(BX), Y3            \
	VPBLENDD $0xf0, (64*i+16)(BX), Y2, Y2 \
	VPBLENDD $0xf0, (64*i+32)(BX), Y3, Y3

// TWO makes eight sums of each of blocks 2i and 2i+1.
#define TWO(i, codes, sums) \
	VMOVDQU    (32*i)(codes)(AX*8), sums \
	VPSRLW     $4, sums, Y8              \
	VPAND      Y14, sums, sums           \
	VPAND      Y14, Y8, Y8               \
	VPMADDUBSW Y2, sums, sums            \
	VPMADDUBSW Y3, Y8, Y8                \
	VPADDW     Y8, sums, sums

// HALVE adds every other 32 bits of a, as 16 and 16, to their neighbours, and those of b, and puts them side by side in a.
#define HALVE(b, a, tmp) \
	VSHUFPS $0xdd, b, a, tmp \
	VSHUFPS $0x88, b, a, a   \
	VPADDW  tmp, a, a

// EIGHT adds the eight sums in s, less 8 times those of the activations, with their factors.
#define EIGHT(s, eights, factors, acc) \
	VPMADDWD    Y15, s, s     \
	VPERMD      s, Y13, s     \
	VPSUBD      eights, s, s  \
	VCVTDQ2PS   s, s          \
	VFMADD231PS factors, s, acc

// CODE and ONE add the product of one block.
#define CODE(codes) \
	VMOVDQU codes, X0     \
	VPSRLW  $4, X0, X1    \
	VPAND   X14, X0, X0   \
	VPAND   X14, X1, X1
#define ONE(x, sum, scale, rowScale, acc) \
	VPMADDUBSW  (x), X0, X8      \
	VPMADDUBSW  16(x), X1, X9    \
	VPADDW      X9, X8, X8       \
	VPMADDWD    X15, X8, X8      \
	VPSHUFD     $0x4e, X8, X9    \
	VPADDD      X9, X8, X8       \
	VPSHUFD     $0xb1, X8, X9    \
	VPADDD      X9, X8, X8       \
	VMOVD       sum, X9          \
	VPSLLD      $3, X9, X9       \
	VPSUBD      X9, X8, X8       \
	VCVTDQ2PS   X8, X8           \
	VMOVSS      scale, X9        \
	VMULSS      rowScale, X9, X9 \
	VFMADD231PS Y9, Y8, acc

// HALF_SCALE makes the scale of one block.
#define HALF_SCALE(scales) \
	VPBROADCASTW scales, X12 \
	VCVTPH2PS    X12, X12

// DOTS goes through DX rows from SI on, with the record of CX blocks at BX. An odd row at the end goes with itself.
#define DOTS(blocks) \
	CONSTANTS                                       \
	MOVQ   CX, blocks                               \
	SHLQ   $5, CX                                   \
	LEAQ   (BX)(CX*1), R14                          \
	SHRQ   $3, CX                                   \
	LEAQ   (R14)(CX*1), R15                         \
pair:                                                   \
	ROW_AHEAD(1, SI, DX, DI, CX)                    \
	ROW_AHEAD(const_rowsAhead, SI, DX, R8, CX)      \
	ROW_AHEAD(const_rowsAhead+1, SI, DX, R9, CX)    \
	MOVQ   Weighted_Codes(R8), R12                  \
	MOVQ   Weighted_Codes(R9), R13                  \
	MOVQ   Weighted_Scales(R8), R10                 \
	MOVQ   Weighted_Scales(R9), R11                 \
	MOVQ   blocks, CX                               \
	SCALES_AHEAD(R10, CX, scales0)                  \
	MOVQ   blocks, CX                               \
	SCALES_AHEAD(R11, CX, scales1)                  \
	MOVQ   Weighted_Codes(SI), R8                   \
	MOVQ   Weighted_Codes(DI), R9                   \
	MOVQ   Weighted_Scales(SI), R10                 \
	MOVQ   Weighted_Scales(DI), R11                 \
	MOVQ   blocks, CX                               \
	MOVQ   CX, AX                                   \
	SHLQ   $5, AX                                   \
	MOVQ   R14, BX                                  \
	SUBQ   AX, BX                                   \
	XORL   AX, AX                                   \
	VXORPS Y10, Y10, Y10                            \
	VXORPS Y11, Y11, Y11                            \
	SUBQ   $8, CX                                   \
	JLT    ones                                     \
eight:                                                  \
	PREFETCHT1 (R12)(AX*8)                          \
	ACTS(0)                                         \
	TWO(0, R8, Y4)                                  \
	TWO(0, R9, Y6)                                  \
	PREFETCHT1 (R13)(AX*8)                          \
	ACTS(1)                                         \
	TWO(1, R8, Y5)                                  \
	TWO(1, R9, Y7)                                  \
	HALVE(Y5, Y4, Y8)                               \
	HALVE(Y7, Y6, Y8)                               \
	PREFETCHT1 lineBytes(R12)(AX*8)                 \
	ACTS(2)                                         \
	TWO(2, R8, Y5)                                  \
	TWO(2, R9, Y7)                                  \
	PREFETCHT1 lineBytes(R13)(AX*8)                 \
	ACTS(3)                                         \
	TWO(3, R8, Y0)                                  \
	TWO(3, R9, Y1)                                  \
	HALVE(Y0, Y5, Y8)                               \
	HALVE(Y1, Y7, Y8)                               \
	HALVE(Y5, Y4, Y8)                               \
	HALVE(Y7, Y6, Y8)                               \
	VMOVDQU (R15)(AX*2), Y3                         \
	VPSLLD  $3, Y3, Y3                              \
	VCVTPH2PS (R10)(AX*1), Y8                       \
	VCVTPH2PS (R11)(AX*1), Y9                       \
	VMULPS  (R14)(AX*2), Y8, Y8                     \
	VMULPS  (R14)(AX*2), Y9, Y9                     \
	EIGHT(Y4, Y3, Y8, Y10)                          \
	EIGHT(Y6, Y3, Y9, Y11)                          \
	ADDQ    $16, AX                                 \
	ADDQ    $256, BX                                \
	SUBQ    $8, CX                                  \
	JGE     eight                                   \
ones:                                                   \
	ADDQ    $8, CX                                  \
	JZ      lanes                                   \
one:                                                    \
	CODE((R8)(AX*8))                                \
	HALF_SCALE((R10)(AX*1))                         \
	ONE(BX, (R15)(AX*2), (R14)(AX*2), X12, Y10)     \
	CODE((R9)(AX*8))                                \
	HALF_SCALE((R11)(AX*1))                         \
	ONE(BX, (R15)(AX*2), (R14)(AX*2), X12, Y11)     \
	ADDQ    $2, AX                                  \
	ADDQ    $32, BX                                 \
	DECQ    CX                                      \
	JNZ     one                                     \
lanes:                                                  \
	LANES(Y10, X10, X8)                             \
	LANES(Y11, X11, X8)                             \
	VMOVSS  X10, Weighted_Coef(SI)                  \
	VMOVSS  X11, Weighted_Coef(DI)                  \
	ADDQ    $(2*Weighted__size), SI                 \
	SUBQ    $2, DX                                  \
	JGT     pair                                    \
	VZEROUPPER

// TILE_CODES puts blocks 4h to 4h+3 in the order of the columns.
#define IN_ORDER(codes, a, b) \
	VMOVDQU    codes, a             \
	VPSRLW     $4, a, Y8            \
	VPAND      Y14, a, a            \
	VPAND      Y14, Y8, Y8          \
	VPERM2I128 $0x31, Y8, a, b      \
	VPERM2I128 $0x20, Y8, a, a
#define TILE_CODES(h) \
	IN_ORDER((64*h)(SI), Y0, Y1)    \
	IN_ORDER((64*h+32)(SI), Y2, Y3)

// TILE_FOUR makes two sums of each of those blocks, with the activations at x.
#define TILE_TWO(x, x2, a, b, sums) \
	VPMADDUBSW x, a, sums              \
	VPMADDUBSW x2, b, Y10              \
	VPERM2I128 $0x31, Y10, sums, Y11   \
	VPERM2I128 $0x20, Y10, sums, sums  \
	VPADDW     Y11, sums, sums
#define TILE_FOUR(h, x) \
	TILE_TWO((128*h)(x), (128*h+32)(x), Y0, Y1, Y8)    \
	TILE_TWO((128*h+64)(x), (128*h+96)(x), Y2, Y3, Y9) \
	HALVE(Y9, Y8, Y10)

// LAST_FOUR leaves the sums of blocks 4 to 7 on the stack, FIRST_FOUR puts those of blocks 0 to 3 before them and adds all eight.
#define LAST_FOUR(x, at) \
	TILE_FOUR(1, x)   \
	VMOVDQU Y8, at(SP)
#define FIRST_FOUR(x, at, acc) \
	TILE_FOUR(0, x)             \
	HALVE(at(SP), Y8, Y9)       \
	VMOVDQU (x)(R9*1), Y9       \
	VPSLLD  $3, Y9, Y9          \
	VMULPS  (x)(R8*1), Y12, Y10 \
	EIGHT(Y8, Y9, Y10, acc)

// func neuronDotsQ4AVX2(rows *Weighted, n int, x unsafe.Pointer, blocks int)
TEXT ·neuronDotsQ4AVX2(SB), NOSPLIT, $8-32
	MOVQ rows+0(FP), SI
	MOVQ n+8(FP), DX
	MOVQ x+16(FP), BX
	MOVQ blocks+24(FP), CX
	DOTS(0(SP))
	RET

// func neuronDotQ4AVX2(codes, scales, x unsafe.Pointer, blocks int) float32
TEXT ·neuronDotQ4AVX2(SB), NOSPLIT, $32-36
	MOVQ codes+0(FP), AX
	MOVQ AX, 8(SP)
	MOVQ scales+8(FP), AX
	MOVQ AX, 16(SP)
	LEAQ 8(SP), SI
	MOVQ $1, DX
	MOVQ x+16(FP), BX
	MOVQ blocks+24(FP), CX
	DOTS(0(SP))
	MOVL 24(SP), AX
	MOVL AX, ret+32(FP)
	RET

// func neuronTileQ4AVX2(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)
TEXT ·neuronTileQ4AVX2(SB), NOSPLIT, $128-48
	CONSTANTS
	MOVQ   y+0(FP), DI
	MOVQ   codes+8(FP), SI
	MOVQ   scales+16(FP), DX
	MOVQ   x+24(FP), BX
	MOVQ   xStride+32(FP), AX
	MOVQ   blocks+40(FP), CX
	LEAQ   (BX)(AX*1), R10
	LEAQ   (R10)(AX*1), R11
	LEAQ   (R11)(AX*1), R12
	MOVQ   CX, R8
	SHLQ   $5, R8
	LEAQ   (R8)(CX*4), R9
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	SUBQ   $8, CX
	JLT    ones

eight:
	PREFETCHT0 prefetchBytes(SI)
	PREFETCHT0 (prefetchBytes+lineBytes)(SI)
	TILE_CODES(1)
	LAST_FOUR(BX, 0)
	LAST_FOUR(R10, 32)
	LAST_FOUR(R11, 64)
	LAST_FOUR(R12, 96)
	VCVTPH2PS (DX), Y12
	TILE_CODES(0)
	FIRST_FOUR(BX, 0, Y4)
	FIRST_FOUR(R10, 32, Y5)
	FIRST_FOUR(R11, 64, Y6)
	FIRST_FOUR(R12, 96, Y7)
	ADDQ $128, SI
	ADDQ $16, DX
	ADDQ $256, BX
	ADDQ $256, R10
	ADDQ $256, R11
	ADDQ $256, R12
	SUBQ $224, R8 // scales and sums go on by less than the activations
	SUBQ $224, R9
	SUBQ $8, CX
	JGE  eight

ones:
	ADDQ $8, CX
	JZ   lanes

one:
	CODE((SI))
	HALF_SCALE((DX))
	ONE(BX, (BX)(R9*1), (BX)(R8*1), X12, Y4)
	ONE(R10, (R10)(R9*1), (R10)(R8*1), X12, Y5)
	ONE(R11, (R11)(R9*1), (R11)(R8*1), X12, Y6)
	ONE(R12, (R12)(R9*1), (R12)(R8*1), X12, Y7)
	ADDQ $16, SI
	ADDQ $2, DX
	ADDQ $32, BX
	ADDQ $32, R10
	ADDQ $32, R11
	ADDQ $32, R12
	SUBQ $28, R8
	SUBQ $28, R9
	DECQ CX
	JNZ  one

lanes:
	LANES(Y4, X4, X8)
	LANES(Y5, X5, X8)
	LANES(Y6, X6, X8)
	LANES(Y7, X7, X8)
	VMOVSS X4, 0(DI)
	VMOVSS X5, 4(DI)
	VMOVSS X6, 8(DI)
	VMOVSS X7, 12(DI)
	VZEROUPPER
	RET
