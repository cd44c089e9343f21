package infer

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hotcell/infer/kernel"
	"hotcell/models/builtin"
	"hotcell/models/gguf"
)

func goldenModel(name string) func() (*gguf.File, error) {
	return func() (*gguf.File, error) {
		return gguf.Open(filepath.Join("testdata/golden", name, "model.gguf"))
	}
}

// attentionModels differ in how attention works: groups, windows, sinks, norms of queries, widths that are no multiple of 32.
var attentionModels = map[string]func() (*gguf.File, error){
	"built-in":         builtin.Open,
	"llama":            goldenModel("llama"),
	"gemma3":           goldenModel("gemma3"),
	"gpt-oss":          goldenModel("gpt-oss"),
	"olmo2":            goldenModel("olmo2"),
	"falcon-40b":       goldenModel("falcon-40b"),
	"smallthinker-swa": goldenModel("smallthinker-swa"),
}

// severalRuns is a length of which attention's last run is a part.
const severalRuns = runPositions + 41

// lastRows is a few rows of logits: a distance takes long where the vocabulary is large.
func lastRows(rows [][]float32) [][]float32 { return rows[len(rows)-2:] }

func TestAttentionOverSeveralRunsIsThatOfTheReference(t *testing.T) {
	for name, open := range attentionModels {
		if name == "built-in" {
			continue // the reference takes long for it
		}
		t.Run(name, func(t *testing.T) {
			f, err := open()
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			s := opened(t, open, Config{Threads: 2, Context: severalRuns, KV: KVF32, Bare: true, Mode: ModeDense})
			ids := sampleTokens(s.eng.h.vocab, severalRuns)
			want, err := Reference(f, ids, severalRuns, ModeDense)
			if err != nil {
				t.Fatal(err)
			}
			if d := distance(lastRows(want), lastRows(logitsOf(t, s, ids, false))); 1-d.Cosine > 1e-3 || d.KL > 2e-2 {
				t.Errorf("cosine %v, KL %v, largest difference %v", d.Cosine, d.KL, d.MaxAbs)
			}
		})
	}
}

func TestAttentionHasTheSameBitsHoweverItIsSharedOut(t *testing.T) {
	for name, open := range attentionModels {
		for _, kv := range []KVType{KVF32, KVF16, KVQ8} {
			c := Config{Threads: 2, Context: severalRuns, KV: kv, Bare: true, Mode: ModeDense}
			f, err := open()
			if err != nil {
				t.Fatal(err)
			}
			h, err := readHparams(f)
			f.Close()
			if err != nil {
				t.Fatal(err)
			}
			if !kernel.KVFormat(kv.format(), h.headDim) || kv == KVF16 && name != "built-in" {
				continue
			}
			t.Run(fmt.Sprintf("%s/%v", name, kv), func(t *testing.T) {
				ids := sampleTokens(h.vocab, severalRuns)
				s := opened(t, open, c)
				batch, alone := logitsOf(t, s, ids, false), logitsOf(t, s, ids, true)
				s.eng.alone = false // as if the model were large
				single := logitsOf(t, s, ids, true)
				c.Threads = 3
				three := logitsOf(t, opened(t, open, c), ids, false)
				for i := range batch {
					if !slices.Equal(batch[i], single[i]) || !slices.Equal(batch[i], alone[i]) {
						t.Fatalf("token %d: other bits alone than in a batch", i)
					}
					if !slices.Equal(batch[i], three[i]) {
						t.Fatalf("token %d: other bits with three threads than with two", i)
					}
				}
			})
		}
	}
}

func TestKeysAndValuesIn8BitsChangeLittle(t *testing.T) {
	for _, name := range []string{"built-in", "quant-q8_0", "quant-q4_k_m"} {
		open := goldenModel(name)
		if name == "built-in" {
			open = builtin.Open
		}
		t.Run(name, func(t *testing.T) {
			c := Config{Threads: 2, Context: 200, KV: KVF32, Bare: true, Mode: ModeDense}
			full := opened(t, open, c)
			ids := sampleTokens(full.eng.h.vocab, 150)
			c.KV = KVQ8
			d := distance(lastRows(logitsOf(t, full, ids, false)), lastRows(logitsOf(t, opened(t, open, c), ids, false)))
			if t.Logf("cosine 1-%.1e, KL %.1e, largest difference %.2g", 1-d.Cosine, d.KL, d.MaxAbs); 1-d.Cosine > 2e-3 || d.KL > 1e-2 {
				t.Error("that is too much")
			}
		})
	}
}

func TestAKVFormatThatTheHeadsDoNotFitIsAPlainError(t *testing.T) {
	f, err := goldenModel("llama")()
	if err != nil {
		t.Fatal(err)
	}
	h, err := readHparams(f)
	if err != nil || kernel.KVFormat(kernel.Q8, h.headDim) {
		t.Fatalf("heads of %d, %v", h.headDim, err)
	}
	_, err = MemoryNeed(f, Config{KV: KVQ8})
	if err == nil || !strings.Contains(err.Error(), "q8 need heads of a multiple of 32") {
		t.Errorf("error %v", err)
	}
	if _, err := newKVCache(h, 100, KVQ8); err == nil {
		t.Error("the cache was made all the same")
	}
}

func TestSoftCapOfManyIsThatOfOne(t *testing.T) {
	x := []float32{0, 1e-6, -1e-6, 0.5, -3, 20, -49, 50, 51, 1000, -1000, 1e30, -1e30}
	for _, limit := range []float32{0, 30, 50} {
		got := slices.Clone(x)
		softCapAll(got, limit)
		for i, v := range x {
			if want := softCap(v, limit); math.Abs(float64(got[i]-want)) > float64(limit)*3e-7 {
				t.Errorf("%g within %g: %g, expected %g", v, limit, got[i], want)
			}
		}
	}
}
