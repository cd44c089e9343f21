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
type pool struct {
	*source
	read func(op *Op)

	work    chan *Op // has room for every op, so that sending never waits
	readers sync.WaitGroup
	free    int // how many more may be under way

	done   atomic.Pointer[Op] // finished, the last first
	ready  *Op                // taken from done, not yet reaped
	bell   gate
	roused atomic.Bool // Wake was called
}

func newPread(s *source, depth int) (engine, error) {
	s.info.Depth = min(depth, maxReaders)
	p := newPool(s, s.info.Depth, s.info.Depth)
	vectors := make([]vectorRead, depth)
	p.read = func(op *Op) { op.N, op.Err = vectors[op.Slot].read(s, op) }
	return p, nil
}

// newPool starts readers for up to depth reads under way.
func newPool(s *source, readers, depth int) *pool {
	p := &pool{source: s, work: make(chan *Op, depth), free: depth}
	for range readers {
		p.readers.Go(func() {
			for op := range p.work {
				p.read(op)
				for {
					op.next = p.done.Load()
					if p.done.CompareAndSwap(op.next, op) {
						break
					}
				}
				p.bell.ring(everybody)
			}
		})
	}
	return p
}

func (p *pool) Submit(ops []*Op) int {
	n := min(len(ops), p.free)
	for _, op := range ops[:n] {
		p.work <- op
	}
	p.free -= n
	return n
}

func (p *pool) Reap(done []*Op, wait time.Duration) int {
	n := p.take(done)
	if n > 0 || wait == 0 {
		return n
	}
	until := forever
	if wait > 0 {
		until = Now() + int64(wait)
	}
	seen := p.bell.enter()
	if n = p.take(done); n == 0 && !p.roused.Swap(false) {
		p.bell.sleep(seen, until)
		n = p.take(done)
	}
	p.bell.leave()
	return n
}

func (p *pool) take(done []*Op) (n int) {
	for n < len(done) {
		if p.ready == nil {
			if p.ready = p.done.Swap(nil); p.ready == nil {
				break
			}
		}
		done[n], p.ready, p.ready.next = p.ready, p.ready.next, nil
		n++
	}
	p.free += n
	return n
}

func (p *pool) Wake() {
	p.roused.Store(true)
	p.bell.ring(everybody)
}

func (p *pool) Close() error {
	p.release()
	if p.file == nil {
		return nil
	}
	return p.file.Close()
}

func (p *pool) release() {
	close(p.work)
	p.readers.Wait()
}
