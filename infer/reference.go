package infer

import (
	"fmt"
	"math"

	"hotcell/models/gguf"
)

// This file is the oracle: a forward pass in plain float32, from the tensors of the file to logits, with no SIMD, no
// threads, no cache of keys and values, and weights widened to float32 and kept on the heap. It computes all tokens of a prompt layer by layer and
// reads from top to bottom. Every fast path is tested against it.

// Reference computes the logits of every token of a prompt: result [len(tokens)][vocab]. It needs four bytes of memory per weight of one layer.
func Reference(f *gguf.File, tokens []int32, mode Mode) ([][]float32, error) {
	h, err := readHparams(f)
	if err != nil {
		return nil, err
	}
	if err := h.checkTokens(tokens); err != nil {
		return nil, err
	}
	m := reference{h: h, f: f, predicted: mode.predicted(h) && h.hasPredictor}
	x := m.embed(tokens) // [tokens][dim], the residual stream
	for l := range h.layers {
		m.layer = l
		m.attention(x)
		m.ffn(x)
	}
	logits := m.head(x)
	return logits, m.err
}

type reference struct {
	h         *hparams
	f         *gguf.File
	predicted bool
	layer     int
	err       error // the first; tensors read after it are zero
}

// embed looks up the tokens' rows: [tokens][dim].
func (m *reference) embed(tokens []int32) [][]float32 {
	table := m.matrix("token_embd.weight", m.h.vocab, m.h.dim)
	x := make([][]float32, len(tokens))
	for t, id := range tokens {
		x[t] = append([]float32(nil), table[id]...)
	}
	return x
}

// attention adds Wo . softmax(q.k / sqrt(headDim)) v to x, every token looking at itself and those before it.
func (m *reference) attention(x [][]float32) {
	h := m.h
	qDim, kvDim := h.heads*h.headDim, h.kvHeads*h.headDim
	norm := m.vector(m.name("attn_norm.weight"), h.dim)
	wq, bq := m.matrix(m.name("attn_q.weight"), qDim, h.dim), m.bias(m.name("attn_q.bias"), qDim)
	wk, bk := m.matrix(m.name("attn_k.weight"), kvDim, h.dim), m.bias(m.name("attn_k.bias"), kvDim)
	wv, bv := m.matrix(m.name("attn_v.weight"), kvDim, h.dim), m.bias(m.name("attn_v.bias"), kvDim)
	wo, bo := m.matrix(m.name("attn_output.weight"), h.dim, qDim), m.bias(m.name("attn_output.bias"), h.dim)
	rope := newRopeTable(h.rope, m.bias("rope_freqs.weight", h.rope.dims/2))
	turns := make([]float32, h.rope.dims)

	keys, values := make([][]float32, len(x)), make([][]float32, len(x)) // [tokens][kvDim]
	for t := range x {
		a := rmsNorm(x[t], norm, h.eps)
		q := add(product(wq, a), bq)
		keys[t] = add(product(wk, a), bk)
		values[t] = add(product(wv, a), bv)
		rope.at(t, turns)
		for i := range h.heads {
			rotate(q[i*h.headDim:][:h.headDim], turns)
		}
		for i := range h.kvHeads {
			rotate(keys[t][i*h.headDim:][:h.headDim], turns)
		}

		out := make([]float32, qDim)
		for i := range h.heads {
			kv := i / (h.heads / h.kvHeads) * h.headDim // where this head's group lies in keys and values
			weights := make([]float32, t+1)
			for s := range weights {
				for d := range h.headDim {
					weights[s] += q[i*h.headDim+d] * keys[s][kv+d]
				}
				weights[s] *= h.attentionScale
			}
			softmax(weights)
			for s, w := range weights {
				for d := range h.headDim {
					out[i*h.headDim+d] += w * values[s][kv+d]
				}
			}
		}
		x[t] = add(x[t], add(product(wo, out), bo)) // later tokens read keys and values only, so x may change here
	}
}

// ffn adds Wdown . act(Wgate a, Wup a) to x.
func (m *reference) ffn(x [][]float32) {
	h := m.h
	norm := m.vector(m.name("ffn_norm.weight"), h.dim)
	gate, gateBias := m.matrix(m.name("ffn_gate.weight"), h.ff, h.dim), m.bias(m.name("ffn_gate.bias"), h.ff)
	up, upBias := m.matrix(m.name("ffn_up.weight"), h.ff, h.dim), m.bias(m.name("ffn_up.bias"), h.ff)
	downBias := m.bias(m.name("ffn_down.bias"), h.dim)
	var down [][]float32 // [dim][ff]
	if h.downByNeuron {
		down = transpose(m.matrix(m.name("ffn_down_t.weight"), h.ff, h.dim))
	} else {
		down = m.matrix(m.name("ffn_down.weight"), h.dim, h.ff)
	}
	var fc1, fc2 [][]float32 // the predictor: [rank][dim], [ff][rank]
	if m.predicted {
		fc1 = m.matrix(m.name("fc1.weight"), m.rank(), h.dim)
		fc2 = m.matrix(m.name("fc2.weight"), h.ff, m.rank())
	}
	for t := range x {
		a := rmsNorm(x[t], norm, h.eps)
		g, u := add(product(gate, a), gateBias), add(product(up, a), upBias)
		for i := range g {
			g[i] = h.activation.apply(g[i], u[i])
		}
		if m.predicted {
			hidden := product(fc1, x[t]) // of the residual before the norm
			for i := range hidden {
				hidden[i] = max(hidden[i], 0)
			}
			for i, score := range product(fc2, hidden) {
				if score < h.threshold {
					g[i] = 0
				}
			}
		}
		x[t] = add(x[t], add(product(down, g), downBias))
	}
}

// head turns the residual stream into logits [tokens][vocab]; a file without an output matrix uses the embedding.
func (m *reference) head(x [][]float32) [][]float32 {
	norm := m.vector("output_norm.weight", m.h.dim)
	name := "output.weight"
	if _, ok := m.f.Tensor(name); !ok {
		name = "token_embd.weight"
	}
	output := m.matrix(name, m.h.vocab, m.h.dim)
	logits := make([][]float32, len(x))
	for t := range x {
		logits[t] = product(output, rmsNorm(x[t], norm, m.h.eps))
	}
	return logits
}

func (m *reference) name(tensor string) string { return fmt.Sprintf("blk.%d.%s", m.layer, tensor) }

// rank is the width of the layer's predictor.
func (m *reference) rank() int {
	t, _ := m.f.Tensor(m.name("fc1.weight"))
	return int(t.Rows())
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

func (m *reference) vector(name string, n int) []float32 { return m.tensor(name, 1, n) }

// bias reads a vector that may be absent (nil).
func (m *reference) bias(name string, n int) []float32 {
	if _, ok := m.f.Tensor(name); !ok {
		return nil
	}
	return m.vector(name, n)
}

func (m *reference) tensor(name string, rows, cols int) []float32 {
	out := make([]float32, rows*cols)
	t, err := findTensor(m.f, name, rows, cols)
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

// rmsNorm is weight * x / sqrt(mean(x^2) + eps): a new slice.
func rmsNorm(x, weight []float32, eps float32) []float32 {
	out := make([]float32, len(x))
	rmsNormInto(out, x, weight, eps)
	return out
}

// rmsNormInto is rmsNorm to a given place; dst may be x.
func rmsNormInto(dst, x, weight []float32, eps float32) {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	scale := float32(1 / math.Sqrt(sum/float64(len(x))+float64(eps)))
	for i, v := range x {
		dst[i] = v * scale * weight[i]
	}
}

// softmax turns scores into weights that sum to 1, in place.
func softmax(x []float32) {
	top := x[0]
	for _, v := range x {
		top = max(top, v)
	}
	var sum float32
	for i, v := range x {
		x[i] = float32(math.Exp(float64(v - top)))
		sum += x[i]
	}
	for i := range x {
		x[i] /= sum
	}
}

// add is a + b: a changed in place; b may be nil.
func add(a, b []float32) []float32 {
	for i, v := range b {
		a[i] += v
	}
	return a
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
