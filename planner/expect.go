package planner

import (
	"cmp"
	"math"
)

// What a plan promises comes from two models.
//
// The hit rate of the cold region is Che's approximation of an LRU cache (Che, Tung, Wang: Hierarchical Web Caching Systems, 2002): there is
// a time T, in tokens, for which a unit stays after its last use, the same for all units. One that each token needs with probability q
// is then there with probability 1-(1-q)^T, and T is where these probabilities add up to the cache's size. On traces of a 7B model it gives LRU's
// misses within 3 % of them, and the cache's own policy has policyGain fewer.
//
// A token reads attention's matrices from memory, then predictors and neurons from memory and neurons from flash at once: it takes the time of the first, and of
// the second whatever is longer. (Flash waits for a predictor's inner product too, which is small.)

// levels is how finely probabilities of use are told apart.
const levels = 1 << 12

// use is how many units of a region are needed how often.
type use [levels + 1]float64

func (u *use) add(needed float64) { u[int(needed*levels+0.5)]++ }

// held is how many units a cache holds whose units stay for t tokens.
func (u *use) held(t float64) (sum float64) {
	for i, n := range u {
		if n > 0 {
			sum += n * occupied(float64(i)/levels, t)
		}
	}
	return sum
}

// occupied is the share of time for which a unit is in a cache whose units stay for t tokens.
func occupied(needed, t float64) float64 {
	if t < 1 {
		return needed * t
	}
	return 1 - math.Pow(1-needed, t)
}

// found is the share of its uses for which it is there: none where a token evicts what the last one used.
func found(needed, t float64) float64 {
	if t < 1 {
		return 0
	}
	return occupied(needed, t)
}

// stay is for how many tokens units stay in so many slots.
func (u *use) stay(slots float64) float64 {
	const forever = 1 << 20
	if u.held(forever) <= slots {
		return forever
	}
	low, high := 0.0, float64(forever)
	for range 40 {
		if mid := (low + high) / 2; u.held(mid) <= slots {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// policyGain is the share of LRU's misses that the cache's own policy avoids: 28 % and 25 % where a quarter and half of the neurons fit.
const policyGain = 0.25

// expect estimates what the plan comes to.
func (p *Plan) expect(s slots, d *Device) (e Expected) {
	var cold use
	p.eachUnit(s, func(_ *Layer, hot bool, needed, _ float64) {
		if !hot {
			cold.add(needed)
		}
	})
	stay := cold.stay(float64(p.Memory.Cold / s.bytes))
	var wanted, missed float64 // rows
	t := p.memoryTimes(s.m, d)
	p.eachUnit(s, func(l *Layer, hot bool, needed, rows float64) {
		wanted += rows
		if hot {
			return
		}
		miss, read := 1-found(needed, stay), d.readTime(l.UnitBytes/s.parts)
		if needed < 1 {
			miss *= 1 - policyGain
		} else if d.Run > 0 { // with its neighbours, and the parts between them
			read = min(read, float64(l.UnitBytes)/d.Run)
		}
		missed += rows * miss
		t.flash += needed * miss * read
		t.rows += needed * miss * readWork / float64(p.Threads)
	})
	if wanted > 0 {
		e.HitRate = 1 - missed/wanted
	}
	if d.ReadBytes > 0 && (d.Page > 0 || missed == 0) {
		token, compute := t.token(), t.panels+t.predictors+t.rows
		e.TokensPerSec, e.StallShare = 1/token, max(0, 1-compute/token)
	}
	return e
}

// readWork is the processor's seconds for a read of a unit: asking, waking threads, checking, and what the products lose by it. Half of bamboo-7b on
// flash, two threads: predicted 34 ms a token more than in memory for 1377 reads, of them 11 ms waiting; exact 77 ms for 5214, of them 14.
const readWork = 28e-6

// times are the seconds of a token; rows include the work of reads.
type times struct{ panels, predictors, rows, flash float64 }

func (t *times) token() float64 { return t.panels + max(t.predictors+t.rows, t.flash) }

// memoryTimes are the times but for flash.
func (p *Plan) memoryTimes(m *Model, d *Device) (t times) {
	t.panels = float64(m.Fixed) / (cmp.Or(d.ReadBytes, unknownMemory) * panelShare)
	for i := range m.Layers {
		predictor, rows := m.Layers[i].seconds(p.Layers[i].Mode, d)
		t.predictors, t.rows = t.predictors+predictor, t.rows+rows
	}
	return t
}

// What is assumed of a device that was not measured, a phone: enough to choose by, not to promise anything.
const (
	unknownMemory = 3e10 // bytes a second
	unknownReads  = 60e3 // random reads of a page or two a second
)

// seconds is what a token takes of a layer's predictor, if the mode asks it, and of its neurons when all are in memory. A gate is a third of a neuron.
func (l *Layer) seconds(mode string, d *Device) (predictor, neurons float64) {
	var gates, rest float64
	for pos := range l.Neurons {
		a := l.activity(pos)
		rest += a
		gates += min(1, a/rowsActive)
	}
	perSec, panels := cmp.Or(d.ReadBytes, unknownMemory), float64(l.Predictor)
	if mode != Predicted {
		gates, panels = float64(l.Neurons), 0
	}
	neuron := filled * float64(l.UnitBytes) / float64(l.UnitNeurons)
	return panels / panelShare / perSec, (gates/3/gateShare(mode) + rest*2/3/rowShare) * neuron / perSec
}

// filled is the share of a unit that is rows, the rest being what is left over in its pages: 6912 of 8192 bytes for Q4_0 and a width of 4096.
const filled = 0.84

// Shares of the memory's bandwidth that decode reaches: of matrices in panels, of rows one after the other, as gates in exact mode are, and of rows
// here and there. What attention, norms and barriers take is in them. They are from one machine, two cores with AVX2 that read 38 GB/s, and the 7B shape in
// Q4_0: 8.2 tokens/s dense, 10.2 exact and 12.9 predicted, all in memory.
const (
	panelShare = 0.86
	runShare   = 0.5
	rowShare   = 0.3
)

// gateShare is that of a layer's gates.
func gateShare(mode string) float64 {
	if mode == Predicted {
		return rowShare
	}
	return runShare
}

// eachUnit tells, of each unit or each part of one, whether it is hot, which share of tokens need it, and how many of its neurons a token needs
// of it on average.
func (p *Plan) eachUnit(s slots, do func(l *Layer, hot bool, needed, rows float64)) {
	for i := range s.m.Layers {
		l, plan := &s.m.Layers[i], &p.Layers[i]
		for u := range l.units() {
			first, last := u*l.UnitNeurons, min(l.Neurons, (u+1)*l.UnitNeurons)
			needed, rows := l.needed(u), 0.0
			for pos := first; pos < last; pos++ {
				rows += l.activity(pos)
			}
			gate, gates := 1.0, float64(last-first)
			switch plan.Mode {
			case Predicted:
				gate, gates = min(1, needed/rowsActive), min(gates, rows/rowsActive)
			case Dense:
				needed, rows = gate, gates
			}
			do(l, first < plan.HotGates, gate, gates)
			if s.parts > 1 {
				do(l, first < plan.HotRest, needed, rows)
			}
		}
	}
}

// readTime is the seconds of a random read of so many bytes.
func (d *Device) readTime(bytes int) float64 {
	switch {
	case d.Page <= 0:
		return 1 / unknownReads
	case d.Pair <= 0 || bytes <= pageBytes:
		return float64(max(1, bytes/pageBytes)) / d.Page
	}
	return float64(bytes) / (2 * pageBytes) / d.Pair
}
