#include "textflag.h"
#include "funcdata.h"
#include "neuron_amd64.h"

// Sums of single neurons' rows in whole numbers (neuron.go) on AVX2.
//
// Eight blocks at a time. First all rows' factors of these, and the largest of each block; then the whole numbers that they become, those of two rows in a
// dword. Then two blocks after two blocks all rows, two at a time: a dword gets codes of both rows, and VPMADDWD multiplies each with its whole
// number and adds the two. So y is touched once for all rows of a list. In Q4 a half of a register is a block, and nibbles are not taken apart: one sum is of
// whole bytes, the other of bytes without their low nibble, 16 times the high one. Since they are 0 to 15, 8 times the sum of the whole numbers is
// taken off. No sum leaves 32 bits. The rows should be in a cache: only what the first one lacks is asked for, sumAhead bytes before its use.
//
// A factor that is infinite or no number makes all whole numbers of its block 0 (VCVTPS2DQ gives 2^31, whose low half is 0 as 8 times it is), and the step
// infinite or no number: the block becomes NaN.
//
//	DI y   SI row   CX blocks after the group's   BX blocks left in it   DX twice the blocks of the groups before   R12 codes done, bytes
//	AX place of the rows in the table of codes   R15 its end   R8 R9 codes of two rows   R13 whole numbers of the blocks   BX R9 R10 scratch before
//	SI rows in the table to ask for, R10 codes of one, R11 codes done in whole lines
//	Y0-Y7 sums   Y8-Y13 scratch   Y14, Y15 masks
//	factors(SP) float32 [64 rows][8 blocks]   whole(SP) int16 [32 pairs][8 blocks][2]   codes(SP) [64]pointer   few(SP) f16 [8]

#define factors 0
#define whole   2048
#define codes   3072
#define step    3584 // float32 [8]
#define shift   3616 // int32 [8] sums of whole numbers, 8 times
#define few     3648

DATA levels<>+0(SB)/4, $0x46fe0000 // factorLevels
DATA levels<>+4(SB)/4, $0x38010204 // 1/factorLevels
DATA levels<>+8(SB)/4, $0x0d7fffff // leastFactor, less 1 in the last place
GLOBL levels<>(SB), RODATA|NOPTR, $12

// halves puts the first of two dwords into all of the low half, and the second into all of the high half.
DATA halves<>+0(SB)/8, $0
DATA halves<>+8(SB)/8, $0
DATA halves<>+16(SB)/8, $0x0000000100000001
DATA halves<>+24(SB)/8, $0x0000000100000001
GLOBL halves<>(SB), RODATA|NOPTR, $32

// LIST copies the rows' pointers to the table; an odd last one goes with itself, with factors of 0.
#define LIST \
	MOVQ rows+8(FP), SI             \
	MOVQ n+16(FP), CX               \
	XORL AX, AX                     \
copy:                                   \
	MOVQ Weighted_Codes(SI), BX     \
	MOVQ BX, codes(SP)(AX*8)        \
	ADDQ $Weighted__size, SI        \
	INCQ AX                         \
	CMPQ AX, CX                     \
	JLT  copy                       \
	MOVQ AX, R15                    \
	SHLQ $3, R15                    \
	TESTQ $1, AX                    \
	JEQ  even                       \
	MOVQ BX, codes(SP)(R15*1)       \
	VPXOR Y0, Y0, Y0                \
	VMOVDQU Y0, factors(SP)(R15*4)  \
	ADDQ $8, R15                    \
even:

// FACTORS8 makes a row's factors of 8 blocks, whose scales are at p, puts them at AX and raises the largest, Y0. Y15 clears signs.
#define FACTORS8(p) \
	VBROADCASTSS Weighted_Coef(SI), Y2  \
	VCVTPH2PS    p, Y1                  \
	VMULPS       Y2, Y1, Y1             \
	VMOVUPS      Y1, factors(SP)(AX*1)  \
	VPAND        Y15, Y1, Y1            \
	VPMAXUD      Y1, Y0, Y0             \
	ADDQ         $32, AX                \
	ADDQ         $Weighted__size, SI

// ALL_FACTORS makes those of all rows.
#define ALL_FACTORS \
	MOVQ     rows+8(FP), SI         \
	MOVQ     n+16(FP), R8           \
	XORL     AX, AX                 \
	VPXOR    Y0, Y0, Y0             \
	VPCMPEQD Y15, Y15, Y15          \
	VPSRLD   $1, Y15, Y15           \
	CMPQ     CX, $8                 \
	JLT      partial                \
full:                                   \
	MOVQ     Weighted_Scales(SI), BX \
	FACTORS8((BX)(DX*1))            \
	DECQ     R8                     \
	JNZ      full                   \
	JMP      made                   \
partial:                                \
	VPXOR    X1, X1, X1             \
	VMOVDQU  X1, few(SP)            \
row:                                    \
	MOVQ     Weighted_Scales(SI), BX \
	ADDQ     DX, BX                 \
	XORL     R9, R9                 \
scale:                                  \
	MOVW     (BX)(R9*2), R10        \
	MOVW     R10, few(SP)(R9*2)     \
	INCQ     R9                     \
	CMPQ     R9, CX                 \
	JLT      scale                  \
	FACTORS8(few(SP))               \
	DECQ     R8                     \
	JNZ      row                    \
made:

// WHOLE makes whole numbers of the factors, and the steps.
#define WHOLE \
	VBROADCASTSS levels<>+0(SB), Y1     \
	VDIVPS       Y0, Y1, Y1             \
	VBROADCASTSS levels<>+8(SB), Y2     \
	VPCMPGTD     Y2, Y0, Y2             \
	VPAND        Y2, Y1, Y1             \
	VBROADCASTSS levels<>+4(SB), Y2     \
	VMULPS       Y2, Y0, Y2             \
	VMOVUPS      Y2, step(SP)           \
	VPXOR        Y2, Y2, Y2             \
	XORL         AX, AX                 \
pair:                                       \
	VMULPS       factors(SP)(AX*8), Y1, Y3   \
	VMULPS       (factors+32)(SP)(AX*8), Y1, Y4 \
	VCVTPS2DQ    Y3, Y3                 \
	VCVTPS2DQ    Y4, Y4                 \
	VPADDD       Y3, Y2, Y2             \
	VPADDD       Y4, Y2, Y2             \
	VPSLLD       $16, Y4, Y4            \
	VPBLENDW     $0xaa, Y4, Y3, Y3      \
	VMOVDQU      Y3, whole(SP)(AX*4)    \
	ADDQ         $8, AX                 \
	CMPQ         AX, BX                 \
	JLT          pair                   \
	VPSLLD       $3, Y2, Y2             \
	VMOVDQU      Y2, shift(SP)

// ROWS finds the codes of the next two rows.
#define ROWS \
	MOVQ codes(SP)(AX*1), R8     \
	MOVQ (codes+8)(SP)(AX*1), R9

// AHEAD8 asks for a line of both, all that two blocks take, AHEAD4 for one of one of them: two blocks take half a line.
#define AHEAD8 \
	PREFETCHT0 const_sumAhead(R8)(R11*1) \
	PREFETCHT0 const_sumAhead(R9)(R11*1)
#define AHEAD4 \
	MOVQ       (SI)(AX*1), R10           \
	PREFETCHT0 const_sumAhead(R10)(R11*1)

// ADD multiplies the codes of w with the whole numbers.
#define ADD(w, sum) \
	VPMADDWD Y10, w, w  \
	VPADDD   w, sum, sum

// BYTES adds the products of w, words of two bytes of each row: the first byte, its high nibble, and those of the second one.
#define BYTES(w, a, b, c, d) \
	VPAND  Y14, w, Y13  \
	ADD(Y13, a)         \
	VPAND  Y15, w, Y13  \
	ADD(Y13, b)         \
	VPSRLW $8, w, w     \
	VPAND  Y15, w, Y13  \
	ADD(w, c)           \
	ADD(Y13, d)
#define PRODUCTS4 \
	VPBROADCASTQ (R13)(AX*2), Y10            \
	VPERMILPS    halves<>(SB), Y10, Y10      \
	VPUNPCKLWD   Y9, Y8, Y11                 \
	VPUNPCKHWD   Y9, Y8, Y8                  \
	BYTES(Y11, Y0, Y1, Y2, Y3)               \
	BYTES(Y8, Y4, Y5, Y6, Y7)
#define TWO4 \
	VMOVDQU (R8)(R12*1), Y8 \
	VMOVDQU (R9)(R12*1), Y9 \
	PRODUCTS4
#define ONE4 \
	VMOVDQU (R8)(R12*1), X8 \
	VMOVDQU (R9)(R12*1), X9 \
	PRODUCTS4

// CODES adds the products of w, bytes of both rows in turn: 4 columns of each half, and the next 4. A byte twice is a word that a shift makes its number.
#define CODES(w, a, b) \
	VPUNPCKLBW w, w, Y13    \
	VPUNPCKHBW w, w, w      \
	VPSRAW     $8, Y13, Y13 \
	VPSRAW     $8, w, w     \
	ADD(Y13, a)             \
	ADD(w, b)
#define BLOCK8(i, a, b, c, d) \
	VMOVDQU      (32*i)(R8)(R12*1), Y8 \
	VMOVDQU      (32*i)(R9)(R12*1), Y9 \
	VPBROADCASTD (4*i)(R13)(AX*2), Y10 \
	VPUNPCKLBW   Y9, Y8, Y11           \
	VPUNPCKHBW   Y9, Y8, Y8            \
	CODES(Y11, a, b)                   \
	CODES(Y8, c, d)
#define ONE8 BLOCK8(0, Y0, Y1, Y2, Y3)
#define TWO8 \
	ONE8                               \
	BLOCK8(1, Y4, Y5, Y6, Y7)

// STEP is the step of block i of the two. OUT adds 8 sums of it to y.
#define STEP(i, r) VBROADCASTSS (step-whole+4*i)(R13), r
#define OUT(sum, r, at) \
	VCVTDQ2PS sum, sum         \
	VMULPS    r, sum, sum      \
	VADDPS    at(DI), sum, sum \
	VMOVUPS   sum, at(DI)

// IN_ORDER4 puts the columns of even and of odd numbers in order, the first block's in even and the other's in odd.
#define IN_ORDER4(even, odd) \
	VPSUBD     Y11, even, even     \
	VPSUBD     Y11, odd, odd       \
	VPUNPCKHDQ odd, even, Y8       \
	VPUNPCKLDQ odd, even, Y9       \
	VPERM2I128 $0x20, Y8, Y9, even \
	VPERM2I128 $0x31, Y8, Y9, odd
// NIBBLES makes the sum of bytes that of their low nibbles, and the other that of the high ones.
#define NIBBLES(low, high) \
	VPSUBD high, low, low  \
	VPSRAD $4, high, high
#define SUMS4 \
	VPBROADCASTQ (shift-whole)(R13), Y11  \
	VPERMILPS    halves<>(SB), Y11, Y11   \
	NIBBLES(Y0, Y1)                       \
	NIBBLES(Y2, Y3)                       \
	NIBBLES(Y4, Y5)                       \
	NIBBLES(Y6, Y7)                       \
	IN_ORDER4(Y0, Y2)                     \
	IN_ORDER4(Y4, Y6)                     \
	IN_ORDER4(Y1, Y3)                     \
	IN_ORDER4(Y5, Y7)                     \
	STEP(0, Y10)                          \
	OUT(Y0, Y10, 0)                       \
	OUT(Y4, Y10, 32)                      \
	OUT(Y1, Y10, 64)                      \
	OUT(Y5, Y10, 96)
#define END_ONE4 SUMS4
#define END_TWO4 \
	SUMS4                                 \
	STEP(1, Y10)                          \
	OUT(Y2, Y10, 128)                     \
	OUT(Y6, Y10, 160)                     \
	OUT(Y3, Y10, 192)                     \
	OUT(Y7, Y10, 224)

// IN_ORDER8 puts the columns of a half side by side.
#define IN_ORDER8(a, b) \
	VPERM2I128 $0x31, b, a, Y8 \
	VPERM2I128 $0x20, b, a, a  \
	VMOVDQA    Y8, b
#define END8(i, a, b, c, d) \
	IN_ORDER8(a, b)            \
	IN_ORDER8(c, d)            \
	STEP(i, Y10)               \
	OUT(a, Y10, 128*i)         \
	OUT(c, Y10, 128*i+32)      \
	OUT(b, Y10, 128*i+64)      \
	OUT(d, Y10, 128*i+96)
#define END_ONE8 END8(0, Y0, Y1, Y2, Y3)
#define END_TWO8 \
	END_ONE8                   \
	END8(1, Y4, Y5, Y6, Y7)

#define NOTHING \
	VPXOR Y0, Y0, Y0 \
	VPXOR Y1, Y1, Y1 \
	VPXOR Y2, Y2, Y2 \
	VPXOR Y3, Y3, Y3 \
	VPXOR Y4, Y4, Y4 \
	VPXOR Y5, Y5, Y5 \
	VPXOR Y6, Y6, Y6 \
	VPXOR Y7, Y7, Y7 \
	XORL  AX, AX

// SUM is the whole of it: products of two blocks and of one, what ends them, and the bytes that a block's codes take.
#define SUM(ahead, masks, two, endTwo, one, endOne, blockBytes) \
	LIST                         \
	MOVQ    y+0(FP), DI          \
	MOVQ    blocks+24(FP), CX    \
	XORL    DX, DX               \
	XORL    R12, R12             \
group:                               \
	ALL_FACTORS                  \
	MOVQ    R15, BX              \
	SHRQ    $1, BX               \
	WHOLE                        \
	masks                        \
	LEAQ    whole(SP), R13       \
	MOVL    $8, BX               \
	CMPQ    CX, BX               \
	CMOVQLT CX, BX               \
	SUBQ    BX, CX               \
	SUBQ    $2, BX               \
	JLT     last                 \
blocks:                              \
	LEAQ    codes(SP), SI        \
	MOVQ    R12, R11             \
	ANDQ    $-64, R11            \
	MOVQ    BX, R10              \
	ANDQ    $2, R10              \
	LEAQ    (SI)(R10*4), SI      \
	NOTHING                      \
rows2:                               \
	ROWS                         \
	ahead                        \
	two                          \
	ADDQ    $16, AX              \
	CMPQ    AX, R15              \
	JLT     rows2                \
	endTwo                       \
	ADDQ    $8, R13              \
	ADDQ    $(2*blockBytes), R12 \
	ADDQ    $256, DI             \
	SUBQ    $2, BX               \
	JGE     blocks               \
	ADDQ    $16, DX              \
	TESTQ   CX, CX               \
	JNZ     group                \
last:                                \
	TESTQ   $1, BX               \
	JEQ     done                 \
	NOTHING                      \
rows1:                               \
	ROWS                         \
	one                          \
	ADDQ    $16, AX              \
	CMPQ    AX, R15              \
	JLT     rows1                \
	endOne                       \
done:                                \
	VZEROUPPER                   \
	RET

#define MASKS4 \
	VPCMPEQD Y14, Y14, Y14 \
	VPSRLW   $8, Y14, Y14  \
	VPSLLW   $12, Y14, Y15 \
	VPSRLW   $8, Y15, Y15
#define MASKS8

// func neuronAxpyQ4AVX2(y *float32, rows *Weighted, n, blocks int)
TEXT ·neuronAxpyQ4AVX2(SB), 0, $3664-32
	NO_LOCAL_POINTERS
	SUM(AHEAD4, MASKS4, TWO4, END_TWO4, ONE4, END_ONE4, 16)

// func neuronAxpyQ8AVX2(y *float32, rows *Weighted, n, blocks int)
TEXT ·neuronAxpyQ8AVX2(SB), 0, $3664-32
	NO_LOCAL_POINTERS
	SUM(AHEAD8, MASKS8, TWO8, END_TWO8, ONE8, END_ONE8, 32)
