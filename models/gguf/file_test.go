package gguf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestTensorShapes(t *testing.T) {
	f, err := parseBytes(small())
	if err != nil {
		t.Fatal(err)
	}
	two, ok := f.Tensor("two")
	if !ok || two.Cols() != 32 || two.Rows() != 2 || two.Elements() != 64 || two.RowSize() != 18 || two.Size != 36 {
		t.Errorf("two is %+v", two)
	}
	if _, ok := f.Tensor("three"); ok {
		t.Error("a tensor was found that is not there")
	}
	var zero Tensor
	if zero.Cols() != 0 || zero.Rows() != 0 || zero.Elements() != 0 || (Tensor{Type: 99, Dims: []uint64{4}}).RowSize() != 0 {
		t.Error("a tensor without shape or type has elements")
	}
}

func save(t *testing.T, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.gguf")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAnOpenFileCanBeReadAndMapped(t *testing.T) {
	b := small()
	path := save(t, b)
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if f.Name() != "model.gguf" || f.Path() != path || f.Size() != int64(len(b)) {
		t.Errorf("name %q, path %q, size %d", f.Name(), f.Path(), f.Size())
	}
	m, err := f.Map()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m, b) {
		t.Error("the mapping differs from the file")
	}
	if again, err := f.Map(); err != nil || &again[0] != &m[0] {
		t.Errorf("a second Map gave another mapping (%v)", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if _, err := f.Map(); errorText(err) != "model.gguf: cannot be mapped, it is not an open file on disk" {
		t.Errorf("mapping a closed file: %v", err)
	}
}

func TestOpenExplainsWhatItCannotOpen(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(filepath.Join(dir, "absent.gguf"))
	if errorText(err) != "absent.gguf: no such file or directory" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an absent file: %v", err)
	}
	if _, err = Open(dir); errorText(err) != filepath.Base(dir)+": not a regular file" {
		t.Errorf("a directory: %v", err)
	}
	if _, err = Open(save(t, nil)); errorText(err) != "model.gguf: the file is empty" {
		t.Errorf("an empty file: %v", err)
	}
	f, err := parseBytes(small())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Map(); errorText(err) != "model.gguf: cannot be mapped, it is not an open file on disk" {
		t.Errorf("mapping memory: %v", err)
	}
	if f.Path() != "" || f.Close() != nil {
		t.Error("a parsed file has a path or does not close")
	}
}

func TestReadTensorStaysInsideTheTensor(t *testing.T) {
	w := NewWriter()
	w.AddTensor("x", I8, []uint64{5}, Bytes([]byte("abcde")))
	w.AddTensor("y", I8, []uint64{3}, Bytes([]byte("fgh")))
	f, err := parseBytes(written(w))
	if err != nil {
		t.Fatal(err)
	}
	x, _ := f.Tensor("x")
	for _, c := range []struct {
		name string
		n    int
		off  int64
		want string
		err  string
	}{
		{"all of it", 5, 0, "abcde", ""},
		{"a piece", 2, 3, "de", ""},
		{"nothing at the end", 0, 5, "", ""},
		{"one too many", 3, 3, "", `model.gguf: tensor "x": reading 3 bytes at 3 of its 5 is out of range`},
		{"before the start", 1, -1, "", `model.gguf: tensor "x": reading 1 bytes at -1 of its 5 is out of range`},
		{"far behind", 1, math.MaxInt64, "", `model.gguf: tensor "x": reading 1 bytes at 9223372036854775807 of its 5 is out of range`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dst := make([]byte, c.n)
			err := f.ReadTensor(x, dst, c.off)
			if errorText(err) != c.err || c.err == "" && string(dst) != c.want {
				t.Errorf("%q, %v; want %q, %s", dst, err, c.want, c.err)
			}
		})
	}
	dst := make([]byte, 5)
	if n := testing.AllocsPerRun(10, func() { f.ReadTensor(x, dst, 0) }); n != 0 {
		t.Errorf("reading allocates %v times", n)
	}
}

func TestAShortReadNamesTensorAndOffset(t *testing.T) {
	path := save(t, small())
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	two, _ := f.Tensor("two")
	if err := os.Truncate(path, two.Offset+10); err != nil {
		t.Fatal(err)
	}
	err = f.ReadTensor(two, make([]byte, 20), 4)
	want := fmt.Sprintf(`model.gguf: tensor "two": reading 20 bytes at offset %d of the file gave 6: unexpected EOF`, two.Offset+4)
	if errorText(err) != want || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v, want %s", err, want)
	}
}
