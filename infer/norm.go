package infer

import "math"

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
