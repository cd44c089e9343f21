#include "funcdata.h"
#include "textflag.h"
#include "neuron_amd64.h"

// Sums of neuron rows in whole numbers (neuron.go) on AVX-512 with VNNI.
//
// The rows of a list go four at a time, four blocks at a time: 64 bytes of a row of Q4, with a block in each lane of 128 bits, and twice 64 of Q8, with
// half a block in each. The bytes of the four rows are interleaved, so that a dword has one of each, all of one column, and VPDPBUSD multiplies them with a
// dword of four factors. A factor of 16 bits is two signed bytes, the higher one 1 more where the lower one is negative; so there are two
// multiplications, and their sums are joined at the end of the list. Q4's nibbles are not taken apart: one sum is of whole bytes, which is 16 times the
// high nibble and the low one, the other of bytes without their low nibble. y is read and written once.
//
// Codes are 8 larger than their numbers, of Q8 128, once their sign is flipped. So sums start at minus that times the sum of the factors; none leaves 32 bits.
//
// Before that, for 16 blocks at a time, the factors of all rows go to the stack as floats, and then become whole numbers in their places. Rows that fill
// up the last four have factors 0 and the codes of the list's last row. Masks keep loads from going past the end of a row. Where a largest factor is
// infinite or no number, the step is so as well, and that makes the outputs NaN: of infinity the whole numbers are 0. The rows should
// be in a cache: nothing is asked for ahead.
//
// Lists of 45 rows of 4096 columns: instructions per weight Q4 0.14, Q8 0.16. Cycles of 32 weights that llvm-mca 19 counts: for Sapphire Rapids Q4 1.9, Q8
// 2.2, where sums in floats took 3.1 and 4.1; for Zen 4 2.8 and 2.9, before 4.6 and 4.1, or 1.8 and 2.2 if a VPDPBUSD takes one cycle there and not two.
// The loop of four rows and four blocks of Q4 takes 17 cycles for 16 VPDPBUSD; what Q8 waits for is interleaving. Of the 1.9, 0.5 make factors and their
// whole numbers, and 0.2 bring the sums to y. Memory brings 32 weights of Q4 in 1.3 cycles at 38 GB/s and 2.7 GHz.
//
//	DI y   SI row of the list   CX blocks left   DX, BX bytes of scales and of codes before   R8-R11 codes of four rows
//	R13 8 times a row's number   AX its end   R14 the tables
//	Z0-Z5 scratch   Z6 the number in the group of each lane's block, Z14 of Q8's second 64 bytes   Z7 bytes of 0xf0, of Q8 0x80
//	Z8, Z9 high and low bytes of factors   Z10 steps   Z11 minus sums of factors   Z12 4s   Z13 blocks left at the beginning of the group
//	Z16-Z19, Z20-Z23 sums with high and with low bytes of factors, of Q4's whole bytes, of Q8's first 64 bytes
//	Z24-Z27, Z28-Z31 the same, of bytes without their low nibble, of Q8's second 64 bytes
//
// The tables begin at a multiple of 64 bytes. First 64 bytes for each row, and for 3 more, which are cleared: the factors of 16 blocks; later those of
// four rows are high bytes, a dword for each block, and low bytes. Then, at pointers, the rows' codes, the last ones 3 more times. The frame is
// 72*(sumRows+3) + 64 bytes.

#define pointers (64*(const_sumRows+3))

DATA numbers<>+0(SB)/8, $0x0000000100000000
DATA numbers<>+8(SB)/8, $0x0000000300000002
DATA numbers<>+16(SB)/8, $0x0000000500000004
DATA numbers<>+24(SB)/8, $0x0000000700000006
DATA numbers<>+32(SB)/8, $0x0000000900000008
DATA numbers<>+40(SB)/8, $0x0000000b0000000a
DATA numbers<>+48(SB)/8, $0x0000000d0000000c
DATA numbers<>+56(SB)/8, $0x0000000f0000000e
GLOBL numbers<>(SB), RODATA|NOPTR, $64

#define FILL(v, r) \
	MOVL         $(v), R8 \
	VPBROADCASTD R8, r

// FACTORS makes the floats of 16 blocks of all rows and their largest size, Z2.
#define FACTORS(row) \
	MOVQ         rows+8(FP), SI            \
	MOVQ         n+16(FP), R11             \
	SHLQ         $6, R11                   \
	ADDQ         R14, R11                  \
	MOVQ         R14, R9                   \
	VMOVDQU32    numbers<>(SB), Z0         \
	VPBROADCASTD CX, Z13                   \
	VPCMPUD      $1, Z13, Z0, K3           \
	FILL(0x7fffffff, Z1)                   \
	VPXORD       Z2, Z2, Z2                \
row:                                           \
	MOVQ         Weighted_Scales(SI), R8   \
	VMOVDQU16.Z  (R8)(DX*1), K3, Y0        \
	VCVTPH2PS    Y0, Z0                    \
	VMULPS.BCST  Weighted_Coef(SI), Z0, Z0 \
	VMOVDQA32    Z0, (R9)                  \
	VPANDD       Z0, Z1, Z0                \
	VPMAXUD      Z0, Z2, Z2                \
	ADDQ         $Weighted__size, SI       \
	ADDQ         $64, R9                   \
	CMPQ         R9, R11                   \
	JNE          row                       \
	VPXORD       Z0, Z0, Z0                \
	VMOVDQA32    Z0, 0(R9)                 \
	VMOVDQA32    Z0, 64(R9)                \
	VMOVDQA32    Z0, 128(R9)

// LEVELS makes what factors are multiplied with, factorLevels/largest, or 0 below leastFactor, and the steps, largest/factorLevels.
#define LEVELS \
	FILL(0x0d800000, Z0)     \
	VPCMPUD  $5, Z0, Z2, K3  \
	FILL(0x46fe0000, Z0)     \
	VDIVPS.Z Z2, Z0, K3, Z16 \
	FILL(0x38010204, Z0)     \
	VMULPS   Z0, Z2, Z10

// WHOLE makes the factors of all rows whole numbers, and minus their sums: words of a first and a third row side by side, and of a second and a fourth,
// so that the bytes of all four come together by shifts of 8.
#define WHOLE(four) \
	VPTERNLOGD $0xff, Z17, Z17, Z17     \
	FILL(0x0000ffff, Z18)               \
	FILL(0x00ff00ff, Z19)               \
	FILL(0x00800080, Z20)               \
	VPSLLW     $8, Z19, Z21             \
	VPXORD     Z11, Z11, Z11            \
	VPXORD     Z22, Z22, Z22            \
	XORL       R13, R13                 \
four:                                       \
	VMULPS     0(R14)(R13*8), Z16, Z0   \
	VMULPS     64(R14)(R13*8), Z16, Z1  \
	VMULPS     128(R14)(R13*8), Z16, Z2 \
	VMULPS     192(R14)(R13*8), Z16, Z3 \
	VCVTPS2DQ  Z0, Z0                   \
	VCVTPS2DQ  Z1, Z1                   \
	VCVTPS2DQ  Z2, Z2                   \
	VCVTPS2DQ  Z3, Z3                   \
	VPSLLD     $16, Z2, Z2              \
	VPSLLD     $16, Z3, Z3              \
	VPTERNLOGD $0xea, Z2, Z18, Z0       \
	VPTERNLOGD $0xea, Z3, Z18, Z1       \
	VPDPWSSD   Z17, Z0, Z11             \
	VPDPWSSD   Z17, Z1, Z22             \
	VPSLLW     $8, Z1, Z3               \
	VPTERNLOGD $0xf8, Z19, Z0, Z3       \
	VPADDW     Z20, Z0, Z0              \
	VPADDW     Z20, Z1, Z1              \
	VPSRLW     $8, Z0, Z2               \
	VPTERNLOGD $0xf8, Z21, Z1, Z2       \
	VMOVDQA32  Z2, 0(R14)(R13*8)        \
	VMOVDQA32  Z3, 64(R14)(R13*8)       \
	ADDQ       $32, R13                 \
	CMPQ       R13, AX                  \
	JNE        four                     \
	VPADDD     Z22, Z11, Z11

// CODES loads 64 bytes of four rows, as far as the mask goes, and flips the signs of Q8.
#define CODES4 \
	VMOVDQU32.Z (R8)(BX*1), K1, Z0  \
	VMOVDQU32.Z (R9)(BX*1), K1, Z1  \
	VMOVDQU32.Z (R10)(BX*1), K1, Z2 \
	VMOVDQU32.Z (R11)(BX*1), K1, Z3
#define CODES8(off, mask) \
	VPXORD.Z off(R8)(BX*1), Z7, mask, Z0  \
	VPXORD.Z off(R9)(BX*1), Z7, mask, Z1  \
	VPXORD.Z off(R10)(BX*1), Z7, mask, Z2 \
	VPXORD.Z off(R11)(BX*1), Z7, mask, Z3

// INTERLEAVE makes of the bytes of four rows, Z0 to Z3, dwords of columns 0-3, 4-7, 8-11 and 12-15 of each lane, Z2 to Z5.
#define INTERLEAVE \
	VPUNPCKLBW Z1, Z0, Z4 \
	VPUNPCKHBW Z1, Z0, Z5 \
	VPUNPCKLBW Z3, Z2, Z0 \
	VPUNPCKHBW Z3, Z2, Z1 \
	VPUNPCKLWD Z0, Z4, Z2 \
	VPUNPCKHWD Z0, Z4, Z3 \
	VPUNPCKLWD Z1, Z5, Z4 \
	VPUNPCKHWD Z1, Z5, Z5

// SPREAD brings four rows' factors to the lanes that their blocks have.
#define SPREAD(lanes) \
	VPERMD 0(R14)(R13*8), lanes, Z8  \
	VPERMD 64(R14)(R13*8), lanes, Z9

// MULTIPLY adds the products of what is in Z2 to Z5.
#define MULTIPLY(high0, high1, high2, high3, low0, low1, low2, low3) \
	VPDPBUSD Z8, Z2, high0 \
	VPDPBUSD Z8, Z3, high1 \
	VPDPBUSD Z8, Z4, high2 \
	VPDPBUSD Z8, Z5, high3 \
	VPDPBUSD Z9, Z2, low0  \
	VPDPBUSD Z9, Z3, low1  \
	VPDPBUSD Z9, Z4, low2  \
	VPDPBUSD Z9, Z5, low3

// PRODUCTS adds four blocks of four rows.
#define PRODUCTS4 \
	CODES4                                           \
	SPREAD(Z6)                                       \
	INTERLEAVE                                       \
	MULTIPLY(Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23) \
	VPANDD Z7, Z2, Z2                                \
	VPANDD Z7, Z3, Z3                                \
	VPANDD Z7, Z4, Z4                                \
	VPANDD Z7, Z5, Z5                                \
	MULTIPLY(Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31)
#define PRODUCTS8 \
	CODES8(0, K1)                                    \
	SPREAD(Z6)                                       \
	INTERLEAVE                                       \
	MULTIPLY(Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23) \
	CODES8(64, K2)                                   \
	SPREAD(Z14)                                      \
	INTERLEAVE                                       \
	MULTIPLY(Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31)

// LANES has the first blocks of a group in the lanes, NEXT the following ones; MASKS has those that are not past the end of the row.
#define LANES4 \
	VMOVDQU32 numbers<>(SB), Z6 \
	VPSRLD    $2, Z6, Z6
#define LANES8 \
	VMOVDQU32 numbers<>(SB), Z6 \
	VPSRLD    $3, Z6, Z6        \
	VPSRLD    $1, Z12, Z14      \
	VPADDD    Z6, Z14, Z14
#define MASKS4 VPCMPUD $1, Z13, Z6, K1
#define MASKS8 \
	VPCMPUD $1, Z13, Z6, K1  \
	VPCMPUD $1, Z13, Z14, K2
#define NEXT4 VPADDD Z12, Z6, Z6
#define NEXT8 \
	VPADDD Z12, Z6, Z6   \
	VPADDD Z12, Z14, Z14

// OFFSETS makes what sums with low bytes start at. Minus the sum of factors is taken 16*8+8 times for Q4's whole bytes, 16*8 times for those without
// their low nibbles, and 128 times for Q8. BEGIN starts all sums.
#define OFFSETS4 \
	VPERMD Z11, Z6, Z0   \
	VPSLLD $7, Z0, Z28   \
	VPSLLD $3, Z0, Z20   \
	VPADDD Z28, Z20, Z20
#define OFFSETS8 \
	VPERMD Z11, Z6, Z0  \
	VPERMD Z11, Z14, Z1 \
	VPSLLD $7, Z0, Z20  \
	VPSLLD $7, Z1, Z28
#define BEGIN(high0, high1, high2, high3, low0, low1, low2, low3) \
	VPXORD    high0, high0, high0 \
	VPXORD    high1, high1, high1 \
	VPXORD    high2, high2, high2 \
	VPXORD    high3, high3, high3 \
	VMOVDQA32 low0, low1          \
	VMOVDQA32 low0, low2          \
	VMOVDQA32 low0, low3

// JOIN adds sums with low bytes to those with high bytes.
#define JOIN(high, low) \
	VPSLLD $8, high, high  \
	VPADDD low, high, high

// NIBBLES makes sums of low and of high nibbles.
#define NIBBLES(byte, high) \
	VPSUBD high, byte, byte \
	VPSRAD $4, high, high

// FLOATS makes floats of sums, and exchanges rows and columns of the four by four lanes: a vector becomes 16 columns in order.
#define FLOATS(step, a, b, c, d) \
	VCVTDQ2PS a, a              \
	VCVTDQ2PS b, b              \
	VCVTDQ2PS c, c              \
	VCVTDQ2PS d, d              \
	VMULPS    step, a, a        \
	VMULPS    step, b, b        \
	VMULPS    step, c, c        \
	VMULPS    step, d, d        \
	VSHUFF64X2 $0x44, b, a, Z2  \
	VSHUFF64X2 $0xee, b, a, Z3  \
	VSHUFF64X2 $0x44, d, c, Z4  \
	VSHUFF64X2 $0xee, d, c, Z5  \
	VSHUFF64X2 $0x88, Z4, Z2, a \
	VSHUFF64X2 $0xdd, Z4, Z2, b \
	VSHUFF64X2 $0x88, Z5, Z3, c \
	VSHUFF64X2 $0xdd, Z5, Z3, d

// BLOCK adds 32 columns to y; the row may end with them.
#define BLOCK(number, first, second) \
	VADDPS  (128*number)(DI), first, first      \
	VADDPS  (128*number+64)(DI), second, second \
	VMOVUPS first, (128*number)(DI)             \
	VMOVUPS second, (128*number+64)(DI)         \
	DECQ    CX                                  \
	JZ      done

#define RESULTS4 \
	NIBBLES(Z16, Z24)              \
	NIBBLES(Z17, Z25)              \
	NIBBLES(Z18, Z26)              \
	NIBBLES(Z19, Z27)              \
	VPERMPS Z10, Z6, Z0            \
	FLOATS(Z0, Z16, Z17, Z18, Z19) \
	FLOATS(Z0, Z24, Z25, Z26, Z27) \
	BLOCK(0, Z16, Z24)             \
	BLOCK(1, Z17, Z25)             \
	BLOCK(2, Z18, Z26)             \
	BLOCK(3, Z19, Z27)
#define RESULTS8 \
	VPERMPS Z10, Z6, Z0            \
	VPERMPS Z10, Z14, Z1           \
	FLOATS(Z0, Z16, Z17, Z18, Z19) \
	FLOATS(Z1, Z24, Z25, Z26, Z27) \
	BLOCK(0, Z16, Z17)             \
	BLOCK(1, Z18, Z19)             \
	BLOCK(2, Z24, Z25)             \
	BLOCK(3, Z26, Z27)

// SUM goes through groups of 16 blocks, parts of four blocks, and the rows by four.
#define SUM(codeBytes, lanes, masks, offsets, products, results, next) \
	LEAQ 63(SP), R14                              \
	ANDQ $~63, R14                                \
	LEAQ pointers(R14), R13                       \
	MOVQ rows+8(FP), SI                           \
	MOVQ n+16(FP), AX                             \
pointer:                                              \
	MOVQ Weighted_Codes(SI), R8                   \
	MOVQ R8, (R13)                                \
	ADDQ $Weighted__size, SI                      \
	ADDQ $8, R13                                  \
	DECQ AX                                       \
	JNZ  pointer                                  \
	MOVQ R8, 0(R13)                               \
	MOVQ R8, 8(R13)                               \
	MOVQ R8, 16(R13)                              \
	MOVQ n+16(FP), AX                             \
	ADDQ $3, AX                                   \
	ANDQ $~3, AX                                  \
	SHLQ $3, AX                                   \
	MOVQ y+0(FP), DI                              \
	MOVQ blocks+24(FP), CX                        \
	XORL DX, DX                                   \
	XORL BX, BX                                   \
	FILL(4, Z12)                                  \
group:                                                \
	FACTORS(row)                                  \
	LEVELS                                        \
	WHOLE(whole)                                  \
	lanes                                         \
part:                                                 \
	masks                                         \
	offsets                                       \
	BEGIN(Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23) \
	BEGIN(Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31) \
	XORL    R13, R13                              \
four:                                                 \
	MOVQ (pointers+0)(R14)(R13*1), R8             \
	MOVQ (pointers+8)(R14)(R13*1), R9             \
	MOVQ (pointers+16)(R14)(R13*1), R10           \
	MOVQ (pointers+24)(R14)(R13*1), R11           \
	products                                      \
	ADDQ $32, R13                                 \
	CMPQ R13, AX                                  \
	JNE  four                                     \
	JOIN(Z16, Z20)                                \
	JOIN(Z17, Z21)                                \
	JOIN(Z18, Z22)                                \
	JOIN(Z19, Z23)                                \
	JOIN(Z24, Z28)                                \
	JOIN(Z25, Z29)                                \
	JOIN(Z26, Z30)                                \
	JOIN(Z27, Z31)                                \
	results                                       \
	ADDQ  $512, DI                                \
	ADDQ  $(4*codeBytes), BX                      \
	ADDQ  $8, DX                                  \
	next                                          \
	TESTQ $31, DX                                 \
	JNZ   part                                    \
	JMP   group                                   \
done:                                                 \
	VZEROUPPER

// func neuronAxpyQ8AVX512(y *float32, rows *Weighted, n, blocks int)
TEXT ·neuronAxpyQ8AVX512(SB), 0, $4888-32
	NO_LOCAL_POINTERS
	FILL(0x80808080, Z7)
	SUM(32, LANES8, MASKS8, OFFSETS8, PRODUCTS8, RESULTS8, NEXT8)
	RET

// func neuronAxpyQ4AVX512(y *float32, rows *Weighted, n, blocks int)
TEXT ·neuronAxpyQ4AVX512(SB), 0, $4888-32
	NO_LOCAL_POINTERS
	FILL(0xf0f0f0f0, Z7)
	SUM(16, LANES4, MASKS4, OFFSETS4, PRODUCTS4, RESULTS4, NEXT4)
	RET
