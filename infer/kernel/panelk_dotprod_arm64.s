#include "textflag.h"
#include "neon_arm64.h"
#include "panel_arm64.h"
#include "scales_arm64.h"
#include "panel_dotprod_arm64.h"

// Products of Q4K, Q4T, Q8S and Q8A panels of one token with SDOT: the loops of panel_dotprod_arm64.s with other ends.
//
// Nibbles of Q4K are multiplied as 0..15, which is what they mean. Those of Q4T pass through the table (TBL). The 5-bit values of Q8A are
// signed bytes to SDOT too. Q8S and Q8A have a scale for every 16 columns: a half block is one register of activations.
//
// Instructions per weight: Q4K 0.26, Q4T 0.26, Q8S 0.19, Q8A 0.25. SDOT per weight: 0.0625, its least. In the machine model of Neoverse N2
// (by llvm-mca) a block takes 61, 58, 36 and 48 cycles, all of them full in both vector pipes: a conversion of four numbers takes two turns of one.
//
//	R0 y   R1 weights   R2 activations   R3 scales of the weights (Q4K: super-blocks)   R4 scales of the activations
//	R5 Q4K: sums of the activations, Q8A: minima of the weights   R6 blocks left   R7 blocks left in the super-block   R20 scratch
//	V0-V3 weights of odd groups (A)   V4-V7 of even groups (B)   V8-V11 integer sums   V12, V13 activations
//	V14 nibble mask (Q8A: sums of the halves, V15 scratch)   V15 table   V16-V19 sums   V20-V23 low nibbles, scales, minima
//	Q4K: V24-V27 d, V28-V31 dmin   Q8A: V24-V27 minima   Q4T, Q8S, Q8A: V28 scale of the activations

// func panelQ4KDotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4KDotprod(SB), NOSPLIT, $0-32
	PANEL_ARGS(R0, R1, R2, R6)
	ADD   R6<<8, R1, R3
	ADD   R6<<5, R2, R4
	ADD   R6<<2, R4, R5
	VMOVI $15, V14.B16
	ZERO_SUMS

super:
	SUPER_SCALES(R3)
	PREFETCH_SUPER(R3)
	ADD   $64, R3
	MOVD  $8, R7

block:
	START
	Q4_B(UNPACK, 0, 64)
	Q4_A(UNPACK, 1, 128)
	Q4_B(UNPACK, 2, 192)
	FMOVQ   128(R3), F5
	FMOVQ.P 16(R3), F4
	UNPACK(V0, V1, V2, V3)
	FMOVS.P 4(R4), F6
	FMOVS.P 4(R5), F7
	Q4_DOT(0, 3)
	BYTE_SCALES(0, 20)
	SCVTF_S(7, 7)
	ADD     $256, R1
	SCALED(16, 8, 0, 0, 6)
	SUBS    $1, R7
	MINIMA(16, 20, 20, 6, 7, 0)
	BNE     block
	ADD     $128, R3
	SUBS    $8, R6
	BNE     super
	STORE_SUMS(R0)
	RET

// func panelQ4TDotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4TDotprod(SB), NOSPLIT, $0-32
	PANEL_ARGS(R0, R1, R2, R6)
	FMOVQ (R1), F15
	ADD   $64, R1
	ADD   R6<<8, R1, R3
	ADD   R6<<5, R2, R4
	VMOVI $15, V14.B16
	ZERO_SUMS

block:
	START
	Q4_B(LOOK_UP, 0, 64)
	Q4_A(LOOK_UP, 1, 128)
	Q4_B(LOOK_UP, 2, 192)
	FLDPQ.P 32(R3), (F4, F5)
	LOOK_UP(V0, V1, V2, V3)
	FLDPQ.P 32(R3), (F6, F7)
	FMOVS.P 4(R4), F28
	Q4_DOT(0, 3)
	PRFM    (WIDE_AHEAD)(R3), PLDL1KEEP
	ADD     $256, R1
	SUBS    $1, R6
	SCALED(16, 8, 4, 4, 28)
	BNE     block
	STORE_SUMS(R0)
	RET

// Q8_SCALES loads the next scales of 16 rows into V20-V23, Q8_MINIMA the next minima into V24-V27.
#define Q8_SCALES \
	FLDPQ.P 32(R3), (F20, F21) \
	FLDPQ.P 32(R3), (F22, F23) \
	PRFM    (WIDE_AHEAD)(R3), PLDL1KEEP
#define Q8_MINIMA \
	FLDPQ.P 32(R5), (F24, F25) \
	FLDPQ.P 32(R5), (F26, F27) \
	PRFM    (WIDE_AHEAD)(R5), PLDL1KEEP

// Q8_FIRST makes the integer sums of columns 0-15, Q8_SECOND those of 16-31.
#define Q8_FIRST \
	START              \
	FMOVS.P 4(R4), F28 \
	Q8_B(12, 0, 64)    \
	Q8_A(12, 1, 128)   \
	Q8_B(12, 2, 192)   \
	Q8_A(12, 3, 256)
#define Q8_SECOND \
	ZERO4(V8, V9, V10, V11) \
	Q8_B(13, 0, 320)        \
	Q8_A(13, 1, 384)        \
	Q8_B(13, 2, 448)        \
	DOT2(8, 0, 13, 3)       \
	DOT2(10, 2, 13, 3)      \
	ADD     $512, R1

// func panelQ8SDotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8SDotprod(SB), NOSPLIT, $0-32
	PANEL_ARGS(R0, R1, R2, R6)
	ADD  R6<<9, R1, R3
	ADD  R6<<5, R2, R4
	ZERO_SUMS

block:
	Q8_FIRST
	Q8_SCALES
	SCALED(16, 8, 20, 20, 28)
	Q8_SECOND
	Q8_SCALES
	SUBS  $1, R6
	SCALED(16, 8, 20, 20, 28)
	BNE   block
	STORE_SUMS(R0)
	RET

// func panelQ8ADotprod(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8ADotprod(SB), NOSPLIT, $0-32
	PANEL_ARGS(R0, R1, R2, R6)
	ADD  R6<<9, R1, R3
	ADD  R6<<7, R3, R5
	ADD  R6<<5, R2, R4
	ZERO_SUMS

block:
	Q8_FIRST
	Q8_SCALES
	Q8_MINIMA
	HALF_SUMS(14, 15, 12, 13)
	SCALED(16, 8, 20, 20, 28)
	MINIMA(16, 24, 24, 28, 14, 0)
	Q8_SECOND
	Q8_SCALES
	Q8_MINIMA
	SUBS  $1, R6
	SCALED(16, 8, 20, 20, 28)
	MINIMA(16, 24, 24, 28, 14, 1)
	BNE   block
	STORE_SUMS(R0)
	RET
