#include "textflag.h"
#include "avx2_amd64.h"

// Operations on one row of weights as it lies in the file, on AVX2. Rows are aligned to their elements only; every load ends
// within the row. They are used on rows that come from cache or flash, a few thousand weights each, so AVX-512 uses them too.

// Dots: four accumulators of 8 lanes, then of what is left 8 at a time, then a sum over the lanes, then one at a time.
//
//	SI x   DX weights   CX left   Y0-Y3 acc

// LANES adds the lanes of Y0-Y3 into X0.
#define LANES \
	VADDPS       Y1, Y0, Y0      \
	VADDPS       Y3, Y2, Y2      \
	VADDPS       Y2, Y0, Y0      \
	VEXTRACTF128 $1, Y0, X1      \
	VADDPS       X1, X0, X0      \
	VPERMILPS    $0x4e, X0, X1   \
	VADDPS       X1, X0, X0      \
	VPERMILPS    $0xb1, X0, X1   \
	VADDPS       X1, X0, X0

// func dotF32AVX2(x *float32, w unsafe.Pointer, n int) float32
TEXT ·dotF32AVX2(SB), NOSPLIT, $0-28
	MOVQ   x+0(FP), SI
	MOVQ   w+8(FP), DX
	MOVQ   n+16(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	SUBQ   $32, CX
	JLT    eights

thirtytwo:
	VMOVUPS     (SI), Y4
	VMOVUPS     32(SI), Y5
	VMOVUPS     64(SI), Y6
	VMOVUPS     96(SI), Y7
	VFMADD231PS (DX), Y4, Y0
	VFMADD231PS 32(DX), Y5, Y1
	VFMADD231PS 64(DX), Y6, Y2
	VFMADD231PS 96(DX), Y7, Y3
	ADDQ        $128, SI
	ADDQ        $128, DX
	SUBQ        $32, CX
	JGE         thirtytwo

eights:
	ADDQ $24, CX
	JLT  lanes

eight:
	VMOVUPS     (SI), Y4
	VFMADD231PS (DX), Y4, Y0
	ADDQ        $32, SI
	ADDQ        $32, DX
	SUBQ        $8, CX
	JGE         eight

lanes:
	LANES
	ADDQ $8, CX
	JZ   done

one:
	VMOVSS      (SI), X4
	VFMADD231SS (DX), X4, X0
	ADDQ        $4, SI
	ADDQ        $4, DX
	DECQ        CX
	JNZ         one

done:
	VZEROUPPER
	MOVSS X0, ret+24(FP)
	RET

// func dotF16AVX2(x *float32, w unsafe.Pointer, n int) float32
TEXT ·dotF16AVX2(SB), NOSPLIT, $0-28
	MOVQ   x+0(FP), SI
	MOVQ   w+8(FP), DX
	MOVQ   n+16(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	SUBQ   $32, CX
	JLT    eights

thirtytwo:
	VCVTPH2PS   (DX), Y4
	VCVTPH2PS   16(DX), Y5
	VCVTPH2PS   32(DX), Y6
	VCVTPH2PS   48(DX), Y7
	VFMADD231PS (SI), Y4, Y0
	VFMADD231PS 32(SI), Y5, Y1
	VFMADD231PS 64(SI), Y6, Y2
	VFMADD231PS 96(SI), Y7, Y3
	ADDQ        $128, SI
	ADDQ        $64, DX
	SUBQ        $32, CX
	JGE         thirtytwo

eights:
	ADDQ $24, CX
	JLT  lanes

eight:
	VCVTPH2PS   (DX), Y4
	VFMADD231PS (SI), Y4, Y0
	ADDQ        $32, SI
	ADDQ        $16, DX
	SUBQ        $8, CX
	JGE         eight

lanes:
	LANES
	ADDQ $8, CX
	JZ   done

one:
	MOVWLZX     (DX), AX
	VMOVD       AX, X4
	VCVTPH2PS   X4, X4
	VFMADD231SS (SI), X4, X0
	ADDQ        $4, SI
	ADDQ        $2, DX
	DECQ        CX
	JNZ         one

done:
	VZEROUPPER
	MOVSS X0, ret+24(FP)
	RET

// Axpys: y += a*w, one fused operation for each element wherever it lies in the row.
//
//	DI y   SI weights   CX left   Y0 a in each lane

// func axpyF32AVX2(y *float32, w unsafe.Pointer, a float32, n int)
TEXT ·axpyF32AVX2(SB), NOSPLIT, $0-32
	MOVQ         y+0(FP), DI
	MOVQ         w+8(FP), SI
	VBROADCASTSS a+16(FP), Y0
	MOVQ         n+24(FP), CX
	SUBQ         $32, CX
	JLT          eights

thirtytwo:
	VMOVUPS     (DI), Y1
	VMOVUPS     32(DI), Y2
	VMOVUPS     64(DI), Y3
	VMOVUPS     96(DI), Y4
	VFMADD231PS (SI), Y0, Y1
	VFMADD231PS 32(SI), Y0, Y2
	VFMADD231PS 64(SI), Y0, Y3
	VFMADD231PS 96(SI), Y0, Y4
	VMOVUPS     Y1, (DI)
	VMOVUPS     Y2, 32(DI)
	VMOVUPS     Y3, 64(DI)
	VMOVUPS     Y4, 96(DI)
	ADDQ        $128, DI
	ADDQ        $128, SI
	SUBQ        $32, CX
	JGE         thirtytwo

eights:
	ADDQ $24, CX
	JLT  ones

eight:
	VMOVUPS     (DI), Y1
	VFMADD231PS (SI), Y0, Y1
	VMOVUPS     Y1, (DI)
	ADDQ        $32, DI
	ADDQ        $32, SI
	SUBQ        $8, CX
	JGE         eight

ones:
	ADDQ $8, CX
	JZ   done

one:
	VMOVSS      (DI), X1
	VFMADD231SS (SI), X0, X1
	VMOVSS      X1, (DI)
	ADDQ        $4, DI
	ADDQ        $4, SI
	DECQ        CX
	JNZ         one

done:
	VZEROUPPER
	RET

// func axpyF16AVX2(y *float32, w unsafe.Pointer, a float32, n int)
TEXT ·axpyF16AVX2(SB), NOSPLIT, $0-32
	MOVQ         y+0(FP), DI
	MOVQ         w+8(FP), SI
	VBROADCASTSS a+16(FP), Y0
	MOVQ         n+24(FP), CX
	SUBQ         $32, CX
	JLT          eights

thirtytwo:
	VCVTPH2PS   (SI), Y1
	VCVTPH2PS   16(SI), Y2
	VCVTPH2PS   32(SI), Y3
	VCVTPH2PS   48(SI), Y4
	VFMADD213PS (DI), Y0, Y1
	VFMADD213PS 32(DI), Y0, Y2
	VFMADD213PS 64(DI), Y0, Y3
	VFMADD213PS 96(DI), Y0, Y4
	VMOVUPS     Y1, (DI)
	VMOVUPS     Y2, 32(DI)
	VMOVUPS     Y3, 64(DI)
	VMOVUPS     Y4, 96(DI)
	ADDQ        $128, DI
	ADDQ        $64, SI
	SUBQ        $32, CX
	JGE         thirtytwo

eights:
	ADDQ $24, CX
	JLT  ones

eight:
	VCVTPH2PS   (SI), Y1
	VFMADD213PS (DI), Y0, Y1
	VMOVUPS     Y1, (DI)
	ADDQ        $32, DI
	ADDQ        $16, SI
	SUBQ        $8, CX
	JGE         eight

ones:
	ADDQ $8, CX
	JZ   done

one:
	MOVWLZX     (SI), AX
	VMOVD       AX, X1
	VCVTPH2PS   X1, X1
	VFMADD213SS (DI), X0, X1
	VMOVSS      X1, (DI)
	ADDQ        $4, DI
	ADDQ        $2, SI
	DECQ        CX
	JNZ         one

done:
	VZEROUPPER
	RET

// BLOCKSCALE puts a times the scale of the block at SI into each lane of Y1.
#define BLOCKSCALE \
	VPBROADCASTW (SI), X1   \
	VCVTPH2PS    X1, Y1     \
	VMULPS       Y0, Y1, Y1

// ADD8 adds the 8 integers of r, scaled, to y at off.
#define ADD8(off, r) \
	VCVTDQ2PS   r, r           \
	VFMADD213PS off(DI), Y1, r \
	VMOVUPS     r, off(DI)

// func axpyQ8AVX2(y *float32, w unsafe.Pointer, a float32, blocks int)
TEXT ·axpyQ8AVX2(SB), NOSPLIT, $0-32
	MOVQ         y+0(FP), DI
	MOVQ         w+8(FP), SI
	VBROADCASTSS a+16(FP), Y0
	MOVQ         blocks+24(FP), CX

block:
	BLOCKSCALE
	VPMOVSXBD 2(SI), Y2
	VPMOVSXBD 10(SI), Y3
	VPMOVSXBD 18(SI), Y4
	VPMOVSXBD 26(SI), Y5
	ADD8(0, Y2)
	ADD8(32, Y3)
	ADD8(64, Y4)
	ADD8(96, Y5)
	ADDQ      $34, SI
	ADDQ      $128, DI
	DECQ      CX
	JNZ       block

	VZEROUPPER
	RET

// func axpyQ4AVX2(y *float32, w unsafe.Pointer, a float32, blocks int)
TEXT ·axpyQ4AVX2(SB), NOSPLIT, $0-32
	MOVQ         y+0(FP), DI
	MOVQ         w+8(FP), SI
	VBROADCASTSS a+16(FP), Y0
	MOVQ         blocks+24(FP), CX
	NIBBLES(Y15)
	MOVL         $8, AX
	VMOVD        AX, X14
	VPBROADCASTD X14, Y14

block:
	BLOCKSCALE
	VPMOVZXBD 2(SI), Y2
	VPMOVZXBD 10(SI), Y3
	VPSRLD    $4, Y2, Y4
	VPSRLD    $4, Y3, Y5
	VPAND     Y15, Y2, Y2
	VPAND     Y15, Y3, Y3
	VPSUBD    Y14, Y2, Y2
	VPSUBD    Y14, Y3, Y3
	VPSUBD    Y14, Y4, Y4
	VPSUBD    Y14, Y5, Y5
	ADD8(0, Y2)
	ADD8(32, Y3)
	ADD8(64, Y4)
	ADD8(96, Y5)
	ADDQ      $18, SI
	ADDQ      $128, DI
	DECQ      CX
	JNZ       block

	VZEROUPPER
	RET
