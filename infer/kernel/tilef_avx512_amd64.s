#include "textflag.h"
#include "avx2_amd64.h"

// Products of F32, F16, BF16 and I8 panels with 4 tokens on AVX-512. The arithmetic is that of panelf_avx512_amd64.s.
//
// Instructions per weight and token: F32 0.12, F16 0.11, BF16 0.13, I8 0.12.
//
//	SI weights   DX, R11, R12, R13 activations of tokens 0-3   CX columns left   BX xStride
//	Z0-Z3 acc 0 of tokens 0-3   Z4-Z7 acc 1   Z8-Z11 acc 2   Z12-Z15 acc 3   Z16-Z19 weights

#define TILEBEGIN \
	MOVQ   w+16(FP), SI       \
	MOVQ   x+24(FP), DX       \
	MOVQ   xStride+32(FP), BX \
	MOVQ   n+40(FP), CX       \
	LEAQ   (DX)(BX*1), R11    \
	LEAQ   (DX)(BX*2), R12    \
	LEAQ   (R11)(BX*2), R13   \
	VPXORD Z0, Z0, Z0         \
	VPXORD Z1, Z1, Z1         \
	VPXORD Z2, Z2, Z2         \
	VPXORD Z3, Z3, Z3         \
	VPXORD Z4, Z4, Z4         \
	VPXORD Z5, Z5, Z5         \
	VPXORD Z6, Z6, Z6         \
	VPXORD Z7, Z7, Z7         \
	VPXORD Z8, Z8, Z8         \
	VPXORD Z9, Z9, Z9         \
	VPXORD Z10, Z10, Z10      \
	VPXORD Z11, Z11, Z11      \
	VPXORD Z12, Z12, Z12      \
	VPXORD Z13, Z13, Z13      \
	VPXORD Z14, Z14, Z14      \
	VPXORD Z15, Z15, Z15      \
	SUBQ   $4, CX

// TILECOLUMN adds the weights w times the activations at off to an accumulator of each token.
#define TILECOLUMN(off, w, acc0, acc1, acc2, acc3) \
	VFMADD231PS.BCST off(DX), w, acc0  \
	VFMADD231PS.BCST off(R11), w, acc1 \
	VFMADD231PS.BCST off(R12), w, acc2 \
	VFMADD231PS.BCST off(R13), w, acc3

#define TILEFOUR \
	TILECOLUMN(0, Z16, Z0, Z1, Z2, Z3)     \
	TILECOLUMN(4, Z17, Z4, Z5, Z6, Z7)     \
	TILECOLUMN(8, Z18, Z8, Z9, Z10, Z11)   \
	TILECOLUMN(12, Z19, Z12, Z13, Z14, Z15)

#define NEXT(weightBytes, columns) \
	ADDQ $(weightBytes), SI \
	ADDQ $(columns*4), DX  \
	ADDQ $(columns*4), R11 \
	ADDQ $(columns*4), R12 \
	ADDQ $(columns*4), R13 \
	SUBQ $columns, CX

#define TILEEND \
	VADDPS  Z4, Z0, Z0         \
	VADDPS  Z5, Z1, Z1         \
	VADDPS  Z6, Z2, Z2         \
	VADDPS  Z7, Z3, Z3         \
	VADDPS  Z12, Z8, Z8        \
	VADDPS  Z13, Z9, Z9        \
	VADDPS  Z14, Z10, Z10      \
	VADDPS  Z15, Z11, Z11      \
	VADDPS  Z8, Z0, Z0         \
	VADDPS  Z9, Z1, Z1         \
	VADDPS  Z10, Z2, Z2        \
	VADDPS  Z11, Z3, Z3        \
	MOVQ    y+0(FP), DI        \
	MOVQ    yStride+8(FP), DX  \
	LEAQ    (DI)(DX*2), AX     \
	VMOVUPS Z0, (DI)           \
	VMOVUPS Z1, (DI)(DX*1)     \
	VMOVUPS Z2, (AX)           \
	VMOVUPS Z3, (AX)(DX*1)     \
	VZEROUPPER

// Loads of 16 weights.
#define LOADF32(m, r) VMOVUPS m, r
#define LOADF16(m, r) VCVTPH2PS m, r
#define LOADBF16(m, r) \
	VPMOVZXWD m, r \
	VPSLLD    $16, r, r
#define LOADI8(m, r) \
	VPMOVSXBD m, r \
	VCVTDQ2PS r, r

// What a tile asks for ahead: keys and values of attention come from memory, each used by few queries.
#define PREFETCHF32 PREFETCH4(0)
#define PREFETCHF16 \
	PREFETCHT0 prefetchBytes(SI) \
	PREFETCHT0 (prefetchBytes+64)(SI)
#define PREFETCHI8 PREFETCHT0 prefetchBytes(SI)

// TILE is a whole kernel; a column has so many bytes.
#define TILE(load, bytes, prefetch) \
	TILEBEGIN                            \
	JLT last                             \
four:                                    \
	prefetch                             \
	load((SI), Z16)                      \
	load(bytes(SI), Z17)                 \
	load((2*bytes)(SI), Z18)             \
	load((3*bytes)(SI), Z19)             \
	TILEFOUR                             \
	NEXT(4*bytes, 4)                     \
	JGE four                             \
last:                                    \
	ADDQ $4, CX                          \
	JZ  done                             \
one:                                     \
	load((SI), Z16)                      \
	TILECOLUMN(0, Z16, Z0, Z1, Z2, Z3)   \
	NEXT(bytes, 1)                       \
	JNZ one                              \
done:                                    \
	TILEEND

// func tileF32AVX512(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileF32AVX512(SB), NOSPLIT, $0-48
	TILE(LOADF32, 64, PREFETCHF32)
	RET

// func tileF16AVX512(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileF16AVX512(SB), NOSPLIT, $0-48
	TILE(LOADF16, 32, PREFETCHF16)
	RET

// func tileBF16AVX512(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileBF16AVX512(SB), NOSPLIT, $0-48
	TILE(LOADBF16, 32, PREFETCHF16)
	RET

// func tileI8AVX512(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileI8AVX512(SB), NOSPLIT, $0-48
	TILE(LOADI8, 16, PREFETCHI8)
	RET
