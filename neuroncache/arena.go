package neuroncache

import (
	"fmt"
	"runtime"
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

// newTable maps n zeroed entries of a type without pointers, which live as long as owner does. A look-up walks over megabytes of them, so they
// have huge pages, which the Go heap has not.
func newTable[E, O any](owner *O, n int) ([]E, error) {
	if n == 0 {
		return nil, nil
	}
	var e E
	a, err := newArena(n * int(unsafe.Sizeof(e)))
	if err != nil {
		return nil, err
	}
	runtime.AddCleanup(owner, func(a *arena) { _ = a.unmap() }, a)
	return unsafe.Slice((*E)(unsafe.Pointer(&a.mem[0])), n), nil
}

func (a *arena) unmap() error {
	if a == nil || a.mapped == nil {
		return nil
	}
	mapped := a.mapped
	a.mapped, a.mem = nil, nil
	return unix.Munmap(mapped)
}
