package infer

import (
	"math"
	"sync/atomic"

	"hotcell/neuroncache"
)

// news says which clusters of the layer something has come for, so that a worker looks only at these and not at all of them after each read. All
// workers use it at the same time.
type news struct {
	waiting []atomic.Int32  // per slot of the cache: the cluster that waits for it plus one; 0: none; severalWait
	come    []atomic.Uint64 // a bit for each cluster: something that it waits for has come
	starved []atomic.Uint64 // a bit for each that found no room for a unit or a read
}

// severalWait is in waiting for a unit that reaches into several clusters.
const severalWait = -1

func newNews(clusters, slots int) news {
	words := (clusters + 63) / 64
	return news{make([]atomic.Int32, slots), make([]atomic.Uint64, words), make([]atomic.Uint64, words)}
}

// clear begins a layer.
func (n *news) clear() {
	for i := range n.come {
		n.come[i].Store(0)
		n.starved[i].Store(0)
	}
}

// tell notes that cluster c can get further.
func (n *news) tell(c int) { n.come[c>>6].Or(1 << (c & 63)) }

// tellAll notes it of all clusters.
func (n *news) tellAll() {
	for i := range n.come {
		n.come[i].Store(math.MaxUint64)
	}
}

// starve notes that cluster c found no room.
func (n *news) starve(c int) { n.starved[c>>6].Or(1 << (c & 63)) }

// tellStarved has those that found no room ask again.
func (n *news) tellStarved() {
	for i := range n.starved {
		if n.starved[i].Load() != 0 {
			n.come[i].Or(n.starved[i].Swap(0))
		}
	}
}

// told tells whether any cluster can get further.
func (n *news) told() bool {
	for i := range n.come {
		if n.come[i].Load() != 0 {
			return true
		}
	}
	return false
}

// await notes that cluster c waits for what is read into a slot. The slot's state is looked at afterwards, and set before came is called, so one of the two tells.
func (n *news) await(c int, slot int32, cache *neuroncache.Cache) {
	old := n.waiting[slot].Swap(int32(c + 1))
	several := old != 0 && old != int32(c+1)
	if several {
		n.waiting[slot].Store(severalWait)
	}
	switch {
	case cache.State(slot) == neuroncache.Loading:
	case several:
		n.tellAll()
	default:
		n.tell(c)
	}
}

// came tells who waits for a slot, whose state was set before.
func (n *news) came(slot int32) {
	switch c := n.waiting[slot].Swap(0); {
	case c > 0:
		n.tell(int(c - 1))
	case c == severalWait:
		n.tellAll()
	}
}
