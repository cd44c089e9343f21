#include "textflag.h"

// The moves of packing (pack_moves.go) on AVX2. They have to be faster than the system copies a file, some 10 GB/s; from the first cache a plane takes 5 cycles
// to interleave, and 3 to exchange bits with another.

// Within 16 bytes: the halves of each 4 bytes, and the bytes of each 4, together.
DATA packHalves<>+0(SB)/8, $0x0d0c090805040100
DATA packHalves<>+8(SB)/8, $0x0f0e0b0a07060302
GLOBL packHalves<>(SB), RODATA|NOPTR, $16
DATA packBytes<>+0(SB)/8, $0x0d0905010c080400
DATA packBytes<>+8(SB)/8, $0x0f0b07030e0a0602
GLOBL packBytes<>(SB), RODATA|NOPTR, $16

// The dwords of both halves of a register, side by side.
DATA packLanes<>+0(SB)/8, $0x0000000400000000
DATA packLanes<>+8(SB)/8, $0x0000000500000001
DATA packLanes<>+16(SB)/8, $0x0000000600000002
DATA packLanes<>+24(SB)/8, $0x0000000700000003
GLOBL packLanes<>(SB), RODATA|NOPTR, $32

// The lower bits of each 2*shift, by shift.
DATA packMasks<>+0(SB)/8, $0x0000000f00335500
GLOBL packMasks<>(SB), RODATA|NOPTR, $8

// FOUR_WORDS makes rows' part of 4 planes at off(DI): 4 words of the 4 rows at a and of the 4 at b, whose words go to the upper half of each register.
#define FOUR_WORDS(a, b, off) \
	VMOVDQU     (a), X0                  \
	VMOVDQU     (a)(R8*1), X1            \
	VMOVDQU     (a)(R8*2), X2            \
	VMOVDQU     (a)(R9*1), X3            \
	VINSERTI128 $1, (b), Y0, Y0          \
	VINSERTI128 $1, (b)(R8*1), Y1, Y1    \
	VINSERTI128 $1, (b)(R8*2), Y2, Y2    \
	VINSERTI128 $1, (b)(R9*1), Y3, Y3    \
	VPUNPCKLDQ  Y1, Y0, Y4               \ // words 0, 1 of rows 0, 1
	VPUNPCKHDQ  Y1, Y0, Y5               \ // words 2, 3
	VPUNPCKLDQ  Y3, Y2, Y6               \
	VPUNPCKHDQ  Y3, Y2, Y7               \
	VPUNPCKLQDQ Y6, Y4, Y0               \
	VPUNPCKHQDQ Y6, Y4, Y1               \
	VPUNPCKLQDQ Y7, Y5, Y2               \
	VPUNPCKHQDQ Y7, Y5, Y3               \
	VMOVDQU     Y0, off(DI)              \
	VMOVDQU     Y1, (off+64)(DI)         \
	VMOVDQU     Y2, (off+128)(DI)        \
	VMOVDQU     Y3, (off+192)(DI)

// TWO_WORDS does it with 2 words of 4 rows, ONE_WORD with one.
#define TWO_WORDS(a, off) \
	VMOVQ   (a), X0               \
	VMOVHPS (a)(R8*1), X0, X0     \
	VMOVQ   (a)(R8*2), X1         \
	VMOVHPS (a)(R9*1), X1, X1     \
	VSHUFPS $0x88, X1, X0, X2     \
	VSHUFPS $0xdd, X1, X0, X3     \
	VMOVUPS X2, off(DI)           \
	VMOVUPS X3, (off+64)(DI)
#define ONE_WORD(a, off) \
	VMOVD   (a), X0               \
	VPINSRD $1, (a)(R8*1), X0, X0 \
	VPINSRD $2, (a)(R8*2), X0, X0 \
	VPINSRD $3, (a)(R9*1), X0, X0 \
	VMOVDQU X0, off(DI)

// func interleaveAVX2(dst, src unsafe.Pointer, stride, n int)
//
//	DI planes   SI, R10, R11, R12 every fourth row   R8 stride   R9 3 strides   CX words left
TEXT ·interleaveAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), R8
	MOVQ n+24(FP), CX
	LEAQ (R8)(R8*2), R9
	LEAQ (SI)(R8*4), R10
	LEAQ (SI)(R8*8), R11
	LEAQ (R10)(R8*8), R12
	SUBQ $4, CX
	JLT  few

four:
	FOUR_WORDS(SI, R10, 0)
	FOUR_WORDS(R11, R12, 32)
	ADDQ $16, SI
	ADDQ $16, R10
	ADDQ $16, R11
	ADDQ $16, R12
	ADDQ $256, DI
	SUBQ $4, CX
	JGE  four

few:
	TESTQ $2, CX
	JZ    one
	TWO_WORDS(SI, 0)
	TWO_WORDS(R10, 16)
	TWO_WORDS(R11, 32)
	TWO_WORDS(R12, 48)
	ADDQ  $8, SI
	ADDQ  $8, R10
	ADDQ  $8, R11
	ADDQ  $8, R12
	ADDQ  $128, DI

one:
	TESTQ $1, CX
	JZ    done
	ONE_WORD(SI, 0)
	ONE_WORD(R10, 16)
	ONE_WORD(R11, 32)
	ONE_WORD(R12, 48)

done:
	VZEROUPPER
	RET

// EXCHANGE is half a plane. A bit that differs from its partner changes, and so does the partner.
#define EXCHANGE(off) \
	VMOVDQU off(SI), Y0     \
	VMOVDQU off(DX), Y1     \
	VPSRLW  X6, Y0, Y2      \
	VPXOR   Y1, Y2, Y2      \
	VPAND   Y7, Y2, Y2      \
	VPXOR   Y2, Y1, Y1      \
	VPSLLW  X6, Y2, Y2      \
	VPXOR   Y2, Y0, Y0      \
	VMOVDQU Y0, off(DI)     \
	VMOVDQU Y1, off(R8)

// func exchangeAVX2(low, high, a, b unsafe.Pointer, planes, shift int)
//
//	DI low   R8 high   SI a   DX b   CX planes left   X6 shift   Y7 the lower bits, which are in place in a
TEXT ·exchangeAVX2(SB), NOSPLIT, $0-48
	MOVQ         low+0(FP), DI
	MOVQ         high+8(FP), R8
	MOVQ         a+16(FP), SI
	MOVQ         b+24(FP), DX
	MOVQ         planes+32(FP), CX
	MOVQ         shift+40(FP), AX
	VMOVQ        AX, X6
	LEAQ         packMasks<>(SB), BX
	VPBROADCASTB (BX)(AX*1), Y7

next:
	EXCHANGE(0)
	EXCHANGE(32)
	ADDQ $64, DI
	ADDQ $64, R8
	ADDQ $64, SI
	ADDQ $64, DX
	DECQ CX
	JNZ  next
	VZEROUPPER
	RET

// func halvesAVX2(dst, src unsafe.Pointer, n int)
TEXT ·halvesAVX2(SB), NOSPLIT, $0-24
	MOVQ           dst+0(FP), DI
	MOVQ           src+8(FP), SI
	MOVQ           n+16(FP), CX
	VBROADCASTI128 packHalves<>(SB), Y7

next:
	VMOVDQU    (SI), Y0
	VMOVDQU    32(SI), Y1
	VPSHUFB    Y7, Y0, Y0
	VPSHUFB    Y7, Y1, Y1
	VPERMQ     $0xd8, Y0, Y0     // first halves of rows 0 to 7, second halves
	VPERMQ     $0xd8, Y1, Y1
	VPERM2I128 $0x20, Y1, Y0, Y2
	VPERM2I128 $0x31, Y1, Y0, Y3
	VMOVDQU    Y2, (DI)
	VMOVDQU    Y3, 32(DI)
	ADDQ       $64, SI
	ADDQ       $64, DI
	DECQ       CX
	JNZ        next
	VZEROUPPER
	RET

// func bytesAVX2(dst, src unsafe.Pointer, n int)
TEXT ·bytesAVX2(SB), NOSPLIT, $0-24
	MOVQ           dst+0(FP), DI
	MOVQ           src+8(FP), SI
	MOVQ           n+16(FP), CX
	VBROADCASTI128 packBytes<>(SB), Y7
	VMOVDQU        packLanes<>(SB), Y6

next:
	VMOVDQU     (SI), Y0
	VMOVDQU     32(SI), Y1
	VPSHUFB     Y7, Y0, Y0
	VPSHUFB     Y7, Y1, Y1
	VPERMD      Y0, Y6, Y0        // byte 0 of rows 0 to 7, byte 1, byte 2, byte 3
	VPERMD      Y1, Y6, Y1
	VPUNPCKLQDQ Y1, Y0, Y2        // byte 0 of all rows, byte 2
	VPUNPCKHQDQ Y1, Y0, Y3
	VPERM2I128  $0x20, Y3, Y2, Y0
	VPERM2I128  $0x31, Y3, Y2, Y1
	VMOVDQU     Y0, (DI)
	VMOVDQU     Y1, 32(DI)
	ADDQ        $64, SI
	ADDQ        $64, DI
	DECQ        CX
	JNZ         next
	VZEROUPPER
	RET
