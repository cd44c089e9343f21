#include "textflag.h"
#include "avx2_amd64.h"
#include "vnni_amd64.h"

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

// func panelQ4VNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4VNNI(SB), NOSPLIT, $0-32
	PANELBEGIN(8)
	BYTES(0x0f, Z30)

block:
	PREFETCH4(0)
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

// func panelQ8VNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8VNNI(SB), NOSPLIT, $0-32
	PANELBEGIN(9)
	BYTES(0x80, Z31)

block:
	PREFETCH4(0)
	PREFETCH4(256)
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
