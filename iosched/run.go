package iosched

import (
	"errors"
	"fmt"
)

// round is what whoever holds the scheduler does:
//
//	inbox --accept--> queues (demand, prefetch) --fill--> device ~~take~~> back --finish--> groups
func (s *Scheduler) round() {
	s.rounds.Add(1)
	if s.back.top.Load() != nil {
		now := Now()
		for list := s.back.top.Swap(nil); list != nil; {
			op := list
			list = op.next
			s.finish(op, now)
		}
	}
	s.accept(s.closing.Load())
	s.fill()
	s.ring()
}

// accept takes what was submitted and acts on marks. The order matters: a mark set on a request that is not in the queues yet is seen when
// the request is taken from the inbox, because it was set before.
func (s *Scheduler) accept(closing bool) {
	now := int64(0)
	sweep := s.marked.Load() && s.marked.Swap(false)
	if s.inbox.Load() != nil {
		var lists [classes]*Request
		for list := s.inbox.Swap(nil); list != nil; {
			r := list
			list, r.next = r.next, nil
			s.counts.class[r.class].submitted.Add(1)
			switch {
			case r.unwanted():
				s.drop(r, ErrCanceled, &now)
				continue
			case closing:
				s.drop(r, ErrClosed, &now)
				continue
			case r.state.Load()&promoted != 0:
				s.promote(r)
			}
			r.next = lists[r.class]
			lists[r.class] = r
		}
		for class, list := range lists {
			s.queues[class].pushSorted(list)
		}
	}
	if sweep {
		for class := range s.queues {
			s.dropAll(s.queues[class].remove((*Request).unwanted), ErrCanceled, &now)
		}
		raised := s.queues[Prefetch].remove(func(r *Request) bool { return r.state.Load()&promoted != 0 })
		for r := raised; r != nil; r = r.next {
			s.promote(r)
		}
		s.queues[Demand].pushSorted(raised)
	}
	if closing {
		for class := range s.queues {
			s.dropAll(s.queues[class].remove(func(*Request) bool { return true }), ErrClosed, &now)
		}
	}
}

func (s *Scheduler) promote(r *Request) {
	if r.class == Prefetch {
		r.class = Demand
		s.counts.class[Prefetch].promoted.Add(1)
	}
}

func (s *Scheduler) dropAll(list *Request, why error, now *int64) {
	for list != nil {
		r := list
		list, r.next = r.next, nil
		s.drop(r, why, now)
	}
}

// drop ends a request that is in no queue any more. If parts of it are under way, the last of them completes it.
func (s *Scheduler) drop(r *Request, why error, now *int64) {
	if *now == 0 {
		*now = Now()
	}
	if r.Err == nil {
		r.Err = why
	}
	r.left -= len(r.Buf) - r.issued
	r.issued = len(r.Buf)
	if r.left == 0 {
		s.complete(r, *now)
	}
}

// finish gives the requests of an op that came back their shares.
func (s *Scheduler) finish(op *Op, now int64) {
	s.underway--
	s.counts.setDepth(s.underway, now)
	s.counts.reads.Add(1)
	if op.class == Prefetch {
		s.prefetches--
		s.prefetching -= op.Bytes
	}
	have := int(min(int64(op.Bytes), s.info.Size-op.Offset)) // bytes of the op that the file has
	failed := op.Err != nil || op.N < have
	if failed && op.merged {
		s.counts.parted.Add(1)
	}
	// From the back, so that parts that return to the queue stand in order.
	at := op.Bytes
	for i := len(op.parts) - 1; i >= 0; i-- {
		p := op.parts[i]
		at -= p.bytes
		r := p.request
		switch {
		case r == nil:
			continue
		case failed && op.merged:
			// One bad page must not spoil its neighbours' reads: each goes again by itself.
			r.alone, r.issued, r.left = true, 0, len(r.Buf)
			s.queues[r.class].pushFront(r)
			continue
		case failed && r.Err == nil:
			r.Err = s.explain(op)
		case !failed:
			r.N += max(min(p.bytes, have-at), 0)
		}
		r.left -= p.bytes
		if r.left == 0 {
			s.complete(r, now)
		}
	}
	op.next = s.free
	s.free = op
}

// explain says why a read failed. The change of a file explains any failure, and matters more than how it showed.
func (s *Scheduler) explain(op *Op) error {
	if err := s.device.Changed(); err != nil {
		return err
	}
	why := op.Err
	if why == nil {
		why = fmt.Errorf("only %d came: %w", op.N, ErrShort)
	}
	return fmt.Errorf("%s: reading %d bytes at %d: %w", s.info.Path, op.Bytes, op.Offset, why)
}

// complete hands a request to its group.
func (s *Scheduler) complete(r *Request, now int64) {
	r.DoneNs = now
	c := &s.counts.class[r.class]
	switch {
	case r.Err == nil:
		c.done.Add(1)
		c.bytes.Add(uint64(r.N))
		c.queueNs.Add(uint64(r.StartedNs - r.QueuedNs))
		c.deviceNs.Add(uint64(now - r.StartedNs))
	case errors.Is(r.Err, ErrCanceled) || errors.Is(r.Err, ErrClosed):
		r.N = 0
		c.cancelled.Add(1)
	default:
		r.N = 0
		c.errors.Add(1)
	}
	if g := r.group; g != s.touched {
		s.ring()
		s.touched = g
	}
	s.completions++
	s.touched.put(r)
}

// ring wakes those who wait for what was completed since the last time. The watcher's own group needs none: when it leaves with the first request, it rings.
func (s *Scheduler) ring() {
	if s.touched != nil {
		if s.touched != s.own {
			s.touched.bell.ring(s.completions)
			s.rouse(s.touched)
		}
		s.touched, s.completions = nil, 0
	}
}
