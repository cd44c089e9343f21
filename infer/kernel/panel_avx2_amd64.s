#include "textflag.h"
#include "avx2_amd64.h"
#include "unpack_avx2_amd64.h"
#include "panel_avx2_amd64.h"

// Products of quantised panels with one token on AVX2 (see the package documentation for the layouts, unpack_avx2_amd64.h for the registers).
//
// A lane of a ymm is a row; VPBROADCASTD puts a group's 4 activations in every lane. VPMADDUBSW multiplies unsigned by signed bytes and adds
// pairs, in 16 bits. How many of those 16 bits hold depends on the codes, of which a half block adds 4 pairs of products and a block 8:
//
//	 4 bits  8*2*15*127 = 30480   a block (DOT16)
//	 5 bits  4*2*31*127 = 31496   a half block (DOTHALVES)
//	 6 bits    2*63*127 = 16002   a pair, widened at once (DOT32)
//	signed     2*127*128 = 32512  a pair, |code| being the unsigned operand and x with the code's sign the signed one (DOTSIGNED)
//
// Codes of symmetric types are their values and 8, 16 or 32; that times the sum of the activations is taken off the integer sum. Then p =
// float(sum) * scale, p -= float(sum of activations) * minimum, where there are minima, and acc = fma(p, xd, acc). All tiles do the same in the same
// order (tile_avx2_amd64.s), hence give the same bits.
//
// A panel is one stream of memory: each group asks for a cache line ahead, once or twice (panel_avx2_amd64.h).
//
// Instructions per weight: Q4 0.20, Q8 0.25, Q4K 0.23, Q6K 0.40; docs/benchmarks.md has all.

#define Q8BLOCK(scales) \
	GROUPS(UNPACK8, FIRSTSIGNED, DOTSIGNED) \
	AHEAD8                     \
	TOGETHER                   \
	HALVES(scales, Y6, Y7)     \
	SCALE                      \
	ADDBLOCKHERE

// func panelQ8AVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8AVX2(SB), NOSPLIT, $0-32
	BEGIN
	PAIRS(512, Q8BLOCK)
	END
	RET

#define Q50BLOCK(scales) \
	GROUPS(UNPACK5, FIRSTHALVES, DOTHALVES) \
	AHEAD(4)                   \
	WIDENHALVES                \
	TOGETHER                   \
	OFFSET(4)                  \
	HALVES(scales, Y6, Y7)     \
	SCALE                      \
	ADDBLOCKHERE

// func panelQ50AVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ50AVX2(SB), NOSPLIT, $0-32
	BEGIN
	FILL(15, X15, Y15)
	FILL(16, X13, Y13)
	PAIRS(320, Q50BLOCK)
	END
	RET

#define HALFMINIMA \
	HALVES(0, Y6, Y7)  \
	SCALE              \
	XSUM               \
	HALVES(32, Y6, Y7) \
	TAKEMIN(Y4)        \
	ADDBLOCKHERE

#define Q41BLOCK \
	GROUPS(UNPACK4, FIRST16, DOT16) \
	WIDEN                  \
	HALFMINIMA

// func panelQ41AVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ41AVX2(SB), NOSPLIT, $0-32
	BEGIN
	FILL(15, X15, Y15)
	UNITS(64, 1, 256, AHEAD1, Q41BLOCK)
	END
	RET

#define Q51BLOCK \
	GROUPS(UNPACK5, FIRSTHALVES, DOTHALVES) \
	AHEAD(4)                   \
	WIDENHALVES                \
	TOGETHER                   \
	HALFMINIMA

// func panelQ51AVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ51AVX2(SB), NOSPLIT, $0-32
	BEGIN
	FILL(15, X15, Y15)
	FILL(16, X13, Y13)
	UNITS(64, 1, 320, AHEAD1, Q51BLOCK)
	END
	RET

#define SIGNEDSCALES \
	BYTESCALES(VPMOVSXBD, 0, 64, Y6, Y7, Y4) \
	SCALE                                    \
	BYTESCALES(VPMOVSXBD, 0, 80, Y6, Y7, Y4) \
	SCALESECOND                              \
	ADDBLOCK(32)

#define Q3KBLOCK \
	FEWER(UNPACK3, FIRSTHALVES, DOTHALVES, AHEAD(2), NOTHING) \
	WIDENHALVES                \
	OFFSETHALVES(2)            \
	SIGNEDSCALES

// func panelQ3KAVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ3KAVX2(SB), NOSPLIT, $0-32
	BEGIN
	FILL(3, X15, Y15)
	FILL(4, X13, Y13)
	UNITS(320, 8, 192, AHEAD5, Q3KBLOCK)
	END
	RET

#define Q2KBLOCK \
	FEWER(UNPACK2, FIRSTHALVES, DOTHALVES, NOTHING, NOTHING) \
	WIDENHALVES                    \
	LOWSCALES(0, 64, Y6, Y7, Y4)   \
	SCALE                          \
	LOWSCALES(0, 80, Y6, Y7, Y4)   \
	SCALESECOND                    \
	XHALVES                        \
	VCVTDQ2PS Y4, Y4               \
	VCVTDQ2PS Y5, Y5               \
	HIGHSCALES(32, 64, Y6, Y7, Y8) \
	TAKEMIN(Y4)                    \
	HIGHSCALES(32, 80, Y6, Y7, Y8) \
	TAKEMIN(Y5)                    \
	ADDBLOCK(32)

// func panelQ2KAVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ2KAVX2(SB), NOSPLIT, $0-32
	BEGIN
	FILL(3, X15, Y15)
	UNITS(320, 8, 128, AHEAD5, Q2KBLOCK)
	END
	RET

#define Q4TBLOCK \
	GROUPS(UNPACKT, FIRSTSIGNED, DOTSIGNED) \
	TOGETHER                   \
	WIDES(0, Y6, Y7)           \
	SCALE                      \
	ADDBLOCKHERE

// func panelQ4TAVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4TAVX2(SB), NOSPLIT, $0-32
	BEGIN
	FILL(15, X15, Y15)
	VBROADCASTI128 (SI), Y13
	ADDQ           $64, SI
	UNITS(64, 1, 256, AHEAD1, Q4TBLOCK)
	END
	RET

#define Q8SBLOCK \
	GROUPS(UNPACK8, FIRSTSIGNED, DOTSIGNED) \
	AHEAD8                     \
	WIDES(0, Y6, Y7)           \
	SCALE                      \
	WIDES(64, Y6, Y7)          \
	SCALESECOND                \
	ADDBLOCKHERE

// func panelQ8SAVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8SAVX2(SB), NOSPLIT, $0-32
	BEGIN
	UNITS(128, 1, 512, AHEAD2, Q8SBLOCK)
	END
	RET

// From here on each line is asked for twice.
#undef AHEAD
#define AHEAD(g) AHEADTWICE(g)

#define Q4BLOCK(scales) \
	GROUPS(UNPACK4, FIRST16, DOT16) \
	WIDEN                           \
	OFFSET(3)                       \
	HALVES(scales, Y6, Y7)          \
	SCALE                           \
	ADDBLOCKHERE

// func panelQ4AVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4AVX2(SB), NOSPLIT, $0-32
	BEGIN
	FILL(15, X15, Y15)
	PAIRS(256, Q4BLOCK)
	END
	RET

#define BYTEMINIMA \
	BYTESCALES(VPMOVZXBD, 0, 64, Y6, Y7, Y4)   \
	SCALE                                      \
	BYTESCALES(VPMOVZXBD, 32, 192, Y6, Y7, Y4) \
	XSUM                                       \
	TAKEMIN(Y4)                                \
	ADDBLOCK(16)

#define Q4KBLOCK \
	GROUPS(UNPACK4, FIRST16, DOT16) \
	WIDEN                  \
	BYTEMINIMA

// func panelQ4KAVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4KAVX2(SB), NOSPLIT, $0-32
	BEGIN
	FILL(15, X15, Y15)
	UNITS(320, 8, 256, AHEAD5, Q4KBLOCK)
	END
	RET

#define Q5KBLOCK \
	GROUPS(UNPACK5, FIRSTHALVES, DOTHALVES) \
	AHEAD(4)                   \
	WIDENHALVES                \
	TOGETHER                   \
	BYTEMINIMA

// func panelQ5KAVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ5KAVX2(SB), NOSPLIT, $0-32
	BEGIN
	FILL(15, X15, Y15)
	FILL(16, X13, Y13)
	UNITS(320, 8, 320, AHEAD5, Q5KBLOCK)
	END
	RET

#define Q6KBLOCK \
	GROUPS(UNPACK6, FIRST32, DOT32) \
	AHEAD(4)               \
	AHEAD(5)               \
	OFFSETHALVES(5)        \
	SIGNEDSCALES

// func panelQ6KAVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ6KAVX2(SB), NOSPLIT, $0-32
	BEGIN
	FILL(15, X15, Y15)
	FILL(0x30, X13, Y13)
	UNITS(320, 8, 384, AHEAD5, Q6KBLOCK)
	END
	RET
