// Parts of the products of panels with 4 tokens on AVX2.
//
//	SI codes   R8 scales of the weights   CX blocks left
//	DX, R11, R12, R13 activations of tokens 0-3   R9 scales, R10 sums of token 0   BX xStride   DI 3*xStride
//	R14 frame, aligned: acc [4][2]ymm, then what a kernel adds   Y0-Y7 integer sums in the same order   Y8-Y11 weights of one group

// TILEBEGIN loads the arguments and clears acc; a block of codes has 1<<codes bytes, the frame bytes (and 32 more to align it).
#define TILEBEGIN(codes, bytes) \
	MOVQ    w+16(FP), SI         \
	MOVQ    x+24(FP), DX         \
	MOVQ    xStride+32(FP), BX   \
	MOVQ    n+40(FP), CX         \
	MOVQ    CX, AX               \
	SHLQ    $codes, AX           \
	LEAQ    (SI)(AX*1), R8       \
	MOVQ    CX, AX               \
	SHLQ    $5, AX               \
	LEAQ    (DX)(AX*1), R9       \
	LEAQ    (R9)(CX*4), R10      \
	LEAQ    (DX)(BX*1), R11      \
	LEAQ    (DX)(BX*2), R12      \
	LEAQ    (R11)(BX*2), R13     \
	LEAQ    (BX)(BX*2), DI       \
	LEAQ    acc-1-bytes(SP), R14 \
	ANDQ    $~31, R14            \
	VXORPS  Y0, Y0, Y0           \
	VMOVAPS Y0, (R14)            \
	VMOVAPS Y0, 32(R14)          \
	VMOVAPS Y0, 64(R14)          \
	VMOVAPS Y0, 96(R14)          \
	VMOVAPS Y0, 128(R14)         \
	VMOVAPS Y0, 160(R14)         \
	VMOVAPS Y0, 192(R14)         \
	VMOVAPS Y0, 224(R14)

// CLEARSUMS starts a block.
#define CLEARSUMS \
	VPXOR Y0, Y0, Y0 \
	VPXOR Y1, Y1, Y1 \
	VPXOR Y2, Y2, Y2 \
	VPXOR Y3, Y3, Y3 \
	VPXOR Y4, Y4, Y4 \
	VPXOR Y5, Y5, Y5 \
	VPXOR Y6, Y6, Y6 \
	VPXOR Y7, Y7, Y7

// ADDSUMS adds the integer sums of one token, scaled by Y8, Y9 (weights) and xd, to its acc, in the sums' registers. It leaves xd in Y11.
#define ADDSUMS(xd, accA, accB, sumA, sumB) \
	VBROADCASTSS xd, Y11         \
	VCVTDQ2PS    sumA, sumA      \
	VCVTDQ2PS    sumB, sumB      \
	VMULPS       Y11, Y8, Y12    \
	VMULPS       Y11, Y9, Y13    \
	VFMADD213PS  accA, Y12, sumA \
	VFMADD213PS  accB, Y13, sumB

// ADDBLOCK adds the integer sums of one token to its acc.
#define ADDBLOCK(xd, accA, accB, sumA, sumB) \
	ADDSUMS(xd, accA, accB, sumA, sumB) \
	VMOVAPS sumA, accA                  \
	VMOVAPS sumB, accB

// ADDBLOCKMIN adds the integer sums of one token to its acc and takes the minima Y10, Y14 times the sum of the activations off.
#define ADDBLOCKMIN(xd, xsum, accA, accB, sumA, sumB) \
	ADDSUMS(xd, accA, accB, sumA, sumB) \
	VMULPS       Y11, Y10, Y12          \
	VMULPS       Y11, Y14, Y13          \
	VPBROADCASTD xsum, Y11              \
	VCVTDQ2PS    Y11, Y11               \
	VFNMADD231PS Y12, Y11, sumA         \
	VFNMADD231PS Y13, Y11, sumB         \
	VMOVAPS      sumA, accA             \
	VMOVAPS      sumB, accB

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
	VMOVAPS (R14), Y0         \
	VMOVAPS 32(R14), Y1       \
	VMOVUPS Y0, (DI)          \
	VMOVUPS Y1, 32(DI)        \
	ADDQ    DX, DI            \
	VMOVAPS 64(R14), Y0       \
	VMOVAPS 96(R14), Y1       \
	VMOVUPS Y0, (DI)          \
	VMOVUPS Y1, 32(DI)        \
	ADDQ    DX, DI            \
	VMOVAPS 128(R14), Y0      \
	VMOVAPS 160(R14), Y1      \
	VMOVUPS Y0, (DI)          \
	VMOVUPS Y1, 32(DI)        \
	ADDQ    DX, DI            \
	VMOVAPS 192(R14), Y0      \
	VMOVAPS 224(R14), Y1      \
	VMOVUPS Y0, (DI)          \
	VMOVUPS Y1, 32(DI)        \
	VZEROUPPER

// Q4UNPACK puts group g, cut by the nibble mask Y15, into Y8, Y9 (low nibbles of rows a, b) and Y10, Y11 (high).
#define Q4UNPACK(g) \
	VMOVDQU (g*64)(SI), Y10    \
	VMOVDQU (g*64+32)(SI), Y11 \
	VPAND   Y15, Y10, Y8       \
	VPAND   Y15, Y11, Y9       \
	VPSRLW  $4, Y10, Y10       \
	VPSRLW  $4, Y11, Y11       \
	VPAND   Y15, Y10, Y10      \
	VPAND   Y15, Y11, Y11

// Q4TOKEN adds one token's group.
#define Q4TOKEN(g, x, sumA, sumB) \
	VPBROADCASTD (g*4)(x), Y12    \
	VPMADDUBSW   Y12, Y8, Y13     \
	VPMADDUBSW   Y12, Y9, Y14     \
	VPADDW       Y13, sumA, sumA  \
	VPADDW       Y14, sumB, sumB  \
	VPBROADCASTD (g*4+16)(x), Y12 \
	VPMADDUBSW   Y12, Y10, Y13    \
	VPMADDUBSW   Y12, Y11, Y14    \
	VPADDW       Y13, sumA, sumA  \
	VPADDW       Y14, sumB, sumB

#define Q4TILEGROUP(g) \
	Q4UNPACK(g)             \
	Q4TOKEN(g, DX, Y0, Y1)  \
	Q4TOKEN(g, R11, Y2, Y3) \
	Q4TOKEN(g, R12, Y4, Y5) \
	Q4TOKEN(g, R13, Y6, Y7)

// Q8UNPACK puts group g into Y8, Y9 and its magnitudes into Y10, Y11.
#define Q8UNPACK(g) \
	VMOVDQU (g*64)(SI), Y8    \
	VMOVDQU (g*64+32)(SI), Y9 \
	VPABSB  Y8, Y10           \
	VPABSB  Y9, Y11

// Q8TOKEN adds one token's group; Y15 holds ones.
#define Q8TOKEN(g, x, sumA, sumB) \
	VPBROADCASTD (g*4)(x), Y12   \
	VPSIGNB      Y8, Y12, Y13    \
	VPSIGNB      Y9, Y12, Y14    \
	VPMADDUBSW   Y13, Y10, Y13   \
	VPMADDUBSW   Y14, Y11, Y14   \
	VPMADDWD     Y15, Y13, Y13   \
	VPMADDWD     Y15, Y14, Y14   \
	VPADDD       Y13, sumA, sumA \
	VPADDD       Y14, sumB, sumB

#define Q8TILEGROUP(g) \
	Q8UNPACK(g)             \
	Q8TOKEN(g, DX, Y0, Y1)  \
	Q8TOKEN(g, R11, Y2, Y3) \
	Q8TOKEN(g, R12, Y4, Y5) \
	Q8TOKEN(g, R13, Y6, Y7)
