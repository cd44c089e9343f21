package gguf

import (
	"bytes"
	"strings"
	"testing"
)

func TestTensorsOfAnotherContainerAreReadThroughAFile(t *testing.T) {
	w := NewWriter()
	w.Set("general.name", "here")
	meta, err := parseBytes(written(w))
	if err != nil {
		t.Fatal(err)
	}
	src := []byte("....abcdefgh")
	x, err := NewTensor("x", I8, []uint64{8})
	if err != nil {
		t.Fatal(err)
	}
	x.Offset = 4
	f, err := meta.WithTensors(bytes.NewReader(src), int64(len(src)), "other.pack", []Tensor{x})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := make([]byte, 3)
	found, ok := f.Tensor("x")
	if err := f.ReadTensor(found, got, 2); err != nil || !ok || string(got) != "cde" {
		t.Errorf("read %q, %v, %v", got, ok, err)
	}
	if name, err := f.String("general.name"); err != nil || name != "here" || f.Name() != "other.pack" {
		t.Errorf("name %q, %v, file %s", name, err, f.Name())
	}
}

func TestTensorsThatDoNotLieInTheContainerAreRefused(t *testing.T) {
	meta, err := parseBytes(written(NewWriter()))
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string, offset int64) Tensor {
		x, err := NewTensor(name, I8, []uint64{8})
		if err != nil {
			t.Fatal(err)
		}
		x.Offset = offset
		return x
	}
	grown := at("a", 0)
	grown.Size = 9
	for _, test := range []struct {
		name    string
		tensors []Tensor
		want    string
	}{
		{"past the end", []Tensor{at("a", 9)}, `m: tensor "a": 8 bytes at 9 do not lie in a file of 16 bytes`},
		{"before the start", []Tensor{at("a", -1)}, `8 bytes at -1 do not lie`},
		{"a size that is not the shape's", []Tensor{grown}, `9 bytes at 0 do not lie`},
		{"overlapping", []Tensor{at("a", 0), at("b", 7)}, `tensor "b" at offset 7: its data overlaps that of "a"`},
		{"of one name", []Tensor{at("a", 0), at("a", 8)}, `tensor "a" appears twice`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := meta.WithTensors(bytes.NewReader(make([]byte, 16)), 16, "m", test.tensors)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if _, err := NewTensor("a", Q4_0, []uint64{31}); err == nil {
		t.Error("a row that is no whole number of blocks is accepted")
	}
}
