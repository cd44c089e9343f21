package panels

import (
	"math"

	"hotcell/infer"
)

// view is all that the panels show of one sample, computed once. It is plain data, so a frozen dashboard is a copy.
type view struct {
	in      Input
	paint   *paint
	grouped []Cluster // clusters with their workers
	hist    *history
	active  bool // the engine is computing; else decode's numbers are those of the newest answer

	now, average, best Reading // tokens per second: last second, this answer, session

	token                                           Reading // seconds of one token, and the parts that sum up to it
	compute, stall, manage, other                   Reading
	sample                                          Reading // seconds of one token: part of other
	hit, session                                    Reading // shares of wanted neurons: of the last tokens, of the session
	hitTokens                                       int     // tokens that hit is of
	hotHit, coldHit, hotEvict, coldEvict            Reading // evictions are per token
	hotPrefetch, coldPrefetch                       Reading // shares of the hits that were read ahead
	flashRate, stallShare, readBytes, reads, reqLen Reading // readBytes and reads are per token
	recall, activeShare                             Reading

	busy    [infer.MaxWorkers]float32 // share of time computing, of each worker
	busyOK  bool
	busyAll Reading

	prefillRate, prefillTime Reading // tokens per second and seconds of this answer's prompt
	prefilled                Reading // tokens of it that were computed
	reused                   uint64  // tokens that were still in the KV cache

	memory    Reading // bytes that are ours: anon and file
	parts     [4]float64
	growing   bool
	taken     bool
	slower    Reading // share by which decode is slower than in the first minute
	planShare Reading // measured speed against the plan's
}

// The parts of memory, in bytes.
const (
	partWeights = iota
	partKV
	partCache
	partRest
)

// per divides, with no data for a divisor of 0.
func per(n, by float64) Reading {
	if by == 0 {
		return Reading{}
	}
	return Reading{n / by, true}
}

// look computes a view of the newest sample.
func (r *record) look(v *view) {
	s := &r.last.Stats
	v.in = r.last
	v.active = s.Prefilling || s.Decoding
	v.best, v.growing, v.taken, v.slower = r.best, r.growing, r.taken, r.pace.slower()

	answer, decode := s.Sub(r.answer), s.Sub(r.decode)
	v.average = Known(answer.DecodeRate())
	v.now = Reading{}
	if s.Decoding {
		decode = r.second(s, r.last.At)
		v.now = Known(decode.DecodeRate())
	}
	v.lookToken(&decode)
	v.lookFlash(&decode)
	v.lookCache(r, s)

	recent := s.Sub(r.since(r.last.At).stats)
	if !v.active || recent.PrefillNs+recent.DecodeNs == 0 {
		recent = answer
	}
	v.lookCores(&recent)

	v.prefilled, v.reused = some(float64(answer.PrefillTokens)), answer.ReusedTokens
	v.prefillRate = Known(answer.PrefillRate())
	v.prefillTime = Reading{float64(answer.PrefillNs) / 1e9, answer.PrefillNs > 0}
	v.lookMemory(s)

	v.planShare = Reading{}
	if p := v.in.Plan; p != nil && p.TokensPerSec.OK && v.average.OK {
		v.planShare = per(v.average.Value, p.TokensPerSec.Value)
	}
}

// lookToken shares out the wall time of one token of w. Compute and cache management are times of all workers, so
// each counts as their mean; what no clock claims is other.
func (v *view) lookToken(w *infer.Stats) {
	v.token, v.compute, v.stall, v.manage, v.other, v.sample = Reading{}, Reading{}, Reading{}, Reading{}, Reading{}, Reading{}
	if w.DecodeTokens == 0 || w.DecodeNs == 0 {
		return
	}
	perToken := func(ns float64) Reading { return Reading{ns / 1e9 / float64(w.DecodeTokens), true} }
	left := float64(w.DecodeNs)
	take := func(ns float64) Reading {
		ns = min(ns, left)
		left -= ns
		return perToken(ns)
	}
	var busy uint64
	for _, ns := range w.ComputeNs {
		busy += ns
	}
	workers := float64(max(1, w.Workers))
	v.token = perToken(float64(w.DecodeNs))
	v.sample = perToken(float64(w.SampleNs))
	v.stall = take(float64(w.StallNs))
	v.compute = take(float64(busy) / workers)
	v.manage = take(float64(w.ManageNs) / workers)
	v.other = perToken(left)
}

func (v *view) lookFlash(w *infer.Stats) {
	tokens := float64(w.DecodeTokens)
	v.flashRate = Known(w.FlashRate())
	v.stallShare = Known(w.StallShare())
	v.stallShare.Value = min(1, v.stallShare.Value) // the wait that began before the window counts whole in it
	v.readBytes, v.reads = per(float64(w.FlashBytes), tokens), per(float64(w.FlashReads), tokens)
	v.reqLen = per(float64(w.FlashBytes), float64(w.FlashReads))
	v.recall, v.activeShare = Known(w.Recall()), Known(w.ActiveShare())
}

func (v *view) lookCache(r *record, s *infer.Stats) {
	w := r.byTokens(s, lastTokens, 0)
	n := w.DecodeTokens
	v.hitTokens = int(n)
	v.session = Known(s.HitRate())
	v.hit, v.hotHit, v.coldHit = Known(w.HitRate()), Known(w.Hot.HitRate()), Known(w.Cold.HitRate())
	v.hotEvict, v.coldEvict = per(float64(w.Hot.Evictions), float64(n)), per(float64(w.Cold.Evictions), float64(n))
	v.hotEvict.OK, v.coldEvict.OK = v.hotEvict.OK && s.Hot.Capacity > 0, v.coldEvict.OK && s.Cold.Capacity > 0
	v.hotPrefetch, v.coldPrefetch = per(float64(w.Hot.PrefetchHits), float64(w.Hot.Hits)), per(float64(w.Cold.PrefetchHits), float64(w.Cold.Hits))
}

func (v *view) lookCores(w *infer.Stats) {
	wall := float64(w.PrefillNs + w.DecodeNs)
	v.busyAll = Known(w.Utilization())
	v.busyOK = wall > 0
	for i := range v.busy {
		v.busy[i] = 0
		if wall > 0 {
			v.busy[i] = float32(min(1, float64(w.ComputeNs[i])/wall))
		}
	}
}

func (v *view) lookMemory(s *infer.Stats) {
	p := v.in.Process
	v.memory = Reading{p.Anon.Value + p.File.Value, p.Anon.OK && p.File.OK}
	weights, kv, cache := float64(s.WeightBytes), float64(s.KVBytes), float64(s.Hot.Used+s.Cold.Used)
	v.parts = [4]float64{weights, kv, cache, max(0, v.memory.Value-weights-kv-cache)}
}

// points are the values for the history graphs.
func (v *view) points() (values [seriesCount]float32) {
	for i, r := range [seriesCount]Reading{
		tokensSeries:  v.now,
		millisSeries:  {v.token.Value * 1e3, v.token.OK && v.in.Stats.Decoding},
		hitSeries:     {v.hit.Value * 100, v.hit.OK && v.in.Stats.Decoding},
		flashSeries:   {v.flashRate.Value / 1e9, v.flashRate.OK && v.in.Stats.Decoding},
		coresSeries:   {v.busyAll.Value * 100, v.busyAll.OK && v.active},
		prefillSeries: {v.prefillRate.Value, v.prefillRate.OK && v.in.Stats.Prefilling},
		memorySeries:  v.memory,
		thermalSeries: v.in.Thermal.Celsius,
		contextSeries: {float64(v.in.Stats.ContextUsed), v.in.Stats.ContextMax > 0},
		planSeries:    {v.planShare.Value * 100, v.planShare.OK && v.in.Stats.Decoding},
	} {
		values[i] = float32(r.Value)
		if !r.OK {
			values[i] = float32(math.NaN())
		}
	}
	return values
}
