package models

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hotcell/models/gguf"
)

func TestOpenWithoutPathGivesTheBuiltInModel(t *testing.T) {
	for _, path := range []string{"", BuiltIn} {
		f, err := Open(path)
		if err != nil {
			t.Fatalf("Open(%q): %v", path, err)
		}
		if len(f.Tensors()) == 0 || f.Path() != "" {
			t.Errorf("Open(%q): %d tensors, path %q", path, len(f.Tensors()), f.Path())
		}
		f.Close()
	}
}

func TestOpenReadsAFile(t *testing.T) {
	path := write(t, "small.gguf", emptyModel(t))
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if arch, err := f.String("general.architecture"); arch != "llama" {
		t.Errorf("architecture %q, %v", arch, err)
	}
}

func TestOpenNamesTheMistake(t *testing.T) {
	safetensors := binary.LittleEndian.AppendUint64(nil, 64)
	safetensors = append(safetensors, `{"weight":{"dtype":"F16"}}`...)
	tests := []struct {
		name, content string
		want          string // what the sentence must say
	}{
		{"empty.gguf", "", "the file is empty"},
		{"noise.gguf", "\x01\x02\x03\x04\x05\x06\x07\x08", "not a GGUF file"},
		{"truncated.gguf", string(emptyModel(t)[:40]), "truncated.gguf: "},
		{"model.safetensors", string(safetensors), "safetensors"},
		{"archive.zip", "PK\x03\x04\x14\x00", "zip"},
		{"page.gguf", "\r\n  <!DOCTYPE html><html></html>", "web page"},
		{"shouting.gguf", "<HTML><BODY>404</BODY></HTML>", "web page"},
		{"denied.gguf", "<?xml version=\"1.0\"?><Error/>", "web page"},
		{"answer.gguf", `{"error":"Invalid credentials"}`, "JSON"},
		{"packed.gguf.gz", "\x1f\x8b\x08\x00", "unpack"},
		{"pointer.gguf", "version https://git-lfs", "LFS"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := Open(write(t, test.name, []byte(test.content)))
			if err == nil {
				f.Close()
				t.Fatal("the file was opened")
			}
			sentence(t, err, test.name+": ", test.want)
		})
	}
}

func TestOpenNamesAMissingFileByItsWholePath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nowhere", "model.gguf")
	_, err := Open(path)
	sentence(t, err, path+": ", "there is no such file")
}

func TestOpenOfAFolderSaysWhatToDoInstead(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(dir)
	sentence(t, err, filepath.Base(dir)+": ", "there is none in it")

	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(dir)
	sentence(t, err, filepath.Base(dir)+": ", "hotcell convert")

	model := filepath.Join(dir, "one.gguf")
	if err := os.WriteFile(model, emptyModel(t), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(dir)
	sentence(t, err, filepath.Base(dir)+": ", model)
}

// sentence checks that err is one line which starts and contains as told.
func sentence(t *testing.T, err error, start, contains string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	text := err.Error()
	if !strings.HasPrefix(text, start) || !strings.Contains(text, contains) || strings.Contains(text, "\n") {
		t.Errorf("the error is %q, want one line starting with %q and saying %q", text, start, contains)
	}
}

func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func emptyModel(t *testing.T) []byte {
	t.Helper()
	var out strings.Builder
	w := gguf.NewWriter()
	w.Set("general.architecture", "llama")
	if _, err := w.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return []byte(out.String())
}
