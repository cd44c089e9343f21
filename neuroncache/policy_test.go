package neuroncache

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// bench is a policy with slots of its own, in which nothing is busy unless the test says so.
type bench struct {
	policy
	space
	occupied map[int32]bool // slots that are busy
}

func newBench(t *testing.T, name string, slots, units int) *bench {
	t.Helper()
	b := &bench{occupied: map[int32]bool{}}
	b.space = space{slots: make([]slot, slots), units: make([]unit, units), cluster: 4, busy: func(s int32) bool { return b.occupied[s] }}
	p, err := newPolicy(name, b.space)
	if err != nil {
		t.Fatal(err)
	}
	b.policy = p
	return b
}

// put admits a unit into a slot.
func (b *bench) put(s, unit int32) {
	b.slots[s].unit = unit
	b.units[unit].put(place(s + 1))
	b.admit(s)
}

func (b *bench) use(now uint32, units ...int32) {
	for _, u := range units {
		b.units[u].used = now
	}
	b.touch(units)
}

func TestAPolicyGivesEverySlotOnceAndNeverABusyOne(t *testing.T) {
	for _, name := range Policies() {
		const slots = 50
		b := newBench(t, name, slots, 200)
		random := rand.New(rand.NewPCG(1, 1))
		for s := range int32(slots) {
			b.put(s, 3*s)
		}
		for now := range uint32(100) {
			b.use(now, 3*random.Int32N(slots), 3*random.Int32N(slots/5))
		}
		for _, s := range []int32{0, 7, 49} {
			b.occupied[s] = true
		}
		var got []int32
		for s := b.victim(); s >= 0; s = b.victim() {
			got = append(got, s)
		}
		slices.Sort(got)
		if len(got) != slots-3 || len(slices.Compact(slices.Clone(got))) != slots-3 || slices.ContainsFunc(got, func(s int32) bool { return b.occupied[s] }) {
			t.Errorf("%s: %d slots of %d, busy ones among them: %v", name, len(got), slots, got)
		}
		clear(b.occupied)
		var rest []int32
		for s := b.victim(); s >= 0; s = b.victim() {
			rest = append(rest, s)
		}
		if slices.Sort(rest); !slices.Equal(rest, []int32{0, 7, 49}) {
			t.Errorf("%s: %v were busy", name, rest)
		}
	}
}

func TestSlotsThatAreRemovedOrMovedAreGivenAsSuch(t *testing.T) {
	for _, name := range Policies() {
		const slots = 40
		b := newBench(t, name, slots, 100)
		random := rand.New(rand.NewPCG(2, 1))
		for s := range int32(slots / 2) {
			b.put(s, s)
		}
		for now := range uint32(60) {
			b.use(now, random.Int32N(slots/2))
		}
		b.occupied[3] = true
		first := b.victim()
		b.put(first, 90) // and one has been passed while it was busy, perhaps
		for s := range int32(slots / 2) {
			to := s + slots/2
			b.slots[to].unit = b.slots[s].unit
			b.move(s, to)
			b.units[b.slots[to].unit].put(place(to + 1))
		}
		clear(b.occupied)
		b.remove(slots/2 + 5)
		var got []int32
		for s := b.victim(); s >= 0; s = b.victim() {
			got = append(got, s)
		}
		slices.Sort(got)
		var want []int32
		for s := int32(slots / 2); s < slots; s++ {
			if s != slots/2+5 {
				want = append(want, s)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestEachPolicyKeepsWhatItIsMadeToKeep(t *testing.T) {
	for _, test := range []struct {
		name, policy string
		run          func(b *bench)
		want         []int32 // slots in the order in which they go
	}{
		{"lru: the order of last uses", "lru", func(b *bench) { b.use(1, 0, 2) }, []int32{1, 3, 0, 2}},
		{"cluster-lru: units of the cluster that was not used go together", "cluster-lru", func(b *bench) {
			b.put(4, 4)
			b.put(5, 5)
			b.use(1, 1)
		}, []int32{4, 5, 0, 1, 2, 3}},
		{"s3-fifo: who was used twice on trial stays longest", "s3-fifo", func(b *bench) {
			b.use(1, 0, 2)
			b.use(2, 0)
		}, []int32{1, 2, 3, 0}},
		{"s3-fifo: who comes back is kept", "s3-fifo", func(b *bench) {
			s := b.victim()
			b.put(s, 8)
			s = b.victim()
			b.put(s, 0)
		}, []int32{2, 3, 0, 1}},
		{"clock-pro: one use on trial makes it lasting", "clock-pro", func(b *bench) { b.use(1, 1) }, []int32{0, 2, 3, 1}},
		{"clock-pro: who comes back is lasting", "clock-pro", func(b *bench) {
			b.put(b.victim(), 8)
			b.put(b.victim(), 0)
		}, []int32{2, 3, 0, 1}},
		{"frequency: the order of counts", "frequency", func(b *bench) {
			for now := range uint32(9) {
				b.use(now+1, []int32{0, 2, 3}[:1+now/3]...)
			}
		}, []int32{1, 3, 2, 0}},
		{"frequency: an old habit is forgotten", "frequency", func(b *bench) {
			b.use(1, 0, 0, 0, 0)
			for now := range uint32(200) {
				b.use(now+2, 2, 3)
			}
			b.use(300, 1)
		}, []int32{0, 1, 2, 3}},
		{"frequency: who comes back has its old count", "frequency", func(b *bench) {
			b.use(1, 0, 0, 0, 1, 1, 2, 2, 3, 3)
			b.remove(0)
			b.put(0, 0)
		}, []int32{1, 2, 3, 0}},
	} {
		b := newBench(t, test.policy, 16, 32)
		for s := range int32(4) {
			b.put(s, s)
		}
		test.run(b)
		var got []int32
		for s := b.victim(); s >= 0; s = b.victim() {
			got = append(got, s)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: they go in the order %v, want %v", test.name, got, test.want)
		}
	}
}

func TestFrequencyRanksAsDecayedCountsDo(t *testing.T) {
	const slots, units = 64, 64
	b := newBench(t, "frequency", slots, units)
	p := b.policy.(*frequency)
	weight, at := make([]float64, units), 0.0
	count := func(unit int32, now float64) {
		for u := range weight {
			weight[u] *= math.Exp2((at - now) / float64(p.halfLife))
		}
		at = now
		weight[unit]++
	}
	random := rand.New(rand.NewPCG(4, 4))
	for s := range int32(slots) {
		count(s, at+1)
		b.put(s, s)
	}
	for now := range uint32(20_000) {
		u := int32(math.Pow(random.Float64(), 2) * units)
		count(u, at+1)
		b.use(now+1, u)
	}
	lowest := 0.0
	for s := b.victim(); s >= 0; s = b.victim() {
		w := weight[b.slots[s].unit]
		if w < lowest*0.85 { // ranks have steps
			t.Fatalf("unit %d with count %.1f goes after one with %.1f", b.slots[s].unit, w, lowest)
		}
		lowest = max(lowest, w)
	}
}

func TestFrequencyGoesOnWhenTimeIsSetBack(t *testing.T) {
	order := func(start int64) (slots []int32) {
		b := newBench(t, "frequency", 32, 64)
		p := b.policy.(*frequency)
		p.uses = start * p.halfLife
		p.pass(0)
		random := rand.New(rand.NewPCG(5, 5))
		for s := range int32(32) {
			b.put(s, s)
		}
		for now := range uint32(5000) {
			b.use(now+1, random.Int32N(1+random.Int32N(32)))
		}
		for s := b.victim(); s >= 0; s = b.victim() {
			slots = append(slots, s)
		}
		if p.now > latest {
			t.Errorf("time is %d", p.now)
		}
		return slots
	}
	// The last of 64 half-lives before the limit, so that it is passed on the way.
	if late, early := order(latest/rankOne-20), order(64*5); !slices.Equal(late, early) {
		t.Errorf("late  %v\nearly %v", late, early)
	}
}

func TestGhostsAreForgottenInTurn(t *testing.T) {
	g := newGhosts(make([]unit, 10), 3)
	for i, step := range []struct {
		add  int32
		want bool
	}{{1, false}, {2, false}, {3, false}, {4, true}} {
		if got := g.add(step.add); got != step.want {
			t.Errorf("step %d: a unit is forgotten: %v", i, got)
		}
	}
	if g.take(1) || !g.take(3) || g.take(3) || !g.take(2) || !g.take(4) {
		t.Error("the three newest are remembered, once each")
	}
	if g.add(5) {
		t.Error("an empty place was forgotten")
	}
}
