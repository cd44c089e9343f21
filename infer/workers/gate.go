package workers

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// spinNs bounds the spinning of one wait. Longer than the usual spread between workers in a step, far shorter
// than a time slice of the kernel.
const spinNs = 50_000

// spinsPerCheck is how many times a spinning wait reads the word before it passes a preemption point and
// looks at the clock.
const spinsPerCheck = 64

// A gate is a word that threads wait on until it changes.
//
// No wake-up is lost: a waiter announces itself in sleepers before it reads the word for the last time, an
// opener changes the word before it reads sleepers, and the kernel compares the word again before it sleeps.
type gate struct {
	word     atomic.Uint32
	sleepers atomic.Int32
	_        [120]byte
}

// open adds step to the word and wakes whoever sleeps on it.
func (g *gate) open(step uint32) {
	g.word.Add(step)
	g.wake()
}

func (g *gate) wake() {
	if g.sleepers.Load() > 0 {
		futexWake(&g.word)
	}
}

// await returns when the word differs from old: it spins until the clock passes deadline, then sleeps.
func (g *gate) await(old uint32, deadline int64) {
	for {
		for range spinsPerCheck {
			if g.word.Load() != old {
				return
			}
		}
		preemptionPoint(spinsPerCheck)
		if now() >= deadline {
			break
		}
	}
	g.sleepers.Add(1)
	for g.word.Load() == old {
		futexWait(&g.word, old)
	}
	g.sleepers.Add(-1)
}

// preemptionPoint lets the runtime stop this goroutine, also where asynchronous preemption cannot: its signal
// has no effect inside assembly, and a loop around a kernel is nearly always inside. The frame must be large,
// because the compiler leaves the stack check, which is the preemption point, out of small leaf functions.
//
//go:noinline
func preemptionPoint(i int) int {
	var frame [24]int
	frame[i%24] = i
	return frame[(i+1)%24]
}

// started is the origin of now.
var started = time.Now()

// now is the monotonic time in ns.
func now() int64 { return int64(time.Since(started)) }

// Operations of the futex system call; private means that no other process shares the word.
const (
	futexWaitPrivate = 0 | 128
	futexWakePrivate = 1 | 128
)

// futexWait sleeps while *word is old. It may return early; callers check the word again.
func futexWait(word *atomic.Uint32, old uint32) {
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWaitPrivate, uintptr(old), 0, 0, 0)
}

// futexWake wakes every sleeper on word.
func futexWake(word *atomic.Uint32) {
	const all = 1<<31 - 1
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWakePrivate, all, 0, 0, 0)
}
