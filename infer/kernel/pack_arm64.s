#include "textflag.h"
#include "neon_arm64.h"

// The moves of packing (pack_moves.go) on NEON, for every arm64 variant.

// FOUR_WORDS makes the part of 4 rows, which begin at row, of 4 planes at off(R0): a transposition of 4 by 4 words.
#define FOUR_WORDS(row, off) \
	MOVD  row, R8                    \
	FMOVQ (R8), F0                   \
	ADD   R2, R8                     \
	FMOVQ (R8), F1                   \
	ADD   R2, R8                     \
	FMOVQ (R8), F2                   \
	ADD   R2, R8                     \
	FMOVQ (R8), F3                   \
	VTRN1 V1.S4, V0.S4, V4.S4        \ // words 0, 2 of rows 0, 1
	VTRN2 V1.S4, V0.S4, V5.S4        \ // words 1, 3
	VTRN1 V3.S4, V2.S4, V6.S4        \
	VTRN2 V3.S4, V2.S4, V7.S4        \
	VTRN1 V6.D2, V4.D2, V0.D2        \
	VTRN1 V7.D2, V5.D2, V1.D2        \
	VTRN2 V6.D2, V4.D2, V2.D2        \
	VTRN2 V7.D2, V5.D2, V3.D2        \
	FMOVQ F0, off(R0)                \
	FMOVQ F1, (off+64)(R0)           \
	FMOVQ F2, (off+128)(R0)          \
	FMOVQ F3, (off+192)(R0)

// ONE_WORD moves a word of 4 rows.
#define ONE_WORD(row, off) \
	MOVD  row, R8                    \
	MOVWU (R8), R9                   \
	ADD   R2, R8                     \
	MOVWU (R8), R10                  \
	ADD   R2, R8                     \
	MOVWU (R8), R11                  \
	ADD   R2, R8                     \
	MOVWU (R8), R12                  \
	STPW  (R9, R10), off(R0)         \
	STPW  (R11, R12), (off+8)(R0)

// func interleaveNEON(dst, src unsafe.Pointer, stride, n int)
//
//	R0 planes   R1, R4, R5, R6 every fourth row   R2 stride   R3 words left
TEXT ·interleaveNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD stride+16(FP), R2
	MOVD n+24(FP), R3
	ADD  R2<<2, R1, R4
	ADD  R2<<3, R1, R5
	ADD  R2<<3, R4, R6
	SUBS $4, R3
	BLT  few

four:
	FOUR_WORDS(R1, 0)
	FOUR_WORDS(R4, 16)
	FOUR_WORDS(R5, 32)
	FOUR_WORDS(R6, 48)
	ADD  $16, R1
	ADD  $16, R4
	ADD  $16, R5
	ADD  $16, R6
	ADD  $256, R0
	SUBS $4, R3
	BGE  four

few:
	ADDS $4, R3
	BEQ  done

one:
	ONE_WORD(R1, 0)
	ONE_WORD(R4, 16)
	ONE_WORD(R5, 32)
	ONE_WORD(R6, 48)
	ADD  $4, R1
	ADD  $4, R4
	ADD  $4, R5
	ADD  $4, R6
	ADD  $64, R0
	SUBS $1, R3
	BNE  one

done:
	RET

// SCALES takes a word of 2 bytes of the 4 rows from row on.
#define SCALES(row) \
	MOVD   row, R8      \
	MOVHU  (R8), R9     \
	ADD    R2, R8       \
	MOVHU  (R8), R10    \
	ADD    R2, R8       \
	MOVHU  (R8), R11    \
	ADD    R2, R8       \
	MOVHU  (R8), R12    \
	MOVH.P R9, 2(R7)    \
	MOVH.P R10, 2(R7)   \
	MOVH.P R11, 2(R7)   \
	MOVH.P R12, 2(R7)

// func scaledNEON(dst, src unsafe.Pointer, stride, blocks, n int)
//
//	R0 planes   R7 scales   R1, R4, R5, R6 every fourth row   R2 stride   R3 blocks left   R13 words of a block   R14 words left   R15 1 in a unit's second block
TEXT ·scaledNEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD stride+16(FP), R2
	MOVD blocks+24(FP), R3
	MOVD n+32(FP), R13
	ADD  R2<<2, R1, R4
	ADD  R2<<3, R1, R5
	ADD  R2<<3, R4, R6

even:
	MOVD R0, R7
	ADD  $64, R0
	MOVD $0, R15

block:
	SCALES(R1)
	SCALES(R4)
	SCALES(R5)
	SCALES(R6)
	ADD  $2, R1
	ADD  $2, R4
	ADD  $2, R5
	ADD  $2, R6
	MOVD R13, R14

words:
	FOUR_WORDS(R1, 0)
	FOUR_WORDS(R4, 16)
	FOUR_WORDS(R5, 32)
	FOUR_WORDS(R6, 48)
	ADD  $16, R1
	ADD  $16, R4
	ADD  $16, R5
	ADD  $16, R6
	ADD  $256, R0
	SUBS $4, R14
	BNE  words
	SUBS $1, R3
	BEQ  done
	CBNZ R15, even
	MOVD $1, R15
	B    block

done:
	RET

// EXCHANGE exchanges the upper bits of a for the lower ones of b: a bit that differs from its partner changes, and so does the partner.
#define EXCHANGE(shift, mask, a, b) \
	VUSHR $shift, a.B16, V16.B16    \
	VEOR  b.B16, V16.B16, V16.B16   \
	VAND  mask.B16, V16.B16, V16.B16 \
	VEOR  V16.B16, b.B16, b.B16     \
	VSHL  $shift, V16.B16, V16.B16  \
	VEOR  V16.B16, a.B16, a.B16

// func splitNEON(dst, src unsafe.Pointer, parts, step int)
//
//	R0 dst   R1 src   R2 parts   R3 step   R4 quarters of a plane left   V0-V7 a quarter of each plane
TEXT ·splitNEON(SB), NOSPLIT, $0-32
	MOVD  dst+0(FP), R0
	MOVD  src+8(FP), R1
	MOVD  parts+16(FP), R2
	MOVD  step+24(FP), R3
	MOVD  $4, R4
	VMOVI $0x0f, V17.B16
	VMOVI $0x33, V18.B16
	VMOVI $0x55, V19.B16

quarter:
	FMOVQ (R1), F0
	FMOVQ 64(R1), F1
	FMOVQ 128(R1), F2
	FMOVQ 192(R1), F3
	FMOVQ 256(R1), F4
	FMOVQ 320(R1), F5
	FMOVQ 384(R1), F6
	FMOVQ 448(R1), F7
	EXCHANGE(4, V17, V0, V4)
	EXCHANGE(4, V17, V1, V5)
	EXCHANGE(4, V17, V2, V6)
	EXCHANGE(4, V17, V3, V7)
	MOVD  R0, R5
	CMP   $4, R2
	BLT   two
	EXCHANGE(2, V18, V0, V2)
	EXCHANGE(2, V18, V1, V3)
	EXCHANGE(2, V18, V4, V6)
	EXCHANGE(2, V18, V5, V7)
	CMP   $4, R2
	BEQ   four
	EXCHANGE(1, V19, V0, V1)
	EXCHANGE(1, V19, V2, V3)
	EXCHANGE(1, V19, V4, V5)
	EXCHANGE(1, V19, V6, V7)
	FMOVQ F0, (R5)
	ADD   R3, R5
	FMOVQ F1, (R5)
	ADD   R3, R5
	FMOVQ F2, (R5)
	ADD   R3, R5
	FMOVQ F3, (R5)
	ADD   R3, R5
	FMOVQ F4, (R5)
	ADD   R3, R5
	FMOVQ F5, (R5)
	ADD   R3, R5
	FMOVQ F6, (R5)
	ADD   R3, R5
	FMOVQ F7, (R5)
	B     next

four:
	FMOVQ F0, (R5)
	FMOVQ F1, 64(R5)
	ADD   R3, R5
	FMOVQ F2, (R5)
	FMOVQ F3, 64(R5)
	ADD   R3, R5
	FMOVQ F4, (R5)
	FMOVQ F5, 64(R5)
	ADD   R3, R5
	FMOVQ F6, (R5)
	FMOVQ F7, 64(R5)
	B     next

two:
	FMOVQ F0, (R5)
	FMOVQ F1, 64(R5)
	FMOVQ F2, 128(R5)
	FMOVQ F3, 192(R5)
	ADD   R3, R5
	FMOVQ F4, (R5)
	FMOVQ F5, 64(R5)
	FMOVQ F6, 128(R5)
	FMOVQ F7, 192(R5)

next:
	ADD  $16, R0
	ADD  $16, R1
	SUBS $1, R4
	BNE  quarter
	RET

// func halvesNEON(dst, src unsafe.Pointer, n int)
TEXT ·halvesNEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2

next:
	VLD1.P 64(R1), [V0.H8, V1.H8, V2.H8, V3.H8]
	VUZP1  V1.H8, V0.H8, V4.H8
	VUZP1  V3.H8, V2.H8, V5.H8
	VUZP2  V1.H8, V0.H8, V6.H8
	VUZP2  V3.H8, V2.H8, V7.H8
	VST1.P [V4.H8, V5.H8, V6.H8, V7.H8], 64(R0)
	SUBS   $1, R2
	BNE    next
	RET

// func bytesNEON(dst, src unsafe.Pointer, n int)
TEXT ·bytesNEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2

next:
	VLD4.P 64(R1), [V0.B16, V1.B16, V2.B16, V3.B16]
	VST1.P [V0.B16, V1.B16, V2.B16, V3.B16], 64(R0)
	SUBS   $1, R2
	BNE    next
	RET
