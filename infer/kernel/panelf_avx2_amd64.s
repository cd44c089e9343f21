#include "textflag.h"
#include "avx2_amd64.h"

// Products of F32 and F16 panels on AVX2. A column is 16 weights: one ymm for rows 0-7, one for rows 8-15.
//
// An FMA takes 4 cycles, so even and odd columns have accumulators of their own, added at the end; a last column without a partner goes to the even
// ones. The tile (tilef_avx2_amd64.s) keeps that order and so gives the same bits.
//
// Instructions per weight: F32 0.38, F16 0.47.
//
//	DI y   SI weights   DX activations   CX columns left
//	Y0, Y1 acc of even columns, rows 0-7 and 8-15   Y2, Y3 of odd columns

// func panelF32AVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelF32AVX2(SB), NOSPLIT, $0-32
	MOVQ   y+0(FP), DI
	MOVQ   w+8(FP), SI
	MOVQ   x+16(FP), DX
	MOVQ   n+24(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	SUBQ   $2, CX
	JLT    last

pair:
	PREFETCHT0   prefetchBytes(SI)
	PREFETCHT0   (prefetchBytes+64)(SI)
	VBROADCASTSS (DX), Y4
	VBROADCASTSS 4(DX), Y5
	VFMADD231PS  (SI), Y4, Y0
	VFMADD231PS  32(SI), Y4, Y1
	VFMADD231PS  64(SI), Y5, Y2
	VFMADD231PS  96(SI), Y5, Y3
	ADDQ         $128, SI
	ADDQ         $8, DX
	SUBQ         $2, CX
	JGE          pair

last:
	ADDQ         $2, CX
	JZ           done
	VBROADCASTSS (DX), Y4
	VFMADD231PS  (SI), Y4, Y0
	VFMADD231PS  32(SI), Y4, Y1

done:
	VADDPS  Y2, Y0, Y0
	VADDPS  Y3, Y1, Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VZEROUPPER
	RET

// func panelF16AVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelF16AVX2(SB), NOSPLIT, $0-32
	MOVQ   y+0(FP), DI
	MOVQ   w+8(FP), SI
	MOVQ   x+16(FP), DX
	MOVQ   n+24(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	SUBQ   $2, CX
	JLT    last

pair:
	PREFETCHT0   prefetchBytes(SI)
	VBROADCASTSS (DX), Y4
	VBROADCASTSS 4(DX), Y5
	VCVTPH2PS    (SI), Y6
	VCVTPH2PS    16(SI), Y7
	VCVTPH2PS    32(SI), Y8
	VCVTPH2PS    48(SI), Y9
	VFMADD231PS  Y6, Y4, Y0
	VFMADD231PS  Y7, Y4, Y1
	VFMADD231PS  Y8, Y5, Y2
	VFMADD231PS  Y9, Y5, Y3
	ADDQ         $64, SI
	ADDQ         $8, DX
	SUBQ         $2, CX
	JGE          pair

last:
	ADDQ         $2, CX
	JZ           done
	VBROADCASTSS (DX), Y4
	VCVTPH2PS    (SI), Y6
	VCVTPH2PS    16(SI), Y7
	VFMADD231PS  Y6, Y4, Y0
	VFMADD231PS  Y7, Y4, Y1

done:
	VADDPS  Y2, Y0, Y0
	VADDPS  Y3, Y1, Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VZEROUPPER
	RET
