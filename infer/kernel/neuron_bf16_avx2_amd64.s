#include "textflag.h"

// Rows of BF16 on AVX2. A BF16 number is the upper half of a float32, where VPSHUFB puts it: 8 are loaded into both halves of a
// register. What is left of 32 elements goes one at a time, in lane 0: every element of an axpy is one fused multiply-add, wherever it lies.
//
// Instructions per element: dot 0.5, axpy 0.62.
//
//	SI x   DI y   DX weights   CX elements left   Y0-Y3 sums   Y4-Y7 weights   Y8 a   Y9 places

DATA bf16Places<>+0(SB)/8, $0x0302ffff0100ffff
DATA bf16Places<>+8(SB)/8, $0x0706ffff0504ffff
DATA bf16Places<>+16(SB)/8, $0x0b0affff0908ffff
DATA bf16Places<>+24(SB)/8, $0x0f0effff0d0cffff
GLOBL bf16Places<>(SB), RODATA|NOPTR, $32

#define WEIGHTS \
	VBROADCASTI128 (DX), Y4   \
	VBROADCASTI128 16(DX), Y5 \
	VBROADCASTI128 32(DX), Y6 \
	VBROADCASTI128 48(DX), Y7 \
	VPSHUFB Y9, Y4, Y4        \
	VPSHUFB Y9, Y5, Y5        \
	VPSHUFB Y9, Y6, Y6        \
	VPSHUFB Y9, Y7, Y7
#define WEIGHT \
	MOVWLZX (DX), AX \
	SHLL    $16, AX  \
	VMOVD   AX, X4

// func dotBF16AVX2(x *float32, w unsafe.Pointer, n int) float32
TEXT ·dotBF16AVX2(SB), NOSPLIT, $0-28
	MOVQ   x+0(FP), SI
	MOVQ   w+8(FP), DX
	MOVQ   n+16(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VMOVDQU bf16Places<>(SB), Y9
	SUBQ   $32, CX
	JLT    ones

thirtytwo:
	WEIGHTS
	VFMADD231PS (SI), Y4, Y0
	VFMADD231PS 32(SI), Y5, Y1
	VFMADD231PS 64(SI), Y6, Y2
	VFMADD231PS 96(SI), Y7, Y3
	ADDQ        $128, SI
	ADDQ        $64, DX
	SUBQ        $32, CX
	JGE         thirtytwo

ones:
	VADDPS       Y1, Y0, Y0
	VADDPS       Y3, Y2, Y2
	VADDPS       Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS       X1, X0, X0
	VPERMILPS    $0x4e, X0, X1
	VADDPS       X1, X0, X0
	VPERMILPS    $0xb1, X0, X1
	VADDPS       X1, X0, X0
	ADDQ         $32, CX
	JZ           done

one:
	WEIGHT
	VFMADD231SS (SI), X4, X0
	ADDQ        $4, SI
	ADDQ        $2, DX
	DECQ        CX
	JNZ         one

done:
	VZEROUPPER
	MOVSS X0, ret+24(FP)
	RET

// func axpyBF16AVX2(y *float32, w unsafe.Pointer, a float32, n int)
TEXT ·axpyBF16AVX2(SB), NOSPLIT, $0-32
	MOVQ         y+0(FP), DI
	MOVQ         w+8(FP), DX
	VBROADCASTSS a+16(FP), Y8
	MOVQ         n+24(FP), CX
	VMOVDQU      bf16Places<>(SB), Y9
	SUBQ         $32, CX
	JLT          ones

thirtytwo:
	WEIGHTS
	VFMADD213PS (DI), Y8, Y4
	VFMADD213PS 32(DI), Y8, Y5
	VFMADD213PS 64(DI), Y8, Y6
	VFMADD213PS 96(DI), Y8, Y7
	VMOVUPS     Y4, (DI)
	VMOVUPS     Y5, 32(DI)
	VMOVUPS     Y6, 64(DI)
	VMOVUPS     Y7, 96(DI)
	ADDQ        $128, DI
	ADDQ        $64, DX
	SUBQ        $32, CX
	JGE         thirtytwo

ones:
	ADDQ $32, CX
	JZ   done

one:
	WEIGHT
	VFMADD213SS (DI), X8, X4
	VMOVSS      X4, (DI)
	ADDQ        $4, DI
	ADDQ        $2, DX
	DECQ        CX
	JNZ         one

done:
	VZEROUPPER
	RET
