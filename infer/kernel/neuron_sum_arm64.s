#include "textflag.h"
#include "neon_arm64.h"
#include "neuron_arm64.h"

// Sums of single neurons' rows, and columns (neuron.go), for plain NEON and for cores with SDOT.
//
// Old cores widen codes step by step and convert them to float32, as one expects. Those with SDOT would convert 4 numbers in two cycles, on one of their
// vector units, and widen on one too, but they move bytes on any; so there floats are put together of bytes. TBL takes them to their places from two
// registers side by side, which costs old cores several operations; an index out of range makes 0.
//
//	Q8: the code, 128 larger, in the lowest byte below 0x4b is 2^23 + 128 + code; that less 2^23 + 128 is the code.
//	Q4: a nibble less 8 is a float32 of two bytes, which two tables of 16 give.
//
// A list of rows is added four at a time: 32 outputs are loaded once, each row's block is added in turn, and they are stored. What is left of the list
// goes one row at a time. Factors, coefficient times scale, are made for four blocks at once; blocks that fill no group of four
// follow one at a time, in lane 0.
//
// Instructions per weight, plain and with TBL: sums Q8 1.00 and 0.94, Q4 1.13 and 0.82; columns Q8 1.8 and 1.8, Q4 2.0 and 1.7. llvm-mca 16 gives 21.7
// and 36.3 cycles for 32 weights of a sum in Q4 on a Cortex-A57, and 21.4 and 12.4 on a Neoverse N2.
//
//	R0 y   R1 row of the list   R3 rows left, less 4   R17 last row   R4-R7 codes   R8-R11 scales   R13-R16 R19-R22 those of the rows ahead
//	R2 blocks left   R12 scratch
//	V0-V7 y   V8, V10 codes   V12-V15 numbers   V24-V27 factors   V28-V31 coefficients
//	plain: V16 nibbles   V17 8 in each byte
//	TBL: V9, V11 0x4b in each byte, or high bytes   V16 nibbles   V17 0x80 in each byte, or bytes 2 of Q4   V18 2^23 + 128, or bytes 3 of Q4
//	V20-V23 places of bytes

#define TBL2_16B(d, n, m) WORD $(0x4E002000 | (m)<<16 | (n)<<5 | (d)) // tbl  d.16b, {n.16b, n+1.16b}, m.16b
#define EOR_16B(d, n, m)  WORD $(0x6E201C00 | (m)<<16 | (n)<<5 | (d)) // eor  d.16b, n.16b, m.16b

// placesQ8 and placesQ4 put byte 4k+i of the first register, and one of the second, into float i of V20+k.
DATA placesQ8<>+0(SB)/8, $0x10ffff0110ffff00
DATA placesQ8<>+8(SB)/8, $0x10ffff0310ffff02
DATA placesQ8<>+16(SB)/8, $0x10ffff0510ffff04
DATA placesQ8<>+24(SB)/8, $0x10ffff0710ffff06
DATA placesQ8<>+32(SB)/8, $0x10ffff0910ffff08
DATA placesQ8<>+40(SB)/8, $0x10ffff0b10ffff0a
DATA placesQ8<>+48(SB)/8, $0x10ffff0d10ffff0c
DATA placesQ8<>+56(SB)/8, $0x10ffff0f10ffff0e
GLOBL placesQ8<>(SB), RODATA|NOPTR, $64

DATA placesQ4<>+0(SB)/8, $0x1101ffff1000ffff
DATA placesQ4<>+8(SB)/8, $0x1303ffff1202ffff
DATA placesQ4<>+16(SB)/8, $0x1505ffff1404ffff
DATA placesQ4<>+24(SB)/8, $0x1707ffff1606ffff
DATA placesQ4<>+32(SB)/8, $0x1909ffff1808ffff
DATA placesQ4<>+40(SB)/8, $0x1b0bffff1a0affff
DATA placesQ4<>+48(SB)/8, $0x1d0dffff1c0cffff
DATA placesQ4<>+56(SB)/8, $0x1f0fffff1e0effff
GLOBL placesQ4<>(SB), RODATA|NOPTR, $64

// floatsQ4 are the bytes 2 of the float32 of -8 to 7, and their bytes 3.
DATA floatsQ4<>+0(SB)/8, $0x80004080a0c0e000
DATA floatsQ4<>+8(SB)/8, $0xe0c0a08040008000
DATA floatsQ4<>+16(SB)/8, $0xbfc0c0c0c0c0c0c1
DATA floatsQ4<>+24(SB)/8, $0x4040404040403f00
GLOBL floatsQ4<>(SB), RODATA|NOPTR, $32

// CONSTANTS, CODES, which loads a block's codes, and FLOATS, which makes V12-V15 the 16 numbers that begin in V8 or V10; plain and with TBL.
#define CONSTANTS_Q8
#define CONSTANTS_Q4 \
	VMOVI $15, V16.B16 \
	VMOVI $8, V17.B16
#define CODES_Q8(codes) \
	FLDPQ.P 32(codes), (F8, F10)
#define CODES_Q4(codes) \
	FMOVQ.P 16(codes), F8 \
	USHR_16B(10, 8, 4)    \
	AND_16B(8, 8, 16)     \
	SUB_16B(10, 10, 17)   \
	SUB_16B(8, 8, 17)
#define FLOATS(c) \
	SXTL_8B(14, c)   \
	SXTL2_16B(15, c) \
	SXTL_4H(12, 14)  \
	SXTL2_8H(13, 14) \
	SXTL_4H(14, 15)  \
	SXTL2_8H(15, 15) \
	SCVTF_4S(12, 12) \
	SCVTF_4S(13, 13) \
	SCVTF_4S(14, 14) \
	SCVTF_4S(15, 15)

#define TBL_CONSTANTS_Q8 \
	PLACES(placesQ8)       \
	MOVD  $0x4b000080, R12 \
	VDUP  R12, V18.S4      \
	VMOVI $0x80, V17.B16   \
	VMOVI $0x4b, V9.B16    \
	VMOVI $0x4b, V11.B16
#define TBL_CONSTANTS_Q4 \
	PLACES(placesQ4)           \
	MOVD  $floatsQ4<>(SB), R12 \
	FLDPQ (R12), (F17, F18)    \
	VMOVI $15, V16.B16
#define PLACES(table) \
	MOVD  $table<>(SB), R12 \
	LOAD4(0, R12, F20, F21, F22, F23)
#define TBL_CODES_Q8(codes) \
	FLDPQ.P 32(codes), (F8, F10) \
	EOR_16B(8, 8, 17)            \
	EOR_16B(10, 10, 17)
#define TBL_CODES_Q4(codes) \
	FMOVQ.P 16(codes), F12 \
	USHR_16B(13, 12, 4)    \
	AND_16B(12, 12, 16)    \
	TBL_16B(10, 17, 13)    \
	TBL_16B(11, 18, 13)    \
	TBL_16B(8, 17, 12)     \
	TBL_16B(9, 18, 12)
#define TBL_FLOATS_Q4(c) \
	TBL2_16B(12, c, 20) \
	TBL2_16B(13, c, 21) \
	TBL2_16B(14, c, 22) \
	TBL2_16B(15, c, 23)
#define TBL_FLOATS_Q8(c) \
	TBL_FLOATS_Q4(c)    \
	FSUB_4S(12, 12, 18) \
	FSUB_4S(13, 13, 18) \
	FSUB_4S(14, 14, 18) \
	FSUB_4S(15, 15, 18)

// A row by its number, with the registers of its codes and scales, of those of the row ahead, of its factors and of its coefficient.
#define FOUR_ROWS(op, a, b, c) \
	op(0, R4, R8, R13, R19, F24, 24, F28, 28, a, b, c)  \
	op(1, R5, R9, R14, R20, F25, 25, F29, 29, a, b, c)  \
	op(2, R6, R10, R15, R21, F26, 26, F30, 30, a, b, c) \
	op(3, R7, R11, R16, R22, F27, 27, F31, 31, a, b, c)
#define ONE_ROW(op, a, b, c) op(0, R4, R8, R13, R19, F24, 24, F28, 28, a, b, c)

// BEGIN loads a row's pointers and coefficient.
#define BEGIN(row, codes, scales, codes2, scales2, F, f, COEF, coef, a, b, c) \
	ROW_AHEAD(const_rowsAhead+row, R1, R17, R12) \
	LDP   (R12), (codes2, scales2)                  \
	LDP   (Weighted__size*row)(R1), (codes, scales) \
	FMOVS (Weighted__size*row+Weighted_Coef)(R1), COEF

// AHEAD4 and AHEAD8 ask for the codes that the row ahead has for four blocks, AHEAD_SCALES for a line of its scales.
#define AHEAD4(row, codes, scales, codes2, scales2, F, f, COEF, coef, a, b, c) \
	PRFM (codes2), PLDL2KEEP \
	ADD  $lineBytes, codes2
#define AHEAD8(row, codes, scales, codes2, scales2, F, f, COEF, coef, a, b, c) \
	PRFM (codes2), PLDL2KEEP          \
	PRFM lineBytes(codes2), PLDL2KEEP \
	ADD  $(2*lineBytes), codes2
#define AHEAD_SCALES(row, codes, scales, codes2, scales2, F, f, COEF, coef, a, b, c) \
	PRFM (scales2), PLDL2KEEP \
	ADD  $lineBytes, scales2

// FACTORS4 makes the factors of four blocks of a row, FACTOR1 that of one.
#define FACTORS4(row, codes, scales, codes2, scales2, F, f, COEF, coef, a, b, c) \
	FMOVD.P 8(scales), F  \
	FCVTL(f, f)           \
	FMUL_E(f, f, coef, 0)
#define FACTOR1(row, codes, scales, codes2, scales2, F, f, COEF, coef, a, b, c) \
	MOVHU.P 2(scales), R12 \
	FMOVS R12, F           \
	FCVTL(f, f)            \
	FMUL_E(f, f, coef, 0)

// ADD_ROW adds a row's block with the factor in a lane.
#define ADD_ROW(row, codes, scales, codes2, scales2, F, f, COEF, coef, load, floats, lane) \
	load(codes)            \
	floats(8)              \
	FMLA_E(0, 12, f, lane) \
	FMLA_E(1, 13, f, lane) \
	FMLA_E(2, 14, f, lane) \
	FMLA_E(3, 15, f, lane) \
	floats(10)             \
	FMLA_E(4, 12, f, lane) \
	FMLA_E(5, 13, f, lane) \
	FMLA_E(6, 14, f, lane) \
	FMLA_E(7, 15, f, lane)

// BLOCK adds a block of each row, PRIOR or ZEROS its outputs before.
#define PRIOR \
	LOAD4(0, R0, F0, F1, F2, F3) \
	LOAD4(64, R0, F4, F5, F6, F7)
#define ZEROS \
	ZERO4(V0, V1, V2, V3) \
	ZERO4(V4, V5, V6, V7)
#define BLOCK(rows, prior, load, floats, lane) \
	prior                              \
	rows(ADD_ROW, load, floats, lane)  \
	STORE4(0, R0, F0, F1, F2, F3)      \
	STORE4(64, R0, F4, F5, F6, F7)     \
	ADD $128, R0

// PASS goes once through y, with the next row or the next four. A macro cannot have labels of its own when it is used twice.
#define PASS(rows, ahead, prior, load, floats, line, four, few, one, last) \
	rows(BEGIN, 0, 0, 0)          \
	MOVD  y+0(FP), R0             \
	MOVD  blocks+24(FP), R2       \
	MOVD  R2, R12                 \
line:                                 \
	rows(AHEAD_SCALES, 0, 0, 0)   \
	SUBS  $(lineBytes/2), R12     \
	BGT   line                    \
	SUBS  $4, R2                  \
	BLT   few                     \
four:                                 \
	rows(ahead, 0, 0, 0)          \
	rows(FACTORS4, 0, 0, 0)       \
	BLOCK(rows, prior, load, floats, 0)  \
	BLOCK(rows, prior, load, floats, 1)  \
	BLOCK(rows, prior, load, floats, 2)  \
	BLOCK(rows, prior, load, floats, 3)  \
	SUBS  $4, R2                  \
	BGE   four                    \
few:                                  \
	ADDS  $4, R2                  \
	BEQ   last                    \
one:                                  \
	rows(FACTOR1, 0, 0, 0)        \
	BLOCK(rows, prior, load, floats, 0)  \
	SUBS  $1, R2                  \
	BNE   one                     \
last:

// SUM goes through the list; the first pass begins with zeros.
#define SUM(ahead, load, floats) \
	MOVD  rows+8(FP), R1          \
	MOVD  n+16(FP), R3            \
	LAST_ROW(R1, R3, R17, R12)    \
	SUBS  $4, R3                  \
	BLT   first                   \
	PASS(FOUR_ROWS, ahead, ZEROS, load, floats, line0, four0, few0, one0, last0) \
fours:                                \
	ADD   $(4*Weighted__size), R1 \
	SUBS  $4, R3                  \
	BLT   rest                    \
	PASS(FOUR_ROWS, ahead, PRIOR, load, floats, line4, four4, few4, one4, last4) \
	B     fours                   \
first:                                \
	PASS(ONE_ROW, ahead, ZEROS, load, floats, line2, four2, few2, one2, last2) \
row:                                  \
	ADD   $Weighted__size, R1     \
	SUB   $1, R3                  \
rest:                                 \
	ADDS  $4, R3, R12             \
	BEQ   done                    \
	PASS(ONE_ROW, ahead, PRIOR, load, floats, line1, four1, few1, one1, last1) \
	B     row                     \
done:

// COLUMN16 adds 16 values with the scales in s and s+1 and the coefficient in V28 to y to y+3.
#define COLUMN16(y, s) \
	FCVTL(29, s)           \
	FCVTL2(30, s)          \
	FCVTL(31, s+1)         \
	FCVTL2(19, s+1)        \
	FMUL_E(29, 29, 28, 0)  \
	FMUL_E(30, 30, 28, 0)  \
	FMUL_E(31, 31, 28, 0)  \
	FMUL_E(19, 19, 28, 0)  \
	FMLA_4S(y, 12, 29)     \
	FMLA_4S(y+1, 13, 30)   \
	FMLA_4S(y+2, 14, 31)   \
	FMLA_4S(y+3, 15, 19)

#define COLUMN(load, floats) \
	MOVD  y+0(FP), R0              \
	MOVD  codes+8(FP), R4          \
	MOVD  scales+16(FP), R8        \
	FMOVS a+24(FP), F28            \
	MOVD  blocks+32(FP), R2        \
block:                             \
	LOAD4(0, R8, F24, F25, F26, F27) \
	ADD   $64, R8                  \
	LOAD4(0, R0, F0, F1, F2, F3)   \
	LOAD4(64, R0, F4, F5, F6, F7)  \
	load(R4)                       \
	floats(8)                      \
	COLUMN16(0, 24)                \
	floats(10)                     \
	COLUMN16(4, 26)                \
	STORE4(0, R0, F0, F1, F2, F3)  \
	STORE4(64, R0, F4, F5, F6, F7) \
	ADD   $128, R0                 \
	SUBS  $1, R2                   \
	BNE   block

// func neuronSumQ8NEON(y *float32, rows *Weighted, n, blocks int)
TEXT ·neuronSumQ8NEON(SB), NOSPLIT, $0-32
	CONSTANTS_Q8
	SUM(AHEAD8, CODES_Q8, FLOATS)
	RET

// func neuronSumQ4NEON(y *float32, rows *Weighted, n, blocks int)
TEXT ·neuronSumQ4NEON(SB), NOSPLIT, $0-32
	CONSTANTS_Q4
	SUM(AHEAD4, CODES_Q4, FLOATS)
	RET

// func neuronSumQ8Dotprod(y *float32, rows *Weighted, n, blocks int)
TEXT ·neuronSumQ8Dotprod(SB), NOSPLIT, $0-32
	TBL_CONSTANTS_Q8
	SUM(AHEAD8, TBL_CODES_Q8, TBL_FLOATS_Q8)
	RET

// func neuronSumQ4Dotprod(y *float32, rows *Weighted, n, blocks int)
TEXT ·neuronSumQ4Dotprod(SB), NOSPLIT, $0-32
	TBL_CONSTANTS_Q4
	SUM(AHEAD4, TBL_CODES_Q4, TBL_FLOATS_Q4)
	RET

// func neuronColumnQ8NEON(y *float32, codes, scales unsafe.Pointer, a float32, blocks int)
TEXT ·neuronColumnQ8NEON(SB), NOSPLIT, $0-40
	CONSTANTS_Q8
	COLUMN(CODES_Q8, FLOATS)
	RET

// func neuronColumnQ4NEON(y *float32, codes, scales unsafe.Pointer, a float32, blocks int)
TEXT ·neuronColumnQ4NEON(SB), NOSPLIT, $0-40
	CONSTANTS_Q4
	COLUMN(CODES_Q4, FLOATS)
	RET

// func neuronColumnQ8Dotprod(y *float32, codes, scales unsafe.Pointer, a float32, blocks int)
TEXT ·neuronColumnQ8Dotprod(SB), NOSPLIT, $0-40
	TBL_CONSTANTS_Q8
	COLUMN(TBL_CODES_Q8, TBL_FLOATS_Q8)
	RET

// func neuronColumnQ4Dotprod(y *float32, codes, scales unsafe.Pointer, a float32, blocks int)
TEXT ·neuronColumnQ4Dotprod(SB), NOSPLIT, $0-40
	TBL_CONSTANTS_Q4
	COLUMN(TBL_CODES_Q4, TBL_FLOATS_Q4)
	RET
