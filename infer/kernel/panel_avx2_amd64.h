// Parts of the products of panels with one token on AVX2.
//
//	DI y   SI codes   R8 scales of the weights   DX activations   R9 their scales   R10 their sums   CX blocks left
//	Y0, Y1 acc of rows a, b   Y2, Y3 integer sums   Y14 ones   Y15 nibble mask

// PANELBEGIN loads the arguments and clears acc; a block of codes has 1<<codes bytes.
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
	ONES16(Y14)            \
	VXORPS Y0, Y0, Y0      \
	VXORPS Y1, Y1, Y1

#define PANELEND \
	VMOVUPS Y0, (DI)   \
	VMOVUPS Y1, 32(DI) \
	VZEROUPPER

// Q4GROUP adds group g: columns 4g.. (low nibbles) and 16+4g.. (high).
#define Q4GROUP(g, sumA, sumB) \
	VMOVDQU      (g*64)(SI), Y4    \
	VMOVDQU      (g*64+32)(SI), Y5 \
	VPBROADCASTD (g*4)(DX), Y6     \
	VPBROADCASTD (g*4+16)(DX), Y7  \
	VPAND        Y15, Y4, Y8       \
	VPAND        Y15, Y5, Y9       \
	VPSRLW       $4, Y4, Y4        \
	VPSRLW       $4, Y5, Y5        \
	VPAND        Y15, Y4, Y4       \
	VPAND        Y15, Y5, Y5       \
	VPMADDUBSW   Y6, Y8, Y8        \
	VPMADDUBSW   Y6, Y9, Y9        \
	VPMADDUBSW   Y7, Y4, Y4        \
	VPMADDUBSW   Y7, Y5, Y5        \
	VPADDW       Y8, sumA, sumA    \
	VPADDW       Y9, sumB, sumB    \
	VPADDW       Y4, sumA, sumA    \
	VPADDW       Y5, sumB, sumB

// Q8GROUP adds group g: columns 4g to 4g+3.
#define Q8GROUP(g) \
	VMOVDQU      (g*64)(SI), Y4    \
	VMOVDQU      (g*64+32)(SI), Y5 \
	VPBROADCASTD (g*4)(DX), Y6     \
	VPABSB       Y4, Y7            \
	VPABSB       Y5, Y8            \
	VPSIGNB      Y4, Y6, Y4        \
	VPSIGNB      Y5, Y6, Y5        \
	VPMADDUBSW   Y4, Y7, Y4        \
	VPMADDUBSW   Y5, Y8, Y5        \
	VPMADDWD     Y14, Y4, Y4       \
	VPMADDWD     Y14, Y5, Y5       \
	VPADDD       Y4, Y2, Y2        \
	VPADDD       Y5, Y3, Y3
