package convert

import (
	"errors"
	"fmt"
	"math"
)

// ropeScaling says how a model was extended past the context of its first training:
// rope_scaling of config.json, or rope_parameters, which also holds the base.
type ropeScaling struct {
	Type     string   `json:"rope_type"`
	OldType  string   `json:"type"` // the name of the key in older files
	Theta    *float64 `json:"rope_theta"`
	Factor   float64  `json:"factor"`
	Original *float64 `json:"original_max_position_embeddings"`

	LowFreq  float64 `json:"low_freq_factor"` // Llama 3.1
	HighFreq float64 `json:"high_freq_factor"`

	Attention    *float64 `json:"attention_factor"` // YaRN
	BetaFast     *float64 `json:"beta_fast"`
	BetaSlow     *float64 `json:"beta_slow"`
	MScale       *float64 `json:"mscale"`
	MScaleAllDim *float64 `json:"mscale_all_dim"`
	Truncate     *bool    `json:"truncate"`
}

// rope is what a GGUF file says of rotary positions (RoFormer, arXiv 2104.09864).
type rope struct {
	base    float64
	keys    map[string]any // below ARCH.rope.scaling.
	factors []float32      // [headDim/2] rope_freqs.weight; nil for none
}

// rotation works out the keys and the factors of the model's rotation.
func (c *config) rotation() (rope, error) {
	s := c.Scaling
	if c.Rope != nil {
		s = c.Rope
	}
	r := rope{base: c.family.theta}
	if c.RopeTheta != nil {
		r.base = *c.RopeTheta
	}
	if s != nil && s.Theta != nil {
		r.base = *s.Theta
	}
	if !(r.base > 0 && r.base < math.MaxFloat32) {
		return r, fmt.Errorf("%s: rope_theta is %v, expected a positive number", configFile, r.base)
	}
	if s == nil {
		return r, nil
	}
	kind := s.Type
	if kind == "" {
		kind = s.OldType
	}
	var err error
	switch kind {
	case "", "default", "none", "dynamic": // dynamic scaling begins only past the trained context
	case "linear":
		err = r.linear(s)
	case "yarn":
		err = r.yarn(s, c)
	case "llama3":
		r.factors, err = s.llama3(r.base, *c.HeadDim, float64(c.Context))
	default:
		err = fmt.Errorf("the type %s is not known (supported: default, dynamic, linear, llama3, yarn)", quote(kind))
	}
	if err != nil {
		return r, fmt.Errorf("%s: rope_scaling: %w", configFile, err)
	}
	return r, nil
}

func (s *ropeScaling) checkFactor() error {
	if !(s.Factor >= 1 && s.Factor <= 1e6) {
		return fmt.Errorf("factor is %v, expected 1 or more", s.Factor)
	}
	return nil
}

func (r *rope) linear(s *ropeScaling) error {
	r.keys = map[string]any{"type": "linear", "factor": float32(s.Factor)}
	return s.checkFactor()
}

// yarn is arXiv 2309.00071. Readers of GGUF multiply rotated vectors by the paper's own
// temperature 1 + ln(factor)/10 and by attn_factor; Hugging Face gives their product.
func (r *rope) yarn(s *ropeScaling, c *config) error {
	if err := s.checkFactor(); err != nil {
		return err
	}
	original := float64(c.Context)
	if s.Original != nil {
		original = *s.Original
	}
	if !(original >= 1 && original <= 1<<30) {
		return fmt.Errorf("original_max_position_embeddings is %v, expected a number of tokens", original)
	}
	if s.Truncate != nil && !*s.Truncate {
		return errors.New("YaRN without truncation is not supported")
	}
	r.keys = map[string]any{"type": "yarn", "factor": float32(s.Factor), "original_context_length": uint32(original)}
	for key, beta := range map[string]*float64{"yarn_beta_fast": s.BetaFast, "yarn_beta_slow": s.BetaSlow} {
		if beta == nil {
			continue
		}
		if !(*beta > 0 && *beta < 1e6) {
			return fmt.Errorf("%s is %v, expected a positive number", key[len("yarn_"):], *beta)
		}
		r.keys[key] = float32(*beta)
	}
	temperature := func(m float64) float64 { return 1 + 0.1*m*math.Log(s.Factor) }
	total := temperature(1)
	switch {
	case s.Attention != nil:
		total = *s.Attention
	case s.MScale != nil && s.MScaleAllDim != nil && *s.MScale != 0 && *s.MScaleAllDim != 0:
		total = temperature(*s.MScale) / temperature(*s.MScaleAllDim)
	}
	if !(total > 0 && total < 1e6) {
		return fmt.Errorf("the attention factor is %v, expected a positive number", total)
	}
	if total != temperature(1) {
		r.keys["attn_factor"] = float32(total / temperature(1))
	}
	return nil
}

// llama3 gives the number by which each frequency is divided: 1 for wavelengths far
// below the original context, factor for those far above it, and a mixture between.
func (s *ropeScaling) llama3(base float64, headDim int, context float64) ([]float32, error) {
	original := context
	if s.Original != nil {
		original = *s.Original
	}
	if err := s.checkFactor(); err != nil {
		return nil, err
	}
	if !(s.LowFreq > 0 && s.HighFreq > s.LowFreq && s.HighFreq < 1e6) {
		return nil, fmt.Errorf("low_freq_factor %v and high_freq_factor %v are not usable", s.LowFreq, s.HighFreq)
	}
	if !(original >= 1 && original <= 1<<30) {
		return nil, fmt.Errorf("original_max_position_embeddings is %v, expected a number of tokens", original)
	}
	factors := make([]float32, headDim/2)
	for i := range factors {
		turns := original / (2 * math.Pi * math.Pow(base, 2*float64(i)/float64(headDim))) // within the original context
		switch {
		case turns > s.HighFreq:
			factors[i] = 1
		case turns < s.LowFreq:
			factors[i] = float32(s.Factor)
		default:
			smooth := (turns - s.LowFreq) / (s.HighFreq - s.LowFreq)
			factors[i] = float32(1 / ((1-smooth)/s.Factor + smooth))
		}
	}
	return factors, nil
}
