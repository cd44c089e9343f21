// Instructions that Go's assembler lacks, as words. The operands are register numbers in Arm's order (destination first); a lane is
// written as its number. Each encoding was compared with what GNU as makes of the mnemonic.
//
// Bit fields: Vd 0-4, Vn 5-9, Vm 16-20; a lane of four has its low bit at 21 and its high bit at 11.

#define LANE(i) ((i)&1)<<21 | ((i)>>1)<<11

// 8-bit integers.
#define SDOT_E(d, n, m, i) WORD $(0x4F80E000 | LANE(i) | (m)<<16 | (n)<<5 | (d)) // sdot   d.4s, n.16b, m.4b[i]   (dotprod)
#define SMULL(d, n, m)     WORD $(0x0E20C000 | (m)<<16 | (n)<<5 | (d))           // smull  d.8h, n.8b, m.8b
#define SMULL2(d, n, m)    WORD $(0x4E20C000 | (m)<<16 | (n)<<5 | (d))           // smull2 d.8h, n.16b, m.16b
#define SMLAL(d, n, m)     WORD $(0x0E208000 | (m)<<16 | (n)<<5 | (d))           // smlal  d.8h, n.8b, m.8b
#define SMLAL2(d, n, m)    WORD $(0x4E208000 | (m)<<16 | (n)<<5 | (d))           // smlal2 d.8h, n.16b, m.16b
#define SMAX_16B(d, n, m)  WORD $(0x4E206400 | (m)<<16 | (n)<<5 | (d))           // smax   d.16b, n.16b, m.16b

#define SMMLA(d, n, m)     WORD $(0x4E80A400 | (m)<<16 | (n)<<5 | (d))           // smmla  d.4s, n.16b, m.16b     (i8mm)

// Bytes, with a shift by s.
#define AND_16B(d, n, m)  WORD $(0x4E201C00 | (m)<<16 | (n)<<5 | (d))      // and  d.16b, n.16b, m.16b
#define BIT_16B(d, n, m)  WORD $(0x6EA01C00 | (m)<<16 | (n)<<5 | (d))      // bit  d.16b, n.16b, m.16b: the bits of n where m has ones
#define SUB_16B(d, n, m)  WORD $(0x6E208400 | (m)<<16 | (n)<<5 | (d))      // sub  d.16b, n.16b, m.16b
#define TBL_16B(d, n, m)  WORD $(0x4E000000 | (m)<<16 | (n)<<5 | (d))      // tbl  d.16b, {n.16b}, m.16b
#define USHR_16B(d, n, s) WORD $(0x6F000400 | (16-(s))<<16 | (n)<<5 | (d)) // ushr d.16b, n.16b, #s, s at least 1
#define SHL_16B(d, n, s)  WORD $(0x4F005400 | (8+(s))<<16 | (n)<<5 | (d))  // shl  d.16b, n.16b, #s
#define USHL_16B(d, n, m) WORD $(0x6E204400 | (m)<<16 | (n)<<5 | (d))      // ushl d.16b, n.16b, m.16b: to the right where m is negative

// Pairs of registers interleaved and taken apart.
#define ZIP1_4S(d, n, m) WORD $(0x4E803800 | (m)<<16 | (n)<<5 | (d)) // zip1 d.4s, n.4s, m.4s
#define ZIP2_4S(d, n, m) WORD $(0x4E807800 | (m)<<16 | (n)<<5 | (d)) // zip2 d.4s, n.4s, m.4s
#define ZIP1_2D(d, n, m) WORD $(0x4EC03800 | (m)<<16 | (n)<<5 | (d)) // zip1 d.2d, n.2d, m.2d
#define UZP1_4S(d, n, m) WORD $(0x4E801800 | (m)<<16 | (n)<<5 | (d)) // uzp1 d.4s, n.4s, m.4s
#define UZP2_4S(d, n, m) WORD $(0x4E805800 | (m)<<16 | (n)<<5 | (d)) // uzp2 d.4s, n.4s, m.4s

// Neighbours added. These two are VADDP by number.
#define ADDP_8H(d, n, m) WORD $(0x4E60BC00 | (m)<<16 | (n)<<5 | (d)) // addp d.8h, n.8h, m.8h
#define ADDP_4S(d, n, m) WORD $(0x4EA0BC00 | (m)<<16 | (n)<<5 | (d)) // addp d.4s, n.4s, m.4s

// Widening and narrowing of integers.
#define SADDLP_16B(d, n) WORD $(0x4E202800 | (n)<<5 | (d)) // saddlp d.8h, n.16b
#define SADDLP_8H(d, n)  WORD $(0x4E602800 | (n)<<5 | (d)) // saddlp d.4s, n.8h
#define SADALP_8H(d, n)  WORD $(0x4E606800 | (n)<<5 | (d)) // sadalp d.4s, n.8h
#define SADDLV_8H(d, n)  WORD $(0x4E703800 | (n)<<5 | (d)) // saddlv sd, n.8h
#define SXTL_8B(d, n)    WORD $(0x0F08A400 | (n)<<5 | (d)) // sxtl   d.8h, n.8b
#define SXTL2_16B(d, n)  WORD $(0x4F08A400 | (n)<<5 | (d)) // sxtl2  d.8h, n.16b
#define SXTL_4H(d, n)    WORD $(0x0F10A400 | (n)<<5 | (d)) // sxtl   d.4s, n.4h
#define SXTL2_8H(d, n)   WORD $(0x4F10A400 | (n)<<5 | (d)) // sxtl2  d.4s, n.8h
#define UXTL_8B(d, n)    WORD $(0x2F08A400 | (n)<<5 | (d)) // uxtl   d.8h, n.8b
#define UXTL2_16B(d, n)  WORD $(0x6F08A400 | (n)<<5 | (d)) // uxtl2  d.8h, n.16b
#define SHLL_4H(d, n)    WORD $(0x2E613800 | (n)<<5 | (d)) // shll   d.4s, n.4h, #16
#define SHLL2_8H(d, n)   WORD $(0x6E613800 | (n)<<5 | (d)) // shll2  d.4s, n.8h, #16
#define SQXTN_4S(d, n)   WORD $(0x0E614800 | (n)<<5 | (d)) // sqxtn  d.4h, n.4s
#define SQXTN2_4S(d, n)  WORD $(0x4E614800 | (n)<<5 | (d)) // sqxtn2 d.8h, n.4s
#define SQXTN_8H(d, n)   WORD $(0x0E214800 | (n)<<5 | (d)) // sqxtn  d.8b, n.8h
#define SQXTN2_8H(d, n)  WORD $(0x4E214800 | (n)<<5 | (d)) // sqxtn2 d.16b, n.8h

// Conversions.
#define SCVTF_4S(d, n)  WORD $(0x4E21D800 | (n)<<5 | (d)) // scvtf  d.4s, n.4s
#define SCVTF_S(d, n)   WORD $(0x5E21D800 | (n)<<5 | (d)) // scvtf  sd, sn
#define FCVTNS_4S(d, n) WORD $(0x4E21A800 | (n)<<5 | (d)) // fcvtns d.4s, n.4s
#define FCVTL(d, n)     WORD $(0x0E217800 | (n)<<5 | (d)) // fcvtl  d.4s, n.4h
#define FCVTL2(d, n)    WORD $(0x4E217800 | (n)<<5 | (d)) // fcvtl2 d.4s, n.8h
#define FCVTN(d, n)     WORD $(0x0E216800 | (n)<<5 | (d)) // fcvtn  d.4h, n.4s
#define FCVTN2(d, n)    WORD $(0x4E216800 | (n)<<5 | (d)) // fcvtn2 d.8h, n.4s

// Four float32.
#define FMLA_4S(d, n, m)   WORD $(0x4E20CC00 | (m)<<16 | (n)<<5 | (d))           // fmla  d.4s, n.4s, m.4s
#define FMLA_E(d, n, m, i) WORD $(0x4F801000 | LANE(i) | (m)<<16 | (n)<<5 | (d)) // fmla  d.4s, n.4s, m.s[i]
#define FMLS_E(d, n, m, i) WORD $(0x4F805000 | LANE(i) | (m)<<16 | (n)<<5 | (d)) // fmls  d.4s, n.4s, m.s[i]
#define FMUL_4S(d, n, m)   WORD $(0x6E20DC00 | (m)<<16 | (n)<<5 | (d))           // fmul  d.4s, n.4s, m.4s
#define FMUL_E(d, n, m, i) WORD $(0x4F809000 | LANE(i) | (m)<<16 | (n)<<5 | (d)) // fmul  d.4s, n.4s, m.s[i]
#define FADD_4S(d, n, m)   WORD $(0x4E20D400 | (m)<<16 | (n)<<5 | (d))           // fadd  d.4s, n.4s, m.4s
#define FADDP_4S(d, n, m)  WORD $(0x6E20D400 | (m)<<16 | (n)<<5 | (d))           // faddp d.4s, n.4s, m.4s
#define FMLS_4S(d, n, m)   WORD $(0x4EA0CC00 | (m)<<16 | (n)<<5 | (d))           // fmls  d.4s, n.4s, m.4s
#define FSUB_4S(d, n, m)   WORD $(0x4EA0D400 | (m)<<16 | (n)<<5 | (d))           // fsub  d.4s, n.4s, m.4s
#define FDIV_4S(d, n, m)   WORD $(0x6E20FC00 | (m)<<16 | (n)<<5 | (d))           // fdiv  d.4s, n.4s, m.4s
#define FMIN_4S(d, n, m)   WORD $(0x4EA0F400 | (m)<<16 | (n)<<5 | (d))           // fmin  d.4s, n.4s, m.4s
#define FCMGT_4S(d, n, m)  WORD $(0x6EA0E400 | (m)<<16 | (n)<<5 | (d))           // fcmgt d.4s, n.4s, m.4s
#define FRINTN_4S(d, n)    WORD $(0x4E218800 | (n)<<5 | (d))                     // frintn d.4s, n.4s
#define BIC_16B(d, n, m)   WORD $(0x4E601C00 | (m)<<16 | (n)<<5 | (d))           // bic   d.16b, n.16b, m.16b
#define FMAX_4S(d, n, m)   WORD $(0x4E20F400 | (m)<<16 | (n)<<5 | (d))           // fmax  d.4s, n.4s, m.4s
#define FMAXV_4S(d, n)     WORD $(0x6E30F800 | (n)<<5 | (d))                     // fmaxv sd, n.4s
#define FABS_4S(d, n)      WORD $(0x4EA0F800 | (n)<<5 | (d))                     // fabs  d.4s, n.4s

// Four registers at once: 64 bytes at byte off of p.
#define ZERO4(a, b, c, d) \
	VMOVI $0, a.B16 \
	VMOVI $0, b.B16 \
	VMOVI $0, c.B16 \
	VMOVI $0, d.B16
#define LOAD4(off, p, a, b, c, d) \
	FLDPQ (off)(p), (a, b)   \
	FLDPQ (off+32)(p), (c, d)
#define STORE4(off, p, a, b, c, d) \
	FSTPQ (a, b), (off)(p)   \
	FSTPQ (c, d), (off+32)(p)
