package neuroncache

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// model is a simple account of what a cache has promised: which unit lies where, and which batch may be using it.
type model struct {
	t      *testing.T
	cache  *Cache
	config Config

	where   map[[2]int]int32  // (group, unit) -> slot, as last answered
	holds   map[int32][2]int  // the other way round
	loading map[int32]bool    // claimed, neither Ready nor Failed
	failed  map[int32]bool    // Failed, and perhaps still seen by a batch
	orphan  map[int32]bool    // of a cluster of which a part has failed
	open    map[Batch]int     // holders left
	seen    map[Batch][]int32 // slots that a batch was promised
	units   map[Batch][][2]int
	lookups uint64 // units asked for by Lookup and LookupClusters
}

func newModel(t *testing.T, config Config) *model {
	t.Helper()
	cache, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	return &model{t, cache, config, map[[2]int]int32{}, map[int32][2]int{}, map[int32]bool{}, map[int32]bool{}, map[int32]bool{},
		map[Batch]int{}, map[Batch][]int32{}, map[Batch][][2]int{}, 0}
}

// stamp is what the test writes into a unit's slot.
func stamp(u [2]int) uint64 { return uint64(u[0])<<32 | uint64(u[1]) | 1<<63 }

// answered checks the answer for one unit of an open batch.
func (m *model) answered(b Batch, u [2]int, f Found) {
	m.t.Helper()
	if (f.Slot < 0) != (f.State == Full) {
		m.t.Fatalf("slot %d is %v", f.Slot, f.State)
	}
	if f.State == Full {
		return
	}
	if int(f.Slot) >= m.cache.Slots() {
		m.t.Fatalf("slot %d of %d", f.Slot, m.cache.Slots())
	}
	if f.State == Claimed {
		if m.loading[f.Slot] {
			m.t.Fatalf("slot %d is claimed for %v while a read into it is under way", f.Slot, u)
		}
		for batch, slots := range m.seen {
			for _, s := range slots {
				if s == f.Slot {
					m.t.Fatalf("slot %d is claimed for %v while batch %d pins it", s, u, batch)
				}
			}
		}
		if old, ok := m.holds[f.Slot]; ok {
			delete(m.where, old)
		}
		if s, ok := m.where[u]; ok && m.holds[s] == u && !m.failed[s] && !m.orphan[s] && m.pinned(s) {
			m.t.Fatalf("%v is claimed again for slot %d and lies pinned in slot %d", u, f.Slot, s)
		}
		delete(m.failed, f.Slot)
		delete(m.orphan, f.Slot)
		m.where[u], m.holds[f.Slot] = f.Slot, u
		m.loading[f.Slot] = true
	} else if m.holds[f.Slot] != u && f.State == Resident {
		// A unit may have moved with the border; its bytes tell whether it is the one.
		if !m.config.NoMemory && binary.LittleEndian.Uint64(m.cache.Slot(f.Slot)) != stamp(u) {
			m.t.Fatalf("slot %d is said to hold %v and holds %v", f.Slot, u, m.holds[f.Slot])
		}
		m.holds[f.Slot], m.where[u] = u, f.Slot
	}
	if f.State == Resident {
		if m.failed[f.Slot] { // a unit was moved here since
			if m.pinned(f.Slot) {
				m.t.Fatalf("slot %d, of which the read failed, is used for %v while a batch may wait for it", f.Slot, u)
			}
			delete(m.failed, f.Slot)
		}
		if m.loading[f.Slot] {
			m.t.Fatalf("slot %d of %v is resident before it is ready", f.Slot, u)
		}
		if got := binary.LittleEndian.Uint64(m.cache.Slot(f.Slot)); got != stamp(u) {
			m.t.Fatalf("slot %d of %v holds %x", f.Slot, u, got)
		}
	}
	m.seen[b] = append(m.seen[b], f.Slot)
	m.units[b] = append(m.units[b], u)
}

func (m *model) pinned(s int32) bool {
	for _, slots := range m.seen {
		for _, other := range slots {
			if s == other {
				return true
			}
		}
	}
	return false
}

// ready ends the read into a slot.
func (m *model) ready(s int32) {
	binary.LittleEndian.PutUint64(m.cache.Slot(s), stamp(m.holds[s]))
	m.cache.Ready(s)
	delete(m.loading, s)
}

func (m *model) fail(s int32) {
	m.cache.Failed(s)
	delete(m.loading, s)
	m.failed[s] = true
	if k := m.cache.chunkOf(s); m.cache.chunks[k].hot {
		for i := range m.cache.clusterSlots {
			m.orphan[k*m.cache.clusterSlots+i] = true
		}
	}
}

// usable checks that what open batches were promised is still there.
func (m *model) usable() {
	m.t.Helper()
	for b, slots := range m.seen {
		for i, s := range slots {
			switch state := m.cache.State(s); {
			case m.loading[s]:
				if state != Loading {
					m.t.Fatalf("batch %d: slot %d is %v while a read into it is under way", b, s, state)
				}
			case m.failed[s]:
				if state != Failed {
					m.t.Fatalf("batch %d: slot %d is %v after its read failed", b, s, state)
				}
			case state != Resident || binary.LittleEndian.Uint64(m.cache.Slot(s)) != stamp(m.units[b][i]):
				m.t.Fatalf("batch %d: slot %d of %v is %v and holds %x", b, s, m.units[b][i], state, m.cache.Slot(s)[:8])
			}
		}
	}
}

// counted checks that the counters add up.
func (m *model) counted() {
	m.t.Helper()
	s := m.cache.Stats()
	var asked uint64
	for _, r := range []RegionStats{s.Hot, s.Cold} {
		asked += r.Hits + r.Misses + r.Waits + r.Refused
		if r.Used > r.Capacity || r.Used < 0 {
			m.t.Fatalf("%d of %d bytes are used", r.Used, r.Capacity)
		}
		if r.PrefetchHits > r.Hits || r.Evictions.Unused > r.Evictions.Total() {
			m.t.Fatalf("a part is more than the whole: %+v", r)
		}
	}
	if asked != m.lookups {
		m.t.Fatalf("%d units were asked for and %d counted: %+v", m.lookups, asked, s)
	}
	if total := s.Hot.Capacity + s.Cold.Capacity + s.Fixed; total > m.config.Bytes {
		m.t.Fatalf("%d bytes of %d", total, m.config.Bytes)
	}
}

// play runs a sequence of operations that the bytes of script choose.
func (m *model) play(script []byte) {
	next := func(n int) int {
		if len(script) == 0 || n < 1 {
			return 0
		}
		v := int(script[0])
		script = script[1:]
		return v % n
	}
	anyOf := func(slots map[int32]bool) (int32, bool) { // the same choice on every run
		best, n := int32(-1), next(256)
		for s := range slots {
			if best < 0 || (int(s)+n)%251 < (int(best)+n)%251 || (int(s)+n)%251 == (int(best)+n)%251 && s < best {
				best = s
			}
		}
		return best, best >= 0
	}
	c := m.cache
	for len(script) > 0 {
		switch op := next(16); {
		case op < 2 && len(m.open) < 5:
			holders := 1 + next(3)
			b := c.Begin(holders)
			m.open[b] = holders
		case op < 8 && len(m.open) > 0:
			b, skip := Batch(0), next(len(m.open))
			for batch := Batch(1); batch <= c.Newest(); batch++ {
				if m.open[batch] > 0 {
					if b = batch; skip == 0 {
						break
					}
					skip--
				}
			}
			group := next(len(m.config.Groups))
			n := m.config.Groups[group]
			if op < 6 {
				units := make([]int32, 1+next(8))
				for i := range units {
					units[i] = int32(next(n))
				}
				found := make([]Found, len(units))
				ask := c.Lookup
				if op == 5 {
					ask = c.Prefetch
				} else {
					m.lookups += uint64(len(units))
				}
				counts := ask(b, group, units, found)
				if counts.Resident+counts.Loading+counts.Claimed+counts.Full != len(units) {
					m.t.Fatalf("%+v for %d units", counts, len(units))
				}
				for i, f := range found {
					m.answered(b, [2]int{group, int(units[i])}, f)
				}
				continue
			}
			cluster := next(c.Clusters(group))
			ask := c.LookupClusters
			if op == 7 {
				ask = c.PrefetchClusters
			} else {
				m.lookups += uint64(c.ClusterUnits(group, cluster))
			}
			var found [1]Found
			ask(b, group, []int32{int32(cluster)}, found[:])
			for i := range c.ClusterUnits(group, cluster) {
				f := found[0]
				if f.State != Full {
					f.Slot += int32(i)
				}
				if f.State == Loading && c.State(f.Slot) == Resident {
					f.State = Resident
				}
				m.answered(b, [2]int{group, cluster*c.clusterUnits() + i}, f)
			}
		case op < 11:
			if s, ok := anyOf(m.loading); ok {
				m.ready(s)
			}
		case op == 11:
			if s, ok := anyOf(m.loading); ok {
				m.fail(s)
			}
		case op < 15:
			for batch := Batch(1); batch <= c.Newest(); batch++ {
				if m.open[batch] > 0 && next(2) == 0 {
					c.End(batch)
					if m.open[batch]--; m.open[batch] == 0 {
						delete(m.open, batch)
						delete(m.seen, batch)
						delete(m.units, batch)
					}
					break
				}
			}
		default:
			c.SetHot(int64(next(256)) * m.config.Bytes / 255)
		}
		m.usable()
		m.counted()
	}
}

func (c *Cache) clusterUnits() int { return int(c.clusterSlots) }

func smallConfig(policy string) Config {
	return Config{Bytes: 41*PageBytes + 100, FixedBytes: 5000, HotBytes: 8 * PageBytes, SlotBytes: PageBytes, ClusterSlots: 4, Groups: []int{30, 7, 64}, Policy: policy}
}

func TestACacheKeepsItsPromisesInAnyOrderOfOperations(t *testing.T) {
	scripts := 40
	if testing.Short() {
		scripts = 8
	}
	for _, policy := range Policies() {
		t.Run(policy, func(t *testing.T) {
			random := rand.NewChaCha8([32]byte{1})
			for range scripts {
				script := make([]byte, 3000)
				_, _ = random.Read(script)
				newModel(t, smallConfig(policy)).play(script)
			}
		})
	}
}

func FuzzOperations(f *testing.F) {
	random := rand.NewChaCha8([32]byte{2})
	for policy := range len(policies) {
		script := make([]byte, 400)
		_, _ = random.Read(script)
		f.Add(byte(policy), script)
	}
	f.Fuzz(func(t *testing.T, policy byte, script []byte) {
		newModel(t, smallConfig(policies[int(policy)%len(policies)].name)).play(script)
	})
}
