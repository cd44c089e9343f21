#include "textflag.h"
#include "avx2_amd64.h"
#include "float_avx512_amd64.h"

// Products of F32, F16, BF16 and I8 panels on AVX-512 (I8: [columns][16]int8). A column, 16 weights, is one zmm; the FMA broadcasts the activation from memory itself.
//
// Even and odd columns have accumulators of their own, which are added in the end; so do the tiles (tilef_avx512_amd64.s) for each token, which have no
// room for more. An FMA takes 4 cycles, hence this takes 16 bytes of F16 a cycle, more than memory gives.
//
// Instructions per weight: F32 0.31, F16 0.28, BF16 0.34, I8 0.34.
//
//	DI y   SI weights   DX activations   CX columns left   Z0, Z1 acc   Z4, Z5 weights

// PANEL is a whole kernel; a column has so many bytes.
#define PANEL(load, bytes, ahead) \
	MOVQ   y+0(FP), DI    \
	MOVQ   w+8(FP), SI    \
	MOVQ   x+16(FP), DX   \
	MOVQ   n+24(FP), CX   \
	VPXORD Z0, Z0, Z0     \
	VPXORD Z1, Z1, Z1     \
	SUBQ   $2, CX         \
	JLT    last           \
two:                          \
	ahead(SI)             \
	load((SI), Z4)        \
	load(bytes(SI), Z5)   \
	VFMADD231PS.BCST (DX), Z4, Z0  \
	VFMADD231PS.BCST 4(DX), Z5, Z1 \
	ADDQ   $(2*bytes), SI \
	ADDQ   $8, DX         \
	SUBQ   $2, CX         \
	JGE    two            \
last:                         \
	ADDQ   $2, CX         \
	JZ     done           \
	load((SI), Z4)        \
	VFMADD231PS.BCST (DX), Z4, Z0 \
done:                         \
	VADDPS  Z1, Z0, Z0    \
	VMOVUPS Z0, (DI)      \
	VZEROUPPER

// func panelF32AVX512(y, w, x unsafe.Pointer, n int)
TEXT ·panelF32AVX512(SB), NOSPLIT, $0-32
	PANEL(LOADF32, 64, AHEADF32)
	RET

// func panelF16AVX512(y, w, x unsafe.Pointer, n int)
TEXT ·panelF16AVX512(SB), NOSPLIT, $0-32
	PANEL(LOADF16, 32, AHEADF16)
	RET

// func panelBF16AVX512(y, w, x unsafe.Pointer, n int)
TEXT ·panelBF16AVX512(SB), NOSPLIT, $0-32
	PANEL(LOADBF16, 32, AHEADF16)
	RET

// func panelI8AVX512(y, w, x unsafe.Pointer, n int)
TEXT ·panelI8AVX512(SB), NOSPLIT, $0-32
	PANEL(LOADI8, 16, AHEADF16)
	RET
