package disk

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestOnlyRegularFilesAreOpened(t *testing.T) {
	dir := t.TempDir()
	file, pipe := filepath.Join(dir, "file"), filepath.Join(dir, "pipe")
	if err := os.WriteFile(file, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no named pipes here:", err)
	}
	f, size, err := Open(file)
	if err != nil || size != 5 {
		t.Fatalf("%d bytes, %v", size, err)
	}
	f.Close()
	for path, want := range map[string]string{dir: "not a regular file", pipe: "not a regular file", file + "x": "no such file or directory"} {
		if _, _, err := Open(path); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %q alone", filepath.Base(path), err, want)
		}
	}
}

func TestOnlyFilesOfTheSameKindMayBeReplaced(t *testing.T) {
	for _, c := range []struct {
		content string
		may     bool
	}{{"", true}, {"GGUF and more", true}, {"GGU", false}, {"\xff\xd8\xff\xe0 a photograph", false}, {"PWRI", true}} {
		path := filepath.Join(t.TempDir(), "out")
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		err := MayReplace(path, "GGUF file", "GGUF", "PWRI")
		if (err == nil) != c.may {
			t.Errorf("%q: %v", c.content, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "no GGUF file") || strings.Contains(err.Error(), path)) {
			t.Errorf("%q: the error says %q", c.content, err)
		}
	}
	if err := MayReplace(filepath.Join(t.TempDir(), "new"), "pack"); err != nil {
		t.Errorf("a new file: %v", err)
	}
	if err := MayReplace(t.TempDir(), "pack"); err == nil {
		t.Error("a folder may be replaced")
	}
}

func TestCauseLeavesThePathOut(t *testing.T) {
	_, err := os.Open(filepath.Join(t.TempDir(), "missing"))
	if got := Cause(err); got.Error() != "no such file or directory" || !os.IsNotExist(&fs.PathError{Err: got}) {
		t.Errorf("%v", got)
	}
}
