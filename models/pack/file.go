package pack

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"hotcell/models/disk"
	"hotcell/models/gguf"
)

// File is an open pack. Nothing in it changes, so many goroutines may use it at
// once; Close ends all use.
type File struct {
	name, path string
	src        io.ReaderAt
	file       *os.File // nil unless opened by path
	header     header
	dir        *directory
	sums       sums
	resident   *gguf.File
}

// Open opens and checks the pack at path, and keeps it open until Close. It reads
// header, metadata, directory and checksum table, a thousandth of the file, and
// none of the data. Errors start with the file's base name.
func Open(path string) (*File, error) {
	name := filepath.Base(path)
	file, size, err := disk.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f, err := Parse(file, size, name)
	if err != nil {
		file.Close()
		return nil, err
	}
	f.path, f.file = path, file
	return f, nil
}

// Parse reads a pack of size bytes from any source, which must stay readable as
// long as the File is used. The name stands in errors.
func Parse(r io.ReaderAt, size int64, name string) (*File, error) {
	f := &File{name: filepath.Base(name), src: r}
	if err := f.parse(size); err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return f, nil
}

func (f *File) parse(size int64) error {
	page := make([]byte, PageBytes)
	if n, err := f.src.ReadAt(page, 0); n < PageBytes {
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading the header: %w", disk.Cause(err))
		}
		return fmt.Errorf("not a pack, its %d bytes are less than the header", size)
	}
	h, err := decodeHeader(page, size)
	if err != nil {
		return err
	}
	f.header = *h
	meta, err := f.metadata()
	if err != nil {
		return err
	}
	dir, err := f.section("directory", h.dirStart, h.tableStart, h.dirSum)
	if err != nil {
		return err
	}
	if f.dir, err = decodeDirectory(dir[:h.dirBytes]); err != nil {
		return err
	}
	if err := f.dir.place(h.dataAt); err != nil {
		return err
	}
	if f.dir.pages != h.pages {
		return fmt.Errorf("pages of data at offset 40: %d, but tensors and groups have %d", h.pages, f.dir.pages)
	}
	want := header{arch: architecture(meta)}
	f.dir.summary(&want)
	if want.layers != h.layers || want.dim != h.dim || want.neurons != h.neurons || want.experts != h.experts ||
		want.arch != h.arch || want.quantisation != h.quantisation {
		return errors.New("header at offset 60: the shape is not that of metadata and directory")
	}
	if f.sums, err = f.section("checksum table", h.tableStart, h.dataAt, h.tableSum); err != nil {
		return err
	}
	f.resident, err = meta.WithTensors(verified{f}, size, f.name, f.dir.resident)
	return err
}

// metadata reads the GGUF file without tensors.
func (f *File) metadata() (*gguf.File, error) {
	if _, err := f.section("metadata", f.header.metaStart, f.header.dirStart, f.header.metaSum); err != nil {
		return nil, err
	}
	meta, err := gguf.Parse(io.NewSectionReader(f.src, f.header.metaStart, f.header.metaBytes), f.header.metaBytes, "metadata")
	if err == nil && len(meta.Tensors()) > 0 {
		err = errors.New("metadata: it has tensors")
	}
	return meta, err
}

// architecture is the model's, as far as the header has room for it.
func architecture(meta *gguf.File) string {
	arch, _ := meta.String("general.architecture")
	return text([]byte(arch[:min(len(arch), archBytes)]))
}

// section reads the bytes from start to end and checks their sum.
func (f *File) section(name string, start, end int64, sum uint32) ([]byte, error) {
	b := make([]byte, end-start)
	if n, err := f.src.ReadAt(b, start); n < len(b) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("%s at offset %d: %w", name, start, disk.Cause(err))
	}
	if checksum(b) != sum {
		return nil, fmt.Errorf("%s at offset %d: %w", name, start, errDamaged)
	}
	return b, nil
}

// Close closes the file, if Open opened it.
func (f *File) Close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	if err != nil {
		return fmt.Errorf("%s: closing: %w", f.name, disk.Cause(err))
	}
	return nil
}

// Name returns the base name of the file.
func (f *File) Name() string { return f.name }

// Path returns the path given to Open, or "".
func (f *File) Path() string { return f.path }

// Size returns the bytes of the file.
func (f *File) Size() int64 { return f.header.fileBytes }

// Hash returns the SHA-256 of the GGUF file that Unpack writes, in hexadecimal:
// the identity of the model, whatever the order and layout.
func (f *File) Hash() string { return hex.EncodeToString(f.header.hash[:]) }

// GGUF returns the model's metadata with the tensors that are always resident:
// all that lie in no group, and scales of down matrices that are cut by neuron
// (Group.DownScales). Every page is checked when it is read. It is good until
// Close.
func (f *File) GGUF() *gguf.File { return f.resident }

// Tensors lists all tensors of the model, in its order, also those in groups.
// Offsets mean nothing. The slice is shared and must not be changed.
func (f *File) Tensors() []gguf.Tensor { return f.dir.tensors }

// Groups lists the groups in file order: by layer, and in a layer by expert. The
// slice is shared and must not be changed.
func (f *File) Groups() []Group { return f.dir.groups }

// Data returns where the data begin and end: the bytes that Verify knows.
func (f *File) Data() (start, end int64) { return f.header.dataAt, f.header.fileBytes }
