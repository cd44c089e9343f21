package pack

import (
	"io"
	"os"

	"hotcell/models/gguf"
)

// Is tells whether the file at path says that it is a pack, complete or not.
func Is(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var magic [len(Magic)]byte
	_, err = io.ReadFull(f, magic[:])
	return err == nil && (string(magic[:]) == Magic || string(magic[:]) == magicPart)
}

// Of returns the pack whose resident tensors f presents (see File.GGUF); false for any other file.
func Of(f *gguf.File) (*File, bool) {
	v, ok := f.Container().(verified)
	return v.f, ok
}
