package convert

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"unicode/utf8"

	"hotcell/models/disk"
)

// A safetensors file is a u64 length (little-endian), a JSON object of that many
// bytes, and the data. The object tells of each tensor its element type, its
// shape, slowest dimension first, and where in the data it begins and ends.

// longestHeader bounds the memory that a header can make the parser use. The
// largest published ones, of models with tens of thousands of expert matrices,
// stay below 8 MiB.
const longestHeader = 32 << 20

// dtype is the element type of a source tensor, as safetensors names it.
type dtype string

const (
	f32  dtype = "F32"
	f16  dtype = "F16"
	bf16 dtype = "BF16"
)

// elementBytes are the sizes of all element types that safetensors knows. Only the
// three above can be converted; the others must be known to check the offsets.
var elementBytes = map[dtype]uint64{
	f32: 4, f16: 2, bf16: 2, "F64": 8,
	"I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
	"F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "C64": 8,
}

// sourceTensor is an entry of a header. Its data are whole and lie inside the file.
type sourceTensor struct {
	name   string
	dtype  dtype
	shape  []uint64 // slowest dimension first
	offset int64    // of the data, from the start of the file
	size   int64    // bytes
}

// parseHeader reads and checks the header of a safetensors file of size bytes. The
// tensors come in the order of their data.
func parseHeader(r io.ReaderAt, size int64) ([]sourceTensor, error) {
	var head [8]byte
	if size < int64(len(head)) {
		return nil, errors.New("the file is too short for a safetensors file")
	}
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, fmt.Errorf("reading the header's length: %w", disk.Cause(err))
	}
	length := binary.LittleEndian.Uint64(head[:])
	switch {
	case length > uint64(size)-8:
		return nil, fmt.Errorf("the header's length is %d, but the file has only %d bytes: it is truncated or no safetensors file", length, size)
	case length > longestHeader:
		return nil, fmt.Errorf("the header is %d bytes long; at most %d are accepted", length, longestHeader)
	}
	text := make([]byte, length)
	if _, err := r.ReadAt(text, 8); err != nil {
		return nil, fmt.Errorf("reading the header: %w", disk.Cause(err))
	}
	tensors, err := parseEntries(text)
	if err != nil {
		return nil, err
	}
	dataStart := 8 + int64(length)
	for i := range tensors {
		t := &tensors[i]
		if t.size > size-dataStart-t.offset {
			return nil, fmt.Errorf("the tensor %s needs %d bytes, but the data end %d bytes before that: the file is truncated",
				quote(t.name), t.size, t.size-(size-dataStart-t.offset))
		}
		t.offset += dataStart
	}
	return tensors, disjoint(tensors)
}

// parseEntries reads the header's JSON. Offsets count from the start of the data, and
// are known to be in order but not to lie inside the file.
func parseEntries(text []byte) ([]sourceTensor, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("the header is not UTF-8 text")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("the header is not a JSON object")
	}
	var tensors []sourceTensor
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("the header is not valid JSON: %w", err)
		}
		name, _ := key.(string)
		if name == "__metadata__" {
			var ignored json.RawMessage
			if err := d.Decode(&ignored); err != nil {
				return nil, fmt.Errorf("the header is not valid JSON: %w", err)
			}
			continue
		}
		var e struct {
			Dtype   dtype    `json:"dtype"`
			Shape   []uint64 `json:"shape"`
			Offsets []uint64 `json:"data_offsets"`
		}
		if err := d.Decode(&e); err != nil {
			return nil, fmt.Errorf("the header's entry %s: %w", quote(name), plainJSON(err))
		}
		if seen[name] {
			return nil, fmt.Errorf("the tensor %s is there twice", quote(name))
		}
		seen[name] = true
		size, err := byteSize(e.Dtype, e.Shape)
		switch {
		case err != nil:
			return nil, fmt.Errorf("the tensor %s: %w", quote(name), err)
		case len(e.Offsets) != 2:
			return nil, fmt.Errorf("the tensor %s has %d data offsets, expected 2", quote(name), len(e.Offsets))
		case e.Offsets[0] > e.Offsets[1] || e.Offsets[1] > 1<<62:
			return nil, fmt.Errorf("the tensor %s lies from %d to %d, which is not possible", quote(name), e.Offsets[0], e.Offsets[1])
		case e.Offsets[1]-e.Offsets[0] != size:
			return nil, fmt.Errorf("the tensor %s of shape %v in %s takes %d bytes, but its data offsets span %d",
				quote(name), e.Shape, e.Dtype, size, e.Offsets[1]-e.Offsets[0])
		}
		tensors = append(tensors, sourceTensor{name, e.Dtype, e.Shape, int64(e.Offsets[0]), int64(size)})
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("the header's JSON is cut off")
	}
	if len(bytes.Trim(text[d.InputOffset():], " \t\r\n\x00")) > 0 {
		return nil, errors.New("the header goes on behind its JSON")
	}
	slices.SortStableFunc(tensors, func(a, b sourceTensor) int { return cmp.Compare(a.offset, b.offset) })
	return tensors, nil
}

// byteSize is the size of a tensor's data.
func byteSize(d dtype, shape []uint64) (uint64, error) {
	size, ok := elementBytes[d]
	if !ok {
		return 0, fmt.Errorf("the element type %s is not known", quote(string(d)))
	}
	if len(shape) > 8 {
		return 0, fmt.Errorf("a shape of %d dimensions is not possible", len(shape))
	}
	for _, n := range shape {
		high, low := bits.Mul64(size, n)
		if high != 0 || low > 1<<62 {
			return 0, fmt.Errorf("the shape %v is too large", shape)
		}
		size = low
	}
	return size, nil
}

// disjoint checks that no two tensors, sorted by offset, share data.
func disjoint(tensors []sourceTensor) error {
	end, last := int64(0), ""
	for _, t := range tensors {
		if t.size == 0 {
			continue
		}
		if t.offset < end {
			return fmt.Errorf("the tensors %s and %s overlap", quote(last), quote(t.name))
		}
		end, last = t.offset+t.size, t.name
	}
	return nil
}
