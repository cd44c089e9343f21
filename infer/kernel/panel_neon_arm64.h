// What the products of quantised panels on ARMv8.0, which has no SDOT, share. neon_arm64.h, panel_arm64.h and scales_arm64.h are to be included
// first.
//
// A group of 4 columns is 64 bytes, four registers of 4 rows. The group's 4 activations are repeated over a register (DUP); SMULL and SMULL2
// then give 8 products in 16 bits each, 4 of one row and 4 of the next. How many of these can be added in 16 bits depends on the format.
//
// The tile runs the panel's code for one token after the other on a block that stays in the nearest cache, so each token gets the bits of the
// panel; its float32 sums live in y. It unpacks nibbles once per token: one pipe of the core multiplies and limits all this, another unpacks
// meanwhile. Unpacking once, into scratch memory, was tried and is slower by 15 % in the machine models of Cortex-A57 and Neoverse N2
// (352 and 322 cycles for a block of 4 tokens of Q4, against 4 x 76 and 4 x 74 of the panel).
//
//	R0 y   R1 yStride   R2 weights   R3-R6 activations of tokens 0-3, past the block   R7 scales of the weights
//	R8 blocks left   R9, R10 distance from R3-R6 to the token's scales and sums   R13 y of a token
//	V0-V3 weights   V4, V5 activations   V6, V7 activations repeated   V8-V15 integer sums   V16-V19 sums   V20-V23 products

// PANEL_BEGIN and TILE_BEGIN set the registers up; a block of weights has 1<<weightShift bytes.
#define PANEL_BEGIN(weightShift) \
	PANEL_ARGS(R13, R2, R3, R8) \
	STREAMS(weightShift)
#define TILE_BEGIN(weightShift) \
	TILE_ARGS(R8)        \
	STREAMS(weightShift) \
	MOVD R0, R13         \
	STORE_SUMS(R13)      \
	ADD  R1, R13         \
	STORE_SUMS(R13)      \
	ADD  R1, R13         \
	STORE_SUMS(R13)      \
	ADD  R1, R13         \
	STORE_SUMS(R13)
// STREAMS finds the scales of the weights, and the scales and sums of the activations.
#define STREAMS(weightShift) \
	ADD  R8<<weightShift, R2, R7 \
	LSL  $5, R8, R9              \
	SUB  $32, R9                 \
	ADD  R8<<2, R9, R10          \
	ZERO_SUMS

// NEXT_BLOCK moves on; R9 and R10 take back the step of the activations and go to the next scale and sum.
#define NEXT_BLOCK(bytes, scales) \
	ADD  $bytes, R2  \
	ADD  $scales, R7 \
	SUB  $28, R9     \
	SUB  $28, R10

// TOKENS runs block(x) for each of the 4 tokens. TOKEN(block, x), which each file defines, does it for the token whose activations are at x and
// moves R13 to the next token.
#define TOKENS(block) \
	MOVD R0, R13     \
	TOKEN(block, R3) \
	TOKEN(block, R4) \
	TOKEN(block, R5) \
	TOKEN(block, R6)

// MULTIPLY multiplies the 16 rows w to w+3 of a group by the activations x in 16 bits.
#define MULTIPLY(lo, hi, w, x) \
	lo(8, w, x)    \
	hi(9, w, x)    \
	lo(10, w+1, x) \
	hi(11, w+1, x) \
	lo(12, w+2, x) \
	hi(13, w+2, x) \
	lo(14, w+3, x) \
	hi(15, w+3, x)

// MULTIPLY_2 multiplies 8 rows of two groups, a, a+1 by V6 and b, b+1 by V7, in 16 bits, and adds pairs of products to s to s+3 by add.
#define MULTIPLY_2(add, s, a, b) \
	SMULL(20, a, 6)    \
	SMULL2(21, a, 6)   \
	SMULL(22, a+1, 6)  \
	SMULL2(23, a+1, 6) \
	SMLAL(20, b, 7)    \
	SMLAL2(21, b, 7)   \
	SMLAL(22, b+1, 7)  \
	SMLAL2(23, b+1, 7) \
	add(s, 20)         \
	add(s+1, 21)       \
	add(s+2, 22)       \
	add(s+3, 23)

// Q8_PAIR multiplies the pair of groups at byte off by lanes i and j of the activations x; Q8_ROWS does 8 rows of it.
#define Q8_PAIR(off, add, x, i, j) \
	VDUP x.S[i], V6.S4   \
	VDUP x.S[j], V7.S4   \
	Q8_ROWS(off, add, 8) \
	Q8_ROWS(off+32, add, 12)
#define Q8_ROWS(off, add, s) \
	FLDPQ (off)(R2), (F0, F1)    \
	FLDPQ (off+64)(R2), (F2, F3) \
	MULTIPLY_2(add, s, 0, 2)

// ADD_PAIRS adds neighbouring lanes of V8-V15, of the arrangement t: from S4, two lanes a row, it makes the integer sums; from H8, four lanes a
// row, it makes two.
#define ADD_PAIRS(d0, d1, d2, d3, t) \
	VADDP V9.t, V8.t, d0.t   \
	VADDP V11.t, V10.t, d1.t \
	VADDP V13.t, V12.t, d2.t \
	VADDP V15.t, V14.t, d3.t
