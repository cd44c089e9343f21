// How codes become bytes on AVX-512, and what a loop over a panel looks like.
//
// A group of 4 columns is 64 bytes, one zmm: 16 rows of 4 codes. Each macro unpacks group g, 0 to 3, to Z4 and group g+4 to Z3. Shifts go over 16
// bits; a mask takes away what came from the neighbouring byte.
//
//	SI codes of the block   Z5, Z6 scratch   Z30 mask of the first part's codes   Z31 mask of the second part, the table, or bytes of 0x80

// The loop: R8 is the unit's header, R11 a part of it that body may move on; body ends a block, whose codes are so many bytes. first runs at the
// beginning of a unit.
#define UNITS(header, blocks, bytes, first, body) \
unit:                    \
	first            \
	MOVQ SI, R8      \
	MOVQ SI, R11     \
	ADDQ $header, SI \
	MOVQ $blocks, BX \
block:                   \
	body             \
	ADDQ $bytes, SI  \
	DECQ CX          \
	JZ   done        \
	DECQ BX          \
	JNZ  block       \
	JMP  unit        \
done:

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

// FILL puts the byte v in all bytes of r.
#define FILL(v, r) \
	MOVL         $(v*0x01010101), AX \
	VPBROADCASTD AX, r

// PLANE adds the bits of the plane at byte off, moved to their place, to r: r |= moved & Z31.
#define PLANE(shift, n, off, r) \
	shift      n, (off)(SI), Z5 \
	VPTERNLOGD $0xf8, Z31, Z5, r

// Signed bytes become unsigned, 128 larger.
#define UNPACK8(g) \
	VPXORD ((g)*64)(SI), Z31, Z4 \
	VPXORD ((g)*64+256)(SI), Z31, Z3

#define UNPACK4(g) \
	VMOVDQU32 ((g)*64)(SI), Z3 \
	VPANDD    Z30, Z3, Z4      \
	VPSRLW    $4, Z3, Z3       \
	VPANDD    Z30, Z3, Z3

#define UNPACK5(g) \
	UNPACK4(g)                       \
	PLANE(VPSLLW, $(4-(g)), 256, Z4) \
	PLANE(VPSRLW, $(g), 256, Z3)

#define UNPACK6(g) \
	UNPACK4(g)                                        \
	PLANE(VPSLLW, $(4-(g)/2*2), 256+((g)%2)*64, Z4)   \
	PLANE(VPSRLW, $((g)/2*2), 256+((g)%2)*64, Z3)

#define UNPACK2(g) \
	VPSRLW $((g)/2*2), (((g)%2)*64)(SI), Z4   \
	VPSRLW $((g)/2*2+4), (((g)%2)*64)(SI), Z3 \
	VPANDD Z30, Z4, Z4                        \
	VPANDD Z30, Z3, Z3

// The bit of group g goes to bit 2: up by 2, where it still is in its byte, then down.
#define UNPACK3(g) \
	UNPACK2(g)                       \
	VPSLLW     $2, 128(SI), Z6       \
	VPSRLW     $(g), Z6, Z6          \
	VPTERNLOGD $0xf8, Z31, Z6, Z4    \
	PLANE(VPSRLW, $((g)+2), 128, Z3)

#define UNPACKT(g) \
	UNPACK4(g)          \
	VPSHUFB Z4, Z31, Z4 \
	VPSHUFB Z3, Z31, Z3

// BYTESCALES puts the integers at off of R11, which load (VPMOVZXBD or VPMOVSXBD) widens, times d into r.
#define BYTESCALES(load, d, off, r) \
	load      (off)(R11), r \
	VCVTDQ2PS r, r          \
	VMULPS    d, r, r

// LOWSCALES and HIGHSCALES put the low or the high 4 bits of the bytes at off of R11 times d into r.
#define LOWSCALES(d, off, r) \
	VPMOVZXBD (off)(R11), r \
	VPSLLD    $28, r, r     \
	VPSRLD    $28, r, r     \
	VCVTDQ2PS r, r          \
	VMULPS    d, r, r
#define HIGHSCALES(d, off, r) \
	VPMOVZXBD (off)(R11), r \
	VPSRLD    $4, r, r      \
	VCVTDQ2PS r, r          \
	VMULPS    d, r, r
