package infer

import (
	"fmt"
	"math"
	"strings"

	"hotcell/models/gguf"
)

// hparams is a model's shape, read from the metadata of its file. All counts are checked to be usable.
type hparams struct {
	arch
	name string

	layers, dim, ff int
	heads, kvHeads  int
	headDim         int // of queries, keys and values
	vocab           int
	context         int // trained context, tokens
	eps             float32
	perLayer        []layerShape // [layers]
	ropes           []ropeParams // layers choose among them

	embeddingScale, residualScale, logitScale float32
	attentionScale                            float32 // of q.k
	attentionCap, logitCap                    float32 // soft limits, 0: none
	clampQKV                                  float32 // hard limit of q, k and v, 0: none
	temperature                               float32 // growth of queries with the position, 0: none
	temperatureSpan                           int     // positions
	bareNorms                                 bool    // norms are applied where the file has no weights for them

	experts, expertsUsed int
	gating               gating
	renormalise          bool    // the chosen experts' weights are made to sum to 1
	expertScale          float32 // of the routed experts' weights
	routeEarly           bool    // the router reads the layer's input, before attention

	threshold    float32 // predictor score at and above which a neuron counts as active
	hasPredictor bool

	quantName string // the type that holds most bytes
	params    uint64 // weights in the file
}

// layerShape is what may differ from layer to layer.
type layerShape struct {
	window int // positions that attention sees, 0: all
	rope   int // index into hparams.ropes, or noRope
}

const noRope = -1

// gating is how a router's logits become the weights of the chosen experts.
type gating uint8

const (
	softmaxAll    gating = iota // softmax over all experts
	sigmoid                     // each on its own
	softmaxChosen               // softmax over the chosen ones' logits
)

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
	if f.PowerInfer() {
		if a.powerInfer == 0 {
			return nil, fmt.Errorf("%s: PowerInfer files of the architecture %q are not supported", f.Name(), name)
		}
		a.activation = a.powerInfer
	}
	h := &hparams{arch: a, name: name, embeddingScale: 1, residualScale: 1, logitScale: 1, expertScale: 1}
	r := &metaReader{f: f, arch: name}
	h.layers = r.count("block_count", 1<<12)
	h.dim = r.count("embedding_length", 1<<20)
	h.heads = r.count("attention.head_count", 1<<14)
	h.kvHeads = r.countOr("attention.head_count_kv", h.heads, 1<<14)
	h.ff = r.countOr("feed_forward_length", 0, 1<<22)
	h.context = r.countOr("context_length", 2048, 1<<30)
	key := "attention.layer_norm_rms_epsilon"
	if h.norm == layer {
		key = "attention.layer_norm_epsilon"
	}
	h.eps = r.float(key, -1)
	if r.err == nil && (h.eps < 0 || h.eps > 1) {
		r.err = fmt.Errorf("%s: %s is %v, expected a small positive number", f.Name(), r.key(key), h.eps)
	}
	r.heads(h)
	h.experts = r.countOr("expert_count", 0, 1<<12)
	if h.experts > 0 {
		h.expertsUsed = r.count("expert_used_count", uint64(h.experts))
	}
	h.threshold = r.absolute("powerinfer.sparse_threshold", 0)
	if r.err != nil {
		return nil, r.err
	}
	h.perLayer = make([]layerShape, h.layers)
	if h.rope == unrotated {
		for l := range h.perLayer {
			h.perLayer[l].rope = noRope
		}
	} else {
		h.ropes = []ropeParams{r.rope(h)}
	}
	if h.adjust != nil && r.err == nil {
		h.adjust(r, h)
	}
	if r.err != nil {
		return nil, r.err
	}
	return h, r.fromTensors(h)
}

// heads reads the heads' length and checks that they share keys and values evenly.
func (r *metaReader) heads(h *hparams) {
	if r.err != nil {
		return
	}
	length := 0
	if h.dim%h.heads == 0 {
		length = h.dim / h.heads
	}
	h.headDim = r.countOr("attention.key_length", length, 1<<16)
	valueDim := r.countOr("attention.value_length", h.headDim, 1<<16)
	switch {
	case r.err != nil:
	case h.headDim == 0:
		r.err = fmt.Errorf("%s: %d attention heads do not divide the embedding length %d", r.f.Name(), h.heads, h.dim)
	case valueDim != h.headDim:
		r.err = fmt.Errorf("%s: keys of length %d with values of length %d are not supported", r.f.Name(), h.headDim, valueDim)
	case h.heads%h.kvHeads != 0:
		r.err = fmt.Errorf("%s: %d attention heads cannot share %d key/value heads evenly", r.f.Name(), h.heads, h.kvHeads)
	}
	h.attentionScale = float32(1 / math.Sqrt(float64(h.headDim)))
}

// drop leaves out the last n layers.
func (h *hparams) drop(n int) {
	h.layers = max(1, h.layers-n)
	h.perLayer = h.perLayer[:h.layers]
}

// fromTensors takes what only the tensor directory tells.
func (r *metaReader) fromTensors(h *hparams) error {
	embd, ok := r.f.Tensor("token_embd.weight")
	if !ok {
		return fmt.Errorf("%s: the tensor token_embd.weight is missing", r.f.Name())
	}
	h.vocab = int(embd.Rows())
	h.hasPredictor = has(r.f, "blk.0.fc1.weight")
	bytes := map[gguf.Type]int64{}
	for _, t := range tensorsOf(r.f) {
		h.params += t.Elements()
		bytes[t.Type] += t.Size
	}
	var most int64
	for t, n := range bytes {
		if n > most || n == most && t.String() < h.quantName {
			most, h.quantName = n, t.String()
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

// temperatureAt is what queries at a position are multiplied by.
func (h *hparams) temperatureAt(pos int) float32 {
	if h.temperature == 0 {
		return 1
	}
	return 1 + h.temperature*float32(math.Log(float64((pos+1)/h.temperatureSpan)+1))
}

// first is the first position that attention at pos sees in a layer.
func (s layerShape) first(pos int) int {
	if s.window == 0 {
		return 0
	}
	return max(0, pos-s.window+1)
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
		return 1
	}
	v, err := r.f.Uint(r.key(k))
	if err == nil && (v == 0 || v > most) {
		err = fmt.Errorf("%s: %s is %d, expected 1 to %d", r.f.Name(), r.key(k), v, most)
	}
	if err != nil {
		r.err = err
		return 1
	}
	return int(v)
}

// countOr is count for a key that may be absent, and then is def. Where def is 0, so may the value be.
func (r *metaReader) countOr(k string, def int, most uint64) int {
	if _, ok := r.f.Value(r.key(k)); !ok || r.err != nil {
		return def
	}
	if v, err := r.f.Uint(r.key(k)); err == nil && v == 0 && def == 0 {
		return 0
	}
	return r.count(k, most)
}

// float reads a finite number below the architecture's name; def below 0 says that it must be there.
func (r *metaReader) float(k string, def float64) float32 {
	if r.err != nil {
		return 1
	}
	if _, ok := r.f.Value(r.key(k)); !ok && def < 0 {
		_, r.err = r.f.Float(r.key(k))
		return 1
	}
	return r.absolute(r.key(k), def)
}

// absolute is float for a key that does not stand below the architecture's name.
func (r *metaReader) absolute(key string, def float64) float32 {
	if r.err != nil {
		return 1
	}
	v, err := r.f.FloatOr(key, def)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		err = fmt.Errorf("%s: %s is not a finite number", r.f.Name(), key)
	}
	r.err = err
	return float32(v)
}

// inverse reads a number by which something is divided, as its inverse.
func (r *metaReader) inverse(k string, def float64) float32 {
	v := r.float(k, def)
	if v == 0 && r.err == nil {
		r.err = fmt.Errorf("%s: %s is 0", r.f.Name(), r.key(k))
	}
	return 1 / v
}

func (r *metaReader) string(k, def string) string {
	if r.err != nil {
		return def
	}
	v, err := r.f.StringOr(r.key(k), def)
	r.err = err
	return v
}

func (r *metaReader) bool(k string, def bool) bool {
	if r.err != nil {
		return def
	}
	v, err := r.f.BoolOr(r.key(k), def)
	r.err = err
	return v
}
