package planner

import (
	"slices"
	"strings"
	"testing"
)

// mixed is a model of three layers: one whose neurons are rarely active, one in which half of them are, and one in which nearly all are.
func mixed() *Model {
	m := bamboo(3)
	for i, a := range []float32{0.05, 0.6, 0.97} {
		for pos := range m.Layers[i].Activity {
			m.Layers[i].Activity[pos] = a
		}
	}
	return m
}

func TestModesOfLayers(t *testing.T) {
	for _, c := range []struct {
		name  string
		mode  string
		lossy bool
		room  int64 // beyond the least budget
		d     Device
		want  []string
		whole string
	}{
		{"where nothing may be lost layers are exact, and dense where nearly all neurons are active", Auto, false, 500 * mib, Device{}, []string{Exact, Exact, Dense}, Exact},
		{"a slow second read makes more of them dense", Auto, false, 500 * mib, Device{ReadBytes: 4e10, Page: 100e3, Pair: 80e3}, []string{Exact, Dense, Dense}, Exact},
		{"a predictor is taken where few neurons are active", Auto, true, 500 * mib, Device{}, []string{Predicted, Exact, Dense}, Predicted},
		{"but not where there is no room for it", Auto, true, 5 * mib, Device{}, []string{Exact, Exact, Dense}, Exact},
		{"a mode that is given rules all layers", Predicted, false, 500 * mib, Device{}, []string{Predicted, Predicted, Predicted}, Predicted},
		{"also exact", Exact, true, 500 * mib, Device{}, []string{Exact, Exact, Exact}, Exact},
		{"and dense", Dense, true, 500 * mib, Device{}, []string{Dense, Dense, Dense}, Dense},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, l := mixed(), Limits{Mode: c.mode, Lossy: c.lossy, ClusterUnits: 64}
			l.Budget = Minimum(m, l) + c.room
			p, err := Solve(m, &c.d, l)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			var predictors int64
			for _, l := range p.Layers {
				if got = append(got, l.Mode); l.Mode == Predicted {
					predictors += 10 * mib
				}
			}
			if !slices.Equal(got, c.want) || p.Mode != c.whole || p.Memory.Predictor != predictors {
				t.Errorf("%v, as a whole %s, predictors take %d", got, p.Mode, p.Memory.Predictor)
			}
			if open := strings.Contains(p.Why[0], "of 3 layers are"); open != (c.mode == Auto) {
				t.Errorf("why: %q", p.Why)
			}
			if err := p.Check(m, Limits{Budget: l.Budget, ClusterUnits: 64}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestADenseLayerNeedsAllRowsForEveryToken(t *testing.T) {
	m, l := mixed(), Limits{Mode: Auto, ClusterUnits: 64}
	l.Budget = Minimum(m, l) + 250*mib
	p, err := Solve(m, &phone, l)
	if err != nil {
		t.Fatal(err)
	}
	if !p.TwoPhase || p.Layers[2].HotRest == 0 || p.Layers[0].HotRest != 0 || p.Layers[0].HotGates == 0 {
		t.Errorf("%+v", p.Layers)
	}
	l.Mode = Dense
	if p, err = Solve(m, &phone, l); err != nil || p.TwoPhase {
		t.Errorf("%v: all is read at once, but in two phases", err)
	}
}
