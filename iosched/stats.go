package iosched

import "sync/atomic"

// Stats are counters since the scheduler was opened; they only grow, but for Depth. The difference of two is a window. Counters are read one by one
// without stopping the scheduler, so two of them may differ by what happened in between.
type Stats struct {
	Demand, Prefetch ClassStats

	Reads    uint64 // device reads finished
	GapBytes uint64 // read between wanted bytes because that was cheaper than a second read
	Parted   uint64 // merged reads that failed and were taken apart
	BusyNs   uint64 // time with at least one read under way; a read ends when a thread takes it in
	Depth    int    // reads under way now
	MaxDepth int    // the most so far
}

// ClassStats counts the requests of one class, without those that were invalid. A promoted request counts as a demand, but for Promoted and its time as a prefetch.
type ClassStats struct {
	Submitted uint64 // requests, by the class they were submitted with
	Done      uint64 // requests finished without an error
	Bytes     uint64 // of those
	Merged    uint64 // requests that shared a device read with another
	Promoted  uint64 // prefetches that became demands while they waited; in Prefetch only
	Cancelled uint64 // requests that ended before they began, by Cancel, CancelGroup or Close
	Errors    uint64 // requests that failed
	QueueNs   uint64 // from Submit to the device, sum over Done
	DeviceNs  uint64 // from the device to the end, sum over Done
}

// Sub is the window from an earlier snapshot to this one. Depth and MaxDepth are this one's.
func (s Stats) Sub(earlier Stats) Stats {
	s.Demand, s.Prefetch = s.Demand.sub(earlier.Demand), s.Prefetch.sub(earlier.Prefetch)
	s.Reads -= earlier.Reads
	s.GapBytes -= earlier.GapBytes
	s.Parted -= earlier.Parted
	s.BusyNs -= earlier.BusyNs
	return s
}

func (c ClassStats) sub(earlier ClassStats) ClassStats {
	return ClassStats{c.Submitted - earlier.Submitted, c.Done - earlier.Done, c.Bytes - earlier.Bytes, c.Merged - earlier.Merged,
		c.Promoted - earlier.Promoted, c.Cancelled - earlier.Cancelled, c.Errors - earlier.Errors, c.QueueNs - earlier.QueueNs, c.DeviceNs - earlier.DeviceNs}
}

// counters is where Stats come from. Only who holds the scheduler writes.
type counters struct {
	class                   [classes]classCounters
	reads, gapBytes, parted atomic.Uint64
	busy                    atomic.Int64 // a stopwatch in one word: 2 * total ns when it stands, 2 * (now - total ns) + 1 when it runs
	depth, maxDepth         atomic.Int64
}

type classCounters struct {
	submitted, done, bytes, merged, promoted, cancelled, errors, queueNs, deviceNs atomic.Uint64
}

// setDepth notes how many reads are under way.
func (c *counters) setDepth(n int, now int64) {
	depth := int64(n)
	switch watch := c.busy.Load(); {
	case depth > 0 && watch&1 == 0:
		c.busy.Store((now-watch>>1)<<1 | 1)
	case depth == 0 && watch&1 != 0:
		c.busy.Store((now - watch>>1) << 1)
	}
	c.depth.Store(depth)
	if depth > c.maxDepth.Load() {
		c.maxDepth.Store(depth)
	}
}

func (c *counters) snapshot() Stats {
	s := Stats{Demand: c.class[Demand].snapshot(), Prefetch: c.class[Prefetch].snapshot(), Reads: c.reads.Load(), GapBytes: c.gapBytes.Load(),
		Parted: c.parted.Load(), Depth: int(c.depth.Load()), MaxDepth: int(c.maxDepth.Load())}
	watch := c.busy.Load()
	s.BusyNs = uint64(watch >> 1)
	if watch&1 != 0 {
		s.BusyNs = uint64(Now() - watch>>1)
	}
	return s
}

func (c *classCounters) snapshot() ClassStats {
	return ClassStats{c.submitted.Load(), c.done.Load(), c.bytes.Load(), c.merged.Load(), c.promoted.Load(), c.cancelled.Load(), c.errors.Load(),
		c.queueNs.Load(), c.deviceNs.Load()}
}
