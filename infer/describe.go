package infer

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"hotcell/models/chat"
	"hotcell/models/gguf"
	"hotcell/models/pack"
	"hotcell/models/token"
	"hotcell/planner"
)

// Description is what a model file is and what the engine would do with it, as plain data. A fact that the file does not tell is left at
// its zero value, and left out in JSON where 0 could be mistaken for a fact. Texts come from the file as they are: clean them
// before they are shown on a terminal.
type Description struct {
	File         string `json:"file"`      // base name
	Container    string `json:"container"` // "GGUF v3", "PowerInfer GGUF v3" for the variant with predictors, or "pack of" one of them
	Name         string `json:"name,omitempty"`
	License      string `json:"license,omitempty"`
	Architecture string `json:"architecture"`

	Bytes            int64       `json:"bytes"` // of the file, all parts together
	Parameters       uint64      `json:"parameters"`
	ActiveParameters uint64      `json:"active_parameters"` // that one token passes through: with experts only the chosen ones
	BitsPerWeight    float64     `json:"bits_per_weight"`
	Types            []TypeShare `json:"types"` // largest first

	Shape     Shape          `json:"shape"`
	Tokenizer TokenizerFacts `json:"tokenizer"`
	Template  TemplateFacts  `json:"chat_template"`
	Compute   ComputeKind    `json:"compute,omitempty"`
	ReLU      bool           `json:"relu"`              // most neurons are exactly zero for a token
	Predictor bool           `json:"predictor"`         // the file predicts which neurons
	Context   int            `json:"context,omitempty"` // tokens that Memory is for
	Memory    planner.Memory `json:"memory"`
	CannotRun string         `json:"cannot_run,omitempty"` // one plain sentence
}

// tensorsOf lists all tensors of a model, also those that a pack keeps in another layout.
func tensorsOf(f *gguf.File) []gguf.Tensor {
	if p, ok := pack.Of(f); ok {
		return p.Tensors()
	}
	return f.Tensors()
}

// TypeShare is what one number format has of a model.
type TypeShare struct {
	Type       string  `json:"type"`
	Tensors    int     `json:"tensors"`
	Parameters uint64  `json:"parameters"`
	Bytes      int64   `json:"bytes"`
	Share      float64 `json:"share"` // of the bytes of all tensors, 0 to 1
}

// Shape is a model's sizes.
type Shape struct {
	Layers            int     `json:"layers,omitempty"`
	Width             int     `json:"width,omitempty"`
	FeedForward       int     `json:"feed_forward,omitempty"`        // neurons of a dense layer
	ExpertFeedForward int     `json:"expert_feed_forward,omitempty"` // neurons of an expert
	Heads             int     `json:"heads,omitempty"`
	KVHeads           int     `json:"kv_heads,omitempty"`
	HeadLength        int     `json:"head_length,omitempty"`
	Vocabulary        int     `json:"vocabulary,omitempty"`
	Context           int     `json:"trained_context,omitempty"` // tokens
	RoPEBase          float64 `json:"rope_base,omitempty"`
	RoPEScaling       string  `json:"rope_scaling,omitempty"` // linear, yarn, longrope, llama3; "" none
	RoPEFactor        float64 `json:"rope_factor,omitempty"`
	Window            int     `json:"window,omitempty"`        // tokens that layers with a window see
	WindowLayers      int     `json:"window_layers,omitempty"` // how many these are
	Experts           int     `json:"experts,omitempty"`
	ExpertsUsed       int     `json:"experts_used,omitempty"` // by one token
}

// TokenizerFacts is how a model cuts text.
type TokenizerFacts struct {
	Model  string     `json:"model,omitempty"` // llama: SentencePiece; gpt2: byte-level BPE
	Pre    string     `json:"pre,omitempty"`   // how text is cut into words before
	Pieces int        `json:"pieces,omitempty"`
	BOS    *TokenName `json:"bos,omitempty"`
	EOS    *TokenName `json:"eos,omitempty"`
	EOT    *TokenName `json:"eot,omitempty"`
}

// TokenName is a token and its text.
type TokenName struct {
	ID   int32  `json:"id"`
	Text string `json:"text"`
}

// TemplateFacts is how conversations are written.
type TemplateFacts struct {
	InFile  bool   `json:"in_file"`
	Form    string `json:"form,omitempty"`    // "file", or the built-in form in use; "" without a tokenizer
	Warning string `json:"warning,omitempty"` // about the choice
}

// ComputeKind is how the feed-forward layers are computed.
type ComputeKind string

// The kinds.
const (
	ComputeDense   ComputeKind = "dense"   // all of them for every token
	ComputeSparse  ComputeKind = "sparse"  // ReLU: only neurons that are not zero matter
	ComputeExperts ComputeKind = "experts" // the router's choice of experts
)

// Describe tells all that can be told of a model, also of one that cannot be run, and how much memory a session with a context of so many tokens (0: the
// default) takes. Weights are not read.
func Describe(f *gguf.File, context int) Description {
	d := Description{
		File:      f.Name(),
		Container: fmt.Sprintf("GGUF v%d", f.Version()),
		Bytes:     f.Size(),
		Types:     []TypeShare{},
		Predictor: has(f, "blk.0.fc1.weight"),
	}
	if f.PowerInfer() {
		d.Container = "PowerInfer " + d.Container
	}
	if _, packed := pack.Of(f); packed {
		d.Container = "pack of " + d.Container
	}
	d.Name, _ = f.StringOr("general.name", "")
	d.License, _ = f.StringOr("general.license", "")
	d.Architecture, _ = f.StringOr("general.architecture", "")
	d.Shape = shapeOf(f, d.Architecture)
	d.weigh(f)

	h, err := readHparams(f)
	if err == nil {
		d.engineShape(h)
		c := Config{Context: context}
		if err = c.check(); err == nil {
			d.Context = c.contextFor(h)
			d.Memory, err = MemoryNeed(f, c)
		}
	}
	switch {
	case len(tensorsOf(f)) == 0:
		err = fmt.Errorf("the file holds a vocabulary only, no weights")
	case err == nil && d.Shape.Experts > 0:
		d.Compute = ComputeExperts
	case err == nil && d.ReLU:
		d.Compute = ComputeSparse
	case err == nil:
		d.Compute = ComputeDense
	}
	if text := d.language(f); err == nil {
		err = text
	}
	if err == nil && d.Tokenizer.Pieces > h.vocab {
		err = fmt.Errorf("the vocabulary has %d pieces but the embedding only %d rows", d.Tokenizer.Pieces, h.vocab)
	}
	if err != nil {
		d.CannotRun = strings.TrimPrefix(err.Error(), f.Name()+": ")
	}
	return d
}

// weigh counts the parameters, by type and by use.
func (d *Description) weigh(f *gguf.File) {
	var total int64
	var routed uint64 // parameters of experts that a router chooses among
	at := map[gguf.Type]int{}
	for _, t := range tensorsOf(f) {
		i, ok := at[t.Type]
		if !ok {
			i = len(d.Types)
			at[t.Type] = i
			d.Types = append(d.Types, TypeShare{Type: t.Type.String()})
		}
		d.Types[i].Tensors++
		d.Types[i].Parameters += t.Elements()
		d.Types[i].Bytes += t.Size
		total += t.Size
		d.Parameters += t.Elements()
		if ofExpert(t.Name) {
			routed += t.Elements()
		}
	}
	slices.SortStableFunc(d.Types, func(a, b TypeShare) int { return cmp.Compare(b.Bytes, a.Bytes) })
	for i := range d.Types {
		d.Types[i].Share = float64(d.Types[i].Bytes) / float64(total)
	}
	if d.Parameters > 0 {
		d.BitsPerWeight = 8 * float64(total) / float64(d.Parameters)
	}
	d.ActiveParameters = d.Parameters
	if s := d.Shape; s.ExpertsUsed > 0 && s.ExpertsUsed < s.Experts {
		d.ActiveParameters -= uint64(float64(routed) * (1 - float64(s.ExpertsUsed)/float64(s.Experts)))
	}
}

// ofExpert tells whether a tensor belongs to experts: ffn_up_exps.weight holds all of a layer, ffn_up.3.weight one.
func ofExpert(tensor string) bool {
	part := strings.Split(tensor, ".")
	return strings.Contains(tensor, "_exps.") || len(part) == 5 && strings.HasPrefix(part[2], "ffn_")
}

// shapeOf reads what the metadata say of any architecture, without judging it.
func shapeOf(f *gguf.File, arch string) Shape {
	number := func(key string) int {
		v, err := f.Uint(arch + "." + key)
		if err != nil { // some families have a number for each layer
			list, _ := f.Ints(arch + "." + key)
			v = uint64(max(0, slices.Max(append(list[:len(list):len(list)], 0))))
		}
		return int(min(v, math.MaxInt32))
	}
	float := func(key string) float64 {
		v, _ := f.FloatOr(arch+"."+key, 0)
		if math.IsNaN(v) || math.IsInf(v, 0) { // JSON has no word for these
			return 0
		}
		return v
	}
	s := Shape{
		Layers:            number("block_count"),
		Width:             number("embedding_length"),
		FeedForward:       number("feed_forward_length"),
		ExpertFeedForward: number("expert_feed_forward_length"),
		Heads:             number("attention.head_count"),
		KVHeads:           number("attention.head_count_kv"),
		HeadLength:        number("attention.key_length"),
		Context:           number("context_length"),
		Window:            number("attention.sliding_window"),
		Experts:           number("expert_count"),
		ExpertsUsed:       number("expert_used_count"),
		RoPEBase:          float("rope.freq_base"),
		RoPEFactor:        float("rope.scaling.factor"),
	}
	s.RoPEScaling, _ = f.StringOr(arch+".rope.scaling.type", "")
	switch {
	case has(f, "rope_freqs.weight"):
		s.RoPEScaling = "llama3"
	case has(f, "rope_factors_long.weight"):
		s.RoPEScaling = "longrope"
	case s.RoPEScaling == "none":
		s.RoPEScaling = ""
	case s.RoPEScaling == "" && s.RoPEFactor > 0:
		s.RoPEScaling = "linear"
	}
	if s.KVHeads == 0 {
		s.KVHeads = s.Heads
	}
	if s.HeadLength == 0 && s.Heads > 0 {
		s.HeadLength = s.Width / s.Heads
	}
	if t, ok := f.Tensor("token_embd.weight"); ok {
		s.Vocabulary = int(min(t.Rows(), math.MaxInt32))
	}
	return s
}

// engineShape replaces what the metadata say by what the engine makes of it, its defaults included.
func (d *Description) engineShape(h *hparams) {
	d.ReLU = h.activation.sparse()
	s := &d.Shape
	s.Layers, s.KVHeads, s.HeadLength, s.Context = h.layers, h.kvHeads, h.headDim, h.context
	s.RoPEBase = 0
	if len(h.ropes) > 0 {
		s.RoPEBase = h.ropes[0].base
	}
	s.Window = 0
	for _, l := range h.perLayer {
		if l.window > 0 {
			s.Window = max(s.Window, l.window)
			s.WindowLayers++
		}
	}
}

// language fills in the tokenizer and the chat template. The error is why they cannot be used.
func (d *Description) language(f *gguf.File) error {
	t := &d.Tokenizer
	t.Model, _ = f.StringOr("tokenizer.ggml.model", "")
	t.Pre, _ = f.StringOr("tokenizer.ggml.pre", "")
	pieces, _ := f.Strings("tokenizer.ggml.tokens")
	t.Pieces = len(pieces)
	if d.Shape.Vocabulary == 0 {
		d.Shape.Vocabulary = t.Pieces
	}
	_, named := f.Value("tokenizer.chat_template")
	_, byDefault := f.Value("tokenizer.chat_template.default")
	d.Template.InFile = named || byDefault

	tok, err := token.New(f)
	if err != nil {
		return err
	}
	name := func(id int32, ok bool) *TokenName {
		if !ok {
			return nil
		}
		return &TokenName{id, tok.Text(id)}
	}
	t.BOS, t.EOS, t.EOT = name(tok.BOS()), name(tok.EOS()), name(tok.EOT())
	tmpl, err := chat.New(f, tok)
	if err != nil {
		return err
	}
	d.Template.Form, d.Template.Warning = tmpl.Name(), tmpl.Warning()
	return nil
}
