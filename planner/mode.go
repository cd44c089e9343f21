package planner

import (
	"cmp"
	"slices"
)

// How a layer is computed follows from its activity: where few neurons are active a predictor saves most of the gates' products, where nearly all are
// there is nothing to predict or to wait for.

// mostActive is the mean share of tokens that need a neuron from which on all its rows are read at once, where nothing was measured: the second read of a
// page costs more than is read in vain.
const mostActive = 0.9

// layerModes decides how each layer is computed: as the user says, or if that is left open as its activity says. Predictors are taken for the layers where they
// save most first, as far as there is room for them.
func layerModes(m *Model, d *Device, l Limits) []LayerPlan {
	layers := make([]LayerPlan, len(m.Layers))
	for i := range layers {
		layers[i].Mode = l.Mode
	}
	if l.Mode != Auto {
		return layers
	}
	whole := mostActive
	if d.Page > 0 && d.Pair > 0 { // one read of two pages against one of the gate and one of the rest
		whole = max(0.5, d.Page/d.Pair-1)
	}
	var order []int
	saved := make([]float64, len(layers))
	for i := range layers {
		x := &m.Layers[i]
		if layers[i].Mode = Exact; m.splits() && x.meanNeeded() >= whole {
			layers[i].Mode = Dense
		}
		_, all := x.seconds(layers[i].Mode, d)
		predictor, named := x.seconds(Predicted, d)
		saved[i] = all - predictor - named
		order = append(order, i)
	}
	if !l.Lossy {
		return layers
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(saved[b], saved[a]) })
	room := l.Budget - Minimum(m, l)
	for _, i := range order {
		if bytes := m.Layers[i].Predictor; saved[i] > 0 && bytes <= room {
			layers[i].Mode = Predicted
			room -= bytes
		}
	}
	return layers
}

// meanNeeded is the share of a layer's units that a token needs.
func (l *Layer) meanNeeded() (mean float64) {
	for u := range l.units() {
		mean += l.needed(u) / float64(l.units())
	}
	return mean
}

// always tells whether every token needs part 0 of each unit, which has the gates, or part 1.
func (l *LayerPlan) always(part int) bool { return l.Mode == Dense || l.Mode == Exact && part == 0 }

// twoPhase tells whether two reads of a page, the second only for active neurons, beat one of both pages.
func twoPhase(m *Model, d *Device, layers []LayerPlan) bool {
	if !m.splits() {
		return false
	}
	has := func(mode string) bool {
		return slices.ContainsFunc(layers, func(l LayerPlan) bool { return l.Mode == mode })
	}
	return has(Exact) || has(Predicted) && d.Page > 0 && d.Pair > 0 && (1+rowsActive)/d.Page < 1/d.Pair
}
