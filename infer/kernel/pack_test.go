package kernel

import (
	"bytes"
	"slices"
	"testing"
	"unsafe"
)

// randomBytes are n bytes that end where memory ends.
func randomBytes(t testing.TB, seed uint64, n int) []byte {
	b, r := guarded(t, n), newRand(seed)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestInterleavingMakesAPlaneOfAWordOfEachRow(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		for _, n := range slices.Concat(countTo(20), []int{31, 36, 44, 52}) {
			for _, more := range []int{0, 2, 30, 64} { // between rows
				stride := 4*n + more
				src := randomBytes(t, uint64(n), (PanelRows-1)*stride+4*n)
				dst, want := guarded(t, n*plane), make([]byte, n*plane)
				for r := range PanelRows {
					for i := range n {
						copy(want[i*plane+4*r:], src[r*stride+4*i:][:4])
					}
				}
				v.pack.interleave(unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0]), stride, n)
				if !bytes.Equal(dst, want) {
					t.Fatalf("%d words of rows %d bytes apart: got\n%x\nwant\n%x", n, stride, dst, want)
				}
			}
		}
	})
}

func TestBlocksWithAScaleAreTwoAUnit(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		for _, n := range []int{4, 8} {
			for blocks := range 7 {
				blocks++
				size := 2 + 4*n
				stride := blocks*size + 6
				src := randomBytes(t, uint64(n), (PanelRows-1)*stride+blocks*size)
				planes := (blocks+1)/2 + blocks*n
				dst, want := guarded(t, planes*plane), make([]byte, planes*plane)
				fillCanary(dst)
				fillCanary(want)
				for b := range blocks {
					unit := want[b/2*(1+2*n)*plane:]
					for r := range PanelRows {
						block := src[r*stride+b*size:][:size]
						copy(unit[(b%2*PanelRows+r)*2:], block[:2])
						for i := range n {
							copy(unit[(1+b%2*n+i)*plane+4*r:], block[2+4*i:][:4])
						}
					}
				}
				v.pack.scaled(unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0]), stride, blocks, n)
				if !bytes.Equal(dst, want) {
					t.Fatalf("%d blocks of %d words: got\n%x\nwant\n%x", blocks, n, dst, want)
				}
			}
		}
	})
}

func TestSplittingGivesEachBlockItsCodes(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		for _, parts := range []int{2, 4, 8} {
			bits, run := 8/parts, 8/parts
			for _, more := range []int{0, 1, 5} { // planes between blocks
				step := (run + more) * plane
				src := randomBytes(t, uint64(parts), 8*plane)
				dst, want := guarded(t, (parts-1)*step+run*plane), make([]byte, (parts-1)*step+run*plane)
				fillCanary(dst)
				fillCanary(want)
				for block := range parts {
					for i := range run {
						for at := range plane {
							var codes byte
							for k := range parts {
								code := src[(k*run+i)*plane+at] >> (block * bits) & (1<<bits - 1)
								codes |= code << (k * bits)
							}
							want[block*step+i*plane+at] = codes
						}
					}
				}
				v.pack.split(unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0]), parts, step)
				if !bytes.Equal(dst, want) {
					t.Fatalf("%d parts, %d bytes apart: got\n%x\nwant\n%x", parts, step, dst, want)
				}
			}
		}
	})
}

func TestAPlanesPartsAreTakenApart(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		for _, n := range []int{1, 2, 3, 4, 16, 17} {
			for size, move := range map[int]func(dst, src unsafe.Pointer, n int){1: v.pack.bytes, 2: v.pack.halves} {
				src := randomBytes(t, uint64(n), n*plane)
				dst, want := guarded(t, n*plane), make([]byte, n*plane)
				for i := range n {
					for r := range PanelRows {
						for part := range 4 / size {
							copy(want[i*plane+(part*PanelRows+r)*size:], src[i*plane+4*r+part*size:][:size])
						}
					}
				}
				move(unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0]), n)
				if !bytes.Equal(dst, want) {
					t.Fatalf("%d planes by %d bytes: got\n%x\nwant\n%x", n, size, dst, want)
				}
				move(unsafe.Pointer(&src[0]), unsafe.Pointer(&src[0]), n)
				if !bytes.Equal(src, want) {
					t.Fatalf("%d planes by %d bytes, in place: got\n%x\nwant\n%x", n, size, src, want)
				}
			}
		}
	})
}

// countTo is 1 to n.
func countTo(n int) (list []int) {
	for i := range n {
		list = append(list, i+1)
	}
	return list
}
