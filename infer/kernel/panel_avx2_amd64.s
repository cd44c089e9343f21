#include "textflag.h"
#include "avx2_amd64.h"
#include "panel_avx2_amd64.h"

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
// Instructions per weight: Q4 0.20, Q8 0.25.

//	DI y   SI codes   R8 scales of the weights   DX activations   R9 their scales   R10 their sums   CX blocks left
//	Y0, Y1 acc of rows a, b   Y2, Y3 integer sums   Y14 ones   Y15 nibble mask

// func panelQ4AVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4AVX2(SB), NOSPLIT, $0-32
	PANELBEGIN(8)
	NIBBLES(Y15)

block:
	PREFETCH4(0)
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

	PANELEND
	RET

// func panelQ8AVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8AVX2(SB), NOSPLIT, $0-32
	PANELBEGIN(9)

block:
	PREFETCH4(0)
	PREFETCH4(256)
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

	PANELEND
	RET
