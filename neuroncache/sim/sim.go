// Package sim replays traces against the policies of package neuroncache and against Belady's optimum, so that a policy is proved before it ships.
//
// It drives the real cache, without memory: each token's groups are looked up in order as an engine does, in a batch of their own that pins what it
// uses, and reads take no time. So the hit rates are those of a cache that never prefetches, and of every decision of the real code.
//
// Belady's optimum (IBM Systems Journal 5(2), 1966) evicts what is needed again last. It knows the future and is not bound by pins, so no policy
// reaches it; the distance says what a better policy could still gain.
package sim

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"hotcell/neuroncache"
	"hotcell/neuroncache/trace"
)

// Belady is the name of the optimum in a Result.
const Belady = "belady"

// Result is what a policy reached on a trace. The first Warm tokens fill the cache and are not counted.
type Result struct {
	Policy   string  `json:"policy"`
	Share    float64 `json:"cache"` // of the model's units that the cache holds
	Slots    int     `json:"slots"`
	Warm     int     `json:"warm_tokens"`
	Tokens   int     `json:"tokens"` // counted ones
	Hits     uint64  `json:"hits"`
	Misses   uint64  `json:"misses"`
	HitRate  float64 `json:"hit_rate"`
	MissP99  float64 `json:"miss_p99"`   // the share of units missed that 1 of 100 tokens exceeds
	PerToken float64 `json:"read_bytes"` // bytes read for a token on average; 0 if the trace does not tell a unit's size
}

// Slots is how many slots hold a share of a model's units, one at least.
func Slots(h *trace.Header, share float64) int { return max(1, int(share*float64(h.Units()))) }

// clusterUnits is the cluster of cluster-lru: as many neurons as a chunk of 512 KB with two pages each.
const clusterUnits = 64

// Replay plays a trace against a policy of neuroncache.
func Replay(r *trace.Reader, policy string, slots, warm int) (Result, error) {
	score := newScore(&r.Header, policy, slots, warm)
	c, err := neuroncache.New(neuroncache.Config{
		Bytes: int64(slots), SlotBytes: 1, ClusterSlots: min(clusterUnits, slots), Groups: r.Header.Groups, Policy: policy, NoMemory: true,
	})
	if err != nil {
		return Result{}, err
	}
	defer c.Close()
	var found []neuroncache.Found
	var left []int32
	for {
		token, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Result{}, err
		}
		hits, misses := 0, 0
		for _, a := range token {
			left = append(left[:0], a.Units...)
			// More units than slots are served in several batches.
			for len(left) > 0 {
				found = slices.Grow(found[:0], len(left))[:len(left)]
				b := c.Begin(1)
				n := c.Lookup(b, a.Group, left, found)
				hits += n.Resident
				misses += n.Claimed
				again := left[:0]
				for i, f := range found {
					switch f.State {
					case neuroncache.Claimed:
						c.Ready(f.Slot)
					case neuroncache.Full:
						again = append(again, left[i])
					}
				}
				c.End(b)
				if len(again) == len(found) {
					return Result{}, fmt.Errorf("sim: policy %s finds no slot in an idle cache of %d", policy, slots)
				}
				left = again
			}
		}
		score.token(hits, misses)
	}
	return score.result(), nil
}

// score counts tokens.
type score struct {
	Result
	unitBytes int
	shares    []float32 // of each counted token's units that were missed
}

func newScore(h *trace.Header, policy string, slots, warm int) *score {
	return &score{Result: Result{Policy: policy, Slots: slots, Share: float64(slots) / float64(h.Units()), Warm: warm}, unitBytes: h.UnitBytes}
}

func (s *score) token(hits, misses int) {
	if s.Tokens++; s.Tokens <= s.Warm {
		return
	}
	s.Hits += uint64(hits)
	s.Misses += uint64(misses)
	s.shares = append(s.shares, float32(misses)/float32(max(1, hits+misses)))
}

func (s *score) result() Result {
	r := s.Result
	r.Tokens = len(s.shares)
	if r.Tokens == 0 {
		return r
	}
	slices.Sort(s.shares)
	r.MissP99 = float64(s.shares[(r.Tokens-1)*99/100])
	r.HitRate = float64(r.Hits) / float64(max(1, r.Hits+r.Misses))
	r.PerToken = float64(r.Misses) * float64(s.unitBytes) / float64(r.Tokens)
	return r
}
