package kernel

import "unsafe"

// packMoves are what packing is made of. A plane is [16 rows][4 bytes], so each of them treats rows alike. Pointers need no alignment.
type packMoves struct {
	// interleave makes n planes of n words of 4 bytes of each of 16 rows, which lie stride bytes apart; n >= 1.
	interleave func(dst, src unsafe.Pointer, stride, n int)

	// scaled packs blocks of an f16 and n words, two blocks a unit: the f16 of each row [2][16], then the words as interleave does; n is 4 or 8, blocks >= 1.
	scaled func(dst, src unsafe.Pointer, stride, blocks, n int)

	// split takes 8 planes whose bytes hold a code each of parts blocks, 2, 4 or 8, the first block's in the lowest bits. Each block becomes 8/parts planes,
	// step bytes after those of the block before; their bytes hold, from the lowest bits up, a code of each of as many equal runs of the 8 planes.
	split func(dst, src unsafe.Pointer, parts, step int)

	// halves makes [2 halves][16 rows] of the two 16-bit halves of each row of n planes, bytes [4 bytes][16 rows]; n >= 1, dst may be src.
	halves func(dst, src unsafe.Pointer, n int)
	bytes  func(dst, src unsafe.Pointer, n int)
}

var packGo = packMoves{interleave: interleaveGo, scaled: scaledGo, split: splitGo, halves: halvesGo, bytes: bytesGo}

// interleaveGo takes two words at a time, and of a wide row a cache line: rows are often a power of 2 apart, and then the cache keeps few lines that follow
// each other down the rows.
func interleaveGo(dst, src unsafe.Pointer, stride, n int) {
	const line = 64 / 4
	for first := 0; first < n; first += line {
		end := min(n, first+line)
		for r := range PanelRows {
			out, i := unsafe.Add(dst, 4*r), first
			for ; i+2 <= end; i += 2 {
				v := load64(src, r*stride+4*i)
				store32(out, i*plane, uint32(v))
				store32(out, (i+1)*plane, uint32(v>>32))
			}
			if i < end {
				store32(out, i*plane, load32(src, r*stride+4*i))
			}
		}
	}
}

func scaledGo(dst, src unsafe.Pointer, stride, blocks, n int) {
	for b := range blocks {
		unit, block := planeAt(dst, b/2*(1+2*n)), unsafe.Add(src, b*(2+4*n))
		gather(unsafe.Add(unit, b%2*halfBytes), block, stride)
		interleaveGo(planeAt(unit, 1+b%2*n), unsafe.Add(block, 2), stride, n)
	}
}

// gather takes an f16 of each row.
func gather(dst, src unsafe.Pointer, stride int) {
	for r := range PanelRows {
		store16(dst, 2*r, load16(src, r*stride))
	}
}

// splitGo is a transposition of parts runs of planes and the parts codes of their bytes: first halves of the planes exchange halves of their bytes, then quarters.
func splitGo(dst, src unsafe.Pointer, parts, step int) {
	const planes = 8
	for at := 0; at < plane; at += 8 {
		var v [planes]uint64
		for i := range v {
			v[i] = load64(src, i*plane+at)
		}
		for k, mask := range []uint64{lowNibbles, 0x33 * allBits, 0x55 * allBits} {
			distance := planes / 2 >> k // of planes that exchange, and of the bits that they do
			if planes/distance > parts {
				break
			}
			for i := range v {
				if i&distance == 0 {
					t := (v[i]>>distance ^ v[i+distance]) & mask
					v[i], v[i+distance] = v[i]^t<<distance, v[i+distance]^t
				}
			}
		}
		run := planes / parts
		for i := range v {
			store64(dst, i/run*step+i%run*plane+at, v[i])
		}
	}
}

func halvesGo(dst, src unsafe.Pointer, n int) {
	for i := range n {
		in, out := *(*[PanelRows][2]uint16)(planeAt(src, i)), (*[2][PanelRows]uint16)(planeAt(dst, i))
		for r, v := range in {
			out[0][r], out[1][r] = v[0], v[1]
		}
	}
}

func bytesGo(dst, src unsafe.Pointer, n int) {
	for i := range n {
		in, out := *(*[PanelRows][4]byte)(planeAt(src, i)), (*[4][PanelRows]byte)(planeAt(dst, i))
		for r, v := range in {
			out[0][r], out[1][r], out[2][r], out[3][r] = v[0], v[1], v[2], v[3]
		}
	}
}
