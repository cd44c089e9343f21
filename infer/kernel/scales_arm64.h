// How the integer sums of a block become float32 sums, in the panels of one token. neon_arm64.h is to be included first. The tiles that keep
// the sums of 4 tokens do the same, in the same order, for two registers at a time (tile_dotprod_arm64.h).

// SCALED adds the integer sums s to s+3 to the float32 sums a to a+3: a = fma(float(sum), wd*xd, a), with the product of the scales rounded
// first. wd are w to w+3, xd is lane 0 of x; the products go to p to p+3, which may be w.
#define SCALED(a, s, p, w, x) \
	SCVTF_4S(s, s)         \
	SCVTF_4S(s+1, s+1)     \
	SCVTF_4S(s+2, s+2)     \
	SCVTF_4S(s+3, s+3)     \
	FMUL_E(p, w, x, 0)     \
	FMUL_E(p+1, w+1, x, 0) \
	FMUL_E(p+2, w+2, x, 0) \
	FMUL_E(p+3, w+3, x, 0) \
	FMLA_4S(a, s, p)       \
	FMLA_4S(a+1, s+1, p+1) \
	FMLA_4S(a+2, s+2, p+2) \
	FMLA_4S(a+3, s+3, p+3)

// BLOCK_END adds the integer sums V8-V11 (rows 0-3, 4-7, 8-11, 12-15) of a block to the sums V16-V19. The weights' scales are the 16 float16 at
// F4, F5; that of the activations is lane 0 of F6. It uses V0-V3.
#define BLOCK_END \
	FCVTL(0, 4)  \
	FCVTL2(1, 4) \
	FCVTL(2, 5)  \
	FCVTL2(3, 5) \
	SCALED(16, 8, 0, 0, 6)

// MINIMA takes the minima m to m+3 off: a = fma(-float(xsum), m*xd, a). float(xsum) is lane i of xs.
#define MINIMA(a, p, m, x, xs, i) \
	FMUL_E(p, m, x, 0)      \
	FMUL_E(p+1, m+1, x, 0)  \
	FMUL_E(p+2, m+2, x, 0)  \
	FMUL_E(p+3, m+3, x, 0)  \
	FMLS_E(a, p, xs, i)     \
	FMLS_E(a+1, p+1, xs, i) \
	FMLS_E(a+2, p+2, xs, i) \
	FMLS_E(a+3, p+3, xs, i)

// HALF_SUMS puts float(xsum) of the two halves a and b of a block's activations into lanes 0 and 1 of the register s. It uses the register t.
#define HALF_SUMS(s, t, a, b) \
	SADDLP_16B(s, a) \
	SADDLP_16B(t, b) \
	ADDP_8H(s, s, t) \
	SADDLP_8H(s, s)  \
	ADDP_4S(s, s, s) \
	SCVTF_4S(s, s)

// The scales of Q4K. A byte with a zero byte above it is the subnormal float16 byte * 2^-24, and FCVTL makes a float32 of that without
// rounding, two instructions less for 4 rows than widening in two steps and converting. SUPER_SCALES multiplies d and dmin by 2^24
// in return, also exactly, so d*scale is rounded once, as in the reference.

// SUPER_SCALES makes V24-V27 d and V28-V31 dmin, times 2^24, of the super-block at p. It uses V0-V3 and R20.
#define SUPER_SCALES(p) \
	FLDPQ (p), (F0, F1)   \
	FLDPQ 32(p), (F2, F3) \
	MOVD  $0x4B800000, R20 \
	FCVTL(24, 0)  \
	FCVTL2(25, 0) \
	FCVTL(26, 1)  \
	FCVTL2(27, 1) \
	VDUP  R20, V0.S4 \
	FCVTL(28, 2)  \
	FCVTL2(29, 2) \
	FCVTL(30, 3)  \
	FCVTL2(31, 3) \
	FMUL_4S(24, 24, 0) \
	FMUL_4S(25, 25, 0) \
	FMUL_4S(26, 26, 0) \
	FMUL_4S(27, 27, 0) \
	FMUL_4S(28, 28, 0) \
	FMUL_4S(29, 29, 0) \
	FMUL_4S(30, 30, 0) \
	FMUL_4S(31, 31, 0)

// PREFETCH_SUPER prefetches the super-block after the one at p.
#define PREFETCH_SUPER(p) \
	PRFM 320(p), PLDL1KEEP \
	PRFM 384(p), PLDL1KEEP \
	PRFM 448(p), PLDL1KEEP \
	PRFM 512(p), PLDL1KEEP \
	PRFM 576(p), PLDL1KEEP

// BYTE_SCALES makes s to s+3 the scales d*scale and m to m+3 the minima dmin*minimum of a block from V24-V31 and the bytes V4 (scales) and V5
// (minima). It uses V0-V3 and V20-V23, which s and m may be.
#define BYTE_SCALES(s, m) \
	VUXTL  V4.B8, V1.H8   \
	VUXTL2 V4.B16, V3.H8  \
	VUXTL  V5.B8, V21.H8  \
	VUXTL2 V5.B16, V23.H8 \
	FCVTL(0, 1)    \
	FCVTL2(1, 1)   \
	FCVTL(2, 3)    \
	FCVTL2(3, 3)   \
	FCVTL(20, 21)  \
	FCVTL2(21, 21) \
	FCVTL(22, 23)  \
	FCVTL2(23, 23) \
	FMUL_4S(s, 0, 24)    \
	FMUL_4S(s+1, 1, 25)  \
	FMUL_4S(s+2, 2, 26)  \
	FMUL_4S(s+3, 3, 27)  \
	FMUL_4S(m, 20, 28)   \
	FMUL_4S(m+1, 21, 29) \
	FMUL_4S(m+2, 22, 30) \
	FMUL_4S(m+3, 23, 31)
