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

// EXCHANGE is 16 bytes of a plane at a and at b. A bit that differs from its partner changes, and so does the partner. Registers come with their numbers.
#define EXCHANGE(a, A, b, t, T) \
	USHL_16B(T, A, 18)           \
	VEOR b.B16, t.B16, t.B16     \
	VAND V16.B16, t.B16, t.B16   \
	VEOR t.B16, b.B16, b.B16     \
	USHL_16B(T, T, 17)           \
	VEOR t.B16, a.B16, a.B16

// func exchangeNEON(low, high, a, b unsafe.Pointer, planes, shift int)
//
//	R0 low   R1 high   R2 a   R3 b   R4 planes left   V16 the lower bits, which are in place in a   V17 shift   V18 -shift
TEXT ·exchangeNEON(SB), NOSPLIT, $0-48
	MOVD low+0(FP), R0
	MOVD high+8(FP), R1
	MOVD a+16(FP), R2
	MOVD b+24(FP), R3
	MOVD planes+32(FP), R4
	MOVD shift+40(FP), R5
	VDUP R5, V17.B16
	NEG  R5, R6
	VDUP R6, V18.B16
	MOVD $0x0f00335500, R6 // masks, by shift
	LSL  $3, R5
	LSR  R5, R6
	VDUP R6, V16.B16

next:
	VLD1.P 64(R2), [V0.B16, V1.B16, V2.B16, V3.B16]
	VLD1.P 64(R3), [V4.B16, V5.B16, V6.B16, V7.B16]
	EXCHANGE(V0, 0, V4, V20, 20)
	EXCHANGE(V1, 1, V5, V21, 21)
	EXCHANGE(V2, 2, V6, V22, 22)
	EXCHANGE(V3, 3, V7, V23, 23)
	VST1.P [V0.B16, V1.B16, V2.B16, V3.B16], 64(R0)
	VST1.P [V4.B16, V5.B16, V6.B16, V7.B16], 64(R1)
	SUBS   $1, R4
	BNE    next
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
