// What the products of panels of one token with SDOT share. neon_arm64.h, panel_arm64.h and scales_arm64.h are to be included first.
//
// A group of 4 columns is 64 bytes, four registers of 4 rows; one register of 16 activations holds 4 groups, of which SDOT takes a lane:
// each of its four sums is a row. Four sums per block suffice: SDOT passes an accumulator on in one cycle on most cores, and blocks do not
// wait for each other except in the four FMLA of their end.
//
// Cores that run in order start the 16-byte halves of a load one after the other, so the loads of a group stand between the products of the
// group before, each with a cache line's prefetch.
//
//	R1 weights   R2 activations   V0-V3 weights of odd groups (A)   V4-V7 of even groups (B)   V8-V11 integer sums
//	V12, V13 activations   V14 nibble mask   V15 table   V20-V23 low nibbles

// START begins the integer sums of a block, and loads its activations and its first group as B.
#define START \
	FLDPQ.P 32(R2), (F12, F13) \
	FLDPQ   (R1), (F4, F5)     \
	ZERO4(V8, V9, V10, V11)    \
	FLDPQ   32(R1), (F6, F7)   \
	PRFM    (AHEAD)(R1), PLDL1KEEP

// DOT2 multiplies the registers w, w+1 of a group with lane i of the activations x and adds to the integer sums s, s+1.
#define DOT2(s, w, x, i) \
	SDOT_E(s, w, x, i) \
	SDOT_E(s+1, w+1, x, i)

// Q8_A multiplies group A and loads the next one, at byte off, as B; Q8_B the other way round.
#define Q8_A(x, i, off) \
	FLDPQ (off)(R1), (F4, F5)    \
	DOT2(8, 0, x, i)             \
	FLDPQ (off+32)(R1), (F6, F7) \
	DOT2(10, 2, x, i)            \
	PRFM  (AHEAD+off)(R1), PLDL1KEEP
#define Q8_B(x, i, off) \
	FLDPQ (off)(R1), (F0, F1)    \
	DOT2(8, 4, x, i)             \
	FLDPQ (off+32)(R1), (F2, F3) \
	DOT2(10, 6, x, i)            \
	PRFM  (AHEAD+off)(R1), PLDL1KEEP

// UNPACK puts the low nibbles of a group into V20-V23 and leaves the high ones in place.
#define UNPACK(w0, w1, w2, w3) \
	VAND  V14.B16, w0.B16, V20.B16 \
	VAND  V14.B16, w1.B16, V21.B16 \
	VAND  V14.B16, w2.B16, V22.B16 \
	VAND  V14.B16, w3.B16, V23.B16 \
	VUSHR $4, w0.B16, w0.B16       \
	VUSHR $4, w1.B16, w1.B16       \
	VUSHR $4, w2.B16, w2.B16       \
	VUSHR $4, w3.B16, w3.B16

// LOOK_UP does UNPACK and replaces the nibbles by the table's values.
#define LOOK_UP(w0, w1, w2, w3) \
	UNPACK(w0, w1, w2, w3) \
	VTBL V20.B16, [V15.B16], V20.B16 \
	VTBL V21.B16, [V15.B16], V21.B16 \
	VTBL V22.B16, [V15.B16], V22.B16 \
	VTBL V23.B16, [V15.B16], V23.B16 \
	VTBL w0.B16, [V15.B16], w0.B16   \
	VTBL w1.B16, [V15.B16], w1.B16   \
	VTBL w2.B16, [V15.B16], w2.B16   \
	VTBL w3.B16, [V15.B16], w3.B16

// Q4_DOT multiplies the low nibbles in V20-V23 and the high ones in w to w+3 by lane i of both registers of activations.
#define Q4_DOT(w, i) \
	DOT2(8, 20, 12, i)  \
	DOT2(10, 22, 12, i) \
	DOT2(8, w, 13, i)   \
	DOT2(10, w+2, 13, i)

// Q4_A unpacks group A by unpack (UNPACK or LOOK_UP), multiplies it, and loads the next group as B; Q4_B the other way round.
#define Q4_A(unpack, i, off) \
	FLDPQ (off)(R1), (F4, F5)    \
	unpack(V0, V1, V2, V3)       \
	FLDPQ (off+32)(R1), (F6, F7) \
	Q4_DOT(0, i)                 \
	PRFM  (AHEAD+off)(R1), PLDL1KEEP
#define Q4_B(unpack, i, off) \
	FLDPQ (off)(R1), (F0, F1)    \
	unpack(V4, V5, V6, V7)       \
	FLDPQ (off+32)(R1), (F2, F3) \
	Q4_DOT(4, i)                 \
	PRFM  (AHEAD+off)(R1), PLDL1KEEP
