#include "textflag.h"
#include "avx2_amd64.h"
#include "unpack_avx2_amd64.h"

// Expands panels on AVX2 (see expand.go for the forms, unpack_avx2_amd64.h for the registers).
//
//	DI expanded block   SI codes   R8 header of the unit   R11 scales of the block   CX blocks left   BX blocks left in the unit

#define BEGIN \
	MOVQ dst+0(FP), DI \
	MOVQ w+8(FP), SI   \
	MOVQ n+16(FP), CX

#define STORE(lo, hi) \
	VMOVDQU Y8, (lo)(DI)    \
	VMOVDQU Y9, (lo+32)(DI) \
	VMOVDQU Y4, (hi)(DI)    \
	VMOVDQU Y5, (hi+32)(DI)

// CODES unpacks all groups of a block; change alters Y8, Y9, Y4, Y5 on the way.
#define ASITIS
#define CODES(unpack, change) \
	unpack(0)       \
	change          \
	STORE(0, 256)   \
	unpack(1)       \
	change          \
	STORE(64, 320)  \
	unpack(2)       \
	change          \
	STORE(128, 384) \
	unpack(3)       \
	change          \
	STORE(192, 448)

// CHANGE adds Y12 to the codes.
#define CHANGE \
	VPADDB Y12, Y8, Y8 \
	VPADDB Y12, Y9, Y9 \
	VPADDB Y12, Y4, Y4 \
	VPADDB Y12, Y5, Y5

// SCALES stores the scales or minima in Y6, Y7.
#define SCALES(off) \
	VMOVUPS Y6, (off)(DI) \
	VMOVUPS Y7, (off+32)(DI)

#define NEXT(scales, bytes) \
	ADDQ $scales, R11 \
	ADDQ $bytes, DI

#define HALFBLOCK(unpack, change) \
	CODES(unpack, change) \
	HALVES(0, Y6, Y7)     \
	SCALES(512)           \
	NEXT(32, 576)

#define HALFMINBLOCK(unpack, change) \
	CODES(unpack, change) \
	HALVES(0, Y6, Y7)     \
	SCALES(512)           \
	HALVES(32, Y6, Y7)    \
	SCALES(576)           \
	NEXT(0, 640)

#define BYTEBLOCK(unpack, change) \
	CODES(unpack, change)                    \
	BYTESCALES(VPMOVZXBD, 0, 64, Y6, Y7, Y8) \
	SCALES(512)                              \
	BYTESCALES(VPMOVZXBD, 32, 192, Y6, Y7, Y8) \
	SCALES(576)                              \
	NEXT(16, 640)

#define NIBBLEBLOCK(unpack, change) \
	CODES(unpack, change)          \
	LOWSCALES(0, 64, Y6, Y7, Y8)   \
	SCALES(512)                    \
	LOWSCALES(0, 80, Y6, Y7, Y8)   \
	SCALES(576)                    \
	HIGHSCALES(32, 64, Y6, Y7, Y8) \
	SCALES(640)                    \
	HIGHSCALES(32, 80, Y6, Y7, Y8) \
	SCALES(704)                    \
	NEXT(32, 768)

#define SIGNEDBLOCK(unpack, change) \
	CODES(unpack, change)                    \
	BYTESCALES(VPMOVSXBD, 0, 64, Y6, Y7, Y8) \
	SCALES(512)                              \
	BYTESCALES(VPMOVSXBD, 0, 80, Y6, Y7, Y8) \
	SCALES(576)                              \
	NEXT(32, 640)

#define WIDEBLOCK(unpack, change) \
	CODES(unpack, change) \
	WIDES(0, Y6, Y7)      \
	SCALES(512)           \
	NEXT(0, 576)

#define WIDEHALFBLOCK(unpack, change) \
	CODES(unpack, change) \
	WIDES(0, Y6, Y7)      \
	SCALES(512)           \
	WIDES(64, Y6, Y7)     \
	SCALES(576)           \
	NEXT(0, 640)

// func expandQ8AVX2(dst, w unsafe.Pointer, n int)
TEXT ·expandQ8AVX2(SB), NOSPLIT, $0-24
	BEGIN
	UNITS(64, 2, 512, NOTHING, HALFBLOCK(UNPACK8, ASITIS))
	VZEROUPPER
	RET

// func expandQ4AVX2(dst, w unsafe.Pointer, n int)
TEXT ·expandQ4AVX2(SB), NOSPLIT, $0-24
	BEGIN
	FILL(15, X15, Y15)
	UNITS(64, 2, 256, NOTHING, HALFBLOCK(UNPACK4, ASITIS))
	VZEROUPPER
	RET

// func expandQ41AVX2(dst, w unsafe.Pointer, n int)
TEXT ·expandQ41AVX2(SB), NOSPLIT, $0-24
	BEGIN
	FILL(15, X15, Y15)
	UNITS(64, 1, 256, NOTHING, HALFMINBLOCK(UNPACK4, ASITIS))
	VZEROUPPER
	RET

// func expandQ50AVX2(dst, w unsafe.Pointer, n int)
TEXT ·expandQ50AVX2(SB), NOSPLIT, $0-24
	BEGIN
	FILL(15, X15, Y15)
	FILL(16, X13, Y13)
	FILL(0xf0, X12, Y12)
	UNITS(64, 2, 320, NOTHING, HALFBLOCK(UNPACK5, CHANGE))
	VZEROUPPER
	RET

// func expandQ51AVX2(dst, w unsafe.Pointer, n int)
TEXT ·expandQ51AVX2(SB), NOSPLIT, $0-24
	BEGIN
	FILL(15, X15, Y15)
	FILL(16, X13, Y13)
	UNITS(64, 1, 320, NOTHING, HALFMINBLOCK(UNPACK5, ASITIS))
	VZEROUPPER
	RET

// func expandQ2KAVX2(dst, w unsafe.Pointer, n int)
TEXT ·expandQ2KAVX2(SB), NOSPLIT, $0-24
	BEGIN
	FILL(3, X15, Y15)
	UNITS(320, 8, 128, NOTHING, NIBBLEBLOCK(UNPACK2, ASITIS))
	VZEROUPPER
	RET

// func expandQ3KAVX2(dst, w unsafe.Pointer, n int)
//
// A code is 4 more than its value; the form wants 32 more.
TEXT ·expandQ3KAVX2(SB), NOSPLIT, $0-24
	BEGIN
	FILL(3, X15, Y15)
	FILL(4, X13, Y13)
	FILL(28, X12, Y12)
	UNITS(320, 8, 192, NOTHING, SIGNEDBLOCK(UNPACK3, CHANGE))
	VZEROUPPER
	RET

// func expandQ4KAVX2(dst, w unsafe.Pointer, n int)
TEXT ·expandQ4KAVX2(SB), NOSPLIT, $0-24
	BEGIN
	FILL(15, X15, Y15)
	UNITS(320, 8, 256, NOTHING, BYTEBLOCK(UNPACK4, ASITIS))
	VZEROUPPER
	RET

// func expandQ5KAVX2(dst, w unsafe.Pointer, n int)
TEXT ·expandQ5KAVX2(SB), NOSPLIT, $0-24
	BEGIN
	FILL(15, X15, Y15)
	FILL(16, X13, Y13)
	UNITS(320, 8, 320, NOTHING, BYTEBLOCK(UNPACK5, ASITIS))
	VZEROUPPER
	RET

// func expandQ6KAVX2(dst, w unsafe.Pointer, n int)
TEXT ·expandQ6KAVX2(SB), NOSPLIT, $0-24
	BEGIN
	FILL(15, X15, Y15)
	FILL(0x30, X13, Y13)
	UNITS(320, 8, 384, NOTHING, SIGNEDBLOCK(UNPACK6, ASITIS))
	VZEROUPPER
	RET

// func expandQ4TAVX2(dst, w unsafe.Pointer, n int)
TEXT ·expandQ4TAVX2(SB), NOSPLIT, $0-24
	BEGIN
	FILL(15, X15, Y15)
	VBROADCASTI128 (SI), Y13
	ADDQ           $64, SI
	UNITS(64, 1, 256, NOTHING, WIDEBLOCK(UNPACKT, ASITIS))
	VZEROUPPER
	RET

// func expandQ8SAVX2(dst, w unsafe.Pointer, n int)
TEXT ·expandQ8SAVX2(SB), NOSPLIT, $0-24
	BEGIN
	UNITS(128, 1, 512, NOTHING, WIDEHALFBLOCK(UNPACK8, ASITIS))
	VZEROUPPER
	RET
