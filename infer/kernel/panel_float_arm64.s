#include "textflag.h"
#include "neon_arm64.h"

// Products of F32 and F16 panels (see the package documentation for the layouts).
//
// A column is 16 weights: four registers of float32 (F16: two, widened by FCVTL). A vector of x holds 4 columns; FMLA takes its lane.
// Each row is one chain of FMLA in the order of the columns, in the panel and in the tile, so both give the same bits. Four chains in the panel are
// enough: Arm's newer cores pass an accumulator from FMLA to FMLA in 2 cycles, and the panel waits for memory; the tile has 16.
//
// Instructions per weight: panel F32 0.50, F16 0.66; tile F32 0.31, F16 0.36 per weight and token. In the machine model of Neoverse N2
// (the core of phones' Cortex-A710; by llvm-mca) the F32 panel takes 16 bytes a cycle, the F32 tile multiplies at the core's limit, and
// the F16 panel takes 4 bytes a cycle, limited by FCVTL, which starts every other cycle.
//
//	R0 y   R1 yStride (tile)   R2 w   R3-R6 x of tokens 0-3   R7 columns left
//	V0-V7 weights of two columns   V8-V11 x of tokens 0-3   V12, V13 float16 weights
//	V16-V19, V20-V23, V24-V27, V28-V31 sums of tokens 0-3

// Loads of one column at byte off, to V0-V3 or V4-V7.
#define F32_A(off) \
	FLDPQ (off)(R2), (F0, F1)    \
	FLDPQ (off+32)(R2), (F2, F3)
#define F32_B(off) \
	FLDPQ (off)(R2), (F4, F5)    \
	FLDPQ (off+32)(R2), (F6, F7)
#define F16_A(off) \
	FLDPQ (off)(R2), (F12, F13) \
	FCVTL(0, 12)  \
	FCVTL2(1, 12) \
	FCVTL(2, 13)  \
	FCVTL2(3, 13)
#define F16_B(off) \
	FLDPQ (off)(R2), (F12, F13) \
	FCVTL(4, 12)  \
	FCVTL2(5, 12) \
	FCVTL(6, 13)  \
	FCVTL2(7, 13)

// Products of one column, whose x is lane i.
#define ONE_A(i) \
	FMLA_E(16, 0, 8, i) \
	FMLA_E(17, 1, 8, i) \
	FMLA_E(18, 2, 8, i) \
	FMLA_E(19, 3, 8, i)
#define ONE_B(i) \
	FMLA_E(16, 4, 8, i) \
	FMLA_E(17, 5, 8, i) \
	FMLA_E(18, 6, 8, i) \
	FMLA_E(19, 7, 8, i)
#define FOUR_A(i) \
	ONE_A(i)             \
	FMLA_E(20, 0, 9, i)  \
	FMLA_E(21, 1, 9, i)  \
	FMLA_E(22, 2, 9, i)  \
	FMLA_E(23, 3, 9, i)  \
	FMLA_E(24, 0, 10, i) \
	FMLA_E(25, 1, 10, i) \
	FMLA_E(26, 2, 10, i) \
	FMLA_E(27, 3, 10, i) \
	FMLA_E(28, 0, 11, i) \
	FMLA_E(29, 1, 11, i) \
	FMLA_E(30, 2, 11, i) \
	FMLA_E(31, 3, 11, i)
#define FOUR_B(i) \
	ONE_B(i)             \
	FMLA_E(20, 4, 9, i)  \
	FMLA_E(21, 5, 9, i)  \
	FMLA_E(22, 6, 9, i)  \
	FMLA_E(23, 7, 9, i)  \
	FMLA_E(24, 4, 10, i) \
	FMLA_E(25, 5, 10, i) \
	FMLA_E(26, 6, 10, i) \
	FMLA_E(27, 7, 10, i) \
	FMLA_E(28, 4, 11, i) \
	FMLA_E(29, 5, 11, i) \
	FMLA_E(30, 6, 11, i) \
	FMLA_E(31, 7, 11, i)

#define PANEL_ARGS \
	MOVD y+0(FP), R0  \
	MOVD w+8(FP), R2  \
	MOVD x+16(FP), R3 \
	MOVD n+24(FP), R7 \
	ZERO4(V16, V17, V18, V19)

#define TILE_ARGS \
	MOVD y+0(FP), R0        \
	MOVD yStride+8(FP), R1  \
	MOVD w+16(FP), R2       \
	MOVD x+24(FP), R3       \
	MOVD xStride+32(FP), R7 \
	ADD  R7, R3, R4         \
	ADD  R7, R4, R5         \
	ADD  R7, R5, R6         \
	MOVD n+40(FP), R7       \
	ZERO4(V16, V17, V18, V19) \
	ZERO4(V20, V21, V22, V23) \
	ZERO4(V24, V25, V26, V27) \
	ZERO4(V28, V29, V30, V31)

#define X4 \
	FMOVQ.P 16(R3), F8  \
	FMOVQ.P 16(R4), F9  \
	FMOVQ.P 16(R5), F10 \
	FMOVQ.P 16(R6), F11

#define X1 \
	FMOVS.P 4(R3), F8  \
	FMOVS.P 4(R4), F9  \
	FMOVS.P 4(R5), F10 \
	FMOVS.P 4(R6), F11

#define STORE_PANEL \
	FSTPQ (F16, F17), (R0)   \
	FSTPQ (F18, F19), 32(R0) \
	RET

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

// func panelF32NEON(y, w, x unsafe.Pointer, n int)
TEXT ·panelF32NEON(SB), NOSPLIT, $0-32
	PANEL_ARGS
	SUBS $4, R7
	BLT  tail

columns4:
	FMOVQ.P 16(R3), F8
	F32_A(0)
	F32_B(64)
	ONE_A(0)
	F32_A(128)
	ONE_B(1)
	F32_B(192)
	ONE_A(2)
	ONE_B(3)
	PRFM (AHEAD)(R2), PLDL1KEEP
	PRFM (AHEAD+64)(R2), PLDL1KEEP
	PRFM (AHEAD+128)(R2), PLDL1KEEP
	PRFM (AHEAD+192)(R2), PLDL1KEEP
	ADD  $256, R2
	SUBS $4, R7
	BGE  columns4

tail:
	ADDS $4, R7
	BEQ  done

column:
	FMOVS.P 4(R3), F8
	F32_A(0)
	ONE_A(0)
	ADD  $64, R2
	SUBS $1, R7
	BNE  column

done:
	STORE_PANEL

// func panelF16NEON(y, w, x unsafe.Pointer, n int)
TEXT ·panelF16NEON(SB), NOSPLIT, $0-32
	PANEL_ARGS
	SUBS $4, R7
	BLT  tail

columns4:
	FMOVQ.P 16(R3), F8
	F16_A(0)
	F16_B(32)
	ONE_A(0)
	F16_A(64)
	ONE_B(1)
	F16_B(96)
	ONE_A(2)
	ONE_B(3)
	PRFM (AHEAD)(R2), PLDL1KEEP
	PRFM (AHEAD+64)(R2), PLDL1KEEP
	ADD  $128, R2
	SUBS $4, R7
	BGE  columns4

tail:
	ADDS $4, R7
	BEQ  done

column:
	FMOVS.P 4(R3), F8
	F16_A(0)
	ONE_A(0)
	ADD  $32, R2
	SUBS $1, R7
	BNE  column

done:
	STORE_PANEL

// func tileF32NEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileF32NEON(SB), NOSPLIT, $0-48
	TILE_ARGS
	SUBS $4, R7
	BLT  tail

columns4:
	X4
	F32_A(0)
	F32_B(64)
	FOUR_A(0)
	F32_A(128)
	FOUR_B(1)
	F32_B(192)
	FOUR_A(2)
	FOUR_B(3)
	ADD  $256, R2
	SUBS $4, R7
	BGE  columns4

tail:
	ADDS $4, R7
	BEQ  done

column:
	X1
	F32_A(0)
	FOUR_A(0)
	ADD  $64, R2
	SUBS $1, R7
	BNE  column

done:
	STORE_TILE

// func tileF16NEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileF16NEON(SB), NOSPLIT, $0-48
	TILE_ARGS
	SUBS $4, R7
	BLT  tail

columns4:
	X4
	F16_A(0)
	F16_B(32)
	FOUR_A(0)
	F16_A(64)
	FOUR_B(1)
	F16_B(96)
	FOUR_A(2)
	FOUR_B(3)
	ADD  $128, R2
	SUBS $4, R7
	BGE  columns4

tail:
	ADDS $4, R7
	BEQ  done

column:
	X1
	F16_A(0)
	FOUR_A(0)
	ADD  $32, R2
	SUBS $1, R7
	BNE  column

done:
	STORE_TILE
