#include "textflag.h"
#include "neon_arm64.h"

// Operations on single rows in the file's own layout, for every arm64 variant: dot products and y += a*w. Rows are read by unaligned
// vector loads; what is left of 16 elements is done 4 at a time, then one at a time. Every element of an axpy is one fused
// multiply-add, in the vector and in the tail, so a part of a row gives the bits of the whole.
//
// Instructions per element: dotF32 0.62, dotF16 0.81, axpyF32 0.75, axpyF16 0.94, axpyQ8 1.3, axpyQ4 1.4.
//
//	R0 x or y   R1 w   R2 elements or blocks left
//	V0-V3 w   V4-V7, V20-V23 x or y   V16-V19 four sums of four

// SUM4 adds what the lanes of V16-V19 hold into F16.
#define SUM4 \
	FADD_4S(16, 16, 17)  \
	FADD_4S(18, 18, 19)  \
	FADD_4S(16, 16, 18)  \
	FADDP_4S(16, 16, 16) \
	FADDP_4S(16, 16, 16)

// Loads of 16, 4 and 1 weights. Those of float16 are then widened, by WIDEN16 or WIDEN (4 or 1); those of float32 stay AS_IT_IS.
#define F32_W16 \
	FLDPQ   32(R1), (F2, F3) \
	FLDPQ.P 64(R1), (F0, F1)
#define F32_W4 FMOVQ.P 16(R1), F0
#define F32_W1 FMOVS.P 4(R1), F0
#define F16_W16 FLDPQ.P 32(R1), (F0, F2)
#define F16_W4 FMOVD.P 8(R1), F0
#define F16_W1 VLD1R.P 2(R1), [V0.H4]
#define WIDEN16 \
	FCVTL2(1, 0) \
	FCVTL(0, 0)  \
	FCVTL2(3, 2) \
	FCVTL(2, 2)
#define WIDEN FCVTL(0, 0)
#define AS_IT_IS

// DOT is the product of two rows, in F16; load16 loads 16 elements of x and 16 weights.
#define DOT(load16, w4, w1, widen) \
	ZERO4(V16, V17, V18, V19) \
	SUBS $16, R2              \
	BLT  tail4                \
loop16:                       \
	load16                    \
	FMLA_4S(16, 4, 0)         \
	FMLA_4S(17, 5, 1)         \
	FMLA_4S(18, 6, 2)         \
	FMLA_4S(19, 7, 3)         \
	SUBS $16, R2              \
	BGE  loop16               \
tail4:                        \
	ADDS $12, R2              \
	BLT  sum                  \
loop4:                        \
	FMOVQ.P 16(R0), F4        \
	w4                        \
	widen                     \
	FMLA_4S(16, 4, 0)         \
	SUBS $4, R2               \
	BGE  loop4                \
sum:                          \
	SUM4                      \
	ADDS $4, R2               \
	BEQ  done                 \
loop1:                        \
	FMOVS.P 4(R0), F4         \
	w1                        \
	widen                     \
	FMADDS F0, F16, F4, F16   \
	SUBS $1, R2               \
	BNE  loop1                \
done:

#define F32_DOT16 \
	FLDPQ   32(R0), (F6, F7) \
	FLDPQ   32(R1), (F2, F3) \
	FLDPQ.P 64(R0), (F4, F5) \
	FLDPQ.P 64(R1), (F0, F1)
#define F16_DOT16 \
	F16_W16                  \
	FLDPQ   32(R0), (F6, F7) \
	FLDPQ.P 64(R0), (F4, F5) \
	WIDEN16

// func dotF32NEON(x *float32, w unsafe.Pointer, n int) float32
TEXT ·dotF32NEON(SB), NOSPLIT, $0-28
	MOVD  x+0(FP), R0
	MOVD  w+8(FP), R1
	MOVD  n+16(FP), R2
	DOT(F32_DOT16, F32_W4, F32_W1, AS_IT_IS)
	FMOVS F16, ret+24(FP)
	RET

// func dotF16NEON(x *float32, w unsafe.Pointer, n int) float32
TEXT ·dotF16NEON(SB), NOSPLIT, $0-28
	MOVD  x+0(FP), R0
	MOVD  w+8(FP), R1
	MOVD  n+16(FP), R2
	DOT(F16_DOT16, F16_W4, F16_W1, WIDEN)
	FMOVS F16, ret+24(FP)
	RET

// AXPY adds F16 times a row to y.
#define AXPY(w16, widen16, w4, w1, widen) \
	SUBS $16, R2             \
	BLT  tail4               \
loop16:                      \
	w16                      \
	FLDPQ (R0), (F4, F5)     \
	FLDPQ 32(R0), (F6, F7)   \
	widen16                  \
	FMLA_E(4, 0, 16, 0)      \
	FMLA_E(5, 1, 16, 0)      \
	FMLA_E(6, 2, 16, 0)      \
	FMLA_E(7, 3, 16, 0)      \
	FSTPQ (F6, F7), 32(R0)   \
	FSTPQ.P (F4, F5), 64(R0) \
	SUBS $16, R2             \
	BGE  loop16              \
tail4:                       \
	ADDS $12, R2             \
	BLT  tail1               \
loop4:                       \
	w4                       \
	FMOVQ (R0), F4           \
	widen                    \
	FMLA_E(4, 0, 16, 0)      \
	FMOVQ.P F4, 16(R0)       \
	SUBS $4, R2              \
	BGE  loop4               \
tail1:                       \
	ADDS $4, R2              \
	BEQ  done                \
loop1:                       \
	w1                       \
	FMOVS (R0), F4           \
	widen                    \
	FMADDS F0, F4, F16, F4   \
	FMOVS.P F4, 4(R0)        \
	SUBS $1, R2              \
	BNE  loop1               \
done:

// func axpyF32NEON(y *float32, w unsafe.Pointer, a float32, n int)
TEXT ·axpyF32NEON(SB), NOSPLIT, $0-32
	MOVD  y+0(FP), R0
	MOVD  w+8(FP), R1
	FMOVS a+16(FP), F16
	MOVD  n+24(FP), R2
	AXPY(F32_W16, AS_IT_IS, F32_W4, F32_W1, AS_IT_IS)
	RET

// func axpyF16NEON(y *float32, w unsafe.Pointer, a float32, n int)
TEXT ·axpyF16NEON(SB), NOSPLIT, $0-32
	MOVD  y+0(FP), R0
	MOVD  w+8(FP), R1
	FMOVS a+16(FP), F16
	MOVD  n+24(FP), R2
	AXPY(F16_W16, WIDEN16, F16_W4, F16_W1, WIDEN)
	RET

// BLOCK_SCALE sets lane 0 of V17 to a (F16) times the block's float16 scale at R1.
#define BLOCK_SCALE \
	VLD1R.P 2(R1), [V17.H4] \
	FCVTL(17, 17)           \
	FMULS   F16, F17, F17

// AXPY16 adds F17 times the 16 bytes of v to the 16 elements of y at R0.
#define AXPY16(v) \
	FLDPQ (R0), (F4, F5)   \
	FLDPQ 32(R0), (F6, F7) \
	SXTL_8B(20, v)    \
	SXTL2_16B(22, v)  \
	SXTL2_8H(21, 20)  \
	SXTL_4H(20, 20)   \
	SXTL2_8H(23, 22)  \
	SXTL_4H(22, 22)   \
	SCVTF_4S(20, 20)  \
	SCVTF_4S(21, 21)  \
	SCVTF_4S(22, 22)  \
	SCVTF_4S(23, 23)  \
	FMLA_E(4, 20, 17, 0) \
	FMLA_E(5, 21, 17, 0) \
	FMLA_E(6, 22, 17, 0) \
	FMLA_E(7, 23, 17, 0) \
	FSTPQ (F6, F7), 32(R0) \
	FSTPQ.P (F4, F5), 64(R0)

// func axpyQ8NEON(y *float32, w unsafe.Pointer, a float32, blocks int)
TEXT ·axpyQ8NEON(SB), NOSPLIT, $0-32
	MOVD  y+0(FP), R0
	MOVD  w+8(FP), R1
	FMOVS a+16(FP), F16
	MOVD  blocks+24(FP), R2

block:
	BLOCK_SCALE
	FLDPQ.P 32(R1), (F0, F1)
	AXPY16(0)
	AXPY16(1)
	SUBS  $1, R2
	BNE   block
	RET

// func axpyQ4NEON(y *float32, w unsafe.Pointer, a float32, blocks int)
TEXT ·axpyQ4NEON(SB), NOSPLIT, $0-32
	MOVD  y+0(FP), R0
	MOVD  w+8(FP), R1
	FMOVS a+16(FP), F16
	MOVD  blocks+24(FP), R2
	VMOVI $15, V18.B16
	VMOVI $8, V19.B16

block:
	BLOCK_SCALE
	FMOVQ.P 16(R1), F0
	VUSHR $4, V0.B16, V1.B16
	VAND  V18.B16, V0.B16, V0.B16
	VSUB  V19.B16, V1.B16, V1.B16
	VSUB  V19.B16, V0.B16, V0.B16
	AXPY16(0)
	AXPY16(1)
	SUBS  $1, R2
	BNE   block
	RET
