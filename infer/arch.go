package infer

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"hotcell/models/gguf"
)

// activation is how an FFN joins its gate and up products; g and u are their values for one neuron.
type activation uint8

const (
	siluGate activation = iota // silu(g) * u
	reluGate                   // relu(g) * u
	reluBoth                   // relu(g) * relu(u): dReLU, TurboSparse (arXiv 2406.05955)
)

// sparse tells whether most neurons are exactly zero for a token.
func (a activation) sparse() bool { return a != siluGate }

// apply computes the activation of one neuron.
func (a activation) apply(g, u float32) float32 {
	switch a {
	case reluGate:
		return max(g, 0) * u
	case reluBoth:
		return max(g, 0) * max(u, 0)
	default:
		return g / (1 + float32(math.Exp(-float64(g)))) * u
	}
}

// arch is what distinguishes one model family from another; the one graph reads it. A family is one entry of the
// table below.
type arch struct {
	activation activation
	powerInfer activation // in PowerInfer files (magic PWRI), which hold ReLU-trained models also of families with another function
}

var archs = map[string]arch{
	"llama":  {activation: siluGate, powerInfer: reluGate},
	"bamboo": {activation: reluBoth, powerInfer: reluBoth},
}

// Architectures lists the families that this engine runs.
func Architectures() []string {
	var names []string
	for name := range archs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// hparams is a model's shape, read from the metadata of its file. All counts are checked to be usable.
type hparams struct {
	name       string
	activation activation

	layers, dim, ff  int
	heads, kvHeads   int
	headDim          int // of queries, keys and values
	vocab            int
	context          int // trained context, tokens
	eps              float32
	rope             ropeParams
	threshold        float32 // predictor score at and above which a neuron counts as active
	attentionScale   float32 // of q.k
	hasPredictor     bool
	downByNeuron     bool // the down matrix is stored one row per neuron (ffn_down_t)
	quantizationName string
	params           uint64
}

// readHparams reads and checks the shape of a model.
func readHparams(f *gguf.File) (*hparams, error) {
	name, err := f.String("general.architecture")
	if err != nil {
		return nil, err
	}
	a, ok := archs[name]
	if !ok {
		return nil, fmt.Errorf("%s: the architecture %q is not supported (supported: %s)", f.Name(), name, strings.Join(Architectures(), ", "))
	}
	h := &hparams{name: name, activation: a.activation}
	if f.PowerInfer() {
		h.activation = a.powerInfer
	}
	r := metaReader{f: f, arch: name}
	h.layers = r.count("block_count", 1<<12)
	h.dim = r.count("embedding_length", 1<<20)
	h.ff = r.count("feed_forward_length", 1<<22)
	h.heads = r.count("attention.head_count", 1<<14)
	h.kvHeads = r.countOr("attention.head_count_kv", h.heads, 1<<14)
	h.context = r.countOr("context_length", 2048, 1<<30)
	h.eps = r.float("attention.layer_norm_rms_epsilon", -1)
	if r.err != nil {
		return nil, r.err
	}
	if h.eps < 0 || h.eps > 1 {
		return nil, fmt.Errorf("%s: %s.attention.layer_norm_rms_epsilon is %v, expected a small positive number", f.Name(), name, h.eps)
	}
	defaultHead := 0
	if h.dim%h.heads == 0 {
		defaultHead = h.dim / h.heads
	}
	h.headDim = r.countOr("attention.key_length", defaultHead, 1<<16)
	valueDim := r.countOr("attention.value_length", h.headDim, 1<<16)
	if r.err != nil {
		return nil, r.err
	}
	switch {
	case h.headDim == 0:
		return nil, fmt.Errorf("%s: %d attention heads do not divide the embedding length %d", f.Name(), h.heads, h.dim)
	case valueDim != h.headDim:
		return nil, fmt.Errorf("%s: keys of length %d with values of length %d are not supported", f.Name(), h.headDim, valueDim)
	case h.heads%h.kvHeads != 0:
		return nil, fmt.Errorf("%s: %d attention heads cannot share %d key/value heads evenly", f.Name(), h.heads, h.kvHeads)
	}
	h.attentionScale = float32(1 / math.Sqrt(float64(h.headDim)))
	if experts := r.countOr("expert_count", 0, 1<<16); experts > 0 {
		return nil, fmt.Errorf("%s: a mixture of %d experts is not supported", f.Name(), experts)
	}
	h.rope = r.rope(h)
	h.threshold = r.absolute("powerinfer.sparse_threshold", 0)
	if r.err != nil {
		return nil, r.err
	}
	return h, r.fromTensors(h)
}

// metaReader reads keys of one architecture and keeps the first error.
type metaReader struct {
	f    *gguf.File
	arch string
	err  error
}

func (r *metaReader) key(k string) string { return r.arch + "." + k }

// count reads a number that must be there, from 1 to most.
func (r *metaReader) count(k string, most uint64) int {
	if r.err != nil {
		return 0
	}
	v, err := r.f.Uint(r.key(k))
	return r.check(k, v, err, most)
}

// countOr reads a number from 1 to most, or def when the key is absent.
func (r *metaReader) countOr(k string, def int, most uint64) int {
	if r.err != nil {
		return def
	}
	if _, ok := r.f.Value(r.key(k)); !ok {
		return def
	}
	v, err := r.f.Uint(r.key(k))
	if err == nil && v == 0 && def == 0 {
		return 0
	}
	return r.check(k, v, err, most)
}

func (r *metaReader) check(k string, v uint64, err error, most uint64) int {
	if err == nil && (v == 0 || v > most) {
		err = fmt.Errorf("%s: %s is %d, expected 1 to %d", r.f.Name(), r.key(k), v, most)
	}
	if err != nil {
		r.err = err
		return 1
	}
	return int(v)
}

// float reads a number below the architecture's name; def < 0 says that it must be there.
func (r *metaReader) float(k string, def float64) float32 {
	if r.err != nil {
		return 0
	}
	var v float64
	var err error
	if def < 0 {
		v, err = r.f.Float(r.key(k))
	} else {
		v, err = r.f.FloatOr(r.key(k), def)
	}
	return r.finite(r.key(k), v, err)
}

// absolute reads a number whose key stands outside the architecture's name.
func (r *metaReader) absolute(key string, def float64) float32 {
	if r.err != nil {
		return 0
	}
	v, err := r.f.FloatOr(key, def)
	return r.finite(key, v, err)
}

func (r *metaReader) finite(key string, v float64, err error) float32 {
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		err = fmt.Errorf("%s: %s is not a finite number", r.f.Name(), key)
	}
	if err != nil {
		r.err = err
	}
	return float32(v)
}

func (r *metaReader) string(k, def string) string {
	if r.err != nil {
		return def
	}
	v, err := r.f.StringOr(r.key(k), def)
	if err != nil {
		r.err = err
	}
	return v
}

// fromTensors takes what only the tensor directory tells.
func (r *metaReader) fromTensors(h *hparams) error {
	embd, ok := r.f.Tensor("token_embd.weight")
	if !ok {
		return fmt.Errorf("%s: the tensor token_embd.weight is missing", r.f.Name())
	}
	h.vocab = int(embd.Rows())
	_, h.hasPredictor = r.f.Tensor("blk.0.fc1.weight")
	_, h.downByNeuron = r.f.Tensor("blk.0.ffn_down_t.weight")
	byType := map[gguf.Type]uint64{}
	for _, t := range r.f.Tensors() {
		h.params += uint64(t.Elements())
		byType[t.Type] += uint64(t.Size)
	}
	var most uint64
	for t, n := range byType {
		if n > most {
			most, h.quantizationName = n, t.String()
		}
	}
	return nil
}

// checkTokens makes sure that every id has a row in the embedding.
func (h *hparams) checkTokens(tokens []int32) error {
	if len(tokens) == 0 {
		return fmt.Errorf("there are no tokens to compute")
	}
	for _, id := range tokens {
		if id < 0 || int(id) >= h.vocab {
			return fmt.Errorf("the token %d is not in the vocabulary (0 to %d)", id, h.vocab-1)
		}
	}
	return nil
}
