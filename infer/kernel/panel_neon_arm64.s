#include "textflag.h"
#include "neon_arm64.h"
#include "panel_arm64.h"
#include "scales_arm64.h"
#include "panel_neon_arm64.h"

// Products of Q8 and Q4 panels on ARMv8.0 (see the package documentation for the layouts, panel_neon_arm64.h for the idea).
//
//	Q8: two products add up to 2*128*127 = 32512, which 16 bits hold, three do not: a pair of groups is multiplied and
//	    widened by SADALP. A pair of pairs is added at the end of the block.
//	Q4: nibbles are multiplied as 0..15, so that a block adds up to 8*15*127 = 15240 in each place and neighbours to 30480: the
//	    block is widened once. The sums start at -8 * (sum of the block's activations).
//
// Instructions per weight: panel Q8 0.31, Q4 0.30; tile Q8 0.29, Q4 0.29 per weight and token.
//
//	R0 y   R1 yStride   R2 weights   R3-R6 activations of tokens 0-3, past the block   R7 scales of the weights
//	R8 blocks left   R9, R10 distance from R3-R6 to the token's scales and sums   R11 -8 * sum   R13 y of a token
//	V0-V3 weights   V4, V5 activations   V6, V7 activations repeated   V8-V15 integer sums   V16-V19 sums
//	V20-V23 products   V24-V27 low nibbles   V28 nibble mask

// SCALES loads what BLOCK_END needs, for the token whose activations are at x.
#define SCALES(x) \
	FLDPQ (R7), (F4, F5) \
	FMOVS (x)(R9), F6

// TOKEN adds a block to the float32 sums of a token.
#define TOKEN(block, x) \
	block(x)        \
	SCALES(x)       \
	LOAD_SUMS(R13)  \
	BLOCK_END       \
	STORE_SUMS(R13) \
	ADD R1, R13

// Q8_BLOCK makes the integer sums V8-V11 of the block at R2 and the 32 activations at x.
#define Q8_BLOCK(x) \
	FLDPQ.P 32(x), (F4, F5)           \
	Q8_PAIR(0, SADDLP_8H, V4, 0, 1)   \
	Q8_PAIR(128, SADALP_8H, V4, 2, 3) \
	Q8_PAIR(256, SADALP_8H, V5, 0, 1) \
	Q8_PAIR(384, SADALP_8H, V5, 2, 3) \
	ADD_PAIRS(V8, V9, V10, V11, S4)

// func panelQ8NEON(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8NEON(SB), NOSPLIT, $0-32
	PANEL_BEGIN(9)

block:
	Q8_BLOCK(R3)
	SCALES(R3)
	BLOCK_END
	PREFETCH4(0)
	PREFETCH4(256)
	PRFM (SCALES_AHEAD)(R7), PLDL1KEEP
	NEXT_BLOCK(512, 32)
	SUBS $1, R8
	BNE  block
	STORE_SUMS(R13)
	RET

// func tileQ8NEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ8NEON(SB), NOSPLIT, $0-48
	TILE_BEGIN(9)

block:
	TOKENS(Q8_BLOCK)
	NEXT_BLOCK(512, 32)
	SUBS $1, R8
	BNE  block
	RET

// Q4_GROUP multiplies group i of packed nibbles: columns 4i.. and 16+4i.., the low nibbles by lo and hi, which may start the sums.
#define Q4_GROUP(lo, hi, i) \
	LOAD4(i*64, R2, F0, F1, F2, F3) \
	VDUP  V4.S[i], V6.S4            \
	VDUP  V5.S[i], V7.S4            \
	VAND  V28.B16, V0.B16, V24.B16  \
	VAND  V28.B16, V1.B16, V25.B16  \
	VAND  V28.B16, V2.B16, V26.B16  \
	VAND  V28.B16, V3.B16, V27.B16  \
	VUSHR $4, V0.B16, V0.B16        \
	VUSHR $4, V1.B16, V1.B16        \
	VUSHR $4, V2.B16, V2.B16        \
	VUSHR $4, V3.B16, V3.B16        \
	MULTIPLY(lo, hi, 24, 6)         \
	MULTIPLY(SMLAL, SMLAL2, 0, 7)

// Q4_SUMS widens the 16-bit sums to the integer sums V8-V11, less 8 times the sum of the activations at x.
#define Q4_SUMS(x) \
	MOVW (x)(R10), R11                \
	NEGW R11<<3, R11                  \
	ADD_PAIRS(V20, V21, V22, V23, H8) \
	VDUP R11, V8.S4                   \
	VDUP R11, V9.S4                   \
	VDUP R11, V10.S4                  \
	VDUP R11, V11.S4                  \
	SADALP_8H(8, 20)                  \
	SADALP_8H(9, 21)                  \
	SADALP_8H(10, 22)                 \
	SADALP_8H(11, 23)

// Q4_BLOCK makes the integer sums V8-V11 of the block at R2 and the 32 activations at x.
#define Q4_BLOCK(x) \
	FLDPQ.P 32(x), (F4, F5)    \
	Q4_GROUP(SMULL, SMULL2, 0) \
	Q4_GROUP(SMLAL, SMLAL2, 1) \
	Q4_GROUP(SMLAL, SMLAL2, 2) \
	Q4_GROUP(SMLAL, SMLAL2, 3) \
	Q4_SUMS(x)

// func panelQ4NEON(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4NEON(SB), NOSPLIT, $0-32
	PANEL_BEGIN(8)
	VMOVI $15, V28.B16

block:
	Q4_BLOCK(R3)
	SCALES(R3)
	BLOCK_END
	PREFETCH4(0)
	PRFM (SCALES_AHEAD)(R7), PLDL1KEEP
	NEXT_BLOCK(256, 32)
	SUBS $1, R8
	BNE  block
	STORE_SUMS(R13)
	RET

// func tileQ4NEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ4NEON(SB), NOSPLIT, $0-48
	TILE_BEGIN(8)
	VMOVI $15, V28.B16

block:
	TOKENS(Q4_BLOCK)
	NEXT_BLOCK(256, 32)
	SUBS $1, R8
	BNE  block
	RET
