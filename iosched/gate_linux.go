package iosched

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Operations of the futex system call; private means that no other process shares the word.
const (
	futexWaitPrivate = 0 | 128
	futexWakePrivate = 1 | 128
)

// futexWait sleeps while *word is old, at most until the given time. It may return early.
func futexWait(word *atomic.Uint32, old uint32, until int64) {
	var limit *unix.Timespec
	if until != forever {
		ns := until - Now()
		if ns <= 0 {
			return
		}
		ts := unix.NsecToTimespec(ns)
		limit = &ts
	}
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWaitPrivate, uintptr(old), uintptr(unsafe.Pointer(limit)), 0, 0)
}

// futexWake wakes up to n sleepers on word.
func futexWake(word *atomic.Uint32, n int) {
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWakePrivate, uintptr(n), 0, 0, 0)
}
