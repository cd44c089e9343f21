#include "textflag.h"
#include "avx2_amd64.h"

// Products of F32, F16, BF16 and I8 panels with 4 tokens on AVX2. The arithmetic is that of panelf_avx2_amd64.s: even and odd columns have
// accumulators of their own, which are added in the end.
//
// Accumulators of 4 tokens, 16 rows and both kinds of columns would be 16 registers, so the tile goes over the panel twice: for the even columns, and
// for the odd ones, whose cache lines the first time brought. (Going over it once for each half of the rows loads an activation for each FMA, and a core
// does two FMAs in a cycle but also no more than two loads: here it is six loads for eight FMAs.)
//
//	SI weights   DX, R11, R12, R13 activations of tokens 0-3   CX columns of this kind left   DI y   BX yStride, xStride
//	Y0-Y3 acc of rows 0-7 of tokens 0-3   Y4-Y7 of rows 8-15   Y8, Y9 weights of one column   Y10-Y13 its activations

// BEGIN starts on columns of one kind; R8 is the first of them, a column takes so many bytes.
#define BEGIN(bytes) \
	MOVQ   w+16(FP), SI       \
	MOVQ   x+24(FP), DX       \
	MOVQ   xStride+32(FP), BX \
	MOVQ   R8, AX             \
	IMULQ  $(bytes), AX       \
	ADDQ   AX, SI             \
	LEAQ   (DX)(R8*4), DX     \
	LEAQ   (DX)(BX*1), R11    \
	LEAQ   (DX)(BX*2), R12    \
	LEAQ   (R11)(BX*2), R13   \
	VXORPS Y0, Y0, Y0         \
	VXORPS Y1, Y1, Y1         \
	VXORPS Y2, Y2, Y2         \
	VXORPS Y3, Y3, Y3         \
	VXORPS Y4, Y4, Y4         \
	VXORPS Y5, Y5, Y5         \
	VXORPS Y6, Y6, Y6         \
	VXORPS Y7, Y7, Y7

// COLUMN adds the column at offset at times the activations at offset off.
#define COLUMN(load, at, bytes, off) \
	load(at(SI), Y8)             \
	load((at+bytes/2)(SI), Y9)   \
	VBROADCASTSS off(DX), Y10    \
	VBROADCASTSS off(R11), Y11   \
	VBROADCASTSS off(R12), Y12   \
	VBROADCASTSS off(R13), Y13   \
	VFMADD231PS  Y8, Y10, Y0     \
	VFMADD231PS  Y9, Y10, Y4     \
	VFMADD231PS  Y8, Y11, Y1     \
	VFMADD231PS  Y9, Y11, Y5     \
	VFMADD231PS  Y8, Y12, Y2     \
	VFMADD231PS  Y9, Y12, Y6     \
	VFMADD231PS  Y8, Y13, Y3     \
	VFMADD231PS  Y9, Y13, Y7

#define NEXT(columns, bytes) \
	ADDQ $((columns)*(bytes)), SI \
	ADDQ $((columns)*4), DX       \
	ADDQ $((columns)*4), R11      \
	ADDQ $((columns)*4), R12      \
	ADDQ $((columns)*4), R13

// RESULTS points DI and AX to the results of tokens 0 and 2.
#define RESULTS \
	MOVQ y+0(FP), DI       \
	MOVQ yStride+8(FP), BX \
	LEAQ (DI)(BX*2), AX
#define STORE(at, first, second, third, fourth) \
	VMOVUPS first, at(DI)         \
	VMOVUPS second, at(DI)(BX*1)  \
	VMOVUPS third, at(AX)         \
	VMOVUPS fourth, at(AX)(BX*1)
#define ADDSTORED(at, first, second, third, fourth) \
	VADDPS at(DI), first, first          \
	VADDPS at(DI)(BX*1), second, second  \
	VADDPS at(AX), third, third          \
	VADDPS at(AX)(BX*1), fourth, fourth

// Loads of 8 weights.
#define LOADF32(m, r) VMOVUPS m, r
#define LOADF16(m, r) VCVTPH2PS m, r
#define LOADBF16(m, r) \
	VPMOVZXWD m, r \
	VPSLLD    $16, r, r
#define LOADI8(m, r) \
	VPMOVSXBD m, r \
	VCVTDQ2PS r, r

// TILE is a whole kernel; a column has so many bytes.
#define TILE(load, bytes) \
	XORQ R8, R8                   \
kind:                                 \
	BEGIN(bytes)                  \
	MOVQ n+40(FP), CX             \
	INCQ CX                       \
	SUBQ R8, CX                   \
	SHRQ $1, CX                   \
	SUBQ $2, CX                   \
	JLT  last                     \
two:                                  \
	COLUMN(load, 0, bytes, 0)     \
	COLUMN(load, 2*bytes, bytes, 8) \
	NEXT(4, bytes)                \
	SUBQ $2, CX                   \
	JGE  two                      \
last:                                 \
	ADDQ $2, CX                   \
	JZ   done                     \
	COLUMN(load, 0, bytes, 0)     \
done:                                 \
	RESULTS                       \
	TESTQ R8, R8                  \
	JNE  odd                      \
	STORE(0, Y0, Y1, Y2, Y3)      \
	STORE(32, Y4, Y5, Y6, Y7)     \
	INCQ R8                       \
	JMP  kind                     \
odd:                                  \
	ADDSTORED(0, Y0, Y1, Y2, Y3)  \
	ADDSTORED(32, Y4, Y5, Y6, Y7) \
	STORE(0, Y0, Y1, Y2, Y3)      \
	STORE(32, Y4, Y5, Y6, Y7)     \
	VZEROUPPER

// func tileF32AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileF32AVX2(SB), NOSPLIT, $0-48
	TILE(LOADF32, 64)
	RET

// func tileF16AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileF16AVX2(SB), NOSPLIT, $0-48
	TILE(LOADF16, 32)
	RET

// func tileBF16AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileBF16AVX2(SB), NOSPLIT, $0-48
	TILE(LOADBF16, 32)
	RET

// func tileI8AVX2(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)
TEXT ·tileI8AVX2(SB), NOSPLIT, $0-48
	TILE(LOADI8, 16)
	RET
