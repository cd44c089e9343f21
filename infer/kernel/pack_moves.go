package kernel

import "unsafe"

// packMoves are what packing is made of. A plane is [16 rows][4 bytes], so each of them treats rows alike. Pointers need no alignment.
type packMoves struct {
	// interleave makes n planes of n words of 4 bytes of each of 16 rows, which lie stride bytes apart; n >= 1.
	interleave func(dst, src unsafe.Pointer, stride, n int)

	// exchange exchanges the upper bits of each 2*shift bits of the planes at a with the lower ones of those at b; shift is 4, 2 or 1, planes >= 1.
	// low and high may be a and b.
	exchange func(low, high, a, b unsafe.Pointer, planes, shift int)

	// halves makes [2 halves][16 rows] of the two 16-bit halves of each row of n planes, bytes [4 bytes][16 rows]; n >= 1, dst may be src.
	halves func(dst, src unsafe.Pointer, n int)
	bytes  func(dst, src unsafe.Pointer, n int)
}

var packGo = packMoves{interleave: interleaveGo, exchange: exchangeGo, halves: halvesGo, bytes: bytesGo}

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

func exchangeGo(low, high, a, b unsafe.Pointer, planes, shift int) {
	mask := [...]uint64{1: 0x55 * allBits, 2: 0x33 * allBits, 4: lowNibbles}[shift]
	for i := 0; i < planes*plane; i += 8 {
		v, w := load64(a, i), load64(b, i)
		t := (v>>shift ^ w) & mask
		store64(low, i, v^t<<shift)
		store64(high, i, w^t)
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
