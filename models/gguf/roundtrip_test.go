package gguf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// randomWriter makes a valid file of random content.
func randomWriter(r *rand.Rand) *Writer {
	w := &Writer{Version: 2 + r.Uint32N(2), PowerInfer: r.IntN(2) == 0}
	if r.IntN(2) == 0 {
		w.Set(alignmentKey, uint32(8)<<r.IntN(8))
	}
	for i := range r.IntN(10) {
		w.Set(fmt.Sprint("key", i), randomValue(r, 0))
	}
	for i := range r.IntN(6) {
		typ := Type(r.IntN(40))
		for !typ.Known() {
			typ = Type(r.IntN(40))
		}
		elems, bytes := typ.Block()
		blocks := 1 + r.IntN(3)
		dims := []uint64{uint64(elems * blocks)}
		size := bytes * blocks
		for range r.IntN(4) {
			d := 1 + r.IntN(3)
			dims = append(dims, uint64(d))
			size *= d
		}
		data := make([]byte, size)
		for j := range data {
			data[j] = byte(r.Uint32())
		}
		w.AddTensor(fmt.Sprint("tensor", i), typ, dims, Bytes(data))
	}
	return w
}

func randomValue(r *rand.Rand, depth int) any {
	text := func() string { return strings.Repeat("x", r.IntN(40)) }
	switch n := r.IntN(9); {
	case n == 0:
		return r.Uint64()
	case n == 1:
		return int16(r.Uint32())
	case n == 2:
		return math.Float32frombits(r.Uint32())
	case n == 3:
		return r.NormFloat64()
	case n == 4:
		return text()
	case n == 5:
		list := make([]string, r.IntN(20))
		for i := range list {
			list[i] = text()
		}
		return list
	case n == 6:
		list := make([]int32, r.IntN(30_000))
		for i := range list {
			list[i] = int32(r.Uint32())
		}
		return list
	case n == 7 && depth < 3:
		list := []Value{}
		for range r.IntN(3) {
			if v := mustValue(randomValue(r, depth+1)); v.Kind() == KindArray {
				list = append(list, v)
			}
		}
		return list
	}
	return r.IntN(2) == 0
}

func TestAnyFileSurvivesReadingAndWriting(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		w := randomWriter(r)
		b := written(w)
		if !bytes.Equal(b, written(w)) {
			t.Fatal("writing twice gave different bytes")
		}
		f, err := parseBytes(b)
		if err != nil {
			t.Fatal(err)
		}
		if f.Version() != w.Version || f.PowerInfer() != w.PowerInfer || f.Size() != int64(len(b)) {
			t.Fatalf("version %d, PowerInfer %v, size %d", f.Version(), f.PowerInfer(), f.Size())
		}
		for _, x := range f.Tensors() {
			if uint64(x.Offset)%f.alignment != 0 {
				t.Fatalf("%q stands at %d, alignment %d", x.Name, x.Offset, f.alignment)
			}
		}
		again := &Writer{Version: f.Version(), PowerInfer: f.PowerInfer()}
		for _, key := range f.Keys() {
			v, _ := f.Value(key)
			again.Set(key, v)
		}
		for _, x := range f.Tensors() {
			again.AddTensor(x.Name, x.Type, x.Dims, func(w io.Writer) error {
				_, err := io.Copy(w, io.NewSectionReader(bytes.NewReader(b), x.Offset, x.Size))
				return err
			})
		}
		if !bytes.Equal(b, written(again)) {
			t.Fatal("a file changed when it was read and written")
		}
	}
}

// sameFile compares everything but the place of the data, bit by bit.
func sameFile(t testing.TB, a, b *File) {
	t.Helper()
	if a.Version() != b.Version() || a.PowerInfer() != b.PowerInfer() {
		t.Fatal("versions or magics differ")
	}
	if fmt.Sprint(a.Keys()) != fmt.Sprint(b.Keys()) {
		t.Fatalf("keys %q and %q", a.Keys(), b.Keys())
	}
	for _, key := range a.Keys() {
		x, _ := a.Value(key)
		y, _ := b.Value(key)
		if !sameValue(x, y) {
			t.Fatalf("%q is %v and %v", key, x, y)
		}
	}
	if len(a.Tensors()) != len(b.Tensors()) {
		t.Fatalf("%d and %d tensors", len(a.Tensors()), len(b.Tensors()))
	}
	for i, x := range a.Tensors() {
		y := b.Tensors()[i]
		if x.Name != y.Name || x.Type != y.Type || x.Size != y.Size || !reflect.DeepEqual(x.Dims, y.Dims) {
			t.Fatalf("tensor %v and %v", x, y)
		}
		p, q := make([]byte, x.Size), make([]byte, y.Size)
		if err := errors.Join(a.ReadTensor(x, p, 0), b.ReadTensor(y, q, 0)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(p, q) {
			t.Fatalf("the data of %q differ", x.Name)
		}
	}
}

// sameValue compares as the file stores it, so that a NaN equals itself.
func sameValue(a, b Value) bool {
	encode := func(v Value) string {
		w := NewWriter()
		w.Set("k", v)
		return string(written(w))
	}
	return a.Kind() == b.Kind() && a.Elem() == b.Elem() && a.Len() == b.Len() && encode(a) == encode(b)
}
