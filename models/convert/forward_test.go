package convert

import (
	"fmt"
	"math"
	"sort"
)

// This file computes a model as Hugging Face's code does, in float64, from the tensors
// of a folder: rotations turn the two halves of a head, weights are [out][in].

type hf struct {
	f                    *folder
	heads, kv, headDim   int
	inverse              []float64 // [headDim/2] frequencies
	magnitude            float64   // of rotated vectors
	drelu, relu, predict bool
	threshold            float64
}

func (m *hf) row(name string, i int) []float64 {
	t, ok := m.f.tensors[name]
	if !ok {
		return nil
	}
	n := t.shape[len(t.shape)-1]
	out := make([]float64, n)
	for j := range out {
		out[j] = float64(t.data[i*n+j])
	}
	return out
}

func (m *hf) linear(name string, x []float64) []float64 {
	out := make([]float64, m.f.tensors[name+".weight"].shape[0])
	bias := m.row(name+".bias", 0)
	for i := range out {
		for j, w := range m.row(name+".weight", i) {
			out[i] += w * x[j]
		}
		if bias != nil {
			out[i] += bias[i]
		}
	}
	return out
}

func (m *hf) norm(name string, x []float64) []float64 {
	var sum float64
	for _, v := range x {
		sum += v * v
	}
	out, w := make([]float64, len(x)), m.row(name, 0)
	for i, v := range x {
		out[i] = v / math.Sqrt(sum/float64(len(x))+1e-5) * w[i]
	}
	return out
}

// rotate is rotate_half: value i of a head goes with value i + headDim/2.
func (m *hf) rotate(x []float64, pos int) {
	half := m.headDim / 2
	for h := 0; h < len(x); h += m.headDim {
		for i, f := range m.inverse {
			sin, cos := math.Sincos(float64(pos) * f)
			a, b := x[h+i], x[h+i+half]
			x[h+i] = (a*cos - b*sin) * m.magnitude
			x[h+i+half] = (b*cos + a*sin) * m.magnitude
		}
	}
}

func (m *hf) headNorms(name string, x []float64) {
	if _, ok := m.f.tensors[name]; ok {
		for h := 0; h < len(x); h += m.headDim {
			copy(x[h:], m.norm(name, x[h:h+m.headDim]))
		}
	}
}

func (m *hf) logits(tokens []int32) [][]float64 {
	x := make([][]float64, len(tokens))
	for t, id := range tokens {
		x[t] = m.row("model.embed_tokens.weight", int(id))
	}
	for l := range 2 {
		p := fmt.Sprintf("model.layers.%d.", l)
		var q, k, v [][]float64
		for t := range x {
			a := m.norm(p+"input_layernorm.weight", x[t])
			q, k, v = append(q, m.linear(p+"self_attn.q_proj", a)), append(k, m.linear(p+"self_attn.k_proj", a)), append(v, m.linear(p+"self_attn.v_proj", a))
			m.headNorms(p+"self_attn.q_norm.weight", q[t])
			m.headNorms(p+"self_attn.k_norm.weight", k[t])
			m.rotate(q[t], t)
			m.rotate(k[t], t)
		}
		for t := range x {
			out := make([]float64, m.heads*m.headDim)
			for h := range m.heads {
				g := h / (m.heads / m.kv) * m.headDim
				var sum float64
				weights := make([]float64, t+1)
				for s := range weights {
					for d := range m.headDim {
						weights[s] += q[t][h*m.headDim+d] * k[s][g+d]
					}
					weights[s] = math.Exp(weights[s] / math.Sqrt(float64(m.headDim)))
					sum += weights[s]
				}
				for s, w := range weights {
					for d := range m.headDim {
						out[h*m.headDim+d] += w / sum * v[s][g+d]
					}
				}
			}
			for i, y := range m.linear(p+"self_attn.o_proj", out) {
				x[t][i] += y
			}
			for i, y := range m.ffn(p, x[t]) {
				x[t][i] += y
			}
		}
	}
	head := "lm_head"
	if _, ok := m.f.tensors["lm_head.weight"]; !ok {
		head = "model.embed_tokens"
	}
	for t := range x {
		x[t] = m.linear(head, m.norm("model.norm.weight", x[t]))
	}
	return x
}

func (m *hf) ffn(p string, x []float64) []float64 {
	a := m.norm(p+"post_attention_layernorm.weight", x)
	for block, names := range map[string][3]string{"block_sparse_moe.": {"w1", "w3", "w2"}, "mlp.": {"gate_proj", "up_proj", "down_proj"}} {
		if _, ok := m.f.tensors[p+block+"gate.weight"]; ok {
			return m.experts(p+block, names, a)
		}
	}
	return m.neurons(p+"mlp.", [3]string{"gate_proj", "up_proj", "down_proj"}, a, x)
}

// neurons is one FFN. The predictor reads the residual x.
func (m *hf) neurons(p string, names [3]string, a, x []float64) []float64 {
	gate, up := m.linear(p+names[0], a), m.linear(p+names[1], a)
	var score []float64
	if m.predict {
		hidden := m.linear(p+"predictor.fc1", x)
		for i, v := range hidden {
			hidden[i] = max(v, 0)
		}
		score = m.linear(p+"predictor.fc2", hidden)
	}
	for i, g := range gate {
		switch {
		case score != nil && score[i] < m.threshold:
			up[i] = 0
		case m.drelu:
			up[i] = max(g, 0) * max(up[i], 0)
		case m.relu:
			up[i] *= max(g, 0)
		default:
			up[i] *= g / (1 + math.Exp(-g))
		}
	}
	return m.linear(p+names[2], up)
}

// experts routes to the two best experts, whose weights are made to sum to one.
func (m *hf) experts(p string, names [3]string, a []float64) []float64 {
	logits := m.linear(p+"gate", a)
	order := make([]int, len(logits))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(i, j int) bool { return logits[order[i]] > logits[order[j]] })
	var sum float64
	for _, e := range order[:2] {
		sum += math.Exp(logits[e])
	}
	out := make([]float64, tinyDim)
	for _, e := range order[:2] {
		for i, y := range m.neurons(fmt.Sprintf("%sexperts.%d.", p, e), names, a, nil) {
			out[i] += math.Exp(logits[e]) / sum * y
		}
	}
	return out
}
