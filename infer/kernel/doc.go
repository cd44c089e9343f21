// Package kernel holds the inner loops of the engine: products of weight matrices with activations, and the
// row operations of attention and of sparse feed-forward layers.
//
// # Layouts
//
// A weight matrix W [rows][cols] is multiplied as y = W x. On a CPU the product is bound by reading W once, so
// everything serves that: W lies in memory as panels of [PanelRows] = 16 rows, one panel after the other, and a panel
// is interleaved so that one vector register holds the same few columns of all its rows. A lane then is a
// row: no sum across lanes is ever needed, the activations are broadcast, and one layout fits AVX2 (two registers),
// AVX-512 (one) and NEON (four). Rows past the end of the matrix are zero. A panel is read from its first byte to its last, as one stream: scales
// stand right before the codes that they scale. (Scales behind all codes of the panel cost a third of the memory's speed: the CPU's
// prefetcher had to find two streams anew in each panel.)
//
// F32, F16 and BF16 panels are [cols][16]. A panel of a Q format is units, each a header of scales and then the codes of some blocks of 32
// columns. A weight is scale * value, or scale * value - minimum; by [Format]:
//
//	        header of a unit, in bytes of 16 rows                 unit            codes of a block
//	Q8      [2] scales f16                                        2 blocks        values [8][16][4]
//	Q4      [2] scales f16                                        2 blocks        nibbles, 8 larger
//	Q41     a scale f16, a minimum f16                            1 block         nibbles
//	Q50     [2] scales f16                                        2 blocks        nibbles, bits; 16 larger
//	Q51     a scale f16, a minimum f16                            1 block         nibbles, bits
//	Q2K     d f16, dmin f16, [16] scale and minimum, 4 bits each  8 blocks        pairs
//	Q3K     d f16, 32 bytes of nothing, [16] scales i8            8 blocks        pairs, bits; 4 larger
//	Q4K     d f16, dmin f16, [8] scales u8, [8] minima u8         8 blocks        nibbles
//	Q5K     as Q4K                                                8 blocks        nibbles, bits
//	Q6K     as Q3K                                                8 blocks        nibbles, pairs; 32 larger
//	Q4T     a scale f32                                           1 block         nibbles, indices of a table [16]int8 before the first unit
//	Q8S     [2] scales f32                                        1 block         values [8][16][4]
//
// d and dmin are factors of the scales and minima of their super-block. Q2K, Q3K, Q6K and Q8S have a scale for each 16 columns. Group g of
// a block is its columns 4g to 4g+3; four columns side by side are what one 8-bit dot-product instruction takes per lane. Codes are cut into
//
//	nibbles  [4][16][4]: byte [g][r][j] has row r, column j of group g in its low half, that of group g+4 in its high one
//	pairs    [2][16][4]: two bits at 2k of byte [h][r][j] are group h+2k's
//	bits     [16][4]: bit g is group g's
//
// from the lowest bits up. Everything is a multiple of 64 bytes.
//
// For many tokens a panel is first expanded, see expand.go and parts.go; pack.go makes panels of a file's rows.
//
// Activations are float32 for the F formats. For the Q formats each token's activations are rounded once per matrix input
// to 8 bits in blocks of 32 (amax/127, to nearest, ties to even); see [Acts]. The product of a block is
// exact in integers; only the sum over blocks is rounded.
//
// The keys and values of attention are panels too, of matrices that grow by one position at a time; see [KV].
//
// Rows that are used one at a time (the down vectors of single neurons) stay row by row, in GGUF's own block layout; see [Rows].
//
// # Variants
//
// Every operation has its Go reference in this folder and vector variants in assembly, chosen once at start from the
// CPU's features ([Use], [Names]). The contract between Go and assembly is the type ops in dispatch.go. A variant's result for a token is the
// same bits however many tokens are computed in one call and however panels are divided among threads.
// Different variants may differ in the last bits: they sum in different orders.
package kernel
