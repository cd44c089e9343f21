#include "textflag.h"
#include "avx2_amd64.h"
#include "unpack_vnni_amd64.h"

// Expands panels on AVX-512 (see expand.go for the forms, unpack_vnni_amd64.h for the registers). Codes of the symmetric types become their values and
// 128, whatever they are in the panel, so that those with one scale are alike, and those with two; codes of types with minima stay.
//
//	DI expanded block   SI codes   R8 header of the unit   R11 scales of the block   CX blocks left   BX blocks left in the unit
//	Z7-Z9 scratch   Z10, Z11 d, dmin   Z12 what makes codes 128 larger than values

// A panel comes from memory as one stream, of which each line is asked for a page ahead as when it is multiplied with one token: a block's codes by LINESn.
#define LINES2 AHEAD2
#define LINES3 \
	LINES2   \
	AHEAD(2)
#define LINES4 \
	LINES3   \
	AHEAD(3)
#define LINES5 AHEAD5
#define LINES6 \
	LINES5   \
	AHEAD(5)
#define LINES8 \
	LINES6   \
	AHEAD(6) \
	AHEAD(7)

#define BEGIN \
	MOVQ dst+0(FP), DI \
	MOVQ w+8(FP), SI   \
	MOVQ n+16(FP), CX

// CODES unpacks all groups of a block; change alters Z4 and Z3 on the way.
#define ASITIS
#define CHANGE \
	VPADDB Z12, Z4, Z4 \
	VPADDB Z12, Z3, Z3
#define CODES(unpack, change) \
	GROUP(0, unpack, change) \
	GROUP(1, unpack, change) \
	GROUP(2, unpack, change) \
	GROUP(3, unpack, change)
#define GROUP(g, unpack, change) \
	unpack(g)                  \
	change                     \
	VMOVDQU32 Z4, ((g)*64)(DI) \
	VMOVDQU32 Z3, ((g)*64+256)(DI)

#define SUPER \
	VCVTPH2PS (R8), Z10   \
	VCVTPH2PS 32(R8), Z11

// Each of these stores the scales or minima at off of R11 in the expanded block at to.
#define HALF(off, to) \
	VCVTPH2PS (off)(R11), Z7 \
	VMOVUPS   Z7, (to)(DI)
#define WIDE(off, to) \
	VMOVUPS (off)(R11), Z7 \
	VMOVUPS Z7, (to)(DI)
#define BYTES(load, d, off, to) \
	BYTESCALES(load, d, off, Z7) \
	VMOVUPS Z7, (to)(DI)
#define PARTS(part, d, off, to) \
	part(d, off, Z7) \
	VMOVUPS Z7, (to)(DI)

#define NEXT(scales, bytes) \
	ADDQ $scales, R11 \
	ADDQ $bytes, DI

#define HALFBLOCK(unpack, change, lines) \
	lines                 \
	CODES(unpack, change) \
	HALF(0, 512)          \
	NEXT(32, 576)

#define HALFMINBLOCK(unpack, lines) \
	lines                 \
	CODES(unpack, ASITIS) \
	HALF(0, 512)          \
	HALF(32, 576)         \
	NEXT(0, 640)

#define BYTEBLOCK(unpack, lines) \
	lines                           \
	CODES(unpack, ASITIS)           \
	SUPER                           \
	BYTES(VPMOVZXBD, Z10, 64, 512)  \
	BYTES(VPMOVZXBD, Z11, 192, 576) \
	NEXT(16, 640)

#define NIBBLEBLOCK(unpack, lines) \
	lines                           \
	CODES(unpack, ASITIS)           \
	SUPER                           \
	PARTS(LOWSCALES, Z10, 64, 512)  \
	PARTS(LOWSCALES, Z10, 80, 576)  \
	PARTS(HIGHSCALES, Z11, 64, 640) \
	PARTS(HIGHSCALES, Z11, 80, 704) \
	NEXT(32, 768)

#define SIGNEDBLOCK(unpack, lines) \
	lines                          \
	CODES(unpack, CHANGE)          \
	SUPER                          \
	BYTES(VPMOVSXBD, Z10, 64, 512) \
	BYTES(VPMOVSXBD, Z10, 80, 576) \
	NEXT(32, 640)

#define WIDEBLOCK(unpack, lines) \
	lines                 \
	CODES(unpack, ASITIS) \
	WIDE(0, 512)          \
	NEXT(0, 576)

#define WIDEHALFBLOCK(unpack, lines) \
	lines                 \
	CODES(unpack, ASITIS) \
	WIDE(0, 512)          \
	WIDE(64, 576)         \
	NEXT(0, 640)

// func expandQ8VNNI(dst, w unsafe.Pointer, n int)
TEXT ·expandQ8VNNI(SB), NOSPLIT, $0-24
	BEGIN
	FILL(0x80, Z31)
	UNITS(64, 2, 512, AHEAD1, HALFBLOCK(UNPACK8, ASITIS, LINES8))
	VZEROUPPER
	RET

// func expandQ4VNNI(dst, w unsafe.Pointer, n int)
TEXT ·expandQ4VNNI(SB), NOSPLIT, $0-24
	BEGIN
	FILL(15, Z30)
	FILL((128-8), Z12)
	UNITS(64, 2, 256, AHEAD1, HALFBLOCK(UNPACK4, CHANGE, LINES4))
	VZEROUPPER
	RET

// func expandQ41VNNI(dst, w unsafe.Pointer, n int)
TEXT ·expandQ41VNNI(SB), NOSPLIT, $0-24
	BEGIN
	FILL(15, Z30)
	UNITS(64, 1, 256, AHEAD1, HALFMINBLOCK(UNPACK4, LINES4))
	VZEROUPPER
	RET

// func expandQ50VNNI(dst, w unsafe.Pointer, n int)
TEXT ·expandQ50VNNI(SB), NOSPLIT, $0-24
	BEGIN
	FILL(15, Z30)
	FILL(16, Z31)
	FILL((128-16), Z12)
	UNITS(64, 2, 320, AHEAD1, HALFBLOCK(UNPACK5, CHANGE, LINES5))
	VZEROUPPER
	RET

// func expandQ51VNNI(dst, w unsafe.Pointer, n int)
TEXT ·expandQ51VNNI(SB), NOSPLIT, $0-24
	BEGIN
	FILL(15, Z30)
	FILL(16, Z31)
	UNITS(64, 1, 320, AHEAD1, HALFMINBLOCK(UNPACK5, LINES5))
	VZEROUPPER
	RET

// func expandQ2KVNNI(dst, w unsafe.Pointer, n int)
TEXT ·expandQ2KVNNI(SB), NOSPLIT, $0-24
	BEGIN
	FILL(3, Z30)
	UNITS(320, 8, 128, AHEAD5, NIBBLEBLOCK(UNPACK2, LINES2))
	VZEROUPPER
	RET

// func expandQ3KVNNI(dst, w unsafe.Pointer, n int)
TEXT ·expandQ3KVNNI(SB), NOSPLIT, $0-24
	BEGIN
	FILL(3, Z30)
	FILL(4, Z31)
	FILL((128-4), Z12)
	UNITS(320, 8, 192, AHEAD5, SIGNEDBLOCK(UNPACK3, LINES3))
	VZEROUPPER
	RET

// func expandQ4KVNNI(dst, w unsafe.Pointer, n int)
TEXT ·expandQ4KVNNI(SB), NOSPLIT, $0-24
	BEGIN
	FILL(15, Z30)
	UNITS(320, 8, 256, AHEAD5, BYTEBLOCK(UNPACK4, LINES4))
	VZEROUPPER
	RET

// func expandQ5KVNNI(dst, w unsafe.Pointer, n int)
TEXT ·expandQ5KVNNI(SB), NOSPLIT, $0-24
	BEGIN
	FILL(15, Z30)
	FILL(16, Z31)
	UNITS(320, 8, 320, AHEAD5, BYTEBLOCK(UNPACK5, LINES5))
	VZEROUPPER
	RET

// func expandQ6KVNNI(dst, w unsafe.Pointer, n int)
TEXT ·expandQ6KVNNI(SB), NOSPLIT, $0-24
	BEGIN
	FILL(15, Z30)
	FILL(0x30, Z31)
	FILL((128-32), Z12)
	UNITS(320, 8, 384, AHEAD5, SIGNEDBLOCK(UNPACK6, LINES6))
	VZEROUPPER
	RET

// func expandQ4TVNNI(dst, w unsafe.Pointer, n int)
TEXT ·expandQ4TVNNI(SB), NOSPLIT, $0-24
	BEGIN
	FILL(15, Z30)
	FILL(0x80, Z12)
	VBROADCASTI32X4 (SI), Z31
	VPXORD          Z12, Z31, Z31
	ADDQ            $64, SI
	UNITS(64, 1, 256, AHEAD1, WIDEBLOCK(UNPACKT, LINES4))
	VZEROUPPER
	RET

// func expandQ8SVNNI(dst, w unsafe.Pointer, n int)
TEXT ·expandQ8SVNNI(SB), NOSPLIT, $0-24
	BEGIN
	FILL(0x80, Z31)
	UNITS(128, 1, 512, AHEAD2, WIDEHALFBLOCK(UNPACK8, LINES8))
	VZEROUPPER
	RET
