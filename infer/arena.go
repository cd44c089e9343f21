package infer

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// arena is one anonymous mapping outside the Go heap: the garbage collector neither scans it nor counts it, and huge pages make a pass over
// gigabytes of weights cheap on TLB misses. It is handed out in aligned pieces and freed as a whole.
type arena struct {
	mem  []byte
	used int
}

// arenaAlign is the alignment of every piece: a cache line on x86 and two on most ARM cores' 64-byte lines, the line of Apple's.
const arenaAlign = 128

// arenaSize is the room that a piece of n bytes takes.
func arenaSize(n int) int { return (n + arenaAlign - 1) &^ (arenaAlign - 1) }

// newArena maps n bytes, with advice on huge pages: unix.MADV_HUGEPAGE for what is filled at once, unix.MADV_NOHUGEPAGE for what should take memory
// only as far as it is touched.
func newArena(n, pages int) (*arena, error) {
	if n == 0 {
		return &arena{}, nil
	}
	mem, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("getting %.1f GiB of memory: %w", float64(n)/(1<<30), err)
	}
	_ = unix.Madvise(mem, pages) // a kernel without huge pages refuses, and that is fine
	return &arena{mem: mem}, nil
}

// take hands out n zeroed bytes; the arena was made large enough for all pieces.
func (a *arena) take(n int) []byte {
	piece := a.mem[a.used : a.used+n : a.used+n]
	a.used += arenaSize(n)
	return piece
}

// free unmaps the memory; nothing taken from it may be used afterwards.
func (a *arena) free() {
	if a != nil && a.mem != nil {
		_ = unix.Munmap(a.mem)
		a.mem = nil
	}
}
