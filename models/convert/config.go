package convert

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
)

// config is config.json: the model's shape. A pointer is nil where the file is silent.
type config struct {
	Architectures   []string `json:"architectures"`
	Layers          int      `json:"num_hidden_layers"`
	Dim             int      `json:"hidden_size"`
	FF              int      `json:"intermediate_size"`
	Heads           int      `json:"num_attention_heads"`
	KVHeads         *int     `json:"num_key_value_heads"`
	HeadDim         *int     `json:"head_dim"`
	Vocab           int      `json:"vocab_size"`
	Context         int      `json:"max_position_embeddings"`
	Eps             *float64 `json:"rms_norm_eps"`
	Activation      *string  `json:"hidden_act"`
	Tied            *bool    `json:"tie_word_embeddings"`
	Window          *int     `json:"sliding_window"`
	PartialRotary   *float64 `json:"partial_rotary_factor"`
	SparseThreshold *float64 `json:"sparse_threshold"`

	RopeTheta *float64     `json:"rope_theta"`
	Scaling   *ropeScaling `json:"rope_scaling"`
	Rope      *ropeScaling `json:"rope_parameters"` // where newer files put both

	LocalExperts *int  `json:"num_local_experts"` // Mixtral's name
	NumExperts   *int  `json:"num_experts"`       // Qwen's
	ExpertsUsed  *int  `json:"num_experts_per_tok"`
	ExpertFF     *int  `json:"moe_intermediate_size"`
	NormTopK     *bool `json:"norm_topk_prob"`

	BOS    tokenIDs  `json:"bos_token_id"`
	EOS    tokenIDs  `json:"eos_token_id"`
	Pad    tokenIDs  `json:"pad_token_id"`
	Quant  *struct{} `json:"quantization_config"`
	family family
}

// tokenIDs is one id, a list of them, or null.
type tokenIDs []int64

// UnmarshalJSON implements json.Unmarshaler.
func (t *tokenIDs) UnmarshalJSON(text []byte) error {
	var one *int64
	if err := json.Unmarshal(text, &one); err == nil {
		if *t = nil; one != nil {
			*t = tokenIDs{*one}
		}
		return nil
	}
	return json.Unmarshal(text, (*[]int64)(t))
}

// family is what sets one architecture apart from another.
type family struct {
	arch       string  // GGUF's name
	neighbours bool    // GGUF rotates neighbouring values, Hugging Face halves of a head
	drelu      bool    // both gate and up pass a ReLU
	relu       bool    // hidden_act may be relu; the file is then one of PowerInfer's
	windowed   bool    // sliding_window holds in all layers
	theta, eps float64 // where config.json is silent
}

var families = map[string]family{
	"LlamaForCausalLM":              {arch: "llama", neighbours: true, relu: true, theta: 1e4, eps: 1e-6},
	"MistralForCausalLM":            {arch: "llama", neighbours: true, windowed: true, theta: 1e4, eps: 1e-6},
	"MixtralForCausalLM":            {arch: "llama", neighbours: true, windowed: true, theta: 1e6, eps: 1e-5},
	"BambooForCausalLM":             {arch: "bamboo", neighbours: true, drelu: true, windowed: true, theta: 1e4, eps: 1e-6},
	"TurboSparseMistralForCausalLM": {arch: "bamboo", neighbours: true, drelu: true, windowed: true, theta: 1e4, eps: 1e-6},
	"TurboSparseMixtralForCausalLM": {arch: "bamboo", neighbours: true, drelu: true, windowed: true, theta: 1e6, eps: 1e-5},
	"Qwen2ForCausalLM":              {arch: "qwen2", theta: 1e4, eps: 1e-6},
	"Qwen3ForCausalLM":              {arch: "qwen3", theta: 1e4, eps: 1e-6},
	"Qwen3MoeForCausalLM":           {arch: "qwen3moe", theta: 1e4, eps: 1e-6},
}

// Architectures lists the names in config.json's "architectures" that can be converted.
func Architectures() []string {
	var names []string
	for name := range families {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

const configFile = "config.json"

// readConfig reads config.json and checks that its shape is one that can be.
func readConfig(dir string) (*config, error) {
	var c config
	if err := readJSON(dir, configFile, &c); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: there is no %s in this folder; it must hold a model as Hugging Face publishes it", quote(base(dir)), configFile)
		}
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", configFile, err)
	}
	return &c, nil
}

func (c *config) check() error {
	if len(c.Architectures) != 1 {
		return fmt.Errorf("architectures names %d architectures, expected one", len(c.Architectures))
	}
	var ok bool
	if c.family, ok = families[c.Architectures[0]]; !ok {
		return fmt.Errorf("the architecture %s cannot be converted (supported: %s)", quote(c.Architectures[0]), list(Architectures()))
	}
	if c.Quant != nil {
		return errors.New("the weights are quantised already (quantization_config); convert the original instead")
	}
	if c.KVHeads == nil {
		c.KVHeads = &c.Heads
	}
	for _, n := range []struct {
		key         string
		value, most int
	}{
		{"num_hidden_layers", c.Layers, 1 << 12}, {"hidden_size", c.Dim, 1 << 20}, {"intermediate_size", c.FF, 1 << 22},
		{"num_attention_heads", c.Heads, 1 << 14}, {"num_key_value_heads", *c.KVHeads, c.Heads},
		{"vocab_size", c.Vocab, 1 << 22}, {"max_position_embeddings", c.Context, 1 << 30},
	} {
		if n.value < 1 || n.value > n.most {
			return fmt.Errorf("%s is %d, expected 1 to %d", n.key, n.value, n.most)
		}
	}
	if c.HeadDim == nil {
		if c.Dim%c.Heads != 0 {
			return fmt.Errorf("%d attention heads do not divide the hidden size %d", c.Heads, c.Dim)
		}
		dim := c.Dim / c.Heads
		c.HeadDim = &dim
	}
	if *c.HeadDim < 2 || *c.HeadDim > 1<<14 || *c.HeadDim%2 != 0 {
		return fmt.Errorf("the length of a head is %d, expected an even number from 2 to %d", *c.HeadDim, 1<<14)
	}
	if c.Heads%*c.KVHeads != 0 {
		return fmt.Errorf("%d attention heads cannot share %d key/value heads evenly", c.Heads, *c.KVHeads)
	}
	if c.Eps == nil {
		c.Eps = &c.family.eps
	}
	if !(*c.Eps >= 0 && *c.Eps <= 1) {
		return fmt.Errorf("rms_norm_eps is %v, expected a small positive number", *c.Eps)
	}
	if c.PartialRotary != nil && *c.PartialRotary != 1 {
		return fmt.Errorf("partial_rotary_factor is %v; only heads that are rotated as a whole can be converted", *c.PartialRotary)
	}
	if t := c.SparseThreshold; t != nil && math.Abs(*t) > math.MaxFloat32 {
		return fmt.Errorf("sparse_threshold is %v, which is too large", *t)
	}
	return errors.Join(c.checkActivation(), c.checkExperts())
}

func (c *config) checkActivation() error {
	have, want := "silu", "silu"
	if c.family.drelu {
		have, want = "relu", "relu"
	}
	if c.Activation != nil {
		have = *c.Activation
	}
	switch {
	case have == want, have == "swish" && want == "silu", have == "drelu" && want == "relu", have == "relu" && c.family.relu:
		return nil
	}
	return fmt.Errorf("hidden_act is %s; for %s it must be %s", quote(have), c.Architectures[0], want)
}

func (c *config) checkExperts() error {
	if c.experts() == 0 {
		return nil
	}
	switch {
	case c.experts() < 0 || c.experts() > 1<<12:
		return fmt.Errorf("the number of experts is %d, expected 1 to %d", c.experts(), 1<<12)
	case c.ExpertsUsed == nil:
		return errors.New("num_experts_per_tok is missing")
	case *c.ExpertsUsed < 1 || *c.ExpertsUsed > c.experts():
		return fmt.Errorf("num_experts_per_tok is %d, expected 1 to %d", *c.ExpertsUsed, c.experts())
	case c.expertFF() < 1 || c.expertFF() > 1<<22:
		return fmt.Errorf("moe_intermediate_size is %d, expected 1 to %d", c.expertFF(), 1<<22)
	}
	return nil
}

// experts is the number of experts of a layer, 0 for a dense model.
func (c *config) experts() int {
	switch {
	case c.LocalExperts != nil:
		return *c.LocalExperts
	case c.NumExperts != nil:
		return *c.NumExperts
	}
	return 0
}

// expertFF is the number of neurons of an expert.
func (c *config) expertFF() int {
	if c.ExpertFF != nil {
		return *c.ExpertFF
	}
	return c.FF
}

// reluLlama tells whether this is a Llama whose gate passes a ReLU. Only PowerInfer's
// variant of the container can say so.
func (c *config) reluLlama() bool {
	return c.family.relu && c.Activation != nil && *c.Activation == "relu"
}
