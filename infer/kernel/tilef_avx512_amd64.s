#include "textflag.h"
#include "avx2_amd64.h"
#include "float_avx512_amd64.h"

// Products of F32, F16, BF16 and I8 panels with 4 tokens on AVX-512, of one panel and of two at once. The arithmetic is that of panelf_avx512_amd64.s.
//
// A core does two FMAs and two loads in a cycle. With one panel the FMA broadcasts the activation from memory, and loads set the pace; with two the
// activation is broadcast once for both: 16 FMAs for two columns, 12 loads and what is asked for ahead.
//
//	SI, R8 weights   DX, R11, R12, R13 activations of tokens 0-3   CX columns left   BX xStride
//	Z0-Z3 acc 0 of tokens 0-3   Z4-Z7 acc 1   of the second panel: Z8-Z11, Z12-Z15   Z16, Z17 weights   Z18 activation

// TOKENS points to the activations of 4 tokens and starts on two columns.
#define TOKENS \
	LEAQ (DX)(BX*1), R11    \
	LEAQ (DX)(BX*2), R12    \
	LEAQ (R11)(BX*2), R13   \
	VPXORD Z0, Z0, Z0       \
	VPXORD Z1, Z1, Z1       \
	VPXORD Z2, Z2, Z2       \
	VPXORD Z3, Z3, Z3       \
	VPXORD Z4, Z4, Z4       \
	VPXORD Z5, Z5, Z5       \
	VPXORD Z6, Z6, Z6       \
	VPXORD Z7, Z7, Z7       \
	SUBQ   $2, CX

#define NEXTTWO \
	ADDQ $8, DX  \
	ADDQ $8, R11 \
	ADDQ $8, R12 \
	ADDQ $8, R13 \
	SUBQ $2, CX

// COLUMN adds the weights in Z16 times the activations at off to an accumulator of each token.
#define COLUMN(off, acc0, acc1, acc2, acc3) \
	VFMADD231PS.BCST off(DX), Z16, acc0  \
	VFMADD231PS.BCST off(R11), Z16, acc1 \
	VFMADD231PS.BCST off(R12), Z16, acc2 \
	VFMADD231PS.BCST off(R13), Z16, acc3

// TILE is a whole kernel; a column has so many bytes.
#define TILE(load, bytes, ahead) \
	MOVQ w+16(FP), SI              \
	MOVQ x+24(FP), DX              \
	MOVQ xStride+32(FP), BX        \
	MOVQ n+40(FP), CX              \
	TOKENS                         \
	JLT last                       \
two:                                   \
	ahead(SI)                      \
	load((SI), Z16)                \
	COLUMN(0, Z0, Z1, Z2, Z3)      \
	load(bytes(SI), Z16)           \
	COLUMN(4, Z4, Z5, Z6, Z7)      \
	ADDQ $(2*bytes), SI            \
	NEXTTWO                        \
	JGE two                        \
last:                                  \
	ADDQ $2, CX                    \
	JZ  done                       \
	load((SI), Z16)                \
	COLUMN(0, Z0, Z1, Z2, Z3)      \
done:                                  \
	VADDPS Z4, Z0, Z0              \
	VADDPS Z5, Z1, Z1              \
	VADDPS Z6, Z2, Z2              \
	VADDPS Z7, Z3, Z3              \
	MOVQ   y+0(FP), DI             \
	MOVQ   yStride+8(FP), DX       \
	LEAQ   (DI)(DX*2), AX          \
	VMOVUPS Z0, (DI)               \
	VMOVUPS Z1, (DI)(DX*1)         \
	VMOVUPS Z2, (AX)               \
	VMOVUPS Z3, (AX)(DX*1)         \
	VZEROUPPER

// BOTH adds the weights in Z16 and Z17 times the activation at m to an accumulator of each panel.
#define BOTH(m, first, second) \
	VBROADCASTSS m, Z18            \
	VFMADD231PS  Z18, Z16, first   \
	VFMADD231PS  Z18, Z17, second
#define EVEN \
	BOTH((DX), Z0, Z8)   \
	BOTH((R11), Z1, Z9)  \
	BOTH((R12), Z2, Z10) \
	BOTH((R13), Z3, Z11)
#define ODD \
	BOTH(4(DX), Z4, Z12)  \
	BOTH(4(R11), Z5, Z13) \
	BOTH(4(R12), Z6, Z14) \
	BOTH(4(R13), Z7, Z15)

// SUMS adds a token's accumulators and stores them.
#define SUMS(first0, first1, second0, second1) \
	VADDPS  first1, first0, first0    \
	VADDPS  second1, second0, second0 \
	VMOVUPS first0, (DI)              \
	VMOVUPS second0, 64(DI)           \
	ADDQ    DX, DI

// PAIR is TILE for two panels.
#define PAIR(load, bytes, ahead) \
	MOVQ w+16(FP), SI              \
	MOVQ wStride+24(FP), R8        \
	MOVQ x+32(FP), DX              \
	MOVQ xStride+40(FP), BX        \
	MOVQ n+48(FP), CX              \
	ADDQ SI, R8                    \
	VPXORD Z8, Z8, Z8              \
	VPXORD Z9, Z9, Z9              \
	VPXORD Z10, Z10, Z10           \
	VPXORD Z11, Z11, Z11           \
	VPXORD Z12, Z12, Z12           \
	VPXORD Z13, Z13, Z13           \
	VPXORD Z14, Z14, Z14           \
	VPXORD Z15, Z15, Z15           \
	TOKENS                         \
	JLT last                       \
two:                                   \
	ahead(SI)                      \
	ahead(R8)                      \
	load((SI), Z16)                \
	load((R8), Z17)                \
	EVEN                           \
	load(bytes(SI), Z16)           \
	load(bytes(R8), Z17)           \
	ODD                            \
	ADDQ $(2*bytes), SI            \
	ADDQ $(2*bytes), R8            \
	NEXTTWO                        \
	JGE two                        \
last:                                  \
	ADDQ $2, CX                    \
	JZ  done                       \
	load((SI), Z16)                \
	load((R8), Z17)                \
	EVEN                           \
done:                                  \
	MOVQ y+0(FP), DI               \
	MOVQ yStride+8(FP), DX         \
	SUMS(Z0, Z4, Z8, Z12)          \
	SUMS(Z1, Z5, Z9, Z13)          \
	SUMS(Z2, Z6, Z10, Z14)         \
	SUMS(Z3, Z7, Z11, Z15)         \
	VZEROUPPER

// func tileF32AVX512(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileF32AVX512(SB), NOSPLIT, $0-48
	TILE(LOADF32, 64, AHEADF32)
	RET

// func tileF16AVX512(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileF16AVX512(SB), NOSPLIT, $0-48
	TILE(LOADF16, 32, AHEADF16)
	RET

// func tileBF16AVX512(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileBF16AVX512(SB), NOSPLIT, $0-48
	TILE(LOADBF16, 32, AHEADF16)
	RET

// func tileI8AVX512(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileI8AVX512(SB), NOSPLIT, $0-48
	TILE(LOADI8, 16, AHEADF16)
	RET

// func pairF32AVX512(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·pairF32AVX512(SB), NOSPLIT, $0-56
	PAIR(LOADF32, 64, AHEADF32)
	RET

// func pairF16AVX512(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·pairF16AVX512(SB), NOSPLIT, $0-56
	PAIR(LOADF16, 32, AHEADF16)
	RET

// func pairBF16AVX512(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·pairBF16AVX512(SB), NOSPLIT, $0-56
	PAIR(LOADBF16, 32, AHEADF16)
	RET

// func pairI8AVX512(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·pairI8AVX512(SB), NOSPLIT, $0-56
	PAIR(LOADI8, 16, AHEADF16)
	RET
