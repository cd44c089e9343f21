#include "textflag.h"
#include "neon_arm64.h"
#include "panel_arm64.h"
#include "form_arm64.h"

// Products of expanded panels of 4 tokens with SMMLA, for the forms with one scale (see expand.go). The arithmetic is that of
// form_dotprod_arm64.s.
//
// SMMLA multiplies two rows of 8 columns with two tokens of 8 columns, twice the products of SDOT. Its rows are two groups side by side, so an expanded
// panel is rearranged once (pairRowsI8MM): of groups 2k and 2k+1, four registers each, the first become rows 4q and 4q+1, the second rows 4q+2
// and 4q+3. A result is {row a token a, row a token b, row b token a, row b token b}, which scales meet repeated by ZIP; all 16 rows have
// their integer sums in registers, and acc waits in the frame in the same order until UZP takes the tokens apart.
//
// With two scales for a block there would be as many instructions as with SDOT, so these forms keep it.
//
// Instructions per weight and token: one scale 0.11, with a minimum 0.13; SMMLA: 0.031.
//
//	V0-V7 codes, scales   V8-V11 activations of tokens 0 and 1, 2 and 3   V12-V15 acc of 4 rows   V16-V31 sums [4 rows][tokens 0-1, 2-3][2 rows]

// func pairRowsI8MM(w unsafe.Pointer, n, blockBytes int)
TEXT ·pairRowsI8MM(SB), NOSPLIT, $0-24
	MOVD w+0(FP), R2
	MOVD n+8(FP), R8
	MOVD blockBytes+16(FP), R3
	SUB  $512, R3

block:
	MOVD $4, R4

pair:
	LOAD4(0, R2, F0, F1, F2, F3)
	LOAD4(64, R2, F4, F5, F6, F7)
	ZIP1_4S(16, 0, 4)
	ZIP1_4S(17, 1, 5)
	ZIP1_4S(18, 2, 6)
	ZIP1_4S(19, 3, 7)
	ZIP2_4S(20, 0, 4)
	ZIP2_4S(21, 1, 5)
	ZIP2_4S(22, 2, 6)
	ZIP2_4S(23, 3, 7)
	STORE4(0, R2, F16, F17, F18, F19)
	STORE4(64, R2, F20, F21, F22, F23)
	ADD  $128, R2
	SUBS $1, R4
	BNE  pair
	ADD  R3, R2
	SUBS $1, R8
	BNE  block
	RET

// ROWS4 multiplies the 4 rows q by the activations V8, V9.
#define ROWS4(q) \
	SMMLA(16+q*4, q, 8)   \
	SMMLA(17+q*4, 4+q, 8) \
	SMMLA(18+q*4, q, 9)   \
	SMMLA(19+q*4, 4+q, 9)

// STEP multiplies columns 8k to 8k+7.
#define STEP(k) \
	FMOVD (k*8)(R3), F8   \
	FMOVD (k*8)(R4), F10  \
	FMOVD (k*8)(R5), F9   \
	FMOVD (k*8)(R6), F11  \
	LOAD4(k*128, R2, F0, F1, F2, F3)    \
	LOAD4(k*128+64, R2, F4, F5, F6, F7) \
	ZIP1_2D(8, 8, 10)     \
	ZIP1_2D(9, 9, 11)     \
	ROWS4(0)              \
	ROWS4(1)              \
	ROWS4(2)              \
	ROWS4(3)

// OF_TOKENS puts the 4-byte values at distance d of the tokens, as {a, b, a, b}, into registers x (tokens 0, 1) and y (2, 3). It uses V6, V7.
#define OF_TOKENS(d, Fx, Fy, x, y) \
	FMOVS (R3)(d), Fx \
	FMOVS (R4)(d), F6 \
	FMOVS (R5)(d), Fy \
	FMOVS (R6)(d), F7 \
	ZIP1_4S(x, x, 6)  \
	ZIP1_4S(y, y, 7)  \
	ZIP1_2D(x, x, x)  \
	ZIP1_2D(y, y, y)

#define SUMS \
	ZERO_TILE \
	STEP(0)   \
	STEP(1)   \
	STEP(2)   \
	STEP(3)   \
	LOAD4(512, R2, F0, F1, F2, F3) \
	OF_TOKENS(R9, F8, F9, 8, 9)

// SCALE makes p of the sums of the 4 rows q, TAKE takes the minima off, ADD_ROWS adds p to acc.
#define SCALE(q) \
	ZIP1_4S(4, q, q)            \
	ZIP2_4S(5, q, q)            \
	SCVTF_4S(16+q*4, 16+q*4)    \
	SCVTF_4S(17+q*4, 17+q*4)    \
	SCVTF_4S(18+q*4, 18+q*4)    \
	SCVTF_4S(19+q*4, 19+q*4)    \
	FMUL_4S(16+q*4, 16+q*4, 4)  \
	FMUL_4S(17+q*4, 17+q*4, 5)  \
	FMUL_4S(18+q*4, 18+q*4, 4)  \
	FMUL_4S(19+q*4, 19+q*4, 5)
#define TAKE(q) \
	FMOVQ (576+q*16)(R2), F6    \
	ZIP1_4S(7, 6, 6)            \
	ZIP2_4S(6, 6, 6)            \
	FMLS_4S(16+q*4, 7, 10)      \
	FMLS_4S(17+q*4, 6, 10)      \
	FMLS_4S(18+q*4, 7, 11)      \
	FMLS_4S(19+q*4, 6, 11)
#define ADD_ROWS(q) \
	FLDPQ acc-256+q*64(SP), (F12, F13)    \
	FLDPQ acc-256+32+q*64(SP), (F14, F15) \
	FMLA_4S(12, 16+q*4, 8)                \
	FMLA_4S(13, 17+q*4, 8)                \
	FMLA_4S(14, 18+q*4, 9)                \
	FMLA_4S(15, 19+q*4, 9)                \
	FSTPQ (F12, F13), acc-256+q*64(SP)    \
	FSTPQ (F14, F15), acc-256+32+q*64(SP)

#define SCALED(q) \
	SCALE(q) \
	ADD_ROWS(q)
#define SCALED_MIN(q) \
	SCALE(q) \
	TAKE(q)  \
	ADD_ROWS(q)

#define CLEAR_ACC \
	STORE_ACC(0) \
	STORE_ACC(1) \
	STORE_ACC(2) \
	STORE_ACC(3)
#define STORE_ACC(q) \
	FSTPQ (F16, F17), acc-256+q*64(SP)    \
	FSTPQ (F18, F19), acc-256+32+q*64(SP)

// STORE writes the 4 rows q of each token; R3-R6 are the tokens' y.
#define STORE(q) \
	FLDPQ acc-256+q*64(SP), (F12, F13)    \
	FLDPQ acc-256+32+q*64(SP), (F14, F15) \
	UZP1_4S(0, 12, 13)     \
	UZP2_4S(1, 12, 13)     \
	UZP1_4S(2, 14, 15)     \
	UZP2_4S(3, 14, 15)     \
	FMOVQ F0, (q*16)(R3)   \
	FMOVQ F1, (q*16)(R4)   \
	FMOVQ F2, (q*16)(R5)   \
	FMOVQ F3, (q*16)(R6)
#define STORE_ALL \
	MOVD R0, R3     \
	ADD  R1, R3, R4 \
	ADD  R1, R4, R5 \
	ADD  R1, R5, R6 \
	STORE(0)        \
	STORE(1)        \
	STORE(2)        \
	STORE(3)

// func tileScaleI8MM(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileScaleI8MM(SB), NOSPLIT, $256-48
	FORM_BEGIN
	CLEAR_ACC

block:
	SUMS
	SCALED(0)
	SCALED(1)
	SCALED(2)
	SCALED(3)
	NEXT_BLOCK(576)
	BNE block
	STORE_ALL
	RET

// func tileMinimumI8MM(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileMinimumI8MM(SB), NOSPLIT, $256-48
	FORM_BEGIN
	CLEAR_ACC

block:
	SUMS
	OF_TOKENS(R10, F10, F11, 10, 11)
	SCVTF_4S(10, 10)
	SCVTF_4S(11, 11)
	SCALED_MIN(0)
	SCALED_MIN(1)
	SCALED_MIN(2)
	SCALED_MIN(3)
	NEXT_BLOCK(640)
	BNE block
	STORE_ALL
	RET
