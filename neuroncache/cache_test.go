package neuroncache

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"
)

func newCache(t testing.TB, config Config) *Cache {
	t.Helper()
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// ask looks units up in a batch of their own that stays open, and marks what it claims Ready.
func ask(c *Cache, group int, units ...int32) (Batch, []Found) {
	b, found := c.Begin(1), make([]Found, len(units))
	c.Lookup(b, group, units, found)
	for _, f := range found {
		if f.State == Claimed {
			c.Ready(f.Slot)
		}
	}
	return b, found
}

func states(found []Found) (list []State) {
	for _, f := range found {
		list = append(list, f.State)
	}
	return list
}

func TestConfigsThatCannotWorkAreRefused(t *testing.T) {
	good := smallConfig("")
	for name, test := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no slots":               {func(c *Config) { c.Bytes = 8191 }, "leave no slot"},
		"all fixed":              {func(c *Config) { c.FixedBytes = c.Bytes }, "leave no slot"},
		"negative memory":        {func(c *Config) { c.Bytes = -1 }, "a size of -1"},
		"negative fixed":         {func(c *Config) { c.FixedBytes = -1 }, "a size of -1"},
		"negative hot":           {func(c *Config) { c.HotBytes = -5 }, "a size of -5"},
		"slots of half a page":   {func(c *Config) { c.SlotBytes = 2048 }, "a multiple of 4096"},
		"slots of nothing":       {func(c *Config) { c.SlotBytes = 0 }, "slots of 0 bytes"},
		"negative clusters":      {func(c *Config) { c.ClusterSlots = -1 }, "clusters of -1"},
		"a negative group":       {func(c *Config) { c.Groups = []int{-1} }, "group 0 of -1"},
		"too many units":         {func(c *Config) { c.Groups = []int{1 << 30, 1 << 30} }, "does not fit"},
		"an unknown policy":      {func(c *Config) { c.Policy = "random" }, "there is no policy \"random\""},
		"more than there can be": {func(c *Config) { c.Bytes, c.NoMemory = 1<<50, true }, "too many"},
		"more than can be had":   {func(c *Config) { c.Bytes, c.SlotBytes = 1<<60, 1<<40 }, "getting"},
	} {
		config := good
		test.change(&config)
		if _, err := New(config); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestTheArenaIsAlignedAndDivided(t *testing.T) {
	c := newCache(t, smallConfig(""))
	if start := uintptr(unsafe.Pointer(&c.arena.mem[0])); start%hugePage != 0 {
		t.Errorf("the arena starts at %#x", start)
	}
	if n := len(c.Fixed()); n != 2*PageBytes {
		t.Errorf("the fixed region has %d bytes, want 5000 rounded up to pages", n)
	}
	if c.Slots() != 39 {
		t.Errorf("%d slots, want 39", c.Slots())
	}
	for i := range c.Fixed() {
		c.Fixed()[i] = 0xaa
	}
	for s := range int32(c.Slots()) {
		for i := range c.Slot(s) {
			c.Slot(s)[i] = byte(s)
		}
	}
	for s := range int32(c.Slots()) {
		if !bytes.Equal(c.Slot(s), bytes.Repeat([]byte{byte(s)}, PageBytes)) || cap(c.Slot(s)) != PageBytes {
			t.Fatalf("slot %d overlaps another", s)
		}
	}
	if !bytes.Equal(c.Fixed(), bytes.Repeat([]byte{0xaa}, 2*PageBytes)) {
		t.Error("a slot lies in the fixed region")
	}
	if s := c.Stats(); s.Hot.Capacity != 8*PageBytes || s.Cold.Capacity != 31*PageBytes || s.Fixed != 2*PageBytes {
		t.Errorf("%+v", s)
	}
}

func TestAUnitIsClaimedOnceAndThenResident(t *testing.T) {
	c := newCache(t, smallConfig(""))
	b := c.Begin(1)
	found := make([]Found, 3)
	if n := c.Lookup(b, 1, []int32{2, 5, 2}, found); n != (Counts{Claimed: 2, Loading: 1}) || found[2] != (Found{found[0].Slot, Loading}) {
		t.Errorf("%+v, %+v", n, found)
	}
	c.Ready(found[0].Slot)
	if state := c.State(found[0].Slot); state != Resident {
		t.Errorf("ready: %v", state)
	}
	if n := c.Lookup(b, 1, []int32{2, 5}, found); n != (Counts{Resident: 1, Loading: 1}) {
		t.Errorf("%+v", n)
	}
	c.Ready(found[1].Slot)
	c.End(b)
	if s := c.Stats().Cold; s.Misses != 2 || s.Waits != 2 || s.Hits != 1 || s.ReadBytes != 2*PageBytes || s.Used != 2*PageBytes {
		t.Errorf("%+v", s)
	}
	if rate, ok := c.Stats().Cold.HitRate(); !ok || rate != 0.2 {
		t.Errorf("hit rate %v, %v", rate, ok)
	}
	if _, ok := c.Stats().Hot.HitRate(); ok {
		t.Error("a hit rate without lookups")
	}
}

func TestWhenAllIsPinnedALookupSaysFullUntilABatchEnds(t *testing.T) {
	for _, policy := range Policies() {
		config := Config{Bytes: 4 * PageBytes, SlotBytes: PageBytes, Groups: []int{10}, Policy: policy}
		c := newCache(t, config)
		first, _ := ask(c, 0, 0, 1, 2)
		second, found := ask(c, 0, 3, 4, 0)
		if want := []State{Claimed, Full, Resident}; !slices.Equal(states(found), want) {
			t.Fatalf("%s: %v, want %v", policy, states(found), want)
		}
		c.End(first)
		if _, found = ask(c, 0, 5); found[0].State != Claimed {
			t.Fatalf("%s: %v after the first batch has ended", policy, found)
		}
		c.End(second)
		if s := c.Stats().Cold; s.Refused != 1 || s.Evictions.Demand != 1 {
			t.Errorf("%s: %+v", policy, s)
		}
	}
}

func TestABatchEndsWithItsLastHolder(t *testing.T) {
	c := newCache(t, Config{Bytes: PageBytes, SlotBytes: PageBytes, Groups: []int{10}})
	b := c.Begin(3)
	found := make([]Found, 1)
	c.Lookup(b, 0, []int32{0}, found)
	c.Ready(found[0].Slot)
	for holder := range 3 {
		if other, found := ask(c, 0, 1); found[0].State != Full {
			t.Fatalf("%v with %d of 3 holders gone", found[0].State, holder)
		} else {
			c.End(other)
		}
		c.End(b)
	}
	if _, found := ask(c, 0, 1); found[0].State != Claimed {
		t.Errorf("%v after the last holder", found[0].State)
	}
}

func TestABatchThatStaysOpenStopsOthersAtLast(t *testing.T) {
	c := newCache(t, smallConfig(""))
	var open []Batch
	for b := c.Begin(1); b != 0; b = c.Begin(1) {
		open = append(open, b)
	}
	if len(open) != maxOpen {
		t.Errorf("%d batches", len(open))
	}
	found := make([]Found, 2)
	if n := c.Lookup(0, 0, []int32{1, 2}, found); n.Full != 2 || c.Stats().Cold.Refused != 2 {
		t.Errorf("without a batch: %+v", n)
	}
	c.End(0)
	c.End(open[0])
	if c.Begin(1) == 0 {
		t.Error("no batch after one has ended")
	}
	if n := c.Lookup(open[0], 0, []int32{1, 2}, found); n.Full != 2 {
		t.Errorf("a batch that has ended: %+v", n)
	}
}

func TestWhatWasReadAheadAndNotUsedGoesFirst(t *testing.T) {
	for _, policy := range Policies() {
		c := newCache(t, Config{Bytes: 4 * PageBytes, SlotBytes: PageBytes, Groups: []int{10}, Policy: policy})
		b, _ := ask(c, 0, 0, 1)
		c.End(b)
		b = c.Begin(1)
		found := make([]Found, 3)
		if n := c.Prefetch(b, 0, []int32{2, 3, 1}, found); n != (Counts{Claimed: 2, Resident: 1}) {
			t.Fatalf("%s: %+v", policy, n)
		}
		c.Ready(found[0].Slot)
		c.Ready(found[1].Slot)
		c.End(b)
		b, _ = ask(c, 0, 2) // used
		c.End(b)
		b, _ = ask(c, 0, 4)
		c.End(b)
		if _, found = ask(c, 0, 0, 1, 2, 4); !slices.Equal(states(found), []State{Resident, Resident, Resident, Resident}) {
			t.Errorf("%s: %v", policy, states(found))
		}
		if s := c.Stats().Cold; s.Prefetches != 2 || s.PrefetchHits != 1 || s.Evictions.Unused != 1 || s.Evictions.Demand != 1 {
			t.Errorf("%s: %+v", policy, s)
		}
	}
}

func TestAFailedReadIsAskedForAgain(t *testing.T) {
	c := newCache(t, Config{Bytes: 4 * PageBytes, SlotBytes: PageBytes, Groups: []int{10}})
	b := c.Begin(1)
	found := make([]Found, 1)
	c.Lookup(b, 0, []int32{7}, found)
	first := found[0].Slot
	c.Failed(first)
	if c.State(first) != Failed {
		t.Errorf("%v", c.State(first))
	}
	c.Lookup(b, 0, []int32{7}, found)
	if found[0].State != Claimed || found[0].Slot == first || c.State(first) != Failed {
		t.Errorf("%+v, and %v is %v", found[0], first, c.State(first))
	}
	c.Ready(found[0].Slot)
	c.End(b)
	_, all := ask(c, 0, 0, 1, 2) // the failed slot is free again
	if slices.Contains(states(all), Full) || c.Stats().Cold.Failures != 1 || c.Stats().Cold.Evictions.Failure != 1 {
		t.Errorf("%v, %+v", all, c.Stats().Cold)
	}
}

func TestAClusterIsLoadedUsedAndDroppedWhole(t *testing.T) {
	c := newCache(t, Config{Bytes: 12 * PageBytes, HotBytes: 8 * PageBytes, SlotBytes: PageBytes, ClusterSlots: 4, Groups: []int{10, 10}})
	if c.Clusters(0) != 3 || c.ClusterUnits(0, 2) != 2 || c.ClusterUnits(0, 1) != 4 {
		t.Fatalf("%d clusters, the last of %d", c.Clusters(0), c.ClusterUnits(0, 2))
	}
	b, _ := ask(c, 1, 5, 9)
	c.End(b)
	load := func(group int, cluster int32) State {
		b := c.Begin(1)
		defer c.End(b)
		found := make([]Found, 1)
		c.LookupClusters(b, group, []int32{cluster}, found)
		if found[0].State == Claimed {
			c.ReadyRun(found[0].Slot, c.ClusterUnits(group, int(cluster)))
		}
		return found[0].State
	}
	for i, step := range []struct {
		group   int
		cluster int32
		want    State
	}{{1, 1, Claimed}, {1, 2, Claimed}, {1, 1, Resident}, {0, 2, Claimed}, {1, 1, Resident}, {1, 2, Claimed}, {0, 2, Claimed}} {
		if got := load(step.group, step.cluster); got != step.want {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
	b, found := ask(c, 0, 8, 9)
	if !slices.Equal(states(found), []State{Resident, Resident}) || found[1].Slot != found[0].Slot+1 {
		t.Errorf("units of a hot cluster: %+v", found)
	}
	c.End(b)
	s := c.Stats()
	if s.Cold.Evictions.Cluster != 2 || s.Hot.Misses != 4+2+2+2+2 || s.Hot.Hits != 4+4+2 || s.Hot.Used != 4*PageBytes || s.Cold.Used != 0 {
		t.Errorf("%+v", s)
	}
}

func TestAClusterWaitsForUnitsThatArePinnedInTheColdRegion(t *testing.T) {
	c := newCache(t, Config{Bytes: 12 * PageBytes, HotBytes: 4 * PageBytes, SlotBytes: PageBytes, ClusterSlots: 4, Groups: []int{8}})
	holding, _ := ask(c, 0, 2)
	found := make([]Found, 1)
	b := c.Begin(1)
	if c.LookupClusters(b, 0, []int32{0}, found); found[0].State != Full {
		t.Errorf("%v", found[0])
	}
	c.End(holding)
	c.End(b)
	b = c.Begin(1)
	if c.PrefetchClusters(b, 0, []int32{0}, found); found[0].State != Claimed {
		t.Errorf("%v", found[0])
	}
	s := found[0].Slot
	c.Ready(s)
	c.Ready(s + 1)
	one := make([]Found, 2)
	if c.Lookup(b, 0, []int32{1, 3}, one); !slices.Equal(states(one), []State{Resident, Loading}) {
		t.Errorf("a cluster that has half arrived: %v", states(one))
	}
	c.Failed(s + 2)
	c.Ready(s + 3)
	if c.LookupClusters(b, 0, []int32{0}, found); found[0].State != Full {
		t.Errorf("the broken cluster's chunk is pinned, and a second one: %v", found[0])
	}
	c.End(b)
	b = c.Begin(1)
	if c.LookupClusters(b, 0, []int32{0}, found); found[0].State != Claimed {
		t.Errorf("after a broken read: %v", found[0])
	}
}

func TestTheBorderMovesAndWhatIsWorthItsPlaceStays(t *testing.T) {
	for _, policy := range Policies() {
		const slots, cluster = 32, 4
		c := newCache(t, Config{Bytes: slots * PageBytes, SlotBytes: PageBytes, ClusterSlots: cluster, Groups: []int{64}, Policy: policy})
		for unit := range int32(slots) {
			b := c.Begin(1)
			found := make([]Found, 1)
			c.Lookup(b, 0, []int32{unit}, found)
			c.Slot(found[0].Slot)[0] = byte(unit) + 1
			c.Ready(found[0].Slot)
			c.End(b)
		}
		often := []int32{3, 9, 10, 17, 22, 23, 30}
		for range 5 {
			b, _ := ask(c, 0, often...)
			c.End(b)
		}
		if got := c.SetHot(5*cluster*PageBytes + 100); got != 5*cluster*PageBytes {
			t.Fatalf("%s: the hot region has %d bytes", policy, got)
		}
		b, found := ask(c, 0, often...)
		for i, f := range found {
			if policy != "cluster-lru" && f.State != Resident {
				t.Errorf("%s: unit %d is %v", policy, often[i], f.State)
			}
			if f.State == Resident && c.Slot(f.Slot)[0] != byte(often[i])+1 {
				t.Errorf("%s: unit %d has another's bytes", policy, often[i])
			}
		}
		if got := c.SetHot(slots * PageBytes); got == slots*PageBytes {
			t.Errorf("%s: all is hot while units of the cold region are pinned", policy)
		}
		c.End(b)
		if got := c.SetHot(1 << 60); got != slots*PageBytes {
			t.Errorf("%s: %d bytes of %d are hot", policy, got, slots*PageBytes)
		}
		b = c.Begin(1)
		first := make([]Found, 2)
		c.LookupClusters(b, 0, []int32{0, 1}, first)
		c.ReadyRun(first[0].Slot, cluster)
		c.ReadyRun(first[1].Slot, cluster)
		c.End(b)
		if got := c.SetHot(0); got != 0 {
			t.Errorf("%s: %d bytes stay hot", policy, got)
		}
		b, found = ask(c, 0, 0, 1, 2, 3, 4, 5, 6, 7)
		c.End(b)
		if slices.ContainsFunc(found, func(f Found) bool { return f.State != Resident }) {
			t.Errorf("%s: units of the hot region that were handed over: %v", policy, states(found))
		}
		if s := c.Stats(); s.Hot.ShiftedOut != 8 || s.Cold.ShiftedIn != 8 || s.Hot.Capacity != 0 || s.Cold.Used != 8*PageBytes {
			t.Errorf("%s: %+v", policy, s)
		}
	}
}

func TestTheHeatMapShowsWhereUnitsAre(t *testing.T) {
	c := newCache(t, Config{Bytes: 32 * PageBytes, HotBytes: 8 * PageBytes, SlotBytes: PageBytes, ClusterSlots: 4, Groups: []int{1, 16}})
	b := c.Begin(1)
	found := make([]Found, 2)
	c.LookupClusters(b, 1, []int32{0}, found)
	c.ReadyRun(found[0].Slot, 4)
	c.Lookup(b, 1, []int32{5, 9}, found)
	c.Ready(found[0].Slot)
	c.End(b)
	draw := func(since Batch, columns int) string {
		cells := make([]Warmth, columns)
		c.Heat(1, since, cells)
		out := ""
		for _, w := range cells {
			out += string(" chr"[w])
		}
		return out
	}
	for _, test := range []struct {
		since   Batch
		columns int
		want    string
	}{
		{c.Newest() + 1, 16, "hhhh c          "}, // unit 9 has not arrived
		{c.Newest() + 1, 4, "hc  "},
		{c.Newest() + 1, 32, "hhhhhhhh  cc                    "},
		{c.Newest(), 16, "rrrr r          "},
		{0, 4, "rr  "},
		{0, 0, ""},
	} {
		if got := draw(test.since, test.columns); got != test.want {
			t.Errorf("since batch %d in %d columns: %q, want %q", test.since, test.columns, got, test.want)
		}
	}
}

func TestNothingIsAllocatedOnceACacheIsMade(t *testing.T) {
	if checked {
		t.Skip("checking allocates")
	}
	for _, policy := range Policies() {
		c := newCache(t, Config{Bytes: 64 * PageBytes, HotBytes: 16 * PageBytes, SlotBytes: PageBytes, ClusterSlots: 4, Groups: []int{100, 100}, Policy: policy})
		units, found, clusters := make([]int32, 20), make([]Found, 20), []int32{0}
		cells := make([]Warmth, 10)
		turn := int32(0)
		if n := testing.AllocsPerRun(200, func() {
			b := c.Begin(1)
			for i := range units {
				units[i] = (turn*7 + int32(i)) % 100
			}
			slices.Sort(units)
			c.Prefetch(b, int(turn)%2, units[:4], found)
			end := func(n int) {
				for _, f := range found[:n] {
					if f.State == Claimed {
						c.Ready(f.Slot)
					}
				}
			}
			end(4)
			c.Lookup(b, int(turn)%2, units, found)
			end(len(found))
			clusters[0] = turn % 25
			if c.LookupClusters(b, 1, clusters, found[:1]); found[0].State == Claimed {
				c.ReadyRun(found[0].Slot, 4)
			}
			c.End(b)
			c.Heat(0, b, cells)
			_ = c.Stats()
			turn++
		}); n > 0 {
			t.Errorf("%s: %v allocations", policy, n)
		}
	}
}

// TestOneReadForEachAbsentUnitHoweverManyAsk has several workers look up, read, wait, use and end batches at once, while another draws and counts.
func TestOneReadForEachAbsentUnitHoweverManyAsk(t *testing.T) {
	const workers, groups, units, rounds = 4, 3, 40, 400
	for _, policy := range Policies() {
		c := newCache(t, Config{Bytes: 60 * PageBytes, HotBytes: 8 * PageBytes, SlotBytes: PageBytes, ClusterSlots: 4, Groups: slices.Repeat([]int{units}, groups), Policy: policy})
		var reads, asked atomic.Uint64
		var wrong atomic.Pointer[string]
		var all sync.WaitGroup
		for w := range workers {
			all.Go(func() {
				found := make([]Found, 8)
				for round := range rounds {
					group := (round + w) % groups
					var want []int32
					for u := int32(round*3+w) % 5; u < units && len(want) < len(found); u += int32(3 + round%4) {
						want = append(want, u)
					}
					b := c.Begin(1)
					ask := c.Lookup
					if round%7 == 3 {
						ask = c.Prefetch
					} else {
						asked.Add(uint64(len(want)))
					}
					ask(b, group, want, found)
					for i, f := range found[:len(want)] {
						if f.State == Claimed {
							reads.Add(1)
							bytes := c.Slot(f.Slot)
							bytes[0], bytes[1] = byte(group), byte(want[i])
							c.Ready(f.Slot)
						}
					}
					for i, f := range found[:len(want)] {
						if f.State == Full {
							continue
						}
						for c.State(f.Slot) == Loading {
							runtime.Gosched()
						}
						if bytes := c.Slot(f.Slot); bytes[0] != byte(group) || bytes[1] != byte(want[i]) {
							text := fmt.Sprintf("slot %d of unit %d/%d holds %d/%d", f.Slot, group, want[i], bytes[0], bytes[1])
							wrong.Store(&text)
						}
					}
					c.End(b)
					if w == 0 && round%50 == 0 {
						c.SetHot(int64(round%4) * 4 * PageBytes)
					}
				}
			})
		}
		stop := make(chan struct{})
		var screen sync.WaitGroup
		screen.Go(func() {
			cells := make([]Warmth, 10)
			for {
				select {
				case <-stop:
					return
				default:
					c.Heat(1, c.Newest(), cells)
					_ = c.Stats()
					runtime.Gosched()
				}
			}
		})
		all.Wait()
		close(stop)
		screen.Wait()
		if text := wrong.Load(); text != nil {
			t.Errorf("%s: %s", policy, *text)
		}
		s := c.Stats().Cold
		if s.Misses+s.Prefetches != reads.Load() || s.Hits+s.Misses+s.Waits+s.Refused != asked.Load() {
			t.Errorf("%s: %d reads, %d asked, %+v", policy, reads.Load(), asked.Load(), s)
		}
	}
}
