package infer

import (
	"fmt"
	"sort"

	"hotcell/models/gguf"
)

// This file is the oracle: a forward pass in plain float32, from the tensors of the file to logits, with no SIMD, no threads, no cache of keys and
// values, and weights widened to float32 on the heap. It computes a whole prompt layer by layer and reads from top to bottom. Every fast path is
// tested against it.

// Reference computes the logits of every token of a prompt: result [len(tokens)][vocab]. context is the number of positions of the run that it stands
// for (0: that of the training), which some models' rotations depend on. It needs four bytes of memory per weight of one layer.
func Reference(f *gguf.File, tokens []int32, context int, mode Mode) ([][]float32, error) {
	h, err := readHparams(f)
	if err != nil {
		return nil, err
	}
	if err := h.checkTokens(tokens); err != nil {
		return nil, err
	}
	if context == 0 {
		context = h.context
	}
	m := reference{h: h, f: f, context: context, predicted: mode.predicted(h) && h.hasPredictor}
	x := m.embed(tokens) // [tokens][dim], the residual stream
	for l := range h.layers {
		m.layer = l
		routed := m.copies(x) // what an early router reads
		a := m.attention(m.preNorm(x, "attn_norm_2.weight", "attn_norm.weight"))
		if !h.parallel {
			m.addTo(x, a)
		}
		normed := m.ffnInput(x)
		if !h.routeEarly {
			routed = normed
		}
		y := m.ffn(x, normed, routed)
		if h.parallel {
			m.addTo(x, a)
		}
		m.addTo(x, y)
	}
	return m.head(x), m.err
}

type reference struct {
	h         *hparams
	f         *gguf.File
	context   int
	predicted bool
	layer     int
	err       error // the first; tensors read after it are zero
}

// embed looks up the tokens' rows, and adds those of their positions where these are learned: [tokens][dim].
func (m *reference) embed(tokens []int32) [][]float32 {
	table := m.matrix("token_embd.weight", m.h.vocab, m.h.dim)
	x := make([][]float32, len(tokens))
	for t, id := range tokens {
		x[t] = append([]float32(nil), table[id]...)
		scale(x[t], m.h.embeddingScale)
	}
	if p, ok := m.f.Tensor("position_embd.weight"); ok && int(p.Rows()) >= len(tokens) {
		learned := m.matrix("position_embd.weight", int(p.Rows()), m.h.dim)
		m.addTo(x, learned[:len(tokens)])
	}
	return x
}

// attention is Wo . softmax(q.k * scale) v of a [tokens][dim], every token looking at itself and those before it.
func (m *reference) attention(a [][]float32) [][]float32 {
	h := m.h
	qDim, kvDim := h.heads*h.headDim, h.kvHeads*h.headDim
	var q, k, v [][]float32 // [tokens][qDim], [tokens][kvDim]
	if m.has("attn_qkv.weight") {
		for _, row := range m.linear("attn_qkv", qDim+2*kvDim, a) {
			q, k, v = append(q, row[:qDim]), append(k, row[qDim:qDim+kvDim]), append(v, row[qDim+kvDim:])
		}
	} else {
		q, k, v = m.linear("attn_q", qDim, a), m.linear("attn_k", kvDim, a), m.linear("attn_v", kvDim, a)
	}
	for t := range a {
		clamp(q[t], h.clampQKV)
		clamp(k[t], h.clampQKV)
		clamp(v[t], h.clampQKV)
	}
	m.headNorm("attn_q_norm.weight", q)
	m.headNorm("attn_k_norm.weight", k)
	m.rotate(q)
	m.rotate(k)

	sinks := m.optional("attn_sinks.weight", h.heads)
	out := make([][]float32, len(a)) // [tokens][qDim]
	for t := range a {
		out[t] = make([]float32, qDim)
		first := h.perLayer[m.layer].first(t)
		for i := range h.heads {
			kv := i / (h.heads / h.kvHeads) * h.headDim // where this head's group lies in keys and values
			weights := make([]float32, t+1-first)
			for s := range weights {
				for d := range h.headDim {
					weights[s] += q[t][i*h.headDim+d] * k[first+s][kv+d]
				}
				weights[s] = softCap(weights[s]*h.attentionScale*h.temperatureAt(t), h.attentionCap)
			}
			if sinks != nil {
				softmaxWithSink(weights, sinks[i])
			} else {
				softmax(weights)
			}
			for s, w := range weights {
				for d := range h.headDim {
					out[t][i*h.headDim+d] += w * v[first+s][kv+d]
				}
			}
		}
	}
	m.norm(out, "attn_sub_norm.weight")
	y := m.linear("attn_output", h.dim, out)
	return m.after(y, "post_attention_norm.weight")
}

// headNorm normalises queries or keys [tokens][heads*headDim] with weights for all heads as one vector, for each head, or one for every head.
func (m *reference) headNorm(name string, x [][]float32) {
	t, ok := m.tensorOf(name)
	if !ok {
		return
	}
	weight := m.optional(name, int(t.Elements()))
	for _, row := range x {
		if len(t.Dims) == 1 && len(weight) > m.h.headDim {
			(&norm{m.h.norm, m.h.eps, weight, nil}).apply(row, row)
			continue
		}
		for i := 0; i < len(row); i += m.h.headDim {
			head := row[i : i+m.h.headDim]
			(&norm{m.h.norm, m.h.eps, weight[i%len(weight):][:m.h.headDim], nil}).apply(head, head)
		}
	}
}

// rotate turns every head of queries or keys by its token's position.
func (m *reference) rotate(x [][]float32) {
	r := m.h.perLayer[m.layer].rope
	if r == noRope {
		return
	}
	p := m.h.ropes[r]
	var factors []float32
	if name := ropeFactors(func(n string) bool { return has(m.f, n) }, p, m.context); name != "" && r == 0 {
		factors = m.tensor(name, 1, p.dims/2)
	}
	table, turns := newRopeTable(p, factors), make([]float32, p.dims)
	for t := range x {
		table.at(t, turns)
		for i := 0; i < len(x[t]); i += m.h.headDim {
			table.rotate(x[t][i:i+m.h.headDim], turns)
		}
	}
}

// ffnInput is what the FFN reads: x through its own norm, in parallel blocks without one through attention's.
func (m *reference) ffnInput(x [][]float32) [][]float32 {
	switch {
	case !m.h.postNorms && !m.has("ffn_norm.weight") && m.has("post_attention_norm.weight"):
		return m.preNorm(x, "post_attention_norm.weight")
	case m.h.parallel && !m.has("ffn_norm.weight"):
		return m.preNorm(x, "attn_norm.weight")
	}
	return m.preNorm(x, "ffn_norm.weight")
}

// ffn is the feed-forward block of a [tokens][dim], dense or of experts. x is the residual, which the predictor reads; routed is what the router reads.
func (m *reference) ffn(x, a, routed [][]float32) [][]float32 {
	if !m.has("ffn_gate_inp.weight") {
		y := m.expert(a, x, m.h.ff, "ffn_gate.weight", "ffn_up.weight", "ffn_down.weight", 0, 1)
		return m.after(y, "post_ffw_norm.weight")
	}
	y := make([][]float32, len(a))
	for t := range y {
		y[t] = make([]float32, m.h.dim)
	}
	chosen := m.route(routed) // [tokens][experts] weights, 0: not chosen
	up, ok := m.tensorOf("ffn_up_exps.weight")
	ff := int(up.Rows()) / m.h.experts
	for e := range m.h.experts {
		var out [][]float32
		if ok {
			out = m.expert(a, x, ff, "ffn_gate_exps.weight", "ffn_up_exps.weight", "ffn_down_exps.weight", e, m.h.experts)
		} else {
			n := func(s string) string { return fmt.Sprintf("%s.%d.weight", s, e) }
			out = m.expert(a, x, m.h.ff, n("ffn_gate"), n("ffn_up"), n("ffn_down"), 0, 1)
		}
		for t := range y {
			for d, v := range out[t] {
				y[t][d] += chosen[t][e] * v
			}
		}
	}
	if shared, ok := m.tensorOf("ffn_up_shexp.weight"); ok {
		out := m.expert(a, x, int(shared.Rows()), "ffn_gate_shexp.weight", "ffn_up_shexp.weight", "ffn_down_shexp.weight", 0, 1)
		gate := m.optional("ffn_gate_inp_shexp.weight", m.h.dim)
		for t := range out {
			if gate != nil {
				scale(out[t], logistic(product([][]float32{gate}, a[t])[0]))
			}
		}
		m.addTo(y, out)
	}
	return m.after(y, "post_ffw_norm.weight")
}

// route weighs the experts for each token: [tokens][experts].
func (m *reference) route(x [][]float32) [][]float32 {
	h := m.h
	selection := m.optional("exp_probs_b.bias", h.experts)
	weights := m.linear("ffn_gate_inp", h.experts, x)
	for t, probs := range weights {
		switch h.gating {
		case softmaxAll:
			softmax(probs)
		case sigmoid:
			for i, v := range probs {
				probs[i] = logistic(v)
			}
		}
		order := make([]int, h.experts)
		for i := range order {
			order[i] = i
		}
		score := func(i int) float32 {
			if selection != nil {
				return probs[i] + selection[i]
			}
			return probs[i]
		}
		sort.SliceStable(order, func(a, b int) bool { return score(order[a]) > score(order[b]) })
		best := make([]float32, h.expertsUsed)
		for k := range best {
			best[k] = probs[order[k]]
		}
		if h.gating == softmaxChosen {
			softmax(best)
		}
		var sum float32
		for _, v := range best {
			sum += v
		}
		weights[t] = make([]float32, h.experts)
		for k, v := range best {
			if h.renormalise && sum != 0 {
				v /= sum
			}
			weights[t][order[k]] = v * h.expertScale
		}
	}
	return weights
}

// expert is down . act(gate . a, up . a) with matrix e of tensors that hold n of them.
func (m *reference) expert(a, x [][]float32, ff int, gateName, upName, downName string, e, n int) [][]float32 {
	h := m.h
	var g, u [][]float32 // [tokens][ff]
	switch {
	case !h.activation.gated():
		u = m.slice(upName, e, n, ff, h.dim, a)
		g = u
	case m.has(gateName):
		g, u = m.slice(gateName, e, n, ff, h.dim, a), m.slice(upName, e, n, ff, h.dim, a)
	default: // merged, gate first
		for _, row := range m.slice(upName, e, n, 2*ff, h.dim, a) {
			g, u = append(g, row[:ff]), append(u, row[ff:])
		}
	}
	for t := range u {
		for i := range u[t] {
			u[t][i] = h.activation.apply(g[t][i], u[t][i])
		}
	}
	if m.predicted {
		m.dropUnpredicted(x, u)
	}
	m.norm(u, "ffn_sub_norm.weight")

	down, ok := m.tensorOf(downName)
	switch {
	case !ok && m.has("ffn_down_t.weight"):
		return m.products(transpose(m.matrix(m.name("ffn_down_t.weight"), ff, h.dim)), u, "ffn_down.bias", 0, 1)
	case n > 1 && int(down.Cols()) == h.dim && ff != h.dim: // a row per neuron
		rows := m.matrix(m.name(downName), n*ff, h.dim)[e*ff : (e+1)*ff]
		return m.products(transpose(rows), u, biasName(downName), e, n)
	}
	return m.slice(downName, e, n, h.dim, ff, u)
}

// dropUnpredicted sets activations to zero whose predicted score is below the threshold, as PowerInfer does: fc2 . relu(fc1 . x) with x the
// residual before the norm.
func (m *reference) dropUnpredicted(x, activations [][]float32) {
	t, _ := m.tensorOf("fc1.weight")
	rank := int(t.Rows())
	fc1, fc2 := m.matrix(m.name("fc1.weight"), rank, m.h.dim), m.matrix(m.name("fc2.weight"), m.h.ff, rank)
	for t := range x {
		hidden := product(fc1, x[t])
		for i := range hidden {
			hidden[i] = max(hidden[i], 0)
		}
		for i, score := range product(fc2, hidden) {
			if score < m.h.threshold {
				activations[t][i] = 0
			}
		}
	}
}

// head turns the residual stream into logits [tokens][vocab]; a file without an output matrix uses the embedding.
func (m *reference) head(x [][]float32) [][]float32 {
	m.layer = -1
	weight, bias := m.optional("output_norm.weight", m.h.dim), m.optional("output_norm.bias", m.h.dim)
	n := norm{m.h.norm, m.h.eps, weight, bias}
	for t := range x {
		n.apply(x[t], x[t])
	}
	name := "output.weight"
	if _, ok := m.f.Tensor(name); !ok || m.h.tied {
		name = "token_embd.weight"
	}
	logits := m.products(m.matrix(name, m.h.vocab, m.h.dim), x, "output.bias", 0, 1)
	for _, row := range logits {
		scale(row, m.h.logitScale)
		for i, v := range row {
			row[i] = softCap(v, m.h.logitCap)
		}
	}
	return logits
}

// preNorm is the first of the named norms that the file has, of every row; rows without any pass unchanged, unless the family's norms have no weights.
func (m *reference) preNorm(x [][]float32, names ...string) [][]float32 {
	y := m.copies(x)
	for _, name := range names {
		if m.has(name) {
			m.norm(y, name)
			return y
		}
	}
	if m.h.bareNorms {
		for _, row := range y {
			(&norm{kind: m.h.norm, eps: m.h.eps}).apply(row, row)
		}
	}
	return y
}

// norm normalises rows in place by a norm that the file may lack.
func (m *reference) norm(x [][]float32, name string) {
	if !m.has(name) {
		return
	}
	n := norm{m.h.norm, m.h.eps, m.optional(name, len(x[0])), m.optional(biasName(name), len(x[0]))}
	for _, row := range x {
		n.apply(row, row)
	}
}

// after finishes a block's result: the norm that follows it in some families, and the scale with which it enters the residual.
func (m *reference) after(y [][]float32, name string) [][]float32 {
	if m.h.postNorms {
		m.norm(y, name)
	}
	for _, row := range y {
		scale(row, m.h.residualScale)
	}
	return y
}

// linear is W x + b for every row of x.
func (m *reference) linear(name string, rows int, x [][]float32) [][]float32 {
	return m.slice(name+".weight", 0, 1, rows, len(x[0]), x)
}

// slice is linear with matrix e of a tensor that holds n of them.
func (m *reference) slice(name string, e, n, rows, cols int, x [][]float32) [][]float32 {
	w := m.matrix(m.name(name), n*rows, cols)[e*rows : (e+1)*rows]
	y := m.products(w, x, biasName(name), e, n)
	if s := m.optional(name[:len(name)-len("weight")]+"scale", 1); s != nil { // one scale per tensor, before the bias (BitNet has none)
		for _, row := range y {
			scale(row, s[0])
		}
	}
	return y
}

// products is W x for every row of x, plus part e of n of a bias that the file may lack.
func (m *reference) products(w, x [][]float32, bias string, e, n int) [][]float32 {
	b := m.optional(bias, n*len(w))
	y := make([][]float32, len(x))
	for t := range x {
		y[t] = product(w, x[t])
		if b != nil {
			add(y[t], b[e*len(w):(e+1)*len(w)])
		}
	}
	return y
}

func biasName(weight string) string { return weight[:len(weight)-len("weight")] + "bias" }

// name is a tensor's full name: the head's tensors have no layer.
func (m *reference) name(tensor string) string {
	if m.layer < 0 {
		return tensor
	}
	return fmt.Sprintf("blk.%d.%s", m.layer, tensor)
}

func (m *reference) tensorOf(name string) (gguf.Tensor, bool) { return m.f.Tensor(m.name(name)) }

func (m *reference) has(name string) bool { return has(m.f, m.name(name)) }

// optional reads n values of a tensor that may be absent (nil).
func (m *reference) optional(name string, n int) []float32 {
	t, ok := m.tensorOf(name)
	if !ok {
		return nil
	}
	rows := int(t.Rows())
	return m.tensor(m.name(name), rows, n/max(1, rows))
}

// matrix reads a tensor as [rows][cols].
func (m *reference) matrix(name string, rows, cols int) [][]float32 {
	w := make([][]float32, rows)
	flat := m.tensor(name, rows, cols)
	for r := range w {
		w[r] = flat[r*cols:][:cols]
	}
	return w
}

func (m *reference) tensor(name string, rows, cols int) []float32 {
	t, err := findTensor(m.f, name, rows, cols)
	out := make([]float32, rows*cols)
	if err == nil {
		raw := make([]byte, t.Size)
		if err = m.f.ReadTensor(t, raw, 0); err == nil {
			err = gguf.Dequantize(t.Type, out, raw)
		}
	}
	if err != nil && m.err == nil {
		m.err = err
	}
	return out
}

// product is W x: [rows].
func product(w [][]float32, x []float32) []float32 {
	y := make([]float32, len(w))
	for r, row := range w {
		for c, v := range row {
			y[r] += v * x[c]
		}
	}
	return y
}

func transpose(w [][]float32) [][]float32 {
	t := make([][]float32, len(w[0]))
	for c := range t {
		t[c] = make([]float32, len(w))
		for r := range w {
			t[c][r] = w[r][c]
		}
	}
	return t
}

// copies is x in memory of its own.
func (m *reference) copies(x [][]float32) [][]float32 {
	y := make([][]float32, len(x))
	for t := range x {
		y[t] = append([]float32(nil), x[t]...)
	}
	return y
}

// addTo is x += y, row by row.
func (m *reference) addTo(x, y [][]float32) {
	for t := range x {
		add(x[t], y[t])
	}
}
