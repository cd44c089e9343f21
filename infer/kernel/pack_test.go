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

func TestExchangingMovesUpperBitsForLowerOnes(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		for _, n := range []int{1, 2, 3, 4, 7} {
			for _, shift := range []int{1, 2, 4} {
				a, b := randomBytes(t, 1, n*plane), randomBytes(t, 2, n*plane)
				wantLow, wantHigh := make([]byte, len(a)), make([]byte, len(a))
				for i := range a {
					for bit := range 8 {
						from, to := a[i]>>bit&1, b[i]>>bit&1
						if bit&shift == 0 {
							wantLow[i] |= from<<bit | to<<(bit+shift)
						} else {
							wantHigh[i] |= from<<(bit-shift) | to<<bit
						}
					}
				}
				low, high := guarded(t, len(a)), guarded(t, len(a))
				v.pack.exchange(unsafe.Pointer(&low[0]), unsafe.Pointer(&high[0]), unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0]), n, shift)
				if !bytes.Equal(low, wantLow) || !bytes.Equal(high, wantHigh) {
					t.Fatalf("%d planes by %d: got\n%x\n%x\nwant\n%x\n%x", n, shift, low, high, wantLow, wantHigh)
				}
				v.pack.exchange(unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0]), unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0]), n, shift)
				if !bytes.Equal(a, wantLow) || !bytes.Equal(b, wantHigh) {
					t.Fatalf("%d planes by %d, in place: got\n%x\n%x\nwant\n%x\n%x", n, shift, a, b, wantLow, wantHigh)
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
