#include "textflag.h"
#include "neon_arm64.h"
#include "panel_arm64.h"
#include "form_arm64.h"

// Products of expanded panels of 4 tokens with SDOT (see expand.go for the forms). The arithmetic is that of panel_dotprod_arm64.s.
//
// The 16 float32 sums of 4 tokens x 16 rows stay in V16-V31. With one scale for a block, 8 rows are multiplied at a time, so that their 8 integer
// sums, the weights and the activations fit beside them; with two, 4 rows at a time. A register of codes is loaded once and multiplied 4 times.
//
// Instructions per weight and token: one scale 0.12, with a minimum 0.14, two scales 0.17, with minima 0.24; SDOT: 0.0625.
//
//	V0-V3 codes, scales   V4-V7 activations   V8-V15 integer sums [token][2] or [half][token]   V16-V31 acc [token][4]

// DOT multiplies registers w, w+1 of 8 rows by lane i of the tokens' activations.
#define DOT(w, i) \
	SDOT_E(8, w, 4, i)    \
	SDOT_E(10, w, 5, i)   \
	SDOT_E(12, w, 6, i)   \
	SDOT_E(14, w, 7, i)   \
	SDOT_E(9, w+1, 4, i)  \
	SDOT_E(11, w+1, 5, i) \
	SDOT_E(13, w+1, 6, i) \
	SDOT_E(15, w+1, 7, i)

#define A(off) FLDPQ (off)(R2), (F0, F1)
#define B(off) FLDPQ (off)(R2), (F2, F3)

// ROWS8 makes the sums of the 8 rows that begin at byte h*32 of each group.
#define ROWS8(h) \
	ZERO4(V8, V9, V10, V11)   \
	ZERO4(V12, V13, V14, V15) \
	X(0)                      \
	A(h*32)                   \
	B(h*32+64)                \
	DOT(0, 0)                 \
	A(h*32+128)               \
	DOT(2, 1)                 \
	B(h*32+192)               \
	DOT(0, 2)                 \
	A(h*32+256)               \
	DOT(2, 3)                 \
	X(16)                     \
	B(h*32+320)               \
	DOT(0, 0)                 \
	A(h*32+384)               \
	DOT(2, 1)                 \
	B(h*32+448)               \
	DOT(0, 2)                 \
	FLDPQ (512+h*32)(R2), (F0, F1) \
	DOT(2, 3)                 \
	X_SCALES

// P makes p of the sums s, s+1, TAKE takes the minima V2, V3 off, ADD2 adds p to acc.
#define P(s) \
	SCVTF_4S(s, s)        \
	SCVTF_4S(s+1, s+1)    \
	FMUL_4S(s, s, 0)      \
	FMUL_4S(s+1, s+1, 1)
#define ADD2(a, s, x) \
	FMLA_E(a, s, x, 0)     \
	FMLA_E(a+1, s+1, x, 0)
#define TAKE(s, x) \
	FMOVS (x)(R10), F0    \
	SCVTF_S(0, 0)         \
	FMLS_E(s, 2, 0, 0)    \
	FMLS_E(s+1, 3, 0, 0)

#define SCALE8 \
	P(8)  \
	P(10) \
	P(12) \
	P(14)
#define ADD8(h) \
	ADD2(16+h*2, 8, 4)  \
	ADD2(20+h*2, 10, 5) \
	ADD2(24+h*2, 12, 6) \
	ADD2(28+h*2, 14, 7)

#define ONE_SCALE(h) \
	ROWS8(h) \
	SCALE8   \
	ADD8(h)

#define ONE_MINIMUM(h) \
	ROWS8(h)                       \
	SCALE8                         \
	FLDPQ (576+h*32)(R2), (F2, F3) \
	TAKE(8, R3)                    \
	TAKE(10, R4)                   \
	TAKE(12, R5)                   \
	TAKE(14, R6)                   \
	ADD8(h)

// func tileScaleDotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileScaleDotprod(SB), NOSPLIT, $0-48
	FORM_BEGIN

block:
	ONE_SCALE(0)
	ONE_SCALE(1)
	NEXT_BLOCK(576)
	BNE block
	STORE_TILE
	RET

// func tileMinimumDotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileMinimumDotprod(SB), NOSPLIT, $0-48
	FORM_BEGIN

block:
	ONE_MINIMUM(0)
	ONE_MINIMUM(1)
	NEXT_BLOCK(640)
	BNE block
	STORE_TILE
	RET

// DOT1 multiplies one register of 4 rows by lane i into the sums s to s+3.
#define DOT1(s, w, i) \
	SDOT_E(s, w, 4, i)   \
	SDOT_E(s+1, w, 5, i) \
	SDOT_E(s+2, w, 6, i) \
	SDOT_E(s+3, w, 7, i)

// ROWS4 makes the sums of both halves of the 4 rows that begin at byte q*16 of each group.
#define ROWS4(q) \
	ZERO4(V8, V9, V10, V11)   \
	ZERO4(V12, V13, V14, V15) \
	X(0)                      \
	FMOVQ (q*16)(R2), F0      \
	FMOVQ (q*16+64)(R2), F1   \
	FMOVQ (q*16+128)(R2), F2  \
	FMOVQ (q*16+192)(R2), F3  \
	DOT1(8, 0, 0)             \
	FMOVQ (q*16+256)(R2), F0  \
	DOT1(8, 1, 1)             \
	FMOVQ (q*16+320)(R2), F1  \
	DOT1(8, 2, 2)             \
	FMOVQ (q*16+384)(R2), F2  \
	DOT1(8, 3, 3)             \
	FMOVQ (q*16+448)(R2), F3  \
	X(16)                     \
	DOT1(12, 0, 0)            \
	DOT1(12, 1, 1)            \
	FMOVQ (512+q*16)(R2), F0  \
	DOT1(12, 2, 2)            \
	FMOVQ (576+q*16)(R2), F1  \
	DOT1(12, 3, 3)            \
	X_SCALES

// P2 makes p of a token's two sums.
#define P2(s) \
	SCVTF_4S(s, s)       \
	SCVTF_4S(s+4, s+4)   \
	FMUL_4S(s, s, 0)     \
	FMLA_4S(s, s+4, 1)
#define SCALE4 \
	P2(8)  \
	P2(9)  \
	P2(10) \
	P2(11)
#define ADD4(q) \
	FMLA_E(16+q, 8, 4, 0)  \
	FMLA_E(20+q, 9, 5, 0)  \
	FMLA_E(24+q, 10, 6, 0) \
	FMLA_E(28+q, 11, 7, 0)

#define TWO_SCALES(q) \
	ROWS4(q) \
	SCALE4   \
	ADD4(q)

// TAKE2 takes the minima V2, V3 of the halves off.
#define TAKE2(s, x) \
	MOVW  (x)(R12), R13  \
	MOVW  (x)(R10), R14  \
	SUBW  R13, R14, R14  \
	FMOVS R13, F0        \
	FMOVS R14, F1        \
	SCVTF_S(0, 0)        \
	SCVTF_S(1, 1)        \
	FMLS_E(s, 2, 0, 0)   \
	FMLS_E(s, 3, 1, 0)

#define TWO_MINIMA(q) \
	ROWS4(q)                  \
	SCALE4                    \
	FMOVQ (640+q*16)(R2), F2  \
	FMOVQ (704+q*16)(R2), F3  \
	TAKE2(8, R3)              \
	TAKE2(9, R4)              \
	TAKE2(10, R5)             \
	TAKE2(11, R6)             \
	ADD4(q)

// func tileScalesDotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileScalesDotprod(SB), NOSPLIT, $0-48
	FORM_BEGIN

block:
	TWO_SCALES(0)
	TWO_SCALES(1)
	TWO_SCALES(2)
	TWO_SCALES(3)
	NEXT_BLOCK(640)
	BNE block
	STORE_TILE
	RET

// func tileMinimaDotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileMinimaDotprod(SB), NOSPLIT, $0-48
	FORM_BEGIN

block:
	TWO_MINIMA(0)
	TWO_MINIMA(1)
	TWO_MINIMA(2)
	TWO_MINIMA(3)
	NEXT_BLOCK(768)
	BNE block
	STORE_TILE
	RET
