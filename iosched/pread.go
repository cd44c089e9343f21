package iosched

import (
	"sync"
	"sync/atomic"
	"time"
)

// maxReaders bounds the threads of a pool. On the machine that was measured 16 gave 13 % more reads than 8, and each costs a stack and a wake-up.
const maxReaders = 16

// pool is the engine that works everywhere: threads that each wait for one read at a time. It takes three to four times the CPU of a queue in
// the kernel for the same number of reads.
//
// Each op has a thread of its own, started when the op is first used. So a read is handed over by storing a pointer, and there are as many threads as
// there were reads under way at once.
type pool struct {
	*source
	read func(op *Op)

	readers []*reader // by an op's slot
	running sync.WaitGroup

	done   opStack // finished
	bell   gate
	roused atomic.Bool // Wake was called
}

// reader is one thread's mailbox.
type reader struct {
	op   atomic.Pointer[Op] // to be read; &endOfWork ends the thread
	bell gate
}

var endOfWork Op

func newPread(s *source, depth int) (engine, error) {
	depth = min(depth, maxReaders)
	s.info.Depth = depth
	vectors := make([]vectorRead, depth)
	return newPool(s, depth, func(op *Op) { op.N, op.Err = vectors[op.Slot].read(s, op) }), nil
}

func newPool(s *source, depth int, read func(*Op)) *pool {
	return &pool{source: s, read: read, readers: make([]*reader, depth)}
}

func (p *pool) Submit(ops []*Op) int {
	for _, op := range ops {
		r := p.readers[op.Slot]
		if r == nil {
			r = new(reader)
			p.readers[op.Slot] = r
			p.running.Go(func() { p.serve(r) })
		}
		r.op.Store(op)
		r.bell.ring(1)
	}
	return len(ops)
}

// serve is the life of a thread.
func (p *pool) serve(r *reader) {
	for {
		seen := r.bell.enter()
		op := r.op.Swap(nil)
		if op == nil {
			r.bell.sleep(seen, forever)
		}
		r.bell.leave()
		switch op {
		case nil:
			continue
		case &endOfWork:
			return
		}
		p.read(op)
		p.done.push(op, op)
		p.bell.ring(1)
	}
}

func (p *pool) Reap(done []*Op, wait time.Duration) int {
	n := p.done.pop(done)
	if n > 0 || wait == 0 {
		return n
	}
	until := forever
	if wait > 0 {
		until = Now() + int64(wait)
	}
	seen := p.bell.enter()
	if n = p.done.pop(done); n == 0 && !p.roused.Swap(false) {
		p.bell.sleep(seen, until)
		n = p.done.pop(done)
	}
	p.bell.leave()
	return n
}

func (p *pool) Wake() {
	p.roused.Store(true)
	p.bell.ring(1)
}

func (p *pool) Close() error {
	p.release()
	if p.file == nil {
		return nil
	}
	return p.file.Close()
}

func (p *pool) release() {
	for _, r := range p.readers {
		if r != nil {
			r.op.Store(&endOfWork)
			r.bell.ring(1)
		}
	}
	p.running.Wait()
}
