// How codes become bytes on AVX2 and AVX-512, and what a loop over a panel looks like.
//
// A group of 4 columns is 64 bytes: 16 rows of 4 codes; "a" is rows 0-7, "b" rows 8-15. Each macro unpacks group g, 0 to 3, to Y8 (a), Y9 (b) and
// group g+4 to Y4 (a), Y5 (b). Shifts go over 16 bits; a mask takes away what came from the neighbouring byte.
//
//	SI codes of the block   Y6, Y7 scratch   Y15 mask of the first part's codes   Y13 mask of the second part, or the table

// The loop: R8 is the unit's header, R11 a part of it that body may move on; body ends a block, whose codes are so many bytes. first runs at the
// beginning of a unit.
#define UNITS(header, blocks, bytes, first, body) \
unit:                   \
	first            \
	MOVQ SI, R8     \
	MOVQ SI, R11    \
	ADDQ $header, SI \
	MOVQ $blocks, BX \
block:                  \
	body            \
	ADDQ $bytes, SI \
	DECQ CX         \
	JZ   done       \
	DECQ BX         \
	JNZ  block      \
	JMP  unit       \
done:

// PAIRS is the loop over units of two blocks with float16 scales, which R11 points at all the time: body is told where the block's lie.
#define PAIRS(bytes, body) \
unit:                   \
	AHEAD1          \
	MOVQ SI, R11    \
	ADDQ $64, SI    \
	body(0)         \
	ADDQ $bytes, SI \
	DECQ CX         \
	JZ   done       \
	body(32)        \
	ADDQ $bytes, SI \
	DECQ CX         \
	JNZ  unit       \
done:

#define LOADPAIR(lo, hi) \
	VMOVDQU (lo)(SI), Y8    \
	VMOVDQU (lo+32)(SI), Y9 \
	VMOVDQU (hi)(SI), Y4    \
	VMOVDQU (hi+32)(SI), Y5

// PLANE adds the bits of the plane at byte off, moved to their place, to a and b.
#define PLANE(shift, n, off, a, b) \
	VMOVDQU (off)(SI), Y6    \
	VMOVDQU (off+32)(SI), Y7 \
	shift   n, Y6, Y6        \
	shift   n, Y7, Y7        \
	VPAND   Y13, Y6, Y6      \
	VPAND   Y13, Y7, Y7      \
	VPOR    Y6, a, a         \
	VPOR    Y7, b, b

#define UNPACK8(g) LOADPAIR((g)*64, (g)*64+256)

#define UNPACK4(g) \
	VMOVDQU ((g)*64)(SI), Y4    \
	VMOVDQU ((g)*64+32)(SI), Y5 \
	VPAND   Y15, Y4, Y8         \
	VPAND   Y15, Y5, Y9         \
	VPSRLW  $4, Y4, Y4          \
	VPSRLW  $4, Y5, Y5          \
	VPAND   Y15, Y4, Y4         \
	VPAND   Y15, Y5, Y5

#define UNPACK5(g) \
	UNPACK4(g)                           \
	PLANE(VPSLLW, $(4-(g)), 256, Y8, Y9) \
	PLANE(VPSRLW, $(g), 256, Y4, Y5)

#define UNPACK6(g) \
	UNPACK4(g)                                              \
	PLANE(VPSLLW, $(4-(g)/2*2), 256+((g)%2)*64, Y8, Y9)     \
	PLANE(VPSRLW, $((g)/2*2), 256+((g)%2)*64, Y4, Y5)

#define UNPACK2(g) \
	LOADPAIR(((g)%2)*64, ((g)%2)*64)  \
	VPSRLW $((g)/2*2), Y8, Y8         \
	VPSRLW $((g)/2*2), Y9, Y9         \
	VPSRLW $((g)/2*2+4), Y4, Y4       \
	VPSRLW $((g)/2*2+4), Y5, Y5       \
	VPAND  Y15, Y8, Y8                \
	VPAND  Y15, Y9, Y9                \
	VPAND  Y15, Y4, Y4                \
	VPAND  Y15, Y5, Y5

// The bit of group g goes to bit 2: up by 2, where it still is in its byte, then down.
#define UNPACK3(g) \
	UNPACK2(g)                        \
	VMOVDQU 128(SI), Y6               \
	VMOVDQU 160(SI), Y7               \
	VPSLLW  $2, Y6, Y6                \
	VPSLLW  $2, Y7, Y7                \
	VPSRLW  $(g), Y6, Y6              \
	VPSRLW  $(g), Y7, Y7              \
	VPAND   Y13, Y6, Y6               \
	VPAND   Y13, Y7, Y7               \
	VPOR    Y6, Y8, Y8                \
	VPOR    Y7, Y9, Y9                \
	PLANE(VPSRLW, $((g)+2), 128, Y4, Y5)

#define UNPACKT(g) \
	UNPACK4(g)         \
	VPSHUFB Y8, Y13, Y8 \
	VPSHUFB Y9, Y13, Y9 \
	VPSHUFB Y4, Y13, Y4 \
	VPSHUFB Y5, Y13, Y5

// AHEAD asks for the cache line of line g that lies a page ahead. A product asks for every line of its panel: a header's by AHEADn before the unit.
#define NOTHING
#define AHEAD(g) PREFETCHT0 (prefetchBytes+(g)*64)(SI)
#define AHEAD1 AHEAD(0)
#define AHEAD2 \
	AHEAD(0) \
	AHEAD(1)
#define AHEAD5 \
	AHEAD2   \
	AHEAD(2) \
	AHEAD(3) \
	AHEAD(4)

// FILL puts the byte v in all bytes of the register that x and y are both names of.
#define FILL(v, x, y) \
	MOVL         $(v*0x01010101), AX \
	VMOVD        AX, x               \
	VPBROADCASTD x, y

// The scales of rows a and b, or their minima, as float32 in sa and sb; t is scratch.

// HALVES are float16 at off of R11.
#define HALVES(off, sa, sb) \
	VCVTPH2PS (off)(R11), sa    \
	VCVTPH2PS (off+16)(R11), sb

// BYTESCALES are the float16 at d of R8 times the integers at off of R11, which load (VPMOVZXBD or VPMOVSXBD) widens.
#define BYTESCALES(load, d, off, sa, sb, t) \
	load      (off)(R11), sa   \
	load      (off+8)(R11), sb \
	SCALEBYTES(d, sa, sb, t)
#define SCALEBYTES(d, sa, sb, t) \
	VCVTDQ2PS sa, sa           \
	VCVTDQ2PS sb, sb           \
	VCVTPH2PS (d)(R8), t       \
	VMULPS    t, sa, sa        \
	VCVTPH2PS (d+16)(R8), t    \
	VMULPS    t, sb, sb

// LOWSCALES and HIGHSCALES are the float16 at d of R8 times the low or high 4 bits of the bytes at off of R11. Their masks
// are made by shifts.
#define LOWSCALES(d, off, sa, sb, t) \
	VPMOVZXBD (off)(R11), sa   \
	VPMOVZXBD (off+8)(R11), sb \
	VPSLLD    $28, sa, sa      \
	VPSLLD    $28, sb, sb      \
	VPSRLD    $28, sa, sa      \
	VPSRLD    $28, sb, sb      \
	SCALEBYTES(d, sa, sb, t)
#define HIGHSCALES(d, off, sa, sb, t) \
	VPMOVZXBD (off)(R11), sa   \
	VPMOVZXBD (off+8)(R11), sb \
	VPSRLD    $4, sa, sa       \
	VPSRLD    $4, sb, sb       \
	SCALEBYTES(d, sa, sb, t)

// WIDES are float32 at off of R11.
#define WIDES(off, sa, sb) \
	VMOVUPS (off)(R11), sa   \
	VMOVUPS (off+32)(R11), sb
