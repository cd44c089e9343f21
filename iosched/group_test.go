package iosched

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestManyThreadsShareAGroupAndEachReadGoesToOne(t *testing.T) {
	const producers, consumers, each = 2, 3, 500
	for _, spin := range []time.Duration{-1, 0} {
		g := NewGroup(64)
		g.Spin = spin
		var seen [producers * each]atomic.Int32
		var left atomic.Int64
		left.Store(producers * each)
		var threads sync.WaitGroup
		for p := range producers {
			threads.Go(func() {
				for i := range each {
					for g.reserve(1) != nil {
						runtime.Gosched()
					}
					r := &Request{Tag: uint64(p*each + i), group: g}
					r.state.Store(taken)
					g.put(r)
					g.bell.ring(1)
				}
			})
		}
		for range consumers {
			threads.Go(func() {
				for left.Load() > 0 {
					if r := g.Wait(time.Now().Add(time.Millisecond)); r != nil {
						seen[r.Tag].Add(1)
						left.Add(-1)
					}
				}
			})
		}
		threads.Wait()
		for i := range seen {
			if n := seen[i].Load(); n != 1 {
				t.Fatalf("request %d was handed out %d times", i, n)
			}
		}
	}
}

func TestWaitEndsAtTheDeadlineAndWhenNothingIsPending(t *testing.T) {
	s, tokens, _ := stalled(t, Config{})
	defer closed(t, s)
	g := NewGroup(1)
	if r := g.Wait(time.Time{}); r != nil || g.Pending() != 0 {
		t.Error("nothing was submitted")
	}
	r := &Request{Buf: make([]byte, 4096)}
	if err := s.Submit(g, Demand, []*Request{r}); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if g.Wait(start.Add(5*time.Millisecond)) != nil || time.Since(start) < 5*time.Millisecond || g.Pending() != 1 {
		t.Error("the deadline")
	}
	if err := s.Submit(g, Demand, newRequests(1, 4096)); !errors.Is(err, ErrCapacity) {
		t.Errorf("more than the group's capacity: %v", err)
	}
	// Two wait for ever for one read: who does not get it learns that nothing is pending.
	got := make(chan *Request)
	for range 2 {
		go func() { got <- g.Wait(time.Time{}) }()
	}
	time.Sleep(time.Millisecond)
	tokens <- true
	a, b := <-got, <-got
	if a == b || a != nil && b != nil {
		t.Errorf("%p and %p", a, b)
	}
}

func TestSortingPutsRequestsInTheFilesOrderAndKeepsThatOfEquals(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 200 {
		var q queue
		var list *Request
		for i := range n {
			list = &Request{Offset: random.Int64N(int64(1 + n/2)), Tag: uint64(n - i), next: list}
		}
		q.pushSorted(list)
		odd := q.remove(func(r *Request) bool { return r.Offset&1 == 1 })
		q.pushSorted(odd)
		count := 0
		for last := (*Request)(nil); q.first != nil; count++ {
			r := q.pop()
			if last != nil && last.Offset&1 == r.Offset&1 && (last.Offset > r.Offset || last.Offset == r.Offset && last.Tag > r.Tag) || last != nil && last.Offset&1 > r.Offset&1 {
				t.Fatalf("of %d: %d (%d) before %d (%d)", n, last.Offset, last.Tag, r.Offset, r.Tag)
			}
			last = r
		}
		if count != n || q.last != nil {
			t.Fatalf("%d of %d requests", count, n)
		}
	}
}
