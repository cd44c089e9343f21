package iosched

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// pattern fills p with words that tell where in a file they stand; offset is a multiple of 8.
func pattern(p []byte, offset int64) {
	word := func(at int) uint64 { return uint64(offset+int64(at)) * 0x9e3779b97f4a7c15 }
	for i := range len(p) / 8 {
		binary.LittleEndian.PutUint64(p[i*8:], word(i*8))
	}
	if rest := len(p) % 8; rest > 0 {
		var last [8]byte
		binary.LittleEndian.PutUint64(last[:], word(len(p)-rest))
		copy(p[len(p)-rest:], last[:])
	}
}

// patternReader is a reader of size bytes of the pattern.
func patternReader(size int64) ReaderFunc {
	return func(p []byte, offset int64) (int, error) {
		n := int(max(min(int64(len(p)), size-offset), 0))
		pattern(p[:n], offset)
		return n, nil
	}
}

func patternFile(t testing.TB, size int) string {
	path := filepath.Join(t.TempDir(), "file")
	data := make([]byte, size)
	pattern(data, 0)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func memory(t testing.TB, n int) []byte {
	mem, free, err := pages(n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(free)
	return mem
}

func closed(t testing.TB, s *Scheduler) {
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// readAll submits and waits for all.
func readAll(t testing.TB, s *Scheduler, class Class, batch ...*Request) {
	g := NewGroup(len(batch))
	if err := s.Submit(g, class, batch); err != nil {
		t.Fatal(err)
	}
	for range batch {
		if g.Wait(time.Now().Add(10*time.Second)) == nil {
			t.Fatal("a read did not come back")
		}
	}
}

// right tells that a request holds the pattern.
func right(r *Request) bool {
	want := make([]byte, r.N)
	pattern(want, r.Offset)
	return bytes.Equal(want, r.Buf[:r.N])
}

const testFile = 8<<20 + 1000 // bytes: the last page is not whole

// devices lists everything that reads on this machine.
func devices(t *testing.T) map[string]func(Config) (*Scheduler, error) {
	path := patternFile(t, testFile)
	list := map[string]func(Config) (*Scheduler, error){
		"reader": func(c Config) (*Scheduler, error) { return New(FromReader(patternReader(testFile), testFile), c) },
	}
	for _, name := range EngineNames() {
		for mode, direct := range map[string]DirectMode{"direct": DirectOn, "buffered": DirectOff} {
			open := func(c Config) (*Scheduler, error) {
				c.Engine, c.Direct = name, direct
				return Open(path, c)
			}
			s, err := open(Config{})
			if err != nil {
				t.Logf("not here: %s, %s: %v", name, mode, err)
				continue
			}
			closed(t, s)
			list[name+" "+mode] = open
		}
	}
	model, err := DeviceModelNamed("ufs4.0")
	if err != nil {
		t.Fatal(err)
	}
	for name, scale := range map[string]float64{"ufs4.0 in real time": 1, "ufs4.0 in no time": 0} {
		wrap, err := Simulate(model, scale)
		if err != nil {
			t.Fatal(err)
		}
		list[name] = func(c Config) (*Scheduler, error) { c.Wrap = wrap; return Open(path, c) }
	}
	faults := &Faults{Seed: 1, Shuffle: 5, Delays: 0.1, Delay: time.Millisecond}
	list["random order"] = func(c Config) (*Scheduler, error) { c.Wrap = faults.Wrap; return Open(path, c) }
	return list
}

func TestEveryReadOfEveryDeviceArrivesOnceAndRight(t *testing.T) {
	for name, open := range devices(t) {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2) {
				random := rand.New(rand.NewPCG(seed, 0))
				s, err := open(Config{Depth: 1 + random.IntN(32), MaxGap: random.IntN(3)*8192 - 1, MaxRead: 4096 << random.IntN(6), PrefetchBytes: 1 + random.IntN(1<<20)})
				if err != nil {
					t.Fatal(err)
				}
				var threads sync.WaitGroup
				for range 3 {
					seed := random.Uint64()
					threads.Go(func() { randomReads(t, s, seed) })
				}
				threads.Wait()
				st := s.Stats()
				d, p := st.Demand, st.Prefetch
				if ended := d.Done + d.Cancelled + p.Done + p.Cancelled; ended != d.Submitted+p.Submitted || d.Errors+p.Errors > 0 || st.Depth != 0 {
					t.Errorf("the counters do not add up: %+v", st)
				}
				if st.Reads > 0 && (st.BusyNs == 0 || st.MaxDepth == 0) {
					t.Errorf("%+v", st)
				}
				closed(t, s)
			}
		})
	}
}

// randomReads submits random batches to two groups, promotes and cancels some, and checks what comes back.
func randomReads(t *testing.T, s *Scheduler, seed uint64) {
	const n, most = 40, 64 << 10
	random := rand.New(rand.NewPCG(seed, 1))
	mem := memory(t, n*most)
	requests := make([]Request, n)
	idle := make([]*Request, 0, n)
	for i := range requests {
		requests[i].Tag = uint64(i)
		idle = append(idle, &requests[i])
	}
	var (
		out     [n]bool
		cancel  [n]bool
		groups  = []*Group{NewGroup(n), NewGroup(n)}
		pending [2]int
	)
	for round := range 25 {
		which := random.IntN(2)
		batch := idle[:random.IntN(len(idle)+1)]
		idle = idle[len(batch):]
		for _, r := range batch {
			i := int(r.Tag)
			size := 4096 << random.IntN(5)
			r.Offset = random.Int64N((testFile+4095)/4096) * 4096
			if random.IntN(2) == 0 && i > 0 { // a neighbour, perhaps
				r.Offset = min(requests[i-1].Offset+int64(len(requests[i-1].Buf))+4096*random.Int64N(3), testFile/4096*4096)
			}
			r.Buf = mem[i*most:][:size]
			clear(r.Buf)
			out[i], cancel[i] = true, false
		}
		if err := s.Submit(groups[which], Class(random.IntN(2)), batch); err != nil {
			t.Error(err)
			return
		}
		pending[which] += len(batch)
		for _, r := range batch {
			switch random.IntN(8) {
			case 0:
				cancel[r.Tag] = true
				s.Cancel(r)
			case 1, 2:
				s.Promote(r)
			}
		}
		if random.IntN(10) == 0 {
			for i := range requests {
				if out[i] && requests[i].group == groups[which] {
					cancel[i] = true
				}
			}
			s.CancelGroup(groups[which])
		}
		for g, group := range groups {
			for pending[g] > 0 {
				r := group.Poll()
				if round%3 == 0 && r == nil {
					if r = group.Wait(time.Now().Add(10 * time.Second)); r == nil {
						t.Errorf("%d reads of group %d do not come back", pending[g], g)
						return
					}
				}
				if r == nil {
					break
				}
				pending[g]--
				i := int(r.Tag)
				if !out[i] {
					t.Errorf("request %d came twice", i)
				}
				out[i] = false
				want := int(min(int64(len(r.Buf)), testFile-r.Offset))
				switch {
				case cancel[i] && errors.Is(r.Err, ErrCanceled) && r.N == 0:
				case r.Err != nil || r.N != want:
					t.Errorf("%d bytes at %d: %d, %v", len(r.Buf), r.Offset, r.N, r.Err)
				case !right(r):
					t.Errorf("%d bytes at %d are wrong", len(r.Buf), r.Offset)
				case r.QueuedNs > r.StartedNs || r.StartedNs > r.DoneNs:
					t.Errorf("submitted %d, started %d, done %d", r.QueuedNs, r.StartedNs, r.DoneNs)
				}
				idle = append(idle, r)
			}
		}
		// What is left of a batch keeps its place in the array, so the list of idle ones is made anew.
		idle = idle[:0:0]
		for i := range requests {
			if !out[i] {
				idle = append(idle, &requests[i])
			}
		}
	}
	for g, group := range groups {
		for ; pending[g] > 0; pending[g]-- {
			if group.Wait(time.Now().Add(10*time.Second)) == nil {
				t.Errorf("%d reads do not come back at the end", pending[g])
				return
			}
		}
		if group.Pending() != 0 || group.Poll() != nil {
			t.Errorf("group %d is not empty", g)
		}
	}
}

// stalled is a scheduler over a reader that notes what is read and waits for a token before each read.
func stalled(t *testing.T, c Config) (s *Scheduler, tokens chan bool, order func() []int64) {
	var mu sync.Mutex
	var offsets []int64
	tokens = make(chan bool)
	const size = 64 << 20
	reader := patternReader(size)
	s, err := New(FromReader(ReaderFunc(func(p []byte, offset int64) (int, error) {
		mu.Lock()
		offsets = append(offsets, offset)
		mu.Unlock()
		<-tokens
		return reader(p, offset)
	}), size), c)
	if err != nil {
		t.Fatal(err)
	}
	return s, tokens, func() []int64 { mu.Lock(); defer mu.Unlock(); return append([]int64(nil), offsets...) }
}

// awaitReads returns when so many reads have begun.
func awaitReads(t *testing.T, order func() []int64, n int) {
	for end := time.Now().Add(10 * time.Second); len(order()) < n; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatalf("%d reads have begun, want %d", len(order()), n)
		}
	}
}

func newRequests(n, size int) (list []*Request) {
	for i := range n {
		list = append(list, &Request{Offset: int64(i) << 16, Buf: make([]byte, size), Tag: uint64(i)})
	}
	return list
}

func TestDemandsGoBeforePrefetchesAndPromotedPrefetchesWithThem(t *testing.T) {
	s, tokens, order := stalled(t, Config{Depth: 1})
	defer closed(t, s)
	g := NewGroup(10)
	r := newRequests(6, 4096)
	submit := func(class Class, list ...*Request) {
		if err := s.Submit(g, class, list); err != nil {
			t.Fatal(err)
		}
	}
	submit(Prefetch, r[0], r[1], r[2], r[3])
	awaitReads(t, order, 1)
	s.Promote(r[0]) // has begun: nothing happens
	submit(Demand, r[5], r[4])
	s.Promote(r[4]) // is a demand
	s.Promote(r[3])
	s.Promote(r[3])
	for range r {
		tokens <- true
		if g.Wait(time.Now().Add(10*time.Second)) == nil {
			t.Fatal("no read came")
		}
	}
	if got, want := fmt.Sprint(order()), fmt.Sprint([]int64{0, 4 << 16, 5 << 16, 3 << 16, 1 << 16, 2 << 16}); got != want {
		t.Errorf("read in the order %s, want %s", got, want)
	}
	if st := s.Stats(); st.Prefetch.Promoted != 1 || st.Prefetch.Submitted != 4 || st.Prefetch.Done != 3 || st.Demand.Done != 3 {
		t.Errorf("%+v", st)
	}
}

func TestPrefetchesLeaveRoomForDemands(t *testing.T) {
	for name, c := range map[string]Config{"by number": {Depth: 8, MaxMerge: -1}, "by bytes": {Depth: 8, MaxMerge: -1, PrefetchBytes: 6 * 4096}} {
		s, tokens, order := stalled(t, c)
		g := NewGroup(100)
		if err := s.Submit(g, Prefetch, newRequests(50, 4096)); err != nil {
			t.Fatal(err)
		}
		awaitReads(t, order, 6)
		if depth := s.Stats().Depth; depth != 6 {
			t.Errorf("%s: %d prefetches under way, want 6 of 8", name, depth)
		}
		s.CancelGroup(g)
		close(tokens)
		closed(t, s)
	}
}

func TestALongPrefetchIsOvertakenBetweenItsParts(t *testing.T) {
	s, tokens, order := stalled(t, Config{Depth: 1, MaxRead: 64 << 10})
	defer closed(t, s)
	long, short := &Request{Buf: make([]byte, 256<<10)}, &Request{Offset: 1 << 20, Buf: make([]byte, 4096)}
	g := NewGroup(2)
	_ = s.Submit(g, Prefetch, []*Request{long})
	awaitReads(t, order, 1)
	_ = s.Submit(g, Demand, []*Request{short})
	close(tokens)
	if r := g.Wait(time.Time{}); r != short {
		t.Error("the demand did not come first")
	}
	if r := g.Wait(time.Time{}); r != long || r.Err != nil || r.N != len(r.Buf) || !right(r) {
		t.Errorf("the long read: %d bytes, %v", long.N, long.Err)
	}
	if got, want := fmt.Sprint(order()), fmt.Sprint([]int64{0, 1 << 20, 64 << 10, 128 << 10, 192 << 10}); got != want {
		t.Errorf("read in the order %s, want %s", got, want)
	}
}

func TestCancelEndsWhatHasNotBegunAndNothingElse(t *testing.T) {
	s, tokens, order := stalled(t, Config{Depth: 1, MaxRead: 64 << 10})
	g, other := NewGroup(10), NewGroup(10)
	r := newRequests(4, 4096)
	begun, kept := &Request{Buf: make([]byte, 128<<10)}, &Request{Offset: 1 << 20, Buf: make([]byte, 4096)}
	_ = s.Submit(g, Demand, []*Request{begun})
	awaitReads(t, order, 1)
	_ = s.Submit(g, Prefetch, r[:2])
	_ = s.Submit(g, Demand, r[2:])
	_ = s.Submit(other, Prefetch, []*Request{kept})
	s.Cancel(r[0])
	if got := g.Wait(time.Now().Add(10 * time.Second)); got != r[0] || !errors.Is(got.Err, ErrCanceled) || got.StartedNs != 0 {
		t.Fatalf("%+v", got)
	}
	s.CancelGroup(g)
	for range 3 {
		if got := g.Wait(time.Now().Add(10 * time.Second)); got == nil || !errors.Is(got.Err, ErrCanceled) {
			t.Fatalf("%+v", got)
		}
	}
	s.Cancel(r[0]) // finished: nothing happens
	_ = s.Submit(g, Demand, r[:1])
	close(tokens)
	results := map[*Request]error{}
	for range 2 {
		got := g.Wait(time.Now().Add(10 * time.Second))
		if got == nil {
			t.Fatal("no read came")
		}
		results[got] = got.Err
	}
	if err, ok := results[r[0]]; !ok || err != nil {
		t.Errorf("submitted after the group was cancelled: %v", err)
	}
	if err, ok := results[begun]; !ok || !errors.Is(err, ErrCanceled) {
		t.Errorf("half of it had begun: %v", err)
	}
	if got := other.Wait(time.Now().Add(10 * time.Second)); got != kept || got.Err != nil {
		t.Errorf("of another group: %+v", got)
	}
	if st := s.Stats(); st.Prefetch.Cancelled != 2 || st.Demand.Cancelled != 3 {
		t.Errorf("%+v", st)
	}
	closed(t, s)
}

func TestNeighboursMergeIntoOneRead(t *testing.T) {
	const page = 4096
	tests := []struct {
		name    string
		config  Config
		offsets []int64 // in pages; every request is one page
		reads   uint64
		gaps    uint64 // pages
	}{
		{"pages side by side", Config{}, []int64{3, 4, 5}, 1, 0},
		{"in whatever order they are submitted", Config{}, []int64{5, 3, 4}, 1, 0},
		{"over a gap up to the limit", Config{}, []int64{1, 4}, 1, 2},
		{"not over a longer one", Config{}, []int64{1, 5}, 2, 0},
		{"not over any if the limit is none", Config{MaxGap: -1}, []int64{1, 2, 4}, 2, 0},
		{"up to so many bytes", Config{MaxMerge: 3 * page}, []int64{1, 2, 3, 4}, 2, 0},
		{"never if that is asked for", Config{MaxMerge: -1}, []int64{1, 2}, 2, 0},
		{"the same page twice is read twice", Config{}, []int64{7, 7}, 2, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, tokens, order := stalled(t, func() Config { c := test.config; c.Depth = 1; return c }())
			defer closed(t, s)
			g := NewGroup(10)
			first := &Request{Offset: 1 << 20, Buf: make([]byte, page)} // keeps the device busy until all are there
			_ = s.Submit(g, Demand, []*Request{first})
			awaitReads(t, order, 1)
			batch := newRequests(len(test.offsets), page)
			for i, offset := range test.offsets {
				batch[i].Offset = offset * page
			}
			_ = s.Submit(g, Demand, batch)
			close(tokens)
			for range len(batch) + 1 {
				if r := g.Wait(time.Time{}); r.Err != nil || !right(r) {
					t.Errorf("%+v", r)
				}
			}
			if st := s.Stats(); st.Reads-1 != test.reads || st.GapBytes != test.gaps*page || (st.Demand.Merged > 0) != (test.reads < uint64(len(batch))) {
				t.Errorf("%d reads with gaps of %d bytes, want %d and %d: %+v", st.Reads-1, st.GapBytes, test.reads, test.gaps*page, st)
			}
		})
	}
}

func TestManyMorePiecesThanAReadMayHaveAreAllRead(t *testing.T) {
	s, err := Open(patternFile(t, testFile), Config{MaxMerge: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	mem := memory(t, 600*4096)
	var batch []*Request
	for i := range 300 { // every second page of memory, so that no two pieces join
		batch = append(batch, &Request{Offset: int64(i) * 4096, Buf: mem[2*i*4096:][:4096]})
	}
	readAll(t, s, Demand, batch...)
	for _, r := range batch {
		if r.Err != nil || !right(r) {
			t.Errorf("%d: %v", r.Offset, r.Err)
		}
	}
	if st := s.Stats(); st.Reads >= 100 {
		t.Errorf("%d reads for 300 neighbours", st.Reads)
	}
}

func TestImpossibleReadsComeBackWithTheReason(t *testing.T) {
	path := patternFile(t, 10000)
	s, err := Open(path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	mem := memory(t, 16384)
	info := s.Info()
	tests := []struct {
		name   string
		offset int64
		buf    []byte
		direct bool // only then it is impossible
	}{
		{"before the file", -4096, mem[:4096], false},
		{"behind the file", 12288, mem[:4096], false},
		{"nothing", 0, nil, false},
		{"a crooked offset", 1, mem[:4096], true},
		{"a crooked length", 0, mem[:4095], true},
		{"a crooked address", 0, mem[1:4097], true},
	}
	for _, test := range tests {
		r := &Request{Offset: test.offset, Buf: test.buf}
		readAll(t, s, Demand, r)
		if bad := !test.direct || info.Direct; bad != errors.Is(r.Err, ErrInvalid) {
			t.Errorf("%s: %v", test.name, r.Err)
		} else if bad && !strings.Contains(r.Err.Error(), path) {
			t.Errorf("%s: %q does not name the file", test.name, r.Err)
		}
	}
	tail := &Request{Offset: 8192, Buf: mem[:8192]}
	readAll(t, s, Demand, tail)
	if tail.Err != nil || tail.N != 10000-8192 || !right(tail) {
		t.Errorf("the file's end: %d bytes, %v", tail.N, tail.Err)
	}
}

func TestASecondSubmitOfARequestUnderWayPanics(t *testing.T) {
	s, tokens, _ := stalled(t, Config{})
	g, r := NewGroup(4), &Request{Buf: make([]byte, 4096)}
	_ = s.Submit(g, Demand, []*Request{r})
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
		close(tokens)
		closed(t, s)
	}()
	_ = s.Submit(g, Demand, []*Request{r})
}

func TestCloseWaitsForReadsUnderWayAndRefusesTheRest(t *testing.T) {
	s, tokens, order := stalled(t, Config{Depth: 2, MaxMerge: -1})
	g := NewGroup(100)
	batch := newRequests(50, 4096)
	if err := s.Submit(g, Demand, batch[:40]); err != nil {
		t.Fatal(err)
	}
	awaitReads(t, order, 2)
	var wait sync.WaitGroup
	wait.Go(func() { closed(t, s) })
	wait.Go(func() { closed(t, s) })
	for range 38 {
		if r := g.Wait(time.Now().Add(10 * time.Second)); r == nil || !errors.Is(r.Err, ErrClosed) {
			t.Fatalf("%+v", r)
		}
	}
	close(tokens)
	wait.Wait()
	for range 2 {
		if r := g.Poll(); r == nil || r.Err != nil || !right(r) {
			t.Errorf("under way when it was closed: %+v", r)
		}
	}
	readAll(t, s, Demand, batch[40:]...)
	for _, r := range batch[40:] {
		if !errors.Is(r.Err, ErrClosed) {
			t.Errorf("submitted after Close: %v", r.Err)
		}
	}
	s.Cancel(batch[0])
	s.CancelGroup(g)
}

func TestSubmitsThatRaceWithCloseAllComeBack(t *testing.T) {
	path := patternFile(t, testFile)
	for range 20 {
		s, err := Open(path, Config{})
		if err != nil {
			t.Fatal(err)
		}
		var submitters sync.WaitGroup
		var refused atomic.Int64
		for range 2 {
			mem := memory(t, 8*4096)
			submitters.Go(func() {
				g := NewGroup(8)
				batch := newRequests(8, 0)
				for i, r := range batch {
					r.Buf = mem[i*4096:][:4096]
				}
				for refused.Load() < 8 {
					if err := s.Submit(g, Class(refused.Load()&1), batch); err != nil {
						t.Error(err)
					}
					for range batch {
						r := g.Wait(time.Now().Add(10 * time.Second))
						switch {
						case r == nil:
							t.Error("a read did not come back")
							refused.Add(100)
						case errors.Is(r.Err, ErrClosed):
							refused.Add(1)
						case r.Err != nil || !right(r):
							t.Errorf("%+v", r)
						}
					}
				}
			})
		}
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
		closed(t, s)
		submitters.Wait()
	}
}

func TestNoWakeUpIsLost(t *testing.T) {
	for name, open := range devices(t) {
		s, err := open(Config{Depth: 2})
		if err != nil {
			t.Fatal(err)
		}
		var stop atomic.Bool
		var noise sync.WaitGroup
		noise.Go(func() {
			for nobody := NewGroup(1); !stop.Load(); time.Sleep(10 * time.Microsecond) {
				s.CancelGroup(nobody)
			}
		})
		r := &Request{Buf: memory(t, 4096)}
		g := NewGroup(1)
		for i := range 100 {
			r.Offset = int64(i) * 4096
			if err := s.Submit(g, Demand, []*Request{r}); err != nil {
				t.Fatal(err)
			}
			if g.Wait(time.Now().Add(10*time.Second)) == nil {
				t.Fatalf("%s: read %d did not come back", name, i)
			}
		}
		stop.Store(true)
		noise.Wait()
		closed(t, s)
	}
}
