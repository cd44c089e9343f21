//go:build linux && !android

package iosched

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// uring is the engine on io_uring: a ring of requests and a ring of results, both shared with the kernel. Wake submits a request that does nothing. The file is
// registered once, which saves the kernel two atomic operations a read. Linux 5.11 is needed (waiting with a time limit).
//
// The kernel finishes a read in the thread that submitted it, which it interrupts for that. So a thread that computes pays for reads that another one waits for;
// that is why libaio comes first. The modes in which a ring belongs to one thread, or a thread finishes reads only when it enters the kernel,
// do not suit threads that take turns.
//
// Buffers are not registered: that counts against RLIMIT_MEMLOCK, which is 8 MB for users. So plain addresses are used. SQPOLL, a kernel thread that looks for requests, takes a core, which a phone needs for computing.
type uring struct {
	*source
	fd     int // the ring's
	rings  []byte
	table  []byte // the requests' memory
	sqTail *atomic.Uint32
	cqHead *atomic.Uint32
	cqTail *atomic.Uint32
	sqMask uint32
	cqMask uint32
	sqes   []uringRequest
	cqes   []uringResult

	// For whoever submits, a read or a Wake:
	submitting sync.Mutex
	tail       uint32 // of the requests written
	vectors    [][MaxPieces]unix.Iovec

	ops     []atomic.Pointer[Op] // under way, by slot
	refused opStack              // by the kernel
	nudged  atomic.Bool          // a Wake is on its way

	// For whoever reaps:
	rung    bool // a Wake has come: the Reap that notices returns
	one     [1]*Op
	tries   []uint8 // by slot: how often in a row its read was orphaned
	limit   uringLimit
	timeout unix.Timespec
}

// uringRequest is the kernel's struct io_uring_sqe.
type uringRequest struct {
	opcode, flags uint8
	prio          uint16
	fd            int32
	offset        uint64
	addr          uint64
	length        uint32
	rwFlags       uint32
	userData      uint64
	_             [3]uint64
}

// uringResult is the kernel's struct io_uring_cqe.
type uringResult struct {
	userData uint64
	res      int32
	flags    uint32
}

// uringParams is the kernel's struct io_uring_params.
type uringParams struct {
	sqEntries, cqEntries, flags, threadCPU, threadIdle, features, wqFD uint32
	_                                                                  [3]uint32
	sq                                                                 struct {
		head, tail, mask, entries, flags, dropped, array, _ uint32
		_                                                   uint64
	}
	cq struct {
		head, tail, mask, entries, overflow, cqes, flags, _ uint32
		_                                                   uint64
	}
}

// uringLimit is the kernel's struct io_uring_getevents_arg.
type uringLimit struct {
	signals     uint64
	signalBytes uint32
	_           uint32
	time        uint64 // address of a timespec
}

const (
	uringNop   = 0 // opcodes
	uringReadv = 1
	uringRead  = 22

	uringFixedFile = 1 << 0 // of a request: its fd is an index of registered files

	uringSingleMap = 1 << 0 // features: both rings in one mapping,
	uringNoDrop    = 1 << 1 // no result is lost,
	uringStable    = 1 << 2 // vectors may change after submission,
	uringTimed     = 1 << 8 // time limits
	uringNeeded    = uringSingleMap | uringNoDrop | uringStable | uringTimed

	uringGetEvents = 1 << 0 // of enter
	uringExtArg    = 1 << 3

	uringSQRing = 0 // offsets of mappings
	uringSQEs   = 0x10000000

	uringRegisterFiles = 2
)

func newUring(s *source, depth int) (engine, error) {
	var params uringParams
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(depth+1), uintptr(unsafe.Pointer(&params)), 0)
	if errno != 0 {
		return nil, fmt.Errorf("io_uring_setup: %w", errno)
	}
	e := &uring{source: s, fd: int(fd), vectors: make([][MaxPieces]unix.Iovec, depth), ops: make([]atomic.Pointer[Op], depth), tries: make([]uint8, depth)}
	if err := e.setup(&params); err != nil {
		e.release()
		return nil, err
	}
	return e, nil
}

func (e *uring) setup(p *uringParams) (err error) {
	if p.features&uringNeeded != uringNeeded {
		return fmt.Errorf("the kernel is older than 5.11")
	}
	size := max(p.sq.array+4*p.sqEntries, p.cq.cqes+p.cqEntries*uint32(unsafe.Sizeof(uringResult{})))
	const access, flags = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_SHARED | unix.MAP_POPULATE
	if e.rings, err = unix.Mmap(e.fd, uringSQRing, int(size), access, flags); err != nil {
		return fmt.Errorf("mapping the rings: %w", err)
	}
	if e.table, err = unix.Mmap(e.fd, uringSQEs, int(p.sqEntries)*int(unsafe.Sizeof(uringRequest{})), access, flags); err != nil {
		return fmt.Errorf("mapping the requests: %w", err)
	}
	word := func(offset uint32) unsafe.Pointer { return unsafe.Pointer(&e.rings[offset]) }
	e.sqTail, e.cqHead, e.cqTail = (*atomic.Uint32)(word(p.sq.tail)), (*atomic.Uint32)(word(p.cq.head)), (*atomic.Uint32)(word(p.cq.tail))
	e.sqMask, e.cqMask = *(*uint32)(word(p.sq.mask)), *(*uint32)(word(p.cq.mask))
	e.sqes = unsafe.Slice((*uringRequest)(unsafe.Pointer(&e.table[0])), p.sqEntries)
	e.cqes = unsafe.Slice((*uringResult)(word(p.cq.cqes)), p.cqEntries)
	order := unsafe.Slice((*uint32)(word(p.sq.array)), p.sqEntries)
	for i := range order { // requests are taken in the order of the table
		order[i] = uint32(i)
	}
	file := int32(e.source.fd)
	if _, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(e.fd), uringRegisterFiles, uintptr(unsafe.Pointer(&file)), 1, 0, 0); errno != 0 {
		return fmt.Errorf("io_uring_register: %w", errno)
	}
	e.limit.time = uint64(uintptr(unsafe.Pointer(&e.timeout)))
	return nil
}

func (e *uring) Submit(ops []*Op) int {
	e.submitting.Lock()
	for _, op := range ops {
		r := uringRequest{opcode: uringReadv, flags: uringFixedFile, offset: uint64(op.Offset), userData: uint64(op.Slot)}
		if len(op.Vec) == 1 {
			r.opcode, r.addr, r.length = uringRead, uint64(address(op.Vec[0])), uint32(len(op.Vec[0]))
		} else {
			r.addr, r.length = uint64(uintptr(unsafe.Pointer(fillVector(&e.vectors[op.Slot], op.Vec)))), uint32(len(op.Vec))
		}
		e.ops[op.Slot].Store(op) // before the kernel has it: another thread may reap it before the system call returns
		e.add(r)
	}
	unsent, errno := e.send(len(ops))
	e.submitting.Unlock()
	if unsent == 0 || errno == 0 {
		return len(ops) - unsent
	}
	for _, op := range ops[len(ops)-unsent:] {
		op.N, op.Err = 0, errno
		e.refused.push(op, op)
	}
	e.Wake()
	return len(ops)
}

// add writes a request to the ring, which has an entry for every slot and a Wake.
func (e *uring) add(r uringRequest) {
	e.sqes[e.tail&e.sqMask] = r
	e.tail++
}

// send has the kernel take the last n requests. It takes back those that the kernel did not take: not yet, or with an errno never.
func (e *uring) send(n int) (unsent int, errno unix.Errno) {
	e.sqTail.Store(e.tail)
	for n > 0 {
		sent, _, errno := unix.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(e.fd), uintptr(min(n, atOnce)), 0, 0, 0, 0)
		switch {
		case errno == 0 && sent > 0:
			n -= int(sent)
			continue
		case errno == unix.EINTR:
			continue
		}
		e.tail -= uint32(n)
		e.sqTail.Store(e.tail)
		if errno == unix.EAGAIN || errno == unix.EBUSY {
			errno = 0
		}
		return n, errno
	}
	return 0, 0
}

func (e *uring) Reap(done []*Op, wait time.Duration) int {
	e.rung = false
	n := e.refused.pop(done)
	if n += e.take(done[n:]); n > 0 || e.rung || wait == 0 {
		return n
	}
	flags, limit, bytes := uintptr(uringGetEvents), uintptr(0), uintptr(0)
	if wait > 0 {
		e.timeout = unix.NsecToTimespec(int64(wait))
		flags |= uringExtArg
		limit, bytes = uintptr(unsafe.Pointer(&e.limit)), unsafe.Sizeof(e.limit)
	}
	_, _ = sleepHere(unix.SYS_IO_URING_ENTER, wait, uintptr(e.fd), 0, 1, flags, limit, bytes)
	return e.take(done)
}

// take empties the ring of results.
func (e *uring) take(done []*Op) (n int) {
	head, tail := e.cqHead.Load(), e.cqTail.Load()
	for ; head != tail && n < len(done); head++ {
		result := &e.cqes[head&e.cqMask]
		if result.userData == uint64(len(e.ops)) {
			e.rung = true
			e.nudged.Store(false)
			continue
		}
		op := e.ops[result.userData].Swap(nil)
		if e.orphaned(op.Slot, result.res) {
			if e.one[0] = op; e.Submit(e.one[:]) == 1 {
				continue
			}
		}
		op.N, op.Err = int(result.res), nil
		if result.res < 0 {
			op.N, op.Err = 0, unix.Errno(-result.res)
		}
		done[n] = op
		n++
	}
	e.cqHead.Store(head)
	return n
}

// orphaned tells whether a read failed because the thread that submitted it ended: the kernel then cancels what it has not begun, and cannot reach the memory of
// what it would have finished there. Such a read is submitted again, some times: the error may have another reason.
func (e *uring) orphaned(slot int, res int32) bool {
	if res != -int32(unix.ECANCELED) && res != -int32(unix.EFAULT) {
		e.tries[slot] = 0
		return false
	}
	e.tries[slot]++
	return e.tries[slot]%orphanTries != 0
}

// orphanTries is how often a read is submitted whose threads end.
const orphanTries = 4

func (e *uring) Wake() {
	if e.nudged.Swap(true) {
		return
	}
	e.submitting.Lock()
	defer e.submitting.Unlock()
	for unsent := 1; unsent > 0; {
		e.add(uringRequest{opcode: uringNop, userData: uint64(len(e.ops))})
		var errno unix.Errno
		if unsent, errno = e.send(1); errno != 0 {
			e.nudged.Store(false)
			return
		}
	}
}

func (e *uring) Close() error {
	e.release()
	return e.file.Close()
}

func (e *uring) release() {
	unix.Close(e.fd)
	for _, mem := range [][]byte{e.rings, e.table} {
		if mem != nil {
			_ = unix.Munmap(mem)
		}
	}
}
