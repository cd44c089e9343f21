#include "textflag.h"
#include "neon_arm64.h"

// Rows of BF16, for every arm64 variant. A BF16 number is the upper half of a float32: SHLL moves 4 of them there. What is left of 16
// elements goes one at a time, in lane 0: every element of an axpy is one fused multiply-add, wherever it lies.
//
// Instructions per element: dot 0.88, axpy 1.0.
//
//	R0 x or y   R1 w   R2 elements left
//	V0-V3 w   V4-V7 x or y   V16-V19 sums   V20 a

#define BF16_W16 \
	FLDPQ.P 32(R1), (F0, F2) \
	SHLL2_8H(1, 0) \
	SHLL_4H(0, 0)  \
	SHLL2_8H(3, 2) \
	SHLL_4H(2, 2)
#define BF16_W1 \
	MOVHU.P 2(R1), R3 \
	LSL   $16, R3     \
	FMOVS R3, F0

// func dotBF16NEON(x *float32, w unsafe.Pointer, n int) float32
TEXT ·dotBF16NEON(SB), NOSPLIT, $0-28
	MOVD x+0(FP), R0
	MOVD w+8(FP), R1
	MOVD n+16(FP), R2
	ZERO4(V16, V17, V18, V19)
	SUBS $16, R2
	BLT  ones

sixteen:
	LOAD4(0, R0, F4, F5, F6, F7)
	ADD  $64, R0
	BF16_W16
	FMLA_4S(16, 4, 0)
	FMLA_4S(17, 5, 1)
	FMLA_4S(18, 6, 2)
	FMLA_4S(19, 7, 3)
	SUBS $16, R2
	BGE  sixteen

ones:
	ADDS $16, R2
	BEQ  done

one:
	FMOVS.P 4(R0), F4
	BF16_W1
	FMLA_4S(16, 4, 0) // the other lanes are 0
	SUBS $1, R2
	BNE  one

done:
	FADD_4S(16, 16, 17)
	FADD_4S(18, 18, 19)
	FADD_4S(16, 16, 18)
	FADDP_4S(16, 16, 16)
	FADDP_4S(16, 16, 16)
	FMOVS F16, ret+24(FP)
	RET

// func axpyBF16NEON(y *float32, w unsafe.Pointer, a float32, n int)
TEXT ·axpyBF16NEON(SB), NOSPLIT, $0-32
	MOVD  y+0(FP), R0
	MOVD  w+8(FP), R1
	FMOVS a+16(FP), F20
	MOVD  n+24(FP), R2
	SUBS  $16, R2
	BLT   ones

sixteen:
	LOAD4(0, R0, F4, F5, F6, F7)
	BF16_W16
	FMLA_E(4, 0, 20, 0)
	FMLA_E(5, 1, 20, 0)
	FMLA_E(6, 2, 20, 0)
	FMLA_E(7, 3, 20, 0)
	STORE4(0, R0, F4, F5, F6, F7)
	ADD   $64, R0
	SUBS  $16, R2
	BGE   sixteen

ones:
	ADDS $16, R2
	BEQ  done

one:
	FMOVS   (R0), F4
	BF16_W1
	FMLA_E(4, 0, 20, 0)
	FMOVS.P F4, 4(R0)
	SUBS    $1, R2
	BNE     one

done:
	RET
