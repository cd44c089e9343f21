// Package kernel holds the inner loops of the engine: products of weight matrices with activations, and the
// row operations of attention and of sparse feed-forward layers.
//
// # Layouts
//
// A weight matrix W [rows][cols] is multiplied as y = W x. On a CPU the product is bound by reading W once, so
// everything serves that: W lies in memory as panels of [PanelRows] = 16 rows, one panel after the other, and a panel
// is interleaved so that one vector register holds the same few columns of all its rows. A lane then is a
// row: no sum across lanes is ever needed, the activations are broadcast, and one layout fits AVX2 (two registers),
// AVX-512 (one) and NEON (four). Rows past the end of the matrix are zero. A panel of c columns is, by [Format]:
//
//	F32  [c][16]float32
//	F16  [c][16]float16
//	Q8   [c/32] blocks of [8][16][4]int8, then scales [c/32][16]float16
//	Q4   [c/32] blocks of [4][16][4]byte, then scales [c/32][16]float16
//	Q4K  blocks as Q4, then [c/256] of {d [16]float16, dmin [16]float16, scales [8][16]uint8, minima [8][16]uint8}
//	Q4T  a table [16]int8, none -128, padded to 64 bytes, blocks as Q4, then scales [c/32][16]float32
//	Q8S  blocks as Q8, then scales [c/16][16]float32
//	Q8A  blocks as Q8 with values 0 to 31, then scales [c/16][16]float32, then minima [c/16][16]float32
//
// In a Q8 block, element [g][r][j] is row r, column 4g+j of the block. In a Q4 block, byte [g][r][j] holds column
// 4g+j in its low and column 16+4g+j in its high nibble, each as value+8; this is GGUF's own pairing, so repacking
// only moves bytes. In Q4K a nibble v of block b is worth d*scale[b]*v - dmin*minimum[b]; in Q4T it is an index into the table; Q8A takes a minimum
// off as Q4K does. Four columns side by side are what one 8-bit dot-product instruction takes per lane. Scales
// stand apart from the values so that both are read aligned.
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
