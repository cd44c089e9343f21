package gguf

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
)

// NewTensor describes a tensor of the given dimensions, fastest first, that is
// not in a GGUF file. Its Size follows from type and dimensions, which are
// checked; its Offset is for the caller to set.
func NewTensor(name string, t Type, dims []uint64) (Tensor, error) {
	size, err := tensorSize(t, dims)
	if err != nil {
		return Tensor{}, fmt.Errorf("tensor %s: %w", quote(name), err)
	}
	return Tensor{Name: name, Type: t, Dims: append([]uint64(nil), dims...), Size: size}, nil
}

// WithTensors returns a File with f's metadata whose tensors, made by NewTensor,
// lie at their offsets in src, a container other than GGUF of size bytes. So
// whoever reads a model need not know in what it is stored. The name stands in
// errors. Tensors must have names of their own and lie inside src, apart from
// each other. Neither File closes src.
func (f *File) WithTensors(src io.ReaderAt, size int64, name string, tensors []Tensor) (*File, error) {
	v := &File{
		name: filepath.Base(name), src: src, size: size,
		version: f.version, powerInfer: f.powerInfer, alignment: f.alignment,
		keys: f.keys, values: f.values,
		tensors: append([]Tensor(nil), tensors...), byName: make(map[string]int, len(tensors)),
	}
	offsets := make([]int64, len(tensors))
	for i, t := range tensors {
		bytes, err := tensorSize(t.Type, t.Dims)
		_, dup := v.byName[t.Name]
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: tensor %s: %w", v.name, quote(t.Name), err)
		case dup:
			return nil, fmt.Errorf("%s: tensor %s appears twice", v.name, quote(t.Name))
		case t.Size != bytes || t.Offset < 0 || t.Offset > math.MaxInt64-bytes || t.Offset+bytes > size:
			return nil, fmt.Errorf("%s: tensor %s: %d bytes at %d do not lie in a file of %d bytes", v.name, quote(t.Name), t.Size, t.Offset, size)
		}
		v.tensors[i].part = 0
		v.byName[t.Name], offsets[i] = i, t.Offset
	}
	if err := v.checkOverlap(offsets); err != nil {
		return nil, fmt.Errorf("%s: %w", v.name, err)
	}
	return v, nil
}

// Container is what the tensors' data are read from: what a File of WithTensors was made over, or the GGUF file itself.
func (f *File) Container() io.ReaderAt { return f.src }
