package panels

import (
	"math"
	"testing"
	"time"

	"hotcell/infer"
)

// near tells whether a reading is want, within a thousandth; NaN wants no data.
func near(r Reading, want float64) bool {
	if want != want {
		return !r.OK
	}
	return r.OK && math.Abs(r.Value-want) <= 1e-3*math.Abs(want)
}

var none = math.NaN()

func expect(t *testing.T, what string, r Reading, want float64) {
	t.Helper()
	if !near(r, want) {
		t.Errorf("%s is %+v, want %v", what, r, want)
	}
}

// tick lets 100 ms pass with so many tokens of so many ms.
func (m *machine) tick(tokens int, ms float64) {
	m.step(func(s *infer.Stats) {
		s.Prefilling, s.Decoding = false, true
		s.DecodeTokens += uint64(tokens)
		s.DecodeNs += uint64(float64(tokens) * ms * 1e6)
	})
}

func TestSpeedIsOfTheLastSecondOfTheAnswerAndOfTheSession(t *testing.T) {
	m := newMachine(colourless(Braille))
	m.prefill(100, 5)
	expect(t, "now, in prefill", m.d.view.now, none)
	expect(t, "average, in prefill", m.d.view.average, none)
	for range 50 {
		m.tick(2, 50)
	}
	expect(t, "now", m.d.view.now, 20)
	for range 30 {
		m.tick(1, 100)
	}
	expect(t, "now, when it is slower", m.d.view.now, 10)
	expect(t, "average", m.d.view.average, 130/8.)
	expect(t, "best", m.d.view.best, 20)
	m.rest()
	expect(t, "now, at rest", m.d.view.now, none)
	expect(t, "current, at rest", m.d.view.current(), 130/8.)
	m.prefill(50, 3)
	expect(t, "average, in the next prefill", m.d.view.average, none)
	expect(t, "current, in the next prefill", m.d.view.current(), none)
	m.tick(1, 200)
	m.tick(1, 200)
	expect(t, "average of the next answer", m.d.view.average, 5)
	expect(t, "best of the session", m.d.view.best, 20)
}

func TestASlowModelHasASpeedBetweenItsTokens(t *testing.T) {
	m := newMachine(colourless(Braille))
	m.prefill(10, 1)
	for range 4 {
		m.tick(1, 3000)
		for range 29 {
			m.tick(0, 0)
		}
	}
	expect(t, "now", m.d.view.now, 1/3.)
	expect(t, "one token", m.d.view.token, 3)
}

func TestATokenIsCountedWithItsTime(t *testing.T) {
	m := newMachine(colourless(Braille))
	m.prefill(10, 1)
	for range 40 {
		m.tick(1, 100)
	}
	m.step(func(s *infer.Stats) { s.DecodeTokens++ }) // its time comes with the next sample
	expect(t, "now, between the two", m.d.view.now, 10)
	m.step(func(s *infer.Stats) { s.DecodeNs += 100e6 })
	expect(t, "now", m.d.view.now, 10)
	expect(t, "average", m.d.view.average, 10)
}

func TestAFewShortTokensAreNotTheBest(t *testing.T) {
	m := newMachine(colourless(Braille))
	m.prefill(10, 1)
	for range 12 {
		m.tick(1, 1)
	}
	expect(t, "best of 12 tokens", m.d.view.best, none)
	for range 200 {
		m.tick(1, 100)
	}
	if best := m.d.view.best; !best.OK || best.Value < 10 || best.Value > 25 {
		t.Errorf("best is %+v", best)
	}
}

func TestAnAnswerBeginsWithItsPrefill(t *testing.T) {
	m := newMachine(colourless(Braille))
	m.prefill(400, 4)
	m.decode(40)
	expect(t, "prompt", m.d.view.prefilled, 400)
	// The next answer's prefill and first tokens come before the next sample, and the next but one's too.
	for range 2 {
		m.step(func(s *infer.Stats) {
			s.PrefillTokens, s.PrefillNs, s.ReusedTokens = s.PrefillTokens+30, s.PrefillNs+60e6, s.ReusedTokens+500
			s.DecodeTokens, s.DecodeNs = s.DecodeTokens+1, s.DecodeNs+10e6
		})
		expect(t, "prompt", m.d.view.prefilled, 30)
		expect(t, "prefill", m.d.view.prefillRate, 500)
		expect(t, "its time", m.d.view.prefillTime, 0.06)
		if m.d.view.reused != 500 {
			t.Errorf("%d tokens were reused, want 500", m.d.view.reused)
		}
	}
}

func TestOneTokensPartsSumUpToIt(t *testing.T) {
	m := newMachine(colourless(Braille))
	m.prefill(400, 4) // the workers' times of prefill must not count
	m.decode(60)
	v := &m.d.view
	sum := v.compute.Value + v.stall.Value + v.manage.Value + v.other.Value
	expect(t, "the sum", Reading{sum, true}, v.token.Value)
	mean := (.97 + .95 + .88 + .86 + .84 + .26 + .14 + .13) / 8
	expect(t, "compute", v.compute, v.token.Value*mean)
	expect(t, "flash wait", v.stall, v.token.Value*38/147)
	expect(t, "sampling", v.sample, 0.001)

	// Clocks that overlap cannot claim more than there was.
	w := infer.Stats{DecodeTokens: 2, DecodeNs: 100e6, StallNs: 70e6, ManageNs: 80e6, Workers: 2, ComputeNs: infer.WorkerTimes{90e6, 90e6}}
	v.lookToken(&w)
	expect(t, "flash wait", v.stall, 0.035)
	expect(t, "compute", v.compute, 0.015)
	expect(t, "cache mgmt", v.manage, 0)
	expect(t, "other", v.other, 0)
}

func TestHitRateIsOfTheLast64TokensOfThisAnswer(t *testing.T) {
	m := newMachine(colourless(Braille))
	hit := func(hits, misses uint64) {
		m.step(func(s *infer.Stats) {
			s.Prefilling, s.Decoding = false, true
			s.DecodeTokens, s.DecodeNs = s.DecodeTokens+1, s.DecodeNs+1e8
			s.Cold.Hits, s.Cold.Misses = s.Cold.Hits+hits, s.Cold.Misses+misses
		})
	}
	for range 100 {
		hit(0, 10)
	}
	m.prefill(10, 2)
	hit(10, 0)
	expect(t, "hit of the first token", m.d.view.hit, 1)
	for range 199 {
		hit(1, 9)
	}
	for range 48 {
		hit(10, 0)
	}
	v := &m.d.view
	if v.hitTokens != 64 {
		t.Errorf("the hit rate is of %d tokens", v.hitTokens)
	}
	expect(t, "hit", v.hit, (48*10+16.)/640)
	expect(t, "cold hit", v.coldHit, (48*10+16.)/640)
	expect(t, "hot hit", v.hotHit, none)
	expect(t, "session", v.session, (10+199+480.)/(1000+10+1990+480))

	// Tokens that come many at a time still make a window of 64 at least.
	m = newMachine(colourless(Braille))
	for range 30 {
		m.tick(10, 5)
	}
	if got := m.d.view.hitTokens; got < 64 || got > 73 {
		t.Errorf("the hit rate is of %d tokens", got)
	}
}

func TestAnotherEngineBeginsAnew(t *testing.T) {
	m := busy(colourless(Braille))
	m.step(func(s *infer.Stats) { *s = infer.Stats{Workers: 2, ContextMax: 512} })
	v := &m.d.view
	for what, r := range map[string]Reading{"now": v.now, "average": v.average, "best": v.best, "token": v.token, "hit": v.hit, "session": v.session} {
		expect(t, what, r, none)
	}
	if m.d.hist.n != 1 {
		t.Errorf("%d samples of history were kept", m.d.hist.n-1)
	}
}

func TestADashboardThatComesLateKnowsOnlyWhatItSaw(t *testing.T) {
	m := busy(colourless(Braille))
	late := New(colourless(Braille))
	late.Add(m.in)
	expect(t, "average", late.view.average, none)
	expect(t, "prompt", late.view.prefilled, none)
	expect(t, "session", late.view.session, m.d.view.session.Value)
}

func TestBusyWorkersAreOfTheLastSecond(t *testing.T) {
	m := newMachine(colourless(Braille))
	m.prefill(100, 20)
	expect(t, "worker 0 in prefill", Reading{float64(m.d.view.busy[0]), true}, 0.95)
	m.decode(40)
	expect(t, "worker 0 in decode", Reading{float64(m.d.view.busy[0]), true}, 0.97)
	expect(t, "worker 7 in decode", Reading{float64(m.d.view.busy[7]), true}, 0.13)
	if m.rest(); !m.d.view.busyOK {
		t.Error("nothing is told of the workers after the answer")
	}
}

func TestGroupsAreTheWorkersThatExist(t *testing.T) {
	v := &view{}
	v.in.Stats.Workers = 3
	if g := v.groups(); len(g) != 1 || len(g[0].Workers) != 3 || g[0].Name != "" {
		t.Errorf("without clusters: %+v", g)
	}
	v.in.Clusters = []Cluster{{Name: "P", Workers: []int{0}}, {Name: "M", Workers: []int{1, 2, 3}}, {Name: "E", Workers: []int{4, 5}}}
	if g := v.groups(); len(g) != 2 || len(g[1].Workers) != 2 {
		t.Errorf("with more workers than there are: %+v", g)
	}
	if len(v.in.Clusters[1].Workers) != 3 {
		t.Error("the caller's clusters were changed")
	}
}

func TestSwapThatGrowsIsTold(t *testing.T) {
	m := busy(colourless(Braille))
	if m.d.view.growing {
		t.Error("steady swap grows")
	}
	m.in.Process.Swap.Value += mb
	m.decode(105)
	if v := &m.d.view; !v.growing || v.taken || v.swapInk() != warn {
		t.Errorf("growing %v, taken %v", v.growing, v.taken)
	}
	m.in.Process.Swap.Value += mb
	m.in.Process.Anon.Value -= mb
	m.decode(105)
	if v := &m.d.view; !v.taken || v.swapInk() != bad {
		t.Error("memory that is taken is not told")
	}
	m.decode(105)
	if m.d.view.growing || m.d.view.taken {
		t.Error("swap that is steady again still grows")
	}
}

func TestAFrozenDashboardStandsStillWhileSamplesAreTaken(t *testing.T) {
	m := busy(colourless(Braille))
	picture1, picture2 := picture(8, 60), picture(9, 70)
	draw := func(heat *infer.Heat) string {
		return joinRows(m.d.Draw(80, 23)) + joinRows(m.d.Page(Speed, 60, 20)) + joinRows(m.d.HeatMap(heat, 60, 12))
	}
	m.d.HeatMap(picture1, 60, 12)
	m.d.Freeze(true)
	before := draw(picture1)
	m.in.Clusters[0].GHz.Value = 9
	m.decode(77)
	m.d.Freeze(true)
	if after := draw(picture2); after != before || !m.d.Frozen() {
		t.Error("a frozen dashboard changed")
	}
	m.d.Freeze(false)
	if after := draw(picture2); after == before || m.d.Frozen() {
		t.Error("the dashboard is still frozen")
	}
	twin := busy(colourless(Braille))
	twin.in.Clusters[0].GHz.Value = 9
	twin.decode(77)
	twin.d.HeatMap(picture2, 60, 12)
	if got, want := joinRows(m.d.Draw(80, 23)), joinRows(twin.d.Draw(80, 23)); got != want {
		t.Errorf("samples were lost while frozen:\n%s\n%s", got, want)
	}
}

func TestAHeatMapOfAFrozenDashboardIsTheFirstOfIt(t *testing.T) {
	d := New(colourless(Braille))
	of := func(h *infer.Heat) string { return joinRows(d.HeatMap(h, 60, 12)) }
	one, two, nothing := of(picture(8, 60)), of(picture(9, 70)), of(nil)
	if one == two || two == nothing {
		t.Fatal("a picture that is no longer there is drawn")
	}
	d.Freeze(true)
	if frozen := of(picture(8, 60)); frozen != of(picture(9, 70)) || frozen[:300] != one[:300] {
		t.Error("a frozen map moves")
	}
	d.Freeze(false)
	if of(picture(9, 70)) != two {
		t.Error("the map is still frozen")
	}
}

func TestWhatAModelInMemoryHasNotIsSaidPlainly(t *testing.T) {
	d := dense(colourless(Braille)).d
	shown := d.Shown()
	for _, id := range All() {
		absent := id == Cache || id == Flash || id == Planned
		if got := d.Absent(id) != ""; got != absent {
			t.Errorf("%s: absent %v", panelTable[id].label, got)
		}
	}
	if len(shown) != len(inMemory) {
		t.Errorf("shown: %v", shown)
	}
	if got := len(busy(colourless(Braille)).d.Shown()); got != int(count)-1 {
		t.Errorf("a model from flash with a plan shows %d panels", got)
	}
}

func TestLevels(t *testing.T) {
	for _, test := range []struct {
		m    metric
		v    float64
		want ink
	}{
		{ofSpeed, 1, good}, {ofSpeed, 0.8, good}, {ofSpeed, 0.7, warn}, {ofSpeed, 0.4, bad},
		{ofStall, 0, good}, {ofStall, 0.3, warn}, {ofStall, 0.6, bad},
		{ofHit, 0.8, good}, {ofHit, 0.6, warn}, {ofHit, 0.4, bad},
		{ofCap, 0.95, good}, {ofCap, 0.8, warn}, {ofCap, 0.6, bad},
		{ofContext, 0.5, good}, {ofContext, 0.8, warn}, {ofContext, 0.95, bad},
	} {
		if got := level(test.m, Reading{test.v, true}); got != test.want {
			t.Errorf("level(%d, %v) is %d, want %d", test.m, test.v, got, test.want)
		}
	}
	if level(ofHit, Reading{}) != dim {
		t.Error("an unknown value was judged")
	}
}

func TestNumbersAreWrittenShort(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{number(Reading{6.84, true}), "6.8"}, {number(Reading{312.4, true}), "312"}, {number(Reading{}), "–"},
		{number(Reading{math.NaN(), true}), "–"}, {number(Reading{math.Inf(1), true}), "–"},
		{whole(Reading{9.44, true}), "9.4"}, {whole(Reading{31.2, true}), "31"},
		{percent(Reading{0.842, true}), "84"}, {percents(Reading{}), "–"},
		{millis(Reading{0.147, true}), "147"}, {millis(Reading{0.0094, true}), "9.4"},
		{seconds(Reading{0.035, true}), "35 ms"}, {seconds(Reading{1.316, true}), "1.32 s"}, {seconds(Reading{12.4, true}), "12.4 s"},
		{seconds(Reading{130, true}), "2 m 10 s"}, {seconds(duration(-time.Second)), "–"},
		{tokens(4096), "4096"}, {tokens(32768), "32.8k"},
		{size(Reading{4.8e9, true}), "4.8 GB"}, {size(Reading{812e6, true}), "812 MB"}, {size(Reading{999.9e6, true}), "1.0 GB"},
		{size(Reading{}), "–"}, {shortSize(5e9), "5.0 G"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}
