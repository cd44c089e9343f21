package convert

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"hotcell/models/gguf"
)

// object is a JSON object.
type object = map[string]any

// tensor is a source tensor in memory, slowest dimension first.
type tensor struct {
	shape []int
	data  []float32
}

// folder is a tiny model as Hugging Face publishes it.
type folder struct {
	config  object
	tensors map[string]tensor
	files   map[string]any // by name: JSON, or []byte
	shards  int            // 0: one file without an index
	dtype   dtype
}

const (
	tinyVocab = 300
	tinyDim   = 64
	tinyFF    = 96
	tinyHeads = 4
	tinyKV    = 2
)

// newFolder makes a model of two layers with random weights. change may alter the
// configuration before the weights are made of it.
func newFolder(arch string, change func(f *folder, c object)) *folder {
	f := &folder{dtype: bf16, tensors: map[string]tensor{}, files: map[string]any{}}
	f.config = object{
		"architectures": []string{arch}, "num_hidden_layers": 2, "hidden_size": tinyDim, "intermediate_size": tinyFF,
		"num_attention_heads": tinyHeads, "num_key_value_heads": tinyKV, "vocab_size": tinyVocab,
		"max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
		"tie_word_embeddings": false, "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "bfloat16",
	}
	f.files[tokenizerFile] = tinySentencePiece()
	if change != nil {
		change(f, f.config)
	}
	f.makeWeights(arch)
	return f
}

func (f *folder) makeWeights(arch string) {
	r := rand.New(rand.NewPCG(7, 11))
	add := func(name string, size float64, shape ...int) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		t := tensor{shape, make([]float32, n)}
		for i := range t.data {
			// F16 holds such bfloat16 values exactly, so that nothing is lost on the way.
			v := gguf.BF16ToF32(gguf.F32ToBF16(float32(r.NormFloat64() * size)))
			if math.Abs(float64(v)) < 1e-4 {
				v = 0
			}
			t.data[i] = v
			if size == 0 { // a norm
				t.data[i] = gguf.BF16ToF32(gguf.F32ToBF16(float32(1 + 0.2*r.NormFloat64())))
			}
		}
		f.tensors[name] = t
	}
	number := func(key string, def int) int {
		if v, ok := f.config[key].(int); ok {
			return v
		}
		return def
	}
	headDim := number("head_dim", tinyDim/tinyHeads)
	experts := max(number("num_local_experts", 0), number("num_experts", 0))
	add("model.embed_tokens.weight", 1, tinyVocab, tinyDim)
	add("model.norm.weight", 0, tinyDim)
	if f.config["tie_word_embeddings"] == false {
		add("lm_head.weight", 0.2, tinyVocab, tinyDim)
	}
	for l := range 2 {
		p := fmt.Sprintf("model.layers.%d.", l)
		linear := func(name string, rows, cols int, bias bool) {
			add(p+name+".weight", 1.5/math.Sqrt(float64(cols)), rows, cols)
			if bias {
				add(p+name+".bias", 0.5, rows)
			}
		}
		biased := arch == "Qwen2ForCausalLM" || f.config["attention_bias"] == true
		add(p+"input_layernorm.weight", 0, tinyDim)
		add(p+"post_attention_layernorm.weight", 0, tinyDim)
		linear("self_attn.q_proj", tinyHeads*headDim, tinyDim, biased)
		linear("self_attn.k_proj", tinyKV*headDim, tinyDim, biased)
		linear("self_attn.v_proj", tinyKV*headDim, tinyDim, biased)
		linear("self_attn.o_proj", tinyDim, tinyHeads*headDim, f.config["attention_bias"] == true)
		if arch == "Qwen3ForCausalLM" || arch == "Qwen3MoeForCausalLM" {
			add(p+"self_attn.q_norm.weight", 0, headDim)
			add(p+"self_attn.k_norm.weight", 0, headDim)
		}
		rank := number("test_rank", 0)
		switch {
		case experts > 0:
			names, block, ff := [3]string{"w1", "w3", "w2"}, "block_sparse_moe.", tinyFF
			if arch == "Qwen3MoeForCausalLM" {
				names, block, ff = [3]string{"gate_proj", "up_proj", "down_proj"}, "mlp.", number("moe_intermediate_size", 0)
			}
			linear(block+"gate", experts, tinyDim, false)
			for e := range experts {
				q := fmt.Sprintf("%sexperts.%d.", block, e)
				linear(q+names[0], ff, tinyDim, false)
				linear(q+names[1], ff, tinyDim, false)
				linear(q+names[2], tinyDim, ff, false)
				if rank > 0 {
					r := rank + e*number("test_rank_step", 0)
					linear(q+"predictor.fc1", r, tinyDim, false)
					linear(q+"predictor.fc2", ff, r, false)
				}
			}
		default:
			linear("mlp.gate_proj", tinyFF, tinyDim, f.config["mlp_bias"] == true)
			linear("mlp.up_proj", tinyFF, tinyDim, f.config["mlp_bias"] == true)
			linear("mlp.down_proj", tinyDim, tinyFF, f.config["mlp_bias"] == true)
			if rank > 0 {
				linear("mlp.predictor.fc1", rank, tinyDim, false)
				linear("mlp.predictor.fc2", tinyFF, rank, false)
			}
		}
	}
}

// write stores the folder's files and returns its path.
func (f *folder) write(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tiny-model")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f.files[configFile] = f.config
	names := slices.Sorted(maps.Keys(f.tensors))
	switch _, made := f.files[singleFile]; {
	case made:
	case f.shards == 0:
		f.files[singleFile] = safetensors(f.dtype, f.tensors, names)
	default:
		files := object{}
		for s := range f.shards {
			name := fmt.Sprintf("model-%05d-of-%05d.safetensors", s+1, f.shards)
			var part []string
			for i := s; i < len(names); i += f.shards {
				part = append(part, names[i])
				files[names[i]] = name
			}
			f.files[name] = safetensors(f.dtype, f.tensors, part)
		}
		f.files[indexFile] = object{"metadata": object{"total_size": 1}, "weight_map": files}
	}
	for name, content := range f.files {
		text, ok := content.([]byte)
		if !ok {
			var err error
			if text, err = json.Marshal(content); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// safetensors encodes the named tensors.
func safetensors(d dtype, tensors map[string]tensor, names []string) []byte {
	header, data := object{"__metadata__": object{"format": "pt"}}, []byte(nil)
	for _, name := range names {
		t := tensors[name]
		begin := len(data)
		for _, v := range t.data {
			switch d {
			case f32:
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
			case f16:
				data = binary.LittleEndian.AppendUint16(data, gguf.F32ToF16(v))
			default:
				data = binary.LittleEndian.AppendUint16(data, gguf.F32ToBF16(v))
			}
		}
		header[name] = object{"dtype": d, "shape": t.shape, "data_offsets": []int{begin, len(data)}}
	}
	text, err := json.Marshal(header)
	if err != nil {
		panic(err)
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text, data)
}

// tinySentencePiece is a tokenizer.json with byte fallback and a few merges.
func tinySentencePiece() object {
	vocab := object{"<unk>": 0, "<s>": 1, "</s>": 2}
	for b := range 256 {
		vocab[fmt.Sprintf("<0x%02X>", b)] = 3 + b
	}
	for i, piece := range []string{"▁", "t", "h", "e", "▁t", "he", "▁the", "x", "▁x"} {
		vocab[piece] = 259 + i
	}
	return object{
		"added_tokens": []object{
			{"id": 0, "content": "<unk>", "special": true}, {"id": 1, "content": "<s>", "special": true},
			{"id": 2, "content": "</s>", "special": true}, {"id": 268, "content": "<|im_end|>", "special": false},
			{"id": 269, "content": "▁▁tab", "special": false},
		},
		"normalizer": object{"type": "Sequence", "normalizers": []object{
			{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": object{"String": " "}, "content": "▁"}}},
		"post_processor": object{"type": "TemplateProcessing", "single": []object{
			{"SpecialToken": object{"id": "<s>", "type_id": 0}}, {"Sequence": object{"id": "A", "type_id": 0}}}},
		"model": object{"type": "BPE", "unk_token": "<unk>", "byte_fallback": true, "vocab": vocab,
			"merges": []any{"▁ t", "h e", []string{"▁t", "he"}, []string{"▁", "x"}}},
	}
}
