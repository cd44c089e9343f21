#include "textflag.h"
#include "neon_arm64.h"
#include "panel_arm64.h"

// Products of expanded panels of one token on ARMv8.0, which has no SDOT (see expand.go for the forms).
//
// The group's 4 activations are repeated over a register (DUP); SMULL and SMULL2 then give 8 products in 16 bits each, 4 of one row and 4 of the next.
// Two products add up to 2*128*127 = 32512 at most, which 16 bits hold, three do not: a pair of groups is multiplied and widened by SADALP.
//
// Every panel is expanded first, also for one token: one pipe of these cores multiplies and limits all this, another unpacks meanwhile.
//
// Instructions per weight: one scale 0.28, with a minimum 0.30, two scales 0.31, with minima 0.34; to this comes the expansion, 0.1 to 0.4.
//
//	R0 y   R2 expanded block   R3 activations   R4 their scales   R5 their sums   R7 sums of first halves   R8 blocks left
//	V0-V3 weights   V4, V5 activations   V6, V7 activations repeated   V8-V15 integer sums, p   V16-V19 acc   V20-V23 products   V24-V27 p

#define BEGIN \
	MOVD y+0(FP), R0     \
	MOVD w+16(FP), R2    \
	MOVD x+24(FP), R3    \
	MOVD n+40(FP), R8    \
	ADD  R8<<5, R3, R4   \
	ADD  R8<<2, R4, R5   \
	ADD  R8<<2, R5, R7   \
	ZERO_SUMS

// PAIR multiplies the pair of groups at byte off by lanes i and j of the activations x; ROWS does 8 rows of it. add starts the sums or adds
// to them.
#define PAIR(off, add, x, i, j) \
	VDUP x.S[i], V6.S4 \
	VDUP x.S[j], V7.S4 \
	ROWS(off, add, 8)  \
	ROWS(off+32, add, 12)
#define ROWS(off, add, s) \
	FLDPQ (off)(R2), (F0, F1)    \
	FLDPQ (off+64)(R2), (F2, F3) \
	SMULL(20, 0, 6)    \
	SMULL2(21, 0, 6)   \
	SMULL(22, 1, 6)    \
	SMULL2(23, 1, 6)   \
	SMLAL(20, 2, 7)    \
	SMLAL2(21, 2, 7)   \
	SMLAL(22, 3, 7)    \
	SMLAL2(23, 3, 7)   \
	add(s, 20)         \
	add(s+1, 21)       \
	add(s+2, 22)       \
	add(s+3, 23)

// ADD_PAIRS adds the two lanes that each row has in V8-V15; the sums are V8-V11, as float32.
#define ADD_PAIRS \
	ADDP_4S(8, 8, 9)     \
	ADDP_4S(9, 10, 11)   \
	ADDP_4S(10, 12, 13)  \
	ADDP_4S(11, 14, 15)  \
	SCVTF_4S(8, 8)       \
	SCVTF_4S(9, 9)       \
	SCVTF_4S(10, 10)     \
	SCVTF_4S(11, 11)

// FIRST makes the sums of the first half, SECOND those of the second, ALL of both.
#define FIRST \
	FLDPQ.P 32(R3), (F4, F5)     \
	PAIR(0, SADDLP_8H, V4, 0, 1) \
	PAIR(128, SADALP_8H, V4, 2, 3)
#define SECOND \
	PAIR(256, SADDLP_8H, V5, 0, 1) \
	PAIR(384, SADALP_8H, V5, 2, 3)
#define ALL \
	FIRST                          \
	PAIR(256, SADALP_8H, V5, 0, 1) \
	PAIR(384, SADALP_8H, V5, 2, 3)

#define WIDES(off) LOAD4(off, R2, F0, F1, F2, F3)

#define SCALE(p) \
	FMUL_4S(p, 8, 0)     \
	FMUL_4S(p+1, 9, 1)   \
	FMUL_4S(p+2, 10, 2)  \
	FMUL_4S(p+3, 11, 3)
#define SCALE_SECOND \
	FMLA_4S(24, 8, 0)    \
	FMLA_4S(25, 9, 1)    \
	FMLA_4S(26, 10, 2)   \
	FMLA_4S(27, 11, 3)

// TAKE takes the minima in V0-V3 times the sum of the activations in lane 0 of V6 off.
#define TAKE \
	SCVTF_S(6, 6)        \
	FMLS_E(24, 0, 6, 0)  \
	FMLS_E(25, 1, 6, 0)  \
	FMLS_E(26, 2, 6, 0)  \
	FMLS_E(27, 3, 6, 0)

#define ADD_BLOCK(bytes) \
	FMOVS.P 4(R4), F6    \
	ADD  $bytes, R2      \
	SUBS $1, R8          \
	FMLA_E(16, 24, 6, 0) \
	FMLA_E(17, 25, 6, 0) \
	FMLA_E(18, 26, 6, 0) \
	FMLA_E(19, 27, 6, 0)

// func tileScaleNEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileScaleNEON(SB), NOSPLIT, $0-48
	BEGIN

block:
	ALL
	ADD_PAIRS
	WIDES(512)
	SCALE(24)
	ADD_BLOCK(576)
	BNE block
	STORE_SUMS(R0)
	RET

// func tileMinimumNEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileMinimumNEON(SB), NOSPLIT, $0-48
	BEGIN

block:
	ALL
	ADD_PAIRS
	WIDES(512)
	SCALE(24)
	WIDES(576)
	FMOVS.P 4(R5), F6
	TAKE
	ADD_BLOCK(640)
	BNE block
	STORE_SUMS(R0)
	RET

// func tileScalesNEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileScalesNEON(SB), NOSPLIT, $0-48
	BEGIN

block:
	FIRST
	ADD_PAIRS
	WIDES(512)
	SCALE(24)
	SECOND
	ADD_PAIRS
	WIDES(576)
	SCALE_SECOND
	ADD_BLOCK(640)
	BNE block
	STORE_SUMS(R0)
	RET

// func tileMinimaNEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileMinimaNEON(SB), NOSPLIT, $0-48
	BEGIN

block:
	FIRST
	ADD_PAIRS
	WIDES(512)
	SCALE(24)
	SECOND
	ADD_PAIRS
	WIDES(576)
	SCALE_SECOND
	MOVW.P 4(R7), R9
	MOVW.P 4(R5), R10
	SUBW   R9, R10, R10
	WIDES(640)
	FMOVS  R9, F6
	TAKE
	WIDES(704)
	FMOVS  R10, F6
	TAKE
	ADD_BLOCK(768)
	BNE    block
	STORE_SUMS(R0)
	RET
