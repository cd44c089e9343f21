package iosched

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// bindThread ties the calling thread to CPUs, none: leaves it alone. Refusals are ignored: elsewhere it is slower, not wrong.
func bindThread(cpus []int) {
	if len(cpus) == 0 {
		return
	}
	var set unix.CPUSet
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	_ = unix.SchedSetaffinity(0, &set)
}

// beginPrecise makes the calling thread's sleeps end on time; usually the kernel adds up to 50 us, half of a simulated read. What it returns is for endPrecise.
func beginPrecise() (usual int) {
	runtime.LockOSThread()
	usual, _ = unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	return usual
}

// endPrecise gives the thread its usual timers back; 0 is the kernel's word for those.
func endPrecise(usual int) {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(max(usual, 0)), 0, 0, 0)
	runtime.UnlockOSThread()
}
