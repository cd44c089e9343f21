#include "textflag.h"
#include "avx2_amd64.h"
#include "unpack_avx2_amd64.h"

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
// A panel is one stream of memory: each group asks for the cache line that lies a page ahead.
//
//	DI y   SI codes   R8 header of the unit   R11 scales of the block   DX activations   R9 their scales   R10 their sums   R12 sums of first halves
//	CX blocks left   BX blocks left in the unit
//	Y0, Y1 acc of rows a, b   Y2, Y3 integer sums of the block or its first half   Y10, Y11 of its second half   Y14 ones
//	Y6, Y7 scratch, scales   Y12 scratch, activations   Y4, Y5, Y8, Y9 codes, scratch

#define BEGIN \
	MOVQ   y+0(FP), DI     \
	MOVQ   w+8(FP), SI     \
	MOVQ   x+16(FP), DX    \
	MOVQ   n+24(FP), CX    \
	MOVQ   CX, AX          \
	SHLQ   $5, AX          \
	LEAQ   (DX)(AX*1), R9  \
	LEAQ   (R9)(CX*4), R10 \
	LEAQ   (R10)(CX*4), R12 \
	ONES16(Y14)            \
	VXORPS Y0, Y0, Y0      \
	VXORPS Y1, Y1, Y1

#define END \
	VMOVUPS Y0, (DI)   \
	VMOVUPS Y1, 32(DI) \
	VZEROUPPER

// MULTIPLY makes 16-bit sums of pairs of group g's products, in place.
#define MULTIPLY(g) \
	VPBROADCASTD ((g)*4)(DX), Y6    \
	VPBROADCASTD ((g)*4+16)(DX), Y7 \
	VPMADDUBSW   Y6, Y8, Y8         \
	VPMADDUBSW   Y6, Y9, Y9         \
	VPMADDUBSW   Y7, Y4, Y4         \
	VPMADDUBSW   Y7, Y5, Y5

#define DOT16(g) \
	MULTIPLY(g)        \
	VPADDW Y8, Y2, Y2  \
	VPADDW Y9, Y3, Y3  \
	VPADDW Y4, Y2, Y2  \
	VPADDW Y5, Y3, Y3

#define DOTHALVES(g) \
	MULTIPLY(g)          \
	VPADDW Y8, Y2, Y2    \
	VPADDW Y9, Y3, Y3    \
	VPADDW Y4, Y10, Y10  \
	VPADDW Y5, Y11, Y11

// ADD32 widens the pairs and adds them.
#define ADD32 \
	VPMADDWD Y14, Y8, Y8    \
	VPMADDWD Y14, Y9, Y9    \
	VPMADDWD Y14, Y4, Y4    \
	VPMADDWD Y14, Y5, Y5    \
	VPADDD   Y8, Y2, Y2     \
	VPADDD   Y9, Y3, Y3     \
	VPADDD   Y4, Y10, Y10   \
	VPADDD   Y5, Y11, Y11

#define DOT32(g) \
	MULTIPLY(g) \
	ADD32

#define DOTSIGNED(g) \
	VPBROADCASTD ((g)*4)(DX), Y12    \
	VPABSB       Y8, Y6              \
	VPABSB       Y9, Y7              \
	VPSIGNB      Y8, Y12, Y8         \
	VPSIGNB      Y9, Y12, Y9         \
	VPMADDUBSW   Y8, Y6, Y8          \
	VPMADDUBSW   Y9, Y7, Y9          \
	VPBROADCASTD ((g)*4+16)(DX), Y12 \
	VPABSB       Y4, Y6              \
	VPABSB       Y5, Y7              \
	VPSIGNB      Y4, Y12, Y4         \
	VPSIGNB      Y5, Y12, Y5         \
	VPMADDUBSW   Y4, Y6, Y4          \
	VPMADDUBSW   Y5, Y7, Y5          \
	ADD32

// GROUPS multiplies a block, asking for 4 lines; FEWER asks for the third and fourth as it is told.
#define GROUPS(unpack, dot) FEWER(unpack, dot, AHEAD(2), AHEAD(3))
#define FEWER(unpack, dot, third, fourth) \
	VPXOR Y2, Y2, Y2    \
	VPXOR Y3, Y3, Y3    \
	VPXOR Y10, Y10, Y10 \
	VPXOR Y11, Y11, Y11 \
	AHEAD(0)            \
	unpack(0)           \
	dot(0)              \
	AHEAD(1)            \
	unpack(1)           \
	dot(1)              \
	third               \
	unpack(2)           \
	dot(2)              \
	fourth              \
	unpack(3)           \
	dot(3)
#define AHEAD8 \
	AHEAD(4) \
	AHEAD(5) \
	AHEAD(6) \
	AHEAD(7)

// WIDEN and WIDENHALVES make 16-bit sums 32-bit; TOGETHER adds the halves.
#define WIDEN \
	VPMADDWD Y14, Y2, Y2 \
	VPMADDWD Y14, Y3, Y3
#define WIDENHALVES \
	WIDEN                   \
	VPMADDWD Y14, Y10, Y10  \
	VPMADDWD Y14, Y11, Y11
#define TOGETHER \
	VPADDD Y10, Y2, Y2 \
	VPADDD Y11, Y3, Y3

// OFFSET takes (1<<shift) times the sum of the activations off.
#define OFFSET(shift) \
	VPBROADCASTD (R10), Y4      \
	VPSLLD       $shift, Y4, Y4 \
	VPSUBD       Y4, Y2, Y2     \
	VPSUBD       Y4, Y3, Y3

// XHALVES puts the sums of the activations of the halves into all lanes of Y4 and Y5.
#define XHALVES \
	VPBROADCASTD (R12), Y4 \
	VPBROADCASTD (R10), Y5 \
	VPSUBD       Y4, Y5, Y5

#define OFFSETHALVES(shift) \
	XHALVES                     \
	VPSLLD $shift, Y4, Y4       \
	VPSLLD $shift, Y5, Y5       \
	VPSUBD Y4, Y2, Y2           \
	VPSUBD Y4, Y3, Y3           \
	VPSUBD Y5, Y10, Y10         \
	VPSUBD Y5, Y11, Y11

// SCALE makes p of the sums, with the scales in Y6, Y7; SCALEFIRST and SCALESECOND of those of the halves.
#define SCALE \
	VCVTDQ2PS Y2, Y2     \
	VCVTDQ2PS Y3, Y3     \
	VMULPS    Y6, Y2, Y2 \
	VMULPS    Y7, Y3, Y3
#define SCALESECOND \
	VCVTDQ2PS   Y10, Y10     \
	VCVTDQ2PS   Y11, Y11     \
	VFMADD231PS Y6, Y10, Y2  \
	VFMADD231PS Y7, Y11, Y3

// TAKEMIN takes the minima in Y6, Y7 times the float xsum off.
#define TAKEMIN(xsum) \
	VFNMADD231PS Y6, xsum, Y2 \
	VFNMADD231PS Y7, xsum, Y3
#define XSUM \
	VPBROADCASTD (R10), Y4 \
	VCVTDQ2PS    Y4, Y4

// ADDBLOCK adds p to acc and goes on to the next block.
#define ADDBLOCK(scales) \
	VBROADCASTSS (R9), Y4       \
	VFMADD231PS  Y4, Y2, Y0     \
	VFMADD231PS  Y4, Y3, Y1     \
	ADDQ         $scales, R11   \
	ADDQ         $32, DX        \
	ADDQ         $4, R9         \
	ADDQ         $4, R10        \
	ADDQ         $4, R12

#define Q4BLOCK \
	GROUPS(UNPACK4, DOT16) \
	WIDEN                  \
	OFFSET(3)              \
	HALVES(0, Y6, Y7)      \
	SCALE                  \
	ADDBLOCK(32)

// func panelQ4AVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ4AVX2(SB), NOSPLIT, $0-32
	BEGIN
	FILL(15, X15, Y15)
	UNITS(64, 2, 256, AHEAD1, Q4BLOCK)
	END
	RET

#define Q8BLOCK \
	GROUPS(UNPACK8, DOTSIGNED) \
	AHEAD8                     \
	TOGETHER                   \
	HALVES(0, Y6, Y7)          \
	SCALE                      \
	ADDBLOCK(32)

// func panelQ8AVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8AVX2(SB), NOSPLIT, $0-32
	BEGIN
	UNITS(64, 2, 512, AHEAD1, Q8BLOCK)
	END
	RET

#define Q50BLOCK \
	GROUPS(UNPACK5, DOTHALVES) \
	AHEAD(4)                   \
	WIDENHALVES                \
	TOGETHER                   \
	OFFSET(4)                  \
	HALVES(0, Y6, Y7)          \
	SCALE                      \
	ADDBLOCK(32)

// func panelQ50AVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ50AVX2(SB), NOSPLIT, $0-32
	BEGIN
	FILL(15, X15, Y15)
	FILL(16, X13, Y13)
	UNITS(64, 2, 320, AHEAD1, Q50BLOCK)
	END
	RET

#define HALFMINIMA \
	HALVES(0, Y6, Y7)  \
	SCALE              \
	XSUM               \
	HALVES(32, Y6, Y7) \
	TAKEMIN(Y4)        \
	ADDBLOCK(0)

#define Q41BLOCK \
	GROUPS(UNPACK4, DOT16) \
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
	GROUPS(UNPACK5, DOTHALVES) \
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

#define BYTEMINIMA \
	BYTESCALES(VPMOVZXBD, 0, 64, Y6, Y7, Y4)   \
	SCALE                                      \
	BYTESCALES(VPMOVZXBD, 32, 192, Y6, Y7, Y4) \
	XSUM                                       \
	TAKEMIN(Y4)                                \
	ADDBLOCK(16)

#define Q4KBLOCK \
	GROUPS(UNPACK4, DOT16) \
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
	GROUPS(UNPACK5, DOTHALVES) \
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

#define SIGNEDSCALES \
	BYTESCALES(VPMOVSXBD, 0, 64, Y6, Y7, Y4) \
	SCALE                                    \
	BYTESCALES(VPMOVSXBD, 0, 80, Y6, Y7, Y4) \
	SCALESECOND                              \
	ADDBLOCK(32)

#define Q6KBLOCK \
	GROUPS(UNPACK6, DOT32) \
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

#define Q3KBLOCK \
	FEWER(UNPACK3, DOTHALVES, AHEAD(2), NOTHING) \
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
	FEWER(UNPACK2, DOTHALVES, NOTHING, NOTHING) \
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
	GROUPS(UNPACKT, DOTSIGNED) \
	TOGETHER                   \
	WIDES(0, Y6, Y7)           \
	SCALE                      \
	ADDBLOCK(0)

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
	GROUPS(UNPACK8, DOTSIGNED) \
	AHEAD8                     \
	WIDES(0, Y6, Y7)           \
	SCALE                      \
	WIDES(64, Y6, Y7)          \
	SCALESECOND                \
	ADDBLOCK(0)

// func panelQ8SAVX2(y, w, x unsafe.Pointer, n int)
TEXT ·panelQ8SAVX2(SB), NOSPLIT, $0-32
	BEGIN
	UNITS(128, 1, 512, AHEAD2, Q8SBLOCK)
	END
	RET
