package models

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"hotcell/models/builtin"
	"hotcell/models/gguf"
	"hotcell/models/pack"
)

// BuiltIn is the path that means the model inside the program, as "" does. A
// file of that name is reached as "./builtin".
const BuiltIn = "builtin"

// Open opens the model at path, or the built-in one if path is "" or BuiltIn.
// Where there is no such file, path may be the name of a model in the user's
// library, or the beginning of only one. Only the header is read. An error is
// one plain sentence that starts with the file's name.
func Open(path string) (*gguf.File, error) {
	if path == "" || path == BuiltIn {
		return builtin.Open()
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && filepath.Base(path) == path {
		return openNamed(path)
	}
	return openPath(path)
}

// openNamed opens a model of the user's library.
func openNamed(name string) (*gguf.File, error) {
	l, err := OpenLibrary("")
	if err != nil {
		return nil, err
	}
	path, err := l.Path(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: there is no such file, and no model of this name in the library (hotcell models lists it)", name)
	case err != nil:
		return nil, err
	}
	return openPath(path)
}

// openPath opens a file.
func openPath(path string) (*gguf.File, error) {
	name := filepath.Base(path)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: there is no such file", path)
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("%s: this is a folder; %s", name, advice(path))
	}
	if pack.Is(path) {
		p, err := pack.Open(path)
		if err != nil {
			return nil, err
		}
		return p.GGUF(), nil
	}
	f, err := gguf.Open(path)
	if err != nil {
		if other := mistaken(path); other != "" {
			return nil, fmt.Errorf("%s: %s", name, other)
		}
		return nil, err
	}
	return f, nil
}

// advice says what to do instead of opening the folder dir.
func advice(dir string) string {
	if files, _ := filepath.Glob(filepath.Join(dir, "*.gguf")); len(files) > 0 {
		return "name a file in it, such as " + files[0]
	}
	if _, err := os.Stat(filepath.Join(dir, "config.json")); err == nil {
		return "if it is a Hugging Face model, hotcell convert makes a GGUF file of it"
	}
	return "name a GGUF file (there is none in it)"
}

// mistaken says what the file at path is if it is one of the things that are
// passed in place of a GGUF file and that a container's reader need not know;
// otherwise it returns "".
func mistaken(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	buf := make([]byte, 512)
	n, _ := file.ReadAt(buf, 0)
	head := buf[:n]

	// Safetensors: the length of a JSON text, u64, and the text.
	if len(head) > 9 && binary.LittleEndian.Uint64(head) < 1<<32 && head[8] == '{' {
		return "this is a safetensors file; make a GGUF file of its folder with hotcell convert, or download the model as GGUF"
	}
	for _, magic := range []string{"\x1f\x8b", "\x28\xb5\x2f\xfd", "\xfd7zXZ"} { // gzip, zstd, xz
		if bytes.HasPrefix(head, []byte(magic)) {
			return "this is a compressed file; unpack it first"
		}
	}
	switch text := strings.ToLower(strings.TrimLeft(string(head), "\ufeff \t\r\n")); {
	case strings.HasPrefix(text, "<!doctype"), strings.HasPrefix(text, "<html"), strings.HasPrefix(text, "<?xml"):
		return "this is a web page, not a model; the download failed or the link was not to the file itself"
	case strings.HasPrefix(text, "{"):
		return "this is a JSON text, not a model; the download failed or the link was not to the file itself"
	}
	return ""
}
