// Package disk opens and protects files that people name. Model files come from outside, and a name may stand for anything: a folder, a pipe at which
// opening would wait forever, a photograph that a mistyped -o is about to replace. All readers and writers of model files ask here, so that they say
// the same of the same mistake.
//
// Errors have no path in them: the caller puts the name that its user knows in front, once.
package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Open opens a regular file for reading and tells its size in bytes.
func Open(path string) (*os.File, int64, error) {
	info, err := os.Stat(path) // before opening, which would wait for a named pipe
	if err != nil {
		return nil, 0, Cause(err)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, errors.New("not a regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, Cause(err)
	}
	return file, info.Size(), nil
}

// MayReplace refuses to let a file be replaced by one of a kind, unless what is there is empty or begins with one of the kind's magics.
func MayReplace(path, kind string, magics ...string) error {
	file, size, err := Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("it is not replaced: %w", err)
	}
	defer file.Close()
	if size == 0 {
		return nil
	}
	head := make([]byte, 16)
	n, _ := io.ReadFull(file, head)
	for _, magic := range magics {
		if strings.HasPrefix(string(head[:n]), magic) {
			return nil
		}
	}
	return fmt.Errorf("there is a file of this name that is no %s; remove it or choose another name", kind)
}

// Cause strips the path that os errors repeat.
func Cause(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
