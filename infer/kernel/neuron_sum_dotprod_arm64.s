#include "go_asm.h"
#include "textflag.h"
#include "funcdata.h"
#include "neon_arm64.h"
#include "neuron_sum_arm64.h"

// The products of sums in whole numbers (neuron_sum_arm64.h) for cores with SDOT, and for those with USDOT too (i8mm). A number is 256 * high + low, two
// bytes. Interleaved twice, the codes of four rows lie by columns, four bytes each, which are multiplied with the four high bytes and with the four low
// ones, to sums of their own.
//
// The low byte has no sign for Q4, whose codes have none, and UDOT multiplies it. USDOT multiplies high bytes, which have one, with whole bytes of codes
// as well; so nothing is shifted then, and the second half's sums have those of the first below.
//
//	V0-V7 sums of low bytes   V8-V15 of high bytes   V16-V23 codes   V29 numbers of four rows, high bytes and low ones; before, where TBL finds them   V24-V28 codes by columns
//	V30 15 in each byte   V31 256 in each lane

#define UDOT_E(d, n, m, i)  WORD $(0x6F80E000 | LANE(i) | (m)<<16 | (n)<<5 | (d)) // udot  d.4s, n.16b, m.4b[i]   (dotprod)
#define USDOT_E(d, n, m, i) WORD $(0x4F80F000 | LANE(i) | (m)<<16 | (n)<<5 | (d)) // usdot d.4s, n.16b, m.4b[i]: n has no signs   (i8mm)
#define MLA_4S(d, n, m)     WORD $(0x4EA09400 | (m)<<16 | (n)<<5 | (d))           // mla   d.4s, n.4s, m.4s

#define CONSTANTS \
	VMOVI $15, V30.B16 \
	MOVD  $256, R15    \
	VDUP  R15, V31.S4

// BYTES makes high and low bytes of the words of two blocks. Low bytes with signs are those of the number with 128 added, less 128.
#define BYTES_Q4_BEGIN \
	MOVD rounding, R15 \
	VDUP R15, V28.S4   \
	PLACES
#define BYTES_Q4(v) TBL_16B(v, v, 29)
#define BYTES_Q8_BEGIN \
	MOVD rounding+128, R15        \
	VDUP R15, V28.S4              \
	MOVD $0x8080808000000000, R15 \
	VDUP R15, V24.D2              \
	PLACES
#define BYTES_Q8(v) \
	TBL_16B(v, v, 29) \
	EOR_16B(v, v, 24)
#define PLACES \
	MOVD  $0x0604020007050301, R15 \
	VMOV  R15, V29.D[0]            \
	MOVD  $0x0e0c0a080f0d0b09, R15 \
	VMOV  R15, V29.D[1]

// START sets the sums.
#define ZERO_HIGHS \
	ZERO4(V8, V9, V10, V11) \
	ZERO4(V12, V13, V14, V15)
#define SDOT_START_Q8 \
	ZERO_SUMS  \
	ZERO_HIGHS
#define SDOT_START_Q4 \
	FMOVS 32(R20), F24          \
	FILL4(V24, V0, V1, V2, V3)  \
	FILL4(V24, V4, V5, V6, V7)  \
	ZERO_HIGHS
#define USDOT_START_Q4 \
	FMOVS 32(R20), F24          \
	SHL_4S(25, 24, 4)           \
	ADD_4S(25, 25, 24)          \
	FILL4(V24, V0, V1, V2, V3)  \
	FILL4(V25, V4, V5, V6, V7)  \
	ZERO_HIGHS

// BY_COLUMNS makes V28, V24, V26 and V25 of V16-V19, or of V20-V23: each 4 columns of four rows, one after the other.
#define BY_COLUMNS(w) \
	ZIP1_16B(24, w, w+1)   \
	ZIP2_16B(25, w, w+1)   \
	ZIP1_16B(26, w+2, w+3) \
	ZIP2_16B(27, w+2, w+3) \
	ZIP1_8H(28, 24, 26)    \
	ZIP2_8H(24, 24, 26)    \
	ZIP1_8H(26, 25, 27)    \
	ZIP2_8H(25, 25, 27)

// DOTS multiplies 16 columns, with the low bytes and the high ones, and adds to the sums s to s+3 and s+8 to s+11.
#define DOTS(low, high, s, a, b, c, d) \
	low(s, a, 29, 1)     \
	low(s+1, b, 29, 1)   \
	low(s+2, c, 29, 1)   \
	low(s+3, d, 29, 1)   \
	high(s+8, a, 29, 0)  \
	high(s+9, b, 29, 0)  \
	high(s+10, c, 29, 0) \
	high(s+11, d, 29, 0)

// NIBBLES makes V20-V23 of the codes of the first half.
#define NIBBLES \
	AND_16B(20, 28, 30) \
	AND_16B(21, 24, 30) \
	AND_16B(22, 26, 30) \
	AND_16B(23, 25, 30)
#define SDOT_Q4 \
	FMOVD.P 64(R11), F29 \
	BY_COLUMNS(16) \
	LOAD4_Q4       \
	NIBBLES        \
	USHR_16B(28, 28, 4) \
	USHR_16B(24, 24, 4) \
	USHR_16B(26, 26, 4) \
	USHR_16B(25, 25, 4) \
	DOTS(UDOT_E, SDOT_E, 0, 20, 21, 22, 23) \
	DOTS(UDOT_E, SDOT_E, 4, 28, 24, 26, 25)
#define USDOT_Q4 \
	FMOVD.P 64(R11), F29 \
	BY_COLUMNS(16) \
	LOAD4_Q4       \
	NIBBLES        \
	DOTS(UDOT_E, SDOT_E, 0, 20, 21, 22, 23) \
	DOTS(UDOT_E, USDOT_E, 4, 28, 24, 26, 25)
#define SDOT_Q8 \
	FMOVD.P 64(R11), F29 \
	BY_COLUMNS(16)   \
	FOUR_ROWS(LOAD_FIRST)  \
	DOTS(SDOT_E, SDOT_E, 0, 28, 24, 26, 25) \
	BY_COLUMNS(20)   \
	FOUR_ROWS(LOAD_SECOND) \
	DOTS(SDOT_E, SDOT_E, 4, 28, 24, 26, 25)

// FLOATS makes float32 of the sums.
#define JOIN(s) MLA_4S(s, 8+s, 31)
#define SDOT_FLOATS \
	EACH8(JOIN) \
	EACH8(FLOAT)
#define USDOT_FLOATS \
	EACH8(JOIN)      \
	SUB_4S(4, 4, 0)  \
	SUB_4S(5, 5, 1)  \
	SUB_4S(6, 6, 2)  \
	SUB_4S(7, 7, 3)  \
	EACH4(FLOAT)     \
	SCVTF_16TH(4, 4) \
	SCVTF_16TH(5, 5) \
	SCVTF_16TH(6, 6) \
	SCVTF_16TH(7, 7)

// func neuronAxpyQ8Dotprod(y *float32, rows *Weighted, n, blocks int)
TEXT ·neuronAxpyQ8Dotprod(SB), 0, $3832-32
	NO_LOCAL_POINTERS
	CONSTANTS
	SUM(5, BYTES_Q8_BEGIN, ADD_Q8, BYTES_Q8, STARTS_Q8, LOAD4_Q8, SDOT_START_Q8, SDOT_Q8, SDOT_FLOATS)
	RET

// func neuronAxpyQ4Dotprod(y *float32, rows *Weighted, n, blocks int)
TEXT ·neuronAxpyQ4Dotprod(SB), 0, $3832-32
	NO_LOCAL_POINTERS
	CONSTANTS
	SUM(4, BYTES_Q4_BEGIN, ADD_Q4, BYTES_Q4, STARTS_Q4, LOAD4_Q4, SDOT_START_Q4, SDOT_Q4, SDOT_FLOATS)
	RET

// func neuronAxpyQ4I8MM(y *float32, rows *Weighted, n, blocks int)
TEXT ·neuronAxpyQ4I8MM(SB), 0, $3832-32
	NO_LOCAL_POINTERS
	CONSTANTS
	SUM(4, BYTES_Q4_BEGIN, ADD_Q4, BYTES_Q4, STARTS_Q4, LOAD4_Q4, USDOT_START_Q4, USDOT_Q4, USDOT_FLOATS)
	RET
