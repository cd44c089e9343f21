// How float and I8 weights become float32 on AVX-512, and what a loop over two columns asks for ahead: keys and values of attention come from memory, each
// used by few queries.

// Loads of 16 weights.
#define LOADF32(m, r) VMOVUPS m, r
#define LOADF16(m, r) VCVTPH2PS m, r
#define LOADBF16(m, r) \
	VPMOVZXWD m, r \
	VPSLLD    $16, r, r
#define LOADI8(m, r) \
	VPMOVSXBD m, r \
	VCVTDQ2PS r, r

#define AHEADF32(p) \
	PREFETCHT0 prefetchBytes(p) \
	PREFETCHT0 (prefetchBytes+64)(p)
#define AHEADF16(p) PREFETCHT0 prefetchBytes(p)
