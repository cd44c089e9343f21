package neuroncache

import "slices"

// Counts sums up one Lookup: units by the state that was found.
type Counts struct {
	Resident, Loading, Claimed, Full int
}

func (n *Counts) add(s State) {
	switch s {
	case Resident:
		n.Resident++
	case Claimed:
		n.Claimed++
	case Full:
		n.Full++
	default:
		n.Loading++
	}
}

// Lookup asks for units of a group, of which a batch is going to use all. found[i] answers for units[i], in which order is free (rising numbers
// walk memory forwards). What is found in a slot is pinned until b ends. Managing; allocates nothing.
//
// It panics like an index out of range on a group or a unit that the cache was not made for.
func (c *Cache) Lookup(b Batch, group int, units []int32, found []Found) (n Counts) {
	c.enter()
	defer c.leave()
	found = found[:len(units)]
	if !c.live(b) {
		return c.refuse(found, &c.tally[cold])
	}
	span := c.groups[group]
	index := c.units[span.first : span.first+span.n]
	touched := slices.Grow(c.touched[:0], len(units))[:len(units)]
	again := 0
	full := false
	for i, unit := range units {
		p := index[unit].at()
		switch {
		case p != 0 && p&marks == 0:
			index[unit].touch(b)
			found[i] = Found{p.slot(), Resident}
			touched[again] = span.first + unit
			again++
			continue
		case p == 0:
			found[i] = Found{-1, Full}
			if !full {
				found[i] = c.claim(b, span.first+unit, forDemand)
				full = found[i].State == Full
			}
			if full {
				c.tally[cold][refused]++
			}
		case p&hotMark != 0:
			found[i] = c.useHot(b, p.slot())
		default:
			if found[i] = c.useNew(b, p, span.first+unit); found[i].State == Resident && p&aheadMark == 0 {
				touched[again] = span.first + unit
				again++
				continue
			}
		}
		n.add(found[i].State)
	}
	n.Resident += again
	c.tally[cold][hits] += uint64(again)
	c.policy.touch(touched[:again])
	c.touched = touched
	return n
}

// useNew answers for a unit of the cold region that was not seen Resident since it was claimed, or not used since it was read ahead. A hit of
// the first kind is left to be counted with all others.
func (c *Cache) useNew(b Batch, p place, u int32) Found {
	s, unit := p.slot(), &c.units[u]
	unit.touch(b)
	state := c.slots[s].load()
	left := p &^ aheadMark
	if state == Resident {
		left &^= newMark
	}
	unit.put(left)
	if state != Resident {
		c.tally[cold][waits]++
	}
	if p&aheadMark != 0 {
		c.ahead.remove(c.slots, s)
		c.policy.admit(s)
		if state == Resident {
			c.tally[cold][prefetchHits]++
			c.tally[cold][hits]++
		}
	}
	return Found{s, state}
}

// Prefetch asks for units that b is likely to use. Absent ones get slots to read into as with Lookup, but nobody waits for them: until a Lookup
// wants one it is the first to be evicted, after b has ended. What is there already is pinned too. In a full cache a prefetch displaces an older
// one that was not used, else what the policy gives, so it must be worth its guess. Managing; allocates nothing.
func (c *Cache) Prefetch(b Batch, group int, units []int32, found []Found) (n Counts) {
	c.enter()
	defer c.leave()
	found = found[:len(units)]
	if !c.live(b) {
		return c.refuse(found, nil)
	}
	span := c.groups[group]
	index := c.units[span.first : span.first+span.n]
	full := false
	for i, unit := range units {
		p := index[unit].at()
		switch {
		case p == 0:
			found[i] = Found{-1, Full}
			if !full {
				found[i] = c.claim(b, span.first+unit, forPrefetch)
				full = found[i].State == Full
			}
		case p&hotMark != 0:
			chunk := &c.chunks[c.chunkOf(p.slot())]
			chunk.used = max(chunk.used, b)
			found[i] = Found{p.slot(), c.slots[p.slot()].load()}
		default:
			index[unit].touch(b)
			if p&aheadMark != 0 {
				c.ahead.toFront(c.slots, p.slot())
			}
			found[i] = Found{p.slot(), c.slots[p.slot()].load()}
		}
		n.add(found[i].State)
	}
	return n
}

// refuse answers Full for all.
func (c *Cache) refuse(found []Found, count *[counters]uint64) Counts {
	for i := range found {
		found[i] = Found{-1, Full}
	}
	if count != nil {
		count[refused] += uint64(len(found))
	}
	return Counts{Full: len(found)}
}

// claim gives an absent unit a slot of the cold region.
func (c *Cache) claim(b Batch, unit int32, why cause) Found {
	s := c.takeSlot(why)
	if s < 0 {
		return Found{-1, Full}
	}
	c.place(s, unit, b)
	if why == forPrefetch {
		c.units[unit].put(place(s+1) | aheadMark | newMark)
		c.ahead.pushFront(c.slots, s)
		c.tally[cold][prefetches]++
	} else {
		c.units[unit].put(place(s+1) | newMark)
		c.policy.admit(s)
		c.tally[cold][misses]++
	}
	return Found{s, Claimed}
}

// place puts a unit that is going to be read into a slot.
func (c *Cache) place(s, unit int32, b Batch) {
	slot := &c.slots[s]
	slot.unit = unit
	c.units[unit].used = uint32(b)
	slot.state.Store(uint32(b)<<stateBits | uint32(Loading))
}

// takeSlot empties a slot of the cold region and takes it off every list, or returns -1 when all are pinned. First go slots that hold
// nothing, then what was read ahead and never used, then the policy's choice.
func (c *Cache) takeSlot(why cause) int32 {
	if c.free.n == 0 && c.dead.n > 0 {
		c.reviveDead()
	}
	if s := c.free.back(); s >= 0 {
		c.free.remove(c.slots, s)
		return s
	}
	// Behind one that is pinned nearly all are: they come in the order of their batches.
	if s := c.ahead.back(); s >= 0 && !c.busy(s) {
		return c.dropAhead(s, why)
	}
	if s := c.policy.victim(); s >= 0 {
		c.drop(s, why)
		return s
	}
	for s := c.ahead.back(); s >= 0; s = c.slots[s].newer {
		if !c.busy(s) {
			return c.dropAhead(s, why)
		}
	}
	return -1
}

func (c *Cache) dropAhead(s int32, why cause) int32 {
	c.ahead.remove(c.slots, s)
	c.tally[cold][unused]++
	c.drop(s, why)
	return s
}

// forget drops a unit of the cold region that is on a list.
func (c *Cache) forget(s int32, why cause) {
	if c.isAhead(s) {
		c.dropAhead(s, why)
	} else {
		c.policy.remove(s)
		c.drop(s, why)
	}
}

// isAhead says whether the unit in a slot of the cold region was read ahead and not used yet.
func (c *Cache) isAhead(s int32) bool {
	return c.units[c.slots[s].unit].at()&aheadMark != 0
}

// drop makes a slot of the cold region, which is on no list, empty.
func (c *Cache) drop(s int32, why cause) {
	slot := &c.slots[s]
	c.units[slot.unit].put(0)
	slot.unit = -1
	slot.state.Store(uint32(Empty))
	c.tally[cold][evictions+counter(why)]++
}
