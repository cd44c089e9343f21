package iosched

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Config says how a file is read. The zero value suits a pack on flash.
type Config struct {
	Engine string     // "", "auto": the best that works; or one of EngineNames
	Direct DirectMode // whether to avoid the page cache
	CPUs   []int      // that the attendant may use (drive.go), which feeds the device when no caller does; empty: any

	Depth         int // most device reads under way, 0: 32, which is the length of a UFS queue
	MaxGap        int // bytes that are read for nobody so that two reads can be one, 0: DefaultMaxGap, negative: none
	MaxMerge      int // bytes of a merged read, 0: DefaultMaxMerge, negative: nothing is merged
	MaxRead       int // bytes of a device read; longer requests are read in parts; 0: 1 MiB
	PrefetchBytes int // that may be under way for prefetches, which demands then wait for; 0: 4 MiB

	Wrap func(Device) Device // puts a simulation or faults around the device; nil: nothing
}

// DirectMode says whether the page cache is avoided.
type DirectMode uint8

const (
	DirectAuto DirectMode = iota // where the file system can
	DirectOn                     // or opening fails
	DirectOff
)

const (
	// DefaultMaxGap was the best or near it when 5, 10 and 25 % of a file's pages were read on a virtual disk (BenchmarkGaps: 30, 26 and 16 us a page; without gaps
	// 99, 64 and 35; with gaps of 64 KB 54, 33 and 17), and is what UFS 4.0's published figures give. Profile.GapLimit computes it from a measurement.
	DefaultMaxGap = 8 << 10
	// DefaultMaxMerge keeps the first of a row of neighbours from waiting long for the last.
	DefaultMaxMerge = 256 << 10

	defaultDepth         = 32
	defaultMaxRead       = 1 << 20
	defaultPrefetchBytes = 4 << 20
	maxDepth             = 1024
)

func (c *Config) defaults() {
	fill := func(value *int, standard int) {
		if *value == 0 {
			*value = standard
		}
	}
	fill(&c.Depth, defaultDepth)
	fill(&c.MaxGap, DefaultMaxGap)
	fill(&c.MaxMerge, DefaultMaxMerge)
	fill(&c.MaxRead, defaultMaxRead)
	fill(&c.PrefetchBytes, defaultPrefetchBytes)
	c.Depth = min(max(c.Depth, 1), maxDepth)
	c.MaxGap = min(max(c.MaxGap, 0), maxGap)
	c.MaxRead = max(c.MaxRead/assumedAlign*assumedAlign, assumedAlign)
	c.MaxMerge = min(max(c.MaxMerge, 0), c.MaxRead)
}

// maxGap bounds the memory into which gaps are read.
const maxGap = 256 << 10

// A Scheduler feeds one device, by one thread at a time (drive.go). Its methods may be called by any number of threads, and neither lock nor allocate.
type Scheduler struct {
	config Config
	device Device
	info   *Info
	counts counters

	// What there is to do.
	inbox   atomic.Pointer[Request] // submitted, the last batch first; &closedInbox after the end
	back    opStack                 // taken from the device, not finished yet
	marked  atomic.Bool             // requests were marked, or groups cancelled, or a round is wanted for another reason
	closing atomic.Bool

	// Who does it.
	held     atomic.Bool           // a thread is in a round
	watcher  atomic.Pointer[Group] // that a thread watches for; nil: nobody does
	sleeping atomic.Bool           // the watcher may sleep in the device
	wakers   atomic.Int32          // threads that may be in device.Wake
	line     atomic.Pointer[Group] // groups with sleeping threads, the last first

	calls     gate        // of the attendant
	attending atomic.Bool // it looks after the device, or will
	backlog   atomic.Bool // requests are queued: the device has as much as it may
	full      atomic.Bool // the device did not take what it was given
	rounds    atomic.Uint64

	closeOnce sync.Once
	ended     chan struct{} // closed when the attendant is gone
	closeErr  error         // of the device; written before

	// For the thread that watches:
	done []*Op // room for what the device gives back

	// For the thread that holds the scheduler:
	own         *Group // that it watches for
	queues      [classes]queue
	free        *Op   // not under way
	batch       []*Op // on their way to the device
	underway    int   // ops given to the device
	prefetching int   // bytes of them for prefetches
	prefetches  int   // and how many
	scratch     []byte
	freeScratch func()
	touched     *Group // got completions that were not rung for
	completions int    // how many
}

// closedInbox lies in the inbox of a closed scheduler.
var closedInbox Request

// Open opens a file for reading by a scheduler. Close it when nobody submits any more.
func Open(path string, c Config) (*Scheduler, error) {
	c.defaults()
	s, err := openSource(path, &c)
	if err != nil {
		return nil, err
	}
	sched, err := start(func() (Device, error) { return openEngine(s, &c) }, c)
	if err != nil {
		s.file.Close()
	}
	return sched, err
}

// New makes a scheduler for a device. The config's Engine and Direct have no meaning here.
func New(device func() (Device, error), c Config) (*Scheduler, error) {
	c.defaults()
	return start(device, c)
}

func start(device func() (Device, error), c Config) (*Scheduler, error) {
	s := &Scheduler{config: c, ended: make(chan struct{})}
	if err := s.setup(device); err != nil {
		return nil, err
	}
	go func() {
		// Never unlocked: the thread may have an affinity of its own, so it ends with the goroutine.
		runtime.LockOSThread()
		bindThread(c.CPUs)
		s.attend()
		close(s.ended)
	}()
	return s, nil
}

func (s *Scheduler) setup(device func() (Device, error)) (err error) {
	if s.scratch, s.freeScratch, err = pages(maxGap); err != nil {
		return err
	}
	if s.device, err = device(); err != nil {
		s.freeScratch()
		return err
	}
	if s.config.Wrap != nil {
		s.device = s.config.Wrap(s.device)
	}
	s.info = s.device.Info()
	s.config.Depth = min(s.config.Depth, s.info.Depth)
	s.batch, s.done = make([]*Op, 0, s.config.Depth), make([]*Op, s.config.Depth)
	for slot := range s.config.Depth {
		op := &Op{Slot: slot, Vec: make([][]byte, 0, MaxPieces), parts: make([]part, 0, MaxPieces), next: s.free}
		s.free = op
	}
	return nil
}

// Info says what is read and how.
func (s *Scheduler) Info() Info { return *s.info }

// Stats is a snapshot of the counters.
func (s *Scheduler) Stats() Stats { return s.counts.snapshot() }

// Changed says whether the file is still what was opened: nil, or an error that wraps ErrChanged and says what happened. It costs a system call or two.
func (s *Scheduler) Changed() error { return s.device.Changed() }

// Submit starts reads. Each arrives in the group once, also if it is invalid, cancelled or comes after Close: its Err says so then. The error
// is ErrCapacity or ErrForeign, and then nothing was submitted. The slice stays the caller's. Neighbours in one batch can be merged, so submit together what is known
// together. What the device has room for it is given at once, by the calling thread. A group belongs to the scheduler that it was first used with. A request
// that is submitted a second time before Poll gave it back is a mistake in the program and panics.
func (s *Scheduler) Submit(g *Group, class Class, batch []*Request) error {
	if len(batch) == 0 {
		return nil
	}
	if !g.home.CompareAndSwap(nil, s) && g.home.Load() != s {
		return ErrForeign
	}
	if err := g.reserve(len(batch)); err != nil {
		return err
	}
	now, epoch := Now(), g.epoch.Load()
	var first, last *Request
	invalid := 0
	for _, r := range batch {
		if !r.state.CompareAndSwap(0, taken) {
			panic(fmt.Sprintf("iosched: the request for %d bytes at %d was submitted while it was under way", len(r.Buf), r.Offset))
		}
		r.group, r.epoch, r.class = g, epoch, min(class, Prefetch)
		r.N, r.Err, r.next, r.alone = 0, nil, nil, false
		r.QueuedNs, r.StartedNs, r.DoneNs = now, 0, now
		r.issued, r.left = 0, len(r.Buf)
		if r.Err = r.check(s.info); r.Err != nil {
			g.put(r)
			invalid++
			continue
		}
		if first == nil {
			first = r
		} else {
			last.next = r
		}
		last = r
	}
	if invalid > 0 {
		g.bell.ring(invalid)
		s.rouse(g)
	}
	if first == nil {
		return nil
	}
	for {
		last.next = s.inbox.Load()
		if last.next == &closedInbox {
			last.next = nil
			refuse(g, first)
			return nil
		}
		if s.inbox.CompareAndSwap(last.next, first) {
			break
		}
	}
	s.work(nil)
	return nil
}

// refuse completes a list with ErrClosed.
func refuse(g *Group, list *Request) {
	n := 0
	for ; list != nil; n++ {
		r := list
		list, r.next = r.next, nil
		r.Err = ErrClosed
		g.put(r)
	}
	g.bell.ring(n)
}

// Promote makes a prefetch that has not begun a demand. It does nothing to requests that are demands, have begun or are finished, so that
// whoever wants a page that somebody else is prefetching can call it at any time.
func (s *Scheduler) Promote(r *Request) {
	if r.mark(promoted) {
		s.marked.Store(true)
		s.work(nil)
	}
}

// Cancel ends a request that has not begun with ErrCanceled. One that has begun is finished: its bytes are on their way. Cancelling a request of somebody who
// may have submitted it again meanwhile hits that new read, so only a request's owner should do it.
func (s *Scheduler) Cancel(r *Request) {
	if r.mark(canceled) {
		s.marked.Store(true)
		s.work(nil)
	}
}

// CancelGroup does that to all requests that were submitted to the group before.
func (s *Scheduler) CancelGroup(g *Group) {
	g.epoch.Add(1)
	s.marked.Store(true)
	s.work(nil)
}

// Close ends the scheduler: what has not begun ends with ErrClosed, what is under way is waited for. It closes the file. Closing twice is fine.
func (s *Scheduler) Close() error {
	s.closeOnce.Do(func() {
		s.closing.Store(true)
		s.calls.ring(1)
	})
	<-s.ended
	return s.closeErr
}
