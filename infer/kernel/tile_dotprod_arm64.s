#include "textflag.h"
#include "neon_arm64.h"

// Products of Q8 and Q4 panels of 4 tokens with SDOT (see panel_dotprod_arm64.s).
//
// The 16 float32 sums of 4 tokens x 16 rows stay in V16-V31; a block is multiplied in two halves of 8 rows, so that the 8 integer sums of a half
// (2 registers x 4 tokens), the weights and the activations fit beside them. A weight register is loaded and unpacked once and
// multiplied 4 times. Integer sums are exact, and the float operations are those of BLOCK_END in the same order, so a token's bits are
// those of the panel. The halves' 2 x 4 sums of [4 rows][token] are also what SMMLA would fill as [2 rows][2 tokens].
//
// Instructions per weight and token: Q8 0.12, Q4 0.15. SDOT: 0.0625, its least. In the machine model of Neoverse N2 a block of 4 tokens takes
// 108 cycles in Q8 and 117 in Q4, of which its 128 SDOT need 64.
//
//	R0 y   R1 yStride   R2 weights   R3-R6 activations of tokens 0-3   R7 scales of the weights   R8 blocks left
//	R9, R10 distance from R3-R6 to the tokens' scales and sums   R11-R14 -8 * sums of tokens 0-3
//	V0-V3 weights   V4-V7 activations of tokens 0-3   V8-V15 integer sums [token][2]   V16-V31 sums [token][4]

#define TILE_ARGS(weightShift) \
	MOVD y+0(FP), R0           \
	MOVD yStride+8(FP), R1     \
	MOVD w+16(FP), R2          \
	MOVD x+24(FP), R3          \
	MOVD xStride+32(FP), R7    \
	ADD  R7, R3, R4            \
	ADD  R7, R4, R5            \
	ADD  R7, R5, R6            \
	MOVD n+40(FP), R8          \
	ADD  R8<<weightShift, R2, R7 \
	LSL  $5, R8, R9            \
	ADD  R8<<2, R9, R10        \
	ZERO4(V16, V17, V18, V19)  \
	ZERO4(V20, V21, V22, V23)  \
	ZERO4(V24, V25, V26, V27)  \
	ZERO4(V28, V29, V30, V31)

// X loads 16 activations of each token.
#define X(off) \
	FMOVQ (off)(R3), F4 \
	FMOVQ (off)(R4), F5 \
	FMOVQ (off)(R5), F6 \
	FMOVQ (off)(R6), F7

// DOT_LO and DOT_HI multiply rows 0-3 and 4-7 of the half by lane i of the tokens' activations.
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

// TOKEN_END is BLOCK_END for the two integer registers i, i+1 of a token whose scale is lane 0 of x; V0, V1 are the weights' scales.
#define TOKEN_END(i, x, a) \
	SCVTF_4S(i, i)      \
	SCVTF_4S(i+1, i+1)  \
	FMUL_E(2, 0, x, 0)  \
	FMUL_E(3, 1, x, 0)  \
	FMLA_4S(a, i, 2)    \
	FMLA_4S(a+1, i+1, 3)

// HALF_END adds the integer sums of a half to the sums; h is 0 or 2.
#define HALF_END(h) \
	FMOVQ (h*8)(R7), F2 \
	FMOVS (R3)(R9), F4  \
	FMOVS (R4)(R9), F5  \
	FMOVS (R5)(R9), F6  \
	FMOVS (R6)(R9), F7  \
	FCVTL(0, 2)         \
	FCVTL2(1, 2)        \
	TOKEN_END(8, 4, 16+h)  \
	TOKEN_END(10, 5, 20+h) \
	TOKEN_END(12, 6, 24+h) \
	TOKEN_END(14, 7, 28+h)

// NEXT_BLOCK moves to the next block; R9 and R10 take back the step of R3-R6 and go to the next scale and sum.
#define NEXT_BLOCK(bytes) \
	ADD  $bytes, R2 \
	ADD  $32, R3    \
	ADD  $32, R4    \
	ADD  $32, R5    \
	ADD  $32, R6    \
	ADD  $32, R7    \
	SUB  $28, R9    \
	SUBS $1, R8

#define STORE_TILE \
	FSTPQ (F16, F17), (R0)   \
	FSTPQ (F18, F19), 32(R0) \
	ADD   R1, R0             \
	FSTPQ (F20, F21), (R0)   \
	FSTPQ (F22, F23), 32(R0) \
	ADD   R1, R0             \
	FSTPQ (F24, F25), (R0)   \
	FSTPQ (F26, F27), 32(R0) \
	ADD   R1, R0             \
	FSTPQ (F28, F29), (R0)   \
	FSTPQ (F30, F31), 32(R0) \
	RET

#define Q8_LOAD_A(off) FLDPQ (off)(R2), (F0, F1)
#define Q8_LOAD_B(off) FLDPQ (off)(R2), (F2, F3)
#define Q8_DOT_A(i) \
	DOT_LO(0, i) \
	DOT_HI(1, i)
#define Q8_DOT_B(i) \
	DOT_LO(2, i) \
	DOT_HI(3, i)

// Q8_HALF multiplies 8 rows, which begin h*16 bytes into each group.
#define Q8_HALF(h) \
	ZERO4(V8, V9, V10, V11)   \
	ZERO4(V12, V13, V14, V15) \
	X(0)                \
	Q8_LOAD_A(h*16)     \
	Q8_LOAD_B(h*16+64)  \
	Q8_DOT_A(0)         \
	Q8_LOAD_A(h*16+128) \
	Q8_DOT_B(1)         \
	Q8_LOAD_B(h*16+192) \
	Q8_DOT_A(2)         \
	Q8_LOAD_A(h*16+256) \
	Q8_DOT_B(3)         \
	X(16)               \
	Q8_LOAD_B(h*16+320) \
	Q8_DOT_A(0)         \
	Q8_LOAD_A(h*16+384) \
	Q8_DOT_B(1)         \
	Q8_LOAD_B(h*16+448) \
	Q8_DOT_A(2)         \
	Q8_DOT_B(3)         \
	HALF_END(h)

// func tileQ8Dotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ8Dotprod(SB), NOSPLIT, $0-48
	TILE_ARGS(9)

block:
	Q8_HALF(0)
	Q8_HALF(2)
	NEXT_BLOCK(512)
	BNE block
	STORE_TILE

#define LOW(v) VAND V3.B16, v.B16, v.B16
#define HIGH(v) VUSHR $4, v.B16, v.B16

// Q4_NIBBLES multiplies the low or the high nibbles (part) of 8 rows. Three registers take turns, so that a core that runs in order does not
// wait for its loads.
#define Q4_NIBBLES(part, h) \
	FMOVQ (h*16)(R2), F0     \
	FMOVQ (h*16+16)(R2), F1  \
	part(V0)                 \
	FMOVQ (h*16+64)(R2), F2  \
	DOT_LO(0, 0)             \
	part(V1)                 \
	FMOVQ (h*16+80)(R2), F0  \
	DOT_HI(1, 0)             \
	part(V2)                 \
	FMOVQ (h*16+128)(R2), F1 \
	DOT_LO(2, 1)             \
	part(V0)                 \
	FMOVQ (h*16+144)(R2), F2 \
	DOT_HI(0, 1)             \
	part(V1)                 \
	FMOVQ (h*16+192)(R2), F0 \
	DOT_LO(1, 2)             \
	part(V2)                 \
	FMOVQ (h*16+208)(R2), F1 \
	DOT_HI(2, 2)             \
	part(V0)                 \
	DOT_LO(0, 3)             \
	part(V1)                 \
	DOT_HI(1, 3)

#define Q4_HALF(h) \
	VMOVI $15, V3.B16  \
	VDUP  R11, V8.S4   \
	VDUP  R11, V9.S4   \
	VDUP  R12, V10.S4  \
	VDUP  R12, V11.S4  \
	VDUP  R13, V12.S4  \
	VDUP  R13, V13.S4  \
	VDUP  R14, V14.S4  \
	VDUP  R14, V15.S4  \
	X(0)               \
	Q4_NIBBLES(LOW, h) \
	X(16)              \
	Q4_NIBBLES(HIGH, h) \
	HALF_END(h)

// func tileQ4Dotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ4Dotprod(SB), NOSPLIT, $0-48
	TILE_ARGS(8)

block:
	MOVW (R3)(R10), R11
	MOVW (R4)(R10), R12
	MOVW (R5)(R10), R13
	MOVW (R6)(R10), R14
	NEGW R11<<3, R11
	NEGW R12<<3, R12
	NEGW R13<<3, R13
	NEGW R14<<3, R14
	SUB  $28, R10
	Q4_HALF(0)
	Q4_HALF(2)
	NEXT_BLOCK(256)
	BNE  block
	STORE_TILE
