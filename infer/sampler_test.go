package infer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

var (
	nan = float32(math.NaN())
	inf = float32(math.Inf(1))
)

// sampleOnce draws one token with a fresh sampler and leaves logits as they are.
func sampleOnce(s Sampling, logits []float32, recent ...int32) int32 {
	return newSampler(s, len(logits)).sample(slices.Clone(logits), recent)
}

func TestFiltersKeepWhatSortingAndCuttingKeeps(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	compared := 0
	for range 3000 {
		n := 1 + rng.IntN(200)
		compared += compareWithOracle(t, randomSampling(rng, n), randomLogits(rng, n))
	}
	if compared < 2500 {
		t.Errorf("only %d cases were clear enough to compare", compared)
	}
}

// compareWithOracle is 1 when the case was clear and 0 when rounding decides it.
func compareWithOracle(t *testing.T, s Sampling, logits []float32) int {
	t.Helper()
	want, sure := oracle(s, logits)
	if !sure {
		return 0
	}
	got := kept(s, logits)
	for id, p := range want {
		if g := got[int32(id)]; math.Abs(g-p) > 1e-6 {
			t.Fatalf("%+v: token %d has probability %g, want %g\nlogits %v", s, id, g, p, logits)
		}
	}
	return 1
}

func TestFilterExamples(t *testing.T) {
	// Probabilities 1/2, 1/4, 1/8, 1/16, 1/16 at ids 3, 1, 4, 0, 2.
	logits := make([]float32, 5)
	for id, p := range []float64{1. / 16, 1. / 4, 1. / 16, 1. / 2, 1. / 8} {
		logits[id] = float32(math.Log(p))
	}
	tests := []struct {
		name string
		s    Sampling
		keep []int32
	}{
		{"without filters all tokens stay", Sampling{}, []int32{0, 1, 2, 3, 4}},
		{"top-k keeps the k largest", Sampling{TopK: 2}, []int32{1, 3}},
		{"top-k beyond the vocabulary keeps all", Sampling{TopK: 50}, []int32{0, 1, 2, 3, 4}},
		{"top-k takes the lowest id of equals", Sampling{TopK: 4}, []int32{0, 1, 3, 4}},
		{"top-p keeps the smallest set that reaches it", Sampling{TopP: 0.7}, []int32{1, 3}},
		{"top-p takes the lowest id of equals", Sampling{TopP: 0.93}, []int32{0, 1, 3, 4}},
		{"top-p near 0 keeps the best", Sampling{TopP: 1e-6}, []int32{3}},
		{"top-p of 1 keeps all", Sampling{TopP: 1}, []int32{0, 1, 2, 3, 4}},
		{"min-p is relative to the best", Sampling{MinP: 0.3}, []int32{1, 3}},
		{"min-p of 1 keeps the best", Sampling{MinP: 1}, []int32{3}},
		{"top-p counts only what top-k left", Sampling{TopK: 2, TopP: 0.6}, []int32{3}},
		{"the filters look at temperature 1", Sampling{TopP: 0.7, Temperature: 100}, []int32{1, 3}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.s.Temperature == 0 {
				test.s.Temperature = 1
			}
			var ids []int32
			for id := range kept(test.s, logits) {
				ids = append(ids, id)
			}
			slices.Sort(ids)
			if !slices.Equal(ids, test.keep) {
				t.Errorf("kept %v, want %v", ids, test.keep)
			}
		})
	}
}

// Counts of n draws against their exact probabilities: chi-square, and nothing that should never come.
func TestDrawsFollowTheProbabilities(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	logits := make([]float32, 40)
	for i := range logits {
		logits[i] = float32(rng.NormFloat64() * 2)
	}
	const n = 100_000
	for _, s := range []Sampling{
		{Temperature: 1}, {Temperature: 0.5}, {Temperature: 3}, {Temperature: 1, TopK: 5},
		{Temperature: 1, TopP: 0.8}, {Temperature: 0.7, MinP: 0.1}, {Temperature: 1.3, TopK: 20, TopP: 0.95, MinP: 0.02},
	} {
		s.Seed = 7
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			probs, _ := oracle(s, logits)
			counts := make([]int, len(logits))
			sm := newSampler(s, len(logits))
			buffer := make([]float32, len(logits))
			for range n {
				copy(buffer, logits)
				counts[sm.sample(buffer, nil)]++
			}
			chi, classes := 0.0, 0
			for id, p := range probs {
				if p == 0 && counts[id] > 0 {
					t.Errorf("token %d was filtered out and drawn %d times", id, counts[id])
				}
				if want := p * n; want > 5 {
					chi += (float64(counts[id]) - want) * (float64(counts[id]) - want) / want
					classes++
				}
			}
			// Mean classes-1, deviation sqrt(2(classes-1)); five deviations are one in a million.
			free := float64(classes - 1)
			if chi > free+5*math.Sqrt(2*free) {
				t.Errorf("chi-square %.1f with %v degrees of freedom", chi, free)
			}
		})
	}
}

func TestGreedyTakesTheLargestAndTheLowestIDOfEquals(t *testing.T) {
	tests := []struct {
		name   string
		logits []float32
		want   int32
	}{
		{"the largest", []float32{1, 3, 2}, 1},
		{"the first of equals", []float32{1, 3, 3, 3}, 1},
		{"zeros of both signs are equal", []float32{float32(math.Copysign(0, -1)), 0}, 0},
		{"NaN first", []float32{nan, -5, -4}, 2},
		{"NaN last", []float32{-5, -4, nan}, 1},
		{"all NaN", []float32{nan, nan}, 0},
		{"all -Inf", []float32{-inf, -inf}, 0},
		{"-Inf after NaN", []float32{nan, -inf}, 1},
		{"+Inf", []float32{1, inf, inf, 2}, 1},
		{"no logits", nil, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := sampleOnce(Sampling{}, test.logits); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestLogitsThatAreNoNumbersAreHandled(t *testing.T) {
	tests := []struct {
		name   string
		logits []float32
		may    []int32
	}{
		{"NaN is never drawn", []float32{nan, 0, nan, 0, nan}, []int32{1, 3}},
		{"-Inf is never drawn", []float32{-inf, 0, -inf, 0}, []int32{1, 3}},
		{"+Inf excludes all others and its tokens are equals", []float32{5, inf, 3, inf, nan}, []int32{1, 3}},
		{"all NaN gives token 0", []float32{nan, nan, nan}, []int32{0}},
		{"NaN and -Inf give the first -Inf", []float32{nan, -inf, -inf}, []int32{1}},
		{"nothing gives token 0", nil, []int32{0}},
		{"the largest floats", []float32{-math.MaxFloat32, math.MaxFloat32, -math.MaxFloat32}, []int32{1}},
	}
	filters := []Sampling{{}, {TopK: 2}, {TopP: 0.99}, {MinP: 0.5}, {TopK: 2, TopP: 0.99, MinP: 0.5}}
	for _, test := range tests {
		for _, s := range filters {
			s.Temperature = 1
			drawn := map[int32]bool{}
			for s.Seed = range 60 {
				id := sampleOnce(s, test.logits)
				if drawn[id] = true; !slices.Contains(test.may, id) {
					t.Fatalf("%s: %+v: drew %d", test.name, s, id)
				}
			}
			if len(drawn) != len(test.may) {
				t.Errorf("%s: %+v: drew only %v of %v", test.name, s, drawn, test.may)
			}
		}
	}
}

func TestPenalties(t *testing.T) {
	tests := []struct {
		name   string
		s      Sampling
		logits []float32
		recent []int32
		want   []float32
	}{
		{"a repeat penalty divides positive and multiplies negative logits, once per token",
			Sampling{RepeatPenalty: 2}, []float32{4, -4, 4, 0}, []int32{0, 1, 0, 3}, []float32{2, -8, 4, 0}},
		{"a presence penalty counts once",
			Sampling{PresencePenalty: 1}, []float32{5, 5, 5}, []int32{1, 1, 2}, []float32{5, 4, 4}},
		{"a frequency penalty counts each time",
			Sampling{FrequencyPenalty: 1}, []float32{5, 5, 5}, []int32{1, 1, 2}, []float32{5, 3, 4}},
		{"the repeat penalty comes before the other two",
			Sampling{RepeatPenalty: 2, PresencePenalty: 1, FrequencyPenalty: 0.5}, []float32{8}, []int32{0, 0}, []float32{2}},
		{"only the last tokens count",
			Sampling{PresencePenalty: 1, RepeatLast: 2}, []float32{5, 5, 5}, []int32{0, 1, 2}, []float32{5, 4, 4}},
		{"64 tokens count when nothing is said",
			Sampling{PresencePenalty: 1}, []float32{5, 5, 5}, append([]int32{0, 1}, slices.Repeat([]int32{2}, 63)...), []float32{5, 4, 4}},
		{"ids outside the vocabulary are passed over",
			Sampling{PresencePenalty: 1}, []float32{5}, []int32{-1, 7, math.MaxInt32, math.MinInt32}, []float32{5}},
		{"a repeat penalty of 1 changes nothing",
			Sampling{RepeatPenalty: 1}, []float32{5}, []int32{0}, []float32{5}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sm := newSampler(test.s, len(test.logits))
			for range 2 { // the second time shows that nothing is left over from the first
				logits := slices.Clone(test.logits)
				sm.sample(logits, test.recent)
				if !slices.Equal(logits, test.want) {
					t.Errorf("got %v, want %v", logits, test.want)
				}
			}
		})
	}
}

func TestTheSameSeedMakesTheSameChoices(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	logits := make([]float32, 1000)
	for i := range logits {
		logits[i] = float32(rng.NormFloat64())
	}
	text := func(seed int64) (ids []int32) {
		sm := newSampler(Sampling{Temperature: 1, TopP: 0.9, RepeatPenalty: 1.1, Seed: seed}, len(logits))
		for range 50 {
			ids = append(ids, sm.sample(slices.Clone(logits), ids))
		}
		return ids
	}
	if a, b := text(42), text(42); !slices.Equal(a, b) {
		t.Errorf("seed 42 gave %v and %v", a, b)
	}
	if a, b := text(0), text(1); slices.Equal(a, b) {
		t.Error("seeds 0 and 1 gave the same text")
	}
	if a, b := text(-1), text(-1); slices.Equal(a, b) {
		t.Error("a random seed gave the same text twice")
	}
}

func TestValidateSaysWhatIsWrong(t *testing.T) {
	good := []Sampling{
		{},
		{RepeatPenalty: 1.1, RepeatLast: 128, PresencePenalty: -2, FrequencyPenalty: 2, TopK: 40, TopP: 1, MinP: 1, Temperature: 5, Seed: -1},
	}
	for _, s := range good {
		if err := s.Validate(); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
	bad := map[string][]Sampling{
		"repeat penalty":    {{RepeatPenalty: -1}, {RepeatPenalty: nan}, {RepeatPenalty: inf}},
		"repeat last":       {{RepeatLast: -1}},
		"presence penalty":  {{PresencePenalty: nan}, {PresencePenalty: -inf}},
		"frequency penalty": {{FrequencyPenalty: nan}, {FrequencyPenalty: inf}},
		"top-k":             {{TopK: -1}},
		"top-p":             {{TopP: -0.1}, {TopP: 1.1}, {TopP: nan}},
		"min-p":             {{MinP: -0.1}, {MinP: 1.1}, {MinP: nan}},
		"temperature":       {{Temperature: -1}, {Temperature: nan}, {Temperature: inf}},
	}
	for field, list := range bad {
		for _, s := range list {
			if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), field+" is ") {
				t.Errorf("%+v: %v", s, err)
			}
		}
	}
}

func TestSamplingAllocatesNothing(t *testing.T) {
	logits := make([]float32, 5000)
	rng := rand.New(rand.NewPCG(7, 8))
	for i := range logits {
		logits[i] = float32(rng.NormFloat64())
	}
	buffer := make([]float32, len(logits))
	recent := []int32{1, 2, 3, 2, 1}
	for _, s := range []Sampling{{}, {Temperature: 1, TopK: 40, TopP: 0.9, MinP: 0.1, RepeatPenalty: 1.1, FrequencyPenalty: 1}} {
		sm := newSampler(s, len(logits))
		if got := testing.AllocsPerRun(50, func() { copy(buffer, logits); sm.sample(buffer, recent) }); got != 0 {
			t.Errorf("%+v: %v allocations per token", s, got)
		}
	}
}

func TestExpDownIsCloseToExp(t *testing.T) {
	for x := 0.0; x > -700; x -= 0.0137 {
		if got, want := expDown(x), math.Exp(x); math.Abs(got-want) > 1e-8*want {
			t.Fatalf("expDown(%g) = %g, want %g", x, got, want)
		}
	}
	for _, x := range []float64{-710, -1e9, -math.MaxFloat64, math.Inf(-1)} {
		if got := expDown(x); got != 0 {
			t.Errorf("expDown(%g) = %g", x, got)
		}
	}
	if expDown(0) != 1 {
		t.Errorf("expDown(0) = %g", expDown(0))
	}
}

func TestKeysHaveTheOrderOfTheirLogits(t *testing.T) {
	values := []float32{-math.MaxFloat32, -1, -math.SmallestNonzeroFloat32, 0, math.SmallestNonzeroFloat32, 1, math.MaxFloat32}
	for i, v := range values {
		if logitOf(keyOf(v)) != v {
			t.Errorf("%g becomes %g", v, logitOf(keyOf(v)))
		}
		if i > 0 && keyOf(values[i-1]) >= keyOf(v) {
			t.Errorf("the key of %g is not below that of %g", values[i-1], v)
		}
	}
	if keyOf(float32(math.Copysign(0, -1))) != keyOf(0) {
		t.Error("the zeros have different keys")
	}
}

// FuzzSample lets arbitrary bits be logits and settings: it checks that the choice is a token that may be
// chosen and, for finite logits, that the filters agree with the oracle.
func FuzzSample(f *testing.F) {
	f.Add([]byte{0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64}, float32(1), 2, float32(0.9), float32(0.1), float32(1.1))
	f.Add([]byte{0, 0, 192, 127, 0, 0, 128, 127, 0, 0, 128, 255}, float32(0.5), 0, float32(0), float32(0), float32(0))
	f.Add([]byte{0, 0, 0, 128, 0, 0, 0, 0, 1, 0, 0, 0, 255, 255, 127, 127}, float32(2), 3, float32(0.99), float32(1), float32(2))
	f.Fuzz(func(t *testing.T, raw []byte, temperature float32, topK int, topP, minP, repeat float32) {
		logits := make([]float32, min(len(raw)/4, 4096))
		usable := false
		for i := range logits {
			bits := uint32(raw[4*i]) | uint32(raw[4*i+1])<<8 | uint32(raw[4*i+2])<<16 | uint32(raw[4*i+3])<<24
			logits[i] = math.Float32frombits(bits)
			usable = usable || logits[i] > -inf
		}
		s := Sampling{Temperature: temperature, TopK: topK, TopP: topP, MinP: minP, RepeatPenalty: repeat}
		id := sampleOnce(s, logits, 0, 1, 1, -1) // no settings, valid or not, may crash it
		if len(logits) == 0 {
			if id != 0 {
				t.Fatalf("chose %d of nothing", id)
			}
			return
		}
		if id < 0 || int(id) >= len(logits) {
			t.Fatalf("chose %d of %d", id, len(logits))
		}
		if s.Validate() != nil {
			return
		}
		s.RepeatPenalty = 0
		if id := sampleOnce(s, logits); usable && !(logits[id] > -inf) {
			t.Fatalf("%+v: chose %d of %v", s, id, logits)
		}
		if temperature > 0.01 {
			compareWithOracle(t, s, logits)
		}
	})
}

func BenchmarkSample150k(b *testing.B) {
	const vocab = 150_000
	rng := rand.New(rand.NewPCG(9, 10))
	peaked, flat := make([]float32, vocab), make([]float32, vocab)
	for i := range vocab {
		flat[i] = float32(rng.NormFloat64())
		peaked[i] = float32(rng.NormFloat64() * 3)
	}
	peaked[77] = 25
	for _, s := range []struct {
		name string
		Sampling
	}{
		{"greedy", Sampling{}},
		{"all", Sampling{Temperature: 1}},
		{"topK=40", Sampling{Temperature: 1, TopK: 40}},
		{"topP=.95", Sampling{Temperature: 1, TopP: 0.95}},
		{"minP=.05", Sampling{Temperature: 1, MinP: 0.05}},
		{"usual", Sampling{Temperature: 0.7, TopK: 40, TopP: 0.95, MinP: 0.05, RepeatPenalty: 1.1}},
	} {
		for name, logits := range map[string][]float32{"peaked": peaked, "flat": flat} {
			b.Run(s.name+"/"+name, func(b *testing.B) {
				sm := newSampler(s.Sampling, vocab)
				buffer := make([]float32, vocab)
				for b.Loop() {
					copy(buffer, logits) // 20 us
					sm.sample(buffer, nil)
				}
			})
		}
	}
}
