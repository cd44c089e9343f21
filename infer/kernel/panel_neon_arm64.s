#include "textflag.h"
#include "neon_arm64.h"

// Products of Q8 and Q4 panels on ARMv8.0, which has no SDOT (see the package documentation for the layouts).
//
// A group of 4 columns is 64 bytes, four registers of 4 rows. The group's 4 activations are repeated over a register (DUP); SMULL and SMULL2
// then give 8 products in 16 bits each, 4 of one row and 4 of the next:
//
//	Q8: two products add up to 2*128*127 = 32512, which 16 bits hold, three do not: a pair of groups is multiplied and
//	    widened by SADALP. A pair of pairs is added at the end of the block.
//	Q4: nibbles are multiplied as 0..15, so that a block adds up to 8*15*127 = 15240 in each place and neighbours to 30480: the
//	    block is widened once. The sums start at -8 * (sum of the block's activations).
//
// The tile runs the panel's code for one token after the other on a block that stays in the nearest cache, so each token gets the bits of the
// panel; its float32 sums live in y. It unpacks nibbles once per token: one pipe of the core multiplies and limits all this, another unpacks
// meanwhile. Unpacking once, into scratch memory, was tried and is slower by 15 % in the machine models of Cortex-A57 and Neoverse N2
// (352 and 322 cycles for a block of 4 tokens, against 4 x 76 and 4 x 74 of the panel).
//
// Instructions per weight: panel Q8 0.31, Q4 0.30; tile Q8 0.29, Q4 0.29 per weight and token.
//
//	R0 y   R1 yStride   R2 weights   R3-R6 activations of tokens 0-3, past the block   R7 scales of the weights
//	R8 blocks left   R9, R10 distance from R3-R6 to the token's scales and sums   R11 -8 * sum   R13 y of a token
//	V0-V3 weights   V4, V5 activations   V6, V7 activations repeated   V8-V15 integer sums   V16-V19 sums
//	V20-V23 products   V24-V27 low nibbles   V28 nibble mask

// The float32 sums of a token at R13.
#define LOAD_SUMS \
	FLDPQ (R13), (F16, F17)   \
	FLDPQ 32(R13), (F18, F19)
#define STORE_SUMS \
	FSTPQ (F16, F17), (R13)   \
	FSTPQ (F18, F19), 32(R13)

// SCALES loads what BLOCK_END needs, for the token whose activations are at x.
#define SCALES(x) \
	FLDPQ (R7), (F4, F5) \
	FMOVS (x)(R9), F6

// NEXT_BLOCK moves on; R9 and R10 take back the step of the activations and go to the next scale and sum.
#define NEXT_BLOCK(bytes) \
	ADD  $bytes, R2 \
	ADD  $32, R7    \
	SUB  $28, R9    \
	SUB  $28, R10   \
	SUBS $1, R8

#define PANEL_ARGS(weightShift) \
	MOVD y+0(FP), R13  \
	MOVD w+8(FP), R2   \
	MOVD x+16(FP), R3  \
	MOVD n+24(FP), R8  \
	ADD  R8<<weightShift, R2, R7 \
	LSL  $5, R8, R9    \
	SUB  $32, R9       \
	ADD  R8<<2, R9, R10 \
	ZERO4(V16, V17, V18, V19)

#define TILE_ARGS(weightShift) \
	MOVD y+0(FP), R0        \
	MOVD yStride+8(FP), R1  \
	MOVD w+16(FP), R2       \
	MOVD x+24(FP), R3       \
	MOVD xStride+32(FP), R7 \
	ADD  R7, R3, R4         \
	ADD  R7, R4, R5         \
	ADD  R7, R5, R6         \
	MOVD n+40(FP), R8       \
	ADD  R8<<weightShift, R2, R7 \
	LSL  $5, R8, R9         \
	SUB  $32, R9            \
	ADD  R8<<2, R9, R10     \
	ZERO4(V16, V17, V18, V19) \
	MOVD R0, R13            \
	STORE_SUMS              \
	ADD  R1, R13            \
	STORE_SUMS              \
	ADD  R1, R13            \
	STORE_SUMS              \
	ADD  R1, R13            \
	STORE_SUMS

#define PREFETCH4(off) \
	PRFM (AHEAD+off)(R2), PLDL1KEEP     \
	PRFM (AHEAD+off+64)(R2), PLDL1KEEP  \
	PRFM (AHEAD+off+128)(R2), PLDL1KEEP \
	PRFM (AHEAD+off+192)(R2), PLDL1KEEP

// Q8_ROWS multiplies 8 rows of a pair of groups at byte off by the activations V6, V7 and adds to four integer sums with add.
#define Q8_ROWS(off, add, s0, s1, s2, s3) \
	FLDPQ (off)(R2), (F0, F1)    \
	FLDPQ (off+64)(R2), (F2, F3) \
	SMULL(20, 0, 6)   \
	SMULL2(21, 0, 6)  \
	SMULL(22, 1, 6)   \
	SMULL2(23, 1, 6)  \
	SMLAL(20, 2, 7)   \
	SMLAL2(21, 2, 7)  \
	SMLAL(22, 3, 7)   \
	SMLAL2(23, 3, 7)  \
	add(s0, 20)       \
	add(s1, 21)       \
	add(s2, 22)       \
	add(s3, 23)

#define Q8_PAIR(off, add, x, i, j) \
	VDUP x.S[i], V6.S4 \
	VDUP x.S[j], V7.S4 \
	Q8_ROWS(off, add, 8, 9, 10, 11)   \
	Q8_ROWS(off+32, add, 12, 13, 14, 15)

// Q8_BLOCK makes the integer sums V8-V11 of the block at R2 and the 32 activations at x.
#define Q8_BLOCK(x) \
	FLDPQ.P 32(x), (F4, F5)           \
	Q8_PAIR(0, SADDLP_8H, V4, 0, 1)   \
	Q8_PAIR(128, SADALP_8H, V4, 2, 3) \
	Q8_PAIR(256, SADALP_8H, V5, 0, 1) \
	Q8_PAIR(384, SADALP_8H, V5, 2, 3) \
	VADDP V9.S4, V8.S4, V8.S4         \
	VADDP V11.S4, V10.S4, V9.S4       \
	VADDP V13.S4, V12.S4, V10.S4      \
	VADDP V15.S4, V14.S4, V11.S4

// func panelQ8NEON(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8NEON(SB), NOSPLIT, $0-32
	PANEL_ARGS(9)

block:
	Q8_BLOCK(R3)
	SCALES(R3)
	BLOCK_END(16, 17, 18, 19)
	PREFETCH4(0)
	PREFETCH4(256)
	PRFM (SCALES_AHEAD)(R7), PLDL1KEEP
	NEXT_BLOCK(512)
	BNE  block
	STORE_SUMS
	RET

#define Q8_TOKEN(x) \
	Q8_BLOCK(x) \
	SCALES(x)   \
	LOAD_SUMS   \
	BLOCK_END(16, 17, 18, 19) \
	STORE_SUMS  \
	ADD R1, R13

// func tileQ8NEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ8NEON(SB), NOSPLIT, $0-48
	TILE_ARGS(9)

block:
	MOVD R0, R13
	Q8_TOKEN(R3)
	Q8_TOKEN(R4)
	Q8_TOKEN(R5)
	Q8_TOKEN(R6)
	NEXT_BLOCK(512)
	BNE  block
	RET

// UNPACK puts the low nibbles of V0-V3 into V24-V27 and leaves the high ones; V28 is the mask.
#define UNPACK \
	VAND  V28.B16, V0.B16, V24.B16 \
	VAND  V28.B16, V1.B16, V25.B16 \
	VAND  V28.B16, V2.B16, V26.B16 \
	VAND  V28.B16, V3.B16, V27.B16 \
	VUSHR $4, V0.B16, V0.B16       \
	VUSHR $4, V1.B16, V1.B16       \
	VUSHR $4, V2.B16, V2.B16       \
	VUSHR $4, V3.B16, V3.B16

// Q4_ROWS multiplies the 16 rows of a group by the activations x in 16 bits.
#define Q4_ROWS(lo, hi, w0, w1, w2, w3, x) \
	lo(8, w0, x)  \
	hi(9, w0, x)  \
	lo(10, w1, x) \
	hi(11, w1, x) \
	lo(12, w2, x) \
	hi(13, w2, x) \
	lo(14, w3, x) \
	hi(15, w3, x)

// Q4_GROUP multiplies group i of packed nibbles: columns 4i.. and 16+4i..
#define Q4_GROUP(lo, hi, i) \
	FLDPQ (i*64)(R2), (F0, F1)    \
	FLDPQ (i*64+32)(R2), (F2, F3) \
	VDUP  V4.S[i], V6.S4          \
	VDUP  V5.S[i], V7.S4          \
	UNPACK                        \
	Q4_ROWS(lo, hi, 24, 25, 26, 27, 6)    \
	Q4_ROWS(SMLAL, SMLAL2, 0, 1, 2, 3, 7)

// Q4_SUMS widens the 16-bit sums to the integer sums V8-V11, less 8 times the sum of the activations at x.
#define Q4_SUMS(x) \
	MOVW  (x)(R10), R11       \
	NEGW  R11<<3, R11         \
	VADDP V9.H8, V8.H8, V20.H8    \
	VADDP V11.H8, V10.H8, V21.H8  \
	VADDP V13.H8, V12.H8, V22.H8  \
	VADDP V15.H8, V14.H8, V23.H8  \
	VDUP  R11, V8.S4          \
	VDUP  R11, V9.S4          \
	VDUP  R11, V10.S4         \
	VDUP  R11, V11.S4         \
	SADALP_8H(8, 20)          \
	SADALP_8H(9, 21)          \
	SADALP_8H(10, 22)         \
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
	PANEL_ARGS(8)
	VMOVI $15, V28.B16

block:
	Q4_BLOCK(R3)
	SCALES(R3)
	BLOCK_END(16, 17, 18, 19)
	PREFETCH4(0)
	PRFM  (SCALES_AHEAD)(R7), PLDL1KEEP
	NEXT_BLOCK(256)
	BNE   block
	STORE_SUMS
	RET

#define Q4_TOKEN(x) \
	Q4_BLOCK(x) \
	SCALES(x)   \
	LOAD_SUMS   \
	BLOCK_END(16, 17, 18, 19) \
	STORE_SUMS  \
	ADD R1, R13

// func tileQ4NEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ4NEON(SB), NOSPLIT, $0-48
	TILE_ARGS(8)
	VMOVI $15, V28.B16

block:
	MOVD  R0, R13
	Q4_TOKEN(R3)
	Q4_TOKEN(R4)
	Q4_TOKEN(R5)
	Q4_TOKEN(R6)
	NEXT_BLOCK(256)
	BNE   block
	RET
