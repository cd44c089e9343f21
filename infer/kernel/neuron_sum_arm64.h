// Sums of neurons' rows in whole numbers (neuron.go) on arm64: all but the products, which plain NEON (neuron_sum_neon_arm64.s) and cores with SDOT
// (neuron_sum_dotprod_arm64.s) have of their own. neon_arm64.h is to be included first.
//
// A list is summed up for 8 blocks at a time. FACTORS makes the 8 factors of each row, and the largest one of each block. NUMBERS makes whole numbers of them,
// for four rows at a time, so that the four numbers of a block lie side by side, in 8 bytes. Then each block goes through the list, four rows at a
// time, with its 32 sums in registers, and is added to y once. The four rows' codes are loaded while those of the four before are multiplied, for
// cores that run in order.
//
// Codes of Q4 are multiplied as they are, 0 to 15; so the sums start at -8 times the sum of the numbers. Where products leave the second half's codes 4 bits too
// high, its sums start at 16 times that, or at 17 times where a code of the first half stays below; SCVTF takes the 4 bits off.
//
// The rows should be in a cache: nothing is asked for ahead. As llvm-mca 19 sees the loops for 45 rows of 4096 columns, all in the first cache, beside rows
// converted to floats and added one after the other:
//
//	                                     Q4 plain  SDOT  USDOT  floats           Q8 plain  SDOT  floats
//	instructions per weight                 0.64   0.51  0.48   1.13, TBL 0.82      0.66   0.55  1.00, TBL 0.94
//	cycles for 32 weights   Cortex-A53     31                   81                 28            68
//	                        Cortex-A57     12                   22                 12            19
//	                        Cortex-A55            22            39                        24     41
//	                        Cortex-A510           14     14     26                        16     31
//	                        Neoverse N1            6.7          12.4                       6.7   14.4
//	                        Neoverse N2            6.6    6.1   12.4                       6.6   14.4
//	                        Neoverse V1            3.3    3.0   13                         3.3   10.5
//
// Products are 3.7 of the 6.1 cycles of an N2, which is what its vector units can do.
//
//	R0 y   R1 rows   R2 how many   R3 blocks left   R4 offset of the block's codes, R5 of their second half   R13 blocks left of the 8
//	R14 offset of the scales   R16 fours of rows   R6 row, or where its codes are told   R7-R10 codes of the next four rows   R9 scales of the row
//	R11 factors or numbers   R12 rows or fours left   R15 scratch
//	R19 numbers of the block in the first four rows   R20 step of the block
//	V0-V7 sums   V8-V31 as the products want, but V24 step and V16-V23 y when they are added
//
// The frame, from its end: codes [64+3+4], the place of each row's; numbers [16 fours][8 blocks], 8 bytes each; factors [64+3][8 blocks] f32; starts
// [8 blocks] of the sums; steps [8 blocks] f32; scales [8] f16, where a row's end has fewer. The 3 rows that fill a last four have the codes of the
// last row, and factors of 0; of the 4 after them codes are loaded only.

#define TRN1_8H(d, n, m)  WORD $(0x4E402800 | (m)<<16 | (n)<<5 | (d)) // trn1  d.8h, n.8h, m.8h
#define ADD_4S(d, n, m)   WORD $(0x4EA08400 | (m)<<16 | (n)<<5 | (d)) // add   d.4s, n.4s, m.4s
#define SUB_4S(d, n, m)   WORD $(0x6EA08400 | (m)<<16 | (n)<<5 | (d)) // sub   d.4s, n.4s, m.4s
#define NEG_4S(d, n)      WORD $(0x6EA0B800 | (n)<<5 | (d))           // neg   d.4s, n.4s
#define SHL_4S(d, n, s)   WORD $(0x4F205400 | (s)<<16 | (n)<<5 | (d)) // shl   d.4s, n.4s, #s
#define UMAX_4S(d, n, m)  WORD $(0x6EA06400 | (m)<<16 | (n)<<5 | (d)) // umax  d.4s, n.4s, m.4s
#define CMHS_4S(d, n, m)  WORD $(0x6EA03C00 | (m)<<16 | (n)<<5 | (d)) // cmhs  d.4s, n.4s, m.4s: n >= m without signs
#define SCVTF_16TH(d, n)  WORD $(0x4F3CE400 | (n)<<5 | (d))           // scvtf d.4s, n.4s, #4

// Constants as float32: factorLevels, 1 by it, leastFactor, and 3 * 2^22.
#define factorLevels $0x46fe0000
#define factorStep   $0x38010204
#define leastFactor  $0x0d800000
#define rounding     $0x4b400000

// LIST prepares what the frame has of the list as a whole.
#define LIST \
	MOVD  y+0(FP), R0           \
	MOVD  rows+8(FP), R1        \
	MOVD  n+16(FP), R2          \
	MOVD  blocks+24(FP), R3     \
	MOVD  $codes-576(SP), R6    \
	MOVD  R1, R8                \
	MOVD  R2, R12               \
place:                              \
	MOVD  (R8), R7              \
	MOVD.P R7, 8(R6)            \
	ADD   $Weighted__size, R8   \
	SUBS  $1, R12               \
	BNE   place                 \
	STP   (R7, R7), (R6)        \
	STP   (R7, R7), 16(R6)      \
	STP   (R7, R7), 32(R6)      \
	MOVD  R7, 48(R6)            \
	MOVD  $factors-3744(SP), R6 \
	ADD   R2<<5, R6             \
	VMOVI $0, V0.B16            \
	FSTPQ (F0, F0), (R6)        \
	FSTPQ (F0, F0), 32(R6)      \
	FSTPQ (F0, F0), 64(R6)      \
	ADD   $3, R2, R16           \
	LSR   $2, R16               \
	MOVD  ZR, R4

// FACTORS makes the factors of 8 blocks and leaves the largest, without signs, in V24 and V25. Scales past the row's end are not loaded; lanes of blocks that
// are not there hold anything.
#define FACTORS(shift) \
	LSR   $(shift-1), R4, R14    \
	MOVD  $8, R13                \
	CMP   R13, R3                \
	CSEL  LT, R3, R13, R13       \
	MOVD  $factors-3744(SP), R11 \
	MOVD  R1, R6                 \
	MOVD  R2, R12                \
	VMOVI $0, V24.B16            \
	VMOVI $0, V25.B16            \
row:                                 \
	MOVD  Weighted_Scales(R6), R9 \
	CMP   $8, R13                \
	BLT   few                    \
	LDR_Q(1, 9, 14)              \
factor:                              \
	FMOVS Weighted_Coef(R6), F2  \
	FCVTL(0, 1)                  \
	FCVTL2(1, 1)                 \
	ADD   $Weighted__size, R6    \
	FMUL_E(0, 0, 2, 0)           \
	FMUL_E(1, 1, 2, 0)           \
	SUBS  $1, R12                \
	FSTPQ.P (F0, F1), 32(R11)    \
	FABS_4S(0, 0)                \
	FABS_4S(1, 1)                \
	UMAX_4S(24, 24, 0)           \
	UMAX_4S(25, 25, 1)           \
	BNE   row                    \
	B     levels                 \
few:                                 \
	ADD   R14, R9                \
	MOVD  $scales-3824(SP), R10  \
	MOVD  R13, R7                \
scale:                               \
	MOVHU.P 2(R9), R15           \
	MOVH.P R15, 2(R10)           \
	SUBS  $1, R7                 \
	BNE   scale                  \
	FMOVQ scales-3824(SP), F1    \
	B     factor                 \
levels:

// LEVELS makes V26 and V27 what factors are multiplied with, 0 where all of them are too small, and stores the steps. A largest factor that is infinite
// makes its step no number, as one that is none does: 0 times it is added.
#define LEVELS \
	MOVD  factorStep, R15      \
	VDUP  R15, V0.S4           \
	VMOVI $0, V3.B16           \
	FMUL_4S(1, 24, 0)          \
	FMUL_4S(2, 25, 0)          \
	FMLA_4S(1, 24, 3)          \
	FMLA_4S(2, 25, 3)          \
	MOVD  $steps-3808(SP), R20 \
	FSTPQ (F1, F2), (R20)      \
	MOVD  leastFactor, R15     \
	VDUP  R15, V0.S4           \
	CMHS_4S(1, 24, 0)          \
	CMHS_4S(2, 25, 0)          \
	MOVD  factorLevels, R15    \
	VDUP  R15, V0.S4           \
	FDIV_4S(26, 0, 24)         \
	FDIV_4S(27, 0, 25)         \
	AND_16B(26, 26, 1)         \
	AND_16B(27, 27, 2)

// NUMBERS makes the whole numbers. begin sets constants, V28 of them; form makes of 16-bit words what products want; add adds words up.
#define NUMBERS(begin, add, form) \
	MOVD  $factors-3744(SP), R6    \
	MOVD  $numbers-1600(SP), R19   \
	MOVD  R19, R11                 \
	MOVD  R16, R12                 \
	begin                          \
	ZERO4(V20, V21, V22, V23)      \
four:                                  \
	LOAD4(0, R6, F0, F1, F2, F3)   \
	LOAD4(64, R6, F4, F5, F6, F7)  \
	ADD   $128, R6                 \
	ROUND(0, 1)                    \
	ROUND(2, 3)                    \
	ROUND(4, 5)                    \
	ROUND(6, 7)                    \
	TRN1_8H(0, 0, 2)               \
	TRN1_8H(4, 4, 6)               \
	TRN1_8H(1, 1, 3)               \
	TRN1_8H(5, 5, 7)               \
	ZIP1_4S(2, 1, 5)               \
	ZIP2_4S(3, 1, 5)               \
	ZIP2_4S(1, 0, 4)               \
	ZIP1_4S(0, 0, 4)               \
	EACH4(add)                     \
	EACH4(form)                    \
	STORE4(0, R11, F0, F1, F2, F3) \
	ADD   $64, R11                 \
	SUBS  $1, R12                  \
	BNE   four

// ROUND rounds a row's 8 factors: with V28, 3 * 2^22, added, the lower half of the float32 is the number. Factors that are infinite or no numbers leave anything
// there, since their block's step is no number.
#define ROUND(low, high) \
	FMUL_4S(low, low, 26)   \
	FMUL_4S(high, high, 27) \
	FADD_4S(low, low, 28)   \
	FADD_4S(high, high, 28)

// ADD_Q4 adds up the words of two blocks, and STARTS_Q4 makes of the sums of 8 blocks what sums of products start at, which is kept beside the steps.
#define ADD_Q8(v)
#define ADD_Q4(v) SADALP_8H(20+v, v)
#define STARTS_Q8
#define STARTS_Q4 \
	ADDP_4S(24, 20, 21) \
	ADDP_4S(25, 22, 23) \
	SHL_4S(24, 24, 3)   \
	SHL_4S(25, 25, 3)   \
	NEG_4S(24, 24)      \
	NEG_4S(25, 25)      \
	FSTPQ (F24, F25), 32(R20)

// SUM is the body of a function. load loads the codes of four rows, products multiplies them and loads the next; start sets the sums, and floats makes V0-V7
// of them, in the order of the columns.
#define SUM(shift, begin, add, form, starts, load, start, products, floats) \
	LIST                                   \
group:                                         \
	FACTORS(shift)                         \
	LEVELS                                 \
	NUMBERS(begin, add, form)              \
	starts                                 \
block:                                         \
	MOVD  $codes-576(SP), R6               \
	MOVD  R19, R11                         \
	MOVD  R16, R12                         \
	NEXT_ROWS                              \
	load                                   \
	start                                  \
rows4:                                         \
	NEXT_ROWS                              \
	products                               \
	SUBS  $1, R12                          \
	BNE   rows4                            \
	VLD1R (R20), [V24.S4]                  \
	LOAD4(0, R0, F16, F17, F18, F19)       \
	LOAD4(64, R0, F20, F21, F22, F23)      \
	floats                                 \
	EACH8(STEP)                            \
	EACH8(ADD_TO_Y)                        \
	STORE4(0, R0, F0, F1, F2, F3)          \
	STORE4(64, R0, F4, F5, F6, F7)         \
	ADD   $128, R0                         \
	ADD   $(1<<shift), R4                  \
	ADD   $8, R19                          \
	ADD   $4, R20                          \
	SUB   $1, R3                           \
	SUBS  $1, R13                          \
	BNE   block                            \
	CBNZ  R3, group

#define NEXT_ROWS \
	LDP.P 16(R6), (R7, R8) \
	LDP.P 16(R6), (R9, R10)

#define EACH4(op) \
	op(0) \
	op(1) \
	op(2) \
	op(3)
#define EACH8(op) \
	EACH4(op) \
	op(4) \
	op(5) \
	op(6) \
	op(7)
#define STEP(v)     FMUL_4S(v, v, 24)
#define ADD_TO_Y(v) FADD_4S(v, v, 16+v)
#define FLOAT(v)    SCVTF_4S(v, v)

// LOAD loads the block's codes of one of four rows at p, FOUR_ROWS does op for each of the four.
#define LOAD_Q8(row, p) \
	LOAD_FIRST(row, p) \
	LOAD_SECOND(row, p)
#define LOAD_FIRST(row, p)  LDR_Q(16+row, p, 4)
#define LOAD_SECOND(row, p) LDR_Q(20+row, p, 5)
#define LOAD_Q4(row, p) LOAD_FIRST(row, p)
#define FOUR_ROWS(op) \
	op(0, 7) \
	op(1, 8) \
	op(2, 9) \
	op(3, 10)
#define LOAD4_Q8 \
	ADD $16, R4, R5 \
	FOUR_ROWS(LOAD_Q8)
#define LOAD4_Q4 FOUR_ROWS(LOAD_Q4)

// FILL2 and FILL4 set sums to lane 0 of v.
#define FILL2(v, a, b) \
	VDUP v.S[0], a.S4 \
	VDUP v.S[0], b.S4
#define FILL4(v, a, b, c, d) \
	FILL2(v, a, b) \
	FILL2(v, c, d)
#define ZERO_SUMS \
	ZERO4(V0, V1, V2, V3) \
	ZERO4(V4, V5, V6, V7)
