package gguf

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The models beside a checkout are not part of it; without them this is skipped.
func TestSharedModelsOpenWithSaneShapes(t *testing.T) {
	shared := os.Getenv("HOTCELL_SHARED")
	if shared == "" {
		t.Skip("HOTCELL_SHARED is not set")
	}
	var paths []string
	for _, pattern := range []string{"golden/*/*.gguf", "models/*.gguf", "models/*/*.gguf", "vocab/*.gguf", "vocab/*/*.gguf"} {
		found, err := filepath.Glob(filepath.Join(shared, pattern))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	if len(paths) == 0 {
		t.Fatal("no models found")
	}
	for _, path := range paths {
		t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) {
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			arch, err := f.String("general.architecture")
			if err != nil || arch == "" {
				t.Errorf("architecture %q, %v", arch, err)
			}
			tokens, err := f.Strings("tokenizer.ggml.tokens")
			if err != nil && len(f.Tensors()) == 0 {
				t.Error(err)
			}
			if pwri := strings.Contains(path, "pwri") || strings.Contains(path, "powerinfer"); pwri != f.PowerInfer() {
				t.Errorf("PowerInfer is %v", f.PowerInfer())
			}
			if embd, ok := f.Tensor("token_embd.weight"); ok {
				width, err := f.Uint(arch + ".embedding_length")
				if err != nil || embd.Cols() != width || err == nil && len(tokens) > 0 && embd.Rows() < uint64(len(tokens)) {
					t.Errorf("embedding of %v for width %d and %d tokens (%v)", embd.Dims, width, len(tokens), err)
				}
			}
			m, err := f.Map()
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range f.Tensors() {
				if x.Size != int64(x.Rows())*x.RowSize() {
					t.Errorf("%s: %d bytes for %d rows of %d", x.Name, x.Size, x.Rows(), x.RowSize())
				}
				row := make([]byte, x.RowSize())
				last := x.Size - x.RowSize()
				if err := f.ReadTensor(x, row, last); err != nil {
					t.Error(err)
				}
				if !bytes.Equal(row, m[x.Offset+last:][:len(row)]) {
					t.Errorf("%s: the mapping differs from the file", x.Name)
				}
				if !CanDequantize(x.Type) {
					continue
				}
				values := make([]float32, x.Cols())
				if err := Dequantize(x.Type, values, row); err != nil {
					t.Error(err)
				}
				for i, v := range values {
					if math.IsNaN(float64(v)) || math.Abs(float64(v)) > 1e6 {
						t.Fatalf("%s: element %d of the last row is %g", x.Name, i, v)
					}
				}
			}
		})
	}
}
