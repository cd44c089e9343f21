#include "textflag.h"
#include "neuron_amd64.h"

// Columns (neuron.go) on AVX-512. VPERMPS looks nibbles up in a table of the 16 floats that they stand for, by the lowest 4 bits
// of each lane, so that they need neither masks nor conversions.
//
// Instructions per weight: Q8 0.53, Q4 0.53.
//
//	Z2-Z5 numbers   Z6, Z7 factors   Z8 coefficient   Z16 floats of nibbles

DATA floatsOfNibbles<>+0(SB)/8, $0xc0e00000c1000000
DATA floatsOfNibbles<>+8(SB)/8, $0xc0a00000c0c00000
DATA floatsOfNibbles<>+16(SB)/8, $0xc0400000c0800000
DATA floatsOfNibbles<>+24(SB)/8, $0xbf800000c0000000
DATA floatsOfNibbles<>+32(SB)/8, $0x3f80000000000000
DATA floatsOfNibbles<>+40(SB)/8, $0x4040000040000000
DATA floatsOfNibbles<>+48(SB)/8, $0x40a0000040800000
DATA floatsOfNibbles<>+56(SB)/8, $0x40e0000040c00000
GLOBL floatsOfNibbles<>(SB), RODATA|NOPTR, $64

// ONE makes the number that the coefficient is multiplied with.
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
