package kernel

import (
	"os"
	"syscall"
	"testing"
)

// guarded returns n bytes whose end is the end of mapped memory: a load or store past them faults.
func guarded(t testing.TB, n int) []byte {
	t.Helper()
	page := os.Getpagesize()
	size := (n + page - 1) / page * page
	mem, err := syscall.Mmap(-1, 0, size+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(mem) })
	if err := syscall.Mprotect(mem[size:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return mem[size-n : size : size]
}

// canary is what fills memory that a kernel must leave alone.
const canary = 0xa5

func fillCanary(b []byte) {
	for i := range b {
		b[i] = canary
	}
}

// checkCanary fails the test if any byte changed.
func checkCanary(t *testing.T, where string, b []byte) {
	t.Helper()
	for i, v := range b {
		if v != canary {
			t.Fatalf("wrote %s: byte %d is %#x", where, i, v)
		}
	}
}
