package kernel

import (
	"math"
	"testing"

	"hotcell/models/gguf"
)

// All upper 22 bits of a float32 are tried, each with three patterns of the lower 10: where a unit is halved exactly, just above and just below. That covers
// subnormal numbers, zeros, infinities, NaNs and overflows of both signs.
func TestHalvesAreRoundedAsTheReferenceRoundsThem(t *testing.T) {
	const step = 1 << 10
	eachVariant(t, func(t *testing.T, v ops) {
		x, got := make([]float32, step), make([]uint16, step)
		for _, low := range []uint32{0, 1, 1<<10 - 1} {
			for from := uint32(0); ; from += step << 10 {
				for i := range x {
					x[i] = math.Float32frombits(from + uint32(i)<<10 + low)
				}
				v.halve(&got[0], &x[0], len(x))
				for i, h := range got {
					if want := gguf.F32ToF16(x[i]); h != want {
						t.Fatalf("%#x: %#x, want %#x", math.Float32bits(x[i]), h, want)
					}
				}
				if from > math.MaxUint32-step<<10 {
					break
				}
			}
		}
	})
}

func TestHalvingWritesAsManyNumbersAsItIsGiven(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		for n := 1; n < 40; n++ {
			x, got := make([]float32, n), make([]uint16, n+1)
			for i := range x {
				x[i] = float32(i) + 0.5
			}
			got[n] = 0xbeef
			v.halve(&got[0], &x[0], n)
			for i, e := range x {
				if got[i] != gguf.F32ToF16(e) {
					t.Fatalf("%d numbers: the one at %d is %#x, want %#x", n, i, got[i], gguf.F32ToF16(e))
				}
			}
			if got[n] != 0xbeef {
				t.Fatalf("%d numbers: wrote past them", n)
			}
		}
	})
}
