package gguf

import (
	"os"

	"golang.org/x/sys/unix"
)

func prefetch(f *os.File, off, n int64) {
	_ = unix.Fadvise(int(f.Fd()), off, n, unix.FADV_WILLNEED) // advice
}
