package convert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"hotcell/models/disk"
	"hotcell/models/gguf"
	"hotcell/models/token"
)

// Options say how a model is converted. The zero value gives Q4_0.
type Options struct {
	// Type is the type of the matrices: gguf.Q4_0, gguf.Q8_0 or gguf.F16. Zero means
	// Q4_0. Vectors and routers are always F32, and matrices whose rows are not a
	// multiple of 32 long F16.
	Type gguf.Type
	// Name is the model's name in the file; "" takes the folder's.
	Name string
	// Progress, if not nil, is called with the bytes of tensors written and their
	// total, from the goroutine that called Convert.
	Progress func(done, total int64)
}

// fileTypes are the values of general.file_type.
var fileTypes = map[gguf.Type]uint32{gguf.F16: 1, gguf.Q4_0: 2, gguf.Q8_0: 7}

// Convert reads the model in the folder dir and writes it as the GGUF file out, which
// appears whole or not at all and replaces a GGUF file of that name. Errors are plain
// sentences; after ctx is cancelled the error is that of ctx.
func Convert(ctx context.Context, dir, out string, o Options) error {
	if o.Type == gguf.F32 { // the zero value
		o.Type = gguf.Q4_0
	}
	if _, ok := fileTypes[o.Type]; !ok {
		return fmt.Errorf("converting to %v is not supported (supported: Q4_0, Q8_0, F16)", o.Type)
	}
	if err := checkFolder(dir); err != nil {
		return err
	}
	if err := disk.MayReplace(out, "GGUF file", "GGUF", "PWRI"); err != nil {
		return fmt.Errorf("%s: %w", base(out), err)
	}
	c, err := readConfig(dir)
	if err != nil {
		return err
	}
	weights, err := openCheckpoint(dir)
	if err != nil {
		return err
	}
	defer weights.close()
	w, err := prepare(ctx, dir, c, weights, o)
	if err != nil {
		return err
	}
	err = writeFile(out, w)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// prepare builds the whole file but for the tensors' data, which WriteTo streams.
func prepare(ctx context.Context, dir string, c *config, weights *checkpoint, o Options) (*gguf.Writer, error) {
	r, err := c.rotation()
	if err != nil {
		return nil, err
	}
	p, err := plan(c, weights, o.Type, r.factors)
	if err != nil {
		return nil, err
	}
	w := gguf.NewWriter()
	w.PowerInfer = p.sparseFile
	if o.Name == "" {
		o.Name = base(dir)
	}
	w.Set("general.architecture", c.family.arch)
	w.Set("general.type", "model")
	w.Set("general.name", o.Name)
	w.Set("general.file_type", fileTypes[o.Type])
	w.Set("general.quantization_version", uint32(2))
	storeShape(w, c, r)
	if p.predictors {
		threshold := 0.0
		if c.SparseThreshold != nil {
			threshold = *c.SparseThreshold
		}
		w.Set("powerinfer.sparse_threshold", float32(threshold))
	}
	v, err := readVocabulary(dir, c.Vocab)
	if err != nil {
		return nil, err
	}
	if err := storeSpecial(w, dir, v, c); err != nil {
		return nil, err
	}
	v.store(w)
	if err := checkTokenizer(w); err != nil {
		return nil, err
	}

	s := &stream{ctx: ctx, progress: o.Progress, piece: pieceElements}
	for i := range p.outputs {
		t := &p.outputs[i]
		w.AddTensor(t.name, t.typ, t.dims, s.data(t))
		s.total += t.bytes()
	}
	return w, nil
}

// bytes is the size of the tensor's data.
func (o *output) bytes() int64 {
	elems, size := o.typ.Block()
	n := int64(1)
	for _, d := range o.dims {
		n *= int64(d)
	}
	return n / int64(elems) * int64(size)
}

// storeShape writes the keys that stand below the architecture's name.
func storeShape(w *gguf.Writer, c *config, r rope) {
	set := func(key string, value any) { w.Set(c.family.arch+"."+key, value) }
	set("vocab_size", uint32(c.Vocab))
	set("context_length", uint32(c.Context))
	set("embedding_length", uint32(c.Dim))
	set("block_count", uint32(c.Layers))
	set("feed_forward_length", uint32(c.FF))
	set("attention.head_count", uint32(c.Heads))
	set("attention.head_count_kv", uint32(*c.KVHeads))
	set("attention.key_length", uint32(*c.HeadDim))
	set("attention.value_length", uint32(*c.HeadDim))
	set("attention.layer_norm_rms_epsilon", float32(*c.Eps))
	if c.family.windowed && c.Window != nil && *c.Window > 0 && *c.Window < c.Context {
		set("attention.sliding_window", uint32(*c.Window))
	}
	set("rope.dimension_count", uint32(*c.HeadDim))
	set("rope.freq_base", float32(r.base))
	for _, key := range slices.Sorted(maps.Keys(r.keys)) {
		set("rope.scaling."+key, r.keys[key])
	}
	if n := c.experts(); n > 0 {
		set("expert_count", uint32(n))
		set("expert_used_count", uint32(*c.ExpertsUsed))
		if c.ExpertFF != nil {
			set("expert_feed_forward_length", uint32(*c.ExpertFF))
		}
		if c.NormTopK != nil {
			set("expert_weights_norm", *c.NormTopK)
		}
	}
}

// checkTokenizer makes sure that the tokenizer can be used before hours go into the
// tensors.
func checkTokenizer(w *gguf.Writer) error {
	var header bytes.Buffer
	if _, err := w.WriteTo(&header); err != nil {
		return err
	}
	f, err := gguf.Parse(bytes.NewReader(header.Bytes()), int64(header.Len()), tokenizerFile)
	if err == nil {
		_, err = token.New(f)
	}
	if err != nil {
		return fmt.Errorf("the tokenizer cannot be converted: %w", err)
	}
	return nil
}

// checkFolder says what dir is, if it is no folder.
func checkFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, disk.Cause(err))
	}
	if !info.IsDir() {
		return fmt.Errorf("%s: this is a file; name the folder that holds config.json and the weights", quote(base(dir)))
	}
	return nil
}

// writeFile writes to a temporary name beside out, reads the header back, and renames.
func writeFile(out string, w *gguf.Writer) (err error) {
	folder := filepath.Dir(out)
	file, err := os.CreateTemp(folder, "."+filepath.Base(out)+".*.part")
	if err != nil {
		return fmt.Errorf("%s: %w", folder, disk.Cause(err))
	}
	temporary := file.Name()
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(temporary)
			err = writeError(out, err)
		}
	}()
	if _, err = w.WriteTo(file); err != nil {
		return err
	}
	file.Chmod(0o644) // a memory card may not know permissions
	if err = file.Sync(); err != nil {
		return err
	}
	if err = file.Close(); err != nil {
		return err
	}
	f, err := gguf.Open(temporary)
	if err != nil {
		return fmt.Errorf("the file that was written cannot be read back: %w", err)
	}
	f.Close()
	if err = os.Rename(temporary, out); err != nil {
		return err
	}
	if d, err := os.Open(folder); err == nil { // so that the name outlives a power cut too
		d.Sync()
		d.Close()
	}
	return nil
}

// writeError says what stopped the writing of out.
func writeError(out string, err error) error {
	name := filepath.Base(out)
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return &told{name + ": the disk is full; nothing was kept", err}
	case errors.Is(err, syscall.EFBIG):
		return &told{name + ": this file system does not hold files that large; nothing was kept", err}
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		err = link.Err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// told is an error in words of its own.
type told struct {
	text string
	err  error
}

func (t *told) Error() string { return t.text }
func (t *told) Unwrap() error { return t.err }

// base is the name of a folder, also of ".".
func base(dir string) string {
	if full, err := filepath.Abs(dir); err == nil {
		return filepath.Base(full)
	}
	return filepath.Base(dir)
}

// list writes names for an error message.
func list(names []string) string { return strings.Join(names, ", ") }
