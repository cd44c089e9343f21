#include "textflag.h"

// What a core can do at best; see limits.go. Nothing here depends on the result of the instruction before it: there are more
// accumulators than an instruction takes cycles times the number of its execution units.

// readAhead is how far ahead the streaming read asks for memory: the distance of the panel kernels.
#define readAhead 2048

// Instructions that Go's assembler lacks; operands are register numbers, destination first.
#define SDOT(d, n, m)   WORD $(0x4E809400 | (m)<<16 | (n)<<5 | (d)) // sdot   d.4s, n.16b, m.16b   (dotprod)
#define SMMLA(d, n, m)  WORD $(0x4E80A400 | (m)<<16 | (n)<<5 | (d)) // smmla  d.4s, n.16b, m.16b   (i8mm)
#define SMLAL(d, n, m)  WORD $(0x0E208000 | (m)<<16 | (n)<<5 | (d)) // smlal  d.8h, n.8b, m.8b
#define SMLAL2(d, n, m) WORD $(0x4E208000 | (m)<<16 | (n)<<5 | (d)) // smlal2 d.8h, n.16b, m.16b
#define SADALP(d, n)    WORD $(0x4E606800 | (n)<<5 | (d))           // sadalp d.4s, n.8h
#define FMLA(d, n, m)   WORD $(0x4E20CC00 | (m)<<16 | (n)<<5 | (d)) // fmla   d.4s, n.4s, m.4s
#define FADD(d, n, m)   WORD $(0x4E20D400 | (m)<<16 | (n)<<5 | (d)) // fadd   d.4s, n.4s, m.4s

#define ZERO8(a, b, c, d, e, f, g, h) \
	VMOVI $0, a.B16 \
	VMOVI $0, b.B16 \
	VMOVI $0, c.B16 \
	VMOVI $0, d.B16 \
	VMOVI $0, e.B16 \
	VMOVI $0, f.B16 \
	VMOVI $0, g.B16 \
	VMOVI $0, h.B16

// func readLimitNEON(mem unsafe.Pointer, n int) uint64
//
//	R0 memory   R1 pieces of 256 bytes left   V0-V7 sums of 64-bit words
TEXT ·readLimitNEON(SB), NOSPLIT, $0-24
	MOVD mem+0(FP), R0
	MOVD n+8(FP), R1
	ZERO8(V0, V1, V2, V3, V4, V5, V6, V7)

piece:
	PRFM   (readAhead)(R0), PLDL1KEEP
	FLDPQ  (R0), (F16, F17)
	FLDPQ  32(R0), (F18, F19)
	PRFM   (readAhead+64)(R0), PLDL1KEEP
	FLDPQ  64(R0), (F20, F21)
	FLDPQ  96(R0), (F22, F23)
	PRFM   (readAhead+128)(R0), PLDL1KEEP
	FLDPQ  128(R0), (F24, F25)
	FLDPQ  160(R0), (F26, F27)
	PRFM   (readAhead+192)(R0), PLDL1KEEP
	FLDPQ  192(R0), (F28, F29)
	FLDPQ  224(R0), (F30, F31)
	VADD   V16.D2, V0.D2, V0.D2
	VADD   V17.D2, V1.D2, V1.D2
	VADD   V18.D2, V2.D2, V2.D2
	VADD   V19.D2, V3.D2, V3.D2
	VADD   V20.D2, V4.D2, V4.D2
	VADD   V21.D2, V5.D2, V5.D2
	VADD   V22.D2, V6.D2, V6.D2
	VADD   V23.D2, V7.D2, V7.D2
	VADD   V24.D2, V0.D2, V0.D2
	VADD   V25.D2, V1.D2, V1.D2
	VADD   V26.D2, V2.D2, V2.D2
	VADD   V27.D2, V3.D2, V3.D2
	VADD   V28.D2, V4.D2, V4.D2
	VADD   V29.D2, V5.D2, V5.D2
	VADD   V30.D2, V6.D2, V6.D2
	VADD   V31.D2, V7.D2, V7.D2
	ADD    $256, R0
	SUBS   $1, R1
	BNE    piece

	VADD V1.D2, V0.D2, V0.D2
	VADD V3.D2, V2.D2, V2.D2
	VADD V5.D2, V4.D2, V4.D2
	VADD V7.D2, V6.D2, V6.D2
	VADD V2.D2, V0.D2, V0.D2
	VADD V6.D2, V4.D2, V4.D2
	VADD V4.D2, V0.D2, V0.D2
	VMOV V0.D[0], R2
	VMOV V0.D[1], R3
	ADD  R3, R2
	MOVD R2, ret+16(FP)
	RET

// SMLAL8 adds 8 products each to the 16-bit sums V0-V7.
#define SMLAL8 \
	SMLAL(0, 30, 31)  \
	SMLAL2(1, 30, 31) \
	SMLAL(2, 30, 31)  \
	SMLAL2(3, 30, 31) \
	SMLAL(4, 30, 31)  \
	SMLAL2(5, 30, 31) \
	SMLAL(6, 30, 31)  \
	SMLAL2(7, 30, 31)

// func int8LimitNEON(sums *[16]int32, n int)
//
// 16 bits hold the sum of 8 products of 4-bit weights, so one widening follows 8 multiplications: the best case, Q4.
//
//	R0 sums   R1 rounds left   V0-V7 16-bit sums   V8-V15 32-bit sums   V30, V31 1 in each byte
TEXT ·int8LimitNEON(SB), NOSPLIT, $0-16
	MOVD  sums+0(FP), R0
	MOVD  n+8(FP), R1
	VMOVI $1, V30.B16
	VMOVI $1, V31.B16
	ZERO8(V8, V9, V10, V11, V12, V13, V14, V15)

round:
	ZERO8(V0, V1, V2, V3, V4, V5, V6, V7)
	SMLAL8
	SMLAL8
	SMLAL8
	SMLAL8
	SMLAL8
	SMLAL8
	SMLAL8
	SMLAL8
	SADALP(8, 0)
	SADALP(9, 1)
	SADALP(10, 2)
	SADALP(11, 3)
	SADALP(12, 4)
	SADALP(13, 5)
	SADALP(14, 6)
	SADALP(15, 7)
	SUBS $1, R1
	BNE  round

	VADD  V9.S4, V8.S4, V8.S4
	VADD  V11.S4, V10.S4, V10.S4
	VADD  V13.S4, V12.S4, V12.S4
	VADD  V15.S4, V14.S4, V14.S4
	VADD  V10.S4, V8.S4, V8.S4
	VADD  V14.S4, V12.S4, V12.S4
	VADD  V12.S4, V8.S4, V8.S4
	FMOVQ F8, (R0)
	RET

// EACH16 does op(r) for the accumulators V0-V15.
#define EACH16(op) \
	op(0)  \
	op(1)  \
	op(2)  \
	op(3)  \
	op(4)  \
	op(5)  \
	op(6)  \
	op(7)  \
	op(8)  \
	op(9)  \
	op(10) \
	op(11) \
	op(12) \
	op(13) \
	op(14) \
	op(15)

#define DOT(r) SDOT(r, 30, 31)
#define MMLA(r) SMMLA(r, 30, 31)
#define FMA(r) FMLA(r, 30, 31)

// func int8LimitDotprod(sums *[16]int32, n int)
//
//	R0 sums   R1 rounds left   V0-V15 sums   V30, V31 1 in each byte
TEXT ·int8LimitDotprod(SB), NOSPLIT, $0-16
	MOVD  sums+0(FP), R0
	MOVD  n+8(FP), R1
	VMOVI $1, V30.B16
	VMOVI $1, V31.B16
	ZERO8(V0, V1, V2, V3, V4, V5, V6, V7)
	ZERO8(V8, V9, V10, V11, V12, V13, V14, V15)

round:
	EACH16(DOT)
	SUBS $1, R1
	BNE  round

	VADD  V1.S4, V0.S4, V0.S4
	VADD  V3.S4, V2.S4, V2.S4
	VADD  V5.S4, V4.S4, V4.S4
	VADD  V7.S4, V6.S4, V6.S4
	VADD  V9.S4, V8.S4, V8.S4
	VADD  V11.S4, V10.S4, V10.S4
	VADD  V13.S4, V12.S4, V12.S4
	VADD  V15.S4, V14.S4, V14.S4
	VADD  V2.S4, V0.S4, V0.S4
	VADD  V6.S4, V4.S4, V4.S4
	VADD  V10.S4, V8.S4, V8.S4
	VADD  V14.S4, V12.S4, V12.S4
	VADD  V4.S4, V0.S4, V0.S4
	VADD  V12.S4, V8.S4, V8.S4
	VADD  V8.S4, V0.S4, V0.S4
	FMOVQ F0, (R0)
	RET

// func int8LimitI8MM(sums *[16]int32, n int)
//
//	R0 sums   R1 rounds left   V0-V15 sums   V30, V31 1 in each byte
TEXT ·int8LimitI8MM(SB), NOSPLIT, $0-16
	MOVD  sums+0(FP), R0
	MOVD  n+8(FP), R1
	VMOVI $1, V30.B16
	VMOVI $1, V31.B16
	ZERO8(V0, V1, V2, V3, V4, V5, V6, V7)
	ZERO8(V8, V9, V10, V11, V12, V13, V14, V15)

round:
	EACH16(MMLA)
	SUBS $1, R1
	BNE  round

	VADD  V1.S4, V0.S4, V0.S4
	VADD  V3.S4, V2.S4, V2.S4
	VADD  V5.S4, V4.S4, V4.S4
	VADD  V7.S4, V6.S4, V6.S4
	VADD  V9.S4, V8.S4, V8.S4
	VADD  V11.S4, V10.S4, V10.S4
	VADD  V13.S4, V12.S4, V12.S4
	VADD  V15.S4, V14.S4, V14.S4
	VADD  V2.S4, V0.S4, V0.S4
	VADD  V6.S4, V4.S4, V4.S4
	VADD  V10.S4, V8.S4, V8.S4
	VADD  V14.S4, V12.S4, V12.S4
	VADD  V4.S4, V0.S4, V0.S4
	VADD  V12.S4, V8.S4, V8.S4
	VADD  V8.S4, V0.S4, V0.S4
	FMOVQ F0, (R0)
	RET

// func float32LimitNEON(sums *[16]float32, n int)
//
//	R0 sums   R1 rounds left   V0-V15 sums   V30, V31 1 in each lane
TEXT ·float32LimitNEON(SB), NOSPLIT, $0-16
	MOVD sums+0(FP), R0
	MOVD n+8(FP), R1
	MOVD $0x3f800000, R2
	VDUP R2, V30.S4
	VDUP R2, V31.S4
	ZERO8(V0, V1, V2, V3, V4, V5, V6, V7)
	ZERO8(V8, V9, V10, V11, V12, V13, V14, V15)

round:
	EACH16(FMA)
	SUBS $1, R1
	BNE  round

	FADD(0, 0, 1)
	FADD(2, 2, 3)
	FADD(4, 4, 5)
	FADD(6, 6, 7)
	FADD(8, 8, 9)
	FADD(10, 10, 11)
	FADD(12, 12, 13)
	FADD(14, 14, 15)
	FADD(0, 0, 2)
	FADD(4, 4, 6)
	FADD(8, 8, 10)
	FADD(12, 12, 14)
	FADD(0, 0, 4)
	FADD(8, 8, 12)
	FADD(0, 0, 8)
	FMOVQ F0, (R0)
	RET
