// How codes become bytes with NEON, how scales become float32, and what a loop over a panel looks like. neon_arm64.h is to be included first.
// Operands are register numbers.
//
// A group of 4 columns is 64 bytes, four registers of 4 rows. Each macro unpacks four registers w to w+3 of packed codes: group g, 0 to 3, to V4-V7
// and group g+4 to w to w+3.
//
//	R2 codes of the block   V14 mask of the first part's codes   V15 mask of the second part, or the table   V28-V31 a plane of the second part

// UNITS runs body for each block of R6: R3 is the unit's header, R11 a part of it that body may move on; a block's codes are so many bytes.
// first runs at the beginning of a unit.
#define NOTHING
#define UNITS(header, blocks, bytes, first, body) \
unit:                    \
	MOVD R2, R3      \
	MOVD R2, R11     \
	ADD  $header, R2 \
	MOVD $blocks, R12 \
	first            \
block:                   \
	body             \
	ADD  $bytes, R2  \
	SUBS $1, R6      \
	BEQ  done        \
	SUBS $1, R12     \
	BNE  block       \
	B    unit        \
done:

// LOAD puts the 64 bytes at off into four registers.
#define LOAD_A(off) \
	FLDPQ (off)(R2), (F0, F1)    \
	FLDPQ (off+32)(R2), (F2, F3)
#define LOAD_B(off) \
	FLDPQ (off)(R2), (F24, F25)    \
	FLDPQ (off+32)(R2), (F26, F27)
#define LOAD_PLANE(off) \
	FLDPQ (off)(R2), (F28, F29)    \
	FLDPQ (off+32)(R2), (F30, F31)

#define LOW(w) \
	AND_16B(4, w, 14)   \
	AND_16B(5, w+1, 14) \
	AND_16B(6, w+2, 14) \
	AND_16B(7, w+3, 14)
#define RIGHT(d, w, n) \
	USHR_16B(d, w, n)     \
	USHR_16B(d+1, w+1, n) \
	USHR_16B(d+2, w+2, n) \
	USHR_16B(d+3, w+3, n)
#define LEFT(d, w, n) \
	SHL_16B(d, w, n)     \
	SHL_16B(d+1, w+1, n) \
	SHL_16B(d+2, w+2, n) \
	SHL_16B(d+3, w+3, n)

// INSERT puts the bits of p to p+3 that V15 masks into w to w+3.
#define INSERT(w, p) \
	BIT_16B(w, p, 15)     \
	BIT_16B(w+1, p+1, 15) \
	BIT_16B(w+2, p+2, 15) \
	BIT_16B(w+3, p+3, 15)

#define UNPACK4(w) \
	LOW(w)         \
	RIGHT(w, w, 4)

#define LOOK_UP(w) \
	UNPACK4(w)          \
	TBL_16B(4, 15, 4)   \
	TBL_16B(5, 15, 5)   \
	TBL_16B(6, 15, 6)   \
	TBL_16B(7, 15, 7)   \
	TBL_16B(w, 15, w)   \
	TBL_16B(w+1, 15, w+1) \
	TBL_16B(w+2, 15, w+2) \
	TBL_16B(w+3, 15, w+3)

// The fifth bits of a block stay in V28-V31: bit g of a byte is group g's. They use V20-V23.
#define UNPACK5_0(w) \
	UNPACK4(w)      \
	LEFT(20, 28, 4) \
	INSERT(4, 20)   \
	INSERT(w, 28)
#define UNPACK5_1(w) \
	UNPACK4(w)       \
	LEFT(20, 28, 3)  \
	INSERT(4, 20)    \
	RIGHT(20, 28, 1) \
	INSERT(w, 20)
#define UNPACK5_2(w) \
	UNPACK4(w)       \
	LEFT(20, 28, 2)  \
	INSERT(4, 20)    \
	RIGHT(20, 28, 2) \
	INSERT(w, 20)
#define UNPACK5_3(w) \
	UNPACK4(w)       \
	LEFT(20, 28, 1)  \
	INSERT(4, 20)    \
	RIGHT(20, 28, 3) \
	INSERT(w, 20)

// The pairs of bits of groups g, g+2, g+4, g+6 lie in one byte; they are loaded for each use.
#define UNPACK6_A(w, off) \
	UNPACK4(w)      \
	LOAD_PLANE(off) \
	INSERT(w, 28)   \
	LEFT(28, 28, 4) \
	INSERT(4, 28)
#define UNPACK6_B(w, off) \
	UNPACK4(w)       \
	LOAD_PLANE(off)  \
	LEFT(28, 28, 2)  \
	INSERT(4, 28)    \
	LOAD_PLANE(off)  \
	RIGHT(28, 28, 2) \
	INSERT(w, 28)
#define UNPACK6_0(w) UNPACK6_A(w, 256)
#define UNPACK6_1(w) UNPACK6_A(w, 320)
#define UNPACK6_2(w) UNPACK6_B(w, 256)
#define UNPACK6_3(w) UNPACK6_B(w, 320)

// The third bits of Q3K, bit g of a byte, lie at byte 128.
#define UNPACK2_A(w) \
	LOW(w)         \
	RIGHT(w, w, 4) \
	MASK(w)
#define UNPACK2_B(w) \
	RIGHT(4, w, 2) \
	RIGHT(w, w, 6) \
	MASK(4)
#define MASK(w) \
	AND_16B(w, w, 14)     \
	AND_16B(w+1, w+1, 14) \
	AND_16B(w+2, w+2, 14) \
	AND_16B(w+3, w+3, 14)
#define UNPACK3_0(w) \
	UNPACK2_A(w)     \
	LOAD_PLANE(128)  \
	LEFT(28, 28, 2)  \
	INSERT(4, 28)    \
	LOAD_PLANE(128)  \
	RIGHT(28, 28, 2) \
	INSERT(w, 28)
#define UNPACK3_1(w) \
	UNPACK2_A(w)     \
	LOAD_PLANE(128)  \
	LEFT(28, 28, 1)  \
	INSERT(4, 28)    \
	LOAD_PLANE(128)  \
	RIGHT(28, 28, 3) \
	INSERT(w, 28)
#define UNPACK3_2(w) \
	UNPACK2_B(w)     \
	LOAD_PLANE(128)  \
	INSERT(4, 28)    \
	RIGHT(28, 28, 4) \
	INSERT(w, 28)
#define UNPACK3_3(w) \
	UNPACK2_B(w)     \
	LOAD_PLANE(128)  \
	RIGHT(28, 28, 1) \
	INSERT(4, 28)    \
	RIGHT(28, 28, 4) \
	INSERT(w, 28)

// Scales as four registers of float32. HALVES are the 16 float16 at off of p, in V0-V3; they use V4, V5.
#define HALVES(p, off) \
	FLDPQ (off)(p), (F4, F5) \
	FCVTL(0, 4)  \
	FCVTL2(1, 4) \
	FCVTL(2, 5)  \
	FCVTL2(3, 5)

// A byte with a zero byte above it is the subnormal float16 byte * 2^-24, and FCVTL makes a float32 of that without rounding, two instructions less
// for 4 rows than widening in two steps and converting. SUPER puts d and dmin, times 2^24, into the frame at the beginning of a super-block.
#define SUPER_HALVES(off) \
	HALVES(R3, off)     \
	FMUL_4S(0, 0, 6)    \
	FMUL_4S(1, 1, 6)    \
	FMUL_4S(2, 2, 6)    \
	FMUL_4S(3, 3, 6)    \
	FSTPQ (F0, F1), super-128+off*2(SP)    \
	FSTPQ (F2, F3), super-128+32+off*2(SP)
#define SUPER \
	MOVD $0x4B800000, R13 \
	VDUP R13, V6.S4       \
	SUPER_HALVES(0)       \
	SUPER_HALVES(32)

// WIDEN_BYTES widens the bytes of V4 to V0-V3, as subnormal numbers; BYTES multiplies them by d (off 0) or dmin (off 64). They use V4-V7.
#define WIDEN_BYTES \
	UXTL_8B(5, 4)   \
	UXTL2_16B(6, 4) \
	FCVTL(0, 5)     \
	FCVTL2(1, 5)    \
	FCVTL(2, 6)     \
	FCVTL2(3, 6)
#define TIMES_SUPER(off) \
	FLDPQ super-128+off(SP), (F4, F5)    \
	FLDPQ super-128+32+off(SP), (F6, F7) \
	FMUL_4S(0, 0, 4) \
	FMUL_4S(1, 1, 5) \
	FMUL_4S(2, 2, 6) \
	FMUL_4S(3, 3, 7)
#define BYTES(at, off) \
	FMOVQ (at)(R11), F4 \
	WIDEN_BYTES         \
	TIMES_SUPER(off)
#define LOW_NIBBLES(at) \
	FMOVQ (at)(R11), F4 \
	VMOVI $15, V5.B16   \
	AND_16B(4, 4, 5)    \
	WIDEN_BYTES         \
	TIMES_SUPER(0)
#define HIGH_NIBBLES(at) \
	FMOVQ (at)(R11), F4 \
	USHR_16B(4, 4, 4)   \
	WIDEN_BYTES         \
	TIMES_SUPER(64)

// SIGNED_BYTES multiplies the signed bytes at p by d, as it is. It uses V4-V7.
#define SIGNED_BYTES(at) \
	FMOVQ (at)(R11), F4 \
	SXTL_8B(5, 4)       \
	SXTL2_16B(6, 4)     \
	SXTL_4H(0, 5)       \
	SXTL2_8H(1, 5)      \
	SXTL_4H(2, 6)       \
	SXTL2_8H(3, 6)      \
	SCVTF_4S(0, 0)      \
	SCVTF_4S(1, 1)      \
	SCVTF_4S(2, 2)      \
	SCVTF_4S(3, 3)      \
	FLDPQ (R3), (F4, F6) \
	FCVTL2(5, 4)        \
	FCVTL(4, 4)         \
	FCVTL2(7, 6)        \
	FCVTL(6, 6)         \
	FMUL_4S(0, 0, 4)    \
	FMUL_4S(1, 1, 5)    \
	FMUL_4S(2, 2, 6)    \
	FMUL_4S(3, 3, 7)

// WIDES loads the 16 float32 at off of p to V0-V3.
#define WIDES(p, off) \
	FLDPQ (off)(p), (F0, F1)    \
	FLDPQ (off+32)(p), (F2, F3)
