#include "textflag.h"
#include "avx2_amd64.h"
#include "vnni_amd64.h"

// Products of Q4K, Q4T, Q8S and Q8A panels on AVX-512 with VNNI (see the package documentation for the layouts). Registers and arithmetic are
// those of panel_vnni_amd64.s; a part of a panel with a scale of its own is a block there and, in Q8S and Q8A, half a block here.
//
// Unsigned weights are
//
//	Q4K: the nibbles. A block's scale is d * its byte, which float32 holds exactly; d and dmin stay in registers for a super-block.
//	Q4T: the table's values with the upper bit flipped, 128 too large, looked up by VPSHUFB: 128 * (sum of the activations) is taken off;
//	Q8S: the bytes with the upper bit flipped: the same;
//	Q8A: the bytes.
//
// The activations of the first half of a block are summed by VPDPBUSD with equal weights, those of the second are the others. A minimum is
// taken off after its product: acc = fma(-float(xsum), min*xd, acc), min*xd rounded, xsum the sum of the activations under it.
//
// Instructions per weight: Q4K 0.10, Q4T 0.10, Q8S 0.10, Q8A 0.13.
//
//	DI y   SI codes   R8 scales of the weights   R11 minima   DX activations   R9 their scales   R10 their sums   CX blocks left
//	Z0 acc   Z1, Z2 integer sums   Z29 zero   Z30 nibble mask   Z31 table or a byte in all bytes

// func panelQ4KVNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4KVNNI(SB), NOSPLIT, $0-32
	PANELBEGIN(8)
	BYTES(0x0f, Z30)

super: // R8 walks over the 8 scales; the minima lie 128 bytes on
	VCVTPH2PS (R8), Z10
	VCVTPH2PS 32(R8), Z11
	ADDQ      $64, R8

block:
	PREFETCH4(0)
	VPXORD         Z1, Z1, Z1
	VPXORD         Z2, Z2, Z2
	Q4DOT(0)
	Q4DOT(1)
	Q4DOT(2)
	Q4DOT(3)
	VPMOVZXBD      (R8), Z5
	VPMOVZXBD      128(R8), Z6
	VCVTDQ2PS.BCST (R10), Z7
	VPADDD         Z2, Z1, Z1
	VCVTDQ2PS      Z5, Z5
	VCVTDQ2PS      Z6, Z6
	VMULPS         Z10, Z5, Z5
	VMULPS         Z11, Z6, Z6
	VCVTDQ2PS      Z1, Z1
	VMULPS.BCST    (R9), Z5, Z5
	VMULPS.BCST    (R9), Z6, Z6
	VFMADD231PS    Z5, Z1, Z0
	VFNMADD231PS   Z6, Z7, Z0
	ADDQ           $256, SI
	ADDQ           $32, DX
	ADDQ           $16, R8
	ADDQ           $4, R9
	ADDQ           $4, R10
	DECQ           CX
	TESTQ          $7, CX
	JNZ            block
	ADDQ           $128, R8
	TESTQ          CX, CX
	JNZ            super

	VMOVUPS Z0, (DI)
	VZEROUPPER
	RET

// ADDPART adds the integer sums, scaled by the 16 float32 at off of the scales, to acc.
#define ADDPART(off) \
	VMOVUPS     off(R8), Z5  \
	VPADDD      Z2, Z1, Z1   \
	VMULPS.BCST (R9), Z5, Z5 \
	VCVTDQ2PS   Z1, Z1       \
	VFMADD231PS Z5, Z1, Z0

// Q4TDOT adds group g, low nibbles to Z1, high nibbles to Z2.
#define Q4TDOT(g) \
	VMOVDQU32     (g*64)(SI), Z3    \
	VPANDD        Z30, Z3, Z4       \
	VPSRLD        $4, Z3, Z3        \
	VPANDD        Z30, Z3, Z3       \
	VPSHUFB       Z4, Z31, Z4       \
	VPSHUFB       Z3, Z31, Z3       \
	VPDPBUSD.BCST (g*4)(DX), Z4, Z1 \
	VPDPBUSD.BCST (g*4+16)(DX), Z3, Z2

// func panelQ4TVNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4TVNNI(SB), NOSPLIT, $0-32
	PANELBEGIN(8)
	BYTES(0x0f, Z30)
	TABLE(SI, Z31, Z3)
	ADDQ $64, SI
	ADDQ $64, R8

block:
	PREFETCH4(0)
	PREFETCHT0 prefetchBytes(R8)
	OFFSET(7, (R10), Z1)
	VPXORD     Z2, Z2, Z2
	Q4TDOT(0)
	Q4TDOT(1)
	Q4TDOT(2)
	Q4TDOT(3)
	ADDPART(0)
	ADDQ       $256, SI
	ADDQ       $32, DX
	ADDQ       $64, R8
	ADDQ       $4, R9
	ADDQ       $4, R10
	DECQ       CX
	JNZ        block

	VMOVUPS Z0, (DI)
	VZEROUPPER
	RET

// FIRSTHALF multiplies the first half's activations with Z31 into Z6.
#define FIRSTHALF \
	VPXORD        Z6, Z6, Z6     \
	VPDPBUSD.BCST (DX), Z31, Z6  \
	VPDPBUSD.BCST 4(DX), Z31, Z6 \
	VPDPBUSD.BCST 8(DX), Z31, Z6 \
	VPDPBUSD.BCST 12(DX), Z31, Z6

// func panelQ8SVNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8SVNNI(SB), NOSPLIT, $0-32
	PANELBEGIN(9)
	BYTES(0x80, Z31)

block:
	PREFETCH4(0)
	PREFETCH4(256)
	PREFETCHT0 prefetchBytes(R8)
	PREFETCHT0 (prefetchBytes+64)(R8)
	FIRSTHALF
	VPSUBD     Z6, Z29, Z1
	VPXORD     Z2, Z2, Z2
	Q8DOT(0, Z1)
	Q8DOT(1, Z2)
	Q8DOT(2, Z1)
	Q8DOT(3, Z2)
	ADDPART(0)
	OFFSET(7, (R10), Z1)
	VMOVDQA32  Z6, Z2 // what the first half has of it
	Q8DOT(4, Z1)
	Q8DOT(5, Z2)
	Q8DOT(6, Z1)
	Q8DOT(7, Z2)
	ADDPART(64)
	ADDQ       $512, SI
	ADDQ       $32, DX
	ADDQ       $128, R8
	ADDQ       $4, R9
	ADDQ       $4, R10
	DECQ       CX
	JNZ        block

	VMOVUPS Z0, (DI)
	VZEROUPPER
	RET

// Q8ADOT adds group g to acc.
#define Q8ADOT(g, acc) \
	VMOVDQU32     (g*64)(SI), Z3 \
	VPDPBUSD.BCST (g*4)(DX), Z3, acc

// TAKEMIN takes the 16 minima at off times xsum off.
#define TAKEMIN(off, xsum) \
	VMOVUPS      off(R11), Z5 \
	VCVTDQ2PS    xsum, xsum   \
	VMULPS.BCST  (R9), Z5, Z5 \
	VFNMADD231PS Z5, xsum, Z0

// func panelQ8AVNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8AVNNI(SB), NOSPLIT, $0-32
	PANELBEGIN(9)
	MOVQ CX, AX
	SHLQ $7, AX
	LEAQ (R8)(AX*1), R11
	BYTES(1, Z31)

block:
	PREFETCH4(0)
	PREFETCH4(256)
	PREFETCHT0   prefetchBytes(R8)
	PREFETCHT0   (prefetchBytes+64)(R8)
	PREFETCHT0   prefetchBytes(R11)
	PREFETCHT0   (prefetchBytes+64)(R11)
	FIRSTHALF
	VPBROADCASTD (R10), Z7
	VPXORD       Z1, Z1, Z1
	VPXORD       Z2, Z2, Z2
	VPSUBD       Z6, Z7, Z7
	Q8ADOT(0, Z1)
	Q8ADOT(1, Z2)
	Q8ADOT(2, Z1)
	Q8ADOT(3, Z2)
	ADDPART(0)
	TAKEMIN(0, Z6)
	VPXORD       Z1, Z1, Z1
	VPXORD       Z2, Z2, Z2
	Q8ADOT(4, Z1)
	Q8ADOT(5, Z2)
	Q8ADOT(6, Z1)
	Q8ADOT(7, Z2)
	ADDPART(64)
	TAKEMIN(64, Z7)
	ADDQ         $512, SI
	ADDQ         $32, DX
	ADDQ         $128, R8
	ADDQ         $128, R11
	ADDQ         $4, R9
	ADDQ         $4, R10
	DECQ         CX
	JNZ          block

	VMOVUPS Z0, (DI)
	VZEROUPPER
	RET
