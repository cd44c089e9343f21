package iosched

import (
	"errors"
	"fmt"
	"io"
)

// FromReader is a device for New over anything that several threads can read at an offset: memory, or a function that makes up data. It is for
// simulations and tests.
func FromReader(r io.ReaderAt, size int64) func() (Device, error) {
	return func() (Device, error) {
		if size < 0 {
			return nil, fmt.Errorf("a device of %d bytes is not possible", size)
		}
		s := &source{info: Info{Size: size, Engine: "reader", WhyBuffered: "it is no file", MemoryAlign: 1, OffsetAlign: 1, Depth: defaultDepth}}
		return newPool(s, defaultDepth, func(op *Op) {
			op.N, op.Err = 0, nil
			for _, piece := range op.Vec {
				n, err := r.ReadAt(piece, op.Offset+int64(op.N))
				if op.N += n; n < len(piece) {
					if !errors.Is(err, io.EOF) {
						op.Err = err
					}
					return
				}
			}
		}), nil
	}
}

// ReaderFunc makes an io.ReaderAt of a function that fills p with the bytes from an offset on.
type ReaderFunc func(p []byte, offset int64) (int, error)

// ReadAt calls the function.
func (f ReaderFunc) ReadAt(p []byte, offset int64) (int, error) { return f(p, offset) }
