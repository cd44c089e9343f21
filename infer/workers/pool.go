package workers

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Options say where the workers run. The zero value leaves that to the kernel.
type Options struct {
	Pin  bool  // tie each worker to one CPU
	CPUs []int // with Pin: worker i gets CPUs[i]; empty: the fastest of Cores. Fewer than workers: all share them
}

// Pool is a fixed set of workers. Run may be called by one goroutine at a time.
type Pool struct {
	workers []Worker // written by New only; each entry belongs to its worker
	cpus    []int    // of Options, nil when not pinned
	spin    int64    // ns that a wait may spin

	mu     sync.Mutex // held during Run and Close
	closed bool       // written under mu before start is opened
	f      func(*Worker)
	taking int // workers that take part in this Run; written between Runs
	exited sync.WaitGroup

	_       [128]byte
	start   gate // opened by Run and Close; idle workers wait here
	phase   gate // the barrier; bit 0 says that a worker panicked, the rest counts barriers
	done    gate // opened by the last worker that leaves f; the caller waits here
	arrived atomic.Int32
	_       [124]byte
	left    atomic.Int32 // workers 1.. that have not yet left f
	_       [124]byte

	failure atomic.Pointer[Panic] // the first panic of this Run
}

// The phase word.
const (
	broken    = 1 // a worker panicked: barriers let everybody go
	nextPhase = 2
)

// Worker is one thread's handle on the pool, valid inside the function that Run was given.
type Worker struct {
	ID int // 0..Size-1; 0 is the caller of Run

	pool  *Pool
	seen  uint32        // value of the start word at its last Run
	since int64         // when it last began to compute, ns; of this worker only
	busy  atomic.Uint64 // ns
	_     [128 - 40]byte
}

// Panic is what Run panics with when the function panicked on a worker.
type Panic struct {
	Worker int    // which one
	Value  any    // what it panicked with
	Stack  []byte // its stack at that point, as text
}

func (p *Panic) Error() string {
	return fmt.Sprintf("workers: worker %d panicked: %v\n\n%s", p.Worker, p.Value, p.Stack)
}

// Unwrap gives the panic's value if that was an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// aborted unwinds a worker from a barrier that another worker will never reach.
type aborted struct{}

// errGoexit is the value of the Panic when the function ended its goroutine instead of returning.
var errGoexit = errors.New("the function called runtime.Goexit")

// procsAtStart is the number of CPUs that the Go runtime found fit to use, a container's quota considered.
var procsAtStart = runtime.GOMAXPROCS(0)

// New makes a pool of n workers, at least 1. It starts n-1 threads, since worker 0 is the caller of Run.
//
// It raises GOMAXPROCS to n+2 where that is lower, so that workers never wait for a P while the garbage
// collector and the readers use theirs.
func New(n int, o Options) *Pool {
	n = max(n, 1)
	p := &Pool{workers: make([]Worker, n), spin: spinNs}
	if o.Pin {
		p.cpus = o.CPUs
		if len(p.cpus) == 0 {
			for _, c := range Cores() {
				p.cpus = append(p.cpus, c.CPU)
			}
		}
	}
	if min(len(allowedCPUs()), procsAtStart) < n {
		p.spin = 0
	}
	for i := range p.workers {
		p.workers[i].ID, p.workers[i].pool = i, p
	}
	if n == 1 {
		return p
	}
	if runtime.GOMAXPROCS(0) < n+2 {
		runtime.GOMAXPROCS(n + 2)
	}
	p.exited.Add(n - 1)
	for i := 1; i < n; i++ {
		go p.workers[i].serve()
	}
	return p
}

// Size is the number of workers.
func (p *Pool) Size() int { return len(p.workers) }

// Run calls f on every worker and returns when all calls have returned. The calling goroutine is worker 0.
// A panic in f comes out of Run as a *Panic. Calling Run inside f, from two goroutines at once or after Close
// is a mistake in the program and panics.
func (p *Pool) Run(f func(w *Worker)) { p.run(len(p.workers), f) }

// RunAlone is Run with worker 0 only, for work so short that waking and awaiting the others would take longer: Split gives it everything, and
// Barrier does nothing. The others sleep on.
func (p *Pool) RunAlone(f func(w *Worker)) { p.run(1, f) }

func (p *Pool) run(taking int, f func(w *Worker)) {
	if !p.mu.TryLock() {
		panic("workers: Run called while the pool is in use")
	}
	if p.closed {
		p.mu.Unlock()
		panic("workers: Run called after Close")
	}
	p.f, p.taking = f, taking
	p.left.Store(int32(taking - 1))
	// Deferred, because f may also end this goroutine (t.FailNow does), and the others must have left by then.
	defer p.join()
	if taking > 1 {
		p.start.open(1)
	}
	p.workers[0].work()
}

// join waits until the other workers have left f, and makes the pool ready for the next Run.
func (p *Pool) join() {
	for {
		// The word is read before left. A worker opens the gate after it has counted itself out, so the gate may still be opened for the Run
		// before this one: that the word changed does not say that nobody is left.
		word := p.done.word.Load()
		if p.left.Load() == 0 {
			break
		}
		p.done.await(word, now()+p.spin)
	}
	p.f = nil
	if p.phase.word.Load()&broken != 0 {
		p.arrived.Store(0)
		p.phase.word.And(^uint32(broken))
	}
	failure := p.failure.Swap(nil)
	p.mu.Unlock()
	if failure != nil {
		panic(failure)
	}
}

// Close stops the workers and waits until they are gone. It waits for a Run in progress. Closing twice is fine.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	p.start.open(1)
	p.exited.Wait()
}

// BusyNs is the time in ns that worker i has spent computing: inside Run and not waiting. It never falls, any
// goroutine may read it, and it is brought up to date whenever the worker waits or leaves f.
func (p *Pool) BusyNs(i int) uint64 { return p.workers[i].busy.Load() }

// serve is the life of a worker's thread.
func (w *Worker) serve() {
	p := w.pool
	// Never unlocked: the thread has its own affinity, so it must end with the goroutine.
	runtime.LockOSThread()
	if p.cpus != nil {
		pin(w.ID, len(p.workers), p.cpus)
	}
	ended := false
	defer func() {
		if !ended {
			go w.serve() // f called Goexit, which ends this goroutine; the pool still needs the worker
		}
	}()
	for {
		p.start.await(w.seen, now()+p.spin)
		w.seen++
		if p.closed {
			ended = true
			p.exited.Done()
			return
		}
		w.work()
	}
}

// work calls the function of this Run and sees to it that leaving it is noticed, however it is left.
func (w *Worker) work() {
	returned := false
	defer func() {
		w.pause()
		if !returned {
			w.fail(recover())
		}
		if w.ID > 0 && w.pool.left.Add(-1) == 0 {
			w.pool.done.open(1)
		}
	}()
	w.since = now()
	w.pool.f(w)
	returned = true
}

// fail notes why f did not return and frees everybody who waits at a barrier.
func (w *Worker) fail(value any) {
	p := w.pool
	switch value.(type) {
	case aborted:
		return
	case nil: // Goexit; the caller of Run sees its own
		if w.ID > 0 {
			p.failure.CompareAndSwap(nil, &Panic{w.ID, errGoexit, debug.Stack()})
		}
	default:
		p.failure.CompareAndSwap(nil, &Panic{w.ID, value, debug.Stack()})
	}
	p.phase.word.Or(broken)
	p.phase.wake()
}

// Barrier returns when all workers have called it. What a worker wrote before is visible to all afterwards.
// Within one Run every worker must call it the same number of times.
func (w *Worker) Barrier() {
	p := w.pool
	if p.taking == 1 {
		return
	}
	phase := p.phase.word.Load()
	if phase&broken == 0 {
		if p.arrived.Add(1) == int32(len(p.workers)) {
			p.arrived.Store(0)
			p.phase.open(nextPhase)
			return
		}
		p.phase.await(phase, w.pause()+p.spin)
		w.since = now()
		phase = p.phase.word.Load()
	}
	if phase&broken != 0 {
		panic(aborted{})
	}
}

// pause books the time since the worker began to compute and returns the current time.
func (w *Worker) pause() int64 {
	t := now()
	w.busy.Add(uint64(t - w.since))
	w.since = t
	return t
}

// BusyNs is the pool's BusyNs of this worker.
func (w *Worker) BusyNs() uint64 { return w.busy.Load() }
