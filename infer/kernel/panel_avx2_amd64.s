#include "textflag.h"
#include "avx2_amd64.h"

// Products of Q4 and Q8 panels on AVX2 (see the package documentation for the layouts).
//
// A group of 4 columns is 64 bytes: 16 rows of 4 weights. One ymm holds rows 0-7 ("a"), the next rows 8-15 ("b"). VPBROADCASTD puts the
// group's 4 activations in every lane. VPMADDUBSW multiplies unsigned by signed bytes and adds pairs, in 16 bits:
//
//	Q4: the nibbles 0..15 are the unsigned operand. A block adds up to 8*2*15*127 = 30480, which 16 bits hold, so the
//	    whole block is summed in 16 bits and widened once. 8 * (sum of the activations) is taken off at the end.
//	Q8: |w| is the unsigned operand and x with the sign of w the signed one; 2*128*127 = 32512 fits, one more does not, so
//	    each group is widened to 32 bits.
//
// At the end of a block each row's integer becomes float32 and acc = fma(float(sum), wd*xd, acc), wd*xd rounded. The tile does the same
// operations in the same order (tile_avx2_amd64.s), hence gives the same bits.
//
// Instructions per weight: Q4 0.19, Q8 0.25.

//	DI y   SI codes   R8 scales of the weights   DX activations   R9 their scales   R10 their sums   CX blocks left
//	Y0, Y1 acc of rows a, b   Y2, Y3 integer sums   Y14 ones   Y15 nibble mask

// Q4GROUP adds group g: columns 4g.. (low nibbles) and 16+4g.. (high).
#define Q4GROUP(g, sumA, sumB) \
	VMOVDQU      (g*64)(SI), Y4    \
	VMOVDQU      (g*64+32)(SI), Y5 \
	VPBROADCASTD (g*4)(DX), Y6     \
	VPBROADCASTD (g*4+16)(DX), Y7  \
	VPAND        Y15, Y4, Y8       \
	VPAND        Y15, Y5, Y9       \
	VPSRLW       $4, Y4, Y4        \
	VPSRLW       $4, Y5, Y5        \
	VPAND        Y15, Y4, Y4       \
	VPAND        Y15, Y5, Y5       \
	VPMADDUBSW   Y6, Y8, Y8        \
	VPMADDUBSW   Y6, Y9, Y9        \
	VPMADDUBSW   Y7, Y4, Y4        \
	VPMADDUBSW   Y7, Y5, Y5        \
	VPADDW       Y8, sumA, sumA    \
	VPADDW       Y9, sumB, sumB    \
	VPADDW       Y4, sumA, sumA    \
	VPADDW       Y5, sumB, sumB

// func panelQ4AVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4AVX2(SB), NOSPLIT, $0-32
	MOVQ    y+0(FP), DI
	MOVQ    w+8(FP), SI
	MOVQ    x+16(FP), DX
	MOVQ    n+24(FP), CX
	MOVQ    CX, AX
	SHLQ    $8, AX
	LEAQ    (SI)(AX*1), R8
	MOVQ    CX, AX
	SHLQ    $5, AX
	LEAQ    (DX)(AX*1), R9
	LEAQ    (R9)(CX*4), R10
	ONES16(Y14)
	NIBBLES(Y15)
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1

block:
	PREFETCHT0   prefetchBytes(SI)
	PREFETCHT0   (prefetchBytes+64)(SI)
	PREFETCHT0   (prefetchBytes+128)(SI)
	PREFETCHT0   (prefetchBytes+192)(SI)
	VPXOR        Y2, Y2, Y2
	VPXOR        Y3, Y3, Y3
	Q4GROUP(0, Y2, Y3)
	Q4GROUP(1, Y2, Y3)
	Q4GROUP(2, Y2, Y3)
	Q4GROUP(3, Y2, Y3)
	VPBROADCASTD (R10), Y4
	VPMADDWD     Y14, Y2, Y2
	VPMADDWD     Y14, Y3, Y3
	VPSLLD       $3, Y4, Y4
	VBROADCASTSS (R9), Y5
	VCVTPH2PS    (R8), Y6
	VCVTPH2PS    16(R8), Y7
	VPSUBD       Y4, Y2, Y2
	VPSUBD       Y4, Y3, Y3
	VCVTDQ2PS    Y2, Y2
	VCVTDQ2PS    Y3, Y3
	VMULPS       Y5, Y6, Y6
	VMULPS       Y5, Y7, Y7
	VFMADD231PS  Y6, Y2, Y0
	VFMADD231PS  Y7, Y3, Y1
	ADDQ         $256, SI
	ADDQ         $32, DX
	ADDQ         $32, R8
	ADDQ         $4, R9
	ADDQ         $4, R10
	DECQ         CX
	JNZ          block

	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VZEROUPPER
	RET

// Q8GROUP adds group g: columns 4g to 4g+3.
#define Q8GROUP(g) \
	VMOVDQU      (g*64)(SI), Y4    \
	VMOVDQU      (g*64+32)(SI), Y5 \
	VPBROADCASTD (g*4)(DX), Y6     \
	VPABSB       Y4, Y7            \
	VPABSB       Y5, Y8            \
	VPSIGNB      Y4, Y6, Y4        \
	VPSIGNB      Y5, Y6, Y5        \
	VPMADDUBSW   Y4, Y7, Y4        \
	VPMADDUBSW   Y5, Y8, Y5        \
	VPMADDWD     Y14, Y4, Y4       \
	VPMADDWD     Y14, Y5, Y5       \
	VPADDD       Y4, Y2, Y2        \
	VPADDD       Y5, Y3, Y3

// func panelQ8AVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8AVX2(SB), NOSPLIT, $0-32
	MOVQ    y+0(FP), DI
	MOVQ    w+8(FP), SI
	MOVQ    x+16(FP), DX
	MOVQ    n+24(FP), CX
	MOVQ    CX, AX
	SHLQ    $9, AX
	LEAQ    (SI)(AX*1), R8
	MOVQ    CX, AX
	SHLQ    $5, AX
	LEAQ    (DX)(AX*1), R9
	ONES16(Y14)
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1

block:
	PREFETCHT0   prefetchBytes(SI)
	PREFETCHT0   (prefetchBytes+64)(SI)
	PREFETCHT0   (prefetchBytes+128)(SI)
	PREFETCHT0   (prefetchBytes+192)(SI)
	PREFETCHT0   (prefetchBytes+256)(SI)
	PREFETCHT0   (prefetchBytes+320)(SI)
	PREFETCHT0   (prefetchBytes+384)(SI)
	PREFETCHT0   (prefetchBytes+448)(SI)
	VPXOR        Y2, Y2, Y2
	VPXOR        Y3, Y3, Y3
	Q8GROUP(0)
	Q8GROUP(1)
	Q8GROUP(2)
	Q8GROUP(3)
	Q8GROUP(4)
	Q8GROUP(5)
	Q8GROUP(6)
	Q8GROUP(7)
	VBROADCASTSS (R9), Y5
	VCVTPH2PS    (R8), Y6
	VCVTPH2PS    16(R8), Y7
	VCVTDQ2PS    Y2, Y2
	VCVTDQ2PS    Y3, Y3
	VMULPS       Y5, Y6, Y6
	VMULPS       Y5, Y7, Y7
	VFMADD231PS  Y6, Y2, Y0
	VFMADD231PS  Y7, Y3, Y1
	ADDQ         $512, SI
	ADDQ         $32, DX
	ADDQ         $32, R8
	ADDQ         $4, R9
	DECQ         CX
	JNZ          block

	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VZEROUPPER
	RET
