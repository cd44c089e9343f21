package convert

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"hotcell/models/gguf"
)

func convertFolder(t *testing.T, f *folder, o Options) (*gguf.File, error) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "m.gguf")
	if err := Convert(t.Context(), f.write(t), out, o); err != nil {
		if left, _ := os.ReadDir(filepath.Dir(out)); len(left) > 0 {
			t.Errorf("left behind after an error: %v", left)
		}
		return nil, err
	}
	file, err := gguf.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file, nil
}

func TestTheFileSaysWhatTheModelIs(t *testing.T) {
	f := newFolder("MixtralForCausalLM", func(f *folder, c object) {
		c["num_local_experts"], c["num_experts_per_tok"], c["sliding_window"], c["head_dim"] = 4, 2, 128, 8
		c["rope_scaling"] = object{"type": "yarn", "factor": 2, "original_max_position_embeddings": 256, "beta_fast": 16}
		f.files[templateFile] = []byte("{{ messages }}")
		f.files[tokenizerConfigFile] = object{"chat_template": "older"}
	})
	file, err := convertFolder(t, f, Options{Type: gguf.Q8_0})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"general.architecture": "llama", "general.name": "tiny-model", "general.type": "model",
		"general.file_type": uint32(7), "general.quantization_version": uint32(2),
		"llama.vocab_size": uint32(tinyVocab), "llama.context_length": uint32(512), "llama.embedding_length": uint32(64),
		"llama.block_count": uint32(2), "llama.feed_forward_length": uint32(96),
		"llama.attention.head_count": uint32(4), "llama.attention.head_count_kv": uint32(2),
		"llama.attention.key_length": uint32(8), "llama.attention.value_length": uint32(8),
		"llama.attention.layer_norm_rms_epsilon": float32(1e-5), "llama.attention.sliding_window": uint32(128),
		"llama.rope.dimension_count": uint32(8), "llama.rope.freq_base": float32(10000),
		"llama.rope.scaling.type": "yarn", "llama.rope.scaling.factor": float32(2),
		"llama.rope.scaling.original_context_length": uint32(256), "llama.rope.scaling.yarn_beta_fast": float32(16),
		"llama.expert_count": uint32(4), "llama.expert_used_count": uint32(2),
		"tokenizer.ggml.model": "llama", "tokenizer.ggml.bos_token_id": uint32(1), "tokenizer.ggml.eos_token_id": uint32(2),
		"tokenizer.ggml.unknown_token_id": uint32(0), "tokenizer.ggml.add_bos_token": true,
		"tokenizer.ggml.add_space_prefix": true, "tokenizer.chat_template": "{{ messages }}",
	} {
		if v, ok := file.Value(key); !ok || v.Any() != want {
			t.Errorf("%s is %v, want %v", key, v.Any(), want)
		}
	}
	for name, want := range map[string]string{
		"token_embd.weight": "Q8_0 [64 300]", "output.weight": "Q8_0 [64 300]", "output_norm.weight": "F32 [64]",
		"blk.1.attn_norm.weight": "F32 [64]", "blk.1.attn_q.weight": "Q8_0 [64 32]", "blk.0.attn_k.weight": "Q8_0 [64 16]",
		"blk.0.attn_output.weight": "Q8_0 [32 64]", "blk.0.ffn_gate_inp.weight": "F32 [64 4]",
		"blk.0.ffn_gate_exps.weight": "Q8_0 [64 96 4]", "blk.1.ffn_down_exps.weight": "Q8_0 [96 64 4]",
	} {
		if x, ok := file.Tensor(name); !ok || fmt.Sprint(x.Type, " ", x.Dims) != want {
			t.Errorf("%s is %v %v, want %s", name, x.Type, x.Dims, want)
		}
	}
}

func TestRowsThatAreNotWholeBlocksStayHalfPrecision(t *testing.T) {
	f := newFolder("BambooForCausalLM", func(f *folder, c object) { c["hidden_act"], c["test_rank"] = "relu", 20 })
	file, err := convertFolder(t, f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"blk.0.ffn_down_t.weight": "Q4_0 [64 96]", "blk.0.fc1.weight": "Q4_0 [64 20]", "blk.1.fc2.weight": "F16 [20 96]",
	} {
		if x, ok := file.Tensor(name); !ok || fmt.Sprint(x.Type, " ", x.Dims) != want {
			t.Errorf("%s is %v %v, want %s", name, x.Type, x.Dims, want)
		}
	}
	if v, err := file.Float("powerinfer.sparse_threshold"); v != 0 || err != nil {
		t.Error("threshold", v, err)
	}
}

func TestPredictorsOfExpertsAreKept(t *testing.T) {
	for _, test := range []struct {
		step int
		want map[string][]uint64
	}{
		{0, map[string][]uint64{"blk.0.exp_fc1.weight": {64, 32, 3}, "blk.1.exp_fc2.weight": {32, 96, 3}}},
		{32, map[string][]uint64{"blk.0.exp_fc1.0.weight": {64, 32}, "blk.0.exp_fc1.2.weight": {64, 96}, "blk.1.exp_fc2.1.weight": {64, 96}}},
	} {
		f := newFolder("TurboSparseMixtralForCausalLM", func(f *folder, c object) {
			c["hidden_act"], c["num_local_experts"], c["num_experts_per_tok"], c["test_rank"], c["test_rank_step"] = "relu", 3, 2, 32, test.step
		})
		file, err := convertFolder(t, f, Options{Type: gguf.F16})
		if err != nil {
			t.Fatal(err)
		}
		for name, dims := range test.want {
			if x, _ := file.Tensor(name); !slices.Equal(x.Dims, dims) {
				t.Errorf("%s is %v, want %v", name, x.Dims, dims)
			}
		}
		// The second expert's first values, where they must lie.
		if test.step == 0 {
			x, _ := file.Tensor("blk.0.exp_fc1.weight")
			raw := make([]byte, 2)
			if err := file.ReadTensor(x, raw, 64*32*2); err != nil {
				t.Fatal(err)
			}
			want := f.tensors["model.layers.0.block_sparse_moe.experts.1.predictor.fc1.weight"].data[0]
			if got := gguf.F16ToF32(le.Uint16(raw)); got != want {
				t.Errorf("the second expert begins with %v, want %v", got, want)
			}
		}
	}
}

func TestTheSameFolderGivesTheSameFileAndProgressIsCounted(t *testing.T) {
	dir, folder := newFolder("Qwen2ForCausalLM", nil).write(t), t.TempDir()
	var files [2][]byte
	for i := range files {
		out := filepath.Join(folder, "m.gguf")
		var last, sum int64
		err := Convert(t.Context(), dir, out, Options{Progress: func(done, total int64) {
			if done <= last || done > total {
				t.Errorf("%d of %d after %d", done, total, last)
			}
			last, sum = done, total
		}})
		if err != nil {
			t.Fatal(err) // the second time it replaces a GGUF file
		}
		if last != sum || sum == 0 {
			t.Errorf("the last progress is %d of %d", last, sum)
		}
		files[i], _ = os.ReadFile(out)
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("the files differ")
	}
}

func TestFoldersThatAreRefused(t *testing.T) {
	llama := func(change func(f *folder)) *folder {
		f := newFolder("LlamaForCausalLM", nil)
		change(f)
		return f
	}
	index := func(files object) *folder {
		return llama(func(f *folder) { f.files[indexFile] = object{"weight_map": files} })
	}
	const q = "model.layers.1.self_attn.q_proj.weight"
	for _, test := range []struct {
		name, err string
		f         *folder
	}{
		{"an unknown architecture", "the architecture FalconForCausalLM cannot be converted (supported: Bamboo", llama(func(f *folder) { f.config["architectures"] = []string{"FalconForCausalLM"} })},
		{"two architectures", "names 2 architectures", llama(func(f *folder) { f.config["architectures"] = []string{"a", "b"} })},
		{"an architecture that clears the screen", `"\x1b[2J"`, llama(func(f *folder) { f.config["architectures"] = []string{"\x1b[2J"} })},
		{"a string for a number", "config.json: hidden_size is a string", llama(func(f *folder) { f.config["hidden_size"] = "64" })},
		{"a negative number of layers", "num_hidden_layers is -1", llama(func(f *folder) { f.config["num_hidden_layers"] = -1 })},
		{"a fraction", "hidden_size is a number 1.5", llama(func(f *folder) { f.config["hidden_size"] = 1.5 })},
		{"a huge vocabulary", "vocab_size is 1099511627776", llama(func(f *folder) { f.config["vocab_size"] = 1 << 40 })},
		{"heads that do not share evenly", "cannot share 3", llama(func(f *folder) { f.config["num_key_value_heads"] = 3 })},
		{"no heads", "num_attention_heads is 0", llama(func(f *folder) { f.config["num_attention_heads"] = 0 })},
		{"odd heads", "the length of a head is 7", llama(func(f *folder) { f.config["head_dim"] = 7 })},
		{"half rotated heads", "partial_rotary_factor is 0.5", llama(func(f *folder) { f.config["partial_rotary_factor"] = 0.5 })},
		{"another activation", "hidden_act is gelu; for LlamaForCausalLM it must be silu", llama(func(f *folder) { f.config["hidden_act"] = "gelu" })},
		{"weights that are quantised already", "quantised already", llama(func(f *folder) { f.config["quantization_config"] = object{"bits": 4} })},
		{"an unknown rope scaling", "rope_scaling: the type longrope is not known", llama(func(f *folder) { f.config["rope_scaling"] = object{"type": "longrope"} })},
		{"linear scaling without a factor", "factor is 0", llama(func(f *folder) { f.config["rope_scaling"] = object{"type": "linear"} })},
		{"Llama 3 scaling without its factors", "low_freq_factor 0", llama(func(f *folder) { f.config["rope_scaling"] = object{"rope_type": "llama3", "factor": 8} })},
		{"experts used that are not there", "num_experts_per_tok is 9", llama(func(f *folder) { f.config["num_experts"], f.config["num_experts_per_tok"] = 4, 9 })},
		{"a missing tensor", "the tensor " + q + " is missing", llama(func(f *folder) { delete(f.tensors, q) })},
		{"a tensor without a place", "the tensor model.layers.1.extra has no place in LlamaForCausalLM", llama(func(f *folder) { f.tensors["model.layers.1.extra"] = tensor{[]int{1}, []float32{1}} })},
		{"another shape", "has the shape [64 64], but by config.json it must be [128 64]", llama(func(f *folder) { f.config["head_dim"] = 32 })},
		{"a NaN", "the tensor model.norm.weight cannot be converted: it holds the value NaN", llama(func(f *folder) { f.tensors["model.norm.weight"].data[7] = float32(math.NaN()) })},
		{"predictors in a model that has no zeros", "predictors", llama(func(f *folder) {
			f.tensors["model.layers.0.mlp.predictor.fc1.weight"] = tensor{[]int{1, tinyDim}, make([]float32, tinyDim)}
		})},
		{"a layer without its predictor", "model.layers.1.mlp.predictor.fc1.weight is missing", func() *folder {
			f := newFolder("BambooForCausalLM", func(f *folder, c object) { c["hidden_act"], c["test_rank"] = "relu", 32 })
			delete(f.tensors, "model.layers.1.mlp.predictor.fc1.weight")
			return f
		}()},
		{"weights that are no numbers of weights", "is of type I32; only", llama(func(f *folder) {
			f.files[singleFile] = file(`{"model.embed_tokens.weight":{"dtype":"I32","shape":[300,64],"data_offsets":[0,76800]}}`, 76800)
		})},
		{"a truncated shard", "model.safetensors: the tensor", llama(func(f *folder) {
			whole := safetensors(bf16, f.tensors, slices.Sorted(maps.Keys(f.tensors)))
			f.files[singleFile] = whole[:len(whole)-1]
		})},
		{"an index that leads out of the folder", "not the name of a safetensors file in the folder", index(object{q: "../../etc/passwd"})},
		{"an absolute path", "not the name of a safetensors file in the folder", index(object{q: "/etc/x.safetensors"})},
		{"a subfolder", "not the name of a safetensors file in the folder", index(object{q: `a\b.safetensors`})},
		{"a name that clears the screen", `"\x1b[2J.safetensors"`, index(object{q: "\x1b[2J.safetensors"})},
		{"an index of a shard that is not there", "x.safetensors: no such file", index(object{q: "x.safetensors"})},
		{"an index of a tensor that is not there", "the tensor y is missing, though", index(object{"y": singleFile})},
		{"an empty index", "names no files", index(object{})},
		{"an index of another shape", "weight_map is an array", llama(func(f *folder) { f.files[indexFile] = object{"weight_map": []int{1}} })},
		{"added tokens of another shape", "generation_config.json", llama(func(f *folder) { f.files[generationConfigFile] = []byte(`{"eos_token_id":"x"}`) })},
		{"a template that is a number", "tokenizer_config.json", llama(func(f *folder) { f.files[tokenizerConfigFile] = []byte(`{"chat_template":5}`) })},
	} {
		_, err := convertFolder(t, test.f, Options{})
		checkError(t, test.name, err, test.err)
	}
}

func checkError(t *testing.T, name string, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\n\x1b") {
		t.Errorf("%s: error %v, want %q", name, err, want)
	}
}

func TestPlacesThatAreRefused(t *testing.T) {
	dir := newFolder("LlamaForCausalLM", nil).write(t)
	empty := t.TempDir()
	out := filepath.Join(t.TempDir(), "m.gguf")
	os.WriteFile(filepath.Join(empty, configFile), []byte(`{}`), 0o644)
	checkError(t, "an empty configuration", Convert(t.Context(), empty, out, Options{}), "names 0 architectures")
	os.Remove(filepath.Join(empty, configFile))
	checkError(t, "an empty folder", Convert(t.Context(), empty, out, Options{}), "there is no config.json in this folder")
	checkError(t, "no folder", Convert(t.Context(), filepath.Join(empty, "x"), out, Options{}), "no such file or directory")
	checkError(t, "a file for a folder", Convert(t.Context(), filepath.Join(dir, configFile), out, Options{}), "this is a file")
	checkError(t, "a type that cannot be written", Convert(t.Context(), dir, out, Options{Type: gguf.Q6_K}), "converting to Q6_K is not supported")
	checkError(t, "a shard as the target", Convert(t.Context(), dir, filepath.Join(dir, singleFile), Options{}), "is no GGUF file; remove it or choose another name")
	checkError(t, "a folder as the target", Convert(t.Context(), dir, dir, Options{}), "not a regular file")
	checkError(t, "a target in no folder", Convert(t.Context(), dir, filepath.Join(empty, "x", "m.gguf"), Options{}), "no such file or directory")
	if err := os.Rename(filepath.Join(dir, singleFile), filepath.Join(dir, "pytorch_model.bin")); err != nil {
		t.Fatal(err)
	}
	checkError(t, "pickled weights", Convert(t.Context(), dir, out, Options{}), "PyTorch's own format")
	os.Remove(filepath.Join(dir, "pytorch_model.bin"))
	checkError(t, "no weights", Convert(t.Context(), dir, out, Options{}), "there are no weights in this folder")
}

func TestAFullDiskIsToldPlainly(t *testing.T) {
	write := func(code syscall.Errno) error {
		return fmt.Errorf("writing GGUF: %w", &fs.PathError{Op: "write", Path: "/tmp/.m.gguf.1.part", Err: code})
	}
	err := writeError("/tmp/m.gguf", write(syscall.ENOSPC))
	if err.Error() != "m.gguf: the disk is full; nothing was kept" || !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
	if err := writeError("/tmp/m.gguf", write(syscall.EIO)); !strings.Contains(err.Error(), "input/output error") {
		t.Error(err)
	}
}
