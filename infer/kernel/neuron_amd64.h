// What the kernels of lists of neuron rows share on AVX2 and AVX-512.
//
// Rows in no order make no stream that the CPU could follow: each would begin with a wait for memory. So, while rows are computed, the lines of
// the row that comes rowsAhead later in the list are asked for, a few at a time between the loads of the rows themselves: a whole row at once
// fills the queue of misses, and everything waits for it. They are asked into the second cache, since the first one waits for few lines at a
// time. Past the end of the list it is the last row that is asked for.
//
// Lists of 26 rows of 4096 columns in Q4_0, in no order, on one core of Zen 4, GB/s: products 12.5 and sums 7.5 with rows asked for 6 ahead, 12.4
// and 4.9 with 2 ahead, 10.9 and 5.9 with 12; products 10.7 where nothing asks for the first rows of the list. PREFETCHT0 loses a quarter.

#include "go_asm.h"

#define lineBytes 64 // of the cache

// ROW_AHEAD is the place of the row i after the one at row, of which n are left, or of the last.
#define ROW_AHEAD(i, row, n, place, tmp) \
	LEAQ    (n)(n*2), tmp                    \
	LEAQ    -Weighted__size(row)(tmp*8), tmp \
	LEAQ    (Weighted__size*(i))(row), place \
	CMPQ    place, tmp                       \
	CMOVQHI tmp, place

// SCALES_AHEAD asks for the scales of n blocks at p; both are lost.
#define SCALES_AHEAD(p, n, line) \
line:                                \
	PREFETCHT1 (p)               \
	ADDQ       $lineBytes, p     \
	SUBQ       $(lineBytes/2), n \
	JGT        line

// LANES adds the lanes of Y (X its lower half) into X.
#define LANES(Y, X, T) \
	VEXTRACTF128 $1, Y, T    \
	VADDPS       T, X, X     \
	VPERMILPS    $0x4e, X, T \
	VADDPS       T, X, X     \
	VPERMILPS    $0xb1, X, T \
	VADDPS       T, X, X
