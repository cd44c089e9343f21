//go:build !linux

package iosched

import "io"

// vectorRead needs no memory where every piece is a read of its own.
type vectorRead struct{}

func (vectorRead) read(s *source, op *Op) (n int, err error) {
	for _, piece := range op.Vec {
		got, err := s.file.ReadAt(piece, op.Offset+int64(n))
		if n += got; err == io.EOF {
			break
		}
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}
