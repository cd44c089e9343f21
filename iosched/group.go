package iosched

import (
	"fmt"
	"math/bits"
	"runtime"
	"sync/atomic"
	"time"
)

// DefaultSpin is how long Group.Wait looks for a completion before it lets its thread sleep. Flash takes longer than that to answer: with 3 to 25 us a single
// thread got no more reads.
const DefaultSpin = 5 * time.Microsecond

// A Group is where finished reads arrive. Its owner chooses its capacity and who polls it: any number of threads may, and each completion goes
// to one of them. Nobody ever holds a lock or touches a channel, so threads locked to a core can use it.
//
// It is a bounded ring of numbered cells (D. Vyukov's bounded queue): cell i is free for turn t when its number is t, and full when it is t+1. A
// producer or consumer claims its turn by one compare-and-swap and passes the cell on by storing the next number.
type Group struct {
	// Spin is how long Wait spins, 0: DefaultSpin, negative: not at all. Set it before the group is used.
	Spin time.Duration

	cells    []cell
	capacity int64
	home     atomic.Pointer[Scheduler] // that its requests were submitted to; nil: none yet
	epoch    atomic.Uint32             // raised by CancelGroup
	pending  atomic.Int64              // submitted and not yet polled

	lined  atomic.Bool // is in the scheduler's line of groups with sleepers
	behind *Group      // in that line

	_    [64]byte
	head atomic.Uint64 // the next turn to fill
	_    [64]byte
	tail atomic.Uint64 // the next turn to take
	_    [64]byte
	bell gate // rung when something arrived, when nothing is pending any more, and for a thread that is to watch the device
}

type cell struct {
	turn    atomic.Uint64
	request *Request
}

// NewGroup makes a group for at most so many requests at a time, from Submit to Poll.
func NewGroup(capacity int) *Group {
	capacity = max(capacity, 1)
	// Twice the room, so that a producer all but never meets a cell whose consumer was interrupted halfway.
	g := &Group{capacity: int64(capacity), cells: make([]cell, 2<<bits.Len(uint(capacity-1)))}
	for i := range g.cells {
		g.cells[i].turn.Store(uint64(i))
	}
	return g
}

// Pending is the number of requests submitted and not yet handed back by Poll or Wait.
func (g *Group) Pending() int { return int(g.pending.Load()) }

// Poll hands back a finished request, or nil at once when none is ready. It looks at the device if nobody else does.
func (g *Group) Poll() *Request {
	r := g.take()
	if r == nil {
		if s := g.home.Load(); s != nil && g.pending.Load() > 0 {
			s.glance()
			r = g.take()
		}
	}
	return r
}

// take hands back a request that has arrived, or nil.
func (g *Group) take() *Request {
	for {
		turn := g.tail.Load()
		c := &g.cells[turn&uint64(len(g.cells)-1)]
		switch ahead := int64(c.turn.Load() - (turn + 1)); {
		case ahead < 0:
			return nil
		case ahead == 0 && g.tail.CompareAndSwap(turn, turn+1):
			r := c.request
			c.request = nil
			c.turn.Store(turn + uint64(len(g.cells)))
			r.state.Store(0)
			if g.pending.Add(-1) == 0 {
				g.bell.ring(everybody)
				if s := g.home.Load(); s != nil {
					s.rouse(g)
				}
			}
			return r
		}
	}
}

// ready tells whether something has arrived.
func (g *Group) ready() bool {
	turn := g.tail.Load()
	return int64(g.cells[turn&uint64(len(g.cells)-1)].turn.Load()-(turn+1)) >= 0
}

// Wait hands back a finished request. It spins for a moment, then sleeps: at the device, where it takes in what is finished for whomever, or while another
// thread does that. It returns nil when nothing is pending, and at the deadline, unless that is the zero time.
func (g *Group) Wait(deadline time.Time) *Request {
	if r := g.Poll(); r != nil || g.pending.Load() == 0 {
		return r
	}
	end := forever
	if !deadline.IsZero() {
		end = Now() + int64(time.Until(deadline))
	}
	spin := g.Spin
	if spin == 0 {
		spin = DefaultSpin
	}
	for spinEnd := min(Now()+int64(spin), end); Now() < spinEnd; {
		for range 64 {
			if r := g.Poll(); r != nil {
				return r
			}
		}
	}
	s := g.home.Load()
	for {
		if s != nil && s.watch(g, end) {
			if r := g.take(); r != nil || g.pending.Load() == 0 || Now() >= end {
				return r
			}
			continue // another thread took it
		}
		// The number is read before the queue is looked at for the last time: what arrives in between changes it, and the sleep ends at once.
		seen := g.bell.enter()
		if s != nil {
			s.lineUp(g)
		}
		r := g.take()
		done := r != nil || g.pending.Load() == 0 || Now() >= end
		if !done && (s == nil || s.watcher.Load() != nil) {
			g.bell.sleep(seen, end)
		}
		g.bell.leave()
		if done {
			if s != nil {
				s.leave(g)
			}
			return r
		}
	}
}

// reserve makes room for n requests.
func (g *Group) reserve(n int) error {
	if g.pending.Add(int64(n)) > g.capacity {
		g.pending.Add(int64(-n))
		return fmt.Errorf("submitting %d reads to a group for %d: %w", n, g.capacity, ErrCapacity)
	}
	return nil
}

// put appends a finished request. The caller calls ring afterwards, once for many.
func (g *Group) put(r *Request) {
	for {
		turn := g.head.Load()
		c := &g.cells[turn&uint64(len(g.cells)-1)]
		switch ahead := int64(c.turn.Load() - turn); {
		case ahead < 0:
			runtime.Gosched() // a consumer has claimed the cell, a round ago, and was interrupted before it let go
		case ahead == 0 && g.head.CompareAndSwap(turn, turn+1):
			c.request = r
			c.turn.Store(turn + 1)
			return
		}
	}
}
