package gguf

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Writer builds a GGUF file. The same calls give the same bytes. The zero
// Writer is ready to use.
//
//	w := gguf.NewWriter()
//	w.Set("general.architecture", "llama")
//	w.Set("llama.block_count", uint32(2))
//	w.AddTensor("output_norm.weight", gguf.F32, []uint64{64}, gguf.Float32s(norm))
//	_, err := w.WriteTo(file)
//
// The first mistake made in a call is reported by WriteTo.
type Writer struct {
	// Version is 2 or 3; zero means 3.
	Version uint32
	// PowerInfer writes the magic PWRI.
	PowerInfer bool

	keys    []string
	values  map[string]Value
	tensors []pending
	names   map[string]bool
	err     error
}

// Data streams a tensor's bytes to w: exactly as many as its type and
// dimensions need. It is called once by each WriteTo.
type Data func(w io.Writer) error

type pending struct {
	Tensor // Offset is not known before WriteTo
	data   Data
}

// NewWriter returns an empty Writer.
func NewWriter() *Writer { return &Writer{} }

// Set adds a key, or replaces its value and keeps its place. ValueOf tells
// which values can be stored. Setting general.alignment to a uint32 power of
// two aligns the tensors.
func (w *Writer) Set(key string, value any) {
	v, err := ValueOf(value)
	if err != nil {
		w.fail("key %s: %w", quote(key), err)
		return
	}
	if len(key) > maxName {
		w.fail("key %s: longer than %d bytes", quote(key), maxName)
	}
	if key == alignmentKey {
		if _, err := alignment(v); err != nil {
			w.fail("key %s: %w", quote(key), err)
		}
	}
	if w.values == nil {
		w.values = make(map[string]Value)
	}
	if _, ok := w.values[key]; !ok {
		w.keys = append(w.keys, key)
	}
	w.values[key] = v
}

// AddTensor adds a tensor of the given dimensions, fastest first.
func (w *Writer) AddTensor(name string, t Type, dims []uint64, data Data) {
	size, err := tensorSize(t, dims)
	switch {
	case err != nil:
		w.fail("tensor %s: %w", quote(name), err)
	case len(name) > maxName:
		w.fail("tensor %s: the name is longer than %d bytes", quote(name), maxName)
	case w.names[name]:
		w.fail("tensor %s: added twice", quote(name))
	}
	if w.names == nil {
		w.names = make(map[string]bool)
	}
	w.names[name] = true
	w.tensors = append(w.tensors, pending{
		Tensor: Tensor{Name: name, Type: t, Dims: append([]uint64(nil), dims...), Size: size},
		data:   data,
	})
}

// Bytes is the Data of a tensor that is in memory already encoded.
func Bytes(b []byte) Data {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}

// Float32s is the Data of an F32 tensor in memory.
func Float32s(values []float32) Data {
	return func(w io.Writer) error {
		return binary.Write(w, binary.LittleEndian, values)
	}
}

func (w *Writer) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("writing GGUF: "+format, args...)
	}
}

// WriteTo writes the file to out and returns the number of bytes written.
// Tensors are streamed in the order they were added.
func (w *Writer) WriteTo(out io.Writer) (int64, error) {
	if w.err != nil {
		return 0, w.err
	}
	e := &encoder{w: bufio.NewWriterSize(out, windowBytes)}
	err := w.write(e)
	if err == nil {
		err = e.w.Flush()
	}
	if err != nil {
		return e.n, fmt.Errorf("writing GGUF: %w", err)
	}
	return e.n, nil
}

func (w *Writer) write(e *encoder) error {
	version := w.Version
	if version == 0 {
		version = 3
	}
	if err := checkVersion(version); err != nil {
		return err
	}
	align := uint64(defaultAlignment)
	if v, ok := w.values[alignmentKey]; ok {
		align, _ = alignment(v) // Set has checked it
	}

	if w.PowerInfer {
		e.raw(magicPowerInfer)
	} else {
		e.raw(magicGGUF)
	}
	e.u32(version)
	e.u64(uint64(len(w.tensors)))
	e.u64(uint64(len(w.keys)))
	for _, key := range w.keys {
		v := w.values[key]
		e.string(key)
		e.u32(uint32(v.kind))
		e.value(v.data)
	}
	offset := uint64(0)
	for _, t := range w.tensors {
		e.string(t.Name)
		e.u32(uint32(len(t.Dims)))
		for _, d := range t.Dims {
			e.u64(d)
		}
		e.u32(uint32(t.Type))
		e.u64(offset)
		offset = alignUp(offset+uint64(t.Size), align)
	}
	e.pad(align)
	for _, t := range w.tensors {
		if e.err != nil {
			break
		}
		body := &exactWriter{e: e, left: t.Size}
		if err := t.data(body); err != nil {
			return fmt.Errorf("tensor %s: %w", quote(t.Name), err)
		}
		if body.left != 0 {
			return fmt.Errorf("tensor %s: %d of its %d bytes were not written", quote(t.Name), body.left, t.Size)
		}
		e.pad(align)
	}
	return e.err
}

// exactWriter refuses more bytes than a tensor has.
type exactWriter struct {
	e    *encoder
	left int64
}

func (x *exactWriter) Write(b []byte) (int, error) {
	if int64(len(b)) > x.left {
		return 0, errors.New("more bytes than its type and dimensions need")
	}
	n, err := x.e.Write(b)
	x.left -= int64(n)
	return n, err
}

// encoder writes the format's primitives, counts bytes, and keeps the first
// error.
type encoder struct {
	w   *bufio.Writer
	n   int64
	err error
	buf [8]byte
}

func (e *encoder) Write(b []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	n, err := e.w.Write(b)
	e.n += int64(n)
	e.err = err
	return n, err
}

func (e *encoder) raw(s string) { e.Write([]byte(s)) }

func (e *encoder) u8(x uint8) { e.Write(append(e.buf[:0], x)) }

func (e *encoder) u16(x uint16) { e.Write(le.AppendUint16(e.buf[:0], x)) }

func (e *encoder) u32(x uint32) { e.Write(le.AppendUint32(e.buf[:0], x)) }

func (e *encoder) u64(x uint64) { e.Write(le.AppendUint64(e.buf[:0], x)) }

func (e *encoder) string(s string) {
	e.u64(uint64(len(s)))
	e.raw(s)
}

func (e *encoder) bool(b bool) {
	if b {
		e.u8(1)
	} else {
		e.u8(0)
	}
}

var zeros [4096]byte

func (e *encoder) pad(align uint64) {
	for left := alignUp(uint64(e.n), align) - uint64(e.n); left > 0 && e.err == nil; {
		n := min(left, uint64(len(zeros)))
		e.Write(zeros[:n])
		left -= n
	}
}

// value writes the data of a Value without its kind.
func (e *encoder) value(data any) {
	switch x := data.(type) {
	case uint8:
		e.u8(x)
	case int8:
		e.u8(uint8(x))
	case uint16:
		e.u16(x)
	case int16:
		e.u16(uint16(x))
	case uint32:
		e.u32(x)
	case int32:
		e.u32(uint32(x))
	case uint64:
		e.u64(x)
	case int64:
		e.u64(uint64(x))
	case float32:
		e.u32(math.Float32bits(x))
	case float64:
		e.u64(math.Float64bits(x))
	case bool:
		e.bool(x)
	case string:
		e.string(x)
	case []uint8:
		array(e, KindUint8, x, e.u8)
	case []int8:
		array(e, KindInt8, x, func(v int8) { e.u8(uint8(v)) })
	case []uint16:
		array(e, KindUint16, x, e.u16)
	case []int16:
		array(e, KindInt16, x, func(v int16) { e.u16(uint16(v)) })
	case []uint32:
		array(e, KindUint32, x, e.u32)
	case []int32:
		array(e, KindInt32, x, func(v int32) { e.u32(uint32(v)) })
	case []uint64:
		array(e, KindUint64, x, e.u64)
	case []int64:
		array(e, KindInt64, x, func(v int64) { e.u64(uint64(v)) })
	case []float32:
		array(e, KindFloat32, x, func(v float32) { e.u32(math.Float32bits(v)) })
	case []float64:
		array(e, KindFloat64, x, func(v float64) { e.u64(math.Float64bits(v)) })
	case []bool:
		array(e, KindBool, x, e.bool)
	case []string:
		array(e, KindString, x, e.string)
	case []Value:
		array(e, KindArray, x, func(v Value) { e.value(v.data) })
	}
}

func array[T any](e *encoder, elem Kind, values []T, write func(T)) {
	e.u32(uint32(elem))
	e.u64(uint64(len(values)))
	for _, v := range values {
		write(v)
	}
}
