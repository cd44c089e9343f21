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

// Widening and narrowing of integers.
#define SADDLP_16B(d, n) WORD $(0x4E202800 | (n)<<5 | (d)) // saddlp d.8h, n.16b
#define SADDLP_8H(d, n)  WORD $(0x4E602800 | (n)<<5 | (d)) // saddlp d.4s, n.8h
#define SADALP_8H(d, n)  WORD $(0x4E606800 | (n)<<5 | (d)) // sadalp d.4s, n.8h
#define SADDLV_8H(d, n)  WORD $(0x4E703800 | (n)<<5 | (d)) // saddlv sd, n.8h
#define SXTL_8B(d, n)    WORD $(0x0F08A400 | (n)<<5 | (d)) // sxtl   d.8h, n.8b
#define SXTL2_16B(d, n)  WORD $(0x4F08A400 | (n)<<5 | (d)) // sxtl2  d.8h, n.16b
#define SXTL_4H(d, n)    WORD $(0x0F10A400 | (n)<<5 | (d)) // sxtl   d.4s, n.4h
#define SXTL2_8H(d, n)   WORD $(0x4F10A400 | (n)<<5 | (d)) // sxtl2  d.4s, n.8h
#define SQXTN_4S(d, n)   WORD $(0x0E614800 | (n)<<5 | (d)) // sqxtn  d.4h, n.4s
#define SQXTN2_4S(d, n)  WORD $(0x4E614800 | (n)<<5 | (d)) // sqxtn2 d.8h, n.4s
#define SQXTN_8H(d, n)   WORD $(0x0E214800 | (n)<<5 | (d)) // sqxtn  d.8b, n.8h
#define SQXTN2_8H(d, n)  WORD $(0x4E214800 | (n)<<5 | (d)) // sqxtn2 d.16b, n.8h

// Conversions.
#define SCVTF_4S(d, n)  WORD $(0x4E21D800 | (n)<<5 | (d)) // scvtf  d.4s, n.4s
#define FCVTNS_4S(d, n) WORD $(0x4E21A800 | (n)<<5 | (d)) // fcvtns d.4s, n.4s
#define FCVTL(d, n)     WORD $(0x0E217800 | (n)<<5 | (d)) // fcvtl  d.4s, n.4h
#define FCVTL2(d, n)    WORD $(0x4E217800 | (n)<<5 | (d)) // fcvtl2 d.4s, n.8h

// Four float32.
#define FMLA_4S(d, n, m)   WORD $(0x4E20CC00 | (m)<<16 | (n)<<5 | (d))           // fmla  d.4s, n.4s, m.4s
#define FMLA_E(d, n, m, i) WORD $(0x4F801000 | LANE(i) | (m)<<16 | (n)<<5 | (d)) // fmla  d.4s, n.4s, m.s[i]
#define FMUL_E(d, n, m, i) WORD $(0x4F809000 | LANE(i) | (m)<<16 | (n)<<5 | (d)) // fmul  d.4s, n.4s, m.s[i]
#define FADD_4S(d, n, m)   WORD $(0x4E20D400 | (m)<<16 | (n)<<5 | (d))           // fadd  d.4s, n.4s, m.4s
#define FADDP_4S(d, n, m)  WORD $(0x6E20D400 | (m)<<16 | (n)<<5 | (d))           // faddp d.4s, n.4s, m.4s
#define FMAX_4S(d, n, m)   WORD $(0x4E20F400 | (m)<<16 | (n)<<5 | (d))           // fmax  d.4s, n.4s, m.4s
#define FMAXV_4S(d, n)     WORD $(0x6E30F800 | (n)<<5 | (d))                     // fmaxv sd, n.4s
#define FABS_4S(d, n)      WORD $(0x4EA0F800 | (n)<<5 | (d))                     // fabs  d.4s, n.4s

// AHEAD is how many bytes ahead of the use the panel kernels prefetch weights: what a memory that answers in 150 ns sends meanwhile at 14
// GB/s. Beyond the end of a panel lie its scales, then the next panel; a prefetch of an unmapped address does nothing. The scales
// are a slower stream of their own. Tiles do not prefetch: multiplying 4 tokens takes longer than fetching.
#define AHEAD 2048
#define SCALES_AHEAD 256

#define ZERO4(a, b, c, d) \
	VMOVI $0, a.B16 \
	VMOVI $0, b.B16 \
	VMOVI $0, c.B16 \
	VMOVI $0, d.B16

// BLOCK_END adds the integer sums V8-V11 (rows 0-3, 4-7, 8-11, 12-15) of a block to the float32 sums a0-a3: a = fma(float(sum), wd*xd, a),
// with the product of the scales rounded first. wd are the 16 float16 at F4, F5; xd is lane 0 of F6. It uses V0-V6.
#define BLOCK_END(a0, a1, a2, a3) \
	FCVTL(0, 4)       \
	FCVTL2(1, 4)      \
	FCVTL(2, 5)       \
	FCVTL2(3, 5)      \
	SCVTF_4S(8, 8)    \
	SCVTF_4S(9, 9)    \
	SCVTF_4S(10, 10)  \
	SCVTF_4S(11, 11)  \
	FMUL_E(0, 0, 6, 0) \
	FMUL_E(1, 1, 6, 0) \
	FMUL_E(2, 2, 6, 0) \
	FMUL_E(3, 3, 6, 0) \
	FMLA_4S(a0, 8, 0)  \
	FMLA_4S(a1, 9, 1)  \
	FMLA_4S(a2, 10, 2) \
	FMLA_4S(a3, 11, 3)
