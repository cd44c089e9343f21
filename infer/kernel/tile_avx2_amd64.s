#include "textflag.h"
#include "avx2_amd64.h"

// Products of Q4 and Q8 panels with 4 tokens on AVX2. The arithmetic is that of panel_avx2_amd64.s.
//
// A weight is unpacked once for the 4 tokens, an activation broadcast once for both halves of the rows. The integer sums take 8 registers,
// so the float accumulators, used once in a block, wait in the frame.
//
//	SI codes   R8 scales of the weights   CX blocks left
//	DX, R11, R12, R13 activations of tokens 0-3   R9 scales, R10 sums of token 0   BX xStride   DI 3*xStride
//	R14 acc [4][2]ymm, aligned   Y0-Y7 integer sums in the same order   Y8-Y11 weights of one group
//
// Instructions per weight and token: Q4 0.14, Q8 0.18.

// TILEBEGIN loads the arguments and clears acc; a block of codes has 1<<codes bytes.
#define TILEBEGIN(codes) \
	MOVQ    w+16(FP), SI       \
	MOVQ    x+24(FP), DX       \
	MOVQ    xStride+32(FP), BX \
	MOVQ    n+40(FP), CX       \
	MOVQ    CX, AX             \
	SHLQ    $codes, AX         \
	LEAQ    (SI)(AX*1), R8     \
	MOVQ    CX, AX             \
	SHLQ    $5, AX             \
	LEAQ    (DX)(AX*1), R9     \
	LEAQ    (R9)(CX*4), R10    \
	LEAQ    (DX)(BX*1), R11    \
	LEAQ    (DX)(BX*2), R12    \
	LEAQ    (R11)(BX*2), R13   \
	LEAQ    (BX)(BX*2), DI     \
	LEAQ    acc-257(SP), R14   \
	ANDQ    $~31, R14          \
	VXORPS  Y0, Y0, Y0         \
	VMOVAPS Y0, (R14)          \
	VMOVAPS Y0, 32(R14)        \
	VMOVAPS Y0, 64(R14)        \
	VMOVAPS Y0, 96(R14)        \
	VMOVAPS Y0, 128(R14)       \
	VMOVAPS Y0, 160(R14)       \
	VMOVAPS Y0, 192(R14)       \
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

// ADDBLOCK adds the integer sums of one token, scaled by Y8, Y9 (weights) and xd, to its acc.
#define ADDBLOCK(xd, accA, accB, sumA, sumB) \
	VBROADCASTSS xd, Y11          \
	VCVTDQ2PS    sumA, sumA       \
	VCVTDQ2PS    sumB, sumB       \
	VMULPS       Y11, Y8, Y12     \
	VMULPS       Y11, Y9, Y13     \
	VFMADD213PS  accA, Y12, sumA  \
	VFMADD213PS  accB, Y13, sumB  \
	VMOVAPS      sumA, accA       \
	VMOVAPS      sumB, accB

#define NEXTBLOCK(codes) \
	ADDQ $codes, SI \
	ADDQ $32, R8    \
	ADDQ $32, DX    \
	ADDQ $32, R11   \
	ADDQ $32, R12   \
	ADDQ $32, R13   \
	ADDQ $4, R9     \
	ADDQ $4, R10    \
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

// Q4UNPACK puts group g into Y8, Y9 (low nibbles of rows a, b) and Y10, Y11 (high).
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

// Q4WIDEN makes one token's 16-bit sums 32-bit and takes the offset of the weights off; Y14 holds ones.
#define Q4WIDEN(xsum, sumA, sumB) \
	VPBROADCASTD xsum, Y10        \
	VPMADDWD     Y14, sumA, sumA  \
	VPMADDWD     Y14, sumB, sumB  \
	VPSLLD       $3, Y10, Y10     \
	VPSUBD       Y10, sumA, sumA  \
	VPSUBD       Y10, sumB, sumB

// func tileQ4AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ4AVX2(SB), NOSPLIT, $288-48
	TILEBEGIN(8)
	NIBBLES(Y15)

block:
	CLEARSUMS
	Q4TILEGROUP(0)
	Q4TILEGROUP(1)
	Q4TILEGROUP(2)
	Q4TILEGROUP(3)
	ONES16(Y14)
	Q4WIDEN((R10), Y0, Y1)
	Q4WIDEN((R10)(BX*1), Y2, Y3)
	Q4WIDEN((R10)(BX*2), Y4, Y5)
	Q4WIDEN((R10)(DI*1), Y6, Y7)
	VCVTPH2PS (R8), Y8
	VCVTPH2PS 16(R8), Y9
	ADDBLOCK((R9), (R14), 32(R14), Y0, Y1)
	ADDBLOCK((R9)(BX*1), 64(R14), 96(R14), Y2, Y3)
	ADDBLOCK((R9)(BX*2), 128(R14), 160(R14), Y4, Y5)
	ADDBLOCK((R9)(DI*1), 192(R14), 224(R14), Y6, Y7)
	NEXTBLOCK(256)
	JNZ       block

	TILEEND
	RET

// Q8UNPACK puts group g into Y8, Y9 and its magnitudes into Y10, Y11.
#define Q8UNPACK(g) \
	VMOVDQU (g*64)(SI), Y8    \
	VMOVDQU (g*64+32)(SI), Y9 \
	VPABSB  Y8, Y10           \
	VPABSB  Y9, Y11

// Q8TOKEN adds one token's group; Y15 holds ones.
#define Q8TOKEN(g, x, sumA, sumB) \
	VPBROADCASTD (g*4)(x), Y12    \
	VPSIGNB      Y8, Y12, Y13     \
	VPSIGNB      Y9, Y12, Y14     \
	VPMADDUBSW   Y13, Y10, Y13    \
	VPMADDUBSW   Y14, Y11, Y14    \
	VPMADDWD     Y15, Y13, Y13    \
	VPMADDWD     Y15, Y14, Y14    \
	VPADDD       Y13, sumA, sumA  \
	VPADDD       Y14, sumB, sumB

#define Q8TILEGROUP(g) \
	Q8UNPACK(g)             \
	Q8TOKEN(g, DX, Y0, Y1)  \
	Q8TOKEN(g, R11, Y2, Y3) \
	Q8TOKEN(g, R12, Y4, Y5) \
	Q8TOKEN(g, R13, Y6, Y7)

// func tileQ8AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileQ8AVX2(SB), NOSPLIT, $288-48
	TILEBEGIN(9)
	ONES16(Y15)

block:
	CLEARSUMS
	Q8TILEGROUP(0)
	Q8TILEGROUP(1)
	Q8TILEGROUP(2)
	Q8TILEGROUP(3)
	Q8TILEGROUP(4)
	Q8TILEGROUP(5)
	Q8TILEGROUP(6)
	Q8TILEGROUP(7)
	VCVTPH2PS (R8), Y8
	VCVTPH2PS 16(R8), Y9
	ADDBLOCK((R9), (R14), 32(R14), Y0, Y1)
	ADDBLOCK((R9)(BX*1), 64(R14), 96(R14), Y2, Y3)
	ADDBLOCK((R9)(BX*2), 128(R14), 160(R14), Y4, Y5)
	ADDBLOCK((R9)(DI*1), 192(R14), 224(R14), Y6, Y7)
	NEXTBLOCK(512)
	JNZ       block

	TILEEND
	RET
