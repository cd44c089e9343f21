#include "go_asm.h"
#include "textflag.h"
#include "funcdata.h"
#include "neon_arm64.h"
#include "neuron_sum_arm64.h"

// The products of sums in whole numbers (neuron_sum_arm64.h) for plain NEON: SMLAL multiplies words of 16 bits. A word of Q4 has four codes, of which masks
// and one shift make four words. Those of the second half stay 4 bits too high, and the odd ones of them have those of the first half below.
//
//	V0-V7 sums; of Q4, V0 and V1 even columns of the first half, V2 and V3 odd ones, V4 and V5 even ones of the second half, V6 and V7 odd ones
//	V8 numbers of four rows   V16-V23 their codes   V12-V15, V24-V27 words   V30 15 in each word   V31 15, 4 bits higher

#define SMLAL_E(d, n, m, i)  WORD $(0x0F402000 | (i)<<20 | (m)<<16 | (n)<<5 | (d)) // smlal  d.4s, n.4h, m.h[i], i below 4, m below 16
#define SMLAL2_E(d, n, m, i) WORD $(0x4F402000 | (i)<<20 | (m)<<16 | (n)<<5 | (d)) // smlal2 d.4s, n.8h, m.h[i]
#define USHR_8H_8(d, n)      WORD $(0x6F180400 | (n)<<5 | (d))                     // ushr   d.8h, n.8h, #8

// Numbers stay words.
#define WORDS_BEGIN \
	MOVD rounding, R15 \
	VDUP R15, V28.S4
#define WORDS(v)

// CODES_Q8 and CODES_Q4 make words of the codes of a row of four, in registers from w on, and load the next at p.
#define CODES_Q8(w, row, p) \
	SXTL_8B(w, 16+row)     \
	SXTL2_16B(w+1, 16+row) \
	SXTL_8B(w+2, 20+row)   \
	SXTL2_16B(w+3, 20+row) \
	LOAD_Q8(row, p)
#define CODES_Q4(w, row, p) \
	USHR_8H_8(w+3, 16+row)  \
	AND_16B(w, 16+row, 30)  \
	AND_16B(w+2, 16+row, 31) \
	AND_16B(w+1, w+3, 30)   \
	LOAD_Q4(row, p)

// MULTIPLY adds a row, MULTIPLY4 four, each one's words made before those of the row before are multiplied, for cores that run in order.
#define MULTIPLY(w, row) \
	SMLAL_E(0, w, 8, row)    \
	SMLAL2_E(1, w, 8, row)   \
	SMLAL_E(2, w+1, 8, row)  \
	SMLAL2_E(3, w+1, 8, row) \
	SMLAL_E(4, w+2, 8, row)  \
	SMLAL2_E(5, w+2, 8, row) \
	SMLAL_E(6, w+3, 8, row)  \
	SMLAL2_E(7, w+3, 8, row)
#define MULTIPLY4(codes) \
	FMOVD.P 64(R11), F8 \
	codes(24, 0, 7)     \
	codes(12, 1, 8)     \
	MULTIPLY(24, 0)     \
	codes(24, 2, 9)     \
	MULTIPLY(12, 1)     \
	codes(12, 3, 10)    \
	MULTIPLY(24, 2)     \
	MULTIPLY(12, 3)

// START_Q4 sets the sums.
#define START_Q4 \
	FMOVS 32(R20), F24           \
	SHL_4S(25, 24, 4)            \
	ADD_4S(26, 25, 24)           \
	FILL4(V24, V0, V1, V2, V3)   \
	FILL2(V25, V4, V5)           \
	FILL2(V26, V6, V7)

// FLOATS_Q4 takes off of the odd columns of the second half what is below them, puts columns in order, and makes float32 of them.
#define FLOATS_Q4 \
	SUB_4S(6, 6, 2)    \
	SUB_4S(7, 7, 3)    \
	ZIP1_4S(8, 0, 2)   \
	ZIP2_4S(9, 0, 2)   \
	ZIP1_4S(10, 1, 3)  \
	ZIP2_4S(11, 1, 3)  \
	ZIP1_4S(12, 4, 6)  \
	ZIP2_4S(13, 4, 6)  \
	ZIP1_4S(14, 5, 7)  \
	ZIP2_4S(15, 5, 7)  \
	SCVTF_4S(0, 8)     \
	SCVTF_4S(1, 9)     \
	SCVTF_4S(2, 10)    \
	SCVTF_4S(3, 11)    \
	SCVTF_16TH(4, 12)  \
	SCVTF_16TH(5, 13)  \
	SCVTF_16TH(6, 14)  \
	SCVTF_16TH(7, 15)

// func neuronAxpyQ8NEON(y *float32, rows *Weighted, n, blocks int)
TEXT ·neuronAxpyQ8NEON(SB), 0, $3832-32
	NO_LOCAL_POINTERS
	SUM(5, WORDS_BEGIN, ADD_Q8, WORDS, STARTS_Q8, LOAD4_Q8, ZERO_SUMS, MULTIPLY4(CODES_Q8), EACH8(FLOAT))
	RET

// func neuronAxpyQ4NEON(y *float32, rows *Weighted, n, blocks int)
TEXT ·neuronAxpyQ4NEON(SB), 0, $3832-32
	NO_LOCAL_POINTERS
	MOVD $15, R15
	VDUP R15, V30.H8
	MOVD $240, R15
	VDUP R15, V31.H8
	SUM(4, WORDS_BEGIN, ADD_Q4, WORDS, STARTS_Q4, LOAD4_Q4, START_Q4, MULTIPLY4(CODES_Q4), FLOATS_Q4)
	RET
