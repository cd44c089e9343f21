#include "textflag.h"
#include "avx2_amd64.h"

// Products of Q4 and Q8 panels on AVX-512 with VNNI (see the package documentation for the layouts).
//
// A group of 4 columns, 16 rows of 4 weights, is one zmm. VPDPBUSD multiplies unsigned weights by signed activations, which it broadcasts from
// memory itself, and adds the 4 products of a lane to 32 bits, exactly. Unsigned weights are
//
//	Q4: the nibbles, 8 too large: 8 * (sum of the activations) is taken off;
//	Q8: the bytes with the upper bit flipped, 128 too large: 128 * (sum of the activations) is taken off.
//
// Integers wrap around, so the offset may come off first: the sum starts at minus it. At the end of a block each row's integer becomes float32 and
// acc = fma(float(sum), wd*xd, acc), wd*xd rounded. The tile (tile_vnni_amd64.s) does the same on acc in the same order, hence gives the same bits.
//
// Instructions per weight: Q4 0.08, Q8 0.08.
//
//	DI y   SI codes   R8 scales of the weights   DX activations   R9 their scales   R10 their sums   CX blocks left
//	Z0 acc   Z1, Z2 integer sums   Z29 zero   Z30 nibble mask   Z31 0x80 in each byte

// PANELBEGIN loads the arguments; a block of codes has 1<<codes bytes.
#define PANELBEGIN(codes) \
	MOVQ   y+0(FP), DI       \
	MOVQ   w+8(FP), SI       \
	MOVQ   x+16(FP), DX      \
	MOVQ   n+24(FP), CX      \
	MOVQ   CX, AX            \
	SHLQ   $codes, AX        \
	LEAQ   (SI)(AX*1), R8    \
	MOVQ   CX, AX            \
	SHLQ   $5, AX            \
	LEAQ   (DX)(AX*1), R9    \
	LEAQ   (R9)(CX*4), R10   \
	VPXORD Z29, Z29, Z29     \
	VPXORD Z0, Z0, Z0

// BYTES puts the byte b in all bytes of r.
#define BYTES(b, r) \
	MOVL         $(b*0x01010101), AX \
	VPBROADCASTD AX, r

// OFFSET starts a sum at -(sum of the activations << shift).
#define OFFSET(shift, xsum, r) \
	VPSLLD.BCST $shift, xsum, r \
	VPSUBD      r, Z29, r

// Q4DOT adds group g, low nibbles to Z1, high nibbles to Z2.
#define Q4DOT(g) \
	VMOVDQU32     (g*64)(SI), Z3       \
	VPANDD        Z30, Z3, Z4          \
	VPSRLD        $4, Z3, Z3           \
	VPANDD        Z30, Z3, Z3          \
	VPDPBUSD.BCST (g*4)(DX), Z4, Z1    \
	VPDPBUSD.BCST (g*4+16)(DX), Z3, Z2

// func panelQ4VNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4VNNI(SB), NOSPLIT, $0-32
	PANELBEGIN(8)
	BYTES(0x0f, Z30)

block:
	PREFETCHT0  prefetchBytes(SI)
	PREFETCHT0  (prefetchBytes+64)(SI)
	PREFETCHT0  (prefetchBytes+128)(SI)
	PREFETCHT0  (prefetchBytes+192)(SI)
	OFFSET(3, (R10), Z1)
	VPXORD      Z2, Z2, Z2
	Q4DOT(0)
	Q4DOT(1)
	Q4DOT(2)
	Q4DOT(3)
	VCVTPH2PS   (R8), Z5
	VPADDD      Z2, Z1, Z1
	VMULPS.BCST (R9), Z5, Z5
	VCVTDQ2PS   Z1, Z1
	VFMADD231PS Z5, Z1, Z0
	ADDQ        $256, SI
	ADDQ        $32, DX
	ADDQ        $32, R8
	ADDQ        $4, R9
	ADDQ        $4, R10
	DECQ        CX
	JNZ         block

	VMOVUPS Z0, (DI)
	VZEROUPPER
	RET

// Q8DOT adds group g to acc.
#define Q8DOT(g, acc) \
	VPXORD        (g*64)(SI), Z31, Z3 \
	VPDPBUSD.BCST (g*4)(DX), Z3, acc

// func panelQ8VNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8VNNI(SB), NOSPLIT, $0-32
	PANELBEGIN(9)
	BYTES(0x80, Z31)

block:
	PREFETCHT0  prefetchBytes(SI)
	PREFETCHT0  (prefetchBytes+64)(SI)
	PREFETCHT0  (prefetchBytes+128)(SI)
	PREFETCHT0  (prefetchBytes+192)(SI)
	PREFETCHT0  (prefetchBytes+256)(SI)
	PREFETCHT0  (prefetchBytes+320)(SI)
	PREFETCHT0  (prefetchBytes+384)(SI)
	PREFETCHT0  (prefetchBytes+448)(SI)
	OFFSET(7, (R10), Z1)
	VPXORD      Z2, Z2, Z2
	Q8DOT(0, Z1)
	Q8DOT(1, Z2)
	Q8DOT(2, Z1)
	Q8DOT(3, Z2)
	Q8DOT(4, Z1)
	Q8DOT(5, Z2)
	Q8DOT(6, Z1)
	Q8DOT(7, Z2)
	VCVTPH2PS   (R8), Z5
	VPADDD      Z2, Z1, Z1
	VMULPS.BCST (R9), Z5, Z5
	VCVTDQ2PS   Z1, Z1
	VFMADD231PS Z5, Z1, Z0
	ADDQ        $512, SI
	ADDQ        $32, DX
	ADDQ        $32, R8
	ADDQ        $4, R9
	ADDQ        $4, R10
	DECQ        CX
	JNZ         block

	VMOVUPS Z0, (DI)
	VZEROUPPER
	RET
