package infer

import (
	"math"

	"hotcell/infer/kernel"
)

// norm is a normalisation with its weights.
type norm struct {
	kind         normKind
	eps          float32
	weight, bias []float32 // [n]; nil: 1 and 0
}

// apply writes the normalised x to dst; dst may be x.
func (n *norm) apply(dst, x []float32) {
	var mean float64
	if n.kind == layer {
		for _, v := range x {
			mean += float64(v)
		}
		mean /= float64(len(x))
	}
	var sum float64
	for _, v := range x {
		d := float64(v) - mean
		sum += d * d
	}
	scale := float32(1 / math.Sqrt(sum/float64(len(x))+float64(n.eps)))
	m := float32(mean)
	if n.weight == nil {
		for i, v := range x {
			dst[i] = (v - m) * scale
		}
	} else {
		for i, v := range x {
			dst[i] = (v - m) * scale * n.weight[i]
		}
	}
	add(dst, n.bias)
}

// vector is apply with vector operations, which sum in another order.
func (n *norm) vector(dst, x []float32) {
	if n.kind == layer {
		n.apply(dst, x)
		return
	}
	s := float32(1 / math.Sqrt(float64(kernel.DotF32(x, x))/float64(len(x))+float64(n.eps)))
	if n.weight == nil {
		copy(dst, x)
		multiplyBy(dst[:len(x)], s)
	} else {
		kernel.ScaleMul(dst[:len(x)], x, n.weight, s)
	}
	addTo(dst[:len(x)], n.bias)
}

// add is a + b: a changed in place; b may be nil.
func add(a, b []float32) []float32 {
	for i, v := range b {
		a[i] += v
	}
	return a
}

// scale multiplies a by s in place.
func scale(a []float32, s float32) {
	if s != 1 {
		for i := range a {
			a[i] *= s
		}
	}
}

// addTo is add with vector operations.
func addTo(a, b []float32) {
	if b != nil {
		kernel.AxpyF32(a, b, 1)
	}
}

// ones are factors for operations that take a vector of them.
var ones = func() (v [512]float32) {
	for i := range v {
		v[i] = 1
	}
	return v
}()

// multiplyBy is scale with vector operations.
func multiplyBy(a []float32, s float32) {
	for s != 1 && len(a) > 0 {
		n := min(len(a), len(ones))
		kernel.ScaleMul(a[:n], a, ones[:], s)
		a = a[n:]
	}
}

// softmax turns scores into weights that sum to 1, in place.
func softmax(x []float32) { softmaxWithSink(x, float32(math.Inf(-1))) }

// softmaxWithSink is softmax over x and one more score that takes its share of the weight and gives nothing (gpt-oss's attention sink);
// minus infinity takes none.
func softmaxWithSink(x []float32, sink float32) {
	top := sink
	for _, v := range x {
		top = max(top, v)
	}
	sum := float32(math.Exp(float64(sink - top)))
	for i, v := range x {
		x[i] = float32(math.Exp(float64(v - top)))
		sum += x[i]
	}
	for i := range x {
		x[i] /= sum
	}
}

// softCap bends x into -limit to limit; 0 leaves it alone (Gemma 2).
func softCap(x, limit float32) float32 {
	if limit == 0 {
		return x
	}
	return limit * float32(math.Tanh(float64(x/limit)))
}

// softCapAll is softCap of each element, by tanh y = 1 - 2 / (e^2y + 1).
func softCapAll(x []float32, limit float32) {
	if limit == 0 {
		return
	}
	const saturated = 40 // where tanh is 1 and e^2y still a number
	f := 2 / limit
	for i, v := range x {
		x[i] = min(v*f, saturated)
	}
	kernel.ExpSum(x, 0)
	for i, v := range x {
		x[i] = limit - 2*limit/(v+1)
	}
}
