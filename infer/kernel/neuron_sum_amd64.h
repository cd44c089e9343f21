// What the sums of neuron rows share on AVX2 and AVX-512 (neuron_sum_avx2_amd64.s, neuron_sum_avx512_amd64.s).
//
// A list of rows is added four at a time: 32 outputs are loaded once, each row's block is converted and added in turn, and they are stored. The first pass
// begins with zeros: to clear the outputs before would fetch them from the other core that read them last, and wait. The
// factors, coefficient times scale, of 8 blocks are made at once and kept on the stack. What is left of the list goes one row at a time.
//
//	DI y   SI row of the list   R8-R11 codes   R12-R15 rows ahead   DX twice the number of blocks in the groups before   CX blocks left
//	AX 4 times a block's number in its group   BX scratch, 4 times the number of blocks in the group
//	Y8 Y9 scratch   X14 what the coefficients are multiplied with   0(SP) factors [4 rows][8 blocks]   128(SP) coefficients   144(SP) rows left

// A row by its number, with the registers of its codes and of the row ahead.
#define FOUR_ROWS(op) \
	op(0, R8, R12)  \
	op(1, R9, R13)  \
	op(2, R10, R14) \
	op(3, R11, R15)
#define ONE_ROW(op) op(0, R8, R12)

// FIELD is one of a row.
#define FIELD(row, field) (Weighted__size*(row)+field)(SI)

// BEGIN finds a row's codes and the row ahead, and puts its coefficient on the stack.
#define BEGIN(row, codes, ahead) \
	ROW_AHEAD(const_rowsAhead+row, SI, DX, ahead, BX) \
	MOVQ   FIELD(row, Weighted_Codes), codes          \
	VMULSS FIELD(row, Weighted_Coef), X14, X8         \
	VMOVSS X8, (128+4*row)(SP)

// AHEAD4 and AHEAD8 ask for the codes that the row ahead has for this group, AHEAD_SCALES for its scales of four groups.
#define AHEAD4(row, codes, ahead) \
	MOVQ       Weighted_Codes(ahead), BX \
	PREFETCHT1 (BX)(DX*8)                \
	PREFETCHT1 lineBytes(BX)(DX*8)
#define AHEAD8(row, codes, ahead) \
	MOVQ       Weighted_Codes(ahead), BX   \
	LEAQ       (BX)(DX*8), BX              \
	PREFETCHT1 (BX)(DX*8)                  \
	PREFETCHT1 lineBytes(BX)(DX*8)         \
	PREFETCHT1 (2*lineBytes)(BX)(DX*8)     \
	PREFETCHT1 (3*lineBytes)(BX)(DX*8)
#define AHEAD_SCALES(row, codes, ahead) \
	MOVQ       Weighted_Scales(ahead), BX \
	PREFETCHT1 (BX)(DX*1)

// FACTORS makes a row's factors of 8 blocks, FACTOR that of one.
#define FACTORS(row, codes, ahead) \
	MOVQ         FIELD(row, Weighted_Scales), BX \
	VBROADCASTSS (128+4*row)(SP), Y8             \
	VCVTPH2PS    (BX)(DX*1), Y9                  \
	VMULPS       Y8, Y9, Y9                      \
	VMOVUPS      Y9, (32*row)(SP)
#define FACTOR(row, codes, ahead) \
	MOVQ         FIELD(row, Weighted_Scales), BX \
	ADDQ         DX, BX                          \
	SHRQ         $1, AX                          \
	VPBROADCASTW (BX)(AX*1), X9                  \
	SHLQ         $1, AX                          \
	VCVTPH2PS    X9, X9                          \
	VMULSS       (128+4*row)(SP), X9, X9         \
	VMOVSS       X9, (32*row)(SP)(AX*1)
#define NEXT4(row, codes, ahead) ADDQ $128, codes
#define NEXT8(row, codes, ahead) ADDQ $256, codes

// PASS goes once through y, with the next row or the next four, in groups of 8 blocks; the last may have fewer. load and store move a block of y; add
// adds to it the block of a row, whose codes lie at (codes)(AX*4), AX*8 for Q8, and whose factor at (32*row)(SP)(AX*1). A macro cannot
// have labels of its own when it is used twice.
#define PASS(rows, ahead, load, add, store, next, group, codes, full, few, one, block, last) \
	MOVQ 144(SP), DX             \
	rows(BEGIN)                  \
	MOVQ y+0(FP), DI             \
	MOVQ blocks+24(FP), CX       \
	XORL DX, DX                  \
group:                               \
	TESTQ $63, DX                \
	JNZ  codes                   \
	rows(AHEAD_SCALES)           \
codes:                               \
	rows(ahead)                  \
	SUBQ $8, CX                  \
	JLT  few                     \
	rows(FACTORS)                \
	MOVL $32, BX                 \
full:                                \
	XORL AX, AX                  \
block:                               \
	load                         \
	rows(add)                    \
	store                        \
	ADDQ $128, DI                \
	ADDQ $4, AX                  \
	CMPQ AX, BX                  \
	JLT  block                   \
	rows(next)                   \
	ADDQ $16, DX                 \
	TESTQ CX, CX                 \
	JGT  group                   \
	JMP  last                    \
few:                                 \
	XORL AX, AX                  \
one:                                 \
	rows(FACTOR)                 \
	ADDQ $4, AX                  \
	LEAQ 32(CX*4), BX            \
	CMPQ AX, BX                  \
	JLT  one                     \
	JMP  full                    \
last:

// SUM goes through the list; the first pass begins with zeros.
#define SUM(ahead, zero, load, add, store, next) \
	MOVQ rows+8(FP), SI          \
	MOVQ n+16(FP), AX            \
	MOVQ AX, 144(SP)             \
	CMPQ AX, $4                  \
	JLT  first                   \
	PASS(FOUR_ROWS, ahead, zero, add, store, next, group0, codes0, full0, few0, factor0, block0, end0) \
four:                                \
	ADDQ $(4*Weighted__size), SI \
	MOVQ 144(SP), AX             \
	SUBQ $4, AX                  \
	MOVQ AX, 144(SP)             \
	CMPQ AX, $4                  \
	JLT  rest                    \
	PASS(FOUR_ROWS, ahead, load, add, store, next, group4, codes4, full4, few4, factor4, block4, end4) \
	JMP  four                    \
first:                               \
	PASS(ONE_ROW, ahead, zero, add, store, next, group2, codes2, full2, few2, factor2, block2, end2) \
one:                                 \
	ADDQ $Weighted__size, SI     \
	DECQ 144(SP)                 \
rest:                                \
	CMPQ 144(SP), $0             \
	JEQ  done                    \
	PASS(ONE_ROW, ahead, load, add, store, next, group1, codes1, full1, few1, factor1, block1, end1) \
	JMP  one                     \
done:

// COLUMN_ARGS loads the arguments of a column, the coefficient as for rows to Y8.
#define COLUMN_ARGS \
	MOVQ         y+0(FP), DI       \
	MOVQ         codes+8(FP), SI   \
	MOVQ         scales+16(FP), DX \
	MOVQ         blocks+32(FP), CX \
	VMULSS       a+24(FP), X14, X8 \
	VBROADCASTSS X8, Y8
