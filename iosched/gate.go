package iosched

import (
	"math"
	"sync/atomic"
)

// A gate is a number that threads sleep on until it changes.
//
// No ring is lost: a sleeper announces itself (enter) before it looks for work for the last time, whoever brings work changes the number
// before looking for sleepers, and the kernel compares the number again before it lets a thread sleep.
type gate struct {
	number   atomic.Uint32
	sleepers atomic.Int32
}

const (
	everybody = math.MaxInt32
	forever   = int64(math.MaxInt64) // a point in time, by Now
)

// enter announces that the caller is about to sleep and returns the number to pass to sleep.
func (g *gate) enter() uint32 {
	g.sleepers.Add(1)
	return g.number.Load()
}

func (g *gate) leave() { g.sleepers.Add(-1) }

// sleep returns when the number differs from seen or the time has come; now and then earlier.
func (g *gate) sleep(seen uint32, until int64) {
	if g.number.Load() == seen {
		futexWait(&g.number, seen, until)
	}
}

// ring wakes up to n sleepers.
func (g *gate) ring(n int) {
	g.number.Add(1)
	if g.sleepers.Load() > 0 {
		futexWake(&g.number, n)
	}
}
