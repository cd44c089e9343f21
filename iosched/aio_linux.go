package iosched

import (
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// aio is the engine on Linux's older asynchronous interface (what libaio calls), the one that Android's sandbox allows. It needs Linux 4.18,
// for IOCB_CMD_POLL: a poll on an eventfd lies in the queue beside the reads, so that one io_getevents waits for both data and Wake.
//
// Finished reads are taken out of the completion ring, which the kernel maps into the process, without a system call.
type aio struct {
	*source
	context uintptr
	ring    *aioRing
	events  []aioEvent // the ring's
	bell    int        // eventfd
	armed   bool       // the poll is under way
	rung    bool       // Wake was called: the Reap that notices returns

	controls []iocb // one for each op, and the last for the poll
	vectors  [][MaxPieces]unix.Iovec
	ops      []*Op // under way, by slot
	failed   *Op   // refused by io_submit
	batch    []*iocb
	scratch  []aioEvent // of io_getevents
}

// iocb is the kernel's struct of that name: one request.
type iocb struct {
	data   uint64 // given back in the event
	_      uint32 // key
	_      uint32 // rw_flags
	opcode uint16
	_      int16 // priority
	fd     uint32
	buf    uint64 // address
	bytes  uint64
	offset int64
	_      uint64
	_      uint32 // flags
	_      uint32 // resfd
}

// aioEvent is the kernel's struct io_event.
type aioEvent struct {
	data, obj uint64
	res, res2 int64
}

// aioRing is the head of the memory at a context's address; the events follow it.
type aioRing struct {
	id, entries      uint32
	head, tail       atomic.Uint32
	magic            uint32
	compat, incompat uint32
	headBytes        uint32
}

const (
	aioRead  = 0 // opcodes
	aioPoll  = 5
	aioReadv = 7

	aioRingMagic = 0xa10a10a1
)

func newAIO(s *source, depth int) (engine, error) {
	e := &aio{source: s, bell: -1, controls: make([]iocb, depth+1), vectors: make([][MaxPieces]unix.Iovec, depth),
		ops: make([]*Op, depth), batch: make([]*iocb, 0, depth+1), scratch: make([]aioEvent, depth+1)}
	if _, _, errno := unix.Syscall(unix.SYS_IO_SETUP, uintptr(depth+1), uintptr(unsafe.Pointer(&e.context)), 0); errno != 0 {
		return nil, fmt.Errorf("io_setup: %w", errno)
	}
	var err error
	if e.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		e.release()
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	e.ring = *(**aioRing)(unsafe.Pointer(&e.context))
	if e.ring.magic != aioRingMagic || e.ring.incompat != 0 {
		e.release()
		return nil, fmt.Errorf("the kernel's completion ring has an unknown form")
	}
	e.events = unsafe.Slice((*aioEvent)(unsafe.Add(unsafe.Pointer(e.ring), e.ring.headBytes)), e.ring.entries)
	poll := &e.controls[depth]
	poll.data, poll.opcode, poll.fd, poll.buf = uint64(depth), aioPoll, uint32(e.bell), unix.POLLIN
	if e.Submit(nil); !e.armed {
		e.release()
		return nil, fmt.Errorf("the kernel is older than 4.18")
	}
	return e, nil
}

func (e *aio) Submit(ops []*Op) int {
	e.batch = e.batch[:0]
	if !e.armed {
		e.batch = append(e.batch, &e.controls[len(e.ops)])
	}
	for _, op := range ops {
		c := &e.controls[op.Slot]
		c.data, c.fd, c.offset, c.opcode = uint64(op.Slot), uint32(e.fd), op.Offset, aioReadv
		if len(op.Vec) == 1 {
			c.opcode, c.buf, c.bytes = aioRead, uint64(address(op.Vec[0])), uint64(len(op.Vec[0]))
		} else {
			c.buf, c.bytes = uint64(uintptr(unsafe.Pointer(fillVector(&e.vectors[op.Slot], op.Vec)))), uint64(len(op.Vec))
		}
		e.batch = append(e.batch, c)
	}
	accepted := 0
	for batch := e.batch; len(batch) > 0; {
		n, _, errno := unix.Syscall(unix.SYS_IO_SUBMIT, e.context, uintptr(len(batch)), uintptr(unsafe.Pointer(&batch[0])))
		if errno == unix.EINTR {
			continue
		}
		if errno == unix.EAGAIN {
			break
		}
		taken := batch[:max(int(n), 1)]
		if errno != 0 {
			taken = batch[:1]
		}
		for _, c := range taken {
			if c.opcode == aioPoll {
				e.armed = errno == 0
				continue
			}
			op := ops[accepted]
			accepted++
			if errno != 0 {
				op.N, op.Err, op.next = 0, errno, e.failed
				e.failed = op
			} else {
				e.ops[op.Slot] = op
			}
		}
		if errno != 0 && taken[0].opcode == aioPoll && len(ops) == 0 {
			break
		}
		batch = batch[len(taken):]
	}
	return accepted
}

func (e *aio) Reap(done []*Op, wait time.Duration) int {
	n := 0
	for e.failed != nil && n < len(done) {
		done[n], e.failed, e.failed.next = e.failed, e.failed.next, nil
		n++
	}
	e.rung = false
	if n += e.take(done[n:]); n > 0 || e.rung || wait == 0 {
		return n
	}
	if !e.armed {
		e.Submit(nil)
	}
	var limit *unix.Timespec
	if wait > 0 {
		ts := unix.NsecToTimespec(int64(wait))
		limit = &ts
	}
	got, _, errno := unix.Syscall6(unix.SYS_IO_GETEVENTS, e.context, 1, uintptr(min(len(done), len(e.scratch))), uintptr(unsafe.Pointer(&e.scratch[0])), uintptr(unsafe.Pointer(limit)), 0)
	if errno != 0 {
		return 0 // interrupted
	}
	for i := range e.scratch[:got] {
		n = e.finish(&e.scratch[i], done, n)
	}
	return n
}

// take empties the completion ring.
func (e *aio) take(done []*Op) (n int) {
	head, tail := e.ring.head.Load(), e.ring.tail.Load()
	for head != tail && n < len(done) {
		event := e.events[head]
		if head++; head == uint32(len(e.events)) {
			head = 0
		}
		e.ring.head.Store(head)
		n = e.finish(&event, done, n)
	}
	return n
}

// finish stores an event's op at done[n] and returns how many are stored then.
func (e *aio) finish(event *aioEvent, done []*Op, n int) int {
	if event.data == uint64(len(e.ops)) {
		e.armed, e.rung = false, true
		drainEventfd(e.bell)
		return n
	}
	op := e.ops[event.data]
	e.ops[event.data] = nil
	op.N, op.Err = int(event.res), nil
	if event.res < 0 {
		op.N, op.Err = 0, unix.Errno(-event.res)
	}
	done[n] = op
	return n + 1
}

func (e *aio) Wake() { ringEventfd(e.bell) }

func (e *aio) Close() error {
	e.release()
	return e.file.Close()
}

func (e *aio) release() {
	unix.Syscall(unix.SYS_IO_DESTROY, e.context, 0, 0)
	if e.bell >= 0 {
		unix.Close(e.bell)
	}
}
