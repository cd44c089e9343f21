package infer

import (
	"encoding/json"
	"time"
)

// MaxWorkers is the most worker threads whose compute time Stats keeps apart.
const MaxWorkers = 64

// StatsVersion is raised when a field of Stats changes its meaning.
const StatsVersion = 1

// Stats is what an engine has done since it was made: counters that only grow, and a few gauges.
// Copy it freely; the difference of two copies ([Stats.Sub]) is a window, and every rate is a method that
// says when it has no data. Prefill and decode are counted apart, since mixing them hides both.
type Stats struct {
	Version int `json:"version"`

	PrefillTokens uint64 `json:"prefill_tokens"` // prompt tokens computed
	ReusedTokens  uint64 `json:"reused_tokens"`  // prompt tokens found in the KV cache
	PrefillNs     uint64 `json:"prefill_ns"`     // wall time of prefill
	DecodeTokens  uint64 `json:"decode_tokens"`  // tokens computed one at a time
	DecodeNs      uint64 `json:"decode_ns"`      // wall time of decode, sampling included
	SampleNs      uint64 `json:"sample_ns"`      // part of DecodeNs: choosing the next token
	StallNs       uint64 `json:"stall_ns"`       // time in which compute waited for flash
	ReadBytes     uint64 `json:"read_bytes"`     // bytes of weights read from the file

	FlashReads  uint64      `json:"flash_reads"`   // read requests of decode that were sent to the storage, after merging
	FlashBytes  uint64      `json:"flash_bytes"`   // bytes of those reads
	FlashBusyNs uint64      `json:"flash_busy_ns"` // time in which at least one read was under way
	ManageNs    uint64      `json:"manage_ns"`     // worker time spent on looking up, admitting and evicting neurons
	Hot         RegionStats `json:"hot"`           // the neuron cache's clusters that most tokens need
	Cold        RegionStats `json:"cold"`          // the neuron cache's single neurons

	RecallFound  uint64 `json:"recall_found"`  // sampled neurons that were active and that the predictor had named
	RecallActive uint64 `json:"recall_active"` // sampled neurons that were active

	Neurons       uint64 `json:"neurons"`        // FFN neurons of all tokens and layers whose activation was computed or skipped
	ActiveNeurons uint64 `json:"active_neurons"` // those whose activation was not zero

	Workers   int         `json:"workers"`    // gauge: threads that compute
	ComputeNs WorkerTimes `json:"compute_ns"` // per worker: time spent computing, waits at barriers not included

	ContextUsed int `json:"context_used"` // gauge: tokens in the KV cache
	ContextMax  int `json:"context_max"`  // gauge: places in the KV cache

	QueueDepth  int    `json:"queue_depth"`  // gauge: reads under way now
	Budget      uint64 `json:"budget"`       // gauge: the most memory the process may hold, 0 if nothing was said
	Mode        string `json:"mode"`         // gauge: how FFNs are computed: "dense", "exact", "predicted"; "" if not known
	WeightBytes uint64 `json:"weight_bytes"` // gauge: weights in memory
	KVBytes     uint64 `json:"kv_bytes"`     // gauge: KV cache in memory

	Prefilling bool `json:"prefilling"` // gauge: the engine is in prefill now
	Decoding   bool `json:"decoding"`   // gauge: the engine is in decode now
}

// RegionStats counts what happened to the neurons of one region of the neuron cache.
type RegionStats struct {
	Hits         uint64 `json:"hits"`          // wanted and in memory
	Misses       uint64 `json:"misses"`        // wanted and read from flash, the waiting token's time
	PrefetchHits uint64 `json:"prefetch_hits"` // part of Hits: in memory because it was read ahead for this use
	Evictions    uint64 `json:"evictions"`     // dropped to make room
	Capacity     uint64 `json:"capacity"`      // gauge: bytes the region may hold
	Used         uint64 `json:"used"`          // gauge: bytes it holds
}

// Sub returns the window from a to r: counters are subtracted, gauges are those of r.
func (r RegionStats) Sub(a RegionStats) RegionStats {
	r.Hits -= a.Hits
	r.Misses -= a.Misses
	r.PrefetchHits -= a.PrefetchHits
	r.Evictions -= a.Evictions
	return r
}

// HitRate is the share of wanted neurons that were in memory, 0 to 1.
func (r RegionStats) HitRate() (share float64, ok bool) {
	if r.Hits+r.Misses == 0 {
		return 0, false
	}
	return float64(r.Hits) / float64(r.Hits+r.Misses), true
}

// WorkerTimes is a time in ns for each worker; in JSON it ends with the last worker that has one.
type WorkerTimes [MaxWorkers]uint64

// MarshalJSON leaves out the workers that do not exist.
func (t WorkerTimes) MarshalJSON() ([]byte, error) {
	n := len(t)
	for n > 0 && t[n-1] == 0 {
		n--
	}
	return json.Marshal(t[:n])
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *WorkerTimes) UnmarshalJSON(b []byte) error {
	var list []uint64
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	*t = WorkerTimes{}
	copy(t[:], list)
	return nil
}

// Sub returns the window from a to s: counters are subtracted, gauges are those of s.
func (s Stats) Sub(a Stats) Stats {
	s.PrefillTokens -= a.PrefillTokens
	s.ReusedTokens -= a.ReusedTokens
	s.PrefillNs -= a.PrefillNs
	s.DecodeTokens -= a.DecodeTokens
	s.DecodeNs -= a.DecodeNs
	s.SampleNs -= a.SampleNs
	s.StallNs -= a.StallNs
	s.ReadBytes -= a.ReadBytes
	s.FlashReads -= a.FlashReads
	s.FlashBytes -= a.FlashBytes
	s.FlashBusyNs -= a.FlashBusyNs
	s.ManageNs -= a.ManageNs
	s.Hot = s.Hot.Sub(a.Hot)
	s.Cold = s.Cold.Sub(a.Cold)
	s.RecallFound -= a.RecallFound
	s.RecallActive -= a.RecallActive
	s.Neurons -= a.Neurons
	s.ActiveNeurons -= a.ActiveNeurons
	for i := range s.ComputeNs {
		s.ComputeNs[i] -= a.ComputeNs[i]
	}
	return s
}

// add puts two windows together: counters are summed up, gauges are those of s.
func (s Stats) add(a Stats) Stats { return s.Sub(Stats{}.Sub(a)) } // minus what is missing to 0, modulo 2^64

// DecodeRate is decoded tokens per second.
func (s Stats) DecodeRate() (perSec float64, ok bool) { return rate(s.DecodeTokens, s.DecodeNs) }

// PrefillRate is computed prompt tokens per second; reused ones do not count.
func (s Stats) PrefillRate() (perSec float64, ok bool) { return rate(s.PrefillTokens, s.PrefillNs) }

// Utilization is the share of the workers' time that was spent computing, 0 to 1.
func (s Stats) Utilization() (share float64, ok bool) {
	wall := s.PrefillNs + s.DecodeNs
	if wall == 0 || s.Workers == 0 {
		return 0, false
	}
	var busy uint64
	for _, ns := range s.ComputeNs {
		busy += ns
	}
	return min(1, float64(busy)/float64(wall)/float64(s.Workers)), true
}

// StallShare is the share of the wall time in which compute waited for flash, 0 to 1.
func (s Stats) StallShare() (share float64, ok bool) {
	wall := s.PrefillNs + s.DecodeNs
	if wall == 0 {
		return 0, false
	}
	return float64(s.StallNs) / float64(wall), true
}

// HitRate is the share of wanted neurons of both regions that were in memory, 0 to 1.
func (s Stats) HitRate() (share float64, ok bool) {
	return RegionStats{Hits: s.Hot.Hits + s.Cold.Hits, Misses: s.Hot.Misses + s.Cold.Misses}.HitRate()
}

// FlashRate is bytes per second while at least one read was under way.
func (s Stats) FlashRate() (bytesPerSec float64, ok bool) { return rate(s.FlashBytes, s.FlashBusyNs) }

// Recall is the share of sampled active neurons that the predictor had named, 0 to 1.
func (s Stats) Recall() (share float64, ok bool) {
	if s.RecallActive == 0 {
		return 0, false
	}
	return float64(s.RecallFound) / float64(s.RecallActive), true
}

// ActiveShare is the share of FFN neurons that were active, 0 to 1.
func (s Stats) ActiveShare() (share float64, ok bool) {
	if s.Neurons == 0 {
		return 0, false
	}
	return float64(s.ActiveNeurons) / float64(s.Neurons), true
}

func rate(n, ns uint64) (perSec float64, ok bool) {
	if n == 0 || ns == 0 {
		return 0, false
	}
	return float64(n) / time.Duration(ns).Seconds(), true
}
