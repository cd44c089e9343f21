package planner

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Model is what Solve needs to know of a pack. Sizes are bytes.
type Model struct {
	Hash, Name string
	Fixed      int64 // always resident, without the predictors
	KV         int64
	Work       int64
	Program    int64 // what the process holds beside all that
	PerUnit    int   // the cache's tables: for each unit, in two phases for each part of it
	PerSlot    int   // and for each slot
	Layers     []Layer
}

// Layer is one layer's FFN in the pack.
type Layer struct {
	Neurons     int
	UnitNeurons int       // of a unit
	UnitBytes   int       // of a unit on flash
	GateBytes   int       // of its first part; 0: it has one part
	Activity    []float32 // position -> share of tokens for which it is active, falling; nil: not known, then 0.1 for all
	Predictor   int64     // resident if the layer's mode is Predicted
}

// Device is what was measured of the machine; what is 0 was not.
type Device struct {
	Threads    int
	ReadBytes  float64 // per second from memory, all threads
	Page, Pair float64 // random reads per second of one page and of two, at the depth that is used
	Run        float64 // bytes per second of large reads, which neighbouring pages become
	Depth      int
}

// Limits is what the user wants.
type Limits struct {
	Budget       int64
	Mode         string // of all layers; Auto: Solve chooses for each layer
	Lossy        bool   // with Auto: it may choose Predicted too
	ClusterUnits int    // units of a hot cluster
}

// Auto leaves the layers' modes open: to Solve, or to the plan that is checked.
const Auto = ""

// pageBytes is what flash is read in.
const pageBytes = 4096

// unknownActivity is assumed where nothing was counted: what dReLU models are trained for.
const unknownActivity = 0.1

// rareActivity is assumed where none was seen: the text that was counted over is short.
const rareActivity = 1.0 / 2048

// hotActivity is the activity from which on a neuron is better kept than left to the cold region, where it might be evicted between two uses.
const hotActivity = 0.5

// rowsActive is the share of predicted neurons that turn out active: the three rows of one neuron are active together for 80 % (PowerInfer-2,
// section 4.4).
const rowsActive = 0.8

// check says what no pack can have.
func (m *Model) check(l Limits) error {
	for _, n := range []int64{m.Fixed, m.KV, m.Work, m.Program} {
		if n < 0 || n > math.MaxInt64/16 {
			return fmt.Errorf("a part of %s takes %d bytes", m.Name, n)
		}
	}
	for i, x := range m.Layers {
		if x.Neurons < 1 || x.UnitNeurons < 1 || x.UnitBytes < 1 || x.GateBytes < 0 || x.GateBytes > x.UnitBytes || x.Predictor < 0 || x.Predictor > math.MaxInt64>>20 {
			return fmt.Errorf("layer %d of %s has %d neurons, %d in a unit of %d bytes, and a predictor of %d", i, m.Name, x.Neurons, x.UnitNeurons, x.UnitBytes, x.Predictor)
		}
	}
	if len(m.Layers) == 0 || l.ClusterUnits < 1 {
		return fmt.Errorf("%s has no clusters of neurons that a plan could be about", m.Name)
	}
	return nil
}

// resident is what is always there, without predictors.
func (m *Model) resident() int64 { return m.Fixed + m.KV + m.Work + m.Program }

// predictor is what the predictors of the layers that need theirs take.
func (m *Model) predictor(layers []LayerPlan) (bytes int64) {
	for i, l := range layers {
		if l.Mode == Predicted {
			bytes += m.Layers[i].Predictor
		}
	}
	return bytes
}

// splits tells whether all units have two parts of one size, as slots of one size need.
func (m *Model) splits() bool {
	return !slices.ContainsFunc(m.Layers, func(l Layer) bool { return l.GateBytes == 0 || 2*l.GateBytes != l.UnitBytes })
}

func (l *Layer) units() int { return (l.Neurons + l.UnitNeurons - 1) / l.UnitNeurons }

// activity is that of a position.
func (l *Layer) activity(pos int) float64 {
	switch {
	case l.Activity == nil:
		return unknownActivity
	case pos < len(l.Activity):
		return min(1, max(rareActivity, float64(l.Activity[pos])))
	}
	return rareActivity
}

// needed is the share of tokens that need some neuron of a unit.
func (l *Layer) needed(unit int) float64 {
	none := 1.0
	for pos := unit * l.UnitNeurons; pos < min(l.Neurons, (unit+1)*l.UnitNeurons); pos++ {
		none *= 1 - l.activity(pos)
	}
	return 1 - none
}

// slots is how a model's units lie in the neuron cache: one slot for each or, in two phases, for each of their parts. All slots have the size of
// the largest; clusters are runs of slots.
type slots struct {
	m       *Model
	parts   int
	bytes   int64 // of a slot
	cluster int   // units of one
}

func (m *Model) slots(twoPhase bool, l Limits) slots {
	s := slots{m: m, parts: 1, cluster: l.ClusterUnits}
	for i := range m.Layers {
		s.bytes = max(s.bytes, int64(m.Layers[i].UnitBytes))
	}
	if twoPhase {
		s.parts, s.bytes = 2, s.bytes/2
	}
	return s
}

// count is the slots that hold all units.
func (s slots) count() (n int64) {
	for i := range s.m.Layers {
		n += int64(s.m.Layers[i].units() * s.parts)
	}
	return n
}

// most is the bytes that a cache can use: all units in whole clusters, and what is spare.
func (s slots) most() (n int64) {
	for i := range s.m.Layers {
		clusters := (s.m.Layers[i].units() + s.cluster - 1) / s.cluster
		n += int64(clusters*s.parts) * s.chunk()
	}
	return n + s.spare()
}

// largest is the bytes of the largest layer. A token may need all of its neurons at once, and those that a token uses cannot be evicted.
func (s slots) largest() (n int64) {
	for i := range s.m.Layers {
		n = max(n, int64(s.m.Layers[i].units()*s.parts)*s.bytes)
	}
	return n
}

// chunk is the bytes of a hot cluster.
func (s slots) chunk() int64 { return int64(s.cluster) * s.bytes }

// spare is what a cache has beyond what it must: room for reads that were begun ahead and are still under way.
func (s slots) spare() int64 { return s.chunk() }

// tables is what the cache takes for itself with so many bytes of slots.
func (s slots) tables(bytes int64) int64 {
	return s.count()*int64(s.m.PerUnit) + bytes/s.bytes*int64(s.m.PerSlot)
}

// fitting is the slots' bytes for which room is enough, with their tables.
func (s slots) fitting(room int64) int64 {
	n := max(0, room-s.tables(0)) / (s.bytes + int64(s.m.PerSlot))
	return min(n*s.bytes, s.most())
}

// Minimum is the smallest budget with which a model can run: beside what is always there, the cache holds one layer.
func Minimum(m *Model, l Limits) int64 {
	if m.check(l) != nil {
		return math.MaxInt64
	}
	s := m.slots(m.splits(), l)
	least := s.largest() + m.slots(false, l).spare()
	least += m.resident() + s.tables(least)
	if l.Mode == Predicted {
		for i := range m.Layers {
			least += m.Layers[i].Predictor
		}
	}
	return least
}

// Solve decides. The error says the least budget, where the given one is too small.
//
// The rule (PowerInfer-2, sections 4.2 and 5, for a CPU): what every token needs stays in memory first, then what most tokens need, and the
// rest is cache. What every token needs is, in exact mode, all that is read together with gates. A cyclic use of more than fits defeats
// every cache, so of these as much stays as there is room for, evenly in all layers, and only a layer's room is left for the others.
// Of what most tokens need at most so much stays that half of the cache is left: the locality of a text is worth more than its average.
func Solve(m *Model, d *Device, l Limits) (*Plan, error) {
	if err := m.check(l); err != nil {
		return nil, err
	}
	if l.Mode != Auto && !slices.Contains(modes[:], l.Mode) {
		return nil, fmt.Errorf("no plan can be made for the mode %q", l.Mode)
	}
	if least := Minimum(m, l); l.Budget < least {
		return nil, fmt.Errorf("%s needs at least %s of memory, the budget is %s", m.Name, size(least), size(l.Budget))
	}
	p := &Plan{
		Version: PlanVersion, Model: m.Hash, Name: m.Name, Budget: l.Budget, Threads: max(1, d.Threads), Depth: max(1, d.Depth),
		Layers: layerModes(m, d, l),
	}
	p.Mode, p.TwoPhase = lossiest(p.Layers), twoPhase(m, d, p.Layers)
	s := m.slots(p.TwoPhase, l)
	predictor := m.predictor(p.Layers)
	cache := s.fitting(l.Budget - m.resident() - predictor)
	hot := p.heat(s, cache)
	p.Memory = Split{
		Fixed: m.Fixed, Predictor: predictor, KV: m.KV, Work: m.Work, Program: m.Program + s.tables(cache), Hot: hot, Cold: cache - hot,
	}
	p.Expected = p.expect(s, d) // and chooses early reads
	p.explain(s, l, cache)
	return p, nil
}

// explain fills in the reasons.
func (p *Plan) explain(s slots, l Limits, cache int64) {
	why := func(format string, args ...any) { p.Why = append(p.Why, fmt.Sprintf(format, args...)) }
	if l.Mode == Auto {
		p.explainModes(why)
	}
	all := s.count() * s.bytes
	if cache >= all {
		why("All neurons fit into memory: flash is read once, when the model is loaded.")
		return
	}
	why("%s of %s of neurons fit into memory.", size(cache), size(all))
	if p.TwoPhase {
		why("Gates are read first, the other rows of a neuron only if its gate is not zero.")
	}
	var gates, always, rest, neurons int
	for i, l := range p.Layers {
		if neurons += s.m.Layers[i].Neurons; l.Mode != Predicted {
			gates, always = gates+l.HotGates, always+s.m.Layers[i].Neurons
		}
		rest += l.HotRest
	}
	switch {
	case always > 0 && gates == always:
		why("All gates stay in memory where every token needs them.")
	case always > 0:
		why("%d of %d gates that every token needs stay in memory; the others are read for every token.", gates, always)
	}
	if p.TwoPhase || p.Mode == Predicted {
		why("%d of %d neurons stay in memory as a whole, since at least half of the tokens need them.", rest, neurons)
	}
}

// explainModes tells what was chosen for how many layers.
func (p *Plan) explainModes(why func(format string, args ...any)) {
	layers := map[string]int{}
	for _, l := range p.Layers {
		layers[l.Mode]++
	}
	for _, x := range []struct{ mode, reason string }{
		{Dense, "nearly all of their neurons are active, so all is read at once"},
		{Exact, "all gates are computed, and the rest of active neurons"},
		{Predicted, "asking the predictor costs less than computing all gates"},
	} {
		if n := layers[x.mode]; n > 0 {
			why("%d of %d layers are %s: %s.", n, len(p.Layers), x.mode, x.reason)
		}
	}
}

// cluster is a candidate for the hot region.
type cluster struct {
	layer, part, first int // of its units the first
	needed             float64
}

// clusters lists those that are worth to be hot, the most needed first and among equals those of all layers evenly.
func (p *Plan) clusters(s slots) (list []cluster) {
	for i := range s.m.Layers {
		layer := &s.m.Layers[i]
		units := layer.units()
		for part := range s.parts {
			needed := 1.0
			for first := 0; first < units; first += s.cluster {
				if !p.Layers[i].always(part) {
					var sum float64
					last := min(units, first+s.cluster)
					for u := first; u < last; u++ {
						sum += layer.needed(u)
					}
					needed = min(needed, sum/float64(last-first)) // so that they are taken in order
				}
				if needed < hotActivity {
					break
				}
				list = append(list, cluster{i, part, first, needed})
			}
		}
	}
	slices.SortFunc(list, func(a, b cluster) int {
		return cmp.Or(cmp.Compare(b.needed, a.needed), cmp.Compare(a.part, b.part), cmp.Compare(a.first, b.first), cmp.Compare(a.layer, b.layer))
	})
	return list
}

// heat fills in the layers' hot neurons and returns the bytes that are hot.
func (p *Plan) heat(s slots, cache int64) (hot int64) {
	room := max(0, cache-s.largest()-s.spare())
	var always int64
	for _, c := range p.clusters(s) {
		if hot+s.chunk() > room || c.needed < 1 && hot+s.chunk() > always+(cache-always)/2 {
			break
		}
		hot += s.chunk()
		if c.needed == 1 {
			always = hot
		}
		layer, plan := &s.m.Layers[c.layer], &p.Layers[c.layer]
		neurons := min(layer.Neurons, (c.first+s.cluster)*layer.UnitNeurons)
		if c.part == 0 {
			plan.HotGates = neurons
		}
		if c.part == 1 || s.parts == 1 {
			plan.HotRest = neurons
		}
	}
	return hot
}
