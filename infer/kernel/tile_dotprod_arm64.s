#include "textflag.h"
#include "neon_arm64.h"
#include "panel_arm64.h"
#include "tile_dotprod_arm64.h"

// Products of Q8 and Q4 panels of 4 tokens with SDOT (see panel_dotprod_arm64.s, and tile_dotprod_arm64.h for the idea).
//
// Instructions per weight and token: Q8 0.12, Q4 0.15. SDOT: 0.0625, its least. In the machine model of Neoverse N2 a block of 4 tokens takes
// 108 cycles in Q8 and 117 in Q4, of which its 128 SDOT need 64.
//
//	R0 y   R1 yStride   R2 weights   R3-R6 activations of tokens 0-3   R7 scales of the weights   R8 blocks left
//	R9, R10 distance from R3-R6 to the tokens' scales and sums   R11-R14 -8 * sums of tokens 0-3
//	V0-V3 weights   V3 nibble mask   V4-V7 activations of tokens 0-3   V8-V15 integer sums [token][2]   V16-V31 sums [token][4]

#define MASK V3

// HALF_END adds the integer sums of a half to the sums; h is 0 or 2.
#define HALF_END(h) \
	FMOVQ (h*8)(R7), F2 \
	X_SCALES            \
	FCVTL(0, 2)         \
	FCVTL2(1, 2)        \
	TOKENS_SUMS(h)

#define Q8_LOAD_A(off) FLDPQ (off)(R2), (F0, F1)
#define Q8_LOAD_B(off) FLDPQ (off)(R2), (F2, F3)

// Q8_HALF multiplies 8 rows, which begin h*16 bytes into each group.
#define Q8_HALF(h) \
	START(0)            \
	Q8_LOAD_A(h*16)     \
	Q8_LOAD_B(h*16+64)  \
	DOT(0, 0)           \
	Q8_LOAD_A(h*16+128) \
	DOT(2, 1)           \
	Q8_LOAD_B(h*16+192) \
	DOT(0, 2)           \
	Q8_LOAD_A(h*16+256) \
	DOT(2, 3)           \
	X(16)               \
	Q8_LOAD_B(h*16+320) \
	DOT(0, 0)           \
	Q8_LOAD_A(h*16+384) \
	DOT(2, 1)           \
	Q8_LOAD_B(h*16+448) \
	DOT(0, 2)           \
	DOT(2, 3)           \
	HALF_END(h)

// func tileQ8Dotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ8Dotprod(SB), NOSPLIT, $0-48
	TILE_BEGIN(9)

block:
	Q8_HALF(0)
	Q8_HALF(2)
	NEXT_BLOCK(512)
	ADD  $32, R7
	SUB  $28, R9
	SUBS $1, R8
	BNE  block
	STORE_TILE
	RET

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
	TILE_BEGIN(8)

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
	ADD  $32, R7
	SUB  $28, R9
	SUBS $1, R8
	BNE  block
	STORE_TILE
	RET
