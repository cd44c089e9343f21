package neuroncache

// Look finds units that are in memory, Resident, and pins them until b ends; all others are Empty, with slot -1. It is for a walk through all
// units in order, which reads absent ones in large pieces past the cache: it asks for nothing, counts nothing and leaves the policy's order
// alone. Managing; allocates nothing.
func (c *Cache) Look(b Batch, group int, units []int32, found []Found) (resident int) {
	c.enter()
	defer c.leave()
	found = found[:len(units)]
	span := c.groups[group]
	index := c.units[span.first : span.first+span.n]
	live := c.live(b)
	for i, unit := range units {
		found[i] = Found{-1, Empty}
		p := index[unit].at()
		if p == 0 || !live || c.slots[p.slot()].load() != Resident {
			continue
		}
		if p&hotMark != 0 {
			chunk := &c.chunks[c.chunkOf(p.slot())]
			chunk.used = max(chunk.used, b)
		} else {
			index[unit].touch(b)
		}
		found[i] = Found{p.slot(), Resident}
		resident++
	}
	return resident
}
