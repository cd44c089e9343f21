package gguf

import (
	"math"
	"math/rand/v2"
	"testing"
)

// slowF16 computes the value of a half from the definition.
func slowF16(h uint16) float64 {
	exp, frac := int(h>>10&0x1f), float64(h&0x3ff)
	v := 0.0
	switch {
	case exp == 0x1f && frac != 0:
		return math.NaN()
	case exp == 0x1f:
		v = math.Inf(1)
	case exp == 0:
		v = math.Ldexp(frac, -24)
	default:
		v = math.Ldexp(1024+frac, exp-25)
	}
	if h>>15 == 1 {
		v = -v
	}
	return v
}

func TestEveryHalfConvertsToItsValueAndBack(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		f := F16ToF32(h)
		want := slowF16(h)
		if math.IsNaN(want) {
			if f == f || F32ToF16(f) != h|0x200 || math.Signbit(float64(f)) != (h>>15 == 1) {
				t.Fatalf("NaN %#04x became %#08x and %#04x", h, math.Float32bits(f), F32ToF16(f))
			}
			continue
		}
		if float64(f) != want || math.Signbit(float64(f)) != math.Signbit(want) {
			t.Fatalf("%#04x is %g, want %g", h, f, want)
		}
		if back := F32ToF16(f); back != h {
			t.Fatalf("%#04x came back as %#04x", h, back)
		}
	}
}

// nearestHalf finds the nearest half, ties to even, by comparing distances.
func nearestHalf(f float32) uint16 {
	x := math.Abs(float64(f))
	// Binary search among the positive halves, which are ordered like their bits.
	low, high := uint16(0), uint16(0x7c00)
	for high-low > 1 {
		if mid := low + (high-low)/2; slowF16(mid) <= x {
			low = mid
		} else {
			high = mid
		}
	}
	above := slowF16(high)
	if high == 0x7c00 {
		above = 65536 // rounding treats the first value out of range as if it existed
	}
	toLow, toHigh := x-slowF16(low), above-x
	h := low
	if toHigh < toLow || toHigh == toLow && low&1 == 1 {
		h = high
	}
	return h | uint16(math.Float32bits(f)>>31)<<15
}

func TestHalvesRoundToNearestEven(t *testing.T) {
	check := func(f float32) {
		t.Helper()
		if got, want := F32ToF16(f), nearestHalf(f); got != want {
			t.Fatalf("%g (%#08x) became %#04x, want %#04x", f, math.Float32bits(f), got, want)
		}
	}
	// At, between and next to the middles of neighbouring halves.
	for i := range 0x7c00 {
		a, b := slowF16(uint16(i)), slowF16(uint16(i+1))
		if i == 0x7bff {
			b = 65536
		}
		middle := float32((a + b) / 2)
		for _, f := range []float32{middle, math.Nextafter32(middle, 0), math.Nextafter32(middle, math.MaxFloat32)} {
			check(f)
			check(-f)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		if f := math.Float32frombits(r.Uint32()); f == f {
			check(f)
		}
	}
	check(math.MaxFloat32)
	check(float32(math.Inf(-1)))
}

func TestBF16RoundsToNearestEven(t *testing.T) {
	for _, c := range []struct {
		name string
		in   uint32
		want uint16
	}{
		{"exact", 0x3f800000, 0x3f80},
		{"below the middle goes down", 0x3f807fff, 0x3f80},
		{"the middle goes to even below", 0x3f808000, 0x3f80},
		{"the middle goes to even above", 0x3f818000, 0x3f82},
		{"above the middle goes up", 0x3f808001, 0x3f81},
		{"the largest becomes infinite", 0x7f7fffff, 0x7f80},
		{"minus infinity stays", 0xff800000, 0xff80},
		{"a NaN stays one though its low bits are lost", 0x7f800001, 0x7fc0},
		{"a subnormal is kept", 0x00010000, 0x0001},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := F32ToBF16(math.Float32frombits(c.in)); got != c.want {
				t.Errorf("%#08x became %#04x, want %#04x", c.in, got, c.want)
			}
		})
	}
	for i := range 1 << 16 {
		f := BF16ToF32(uint16(i))
		if f == f && F32ToBF16(f) != uint16(i) {
			t.Fatalf("%#04x came back as %#04x", i, F32ToBF16(f))
		}
	}
}
