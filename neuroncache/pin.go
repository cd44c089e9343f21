package neuroncache

import (
	"runtime"
	"sync/atomic"
)

// Pinning is by age, not by a counter in each slot, because two atomic additions for each unit, with the cache misses that go with them, would cost
// more than all else that happens to a resident one.
//
// Batches are numbered as they begin. Each unit keeps the number of the newest batch that saw it, which is also its recency. It is pinned
// while that number is not below the oldest batch still open. This pins a little too much (what a newer batch saw stays until every older one
// has ended) and never too little.

// Batch is one use of the cache: what Lookup finds for it stays in its place until it ends. Later batches have larger numbers.
type Batch uint64

// maxOpen bounds how many batches can begin while one is open. An engine has a few open ones: this layer's, the next one's prefetches.
const maxOpen = 1024

// Begin opens a batch that ends when holders calls of End were made, one at least. It returns 0, for which every Lookup answers Full, while a batch
// is open after which 1,023 others began.
func (c *Cache) Begin(holders int) Batch {
	c.enter()
	defer c.leave()
	c.advance()
	next := Batch(c.newest.Load()) + 1
	if next-c.oldest >= maxOpen {
		return 0
	}
	c.open[next%maxOpen].Store(int32(max(1, holders)))
	c.newest.Store(uint64(next))
	return next
}

// End gives up one holder's share of a batch. The last one's call unpins what only this batch used. From any thread.
func (c *Cache) End(b Batch) {
	if b == 0 {
		return
	}
	if left := c.open[b%maxOpen].Add(-1); checked && left < 0 {
		panic("neuroncache: a batch was ended more often than it has holders")
	}
}

// Newest is the number of the batch that began last, 0 before the first.
func (c *Cache) Newest() Batch { return Batch(c.newest.Load()) }

// advance finds the oldest batch that is still open.
func (c *Cache) advance() {
	for newest := Batch(c.newest.Load()); c.oldest <= newest && c.open[c.oldest%maxOpen].Load() == 0; {
		c.oldest++
	}
}

// live says whether b is open, so that what it looks up can be pinned.
func (c *Cache) live(b Batch) bool {
	return b >= c.oldest && b <= Batch(c.newest.Load()) && c.open[b%maxOpen].Load() > 0
}

// pins says whether an open batch may use what was seen last by a batch with these low bits.
func (c *Cache) pins(used uint32) bool { return int32(used-uint32(c.oldest)) >= 0 }

// busy says that the unit in a slot of the cold region must stay where it is.
func (c *Cache) busy(s int32) bool {
	slot := &c.slots[s]
	return c.pins(c.units[slot.unit].used) || slot.pending()
}

// enter takes the word that managing operations share.
func (c *Cache) enter() {
	for spins := 0; !c.taken.CompareAndSwap(0, 1); spins++ {
		wait(&c.taken, spins)
	}
	c.collectFailures()
}

func (c *Cache) leave() {
	if checked {
		if err := c.verify(); err != nil {
			panic(err)
		}
	}
	c.counts.add(&c.tally)
	c.taken.Store(0)
}

// wait returns when the word looks free or a while has passed. Its holder needs microseconds, unless the kernel has taken its CPU away: then
// the scheduler is asked for another goroutine, which also lets a garbage collection begin.
func wait(word *atomic.Uint32, spins int) {
	for range 64 {
		if word.Load() == 0 {
			return
		}
	}
	if spins >= 256 {
		runtime.Gosched()
	}
}
