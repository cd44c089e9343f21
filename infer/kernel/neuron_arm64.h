// What the kernels of lists of neuron rows share on arm64.
//
// Rows in no order make no stream that the CPU could follow: each would begin with a wait for memory. So, while rows are computed, the lines of
// the row that comes rowsAhead later in the list are asked for, a few at a time between the loads of the rows themselves, into the second
// cache. Past the end of the list it is the last row that is asked for.

#include "go_asm.h"

#define lineBytes 64 // of the cache

// LAST_ROW is the last of n rows from row on, ROW_AHEAD the place of the row i after the one at row, or of the last.
#define LAST_ROW(row, n, last, tmp) \
	MOVD $Weighted__size, tmp  \
	MUL  n, tmp, last          \
	SUB  tmp, last             \
	ADD  row, last
#define ROW_AHEAD(i, row, last, place) \
	ADD  $(Weighted__size*(i)), row, place \
	CMP  last, place           \
	CSEL HI, last, place, place

// SCALES_AHEAD asks for the scales of n blocks at p; both are lost.
#define SCALES_AHEAD(p, n, line) \
line:                                \
	PRFM (p), PLDL2KEEP          \
	ADD  $lineBytes, p           \
	SUBS $(lineBytes/2), n       \
	BGT  line
