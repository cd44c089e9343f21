// Parts of the products of quantised panels with one token on AVX2; see panel_avx2_amd64.s. avx2_amd64.h and unpack_avx2_amd64.h are to be included
// first.
//
//	DI y   SI codes   R8 header of the unit   R11 scales of the block   DX activations   R9 their scales   R10 how far behind these their sums lie;
//	sums of first halves lie as far behind the sums
//	CX blocks left   BX blocks left in the unit
//	Y0, Y1 acc of rows a, b   Y2, Y3 integer sums of the block or its first half   Y10, Y11 of its second half   Y14 ones
//	Y6, Y7 scratch, scales   Y12 scratch, activations   Y4, Y5, Y8, Y9 codes, scratch

// AHEADONCE says that the line will be read once (NTA): it goes past the second cache and is the first to leave the first one. Else a panel throws out of
// them what is used again, its own activations among that.
//
// AHEADTWICE asks for a line in time to be in the second cache, and again in time to be in the first. It suits kernels that compute nearly as long as memory takes:
// on Zen 4 tokens of TinyLlama take, against AHEADONCE, with one and two threads, 4 and 0 to 1 % less time in Q4_0, 14 and 4 in Q4_K, 6 and 4 in Q5_K, 5 and 1
// in Q6_K, and from -3 to 2.5 % in the other types but Q8_0, which has little to compute and is 10 and 7 % slower. The distances are those that were best
// for Q4_0: 6 KiB instead of 8 lose a tenth, 16 lose 3 % with two threads, since all that is asked for past the end of a matrix is read in vain.
#define nearBytes 1536
#define farBytes 8192
#define AHEADONCE(g) PREFETCHNTA (prefetchBytes+(g)*64)(SI)
#define AHEADTWICE(g) \
	PREFETCHT1 (farBytes+(g)*64)(SI)  \
	PREFETCHT0 (nearBytes+(g)*64)(SI)
#undef AHEAD
#define AHEAD(g) AHEADONCE(g)

#define BEGIN \
	MOVQ   y+0(FP), DI     \
	MOVQ   w+8(FP), SI     \
	MOVQ   x+16(FP), DX    \
	MOVQ   n+24(FP), CX    \
	MOVQ   CX, AX          \
	SHLQ   $5, AX          \
	LEAQ   (DX)(AX*1), R9  \
	MOVQ   CX, R10         \
	SHLQ   $2, R10         \
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

// A dot adds group g's products to the sums of the block; FIRST, for group 0, begins them.
#define FIRST16 \
	MULTIPLY(0)        \
	VPADDW Y8, Y4, Y2  \
	VPADDW Y9, Y5, Y3
#define DOT16(g) \
	MULTIPLY(g)        \
	VPADDW Y8, Y2, Y2  \
	VPADDW Y9, Y3, Y3  \
	VPADDW Y4, Y2, Y2  \
	VPADDW Y5, Y3, Y3

#define FIRSTHALVES \
	VPBROADCASTD (DX), Y6     \
	VPBROADCASTD 16(DX), Y7   \
	VPMADDUBSW   Y6, Y8, Y2   \
	VPMADDUBSW   Y6, Y9, Y3   \
	VPMADDUBSW   Y7, Y4, Y10  \
	VPMADDUBSW   Y7, Y5, Y11
#define DOTHALVES(g) \
	MULTIPLY(g)          \
	VPADDW Y8, Y2, Y2    \
	VPADDW Y9, Y3, Y3    \
	VPADDW Y4, Y10, Y10  \
	VPADDW Y5, Y11, Y11

// ADD32 widens the pairs and adds them, FIRSTADD32 begins with them.
#define FIRSTADD32 \
	VPMADDWD Y14, Y8, Y2    \
	VPMADDWD Y14, Y9, Y3    \
	VPMADDWD Y14, Y4, Y10   \
	VPMADDWD Y14, Y5, Y11
#define ADD32 \
	VPMADDWD Y14, Y8, Y8    \
	VPMADDWD Y14, Y9, Y9    \
	VPMADDWD Y14, Y4, Y4    \
	VPMADDWD Y14, Y5, Y5    \
	VPADDD   Y8, Y2, Y2     \
	VPADDD   Y9, Y3, Y3     \
	VPADDD   Y4, Y10, Y10   \
	VPADDD   Y5, Y11, Y11

#define FIRST32 \
	MULTIPLY(0) \
	FIRSTADD32
#define DOT32(g) \
	MULTIPLY(g) \
	ADD32

#define FIRSTSIGNED \
	MULTIPLYSIGNED(0) \
	FIRSTADD32
#define DOTSIGNED(g) \
	MULTIPLYSIGNED(g) \
	ADD32
#define MULTIPLYSIGNED(g) \
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
	VPMADDUBSW   Y5, Y7, Y5

// GROUPS multiplies a block, asking for 4 lines; FEWER asks for the third and fourth as it is told.
#define GROUPS(unpack, first, dot) FEWER(unpack, first, dot, AHEAD(2), AHEAD(3))
#define FEWER(unpack, first, dot, third, fourth) \
	AHEAD(0)            \
	unpack(0)           \
	first               \
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
	VPBROADCASTD (R9)(R10*1), Y4      \
	VPSLLD       $shift, Y4, Y4 \
	VPSUBD       Y4, Y2, Y2     \
	VPSUBD       Y4, Y3, Y3

// XHALVES puts the sums of the activations of the halves into all lanes of Y4 and Y5.
#define XHALVES \
	VPBROADCASTD (R9)(R10*2), Y4 \
	VPBROADCASTD (R9)(R10*1), Y5 \
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
	VPBROADCASTD (R9)(R10*1), Y4 \
	VCVTDQ2PS    Y4, Y4

// ADDBLOCK adds p to acc and goes on to the next block, whose scales lie so many bytes behind this one's; ADDBLOCKHERE is for a unit of which R11 stays
// the header.
#define ADDBLOCK(scales) \
	ADDBLOCKHERE      \
	ADDQ $scales, R11
#define ADDBLOCKHERE \
	VBROADCASTSS (R9), Y4     \
	VFMADD231PS  Y4, Y2, Y0   \
	VFMADD231PS  Y4, Y3, Y1   \
	ADDQ         $32, DX      \
	ADDQ         $4, R9
