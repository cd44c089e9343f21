package neuroncache

// SetHot moves the border between the hot and the cold region: the hot region becomes as many whole chunks as fit into bytes, at most all. It
// returns the bytes that the hot region has now, which are not those that were asked for while batches pin what would have to move.
//
// A region that shrinks gives up what it would have evicted next. A shrinking hot region hands the units of its least recently used clusters
// over to the cold one, where they go on as single units. Before a chunk of the shrinking cold region becomes hot, its units move to slots
// that the policy empties elsewhere. Managing; up to 100 us a chunk, so it is a matter for between tokens.
func (c *Cache) SetHot(bytes int64) int64 {
	c.enter()
	defer c.leave()
	c.advance()
	chunkBytes := int64(c.slotBytes) * int64(c.clusterSlots)
	want := int(max(0, bytes) / chunkBytes)
	have := 0
	for k := range c.chunks {
		if c.chunks[k].hot {
			have++
		}
	}
	for ; have > want; have-- {
		k := c.oldestChunk()
		if k < 0 {
			break
		}
		c.coolChunk(k)
	}
	whole := len(c.slots) / int(c.clusterSlots) // a last chunk of fewer slots stays cold
	for k := 0; k < whole && have < want; k++ {
		if !c.chunks[k].hot && c.heatChunk(int32(k)) {
			have++
		}
	}
	c.hotUnits.Store(int64(have) * int64(c.clusterSlots))
	return int64(have) * chunkBytes
}

// coolChunk gives a chunk that nobody pins from the hot region to the cold one, with its units.
func (c *Cache) coolChunk(k int32) {
	chunk := &c.chunks[k]
	for i := range c.clusterSlots {
		s := k*c.clusterSlots + i
		if i >= chunk.n {
			c.slots[s].state.Store(uint32(Empty))
			c.free.pushFront(c.slots, s)
			continue
		}
		unit := &c.units[chunk.first+i]
		unit.used = uint32(chunk.used)
		if chunk.ahead {
			unit.put(place(s+1) | aheadMark)
			c.ahead.pushFront(c.slots, s)
		} else {
			unit.put(place(s + 1))
			c.policy.admit(s)
		}
		c.tally[hot][shiftedOut]++
		c.tally[cold][shiftedIn]++
	}
	*chunk = emptyChunk
}

// heatChunk gives a chunk of the cold region to the hot one, unless a unit in it is pinned.
func (c *Cache) heatChunk(k int32) bool {
	c.reviveDead()
	from, to := k*c.clusterSlots, (k+1)*c.clusterSlots
	for s := from; s < to; s++ {
		switch {
		case c.slots[s].load() == Failed: // may be waited for
			return false
		case c.slots[s].unit >= 0 && c.busy(s):
			return false
		}
	}
	for s := from; s < to; s++ {
		if c.slots[s].unit < 0 {
			c.free.remove(c.slots, s)
		}
	}
	for s := from; s < to; s++ {
		for c.slots[s].unit >= 0 {
			// The slot that is emptied may lie in this chunk: then there is one unit less to move.
			switch empty := c.takeSlot(forBorder); {
			case empty < 0:
				c.forget(s, forBorder)
			case empty < from || empty >= to:
				c.move(s, empty)
			}
		}
	}
	c.chunks[k] = emptyChunk
	c.chunks[k].hot = true
	return true
}

var emptyChunk = chunk{first: -1}

// move takes a resident unit of the cold region to an empty slot, with its standing.
func (c *Cache) move(from, to int32) {
	unit := c.slots[from].unit
	c.slots[to].unit = unit
	copy(c.Slot(to), c.Slot(from))
	c.slots[to].state.Store(c.slots[from].state.Load())
	if c.isAhead(from) {
		c.ahead.replace(c.slots, from, to)
		c.units[unit].put(place(to+1) | aheadMark)
	} else {
		c.policy.move(from, to)
		c.units[unit].put(place(to + 1))
	}
	c.slots[from].unit = -1
	c.slots[from].state.Store(uint32(Empty))
}
