package gguf

import (
	"bytes"
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	f.Add(small())
	for _, h := range hostileFiles() {
		f.Add(h.edit(small()))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := parseBytes(b)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "model.gguf: ") {
				t.Fatalf("the error does not name the file: %v", err)
			}
			return
		}
		for _, key := range file.Keys() {
			file.Uint(key)
			file.Int(key)
			file.Float(key)
			file.Strings(key)
			file.Floats(key)
			file.Ints(key)
		}
		w := &Writer{Version: file.Version(), PowerInfer: file.PowerInfer()}
		for _, key := range file.Keys() {
			v, _ := file.Value(key)
			w.Set(key, v)
		}
		for _, x := range file.Tensors() {
			raw := make([]byte, x.Size) // no larger than b
			if err := file.ReadTensor(x, raw, 0); err != nil {
				t.Fatal(err)
			}
			if CanDequantize(x.Type) {
				if err := Dequantize(x.Type, make([]float32, x.Elements()), raw); err != nil {
					t.Fatal(err)
				}
			}
			w.AddTensor(x.Name, x.Type, x.Dims, Bytes(raw))
		}
		// What was accepted can be written, and reads back the same.
		var out bytes.Buffer
		if _, err := w.WriteTo(&out); err != nil {
			t.Fatal(err)
		}
		again, err := parseBytes(out.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		sameFile(t, file, again)
	})
}
