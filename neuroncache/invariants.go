//go:build cacheinvariants

package neuroncache

import "fmt"

// checked makes every managing operation end with verify, and misuse of slots and batches panic.
const checked = true

// verify walks all tables and says which invariant is broken.
func (c *Cache) verify() error {
	var used, wanted [regions]int
	free, ahead := onList(c.free, c.slots), onList(c.ahead, c.slots)
	dead := onList(c.dead, c.slots)
	seen := map[int32]int32{} // unit -> slot
	for i := range c.slots {
		s, slot := int32(i), &c.slots[i]
		chunk := &c.chunks[c.chunkOf(s)]
		if slot.unit < 0 {
			if !chunk.hot && !free[s] && !dead[s] {
				return fmt.Errorf("neuroncache: slot %d holds nothing and is neither free nor dead", s)
			}
			continue
		}
		if other, twice := seen[slot.unit]; twice {
			return fmt.Errorf("neuroncache: unit %d lies in the slots %d and %d", slot.unit, other, s)
		}
		seen[slot.unit] = s
		p := c.units[slot.unit].at()
		r := cold
		if chunk.hot {
			r = hot
		}
		used[r]++
		switch {
		case p.slot() != s:
			return fmt.Errorf("neuroncache: slot %d holds unit %d, which the index has in slot %d", s, slot.unit, p.slot())
		case (p&hotMark != 0) != chunk.hot:
			return fmt.Errorf("neuroncache: unit %d in slot %d has a mark of the other region", slot.unit, s)
		case free[s] || dead[s] || (p&aheadMark != 0) != ahead[s]:
			return fmt.Errorf("neuroncache: slot %d with unit %d is on a wrong list", s, slot.unit)
		case slot.load() == Empty:
			return fmt.Errorf("neuroncache: slot %d with unit %d has no state", s, slot.unit)
		case p&marks == 0 && slot.load() != Resident:
			return fmt.Errorf("neuroncache: unit %d counts as resident and its slot %d is %v", slot.unit, s, slot.load())
		case chunk.hot && slot.unit != chunk.first+s%c.clusterSlots:
			return fmt.Errorf("neuroncache: unit %d of a cluster is out of order in slot %d", slot.unit, s)
		}
	}
	for unit := range c.units {
		if p := c.units[unit].at(); p != 0 && c.slots[p.slot()].unit != int32(unit) {
			return fmt.Errorf("neuroncache: the index has unit %d in slot %d, which holds %d", unit, p.slot(), c.slots[p.slot()].unit)
		}
	}
	for r := range regions {
		get := func(i counter) int { return int(c.counts[r][i].Load() + c.tally[r][i]) }
		wanted[r] = get(misses) + get(prefetches) + get(shiftedIn) - get(shiftedOut)
		for why := range causes {
			wanted[r] -= get(evictions + counter(why))
		}
		if wanted[r] != used[r] {
			return fmt.Errorf("neuroncache: region %d holds %d units and its counters say %d", r, used[r], wanted[r])
		}
	}
	return nil
}

func onList(l list, k []slot) map[int32]bool {
	on := map[int32]bool{}
	for s := l.back(); s >= 0; s = k[s].newer {
		on[s] = true
	}
	if len(on) != l.n {
		panic("neuroncache: a list has lost count")
	}
	return on
}
