package gguf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// splitModel is a model of five tensors in n files, as the usual tools split
// one: all parts hold the split's keys, the first one the metadata besides, and
// part i every n-th tensor from i on. With n = 0 it is the model in one file.
func splitModel(n int) []*Writer {
	parts := make([]*Writer, max(n, 1))
	for i := range parts {
		parts[i] = NewWriter()
		if i == 0 {
			parts[i].Set("general.architecture", "llama")
			parts[i].Set("llama.block_count", uint32(1))
			parts[i].Set("tokenizer.ggml.tokens", []string{"a", "b"})
		}
		if n > 0 {
			parts[i].Set(splitNoKey, uint16(i))
			parts[i].Set(splitCountKey, uint16(n))
			parts[i].Set(splitTensorsKey, int32(5))
		}
	}
	for first := range parts {
		for k := first; k < 5; k += len(parts) {
			data := bytes.Repeat([]byte{byte('A' + k)}, 3+k)
			parts[first].AddTensor(fmt.Sprint("t", k), I8, []uint64{uint64(len(data))}, Bytes(data))
		}
	}
	return parts
}

// saveParts writes the parts under their right names into a new folder.
func saveParts(t *testing.T, parts []*Writer) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for i, w := range parts {
		saveAs(t, filepath.Join(dir, "m"+splitSuffix(i, len(parts))), w)
	}
	return dir
}

func saveAs(t *testing.T, path string, w *Writer) {
	t.Helper()
	if err := os.WriteFile(path, written(w), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestASplitModelIsOneFileWhicheverPartIsOpened(t *testing.T) {
	for _, n := range []int{2, 3, 5, 7} { // of 7 parts the last two have no tensors
		dir := saveParts(t, splitModel(n))
		size := int64(0)
		for _, w := range splitModel(n) {
			size += int64(len(written(w)))
		}
		for i := range n {
			path := filepath.Join(dir, "m"+splitSuffix(i, n))
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if f.Path() != path || f.Name() != filepath.Base(path) || f.Size() != size {
				t.Errorf("path %q, name %q, size %d, want %q and %d", f.Path(), f.Name(), f.Size(), path, size)
			}
			if arch, err := f.String("general.architecture"); arch != "llama" || err != nil || len(f.Keys()) != 3 {
				t.Errorf("architecture %q, %v, keys %q", arch, err, f.Keys())
			}
			for k := range 5 {
				x, ok := f.Tensor(fmt.Sprint("t", k))
				b := make([]byte, x.Size)
				err := f.ReadTensor(x, b, 0)
				if want := strings.Repeat(string(rune('A'+k)), 3+k); !ok || err != nil || string(b) != want {
					t.Errorf("t%d is %q, %v, want %q", k, b, err, want)
				}
			}
			if len(f.Tensors()) != 5 {
				t.Errorf("%d tensors, want 5", len(f.Tensors()))
			}
			for k, x := range f.Tensors() {
				f.Prefetch(x, 0, x.Size)
				if k > 0 && (f.Tensors()[k-1].Compare(x) >= 0 || x.Compare(x) != 0) {
					t.Errorf("%s does not lie behind %s", x.Name, f.Tensors()[k-1].Name)
				}
			}
			if _, err := f.Map(); errorText(err) != fmt.Sprintf("%s: cannot be mapped, the model is split into %d files", f.Name(), n) {
				t.Errorf("Map: %v", err)
			}
			if err := errors.Join(f.Close(), f.Close()); err != nil {
				t.Error(err)
			}
			x, _ := f.Tensor("t1")
			f.Prefetch(x, 0, 1) // of a closed file: nothing
			if err := f.ReadTensor(x, make([]byte, 1), 0); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("reading after Close: %v", err)
			}
		}
	}
}

func TestASplitModelEqualsTheModelInOneFile(t *testing.T) {
	whole, err := parseBytes(written(splitModel(0)[0]))
	if err != nil {
		t.Fatal(err)
	}
	parts := []*Writer{NewWriter(), NewWriter()}
	for i, w := range parts {
		w.Set(splitNoKey, uint16(i))
		w.Set(splitCountKey, uint16(2))
		w.Set(splitTensorsKey, int32(5))
	}
	for _, key := range whole.Keys() {
		v, _ := whole.Value(key)
		parts[0].Set(key, v)
	}
	parts[1].Set(alignmentKey, uint32(1024)) // counts for this part's offsets
	for i, x := range whole.Tensors() {
		w := parts[0]
		if i >= 3 {
			w = parts[1]
		}
		w.AddTensor(x.Name, x.Type, x.Dims, func(out io.Writer) error {
			b := make([]byte, x.Size)
			_, err := out.Write(b[:copy(b, strings.Repeat(string(rune('A'+i)), len(b)))])
			return err
		})
	}
	f, err := Open(filepath.Join(saveParts(t, parts), "m"+splitSuffix(0, 2)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sameFile(t, whole, f)
}

func TestAModelInOnePartIsNotSplit(t *testing.T) {
	for count, name := range []string{"merged.gguf", "m-00001-of-00001.gguf"} {
		w := splitModel(0)[0]
		w.Set(splitCountKey, uint16(count)) // the tool that joins parts leaves 0 behind
		path := filepath.Join(t.TempDir(), name)
		saveAs(t, path, w)
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Map(); err != nil {
			t.Error(err)
		}
		f.Close()
	}
}

func TestPartsThatMakeNoModelAreRefusedWithAPlainSentence(t *testing.T) {
	remove := func(no int) func(*testing.T, string, []*Writer) {
		return func(t *testing.T, dir string, _ []*Writer) { os.Remove(filepath.Join(dir, "m"+splitSuffix(no, 3))) }
	}
	set := func(no int, key string, v any) func(*testing.T, string, []*Writer) {
		return func(t *testing.T, dir string, parts []*Writer) {
			parts[no].Set(key, v)
			saveAs(t, filepath.Join(dir, "m"+splitSuffix(no, 3)), parts[no])
		}
	}
	put := func(no int, w *Writer) func(*testing.T, string, []*Writer) {
		return func(t *testing.T, dir string, _ []*Writer) {
			saveAs(t, filepath.Join(dir, "m"+splitSuffix(no, 3)), w)
		}
	}
	without := func(key string) *Writer { // the second part without one of its keys
		w := NewWriter()
		for _, k := range []string{splitNoKey, splitCountKey, splitTensorsKey} {
			if k != key {
				w.Set(k, splitModel(3)[1].values[k])
			}
		}
		return w
	}
	sparse := splitModel(3)[1]
	sparse.PowerInfer = true
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, dir string, parts []*Writer)
		open  int    // the part that is opened
		want  string // # stands for "m-0000n-of-00003.gguf" and the digit after it
	}{
		{"the last part is missing", remove(2), 0, "#3: no such file or directory; all 3 parts of the model must lie in one folder"},
		{"the first part is missing", remove(0), 2, "#1: no such file or directory; all 3 parts of the model must lie in one folder"},
		{"a part is a folder", func(t *testing.T, dir string, parts []*Writer) {
			remove(1)(t, dir, parts)
			os.Mkdir(filepath.Join(dir, "m"+splitSuffix(1, 3)), 0o700)
		}, 0, "#2: not a regular file"},
		{"a part is empty", func(t *testing.T, dir string, parts []*Writer) {
			os.Truncate(filepath.Join(dir, "m"+splitSuffix(1, 3)), 0)
		}, 0, "#2: the file is empty"},
		{"a part is cut short", func(t *testing.T, dir string, parts []*Writer) {
			os.Truncate(filepath.Join(dir, "m"+splitSuffix(1, 3)), 100)
		}, 2, `#2: kind of "split.tensors.count" at offset 98: the file ends after 100 bytes; it is incomplete`},
		{"a part is a model in one file", put(1, splitModel(0)[0]), 0,
			"#2: this is not a part of a split model, but its name is that of part 2 of 3"},
		{"two parts are exchanged", func(t *testing.T, dir string, parts []*Writer) {
			put(1, parts[2])(t, dir, parts)
			put(2, parts[1])(t, dir, parts)
		}, 0, "#2: this is part 3 of 3 of a split model, so its name must end in -00003-of-00003.gguf"},
		{"the opened part has the name of another", func(t *testing.T, dir string, parts []*Writer) {
			put(1, parts[2])(t, dir, parts)
		}, 1, "#2: this is part 3 of 3 of a split model, so its name must end in -00003-of-00003.gguf"},
		{"a part is of a model in two files", put(1, splitModel(2)[1]), 0,
			"#2: this is part 2 of 2 of a split model, so its name must end in -00002-of-00002.gguf"},
		{"a part past the last", set(1, splitNoKey, uint16(3)), 0, "#2: split.no is 3, but counted from 0 there are only 3 parts"},
		{"a negative number", set(1, splitNoKey, int32(-1)), 0, "#2: split.no is -1, expected no negative number"},
		{"no number", put(1, without(splitNoKey)), 0, "#2: split.no is missing"},
		{"no number in the opened part", put(1, without(splitNoKey)), 1, "#2: split.no is missing"},
		{"a count that is a string", set(0, splitCountKey, "3"), 0, "#1: split.count is a string, expected a number"},
		{"too many parts", set(0, splitCountKey, uint16(65535)), 0, "#1: split.count is 65535, more than the 1024 allowed"},
		{"no number of tensors", put(1, without(splitTensorsKey)), 0, "#2: split.tensors.count is missing"},
		{"a part with another number of tensors", set(1, splitTensorsKey, int32(6)), 0,
			"#2: this part is of another model than #1: the number of tensors is 6, not 5"},
		{"too many tensors", set(0, splitTensorsKey, uint64(1<<40)), 0, "#1: split.tensors.count is 1099511627776, more than the 1048576 allowed"},
		{"a part without a tensor that it had", put(1, without("")), 0, "#1: the model has 5 tensors, but its 3 parts hold 3"},
		{"another architecture", set(2, archKey, "qwen3"), 0,
			`#3: this part is of another model than #1: its architecture is "qwen3", not "llama"`},
		{"an architecture that is a number", set(2, archKey, uint8(1)), 0, "#3: general.architecture is a uint8, expected a string"},
		{"a part of a PowerInfer model", put(1, sparse), 0,
			"#2: this part is of another model than #1: being in PowerInfer's variant is true, not false"},
		{"a tensor in two parts", func(t *testing.T, dir string, parts []*Writer) {
			parts[2].AddTensor("t1", I8, []uint64{1}, Bytes([]byte{1}))
			put(2, parts[2])(t, dir, parts)
		}, 0, `#3: tensor "t1" is also in #2`},
	} {
		t.Run(c.name, func(t *testing.T) {
			parts := splitModel(3)
			dir := saveParts(t, parts)
			c.spoil(t, dir, parts)
			before := openFiles()
			_, err := Open(filepath.Join(dir, "m"+splitSuffix(c.open, 3)))
			want := c.want
			for i := range 3 {
				want = strings.ReplaceAll(want, fmt.Sprint("#", i+1), "m"+splitSuffix(i, 3))
			}
			if errorText(err) != want {
				t.Errorf("error\n got %v\nwant %s", err, want)
			}
			if after := openFiles(); after > before {
				t.Errorf("%d files are open, before there were %d", after, before)
			}
		})
	}
}

// openFiles counts the open files of this process, where the system tells.
func openFiles() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

func TestAPartWithoutTheNameOfOneIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine.gguf")
	saveAs(t, path, splitModel(3)[0])
	want := "mine.gguf: this is part 1 of 3 of a split model, so its name must end in -00001-of-00003.gguf"
	if _, err := Open(path); errorText(err) != want {
		t.Errorf("Open: %v", err)
	}
	if _, err := parseBytes(written(splitModel(3)[0])); errorText(err) != "model.gguf: this is only one of the 3 parts of a split model" {
		t.Errorf("Parse: %v", err)
	}
}

func TestAReadErrorNamesThePart(t *testing.T) {
	dir := saveParts(t, splitModel(2))
	f, err := Open(filepath.Join(dir, "m"+splitSuffix(0, 2)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x, _ := f.Tensor("t3")
	if err := os.Truncate(filepath.Join(dir, "m"+splitSuffix(1, 2)), x.Offset+2); err != nil {
		t.Fatal(err)
	}
	err = f.ReadTensor(x, make([]byte, 3), 0)
	want := fmt.Sprintf(`m-00002-of-00002.gguf: tensor "t3": reading 3 bytes at offset %d of the file gave 2: unexpected EOF`, x.Offset)
	if errorText(err) != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if err := f.ReadTensor(Tensor{Size: 1, Name: "far", part: 9}, make([]byte, 1), 0); errorText(err) !=
		`m-00001-of-00002.gguf: tensor "far" is of another file` {
		t.Errorf("a tensor of another file: %v", err)
	}
}

// FuzzJoin gives any bytes for both parts of a model.
func FuzzJoin(f *testing.F) {
	two, three := splitModel(2), splitModel(3)
	f.Add(written(two[0]), written(two[1]))
	f.Add(written(two[1]), written(two[0]))
	f.Add(written(two[0]), written(two[0]))
	f.Add(written(two[0]), written(three[1]))
	f.Add(written(two[0]), small())
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var parts []*File
		for i, raw := range [][]byte{a, b} {
			p, err := parseFile(bytes.NewReader(raw), int64(len(raw)), "m"+splitSuffix(i, 2))
			if err != nil {
				return
			}
			parts = append(parts, p)
		}
		whole, err := join(parts)
		if err != nil {
			if !strings.HasPrefix(err.Error(), parts[0].name+": ") && !strings.HasPrefix(err.Error(), parts[1].name+": ") {
				t.Fatalf("the error does not name a part: %v", err)
			}
			return
		}
		if len(whole.Tensors()) != len(parts[0].tensors)+len(parts[1].tensors) || whole.Size() != int64(len(a)+len(b)) {
			t.Fatalf("%d tensors, %d bytes", len(whole.Tensors()), whole.Size())
		}
		for _, x := range whole.Tensors() {
			if err := whole.ReadTensor(x, make([]byte, x.Size), 0); err != nil {
				t.Fatal(err)
			}
			if y, ok := whole.Tensor(x.Name); !ok || y.part != x.part || y.Offset != x.Offset {
				t.Fatalf("%q is %v in the list and %v by name", x.Name, x, y)
			}
		}
	})
}
