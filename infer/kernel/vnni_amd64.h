// Parts of the products of panels on AVX-512 with VNNI: first those with one token, then those with 4.

// BYTES puts the byte b in all bytes of r.
#define BYTES(b, r) \
	MOVL         $(b*0x01010101), AX \
	VPBROADCASTD AX, r

// OFFSET starts a sum at -(sum of the activations << shift).
#define OFFSET(shift, xsum, r) \
	VPSLLD.BCST $shift, xsum, r \
	VPSUBD      r, Z29, r

// TABLE puts the 16 signed bytes at p, with their upper bits flipped, into each quarter of r.
#define TABLE(p, r, tmp) \
	BYTES(0x80, tmp)       \
	VBROADCASTI32X4 (p), r \
	VPXORD          tmp, r, r

// One token.
//
//	DI y   SI codes   R8 scales of the weights   DX activations   R9 their scales   R10 their sums   CX blocks left
//	Z0 acc   Z1, Z2 integer sums   Z29 zero   Z30 nibble mask   Z31 0x80 in each byte

// PANELBEGIN loads the arguments; a block of codes has 1<<codes bytes.
#define PANELBEGIN(codes) \
	MOVQ   y+0(FP), DI     \
	MOVQ   w+8(FP), SI     \
	MOVQ   x+16(FP), DX    \
	MOVQ   n+24(FP), CX    \
	MOVQ   CX, AX          \
	SHLQ   $codes, AX      \
	LEAQ   (SI)(AX*1), R8  \
	MOVQ   CX, AX          \
	SHLQ   $5, AX          \
	LEAQ   (DX)(AX*1), R9  \
	LEAQ   (R9)(CX*4), R10 \
	VPXORD Z29, Z29, Z29   \
	VPXORD Z0, Z0, Z0

// Q4DOT adds group g, low nibbles to Z1, high nibbles to Z2.
#define Q4DOT(g) \
	VMOVDQU32     (g*64)(SI), Z3    \
	VPANDD        Z30, Z3, Z4       \
	VPSRLD        $4, Z3, Z3        \
	VPANDD        Z30, Z3, Z3       \
	VPDPBUSD.BCST (g*4)(DX), Z4, Z1 \
	VPDPBUSD.BCST (g*4+16)(DX), Z3, Z2

// Q8DOT adds group g to acc.
#define Q8DOT(g, acc) \
	VPXORD        (g*64)(SI), Z31, Z3 \
	VPDPBUSD.BCST (g*4)(DX), Z3, acc

// 4 tokens.
//
//	SI codes   R8 scales of the weights   CX blocks left
//	DX, R11, R12, R13 activations of tokens 0-3   R9 scales, R10 sums of token 0   BX xStride   DI 3*xStride
//	Z0-Z3 acc of tokens 0-3   Z4-Z7 their integer sums   Z8-Z11 second integer sums   Z12, Z13 weights

// TILEBEGIN loads the arguments and clears acc; a block of codes has 1<<codes bytes.
#define TILEBEGIN(codes) \
	MOVQ   w+16(FP), SI       \
	MOVQ   x+24(FP), DX       \
	MOVQ   xStride+32(FP), BX \
	MOVQ   n+40(FP), CX       \
	MOVQ   CX, AX             \
	SHLQ   $codes, AX         \
	LEAQ   (SI)(AX*1), R8     \
	MOVQ   CX, AX             \
	SHLQ   $5, AX             \
	LEAQ   (DX)(AX*1), R9     \
	LEAQ   (R9)(CX*4), R10    \
	LEAQ   (DX)(BX*1), R11    \
	LEAQ   (DX)(BX*2), R12    \
	LEAQ   (R11)(BX*2), R13   \
	LEAQ   (BX)(BX*2), DI     \
	VPXORD Z29, Z29, Z29      \
	VPXORD Z0, Z0, Z0         \
	VPXORD Z1, Z1, Z1         \
	VPXORD Z2, Z2, Z2         \
	VPXORD Z3, Z3, Z3

// DOT4 adds the weights w times the activations at off to the sums of the 4 tokens.
#define DOT4(off, w, s0, s1, s2, s3) \
	VPDPBUSD.BCST off(DX), w, s0  \
	VPDPBUSD.BCST off(R11), w, s1 \
	VPDPBUSD.BCST off(R12), w, s2 \
	VPDPBUSD.BCST off(R13), w, s3

// ADDBLOCK adds a token's integer sums, scaled by Z12 (weights) and xd, to its acc.
#define ADDBLOCK(xd, sum, sum2, acc) \
	VPADDD      sum2, sum, sum \
	VMULPS.BCST xd, Z12, Z13   \
	VCVTDQ2PS   sum, sum       \
	VFMADD231PS Z13, sum, acc

#define NEXTBLOCK(codes, scales) \
	ADDQ $codes, SI  \
	ADDQ $scales, R8 \
	ADDQ $32, DX     \
	ADDQ $32, R11    \
	ADDQ $32, R12    \
	ADDQ $32, R13    \
	ADDQ $4, R9      \
	ADDQ $4, R10     \
	DECQ CX

#define TILEEND \
	MOVQ    y+0(FP), DI       \
	MOVQ    yStride+8(FP), DX \
	LEAQ    (DI)(DX*2), AX    \
	VMOVUPS Z0, (DI)          \
	VMOVUPS Z1, (DI)(DX*1)    \
	VMOVUPS Z2, (AX)          \
	VMOVUPS Z3, (AX)(DX*1)    \
	VZEROUPPER

// Q4DOT4 adds group g, low nibbles to the first sums, high nibbles to the second.
#define Q4DOT4(g) \
	VMOVDQU32 (g*64)(SI), Z12        \
	VPANDD    Z30, Z12, Z13          \
	VPSRLD    $4, Z12, Z12           \
	VPANDD    Z30, Z12, Z12          \
	DOT4((g*4), Z13, Z4, Z5, Z6, Z7) \
	DOT4((g*4+16), Z12, Z8, Z9, Z10, Z11)

// Q8DOT4 adds group g.
#define Q8DOT4(g, s0, s1, s2, s3) \
	VPXORD (g*64)(SI), Z31, Z12 \
	DOT4((g*4), Z12, s0, s1, s2, s3)
