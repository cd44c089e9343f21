package infer

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"hotcell/models/gguf"
)

// rewrite copies a model, letting edit change each metadata value and tensor on the way.
func rewrite(t testing.TB, path string, edit func(w *gguf.Writer, key string, value any) bool, shape func(t *gguf.Tensor)) []byte {
	f, err := gguf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := gguf.NewWriter()
	w.PowerInfer = f.PowerInfer()
	for _, key := range f.Keys() {
		v, _ := f.Value(key)
		if edit(w, key, v.Any()) {
			w.Set(key, v.Any())
		}
	}
	for _, tensor := range f.Tensors() {
		raw := make([]byte, tensor.Size)
		if err := f.ReadTensor(tensor, raw, 0); err != nil {
			t.Fatal(err)
		}
		if shape(&tensor); tensor.Name == "" {
			continue
		}
		w.AddTensor(tensor.Name, tensor.Type, tensor.Dims, gguf.Bytes(raw))
	}
	var out bytes.Buffer
	if _, err := w.WriteTo(&out); err != nil {
		return nil // the change made no valid file
	}
	return out.Bytes()
}

// compute opens a model and computes a few tokens; it must end in an error or in logits.
func compute(data []byte) error {
	f, err := gguf.Parse(bytes.NewReader(data), int64(len(data)), "hostile.gguf")
	if err != nil {
		return err
	}
	s, err := Open(context.Background(), f, Config{Threads: 1, AtLeast: 8, Bare: true, Mode: ModeFile})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Logits(context.Background(), []int32{1, 2, 3}, false, func(int, []float32) {})
}

// A model file may say anything about its shape. Whatever single value or tensor is changed, the engine must refuse the file or compute, never crash.
func TestNoChangeOfAModelCrashesTheEngine(t *testing.T) {
	models, err := filepath.Glob("testdata/golden/*/model.gguf")
	if err != nil || len(models) == 0 {
		t.Fatal("no golden models")
	}
	numbers := []uint64{0, 1, 2, 3, 7, 17, 64, 1000, 1 << 20, 1 << 31, 1<<63 + 1}
	r := rand.New(rand.NewPCG(1, 2))
	ran, refused := 0, 0
	for _, path := range models {
		f, err := gguf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if f.Size() > 300_000 {
			f.Close()
			continue // the small ones have the same shapes
		}
		arch, _ := f.String("general.architecture")
		var keys []string
		for _, key := range f.Keys() {
			if len(key) > len(arch) && key[:len(arch)] == arch {
				keys = append(keys, key)
			}
		}
		tensors := f.Tensors()
		f.Close()
		try := func(what string, data []byte) {
			if data == nil {
				return
			}
			ran++
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("%s: %s: panic: %v", path, what, p)
				}
			}()
			if compute(data) != nil {
				refused++
			}
		}
		keep := func(*gguf.Tensor) {}
		for _, key := range keys {
			v := numbers[r.IntN(len(numbers))]
			try(fmt.Sprintf("%s = %d", key, v), rewrite(t, path, func(w *gguf.Writer, k string, _ any) bool {
				if k == key {
					w.Set(k, v)
				}
				return k != key
			}, keep))
			try(key+" left out", rewrite(t, path, func(_ *gguf.Writer, k string, _ any) bool { return k != key }, keep))
		}
		all := func(*gguf.Writer, string, any) bool { return true }
		for range 6 {
			victim := tensors[r.IntN(len(tensors))].Name
			try(victim+" left out", rewrite(t, path, all, func(x *gguf.Tensor) {
				if x.Name == victim {
					x.Name = ""
				}
			}))
			try(victim+" folded", rewrite(t, path, all, func(x *gguf.Tensor) {
				if x.Name == victim && x.Dims[len(x.Dims)-1]%2 == 0 {
					x.Dims = append(append([]uint64(nil), x.Dims[:len(x.Dims)-1]...), x.Dims[len(x.Dims)-1]/2, 2)
				}
			}))
		}
	}
	if refused == 0 || refused == ran {
		t.Errorf("%d of %d changed models were refused", refused, ran)
	}
}

// Bits flipped anywhere in the header.
func FuzzDamagedModel(f *testing.F) {
	data, err := os.ReadFile("testdata/golden/stories260k-q8_0/model.gguf")
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{0, 0, 0, 1, 2, 3})
	f.Add(binary.LittleEndian.AppendUint32(nil, 100))
	f.Fuzz(func(t *testing.T, edits []byte) {
		damaged := bytes.Clone(data)
		for i := 0; i+3 <= len(edits) && i < 30; i += 3 {
			damaged[(int(edits[i])<<8|int(edits[i+1]))%len(damaged)] ^= edits[i+2]
		}
		_ = compute(damaged)
	})
}
