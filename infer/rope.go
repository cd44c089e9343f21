package infer

import (
	"fmt"
	"math"
)

// ropeParams say how positions rotate queries and keys (RoFormer, arXiv 2104.09864), with the context extensions found in
// files: linear interpolation, YaRN (arXiv 2309.00071) and Llama 3.1's factor per frequency.
type ropeParams struct {
	style ropeStyle
	dims  int     // rotated values at the start of each head; the rest passes
	base  float64 // frequency of pair i is base^(-2i/dims)
	scale float64 // of positions: 1, or 1/factor of linear and YaRN scaling

	yarn               bool
	yarnContext        float64 // context of the original training
	betaFast, betaSlow float64 // rotations within yarnContext between which the two scalings are mixed
	logMultiplier      float64 // DeepSeek's variant of YaRN's temperature, 0: YaRN's own
	attnFactor         float64 // of the rotated vectors, YaRN's own temperature not included
}

func (r *metaReader) rope(h *hparams) ropeParams {
	p := ropeParams{
		style: h.rope,
		dims:  r.countOr("rope.dimension_count", h.headDim, 1<<16),
		base:  float64(r.float("rope.freq_base", 10000)),
		scale: 1,
	}
	factor := float64(r.float("rope.scaling.factor", 0))
	if factor == 0 {
		factor = float64(r.float("rope.scale_linear", 0)) // key of old files
	}
	kind := r.string("rope.scaling.type", "")
	p.attnFactor = float64(r.float("rope.scaling.attn_factor", 1))
	p.yarnContext = float64(r.countOr("rope.scaling.original_context_length", h.context, 1<<30))
	p.betaFast = float64(r.float("rope.scaling.yarn_beta_fast", 32))
	p.betaSlow = float64(r.float("rope.scaling.yarn_beta_slow", 1))
	p.logMultiplier = float64(r.float("rope.scaling.yarn_log_multiplier", 0))
	if r.err != nil {
		return p
	}
	switch {
	case p.dims%2 != 0 || p.dims > h.headDim:
		r.err = fmt.Errorf("%s: %s is %d, expected an even number up to the head length %d", r.f.Name(), r.key("rope.dimension_count"), p.dims, h.headDim)
	case p.base <= 0 || factor < 0:
		r.err = fmt.Errorf("%s: the RoPE frequencies (base %v, factor %v) are not usable", r.f.Name(), p.base, factor)
	case kind != "" && kind != "none" && kind != "linear" && kind != "yarn" && kind != "longrope" && kind != "su":
		r.err = fmt.Errorf("%s: the RoPE scaling type %q is not supported", r.f.Name(), kind)
	}
	if kind != "none" && factor > 0 {
		p.scale = 1 / factor
	}
	p.yarn = kind == "yarn"
	return p
}

// ropeTable turns positions into rotations.
type ropeTable struct {
	style     ropeStyle
	frequency []float64 // [dims/2] radians per position
	magnitude float64   // of the rotated vectors
}

// newRopeTable makes the table. factors [dims/2] divide the frequencies; nil for none.
func newRopeTable(p ropeParams, factors []float32) *ropeTable {
	t := &ropeTable{style: p.style, frequency: make([]float64, p.dims/2), magnitude: p.attnFactor}
	low, high := 0.0, 0.0
	if p.yarn {
		// The pair that makes n turns within the original context.
		pair := func(n float64) float64 {
			return float64(p.dims) * math.Log(p.yarnContext/(n*2*math.Pi)) / (2 * math.Log(p.base))
		}
		low = max(0, math.Floor(pair(p.betaFast)))
		high = min(float64(p.dims-1), math.Ceil(pair(p.betaSlow)))
		temperature := func(m float64) float64 { return 1 + 0.1*m*math.Log(max(1, 1/p.scale)) }
		t.magnitude *= temperature(1)
		if p.logMultiplier != 0 {
			t.magnitude /= temperature(p.logMultiplier)
		}
	}
	for i := range t.frequency {
		f := math.Pow(p.base, -2*float64(i)/float64(p.dims))
		if factors != nil {
			f /= float64(factors[i])
		}
		scale := p.scale
		if p.yarn { // fast pairs keep their frequency, slow ones are interpolated
			keep := 1 - min(1, max(0, (float64(i)-low)/max(0.001, high-low)))
			scale = p.scale*(1-keep) + keep
		}
		t.frequency[i] = f * scale
	}
	return t
}

// at writes the rotations for one position: cosines and sines alternating, [dims].
func (t *ropeTable) at(pos int, dst []float32) {
	for i, f := range t.frequency {
		sin, cos := math.Sincos(float64(pos) * f)
		dst[2*i] = float32(cos * t.magnitude)
		dst[2*i+1] = float32(sin * t.magnitude)
	}
}

// rotate turns one head [headDim] by the rotations that at wrote.
func (t *ropeTable) rotate(head, turns []float32) {
	n := len(t.frequency)
	turns, head = turns[:2*n], head[:2*n]
	if t.style == halves {
		first, second := head[:n], head[n:]
		for i, a := range first {
			cos, sin, b := turns[2*i], turns[2*i+1], second[i]
			first[i], second[i] = a*cos-b*sin, a*sin+b*cos
		}
		return
	}
	for i := 1; i < len(head) && i < len(turns); i += 2 {
		cos, sin, a, b := turns[i-1], turns[i], head[i-1], head[i]
		head[i-1], head[i] = a*cos-b*sin, a*sin+b*cos
	}
}

// ropeFactors is which tensor divides the rotation frequencies: Llama 3.1's, or for models with two sets (LongRoPE) the
// one for this context. "" is none.
func ropeFactors(has func(string) bool, p ropeParams, context int) string {
	switch {
	case has("rope_freqs.weight"):
		return "rope_freqs.weight"
	case has("rope_factors_long.weight") && has("rope_factors_short.weight"):
		if float64(context) > p.yarnContext {
			return "rope_factors_long.weight"
		}
		return "rope_factors_short.weight"
	}
	return ""
}
