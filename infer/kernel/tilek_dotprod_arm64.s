#include "textflag.h"
#include "neon_arm64.h"
#include "neonk_arm64.h"

// Products of Q4K, Q4T, Q8S and Q8A panels of 4 tokens with SDOT: the loops of tile_dotprod_arm64.s with the ends of
// panelk_dotprod_arm64.s.
//
// A block is multiplied in two halves of 8 rows, whose 8 integer sums of 4 tokens stay in registers beside the 16 float32 sums. The d and dmin of Q4K
// find no room there: each half makes its scales of a block anew, 22 instructions for 4 tokens x 256 products.
//
// Instructions per weight and token: Q4K 0.19, Q4T 0.16, Q8S 0.16, Q8A 0.20. SDOT: 0.0625, its least. In the machine model of Neoverse N2 a
// block of 4 tokens takes 167, 137, 144 and 187 cycles, of which its 128 SDOT need 64.
//
//	R0 y   R1 yStride   R2 weights   R3-R6 activations of tokens 0-3   R7 scales of the weights (Q4K: super-block)   R8 blocks left
//	R9, R10 distance from R3-R6 to the tokens' scales and sums   R11 Q8A: minima of the weights, Q4K: bytes of the scales, Q4T: table
//	R12 blocks left in the super-block
//	V0-V3 weights   V2 nibble mask, V3 table   V4-V7 activations of tokens 0-3   V8-V15 integer sums [token][2]
//	V16-V31 sums [token][4]

#define TILE_ARGS(weightShift) \
	MOVD y+0(FP), R0           \
	MOVD yStride+8(FP), R1     \
	MOVD w+16(FP), R2          \
	MOVD x+24(FP), R3          \
	MOVD xStride+32(FP), R7    \
	ADD  R7, R3, R4            \
	ADD  R7, R4, R5            \
	ADD  R7, R5, R6            \
	MOVD n+40(FP), R8          \
	ADD  R8<<weightShift, R2, R7 \
	LSL  $5, R8, R9            \
	ADD  R8<<2, R9, R10        \
	ZERO4(V16, V17, V18, V19)  \
	ZERO4(V20, V21, V22, V23)  \
	ZERO4(V24, V25, V26, V27)  \
	ZERO4(V28, V29, V30, V31)

// NEXT_BLOCK moves weights and activations to the next block; R9 and R10 take back the step of R3-R6 and go to the next scale and sum.
#define NEXT_BLOCK(bytes) \
	ADD  $bytes, R2 \
	ADD  $32, R3    \
	ADD  $32, R4    \
	ADD  $32, R5    \
	ADD  $32, R6    \
	SUB  $28, R9    \
	SUB  $28, R10

#define STORE_TILE \
	FSTPQ (F16, F17), (R0)   \
	FSTPQ (F18, F19), 32(R0) \
	ADD   R1, R0             \
	FSTPQ (F20, F21), (R0)   \
	FSTPQ (F22, F23), 32(R0) \
	ADD   R1, R0             \
	FSTPQ (F24, F25), (R0)   \
	FSTPQ (F26, F27), 32(R0) \
	ADD   R1, R0             \
	FSTPQ (F28, F29), (R0)   \
	FSTPQ (F30, F31), 32(R0) \
	RET

// START begins the integer sums of 8 rows and loads the 16 activations at off of each token.
#define START(off) \
	ZERO4(V8, V9, V10, V11)   \
	ZERO4(V12, V13, V14, V15) \
	X(off)
#define X(off) \
	FMOVQ (off)(R3), F4 \
	FMOVQ (off)(R4), F5 \
	FMOVQ (off)(R5), F6 \
	FMOVQ (off)(R6), F7

// X_SCALES loads the activations' scales of the block into V4-V7.
#define X_SCALES \
	FMOVS (R3)(R9), F4 \
	FMOVS (R4)(R9), F5 \
	FMOVS (R5)(R9), F6 \
	FMOVS (R6)(R9), F7

// DOT_LO and DOT_HI multiply rows 0-3 and 4-7 of the half by lane i of the tokens' activations.
#define DOT_LO(w, i) \
	SDOT_E(8, w, 4, i)  \
	SDOT_E(10, w, 5, i) \
	SDOT_E(12, w, 6, i) \
	SDOT_E(14, w, 7, i)
#define DOT_HI(w, i) \
	SDOT_E(9, w, 4, i)  \
	SDOT_E(11, w, 5, i) \
	SDOT_E(13, w, 6, i) \
	SDOT_E(15, w, 7, i)

// TOKEN_SUMS is SCALED for the two integer registers s, s+1 of a token whose scale is lane 0 of x; w, w+1 are the weights' scales and p, p+1 free.
#define TOKEN_SUMS(a, s, p, w, x) \
	SCVTF_4S(s, s)         \
	SCVTF_4S(s+1, s+1)     \
	FMUL_E(p, w, x, 0)     \
	FMUL_E(p+1, w+1, x, 0) \
	FMLA_4S(a, s, p)       \
	FMLA_4S(a+1, s+1, p+1)

// TOKEN_MINIMA is MINIMA for the two minima registers m, m+1 of a half.
#define TOKEN_MINIMA(a, p, m, x, xs, i) \
	FMUL_E(p, m, x, 0)     \
	FMUL_E(p+1, m+1, x, 0) \
	FMLS_E(a, p, xs, i)    \
	FMLS_E(a+1, p+1, xs, i)

// TOKENS_SUMS does TOKEN_SUMS for the half h (0 or 2) of all tokens with the weights' scales V0, V1.
#define TOKENS_SUMS(h) \
	TOKEN_SUMS(16+h, 8, 2, 0, 4)  \
	TOKEN_SUMS(20+h, 10, 2, 0, 5) \
	TOKEN_SUMS(24+h, 12, 2, 0, 6) \
	TOKEN_SUMS(28+h, 14, 2, 0, 7)

// Q4_NIBBLES multiplies the nibbles of 8 rows that part makes of a register of weights. V2 is the nibble mask, V3 the table.
#define Q4_NIBBLES(part, h) \
	FMOVQ (h*16)(R2), F0     \
	FMOVQ (h*16+16)(R2), F1  \
	part(V0)                 \
	DOT_LO(0, 0)             \
	FMOVQ (h*16+64)(R2), F0  \
	part(V1)                 \
	DOT_HI(1, 0)             \
	FMOVQ (h*16+80)(R2), F1  \
	part(V0)                 \
	DOT_LO(0, 1)             \
	FMOVQ (h*16+128)(R2), F0 \
	part(V1)                 \
	DOT_HI(1, 1)             \
	FMOVQ (h*16+144)(R2), F1 \
	part(V0)                 \
	DOT_LO(0, 2)             \
	FMOVQ (h*16+192)(R2), F0 \
	part(V1)                 \
	DOT_HI(1, 2)             \
	FMOVQ (h*16+208)(R2), F1 \
	part(V0)                 \
	DOT_LO(0, 3)             \
	part(V1)                 \
	DOT_HI(1, 3)

#define LOW(v) VAND V2.B16, v.B16, v.B16
#define HIGH(v) VUSHR $4, v.B16, v.B16

// ROW_SCALES makes V0, V1 the products of 8 float16 at byte d of the super-block and 8 bytes at byte u of R11. It uses V2, V3.
#define ROW_SCALES(d, u) \
	FMOVQ  (d)(R7), F0   \
	FMOVD  (u)(R11), F3  \
	FCVTL2(1, 0)         \
	FCVTL(0, 0)          \
	VUXTL  V3.B8, V3.H8  \
	VUXTL  V3.H4, V2.S4  \
	VUXTL2 V3.H8, V3.S4  \
	UCVTF_4S(2, 2)       \
	UCVTF_4S(3, 3)       \
	FMUL_4S(0, 0, 2)     \
	FMUL_4S(1, 1, 3)

// X_SUMS loads float(xsum) of the tokens into V8-V11.
#define X_SUMS \
	FMOVS (R3)(R10), F8  \
	FMOVS (R4)(R10), F9  \
	FMOVS (R5)(R10), F10 \
	FMOVS (R6)(R10), F11 \
	SCVTF_S(8, 8)        \
	SCVTF_S(9, 9)        \
	SCVTF_S(10, 10)      \
	SCVTF_S(11, 11)

#define Q4K_HALF(h) \
	START(0)                \
	VMOVI $15, V2.B16       \
	Q4_NIBBLES(LOW, h)      \
	X(16)                   \
	Q4_NIBBLES(HIGH, h)     \
	X_SCALES                \
	ROW_SCALES(h*8, h*4)    \
	TOKENS_SUMS(h)          \
	X_SUMS                  \
	ROW_SCALES(h*8+32, h*4+128) \
	TOKEN_MINIMA(16+h, 2, 0, 4, 8, 0)  \
	TOKEN_MINIMA(20+h, 2, 0, 5, 9, 0)  \
	TOKEN_MINIMA(24+h, 2, 0, 6, 10, 0) \
	TOKEN_MINIMA(28+h, 2, 0, 7, 11, 0)

// func tileQ4KDotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ4KDotprod(SB), NOSPLIT, $0-48
	TILE_ARGS(8)

super:
	ADD  $64, R7, R11
	MOVD $8, R12

block:
	Q4K_HALF(0)
	Q4K_HALF(2)
	NEXT_BLOCK(256)
	ADD  $16, R11
	SUBS $1, R12
	BNE  block
	ADD  $320, R7
	SUBS $8, R8
	BNE  super
	STORE_TILE

#define LOW_VALUE(v) \
	VAND V2.B16, v.B16, v.B16 \
	VTBL v.B16, [V3.B16], v.B16
#define HIGH_VALUE(v) \
	VUSHR $4, v.B16, v.B16    \
	VTBL  v.B16, [V3.B16], v.B16

#define Q4T_HALF(h) \
	START(0)                  \
	VMOVI $15, V2.B16         \
	FMOVQ (R11), F3           \
	Q4_NIBBLES(LOW_VALUE, h)  \
	X(16)                     \
	Q4_NIBBLES(HIGH_VALUE, h) \
	FLDPQ (h*16)(R7), (F0, F1) \
	X_SCALES                  \
	TOKENS_SUMS(h)

// func tileQ4TDotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ4TDotprod(SB), NOSPLIT, $0-48
	TILE_ARGS(8)
	MOVD R2, R11
	ADD  $64, R2
	ADD  $64, R7

block:
	Q4T_HALF(0)
	Q4T_HALF(2)
	NEXT_BLOCK(256)
	ADD  $64, R7
	SUBS $1, R8
	BNE  block
	STORE_TILE

// Q8_DOTS multiplies 8 rows of 4 groups; off is where the rows begin in the first.
#define Q8_DOTS(off) \
	FLDPQ (off)(R2), (F0, F1)     \
	FLDPQ (off+64)(R2), (F2, F3)  \
	DOT_LO(0, 0)                  \
	DOT_HI(1, 0)                  \
	FLDPQ (off+128)(R2), (F0, F1) \
	DOT_LO(2, 1)                  \
	DOT_HI(3, 1)                  \
	FLDPQ (off+192)(R2), (F2, F3) \
	DOT_LO(0, 2)                  \
	DOT_HI(1, 2)                  \
	DOT_LO(2, 3)                  \
	DOT_HI(3, 3)

// Q8S_PART multiplies the half h (0 or 2) of the rows by half c (0 or 1) of the columns.
#define Q8S_PART(h, c) \
	START(c*16)                     \
	Q8_DOTS(c*256+h*16)             \
	FLDPQ (c*64+h*16)(R7), (F0, F1) \
	X_SCALES                        \
	TOKENS_SUMS(h)

// func tileQ8SDotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ8SDotprod(SB), NOSPLIT, $0-48
	TILE_ARGS(9)

block:
	Q8S_PART(0, 0)
	Q8S_PART(0, 1)
	Q8S_PART(2, 0)
	Q8S_PART(2, 1)
	NEXT_BLOCK(512)
	ADD  $128, R7
	SUBS $1, R8
	BNE  block
	STORE_TILE

// X_HALF_SUMS puts float(xsum) of the 16 activations of each token (V4-V7) into a lane of V0 and keeps them in y, which is not needed yet, for
// the other half of the rows, which takes them by SAME_SUMS.
#define X_HALF_SUMS \
	SADDLP_16B(0, 4) \
	SADDLP_16B(1, 5) \
	SADDLP_16B(2, 6) \
	SADDLP_16B(3, 7) \
	VADDP V1.H8, V0.H8, V0.H8 \
	VADDP V3.H8, V2.H8, V2.H8 \
	VADDP V2.H8, V0.H8, V0.H8 \
	SADDLP_8H(0, 0) \
	SCVTF_4S(0, 0)  \
	FMOVQ F0, (R0)
#define SAME_SUMS FMOVQ (R0), F0

// Q8A_TOKEN adds token i, whose activations are at x, to its sums: scales V1, V2, minima V3, V4.
#define Q8A_TOKEN(h, i, x) \
	FMOVS (x)(R9), F5                   \
	TOKEN_SUMS(16+i*4+h, 8+i*2, 6, 1, 5) \
	TOKEN_MINIMA(16+i*4+h, 6, 3, 5, 0, i)

#define Q8A_PART(h, c, xsums) \
	START(c*16)                      \
	Q8_DOTS(c*256+h*16)              \
	xsums                            \
	FLDPQ (c*64+h*16)(R7), (F1, F2)  \
	FLDPQ (c*64+h*16)(R11), (F3, F4) \
	Q8A_TOKEN(h, 0, R3)              \
	Q8A_TOKEN(h, 1, R4)              \
	Q8A_TOKEN(h, 2, R5)              \
	Q8A_TOKEN(h, 3, R6)

// func tileQ8ADotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ8ADotprod(SB), NOSPLIT, $0-48
	TILE_ARGS(9)
	ADD R8<<7, R7, R11

block:
	Q8A_PART(0, 0, X_HALF_SUMS)
	Q8A_PART(2, 0, SAME_SUMS)
	Q8A_PART(0, 1, X_HALF_SUMS)
	Q8A_PART(2, 1, SAME_SUMS)
	NEXT_BLOCK(512)
	ADD  $128, R7
	ADD  $128, R11
	SUBS $1, R8
	BNE  block
	STORE_TILE
