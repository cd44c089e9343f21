package neuroncache

// chunk is ClusterSlots neighbouring slots. Managing only.
type chunk struct {
	used  Batch // the newest batch that saw its cluster
	first int32 // first unit of the cluster that lies here, -1: none
	n     int32 // its units: ClusterSlots, or less at a group's end
	hot   bool  // belongs to the hot region
	ahead bool  // the cluster was read ahead and not used yet
}

// chunkOf is the chunk in which a slot lies.
func (c *Cache) chunkOf(s int32) int32 { return s / c.clusterSlots }

// Clusters is how many clusters a group has.
func (c *Cache) Clusters(group int) int {
	return int((c.groups[group].n + c.clusterSlots - 1) / c.clusterSlots)
}

// ClusterUnits is how many units a cluster of a group has: ClusterSlots except perhaps in the last.
func (c *Cache) ClusterUnits(group, cluster int) int {
	return int(min(c.clusterSlots, c.groups[group].n-int32(cluster)*c.clusterSlots))
}

// LookupClusters asks for whole clusters of the hot region; cluster k of a group is its units k*ClusterSlots and following. The slot that is
// found is the first of ClusterUnits neighbouring ones, each with a state of its own: the cluster may be read in pieces, and what
// has arrived can be used. Resident: all are. Loading: some are not. Claimed: read all of it. Full: there is no unpinned chunk, or a unit of
// the cluster lies pinned in the cold region. Units of it that lie there unpinned are dropped. Managing; allocates nothing.
func (c *Cache) LookupClusters(b Batch, group int, clusters []int32, found []Found) (n Counts) {
	return c.clusters(b, group, clusters, found, forDemand)
}

// PrefetchClusters is to LookupClusters as Prefetch is to Lookup.
func (c *Cache) PrefetchClusters(b Batch, group int, clusters []int32, found []Found) (n Counts) {
	return c.clusters(b, group, clusters, found, forPrefetch)
}

func (c *Cache) clusters(b Batch, group int, clusters []int32, found []Found, why cause) (n Counts) {
	c.enter()
	defer c.leave()
	found = found[:len(clusters)]
	live := c.live(b)
	span := c.groups[group]
	index := c.units[span.first : span.first+span.n]
	for i, cluster := range clusters {
		first := cluster * c.clusterSlots
		units := min(c.clusterSlots, span.n-first)
		p := index[first].at()
		switch {
		case live && p&hotMark != 0:
			found[i] = c.useCluster(b, c.chunkOf(p.slot()), why)
		case live:
			found[i] = c.claimCluster(b, span.first+first, units, why)
		default:
			found[i] = Found{-1, Full}
		}
		if found[i].State == Full && why == forDemand {
			c.tally[hot][refused] += uint64(units)
		}
		n.add(found[i].State)
	}
	return n
}

// useHot answers for one unit of a cluster in the hot region.
func (c *Cache) useHot(b Batch, s int32) Found {
	state := c.slots[s].load()
	c.useChunk(c.chunkOf(s), b, state, 1)
	return Found{s, state}
}

// useCluster answers for the cluster in a chunk.
func (c *Cache) useCluster(b Batch, k int32, why cause) Found {
	chunk := &c.chunks[k]
	s, state := k*c.clusterSlots, Resident
	for i := range chunk.n {
		if c.slots[s+i].load() != Resident {
			state = Loading
			break
		}
	}
	if why == forDemand {
		c.useChunk(k, b, state, chunk.n)
	} else {
		chunk.used = max(chunk.used, b)
	}
	return Found{s, state}
}

// useChunk pins a chunk of which a token wants units, and counts them.
func (c *Cache) useChunk(k int32, b Batch, state State, units int32) {
	chunk, n := &c.chunks[k], &c.tally[hot]
	chunk.used = max(chunk.used, b)
	if state != Resident {
		n[waits] += uint64(units)
	} else {
		n[hits] += uint64(units)
		if chunk.ahead {
			n[prefetchHits] += uint64(units)
		}
	}
	chunk.ahead = false
}

// claimCluster gives an absent cluster a chunk.
func (c *Cache) claimCluster(b Batch, first, units int32, why cause) Found {
	for unit := first; unit < first+units; unit++ {
		if p := c.units[unit].at(); p != 0 && c.busy(p.slot()) {
			return Found{-1, Full}
		}
	}
	k := c.oldestChunk()
	if k < 0 {
		return Found{-1, Full}
	}
	for unit := first; unit < first+units; unit++ {
		if p := c.units[unit].at(); p != 0 {
			c.forget(p.slot(), forCluster)
			c.free.pushFront(c.slots, p.slot())
		}
	}
	c.clearChunk(k, why)
	c.chunks[k] = chunk{used: b, first: first, n: units, hot: true, ahead: why == forPrefetch}
	s := k * c.clusterSlots
	for i := range units {
		c.place(s+i, first+i, b)
		c.units[first+i].put(place(s+i+1) | hotMark)
	}
	which := misses
	if why == forPrefetch {
		which = prefetches
	}
	c.tally[hot][which] += uint64(units)
	return Found{s, Claimed}
}

// oldestChunk finds the hot chunk to give away: an empty one, else one that was read ahead and never used, else the least recently used; -1 if
// all are pinned. A pass over the chunks costs microseconds, the read of a cluster hundreds of them.
func (c *Cache) oldestChunk() int32 {
	const (
		empty = iota
		unwanted
		wanted
	)
	best, bestRank, bestUsed := int32(-1), wanted, Batch(1<<64-1)
	for i := range c.chunks {
		chunk := &c.chunks[i]
		if !chunk.hot || chunk.used >= c.oldest {
			continue
		}
		rank := wanted
		switch {
		case chunk.first < 0:
			rank = empty
		case chunk.ahead:
			rank = unwanted
		}
		if rank > bestRank || rank == bestRank && chunk.used >= bestUsed {
			continue
		}
		if !c.pending(int32(i)) {
			best, bestRank, bestUsed = int32(i), rank, chunk.used
		}
	}
	return best
}

// pending says whether a read into a chunk is under way.
func (c *Cache) pending(k int32) bool {
	for s := k * c.clusterSlots; s < (k+1)*c.clusterSlots; s++ {
		if c.slots[s].pending() {
			return true
		}
	}
	return false
}

// clearChunk drops a hot chunk's cluster, if it has one, and leaves its slots empty.
func (c *Cache) clearChunk(k int32, why cause) {
	c.forgetCluster(k, why)
	for s := k * c.clusterSlots; s < (k+1)*c.clusterSlots; s++ {
		c.slots[s].state.Store(uint32(Empty))
	}
}

// forgetCluster takes a hot chunk's cluster out of the index. Its slots keep their states for batches that found it there.
func (c *Cache) forgetCluster(k int32, why cause) {
	chunk := &c.chunks[k]
	if chunk.first < 0 {
		return
	}
	for i := range chunk.n {
		c.units[chunk.first+i].put(0)
		c.slots[k*c.clusterSlots+i].unit = -1
	}
	c.tally[hot][evictions+counter(why)] += uint64(chunk.n)
	if chunk.ahead {
		c.tally[hot][unused] += uint64(chunk.n)
	}
	chunk.first, chunk.n, chunk.ahead = -1, 0, false
}
