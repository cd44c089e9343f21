package planner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// PlanVersion is raised when a field of Plan changes its meaning.
const PlanVersion = 1

// The modes of a layer, and of a plan the one of its layers that gives up most.
const (
	Exact     = "exact"     // every gate is computed, and the rest of the neurons that it leaves active: the dense result
	Dense     = "dense"     // the same, but all rows of a neuron are read at once: for a layer where nearly all neurons are active
	Predicted = "predicted" // only neurons that a predictor names: faster, slightly lossy
)

// Plan is how a model runs on a device under a memory budget: plain data, that a person can read and edit. All sizes are bytes.
type Plan struct {
	Version int    `json:"version"`
	Model   string `json:"model"`  // hash of the model that the plan is for
	Name    string `json:"name"`   // its name
	Budget  int64  `json:"budget"` // the most that the process may hold
	Mode    string `json:"mode"`   // Predicted if a layer is, else Exact if one is, else Dense
	Threads int    `json:"threads"`
	Context int    `json:"context"`  // positions of the KV cache; 0: as many as the engine chooses
	Depth   int    `json:"io_depth"` // reads under way at most

	// TwoPhase: the cache holds a neuron's gate page and its up and down page apart, and the second is read only if the gate is not zero
	// (PowerInfer-2, section 4.4). Otherwise both are one read.
	TwoPhase bool `json:"two_phase"`

	// EarlyReads: while a layer waits for flash the next one's predictor is asked, and what it is sure of is read ahead. Solve leaves it off, since it gave
	// -5 to +2 % (infer/early.go); a person may turn it on.
	EarlyReads bool `json:"early_reads"`

	Memory Split       `json:"memory"`
	Layers []LayerPlan `json:"layers"`

	Expected Expected `json:"expected"`
	Why      []string `json:"why"` // one sentence for each decision
}

// Split is what the budget goes to.
type Split struct {
	Fixed     int64 `json:"fixed"`     // attention, embeddings, norms, scales
	Predictor int64 `json:"predictor"` // always there too
	KV        int64 `json:"kv"`        // keys and values of the whole context
	Work      int64 `json:"work"`      // activations, buffers of prompts
	Program   int64 `json:"program"`   // the program itself, vocabulary, tables
	Hot       int64 `json:"hot"`       // clusters of neurons that stay
	Cold      int64 `json:"cold"`      // single neurons that come and go
}

func (s *Split) parts() [7]int64 {
	return [...]int64{s.Fixed, s.Predictor, s.KV, s.Work, s.Program, s.Hot, s.Cold}
}

// Total is the sum; a sum past the range of an int64 stays at its end.
func (s Split) Total() (sum int64) {
	for _, n := range s.parts() {
		if sum += n; sum < 0 {
			return math.MaxInt64
		}
	}
	return sum
}

// LayerPlan says how a layer is computed and which of its neurons are hot, counted from the first position of the pack's order on, in whole clusters.
type LayerPlan struct {
	Mode     string `json:"mode"`
	HotGates int    `json:"hot_gates"` // neurons whose gate rows are hot; with TwoPhase off, all their rows
	HotRest  int    `json:"hot_rest"`  // neurons whose up and down rows are hot too
}

// Expected is what the plan promises; the app shows it beside what is measured.
type Expected struct {
	TokensPerSec float64 `json:"tokens_per_sec"` // of decode; 0: not known, since the device was not measured
	HitRate      float64 `json:"hit_rate"`       // share of wanted rows that are in memory, 0 to 1
	StallShare   float64 `json:"stall_share"`    // share of the time in which compute waits for flash, 0 to 1
}

// mostThreads and mostDepth bound what a plan can ask for.
const (
	mostThreads = 1 << 10
	mostDepth   = 1 << 12
)

// Parse reads a plan that JSON wrote, or that a person edited. A field that is not known is an error, so that a misspelt one does not go unnoticed. What
// the plan says is for Check to judge.
func Parse(text []byte) (*Plan, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	p := new(Plan)
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("reading the plan: something follows after its end")
	}
	return p, nil
}

// Check says why a plan cannot be used for a model under limits; nil if it can. A plan that passes keeps to its budget, whoever wrote it: of the
// model's parts only Program, which differs by some megabytes from one start of the program to the next, is taken from the plan.
func (p *Plan) Check(m *Model, l Limits) error {
	if err := m.check(l); err != nil {
		return err
	}
	switch {
	case p.Version != PlanVersion:
		return fmt.Errorf("the plan is of version %d, only %d is known; make it anew with hotcell plan", p.Version, PlanVersion)
	case p.Model != m.Hash:
		return fmt.Errorf("the plan is for another model (%.80s)", p.Name)
	case !slices.Contains(modes[:], p.Mode):
		return fmt.Errorf("the plan's mode %q is not known", p.Mode)
	case l.Mode != Auto && p.Mode != l.Mode:
		return fmt.Errorf("the plan is for the mode %s, not for %s", p.Mode, l.Mode)
	case len(p.Layers) != len(m.Layers):
		return fmt.Errorf("the plan is for %d layers, the model has %d", len(p.Layers), len(m.Layers))
	case p.Context < 0:
		return fmt.Errorf("the plan has a context of %d tokens", p.Context)
	case p.Threads < 1 || p.Threads > mostThreads || p.Depth < 1 || p.Depth > mostDepth:
		return fmt.Errorf("the plan has %d threads and %d reads at once, possible are 1 to %d and 1 to %d", p.Threads, p.Depth, mostThreads, mostDepth)
	case p.TwoPhase && !m.splits():
		return errors.New("the plan reads gates apart, but in this model's pack they cannot be")
	case p.Budget > l.Budget:
		return fmt.Errorf("the plan takes %s, the budget is %s", size(p.Budget), size(l.Budget))
	}
	if err := p.checkModes(l); err != nil {
		return err
	}
	return p.checkMemory(m, l)
}

// modes are all, those that give up least first.
var modes = [...]string{Dense, Exact, Predicted}

// lossiest is the mode of a plan whose layers have these.
func lossiest(layers []LayerPlan) string {
	most := 0
	for _, l := range layers {
		most = max(most, slices.Index(modes[:], l.Mode))
	}
	return modes[most]
}

// checkModes is the part of Check that is about the layers' modes.
func (p *Plan) checkModes(l Limits) error {
	for i, layer := range p.Layers {
		switch {
		case !slices.Contains(modes[:], layer.Mode):
			return fmt.Errorf("the mode %q of the plan's layer %d is not known", layer.Mode, i)
		case l.Mode != Auto && layer.Mode != l.Mode:
			return fmt.Errorf("layer %d of the plan has the mode %s, not %s", i, layer.Mode, l.Mode)
		}
	}
	if mode := lossiest(p.Layers); p.Mode != mode {
		return fmt.Errorf("the plan's mode is %s, but by its layers it is %s", p.Mode, mode)
	}
	return nil
}

// checkMemory is the part of Check that is about bytes.
func (p *Plan) checkMemory(m *Model, l Limits) error {
	for _, n := range p.Memory.parts() {
		if n < 0 {
			return errors.New("a part of the plan's memory is less than nothing")
		}
	}
	s := m.slots(p.TwoPhase, l)
	need := Split{m.Fixed, m.predictor(p.Layers), m.KV, m.Work, p.Memory.Program, p.Memory.Hot, p.Memory.Cold}
	switch {
	case p.Memory.Total() > p.Budget:
		return fmt.Errorf("the plan's parts take %s, more than its budget of %s", size(p.Memory.Total()), size(p.Budget))
	case need.Total() > p.Budget:
		return fmt.Errorf("with this context, number of threads and format of keys and values the plan takes %s, more than its budget of %s; make it anew with hotcell plan",
			size(need.Total()), size(p.Budget))
	case p.Memory.Cold < s.largest():
		return fmt.Errorf("the plan leaves %s for single neurons, a layer needs %s", size(p.Memory.Cold), size(s.largest()))
	}
	var hot int64
	for i, layer := range p.Layers {
		n, cluster := m.Layers[i].Neurons, l.ClusterUnits*m.Layers[i].UnitNeurons
		for _, neurons := range []int{layer.HotGates, layer.HotRest} {
			if neurons < 0 || neurons > n || neurons%cluster != 0 && neurons != n {
				return fmt.Errorf("layer %d of the plan has %d hot neurons; possible are clusters of %d, up to %d", i, neurons, cluster, n)
			}
			hot += int64((neurons+cluster-1)/cluster) * s.chunk()
		}
		if !p.TwoPhase && layer.HotGates != layer.HotRest {
			return fmt.Errorf("layer %d of the plan has %d hot gates and %d other rows, but all are read together", i, layer.HotGates, layer.HotRest)
		}
	}
	if !p.TwoPhase {
		hot /= 2 // gates and other rows are the same slots
	}
	if hot > p.Memory.Hot {
		return fmt.Errorf("the plan's hot neurons take %s, more than the %s for them", size(hot), size(p.Memory.Hot))
	}
	return nil
}

// size is a number of bytes for people.
func size(n int64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%.0f MiB", math.Ceil(float64(n)/(1<<20)))
}
