package infer

import "hotcell/infer/kernel"

// work is what products with weights take.
type work struct {
	bytes       float64 // of weights, each read once
	int8, float float64 // multiplications and additions for one token, with 8-bit and with float32 activations
}

func (w *work) add(share float64, matrices ...*kernel.Matrix) {
	for _, m := range matrices {
		w.bytes += share * float64(len(m.Data))
		operations := share * 2 * float64(m.Rows) * float64(m.Cols)
		if m.Format.Quantized() {
			w.int8 += operations
		} else {
			w.float += operations
		}
	}
}

// modelWork is what a model takes for a token. Attention's products with keys and values are not part of it, nor norms and activations: they
// are small against the weights, but at a long context.
type modelWork struct {
	layers  work // of experts only those that a token uses
	neurons work // down matrices by rows, of which only active neurons' are used
	head    work // the output matrix, for tokens whose logits are wanted
}

// work adds up the model's matrices.
func (e *engine) work() (m modelWork) {
	for l := range e.w.layers {
		lw := &e.w.layers[l]
		m.layers.add(1, &lw.q.Matrix, &lw.k.Matrix, &lw.v.Matrix, &lw.out.Matrix, &lw.router.Matrix)
		m.feedForward(1, lw.ffn, e.predicted)
		m.feedForward(1, lw.shared, false)
		for _, f := range lw.experts {
			m.feedForward(float64(e.h.expertsUsed)/float64(e.h.experts), f, false)
		}
	}
	m.head.add(1, &e.w.output.Matrix)
	return m
}

func (m *modelWork) feedForward(share float64, f *feedForward, predicted bool) {
	if f == nil {
		return
	}
	m.layers.add(share, &f.gate.Matrix, &f.up.Matrix, &f.down.Matrix)
	if predicted {
		m.layers.add(share, &f.predict1, &f.predict2)
	}
	m.neurons.bytes += share * float64(len(f.downRows.Data))
	m.neurons.float += share * 2 * float64(f.downRows.N) * float64(f.downRows.Cols)
}

// readPerToken is how many bytes of weights are read for one token by itself, when that share of the neurons is active.
func (m *modelWork) readPerToken(activeShare float64) float64 {
	return m.layers.bytes + m.head.bytes + activeShare*m.neurons.bytes
}

// operations are the multiplications and additions for a prompt of n tokens, of which the last one's logits are wanted.
func (m *modelWork) operations(n int, activeShare float64) (int8, float float64) {
	tokens := float64(n)
	int8 = tokens*m.layers.int8 + m.head.int8
	float = tokens*(m.layers.float+activeShare*m.neurons.float) + m.head.float
	return int8, float
}

// attentionBytes is how many bytes of keys and values are read for n tokens that are computed one at a time from a position on.
func (e *engine) attentionBytes(pos, n int) float64 {
	seen := 0
	for _, layer := range e.h.perLayer {
		for p := pos; p < pos+n; p++ {
			seen += p + 1 - layer.first(p)
		}
	}
	return float64(seen) * float64(e.kv.kvHeads*e.kv.position)
}
