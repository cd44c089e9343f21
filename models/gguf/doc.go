// Package gguf reads and writes GGUF, the container in which language models
// are published: a list of key-value pairs (architecture, tokenizer, chat
// template), a directory of tensors, and the tensors' data.
//
// # Layout
//
//	offset 0  magic       "GGUF", or "PWRI" for PowerInfer's sparse models
//	       4  version     u32: 2 or 3 (little-endian; the two differ in nothing a reader sees)
//	       8  tensors     u64: entries in the directory
//	      16  keys        u64: key-value pairs
//	      24  metadata    per pair: key string, u32 kind, value
//	          directory   per tensor: name string, u32 n, n x u64 dims, u32 type, u64 offset
//	          padding     to the next multiple of general.alignment (32 if absent)
//	          data        tensor offsets count from here
//
// A string is a u64 length and that many bytes. An array is a u32 kind, a u64
// count and the elements; an element may itself be an array. Dimensions run
// from the fastest to the slowest: Dims[0] is the length of a row, and rows are
// cut into the blocks of their quantisation type (see Type and Dequantize).
// The format is specified in the ggml project's docs/gguf.md.
//
// A model may be split into several such files, name-00001-of-00003.gguf and so
// on. Each has a directory of its own tensors; the first has the metadata. Open
// presents them as one File (see split.go).
//
// # Invariants
//
// A file is hostile until proved otherwise. Open and Parse read the header
// only, in time and memory proportional to the bytes that are really there,
// and refuse a file unless every tensor has a known type, whole blocks, an
// aligned offset, and data that lies inside the file and is shared with no
// other tensor. The parts of a split model are each held to that, and must
// agree on what they are parts of. What a File hands out afterwards needs no
// second check. Every error starts with the file's base name.
//
// # Use
//
//	f, err := gguf.Open("model.gguf")
//	layers, err := f.Uint("llama.block_count")
//	t, ok := f.Tensor("output_norm.weight")
//	raw := make([]byte, t.Size)
//	err = f.ReadTensor(t, raw, 0)
//	x := make([]float32, t.Elements())
//	err = gguf.Dequantize(t.Type, x, raw)
//
// Kernels that multiply integers take the blocks apart with Unpack instead,
// which loses nothing: both give the same values, bit for bit.
package gguf
