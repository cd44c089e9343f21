package gguf

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// prefetch leaves out what is in memory: for that the advice would take a twentieth of what loading takes, since the system looks for every page.
func prefetch(f *os.File, off, n int64) {
	if n > 0 && !(inMemory(f, off) && inMemory(f, off+n-1)) {
		_ = unix.Fadvise(int(f.Fd()), off, n, unix.FADV_WILLNEED) // advice
	}
}

// inMemory tells whether the byte at off is known to be readable without waiting for a disk. Android before 13 ends a process that asks, and a program for Linux
// may run there too: so only PCs are asked.
func inMemory(f *os.File, off int64) bool {
	if runtime.GOARCH != "amd64" || runtime.GOOS == "android" {
		return false
	}
	var b [1]byte
	n, _ := unix.Preadv2(int(f.Fd()), [][]byte{b[:]}, off, unix.RWF_NOWAIT)
	return n == 1
}
