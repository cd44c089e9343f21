#include "textflag.h"
#include "avx2_amd64.h"
#include "neuron_amd64.h"

// Products of neuron rows (neuron.go) on AVX-512 with VNNI: of the rows of a list with one token, and of one row with four tokens.
//
// Four blocks go together. VPDPBUSD multiplies unsigned codes by signed activations. Codes are 8 larger than their numbers, of Q8 128; so the 4 lanes
// of a block, of Q8 8, start at minus their share of that times the sum of the block's activations, and the integers are exact. They are
// converted and added with their factors, scale of the row times scale of the activations; VPERMD and VPERMPS spread both over the lanes.
// Q4's low nibbles are the first halves of blocks and the high ones the second, so the activations' halves are taken apart by VSHUFI64X2. Blocks that
// fill no group follow one at a time. A tile does for each token what the product of one token does.
//
// Instructions per weight and token, of a list and of a tile: Q4 0.19 and 0.12, Q8 0.20 and 0.13. The list's arithmetic is
// three times as fast as memory; what counts is that rows are asked for ahead.
//
//	SI codes   DX scales   CX blocks left, less 4   BX R10 R11 R12 tokens' activations
//	of a list: DI row   R13 rows left   R11 activations   R12 blocks   R14 codes of the row ahead, less those of this one
//	R8, R9 bytes from a block's activations to its scale and to its sum
//	Z0 scales of the row   Z1, Z2 codes   Z3-Z6 scratch   Z8-Z11 sums
//	X26, Y27 minus a lane's share of what codes have too much, of four blocks and of one   Z28, Z29 blocks of lanes   Z30 nibbles, or 0x80 in
//	each byte   Y31 shifts 0 and 4

// spread4 has each of 4 blocks in 4 lanes, spread8 in 8.
DATA spread4<>+0(SB)/8, $0
DATA spread4<>+8(SB)/8, $0
DATA spread4<>+16(SB)/8, $0x0000000100000001
DATA spread4<>+24(SB)/8, $0x0000000100000001
DATA spread4<>+32(SB)/8, $0x0000000200000002
DATA spread4<>+40(SB)/8, $0x0000000200000002
DATA spread4<>+48(SB)/8, $0x0000000300000003
DATA spread4<>+56(SB)/8, $0x0000000300000003
GLOBL spread4<>(SB), RODATA|NOPTR, $64

DATA spread8<>+0(SB)/8, $0
DATA spread8<>+8(SB)/8, $0
DATA spread8<>+16(SB)/8, $0
DATA spread8<>+24(SB)/8, $0
DATA spread8<>+32(SB)/8, $0x0000000100000001
DATA spread8<>+40(SB)/8, $0x0000000100000001
DATA spread8<>+48(SB)/8, $0x0000000100000001
DATA spread8<>+56(SB)/8, $0x0000000100000001
DATA spread8<>+64(SB)/8, $0x0000000200000002
DATA spread8<>+72(SB)/8, $0x0000000200000002
DATA spread8<>+80(SB)/8, $0x0000000200000002
DATA spread8<>+88(SB)/8, $0x0000000200000002
DATA spread8<>+96(SB)/8, $0x0000000300000003
DATA spread8<>+104(SB)/8, $0x0000000300000003
DATA spread8<>+112(SB)/8, $0x0000000300000003
DATA spread8<>+120(SB)/8, $0x0000000300000003
GLOBL spread8<>(SB), RODATA|NOPTR, $128

DATA shifts<>+0(SB)/8, $0
DATA shifts<>+8(SB)/8, $0
DATA shifts<>+16(SB)/8, $4
DATA shifts<>+24(SB)/8, $4
GLOBL shifts<>(SB), RODATA|NOPTR, $32

#define FILL(v, r) \
	MOVL         $(v), AX \
	VPBROADCASTD AX, r
#define CONSTANTS4 \
	VMOVDQU32 spread4<>(SB), Z28 \
	VMOVDQU32 shifts<>(SB), Y31  \
	FILL(0x0f0f0f0f, Z30)        \
	FILL(-2, X26)                \
	FILL(-1, Y27)
#define CONSTANTS8 \
	VMOVDQU32 spread8<>+0(SB), Z28  \
	VMOVDQU32 spread8<>+64(SB), Z29 \
	FILL(0x80808080, Z30)           \
	FILL(-16, X26)                  \
	FILL(-16, Y27)

// CODES makes the unsigned codes of four blocks, CODE those of one.
#define CODES4 \
	VMOVDQU32 (SI), Z1     \
	VPSRLW    $4, Z1, Z2   \
	VPANDD    Z30, Z1, Z1  \
	VPANDD    Z30, Z2, Z2
#define CODES8 \
	VPXORD 0(SI), Z30, Z1  \
	VPXORD 64(SI), Z30, Z2
#define CODE4 \
	VBROADCASTI128 (SI), Y1 \
	VPSRLVQ Y31, Y1, Y1     \
	VPANDD  Y30, Y1, Y1
#define CODE8 VPXORD (SI), Y30, Y1

// FOUR adds the products of four blocks with the activations at x, ONE those of one block.
#define FOUR4(x, sum, Y) \
	VMULPS      (x)(R8*1), X0, X3       \
	VPMULLD     (x)(R9*1), X26, X4      \
	VPERMPS     Z3, Z28, Z3             \
	VPERMD      Z4, Z28, Z4             \
	VMOVDQU32   (x), Z5                 \
	VSHUFI64X2  $0xdd, 64(x), Z5, Z6    \
	VSHUFI64X2  $0x88, 64(x), Z5, Z5    \
	VPDPBUSD    Z5, Z1, Z4              \
	VPDPBUSD    Z6, Z2, Z4              \
	VCVTDQ2PS   Z4, Z4                  \
	VFMADD231PS Z3, Z4, sum             \
	ADDQ        $128, x
#define FOUR8(x, sum, Y) \
	VMULPS      (x)(R8*1), X0, X3  \
	VPMULLD     (x)(R9*1), X26, X4 \
	VPERMPS     Z3, Z29, Z5        \
	VPERMD      Z4, Z29, Z6        \
	VPERMPS     Z3, Z28, Z3        \
	VPERMD      Z4, Z28, Z4        \
	VPDPBUSD    0(x), Z1, Z4       \
	VPDPBUSD    64(x), Z2, Z6      \
	VCVTDQ2PS   Z4, Z4             \
	VCVTDQ2PS   Z6, Z6             \
	VMULPS      Z3, Z4, Z4         \
	VFMADD231PS Z5, Z6, Z4         \
	VADDPS      Z4, sum, sum       \
	ADDQ        $128, x
#define ONE(x, Z, sum) \
	VMULPS.BCST  (x)(R8*1), Y0, Y3  \
	VPMULLD.BCST (x)(R9*1), Y27, Y4 \
	VPDPBUSD     (x), Y1, Y4        \
	VCVTDQ2PS    Y4, Y4             \
	VFMADD231PS  Y3, Y4, sum        \
	ADDQ         $32, x

// HALVE adds the upper half of a sum to the lower one, which is all that ONE leaves.
#define HALVE(x, Z, Y) \
	VEXTRACTF64X4 $1, Z, Y3 \
	VADDPS        Y3, Y, Y

// What is done for the one token and for each of four.
#define ALONE(op) op(BX, Z8, Y8)
#define TILE(op) \
	op(BX, Z8, Y8)   \
	op(R10, Z9, Y9)  \
	op(R11, Z10, Y10) \
	op(R12, Z11, Y11)

// ROW goes through a row. R8 and R9 take back what the activations step on more than their scales and sums.
#define ROW(ahead, tokens, codes, four, code, codeBytes) \
	MOVQ   CX, R8         \
	SHLQ   $5, R8         \
	LEAQ   (R8)(CX*4), R9 \
	VXORPS X8, X8, X8     \
	VXORPS X9, X9, X9     \
	VXORPS X10, X10, X10  \
	VXORPS X11, X11, X11  \
	SUBQ   $4, CX         \
	JLT    ones           \
fours:                        \
	ahead                 \
	VCVTPH2PS (DX), X0    \
	codes                 \
	tokens(four)          \
	ADDQ   $(4*codeBytes), SI \
	ADDQ   $8, DX         \
	SUBQ   $112, R8       \
	SUBQ   $112, R9       \
	SUBQ   $4, CX         \
	JGE    fours          \
ones:                         \
	tokens(HALVE)         \
	ADDQ   $4, CX         \
	JZ     done           \
one:                          \
	VPBROADCASTW (DX), X0 \
	VCVTPH2PS    X0, Y0   \
	code                  \
	tokens(ONE)           \
	ADDQ   $codeBytes, SI \
	ADDQ   $2, DX         \
	SUBQ   $28, R8        \
	SUBQ   $28, R9        \
	DECQ   CX             \
	JNZ    one            \
done:

// AHEAD asks for the codes that the row ahead has for four blocks, TILE_AHEAD for what lies a page behind: where all rows are computed, that is the row
// after next.
#define AHEAD4 PREFETCHT1 (SI)(R14*1)
#define AHEAD8 \
	PREFETCHT1 (SI)(R14*1) \
	PREFETCHT1 lineBytes(SI)(R14*1)
#define TILE_AHEAD PREFETCHT0 prefetchBytes(SI)

// DOTS goes through R13 rows from DI on, with the record at R11 of R12 blocks.
#define DOTS(codes, four, code, codeBytes, ahead) \
row:                                 \
	ROW_AHEAD(const_rowsAhead, DI, R13, AX, CX) \
	MOVQ   Weighted_Codes(DI), SI  \
	MOVQ   Weighted_Codes(AX), R14 \
	SUBQ   SI, R14                 \
	MOVQ   Weighted_Scales(AX), AX \
	MOVQ   R12, CX                 \
	SCALES_AHEAD(AX, CX, line)     \
	MOVQ   Weighted_Scales(DI), DX \
	MOVQ   R11, BX                 \
	MOVQ   R12, CX                 \
	ROW(ahead, ALONE, codes, four, code, codeBytes) \
	LANES(Y8, X8, X3)              \
	VMOVSS X8, Weighted_Coef(DI)   \
	ADDQ   $Weighted__size, DI     \
	DECQ   R13                     \
	JNZ    row                     \
	VZEROUPPER

#define DOTS_ARGS \
	MOVQ rows+0(FP), DI \
	MOVQ n+8(FP), R13   \
	MOVQ x+16(FP), R11  \
	MOVQ blocks+24(FP), R12

// DOT_ARGS makes a list of one row on the stack.
#define DOT_ARGS \
	MOVQ codes+0(FP), AX            \
	MOVQ AX, Weighted_Codes(SP)     \
	MOVQ scales+8(FP), AX           \
	MOVQ AX, Weighted_Scales(SP)    \
	LEAQ 0(SP), DI                  \
	MOVQ $1, R13                    \
	MOVQ x+16(FP), R11              \
	MOVQ blocks+24(FP), R12
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
	LANES(Y8, X8, X3)     \
	LANES(Y9, X9, X3)     \
	LANES(Y10, X10, X3)   \
	LANES(Y11, X11, X3)   \
	VMOVSS X8, 0(DI)  \
	VMOVSS X9, 4(DI)  \
	VMOVSS X10, 8(DI) \
	VMOVSS X11, 12(DI)

// func neuronDotsQ8VNNI(rows *Weighted, n int, x unsafe.Pointer, blocks int)
TEXT ·neuronDotsQ8VNNI(SB), NOSPLIT, $0-32
	CONSTANTS8
	DOTS_ARGS
	DOTS(CODES8, FOUR8, CODE8, 32, AHEAD8)
	RET

// func neuronDotsQ4VNNI(rows *Weighted, n int, x unsafe.Pointer, blocks int)
TEXT ·neuronDotsQ4VNNI(SB), NOSPLIT, $0-32
	CONSTANTS4
	DOTS_ARGS
	DOTS(CODES4, FOUR4, CODE4, 16, AHEAD4)
	RET

// func neuronDotQ8VNNI(codes, scales, x unsafe.Pointer, blocks int) float32
TEXT ·neuronDotQ8VNNI(SB), NOSPLIT, $Weighted__size-36
	CONSTANTS8
	DOT_ARGS
	DOTS(CODES8, FOUR8, CODE8, 32, AHEAD8)
	MOVL Weighted_Coef(SP), AX
	MOVL AX, ret+32(FP)
	RET

// func neuronDotQ4VNNI(codes, scales, x unsafe.Pointer, blocks int) float32
TEXT ·neuronDotQ4VNNI(SB), NOSPLIT, $Weighted__size-36
	CONSTANTS4
	DOT_ARGS
	DOTS(CODES4, FOUR4, CODE4, 16, AHEAD4)
	MOVL Weighted_Coef(SP), AX
	MOVL AX, ret+32(FP)
	RET

// func neuronTileQ8VNNI(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)
TEXT ·neuronTileQ8VNNI(SB), NOSPLIT, $0-48
	CONSTANTS8
	TILE_ARGS
	ROW(TILE_AHEAD, TILE, CODES8, FOUR8, CODE8, 32)
	TILE_RESULTS
	VZEROUPPER
	RET

// func neuronTileQ4VNNI(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)
TEXT ·neuronTileQ4VNNI(SB), NOSPLIT, $0-48
	CONSTANTS4
	TILE_ARGS
	ROW(TILE_AHEAD, TILE, CODES4, FOUR4, CODE4, 16)
	TILE_RESULTS
	VZEROUPPER
	RET
