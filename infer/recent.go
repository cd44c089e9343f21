package infer

import "sync"

// TokenRecord is what one token of decode took: the same numbers as in Stats, of this token alone.
type TokenRecord struct {
	Token      uint64      `json:"n"`           // counts from 1 since the model was loaded
	Ns         uint64      `json:"ns"`          // wall time, choosing the token included
	StallNs    uint64      `json:"stall_ns"`    // of it compute waited for flash
	ManageNs   uint64      `json:"manage_ns"`   // worker time spent on looking up, admitting and evicting neurons
	ComputeNs  WorkerTimes `json:"compute_ns"`  // per worker: time spent computing
	FlashReads uint64      `json:"flash_reads"` // requests sent to the storage, after merging
	FlashBytes uint64      `json:"flash_bytes"`
	QueueDepth int         `json:"queue_depth"` // reads under way when the token was done

	Hot  RegionStats `json:"hot"`
	Cold RegionStats `json:"cold"`

	Neurons       uint64 `json:"neurons"`
	ActiveNeurons uint64 `json:"active_neurons"`
	RecallFound   uint64 `json:"recall_found"`
	RecallActive  uint64 `json:"recall_active"` // 0 for most tokens: recall is sampled
}

// recentRecords is how many tokens are remembered: half a minute at the speed at which one reads.
const recentRecords = 512

// recent remembers the last tokens. One lock for each token and for each look costs some ten nanoseconds where a token takes milliseconds, and a
// record that was half written would be worse.
type recent struct {
	mu      sync.Mutex
	records [recentRecords]TokenRecord
	written uint64 // tokens so far; token n is records[(n-1)%recentRecords]

	before Stats // after the token before. The decoding goroutine's
}

// start begins to count: what was before, a prompt for instance, belongs to no token.
func (r *recent) start(now Stats) { r.before = now }

// add remembers a token that is done.
func (r *recent) add(now Stats) {
	st := now.Sub(r.before)
	r.before = now
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written++
	r.records[(r.written-1)%recentRecords] = TokenRecord{
		Token: r.written, Ns: st.DecodeNs, StallNs: st.StallNs, ManageNs: st.ManageNs, ComputeNs: st.ComputeNs,
		FlashReads: st.FlashReads, FlashBytes: st.FlashBytes, QueueDepth: st.QueueDepth, Hot: st.Hot, Cold: st.Cold,
		Neurons: st.Neurons, ActiveNeurons: st.ActiveNeurons, RecallFound: st.RecallFound, RecallActive: st.RecallActive,
	}
}

// Recent appends the records of the tokens after token number since to dst, in order, as far back as they are remembered (512 tokens), and returns it.
// With since 0 it is all of them; the last one's number is the next since. It may be called at any time, and allocates only what dst lacks.
func (s *Session) Recent(dst []TokenRecord, since uint64) []TokenRecord {
	r := &s.recent
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.written > recentRecords {
		since = max(since, r.written-recentRecords)
	}
	for n := since; n < r.written; n++ {
		dst = append(dst, r.records[n%recentRecords])
	}
	return dst
}
