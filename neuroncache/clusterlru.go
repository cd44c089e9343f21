package neuroncache

// clusterLRU evicts from the cluster of which no unit was used for the longest time: what was active together may go together. It is what the hot
// region does, tried on single units.
type clusterLRU struct {
	space
	members []list   // [cluster] its slots, in the order in which they came
	order   []slot   // [cluster] of which only the links are used
	queue   list     // clusters that have members; newest use at the front
	newest  []uint32 // [cluster] the batch for which it was moved to the front
}

func newClusterLRU(sp space) policy {
	n := (len(sp.units) + int(sp.cluster) - 1) / int(sp.cluster)
	return &clusterLRU{space: sp, members: make([]list, n), order: make([]slot, n), newest: make([]uint32, n)}
}

func (l *clusterLRU) clusterOf(s int32) int32 { return l.slots[s].unit / l.cluster }

func (l *clusterLRU) admit(s int32) {
	k := l.clusterOf(s)
	if l.members[k].n == 0 {
		l.queue.pushFront(l.order, k)
	} else {
		l.queue.toFront(l.order, k)
	}
	l.members[k].pushFront(l.slots, s)
	l.newest[k] = l.units[l.slots[s].unit].used
}

func (l *clusterLRU) touch(units []int32) {
	for _, u := range units {
		if k, used := u/l.cluster, l.units[u].used; l.newest[k] != used {
			l.newest[k] = used
			l.queue.toFront(l.order, k)
		}
	}
}

func (l *clusterLRU) victim() int32 {
	for range l.queue.n {
		k := l.queue.back()
		if s := l.oldestFree(&l.members[k]); s >= 0 {
			l.remove(s)
			return s
		}
		l.queue.toFront(l.order, k)
	}
	return -1
}

func (l *clusterLRU) remove(s int32) {
	k := l.clusterOf(s)
	l.members[k].remove(l.slots, s)
	if l.members[k].n == 0 {
		l.queue.remove(l.order, k)
	}
}

func (l *clusterLRU) move(from, to int32) {
	l.members[l.clusterOf(to)].replace(l.slots, from, to)
}
