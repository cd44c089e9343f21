package iosched

import (
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// aio is the engine on Linux's older asynchronous interface (what libaio calls), the one that Android's sandbox allows. It needs Linux 4.18,
// for IOCB_CMD_POLL: Wake submits a poll on an eventfd that is always ready, so that io_getevents returns.
//
// Reads are finished by interrupts, whichever thread submitted them, and the completion ring is mapped into the process: when reads are finished already they
// are taken out of it without a system call. That may not happen while a thread is in io_getevents, which takes them out as well.
type aio struct {
	*source
	context uintptr
	ring    *aioRing
	events  []aioEvent  // the ring's
	nudged  atomic.Bool // a Wake is on its way
	rung    bool        // it has come: the Reap that notices returns

	ready    int    // eventfd that always is
	nudge    iocb   // a poll on it
	nudges   *iocb  // that, as io_submit wants it
	controls []iocb // one for each op
	vectors  [][MaxPieces]unix.Iovec
	ops      []atomic.Pointer[Op] // under way, by slot
	refused  opStack              // by io_submit
	batch    []*iocb
	scratch  []aioEvent // of io_getevents
	limit    unix.Timespec
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
	e := &aio{source: s, ready: -1, controls: make([]iocb, depth), vectors: make([][MaxPieces]unix.Iovec, depth),
		ops: make([]atomic.Pointer[Op], depth), batch: make([]*iocb, 0, depth), scratch: make([]aioEvent, depth+1)}
	if _, _, errno := unix.Syscall(unix.SYS_IO_SETUP, uintptr(depth+1), uintptr(unsafe.Pointer(&e.context)), 0); errno != 0 {
		return nil, fmt.Errorf("io_setup: %w", errno)
	}
	var err error
	if e.ready, err = unix.Eventfd(1, unix.EFD_CLOEXEC); err != nil {
		e.release()
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	e.ring = *(**aioRing)(unsafe.Pointer(&e.context))
	if e.ring.magic != aioRingMagic || e.ring.incompat != 0 {
		e.release()
		return nil, fmt.Errorf("the kernel's completion ring has an unknown form")
	}
	e.events = unsafe.Slice((*aioEvent)(unsafe.Add(unsafe.Pointer(e.ring), e.ring.headBytes)), e.ring.entries)
	e.nudge = iocb{data: uint64(depth), opcode: aioPoll, fd: uint32(e.ready), buf: unix.POLLIN}
	e.nudges = &e.nudge
	if e.Wake(); !e.nudged.Load() {
		e.release()
		return nil, fmt.Errorf("the kernel is older than 4.18")
	}
	return e, nil
}

func (e *aio) Submit(ops []*Op) (accepted int) {
	e.batch = e.batch[:0]
	for _, op := range ops {
		c := &e.controls[op.Slot]
		c.data, c.fd, c.offset, c.opcode = uint64(op.Slot), uint32(e.fd), op.Offset, aioReadv
		if len(op.Vec) == 1 {
			c.opcode, c.buf, c.bytes = aioRead, uint64(address(op.Vec[0])), uint64(len(op.Vec[0]))
		} else {
			c.buf, c.bytes = uint64(uintptr(unsafe.Pointer(fillVector(&e.vectors[op.Slot], op.Vec)))), uint64(len(op.Vec))
		}
		e.ops[op.Slot].Store(op) // before the kernel has it: another thread may reap it before io_submit returns
		e.batch = append(e.batch, c)
	}
	for accepted < len(ops) {
		batch := e.batch[accepted:min(accepted+atOnce, len(ops))]
		n, _, errno := unix.RawSyscall(unix.SYS_IO_SUBMIT, e.context, uintptr(len(batch)), uintptr(unsafe.Pointer(&batch[0])))
		switch {
		case errno == 0 && n > 0:
			accepted += int(n)
		case errno == unix.EINTR:
		case errno == 0 || errno == unix.EAGAIN:
			return accepted
		default:
			op := ops[accepted]
			op.N, op.Err = 0, errno
			e.refused.push(op, op)
			e.Wake()
			accepted++
		}
	}
	return accepted
}

func (e *aio) Reap(done []*Op, wait time.Duration) int {
	e.rung = false
	n := e.refused.pop(done)
	if n += e.take(done[n:]); n > 0 || e.rung || wait == 0 {
		return n
	}
	limit := uintptr(0)
	if wait > 0 {
		e.limit = unix.NsecToTimespec(int64(wait))
		limit = uintptr(unsafe.Pointer(&e.limit))
	}
	got, errno := sleepHere(unix.SYS_IO_GETEVENTS, wait, e.context, 1, uintptr(min(len(done), len(e.scratch))), uintptr(unsafe.Pointer(&e.scratch[0])), limit, 0)
	if errno != 0 {
		return n // interrupted
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
		e.rung = true
		e.nudged.Store(false)
		return n
	}
	op := e.ops[event.data].Swap(nil)
	op.N, op.Err = int(event.res), nil
	if event.res < 0 {
		op.N, op.Err = 0, unix.Errno(-event.res)
	}
	done[n] = op
	return n + 1
}

func (e *aio) Wake() {
	if e.nudged.Swap(true) {
		return
	}
	for {
		_, _, errno := unix.RawSyscall(unix.SYS_IO_SUBMIT, e.context, 1, uintptr(unsafe.Pointer(&e.nudges)))
		if errno == 0 {
			return
		}
		if errno != unix.EINTR && errno != unix.EAGAIN { // there is room for one more than the reads
			e.nudged.Store(false)
			return
		}
	}
}

func (e *aio) Close() error {
	e.release()
	return e.file.Close()
}

func (e *aio) release() {
	unix.Syscall(unix.SYS_IO_DESTROY, e.context, 0, 0)
	if e.ready >= 0 {
		unix.Close(e.ready)
	}
}
