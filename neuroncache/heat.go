package neuroncache

// Warmth says how near a run of units is.
type Warmth uint8

const (
	Absent   Warmth = iota // on flash
	Cold                   // in the cold region
	Hot                    // in the hot region
	JustRead               // came from flash since the batch that was asked about
)

// Heat draws a group: cell i of cells gets the warmest state of the units that it stands for, in the order in which they lie in the pack.
// JustRead is what was claimed in batch since or later (the newest one less a few tokens' batches). From any thread, at any time: the
// picture may be a moment old in some of its cells, and is drawn without making anybody wait.
func (c *Cache) Heat(group int, since Batch, cells []Warmth) {
	units := c.groups[group]
	index := c.units[units.first : units.first+units.n]
	newest := c.Newest()
	for i := range cells {
		// A cell of more columns than units repeats its unit.
		from := int(int64(i) * int64(len(index)) / int64(len(cells)))
		to := max(from+1, int(int64(i+1)*int64(len(index))/int64(len(cells))))
		warmest := Absent
		for u := from; u < min(to, len(index)); u++ {
			warmest = max(warmest, c.warmth(index[u].at(), since, newest))
		}
		cells[i] = warmest
	}
}

func (c *Cache) warmth(p place, since, newest Batch) Warmth {
	if p == 0 {
		return Absent
	}
	word := c.slots[p.slot()].state.Load()
	if State(word&stateMask) != Resident {
		return Absent
	}
	// The slot keeps only the low bits of its batch: a unit that has been here for 2^30 batches looks new for a moment.
	if age := (uint32(newest)<<stateBits - word&^stateMask) >> stateBits; Batch(age)+since <= newest {
		return JustRead
	}
	if p&hotMark != 0 {
		return Hot
	}
	return Cold
}
