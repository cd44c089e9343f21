#include "textflag.h"
#include "neon_arm64.h"

// Rounding of activations to 8 bits (quantizeGo in acts.go), for every arm64 variant; its bits are those of the reference:
//
//	scale = amax / 127, inverse = 127 / amax, or 0 where that is not finite (FMAX keeps NaN, so a NaN block has NaN as scale)
//	value = round(x * inverse), ties to even (FCVTNS, which makes NaN 0 and saturates), at least -127
//
// Instructions per value: 2.0.
//
//	R0 values   R1 x   R2 scales   R3 sums   R6 sums of first halves   R4 blocks left
//	V0-V7 x, then values   V16-V19 maxima   V20 scale   V21 inverse   V24 127 as float32   V25 largest float32   V26 -127 as bytes   V27 0

// func quantizeNEON(dst unsafe.Pointer, x *float32, blocks int)
TEXT ·quantizeNEON(SB), NOSPLIT, $0-24
	MOVD  dst+0(FP), R0
	MOVD  x+8(FP), R1
	MOVD  blocks+16(FP), R4
	ADD   R4<<5, R0, R2
	ADD   R4<<2, R2, R3
	ADD   R4<<2, R3, R6
	MOVD  $0x42fe0000, R5
	FMOVS R5, F24
	MOVD  $0x7f7fffff, R5
	FMOVS R5, F25
	VMOVI $0x81, V26.B16
	VEOR  V27.B16, V27.B16, V27.B16

block:
	FLDPQ 32(R1), (F2, F3)
	FLDPQ 64(R1), (F4, F5)
	FLDPQ 96(R1), (F6, F7)
	FLDPQ.P 128(R1), (F0, F1)

	FABS_4S(16, 0)
	FABS_4S(17, 1)
	FABS_4S(18, 2)
	FABS_4S(19, 3)
	FABS_4S(20, 4)
	FABS_4S(21, 5)
	FABS_4S(22, 6)
	FABS_4S(23, 7)
	FMAX_4S(16, 16, 20)
	FMAX_4S(17, 17, 21)
	FMAX_4S(18, 18, 22)
	FMAX_4S(19, 19, 23)
	FMAX_4S(16, 16, 18)
	FMAX_4S(17, 17, 19)
	FMAX_4S(16, 16, 17)
	FMAXV_4S(16, 16)

	FDIVS   F24, F16, F20    // amax / 127
	FDIVS   F16, F24, F21    // 127 / amax
	FCMPS   F25, F21
	FCSELS  LS, F21, F27, F21 // LS is false for NaN too
	FMOVS.P F20, 4(R2)

	FMUL_E(0, 0, 21, 0)
	FMUL_E(1, 1, 21, 0)
	FMUL_E(2, 2, 21, 0)
	FMUL_E(3, 3, 21, 0)
	FMUL_E(4, 4, 21, 0)
	FMUL_E(5, 5, 21, 0)
	FMUL_E(6, 6, 21, 0)
	FMUL_E(7, 7, 21, 0)
	FCVTNS_4S(0, 0)
	FCVTNS_4S(1, 1)
	FCVTNS_4S(2, 2)
	FCVTNS_4S(3, 3)
	FCVTNS_4S(4, 4)
	FCVTNS_4S(5, 5)
	FCVTNS_4S(6, 6)
	FCVTNS_4S(7, 7)
	SQXTN_4S(0, 0)
	SQXTN_4S(2, 2)
	SQXTN_4S(4, 4)
	SQXTN_4S(6, 6)
	SQXTN2_4S(0, 1)
	SQXTN2_4S(2, 3)
	SQXTN2_4S(4, 5)
	SQXTN2_4S(6, 7)
	SQXTN_8H(0, 0)
	SQXTN_8H(4, 4)
	SQXTN2_8H(0, 2)
	SQXTN2_8H(4, 6)
	SMAX_16B(0, 0, 26)
	SMAX_16B(4, 4, 26)

	SADDLP_16B(1, 0)
	SADDLP_16B(5, 4)
	SADDLV_8H(1, 1)
	SADDLV_8H(5, 5)
	FMOVS.P F1, 4(R6)
	VADD    V5.S4, V1.S4, V1.S4
	FMOVS.P F1, 4(R3)
	VST1.P  [V0.B16], 16(R0)
	VST1.P  [V4.B16], 16(R0)
	SUBS    $1, R4
	BNE     block
	RET
