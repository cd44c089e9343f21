package planner

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestAPlanThatDoesNotFitTheModelOrItselfIsRefusedWithTheReason(t *testing.T) {
	m, l := bamboo(3), Limits{Mode: Exact, ClusterUnits: 64, Budget: 1500 * mib}
	for _, c := range []struct {
		name  string
		spoil func(p *Plan, m *Model, l *Limits)
		want  string
	}{
		{"another version", func(p *Plan, _ *Model, _ *Limits) { p.Version = 2 }, "of version 2, only 1 is known"},
		{"another model", func(p *Plan, _ *Model, _ *Limits) { p.Model = "xyz" }, "for another model (bamboo)"},
		{"an unknown mode", func(p *Plan, _ *Model, _ *Limits) { p.Mode = "fast" }, `mode "fast" is not known`},
		{"another mode", func(_ *Plan, _ *Model, l *Limits) { l.Mode = Predicted }, "for the mode exact, not for predicted"},
		{"a layer with another mode", func(p *Plan, _ *Model, _ *Limits) { p.Layers[1].Mode = Predicted }, "layer 1 of the plan has the mode predicted, not exact"},
		{"a layer with an unknown mode", func(p *Plan, _ *Model, _ *Limits) { p.Layers[1].Mode = "" }, `the mode "" of the plan's layer 1 is not known`},
		{"a layer that gives up more than the plan says", func(p *Plan, _ *Model, l *Limits) { l.Mode, p.Layers[1].Mode = Auto, Predicted }, "the plan's mode is exact, but by its layers it is predicted"},
		{"fewer layers", func(p *Plan, _ *Model, _ *Limits) { p.Layers = p.Layers[:2] }, "for 2 layers, the model has 3"},
		{"no threads", func(p *Plan, _ *Model, _ *Limits) { p.Threads = 0 }, "0 threads"},
		{"no reads", func(p *Plan, _ *Model, _ *Limits) { p.Depth = 1 << 40 }, "reads at once"},
		{"a smaller budget", func(_ *Plan, _ *Model, l *Limits) { l.Budget -= 100 * mib }, "the plan takes 1.46 GiB, the budget is 1.37 GiB"},
		{"parts of a pack that has none", func(_ *Plan, m *Model, _ *Limits) { m.Layers[2].GateBytes = 0 }, "cannot be"},
		{"less than nothing", func(p *Plan, _ *Model, _ *Limits) { p.Memory.Work = -1 }, "less than nothing"},
		{"parts that overflow", func(p *Plan, _ *Model, _ *Limits) { p.Memory.Cold, p.Memory.Hot = math.MaxInt64, math.MaxInt64 }, "more than its budget"},
		{"parts beyond the budget", func(p *Plan, _ *Model, _ *Limits) { p.Memory.Cold += 100 * mib }, "more than its budget of 1.46 GiB"},
		{"a larger context", func(_ *Plan, m *Model, _ *Limits) { m.KV += 64 * mib }, "with this context, number of threads"},
		{"no room for a layer", func(p *Plan, _ *Model, _ *Limits) { p.Memory.Cold = 100 * mib }, "a layer needs 112 MiB"},
		{"part of a cluster", func(p *Plan, _ *Model, _ *Limits) { p.Layers[0].HotGates-- }, "clusters of 64, up to 14336"},
		{"neurons below zero", func(p *Plan, _ *Model, _ *Limits) { p.Layers[0].HotRest = -64 }, "-64 hot neurons"},
		{"neurons that there are not", func(p *Plan, _ *Model, _ *Limits) { p.Layers[0].HotRest = 64000 }, "64000 hot neurons"},
		{"more hot neurons than room", func(p *Plan, _ *Model, _ *Limits) { p.Layers[0].HotGates, p.Layers[0].HotRest = 14336, 14336 }, "more than the"},
		{"other rows apart that are not", func(p *Plan, _ *Model, _ *Limits) { p.TwoPhase, p.Layers[0].HotRest = false, 0 }, "are read together"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Solve(m, &phone, l)
			if err != nil {
				t.Fatal(err)
			}
			other, limits := *m, l
			other.Layers = append([]Layer(nil), m.Layers...)
			if err := p.Check(&other, limits); err != nil {
				t.Fatalf("unspoilt: %v", err)
			}
			c.spoil(p, &other, &limits)
			if err := p.Check(&other, limits); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestAPlanForLessThanTheBudgetIsUsed(t *testing.T) {
	m, l := bamboo(3), Limits{Mode: Exact, ClusterUnits: 64, Budget: 1500 * mib}
	p, err := Solve(m, &phone, l)
	if err != nil {
		t.Fatal(err)
	}
	l.Budget *= 2
	m.KV /= 2            // a smaller context
	m.Program += 5 * mib // another start of the program
	if err := p.Check(m, l); err != nil {
		t.Error(err)
	}
}

func TestJSONThatIsNoPlanIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "null x", "[]", `"plan"`, `{"version":1,"hot_gates":3}`, `{"version":1e99}`, `{"layers":{}}`, `{"version":1} {}`, `{"memory":{"hot":1.5}}`,
		`{"budget":99999999999999999999}`, `{"why":[`, strings.Repeat(`{"memory":`, 20000),
	} {
		if p, err := Parse([]byte(text)); err == nil {
			t.Errorf("%.40q became %+v", text, p)
		} else if !strings.HasPrefix(err.Error(), "reading the plan: ") {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

func FuzzAPlanFromOutsideIsCheckedWithoutPanic(f *testing.F) {
	m, l := bamboo(1), Limits{Mode: Exact, ClusterUnits: 64, Budget: 1400 * mib}
	p, err := Solve(m, &phone, l)
	if err != nil {
		f.Fatal(err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"version":1,"model":"abc","mode":"exact","layers":[{}],"threads":1,"io_depth":1}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Parse(text)
		if err != nil || p.Check(m, l) != nil {
			return
		}
		var hot int64
		for _, layer := range p.Layers {
			hot += int64(layer.HotGates) * 4096
			if p.TwoPhase {
				hot += int64(layer.HotRest) * 4096
			} else {
				hot += int64(layer.HotGates) * 4096
			}
		}
		if p.Memory.Total() > l.Budget || hot > p.Memory.Hot || p.Memory.Cold < 14336*8192 {
			t.Errorf("%s passed", text)
		}
	})
}
