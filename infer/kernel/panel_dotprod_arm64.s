#include "textflag.h"
#include "neon_arm64.h"
#include "panel_arm64.h"
#include "scales_arm64.h"
#include "panel_dotprod_arm64.h"

// Products of Q8 and Q4 panels of one token with SDOT (see the package documentation for the layouts, panel_dotprod_arm64.h for the idea).
//
// Nibbles are multiplied as 0..15; the 8 that is too much is taken off before, by starting the sums at -8 * (sum of the block's
// activations).
//
// Instructions per weight: Q8 0.16, Q4 0.21. SDOT per weight: 0.0625, its least. In the machine model of Neoverse N2 (the core of phones'
// Cortex-A710; by llvm-mca) a block takes 30 cycles in Q8 and 44 in Q4, 18 and 6.5 bytes of weights a cycle.
//
//	R0 y   R1 weights   R2 activations   R3 scales of the weights   R4 scales, R5 sums of the activations   R6 blocks left
//	R7 -8 * sum   V0-V3 weights of odd groups (A)   V4-V7 of even groups (B)   V8-V11 integer sums
//	V12, V13 activations   V14 nibble mask   V16-V19 sums   V20-V23 low nibbles

// func panelQ8Dotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8Dotprod(SB), NOSPLIT, $0-32
	PANEL_ARGS(R0, R1, R2, R6)
	ADD  R6<<9, R1, R3
	ADD  R6<<5, R2, R4
	ZERO_SUMS

block:
	START
	Q8_B(12, 0, 64)
	Q8_A(12, 1, 128)
	Q8_B(12, 2, 192)
	Q8_A(12, 3, 256)
	Q8_B(13, 0, 320)
	Q8_A(13, 1, 384)
	Q8_B(13, 2, 448)
	FLDPQ.P 32(R3), (F4, F5)
	DOT2(8, 0, 13, 3)
	FMOVS.P 4(R4), F6
	DOT2(10, 2, 13, 3)
	PRFM    (SCALES_AHEAD)(R3), PLDL1KEEP
	ADD     $512, R1
	SUBS    $1, R6
	BLOCK_END
	BNE     block
	STORE_SUMS(R0)
	RET

// func panelQ4Dotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4Dotprod(SB), NOSPLIT, $0-32
	PANEL_ARGS(R0, R1, R2, R6)
	ADD   R6<<8, R1, R3
	ADD   R6<<5, R2, R4
	ADD   R6<<2, R4, R5
	VMOVI $15, V14.B16
	ZERO_SUMS

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
	Q4_B(UNPACK, 0, 64)
	Q4_A(UNPACK, 1, 128)
	Q4_B(UNPACK, 2, 192)
	FLDPQ.P 32(R3), (F4, F5)
	UNPACK(V0, V1, V2, V3)
	FMOVS.P 4(R4), F6
	Q4_DOT(0, 3)
	PRFM    (SCALES_AHEAD)(R3), PLDL1KEEP
	ADD     $256, R1
	SUBS    $1, R6
	BLOCK_END
	BNE     block
	STORE_SUMS(R0)
	RET
