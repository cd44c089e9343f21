package pack

import (
	"fmt"
	"testing"

	"hotcell/models/builtin"
	"hotcell/models/gguf"
)

func TestCompactHoldsEveryNeuronOfTheModel(t *testing.T) {
	models := oddModels(t)
	trained, err := builtin.Open()
	if err != nil {
		t.Fatal(err)
	}
	models["the built-in model"] = trained
	found := 0
	for name, src := range models {
		for _, together := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, together %v", name, together), func(t *testing.T) {
				groups, err := Compact(src, together)
				if err != nil {
					t.Fatal(err)
				}
				for i := range groups {
					g := &groups[i]
					memory := make([]byte, g.UnitBytes)
					if err := g.Fill(src, memory); err != nil {
						t.Fatal(err)
					}
					apart(t, g)
					scales := make([]byte, g.DownScaleBytes())
					if len(scales) > 0 {
						if err := g.FillDownScales(src, scales); err != nil {
							t.Fatal(err)
						}
					}
					for n := 0; n < g.Neurons; n += 1 + g.Neurons/37 {
						for _, m := range g.matrices() {
							if m.Has() {
								wantNeuron(t, src, scales, g, m, memory, n, n)
								found++
							}
						}
					}
				}
			})
		}
	}
	if found < 100 {
		t.Errorf("only %d rows were looked at", found)
	}
	if err := (&Group{UnitBytes: 64, Units: 1}).Fill(model(t, "llama", tensor("a", gguf.F32, 1)), nil); err == nil {
		t.Error("a memory of the wrong size is filled")
	}
}
