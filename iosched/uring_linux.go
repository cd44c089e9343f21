//go:build linux && !android

package iosched

import (
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// uring is the engine on io_uring: a ring of requests and a ring of results, both shared with the kernel. One io_uring_enter starts all new reads and
// waits for the first result. A read of an eventfd lies in the ring beside the others, for Wake. The file is registered once, which saves the
// kernel two atomic operations a read. Linux 5.11 is needed (waiting with a time limit).
//
// Buffers are not registered: that counts against RLIMIT_MEMLOCK, which is
// 8 MB for users. So plain addresses are used. SQPOLL, a kernel thread that looks for requests, takes a core, which a phone needs for computing.
type uring struct {
	*source
	fd     int // the ring's
	bell   int // eventfd
	rings  []byte
	table  []byte // the requests' memory
	sqTail *atomic.Uint32
	cqHead *atomic.Uint32
	cqTail *atomic.Uint32
	sqMask uint32
	cqMask uint32
	sqes   []uringRequest
	cqes   []uringResult

	tail      uint32 // of the requests written
	unsent    int    // of them, not yet shown to the kernel
	armed     bool   // the read of the bell is written or under way
	rung      bool   // Wake was called: the Reap that notices returns
	bellCount [8]byte
	vectors   [][MaxPieces]unix.Iovec
	ops       []*Op // under way, by slot
	limit     uringLimit
	timeout   unix.Timespec
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
	uringReadv = 1 // opcodes
	uringRead  = 22

	uringFixedFile = 1 << 0 // of a request: its fd is an index of registered files

	uringCoopTask     = 1 << 8  // of setup: do not interrupt the thread to finish a read,
	uringSingleIssuer = 1 << 12 // only this thread submits,
	uringDeferTask    = 1 << 13 // and finishes reads when it asks for results

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
	fd, errno := uintptr(0), unix.Errno(unix.EINVAL)
	// The flags came with Linux 6.1 and 5.19.
	for _, flags := range []uint32{uringSingleIssuer | uringDeferTask, uringCoopTask, 0} {
		params = uringParams{flags: flags}
		if fd, _, errno = unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(depth+1), uintptr(unsafe.Pointer(&params)), 0); errno != unix.EINVAL {
			break
		}
	}
	if errno != 0 {
		return nil, fmt.Errorf("io_uring_setup: %w", errno)
	}
	e := &uring{source: s, fd: int(fd), bell: -1, vectors: make([][MaxPieces]unix.Iovec, depth), ops: make([]*Op, depth)}
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
	if e.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC); err != nil {
		return fmt.Errorf("eventfd: %w", err)
	}
	e.limit.time = uint64(uintptr(unsafe.Pointer(&e.timeout)))
	return nil
}

// add writes a request, which flush shows to the kernel. There is always room: the ring has an entry for every slot and the bell.
func (e *uring) add(r uringRequest) {
	e.sqes[e.tail&e.sqMask] = r
	e.tail++
	e.unsent++
}

func (e *uring) Submit(ops []*Op) int {
	for _, op := range ops {
		e.ops[op.Slot] = op
		r := uringRequest{opcode: uringReadv, flags: uringFixedFile, offset: uint64(op.Offset), userData: uint64(op.Slot)}
		if len(op.Vec) == 1 {
			r.opcode, r.addr, r.length = uringRead, uint64(address(op.Vec[0])), uint32(len(op.Vec[0]))
		} else {
			r.addr, r.length = uint64(uintptr(unsafe.Pointer(fillVector(&e.vectors[op.Slot], op.Vec)))), uint32(len(op.Vec))
		}
		e.add(r)
	}
	return len(ops)
}

func (e *uring) Reap(done []*Op, wait time.Duration) int {
	e.rung = false
	if e.unsent == 0 {
		if n := e.take(done); n > 0 || e.rung {
			return n
		}
	}
	if !e.armed {
		e.armed = true
		e.add(uringRequest{opcode: uringRead, fd: int32(e.bell), addr: uint64(uintptr(unsafe.Pointer(&e.bellCount))), length: 8, userData: uint64(len(e.ops))})
	}
	e.sqTail.Store(e.tail)
	least, flags, argument, bytes := uintptr(0), uintptr(uringGetEvents), uintptr(0), uintptr(0)
	if wait != 0 {
		least = 1
	}
	if wait > 0 {
		e.timeout = unix.NsecToTimespec(int64(wait))
		flags |= uringExtArg
		argument, bytes = uintptr(unsafe.Pointer(&e.limit)), unsafe.Sizeof(e.limit)
	}
	sent, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(e.fd), uintptr(e.unsent), least, flags, argument, bytes)
	switch errno {
	case 0:
		e.unsent -= int(sent)
	case unix.EAGAIN, unix.EBUSY, unix.EINTR, unix.ETIME: // the requests stay in the ring
	default:
		if n := e.refuse(done, errno); n > 0 {
			return n
		}
	}
	return e.take(done)
}

// refuse takes back the requests that the kernel has not seen and fails them.
func (e *uring) refuse(done []*Op, errno unix.Errno) (n int) {
	for ; e.unsent > 0 && n < len(done); e.unsent-- {
		e.tail--
		slot := e.sqes[e.tail&e.sqMask].userData
		if slot == uint64(len(e.ops)) {
			e.armed = false
			continue
		}
		done[n], e.ops[slot] = e.ops[slot], nil
		done[n].N, done[n].Err = 0, errno
		n++
	}
	e.sqTail.Store(e.tail)
	return n
}

// take empties the ring of results.
func (e *uring) take(done []*Op) (n int) {
	head, tail := e.cqHead.Load(), e.cqTail.Load()
	for ; head != tail && n < len(done); head++ {
		result := &e.cqes[head&e.cqMask]
		if result.userData == uint64(len(e.ops)) {
			e.armed, e.rung = false, true
			continue
		}
		op := e.ops[result.userData]
		e.ops[result.userData] = nil
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

func (e *uring) Wake() { ringEventfd(e.bell) }

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
	if e.bell >= 0 {
		unix.Close(e.bell)
	}
}
