#include "textflag.h"
#include "neon_arm64.h"
#include "panel_arm64.h"
#include "tile_dotprod_arm64.h"

// Products of Q4K, Q4T, Q8S and Q8A panels of 4 tokens with SDOT: the loops of tile_dotprod_arm64.s with the ends of
// panelk_dotprod_arm64.s.
//
// The d and dmin of Q4K find no room in the registers: each half makes its scales of a block anew, 22 instructions for 4 tokens x 256 products.
//
// Instructions per weight and token: Q4K 0.19, Q4T 0.16, Q8S 0.16, Q8A 0.20. SDOT: 0.0625, its least. In the machine model of Neoverse N2 a
// block of 4 tokens takes 167, 137, 144 and 187 cycles, of which its 128 SDOT need 64.
//
//	R0 y   R1 yStride   R2 weights   R3-R6 activations of tokens 0-3   R7 scales of the weights (Q4K: super-block)   R8 blocks left
//	R9, R10 distance from R3-R6 to the tokens' scales and sums   R11 Q8A: minima of the weights, Q4K: bytes of the scales, Q4T: table
//	R12 blocks left in the super-block
//	V0-V3 weights   V2 nibble mask, V3 table   V4-V7 activations of tokens 0-3   V8-V15 integer sums [token][2]
//	V16-V31 sums [token][4]

#define MASK V2

// X_SCALES_NEXT moves R9 and R10 to the next scales and sums.
#define X_SCALES_NEXT \
	SUB $28, R9 \
	SUB $28, R10

// Q4_NIBBLES multiplies the nibbles of 8 rows that part makes of a register of weights. V3 is for the table, so only two registers take turns.
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
	TILE_BEGIN(8)

super:
	ADD  $64, R7, R11
	MOVD $8, R12

block:
	Q4K_HALF(0)
	Q4K_HALF(2)
	NEXT_BLOCK(256)
	X_SCALES_NEXT
	ADD  $16, R11
	SUBS $1, R12
	BNE  block
	ADD  $320, R7
	SUBS $8, R8
	BNE  super
	STORE_TILE
	RET

#define LOW_VALUE(v) \
	LOW(v) \
	VTBL v.B16, [V3.B16], v.B16
#define HIGH_VALUE(v) \
	HIGH(v) \
	VTBL v.B16, [V3.B16], v.B16

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
	TILE_BEGIN(8)
	MOVD R2, R11
	ADD  $64, R2
	ADD  $64, R7

block:
	Q4T_HALF(0)
	Q4T_HALF(2)
	NEXT_BLOCK(256)
	X_SCALES_NEXT
	ADD  $64, R7
	SUBS $1, R8
	BNE  block
	STORE_TILE
	RET

// Q8_DOTS multiplies 8 rows of 4 groups; off is where the rows begin in the first.
#define Q8_DOTS(off) \
	FLDPQ (off)(R2), (F0, F1)     \
	FLDPQ (off+64)(R2), (F2, F3)  \
	DOT(0, 0)                     \
	FLDPQ (off+128)(R2), (F0, F1) \
	DOT(2, 1)                     \
	FLDPQ (off+192)(R2), (F2, F3) \
	DOT(0, 2)                     \
	DOT(2, 3)

// Q8S_PART multiplies the half h (0 or 2) of the rows by half c (0 or 1) of the columns.
#define Q8S_PART(h, c) \
	START(c*16)                     \
	Q8_DOTS(c*256+h*16)             \
	FLDPQ (c*64+h*16)(R7), (F0, F1) \
	X_SCALES                        \
	TOKENS_SUMS(h)

// func tileQ8SDotprod(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ8SDotprod(SB), NOSPLIT, $0-48
	TILE_BEGIN(9)

block:
	Q8S_PART(0, 0)
	Q8S_PART(0, 1)
	Q8S_PART(2, 0)
	Q8S_PART(2, 1)
	NEXT_BLOCK(512)
	X_SCALES_NEXT
	ADD  $128, R7
	SUBS $1, R8
	BNE  block
	STORE_TILE
	RET

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
	TILE_BEGIN(9)
	ADD R8<<7, R7, R11

block:
	Q8A_PART(0, 0, X_HALF_SUMS)
	Q8A_PART(2, 0, SAME_SUMS)
	Q8A_PART(0, 1, X_HALF_SUMS)
	Q8A_PART(2, 1, SAME_SUMS)
	NEXT_BLOCK(512)
	X_SCALES_NEXT
	ADD  $128, R7
	ADD  $128, R11
	SUBS $1, R8
	BNE  block
	STORE_TILE
	RET
