package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// replaceFile has write write a temporary file beside path, which takes path's place when all is on the disk. It returns the file's size. So whatever
// happens, path is the old file or the whole new one.
func replaceFile(path string, write func(out io.Writer) error) (size int64, err error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	if err := write(file); err != nil {
		return 0, err
	}
	if size, err = file.Seek(0, io.SeekCurrent); err != nil {
		return 0, err
	}
	if err := errors.Join(file.Chmod(0o644), file.Sync(), file.Close()); err != nil {
		return 0, err
	}
	return size, os.Rename(file.Name(), path)
}
