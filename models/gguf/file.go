package gguf

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"hotcell/models/disk"
)

// File is an open GGUF file, or all the files of a split model. Everything but
// Map and Close only reads state that never changes, so a File may be used from
// many goroutines at once; Map may be too. Close ends all use.
type File struct {
	name, path string
	src        io.ReaderAt
	size       int64
	version    uint32
	powerInfer bool
	alignment  uint64   // of tensor data
	keys       []string // file order
	values     map[string]Value
	tensors    []Tensor // file order
	byName     map[string]int
	parts      []*File // of a split model, in order; nil for a model in one file

	file    *os.File // nil unless opened by path
	mu      sync.Mutex
	mapping []byte
}

// Tensor is an entry of the directory.
type Tensor struct {
	Name   string
	Type   Type
	Dims   []uint64 // fastest first: Dims[0] is the length of a row
	Offset int64    // of the data, in bytes from the start of the file (of its part)
	Size   int64    // of the data, in bytes

	part int // which file of a split model holds the data
}

// Cols returns the elements in a row.
func (t Tensor) Cols() uint64 {
	if len(t.Dims) == 0 {
		return 0
	}
	return t.Dims[0]
}

// Rows returns the number of rows: the product of all dimensions but the first.
func (t Tensor) Rows() uint64 {
	if len(t.Dims) == 0 {
		return 0
	}
	n := uint64(1)
	for _, d := range t.Dims[1:] {
		n *= d
	}
	return n
}

// Elements returns the number of elements.
func (t Tensor) Elements() uint64 { return t.Cols() * t.Rows() }

// RowSize returns the bytes of one row.
func (t Tensor) RowSize() int64 {
	if !t.Type.Known() {
		return 0
	}
	elems, bytes := t.Type.Block()
	return int64(t.Cols()/uint64(elems)) * int64(bytes)
}

// Compare orders tensors of one File by where their data lie, part after part.
func (t Tensor) Compare(o Tensor) int {
	return cmp.Or(cmp.Compare(t.part, o.part), cmp.Compare(t.Offset, o.Offset))
}

// Open opens and checks the file at path. It reads the header only and keeps
// the file open for ReadTensor and Map until Close. If the file is a part of a
// split model, Open opens all parts, which must lie in the same folder, and
// presents them as one File: the metadata of the first part, the tensors of all.
func Open(path string) (*File, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	n, err := f.splitCount()
	if err != nil {
		f.Close()
		return nil, err
	}
	if n > 1 {
		return openSplit(f, n)
	}
	return f, nil
}

// openFile opens one file, which may be a part of a model.
func openFile(path string) (*File, error) {
	name := filepath.Base(path)
	file, size, err := disk.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f, err := parseFile(file, size, name)
	if err != nil {
		file.Close()
		return nil, err
	}
	f.path, f.file = path, file
	return f, nil
}

// Parse reads a GGUF file of size bytes from any source. The name stands in
// errors. The source must stay readable as long as the File is used; Close
// leaves it alone. A part of a split model is refused, as Parse cannot find the
// others.
func Parse(r io.ReaderAt, size int64, name string) (*File, error) {
	f, err := parseFile(r, size, name)
	if err != nil {
		return nil, err
	}
	n, err := f.splitCount()
	if err != nil {
		return nil, err
	}
	if n > 1 {
		return nil, fmt.Errorf("%s: this is only one of the %d parts of a split model", f.name, n)
	}
	return f, nil
}

// parseFile is Parse without a look at what the file is a part of.
func parseFile(r io.ReaderAt, size int64, name string) (*File, error) {
	f := &File{name: filepath.Base(name), src: r, size: size}
	if size <= 0 {
		return nil, fmt.Errorf("%s: the file is empty", f.name)
	}
	if err := f.parse(); err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return f, nil
}

// Close unmaps and closes the file, or all parts of a split model. Slices from
// Map must not be used after it.
func (f *File) Close() error {
	var err error
	for _, p := range f.parts {
		err = errors.Join(err, p.Close())
	}
	if err != nil {
		return err // names the part
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mapping != nil {
		err = unmapFile(f.mapping)
		f.mapping = nil
	}
	if f.file != nil {
		err = errors.Join(err, f.file.Close())
		f.file = nil
	}
	if err != nil {
		return fmt.Errorf("%s: closing: %w", f.name, disk.Cause(err))
	}
	return nil
}

// Name returns the base name of the file given to Open or Parse.
func (f *File) Name() string { return f.name }

// Path returns the path given to Open, of whichever part that is, or "" if the
// File came from Parse.
func (f *File) Path() string { return f.path }

// Size returns the bytes of the whole file, or of all parts together.
func (f *File) Size() int64 { return f.size }

// Version returns the format version, 2 or 3.
func (f *File) Version() uint32 { return f.version }

// PowerInfer reports whether the file is in PowerInfer's variant: magic PWRI,
// the FFN's down matrices stored by neurons, and predictors beside them.
func (f *File) PowerInfer() bool { return f.powerInfer }

// Tensors returns the directory in file order, part after part. The slice is
// shared and must not be changed.
func (f *File) Tensors() []Tensor { return f.tensors }

// Tensor looks a tensor up by name.
func (f *File) Tensor(name string) (Tensor, bool) {
	i, ok := f.byName[name]
	if !ok {
		return Tensor{}, false
	}
	return f.tensors[i], true
}

// ReadTensor fills dst with the bytes of t that start off bytes into it.
// Reading past the tensor's end or getting fewer bytes than asked is an error.
func (f *File) ReadTensor(t Tensor, dst []byte, off int64) error {
	if off < 0 || off > t.Size || int64(len(dst)) > t.Size-off {
		return fmt.Errorf("%s: tensor %s: reading %d bytes at %d of its %d is out of range",
			f.name, quote(t.Name), len(dst), off, t.Size)
	}
	if f.parts != nil {
		if t.part >= len(f.parts) {
			return fmt.Errorf("%s: tensor %s is of another file", f.name, quote(t.Name))
		}
		f = f.parts[t.part]
	}
	n, err := f.src.ReadAt(dst, t.Offset+off)
	if n == len(dst) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%s: tensor %s: reading %d bytes at offset %d of the file gave %d: %w",
		f.name, quote(t.Name), len(dst), t.Offset+off, n, disk.Cause(err))
}

// Prefetch tells the system that n bytes of t, from byte off of it on, will be
// read soon, so that the disk works on them meanwhile. It is advice: it returns
// at once, and does nothing for a File that is not a file on disk.
func (f *File) Prefetch(t Tensor, off, n int64) {
	if t.part < len(f.parts) {
		f = f.parts[t.part]
	}
	if f.file != nil {
		prefetch(f.file, t.Offset+off, n)
	}
}

// Map returns the whole file as read-only memory, mapped on the first call and
// shared by later ones. Writing to it faults, and so does reading it after
// someone truncated the file. Only files from Open can be mapped, and not the
// parts of a split model: use ReadTensor, which reads any File.
func (f *File) Map() ([]byte, error) {
	if f.parts != nil {
		return nil, fmt.Errorf("%s: cannot be mapped, the model is split into %d files", f.name, len(f.parts))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mapping != nil {
		return f.mapping, nil
	}
	if f.file == nil {
		return nil, fmt.Errorf("%s: cannot be mapped, it is not an open file on disk", f.name)
	}
	if int64(int(f.size)) != f.size {
		return nil, fmt.Errorf("%s: %d bytes are too many to map on this machine", f.name, f.size)
	}
	m, err := mapFile(f.file, int(f.size))
	if err != nil {
		return nil, fmt.Errorf("%s: mapping: %w", f.name, err)
	}
	f.mapping = m
	return m, nil
}
