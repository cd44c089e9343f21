#include "textflag.h"
#include "avx2_amd64.h"

// Products of F32, F16, BF16 and I8 panels on AVX-512 (I8: [columns][16]int8). A column, 16 weights, is one zmm; the FMA broadcasts the activation from memory itself.
//
// An FMA takes 4 cycles, so columns c, c+1, c+2, c+3 have accumulators of their own; the last columns that make no four use the first.
// In the end they are added as (0+1)+(2+3). The tile (tilef_avx512_amd64.s) does the same for each token.
//
// Instructions per weight: F32 0.25, F16 0.22, BF16 0.28, I8 0.27.
//
//	DI y   SI weights   DX activations   CX columns left   Z0-Z3 acc   Z4-Z7 weights

// Loads of 16 weights.
#define LOADF32(m, r) VMOVUPS m, r
#define LOADF16(m, r) VCVTPH2PS m, r
#define LOADBF16(m, r) \
	VPMOVZXWD m, r \
	VPSLLD    $16, r, r
#define LOADI8(m, r) \
	VPMOVSXBD m, r \
	VCVTDQ2PS r, r

#define PREFETCHF32 PREFETCH4(0)
#define PREFETCHF16 \
	PREFETCHT0 prefetchBytes(SI) \
	PREFETCHT0 (prefetchBytes+64)(SI)
#define PREFETCHI8 PREFETCHT0 prefetchBytes(SI)

// PANEL is a whole kernel; a column has so many bytes.
#define PANEL(load, bytes, prefetch) \
	MOVQ   y+0(FP), DI        \
	MOVQ   w+8(FP), SI        \
	MOVQ   x+16(FP), DX       \
	MOVQ   n+24(FP), CX       \
	VPXORD Z0, Z0, Z0         \
	VPXORD Z1, Z1, Z1         \
	VPXORD Z2, Z2, Z2         \
	VPXORD Z3, Z3, Z3         \
	SUBQ   $4, CX             \
	JLT    last               \
four:                         \
	prefetch                  \
	load((SI), Z4)            \
	load(bytes(SI), Z5)       \
	load((2*bytes)(SI), Z6)   \
	load((3*bytes)(SI), Z7)   \
	VFMADD231PS.BCST (DX), Z4, Z0   \
	VFMADD231PS.BCST 4(DX), Z5, Z1  \
	VFMADD231PS.BCST 8(DX), Z6, Z2  \
	VFMADD231PS.BCST 12(DX), Z7, Z3 \
	ADDQ   $(4*bytes), SI     \
	ADDQ   $16, DX            \
	SUBQ   $4, CX             \
	JGE    four               \
last:                         \
	ADDQ   $4, CX             \
	JZ     done               \
one:                          \
	load((SI), Z4)            \
	VFMADD231PS.BCST (DX), Z4, Z0 \
	ADDQ   $bytes, SI         \
	ADDQ   $4, DX             \
	DECQ   CX                 \
	JNZ    one                \
done:                         \
	VADDPS  Z1, Z0, Z0        \
	VADDPS  Z3, Z2, Z2        \
	VADDPS  Z2, Z0, Z0        \
	VMOVUPS Z0, (DI)          \
	VZEROUPPER

// func panelF32AVX512(y, w, x unsafe.Pointer, n int)
TEXT ·panelF32AVX512(SB), NOSPLIT, $0-32
	PANEL(LOADF32, 64, PREFETCHF32)
	RET

// func panelF16AVX512(y, w, x unsafe.Pointer, n int)
TEXT ·panelF16AVX512(SB), NOSPLIT, $0-32
	PANEL(LOADF16, 32, PREFETCHF16)
	RET

// func panelBF16AVX512(y, w, x unsafe.Pointer, n int)
TEXT ·panelBF16AVX512(SB), NOSPLIT, $0-32
	PANEL(LOADBF16, 32, PREFETCHF16)
	RET

// func panelI8AVX512(y, w, x unsafe.Pointer, n int)
TEXT ·panelI8AVX512(SB), NOSPLIT, $0-32
	PANEL(LOADI8, 16, PREFETCHI8)
	RET
