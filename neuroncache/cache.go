package neuroncache

import (
	"fmt"
	"math"
	"sync/atomic"
)

// PageBytes is what slots and the fixed region are multiples of: the unit of direct reads from flash.
const PageBytes = 4096

// Config says what a cache is for. It does not change while the cache lives, except for the border that SetHot moves.
type Config struct {
	Bytes        int64  // the arena, all three regions; what is left over after whole slots is not mapped
	FixedBytes   int64  // part of it: the fixed region
	HotBytes     int64  // part of it: the hot region at the start, rounded down to whole chunks
	SlotBytes    int    // bytes of a unit, a multiple of PageBytes
	ClusterSlots int    // units of a cluster and slots of a chunk; 0: 1
	Groups       []int  // units of each group
	Policy       string // of the cold region, see Policies; "": DefaultPolicy
	NoMemory     bool   // account only, for simulation: there is no arena, and SlotBytes may be anything
}

// Cache is described in the package comment. Its methods say under which rules they may be called at the same time.
type Cache struct {
	arena        *arena
	fixedBytes   int
	slotBytes    int
	clusterSlots int32

	groups []span
	units  []unit
	slots  []slot
	chunks []chunk

	free, dead, ahead list // empty slots; failed slots that may be pinned; slots read ahead and not used yet, in the cold region
	policy            policy
	touched           []int32 // room for one Lookup
	tally             tally   // what leave adds to counts

	taken  atomic.Uint32 // 1 while a managing operation runs
	newest atomic.Uint64 // the batch that began last
	oldest Batch         // no batch before it is open
	open   [maxOpen]atomic.Int32
	failed atomic.Uint32 // the newest failed slot plus one, the head of a list through the slots' states

	counts   counts
	hotUnits atomic.Int64 // slots of the hot region
}

// span is where a group's units lie in the index. Each starts at a multiple of ClusterSlots, so that a unit's number divided by it is
// its cluster's.
type span struct{ first, n int32 }

// New makes a cache and maps its arena.
func New(config Config) (*Cache, error) {
	if config.ClusterSlots == 0 {
		config.ClusterSlots = 1
	}
	slots, err := config.slots()
	if err != nil {
		return nil, fmt.Errorf("neuroncache: %w", err)
	}
	spans, units, most, err := config.spans()
	if err != nil {
		return nil, fmt.Errorf("neuroncache: %w", err)
	}
	c := &Cache{
		fixedBytes:   int(roundUp(config.FixedBytes, PageBytes)),
		slotBytes:    config.SlotBytes,
		clusterSlots: int32(config.ClusterSlots),
		groups:       spans,
		chunks:       make([]chunk, (slots+config.ClusterSlots-1)/config.ClusterSlots),
		touched:      make([]int32, 0, most),
		oldest:       1,
	}
	if c.units, err = newTable[unit](c, units); err != nil {
		return nil, err
	}
	if c.slots, err = newTable[slot](c, slots); err != nil {
		return nil, err
	}
	if c.policy, err = newPolicy(config.Policy, space{c.slots, c.units, c.clusterSlots, c.busy}); err != nil {
		return nil, fmt.Errorf("neuroncache: %w", err)
	}
	for i := range c.chunks {
		c.chunks[i].first = -1
	}
	for s := range slots { // low slots are taken first
		c.slots[s].unit = -1
		c.free.pushFront(c.slots, int32(s))
	}
	if !config.NoMemory {
		if c.arena, err = newArena(c.offset(int32(slots))); err != nil {
			return nil, err
		}
	}
	c.SetHot(config.HotBytes)
	return c, nil
}

// Close unmaps the arena. Nothing that Slot, Run or Fixed returned may be touched afterwards, and no read may be under way.
func (c *Cache) Close() error { return c.arena.unmap() }

// Fixed returns the fixed region, which is the caller's.
func (c *Cache) Fixed() []byte {
	if c.arena == nil {
		return nil
	}
	return c.arena.mem[:c.fixedBytes:c.fixedBytes]
}

// Slots is how many units the hot and the cold region hold together.
func (c *Cache) Slots() int { return len(c.slots) }

func (config *Config) slots() (int, error) {
	for _, n := range []int64{config.Bytes, config.FixedBytes, config.HotBytes} {
		if n < 0 || n > math.MaxInt64>>1 {
			return 0, fmt.Errorf("a size of %d bytes", n)
		}
	}
	switch {
	case config.SlotBytes <= 0 || !config.NoMemory && config.SlotBytes%PageBytes != 0:
		return 0, fmt.Errorf("slots of %d bytes, want a multiple of %d", config.SlotBytes, PageBytes)
	case config.ClusterSlots < 1 || config.ClusterSlots > maxSlots:
		return 0, fmt.Errorf("clusters of %d slots", config.ClusterSlots)
	}
	n := (config.Bytes - roundUp(config.FixedBytes, PageBytes)) / int64(config.SlotBytes)
	switch {
	case n < 1:
		return 0, fmt.Errorf("%d bytes of which %d are fixed leave no slot of %d", config.Bytes, config.FixedBytes, config.SlotBytes)
	case n > maxSlots || config.Bytes > math.MaxInt-hugePage:
		return 0, fmt.Errorf("%d slots are too many", n)
	}
	return int(n), nil
}

func (config *Config) spans() (spans []span, total, most int, err error) {
	spans = make([]span, len(config.Groups))
	at := int64(0)
	for g, n := range config.Groups {
		if n < 0 || at+int64(n)+int64(config.ClusterSlots) > math.MaxInt32 {
			return nil, 0, 0, fmt.Errorf("group %d of %d units does not fit", g, n)
		}
		spans[g] = span{int32(at), int32(n)}
		at = roundUp(at+int64(n), int64(config.ClusterSlots))
		most = max(most, n)
	}
	return spans, int(at), most, nil
}

func roundUp(n, multiple int64) int64 { return (n + multiple - 1) / multiple * multiple }
