package iosched

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Class is how urgent a read is.
type Class uint8

const (
	Demand   Class = iota // somebody waits for it
	Prefetch              // somebody may want it soon; goes only where no demand waits

	classes = 2
)

// What Request.Err may wrap, besides the device's own errors.
var (
	ErrInvalid  = errors.New("the read is not possible") // outside the file, or not aligned; a mistake of the caller
	ErrShort    = errors.New("the read ended early")     // fewer bytes than the file had when it was opened
	ErrChanged  = errors.New("the file changed while it was in use")
	ErrCanceled = errors.New("the read was cancelled before it began")
	ErrClosed   = errors.New("the scheduler was closed before the read began")
	ErrForeign  = errors.New("the group's reads go to another scheduler")
	ErrCapacity = errors.New("more reads than the group has room for")
)

// A Request is one read. It belongs to the caller, who fills the first part and leaves it and Buf's bytes alone from Submit until
// a Group hands it back. Then it may be used again. It is part of the scheduler's lists meanwhile, so it must not be copied.
type Request struct {
	Offset int64  // in the file, bytes; a multiple of Info.OffsetAlign
	Buf    []byte // where to; length a multiple of Info.OffsetAlign, address one of Info.MemoryAlign
	Tag    uint64 // the caller's own, never looked at

	N   int   // bytes read: len(Buf), or less where the file ends; 0 with an error
	Err error // nil, or why Buf holds nothing of use

	QueuedNs, StartedNs, DoneNs int64 // by Now: submitted, first given to the device (0: never), finished

	state atomic.Uint32 // a set of the bits below
	group *Group
	epoch uint32 // of the group when it was submitted

	// Whoever holds the scheduler owns what follows.
	next   *Request // in the inbox or a queue
	class  Class
	alone  bool // was part of a merged read that failed
	issued int  // bytes of Buf given to the device so far
	left   int  // bytes of Buf not finished
}

// Bits of a request's state. Anybody may set marks, and only on a request that is taken.
const (
	taken    = 1 << iota // from Submit until Poll
	promoted             // a mark: make it a demand
	canceled             // a mark
)

// mark sets a bit and reports whether it is new and somebody may act on it.
func (r *Request) mark(bit uint32) bool {
	for {
		state := r.state.Load()
		if state&taken == 0 || state&bit != 0 {
			return false
		}
		if r.state.CompareAndSwap(state, state|bit) {
			return true
		}
	}
}

// unwanted tells that the request or its group was cancelled.
func (r *Request) unwanted() bool {
	return r.state.Load()&canceled != 0 || r.epoch != r.group.epoch.Load()
}

// check says what forbids a read from a file like info, nil if nothing.
func (r *Request) check(info *Info) error {
	invalid := func(what string, value, align int) error {
		return fmt.Errorf("%s: reading %d bytes at %d: %s %d is no multiple of %d: %w", info.Path, len(r.Buf), r.Offset, what, value, align, ErrInvalid)
	}
	switch {
	case r.Offset < 0 || r.Offset >= info.Size || len(r.Buf) == 0:
		return fmt.Errorf("%s: reading %d bytes at %d of %d: %w", info.Path, len(r.Buf), r.Offset, info.Size, ErrInvalid)
	case r.Offset%int64(info.OffsetAlign) != 0:
		return invalid("the offset", int(r.Offset), info.OffsetAlign)
	case len(r.Buf)%info.OffsetAlign != 0:
		return invalid("the length", len(r.Buf), info.OffsetAlign)
	case address(r.Buf)%uintptr(info.MemoryAlign) != 0:
		return invalid("the buffer's address", int(address(r.Buf)), info.MemoryAlign)
	}
	return nil
}

var started = time.Now()

// Now is the clock of a Request's times: ns since the program started, monotonic.
func Now() int64 { return int64(time.Since(started)) }
