#include "textflag.h"
#include "neon_arm64.h"
#include "panel_arm64.h"

// Products of F32, F16, BF16 and I8 panels (see the package documentation for the layouts; I8: [columns][16]int8).
//
// A column is 16 weights: four registers of float32 (F16: two, widened by FCVTL). A vector of x holds 4 columns; FMLA takes its lane.
// Each row is one chain of FMLA in the order of the columns, in the panel and in the tile, so both give the same bits. Four chains in the panel are
// enough: Arm's newer cores pass an accumulator from FMLA to FMLA in 2 cycles, and the panel waits for memory; the tile has 16.
//
// Instructions per weight: panel F32 0.50, F16 and BF16 0.66, I8 1.02; tile F32 0.31, F16 and BF16 0.36, I8 0.45 per weight and token. In the machine model of Neoverse N2
// (the core of phones' Cortex-A710; by llvm-mca) the F32 panel takes 16 bytes a cycle, the F32 tile multiplies at the core's limit, and
// the F16 panel takes 4 bytes a cycle, limited by FCVTL, which starts every other cycle.
//
//	R0 y   R1 yStride (tile)   R2 w   R3-R6 x of tokens 0-3   R7 columns left
//	V0-V7 weights of two columns   V8-V11 x of tokens 0-3   V12, V13 float16 weights
//	V16-V19, V20-V23, V24-V27, V28-V31 sums of tokens 0-3

// Loads of the column at byte off, to V0-V3 (A) or V4-V7 (B).
#define F32_A(off) LOAD4(off, R2, F0, F1, F2, F3)
#define F32_B(off) LOAD4(off, R2, F4, F5, F6, F7)
#define F16_A(off) F16_COLUMN(off, 0)
#define F16_B(off) F16_COLUMN(off, 4)
#define F16_COLUMN(off, w) \
	FLDPQ (off)(R2), (F12, F13) \
	FCVTL(w, 12)                \
	FCVTL2(w+1, 12)             \
	FCVTL(w+2, 13)              \
	FCVTL2(w+3, 13)
#define BF16_A(off) BF16_COLUMN(off, 0)
#define BF16_B(off) BF16_COLUMN(off, 4)
#define BF16_COLUMN(off, w) \
	FLDPQ (off)(R2), (F12, F13) \
	SHLL_4H(w, 12)              \
	SHLL2_8H(w+1, 12)           \
	SHLL_4H(w+2, 13)            \
	SHLL2_8H(w+3, 13)
#define I8_A(off) I8_COLUMN(off, 0)
#define I8_B(off) I8_COLUMN(off, 4)
#define I8_COLUMN(off, w) \
	FMOVQ (off)(R2), F12 \
	SXTL2_16B(13, 12)    \
	SXTL_8B(12, 12)      \
	SXTL_4H(w, 12)       \
	SXTL2_8H(w+1, 12)    \
	SXTL_4H(w+2, 13)     \
	SXTL2_8H(w+3, 13)    \
	SCVTF_4S(w, w)       \
	SCVTF_4S(w+1, w+1)   \
	SCVTF_4S(w+2, w+2)   \
	SCVTF_4S(w+3, w+3)

// Products of the column in w to w+3, whose x is lane i: of one token, of four.
#define ONE(w, i) TIMES(16, w, 8, i)
#define FOUR(w, i) \
	TIMES(16, w, 8, i)  \
	TIMES(20, w, 9, i)  \
	TIMES(24, w, 10, i) \
	TIMES(28, w, 11, i)
#define TIMES(sums, w, x, i) \
	FMLA_E(sums, w, x, i)     \
	FMLA_E(sums+1, w+1, x, i) \
	FMLA_E(sums+2, w+2, x, i) \
	FMLA_E(sums+3, w+3, x, i)

// Loads of x for four columns and for one: of one token, of four.
#define ONE_X4 FMOVQ.P 16(R3), F8
#define ONE_X1 FMOVS.P 4(R3), F8
#define FOUR_X4 \
	FMOVQ.P 16(R3), F8  \
	FMOVQ.P 16(R4), F9  \
	FMOVQ.P 16(R5), F10 \
	FMOVQ.P 16(R6), F11
#define FOUR_X1 \
	FMOVS.P 4(R3), F8  \
	FMOVS.P 4(R4), F9  \
	FMOVS.P 4(R5), F10 \
	FMOVS.P 4(R6), F11

// COLUMNS multiplies all columns, of so many bytes each, four at a time, then one at a time.
#define NO_PREFETCH
#define COLUMNS(a, b, bytes, x4, x1, multiply, prefetch) \
	SUBS $4, R7         \
	BLT  tail           \
columns4:               \
	x4                  \
	a(0)                \
	b(bytes)            \
	multiply(0, 0)      \
	a(bytes*2)          \
	multiply(4, 1)      \
	b(bytes*3)          \
	multiply(0, 2)      \
	multiply(4, 3)      \
	prefetch            \
	ADD  $(bytes*4), R2 \
	SUBS $4, R7         \
	BGE  columns4       \
tail:                   \
	ADDS $4, R7         \
	BEQ  done           \
column:                 \
	x1                  \
	a(0)                \
	multiply(0, 0)      \
	ADD  $bytes, R2     \
	SUBS $1, R7         \
	BNE  column         \
done:

// func panelF32NEON(y, w, x unsafe.Pointer, n int)
TEXT ·panelF32NEON(SB), NOSPLIT, $0-32
	PANEL_ARGS(R0, R2, R3, R7)
	ZERO_SUMS
	COLUMNS(F32_A, F32_B, 64, ONE_X4, ONE_X1, ONE, PREFETCH4(0))
	STORE_SUMS(R0)
	RET

// func panelF16NEON(y, w, x unsafe.Pointer, n int)
TEXT ·panelF16NEON(SB), NOSPLIT, $0-32
	PANEL_ARGS(R0, R2, R3, R7)
	ZERO_SUMS
	COLUMNS(F16_A, F16_B, 32, ONE_X4, ONE_X1, ONE, PREFETCH2(0))
	STORE_SUMS(R0)
	RET

// func tileF32NEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileF32NEON(SB), NOSPLIT, $0-48
	TILE_ARGS(R7)
	ZERO_TILE
	COLUMNS(F32_A, F32_B, 64, FOUR_X4, FOUR_X1, FOUR, NO_PREFETCH)
	STORE_TILE
	RET

// func tileF16NEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileF16NEON(SB), NOSPLIT, $0-48
	TILE_ARGS(R7)
	ZERO_TILE
	COLUMNS(F16_A, F16_B, 32, FOUR_X4, FOUR_X1, FOUR, NO_PREFETCH)
	STORE_TILE
	RET

#define PREFETCH1 PRFM (AHEAD)(R2), PLDL1KEEP

// func panelI8NEON(y, w, x unsafe.Pointer, n int)
TEXT ·panelI8NEON(SB), NOSPLIT, $0-32
	PANEL_ARGS(R0, R2, R3, R7)
	ZERO_SUMS
	COLUMNS(I8_A, I8_B, 16, ONE_X4, ONE_X1, ONE, PREFETCH1)
	STORE_SUMS(R0)
	RET

// func tileI8NEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileI8NEON(SB), NOSPLIT, $0-48
	TILE_ARGS(R7)
	ZERO_TILE
	COLUMNS(I8_A, I8_B, 16, FOUR_X4, FOUR_X1, FOUR, NO_PREFETCH)
	STORE_TILE
	RET

// func panelBF16NEON(y, w, x unsafe.Pointer, n int)
TEXT ·panelBF16NEON(SB), NOSPLIT, $0-32
	PANEL_ARGS(R0, R2, R3, R7)
	ZERO_SUMS
	COLUMNS(BF16_A, BF16_B, 32, ONE_X4, ONE_X1, ONE, PREFETCH2(0))
	STORE_SUMS(R0)
	RET

// func tileBF16NEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileBF16NEON(SB), NOSPLIT, $0-48
	TILE_ARGS(R7)
	ZERO_TILE
	COLUMNS(BF16_A, BF16_B, 32, FOUR_X4, FOUR_X1, FOUR, NO_PREFETCH)
	STORE_TILE
	RET
