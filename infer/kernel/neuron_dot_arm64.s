#include "textflag.h"
#include "neon_arm64.h"
#include "neuron_arm64.h"

// Products of neuron rows with one token, alone and in a list, and with four (neuron.go), plain NEON and SDOT.
//
// Four blocks go together: each one's products are summed to some lanes of integers, neighbours are added until a register holds the four sums,
// and that is converted and added with its factors, scale of the row times scale of the activations, in one instruction each. Q4's nibbles are
// taken as 0 to 15; 8 times the sum of the activations is taken off the integers. Blocks that fill no group follow one at a time, in lane 0.
// A tile does for each token what the product of one token does, so that the bits are the same; it unpacks codes once for all.
//
// Instructions per weight and token, of a dot and of a tile: SDOT Q4 0.33 and 0.23, Q8 0.27 and 0.21; plain Q4 0.37 and 0.27, Q8 0.37 and 0.30. A
// list takes 0.02 more, to ask for the row ahead.
//
//	R0 codes   R1 scales   R2 R6 R7 R8 tokens' activations   R5 blocks left, less 4
//	of a list: R3 row   R4 rows left   R12 last row   R6 blocks   R7 activations   R8 codes of the row ahead, less those of this one
//	R9, R10 bytes from a block's activations to its scale and to its sum
//	V0-V3 second halves of four blocks' codes   V8-V11 first halves   V20-V27 activations   V4-V7 integer sums
//	V12 scales of the row   V13-V15, V30 scratch   V16-V19 sums of the tokens   V28 nibbles   V29 8 in each lane   V31 factors

#define SDOT_V(d, n, m)   WORD $(0x4E809400 | (m)<<16 | (n)<<5 | (d)) // sdot  d.4s, n.16b, m.16b   (dotprod)
#define MLS_4S(d, n, m)   WORD $(0x6EA09400 | (m)<<16 | (n)<<5 | (d)) // mls   d.4s, n.4s, m.4s

// Loads of four numbers and of one, which clears the other lanes. Go's assembler lacks the first with an offset in a register.
#define LDR_Q(d, p, off)  WORD $(0x3CE06800 | (off)<<16 | (p)<<5 | (d)) // ldr   qd, [p, off]
#define LDR_S(d, p, off)  WORD $(0xBC606800 | (off)<<16 | (p)<<5 | (d)) // ldr   sd, [p, off]

// Codes of four blocks and of one.
#define CODES8_4 \
	FLDPQ (R0), (F8, F0)    \
	FLDPQ 32(R0), (F9, F1)  \
	FLDPQ 64(R0), (F10, F2) \
	FLDPQ 96(R0), (F11, F3) \
	ADD   $128, R0
#define CODES8_1 FLDPQ.P 32(R0), (F8, F0)
#define CODES4_4 \
	FLDPQ 32(R0), (F2, F3)   \
	FLDPQ.P 64(R0), (F0, F1) \
	AND_16B(8, 0, 28)  \
	AND_16B(9, 1, 28)  \
	AND_16B(10, 2, 28) \
	AND_16B(11, 3, 28) \
	USHR_16B(0, 0, 4)  \
	USHR_16B(1, 1, 4)  \
	USHR_16B(2, 2, 4)  \
	USHR_16B(3, 3, 4)
#define CODES4_1 \
	FMOVQ.P 16(R0), F0 \
	AND_16B(8, 0, 28)  \
	USHR_16B(0, 0, 4)

// Products of four blocks, their sums in the lanes of V4, and of one, with its sum in each lane.
#define SDOT_4 \
	ZERO4(V4, V5, V6, V7) \
	SDOT_V(4, 8, 20)   \
	SDOT_V(5, 9, 22)   \
	SDOT_V(6, 10, 24)  \
	SDOT_V(7, 11, 26)  \
	SDOT_V(4, 0, 21)   \
	SDOT_V(5, 1, 23)   \
	SDOT_V(6, 2, 25)   \
	SDOT_V(7, 3, 27)   \
	FOLD_4S
#define SDOT_1 \
	VMOVI $0, V4.B16 \
	SDOT_V(4, 8, 20) \
	SDOT_V(4, 0, 21) \
	FOLD_ONE
#define FOLD_4S \
	ADDP_4S(4, 4, 5) \
	ADDP_4S(6, 6, 7) \
	ADDP_4S(4, 4, 6)
#define FOLD_ONE \
	ADDP_4S(4, 4, 4) \
	ADDP_4S(4, 4, 4)

// 16 bits hold the sum of two products of bytes: 2 * 128 * 127.
#define BYTES_1(d, low, high, x, y, tmp) \
	SMULL(d, low, x)     \
	SMULL(tmp, high, y)  \
	SMLAL2(d, low, x)    \
	SMLAL2(tmp, high, y) \
	SADDLP_8H(d, d)      \
	SADALP_8H(d, tmp)
#define SMULL8_4 \
	BYTES_1(4, 8, 0, 20, 21, 13)  \
	BYTES_1(5, 9, 1, 22, 23, 14)  \
	BYTES_1(6, 10, 2, 24, 25, 15) \
	BYTES_1(7, 11, 3, 26, 27, 30) \
	FOLD_4S
#define SMULL8_1 \
	BYTES_1(4, 8, 0, 20, 21, 13) \
	FOLD_ONE

// They hold that of 16 products of nibbles: 16 * 15 * 127.
#define NIBBLES_1(d, low, high, x, y) \
	SMULL(d, low, x)   \
	SMLAL2(d, low, x)  \
	SMLAL(d, high, y)  \
	SMLAL2(d, high, y)
#define SMULL4_4 \
	NIBBLES_1(4, 8, 0, 20, 21)  \
	NIBBLES_1(5, 9, 1, 22, 23)  \
	NIBBLES_1(6, 10, 2, 24, 25) \
	NIBBLES_1(7, 11, 3, 26, 27) \
	ADDP_8H(4, 4, 5)            \
	ADDP_8H(6, 6, 7)            \
	ADDP_8H(4, 4, 6)            \
	SADDLP_8H(4, 4)
#define SMULL4_1 \
	NIBBLES_1(4, 8, 0, 20, 21) \
	SADDLP_8H(4, 4)            \
	FOLD_ONE

// What the sums have too much, by a load of the sums of activations.
#define NONE(load, x)
#define EIGHTS(load, x) \
	load(13, x, 10) \
	MLS_4S(4, 13, 29)

// TOKEN4 adds four blocks of the token at x to acc, TOKEN1 one.
#define TOKEN4(X, x, acc, products, offset) \
	FLDPQ (X), (F20, F21)   \
	FLDPQ 32(X), (F22, F23) \
	FLDPQ 64(X), (F24, F25) \
	FLDPQ 96(X), (F26, F27) \
	LDR_Q(31, x, 9)         \
	products                \
	offset(LDR_Q, x)        \
	SCVTF_4S(4, 4)          \
	FMUL_4S(31, 31, 12)     \
	FMLA_4S(acc, 4, 31)     \
	ADD   $128, X
#define TOKEN1(X, x, acc, products, offset) \
	FLDPQ (X), (F20, F21)   \
	LDR_S(31, x, 9)         \
	products                \
	offset(LDR_S, x)        \
	SCVTF_4S(4, 4)          \
	FMUL_4S(31, 31, 12)     \
	FMLA_4S(acc, 4, 31)     \
	ADD   $32, X

// One token, and four.
#define ALONE4(products, offset) TOKEN4(R2, 2, 16, products, offset)
#define ALONE1(products, offset) TOKEN1(R2, 2, 16, products, offset)
#define TILE4(products, offset) \
	TOKEN4(R2, 2, 16, products, offset) \
	TOKEN4(R6, 6, 17, products, offset) \
	TOKEN4(R7, 7, 18, products, offset) \
	TOKEN4(R8, 8, 19, products, offset)
#define TILE1(products, offset) \
	TOKEN1(R2, 2, 16, products, offset) \
	TOKEN1(R6, 6, 17, products, offset) \
	TOKEN1(R7, 7, 18, products, offset) \
	TOKEN1(R8, 8, 19, products, offset)

// ROW goes through a row. R9 and R10 take back what the activations step on more than their scales and sums.
#define ROW(ahead, codes4, tokens4, products4, codes1, tokens1, products1, offset) \
	LSL   $5, R5, R9         \
	ADD   R5<<2, R9, R10     \
	VMOVI $15, V28.B16       \
	MOVD  $8, R11            \
	VDUP  R11, V29.S4        \
	ZERO4(V16, V17, V18, V19) \
	SUBS  $4, R5             \
	BLT   ones               \
four:                        \
	ahead                    \
	FMOVD.P 8(R1), F12       \
	codes4                   \
	FCVTL(12, 12)            \
	tokens4(products4, offset) \
	SUB   $112, R9           \
	SUB   $112, R10          \
	SUBS  $4, R5             \
	BGE   four               \
ones:                        \
	ADDS  $4, R5             \
	BEQ   done               \
one:                         \
	MOVHU.P 2(R1), R11       \
	FMOVS R11, F12           \
	codes1                   \
	FCVTL(12, 12)            \
	tokens1(products1, offset) \
	SUB   $28, R9            \
	SUB   $28, R10           \
	SUBS  $1, R5             \
	BNE   one                \
done:

// AHEAD4 and AHEAD8 ask for the codes that the row ahead has for four blocks.
#define AHEAD4 \
	ADD  R8, R0, R11 \
	PRFM (R11), PLDL2KEEP
#define AHEAD8 \
	ADD  R8, R0, R11 \
	PRFM (R11), PLDL2KEEP \
	PRFM lineBytes(R11), PLDL2KEEP
#define NOTHING_AHEAD

// DOTS, DOT and TILE are the bodies of the functions.
#define DOTS(ahead, codes4, products4, codes1, products1, offset) \
	MOVD rows+0(FP), R3          \
	MOVD n+8(FP), R4             \
	MOVD x+16(FP), R7            \
	MOVD blocks+24(FP), R6       \
	LAST_ROW(R3, R4, R12, R11)   \
row:                                 \
	ROW_AHEAD(const_rowsAhead, R3, R12, R13) \
	LDP  (R3), (R0, R1)          \
	LDP  (R13), (R8, R13)        \
	SUB  R0, R8                  \
	MOVD R6, R5                  \
	SCALES_AHEAD(R13, R5, line)  \
	MOVD R7, R2                  \
	MOVD R6, R5                  \
	ROW(ahead, codes4, ALONE4, products4, codes1, ALONE1, products1, offset) \
	FADDP_4S(16, 16, 16)         \
	FADDP_4S(16, 16, 16)         \
	FMOVS F16, Weighted_Coef(R3) \
	ADD  $Weighted__size, R3     \
	SUBS $1, R4                  \
	BNE  row
#define DOT(codes4, products4, codes1, products1, offset) \
	MOVD codes+0(FP), R0   \
	MOVD scales+8(FP), R1  \
	MOVD x+16(FP), R2      \
	MOVD blocks+24(FP), R5 \
	ROW(NOTHING_AHEAD, codes4, ALONE4, products4, codes1, ALONE1, products1, offset) \
	FADDP_4S(16, 16, 16)   \
	FADDP_4S(16, 16, 16)
#define TILE(codes4, products4, codes1, products1, offset) \
	MOVD y+0(FP), R3        \
	MOVD codes+8(FP), R0    \
	MOVD scales+16(FP), R1  \
	MOVD x+24(FP), R2       \
	MOVD xStride+32(FP), R4 \
	MOVD blocks+40(FP), R5  \
	ADD  R4, R2, R6         \
	ADD  R4, R6, R7         \
	ADD  R4, R7, R8         \
	ROW(NOTHING_AHEAD, codes4, TILE4, products4, codes1, TILE1, products1, offset) \
	FADDP_4S(16, 16, 17)    \
	FADDP_4S(18, 18, 19)    \
	FADDP_4S(16, 16, 18)    \
	FMOVQ F16, (R3)

// func neuronDotsQ8NEON(rows *Weighted, n int, x unsafe.Pointer, blocks int)
TEXT ·neuronDotsQ8NEON(SB), NOSPLIT, $0-32
	DOTS(AHEAD8, CODES8_4, SMULL8_4, CODES8_1, SMULL8_1, NONE)
	RET

// func neuronDotsQ4NEON(rows *Weighted, n int, x unsafe.Pointer, blocks int)
TEXT ·neuronDotsQ4NEON(SB), NOSPLIT, $0-32
	DOTS(AHEAD4, CODES4_4, SMULL4_4, CODES4_1, SMULL4_1, EIGHTS)
	RET

// func neuronDotsQ8Dotprod(rows *Weighted, n int, x unsafe.Pointer, blocks int)
TEXT ·neuronDotsQ8Dotprod(SB), NOSPLIT, $0-32
	DOTS(AHEAD8, CODES8_4, SDOT_4, CODES8_1, SDOT_1, NONE)
	RET

// func neuronDotsQ4Dotprod(rows *Weighted, n int, x unsafe.Pointer, blocks int)
TEXT ·neuronDotsQ4Dotprod(SB), NOSPLIT, $0-32
	DOTS(AHEAD4, CODES4_4, SDOT_4, CODES4_1, SDOT_1, EIGHTS)
	RET

// func neuronDotQ8NEON(codes, scales, x unsafe.Pointer, blocks int) float32
TEXT ·neuronDotQ8NEON(SB), NOSPLIT, $0-36
	DOT(CODES8_4, SMULL8_4, CODES8_1, SMULL8_1, NONE)
	FMOVS F16, ret+32(FP)
	RET

// func neuronDotQ4NEON(codes, scales, x unsafe.Pointer, blocks int) float32
TEXT ·neuronDotQ4NEON(SB), NOSPLIT, $0-36
	DOT(CODES4_4, SMULL4_4, CODES4_1, SMULL4_1, EIGHTS)
	FMOVS F16, ret+32(FP)
	RET

// func neuronTileQ8NEON(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)
TEXT ·neuronTileQ8NEON(SB), NOSPLIT, $0-48
	TILE(CODES8_4, SMULL8_4, CODES8_1, SMULL8_1, NONE)
	RET

// func neuronTileQ4NEON(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)
TEXT ·neuronTileQ4NEON(SB), NOSPLIT, $0-48
	TILE(CODES4_4, SMULL4_4, CODES4_1, SMULL4_1, EIGHTS)
	RET

// func neuronDotQ8Dotprod(codes, scales, x unsafe.Pointer, blocks int) float32
TEXT ·neuronDotQ8Dotprod(SB), NOSPLIT, $0-36
	DOT(CODES8_4, SDOT_4, CODES8_1, SDOT_1, NONE)
	FMOVS F16, ret+32(FP)
	RET

// func neuronDotQ4Dotprod(codes, scales, x unsafe.Pointer, blocks int) float32
TEXT ·neuronDotQ4Dotprod(SB), NOSPLIT, $0-36
	DOT(CODES4_4, SDOT_4, CODES4_1, SDOT_1, EIGHTS)
	FMOVS F16, ret+32(FP)
	RET

// func neuronTileQ8Dotprod(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)
TEXT ·neuronTileQ8Dotprod(SB), NOSPLIT, $0-48
	TILE(CODES8_4, SDOT_4, CODES8_1, SDOT_1, NONE)
	RET

// func neuronTileQ4Dotprod(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)
TEXT ·neuronTileQ4Dotprod(SB), NOSPLIT, $0-48
	TILE(CODES4_4, SDOT_4, CODES4_1, SDOT_1, EIGHTS)
	RET
