#include "textflag.h"
#include "avx2_amd64.h"

// 8-bit records of activations on AVX2, the bits of quantizeGo.
//
//	DI values   R8 scales   R9 sums   R10 sums of first halves   SI activations   CX blocks left
//	Y0-Y3 the block   Y12 0x7fffffff   Y13 the order in which VPACK leaves its 4-byte pieces   Y14 bytes of 1   Y15 Inf
//	Y10 16-bit lanes of 1   X11 127
//
// The bits of |x| are ordered as integers, with NaN above Inf, so an integer maximum finds amax and lets NaN through. Conversion rounds to
// nearest, ties to even (MXCSR as Go leaves it). |x| * (127/amax) is at most 127*(1 + 2^-23), which rounds to 127: nothing is left to clamp.
// About 2 instructions per value; a matrix reads every value of its input once for each 16 rows, so this is not worth more.

DATA order<>+0(SB)/8, $0x0000000400000000
DATA order<>+8(SB)/8, $0x0000000500000001
DATA order<>+16(SB)/8, $0x0000000600000002
DATA order<>+24(SB)/8, $0x0000000700000003
GLOBL order<>(SB), RODATA|NOPTR, $32

// ROUND multiplies by Y4 (127/amax or 0) and rounds to integers. What is not a number then (NaN, or Inf times 0) becomes 0.
#define ROUND(r, t) \
	VMULPS    Y4, r, r     \
	VCMPPS    $7, r, r, t  \ // ordered: all ones unless NaN
	VANDPS    t, r, r      \
	VCVTPS2DQ r, r

// func quantizeAVX2(dst unsafe.Pointer, x *float32, blocks int)
TEXT ·quantizeAVX2(SB), NOSPLIT, $0-24
	MOVQ         dst+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         blocks+16(FP), CX
	MOVQ         CX, AX
	SHLQ         $5, AX
	LEAQ         (DI)(AX*1), R8
	LEAQ         (R8)(CX*4), R9
	LEAQ         (R9)(CX*4), R10
	VPCMPEQD     Y12, Y12, Y12
	VPABSB       Y12, Y14
	VPSRLD       $1, Y12, Y12
	ONES16(Y10)
	VMOVDQU      order<>(SB), Y13
	MOVL         $0x7f800000, AX
	VMOVD        AX, X15
	VPBROADCASTD X15, Y15
	MOVL         $0x42fe0000, AX
	VMOVD        AX, X11

block:
	VMOVUPS      (SI), Y0
	VMOVUPS      32(SI), Y1
	VMOVUPS      64(SI), Y2
	VMOVUPS      96(SI), Y3
	VPAND        Y12, Y0, Y4
	VPAND        Y12, Y1, Y5
	VPAND        Y12, Y2, Y6
	VPAND        Y12, Y3, Y7
	VPMAXSD      Y5, Y4, Y4
	VPMAXSD      Y7, Y6, Y6
	VPMAXSD      Y6, Y4, Y4
	VEXTRACTI128 $1, Y4, X5
	VPMAXSD      X5, X4, X4
	VPSHUFD      $0x4e, X4, X5
	VPMAXSD      X5, X4, X4
	VPSHUFD      $0xb1, X4, X5
	VPMAXSD      X5, X4, X4
	VDIVSS       X11, X4, X5
	VMOVSS       X5, (R8)
	VDIVSS       X4, X11, X4
	VCMPSS       $1, X15, X4, X5    // 127/amax < Inf; not for 0, tiny or NaN
	VANDPS       X5, X4, X4
	VBROADCASTSS X4, Y4
	ROUND(Y0, Y5)
	ROUND(Y1, Y6)
	ROUND(Y2, Y7)
	ROUND(Y3, Y8)
	VPACKSSDW    Y1, Y0, Y0
	VPACKSSDW    Y3, Y2, Y2
	VPACKSSWB    Y2, Y0, Y0
	VPERMD       Y0, Y13, Y0
	VMOVDQU      Y0, (DI)

	// The sums: pairs in 16 bits, then fours in 32, then those of each half.
	VPMADDUBSW   Y0, Y14, Y0
	VPMADDWD     Y10, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPHADDD      X1, X0, X0
	VPHADDD      X0, X0, X0
	VMOVD        X0, (R10)
	VPHADDD      X0, X0, X0
	VMOVD        X0, (R9)
	ADDQ         $128, SI
	ADDQ         $32, DI
	ADDQ         $4, R8
	ADDQ         $4, R9
	ADDQ         $4, R10
	DECQ         CX
	JNZ          block

	VZEROUPPER
	RET
