package panels

import (
	"time"

	"hotcell/infer"
)

// How much the rates look back.
const (
	window     = time.Second // bars and "now"
	lastTokens = 64          // the hit rate
	bestTokens = 16          // the best speed, which one short token must not make
	swapWindow = 10 * time.Second
)

// record keeps the samples that the windows need.
//
// Counters of infer.Stats only grow, so each window is a pair of samples. An answer begins with its prefill: with the
// sample before the first one in which prefill grew after decode or after rest. Its decode begins with the last sample in which
// prefill still grew. Windows of decode never reach back beyond that, since the workers' times are not split by phase.
type record struct {
	last       Input
	began      bool        // there is a last sample
	prefilling bool        // prefill grew with it
	answer     infer.Stats // at the beginning of the newest answer
	decode     infer.Stats // at the beginning of its decode
	decodeAt   time.Time

	recent ring // the last window, a sample at a time
	tokens ring // the last tokens of this decode, at most one sample per token

	best     Reading // tokens per second of a window
	pace     pace
	swapAt   time.Time // when swap and anon were looked at for their trend
	swapThen Process
	growing  bool // swap has grown since
	taken    bool // and anon has fallen: the system takes our memory
}

// sample is what the engine had done at one moment.
type sample struct {
	at    time.Time
	stats infer.Stats
}

// ring is the newest samples. 64 tokens need 65 of them, and a window at the fastest rate of drawing fewer.
type ring struct {
	samples [lastTokens + 1]sample
	n, next int
}

func (r *ring) clear() { r.n, r.next = 0, 0 }

func (r *ring) push(at time.Time, s *infer.Stats) {
	r.samples[r.next] = sample{at, *s}
	r.next = (r.next + 1) % len(r.samples)
	r.n = min(r.n+1, len(r.samples))
}

// back is the sample that is i older than the newest.
func (r *ring) back(i int) *sample {
	return &r.samples[(r.next-1-i+2*len(r.samples))%len(r.samples)]
}

// add takes a sample. It reports whether the engine is another one than before, which begins everything anew.
func (r *record) add(in *Input) (another bool) {
	s, before := &in.Stats, &r.last.Stats
	if r.began && (s.PrefillNs < before.PrefillNs || s.DecodeNs < before.DecodeNs ||
		s.PrefillTokens < before.PrefillTokens || s.DecodeTokens < before.DecodeTokens) {
		*r, another = record{}, true
	}
	if s.DecodeTokens > before.DecodeTokens && s.DecodeNs == before.DecodeNs {
		s.DecodeTokens = before.DecodeTokens // the engine has counted the token but not yet its time
	}
	prefilling := s.Prefilling || s.PrefillTokens != before.PrefillTokens || s.PrefillNs != before.PrefillNs || s.ReusedTokens != before.ReusedTokens
	switch {
	case !r.began:
		r.answer, r.decode, r.decodeAt, r.began = *s, *s, in.At, true
	case prefilling:
		if !r.prefilling || before.DecodeTokens != r.answer.DecodeTokens {
			r.answer = *before
		}
		r.decode, r.decodeAt = *s, in.At
		r.tokens.clear()
	}
	r.prefilling = prefilling

	if r.recent.n == 0 || in.At.Sub(r.recent.back(0).at) >= window/32 { // so that the ring holds a window at any rate of drawing
		r.recent.push(in.At, s)
	}
	if r.tokens.n == 0 || r.tokens.back(0).stats.DecodeTokens != s.DecodeTokens {
		r.tokens.push(in.At, s)
	}
	if w := r.byTokens(s, bestTokens, uint64(window)); w.DecodeTokens >= bestTokens && w.DecodeNs >= uint64(window) {
		if rate, ok := w.DecodeRate(); ok && rate > r.best.Value {
			r.best = Reading{rate, true}
		}
	}
	r.pace.add(s.DecodeTokens, s.DecodeNs-min(s.DecodeNs, s.StallNs))
	r.trend(in)
	r.last = *in
	return another
}

// trend watches whether the system takes our memory.
func (r *record) trend(in *Input) {
	if !in.Process.Swap.OK || !r.swapAt.IsZero() && in.At.Sub(r.swapAt) < swapWindow {
		return
	}
	p, then := in.Process, r.swapThen
	r.growing = !r.swapAt.IsZero() && p.Swap.Value > then.Swap.Value
	r.taken = r.growing && p.Anon.OK && then.Anon.OK && p.Anon.Value < then.Anon.Value
	r.swapAt, r.swapThen = in.At, p
}

// since is the oldest of the recent samples that is no older than the window before at, as far as there is one.
func (r *record) since(at time.Time) *sample {
	oldest := r.recent.back(0)
	for i := 1; i < r.recent.n; i++ {
		s := r.recent.back(i)
		if at.Sub(s.at) > window+window/4 {
			break
		}
		oldest = s
	}
	return oldest
}

// second is what decode did in the last second. A slow model may not have finished a token in it; then it is what has passed
// since the newest but one.
func (r *record) second(s *infer.Stats, at time.Time) infer.Stats {
	oldest := r.since(at)
	from := &oldest.stats
	if oldest.at.Before(r.decodeAt) {
		from = &r.decode
	}
	if from.DecodeTokens == s.DecodeTokens && r.tokens.n > 1 {
		from = &r.tokens.back(1).stats
	}
	return s.Sub(*from)
}

// byTokens is what was done for the newest tokens: for at least n of them, and in ns of decode, as far as there are.
func (r *record) byTokens(s *infer.Stats, n, ns uint64) infer.Stats {
	oldest := r.tokens.back(0)
	for i := 1; i < r.tokens.n && (s.DecodeTokens-oldest.stats.DecodeTokens < n || s.DecodeNs-oldest.stats.DecodeNs < ns); i++ {
		oldest = r.tokens.back(i)
	}
	return s.Sub(oldest.stats)
}
