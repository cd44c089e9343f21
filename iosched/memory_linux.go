package iosched

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fillVector writes pieces of memory as the kernel wants them and returns the first.
func fillVector(vector *[MaxPieces]unix.Iovec, pieces [][]byte) *unix.Iovec {
	for i, piece := range pieces {
		vector[i].Base = unsafe.SliceData(piece)
		vector[i].SetLen(len(piece))
	}
	return &vector[0]
}

// pages is memory as direct reads want it: it begins a page.
func pages(n int) (mem []byte, free func(), err error) {
	mem, err = unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, fmt.Errorf("getting %d bytes of memory: %w", n, err)
	}
	return mem, func() { _ = unix.Munmap(mem) }, nil
}
