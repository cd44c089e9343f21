package infer

import (
	"fmt"

	"hotcell/infer/kernel"
	"hotcell/models/gguf"
)

// weights are a model's tensors in run-time layouts, in one arena.
type weights struct {
	embedding  kernel.Matrix // [vocab][dim]
	positions  kernel.Matrix // [context][dim] learned vectors; empty: none
	output     linear        // [vocab][dim]; the embedding's own data when the file ties them
	outputNorm *norm
	ropes      []*ropeTable // for hparams.ropes
	layers     []layerWeights

	mem   *arena
	bytes int // in the arena
}

// linear is y = scale W x + bias.
type linear struct {
	kernel.Matrix
	bias  []float32 // [Rows], nil: none
	scale float32   // 1 but for models with one scale per tensor (BitNet)
}

// layerWeights are one transformer block. A nil norm leaves its input as it is.
type layerWeights struct {
	attnNorm     *norm
	q, k, v      linear    // [heads*headDim][dim], [kvHeads*headDim][dim] twice
	qNorm, kNorm *headNorm // before the rotation
	sinks        []float32 // [heads] scores that take weight and give nothing, nil: none
	subNorm      *norm     // of the heads' results, before out
	out          linear    // [dim][heads*headDim]
	postAttn     *norm     // of the block's result

	ffnNorm *norm
	ffn     *feedForward // nil: the layer has only experts
	postFFN *norm

	router     linear         // [experts][dim]; empty: no experts
	selection  []float32      // [experts] added to the router's probabilities for choosing only
	experts    []*feedForward // [experts]
	shared     *feedForward   // an expert that every token uses
	sharedGate []float32      // [dim]: the shared expert's weight is logistic(sharedGate . x); nil: 1
}

// feedForward is one FFN, or one expert: down . act(gate . x, up . x).
type feedForward struct {
	gate, up           linear        // [ff][dim]; gate is empty where the activation has none
	subNorm            *norm         // of the activations
	down               linear        // [dim][ff]; only its bias is used with downRows
	downRows           kernel.Rows   // [ff][dim]: one row per neuron
	predict1, predict2 kernel.Matrix // PowerInfer's predictor [rank][dim], [ff][rank] by position; empty: none
	neurons            *neurons      // the same matrices row by row, instead of gate, up, down and downRows; nil: not computed by neuron
	sketch             kernel.Matrix // [ff][dim] the gate in few bits by position, a predictor without training; empty: none
	margin             float32       // least sketched product of a neuron that is taken for active
	counts             []uint32      // [ff] how often each neuron was active; nil: not counted
}

// ff is the number of neurons.
func (f *feedForward) ff() int {
	if f.neurons != nil {
		return f.neurons.group.Neurons
	}
	return f.up.Rows
}

// headNorm normalises queries or keys.
type headNorm struct {
	norm
	whole bool // all heads as one vector; otherwise each head, with weights [headDim] of its own or shared
}

// head returns the norm of head i.
func (n *headNorm) head(i, dim int) norm {
	one := n.norm
	if len(one.weight) > dim {
		one.weight = one.weight[i*dim : (i+1)*dim]
	}
	return one
}

// findTensor looks a tensor up and checks its shape: rows of cols values. A vector has one row.
func findTensor(f *gguf.File, name string, rows, cols int) (gguf.Tensor, error) {
	t, ok := f.Tensor(name)
	if !ok {
		return t, fmt.Errorf("%s: the tensor %s is missing", f.Name(), name)
	}
	if int(t.Cols()) != cols || int(t.Rows()) != rows {
		want := fmt.Sprint([]int{cols, rows})
		if rows == 1 {
			want = fmt.Sprint([]int{cols})
		}
		return t, fmt.Errorf("%s: the tensor %s has the shape %v, expected %s", f.Name(), name, t.Dims, want)
	}
	return t, nil
}

func has(f *gguf.File, name string) bool {
	_, ok := f.Tensor(name)
	return ok
}

// plan says which tensors a model needs and where they go; the loader has then but to read the matrices.
func (ld *loader) plan() *weights {
	h, w := ld.h, &weights{}
	ld.panels(&w.embedding, "token_embd.weight", 0, h.vocab, h.vocab, h.dim)
	if t, ok := ld.f.Tensor("position_embd.weight"); ok {
		n := int(t.Rows())
		ld.panels(&w.positions, "position_embd.weight", 0, n, n, h.dim)
	}
	if !h.tied && has(ld.f, "output.weight") {
		w.output = ld.linear("output", h.vocab, h.dim)
	}
	w.outputNorm = ld.norm("output_norm", h.dim)
	if w.outputNorm == nil && ld.err == nil {
		ld.err = fmt.Errorf("%s: the tensor output_norm.weight is missing", ld.f.Name())
	}
	for i, p := range h.ropes {
		var factors []float32
		if name := ropeFactors(func(n string) bool { return has(ld.f, n) }, p, ld.context); name != "" && i == 0 {
			factors = ld.now(name, p.dims/2)
		}
		w.ropes = append(w.ropes, newRopeTable(p, factors))
	}
	for l := range h.layers {
		w.layers = append(w.layers, layerWeights{})
		if ld.err != nil {
			return w
		}
		ld.prefix, ld.layer = fmt.Sprintf("blk.%d.", l), l
		ld.attention(&w.layers[l])
		ld.block(&w.layers[l])
	}
	ld.prefix = ""
	return w
}

func (ld *loader) attention(lw *layerWeights) {
	h := ld.h
	qDim, kvDim := h.heads*h.headDim, h.kvHeads*h.headDim
	lw.attnNorm = ld.norm("attn_norm_2", h.dim) // Falcon 40B's second norm is attention's
	if lw.attnNorm == nil || lw.attnNorm.weight == nil {
		lw.attnNorm = ld.norm("attn_norm", h.dim)
	}
	if ld.has("attn_qkv.weight") {
		all := qDim + 2*kvDim
		lw.q = ld.part("attn_qkv", 0, qDim, all, h.dim)
		lw.k = ld.part("attn_qkv", qDim, kvDim, all, h.dim)
		lw.v = ld.part("attn_qkv", qDim+kvDim, kvDim, all, h.dim)
	} else {
		lw.q = ld.linear("attn_q", qDim, h.dim)
		lw.k = ld.linear("attn_k", kvDim, h.dim)
		lw.v = ld.linear("attn_v", kvDim, h.dim)
	}
	lw.qNorm = ld.headNorm("attn_q_norm", h.heads)
	lw.kNorm = ld.headNorm("attn_k_norm", h.kvHeads)
	if lw.qNorm != nil && lw.qNorm.whole && lw.kNorm != nil {
		lw.kNorm.whole = true // with one key head the shape does not tell
	}
	lw.sinks = ld.optional("attn_sinks.weight", h.heads)
	if ld.has("attn_sub_norm.weight") {
		lw.subNorm = ld.norm("attn_sub_norm", qDim)
	}
	lw.out = ld.linear("attn_output", h.dim, qDim)
	if h.postNorms {
		lw.postAttn = ld.norm("post_attention_norm", h.dim)
		lw.postFFN = ld.norm("post_ffw_norm", h.dim)
	}
}

// block plans what follows attention.
func (ld *loader) block(lw *layerWeights) {
	h := ld.h
	switch {
	case ld.has("ffn_norm.weight"):
		lw.ffnNorm = ld.norm("ffn_norm", h.dim)
	case !h.postNorms && ld.has("post_attention_norm.weight"):
		lw.ffnNorm = ld.norm("post_attention_norm", h.dim)
	case h.parallel:
		lw.ffnNorm = ld.norm("attn_norm", h.dim)
	default:
		lw.ffnNorm = ld.norm("ffn_norm", h.dim)
	}
	if !ld.has("ffn_gate_inp.weight") {
		lw.ffn = ld.feedForward("", h.ff, ld.predictor && !ld.without[ld.layer])
		return
	}
	if lw.router = ld.linear("ffn_gate_inp", h.experts, h.dim); ld.err != nil {
		return // experts divides by their number
	}
	lw.selection = ld.optional("exp_probs_b.bias", h.experts)
	lw.experts = ld.experts()
	if ld.has("ffn_up_shexp.weight") {
		lw.shared = ld.feedForward("_shexp", ld.rowsOf("ffn_up_shexp.weight"), false)
		lw.sharedGate = ld.optional("ffn_gate_inp_shexp.weight", h.dim)
	}
}

// feedForward plans one FFN of ff neurons whose tensors' names end in suffix.
func (ld *loader) feedForward(suffix string, ff int, predictor bool) *feedForward {
	h, f := ld.h, &feedForward{}
	gate, up, down := "ffn_gate"+suffix, "ffn_up"+suffix, "ffn_down"+suffix
	if g := ld.neurons[ld.layer]; g != nil && suffix == "" {
		ld.byNeuron(f, g)
		switch {
		case predictor && h.hasPredictor:
			ld.predictorOf(f, ff)
		case predictor:
			ld.sketchOf(f, g)
		}
		return f
	}
	switch {
	case !h.activation.gated():
		f.up = ld.linear(up, ff, h.dim)
	case ld.has(gate + ".weight"):
		f.gate, f.up = ld.linear(gate, ff, h.dim), ld.linear(up, ff, h.dim)
	default: // merged, gate first
		f.gate, f.up = ld.part(up, 0, ff, 2*ff, h.dim), ld.part(up, ff, ff, 2*ff, h.dim)
	}
	if ld.has("ffn_sub_norm.weight") {
		f.subNorm = ld.norm("ffn_sub_norm", ff)
	}
	if ld.has(down + "_t.weight") {
		ld.rows(&f.downRows, down+"_t.weight", 0, ff, ff, h.dim)
		f.down.bias, f.down.scale = ld.optional(down+".bias", h.dim), 1
	} else {
		f.down = ld.linear(down, h.dim, ff)
	}
	if predictor {
		ld.predictorOf(f, ff)
	}
	return f
}

// predictorOf plans PowerInfer's predictor of the layer's FFN.
func (ld *loader) predictorOf(f *feedForward, ff int) {
	rank := ld.rowsOf("fc1.weight")
	ld.panels(&f.predict1, "fc1.weight", 0, rank, rank, ld.h.dim)
	if job := ld.panels(&f.predict2, "fc2.weight", 0, ff, ff, rank); job != nil && f.neurons != nil {
		job.order = f.neurons.group.Order
	}
}

// experts plans the routed experts of a layer: three tensors that hold all of them, or in old files one tensor each.
func (ld *loader) experts() []*feedForward {
	h := ld.h
	list := make([]*feedForward, h.experts)
	if !ld.has("ffn_up_exps.weight") {
		for e := range list {
			list[e] = ld.feedForward(fmt.Sprintf(".%d", e), h.ff, false)
		}
		return list
	}
	t, _ := ld.f.Tensor(ld.prefix + "ffn_up_exps.weight")
	ff := int(t.Rows()) / h.experts
	gateBias := ld.optional("ffn_gate_exps.bias", ff, h.experts)
	upBias := ld.optional("ffn_up_exps.bias", ff, h.experts)
	downBias := ld.optional("ffn_down_exps.bias", h.dim, h.experts)
	down, _ := ld.f.Tensor(ld.prefix + "ffn_down_exps.weight")
	// A row per neuron, as SmallThinker's converter can write it. Of a square matrix the shape does not tell: that is taken for the usual order.
	byNeuron := int(down.Cols()) == h.dim && ff != h.dim
	for e := range list {
		f := &feedForward{}
		if h.activation.gated() {
			f.gate = ld.slice("ffn_gate_exps.weight", e, ff, h.dim, gateBias)
		}
		f.up = ld.slice("ffn_up_exps.weight", e, ff, h.dim, upBias)
		if byNeuron {
			ld.rows(&f.downRows, "ffn_down_exps.weight", e*ff, ff, h.experts*ff, h.dim)
			f.down.scale = 1
			if downBias != nil {
				f.down.bias = downBias[e*h.dim : (e+1)*h.dim]
			}
		} else {
			f.down = ld.slice("ffn_down_exps.weight", e, h.dim, ff, downBias)
		}
		list[e] = f
	}
	return list
}
