package synthetic

import (
	"fmt"
	"io"

	"hotcell/models/gguf"
)

// tensor is a tensor that is made when it is read: a matrix of random weights, or a vector of one number over and over.
type tensor struct {
	name  string
	kind  gguf.Type
	dims  []uint64
	size  int64 // bytes
	value float32
}

// tensors lists a model's tensors with matrices of type t, in the order in which an engine uses them.
func (s *Shape) tensors(t gguf.Type) []tensor {
	var list []tensor
	matrix := func(name string, cols, rows int) {
		kind := fitting(t, cols)
		elems, bytes := kind.Block()
		size := int64(cols/elems) * int64(bytes) * int64(rows)
		list = append(list, tensor{name, kind, []uint64{uint64(cols), uint64(rows)}, size, 0})
	}
	vector := func(name string, n int, value float32) {
		list = append(list, tensor{name, gguf.F32, []uint64{uint64(n)}, int64(n) * 4, value})
	}
	qDim, kvDim := s.Heads*s.HeadDim, s.KVHeads*s.HeadDim
	matrix("token_embd.weight", s.Dim, s.Vocab)
	for l := range s.Layers {
		blk := fmt.Sprintf("blk.%d.", l)
		vector(blk+"attn_norm.weight", s.Dim, 1)
		matrix(blk+"attn_q.weight", s.Dim, qDim)
		matrix(blk+"attn_k.weight", s.Dim, kvDim)
		matrix(blk+"attn_v.weight", s.Dim, kvDim)
		if s.Bias {
			vector(blk+"attn_q.bias", qDim, deviation)
			vector(blk+"attn_k.bias", kvDim, deviation)
			vector(blk+"attn_v.bias", kvDim, deviation)
		}
		if s.HeadNorm {
			vector(blk+"attn_q_norm.weight", s.HeadDim, 1)
			vector(blk+"attn_k_norm.weight", s.HeadDim, 1)
		}
		matrix(blk+"attn_output.weight", qDim, s.Dim)
		vector(blk+"ffn_norm.weight", s.Dim, 1)
		matrix(blk+"ffn_gate.weight", s.Dim, s.FF)
		matrix(blk+"ffn_up.weight", s.Dim, s.FF)
		if s.Rank == 0 {
			matrix(blk+"ffn_down.weight", s.FF, s.Dim)
			continue
		}
		matrix(blk+"ffn_down_t.weight", s.Dim, s.FF)
		matrix(blk+"fc1.weight", s.Dim, s.Rank)
		matrix(blk+"fc2.weight", s.Rank, s.FF)
	}
	vector("output_norm.weight", s.Dim, 1)
	if !s.Tied {
		matrix("output.weight", s.Dim, s.Vocab)
	}
	return list
}

// pool is what the tensor is over and over, from byte start of it on.
func (t *tensor) pool() (p pool, start int64) {
	if t.value != 0 {
		return constant(t.value), 0
	}
	p = poolOf(t.kind)
	return p, p.start(t.name, t.kind)
}

// write writes the tensor's bytes to w.
func (t *tensor) write(w io.Writer) error {
	p, at := t.pool()
	for left := t.size; left > 0; at = 0 {
		n, err := w.Write(p[at:min(int64(len(p)), at+left)])
		if err != nil {
			return err
		}
		left -= int64(n)
	}
	return nil
}

// fileTypes are llama.cpp's numbers for files whose matrices are mostly of one type.
var fileTypes = map[gguf.Type]uint32{
	gguf.F32: 0, gguf.F16: 1, gguf.Q4_0: 2, gguf.Q4_1: 3, gguf.Q8_0: 7, gguf.Q5_0: 8, gguf.Q5_1: 9, gguf.Q2_K: 10,
	gguf.Q3_K: 12, gguf.Q4_K: 15, gguf.Q5_K: 17, gguf.Q6_K: 18, gguf.IQ4_NL: 25, gguf.IQ4_XS: 30, gguf.BF16: 32,
}

func (s *Shape) metadata(w *gguf.Writer, t gguf.Type) {
	w.Set("general.architecture", s.Arch)
	w.Set("general.name", fmt.Sprintf("%s %v, random weights", s.Name, t))
	w.Set("general.quantization_version", uint32(2))
	if n, ok := fileTypes[t]; ok {
		w.Set("general.file_type", n)
	}
	set := func(key string, value any) { w.Set(s.Arch+"."+key, value) }
	set("block_count", uint32(s.Layers))
	set("context_length", uint32(s.Context))
	set("embedding_length", uint32(s.Dim))
	set("feed_forward_length", uint32(s.FF))
	set("vocab_size", uint32(s.Vocab))
	set("attention.head_count", uint32(s.Heads))
	set("attention.head_count_kv", uint32(s.KVHeads))
	set("attention.key_length", uint32(s.HeadDim))
	set("attention.value_length", uint32(s.HeadDim))
	set("attention.layer_norm_rms_epsilon", float32(1e-5))
	set("rope.dimension_count", uint32(s.HeadDim))
	set("rope.freq_base", s.RoPEBase)
}
