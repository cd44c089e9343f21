package infer

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hotcell/models/builtin"
	"hotcell/models/gguf"
)

func TestDescribeTellsWhatTheBuiltInModelIs(t *testing.T) {
	f, err := builtin.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := Describe(f, 128)
	want := Shape{Layers: 6, Width: 256, FeedForward: 1280, Heads: 4, KVHeads: 2, HeadLength: 64, Vocabulary: 4096, Context: 256, RoPEBase: 10000}
	if d.Shape != want {
		t.Errorf("shape %+v\nwant  %+v", d.Shape, want)
	}
	if d.CannotRun != "" || d.Compute != ComputeSparse || !d.ReLU || !d.Predictor || d.Context != 128 {
		t.Errorf("run as %+v", d)
	}
	if d.Container != "PowerInfer GGUF v3" || d.Architecture != "bamboo" || d.Types[0].Type != "Q4_0" || d.ActiveParameters != d.Parameters {
		t.Errorf("described as %+v", d)
	}
	if tok := d.Tokenizer; tok.Model != "llama" || tok.Pieces != 4096 || tok.EOS == nil || tok.EOS.Text == "" {
		t.Errorf("tokenizer %+v", tok)
	}
	if d.Template.Form != "file" || !d.Template.InFile || d.Template.Warning != "" {
		t.Errorf("template %+v", d.Template)
	}
}

func TestDescribeSumsUpEveryTensor(t *testing.T) {
	for _, dir := range goldenDirs(t) {
		f, err := gguf.Open(filepath.Join(dir, "model.gguf"))
		if err != nil {
			t.Fatal(err)
		}
		d := Describe(f, 0)
		f.Close()
		var params uint64
		var share float64
		for _, s := range d.Types {
			params, share = params+s.Parameters, share+s.Share
		}
		if params != d.Parameters || math.Abs(share-1) > 1e-9 || d.ActiveParameters > d.Parameters || d.BitsPerWeight <= 0 {
			t.Errorf("%s: %d of %d parameters (%d active), shares sum to %v, %v bits", dir, params, d.Parameters, d.ActiveParameters, share, d.BitsPerWeight)
		}
	}
}

func TestDescribeSaysCannotRunExactlyWhenOpenFails(t *testing.T) {
	paths, _ := filepath.Glob("testdata/golden/*/model.gguf")
	if shared := os.Getenv("HOTCELL_SHARED"); shared != "" {
		for _, pattern := range []string{"golden/*/model.gguf", "models/*.gguf", "vocab/*.gguf"} {
			more, _ := filepath.Glob(filepath.Join(shared, pattern))
			paths = append(paths, more...)
		}
	}
	for _, path := range paths {
		f, err := gguf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		d := Describe(f, 0)
		s, err := Open(context.Background(), f, Config{Threads: 1})
		if err == nil {
			s.Close()
		}
		if (err == nil) != (d.CannotRun == "") {
			t.Errorf("%s: Describe says %q, Open says %v", path, d.CannotRun, err)
		}
	}
}

// expertModel is a model of 4 experts of which 1 is used, without a tokenizer.
func expertModel(t testing.TB, change func(*gguf.Writer)) *gguf.File {
	data := expertFile(t, change)
	f, err := gguf.Parse(bytes.NewReader(data), int64(len(data)), "experts.gguf")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func expertFile(t testing.TB, change func(*gguf.Writer)) []byte {
	w := gguf.NewWriter()
	for key, value := range map[string]any{
		"general.architecture":                      "qwen3moe",
		"qwen3moe.block_count":                      uint32(1),
		"qwen3moe.embedding_length":                 uint32(32),
		"qwen3moe.attention.head_count":             uint32(2),
		"qwen3moe.attention.head_count_kv":          uint32(1),
		"qwen3moe.context_length":                   uint32(64),
		"qwen3moe.expert_feed_forward_length":       uint32(8),
		"qwen3moe.expert_count":                     uint32(4),
		"qwen3moe.expert_used_count":                uint32(1),
		"qwen3moe.attention.layer_norm_rms_epsilon": float32(1e-6),
	} {
		w.Set(key, value)
	}
	for name, dims := range map[string][]uint64{
		"token_embd.weight":          {32, 10},
		"output_norm.weight":         {32},
		"blk.0.attn_norm.weight":     {32},
		"blk.0.attn_q.weight":        {32, 32},
		"blk.0.attn_k.weight":        {32, 16},
		"blk.0.attn_v.weight":        {32, 16},
		"blk.0.attn_output.weight":   {32, 32},
		"blk.0.ffn_norm.weight":      {32},
		"blk.0.ffn_gate_inp.weight":  {32, 4},
		"blk.0.ffn_gate_exps.weight": {32, 8, 4},
		"blk.0.ffn_up_exps.weight":   {32, 8, 4},
		"blk.0.ffn_down_exps.weight": {8, 32, 4},
	} {
		n := uint64(1)
		for _, d := range dims {
			n *= d
		}
		w.AddTensor(name, gguf.F32, dims, gguf.Float32s(make([]float32, n)))
	}
	if change != nil {
		change(w)
	}
	var file bytes.Buffer
	if _, err := w.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestDescribeCountsTheParametersThatATokenPasses(t *testing.T) {
	d := Describe(expertModel(t, nil), 0)
	const routed = 3 * 32 * 8 * 4
	if d.ActiveParameters != d.Parameters-routed*3/4 {
		t.Errorf("%d of %d parameters are active", d.ActiveParameters, d.Parameters)
	}
	if d.Shape.Experts != 4 || d.Shape.ExpertsUsed != 1 || d.Shape.ExpertFeedForward != 8 {
		t.Errorf("shape %+v", d.Shape)
	}
	if d.Compute != ComputeExperts || !strings.Contains(d.CannotRun, "tokenizer.ggml.model") {
		t.Errorf("%q, cannot run: %q", d.Compute, d.CannotRun)
	}
	if d.Memory.Weights == 0 || d.Memory.KV != 2*64*16*2 {
		t.Errorf("memory %+v", d.Memory)
	}
}

func TestDescribeShowsWhatItCanOfWhatCannotRun(t *testing.T) {
	unknown := Describe(expertModel(t, func(w *gguf.Writer) {
		w.Set("general.architecture", "novel")
		w.Set("general.license", "mit")
		w.Set("novel.block_count", uint32(7))
		w.Set("novel.feed_forward_length", []int32{8, 64, 16})
		w.Set("novel.rope.scaling.factor", float32(math.Inf(1)))
	}), 0)
	if !strings.Contains(unknown.CannotRun, `"novel" is not supported`) || strings.Contains(unknown.CannotRun, "experts.gguf") {
		t.Errorf("cannot run: %q", unknown.CannotRun)
	}
	if s := unknown.Shape; s.Layers != 7 || s.FeedForward != 64 || s.Vocabulary != 10 || unknown.License != "mit" || unknown.Parameters == 0 {
		t.Errorf("%+v", unknown)
	}
	if _, err := json.Marshal(unknown); err != nil {
		t.Errorf("infinity in the file: %v", err)
	}

	routed := Describe(expertModel(t, func(w *gguf.Writer) { w.Set("qwen3moe.expert_count", uint32(0)) }), 0)
	if !strings.Contains(routed.CannotRun, "expert_count") {
		t.Errorf("cannot run: %q", routed.CannotRun)
	}

	odd := Describe(expertModel(t, func(w *gguf.Writer) {
		w.AddTensor("output.weight", gguf.Q8_1, []uint64{32, 10}, gguf.Bytes(make([]byte, 360)))
	}), 0)
	if !strings.Contains(odd.CannotRun, "output.weight is of type Q8_1, which is not supported") || len(odd.Types) != 2 {
		t.Errorf("cannot run: %q, types %+v", odd.CannotRun, odd.Types)
	}
}

func TestDescribeOfAVocabularyOnly(t *testing.T) {
	w := gguf.NewWriter()
	w.Set("general.architecture", "llama")
	w.Set("llama.context_length", uint32(4096))
	w.Set("tokenizer.ggml.model", "llama")
	w.Set("tokenizer.ggml.tokens", []string{"<unk>", "<s>", "</s>", "a"})
	w.Set("tokenizer.ggml.scores", []float32{0, 0, 0, -1})
	w.Set("tokenizer.ggml.token_type", []int32{2, 3, 3, 1})
	w.Set("tokenizer.ggml.bos_token_id", uint32(1))
	var file bytes.Buffer
	if _, err := w.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	f, err := gguf.Parse(bytes.NewReader(file.Bytes()), int64(file.Len()), "vocab.gguf")
	if err != nil {
		t.Fatal(err)
	}
	d := Describe(f, 0)
	if d.CannotRun != "the file holds a vocabulary only, no weights" || d.Tokenizer.Pieces != 4 || d.Shape.Vocabulary != 4 || d.Shape.Context != 4096 {
		t.Errorf("%+v", d)
	}
	if d.Tokenizer.BOS == nil || *d.Tokenizer.BOS != (TokenName{1, "<s>"}) {
		t.Errorf("tokenizer %+v", d.Tokenizer)
	}
}

func FuzzDescribe(f *testing.F) {
	f.Add(expertFile(f, nil))
	f.Add(expertFile(f, func(w *gguf.Writer) { w.Set("qwen3moe.expert_count", uint32(0)) }))
	f.Add(expertFile(f, func(w *gguf.Writer) {
		w.PowerInfer = true
		w.Set("general.architecture", "llama")
		w.Set("tokenizer.ggml.model", "llama")
		w.Set("tokenizer.ggml.tokens", []string{"<unk>", "<s>", "</s>", "a"})
		w.Set("tokenizer.ggml.scores", []float32{0, 0, 0, -1})
		w.Set("tokenizer.chat_template", "{{ messages[0].content }}")
	}))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := gguf.Parse(bytes.NewReader(data), int64(len(data)), "fuzz.gguf")
		if err != nil {
			return
		}
		if _, err := json.Marshal(Describe(file, 0)); err != nil {
			t.Error(err)
		}
	})
}

func TestAPackIsDescribedAsItsModel(t *testing.T) {
	f, err := builtin.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, err := packed(t, builtin.Open)()
	if err != nil {
		t.Fatal(err)
	}
	model, pack := Describe(f, 0), Describe(g, 0)
	if pack.CannotRun != "" || pack.Parameters != model.Parameters || pack.ReLU != model.ReLU || pack.Container != "pack of "+model.Container {
		t.Errorf("%+v\nthe model: %+v", pack, model)
	}
}
