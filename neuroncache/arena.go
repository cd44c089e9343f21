package neuroncache

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// arena is one anonymous mapping outside the Go heap: the garbage collector neither scans nor counts it, and it never grows.
type arena struct {
	mapped []byte
	mem    []byte // the part of mapped that is used; starts at a huge page
}

// hugePage is the size that makes walks over gigabytes of slots cheap on TLB misses, on x86-64 and on arm64 with pages of 4 KiB.
const hugePage = 2 << 20

func newArena(n int) (*arena, error) {
	mapped, err := unix.Mmap(-1, 0, n+hugePage, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("neuroncache: getting %.1f MiB of memory: %w", float64(n)/(1<<20), err)
	}
	skip := -int(uintptr(unsafe.Pointer(&mapped[0]))) & (hugePage - 1)
	mem := mapped[skip : skip+n : skip+n]
	_ = unix.Madvise(mem, unix.MADV_HUGEPAGE) // a kernel without huge pages refuses, and that is fine
	return &arena{mapped: mapped, mem: mem}, nil
}

func (a *arena) unmap() error {
	if a == nil || a.mapped == nil {
		return nil
	}
	mapped := a.mapped
	a.mapped, a.mem = nil, nil
	return unix.Munmap(mapped)
}
