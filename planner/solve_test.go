package planner

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const mib = 1 << 20

// bamboo is a model of the 7B shape in Q4_0, whose neurons have two pages each and whose activity falls off as a power of the position.
func bamboo(layers int) *Model {
	m := &Model{Hash: "abc", Name: "bamboo", Fixed: 1000 * mib, KV: 64 * mib, Work: 60 * mib, Program: 60 * mib, PerUnit: 12, PerSlot: 20}
	for range layers {
		l := Layer{Neurons: 14336, UnitNeurons: 1, UnitBytes: 8192, GateBytes: 4096, Predictor: 10 * mib}
		for pos := range l.Neurons {
			l.Activity = append(l.Activity, float32(min(0.98, 0.9*math.Pow(float64(pos+1)/500, -1.2))))
		}
		m.Layers = append(m.Layers, l)
	}
	return m
}

// small is a model with several neurons in a page, one part for all rows.
func small() *Model {
	m := &Model{Hash: "def", Name: "small", Fixed: 2 * mib, KV: mib, Work: mib, Program: 40 * mib}
	for range 6 {
		m.Layers = append(m.Layers, Layer{Neurons: 1023, UnitNeurons: 4, UnitBytes: 4096})
	}
	return m
}

var phone = Device{Threads: 4, Depth: 32, ReadBytes: 40e9, Page: 400e3, Pair: 250e3}

// neuronBytes is what all neurons take in the cache.
func (m *Model) neuronBytes(l Limits) int64 {
	s := m.slots(false, l)
	return s.count() * s.bytes
}

func TestPlans(t *testing.T) {
	for _, c := range []struct {
		name  string
		model *Model
		mode  string
		share float64 // of the neurons that there is room for
		check func(t *testing.T, p *Plan)
	}{
		{"with room for all neurons nothing is expected to be read", bamboo(4), Exact, 1.05, func(t *testing.T, p *Plan) {
			if p.Expected.HitRate < 0.9999 || p.Expected.StallShare != 0 || !strings.HasPrefix(p.Why[0], "All neurons fit") {
				t.Errorf("%+v, %q", p.Expected, p.Why)
			}
		}},
		{"exact mode keeps all gates before it keeps anything else", bamboo(8), Exact, 0.8, func(t *testing.T, p *Plan) {
			for i, l := range p.Layers {
				if l.HotGates != 14336 || l.HotRest == 0 || l.HotRest > 2000 {
					t.Errorf("layer %d: %+v", i, l)
				}
			}
		}},
		{"where not all gates fit they are kept evenly and only a layer's room is cold", bamboo(8), Exact, 0.45, func(t *testing.T, p *Plan) {
			least, most := 14336, 0
			for _, l := range p.Layers {
				least, most = min(least, l.HotGates), max(most, l.HotGates)
				if l.HotRest != 0 {
					t.Errorf("%d neurons are hot as a whole", l.HotRest)
				}
			}
			if most-least > 64 || least == 0 || most == 14336 {
				t.Errorf("%d to %d gates of a layer", least, most)
			}
			if room := int64(14336*8192 + 3*64*4096); p.Memory.Cold > room {
				t.Errorf("%d cold bytes, a layer and what whole clusters leave over are %d", p.Memory.Cold, room)
			}
		}},
		{"predicted mode keeps what most tokens need, and leaves half to the cold region", bamboo(8), Predicted, 0.5, func(t *testing.T, p *Plan) {
			if p.TwoPhase || p.Memory.Cold < p.Memory.Hot || p.Layers[0].HotGates < 500 || p.Layers[0].HotGates > 1000 {
				t.Errorf("two phases %v, hot %d, cold %d, %+v", p.TwoPhase, p.Memory.Hot, p.Memory.Cold, p.Layers[0])
			}
			if p.Expected.HitRate < 0.85 {
				t.Errorf("%+v", p.Expected)
			}
		}},
		{"a model without parts in exact mode keeps whole units", small(), Exact, 0.5, func(t *testing.T, p *Plan) {
			if p.TwoPhase || p.Layers[0].HotGates != p.Layers[0].HotRest || p.Layers[0].HotGates < 200 {
				t.Errorf("%+v", p.Layers[0])
			}
		}},
		{"without counted activity nothing is hot in predicted mode", small(), Predicted, 0.5, func(t *testing.T, p *Plan) {
			if p.Memory.Hot != 0 {
				t.Errorf("%d bytes are hot", p.Memory.Hot)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := Limits{Mode: c.mode, ClusterUnits: 64}
			if len(c.model.Layers[0].Activity) == 0 {
				l.ClusterUnits = 16
			}
			l.Budget = c.model.resident() + int64(len(c.model.Layers))*c.model.Layers[0].Predictor + int64(c.share*float64(c.model.neuronBytes(l)))
			l.Budget += c.model.slots(true, l).tables(l.Budget)
			p, err := Solve(c.model, &phone, l)
			if err != nil {
				t.Fatal(err)
			}
			c.check(t, p)
		})
	}
}

func TestTwoPhasesArePredictedOnlyWhereTheyAreMeasuredToBeFaster(t *testing.T) {
	m, l := bamboo(2), Limits{Mode: Predicted, ClusterUnits: 64}
	for _, c := range []struct {
		page, pair float64
		want       bool
	}{{0, 0, false}, {100e3, 80e3, false}, {100e3, 50e3, true}, {100e3, 0, false}} {
		d := Device{Page: c.page, Pair: c.pair}
		if got := twoPhase(m, &d, layerModes(m, &d, l)); got != c.want {
			t.Errorf("%v pages, %v pairs: %v", c.page, c.pair, got)
		}
	}
}

func TestTooSmallABudgetNamesTheLeast(t *testing.T) {
	m, l := bamboo(2), Limits{Mode: Exact, ClusterUnits: 64}
	least := Minimum(m, l)
	l.Budget = least
	if _, err := Solve(m, &phone, l); err != nil {
		t.Errorf("the minimum: %v", err)
	}
	l.Budget = least - 1
	if _, err := Solve(m, &phone, l); err == nil || !strings.Contains(err.Error(), "needs at least "+size(least)) {
		t.Errorf("below the minimum of %s: %v", size(least), err)
	}
}

// randomModel is a model that a pack could hold.
func randomModel(r *rand.Rand) (*Model, Limits) {
	m := &Model{Hash: "h", Name: "n", Fixed: r.Int64N(1 << 28), KV: r.Int64N(1 << 28), Work: r.Int64N(1 << 26), Program: 50 * mib,
		PerUnit: r.IntN(20), PerSlot: r.IntN(30)}
	l := Limits{Mode: []string{Exact, Predicted, Dense, Auto}[r.IntN(4)], Lossy: r.IntN(2) == 0, ClusterUnits: 1 + r.IntN(64)}
	pages, most := 1+r.IntN(3), float32(0)
	for range 1 + r.IntN(12) {
		layer := Layer{Neurons: 1 + r.IntN(3000), UnitNeurons: 1 + r.IntN(4), UnitBytes: pages * 4096, Predictor: r.Int64N(1 << 21)}
		if pages == 2 {
			layer.UnitNeurons, layer.GateBytes = 1, 4096
		}
		if most = 0; r.IntN(4) == 0 {
			most = 0.95
		}
		if r.IntN(3) > 0 {
			for range layer.Neurons {
				layer.Activity = append(layer.Activity, max(most, r.Float32()*r.Float32()))
			}
			slices.Sort(layer.Activity)
			slices.Reverse(layer.Activity)
		}
		m.Layers = append(m.Layers, layer)
	}
	return m, l
}

func TestAPlanKeepsToItsBudgetPassesItsCheckAndSurvivesJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		m, l := randomModel(r)
		least := Minimum(m, l)
		l.Budget = least + r.Int64N(1<<28)*r.Int64N(2)
		d := phone
		if r.IntN(4) == 0 {
			d = Device{}
		}
		p, err := Solve(m, &d, l)
		if err != nil {
			t.Fatalf("%d, the least is %d: %v", l.Budget, least, err)
		}
		if p.Memory.Total() > l.Budget {
			t.Fatalf("%d bytes with a budget of %d", p.Memory.Total(), l.Budget)
		}
		if err := p.Check(m, l); err != nil {
			t.Fatalf("%+v: %v", p.Memory, err)
		}
		for _, v := range []float64{p.Expected.HitRate, p.Expected.StallShare} {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("expected %+v", p.Expected)
			}
		}
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Parse(text); err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%s came back as %+v, %v", text, again, err)
		}
	}
}

func TestMoreBudgetKeepsMoreInMemoryAndIsExpectedToBeNoSlower(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 12 {
		m, l := randomModel(r)
		least := Minimum(m, l)
		all := m.neuronBytes(l)
		var before *Plan
		for step := range 12 {
			l.Budget = least + all*int64(step)/10
			p, err := Solve(m, &phone, l)
			if err != nil {
				t.Fatal(err)
			}
			if before != nil {
				if a, b := before.Memory, p.Memory; b.Hot+b.Cold < a.Hot+a.Cold {
					t.Fatalf("%+v, with more budget %+v", a, b)
				}
				if a, b := before.Expected, p.Expected; b.HitRate < a.HitRate-0.01 || b.TokensPerSec < 0.97*a.TokensPerSec {
					t.Fatalf("%s, step %d: %+v, with more budget %+v", l.Mode, step, a, b)
				}
			}
			before = p
		}
		if before.Expected.HitRate < 0.999 || before.Expected.StallShare > 0 {
			t.Fatalf("with room for all: %+v", before.Expected)
		}
	}
}

func TestCheSaysWhatALeastRecentlyUsedCacheHits(t *testing.T) {
	// 200 units that 10 % of tokens need and 20 that 90 % need, in 120 slots.
	var u use
	needed := make([]float64, 220)
	for i := range needed {
		if needed[i] = 0.1; i < 20 {
			needed[i] = 0.9
		}
		u.add(needed[i])
	}
	const capacity = 120
	stay := u.stay(capacity)
	var want, uses float64
	for _, q := range needed {
		want, uses = want+q*found(q, stay), uses+q
	}
	want /= uses

	r := rand.New(rand.NewPCG(5, 6))
	var order []int // least recently used first
	hits, total := 0.0, 0.0
	for token := range 4000 {
		for i, q := range needed {
			if r.Float64() >= q {
				continue
			}
			at := slices.Index(order, i)
			if token > 100 {
				if total++; at >= 0 {
					hits++
				}
			}
			if at >= 0 {
				order = slices.Delete(order, at, at+1)
			} else if len(order) == capacity {
				order = order[1:]
			}
			order = append(order, i)
		}
	}
	if got := hits / total; math.Abs(got-want) > 0.03 {
		t.Errorf("the cache hits %.3f, expected %.3f", got, want)
	}
}
