package infer

import (
	"hotcell/neuroncache"
)

// addTo fills in what Stats tells of flash. What filling the cache cost before the first token is not part of it.
func (f *flash) addTo(st *Stats) {
	if f == nil {
		return
	}
	var stall, manage uint64
	for i := range f.stallNs {
		stall += f.stallNs[i].Load()
		manage += f.manageNs[i].Load()
	}
	st.StallNs = stall / uint64(len(f.stallNs)) // of wall time: workers wait side by side
	st.ManageNs = manage
	io := f.sched.Stats().Sub(f.ioBase)
	st.FlashReads, st.FlashBusyNs, st.QueueDepth = io.Reads, io.BusyNs, io.Depth
	st.FlashBytes = io.Demand.Bytes + io.Prefetch.Bytes
	cache := f.cache.Stats()
	st.Hot, st.Cold = regionStats(cache.Hot, f.cacheBase.Hot), regionStats(cache.Cold, f.cacheBase.Cold)
	st.Budget = uint64(f.plan.Budget)
}

// regionStats is the window from base to r.
func regionStats(r, base neuroncache.RegionStats) RegionStats {
	return RegionStats{
		Hits:         r.Hits - base.Hits,
		Misses:       r.Misses + r.Waits - base.Misses - base.Waits,
		PrefetchHits: r.PrefetchHits - base.PrefetchHits,
		Evictions:    r.Evictions.Total() - base.Evictions.Total(),
		Capacity:     uint64(r.Capacity),
		Used:         uint64(r.Used),
	}
}

// setBase begins to count.
func (f *flash) setBase() {
	f.ioBase, f.cacheBase = f.sched.Stats(), f.cache.Stats()
}

// recentTokens is how many tokens are "just now".
const recentTokens = 2

// Heat draws where the neurons are into h, which says how many columns it wants; it sets Layers and Cells. Without a neuron cache it has no layers. It
// may be called at any time and makes nobody wait.
func (s *Session) Heat(h *Heat) {
	h.Layers, h.Cells = 0, h.Cells[:0]
	if s.eng.sparse == nil || s.eng.sparse.flash == nil || h.Columns < 1 {
		return
	}
	f := s.eng.sparse.flash
	layers := f.stream.layers
	if n := len(layers) * h.Columns; cap(h.Cells) < n {
		h.Cells = make([]Warmth, n)
	} else {
		h.Cells = h.Cells[:n]
	}
	h.Layers = len(layers)
	since := max(1, f.cache.Newest()) - min(f.cache.Newest(), neuroncache.Batch(recentTokens*len(layers)))
	cells := make([]neuroncache.Warmth, h.Columns)
	for l, n := range layers {
		row := h.Cells[l*h.Columns:][:h.Columns]
		f.cache.Heat(n.cached, since, cells)
		for i, w := range cells {
			row[i] = warmths[w]
		}
		if n.inParts {
			f.cache.Heat(n.cached+1, since, cells)
			for i, w := range cells {
				row[i] = max(row[i], warmths[w])
			}
		}
	}
}

var warmths = [...]Warmth{neuroncache.Absent: Absent, neuroncache.Cold: Cold, neuroncache.Hot: Hot, neuroncache.JustRead: JustRead}
