// What the products of panels share, of one token (panel) and of 4 (tile): arguments, float32 sums, prefetches. neon_arm64.h is to be included
// first.
//
// The sums of the 16 rows are V16-V19 in a panel, and V16-V19, V20-V23, V24-V27, V28-V31 for tokens 0-3 in a tile that keeps them all.

// PANEL_ARGS loads the arguments of a panel: y, weights, activations and the number of columns or blocks.
#define PANEL_ARGS(py, pw, px, count) \
	MOVD y+0(FP), py  \
	MOVD w+8(FP), pw  \
	MOVD x+16(FP), px \
	MOVD n+24(FP), count

// TILE_ARGS loads the arguments of a tile: R0 y, R1 yStride, R2 weights, R3-R6 activations of tokens 0-3. It uses R7, which count may be.
#define TILE_ARGS(count) \
	MOVD y+0(FP), R0        \
	MOVD yStride+8(FP), R1  \
	MOVD w+16(FP), R2       \
	MOVD x+24(FP), R3       \
	MOVD xStride+32(FP), R7 \
	ADD  R7, R3, R4         \
	ADD  R7, R4, R5         \
	ADD  R7, R5, R6         \
	MOVD n+40(FP), count

// The sums of one token, at py.
#define ZERO_SUMS ZERO4(V16, V17, V18, V19)
#define STORE_SUMS(py) STORE4(0, py, F16, F17, F18, F19)

// The sums of 4 tokens, at R0 and R1 bytes apart.
#define ZERO_TILE \
	ZERO_SUMS                 \
	ZERO4(V20, V21, V22, V23) \
	ZERO4(V24, V25, V26, V27) \
	ZERO4(V28, V29, V30, V31)
#define STORE_TILE \
	STORE_SUMS(R0)                    \
	ADD R1, R0                        \
	STORE4(0, R0, F20, F21, F22, F23) \
	ADD R1, R0                        \
	STORE4(0, R0, F24, F25, F26, F27) \
	ADD R1, R0                        \
	STORE4(0, R0, F28, F29, F30, F31)

// AHEAD is how many bytes ahead of the use the panel kernels prefetch weights: what a memory that answers in 150 ns sends meanwhile at 14
// GB/s. A panel is one stream; beyond its end lies the next panel; a prefetch of an unmapped address does nothing. Tiles do not prefetch:
// multiplying 4 tokens takes longer than fetching.
#define AHEAD 2048

// PREFETCH2 and PREFETCH4 prefetch the weights, 2 and 4 cache lines, for byte off of R2.
#define PREFETCH2(off) \
	PRFM (AHEAD+off)(R2), PLDL1KEEP   \
	PRFM (AHEAD+off+64)(R2), PLDL1KEEP
#define PREFETCH4(off) \
	PREFETCH2(off) \
	PREFETCH2(off+128)
