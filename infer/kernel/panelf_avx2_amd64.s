#include "textflag.h"
#include "avx2_amd64.h"

// Products of F32, F16, BF16 and I8 panels on AVX2 (I8: [columns][16]int8, values of the KV cache). A column is 16 weights: one ymm for rows 0-7, one for rows 8-15.
//
// An FMA takes 4 cycles, so even and odd columns have accumulators of their own, added at the end; a last column without a partner goes to the even
// ones. The tile (tilef_avx2_amd64.s) keeps that order and so gives the same bits.
//
// Instructions per weight: F32 0.50, F16 0.50, BF16 0.62, I8 0.62.
//
//	DI y   SI weights   DX activations   CX columns left
//	Y0, Y1 acc of even columns, rows 0-7 and 8-15   Y2, Y3 of odd columns   Y4 activation   Y6, Y7 weights

// COLUMN loads the 16 weights at byte off by load and adds them times the activation at x to a and b.
#define COLUMN(load, off, bytes, x, a, b) \
	VBROADCASTSS x, Y4              \
	load((off)(SI), Y6)             \
	load((off+bytes/2)(SI), Y7)     \
	VFMADD231PS  Y6, Y4, a          \
	VFMADD231PS  Y7, Y4, b

// Loads of 8 weights.
#define LOADF32(m, r) VMOVUPS m, r
#define LOADF16(m, r) VCVTPH2PS m, r
#define LOADBF16(m, r) \
	VPMOVZXWD m, r \
	VPSLLD    $16, r, r
#define LOADI8(m, r) \
	VPMOVSXBD m, r \
	VCVTDQ2PS r, r

// PANEL is a whole kernel; a column has so many bytes.
#define PANEL(load, bytes) \
	MOVQ   y+0(FP), DI             \
	MOVQ   w+8(FP), SI             \
	MOVQ   x+16(FP), DX            \
	MOVQ   n+24(FP), CX            \
	VXORPS Y0, Y0, Y0              \
	VXORPS Y1, Y1, Y1              \
	VXORPS Y2, Y2, Y2              \
	VXORPS Y3, Y3, Y3              \
	SUBQ   $2, CX                  \
	JLT    last                    \
pair:                              \
	PREFETCHT0 prefetchBytes(SI)   \
	PREFETCHT0 (prefetchBytes+bytes)(SI) \
	COLUMN(load, 0, bytes, (DX), Y0, Y1) \
	COLUMN(load, bytes, bytes, 4(DX), Y2, Y3) \
	ADDQ   $(2*bytes), SI          \
	ADDQ   $8, DX                  \
	SUBQ   $2, CX                  \
	JGE    pair                    \
last:                              \
	ADDQ   $2, CX                  \
	JZ     done                    \
	COLUMN(load, 0, bytes, (DX), Y0, Y1) \
done:                              \
	VADDPS  Y2, Y0, Y0             \
	VADDPS  Y3, Y1, Y1             \
	VMOVUPS Y0, (DI)               \
	VMOVUPS Y1, 32(DI)             \
	VZEROUPPER

// func panelF32AVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelF32AVX2(SB), NOSPLIT, $0-32
	PANEL(LOADF32, 64)
	RET

// func panelF16AVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelF16AVX2(SB), NOSPLIT, $0-32
	PANEL(LOADF16, 32)
	RET

// func panelBF16AVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelBF16AVX2(SB), NOSPLIT, $0-32
	PANEL(LOADBF16, 32)
	RET

// func panelI8AVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelI8AVX2(SB), NOSPLIT, $0-32
	PANEL(LOADI8, 16)
	RET
