// What the sums of single neurons' rows share on AVX2 and AVX-512 (neuron_axpy_avx2_amd64.s, neuron_axpy_avx512_amd64.s).
//
// An axpy adds four rows: 32 outputs are loaded once, each row's block is converted and added in turn, and they are stored. The factors, coefficient
// times scale, of 8 blocks are made at once and kept on the stack.
//
//	DI y   R8-R11 codes   R12 R13 BX DX scales   CX blocks left   AX 4 times a block's number in its group   SI 4 times the number of blocks in it
//	Y8 Y9 scratch   X9 in ROWS what the coefficients are multiplied with   0(SP) factors [4 rows][8 blocks]   128(SP) coefficients

// ROWS puts the coefficients, times X9, on the stack, and loads the pointers.
#define COEF(row) \
	VMULSS (24*row+16)(SI), X9, X8 \
	VMOVSS X8, (128+4*row)(SP)
#define ROWS \
	MOVQ y+0(FP), DI       \
	MOVQ rows+8(FP), SI    \
	MOVQ blocks+16(FP), CX \
	COEF(0)                \
	COEF(1)                \
	COEF(2)                \
	COEF(3)                \
	MOVQ 0(SI), R8         \
	MOVQ 8(SI), R12        \
	MOVQ 24(SI), R9        \
	MOVQ 32(SI), R13       \
	MOVQ 48(SI), R10       \
	MOVQ 56(SI), BX        \
	MOVQ 72(SI), R11       \
	MOVQ 80(SI), DX

// FACTORS makes a row's factors of 8 blocks, FACTOR that of one.
#define FACTORS(row, scales) \
	VBROADCASTSS (128+4*row)(SP), Y8    \
	VCVTPH2PS    (scales), Y9           \
	VMULPS       Y8, Y9, Y9             \
	VMOVUPS      Y9, (32*row)(SP)       \
	ADDQ         $16, scales
#define FACTOR(row, scales) \
	VPBROADCASTW (scales), X9           \
	VCVTPH2PS    X9, X9                 \
	VMULSS       (128+4*row)(SP), X9, X9 \
	VMOVSS       X9, (32*row)(SP)(AX*1) \
	ADDQ         $2, scales
#define EACH(factors) \
	factors(0, R12) \
	factors(1, R13) \
	factors(2, BX)  \
	factors(3, DX)

// AXPY goes through the groups; the last may have fewer than 8 blocks. load and store move a block of y; add adds to it the block of the row whose
// codes and factors it is told: they lie at (codes)(AX*4), AX*8 for Q8, and at (off)(SP)(AX*1).
#define AXPY(load, add, store, codeBytes) \
	MOVL    $32, SI        \
group:                         \
	SUBQ    $8, CX         \
	JLT     few            \
	EACH(FACTORS)          \
blocks:                        \
	XORL    AX, AX         \
block:                         \
	load                   \
	add(R8, 0)             \
	add(R9, 32)            \
	add(R10, 64)           \
	add(R11, 96)           \
	store                  \
	ADDQ    $128, DI       \
	ADDQ    $4, AX         \
	CMPQ    AX, SI         \
	JLT     block          \
	ADDQ    $(8*codeBytes), R8  \
	ADDQ    $(8*codeBytes), R9  \
	ADDQ    $(8*codeBytes), R10 \
	ADDQ    $(8*codeBytes), R11 \
	TESTQ   CX, CX         \
	JGT     group          \
	JMP     done           \
few:                           \
	LEAQ    32(CX*4), SI   \
	XORL    AX, AX         \
one:                           \
	EACH(FACTOR)           \
	ADDQ    $4, AX         \
	CMPQ    AX, SI         \
	JLT     one            \
	JMP     blocks         \
done:

// COLUMN_ARGS loads the arguments of a column, the coefficient as for ROWS to Y8.
#define COLUMN_ARGS \
	MOVQ         y+0(FP), DI       \
	MOVQ         codes+8(FP), SI   \
	MOVQ         scales+16(FP), DX \
	MOVQ         blocks+32(FP), CX \
	VMULSS       a+24(FP), X9, X8  \
	VBROADCASTSS X8, Y8
