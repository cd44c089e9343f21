#include "textflag.h"
#include "neon_arm64.h"

// Operations on whole float32 vectors with NEON, 4 elements at a time; the last ones go one at a time through the same instructions, so an
// element's bits do not depend on its place. e^x is computed as vector_avx2_amd64.s tells.
//
//	R0 x or dst   R1, R2 other vectors   R3 elements left
//	V0 x   V1 sum, or g   V2-V4 scratch   V5 expHigh   V6 1   V7-V11 P from the highest power down   V12 ln 2, low   V13 ln 2, high
//	V14 1/ln 2   V15 expLow   V16, V17 arguments

DATA expTable<>+0(SB)/4, $0x42b0bd71
DATA expTable<>+4(SB)/4, $0x3f800000
DATA expTable<>+8(SB)/4, $0x3ab511a7
DATA expTable<>+12(SB)/4, $0x3c091d36
DATA expTable<>+16(SB)/4, $0x3d2aac7a
DATA expTable<>+20(SB)/4, $0x3e2aaa48
DATA expTable<>+24(SB)/4, $0x3efffffe
DATA expTable<>+28(SB)/4, $0x35bfbe8e
DATA expTable<>+32(SB)/4, $0x3f317200
DATA expTable<>+36(SB)/4, $0x3fb8aa3b
DATA expTable<>+40(SB)/4, $0xc2aea8f6
GLOBL expTable<>(SB), RODATA|NOPTR, $44

#define EXP_CONSTANTS \
	MOVD    $expTable<>(SB), R4 \
	VLD1R.P 4(R4), [V5.S4]      \
	VLD1R.P 4(R4), [V6.S4]      \
	VLD1R.P 4(R4), [V7.S4]      \
	VLD1R.P 4(R4), [V8.S4]      \
	VLD1R.P 4(R4), [V9.S4]      \
	VLD1R.P 4(R4), [V10.S4]     \
	VLD1R.P 4(R4), [V11.S4]     \
	VLD1R.P 4(R4), [V12.S4]     \
	VLD1R.P 4(R4), [V13.S4]     \
	VLD1R.P 4(R4), [V14.S4]     \
	VLD1R   (R4), [V15.S4]

#define COPY(d, n) VORR n.B16, n.B16, d.B16

// EXP makes V0 e^V0. NaN is not below expLow.
#define EXP \
	FMIN_4S(0, 0, 5)   \
	FMUL_4S(2, 0, 14)  \
	FCMGT_4S(18, 15, 0) \
	FRINTN_4S(2, 2)    \
	COPY(V3, V8)       \
	FMLS_4S(0, 2, 13)  \
	FMLS_4S(0, 2, 12)  \
	FCVTNS_4S(2, 2)    \
	FMLA_4S(3, 7, 0)   \
	COPY(V4, V9)       \
	FMLA_4S(4, 3, 0)   \
	COPY(V3, V10)      \
	FMLA_4S(3, 4, 0)   \
	COPY(V4, V11)      \
	FMLA_4S(4, 3, 0)   \
	COPY(V3, V6)       \
	FMLA_4S(3, 4, 0)   \
	COPY(V4, V6)       \
	FMLA_4S(4, 3, 0)   \
	VSHL $23, V2.S4, V2.S4 \
	VADD V2.S4, V4.S4, V0.S4 \
	BIC_16B(0, 0, 18)

// func maxNEON(x *float32, n int) float32
TEXT ·maxNEON(SB), NOSPLIT, $0-20
	MOVD x+0(FP), R0
	MOVD n+8(FP), R3
	MOVD $0xff800000, R4
	VDUP R4, V0.S4
	SUBS $4, R3
	BLT  tail

four:
	FMOVQ.P 16(R0), F1
	FMAX_4S(0, 0, 1)
	SUBS $4, R3
	BGE  four

tail:
	ADDS $4, R3
	BEQ  done

one:
	VLD1R.P 4(R0), [V1.S4]
	FMAX_4S(0, 0, 1)
	SUBS $1, R3
	BNE  one

done:
	FMAXV_4S(0, 0)
	FMOVS F0, ret+16(FP)
	RET

// func expSumNEON(x *float32, n int, top float32) float32
TEXT ·expSumNEON(SB), NOSPLIT, $0-28
	MOVD  x+0(FP), R0
	MOVD  n+8(FP), R3
	EXP_CONSTANTS
	MOVWU top+16(FP), R4
	VDUP  R4, V16.S4
	VMOVI $0, V1.B16
	SUBS  $4, R3
	BLT   tail

four:
	FMOVQ   (R0), F0
	FSUB_4S(0, 0, 16)
	EXP
	FMOVQ.P F0, 16(R0)
	FADD_4S(1, 1, 0)
	SUBS    $4, R3
	BGE     four

tail:
	ADDS $4, R3
	BEQ  done

one:
	FMOVS   (R0), F0
	FSUB_4S(0, 0, 16)
	EXP
	FMOVS   F0, (R0)
	FMOVS.P 4(R0), F0 // one lane of it
	FADD_4S(1, 1, 0)
	SUBS    $1, R3
	BNE     one

done:
	FADDP_4S(1, 1, 1)
	FADDP_4S(1, 1, 1)
	FMOVS F1, ret+24(FP)
	RET

// LOGISTIC makes V0, with g in V1, g / (1 + e^((cubic*g*g + linear)*g)), with the square bounded.
#define LOGISTIC \
	FMUL_4S(2, 1, 1)   \
	COPY(V0, V16)      \
	FMIN_4S(2, 2, 5)   \
	FMLA_4S(0, 2, 17)  \
	FMUL_4S(0, 0, 1)   \
	EXP                \
	FADD_4S(0, 0, 6)   \
	FDIV_4S(0, 1, 0)

// func logisticMulNEON(dst, gate, up *float32, n int, linear, cubic float32)
TEXT ·logisticMulNEON(SB), NOSPLIT, $0-40
	MOVD  dst+0(FP), R0
	MOVD  gate+8(FP), R1
	MOVD  up+16(FP), R2
	MOVD  n+24(FP), R3
	EXP_CONSTANTS
	MOVWU linear+32(FP), R4
	VDUP  R4, V16.S4
	MOVWU cubic+36(FP), R4
	VDUP  R4, V17.S4
	SUBS  $4, R3
	BLT   tail

four:
	FMOVQ.P 16(R1), F1
	LOGISTIC
	FMOVQ.P 16(R2), F2
	FMUL_4S(0, 0, 2)
	FMOVQ.P F0, 16(R0)
	SUBS    $4, R3
	BGE     four

tail:
	ADDS $4, R3
	BEQ  done

one:
	FMOVS.P 4(R1), F1
	LOGISTIC
	FMOVS.P 4(R2), F2
	FMUL_4S(0, 0, 2)
	FMOVS.P F0, 4(R0)
	SUBS    $1, R3
	BNE     one

done:
	RET

// func scaleMulNEON(dst, a, b *float32, n int, s float32)
TEXT ·scaleMulNEON(SB), NOSPLIT, $0-36
	MOVD  dst+0(FP), R0
	MOVD  a+8(FP), R1
	MOVD  b+16(FP), R2
	MOVD  n+24(FP), R3
	FMOVS s+32(FP), F16
	SUBS  $4, R3
	BLT   tail

four:
	FMOVQ.P 16(R1), F0
	FMOVQ.P 16(R2), F1
	FMUL_E(0, 0, 16, 0)
	FMUL_4S(0, 0, 1)
	FMOVQ.P F0, 16(R0)
	SUBS    $4, R3
	BGE     four

tail:
	ADDS $4, R3
	BEQ  done

one:
	FMOVS.P 4(R1), F0
	FMOVS.P 4(R2), F1
	FMULS   F16, F0, F0
	FMULS   F1, F0, F0
	FMOVS.P F0, 4(R0)
	SUBS    $1, R3
	BNE     one

done:
	RET
