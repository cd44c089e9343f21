package kernel

import (
	"math"
	"unsafe"
)

// Operations on whole float32 vectors: what lies between the products of a transformer block. The destination may be a source.

// Max is the largest of x, minus infinity of none. What it gives is undefined if an element is no number.
func Max(x []float32) float32 {
	if len(x) == 0 {
		return float32(math.Inf(-1))
	}
	return active.max(&x[0], len(x))
}

// ExpSum replaces each element by e^(x - top) and returns their sum: the core of a softmax, whose top is the largest element. An
// element is within 2 units of its last place, has the same bits wherever it stands in the vector, and is 0 below 2^-126.
func ExpSum(x []float32, top float32) float32 {
	if len(x) == 0 {
		return 0
	}
	return active.expSum(&x[0], len(x), top)
}

// SiluMul sets dst to silu(g) * u = g / (1 + e^-g) * u. dst, g and u have the length of dst at least.
func SiluMul(dst, g, u []float32) {
	if n := len(dst); n > 0 {
		_, _ = g[n-1], u[n-1]
		active.logisticMul(&dst[0], &g[0], &u[0], n, -1, 0)
	}
}

// GeluMul sets dst to gelu(g) * u; gelu is the form with tanh, g / (1 + e^(-2 sqrt(2/pi) (g + 0.044715 g^3))).
func GeluMul(dst, g, u []float32) {
	if n := len(dst); n > 0 {
		_, _ = g[n-1], u[n-1]
		active.logisticMul(&dst[0], &g[0], &u[0], n, geluLinear, geluCubic)
	}
}

// The exponent of GELU, linear*g + cubic*g^3: -2 sqrt(2/pi), and that times 0.044715.
const (
	geluLinear = -1.5957691216057308
	geluCubic  = geluLinear * 0.044715
)

// ScaleMul sets dst to (a * s) * b, element by element.
func ScaleMul(dst, a, b []float32, s float32) {
	if n := len(dst); n > 0 {
		_, _ = a[n-1], b[n-1]
		active.scaleMul(&dst[0], &a[0], &b[0], n, s)
	}
}

// The references.

func maxGo(x *float32, n int) float32 {
	top := float32(math.Inf(-1))
	for _, v := range unsafe.Slice(x, n) {
		top = max(top, v)
	}
	return top
}

func expSumGo(x *float32, n int, top float32) float32 {
	var sum float32
	for i, v := range unsafe.Slice(x, n) {
		e := exp(v - top)
		unsafe.Slice(x, n)[i] = e
		sum += e
	}
	return sum
}

func logisticMulGo(dst, g, u *float32, n int, linear, cubic float32) {
	ds, gs, us := unsafe.Slice(dst, n), unsafe.Slice(g, n), unsafe.Slice(u, n)
	for i, v := range gs {
		ds[i] = v / (1 + exp((cubic*min(v*v, expHigh)+linear)*v)) * us[i]
	}
}

func scaleMulGo(dst, a, b *float32, n int, s float32) {
	ds, as, bs := unsafe.Slice(dst, n), unsafe.Slice(a, n), unsafe.Slice(b, n)
	for i := range ds {
		ds[i] = as[i] * s * bs[i]
	}
}

// Kernels compute e^x for x from expLow, about ln 2^-126, to expHigh, about ln 2^127.5; below, it is 0, and above, it is e^expHigh, which
// leaves a logistic 0 all the same.
const (
	expLow  = -87.33
	expHigh = 88.37
)

func exp(x float32) float32 {
	if x < expLow {
		return 0
	}
	return float32(math.Exp(float64(min(x, expHigh))))
}
