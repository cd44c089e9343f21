// Constants and distances that the AVX2 and AVX-512 kernels share.

// prefetchBytes is how far ahead of its use a panel is asked for: past the end of a 4 KB page, where the CPU's own prefetcher stops.
#define prefetchBytes 4096

// ONES16 makes 1 in each 16-bit lane.
#define ONES16(r) \
	VPCMPEQW r, r, r   \
	VPSRLW   $15, r, r

// NIBBLES makes 0x0f in each byte.
#define NIBBLES(r) \
	VPCMPEQW  r, r, r   \
	VPSRLW    $12, r, r \
	VPACKUSWB r, r, r

// ONES8 makes 1 in each byte.
#define ONES8(r) \
	VPCMPEQB r, r, r \
	VPABSB   r, r

// HALFSUMS sums the 32 activations of a block by halves, as float32: the first 16 in each lane of the lower half of r, the others in the
// upper half.
#define HALFSUMS(x, ones8, ones16, r, tmp) \
	VPMADDUBSW x, ones8, r    \
	VPMADDWD   ones16, r, r   \
	VPSHUFD    $0xb1, r, tmp  \
	VPADDD     tmp, r, r      \
	VPSHUFD    $0x4e, r, tmp  \
	VPADDD     tmp, r, r      \
	VCVTDQ2PS  r, r
