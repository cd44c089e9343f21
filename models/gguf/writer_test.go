package gguf

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"testing"
)

func TestTheWriterLaysAFileOutAsSpecified(t *testing.T) {
	w := &Writer{PowerInfer: true}
	w.Set("general.alignment", uint32(8))
	w.Set("a", []string{"hi"})
	w.AddTensor("t", I8, []uint64{3}, Bytes([]byte{1, 2, 3}))
	want := "50575249" + "03000000" + // PWRI, version 3
		"0100000000000000" + "0200000000000000" + // 1 tensor, 2 keys
		"1100000000000000" + hex.EncodeToString([]byte("general.alignment")) + "04000000" + "08000000" +
		"0100000000000000" + "61" + "09000000" + "08000000" + "0100000000000000" + // an array of 1 string
		"0200000000000000" + "6869" +
		"0100000000000000" + "74" + "01000000" + "0300000000000000" + "18000000" + "0000000000000000" +
		"000000" + // padding to 128
		"010203" + "0000000000"
	got := hex.EncodeToString(written(w))
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestTheWriterReportsTheFirstMistake(t *testing.T) {
	gone := errors.New("the source is gone")
	for _, c := range []struct {
		name  string
		build func(*Writer)
		want  string // after "writing GGUF: "
	}{
		{"an int without size", func(w *Writer) { w.Set("n", 3) }, `key "n": int has no fixed size; use uint32, int32 or another sized type`},
		{"a map", func(w *Writer) { w.Set("n", map[string]int{}) }, `key "n": GGUF has no type for map[string]int`},
		{"scalars as values of an array", func(w *Writer) { w.Set("n", []Value{mustValue(true)}) },
			`key "n": element 0 is a bool, but a []Value holds arrays only`},
		{"an empty Value", func(w *Writer) { w.Set("n", Value{}) }, `key "n": an empty Value cannot be stored`},
		{"a bad alignment", func(w *Writer) { w.Set("general.alignment", uint32(33)) },
			`key "general.alignment": 33 is not a power of two from 8 to 16777216`},
		{"half a block", func(w *Writer) { w.AddTensor("t", Q8_0, []uint64{33}, Bytes(nil)) },
			`tensor "t": a row of 33 elements is not whole Q8_0 blocks of 32`},
		{"an unknown type", func(w *Writer) { w.AddTensor("t", 200, []uint64{32}, Bytes(nil)) }, `tensor "t": unknown tensor type 200`},
		{"no dimensions", func(w *Writer) { w.AddTensor("t", F32, nil, Bytes(nil)) }, `tensor "t": 0 dimensions, expected 1 to 4`},
		{"a tensor added twice", func(w *Writer) {
			w.AddTensor("t", F32, []uint64{1}, Bytes(make([]byte, 4)))
			w.AddTensor("t", F32, []uint64{1}, Bytes(make([]byte, 4)))
		}, `tensor "t": added twice`},
		{"too little data", func(w *Writer) { w.AddTensor("t", F32, []uint64{2}, Bytes(make([]byte, 3))) },
			`tensor "t": 5 of its 8 bytes were not written`},
		{"too much data", func(w *Writer) { w.AddTensor("t", F32, []uint64{2}, Bytes(make([]byte, 9))) },
			`tensor "t": more bytes than its type and dimensions need`},
		{"a source that fails", func(w *Writer) {
			w.AddTensor("t", F32, []uint64{2}, func(io.Writer) error { return gone })
		}, `tensor "t": the source is gone`},
		{"version 1", func(w *Writer) { w.Version = 1 }, "GGUF version 1 is too old; convert the file to version 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := NewWriter()
			c.build(w)
			_, err := w.WriteTo(io.Discard)
			if want := "writing GGUF: " + c.want; errorText(err) != want {
				t.Errorf("error %v, want %s", err, want)
			}
		})
	}
}

// fullDisk fails after n bytes.
type fullDisk struct{ n int }

var errFull = errors.New("no space left")

func (d *fullDisk) Write(b []byte) (int, error) {
	if len(b) > d.n {
		n := d.n
		d.n = 0
		return n, errFull
	}
	d.n -= len(b)
	return len(b), nil
}

func TestTheWriterReportsAFullDisk(t *testing.T) {
	w := NewWriter()
	w.AddTensor("t", I8, []uint64{1 << 20}, Bytes(make([]byte, 1<<20)))
	for _, n := range []int{0, 10, 100, 1 << 19} {
		if _, err := w.WriteTo(&fullDisk{n}); !errors.Is(err, errFull) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

func TestSetReplacesAValueInItsPlace(t *testing.T) {
	w := NewWriter()
	w.Set("a", uint8(1))
	w.Set("b", uint8(2))
	w.Set("a", "new")
	var b bytes.Buffer
	n, err := w.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("%d bytes announced, %d written, %v", n, b.Len(), err)
	}
	f, err := parseBytes(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if s, err := f.String("a"); s != "new" || err != nil || f.Keys()[0] != "a" || len(f.Keys()) != 2 {
		t.Errorf("a is %q (%v), keys %q", s, err, f.Keys())
	}
}
