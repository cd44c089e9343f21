// What the products of panels of 4 tokens with SDOT share. neon_arm64.h and panel_arm64.h are to be included first.
//
// The 16 float32 sums of 4 tokens x 16 rows stay in V16-V31; a block is multiplied in two halves of 8 rows, so that the 8 integer sums of a half
// (2 registers x 4 tokens), the weights and the activations fit beside them. A weight register is loaded and unpacked once and
// multiplied 4 times. Integer sums are exact, and the float operations are those of scales_arm64.h in the same order, so a token's bits are
// those of the panel. The halves' 2 x 4 sums of [4 rows][token] are also what SMMLA would fill as [2 rows][2 tokens].
//
//	R0 y   R1 yStride   R2 weights   R3-R6 activations of tokens 0-3   R7 scales of the weights   R8 blocks left
//	R9, R10 distance from R3-R6 to the tokens' scales and sums
//	V0-V3 weights   V4-V7 activations of tokens 0-3   V8-V15 integer sums [token][2]   V16-V31 sums [token][4]

// TILE_BEGIN sets the registers up; a block of weights has 1<<weightShift bytes.
#define TILE_BEGIN(weightShift) \
	TILE_ARGS(R8)                \
	ADD  R8<<weightShift, R2, R7 \
	LSL  $5, R8, R9              \
	ADD  R8<<2, R9, R10          \
	ZERO_TILE

// NEXT_BLOCK moves the weights and the activations to the next block. R9 and R10 are to take back the step of R3-R6, 32, when they go to the
// next scale and sum: 28 bytes back.
#define NEXT_BLOCK(bytes) \
	ADD $bytes, R2 \
	ADD $32, R3    \
	ADD $32, R4    \
	ADD $32, R5    \
	ADD $32, R6

// X loads the 16 activations at off of each token.
#define X(off) \
	FMOVQ (off)(R3), F4 \
	FMOVQ (off)(R4), F5 \
	FMOVQ (off)(R5), F6 \
	FMOVQ (off)(R6), F7

// START does X and begins the integer sums of 8 rows.
#define START(off) \
	ZERO4(V8, V9, V10, V11)   \
	ZERO4(V12, V13, V14, V15) \
	X(off)

// DOT_LO and DOT_HI multiply rows 0-3 and 4-7 of the half by lane i of the tokens' activations, DOT both in w, w+1.
#define DOT_LO(w, i) \
	SDOT_E(8, w, 4, i)  \
	SDOT_E(10, w, 5, i) \
	SDOT_E(12, w, 6, i) \
	SDOT_E(14, w, 7, i)
#define DOT_HI(w, i) \
	SDOT_E(9, w, 4, i)  \
	SDOT_E(11, w, 5, i) \
	SDOT_E(13, w, 6, i) \
	SDOT_E(15, w, 7, i)
#define DOT(w, i) \
	DOT_LO(w, i) \
	DOT_HI(w+1, i)

// LOW and HIGH leave one nibble of each byte. MASK is the register that holds the nibble mask, as each file says.
#define LOW(v) VAND MASK.B16, v.B16, v.B16
#define HIGH(v) VUSHR $4, v.B16, v.B16

// X_SCALES loads the activations' scales of the block into V4-V7.
#define X_SCALES \
	FMOVS (R3)(R9), F4 \
	FMOVS (R4)(R9), F5 \
	FMOVS (R5)(R9), F6 \
	FMOVS (R6)(R9), F7

// TOKEN_SUMS is SCALED for the two integer registers s, s+1 of a token whose scale is lane 0 of x; w, w+1 are the weights' scales and p, p+1 free.
#define TOKEN_SUMS(a, s, p, w, x) \
	SCVTF_4S(s, s)         \
	SCVTF_4S(s+1, s+1)     \
	FMUL_E(p, w, x, 0)     \
	FMUL_E(p+1, w+1, x, 0) \
	FMLA_4S(a, s, p)       \
	FMLA_4S(a+1, s+1, p+1)

// TOKENS_SUMS does TOKEN_SUMS for the half h (0 or 2) of all tokens with the weights' scales V0, V1. It uses V2, V3.
#define TOKENS_SUMS(h) \
	TOKEN_SUMS(16+h, 8, 2, 0, 4)  \
	TOKEN_SUMS(20+h, 10, 2, 0, 5) \
	TOKEN_SUMS(24+h, 12, 2, 0, 6) \
	TOKEN_SUMS(28+h, 14, 2, 0, 7)

// TOKEN_MINIMA is MINIMA for the two minima m, m+1 of a half.
#define TOKEN_MINIMA(a, p, m, x, xs, i) \
	FMUL_E(p, m, x, 0)     \
	FMUL_E(p+1, m+1, x, 0) \
	FMLS_E(a, p, xs, i)    \
	FMLS_E(a+1, p+1, xs, i)
