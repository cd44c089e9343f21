#include "textflag.h"
#include "avx2_amd64.h"

// Operations on whole float32 vectors on AVX2, 8 elements at a time. The last ones are loaded and stored under a mask and take the same path, so
// an element's bits do not depend on its place.
//
// e^x is 2^n * e^r with n = round(x / ln 2) and r = x - n ln 2, at most ln 2 / 2 from 0, the product in two parts so that r is
// exact; e^r = 1 + r + r^2 P(r). P has the least largest error that its degree allows, 3e-9 of e^r: an element ends within 1 unit of its last place.
//
//	CX elements left   Y2-Y4 scratch   Y5 e^expHigh's x   Y6 1   Y7-Y11 P from the highest power down   Y12 ln 2, low   Y13 ln 2, high
//	Y14 1/ln 2   Y15 expLow

DATA expTable<>+0(SB)/4, $0x42b0bd71  // expHigh
DATA expTable<>+4(SB)/4, $0x3f800000  // 1
DATA expTable<>+8(SB)/4, $0x3ab511a7  // P
DATA expTable<>+12(SB)/4, $0x3c091d36
DATA expTable<>+16(SB)/4, $0x3d2aac7a
DATA expTable<>+20(SB)/4, $0x3e2aaa48
DATA expTable<>+24(SB)/4, $0x3efffffe
DATA expTable<>+28(SB)/4, $0x35bfbe8e // ln 2 in two parts
DATA expTable<>+32(SB)/4, $0x3f317200
DATA expTable<>+36(SB)/4, $0x3fb8aa3b // 1/ln 2
DATA expTable<>+40(SB)/4, $0xc2aea8f6 // expLow
GLOBL expTable<>(SB), RODATA|NOPTR, $44

// tailMask has 8 lanes of ones, then 8 of zeros: at 4*(8-n) begins the mask of n elements.
DATA tailMask<>+0(SB)/8, $0xffffffffffffffff
DATA tailMask<>+8(SB)/8, $0xffffffffffffffff
DATA tailMask<>+16(SB)/8, $0xffffffffffffffff
DATA tailMask<>+24(SB)/8, $0xffffffffffffffff
DATA tailMask<>+32(SB)/8, $0
DATA tailMask<>+40(SB)/8, $0
DATA tailMask<>+48(SB)/8, $0
DATA tailMask<>+56(SB)/8, $0
GLOBL tailMask<>(SB), RODATA|NOPTR, $64

#define EXPCONSTANTS \
	VBROADCASTSS expTable<>+0(SB), Y5   \
	VBROADCASTSS expTable<>+4(SB), Y6   \
	VBROADCASTSS expTable<>+8(SB), Y7   \
	VBROADCASTSS expTable<>+12(SB), Y8  \
	VBROADCASTSS expTable<>+16(SB), Y9  \
	VBROADCASTSS expTable<>+20(SB), Y10 \
	VBROADCASTSS expTable<>+24(SB), Y11 \
	VBROADCASTSS expTable<>+28(SB), Y12 \
	VBROADCASTSS expTable<>+32(SB), Y13 \
	VBROADCASTSS expTable<>+36(SB), Y14 \
	VBROADCASTSS expTable<>+40(SB), Y15

// EXP makes Y0 e^Y0. What is not less than expLow keeps its bits under the last mask: NaN among them.
#define EXP \
	VMINPS       Y0, Y5, Y0      \ // of NaN and expHigh, NaN
	VMULPS       Y14, Y0, Y2     \
	VROUNDPS     $8, Y2, Y2      \
	VCMPPS       $5, Y15, Y0, Y4 \
	VFNMADD231PS Y13, Y2, Y0     \
	VFNMADD231PS Y12, Y2, Y0     \
	VCVTPS2DQ    Y2, Y2          \
	VMOVAPS      Y7, Y3          \
	VFMADD213PS  Y8, Y0, Y3      \
	VFMADD213PS  Y9, Y0, Y3      \
	VFMADD213PS  Y10, Y0, Y3     \
	VFMADD213PS  Y11, Y0, Y3     \
	VFMADD213PS  Y6, Y0, Y3      \
	VFMADD213PS  Y6, Y0, Y3      \
	VPSLLD       $23, Y2, Y2     \
	VPADDD       Y2, Y3, Y0      \
	VANDPS       Y4, Y0, Y0

// MASK makes r the mask of the CX+8 elements left, 1 to 7.
#define MASK(r) \
	LEAQ    tailMask<>(SB), AX \
	NEGQ    CX                 \
	VMOVDQU (AX)(CX*4), r

// func maxAVX2(x *float32, n int) float32
TEXT ·maxAVX2(SB), NOSPLIT, $0-20
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	MOVL         $0xff800000, AX
	VMOVD        AX, X0
	VPBROADCASTD X0, Y0
	VMOVAPS      Y0, Y1
	VMOVAPS      Y0, Y2
	SUBQ         $16, CX
	JLT          eights

sixteen:
	VMAXPS (SI), Y0, Y0
	VMAXPS 32(SI), Y1, Y1
	ADDQ   $64, SI
	SUBQ   $16, CX
	JGE    sixteen

eights:
	VMAXPS Y1, Y0, Y0
	ADDQ   $8, CX
	JLT    tail
	VMAXPS (SI), Y0, Y0
	ADDQ   $32, SI
	SUBQ   $8, CX

tail:
	CMPQ       CX, $-8
	JEQ        lanes
	MASK(Y3)
	VMASKMOVPS (SI), Y3, Y1
	VBLENDVPS  Y3, Y1, Y2, Y1
	VMAXPS     Y1, Y0, Y0

lanes:
	VEXTRACTF128 $1, Y0, X1
	VMAXPS       X1, X0, X0
	VPERMILPS    $0x4e, X0, X1
	VMAXPS       X1, X0, X0
	VPERMILPS    $0xb1, X0, X1
	VMAXPS       X1, X0, X0
	VMOVSS       X0, ret+16(FP)
	VZEROUPPER
	RET

// func expSumAVX2(x *float32, n int, top float32) float32
//
//	SI x   X1 sum   (SP) top in each lane
TEXT ·expSumAVX2(SB), NOSPLIT, $32-28
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS top+16(FP), Y0
	VMOVUPS      Y0, tops-32(SP)
	EXPCONSTANTS
	VXORPS       Y1, Y1, Y1
	SUBQ         $8, CX
	JLT          tail

eight:
	VMOVUPS (SI), Y0
	VSUBPS  tops-32(SP), Y0, Y0
	EXP
	VMOVUPS Y0, (SI)
	VADDPS  Y0, Y1, Y1
	ADDQ    $32, SI
	SUBQ    $8, CX
	JGE     eight

tail:
	CMPQ       CX, $-8
	JEQ        lanes
	MASK(Y3)
	VMASKMOVPS (SI), Y3, Y0
	VSUBPS     tops-32(SP), Y0, Y0
	EXP
	VMOVDQU    (AX)(CX*4), Y3
	VMASKMOVPS Y0, Y3, (SI)
	VANDPS     Y3, Y0, Y0
	VADDPS     Y0, Y1, Y1

lanes:
	VEXTRACTF128 $1, Y1, X0
	VADDPS       X0, X1, X1
	VPERMILPS    $0x4e, X1, X0
	VADDPS       X0, X1, X1
	VPERMILPS    $0xb1, X1, X0
	VADDPS       X0, X1, X1
	VMOVSS       X1, ret+24(FP)
	VZEROUPPER
	RET

// LOGISTIC makes Y0, with g in Y1, g / (1 + e^((cubic*g*g + linear)*g)). The square is bounded, as no finite g may give 0 * infinity; what is
// bounded has e^x at its bounds anyway.
#define LOGISTIC \
	VMULPS      Y1, Y1, Y0            \
	VMOVUPS     linear4-32(SP), Y2    \
	VMINPS      Y0, Y5, Y0            \
	VFMADD132PS cubic4-64(SP), Y2, Y0 \
	VMULPS      Y1, Y0, Y0            \
	EXP                               \
	VADDPS      Y6, Y0, Y0            \
	VDIVPS      Y0, Y1, Y0

// func logisticMulAVX2(dst, gate, up *float32, n int, linear, cubic float32)
//
//	DI dst   SI g   DX u   Y1 g
TEXT ·logisticMulAVX2(SB), NOSPLIT, $64-40
	MOVQ         dst+0(FP), DI
	MOVQ         gate+8(FP), SI
	MOVQ         up+16(FP), DX
	MOVQ         n+24(FP), CX
	VBROADCASTSS linear+32(FP), Y0
	VMOVUPS      Y0, linear4-32(SP)
	VBROADCASTSS cubic+36(FP), Y0
	VMOVUPS      Y0, cubic4-64(SP)
	EXPCONSTANTS
	SUBQ         $8, CX
	JLT          tail

eight:
	VMOVUPS (SI), Y1
	LOGISTIC
	VMULPS  (DX), Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ    $32, SI
	ADDQ    $32, DX
	ADDQ    $32, DI
	SUBQ    $8, CX
	JGE     eight

tail:
	CMPQ       CX, $-8
	JEQ        done
	MASK(Y3)
	VMASKMOVPS (SI), Y3, Y1
	LOGISTIC
	VMOVDQU    (AX)(CX*4), Y3
	VMASKMOVPS (DX), Y3, Y2
	VMULPS     Y2, Y0, Y0
	VMASKMOVPS Y0, Y3, (DI)

done:
	VZEROUPPER
	RET

// func scaleMulAVX2(dst, a, b *float32, n int, s float32)
//
//	DI dst   SI a   DX b   Y0 s
TEXT ·scaleMulAVX2(SB), NOSPLIT, $0-36
	MOVQ         dst+0(FP), DI
	MOVQ         a+8(FP), SI
	MOVQ         b+16(FP), DX
	MOVQ         n+24(FP), CX
	VBROADCASTSS s+32(FP), Y0
	SUBQ         $8, CX
	JLT          tail

eight:
	VMULPS  (SI), Y0, Y1
	VMULPS  (DX), Y1, Y1
	VMOVUPS Y1, (DI)
	ADDQ    $32, SI
	ADDQ    $32, DX
	ADDQ    $32, DI
	SUBQ    $8, CX
	JGE     eight

tail:
	CMPQ       CX, $-8
	JEQ        done
	MASK(Y3)
	VMASKMOVPS (SI), Y3, Y1
	VMASKMOVPS (DX), Y3, Y2
	VMULPS     Y0, Y1, Y1
	VMULPS     Y2, Y1, Y1
	VMASKMOVPS Y1, Y3, (DI)

done:
	VZEROUPPER
	RET
