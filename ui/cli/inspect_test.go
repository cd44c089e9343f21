package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"hotcell/infer"
	"hotcell/models/gguf"
	"hotcell/planner"
)

// A real file of the repository, and the name that it gets in a library.
const (
	tinyModel = "../../models/builtin/smalltalk-9m-q4_0.powerinfer.gguf"
	tinyName  = "smalltalk-9m-q4_0.powerinfer"
)

// command runs hotcell with args.
func command(t *testing.T, args ...string) (out, errOut string, status int) {
	t.Helper()
	var o, e bytes.Buffer
	status = Main(args, strings.NewReader(""), &o, &e)
	return o.String(), e.String(), status
}

func TestInspectTellsThePartsOfTheBuiltInModel(t *testing.T) {
	out, errOut, status := command(t, "inspect", "--ctx", "100", "--tensors")
	if status != 0 || errOut != "" {
		t.Fatalf("status %d, %s", status, errOut)
	}
	for _, want := range []string{
		"container   PowerInfer GGUF v3, 5.7 MiB\n",
		"family      bamboo\n",
		"layers      6, width 256, 1280 FFN neurons\n",
		"attention   4 heads of 64, 2 KV heads\n",
		"context     256 tokens trained\n",
		"Q4_0          56    10.4 M    5.6 MiB  99.8\n",
		"tokenizer   llama (SentencePiece), 4096 pieces\n",
		"template    in the file\n",
		"runs        sparse: ",
		"--mode predicted",
		"for a context of 100 tokens",
		"  KV cache     336.0 KiB\n",
		"\nblk.5.ffn_gate.weight ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
}

func TestInspectPrintsOneJSONObject(t *testing.T) {
	out, _, status := command(t, "inspect", "--json", "--tensors", tinyModel)
	var got struct {
		File    string `json:"file"`
		Compute string `json:"compute"`
		Shape   struct {
			Layers int `json:"layers"`
		} `json:"shape"`
		Memory  map[string]any `json:"memory"`
		Tensors []tensorFacts  `json:"tensors"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || status != 0 {
		t.Fatal(status, err)
	}
	if got.File != tinyName+".gguf" || got.Compute != "sparse" || got.Shape.Layers != 6 || len(got.Memory) != 6 || len(got.Tensors) != 69 {
		t.Errorf("%+v", got)
	}
}

func TestInspectShowsAModelThatCannotRunAndEndsWell(t *testing.T) {
	w := gguf.NewWriter()
	w.Set("general.architecture", "novel")
	w.Set("general.name", "Evil \x1b[2Jname\u009b")
	w.Set("novel.block_count", uint32(3))
	w.AddTensor("a\x1b]0;tensor\a", gguf.Q8_K, []uint64{256}, gguf.Bytes(make([]byte, 292)))
	path := filepath.Join(t.TempDir(), "novel.gguf")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteTo(file); err != nil {
		t.Fatal(err)
	}
	file.Close()
	for _, args := range [][]string{{"inspect", path, "--tensors"}, {"inspect", path, "--tensors", "--json"}} {
		out, errOut, status := command(t, args...)
		if status != 0 || errOut != "" {
			t.Errorf("status %d, %s", status, errOut)
		}
		if strings.ContainsAny(out, "\x1b\a\u009b") {
			t.Errorf("control characters reach the terminal: %q", out)
		}
		if !strings.Contains(out, "Q8_K") || !strings.Contains(out, `is not supported`) {
			t.Errorf("%s", out)
		}
	}
}

func TestInspectRefusesInOneSentence(t *testing.T) {
	t.Setenv("HOTCELL_DATA", t.TempDir())
	for _, test := range []struct {
		args   []string
		status int
	}{
		{[]string{"inspect", "nothing"}, 1},
		{[]string{"inspect", "inspect_test.go"}, 1},
		{[]string{"inspect", t.TempDir()}, 1},
		{[]string{"inspect", "a", "b"}, 2},
		{[]string{"inspect", "--ctx", "-1"}, 2},
		{[]string{"inspect", "--what"}, 2},
		{[]string{"inspect", "no\x1b[31m"}, 1},
	} {
		out, errOut, status := command(t, test.args...)
		if status != test.status || out != "" || strings.Count(errOut, "\n") != 1 || !strings.HasPrefix(errOut, "hotcell: ") || strings.Contains(errOut, "\x1b") {
			t.Errorf("%q: status %d, %q, %q", test.args, status, out, errOut)
		}
	}
}

// busy is a description with every fact, at its longest.
var busy = infer.Description{
	File: "a-model-with-a-long-name-30b-a3b-instruct-q4_k_m-00001-of-00003.gguf", Container: "PowerInfer GGUF v3", Name: "A", License: "apache-2.0",
	Architecture: "granitemoe", Bytes: 1 << 40, Parameters: 999e9, ActiveParameters: 30e9, BitsPerWeight: 4.51,
	Types: []infer.TypeShare{{Type: "IQ2_XXS", Tensors: 12345, Parameters: 999e9, Bytes: 1023 << 30, Share: 1}},
	Shape: infer.Shape{Layers: 100, Width: 16384, FeedForward: 65536, ExpertFeedForward: 1408, Heads: 128, KVHeads: 8, HeadLength: 128, Vocabulary: 151936,
		Context: 1 << 20, RoPEBase: 1e6, RoPEScaling: "yarn", RoPEFactor: 32, Window: 4096, WindowLayers: 75, Experts: 128, ExpertsUsed: 8},
	Tokenizer: infer.TokenizerFacts{Model: "gpt2", Pre: "qwen2", Pieces: 151936, BOS: &infer.TokenName{ID: 151643, Text: "<|endoftext|>"}},
	Template:  infer.TemplateFacts{Form: "chatml", Warning: "The file's chat template does not work, so the built-in form is used."},
	Compute:   infer.ComputeExperts, ReLU: true, Context: 8192, Memory: planner.Judge(1<<40, 1<<34, 1<<30, 1<<33),
	CannotRun: `the architecture "x" is not supported (supported: ` + strings.Repeat("family, ", 40) + `)`,
}

func TestInspectFitsAPhone(t *testing.T) {
	for _, width := range []int{46, 80} {
		var out strings.Builder
		s := &sheet{out: &out, width: width}
		describe(s, busy)
		s.tensors([]tensorFacts{{"blk.99.ffn_gate_exps.weight", "IQ2_XXS", []uint64{2048, 1408, 128}, 1 << 30, 1}}, false)
		for _, line := range strings.Split(out.String(), "\n") {
			if w := ansi.StringWidth(line); w > width {
				t.Errorf("a line of %d columns on %d: %s", w, width, line)
			}
		}
	}
	var out strings.Builder
	describe(&sheet{out: &out, width: 20}, busy)
	if !strings.Contains(out.String(), "\nattention\n  128 heads of 128,") {
		t.Errorf("on 20 columns:\n%s", out.String())
	}
}

func TestMemoryThatIsShortIsTold(t *testing.T) {
	short, enough := planner.Judge(3<<30, 0, 0, 2<<30), planner.Judge(1<<30, 0, 0, 2<<30)
	if got := memoryWarning("m\x1b.gguf", short); got != "m□.gguf takes 3.0 GiB of memory, but only 2.0 GiB are available: it will be slow, or the system may end it.\n" {
		t.Errorf("%q", got)
	}
	if got := memoryWarning("m.gguf", enough); got != "" {
		t.Errorf("%q", got)
	}
}
