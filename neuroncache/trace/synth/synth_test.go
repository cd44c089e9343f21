package synth

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"hotcell/neuroncache/trace"
)

// measured makes tokens of a shape and measures what was written.
func measured(t *testing.T, shape Shape, tokens int) *trace.Statistics {
	t.Helper()
	g := New(shape, 7)
	var b bytes.Buffer
	w, err := trace.NewWriter(&b, g.Header())
	if err != nil {
		t.Fatal(err)
	}
	for range tokens {
		if err := g.WriteToken(w); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := trace.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	s := trace.NewStatistics(r.Header)
	for token, err := r.Next(); err != io.EOF; token, err = r.Next() {
		if err != nil {
			t.Fatal(err)
		}
		s.Add(token)
	}
	return s
}

func find(t testing.TB, name string) Shape {
	t.Helper()
	shape, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return shape
}

// TestTracesHaveThePublishedHabits holds the generated statistics against the targets of the package comment. It makes fewer layers than the models
// have, each with the mean share of active neurons.
func TestTracesHaveThePublishedHabits(t *testing.T) {
	if testing.Short() {
		t.Skip("makes thousands of tokens")
	}
	type target struct {
		what          string
		got, low, top float64
	}
	for _, test := range []struct {
		shape   string
		layers  int
		tokens  int
		targets func(s *trace.Statistics, shape Shape) []target
	}{
		{"bamboo-7b", 2, 500, func(s *trace.Statistics, shape Shape) []target {
			return []target{
				{"share of active neurons, published 10 %", s.Share(), 0.09, 0.11},
				{"activity of 26 % of the neurons, published 80 %", s.Skew(0.26), 0.77, 0.83},
				{"new after a window of 5 tokens, published 24 to 25 %", s.New(), 0.20, 0.27},
				{"held by a window of 5 tokens, published 24 %", s.Union(), 0.22, 0.27},
			}
		}},
		{"turbosparse-mixtral-47b", 2, 250, func(s *trace.Statistics, shape Shape) []target {
			return []target{
				{"share of active neurons, published 15 % of 2 of 8 experts", s.Share(), 0.15 * 2 / 8 * 0.9, 0.15 * 2 / 8 * 1.1},
				{"tokens that use an expert again, published about 60 %", s.Repeats(), 0.55, 0.66},
			}
		}},
		{"smallthinker-21b", 4, 300, func(s *trace.Statistics, shape Shape) []target {
			return []target{
				{"active neurons of an expert, measured about 155", s.Active() / float64(shape.Layers*shape.Used), 135, 175},
			}
		}},
		{"qwen3-30b-a3b", 24, 1500, func(s *trace.Statistics, shape Shape) []target {
			return []target{
				{"experts of a token and layer", s.Active() / float64(shape.Layers), 8, 8},
				{"experts that take 90 % of the routing, measured 45 to 51 %", s.Coverage(0.9), 0.43, 0.54},
				{"the most popular of 128 experts, measured 4.3 to 6.3 %", s.Skew(1.0 / 128), 0.04, 0.075},
			}
		}},
	} {
		shape := find(t, test.shape)
		mean := shape.meanShare()
		shape.Layers, shape.Least, shape.Most = test.layers, mean, mean
		s := measured(t, shape, test.tokens)
		for _, target := range test.targets(s, shape) {
			t.Logf("%s: %s: %.4f", test.shape, target.what, target.got)
			if target.got < target.low || target.got > target.top {
				t.Errorf("%s: %s: %.4f, want %.4f to %.4f", test.shape, target.what, target.got, target.low, target.top)
			}
		}
	}
}

func TestShapesAreThoseOfTheModels(t *testing.T) {
	for name, want := range map[string][3]int{ // groups, units of each, units of a token at most
		"bamboo-7b": {32, 14336, 14336}, "turbosparse-mixtral-47b": {256, 14336, 2 * 14336}, "smallthinker-21b": {3328, 768, 6 * 768}, "qwen3-30b-a3b": {48, 128, 8},
	} {
		shape := find(t, strings.ToUpper(name))
		h := New(shape, 1).Header()
		if len(h.Groups) != want[0] || h.Groups[0] != want[1] || h.Layers() != shape.Layers || h.Name != name || h.UnitBytes%4096 != 0 {
			t.Errorf("%s: %d groups of %d in %d layers, units of %d bytes", h.Name, len(h.Groups), h.Groups[0], h.Layers(), h.UnitBytes)
		}
	}
	if _, err := Find("llama-2-7b"); err == nil || !strings.Contains(err.Error(), "bamboo-7b") {
		t.Errorf("a shape that is not known: %v", err)
	}
	if len(Names()) != 4 {
		t.Errorf("%v", Names())
	}
}

func TestTheMeanOfTheLayersIsThePublishedShare(t *testing.T) {
	for name, want := range map[string]float64{"bamboo-7b": 0.10, "turbosparse-mixtral-47b": 0.15, "smallthinker-21b": 155.0 / 768} {
		shape := find(t, name)
		if mean := shape.meanShare(); mean < want*0.97 || mean > want*1.03 {
			t.Errorf("%s: %.4f, want %.4f", name, mean, want)
		}
	}
}

// meanShare is the share of active neurons over all layers.
func (s *Shape) meanShare() (mean float64) {
	for l := range s.Layers {
		mean += s.share(l) / float64(s.Layers)
	}
	return mean
}

func TestTheSeedDecidesEverythingAndTheOrderOfLayersNothing(t *testing.T) {
	shape := find(t, "bamboo-7b")
	shape.Layers = 3
	tokens := func(seed uint64, layers []int) (all [3][][]int32) {
		g := New(shape, seed)
		for range 200 {
			for _, l := range layers {
				all[l] = append(all[l], slices.Clone(g.Next(l)))
			}
		}
		return all
	}
	equal := func(a, b [3][][]int32) bool {
		for l := range a {
			if !slices.EqualFunc(a[l], b[l], slices.Equal[[]int32]) {
				return false
			}
		}
		return true
	}
	first := tokens(5, []int{0, 1, 2})
	if !equal(first, tokens(5, []int{2, 0, 1})) {
		t.Error("another order of layers is another trace")
	}
	if equal(first, tokens(6, []int{0, 1, 2})) {
		t.Error("another seed is the same trace")
	}
	if slices.EqualFunc(first[0], first[1], slices.Equal[[]int32]) {
		t.Error("two layers do the same")
	}
}

func TestExpertsAreDifferentAndInOrder(t *testing.T) {
	for _, name := range []string{"turbosparse-mixtral-47b", "smallthinker-21b"} {
		shape := find(t, name)
		g := New(shape, 3)
		for range 300 {
			experts := g.Route(1)
			if len(experts) != shape.Used || !slices.IsSorted(experts) || len(slices.Compact(slices.Clone(experts))) != shape.Used || int(experts[shape.Used-1]) >= shape.Experts {
				t.Fatalf("%s: %v", name, experts)
			}
		}
	}
}

func TestATokenIsDrawnWithoutAllocating(t *testing.T) {
	dense, experts, mixed := New(find(t, "bamboo-7b"), 1), New(find(t, "qwen3-30b-a3b"), 1), New(find(t, "smallthinker-21b"), 1)
	for range 20 { // groups get their memory when they are first used
		for _, e := range mixed.Route(0) {
			mixed.Next(int(e))
		}
	}
	dense.Next(0)
	experts.Next(0)
	if n := testing.AllocsPerRun(300, func() { dense.Next(0); experts.Next(0); mixed.Route(0) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkNext draws one layer of 14,336 neurons.
func BenchmarkNext(b *testing.B) {
	g := New(find(b, "bamboo-7b"), 1)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		g.Next(i % 32)
	}
}
