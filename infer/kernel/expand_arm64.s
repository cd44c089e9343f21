#include "textflag.h"
#include "neon_arm64.h"
#include "unpack_arm64.h"

// Expands panels with NEON, for the tiles of every arm64 variant (see expand.go; unpack_arm64.h for the registers). The codes of all forms become
// values, signed where they are: SDOT and SMULL multiply signed bytes.
//
//	R0 expanded block   R2 codes   R3 header of the unit   R11 scales of the block   R6 blocks left   R12 blocks left in the unit
//	V13 the code of 0

#define BEGIN \
	MOVD dst+0(FP), R0 \
	MOVD w+8(FP), R2   \
	MOVD n+16(FP), R6

// PUT stores group g, V4-V7, and g+4, V0-V3.
#define PUT(g) \
	FSTPQ (F4, F5), ((g)*64)(R0)     \
	FSTPQ (F6, F7), ((g)*64+32)(R0)  \
	FSTPQ (F0, F1), ((g)*64+256)(R0) \
	FSTPQ (F2, F3), ((g)*64+288)(R0)

// CODES unpacks the groups loaded from o0 to o3; change alters V4-V7 and V0-V3 on the way.
#define CODES(u0, u1, u2, u3, o0, o1, o2, o3, change) \
	LOAD_A(o0) \
	u0(0)      \
	change     \
	PUT(0)     \
	LOAD_A(o1) \
	u1(0)      \
	change     \
	PUT(1)     \
	LOAD_A(o2) \
	u2(0)      \
	change     \
	PUT(2)     \
	LOAD_A(o3) \
	u3(0)      \
	change     \
	PUT(3)
#define LESS \
	SUB_16B(0, 0, 13) \
	SUB_16B(1, 1, 13) \
	SUB_16B(2, 2, 13) \
	SUB_16B(3, 3, 13) \
	SUB_16B(4, 4, 13) \
	SUB_16B(5, 5, 13) \
	SUB_16B(6, 6, 13) \
	SUB_16B(7, 7, 13)

#define CODES4(change) CODES(UNPACK4, UNPACK4, UNPACK4, UNPACK4, 0, 64, 128, 192, change)
#define CODES5(change) \
	LOAD_PLANE(256) \
	CODES(UNPACK5_0, UNPACK5_1, UNPACK5_2, UNPACK5_3, 0, 64, 128, 192, change)
#define CODES6(change) CODES(UNPACK6_0, UNPACK6_1, UNPACK6_2, UNPACK6_3, 0, 64, 128, 192, change)
#define CODES2(change) CODES(UNPACK2_A, UNPACK2_A, UNPACK2_B, UNPACK2_B, 0, 64, 0, 64, change)
#define CODES3(change) CODES(UNPACK3_0, UNPACK3_1, UNPACK3_2, UNPACK3_3, 0, 64, 0, 64, change)
#define CODEST(change) CODES(LOOK_UP, LOOK_UP, LOOK_UP, LOOK_UP, 0, 64, 128, 192, change)

#define COPY(off) \
	LOAD_A(off)                \
	FSTPQ (F0, F1), (off)(R0)  \
	FSTPQ (F2, F3), (off+32)(R0)
#define CODES8 \
	COPY(0)   \
	COPY(64)  \
	COPY(128) \
	COPY(192) \
	COPY(256) \
	COPY(320) \
	COPY(384) \
	COPY(448)

// SCALES stores the scales or minima in V0-V3.
#define SCALES(off) \
	FSTPQ (F0, F1), (off)(R0)    \
	FSTPQ (F2, F3), (off+32)(R0)

#define NEXT(scales, bytes) \
	ADD $scales, R11 \
	ADD $bytes, R0

#define HALF_SCALES \
	HALVES(R11, 0) \
	SCALES(512)    \
	NEXT(32, 576)
#define HALF_MINIMA \
	HALVES(R11, 0)  \
	SCALES(512)     \
	HALVES(R11, 32) \
	SCALES(576)     \
	NEXT(0, 640)
#define BYTE_SCALES \
	BYTES(64, 0)   \
	SCALES(512)    \
	BYTES(192, 64) \
	SCALES(576)    \
	NEXT(16, 640)
#define NIBBLE_SCALES \
	LOW_NIBBLES(64)  \
	SCALES(512)      \
	LOW_NIBBLES(80)  \
	SCALES(576)      \
	HIGH_NIBBLES(64) \
	SCALES(640)      \
	HIGH_NIBBLES(80) \
	SCALES(704)      \
	NEXT(32, 768)
#define SIGNED_SCALES \
	SIGNED_BYTES(64) \
	SCALES(512)      \
	SIGNED_BYTES(80) \
	SCALES(576)      \
	NEXT(32, 640)

#define Q8_BLOCK \
	CODES8 \
	HALF_SCALES

// func expandQ8NEON(dst, w unsafe.Pointer, n int)
TEXT ·expandQ8NEON(SB), NOSPLIT, $0-24
	BEGIN
	UNITS(64, 2, 512, NOTHING, Q8_BLOCK)
	RET

#define Q4_BLOCK \
	CODES4(LESS) \
	HALF_SCALES

// func expandQ4NEON(dst, w unsafe.Pointer, n int)
TEXT ·expandQ4NEON(SB), NOSPLIT, $0-24
	BEGIN
	VMOVI $15, V14.B16
	VMOVI $8, V13.B16
	UNITS(64, 2, 256, NOTHING, Q4_BLOCK)
	RET

#define Q41_BLOCK \
	CODES4(NOTHING) \
	HALF_MINIMA

// func expandQ41NEON(dst, w unsafe.Pointer, n int)
TEXT ·expandQ41NEON(SB), NOSPLIT, $0-24
	BEGIN
	VMOVI $15, V14.B16
	UNITS(64, 1, 256, NOTHING, Q41_BLOCK)
	RET

#define Q50_BLOCK \
	CODES5(LESS) \
	HALF_SCALES

// func expandQ50NEON(dst, w unsafe.Pointer, n int)
TEXT ·expandQ50NEON(SB), NOSPLIT, $0-24
	BEGIN
	VMOVI $15, V14.B16
	VMOVI $16, V15.B16
	VMOVI $16, V13.B16
	UNITS(64, 2, 320, NOTHING, Q50_BLOCK)
	RET

#define Q51_BLOCK \
	CODES5(NOTHING) \
	HALF_MINIMA

// func expandQ51NEON(dst, w unsafe.Pointer, n int)
TEXT ·expandQ51NEON(SB), NOSPLIT, $0-24
	BEGIN
	VMOVI $15, V14.B16
	VMOVI $16, V15.B16
	UNITS(64, 1, 320, NOTHING, Q51_BLOCK)
	RET

#define Q2K_BLOCK \
	CODES2(NOTHING) \
	NIBBLE_SCALES

// func expandQ2KNEON(dst, w unsafe.Pointer, n int)
TEXT ·expandQ2KNEON(SB), NOSPLIT, $128-24
	BEGIN
	VMOVI $3, V14.B16
	UNITS(320, 8, 128, SUPER, Q2K_BLOCK)
	RET

#define Q3K_BLOCK \
	CODES3(LESS) \
	SIGNED_SCALES

// func expandQ3KNEON(dst, w unsafe.Pointer, n int)
TEXT ·expandQ3KNEON(SB), NOSPLIT, $0-24
	BEGIN
	VMOVI $3, V14.B16
	VMOVI $4, V15.B16
	VMOVI $4, V13.B16
	UNITS(320, 8, 192, NOTHING, Q3K_BLOCK)
	RET

#define Q4K_BLOCK \
	CODES4(NOTHING) \
	BYTE_SCALES

// func expandQ4KNEON(dst, w unsafe.Pointer, n int)
TEXT ·expandQ4KNEON(SB), NOSPLIT, $128-24
	BEGIN
	VMOVI $15, V14.B16
	UNITS(320, 8, 256, SUPER, Q4K_BLOCK)
	RET

#define Q5K_BLOCK \
	CODES5(NOTHING) \
	BYTE_SCALES

// func expandQ5KNEON(dst, w unsafe.Pointer, n int)
TEXT ·expandQ5KNEON(SB), NOSPLIT, $128-24
	BEGIN
	VMOVI $15, V14.B16
	VMOVI $16, V15.B16
	UNITS(320, 8, 320, SUPER, Q5K_BLOCK)
	RET

#define Q6K_BLOCK \
	CODES6(LESS) \
	SIGNED_SCALES

// func expandQ6KNEON(dst, w unsafe.Pointer, n int)
TEXT ·expandQ6KNEON(SB), NOSPLIT, $0-24
	BEGIN
	VMOVI $15, V14.B16
	VMOVI $48, V15.B16
	VMOVI $32, V13.B16
	UNITS(320, 8, 384, NOTHING, Q6K_BLOCK)
	RET

#define Q4T_BLOCK \
	CODEST(NOTHING) \
	WIDES(R11, 0) \
	SCALES(512)   \
	NEXT(0, 576)

// func expandQ4TNEON(dst, w unsafe.Pointer, n int)
TEXT ·expandQ4TNEON(SB), NOSPLIT, $0-24
	BEGIN
	VMOVI $15, V14.B16
	FMOVQ (R2), F15
	ADD   $64, R2
	UNITS(64, 1, 256, NOTHING, Q4T_BLOCK)
	RET

#define Q8S_BLOCK \
	CODES8 \
	WIDES(R11, 0)  \
	SCALES(512)    \
	WIDES(R11, 64) \
	SCALES(576)    \
	NEXT(0, 640)

// func expandQ8SNEON(dst, w unsafe.Pointer, n int)
TEXT ·expandQ8SNEON(SB), NOSPLIT, $0-24
	BEGIN
	UNITS(128, 1, 512, NOTHING, Q8S_BLOCK)
	RET
