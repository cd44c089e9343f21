package convert

import (
	"fmt"
	"slices"
	"strings"

	"hotcell/models/gguf"
)

// output is one tensor of the GGUF file: the parts, one after the other.
type output struct {
	name  string
	typ   gguf.Type
	dims  []uint64 // fastest first
	parts []part
}

// part is a matrix of an output, taken from one source tensor or computed.
type part struct {
	weight     weight
	rows, cols int // as written
	order      order
	headDim    int       // of the order interleaved
	values     []float32 // computed; weight is then empty
}

// order says how the rows of a part lie in its source.
type order uint8

const (
	asIs        order = iota
	interleaved       // each head's rows come as two halves whose rows are to alternate
	transposed        // they are its columns
)

// planner decides which tensors the file gets and where they come from. It keeps the
// first error; what it returns after that means nothing.
type planner struct {
	c       *config
	weights *checkpoint
	typ     gguf.Type // of matrices
	used    map[string]bool
	outputs []output
	err     error

	predictors, sparseFile bool // see ffn
}

// plan lists the tensors of the file. sparse says that it must be one of PowerInfer's,
// predictors that the model brings some.
func plan(c *config, weights *checkpoint, t gguf.Type, factors []float32) (p *planner, err error) {
	p = &planner{c: c, weights: weights, typ: t, used: map[string]bool{}}
	p.predictors = p.has("model.layers.0.mlp.predictor.fc1.weight") || p.has("model.layers.0.block_sparse_moe.experts.0.predictor.fc1.weight")
	p.sparseFile = c.experts() == 0 && (p.predictors || c.reluLlama())
	if p.predictors && !c.family.drelu && !c.reluLlama() {
		return nil, fmt.Errorf("the weights hold predictors of sparse activations, but %s with this hidden_act has none", c.Architectures[0])
	}
	if c.experts() > 0 && c.reluLlama() {
		return nil, fmt.Errorf("%s: hidden_act is relu, which GGUF cannot say of a llama with experts", configFile)
	}

	p.matrix("token_embd.weight", "model.embed_tokens.weight", c.Vocab, c.Dim, asIs)
	p.vector("output_norm.weight", "model.norm.weight", c.Dim)
	if c.Tied != nil && *c.Tied || c.Tied == nil && !p.has("lm_head.weight") {
		p.used["lm_head.weight"] = true // a copy of the embedding
	} else {
		p.matrix("output.weight", "lm_head.weight", c.Vocab, c.Dim, asIs)
	}
	if factors != nil {
		n := len(factors)
		p.outputs = append(p.outputs, output{"rope_freqs.weight", gguf.F32, []uint64{uint64(n)}, []part{{rows: 1, cols: n, values: factors}}})
	}
	for l := 0; l < c.Layers && p.err == nil; l++ {
		p.layer(fmt.Sprintf("blk.%d.", l), fmt.Sprintf("model.layers.%d.", l))
	}
	if p.err == nil {
		p.err = p.leftOver()
	}
	return p, p.err
}

func (p *planner) has(name string) bool {
	_, ok := p.weights.tensors[name]
	return ok
}

// layer plans one block. to and from are the prefixes of its tensors' names.
func (p *planner) layer(to, from string) {
	c := p.c
	headDim := *c.HeadDim
	q, kv := c.Heads*headDim, *c.KVHeads*headDim
	qk := asIs
	if c.family.neighbours {
		qk = interleaved
	}
	p.vector(to+"attn_norm.weight", from+"input_layernorm.weight", c.Dim)
	p.linear(to+"attn_q", from+"self_attn.q_proj", q, c.Dim, qk)
	p.linear(to+"attn_k", from+"self_attn.k_proj", kv, c.Dim, qk)
	p.linear(to+"attn_v", from+"self_attn.v_proj", kv, c.Dim, asIs)
	p.linear(to+"attn_output", from+"self_attn.o_proj", c.Dim, q, asIs)
	if strings.HasPrefix(c.family.arch, "qwen3") {
		p.vector(to+"attn_q_norm.weight", from+"self_attn.q_norm.weight", headDim)
		p.vector(to+"attn_k_norm.weight", from+"self_attn.k_norm.weight", headDim)
	}
	p.vector(to+"ffn_norm.weight", from+"post_attention_layernorm.weight", c.Dim)
	switch {
	case c.experts() > 0 && p.has(from+"block_sparse_moe.gate.weight"): // Mixtral
		p.experts(to, from+"block_sparse_moe.", "w1", "w3", "w2")
	case c.experts() > 0 && p.has(from+"mlp.gate.weight"): // Qwen
		p.experts(to, from+"mlp.", "gate_proj", "up_proj", "down_proj")
	default:
		p.ffn(to, from+"mlp.")
	}
}

// ffn plans a dense feed-forward block. PowerInfer's files hold the down matrix by
// neurons: row i is what neuron i adds to the residual.
func (p *planner) ffn(to, from string) {
	c := p.c
	p.linear(to+"ffn_gate", from+"gate_proj", c.FF, c.Dim, asIs)
	p.linear(to+"ffn_up", from+"up_proj", c.FF, c.Dim, asIs)
	if !p.sparseFile {
		p.linear(to+"ffn_down", from+"down_proj", c.Dim, c.FF, asIs)
		return
	}
	p.matrix(to+"ffn_down_t.weight", from+"down_proj.weight", c.FF, c.Dim, transposed)
	if p.has(from + "down_proj.bias") {
		p.vector(to+"ffn_down.bias", from+"down_proj.bias", c.Dim)
	}
	if p.predictors {
		rank := p.rank(from + "predictor.")
		p.matrix(to+"fc1.weight", from+"predictor.fc1.weight", rank, c.Dim, asIs)
		p.matrix(to+"fc2.weight", from+"predictor.fc2.weight", c.FF, rank, asIs)
	}
}

// experts plans a router and the experts behind it: one tensor for all the gates, one
// for all the ups and one for all the downs.
func (p *planner) experts(to, from, gate, up, down string) {
	c := p.c
	n, ff := c.experts(), c.expertFF()
	expert := func(e int, rest string) string { return fmt.Sprintf("%sexperts.%d.%s", from, e, rest) }
	p.matrix(to+"ffn_gate_inp.weight", from+"gate.weight", n, c.Dim, asIs)
	p.stack(to+"ffn_gate_exps.weight", n, func(e int) string { return expert(e, gate+".weight") }, ff, c.Dim)
	p.stack(to+"ffn_up_exps.weight", n, func(e int) string { return expert(e, up+".weight") }, ff, c.Dim)
	p.stack(to+"ffn_down_exps.weight", n, func(e int) string { return expert(e, down+".weight") }, c.Dim, ff)
	if !p.predictors || p.err != nil {
		return
	}
	ranks := make([]int, n)
	for e := range ranks {
		ranks[e] = p.rank(expert(e, "predictor."))
	}
	if len(slices.Compact(slices.Clone(ranks))) == 1 {
		p.stack(to+"exp_fc1.weight", n, func(e int) string { return expert(e, "predictor.fc1.weight") }, ranks[0], c.Dim)
		p.stack(to+"exp_fc2.weight", n, func(e int) string { return expert(e, "predictor.fc2.weight") }, ff, ranks[0])
		return
	}
	for e, rank := range ranks {
		p.matrix(fmt.Sprintf("%sexp_fc1.%d.weight", to, e), expert(e, "predictor.fc1.weight"), rank, c.Dim, asIs)
		p.matrix(fmt.Sprintf("%sexp_fc2.%d.weight", to, e), expert(e, "predictor.fc2.weight"), ff, rank, asIs)
	}
}

// rank is the width of a predictor, whose tensors' names begin with prefix.
func (p *planner) rank(prefix string) int {
	shape := p.weights.tensors[prefix+"fc1.weight"].shape
	if len(shape) != 2 || shape[0] < 1 || shape[0] > 1<<20 {
		if p.err == nil && p.has(prefix+"fc1.weight") {
			p.err = fmt.Errorf("the tensor %s has the shape %v, expected a matrix", quote(prefix+"fc1.weight"), shape)
		}
		return 1
	}
	return int(shape[0])
}

// linear plans a matrix and its bias, if it has one.
func (p *planner) linear(to, from string, rows, cols int, o order) {
	p.matrix(to+".weight", from+".weight", rows, cols, o)
	if !p.has(from + ".bias") {
		return
	}
	w := p.take(from+".bias", rows)
	bias := part{weight: w, rows: 1, cols: rows}
	if o == interleaved { // single values take the places of the matrix's rows
		bias = part{weight: w, rows: rows, cols: 1, order: o, headDim: *p.c.HeadDim}
	}
	p.outputs = append(p.outputs, output{to + ".bias", gguf.F32, []uint64{uint64(rows)}, []part{bias}})
}

// vector plans a norm or a bias of n values.
func (p *planner) vector(to, from string, n int) {
	w := p.take(from, n)
	p.outputs = append(p.outputs, output{to, gguf.F32, []uint64{uint64(n)}, []part{{weight: w, rows: 1, cols: n}}})
}

// matrix plans a matrix of rows rows, as they are written.
func (p *planner) matrix(to, from string, rows, cols int, o order) {
	shape := []int{rows, cols}
	if o == transposed {
		shape = []int{cols, rows}
	}
	w := p.take(from, shape...)
	p.outputs = append(p.outputs, output{to, p.typeOf(to, cols), []uint64{uint64(cols), uint64(rows)},
		[]part{{weight: w, rows: rows, cols: cols, order: o, headDim: *p.c.HeadDim}}})
}

// stack plans one tensor of the matrices of n experts.
func (p *planner) stack(to string, n int, from func(e int) string, rows, cols int) {
	out := output{to, p.typeOf(to, cols), []uint64{uint64(cols), uint64(rows), uint64(n)}, nil}
	for e := 0; e < n && p.err == nil; e++ {
		out.parts = append(out.parts, part{weight: p.take(from(e), rows, cols), rows: rows, cols: cols})
	}
	p.outputs = append(p.outputs, out)
}

// typeOf is the type of a matrix. Routers stay exact: they are small, and a wrong
// choice of experts costs more than a rounded weight. Rows that are not whole blocks
// cannot be quantised.
func (p *planner) typeOf(name string, cols int) gguf.Type {
	switch {
	case strings.HasSuffix(name, "ffn_gate_inp.weight"):
		return gguf.F32
	case cols%blockElements != 0:
		return gguf.F16
	}
	return p.typ
}

// take finds a source tensor and checks its shape, slowest dimension first.
func (p *planner) take(name string, shape ...int) weight {
	if p.err != nil {
		return weight{}
	}
	w, ok := p.weights.tensors[name]
	want := make([]uint64, len(shape))
	for i, n := range shape {
		want[i] = uint64(n)
	}
	switch {
	case !ok:
		p.err = fmt.Errorf("the tensor %s is missing from the weights", quote(name))
	case !slices.Equal(w.shape, want):
		p.err = fmt.Errorf("%s: the tensor %s has the shape %v, but by %s it must be %v", w.shard.name, quote(name), w.shape, configFile, want)
	case w.dtype != f32 && w.dtype != f16 && w.dtype != bf16:
		p.err = fmt.Errorf("%s: the tensor %s is of type %s; only F32, F16 and BF16 can be converted", w.shard.name, quote(name), w.dtype)
	}
	p.used[name] = true
	return w
}

// leftOver refuses weights that nothing was made of: the model would not be the one
// that was trained.
func (p *planner) leftOver() error {
	var rest []string
	for name := range p.weights.tensors {
		if !p.used[name] && !strings.HasSuffix(name, ".rotary_emb.inv_freq") { // can be computed
			rest = append(rest, name)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	slices.Sort(rest)
	return fmt.Errorf("%s: the tensor %s has no place in %s (%d such tensors)",
		p.weights.tensors[rest[0]].shard.name, quote(rest[0]), p.c.Architectures[0], len(rest))
}
