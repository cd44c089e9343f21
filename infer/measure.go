package infer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"hotcell/infer/kernel"
	"hotcell/infer/probe"
	"hotcell/models/pack"
)

// Test is one line of a benchmark: a prompt of so many tokens, or so many tokens generated one at a time. Exactly one of Prompt and
// Generate is above 0. Tokens are drawn at random, since their values do not change the time.
type Test struct {
	Prompt   int `json:"prompt,omitempty"`
	Generate int `json:"generate,omitempty"`
	Depth    int `json:"depth,omitempty"` // tokens that the KV cache holds before
}

// String is the name that llama-bench gives the test: pp512, or tg64 @ d4096.
func (t Test) String() string {
	name := fmt.Sprintf("tg%d", t.Generate)
	if t.Prompt > 0 {
		name = fmt.Sprintf("pp%d", t.Prompt)
	}
	if t.Depth > 0 {
		name += fmt.Sprintf(" @ d%d", t.Depth)
	}
	return name
}

// Tokens is how many tokens a run of the test computes.
func (t Test) Tokens() int { return t.Prompt + t.Generate }

// Context is how many places of the KV cache it needs.
func (t Test) Context() int { return t.Depth + t.Tokens() }

// Run is one run of a test.
type Run struct {
	Ns    int64 `json:"ns"`    // wall time
	Limit Limit `json:"limit"` // of the machine, measured just before and just after; their mean
	// Work is what the run had to do of what Limit is about: bytes of weights, keys and values to read, or multiplications and additions
	// in products with weights.
	Work   float64 `json:"work"`
	PerSec float64 `json:"tokens_per_s"`
	Share  float64 `json:"share,omitempty"` // of the limit, 1 is all of it; 0: there is no limit

	TokenNs []int64 `json:"token_ns,omitempty"` // wall time of each generated token

	FlashShare float64 `json:"flash_share,omitempty"` // of the flash's limit; 0: nothing was read
	Stats      Stats   `json:"-"`                     // what the engine did meanwhile
}

// Limit is what the session's threads can do in a second when they do nothing else; 0: no way to measure it.
type Limit struct {
	Read    float64 `json:"read_bytes_per_s,omitempty"`
	Int8    float64 `json:"int8_ops_per_s,omitempty"`
	Float32 float64 `json:"float32_ops_per_s,omitempty"`
	Flash   float64 `json:"flash_bytes_per_s,omitempty"` // for a model in a pack, measured after the run: reads of their mean size at random places, or for a prompt clusters in order
}

// mean is the mean of each. The better of two would be a machine without neighbours, with which a run beside neighbours does not compare.
func (l Limit) mean(o Limit) Limit {
	return Limit{(l.Read + o.Read) / 2, (l.Int8 + o.Int8) / 2, (l.Float32 + o.Float32) / 2, l.Flash}
}

const (
	limitTime     = 50 * time.Millisecond  // of one measurement of a limit
	flashTime     = 150 * time.Millisecond // of the flash's
	warmupPrompt  = chunkTokens            // tokens of a prompt that are computed before the first run counts
	warmupDecoded = 4                      // generated tokens, likewise
)

// Measure runs a test so many times, after a warm-up, and calls each, if not nil, after every run with the number of runs done. What the KV
// cache held before is gone. A pinned session (Config.Pin) varies least.
//
// The limit of a generating test is a plain read of the session's own weights by the same threads; that of a prompt is what they can
// multiply and add in registers. Each is measured before and after each run, so that a machine that slows down is compared with itself.
func (s *Session) Measure(ctx context.Context, t Test, runs int, each func(done int, r Run)) ([]Run, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, errClosed
	case (t.Prompt > 0) == (t.Generate > 0) || min(t.Prompt, t.Generate, t.Depth) < 0:
		return nil, errors.New("a test measures either a prompt or generated tokens")
	case t.Context() > s.eng.kv.context:
		return nil, fmt.Errorf("the test %v needs a context of %d tokens, the session has %d", t, t.Context(), s.eng.kv.context)
	}
	s.forget()
	defer s.eng.pool.Bind()()
	m := measurement{s, s.eng, t, randomTokens(t.Context(), s.eng.h.vocab), s.eng.work(), nil}
	if err := m.warmUp(ctx); err != nil {
		return nil, err
	}
	var list []Run
	for len(list) < runs {
		r, err := m.run(ctx)
		if err != nil {
			return list, err
		}
		list = append(list, r)
		if each != nil {
			each(len(list), r)
		}
	}
	return list, nil
}

// randomTokens are n tokens, the same at each call.
func randomTokens(n, vocab int) []int32 {
	r := rand.New(rand.NewPCG(1, 2))
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32(r.IntN(vocab))
	}
	return ids
}

// measurement is a test on an engine whose pool the calling goroutine is bound to.
type measurement struct {
	s    *Session
	e    *engine
	test Test
	ids  []int32 // [Context]
	work modelWork

	tokenNs []int64 // of each token that the last compute generated
}

// warmUp fills the KV cache up to the test's depth and computes a few tokens of the test's kind.
func (m *measurement) warmUp(ctx context.Context) error {
	if d := m.test.Depth; d > 0 {
		if _, _, err := m.e.eval(ctx, m.ids[:d], 0, nil, nil); err != nil {
			return err
		}
	}
	return m.compute(ctx, min(m.test.Tokens(), max(min(m.test.Prompt, warmupPrompt), warmupDecoded)))
}

// compute evaluates the first n tokens after the depth, as the test does.
func (m *measurement) compute(ctx context.Context, n int) error {
	ids, step := m.ids[m.test.Depth:][:n], 1
	if m.test.Prompt > 0 {
		step = n
	}
	if m.tokenNs = m.tokenNs[:0]; cap(m.tokenNs) < n && step == 1 {
		m.tokenNs = make([]int64, 0, n)
	}
	for at := 0; at < n; at += step {
		start := time.Now()
		if _, _, err := m.e.eval(ctx, ids[at:at+step], m.test.Depth+at, nil, nil); err != nil {
			return err
		}
		if m.test.Generate > 0 {
			m.tokenNs = append(m.tokenNs, int64(time.Since(start)))
		}
	}
	return nil
}

// run measures the test, and the limit before and after it.
func (m *measurement) run(ctx context.Context) (Run, error) {
	limit, n := m.limit(), m.test.Tokens()
	before := m.s.Stats()
	start := time.Now()
	if err := m.compute(ctx, n); err != nil {
		return Run{}, err
	}
	ns := time.Since(start)
	m.count(n, ns)
	did := m.s.Stats().Sub(before)
	limit = limit.mean(m.limit())
	limit.Flash = m.flashLimit(&did)
	r := Run{Ns: ns.Nanoseconds(), Limit: limit, PerSec: float64(n) / ns.Seconds(), Stats: did}
	if limit.Flash > 0 {
		r.FlashShare = float64(m.e.sparse.flash.wantedBytes(&did)) / limit.Flash / ns.Seconds()
	}
	activeShare, ok := r.Stats.ActiveShare()
	if !ok {
		activeShare = 1
	}
	if m.test.Generate > 0 {
		r.TokenNs = slices.Clone(m.tokenNs)
		r.Work = float64(n)*m.work.readPerToken(activeShare) + m.e.attentionBytes(m.test.Depth, n)
		if limit.Read > 0 {
			r.Share = r.Work / limit.Read / ns.Seconds()
		}
		return r, nil
	}
	ints, floats := m.work.operations(n, activeShare)
	r.Work = ints + floats
	if kernel.HasLimits() {
		r.Share = (secondsFor(ints, limit.Int8) + secondsFor(floats, limit.Float32)) / ns.Seconds()
	}
	return r, nil
}

// secondsFor is the time that so many operations take at a rate.
func secondsFor(operations, perSec float64) float64 {
	if operations == 0 {
		return 0
	}
	return operations / perSec
}

// count adds a run to the session's statistics.
func (m *measurement) count(tokens int, ns time.Duration) {
	c := &m.s.counters
	if m.test.Prompt > 0 {
		c.prefillTokens.Add(uint64(tokens))
		c.prefillNs.Add(uint64(ns))
	} else {
		c.decodeTokens.Add(uint64(tokens))
		c.decodeNs.Add(uint64(ns))
	}
}

// limit measures what bounds the test.
func (m *measurement) limit() (l Limit) {
	p := m.e.pool
	if m.test.Generate > 0 {
		l.Read = probe.ReadRate(p, m.e.w.mem.mem, limitTime)
		return l
	}
	ints, floats := m.work.operations(1, 1)
	if ints > 0 {
		l.Int8 = probe.Int8Rate(p, limitTime)
	}
	if floats > 0 {
		l.Float32 = probe.Float32Rate(p, limitTime)
	}
	return l
}

// flashLimit measures what flash gives in reads like those of a run.
func (m *measurement) flashLimit(did *Stats) float64 {
	if m.e.sparse == nil || m.e.sparse.flash == nil {
		return 0
	}
	size := 0
	if m.test.Generate > 0 {
		size = m.e.sparse.flash.slotBytes()
		if did.FlashReads > 0 {
			size = int(did.FlashBytes/did.FlashReads) / pack.PageBytes * pack.PageBytes
		}
		size = max(size, pack.PageBytes)
	}
	return m.e.sparse.flash.rate(size, flashTime)
}

// Summary is what the runs of a test come to.
type Summary struct {
	Mean      float64 `json:"mean"`      // tokens a second
	Deviation float64 `json:"deviation"` // sample standard deviation
	Median    float64 `json:"median"`
	Share     float64 `json:"share,omitempty"` // median share of the limit; 0: there is none
	Limit     Limit   `json:"limit"`           // medians

	// Times of generated tokens, of all runs together, in ns: half and 99 of 100 take no longer. 0: of prompts.
	TokenP50 float64 `json:"token_p50_ns,omitempty"`
	TokenP99 float64 `json:"token_p99_ns,omitempty"`

	FlashShare float64 `json:"flash_share,omitempty"` // median share of the flash's limit
	Stats      Stats   `json:"stats"`                 // of all runs together
}

// Summarise puts runs together. Without runs everything is 0.
func Summarise(runs []Run) (s Summary) {
	if len(runs) == 0 {
		return s
	}
	var rates, shares, reads, ints, floats, flash, flashShares []float64
	var tokens []int64
	for _, r := range runs {
		rates, shares = append(rates, r.PerSec), append(shares, r.Share)
		reads, ints, floats = append(reads, r.Limit.Read), append(ints, r.Limit.Int8), append(floats, r.Limit.Float32)
		tokens = append(tokens, r.TokenNs...)
		flash, flashShares = append(flash, r.Limit.Flash), append(flashShares, r.FlashShare)
		s.Stats = r.Stats.add(s.Stats)
		s.Mean += r.PerSec / float64(len(runs))
	}
	if len(runs) > 1 {
		for _, v := range rates {
			s.Deviation += (v - s.Mean) * (v - s.Mean) / float64(len(runs)-1)
		}
		s.Deviation = math.Sqrt(s.Deviation)
	}
	s.Median, s.Share, s.Limit = median(rates), median(shares), Limit{median(reads), median(ints), median(floats), median(flash)}
	s.FlashShare = median(flashShares)
	if slices.Sort(tokens); len(tokens) > 0 {
		s.TokenP50, s.TokenP99 = float64(tokens[(len(tokens)-1)/2]), float64(tokens[(len(tokens)-1)*99/100])
	}
	return s
}

// median sorts v, which is not empty.
func median(v []float64) float64 {
	slices.Sort(v)
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}
