#include "textflag.h"
#include "avx2_amd64.h"
#include "panel_avx2_amd64.h"

// Products of Q4K, Q4T, Q8S and Q8A panels on AVX2 (see the package documentation for the layouts). Registers, the order of rows in them and
// the arithmetic are those of panel_avx2_amd64.s; a part of a panel with a scale of its own is a block there and, in Q8S and Q8A, half a
// block here.
//
//	Q4K: nibbles are 0..15, nothing is taken off. A block's scale is d * its byte, which float32 holds exactly; d and dmin stay in
//	     registers for a super-block.
//	Q4T: VPSHUFB looks the nibbles up. The table is signed, so |x| is the unsigned operand and the weight with the sign of x the signed
//	     one: a table must not hold -128. 2*127*127 = 32258 fits 16 bits, twice that does not: each product is widened.
//	     (Halves of x, small enough to sum up a block in 16 bits, times table + 128 took as many instructions and 10 % more time.)
//	Q8S: as Q8.
//	Q8A: weights 0..31 are the unsigned operand; half a block adds up to 4*2*31*127 = 31496, which 16 bits hold.
//
// A minimum is taken off after its product: acc = fma(-float(xsum), min*xd, acc), min*xd rounded, xsum the sum of the activations under it.
//
// Instructions per weight: Q4K 0.22, Q4T 0.29, Q8S 0.27, Q8A 0.22.
//
//	DI y   SI codes   R8 scales of the weights   R11 minima   DX activations   R9 their scales   R10 their sums   CX blocks left
//	Y0, Y1 acc of rows a, b   Y2, Y3 integer sums   Y14 ones   Y15 nibble mask

// func panelQ4KAVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4KAVX2(SB), NOSPLIT, $0-32
	PANELBEGIN(8)
	NIBBLES(Y15)

super: // R8 walks over the 8 scales; the minima lie 128 bytes on
	VCVTPH2PS (R8), Y10
	VCVTPH2PS 16(R8), Y11
	VCVTPH2PS 32(R8), Y12
	VCVTPH2PS 48(R8), Y13
	ADDQ      $64, R8

block:
	PREFETCH4(0)
	VPXOR        Y2, Y2, Y2
	VPXOR        Y3, Y3, Y3
	Q4GROUP(0, Y2, Y3)
	Q4GROUP(1, Y2, Y3)
	Q4GROUP(2, Y2, Y3)
	Q4GROUP(3, Y2, Y3)
	VBROADCASTSS (R9), Y6
	VPMOVZXBD    (R8), Y4
	VPMOVZXBD    8(R8), Y5
	VPMADDWD     Y14, Y2, Y2
	VPMADDWD     Y14, Y3, Y3
	VCVTDQ2PS    Y4, Y4
	VCVTDQ2PS    Y5, Y5
	VMULPS       Y10, Y4, Y4
	VMULPS       Y11, Y5, Y5
	VCVTDQ2PS    Y2, Y2
	VCVTDQ2PS    Y3, Y3
	VMULPS       Y6, Y4, Y4
	VMULPS       Y6, Y5, Y5
	VFMADD231PS  Y4, Y2, Y0
	VFMADD231PS  Y5, Y3, Y1
	VPBROADCASTD (R10), Y7
	VPMOVZXBD    128(R8), Y4
	VPMOVZXBD    136(R8), Y5
	VCVTDQ2PS    Y7, Y7
	VCVTDQ2PS    Y4, Y4
	VCVTDQ2PS    Y5, Y5
	VMULPS       Y12, Y4, Y4
	VMULPS       Y13, Y5, Y5
	VMULPS       Y6, Y4, Y4
	VMULPS       Y6, Y5, Y5
	VFNMADD231PS Y4, Y7, Y0
	VFNMADD231PS Y5, Y7, Y1
	ADDQ         $256, SI
	ADDQ         $32, DX
	ADDQ         $16, R8
	ADDQ         $4, R9
	ADDQ         $4, R10
	DECQ         CX
	TESTQ        $7, CX
	JNZ          block
	ADDQ         $128, R8
	TESTQ        CX, CX
	JNZ          super

	PANELEND
	RET

// Q4TADD adds the weights in a, b times the 4 activations at off, whose magnitudes lie in the frame.
#define Q4TADD(off, a, b) \
	VPBROADCASTD off(DX), Y6         \
	VPBROADCASTD absx-32+off(SP), Y7 \
	VPSIGNB      Y6, a, a            \
	VPSIGNB      Y6, b, b            \
	VPMADDUBSW   a, Y7, a            \
	VPMADDUBSW   b, Y7, b            \
	VPMADDWD     Y14, a, a           \
	VPMADDWD     Y14, b, b           \
	VPADDD       a, Y2, Y2           \
	VPADDD       b, Y3, Y3

// Q4TGROUP adds group g: columns 4g.. (low nibbles) and 16+4g.. (high). Y13 holds the table.
#define Q4TGROUP(g) \
	VMOVDQU ((g)*64)(SI), Y4    \
	VMOVDQU ((g)*64+32)(SI), Y5 \
	VPAND   Y15, Y4, Y8         \
	VPAND   Y15, Y5, Y9         \
	VPSRLW  $4, Y4, Y4          \
	VPSRLW  $4, Y5, Y5          \
	VPAND   Y15, Y4, Y4         \
	VPAND   Y15, Y5, Y5         \
	VPSHUFB Y8, Y13, Y8         \
	VPSHUFB Y9, Y13, Y9         \
	VPSHUFB Y4, Y13, Y4         \
	VPSHUFB Y5, Y13, Y5         \
	Q4TADD((g*4), Y8, Y9)       \
	Q4TADD((g*4+16), Y4, Y5)

// ADDPART adds the integer sums, scaled by the 16 float32 at off of the scales, to acc. It leaves the activations' scale in Y5.
#define ADDPART(off) \
	VBROADCASTSS (R9), Y5             \
	VCVTDQ2PS    Y2, Y2               \
	VCVTDQ2PS    Y3, Y3               \
	VMULPS       off(R8), Y5, Y6      \
	VMULPS       (off+32)(R8), Y5, Y7 \
	VFMADD231PS  Y6, Y2, Y0           \
	VFMADD231PS  Y7, Y3, Y1

// func panelQ4TAVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4TAVX2(SB), NOSPLIT, $32-32
	PANELBEGIN(8)
	NIBBLES(Y15)
	VBROADCASTI128 (SI), Y13
	ADDQ           $64, SI
	ADDQ           $64, R8

block:
	PREFETCH4(0)
	PREFETCHT0 prefetchBytes(R8)
	VPXOR      Y2, Y2, Y2
	VPXOR      Y3, Y3, Y3
	VPABSB     (DX), Y4
	VMOVDQU    Y4, absx-32(SP)
	Q4TGROUP(0)
	Q4TGROUP(1)
	Q4TGROUP(2)
	Q4TGROUP(3)
	ADDPART(0)
	ADDQ       $256, SI
	ADDQ       $32, DX
	ADDQ       $64, R8
	ADDQ       $4, R9
	DECQ       CX
	JNZ        block

	PANELEND
	RET

// func panelQ8SAVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8SAVX2(SB), NOSPLIT, $0-32
	PANELBEGIN(9)

block:
	PREFETCH4(0)
	PREFETCH4(256)
	PREFETCHT0 prefetchBytes(R8)
	PREFETCHT0 (prefetchBytes+64)(R8)
	VPXOR      Y2, Y2, Y2
	VPXOR      Y3, Y3, Y3
	Q8GROUP(0)
	Q8GROUP(1)
	Q8GROUP(2)
	Q8GROUP(3)
	ADDPART(0)
	VPXOR      Y2, Y2, Y2
	VPXOR      Y3, Y3, Y3
	Q8GROUP(4)
	Q8GROUP(5)
	Q8GROUP(6)
	Q8GROUP(7)
	ADDPART(64)
	ADDQ       $512, SI
	ADDQ       $32, DX
	ADDQ       $128, R8
	ADDQ       $4, R9
	DECQ       CX
	JNZ        block

	PANELEND
	RET

// Q8AGROUP adds group g in 16 bits: columns 4g to 4g+3.
#define Q8AGROUP(g) \
	VMOVDQU      ((g)*64)(SI), Y4    \
	VMOVDQU      ((g)*64+32)(SI), Y5 \
	VPBROADCASTD ((g)*4)(DX), Y6     \
	VPMADDUBSW   Y6, Y4, Y4          \
	VPMADDUBSW   Y6, Y5, Y5          \
	VPADDW       Y4, Y2, Y2          \
	VPADDW       Y5, Y3, Y3

// Q8AHALF adds half a block, whose scales and minima lie at off and whose activations sum up to xsum: groups g to g+3.
#define Q8AHALF(g, off, xsum) \
	VPXOR        Y2, Y2, Y2            \
	VPXOR        Y3, Y3, Y3            \
	Q8AGROUP(g)                        \
	Q8AGROUP(g+1)                      \
	Q8AGROUP(g+2)                      \
	Q8AGROUP(g+3)                      \
	VPMADDWD     Y14, Y2, Y2           \
	VPMADDWD     Y14, Y3, Y3           \
	ADDPART(off)                       \
	VMULPS       off(R11), Y5, Y6      \
	VMULPS       (off+32)(R11), Y5, Y7 \
	VFNMADD231PS Y6, xsum, Y0          \
	VFNMADD231PS Y7, xsum, Y1

// func panelQ8AAVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8AAVX2(SB), NOSPLIT, $0-32
	PANELBEGIN(9)
	MOVQ CX, AX
	SHLQ $7, AX
	LEAQ (R8)(AX*1), R11
	ONES8(Y13)

block:
	PREFETCH4(0)
	PREFETCH4(256)
	PREFETCHT0  prefetchBytes(R8)
	PREFETCHT0  (prefetchBytes+64)(R8)
	PREFETCHT0  prefetchBytes(R11)
	PREFETCHT0  (prefetchBytes+64)(R11)
	HALFSUMS((DX), Y13, Y14, Y8, Y9)
	VCVTDQ2PS   Y8, Y8
	VINSERTF128 $1, X8, Y8, Y10
	VPERM2F128  $0x11, Y8, Y8, Y11
	Q8AHALF(0, 0, Y10)
	Q8AHALF(4, 64, Y11)
	ADDQ        $512, SI
	ADDQ        $32, DX
	ADDQ        $128, R8
	ADDQ        $128, R11
	ADDQ        $4, R9
	DECQ        CX
	JNZ         block

	PANELEND
	RET
