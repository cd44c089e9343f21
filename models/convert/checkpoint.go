package convert

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"hotcell/models/disk"
)

// checkpoint is the weights of a model: one safetensors file, or several shards with
// an index that says which tensor is in which.
type checkpoint struct {
	shards  []*shard
	tensors map[string]weight
}

// shard is one open safetensors file.
type shard struct {
	name string
	file *os.File
}

// weight is a tensor and the shard that holds its data.
type weight struct {
	sourceTensor
	shard *shard
}

const (
	singleFile = "model.safetensors"
	indexFile  = "model.safetensors.index.json"

	// mostShards stays below the files that a process may have open. Models of 700 GB
	// come in fewer than 200.
	mostShards = 500
)

// openCheckpoint opens the weights in the folder dir and reads their headers.
func openCheckpoint(dir string) (*checkpoint, error) {
	c := &checkpoint{tensors: map[string]weight{}}
	if err := c.open(dir); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *checkpoint) open(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, indexFile)); errors.Is(err, fs.ErrNotExist) {
		return c.openSingle(dir)
	}
	var index struct {
		Files map[string]string `json:"weight_map"`
	}
	if err := readJSON(dir, indexFile, &index); err != nil {
		return err
	}
	var names []string
	for tensor, name := range index.Files {
		// The names come from outside: one that leads out of the folder is refused.
		if !filepath.IsLocal(name) || strings.ContainsAny(name, `/\`) || name != quote(name) || !strings.HasSuffix(name, ".safetensors") {
			return fmt.Errorf("%s: the tensor %s is said to be in %s, which is not the name of a safetensors file in the folder",
				indexFile, quote(tensor), quote(name))
		}
		names = append(names, name)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return fmt.Errorf("%s: it names no files", indexFile)
	}
	if len(names) > mostShards {
		return fmt.Errorf("%s: %d files are too many; at most %d are accepted", indexFile, len(names), mostShards)
	}
	for _, name := range names {
		if err := c.openShard(dir, name); err != nil {
			return err
		}
	}
	for tensor, name := range index.Files {
		if w, ok := c.tensors[tensor]; !ok || w.shard.name != name {
			return fmt.Errorf("%s: the tensor %s is missing, though %s names it", name, quote(tensor), indexFile)
		}
	}
	return nil
}

func (c *checkpoint) openSingle(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, singleFile)); !errors.Is(err, fs.ErrNotExist) {
		return c.openShard(dir, singleFile)
	}
	if pickles, _ := filepath.Glob(filepath.Join(dir, "pytorch_model*.bin")); len(pickles) > 0 {
		return fmt.Errorf("%s: the weights are in PyTorch's own format, which is not read because such files can run programs; get the model as safetensors", quote(base(dir)))
	}
	return fmt.Errorf("%s: there are no weights in this folder (neither %s nor %s)", quote(base(dir)), singleFile, indexFile)
}

func (c *checkpoint) openShard(dir, name string) error {
	file, size, err := disk.Open(filepath.Join(dir, name))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	s := &shard{name, file}
	c.shards = append(c.shards, s)
	tensors, err := parseHeader(file, size)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, t := range tensors {
		if other, ok := c.tensors[t.name]; ok {
			return fmt.Errorf("%s: the tensor %s is also in %s", name, quote(t.name), other.shard.name)
		}
		c.tensors[t.name] = weight{t, s}
	}
	return nil
}

func (c *checkpoint) close() {
	for _, s := range c.shards {
		s.file.Close()
	}
}

// read fills dst with the bytes of w from offset on.
func (w *weight) read(dst []byte, offset int64) error {
	n, err := w.shard.file.ReadAt(dst, w.offset+offset)
	if n == len(dst) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: the file ends within the tensor %s; it became shorter while it was read", w.shard.name, quote(w.name))
	}
	return fmt.Errorf("%s: reading the tensor %s: %w", w.shard.name, quote(w.name), disk.Cause(err))
}

// largestText bounds the JSON and text files that are read whole. The largest in use,
// tokenizers of a quarter of a million pieces, have 35 MB.
const largestText = 64 << 20

// readText reads a file of the folder. A missing one gives fs.ErrNotExist.
func readText(dir, name string) ([]byte, error) {
	file, size, err := disk.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defer file.Close()
	if size > largestText {
		return nil, fmt.Errorf("%s: %d bytes are too many; at most %d are accepted", name, size, largestText)
	}
	text, err := io.ReadAll(io.LimitReader(file, largestText))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, disk.Cause(err))
	}
	return text, nil
}

// readJSON reads a JSON file of the folder into v.
func readJSON(dir, name string, v any) error {
	text, err := readText(dir, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w", name, plainJSON(err))
	}
	return nil
}

// readOptionalJSON is readJSON for a file that need not be there.
func readOptionalJSON(dir, name string, v any) error {
	if err := readJSON(dir, name, v); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// plainJSON says what is wrong with a JSON text without naming Go types.
func plainJSON(err error) error {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Errorf("%s is %s, which does not belong there", kind.Field, article(kind.Value))
	case errors.As(err, &kind):
		return fmt.Errorf("%s stands where something else belongs", article(kind.Value))
	case errors.As(err, &syntax):
		return fmt.Errorf("this is not valid JSON (at byte %d: %w)", syntax.Offset, err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("the JSON is cut off")
	}
	return err
}

// article puts one before the name of a JSON type.
func article(kind string) string {
	kind = kind[:min(len(kind), 40)] // numbers come with all their digits
	if strings.HasPrefix(kind, "array") || strings.HasPrefix(kind, "object") {
		return "an " + kind
	}
	return "a " + kind
}

// quote writes a name from outside for an error message: harmless for a terminal, and
// short.
func quote(name string) string {
	if len(name) > 100 {
		name = name[:100] + "..."
	}
	if plain := strconv.Quote(name); plain != `"`+name+`"` || name == "" {
		return plain
	}
	return name
}
