package iosched

import "sync/atomic"

// An opStack is a list of ops, the last first. Any thread may push, one at a time may pop.
type opStack struct{ top atomic.Pointer[Op] }

// push lays a list of ops, linked from first to last, on the stack.
func (s *opStack) push(first, last *Op) {
	for {
		top := s.top.Load()
		last.next = top
		if s.top.CompareAndSwap(top, first) {
			return
		}
	}
}

// pop takes as many as there is room for.
func (s *opStack) pop(into []*Op) (n int) {
	for n < len(into) {
		op := s.top.Load()
		if op == nil {
			break
		}
		// Nobody else pops, so what lies under an op that is still the top is the same as before.
		if s.top.CompareAndSwap(op, op.next) {
			into[n] = op
			n++
		}
	}
	return n
}
