package iosched

import (
	"runtime"
	"time"
)

// Who drives a scheduler: the threads that use it, one at a time. A thread of the scheduler's own would be woken for every read, and would wake
// the reader in turn; each wake-up costs as much as a read (on a virtual machine of two cores that took 25 to 45 % of the reads). The reason for one thread, that
// several of them contend for the one queue of a phone's flash, holds for threads that feed it at the same time, and here never two do.
//
// There are two roles, and a thread takes one by a single compare-and-swap or goes on without it:
//
//   - Whoever holds the scheduler (held) may touch its queues and ops and feed the device. It is held for a round (run.go), never while its thread sleeps.
//     Who brings work stores it first (inbox, marked, back) and then tries to hold. Who finds it held leaves: the holder looks for work again after it let go.
//   - Whoever watches (watcher) may take finished reads from the device, and may sleep there. It is a thread in Group.Wait, for its group, or for a moment
//     one in Poll. It serves all groups. Who would wait while another watches sleeps at its own group's gate; but first it puts the group in
//     line, and a watcher that leaves rings one thread of each group in the line, who watches next.
//
// A watcher can sleep while another thread finishes a request of its group: one that is cancelled, or read but not yet finished because somebody else held the
// scheduler. So who puts a request into a group wakes its watcher, if that is another thread.
//
// One thing could stand still: requests that found no room in the device's queue, while their owner computes and calls nothing. An attendant, the only thread
// of the scheduler's own, looks after the device as long as there are such. It also closes it.

// work does what there is to do, unless another thread is at it. own is the group that the caller watches for, or nil.
func (s *Scheduler) work(own *Group) {
	for s.wanted() && s.held.CompareAndSwap(false, true) {
		s.own = own
		s.round()
		s.own = nil
		s.held.Store(false)
	}
	if s.backlog.Load() && !s.attending.Load() && !s.attending.Swap(true) {
		s.calls.ring(1)
	}
}

// wanted tells whether there is something to do in a round.
func (s *Scheduler) wanted() bool {
	return s.back.top.Load() != nil || s.inbox.Load() != nil || s.marked.Load()
}

// glancing is the watcher while a thread takes what is finished, without sleeping.
var glancing Group

// glance takes what the device has finished, unless somebody watches.
func (s *Scheduler) glance() {
	if s.counts.depth.Load() == 0 || s.watcher.Load() != nil || !s.watcher.CompareAndSwap(nil, &glancing) {
		return
	}
	s.take(0)
	s.watcher.Store(nil)
	s.work(nil)
	s.passOn()
}

// take waits for finished reads and lays them where a round finds them. The caller watches.
func (s *Scheduler) take(wait time.Duration) {
	n := s.device.Reap(s.done, wait)
	if n == 0 {
		return
	}
	for i, op := range s.done[:n-1] {
		op.next = s.done[i+1]
	}
	s.back.push(s.done[0], s.done[n-1])
}

// watch waits at the device until something has arrived in the group, nothing is pending there, or the time has come. It reports false at once if another
// thread watches.
func (s *Scheduler) watch(g *Group, end int64) bool {
	for try := 0; !s.watcher.CompareAndSwap(nil, g); try++ {
		if try == glances || s.watcher.Load() != &glancing {
			return false
		}
	}
	for {
		s.work(g)
		s.sleeping.Store(true) // before the last look, so that whoever brings something after it knows
		now := Now()
		if g.ready() || g.pending.Load() == 0 || now >= end {
			break
		}
		wait := time.Duration(-1)
		if end != forever {
			wait = time.Duration(end - now)
		}
		full := s.full.Load()
		if full && (wait < 0 || wait > retryWait) {
			wait = retryWait
		}
		s.take(wait)
		s.sleeping.Store(false)
		if full {
			s.marked.Store(true)
		}
	}
	s.sleeping.Store(false)
	s.watcher.Store(nil)
	s.leave(g)
	return true
}

// glances is how often a thread tries again to watch while another one glances, which takes 100 ns.
const glances = 100

// rouse wakes the thread that watches for the group, if it sleeps.
func (s *Scheduler) rouse(g *Group) {
	if s.watcher.Load() != g {
		return
	}
	s.wakers.Add(1)
	if s.sleeping.Load() && s.sleeping.CompareAndSwap(true, false) {
		s.device.Wake()
	}
	s.wakers.Add(-1)
}

// lineUp notes that threads of the group sleep, one of which may watch next.
func (s *Scheduler) lineUp(g *Group) {
	if g.lined.Load() || !g.lined.CompareAndSwap(false, true) {
		return
	}
	for {
		next := s.line.Load()
		g.behind = next
		if s.line.CompareAndSwap(next, g) {
			return
		}
	}
}

// passOn has a thread watch of those that sleep, if nobody watches.
func (s *Scheduler) passOn() {
	if s.line.Load() == nil || s.watcher.Load() != nil {
		return
	}
	for list := s.line.Swap(nil); list != nil; {
		g := list
		list, g.behind = g.behind, nil
		g.lined.Store(false)
		g.bell.ring(1)
	}
}

// leave is for a thread that watched for the group, or slept at its gate, and does so no longer: there may be others, of whom it was to be the first.
func (s *Scheduler) leave(g *Group) {
	if g.bell.sleepers.Load() > 0 {
		s.lineUp(g)
	}
	s.passOn()
}

// How often the attendant looks, in ns: a device's queue is empty after some hundred us. The longer time is reached where others look as well.
const (
	attention    = 100_000
	maxAttention = 1_000_000
)

// attend is the life of the attendant.
func (s *Scheduler) attend() {
	nap := int64(attention)
	for !s.closing.Load() {
		seen, until := s.calls.enter(), forever
		if s.backlog.Load() {
			until = Now() + nap
		} else {
			s.attending.Store(false)
			nap = attention
		}
		if !s.closing.Load() && (until != forever || !s.backlog.Load()) {
			s.calls.sleep(seen, until)
		}
		s.calls.leave()
		if rounds := s.rounds.Load(); s.full.Load() {
			s.marked.Store(true)
			s.work(nil)
		} else if s.glance(); s.rounds.Load() == rounds {
			nap = min(2*nap, maxAttention)
		} else {
			nap = attention
		}
	}
	s.shut()
}

// shut ends what is left and closes the device.
func (s *Scheduler) shut() {
	var none Group
	for {
		s.marked.Store(true)
		s.work(nil)
		if s.watcher.CompareAndSwap(nil, &none) {
			if s.end() {
				break // and nobody will ever watch or hold it again
			}
			s.take(maxAttention)
			s.watcher.Store(nil)
			s.passOn()
		} else {
			seen := s.calls.enter()
			s.calls.sleep(seen, Now()+attention)
			s.calls.leave()
		}
	}
	for s.wakers.Load() > 0 {
		runtime.Gosched()
	}
	s.closeErr = s.device.Close()
	s.freeScratch()
}

// end closes the inbox if nothing is left to do, and then keeps holding the scheduler.
func (s *Scheduler) end() bool {
	if !s.held.CompareAndSwap(false, true) {
		return false
	}
	if s.underway == 0 && s.back.top.Load() == nil && s.inbox.CompareAndSwap(nil, &closedInbox) {
		return true
	}
	s.held.Store(false)
	return false
}
