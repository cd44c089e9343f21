#include "textflag.h"
#include "neuron_amd64.h"
#include "neuron_sum_amd64.h"

// Sums of single neurons' rows, and columns (neuron.go), on AVX-512; see neuron_sum_amd64.h. VPERMPS looks nibbles up in a table of the 16 floats that
// they stand for, by the lowest 4 bits of each lane, so that they need neither masks nor conversions. Factors are broadcast from the stack.
//
// Instructions per weight: sums Q8 0.29, Q4 0.29; columns Q8 0.53, Q4 0.53.
//
//	Z0, Z1 y   Z2-Z5 numbers   Z6, Z7 factors of columns   Y8 coefficient of columns   Z16 floats of nibbles

DATA floatsOfNibbles<>+0(SB)/8, $0xc0e00000c1000000
DATA floatsOfNibbles<>+8(SB)/8, $0xc0a00000c0c00000
DATA floatsOfNibbles<>+16(SB)/8, $0xc0400000c0800000
DATA floatsOfNibbles<>+24(SB)/8, $0xbf800000c0000000
DATA floatsOfNibbles<>+32(SB)/8, $0x3f80000000000000
DATA floatsOfNibbles<>+40(SB)/8, $0x4040000040000000
DATA floatsOfNibbles<>+48(SB)/8, $0x40a0000040800000
DATA floatsOfNibbles<>+56(SB)/8, $0x40e0000040c00000
GLOBL floatsOfNibbles<>(SB), RODATA|NOPTR, $64

// ONE makes the number that coefficients are multiplied with.
#define ONE \
	MOVL  $0x3f800000, AX \
	VMOVD AX, X14
#define CONSTANTS4 \
	VMOVUPS floatsOfNibbles<>(SB), Z16 \
	ONE

// NUMBERS makes the numbers of the 32 columns of a block in Z4 and Z5.
#define NUMBERS4(codes) \
	VPMOVZXBD codes, Z2    \
	VPSRLD    $4, Z2, Z3   \
	VPERMPS   Z16, Z2, Z4  \
	VPERMPS   Z16, Z3, Z5
#define NUMBERS8(low, high) \
	VPMOVSXBD low, Z4  \
	VPMOVSXBD high, Z5 \
	VCVTDQ2PS Z4, Z4   \
	VCVTDQ2PS Z5, Z5

#define ADD(row) \
	VFMADD231PS.BCST (32*row)(SP)(AX*1), Z4, Z0 \
	VFMADD231PS.BCST (32*row)(SP)(AX*1), Z5, Z1
#define ADD4(row, codes, ahead) \
	NUMBERS4((codes)(AX*4)) \
	ADD(row)
#define ADD8(row, codes, ahead) \
	NUMBERS8((codes)(AX*8), 16(codes)(AX*8)) \
	ADD(row)

#define LOAD \
	VMOVUPS 0(DI), Z0 \
	VMOVUPS 64(DI), Z1
#define ZERO \
	VXORPS X0, X0, X0 \
	VXORPS X1, X1, X1
#define STORE \
	VMOVUPS Z0, 0(DI) \
	VMOVUPS Z1, 64(DI)

// COLUMNS adds 32 numbers, each with its scale, to 32 outputs.
#define COLUMNS \
	VCVTPH2PS   0(DX), Z6      \
	VCVTPH2PS   32(DX), Z7     \
	VMULPS      Z8, Z6, Z6     \
	VMULPS      Z8, Z7, Z7     \
	VFMADD213PS 0(DI), Z6, Z4  \
	VFMADD213PS 64(DI), Z7, Z5 \
	VMOVUPS     Z4, 0(DI)      \
	VMOVUPS     Z5, 64(DI)     \
	ADDQ        $64, DX        \
	ADDQ        $128, DI

// func neuronSumQ8AVX512(y *float32, rows *Weighted, n, blocks int)
TEXT ·neuronSumQ8AVX512(SB), NOSPLIT, $152-32
	ONE
	SUM(AHEAD8, ZERO, LOAD, ADD8, STORE, NEXT8)
	VZEROUPPER
	RET

// func neuronSumQ4AVX512(y *float32, rows *Weighted, n, blocks int)
TEXT ·neuronSumQ4AVX512(SB), NOSPLIT, $152-32
	CONSTANTS4
	SUM(AHEAD4, ZERO, LOAD, ADD4, STORE, NEXT4)
	VZEROUPPER
	RET

// func neuronColumnQ8AVX512(y *float32, codes, scales unsafe.Pointer, a float32, blocks int)
TEXT ·neuronColumnQ8AVX512(SB), NOSPLIT, $0-40
	ONE
	COLUMN_ARGS
	VBROADCASTSS X8, Z8

block:
	NUMBERS8((SI), 16(SI))
	COLUMNS
	ADDQ $32, SI
	DECQ CX
	JNZ  block

	VZEROUPPER
	RET

// func neuronColumnQ4AVX512(y *float32, codes, scales unsafe.Pointer, a float32, blocks int)
TEXT ·neuronColumnQ4AVX512(SB), NOSPLIT, $0-40
	CONSTANTS4
	COLUMN_ARGS
	VBROADCASTSS X8, Z8

block:
	NUMBERS4((SI))
	COLUMNS
	ADDQ $16, SI
	DECQ CX
	JNZ  block

	VZEROUPPER
	RET
