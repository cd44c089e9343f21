#include "textflag.h"
#include "avx2_amd64.h"
#include "unpack_vnni_amd64.h"

// Products of quantised panels with one token on AVX-512 with VNNI (see the package documentation for the layouts, unpack_vnni_amd64.h for the
// registers).
//
// A lane of a zmm is a row. VPDPBUSD multiplies unsigned codes by signed activations, which it broadcasts from memory itself, and adds the 4 products
// of a lane to 32 bits, exactly. Codes of symmetric types are their values and 4, 8, 16, 32 or 128; integers wrap around, so that times the
// sum of the activations may come off first: the sums start at minus it. Then p = float(sum) * scale, p -= float(sum of activations) *
// minimum, where there are minima, and acc = fma(p, xd, acc). All tiles do the same in the same order (tile_vnni_amd64.s), hence
// give the same bits.
//
// A panel is one stream of memory: each group asks for the cache line that lies a page ahead.
//
//	DI y   SI codes   R8 header of the unit   R11 scales of the block   DX activations   R9 their scales   R10 their sums   R12 sums of first halves
//	CX blocks left   BX blocks left in the unit
//	Z0 acc   Z1, Z2 integer sums of the halves of the block   Z7-Z9 scratch   Z10, Z11 d, dmin   Z29 minus the code of 0

#define BEGIN \
	MOVQ   y+0(FP), DI      \
	MOVQ   w+8(FP), SI      \
	MOVQ   x+16(FP), DX     \
	MOVQ   n+24(FP), CX     \
	MOVQ   CX, AX           \
	SHLQ   $5, AX           \
	LEAQ   (DX)(AX*1), R9   \
	LEAQ   (R9)(CX*4), R10  \
	LEAQ   (R10)(CX*4), R12 \
	VPXORD Z0, Z0, Z0

#define ZERO(code) \
	MOVL         $-code, AX \
	VPBROADCASTD AX, Z29

#define END \
	VMOVUPS Z0, (DI) \
	VZEROUPPER

#define DOT(g) \
	VPDPBUSD.BCST ((g)*4)(DX), Z4, Z1    \
	VPDPBUSD.BCST ((g)*4+16)(DX), Z3, Z2

// GROUPS multiplies a block, asking for 4 lines; FEWER asks for the third and fourth as it is told.
#define GROUPS(unpack) FEWER(unpack, AHEAD(2), AHEAD(3))
#define FEWER(unpack, third, fourth) \
	AHEAD(0)  \
	unpack(0) \
	DOT(0)    \
	AHEAD(1)  \
	unpack(1) \
	DOT(1)    \
	third     \
	unpack(2) \
	DOT(2)    \
	fourth    \
	unpack(3) \
	DOT(3)
#define AHEAD8 \
	AHEAD(4) \
	AHEAD(5) \
	AHEAD(6) \
	AHEAD(7)

// How the sums start: at nothing, or at minus what codes have too much, of the block or of its halves.
#define CLEAR \
	VPXORD Z1, Z1, Z1 \
	VPXORD Z2, Z2, Z2
#define OFFSET \
	VPMULLD.BCST (R10), Z29, Z1 \
	VPXORD       Z2, Z2, Z2
#define OFFSETHALVES \
	VPBROADCASTD (R10), Z7      \
	VPMULLD.BCST (R12), Z29, Z1 \
	VPSUBD.BCST  (R12), Z7, Z7  \
	VPMULLD      Z29, Z7, Z2

// BLOCK makes p, in Z1, of a block with one scale, in Z7; HALVES of one with a scale for each half, in Z7 and Z8.
#define BLOCK \
	VPADDD    Z2, Z1, Z1 \
	VCVTDQ2PS Z1, Z1     \
	VMULPS    Z7, Z1, Z1
#define HALVES \
	VCVTDQ2PS   Z1, Z1     \
	VCVTDQ2PS   Z2, Z2     \
	VMULPS      Z7, Z1, Z1 \
	VFMADD231PS Z8, Z2, Z1

// TAKEMIN takes the minima in Z8 off.
#define TAKEMIN \
	VCVTDQ2PS.BCST (R10), Z9  \
	VFNMADD231PS   Z8, Z9, Z1

// ADDBLOCK adds p to acc and goes on to the next block.
#define ADDBLOCK(scales) \
	VFMADD231PS.BCST (R9), Z1, Z0 \
	ADDQ $scales, R11             \
	ADDQ $32, DX                  \
	ADDQ $4, R9                   \
	ADDQ $4, R10                  \
	ADDQ $4, R12

// SUPER loads d and dmin; it costs no more in each block than a test whether it is the first.
#define SUPER \
	VCVTPH2PS (R8), Z10   \
	VCVTPH2PS 32(R8), Z11

#define HALFSCALES \
	VCVTPH2PS (R11), Z7 \
	BLOCK               \
	ADDBLOCK(32)

#define Q4BLOCK \
	OFFSET          \
	GROUPS(UNPACK4) \
	HALFSCALES

// func panelQ4VNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4VNNI(SB), NOSPLIT, $0-32
	BEGIN
	ZERO(8)
	FILL(15, Z30)
	UNITS(64, 2, 256, AHEAD1, Q4BLOCK)
	END
	RET

#define Q8BLOCK \
	OFFSET          \
	GROUPS(UNPACK8) \
	AHEAD8          \
	HALFSCALES

// func panelQ8VNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8VNNI(SB), NOSPLIT, $0-32
	BEGIN
	ZERO(128)
	FILL(0x80, Z31)
	UNITS(64, 2, 512, AHEAD1, Q8BLOCK)
	END
	RET

#define Q50BLOCK \
	OFFSET          \
	GROUPS(UNPACK5) \
	AHEAD(4)        \
	HALFSCALES

// func panelQ50VNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ50VNNI(SB), NOSPLIT, $0-32
	BEGIN
	ZERO(16)
	FILL(15, Z30)
	FILL(16, Z31)
	UNITS(64, 2, 320, AHEAD1, Q50BLOCK)
	END
	RET

#define HALFMINIMA \
	VCVTPH2PS (R11), Z7   \
	VCVTPH2PS 32(R11), Z8 \
	BLOCK                 \
	TAKEMIN               \
	ADDBLOCK(0)

#define Q41BLOCK \
	CLEAR           \
	GROUPS(UNPACK4) \
	HALFMINIMA

// func panelQ41VNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ41VNNI(SB), NOSPLIT, $0-32
	BEGIN
	FILL(15, Z30)
	UNITS(64, 1, 256, AHEAD1, Q41BLOCK)
	END
	RET

#define Q51BLOCK \
	CLEAR           \
	GROUPS(UNPACK5) \
	AHEAD(4)        \
	HALFMINIMA

// func panelQ51VNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ51VNNI(SB), NOSPLIT, $0-32
	BEGIN
	FILL(15, Z30)
	FILL(16, Z31)
	UNITS(64, 1, 320, AHEAD1, Q51BLOCK)
	END
	RET

#define BYTEMINIMA \
	SUPER                               \
	BYTESCALES(VPMOVZXBD, Z10, 64, Z7)  \
	BYTESCALES(VPMOVZXBD, Z11, 192, Z8) \
	BLOCK                               \
	TAKEMIN                             \
	ADDBLOCK(16)

#define Q4KBLOCK \
	CLEAR           \
	GROUPS(UNPACK4) \
	BYTEMINIMA

// func panelQ4KVNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4KVNNI(SB), NOSPLIT, $0-32
	BEGIN
	FILL(15, Z30)
	UNITS(320, 8, 256, AHEAD5, Q4KBLOCK)
	END
	RET

#define Q5KBLOCK \
	CLEAR           \
	GROUPS(UNPACK5) \
	AHEAD(4)        \
	BYTEMINIMA

// func panelQ5KVNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ5KVNNI(SB), NOSPLIT, $0-32
	BEGIN
	FILL(15, Z30)
	FILL(16, Z31)
	UNITS(320, 8, 320, AHEAD5, Q5KBLOCK)
	END
	RET

#define SIGNEDSCALES \
	SUPER                              \
	BYTESCALES(VPMOVSXBD, Z10, 64, Z7) \
	BYTESCALES(VPMOVSXBD, Z10, 80, Z8) \
	HALVES                             \
	ADDBLOCK(32)

#define Q6KBLOCK \
	OFFSETHALVES    \
	GROUPS(UNPACK6) \
	AHEAD(4)        \
	AHEAD(5)        \
	SIGNEDSCALES

// func panelQ6KVNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ6KVNNI(SB), NOSPLIT, $0-32
	BEGIN
	ZERO(32)
	FILL(15, Z30)
	FILL(0x30, Z31)
	UNITS(320, 8, 384, AHEAD5, Q6KBLOCK)
	END
	RET

#define Q3KBLOCK \
	OFFSETHALVES    \
	FEWER(UNPACK3, AHEAD(2), NOTHING) \
	SIGNEDSCALES

// func panelQ3KVNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ3KVNNI(SB), NOSPLIT, $0-32
	BEGIN
	ZERO(4)
	FILL(3, Z30)
	FILL(4, Z31)
	UNITS(320, 8, 192, AHEAD5, Q3KBLOCK)
	END
	RET

#define Q2KBLOCK \
	CLEAR                              \
	FEWER(UNPACK2, NOTHING, NOTHING)   \
	SUPER                              \
	LOWSCALES(Z10, 64, Z7)             \
	LOWSCALES(Z10, 80, Z8)             \
	HALVES                             \
	VPBROADCASTD   (R10), Z8           \
	VCVTDQ2PS.BCST (R12), Z9           \
	VPSUBD.BCST    (R12), Z8, Z8       \
	HIGHSCALES(Z11, 64, Z7)            \
	VFNMADD231PS   Z7, Z9, Z1          \
	VCVTDQ2PS      Z8, Z8              \
	HIGHSCALES(Z11, 80, Z7)            \
	VFNMADD231PS   Z7, Z8, Z1          \
	ADDBLOCK(32)

// func panelQ2KVNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ2KVNNI(SB), NOSPLIT, $0-32
	BEGIN
	FILL(3, Z30)
	UNITS(320, 8, 128, AHEAD5, Q2KBLOCK)
	END
	RET

#define Q4TBLOCK \
	OFFSET              \
	GROUPS(UNPACKT)     \
	VMOVUPS   (R11), Z7 \
	BLOCK               \
	ADDBLOCK(0)

// func panelQ4TVNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4TVNNI(SB), NOSPLIT, $0-32
	BEGIN
	ZERO(128)
	FILL(15, Z30)
	FILL(0x80, Z5)
	VBROADCASTI32X4 (SI), Z31
	VPXORD          Z5, Z31, Z31
	ADDQ            $64, SI
	UNITS(64, 1, 256, AHEAD1, Q4TBLOCK)
	END
	RET

#define Q8SBLOCK \
	OFFSETHALVES        \
	GROUPS(UNPACK8)     \
	AHEAD8              \
	VMOVUPS (R11), Z7   \
	VMOVUPS 64(R11), Z8 \
	HALVES              \
	ADDBLOCK(0)

// func panelQ8SVNNI(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8SVNNI(SB), NOSPLIT, $0-32
	BEGIN
	ZERO(128)
	FILL(0x80, Z31)
	UNITS(128, 1, 512, AHEAD2, Q8SBLOCK)
	END
	RET
