package neuroncache

import "sync/atomic"

// Stats is what a cache has done since it was made, and what it holds: counters that only grow, and the gauges Slots, Capacity and Used.
type Stats struct {
	Hot, Cold RegionStats
	Fixed     int64 // gauge: bytes of the fixed region
}

// RegionStats counts units. A lookup of a unit is one of Hits, Misses, Waits and Refused. Misses + Prefetches + ShiftedIn, less ShiftedOut and all
// that was evicted, is what the region holds.
type RegionStats struct {
	Hits         uint64 // wanted and there
	Misses       uint64 // wanted and absent: read while a token waits
	Waits        uint64 // wanted while a read of it was under way, for another or ahead of its use
	Refused      uint64 // wanted, but all slots were pinned
	Prefetches   uint64 // read ahead
	PrefetchHits uint64 // part of Hits: the first use of what was read ahead
	Failures     uint64 // reads that failed or were cancelled
	ReadBytes    uint64 // bytes of Misses and Prefetches
	ShiftedIn    uint64 // came with its slot from the other region when the border moved
	ShiftedOut   uint64 // went to the other region so
	Evictions    Evictions

	Capacity int64 // gauge: bytes
	Used     int64 // gauge: bytes of slots that hold a unit or are being read into
}

// Evictions counts units that were dropped, by cause.
type Evictions struct {
	Demand   uint64 // a unit that a token waits for needed the slot
	Prefetch uint64 // one that was read ahead needed it
	Border   uint64 // its region shrank
	Cluster  uint64 // it came into the hot region with its cluster
	Failure  uint64 // it could not be read, or a part of its cluster
	Unused   uint64 // part of all these: was read ahead and never used
}

// Total is all that were dropped.
func (e Evictions) Total() uint64 { return e.Demand + e.Prefetch + e.Border + e.Cluster + e.Failure }

// HitRate is the share of wanted units that were there, 0 to 1. Refused ones are asked for again and do not count.
func (r RegionStats) HitRate() (share float64, ok bool) {
	wanted := r.Hits + r.Misses + r.Waits
	return float64(r.Hits) / float64(max(1, wanted)), wanted > 0
}

type region int

const (
	cold region = iota
	hot
	regions
)

// cause says what made a unit go.
type cause int

const (
	forDemand cause = iota
	forPrefetch
	forBorder
	forCluster
	forFailure
	causes
)

// counter numbers what is counted in a region.
type counter int

const (
	hits counter = iota
	misses
	waits
	refused
	prefetches
	prefetchHits
	failures
	shiftedIn
	shiftedOut
	unused
	evictions // and one for each cause
	counters  = evictions + counter(causes)
)

// tally is what one managing operation has counted.
type tally [regions][counters]uint64

// counts are the sums, which anybody may read at any time.
type counts [regions][counters]atomic.Uint64

// add takes a tally over and empties it.
func (n *counts) add(t *tally) {
	for r := range t {
		for i, v := range t[r] {
			if v != 0 {
				n[r][i].Add(v)
				t[r][i] = 0
			}
		}
	}
}

// Stats returns a snapshot. From any thread; nobody waits. A snapshot taken while a managing operation ends may hold a part of its counts.
func (c *Cache) Stats() Stats {
	hotSlots := c.hotUnits.Load()
	return Stats{
		Hot:   c.region(hot, hotSlots),
		Cold:  c.region(cold, int64(len(c.slots))-hotSlots),
		Fixed: int64(c.fixedBytes),
	}
}

func (c *Cache) region(r region, slots int64) RegionStats {
	get := func(i counter) uint64 { return c.counts[r][i].Load() }
	s := RegionStats{
		Hits: get(hits), Misses: get(misses), Waits: get(waits), Refused: get(refused), Prefetches: get(prefetches), PrefetchHits: get(prefetchHits),
		Failures: get(failures), ShiftedIn: get(shiftedIn), ShiftedOut: get(shiftedOut),
		Evictions: Evictions{
			Demand: get(evictions + counter(forDemand)), Prefetch: get(evictions + counter(forPrefetch)), Border: get(evictions + counter(forBorder)),
			Cluster: get(evictions + counter(forCluster)), Failure: get(evictions + counter(forFailure)), Unused: get(unused),
		},
		Capacity: slots * int64(c.slotBytes),
	}
	s.ReadBytes = (s.Misses + s.Prefetches) * uint64(c.slotBytes)
	s.Used = max(0, int64(s.Misses+s.Prefetches+s.ShiftedIn)-int64(s.ShiftedOut+s.Evictions.Total())) * int64(c.slotBytes)
	return s
}
