#include "textflag.h"
#include "neon_arm64.h"
#include "panel_arm64.h"
#include "scales_arm64.h"
#include "panel_neon_arm64.h"

// Products of Q4K, Q4T, Q8S and Q8A panels on ARMv8.0: the loops of panel_neon_arm64.s with other ends.
//
//	Q4K: nibbles 0..15, a block fits 16 bits as in Q4.
//	Q4T: the table's values are any bytes: a low and a high nibble's product fit 16 bits (2*128*127 = 32512) and are widened by SADALP.
//	Q8S: pairs of products as in Q8; the sums of a half block (two pairs) are finished before the next half.
//	Q8A: values 0..31, so a half block adds up to 4*31*127 = 15748 in each place and neighbours to 31496: it is widened once.
//
// The tile runs the panel's code for one token after the other on a block that stays in the nearest cache; its float32 sums live in y. In Q4K it
// makes the scales of a block once for the 4 tokens, where the panel keeps d and dmin for 8 blocks instead.
//
// Instructions per weight: panel Q4K 0.35, Q4T 0.40, Q8S 0.34, Q8A 0.35; tile Q4K 0.32, Q4T 0.40, Q8S 0.32, Q8A 0.33 per weight and token. In
// the machine model of Cortex-A57 a block of the panel takes 98, 129, 87 and 95 cycles.
//
//	R0 y   R1 yStride   R2 weights   R3-R6 activations of tokens 0-3, past the block   R7 scales of the weights (Q4K: super-block)
//	R8 blocks left   R9, R10 distance from R3-R6 to the token's scales and sums   R11 Q8A: minima of the weights, Q4K: bytes of the scales
//	R12 blocks left in the super-block   R13 y of a token   R20 scratch
//	V0-V3 weights   V4, V5 activations   V6, V7 activations repeated   V8-V15 integer sums   V16-V19 sums
//	Q4K: V20-V22 low nibbles, V23 nibble mask, V24-V27 d or d*scale, V28-V31 dmin or dmin*minimum
//	others: V20-V23 products, minima   V24, V25 low nibbles (Q8A: V24 sums of the halves)   V28 nibble mask   V29 table
//	V30 scale of the activations

// TOKEN adds a block to the float32 sums of a token; here the block itself scales, with each format's own scales.
#define TOKEN(block, x) \
	LOAD_SUMS(R13)  \
	block(x)        \
	STORE_SUMS(R13) \
	ADD R1, R13

// WIDEN makes the integer sums V8-V11 from 16-bit sums.
#define WIDEN \
	ADD_PAIRS(V8, V9, V10, V11, H8) \
	SADDLP_8H(8, 8)                 \
	SADDLP_8H(9, 9)                 \
	SADDLP_8H(10, 10)               \
	SADDLP_8H(11, 11)

// PREFETCH_HALVES prefetches the float32 scales, or minima, of a block's two halves, p being those of this block.
#define PREFETCH_HALVES(p) \
	PRFM (WIDE_AHEAD)(p), PLDL1KEEP \
	PRFM (WIDE_AHEAD+64)(p), PLDL1KEEP

// Q4K_GROUP multiplies group i of packed nibbles: columns 4i.. and 16+4i.. Three registers hold the low nibbles of four.
#define Q4K_GROUP(lo, hi, i) \
	LOAD4(i*64, R2, F0, F1, F2, F3) \
	VDUP  V4.S[i], V6.S4            \
	VDUP  V5.S[i], V7.S4            \
	VAND  V23.B16, V0.B16, V20.B16  \
	VAND  V23.B16, V1.B16, V21.B16  \
	VAND  V23.B16, V2.B16, V22.B16  \
	VUSHR $4, V0.B16, V0.B16        \
	VUSHR $4, V1.B16, V1.B16        \
	VUSHR $4, V2.B16, V2.B16        \
	lo(8, 20, 6)                    \
	hi(9, 20, 6)                    \
	VAND  V23.B16, V3.B16, V20.B16  \
	VUSHR $4, V3.B16, V3.B16        \
	lo(10, 21, 6)                   \
	hi(11, 21, 6)                   \
	lo(12, 22, 6)                   \
	hi(13, 22, 6)                   \
	lo(14, 20, 6)                   \
	hi(15, 20, 6)                   \
	MULTIPLY(SMLAL, SMLAL2, 0, 7)

// Q4K_DOT makes the integer sums of the block at R2 and the 32 activations at x, and loads the scale and the sum of these.
#define Q4K_DOT(x) \
	FLDPQ.P 32(x), (F4, F5)     \
	VMOVI   $15, V23.B16        \
	Q4K_GROUP(SMULL, SMULL2, 0) \
	Q4K_GROUP(SMLAL, SMLAL2, 1) \
	Q4K_GROUP(SMLAL, SMLAL2, 2) \
	Q4K_GROUP(SMLAL, SMLAL2, 3) \
	WIDEN                       \
	FMOVS   (x)(R9), F6         \
	FMOVS   (x)(R10), F7        \
	SCVTF_S(7, 7)

// func panelQ4KNEON(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4KNEON(SB), NOSPLIT, $0-32
	PANEL_BEGIN(8)

super:
	SUPER_SCALES(R7)
	PREFETCH_SUPER(R7)
	ADD  $64, R7
	MOVD $8, R12

block:
	Q4K_DOT(R3)
	FMOVQ (R7), F4
	FMOVQ 128(R7), F5
	BYTE_SCALES(0, 20)
	SCALED(16, 8, 0, 0, 6)
	MINIMA(16, 20, 20, 6, 7, 0)
	PREFETCH4(0)
	NEXT_BLOCK(256, 16)
	SUBS $1, R12
	BNE  block
	ADD  $128, R7
	SUBS $8, R8
	BNE  super
	STORE_SUMS(R13)
	RET

#define Q4K_TOKEN(x) \
	Q4K_DOT(x)              \
	SCALED(16, 8, 0, 24, 6) \
	MINIMA(16, 20, 28, 6, 7, 0)

// func tileQ4KNEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ4KNEON(SB), NOSPLIT, $0-48
	TILE_BEGIN(8)

super:
	ADD  $64, R7, R11
	MOVD $8, R12

block:
	SUPER_SCALES(R7)
	FMOVQ   128(R11), F5
	FMOVQ.P 16(R11), F4
	BYTE_SCALES(24, 28)
	TOKENS(Q4K_TOKEN)
	NEXT_BLOCK(256, 0)
	SUBS $1, R12
	BNE  block
	ADD  $320, R7
	SUBS $8, R8
	BNE  super
	RET

// Q4T_GROUP multiplies group i: a register of low nibbles' values and one of high ones give pairs of products in 16 bits, which add widens.
#define Q4T_GROUP(add, i) \
	VDUP V4.S[i], V6.S4    \
	VDUP V5.S[i], V7.S4    \
	Q4T_ROWS(i*64, add, 8) \
	Q4T_ROWS(i*64+32, add, 12)
#define Q4T_ROWS(off, add, s) \
	FLDPQ (off)(R2), (F0, F1)         \
	VAND  V28.B16, V0.B16, V24.B16    \
	VAND  V28.B16, V1.B16, V25.B16    \
	VUSHR $4, V0.B16, V0.B16          \
	VUSHR $4, V1.B16, V1.B16          \
	VTBL  V24.B16, [V29.B16], V24.B16 \
	VTBL  V25.B16, [V29.B16], V25.B16 \
	VTBL  V0.B16, [V29.B16], V0.B16   \
	VTBL  V1.B16, [V29.B16], V1.B16   \
	MULTIPLY_2(add, s, 24, 0)

#define Q4T_BLOCK(x) \
	FLDPQ.P 32(x), (F4, F5)         \
	FMOVS   (x)(R9), F30            \
	Q4T_GROUP(SADDLP_8H, 0)         \
	Q4T_GROUP(SADALP_8H, 1)         \
	Q4T_GROUP(SADALP_8H, 2)         \
	Q4T_GROUP(SADALP_8H, 3)         \
	ADD_PAIRS(V8, V9, V10, V11, S4) \
	LOAD4(0, R7, F0, F1, F2, F3)    \
	SCALED(16, 8, 0, 0, 30)

// Q4T_TABLE takes the table from the head of the panel.
#define Q4T_TABLE \
	FMOVQ (R2), F29    \
	ADD   $64, R2      \
	ADD   $64, R7      \
	VMOVI $15, V28.B16

// func panelQ4TNEON(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4TNEON(SB), NOSPLIT, $0-32
	PANEL_BEGIN(8)
	Q4T_TABLE

block:
	Q4T_BLOCK(R3)
	PREFETCH4(0)
	PRFM (WIDE_AHEAD)(R7), PLDL1KEEP
	NEXT_BLOCK(256, 64)
	SUBS $1, R8
	BNE  block
	STORE_SUMS(R13)
	RET

// func tileQ4TNEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ4TNEON(SB), NOSPLIT, $0-48
	TILE_BEGIN(8)
	Q4T_TABLE

block:
	TOKENS(Q4T_BLOCK)
	NEXT_BLOCK(256, 64)
	SUBS $1, R8
	BNE  block
	RET

// Q8S_HALF adds half c (0 or 1) of a block, whose activations are v.
#define Q8S_HALF(v, c) \
	Q8_PAIR(c*256, SADDLP_8H, v, 0, 1)     \
	Q8_PAIR(c*256+128, SADALP_8H, v, 2, 3) \
	ADD_PAIRS(V8, V9, V10, V11, S4)        \
	LOAD4(c*64, R7, F0, F1, F2, F3)        \
	SCALED(16, 8, 0, 0, 30)

#define Q8S_BLOCK(x) \
	FLDPQ.P 32(x), (F4, F5) \
	FMOVS   (x)(R9), F30    \
	Q8S_HALF(V4, 0)         \
	Q8S_HALF(V5, 1)

// func panelQ8SNEON(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8SNEON(SB), NOSPLIT, $0-32
	PANEL_BEGIN(9)

block:
	Q8S_BLOCK(R3)
	PREFETCH4(0)
	PREFETCH4(256)
	PREFETCH_HALVES(R7)
	NEXT_BLOCK(512, 128)
	SUBS $1, R8
	BNE  block
	STORE_SUMS(R13)
	RET

// func tileQ8SNEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ8SNEON(SB), NOSPLIT, $0-48
	TILE_BEGIN(9)

block:
	TOKENS(Q8S_BLOCK)
	NEXT_BLOCK(512, 128)
	SUBS $1, R8
	BNE  block
	RET

// Q8A_GROUP multiplies the group at byte off by lane i of the activations v.
#define Q8A_GROUP(lo, hi, off, v, i) \
	LOAD4(off, R2, F0, F1, F2, F3) \
	VDUP v.S[i], V6.S4             \
	MULTIPLY(lo, hi, 0, 6)

// Q8A_HALF adds half c (0 or 1) of a block, whose activations are v; lane c of V24 is float(xsum).
#define Q8A_HALF(v, c) \
	Q8A_GROUP(SMULL, SMULL2, c*256, v, 0)     \
	Q8A_GROUP(SMLAL, SMLAL2, c*256+64, v, 1)  \
	Q8A_GROUP(SMLAL, SMLAL2, c*256+128, v, 2) \
	Q8A_GROUP(SMLAL, SMLAL2, c*256+192, v, 3) \
	WIDEN                                     \
	LOAD4(c*64, R7, F0, F1, F2, F3)           \
	LOAD4(c*64, R11, F20, F21, F22, F23)      \
	SCALED(16, 8, 0, 0, 30)                   \
	MINIMA(16, 20, 20, 30, 24, c)

#define Q8A_BLOCK(x) \
	FLDPQ.P 32(x), (F4, F5) \
	FMOVS   (x)(R9), F30    \
	HALF_SUMS(24, 25, 4, 5) \
	Q8A_HALF(V4, 0)         \
	Q8A_HALF(V5, 1)

// func panelQ8ANEON(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8ANEON(SB), NOSPLIT, $0-32
	PANEL_BEGIN(9)
	ADD R8<<7, R7, R11

block:
	Q8A_BLOCK(R3)
	PREFETCH4(0)
	PREFETCH4(256)
	PREFETCH_HALVES(R7)
	PREFETCH_HALVES(R11)
	NEXT_BLOCK(512, 128)
	ADD  $128, R11
	SUBS $1, R8
	BNE  block
	STORE_SUMS(R13)
	RET

// func tileQ8ANEON(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ8ANEON(SB), NOSPLIT, $0-48
	TILE_BEGIN(9)
	ADD R8<<7, R7, R11

block:
	TOKENS(Q8A_BLOCK)
	NEXT_BLOCK(512, 128)
	ADD  $128, R11
	SUBS $1, R8
	BNE  block
	RET
