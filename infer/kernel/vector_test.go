package kernel

import (
	"math"
	"testing"
	"unsafe"
)

// vectorOf puts x at the end of mapped memory.
func vectorOf(t *testing.T, x []float32) []float32 {
	b := guarded(t, len(x)*4)
	v := unsafe.Slice((*float32)(unsafe.Pointer(&b[0])), len(x))
	copy(v, x)
	return v
}

// ulps is the distance of two positive normal numbers in units of their last place.
func ulps(got float32, want float64) float64 {
	w := float32(want)
	return math.Abs(float64(got)-want) / float64(math.Nextafter32(w, inf32)-w)
}

func TestExpIsWithinTwoUnitsOfItsLastPlace(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		r, worst := newRand(1), 0.0
		x := make([]float32, 4096)
		for round := range 40 {
			for i := range x {
				x[i] = float32(r.Float64()*-87.3) * float32(math.Pow(0.8, float64(round)))
			}
			got := append([]float32(nil), x...)
			v.expSum(&got[0], len(got), 0)
			for i := range x {
				worst = max(worst, ulps(got[i], math.Exp(float64(x[i]))))
			}
		}
		if worst > 1.2 {
			t.Errorf("off by %.2f units", worst)
		}
	})
}

func TestExpSumOfAnyLength(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		for n := 1; n <= 70; n++ {
			r := newRand(uint64(n))
			x := make([]float32, n)
			for i := range x {
				x[i] = gauss(r) * 10
			}
			y := vectorOf(t, x)
			const top = 3
			sum := v.expSum(&y[0], n, top)
			var want float64
			for i := range x {
				one := []float32{x[i]}
				v.expSum(&one[0], 1, top)
				if one[0] != y[i] {
					t.Fatalf("n=%d: element %d is %v, alone %v", n, i, y[i], one[0])
				}
				want += float64(y[i])
			}
			if math.Abs(float64(sum)-want) > want*1e-6 {
				t.Fatalf("n=%d: the sum is %v, want %v", n, sum, want)
			}
		}
	})
}

func TestExpAtItsEnds(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		for _, c := range []struct{ x, want float32 }{
			{0, 1}, {-inf32, 0}, {-87.34, 0}, {-1e30, 0}, {-87.3, 1.2192433e-38}, {nan32, nan32},
		} {
			x := [9]float32{8: c.x}
			v.expSum(&x[0], len(x), 0)
			if !sameFloat(x[8], c.want) && !(ulps(x[8], float64(c.want)) < 2) {
				t.Errorf("e^%v is %v, want %v", c.x, x[8], c.want)
			}
		}
	})
}

func TestMaxOfAnyLengthAndPlace(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		for n := 1; n <= 50; n++ {
			for place := range n {
				x := make([]float32, n)
				for i := range x {
					x[i] = -5 - float32(i%3)
				}
				x[place] = -4.5
				y := vectorOf(t, x)
				if got := v.max(&y[0], n); got != -4.5 {
					t.Fatalf("n=%d, the largest at %d: %v", n, place, got)
				}
			}
		}
		x := []float32{-inf32, -inf32, -inf32}
		if got := v.max(&x[0], 3); got != -inf32 {
			t.Errorf("of minus infinities: %v", got)
		}
	})
}

func TestGatedActivationsOfAnyLength(t *testing.T) {
	logistic := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	exact := map[string]func(g float64) float64{
		"silu": func(g float64) float64 { return g * logistic(g) },
		"gelu": func(g float64) float64 {
			return 0.5 * g * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(g+0.044715*g*g*g)))
		},
	}
	op := map[string]func(dst, g, u []float32){"silu": SiluMul, "gelu": GeluMul}
	eachVariant(t, func(t *testing.T, v ops) {
		defer func(before ops) { active = before }(active)
		active = v
		for name, want := range exact {
			for n := 1; n <= 40; n++ {
				r := newRand(uint64(n))
				gs, us := make([]float32, n), make([]float32, n)
				for i := range gs {
					gs[i], us[i] = gauss(r)*float32(n)/3, gauss(r)
				}
				gs[n-1] = []float32{0, 1e30, -1e30, 100, -100, 12, -12}[n%7]
				g, u, dst := vectorOf(t, gs), vectorOf(t, us), vectorOf(t, gs)
				op[name](dst, g, u)
				op[name](g, g, u)
				for i := range dst {
					if dst[i] != g[i] {
						t.Fatalf("%s, n=%d: in place %v, elsewhere %v", name, n, g[i], dst[i])
					}
					exact := want(float64(gs[i])) * float64(us[i])
					if math.Abs(float64(dst[i])-exact) > math.Abs(exact)*2e-5+1e-8 {
						t.Fatalf("%s(%v)*%v is %v, want %v", name, gs[i], us[i], dst[i], exact)
					}
				}
			}
			bad := []float32{1, nan32}
			op[name](bad, bad, []float32{1, 1})
			if bad[1] == bad[1] {
				t.Errorf("%s of NaN is %v", name, bad[1])
			}
		}
	})
}

func TestScaleMulOfAnyLength(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		for n := 1; n <= 40; n++ {
			a, b := vectorOf(t, queries(1, n)), vectorOf(t, queries(2, n)[n:])
			dst := vectorOf(t, a)
			v.scaleMul(&dst[0], &a[0], &b[0], n, 1.25)
			for i := range dst {
				if want := a[i] * 1.25 * b[i]; dst[i] != want {
					t.Fatalf("n=%d, element %d: %v, want %v", n, i, dst[i], want)
				}
			}
		}
	})
}

func TestVectorsOfNothing(t *testing.T) {
	SiluMul(nil, nil, nil)
	GeluMul(nil, nil, nil)
	ScaleMul(nil, nil, nil, 2)
	if Max(nil) != -inf32 || ExpSum(nil, 1) != 0 {
		t.Error("of no elements, the largest is not minus infinity or the sum not 0")
	}
}
