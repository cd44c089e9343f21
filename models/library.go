package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Library is the models that the user keeps on disk, each in a folder of its
// own:
//
//	DIR/qwen-0.5b-q4/qwen-0.5b-q4.gguf  the model; its parts, with the names that split models have; or a symbolic link
//	DIR/qwen-0.5b-q4/model.json         an Entry: what the model is and the checksums of its files
//	DIR/.tmp-123/                       an import or a removal under way
//
// A folder appears by one rename when all of it is written and synced, and goes
// by one rename before its files are deleted, so there is no moment at which a
// killed process leaves half a model. model.json is for people and for checks:
// without it a model still opens.
//
// A Library holds no state but its place. Several processes may use one.
type Library struct{ dir string }

// Entry is one model of a library.
type Entry struct {
	Name         string      `json:"name"`            // what -m takes
	Title        string      `json:"title,omitempty"` // what the file calls itself
	Architecture string      `json:"architecture"`
	Type         string      `json:"type"` // number format that holds most bytes
	Parameters   uint64      `json:"parameters"`
	Bytes        int64       `json:"bytes"`
	Link         bool        `json:"link"`   // the model stays where it was imported from
	Source       string      `json:"source"` // absolute path that it was imported from
	Imported     time.Time   `json:"imported"`
	Files        []EntryFile `json:"files"` // in order of parts

	Problem string `json:"problem,omitempty"` // why the model or this entry is not usable; found by List, never stored
}

// EntryFile is one file of a model.
type EntryFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // in hexadecimal
}

const (
	entryFile    = "model.json"
	entryVersion = 1
	maxEntry     = 8 << 20 // bytes of an entry; one of a thousand parts has far fewer
	maxModelName = 100     // bytes, so that the longest file name fits any file system
)

// OpenLibrary returns the library in the folder dir, or the user's own if dir
// is "". The folder is made by the first Import.
func OpenLibrary(dir string) (*Library, error) {
	if dir == "" {
		data, err := DataDir()
		if err != nil {
			return nil, fmt.Errorf("finding the library: %w", err)
		}
		dir = filepath.Join(data, "models")
	}
	info, err := os.Stat(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("opening the library: %w", err)
	}
	if err == nil && !info.IsDir() {
		return nil, fmt.Errorf("opening the library: %s is a file, expected a folder", dir)
	}
	return &Library{dir}, nil
}

// Dir is the library's folder.
func (l *Library) Dir() string { return l.dir }

// List returns all models by name. A model that is damaged is listed with its
// Problem.
func (l *Library) List() ([]Entry, error) {
	names, err := l.names()
	if err != nil {
		return nil, err
	}
	entries := []Entry{}
	for _, name := range names {
		entries = append(entries, l.entry(name))
	}
	return entries, nil
}

// names lists the models' folders, sorted.
func (l *Library) names() ([]string, error) {
	folders, err := os.ReadDir(l.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing the library: %w", err)
	}
	var names []string
	for _, f := range folders {
		if f.IsDir() && checkName(f.Name()) == nil {
			names = append(names, f.Name())
		}
	}
	return names, nil
}

// entry reads what model.json tells and compares it with the files.
func (l *Library) entry(name string) Entry {
	e, err := l.readEntry(name)
	if err == nil {
		err = l.checkFiles(name, e.Files)
	}
	e.Name, e.Problem = name, ""
	if err != nil {
		e.Problem = err.Error()
	}
	return e
}

// storedEntry is model.json.
type storedEntry struct {
	Version int `json:"version"`
	Entry
}

func (l *Library) readEntry(name string) (Entry, error) {
	file, err := os.Open(filepath.Join(l.dir, name, entryFile))
	if err != nil {
		return Entry{}, fmt.Errorf("its %s is missing", entryFile)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxEntry))
	var s storedEntry
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	switch {
	case err != nil:
		return Entry{}, fmt.Errorf("its %s is damaged", entryFile)
	case s.Version != entryVersion:
		return Entry{}, fmt.Errorf("its %s has version %d, expected %d", entryFile, s.Version, entryVersion)
	}
	return s.Entry, nil
}

// checkFiles compares sizes: checksums would take minutes.
func (l *Library) checkFiles(name string, files []EntryFile) error {
	if len(files) == 0 {
		return fmt.Errorf("its %s names no files", entryFile)
	}
	for i, f := range files {
		if f.Name != partName(name, i, len(files)) {
			return fmt.Errorf("its %s names files of another model", entryFile)
		}
		info, err := os.Stat(filepath.Join(l.dir, name, f.Name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("the file %s is gone", f.Name)
		case err != nil:
			return fmt.Errorf("the file %s cannot be read", f.Name)
		case !info.Mode().IsRegular() || info.Size() != f.Bytes:
			return fmt.Errorf("the file %s was changed after the import", f.Name)
		}
	}
	return nil
}

// Path returns the file of the model with this name, or with the only name that
// begins so; of a split model it is the first part. The error is
// fs.ErrNotExist if there is none.
func (l *Library) Path(name string) (string, error) {
	names, err := l.names()
	if err != nil {
		return "", err
	}
	if !slices.Contains(names, name) {
		names = slices.DeleteFunc(names, func(n string) bool { return name == "" || !strings.HasPrefix(n, name) })
		switch len(names) {
		case 0:
			return "", unknownModel(name)
		case 1:
			name = names[0]
		default:
			return "", fmt.Errorf("%q is the beginning of more than one model (%s)", name, strings.Join(names, ", "))
		}
	}
	path := filepath.Join(l.dir, name, name+".gguf")
	if _, err := os.Lstat(path); err == nil {
		return path, nil
	}
	parts, err := os.ReadDir(filepath.Join(l.dir, name))
	if err != nil {
		return "", fmt.Errorf("looking for the model %q: %w", name, err)
	}
	for _, p := range parts {
		if prefix, no, _, ok := splitName(p.Name()); ok && no == 0 && prefix == name {
			return filepath.Join(l.dir, name, p.Name()), nil
		}
	}
	return "", fmt.Errorf("the model %q of the library has lost its files; remove it and import it again", name)
}

// unknownModel is the error for a name that the library does not have.
type unknownModel string

func (name unknownModel) Error() string {
	return fmt.Sprintf("the library has no model %q", string(name))
}

func (unknownModel) Is(target error) bool { return target == fs.ErrNotExist }

// Remove deletes the model with exactly this name and returns what it was. Of a
// linked model only the link goes.
func (l *Library) Remove(name string) (Entry, error) {
	names, err := l.names()
	if err != nil {
		return Entry{}, err
	}
	if !slices.Contains(names, name) {
		return Entry{}, unknownModel(name)
	}
	e := l.entry(name)
	s, err := l.stage()
	if err != nil {
		return Entry{}, fmt.Errorf("removing %q: %w", name, err)
	}
	if err := os.Rename(filepath.Join(l.dir, name), filepath.Join(s.dir, name)); err != nil {
		s.discard()
		return Entry{}, fmt.Errorf("removing %q: %w", name, err)
	}
	if err := s.discard(); err != nil {
		return Entry{}, fmt.Errorf("removing %q: %w", name, err)
	}
	return e, nil
}

// checkName refuses names that would leave the library's folder, hide there,
// harm a terminal, or be taken for a flag or the built-in model.
func checkName(name string) error {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	switch {
	case name == "":
		return errors.New("a model needs a name")
	case len(name) > maxModelName:
		return fmt.Errorf("a model's name has at most %d bytes, this one %d", maxModelName, len(name))
	case name == BuiltIn:
		return fmt.Errorf("%q is the model in the program; choose another name", name)
	case strings.ContainsAny(name, `/\`), !utf8.ValidString(name), strings.ContainsFunc(name, unprintable):
		return fmt.Errorf("%q cannot be a model's name: it has a path separator or an unprintable character", name)
	case name[0] == '.', name[0] == '-', strings.TrimSpace(name) != name:
		return fmt.Errorf("%q cannot be a model's name: it begins with a dot or dash, or has a space at an end", name)
	}
	return nil
}

// partName is the file name of part i of n of a model.
func partName(name string, i, n int) string {
	if n == 1 {
		return name + ".gguf"
	}
	return fmt.Sprintf("%s-%05d-of-%05d.gguf", name, i+1, n)
}

// splitName takes the file name of a split model's part apart; no counts from 0.
func splitName(file string) (prefix string, no, n int, ok bool) {
	const tail = len("-00001-of-00002.gguf")
	if len(file) <= tail {
		return "", 0, 0, false
	}
	prefix = file[:len(file)-tail]
	if _, err := fmt.Sscanf(file[len(prefix):], "-%05d-of-%05d.gguf", &no, &n); err != nil {
		return "", 0, 0, false
	}
	no--
	return prefix, no, n, no >= 0 && no < n && file == partName(prefix, no, n)
}
