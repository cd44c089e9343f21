package convert

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"hotcell/infer"
	"hotcell/models/gguf"
)

// plainRope are the frequencies of a head without scaling.
func plainRope(headDim int, base float64) []float64 {
	f := make([]float64, headDim/2)
	for i := range f {
		f[i] = math.Pow(base, -2*float64(i)/float64(headDim))
	}
	return f
}

func TestLogitsAreThoseOfTheSourceModel(t *testing.T) {
	mixtral := func(f *folder, c object) { c["num_local_experts"], c["num_experts_per_tok"] = 4, 2 }
	drelu := func(f *folder, c object) { c["hidden_act"] = "relu" }
	for _, test := range []struct {
		name, arch string
		change     func(*folder, object)
		model      func(*hf) // what differs from a plain Llama
		gguf       string
		powerInfer bool
	}{
		{name: "llama", arch: "LlamaForCausalLM", gguf: "llama"},
		{name: "llama in float32 and three shards", arch: "LlamaForCausalLM", gguf: "llama",
			change: func(f *folder, c object) { f.shards, f.dtype = 3, f32 }},
		{name: "llama in half precision, tied", arch: "LlamaForCausalLM", gguf: "llama",
			change: func(f *folder, c object) { f.dtype = f16; c["tie_word_embeddings"] = true }},
		{name: "llama with biases everywhere", arch: "LlamaForCausalLM", gguf: "llama",
			change: func(f *folder, c object) { c["attention_bias"], c["mlp_bias"] = true, true }},
		{name: "llama 3.1's rotation", arch: "LlamaForCausalLM", gguf: "llama",
			change: func(f *folder, c object) {
				c["rope_scaling"] = object{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32}
			},
			model: func(m *hf) {
				for i, f := range m.inverse {
					wave := 2 * math.Pi / f
					switch smooth := (32/wave - 1) / (4 - 1); {
					case wave > 32:
						m.inverse[i] = f / 8
					case wave >= 32.0/4:
						m.inverse[i] = (1-smooth)*f/8 + smooth*f
					}
				}
			}},
		{name: "linear scaling, in the newer form", arch: "LlamaForCausalLM", gguf: "llama",
			change: func(f *folder, c object) {
				delete(c, "rope_theta")
				c["rope_parameters"] = object{"rope_type": "linear", "factor": 4.0, "rope_theta": 500.0}
			},
			model: func(m *hf) {
				m.inverse = plainRope(m.headDim, 500)
				for i := range m.inverse {
					m.inverse[i] /= 4
				}
			}},
		{name: "yarn", arch: "Qwen2ForCausalLM", gguf: "qwen2",
			change: func(f *folder, c object) {
				c["rope_scaling"] = object{"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}
			},
			model: func(m *hf) { yarn(m, 4, 64, 0.1*math.Log(4)+1) }},
		{name: "yarn with its own attention factor", arch: "LlamaForCausalLM", gguf: "llama",
			change: func(f *folder, c object) {
				c["rope_scaling"] = object{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "attention_factor": 1.3}
			},
			model: func(m *hf) { yarn(m, 4, 64, 1.3) }},
		{name: "mistral with long heads", arch: "MistralForCausalLM", gguf: "llama",
			change: func(f *folder, c object) { c["head_dim"], c["sliding_window"] = 32, 128 },
			model:  func(m *hf) { m.headDim, m.inverse = 32, plainRope(32, 10000) }},
		{name: "mixtral", arch: "MixtralForCausalLM", gguf: "llama", change: mixtral},
		{name: "qwen2", arch: "Qwen2ForCausalLM", gguf: "qwen2"},
		{name: "qwen3", arch: "Qwen3ForCausalLM", gguf: "qwen3",
			change: func(f *folder, c object) { c["head_dim"] = 32 },
			model:  func(m *hf) { m.headDim, m.inverse = 32, plainRope(32, 10000) }},
		{name: "qwen3 with experts", arch: "Qwen3MoeForCausalLM", gguf: "qwen3moe",
			change: func(f *folder, c object) {
				c["head_dim"], c["num_experts"], c["num_experts_per_tok"], c["moe_intermediate_size"], c["norm_topk_prob"] = 16, 5, 2, 32, true
			}},
		{name: "dReLU", arch: "BambooForCausalLM", gguf: "bamboo", change: drelu,
			model: func(m *hf) { m.drelu = true }},
		{name: "dReLU with predictors", arch: "BambooForCausalLM", gguf: "bamboo", powerInfer: true,
			change: func(f *folder, c object) { drelu(f, c); c["test_rank"], c["sparse_threshold"] = 32, -0.25 },
			model:  func(m *hf) { m.drelu, m.predict, m.threshold = true, true, -0.25 }},
		{name: "dReLU with experts and predictors", arch: "TurboSparseMixtralForCausalLM", gguf: "bamboo",
			change: func(f *folder, c object) { drelu(f, c); mixtral(f, c); c["test_rank"] = 32 },
			model:  func(m *hf) { m.drelu = true }},
		{name: "a Llama trained with ReLU", arch: "LlamaForCausalLM", gguf: "llama", powerInfer: true, change: drelu,
			model: func(m *hf) { m.relu = true }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFolder(test.arch, test.change)
			model := &hf{f: f, heads: tinyHeads, kv: tinyKV, headDim: tinyDim / tinyHeads, magnitude: 1}
			model.inverse = plainRope(model.headDim, 10000)
			if test.model != nil {
				test.model(model)
			}
			tokens := []int32{1, 17, 262, 40, 271, 99, 3, 266, 120, 8, 55, 290, 31, 7, 205, 12}
			want := model.logits(tokens)

			dir := f.write(t)
			out := filepath.Join(t.TempDir(), "m.gguf")
			if err := Convert(t.Context(), dir, out, Options{Type: gguf.F16}); err != nil {
				t.Fatal(err)
			}
			file, err := gguf.Open(out)
			if err != nil {
				t.Fatal(err)
			}
			if arch, _ := file.String("general.architecture"); arch != test.gguf || file.PowerInfer() != test.powerInfer {
				t.Errorf("architecture %s, PowerInfer %v", arch, file.PowerInfer())
			}
			got, err := infer.Reference(file, tokens, 0, infer.ModeFile)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, "reference", got, want, 2e-4)

			session, err := infer.Open(context.Background(), file, infer.Config{Threads: 1, Context: 64, KV: infer.KVF32, Mode: infer.ModeFile})
			if err != nil {
				t.Fatal(err)
			}
			defer session.Close()
			got = got[:0]
			err = session.Logits(t.Context(), tokens, false, func(_ int, row []float32) {
				got = append(got, append([]float32(nil), row[:tinyVocab]...))
			})
			if err != nil {
				t.Fatal(err)
			}
			compare(t, "engine", got, want, 2e-4)
		})
	}
}

// yarn changes the frequencies as arXiv 2309.00071 says.
func yarn(m *hf, factor, original, magnitude float64) {
	pair := func(turns float64) float64 {
		return float64(m.headDim) * math.Log(original/(turns*2*math.Pi)) / (2 * math.Log(10000))
	}
	low, high := max(0, math.Floor(pair(32))), min(float64(m.headDim-1), math.Ceil(pair(1)))
	for i, f := range m.inverse {
		slow := min(1, max(0, (float64(i)-low)/(high-low)))
		m.inverse[i] = slow*f/factor + (1-slow)*f
	}
	m.magnitude = magnitude
}

func compare(t *testing.T, how string, got [][]float32, want [][]float64, limit float64) {
	t.Helper()
	var worst, size float64
	for i := range want {
		for j := range want[i] {
			worst = max(worst, math.Abs(float64(got[i][j])-want[i][j]))
			size = max(size, math.Abs(want[i][j]))
		}
	}
	if !(worst <= limit) {
		t.Errorf("%s: logits up to %.1f differ by %.2g", how, size, worst)
	}
}
