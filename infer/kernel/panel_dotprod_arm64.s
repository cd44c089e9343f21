#include "textflag.h"
#include "neon_arm64.h"

// Products of Q8 and Q4 panels of one token with SDOT (see the package documentation for the layouts).
//
// A group of 4 columns is 64 bytes, four registers of 4 rows; one register of 16 activations holds 4 groups, of which SDOT takes a lane:
// each of its four sums is a row. Nibbles are multiplied as 0..15; the 8 that is too much is taken off before, by starting the
// sums at -8 * (sum of the block's activations). Four sums per block suffice: SDOT passes an accumulator on in one cycle on most cores,
// and blocks do not wait for each other except in the four FMLA of BLOCK_END.
//
// Instructions per weight: Q8 0.16, Q4 0.21. SDOT per weight: 0.0625, its least. In the machine model of Neoverse N2 (the core of phones'
// Cortex-A710; by llvm-mca) a block takes 30 cycles in Q8 and 44 in Q4, 18 and 6.5 bytes of weights a cycle.
//
// Cores that run in order start the 16-byte halves of a load one after the other, so the loads of a group stand between the products of the
// group before, each with a cache line's prefetch.
//
//	R0 y   R1 weights   R2 activations   R3 scales of the weights   R4 scales, R5 sums of the activations   R6 blocks left
//	V0-V3 weights of odd groups (A)   V4-V7 of even groups (B)   V8-V11 integer sums
//	V12, V13 activations   V14 nibble mask   V16-V19 sums   V20-V23 low nibbles

// DOT2 multiplies two registers of a group with lane i of the activations x.
#define DOT2(s0, s1, w0, w1, x, i) \
	SDOT_E(s0, w0, x, i) \
	SDOT_E(s1, w1, x, i)

// Q8_A multiplies group A and loads the next one, at byte off, as B; Q8_B the other way round.
#define Q8_A(x, i, off) \
	FLDPQ (off)(R1), (F4, F5)      \
	DOT2(8, 9, 0, 1, x, i)         \
	FLDPQ (off+32)(R1), (F6, F7)   \
	DOT2(10, 11, 2, 3, x, i)       \
	PRFM  (AHEAD+off)(R1), PLDL1KEEP
#define Q8_B(x, i, off) \
	FLDPQ (off)(R1), (F0, F1)      \
	DOT2(8, 9, 4, 5, x, i)         \
	FLDPQ (off+32)(R1), (F2, F3)   \
	DOT2(10, 11, 6, 7, x, i)       \
	PRFM  (AHEAD+off)(R1), PLDL1KEEP

// func panelQ8Dotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8Dotprod(SB), NOSPLIT, $0-32
	MOVD y+0(FP), R0
	MOVD w+8(FP), R1
	MOVD x+16(FP), R2
	MOVD n+24(FP), R6
	ADD  R6<<9, R1, R3
	ADD  R6<<5, R2, R4
	ZERO4(V16, V17, V18, V19)

block:
	FLDPQ.P 32(R2), (F12, F13)
	FLDPQ   (R1), (F4, F5)
	ZERO4(V8, V9, V10, V11)
	FLDPQ   32(R1), (F6, F7)
	PRFM    (AHEAD)(R1), PLDL1KEEP
	Q8_B(12, 0, 64)
	Q8_A(12, 1, 128)
	Q8_B(12, 2, 192)
	Q8_A(12, 3, 256)
	Q8_B(13, 0, 320)
	Q8_A(13, 1, 384)
	Q8_B(13, 2, 448)
	FLDPQ.P 32(R3), (F4, F5)
	DOT2(8, 9, 0, 1, 13, 3)
	FMOVS.P 4(R4), F6
	DOT2(10, 11, 2, 3, 13, 3)
	PRFM    (SCALES_AHEAD)(R3), PLDL1KEEP
	ADD     $512, R1
	SUBS    $1, R6
	BLOCK_END(16, 17, 18, 19)
	BNE     block
	FSTPQ   (F16, F17), (R0)
	FSTPQ   (F18, F19), 32(R0)
	RET

// UNPACK puts the low nibbles of a group into V20-V23 and leaves the high ones in place.
#define UNPACK(w0, w1, w2, w3) \
	VAND  V14.B16, w0.B16, V20.B16 \
	VAND  V14.B16, w1.B16, V21.B16 \
	VAND  V14.B16, w2.B16, V22.B16 \
	VAND  V14.B16, w3.B16, V23.B16 \
	VUSHR $4, w0.B16, w0.B16       \
	VUSHR $4, w1.B16, w1.B16       \
	VUSHR $4, w2.B16, w2.B16       \
	VUSHR $4, w3.B16, w3.B16

// Q4_DOT multiplies the low nibbles in V20-V23 and the high ones in w0-w3.
#define Q4_DOT(w0, w1, w2, w3, i) \
	DOT2(8, 9, 20, 21, 12, i)   \
	DOT2(10, 11, 22, 23, 12, i) \
	DOT2(8, 9, w0, w1, 13, i)   \
	DOT2(10, 11, w2, w3, 13, i)

// Q4_A multiplies the nibbles of group A, lane i of both registers of activations, and loads the next group as B; Q4_B the other way round;
// Q4_LAST loads the scales instead.
#define Q4_A(i, off) \
	FLDPQ (off)(R1), (F4, F5)      \
	UNPACK(V0, V1, V2, V3)         \
	FLDPQ (off+32)(R1), (F6, F7)   \
	Q4_DOT(0, 1, 2, 3, i)          \
	PRFM  (AHEAD+off)(R1), PLDL1KEEP
#define Q4_B(i, off) \
	FLDPQ (off)(R1), (F0, F1)      \
	UNPACK(V4, V5, V6, V7)         \
	FLDPQ (off+32)(R1), (F2, F3)   \
	Q4_DOT(4, 5, 6, 7, i)          \
	PRFM  (AHEAD+off)(R1), PLDL1KEEP
#define Q4_LAST(i) \
	FLDPQ.P 32(R3), (F4, F5)       \
	UNPACK(V0, V1, V2, V3)         \
	FMOVS.P 4(R4), F6              \
	Q4_DOT(0, 1, 2, 3, i)          \
	PRFM  (SCALES_AHEAD)(R3), PLDL1KEEP

// func panelQ4Dotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4Dotprod(SB), NOSPLIT, $0-32
	MOVD  y+0(FP), R0
	MOVD  w+8(FP), R1
	MOVD  x+16(FP), R2
	MOVD  n+24(FP), R6
	ADD   R6<<8, R1, R3
	ADD   R6<<5, R2, R4
	ADD   R6<<2, R4, R5
	VMOVI $15, V14.B16
	ZERO4(V16, V17, V18, V19)

block:
	FLDPQ.P 32(R2), (F12, F13)
	FLDPQ   (R1), (F4, F5)
	MOVW.P  4(R5), R7
	FLDPQ   32(R1), (F6, F7)
	NEGW    R7<<3, R7
	VDUP    R7, V8.S4
	VDUP    R7, V9.S4
	VDUP    R7, V10.S4
	VDUP    R7, V11.S4
	PRFM    (AHEAD)(R1), PLDL1KEEP
	Q4_B(0, 64)
	Q4_A(1, 128)
	Q4_B(2, 192)
	Q4_LAST(3)
	ADD     $256, R1
	SUBS    $1, R6
	BLOCK_END(16, 17, 18, 19)
	BNE     block
	FSTPQ   (F16, F17), (R0)
	FSTPQ   (F18, F19), 32(R0)
	RET
