// Constants and distances that the AVX2 and AVX-512 kernels share.

// prefetchBytes is how far ahead of its use a panel is asked for: past the end of a 4 KB page, where the CPU's own prefetcher stops.
#define prefetchBytes 4096

// PREFETCH4 asks for the 4 cache lines at off of a later block.
#define PREFETCH4(off) \
	PREFETCHT0 (prefetchBytes+off)(SI)     \
	PREFETCHT0 (prefetchBytes+off+64)(SI)  \
	PREFETCHT0 (prefetchBytes+off+128)(SI) \
	PREFETCHT0 (prefetchBytes+off+192)(SI)

// ONES16 makes 1 in each 16-bit lane.
#define ONES16(r) \
	VPCMPEQW r, r, r \
	VPSRLW   $15, r, r

// NIBBLES makes 0x0f in each byte.
#define NIBBLES(r) \
	VPCMPEQW  r, r, r   \
	VPSRLW    $12, r, r \
	VPACKUSWB r, r, r
