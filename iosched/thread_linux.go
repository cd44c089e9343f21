package iosched

import "golang.org/x/sys/unix"

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

// preciseTimers lets the calling thread's sleeps end on time; usually the kernel adds up to 50 us, half of a simulated read.
func preciseTimers() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) }
