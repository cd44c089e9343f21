package neuroncache

// Forget drops all units of the cold region that no open batch uses and no read is bringing. It shows what the cache gives. Managing; a matter of
// nanoseconds a slot.
func (c *Cache) Forget() {
	c.enter()
	defer c.leave()
	c.advance()
	for s := range c.slots {
		if slot := int32(s); c.slots[s].unit >= 0 && !c.chunks[c.chunkOf(slot)].hot && c.slots[s].load() == Resident && !c.busy(slot) {
			c.forget(slot, forBorder)
			c.free.pushFront(c.slots, slot)
		}
	}
}
