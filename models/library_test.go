package models

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hotcell/models/gguf"
)

func TestImportCopiesAModelAndWritesItsEntry(t *testing.T) {
	l, source := emptyLibrary(t), smallModel(t, "Small.Q4.gguf", 1)
	var last int64
	e, added, err := l.Import(t.Context(), source, ImportOptions{Progress: func(done, total int64) {
		if done < last || done > total {
			t.Errorf("progress went from %d to %d of %d", last, done, total)
		}
		last = done
	}})
	if err != nil || !added {
		t.Fatal(added, err)
	}
	content, _ := os.ReadFile(source)
	sum := sha256.Sum256(content)
	if e.Name != "Small.Q4" || e.Title != "Small" || e.Architecture != "llama" || e.Type != "F32" || e.Parameters != 64 || e.Source != source || e.Link {
		t.Errorf("entry %+v", e)
	}
	if e.Bytes != int64(len(content)) || last != e.Bytes || len(e.Files) != 1 || e.Files[0] != (EntryFile{"Small.Q4.gguf", e.Bytes, hex.EncodeToString(sum[:])}) {
		t.Errorf("entry %+v, %d bytes were read", e, last)
	}
	path, err := l.Path("Small.Q4")
	if err != nil {
		t.Fatal(err)
	}
	if copied, _ := os.ReadFile(path); !bytes.Equal(copied, content) {
		t.Error("the copy differs")
	}
	list, err := l.List()
	if err != nil || len(list) != 1 || fmt.Sprint(list[0]) != fmt.Sprint(e) {
		t.Errorf("listed %+v, %v\nwant %+v", list, err, e)
	}
	onlyModels(t, l, "Small.Q4")
}

func TestImportBringsAllPartsOfASplitModel(t *testing.T) {
	for _, link := range []bool{false, true} {
		l, dir := emptyLibrary(t), t.TempDir()
		for i := range 3 {
			splitPart(t, filepath.Join(dir, partName("big", i, 3)), i, 3)
		}
		e, _, err := l.Import(t.Context(), filepath.Join(dir, partName("big", 1, 3)), ImportOptions{Name: "renamed", Link: link})
		if err != nil {
			t.Fatal(err)
		}
		if len(e.Files) != 3 || e.Files[2].Name != "renamed-00003-of-00003.gguf" || e.Link != link {
			t.Errorf("entry %+v", e)
		}
		path, err := l.Path("ren")
		if err != nil {
			t.Fatal(err)
		}
		f, err := gguf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Tensors()) != 3 || f.Size() != e.Bytes {
			t.Errorf("%d tensors, %d bytes", len(f.Tensors()), f.Size())
		}
		f.Close()
		if again, added, err := l.Import(t.Context(), filepath.Join(dir, partName("big", 0, 3)), ImportOptions{Name: "renamed"}); err != nil || added || len(again.Files) != 3 {
			t.Errorf("the second import: %+v, %v, %v", again, added, err)
		}
	}
}

func TestImportAsALinkLeavesTheModelWhereItIs(t *testing.T) {
	l, source := emptyLibrary(t), smallModel(t, "linked.gguf", 1)
	if _, _, err := l.Import(t.Context(), source, ImportOptions{Link: true}); err != nil {
		t.Fatal(err)
	}
	path, err := l.Path("linked")
	if err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(path); target != source {
		t.Errorf("the link names %q, %v", target, err)
	}
	if _, err := l.Remove("linked"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(source); err != nil {
		t.Errorf("the model went with its link: %v", err)
	}
	onlyModels(t, l)
}

func TestImportOfTheSameModelAgainChangesNothing(t *testing.T) {
	l := emptyLibrary(t)
	first, _, err := l.Import(t.Context(), smallModel(t, "m.gguf", 1), ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	again, added, err := l.Import(t.Context(), smallModel(t, "m.gguf", 1), ImportOptions{})
	if err != nil || added || again.Source != first.Source {
		t.Errorf("%+v, %v, %v", again, added, err)
	}
	for name, other := range map[string]string{"of the same size": smallModel(t, "m.gguf", 2), "of another size": smallModel(t, "m.gguf", 1, 2)} {
		_, _, err = l.Import(t.Context(), other, ImportOptions{})
		sentence(t, err, "m.gguf: ", `another model "m"`)
		if _, added, err := l.Import(t.Context(), other, ImportOptions{Name: name}); err != nil || !added {
			t.Errorf("under another name: %v", err)
		}
	}
	onlyModels(t, l, "m", "of another size", "of the same size")
}

func TestACancelledImportLeavesNothing(t *testing.T) {
	l, source := emptyLibrary(t), smallModel(t, "m.gguf", 1)
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := l.Import(ctx, source, ImportOptions{Progress: func(done, _ int64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	onlyModels(t, l)
}

func TestAnImportThatIsRefusedWritesNothing(t *testing.T) {
	l := emptyLibrary(t)
	refused := errors.New("m.gguf: cannot run")
	_, _, err := l.Import(t.Context(), smallModel(t, "m.gguf", 1), ImportOptions{Check: func(f *gguf.File) error {
		if arch, _ := f.String("general.architecture"); arch != "llama" {
			t.Errorf("asked about %q", arch)
		}
		return refused
	}})
	if err != refused {
		t.Errorf("error %v", err)
	}
	for name, path := range map[string]string{
		"no such file": filepath.Join(t.TempDir(), "none.gguf"),
		"a folder":     t.TempDir(),
		"a web page":   write(t, "page.gguf", []byte("<html>")),
	} {
		if _, _, err := l.Import(t.Context(), path, ImportOptions{}); err == nil {
			t.Errorf("%s was imported", name)
		}
	}
	if _, err := os.Stat(l.Dir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the library was made: %v", err)
	}
}

func TestImportNamesAFullDisk(t *testing.T) {
	l, source := emptyLibrary(t), filepath.Join(t.TempDir(), "huge.gguf")
	const size = 1 << 42 // of a hole, which takes no space
	w := gguf.NewWriter()
	w.Set("general.architecture", "llama")
	w.AddTensor("t", gguf.F32, []uint64{size / 4}, func(out io.Writer) error {
		_, _ = out.Write(make([]byte, 1<<20)) // brings the header through the buffer
		return errors.New("enough")
	})
	file, err := os.Create(source)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.WriteTo(file)
	err = file.Truncate(1<<20 + size)
	file.Close()
	if err != nil {
		t.Skipf("the disk holds no file of this size: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err = l.Import(ctx, source, ImportOptions{Progress: func(int64, int64) { cancel() }})
	if errors.Is(err, context.Canceled) {
		t.Skip("the disk clones files, or is large")
	}
	sentence(t, err, "huge.gguf: ", "--link")
	onlyModels(t, l)
}

func TestLeftoversOfAKilledImportGoWithTheNext(t *testing.T) {
	l := emptyLibrary(t)
	dead, alive := filepath.Join(l.Dir(), stagePrefix+"dead"), filepath.Join(l.Dir(), stagePrefix+"alive")
	for _, dir := range []string{dead, alive} {
		if err := os.MkdirAll(filepath.Join(dir, "m"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	lock, err := lockDir(alive)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if _, _, err := l.Import(t.Context(), smallModel(t, "m.gguf", 1), ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead); err == nil {
		t.Error("the leftover is still there")
	}
	if _, err := os.Stat(alive); err != nil {
		t.Error("the work of a living process is gone")
	}
}

func TestNamesThatAreRefused(t *testing.T) {
	l, source := emptyLibrary(t), smallModel(t, "m.gguf", 1)
	for _, name := range []string{
		"..", ".", ".hidden", "../m", "a/b", `a\b`, "/m", "-m", " m", "m ", "a\nb", "a\x1b[31m", "a\u009b", "a\u202eb", "a\xff", "a\u00a0b",
		BuiltIn, strings.Repeat("a", maxModelName+1),
	} {
		if _, _, err := l.Import(t.Context(), source, ImportOptions{Name: name}); err == nil {
			t.Errorf("%q was taken", name)
		} else if strings.ContainsAny(err.Error(), "\x1b\n\u009b\u202e") {
			t.Errorf("the error for %q brings its control characters to the terminal", name)
		}
	}
	for _, name := range []string{"m", "Qwen 2.5 (0.5B)", "modèle", "模型", strings.Repeat("a", maxModelName)} {
		if _, _, err := l.Import(t.Context(), source, ImportOptions{Name: name}); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestListShowsADamagedModelWithItsProblem(t *testing.T) {
	entry := func(s string) func(dir string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, entryFile), []byte(s), 0o644) }
	}
	for _, test := range []struct {
		name   string
		damage func(dir string) error
		want   string
	}{
		{"the model was deleted", func(dir string) error { return os.Remove(filepath.Join(dir, "m.gguf")) }, "m.gguf is gone"},
		{"the model was replaced", func(dir string) error { return os.WriteFile(filepath.Join(dir, "m.gguf"), nil, 0o644) }, "was changed"},
		{"the entry was deleted", func(dir string) error { return os.Remove(filepath.Join(dir, entryFile)) }, "is missing"},
		{"the entry is no JSON", entry("["), "is damaged"},
		{"the entry is of another version", entry(`{"version":99}`), "version 99"},
		{"the entry names no files", entry(`{"version":1,"name":"other"}`), "names no files"},
		{"the entry names files outside", entry(`{"version":1,"files":[{"name":"../../secret"}]}`), "another model"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := emptyLibrary(t)
			if _, _, err := l.Import(t.Context(), smallModel(t, "m.gguf", 1), ImportOptions{}); err != nil {
				t.Fatal(err)
			}
			if err := test.damage(filepath.Join(l.Dir(), "m")); err != nil {
				t.Fatal(err)
			}
			list, err := l.List()
			if err != nil || len(list) != 1 || list[0].Name != "m" || !strings.Contains(list[0].Problem, test.want) {
				t.Errorf("%+v, %v", list, err)
			}
			_, _, err = l.Import(t.Context(), smallModel(t, "m.gguf", 1), ImportOptions{})
			sentence(t, err, "m.gguf: ", "damaged")
			if _, err := l.Remove("m"); err != nil {
				t.Errorf("it cannot be removed: %v", err)
			}
			onlyModels(t, l)
		})
	}
}

func TestPathTakesANameOrTheBeginningOfOnlyOne(t *testing.T) {
	l := emptyLibrary(t)
	for _, name := range []string{"qwen-0.5b", "qwen-7b", "qwen", "smol"} {
		if _, _, err := l.Import(t.Context(), smallModel(t, "m.gguf", 1), ImportOptions{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"qwen": "qwen", "qwen-7b": "qwen-7b", "qwen-0": "qwen-0.5b", "s": "smol"} {
		path, err := l.Path(name)
		if err != nil || path != filepath.Join(l.Dir(), want, want+".gguf") {
			t.Errorf("%q gives %q, %v", name, path, err)
		}
	}
	if _, err := l.Path("qwen-"); err == nil || !strings.Contains(err.Error(), "qwen-0.5b, qwen-7b") {
		t.Errorf("an ambiguous beginning: %v", err)
	}
	for _, name := range []string{"", "x", "..", "../" + filepath.Base(l.Dir()), "."} {
		if _, err := l.Path(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := l.Remove("smo"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a beginning was enough to remove a model: %v", err)
	}
}

func TestOpenFindsModelsOfTheLibraryByName(t *testing.T) {
	t.Setenv(DataEnv, t.TempDir())
	l, err := OpenLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Import(t.Context(), smallModel(t, "mine.gguf", 1), ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	f, err := Open("mi")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	_, err = Open("yours")
	sentence(t, err, "yours: ", "no such file")

	if err := os.WriteFile("mine", []byte("<html>"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open("mine")
	sentence(t, err, "mine: ", "web page") // a file goes before the library
}

func TestDataDirIsWhereTheUserCanWrite(t *testing.T) {
	home := t.TempDir()
	program, _ := os.Executable()
	beside := filepath.Join(filepath.Dir(program), "hotcell-data")
	for _, test := range []struct{ name, data, xdg, home, want string }{
		{"the variable goes first", "/d", "/x", home, "/d"},
		{"then XDG_DATA_HOME", "", "/x", home, "/x/hotcell"},
		{"which counts only if it is absolute", "", "x", home, filepath.Join(home, ".local/share/hotcell")},
		{"then the home folder", "", "", home, filepath.Join(home, ".local/share/hotcell")},
		{"adb shell has / as home", "", "", "/", beside},
		{"there may be no home", "", "", "", beside},
		{"or one that is not there", "", "", filepath.Join(home, "none"), beside},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(DataEnv, test.data)
			t.Setenv("XDG_DATA_HOME", test.xdg)
			t.Setenv("HOME", test.home)
			if got, err := DataDir(); got != test.want || err != nil {
				t.Errorf("%q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestSplitNameTakesOnlyNamesOfParts(t *testing.T) {
	for file, want := range map[string]string{
		"m-00001-of-00002.gguf":   "m 0 2",
		"m-00002-of-00002.gguf":   "m 1 2",
		"m-00003-of-00002.gguf":   "",
		"m-00000-of-00002.gguf":   "",
		"m-1-of-00000000002.gguf": "",
		"m-+0001-of-00002.gguf":   "",
		"-00001-of-00002.gguf":    "",
		"m.gguf":                  "",
	} {
		prefix, no, n, ok := splitName(file)
		if got := fmt.Sprint(prefix, " ", no, " ", n); ok != (want != "") || ok && got != want {
			t.Errorf("%s gives %s, %v", file, got, ok)
		}
	}
}

func emptyLibrary(t *testing.T) *Library {
	t.Helper()
	l, err := OpenLibrary(filepath.Join(t.TempDir(), "models"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// onlyModels checks that the library's folder holds these models and nothing else.
func onlyModels(t *testing.T, l *Library, want ...string) {
	t.Helper()
	folders, _ := os.ReadDir(l.Dir())
	var got []string
	for _, f := range folders {
		got = append(got, f.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("the library holds %q, want %q", got, want)
	}
}

// smallModel writes a model with one tensor for each of fill.
func smallModel(t *testing.T, name string, fill ...float32) string {
	w := gguf.NewWriter()
	w.Set("general.architecture", "llama")
	w.Set("general.name", "Small")
	for i, v := range fill {
		w.AddTensor(fmt.Sprint("t", i), gguf.F32, []uint64{64}, gguf.Float32s(slices.Repeat([]float32{v}, 64)))
	}
	var out bytes.Buffer
	if _, err := w.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return write(t, name, out.Bytes())
}

// splitPart writes part i of n, which has one tensor.
func splitPart(t *testing.T, path string, i, n int) {
	w := gguf.NewWriter()
	if i == 0 {
		w.Set("general.architecture", "llama")
	}
	w.Set("split.no", uint16(i))
	w.Set("split.count", uint16(n))
	w.Set("split.tensors.count", int32(n))
	w.AddTensor(fmt.Sprint("t", i), gguf.F32, []uint64{64}, gguf.Float32s(make([]float32, 64)))
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := w.WriteTo(file); err != nil {
		t.Fatal(err)
	}
}
