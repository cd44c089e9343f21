package workers

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// pin ties the calling thread to the CPU of worker id of n, or to all of cpus where those are too few for one
// each: two workers on one CPU while another idles is worse than no pinning. Refusals are ignored: an unpinned
// worker is slower, not wrong.
func pin(id, n int, cpus []int) {
	var before, want, got unix.CPUSet
	if unix.SchedGetaffinity(0, &before) != nil {
		return
	}
	if n <= len(cpus) {
		want.Set(cpus[id])
	} else {
		for _, cpu := range cpus {
			want.Set(cpu)
		}
	}
	if unix.SchedSetaffinity(0, &want) != nil {
		return
	}
	// The kernel narrows the mask to the process's cpuset. A result other than asked could put several workers
	// on one core.
	if unix.SchedGetaffinity(0, &got) != nil || got != want {
		_ = unix.SchedSetaffinity(0, &before)
	}
}

// Bind ties the calling goroutine, which is going to call Run, to its thread and, in a pinned pool, that thread
// to the CPU of worker 0. The goroutine calls the function that Bind returns to undo both. A bound goroutine
// is slow at channels and locks (15 us a switch), so bind for an answer, not for a program's life.
func (p *Pool) Bind() (unbind func()) {
	runtime.LockOSThread()
	var before unix.CPUSet
	pinned := p.cpus != nil && unix.SchedGetaffinity(0, &before) == nil
	if pinned {
		pin(0, len(p.workers), p.cpus)
	}
	return func() {
		if pinned {
			_ = unix.SchedSetaffinity(0, &before)
		}
		runtime.UnlockOSThread()
	}
}
