package infer

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hotcell/infer/kernel"
	"hotcell/models/gguf"
)

// goldenDirs are the golden models: the copies in testdata, and all that this engine knows from the full set if HOTCELL_SHARED names it.
func goldenDirs(t testing.TB) []string {
	dirs, err := filepath.Glob("testdata/golden/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no golden models in testdata: %v", err)
	}
	if testing.Short() { // emulated and instrumented runs: one of each kind
		dirs = slices.DeleteFunc(dirs, func(dir string) bool {
			return !slices.Contains([]string{"llama", "bamboo-pwri-q4_0", "mixtral", "gemma3", "stories260k-q8_0", "quant-q4_k_m", "quant-iq4_xs"}, filepath.Base(dir))
		})
	}
	if shared := os.Getenv("HOTCELL_SHARED"); shared != "" {
		all, _ := filepath.Glob(filepath.Join(shared, "golden", "*", "model.gguf"))
		dirs = nil
		for _, m := range all {
			f, err := gguf.Open(m)
			if err != nil {
				t.Fatal(err)
			}
			name, _ := f.String("general.architecture")
			_, known := archs[name]
			for _, t := range f.Tensors() {
				known = known && gguf.CanDequantize(t.Type)
			}
			f.Close()
			if known {
				dirs = append(dirs, filepath.Dir(m))
			}
		}
	}
	return dirs
}

// golden is one folder of the golden set; its README explains the files.
type golden struct {
	dir    string
	tokens []int32
	want   map[string][][]float32 // "logits" and, where it differs, "exact"
	about  struct {
		RunContext int `json:"run_context"`
		Tolerance  map[string]json.RawMessage
	}
}

type tolerance struct {
	MaxAbs float64 `json:"max_abs"`
	Cosine float64 `json:"cosine"`
	KL     float64 `json:"kl"`
}

func loadGolden(t testing.TB, dir string) *golden {
	g := &golden{dir: dir, want: map[string][][]float32{}}
	raw, err := os.ReadFile(filepath.Join(dir, "about.json"))
	if err == nil {
		err = json.Unmarshal(raw, &g.about)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "tokens.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range strings.Fields(string(text)) {
		id, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		g.tokens = append(g.tokens, int32(id))
	}
	for _, name := range []string{"logits", "exact"} {
		raw, err := os.ReadFile(filepath.Join(dir, name+".f32"))
		if os.IsNotExist(err) && name == "exact" {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		vocab := len(raw) / 4 / len(g.tokens)
		for i := range g.tokens {
			row := make([]float32, vocab)
			for j := range row {
				row[j] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*(i*vocab+j):]))
			}
			g.want[name] = append(g.want[name], row)
		}
	}
	return g
}

func (g *golden) open(t testing.TB) *gguf.File {
	f, err := gguf.Open(filepath.Join(g.dir, "model.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// check compares logits with all references within their stated tolerances.
func (g *golden) check(t *testing.T, how string, got [][]float32) {
	t.Helper()
	for name, want := range g.want {
		raw, ok := g.about.Tolerance["against_"+name]
		if !ok {
			t.Fatalf("%s: no tolerance against %s", g.dir, name)
		}
		var limit tolerance
		if err := json.Unmarshal(raw, &limit); err != nil {
			t.Fatal(err)
		}
		d := distance(want, got)
		line := fmt.Sprintf("%-20s %-12s against %-6s max_abs %.2e (limit %.2e)  1-cosine %.1e (%.1e)  kl %.1e (%.1e)",
			filepath.Base(g.dir), how, name, d.MaxAbs, limit.MaxAbs, 1-d.Cosine, 1-limit.Cosine, d.KL, limit.KL)
		t.Log(line)
		if !(d.MaxAbs <= limit.MaxAbs && d.Cosine >= limit.Cosine && d.KL <= limit.KL) {
			t.Errorf("outside the tolerance: %s", line)
		}
	}
}

// distance is as the golden set's README defines it: the cosine over all rows together, the mean KL over rows.
func distance(want, got [][]float32) tolerance {
	var d tolerance
	var dot, ww, gg float64
	for i := range want {
		for j := range want[i] {
			w, g := float64(want[i][j]), float64(got[i][j])
			d.MaxAbs = max(d.MaxAbs, math.Abs(w-g))
			dot, ww, gg = dot+w*g, ww+w*w, gg+g*g
		}
		for j := range want[i] {
			lw, lg := logLoss(want[i], int32(j)), logLoss(got[i], int32(j))
			d.KL += math.Exp(-lw) * (lg - lw)
		}
	}
	d.Cosine = dot / math.Sqrt(ww*gg)
	d.KL /= float64(len(want))
	return d
}

func TestReferenceMeetsGoldenLogits(t *testing.T) {
	for _, dir := range goldenDirs(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			g := loadGolden(t, dir)
			f := g.open(t)
			defer f.Close()
			got, err := Reference(f, g.tokens, g.about.RunContext, ModeFile)
			if err != nil {
				t.Fatal(err)
			}
			g.check(t, "reference", got)
		})
	}
}

func TestEngineMeetsGoldenLogits(t *testing.T) {
	best := kernel.Active()
	defer kernel.Use(best)
	for _, variant := range kernel.Names() {
		if err := kernel.Use(variant); err != nil {
			t.Fatal(err)
		}
		for _, dir := range goldenDirs(t) {
			g := loadGolden(t, dir)
			for _, threads := range []int{1, 2} {
				if variant != best && (threads > 1 || testing.Short()) {
					continue // the kernels' own tests compare the variants
				}
				t.Run(fmt.Sprintf("%s/%s/%d threads", variant, filepath.Base(dir), threads), func(t *testing.T) {
					for how, single := range map[string]bool{"one batch": false, "by token": true} {
						g.check(t, how, g.logits(t, threads, single))
					}
				})
			}
		}
	}
}

// logits runs the engine as the reference ran: its context, its predictor.
func (g *golden) logits(t *testing.T, threads int, single bool) [][]float32 {
	s, err := Open(context.Background(), g.open(t), Config{Threads: threads, Context: g.about.RunContext, KV: KVF32, Mode: ModeFile})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.eng.alone = false // as if the model were large: single tokens are shared out too
	var got [][]float32
	err = s.Logits(context.Background(), g.tokens, single, func(_ int, row []float32) {
		got = append(got, append([]float32(nil), row...))
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestGreedyTextOfTheTrainedStoryModelIsThatOfOtherEngines(t *testing.T) {
	dir := "testdata/golden/stories260k-q8_0"
	raw, err := os.ReadFile(filepath.Join(dir, "greedy.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		PromptIDs []int32 `json:"prompt_ids"`
		IDs       []int32 `json:"greedy_ids_exact"`
		Text      string  `json:"text_exact"`
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	f, err := gguf.Open(filepath.Join(dir, "model.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), f, Config{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	g := s.Complete(context.Background(), "Once upon a time", Options{MaxTokens: len(want.IDs)})
	text, _, err := g.Wait(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	// The last token is not in the cache: nothing was computed after it.
	if got := s.cached; !slices.Equal(got, append(want.PromptIDs, want.IDs...)[:len(got)]) || len(got) < len(want.IDs) {
		t.Errorf("tokens %v, expected %v then %v", got, want.PromptIDs, want.IDs)
	}
	if full := " Once upon a time" + text; full != want.Text {
		t.Errorf("text %q, expected %q", full, want.Text)
	}
}
