#include "textflag.h"
#include "neon_arm64.h"
#include "panel_arm64.h"
#include "unpack_arm64.h"

// Products of quantised panels of one token with SDOT (see the package documentation for the layouts, unpack_arm64.h for the registers).
//
// A lane is a row; one register of 16 activations holds 4 groups, of which SDOT takes a lane. Four sums per block suffice, eight where halves have
// scales of their own: SDOT passes an accumulator on in one cycle on most cores, and blocks do not wait for each other except in the four FMLA of
// their end. Groups are loaded into two sets of registers in turn, before the products of the group before, for cores that run in order.
//
// Codes are multiplied as they are; what the code of 0 adds is taken off before, by starting the sums at minus it times the sum of the activations.
// Then p = float(sum) * scale, p -= float(sum of activations) * minimum, where there are minima, and acc = fma(p, xd, acc). All tiles do
// the same in the same order.
//
//	R0 y   R2 codes   R7 activations   R4 their scales   R5 their sums   R8 sums of first halves   R3 header of the unit   R11 scales of the block
//	R6 blocks left   R12 blocks left in the unit   R9, R10 scratch
//	V0-V3, V24-V27 codes of groups in turn   V4-V7 low groups   V8-V11, V20-V23 integer sums   V12, V13 activations   V16-V19 sums

#define BEGIN \
	PANEL_ARGS(R0, R2, R7, R6) \
	ADD R6<<5, R7, R4          \
	ADD R6<<2, R4, R5          \
	ADD R6<<2, R5, R8          \
	ZERO_SUMS

#define AHEAD_LINE(off) PRFM (AHEAD+off)(R2), PLDL1KEEP

// HEADER1, 2 and 5 ask for the lines of a header.
#define HEADER1 AHEAD_LINE(0)
#define HEADER2 \
	AHEAD_LINE(0) \
	AHEAD_LINE(64)
#define HEADER5 \
	HEADER2         \
	AHEAD_LINE(128) \
	AHEAD_LINE(192) \
	AHEAD_LINE(256)
#define SUPER5 \
	HEADER5 \
	SUPER

// DOT4 multiplies the registers w to w+3 of a group with lane i of the activations x and adds to the sums s to s+3.
#define DOT4(s, w, x, i) \
	SDOT_E(s, w, x, i)     \
	SDOT_E(s+1, w+1, x, i) \
	SDOT_E(s+2, w+2, x, i) \
	SDOT_E(s+3, w+3, x, i)
#define DOT(w, i) \
	DOT4(8, 4, 12, i) \
	DOT4(8, w, 13, i)
#define DOT_HALVES(w, i) \
	DOT4(8, 4, 12, i) \
	DOT4(20, w, 13, i)

// GROUPS multiplies a block whose groups are loaded from o0 to o3.
#define GROUPS(dot, u0, u1, u2, u3, o0, o1, o2, o3) \
	FLDPQ.P 32(R7), (F12, F13) \
	LOAD_A(o0)      \
	AHEAD_LINE(0)   \
	LOAD_B(o1)      \
	u0(0)           \
	dot(0, 0)       \
	AHEAD_LINE(64)  \
	LOAD_A(o2)      \
	u1(24)          \
	dot(24, 1)      \
	LOAD_B(o3)      \
	u2(0)           \
	dot(0, 2)       \
	u3(24)          \
	dot(24, 3)
#define AHEAD_LINES \
	AHEAD_LINE(128) \
	AHEAD_LINE(192)

#define GROUPS4 \
	GROUPS(DOT, UNPACK4, UNPACK4, UNPACK4, UNPACK4, 0, 64, 128, 192) \
	AHEAD_LINES
#define GROUPS5 \
	LOAD_PLANE(256) \
	GROUPS(DOT, UNPACK5_0, UNPACK5_1, UNPACK5_2, UNPACK5_3, 0, 64, 128, 192) \
	AHEAD_LINES \
	AHEAD_LINE(256)
#define GROUPS6 \
	GROUPS(DOT_HALVES, UNPACK6_0, UNPACK6_1, UNPACK6_2, UNPACK6_3, 0, 64, 128, 192) \
	AHEAD_LINES \
	AHEAD_LINE(256) \
	AHEAD_LINE(320)
#define GROUPS2 GROUPS(DOT_HALVES, UNPACK2_A, UNPACK2_A, UNPACK2_B, UNPACK2_B, 0, 64, 0, 64)
#define GROUPS3 \
	GROUPS(DOT_HALVES, UNPACK3_0, UNPACK3_1, UNPACK3_2, UNPACK3_3, 0, 64, 0, 64) \
	AHEAD_LINE(128)
#define GROUPST \
	GROUPS(DOT, LOOK_UP, LOOK_UP, LOOK_UP, LOOK_UP, 0, 64, 128, 192) \
	AHEAD_LINES

// GROUPS8 multiplies whole bytes; the second half's products go to s to s+3.
#define GROUPS8(s) \
	FLDPQ.P 32(R7), (F12, F13) \
	LOAD_A(0)         \
	AHEAD_LINE(0)     \
	LOAD_B(64)        \
	DOT4(8, 0, 12, 0) \
	AHEAD_LINE(64)    \
	LOAD_A(128)       \
	DOT4(8, 24, 12, 1) \
	AHEAD_LINE(128)   \
	LOAD_B(192)       \
	DOT4(8, 0, 12, 2) \
	AHEAD_LINE(192)   \
	LOAD_A(256)       \
	DOT4(8, 24, 12, 3) \
	AHEAD_LINE(256)   \
	LOAD_B(320)       \
	DOT4(s, 0, 13, 0) \
	AHEAD_LINE(320)   \
	LOAD_A(384)       \
	DOT4(s, 24, 13, 1) \
	AHEAD_LINE(384)   \
	LOAD_B(448)       \
	DOT4(s, 0, 13, 2) \
	AHEAD_LINE(448)   \
	DOT4(s, 24, 13, 3)

// How the sums start.
#define CLEAR ZERO4(V8, V9, V10, V11)
#define CLEAR_HALVES \
	ZERO4(V8, V9, V10, V11)   \
	ZERO4(V20, V21, V22, V23)
#define OFFSET(shift) \
	MOVW.P 4(R5), R9       \
	NEGW   R9<<shift, R9   \
	VDUP   R9, V8.S4       \
	VDUP   R9, V9.S4       \
	VDUP   R9, V10.S4      \
	VDUP   R9, V11.S4
#define OFFSET_HALVES(shift) \
	MOVW.P 4(R8), R10      \
	MOVW.P 4(R5), R9       \
	SUBW   R10, R9, R9     \
	NEGW   R10<<shift, R10 \
	NEGW   R9<<shift, R9   \
	VDUP   R10, V8.S4      \
	VDUP   R10, V9.S4      \
	VDUP   R10, V10.S4     \
	VDUP   R10, V11.S4     \
	VDUP   R9, V20.S4      \
	VDUP   R9, V21.S4      \
	VDUP   R9, V22.S4      \
	VDUP   R9, V23.S4

// SCALE makes p of the sums by the scales in V0-V3, SCALE_SECOND adds that of the second half.
#define SCALE \
	SCVTF_4S(8, 8)       \
	SCVTF_4S(9, 9)       \
	SCVTF_4S(10, 10)     \
	SCVTF_4S(11, 11)     \
	FMUL_4S(8, 8, 0)     \
	FMUL_4S(9, 9, 1)     \
	FMUL_4S(10, 10, 2)   \
	FMUL_4S(11, 11, 3)
#define SCALE_SECOND \
	SCVTF_4S(20, 20)     \
	SCVTF_4S(21, 21)     \
	SCVTF_4S(22, 22)     \
	SCVTF_4S(23, 23)     \
	FMLA_4S(8, 20, 0)    \
	FMLA_4S(9, 21, 1)    \
	FMLA_4S(10, 22, 2)   \
	FMLA_4S(11, 23, 3)

// TAKE_MIN takes the minima in V0-V3 times the sum of activations in lane 0 of V20 off.
#define TAKE_MIN \
	SCVTF_S(20, 20)       \
	FMLS_E(8, 0, 20, 0)   \
	FMLS_E(9, 1, 20, 0)   \
	FMLS_E(10, 2, 20, 0)  \
	FMLS_E(11, 3, 20, 0)

#define ADD_BLOCK(scales) \
	FMOVS.P 4(R4), F6     \
	ADD     $scales, R11  \
	FMLA_E(16, 8, 6, 0)   \
	FMLA_E(17, 9, 6, 0)   \
	FMLA_E(18, 10, 6, 0)  \
	FMLA_E(19, 11, 6, 0)

#define HALF_SCALES \
	HALVES(R11, 0) \
	SCALE          \
	ADD_BLOCK(32)
#define HALF_MINIMA \
	HALVES(R11, 0)     \
	SCALE              \
	HALVES(R11, 32)    \
	FMOVS.P 4(R5), F20 \
	TAKE_MIN           \
	ADD_BLOCK(0)
#define BYTE_SCALES \
	BYTES(64, 0)       \
	SCALE              \
	BYTES(192, 64)     \
	FMOVS.P 4(R5), F20 \
	TAKE_MIN           \
	ADD_BLOCK(16)
#define NIBBLE_SCALES \
	LOW_NIBBLES(64)    \
	SCALE              \
	LOW_NIBBLES(80)    \
	SCALE_SECOND       \
	MOVW.P 4(R8), R10  \
	MOVW.P 4(R5), R9   \
	HIGH_NIBBLES(64)   \
	FMOVS  R10, F20    \
	TAKE_MIN           \
	HIGH_NIBBLES(80)   \
	SUBW   R10, R9, R9 \
	FMOVS  R9, F20     \
	TAKE_MIN           \
	ADD_BLOCK(32)
#define SIGNED_SCALES \
	SIGNED_BYTES(64)   \
	SCALE              \
	SIGNED_BYTES(80)   \
	SCALE_SECOND       \
	ADD_BLOCK(32)

#define Q8_BLOCK \
	CLEAR \
	GROUPS8(8) \
	HALF_SCALES

// func panelQ8Dotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8Dotprod(SB), NOSPLIT, $0-32
	BEGIN
	UNITS(64, 2, 512, HEADER1, Q8_BLOCK)
	STORE_SUMS(R0)
	RET

#define Q4_BLOCK \
	OFFSET(3) \
	GROUPS4 \
	HALF_SCALES

// func panelQ4Dotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4Dotprod(SB), NOSPLIT, $0-32
	BEGIN
	VMOVI $15, V14.B16
	UNITS(64, 2, 256, HEADER1, Q4_BLOCK)
	STORE_SUMS(R0)
	RET

#define Q41_BLOCK \
	CLEAR \
	GROUPS4 \
	HALF_MINIMA

// func panelQ41Dotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ41Dotprod(SB), NOSPLIT, $0-32
	BEGIN
	VMOVI $15, V14.B16
	UNITS(64, 1, 256, HEADER1, Q41_BLOCK)
	STORE_SUMS(R0)
	RET

#define Q50_BLOCK \
	OFFSET(4) \
	GROUPS5 \
	HALF_SCALES

// func panelQ50Dotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ50Dotprod(SB), NOSPLIT, $0-32
	BEGIN
	VMOVI $15, V14.B16
	VMOVI $16, V15.B16
	UNITS(64, 2, 320, HEADER1, Q50_BLOCK)
	STORE_SUMS(R0)
	RET

#define Q51_BLOCK \
	CLEAR \
	GROUPS5 \
	HALF_MINIMA

// func panelQ51Dotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ51Dotprod(SB), NOSPLIT, $0-32
	BEGIN
	VMOVI $15, V14.B16
	VMOVI $16, V15.B16
	UNITS(64, 1, 320, HEADER1, Q51_BLOCK)
	STORE_SUMS(R0)
	RET

#define Q2K_BLOCK \
	CLEAR_HALVES \
	GROUPS2 \
	NIBBLE_SCALES

// func panelQ2KDotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ2KDotprod(SB), NOSPLIT, $128-32
	BEGIN
	VMOVI $3, V14.B16
	UNITS(320, 8, 128, SUPER5, Q2K_BLOCK)
	STORE_SUMS(R0)
	RET

#define Q3K_BLOCK \
	OFFSET_HALVES(2) \
	GROUPS3 \
	SIGNED_SCALES

// func panelQ3KDotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ3KDotprod(SB), NOSPLIT, $0-32
	BEGIN
	VMOVI $3, V14.B16
	VMOVI $4, V15.B16
	UNITS(320, 8, 192, HEADER5, Q3K_BLOCK)
	STORE_SUMS(R0)
	RET

#define Q4K_BLOCK \
	CLEAR \
	GROUPS4 \
	BYTE_SCALES

// func panelQ4KDotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4KDotprod(SB), NOSPLIT, $128-32
	BEGIN
	VMOVI $15, V14.B16
	UNITS(320, 8, 256, SUPER5, Q4K_BLOCK)
	STORE_SUMS(R0)
	RET

#define Q5K_BLOCK \
	CLEAR \
	GROUPS5 \
	BYTE_SCALES

// func panelQ5KDotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ5KDotprod(SB), NOSPLIT, $128-32
	BEGIN
	VMOVI $15, V14.B16
	VMOVI $16, V15.B16
	UNITS(320, 8, 320, SUPER5, Q5K_BLOCK)
	STORE_SUMS(R0)
	RET

#define Q6K_BLOCK \
	OFFSET_HALVES(5) \
	GROUPS6 \
	SIGNED_SCALES

// func panelQ6KDotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ6KDotprod(SB), NOSPLIT, $0-32
	BEGIN
	VMOVI $15, V14.B16
	VMOVI $48, V15.B16
	UNITS(320, 8, 384, HEADER5, Q6K_BLOCK)
	STORE_SUMS(R0)
	RET

#define Q4T_BLOCK \
	CLEAR \
	GROUPST \
	WIDES(R11, 0) \
	SCALE \
	ADD_BLOCK(0)

// func panelQ4TDotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4TDotprod(SB), NOSPLIT, $0-32
	BEGIN
	VMOVI $15, V14.B16
	FMOVQ (R2), F15
	ADD   $64, R2
	UNITS(64, 1, 256, HEADER1, Q4T_BLOCK)
	STORE_SUMS(R0)
	RET

#define Q8S_BLOCK \
	CLEAR_HALVES \
	GROUPS8(20) \
	WIDES(R11, 0) \
	SCALE \
	WIDES(R11, 64) \
	SCALE_SECOND \
	ADD_BLOCK(0)

// func panelQ8SDotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8SDotprod(SB), NOSPLIT, $0-32
	BEGIN
	UNITS(128, 1, 512, HEADER2, Q8S_BLOCK)
	STORE_SUMS(R0)
	RET
