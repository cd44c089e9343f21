#include "textflag.h"
#include "avx2_amd64.h"
#include "tile_avx2_amd64.h"

// Products of Q4K, Q4T, Q8S and Q8A panels with 4 tokens on AVX2. The arithmetic is that of panelk_avx2_amd64.s, the registers are those of
// tile_avx2_amd64.s.
//
// Instructions per weight and token: Q4K 0.15, Q4T 0.21, Q8S 0.21, Q8A 0.18.

// Q4KWIDEN makes one token's 16-bit sums 32-bit; Y14 holds ones.
#define Q4KWIDEN(sumA, sumB) \
	VPMADDWD Y14, sumA, sumA \
	VPMADDWD Y14, sumB, sumB

// func tileQ4KAVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ4KAVX2(SB), NOSPLIT, $288-48
	TILEBEGIN(8, 256)
	MOVQ R8, AX // super-block

super: // R8 walks over the 8 scales; the minima lie 128 bytes on
	LEAQ 64(AX), R8

block:
	NIBBLES(Y15)
	CLEARSUMS
	Q4TILEGROUP(0)
	Q4TILEGROUP(1)
	Q4TILEGROUP(2)
	Q4TILEGROUP(3)
	ONES16(Y14)
	Q4KWIDEN(Y0, Y1)
	Q4KWIDEN(Y2, Y3)
	Q4KWIDEN(Y4, Y5)
	Q4KWIDEN(Y6, Y7)
	VPMOVZXBD (R8), Y8
	VPMOVZXBD 8(R8), Y9
	VPMOVZXBD 128(R8), Y10
	VPMOVZXBD 136(R8), Y14
	VCVTPH2PS (AX), Y11
	VCVTPH2PS 16(AX), Y12
	VCVTPH2PS 32(AX), Y13
	VCVTPH2PS 48(AX), Y15
	VCVTDQ2PS Y8, Y8
	VCVTDQ2PS Y9, Y9
	VCVTDQ2PS Y10, Y10
	VCVTDQ2PS Y14, Y14
	VMULPS    Y11, Y8, Y8
	VMULPS    Y12, Y9, Y9
	VMULPS    Y13, Y10, Y10
	VMULPS    Y15, Y14, Y14
	ADDBLOCKMIN((R9), (R10), (R14), 32(R14), Y0, Y1)
	ADDBLOCKMIN((R9)(BX*1), (R10)(BX*1), 64(R14), 96(R14), Y2, Y3)
	ADDBLOCKMIN((R9)(BX*2), (R10)(BX*2), 128(R14), 160(R14), Y4, Y5)
	ADDBLOCKMIN((R9)(DI*1), (R10)(DI*1), 192(R14), 224(R14), Y6, Y7)
	NEXTBLOCK(256, 16)
	TESTQ     $7, CX
	JNZ       block
	ADDQ      $320, AX
	TESTQ     CX, CX
	JNZ       super

	TILEEND
	RET

// Q4TUNPACK puts the table's values for group g into Y8, Y9 (low nibbles of rows a, b) and Y10, Y11 (high). AX points to the table; the nibble
// mask lies in the frame.
#define Q4TUNPACK(g) \
	VMOVDQA        256(R14), Y12      \
	VBROADCASTI128 (AX), Y13          \
	VMOVDQU        (g*64)(SI), Y10    \
	VMOVDQU        (g*64+32)(SI), Y11 \
	VPAND          Y12, Y10, Y8       \
	VPAND          Y12, Y11, Y9       \
	VPSRLW         $4, Y10, Y10       \
	VPSRLW         $4, Y11, Y11       \
	VPAND          Y12, Y10, Y10      \
	VPAND          Y12, Y11, Y11      \
	VPSHUFB        Y8, Y13, Y8        \
	VPSHUFB        Y9, Y13, Y9        \
	VPSHUFB        Y10, Y13, Y10      \
	VPSHUFB        Y11, Y13, Y11

// Q4TADD adds the weights in a, b times one token's 4 activations; Y15 holds ones.
#define Q4TADD(x, a, b, sumA, sumB) \
	VPBROADCASTD x, Y12          \
	VPSIGNB      Y12, a, Y13     \
	VPSIGNB      Y12, b, Y14     \
	VPABSB       Y12, Y12        \
	VPMADDUBSW   Y13, Y12, Y13   \
	VPMADDUBSW   Y14, Y12, Y14   \
	VPMADDWD     Y15, Y13, Y13   \
	VPMADDWD     Y15, Y14, Y14   \
	VPADDD       Y13, sumA, sumA \
	VPADDD       Y14, sumB, sumB

#define Q4TTOKEN(g, x, sumA, sumB) \
	Q4TADD((g*4)(x), Y8, Y9, sumA, sumB) \
	Q4TADD((g*4+16)(x), Y10, Y11, sumA, sumB)

#define Q4TTILEGROUP(g) \
	Q4TUNPACK(g)             \
	Q4TTOKEN(g, DX, Y0, Y1)  \
	Q4TTOKEN(g, R11, Y2, Y3) \
	Q4TTOKEN(g, R12, Y4, Y5) \
	Q4TTOKEN(g, R13, Y6, Y7)

// ADDPARTS adds the integer sums of all tokens, whose scales lie at off.
#define ADDPARTS(off) \
	VMOVUPS off(R8), Y8                              \
	VMOVUPS (off+32)(R8), Y9                         \
	ADDBLOCK((R9), (R14), 32(R14), Y0, Y1)           \
	ADDBLOCK((R9)(BX*1), 64(R14), 96(R14), Y2, Y3)   \
	ADDBLOCK((R9)(BX*2), 128(R14), 160(R14), Y4, Y5) \
	ADDBLOCK((R9)(DI*1), 192(R14), 224(R14), Y6, Y7)

// func tileQ4TAVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ4TAVX2(SB), NOSPLIT, $320-48
	TILEBEGIN(8, 288)
	MOVQ    SI, AX
	ADDQ    $64, SI
	ADDQ    $64, R8
	NIBBLES(Y0)
	VMOVDQA Y0, 256(R14)
	ONES16(Y15)

block:
	CLEARSUMS
	Q4TTILEGROUP(0)
	Q4TTILEGROUP(1)
	Q4TTILEGROUP(2)
	Q4TTILEGROUP(3)
	ADDPARTS(0)
	NEXTBLOCK(256, 64)
	JNZ block

	TILEEND
	RET

// func tileQ8SAVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ8SAVX2(SB), NOSPLIT, $288-48
	TILEBEGIN(9, 256)
	ONES16(Y15)

block:
	CLEARSUMS
	Q8TILEGROUP(0)
	Q8TILEGROUP(1)
	Q8TILEGROUP(2)
	Q8TILEGROUP(3)
	ADDPARTS(0)
	CLEARSUMS
	Q8TILEGROUP(4)
	Q8TILEGROUP(5)
	Q8TILEGROUP(6)
	Q8TILEGROUP(7)
	ADDPARTS(64)
	NEXTBLOCK(512, 128)
	JNZ block

	TILEEND
	RET

// Q8ATOKEN adds one token's group in 16 bits.
#define Q8ATOKEN(g, x, sumA, sumB) \
	VPBROADCASTD ((g)*4)(x), Y12 \
	VPMADDUBSW   Y12, Y8, Y13    \
	VPMADDUBSW   Y12, Y9, Y14    \
	VPADDW       Y13, sumA, sumA \
	VPADDW       Y14, sumB, sumB

#define Q8ATILEGROUP(g) \
	VMOVDQU ((g)*64)(SI), Y8    \
	VMOVDQU ((g)*64+32)(SI), Y9 \
	Q8ATOKEN(g, DX, Y0, Y1)     \
	Q8ATOKEN(g, R11, Y2, Y3)    \
	Q8ATOKEN(g, R12, Y4, Y5)    \
	Q8ATOKEN(g, R13, Y6, Y7)

// Q8AWIDEN makes one token's 16-bit sums 32-bit; Y15 holds ones.
#define Q8AWIDEN(sumA, sumB) \
	VPMADDWD Y15, sumA, sumA \
	VPMADDWD Y15, sumB, sumB

// Q8AHALF adds half a block, groups g to g+3, of all tokens. Its scales lie at off, its minima AX bytes after them, and the sums of the
// activations at sums of the frame, 32 bytes apart.
#define Q8AHALF(g, off, sums) \
	CLEARSUMS                                                           \
	Q8ATILEGROUP(g)                                                     \
	Q8ATILEGROUP(g+1)                                                   \
	Q8ATILEGROUP(g+2)                                                   \
	Q8ATILEGROUP(g+3)                                                   \
	Q8AWIDEN(Y0, Y1)                                                    \
	Q8AWIDEN(Y2, Y3)                                                    \
	Q8AWIDEN(Y4, Y5)                                                    \
	Q8AWIDEN(Y6, Y7)                                                    \
	VMOVUPS off(R8), Y8                                                 \
	VMOVUPS (off+32)(R8), Y9                                            \
	VMOVUPS off(R8)(AX*1), Y10                                          \
	VMOVUPS (off+32)(R8)(AX*1), Y14                                     \
	ADDBLOCKMIN((R9), (sums)(R14), (R14), 32(R14), Y0, Y1)              \
	ADDBLOCKMIN((R9)(BX*1), (sums+32)(R14), 64(R14), 96(R14), Y2, Y3)   \
	ADDBLOCKMIN((R9)(BX*2), (sums+64)(R14), 128(R14), 160(R14), Y4, Y5) \
	ADDBLOCKMIN((R9)(DI*1), (sums+96)(R14), 192(R14), 224(R14), Y6, Y7)

// Q8ASUMS keeps the sums of one token's activations at off of the frame.
#define Q8ASUMS(x, off) \
	HALFSUMS((x), Y14, Y15, Y0, Y1) \
	VMOVDQA Y0, off(R14)

// func tileQ8AAVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ8AAVX2(SB), NOSPLIT, $416-48
	TILEBEGIN(9, 384)
	MOVQ CX, AX
	SHLQ $7, AX
	ONES16(Y15)

block:
	ONES8(Y14)
	Q8ASUMS(DX, 256)
	Q8ASUMS(R11, 288)
	Q8ASUMS(R12, 320)
	Q8ASUMS(R13, 352)
	Q8AHALF(0, 0, 256)
	Q8AHALF(4, 64, 272)
	NEXTBLOCK(512, 128)
	JNZ block

	TILEEND
	RET
