package iosched

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// await returns when the condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(50 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not come to this: %s", what)
		}
	}
}

// failure says what is wrong with a request that should have come.
func failure(r *Request) string {
	if r == nil {
		return "nothing came"
	}
	return fmt.Sprintf("%d bytes at %d: %v", r.N, r.Offset, r.Err)
}

func TestThreadsThatTakeTurnsLoseNoReadAndNoWakeUp(t *testing.T) {
	const groups, threads, each = 3, 3, 120
	for name, open := range devices(t) {
		t.Run(name, func(t *testing.T) {
			s, err := open(Config{Depth: 3})
			if err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for number := range groups {
				g := NewGroup(threads)
				g.Spin = time.Duration(number-1) * 5 * time.Microsecond
				var arrived atomic.Int64
				for thread := range threads {
					random := rand.New(rand.NewPCG(uint64(number), uint64(thread)))
					r := &Request{Buf: memory(t, 4096)}
					all.Go(func() {
						free := []*Request{r}
						for arrived.Load() < threads*each {
							for _, r := range free {
								r.Offset = random.Int64N(testFile/4096) * 4096
							}
							if err := s.Submit(g, Class(random.IntN(2)), free); err != nil {
								t.Error(err)
								return
							}
							free = free[:0]
							var r *Request
							switch random.IntN(4) {
							case 0:
								r = g.Poll()
							case 1:
								r = g.Wait(time.Now().Add(time.Duration(random.IntN(200)) * time.Microsecond))
							default:
								r = g.Wait(time.Time{}) // for ever: nobody would help a thread that was forgotten
							}
							for ; r != nil; r = g.Poll() {
								if r.Err != nil || !right(r) {
									t.Error(failure(r))
								}
								arrived.Add(1)
								free = append(free, r)
							}
						}
						for g.Wait(time.Time{}) != nil { // what is under way still
						}
					})
				}
			}
			done := make(chan bool)
			go func() { all.Wait(); close(done) }()
			select {
			case <-done:
			case <-time.After(30 * time.Second):
				buffer := make([]byte, 1<<16)
				t.Fatalf("a thread was forgotten:\n%s", buffer[:runtime.Stack(buffer, true)])
			}
			closed(t, s)
		})
	}
}

func TestWhoeverLeavesTheDeviceHandsItOverToOneWhoWaits(t *testing.T) {
	s, tokens, order := stalled(t, Config{})
	defer closed(t, s)
	first, second := NewGroup(1), NewGroup(2)
	_ = s.Submit(first, Demand, newRequests(1, 4096))
	_ = s.Submit(second, Demand, newRequests(2, 4096))
	awaitReads(t, order, 2)
	left := make(chan *Request)
	got := make(chan *Request, 2)
	go func() { left <- first.Wait(time.Now().Add(20 * time.Millisecond)) }()
	await(t, "the first watches", func() bool { return s.watcher.Load() == first })
	for range 2 {
		go func() { got <- second.Wait(time.Time{}) }()
	}
	await(t, "two sleep", func() bool { return second.bell.sleepers.Load() == 2 })
	if <-left != nil {
		t.Fatal("nothing was read")
	}
	await(t, "one of them watches", func() bool { return s.watcher.Load() == second })
	close(tokens)
	for range 2 {
		if r := <-got; r == nil || r.Err != nil || !right(r) {
			t.Error(failure(r))
		}
	}
	await(t, "the read of nobody who waits is done", func() bool { return first.Poll() != nil })
}

func TestAWatcherServesTheOthersGroups(t *testing.T) {
	s, tokens, order := stalled(t, Config{MaxMerge: -1})
	mine, theirs := NewGroup(1), NewGroup(1)
	_ = s.Submit(theirs, Demand, newRequests(1, 4096))
	awaitReads(t, order, 1)
	long := newRequests(1, 4096)
	_ = s.Submit(mine, Demand, long)
	awaitReads(t, order, 2)
	waited := make(chan *Request)
	go func() { waited <- mine.Wait(time.Time{}) }()
	await(t, "a thread watches", func() bool { return s.watcher.Load() == mine })
	got := make(chan *Request)
	go func() { got <- theirs.Wait(time.Time{}) }()
	await(t, "the other sleeps", func() bool { return theirs.bell.sleepers.Load() == 1 })
	tokens <- true
	tokens <- true
	if r := <-got; r == nil || r.Err != nil {
		t.Error(failure(r))
	}
	if r := <-waited; r != long[0] {
		t.Error(failure(r))
	}
	closed(t, s)
}

func TestACancelledReadReachesTheThreadThatSleepsAtTheDevice(t *testing.T) {
	for name, cancel := range map[string]func(*Scheduler, *Group, *Request){
		"Cancel":      func(s *Scheduler, _ *Group, r *Request) { s.Cancel(r) },
		"CancelGroup": func(s *Scheduler, g *Group, _ *Request) { s.CancelGroup(g) },
	} {
		s, tokens, order := stalled(t, Config{Depth: 1})
		busy, g := NewGroup(1), NewGroup(1)
		_ = s.Submit(busy, Demand, newRequests(1, 4096))
		awaitReads(t, order, 1)
		r := &Request{Offset: 1 << 20, Buf: make([]byte, 4096)}
		_ = s.Submit(g, Demand, []*Request{r})
		got := make(chan *Request)
		go func() { got <- g.Wait(time.Time{}) }()
		await(t, "a thread sleeps at the device", func() bool { return s.watcher.Load() == g && s.sleeping.Load() })
		cancel(s, g, r)
		if back := <-got; back != r || !errors.Is(r.Err, ErrCanceled) {
			t.Errorf("%s: %v", name, failure(back))
		}
		close(tokens)
		closed(t, s)
	}
}

func TestTheDeviceIsFedWhileNobodyAsks(t *testing.T) {
	s, tokens, order := stalled(t, Config{Depth: 2, MaxMerge: -1})
	g := NewGroup(20)
	if err := s.Submit(g, Prefetch, newRequests(20, 4096)); err != nil {
		t.Fatal(err)
	}
	close(tokens)
	awaitReads(t, order, 20)
	await(t, "the attendant has nothing left to do", func() bool { return !s.backlog.Load() && !s.attending.Load() })
	for range 20 {
		if r := g.Wait(time.Time{}); r.Err != nil {
			t.Error(r.Err)
		}
	}
	closed(t, s)
}

// picky is a device that takes one read at a time, and often none.
type picky struct {
	Device
	asked atomic.Int64
}

func (p *picky) Submit(ops []*Op) int {
	if p.asked.Add(1)%3 != 0 {
		return 0
	}
	return p.Device.Submit(ops[:1])
}

func TestADeviceThatIsFullIsAskedAgain(t *testing.T) {
	c := Config{MaxMerge: -1, Wrap: func(d Device) Device { return &picky{Device: d} }}
	s, err := New(FromReader(patternReader(testFile), testFile), c)
	if err != nil {
		t.Fatal(err)
	}
	batch := newRequests(10, 4096)
	readAll(t, s, Demand, batch...)
	for _, r := range batch {
		if r.Err != nil || !right(r) {
			t.Error(failure(r))
		}
	}
	// And while nobody waits.
	g := NewGroup(10)
	_ = s.Submit(g, Demand, batch)
	await(t, "the device has all", func() bool { return !s.backlog.Load() })
	closed(t, s)
}

func TestReadsOutliveTheThreadThatSubmittedThem(t *testing.T) {
	for name, open := range devices(t) {
		s, err := open(Config{MaxMerge: -1})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			const n = 16
			g, batch, mem := NewGroup(n), newRequests(n, 0), memory(t, n*4096)
			for i, r := range batch {
				r.Offset, r.Buf = rand.Int64N(testFile/4096)*4096, mem[i*4096:][:4096]
			}
			submitted := make(chan error)
			go func() {
				runtime.LockOSThread() // the thread ends with the goroutine
				submitted <- s.Submit(g, Demand, batch)
			}()
			if err := <-submitted; err != nil {
				t.Fatal(err)
			}
			for range batch {
				if r := g.Wait(time.Now().Add(10 * time.Second)); r == nil || r.Err != nil || !right(r) {
					t.Fatalf("%s: a read is lost or wrong: %v", name, failure(r))
				}
			}
		}
		closed(t, s)
	}
}

func TestAGroupBelongsToOneScheduler(t *testing.T) {
	open := func() *Scheduler {
		s, err := New(FromReader(patternReader(testFile), testFile), Config{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a, b, g := open(), open(), NewGroup(2)
	r := newRequests(2, 4096)
	if err := a.Submit(g, Demand, r[:1]); err != nil {
		t.Fatal(err)
	}
	if err := b.Submit(g, Demand, r[1:]); !errors.Is(err, ErrForeign) || g.Pending() != 1 {
		t.Errorf("%v", err)
	}
	if got := g.Wait(time.Time{}); got != r[0] || got.Err != nil {
		t.Error(failure(got))
	}
	closed(t, a)
	closed(t, b)
}

func TestOpsComeOffAStackOnceEach(t *testing.T) {
	const pushers, each = 3, 300
	var stack opStack
	var threads sync.WaitGroup
	for range pushers {
		threads.Go(func() {
			for range each / 2 {
				last := &Op{}
				stack.push(&Op{next: last}, last)
			}
		})
	}
	seen, room := map[*Op]bool{}, make([]*Op, 7)
	for end := time.Now().Add(10 * time.Second); len(seen) < pushers*each && time.Now().Before(end); {
		for _, op := range room[:stack.pop(room)] {
			if seen[op] {
				t.Fatal("an op came twice")
			}
			seen[op] = true
		}
	}
	threads.Wait()
	if len(seen) != pushers*each {
		t.Errorf("%d of %d ops", len(seen), pushers*each)
	}
}

// late is a device that begins its first read only when it is told.
type late struct {
	Device
	first atomic.Pointer[Op]
}

func (l *late) Submit(ops []*Op) int {
	if !l.first.CompareAndSwap(nil, ops[0]) {
		return 0
	}
	return 1
}

func TestTheGarbageCollectorDoesNotWaitForARead(t *testing.T) {
	path := patternFile(t, testFile)
	for _, name := range EngineNames() {
		device := &late{}
		s, err := Open(path, Config{Engine: name, Wrap: func(d Device) Device { device.Device = d; return device }})
		if err != nil {
			t.Logf("%s does not work here: %v", name, err)
			continue
		}
		g, r := NewGroup(1), &Request{Buf: memory(t, 4096)}
		if err := s.Submit(g, Demand, []*Request{r}); err != nil {
			t.Fatal(err)
		}
		got := make(chan *Request)
		go func() { got <- g.Wait(time.Time{}) }()
		await(t, "a thread sleeps at the device", func() bool { return s.sleeping.Load() })
		collected := make(chan bool)
		go func() { runtime.GC(); close(collected) }()
		select {
		case <-collected:
		case <-time.After(10 * time.Second):
			t.Errorf("%s: the collector waits for a read", name)
		}
		device.Device.Submit([]*Op{device.first.Load()})
		if back := <-got; back != r || back.Err != nil || !right(back) {
			t.Errorf("%s: %s", name, failure(back))
		}
		closed(t, s)
	}
}
