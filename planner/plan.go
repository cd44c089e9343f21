package planner

import (
	"fmt"
	"slices"
)

// PlanVersion is raised when a field of Plan changes its meaning.
const PlanVersion = 1

// Plan is how a model runs on a device under a memory budget: plain data, that a person can read and edit. All sizes are bytes.
type Plan struct {
	Version int    `json:"version"`
	Model   string `json:"model"`  // hash of the model that the plan is for
	Name    string `json:"name"`   // its name
	Budget  int64  `json:"budget"` // the most that the process may hold
	Mode    string `json:"mode"`   // "exact" or "predicted"
	Threads int    `json:"threads"`
	Depth   int    `json:"io_depth"` // reads under way at most

	// TwoPhase: the cache holds a neuron's gate page and its up and down page apart, and the second is read only if the gate is not zero
	// (PowerInfer-2, section 4.4). Otherwise both are one read.
	TwoPhase bool `json:"two_phase"`

	Memory Split       `json:"memory"`
	Layers []LayerPlan `json:"layers"`

	Expected Expected `json:"expected"`
	Why      []string `json:"why"` // one sentence for each decision
}

// Split is what the budget goes to.
type Split struct {
	Fixed     int64 `json:"fixed"`     // attention, embeddings, norms, scales
	Predictor int64 `json:"predictor"` // part of what is always there
	KV        int64 `json:"kv"`
	Work      int64 `json:"work"`    // activations, buffers of prompts
	Program   int64 `json:"program"` // the program itself, vocabulary, tables
	Hot       int64 `json:"hot"`     // clusters of neurons that stay
	Cold      int64 `json:"cold"`    // single neurons that come and go
}

// Total is the sum.
func (s Split) Total() int64 {
	return s.Fixed + s.Predictor + s.KV + s.Work + s.Program + s.Hot + s.Cold
}

// LayerPlan says which neurons of a layer are hot, counted from the first position of the pack's order on, in whole clusters.
type LayerPlan struct {
	Mode     string `json:"mode"`
	HotGates int    `json:"hot_gates"` // neurons whose gate rows are hot; with TwoPhase off, all their rows
	HotRest  int    `json:"hot_rest"`  // neurons whose up and down rows are hot too
}

// Expected is what the plan promises; the app shows it beside what is measured.
type Expected struct {
	TokensPerSec float64 `json:"tokens_per_sec"`
	HitRate      float64 `json:"hit_rate"`
	StallShare   float64 `json:"stall_share"`
}

// Model is what Solve needs to know of a pack.
type Model struct {
	Hash, Name string
	Fixed      int64 // always resident, without the predictor
	Predictor  int64
	KV         int64
	Work       int64
	Program    int64 // what the process holds beside all that
	Layers     []Layer
}

// Layer is one layer's FFN in the pack.
type Layer struct {
	Neurons     int
	UnitNeurons int       // of a unit
	UnitBytes   int       // of a unit on flash
	GateBytes   int       // of its first part; 0: it has one part
	Activity    []float32 // position -> share of tokens for which it is active; nil: not known, then 0.1 for all
}

// Device is what was measured of the machine.
type Device struct {
	Threads    int
	ReadBytes  float64 // per second from memory, all threads
	Page, Pair float64 // random reads per second of one page and of two, at the depth that is used
	Depth      int
}

// Limits is what the user wants.
type Limits struct {
	Budget       int64
	Mode         string // "exact" or "predicted"
	ClusterUnits int    // units of a hot cluster
}

// unknownActivity is assumed where nothing was counted: what dReLU models are trained for.
const unknownActivity = 0.1

// Minimum is the smallest budget with which a model can run: beside what is always there, the cache holds one layer, since a token may need all
// of its neurons at once.
func Minimum(m *Model, l Limits) int64 {
	var largest int64
	for i := range m.Layers {
		largest = max(largest, m.Layers[i].bytes())
	}
	return m.resident() + largest + clusterSlack(m, l)
}

func (m *Model) resident() int64 { return m.Fixed + m.Predictor + m.KV + m.Work + m.Program }

// bytes is the layer in the cache.
func (l *Layer) bytes() int64 {
	return int64((l.Neurons+l.UnitNeurons-1)/l.UnitNeurons) * int64(l.UnitBytes)
}

// clusterSlack is what whole clusters may leave over.
func clusterSlack(m *Model, l Limits) int64 {
	if len(m.Layers) == 0 {
		return 0
	}
	return int64(l.ClusterUnits) * int64(m.Layers[0].UnitBytes)
}

// Solve decides. The error says the least budget, where the given one is too small.
//
// The rule (PowerInfer-2, sections 4.2 and 5, for a CPU): what every token needs stays in memory first, then what most tokens need, and the
// rest is cache. In exact mode that is every gate, then the other rows of the most active neurons; in predicted mode the rows of
// neurons that are active for more than half of the tokens. At least half of the cache stays cold, since the locality of a text is worth more
// than its average.
func Solve(m *Model, d *Device, l Limits) (*Plan, error) {
	least := Minimum(m, l)
	if l.Budget < least {
		return nil, fmt.Errorf("%s needs at least %s of memory, the budget is %s", m.Name, size(least), size(l.Budget))
	}
	p := &Plan{Version: PlanVersion, Model: m.Hash, Name: m.Name, Budget: l.Budget, Mode: l.Mode, Threads: d.Threads, Depth: d.Depth}
	p.Memory = Split{Fixed: m.Fixed, Predictor: m.Predictor, KV: m.KV, Work: m.Work, Program: m.Program}
	p.TwoPhase = twoPhase(m, d, l)
	cache := l.Budget - m.resident()
	var all int64
	for i := range m.Layers {
		all += m.Layers[i].bytes()
	}
	if cache >= all+clusterSlack(m, l) {
		cache = all + clusterSlack(m, l)
		p.why("All neurons fit into the cache: flash is read once, when the model is loaded.")
	} else {
		p.why("%s of %s of neurons fit into the cache.", size(cache), size(all))
	}
	hot := p.layers(m, l, cache, all)
	p.Memory.Hot, p.Memory.Cold = hot, cache-hot
	p.expect(m, d, cache, all)
	return p, nil
}

func (p *Plan) why(format string, args ...any) { p.Why = append(p.Why, fmt.Sprintf(format, args...)) }

// twoPhase tells whether two reads of a page, the second only for active neurons, beat one of both pages.
func twoPhase(m *Model, d *Device, l Limits) bool {
	for i := range m.Layers {
		if m.Layers[i].GateBytes == 0 || 2*m.Layers[i].GateBytes != m.Layers[i].UnitBytes {
			return false // one size of slot
		}
	}
	const active = 0.8 // of the predicted neurons: the three rows of one neuron are active together for 80 % (PowerInfer-2, section 4.4)
	return l.Mode == "exact" || d.Page > 0 && d.Pair > 0 && (1+active)/d.Page < 1/d.Pair
}

// layers fills in the plans of layers and returns the bytes that are hot.
func (p *Plan) layers(m *Model, l Limits, cache, all int64) (hot int64) {
	p.Layers = make([]LayerPlan, len(m.Layers))
	for i := range p.Layers {
		p.Layers[i].Mode = l.Mode
	}
	var largest int64
	for i := range m.Layers {
		largest = max(largest, m.Layers[i].bytes())
	}
	cold := max(largest+clusterSlack(m, l), cache/2)
	if l.Mode == "exact" && p.TwoPhase {
		cold = max(largest+clusterSlack(m, l), cache/8) // every token needs every gate: nothing in the cold region is used as often
	}
	room := cache - cold
	take := func(i int, gates bool, share float32) {
		layer, plan := &m.Layers[i], &p.Layers[i]
		cluster := l.ClusterUnits * layer.UnitNeurons
		bytes := int64(l.ClusterUnits * layer.UnitBytes)
		done := &plan.HotRest
		if p.TwoPhase {
			bytes /= 2
		}
		if gates {
			done = &plan.HotGates
		}
		for *done < layer.Neurons && room-hot >= bytes && layer.activity(*done, cluster) >= share {
			*done = min(layer.Neurons, *done+cluster)
			hot += bytes
		}
	}
	if l.Mode == "exact" && p.TwoPhase {
		for i := range m.Layers {
			take(i, true, 0)
		}
		if n := gates(p.Layers); n == neurons(m.Layers) {
			p.why("All gate rows stay in memory, since exact mode needs them for every token.")
		} else {
			p.why("%d of %d gate rows stay in memory; exact mode reads the others for every token.", n, neurons(m.Layers))
		}
	}
	for _, share := range []float32{0.9, 0.75, 0.5} {
		for i := range m.Layers {
			if p.TwoPhase && l.Mode != "exact" || !p.TwoPhase {
				take(i, true, share)
			}
			if p.TwoPhase {
				take(i, false, share)
			}
		}
	}
	for i := range p.Layers {
		if !p.TwoPhase {
			p.Layers[i].HotRest = p.Layers[i].HotGates
		}
	}
	p.why("%d neurons that are active for more than half of the tokens stay in memory with all their rows.", rest(p.Layers))
	return hot
}

// activity is the mean over n positions.
func (l *Layer) activity(first, n int) float32 {
	if l.Activity == nil {
		return unknownActivity
	}
	part := l.Activity[min(first, len(l.Activity)):min(first+n, len(l.Activity))]
	var sum float32
	for _, a := range part {
		sum += a
	}
	return sum / float32(max(1, len(part)))
}

func gates(list []LayerPlan) (n int) {
	for _, l := range list {
		n += l.HotGates
	}
	return n
}

func rest(list []LayerPlan) (n int) {
	for _, l := range list {
		n += l.HotRest
	}
	return n
}

func neurons(list []Layer) (n int) {
	for i := range list {
		n += list[i].Neurons
	}
	return n
}

// newNeurons is the share of a token's active neurons that the last few tokens did not use: LLM in a Flash (arXiv 2312.11514) measured 2.4 % new
// neurons where 10 % are active.
const newNeurons = 0.24

// expect estimates speed: what a token reads from memory, and from flash what misses. Among neurons sorted by activity the cache holds the most
// active ones; of what it does not hold, a share is new for the token.
func (p *Plan) expect(m *Model, d *Device, cache, all int64) {
	var wanted, missed, memory float64
	memory = float64(m.Fixed + m.Predictor)
	share := min(1, float64(cache)/float64(max(1, all)))
	for i := range m.Layers {
		l := &m.Layers[i]
		held := int(share * float64(l.Neurons))
		perNeuron := float64(l.UnitBytes) / float64(l.UnitNeurons)
		if p.TwoPhase && p.Mode == "exact" {
			memory += float64(l.GateBytes) / float64(l.UnitNeurons) * float64(l.Neurons)
			missed += float64(l.Neurons - p.Layers[i].HotGates)
			wanted += float64(l.Neurons)
			perNeuron -= float64(l.GateBytes) / float64(l.UnitNeurons)
		}
		for pos := range l.Neurons {
			a := float64(l.activity(pos, 1))
			wanted += a
			memory += a * perNeuron
			if pos >= held {
				missed += a * min(1, newNeurons/(1-share+1e-9)*(1-share))
			}
		}
	}
	if wanted == 0 {
		return
	}
	p.Expected.HitRate = 1 - missed/wanted
	if d.ReadBytes == 0 || d.Page == 0 {
		return
	}
	reads := d.Pair
	if p.TwoPhase || reads == 0 {
		reads = d.Page
	}
	compute, flash := memory/d.ReadBytes, missed/reads
	token := max(compute, flash)
	p.Expected.TokensPerSec, p.Expected.StallShare = 1/token, max(0, 1-compute/token)
}

// Check says why a plan cannot be used for a model under limits; nil if it can.
func (p *Plan) Check(m *Model, l Limits) error {
	switch {
	case p.Version != PlanVersion:
		return fmt.Errorf("the plan is of version %d, only %d is known; make it anew with hotcell plan", p.Version, PlanVersion)
	case p.Model != m.Hash:
		return fmt.Errorf("the plan is for another model (%s)", p.Name)
	case len(p.Layers) != len(m.Layers):
		return fmt.Errorf("the plan is for %d layers, the model has %d", len(p.Layers), len(m.Layers))
	case !slices.Contains([]string{"exact", "predicted"}, p.Mode):
		return fmt.Errorf("the plan's mode %q is not known", p.Mode)
	case p.Memory.Hot < 0 || p.Memory.Cold < 0:
		return fmt.Errorf("the plan's memory is less than nothing")
	case p.Memory.Total() > p.Budget:
		return fmt.Errorf("the plan's parts take %s, more than its budget of %s", size(p.Memory.Total()), size(p.Budget))
	}
	for i, layer := range p.Layers {
		if n := m.Layers[i].Neurons; layer.HotGates < 0 || layer.HotRest < 0 || layer.HotGates > n || layer.HotRest > n {
			return fmt.Errorf("layer %d of the plan has hot neurons that it does not have", i)
		}
	}
	return nil
}

// size is a number of bytes for people.
func size(n int64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20))
}
