package infer

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"hotcell/models/builtin"
	"hotcell/models/gguf"
	"hotcell/models/pack"
	"hotcell/models/synthetic"
)

// reluModels are the models that can be computed by neuron: the built-in one and the golden ones.
func reluModels(t testing.TB) map[string]func() (*gguf.File, error) {
	list := map[string]func() (*gguf.File, error){"built-in": builtin.Open}
	for _, dir := range goldenDirs(t) {
		open := func() (*gguf.File, error) { return gguf.Open(filepath.Join(dir, "model.gguf")) }
		if h, groups := neuronsOf(t, open); h.activation.sparse() && len(groups) > 0 {
			list[filepath.Base(dir)] = open
		}
	}
	return list
}

// neuronsOf is a model's shape and its layers that can be computed by neuron.
func neuronsOf(t testing.TB, open func() (*gguf.File, error)) (*hparams, map[int]*pack.Group) {
	t.Helper()
	f, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, err := readHparams(f)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := neuronGroups(f, false)
	if err != nil {
		t.Fatal(err)
	}
	return h, groups
}

// sampleTokens are ids that any vocabulary has.
func sampleTokens(vocab, n int) []int32 {
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32((i*i*7 + 3*i + 1) % vocab)
	}
	return ids
}

// logitsOf computes the logits after each token.
func logitsOf(t testing.TB, s *Session, ids []int32, single bool) [][]float32 {
	t.Helper()
	var rows [][]float32
	if err := s.Logits(context.Background(), ids, single, func(_ int, row []float32) { rows = append(rows, slices.Clone(row)) }); err != nil {
		t.Fatal(err)
	}
	return rows
}

func opened(t testing.TB, open func() (*gguf.File, error), c Config) *Session {
	t.Helper()
	f, err := open()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), f, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestExactIsDenseButForRounding(t *testing.T) {
	for name, open := range reluModels(t) {
		t.Run(name, func(t *testing.T) {
			c := Config{Threads: 2, Context: 96, Bare: true, KV: KVF32, Mode: ModeDense}
			dense := opened(t, open, c)
			c.Mode = ModeExact
			exact := opened(t, open, c)
			ids := sampleTokens(dense.eng.h.vocab, 80)
			want, got := logitsOf(t, dense, ids, false), logitsOf(t, exact, ids, false)
			single := logitsOf(t, exact, ids, true)
			c.Threads = 3
			three := logitsOf(t, opened(t, open, c), ids, false)
			worst := 0.0
			for i := range want {
				if !slices.Equal(got[i], single[i]) {
					t.Fatalf("token %d: other bits in a batch than alone", i)
				}
				if !slices.Equal(got[i], three[i]) {
					t.Fatalf("token %d: other bits with three threads than with two", i)
				}
				for j := range want[i] {
					worst = max(worst, math.Abs(float64(want[i][j]-got[i][j])))
				}
			}
			// A sum in another order differs in its last bit. Where activations are rounded to 8 bits one can then fall to the other side, which is a
			// step of 1/127 of a block's largest value: rare enough that small models meet none.
			limit := 1e-4
			if name == "built-in" {
				limit = 0.3
			}
			if t.Logf("largest difference %.2g", worst); worst > limit {
				t.Errorf("exact differs from dense by %g", worst)
			}
		})
	}
}

func TestExactWritesWhatDenseWrites(t *testing.T) {
	for _, prompt := range []string{"Hello! How are you today?", "Do you like music?", "What did you eat for breakfast?"} {
		write := func(m Mode) string {
			s := opened(t, builtin.Open, Config{Threads: 2, Mode: m})
			text, _, err := s.Complete(context.Background(), prompt, Options{MaxTokens: 200}).Wait(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		if dense, exact := write(ModeDense), write(ModeExact); dense != exact {
			t.Errorf("%s\ndense: %s\nexact: %s", prompt, dense, exact)
		}
	}
}

func TestAutoComputesLargeModelsWithZerosExactly(t *testing.T) {
	relu := synthetic.Shape{Name: "large", Arch: "bamboo", Layers: 3, Dim: 4096, FF: 8192, Heads: 8, KVHeads: 2, HeadDim: 128, Vocab: 2048, Context: 64, Rank: 64}
	silu := relu
	silu.Arch = "llama"
	for _, c := range []struct {
		name   string
		open   func() (*gguf.File, error)
		layers int // by neuron
	}{
		{"a small model", builtin.Open, 0},
		{"a large model", func() (*gguf.File, error) { return synthetic.Open(relu, gguf.Q4_0) }, relu.Layers},
		{"of a type without rows", func() (*gguf.File, error) { return synthetic.Open(relu, gguf.Q4_K) }, 0},
		{"without zeros", func() (*gguf.File, error) { return synthetic.Open(silu, gguf.Q4_0) }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := c.open()
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			h, err := readHparams(f)
			if err != nil {
				t.Fatal(err)
			}
			for mode, want := range map[Mode]int{ModeAuto: c.layers, ModeDense: 0} {
				ld, err := newLoader(f, h, &Config{Mode: mode})
				if err != nil {
					t.Fatal(err)
				}
				if len(ld.neurons) != want {
					t.Errorf("%s: %d layers are computed by neuron, not %d", mode, len(ld.neurons), want)
				}
			}
		})
	}
}
