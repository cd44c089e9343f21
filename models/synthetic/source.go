package synthetic

import (
	"errors"
	"fmt"
	"io"
	"sort"

	"hotcell/models/gguf"
)

// Open returns a model of the shape with all matrices of type t. It takes a few megabytes, whatever the size of the model: weights are
// made when they are read.
func Open(s Shape, t gguf.Type) (*gguf.File, error) {
	if err := s.check(t); err != nil {
		return nil, err
	}
	src, err := newSource(&s, t)
	if err != nil {
		return nil, fmt.Errorf("making a model of the shape %s: %w", s.Name, err)
	}
	return gguf.Parse(src, src.size, s.fileName(t))
}

// WriteTo writes the model that Open gives as a GGUF file and returns its size in bytes.
func WriteTo(w io.Writer, s Shape, t gguf.Type) (int64, error) {
	if err := s.check(t); err != nil {
		return 0, err
	}
	return s.writer(t, s.tensors(t), func(v tensor) gguf.Data { return v.write }).WriteTo(w)
}

// fileName is what the model would be called on disk.
func (s *Shape) fileName(t gguf.Type) string { return fmt.Sprintf("%s-%v.gguf", s.Name, t) }

// writer is the whole model, with data making the bytes of a tensor.
func (s *Shape) writer(t gguf.Type, list []tensor, data func(tensor) gguf.Data) *gguf.Writer {
	w := gguf.NewWriter()
	s.metadata(w, t)
	s.vocabulary(w)
	for _, v := range list {
		w.AddTensor(v.name, v.kind, v.dims, data(v))
	}
	return w
}

// source is a model as a file that is made while it is read. Nothing in it changes, so many may read at once.
type source struct {
	head    []byte   // the file's header
	tensors []tensor // in file order
	pools   []pool   // of each tensor
	starts  []int64  // byte of the pool at which the tensor begins
	offsets []int64  // byte of the file at which it begins
	size    int64    // bytes of the file
}

func newSource(s *Shape, t gguf.Type) (*source, error) {
	src := &source{tensors: s.tensors(t)}
	head, err := s.header(t, src.tensors)
	if err != nil {
		return nil, err
	}
	// Where the data begins is left to the reader of the format: it sees the header of a file without end.
	src.head, src.size = head, 1<<62
	f, err := gguf.Parse(src, src.size, s.fileName(t))
	if err != nil {
		return nil, err
	}
	for i, v := range f.Tensors() {
		p, start := src.tensors[i].pool()
		src.pools, src.starts, src.offsets = append(src.pools, p), append(src.starts, start), append(src.offsets, v.Offset)
		src.size = (v.Offset + v.Size + 31) &^ 31 // the writer fills up to the default alignment
	}
	src.head = head[:src.offsets[0]]
	return src, nil
}

// ReadAt makes the bytes of the file from off on.
func (src *source) ReadAt(b []byte, off int64) (n int, err error) {
	if off < 0 || off >= src.size {
		return 0, io.EOF
	}
	if int64(len(b)) > src.size-off {
		b, err = b[:src.size-off], io.EOF
	}
	clear(b) // gaps between tensors
	n = len(b)
	if off < int64(len(src.head)) {
		copied := copy(b, src.head[off:])
		b, off = b[copied:], off+int64(copied)
	}
	first := sort.Search(len(src.offsets), func(i int) bool { return src.offsets[i] > off }) - 1
	for i := max(first, 0); i < len(src.offsets) && len(b) > 0; i++ {
		gap := max(0, src.offsets[i]-off) // before the tensor
		if gap >= int64(len(b)) {
			break
		}
		b, off = b[gap:], off+gap
		if skip := off - src.offsets[i]; skip < src.tensors[i].size {
			piece := b[:min(int64(len(b)), src.tensors[i].size-skip)]
			src.pools[i].read(piece, src.starts[i]+skip)
			b, off = b[len(piece):], off+int64(len(piece))
		}
	}
	return n, err
}

// header is what the writer writes before the first tensor's bytes, and a little of these.
func (s *Shape) header(t gguf.Type, list []tensor) ([]byte, error) {
	var h header
	data := func(v tensor) gguf.Data {
		return func(w io.Writer) error {
			h.complete = true
			return v.write(w)
		}
	}
	if _, err := s.writer(t, list, data).WriteTo(&h); err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	return h.bytes, nil
}

// header keeps what is written to it until the header is complete.
type header struct {
	bytes    []byte
	complete bool // the writer has begun with the tensors, so the next piece that it passes on is the last of interest
}

var errEnough = errors.New("the header is complete")

func (h *header) Write(b []byte) (int, error) {
	h.bytes = append(h.bytes, b...)
	if h.complete {
		return len(b), errEnough
	}
	return len(b), nil
}
