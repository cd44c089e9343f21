package panels

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"

	"hotcell/infer"
)

var screens = [][2]int{{120, 36}, {80, 24}, {46, 19}, {38, 30}, {60, 40}, {78, 3}, {48, 2}, {46, 1}, {30, 10}, {20, 6}}

func TestDashboardScreens(t *testing.T) {
	for _, story := range []struct {
		name string
		tell func(Theme) *machine
	}{
		{"no engine", func(th Theme) *machine { return &machine{d: New(th)} }},
		{"prefill", func(th Theme) *machine {
			m := newMachine(th)
			m.prefill(412, 13)
			m.in.Prefill.Done, m.in.Prefill.Left = 288, 900e6
			m.d.Add(m.in)
			return m
		}},
		{"decode", busy},
		{"at rest after an answer", func(th Theme) *machine { m := busy(th); m.rest(); return m }},
		{"frozen", func(th Theme) *machine { m := busy(th); m.d.Freeze(true); m.decode(50); return m }},
		{"a model in memory", dense},
		{"the system takes memory and the clock", func(th Theme) *machine {
			m := busy(th)
			m.in.Thermal.Cap, m.in.Thermal.Celsius = Reading{0.62, true}, Reading{88, true}
			m.in.Process.Swap.Value, m.in.Process.Anon.Value = 9*gb/10, 28*gb/10
			m.decode(120)
			return m
		}},
	} {
		for i, s := range screens {
			if i > 3 && story.name != "decode" {
				break
			}
			t.Run(fmt.Sprintf("%s at %dx%d", story.name, s[0], s[1]), func(t *testing.T) {
				golden.RequireEqual(t, plainRows(story.tell(colourless(Braille)).d.Draw(s[0], s[1])))
			})
		}
	}
	t.Run("decode in colour", func(t *testing.T) {
		m := busy(testTheme(Braille))
		m.d.Focus = Cache
		golden.RequireEqual(t, joinRows(m.d.Draw(80, 24)))
	})
	t.Run("decode with blocks", func(t *testing.T) {
		golden.RequireEqual(t, plainRows(busy(testTheme(Blocks)).d.Draw(80, 24)))
	})
	t.Run("decode in ASCII", func(t *testing.T) {
		golden.RequireEqual(t, joinRows(busy(colourless(ASCII)).d.Draw(80, 24)))
	})
}

func TestEverySizeIsDrawnExactly(t *testing.T) {
	for _, d := range []*Dashboard{busy(testTheme(Braille)).d, dense(testTheme(Blocks)).d, New(colourless(ASCII))} {
		for w := 1; w <= 140; w++ {
			for h := 1; h <= 50; h += 1 + h/20 {
				d.Focus = ID(w % int(count))
				sized(t, fmt.Sprintf("%dx%d", w, h), d.Draw(w, h), w, h)
			}
		}
	}
}

func TestNothingIsDrawnInNoRoom(t *testing.T) {
	d := busy(colourless(Braille)).d
	for _, size := range [][2]int{{0, 0}, {-1, 3}, {5, -5}} {
		if got := len(d.Draw(size[0], size[1])) + len(d.HeatMap(picture(4, 4), size[0], size[1])); got != 0 {
			t.Errorf("%v: %d rows", size, got)
		}
	}
	if got := len(d.Page(Speed, 0, 10)) + len(d.Page(None, 80, 24)) + len(d.Page(99, 80, 24)); got != 0 {
		t.Errorf("pages of nothing have %d rows", got)
	}
}

// everything draws all that a dashboard can draw at a few sizes.
func everything(d *Dashboard) string {
	var b strings.Builder
	for _, s := range screens {
		b.WriteString(joinRows(d.Draw(s[0], s[1])))
		for _, id := range All() {
			b.WriteString(d.Title(id) + d.Absent(id) + "\n" + joinRows(d.Page(id, s[0], s[1])))
		}
		b.WriteString(joinRows(d.HeatMap(picture(12, 100), s[0], s[1])))
	}
	return b.String()
}

func TestASCIIIsASCII(t *testing.T) {
	for name, m := range map[string]*machine{"busy": busy(colourless(ASCII)), "dense": dense(colourless(ASCII)), "empty": {d: New(colourless(ASCII))}} {
		if i := strings.IndexFunc(everything(m.d), func(r rune) bool { return r > unicode.MaxASCII || r < ' ' && r != '\n' }); i >= 0 {
			t.Errorf("%s: %q", name, everything(m.d)[max(0, i-40):i+10])
		}
		if strings.Contains(everything(m.d), "?") {
			t.Errorf("%s: a glyph of ours has no ASCII", name)
		}
	}
}

func TestWithoutColourNothingIsEscaped(t *testing.T) {
	if s := everything(busy(colourless(Braille)).d); strings.Contains(s, "\x1b") {
		t.Error("a theme without styles still writes escape sequences")
	}
}

func TestColourChangesNoCharacter(t *testing.T) {
	with, without := everything(busy(testTheme(Braille)).d), everything(busy(colourless(Braille)).d)
	if ansi.Strip(with) != without {
		t.Error("the text differs with colour")
	}
}

// TestAValueWithoutDataIsADash: a dashboard that has seen nothing shows no digit, also no 0.
func TestAValueWithoutDataIsADash(t *testing.T) {
	d := New(colourless(Braille))
	for _, step := range []string{"new", "with an empty sample"} {
		for _, s := range screens {
			if got := plainRows(d.Draw(s[0], s[1])); strings.ContainsFunc(got, unicode.IsDigit) || !strings.Contains(got, unknown) {
				t.Errorf("%s, %v:\n%s", step, s, got)
			}
		}
		d.Add(Input{})
	}
}

func TestNamesFromOutsideAreCleaned(t *testing.T) {
	m := busy(colourless(Braille))
	evil := "a\x1b[31mred\x1b]0;title\a\r\n\t漢字\u202eb\u0301\U0001f469"
	m.in.Accelerator, m.in.Stats.Mode = Accelerator{"", evil}, evil
	m.in.Thermal.Zone, m.in.Plan, m.in.Clusters = evil, &Plan{Name: evil}, []Cluster{{Name: evil, Workers: []int{-1, 0, 7, 900}}}
	m.decode(2)
	for _, s := range screens {
		sized(t, "dashboard", m.d.Draw(s[0], s[1]), s[0], s[1])
	}
	if s := everything(m.d); strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
		t.Error("a control character came through")
	}
}

func FuzzLabel(f *testing.F) {
	for _, s := range []string{"cpu-0-0-usr", "a\x1b[31mb", "漢字", "e\u0301", "\u202e", "\xff\xfe", "☰ ⚠️ 👩‍💻 🇨🇳", "\x1b]0;x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := label(s)
		n := 0
		for _, r := range got {
			n++
			if unicode.In(r, unicode.C) || ansi.StringWidth(string(r)) != 1 {
				t.Fatalf("%q: %q", s, got)
			}
		}
		if ansi.StringWidth(got) != n {
			t.Fatalf("%q: %q has %d cells and %d characters", s, got, ansi.StringWidth(got), n)
		}
	})
}

func TestStatsOfAnyKindAreDrawn(t *testing.T) {
	var odd infer.Stats
	odd.Workers, odd.ContextUsed, odd.ContextMax, odd.QueueDepth = -3, -5, -1, -9
	odd.DecodeTokens, odd.DecodeNs, odd.StallNs, odd.ManageNs = 1, 1, 1<<63, 1<<63
	odd.Hot = infer.RegionStats{Hits: 1 << 63, Misses: 1 << 62, Used: 1 << 63, Capacity: 1}
	odd.Budget, odd.WeightBytes = 1<<63, 1<<63
	odd.FlashReads, odd.FlashBytes, odd.FlashBusyNs = 1<<63, 1<<63, 1
	many := odd
	many.Workers, many.Decoding, many.DecodeTokens, many.DecodeNs = 1000, true, 1<<62, 1<<62
	d := New(colourless(Braille))
	for i, s := range []infer.Stats{odd, many, odd, {}, many} {
		d.Add(Input{At: start.AddDate(0, 0, -i), Stats: s, Prefill: infer.Progress{Done: 9, Total: -1}, TTFT: -5})
		for _, s := range screens {
			sized(t, "dashboard", d.Draw(s[0], s[1]), s[0], s[1])
		}
	}
}

func TestTheFocusedPanelStandsOut(t *testing.T) {
	d := busy(testTheme(Braille)).d
	for _, s := range screens {
		placed := Arrange(s[0], s[1], d.Shown())
		for _, p := range placed {
			d.Focus = None
			before := slices.Clone(d.Draw(s[0], s[1]))
			d.Focus = p.ID
			if after := d.Draw(s[0], s[1]); slices.Equal(before, after) {
				t.Errorf("%v: focus on %s (%s) changes nothing", s, panelTable[p.ID].label, p.Form)
			}
		}
	}
}

// TestDrawingMakesLittleGarbage guards what drawing costs without a clock: a few hundred small strings a frame.
func TestDrawingMakesLittleGarbage(t *testing.T) {
	m := busy(testTheme(Braille))
	heat := picture(32, 256)
	for what, draw := range map[string]func(){
		"a sample":  func() { m.decode(1) },
		"all":       func() { m.d.Draw(120, 36) },
		"a column":  func() { m.d.Draw(38, 30) },
		"a page":    func() { m.d.Page(Cores, 120, 36) },
		"a picture": func() { m.d.HeatMap(heat, 120, 36) },
	} {
		if n := testing.AllocsPerRun(20, draw); n > 400 {
			t.Errorf("drawing %s allocates %.0f times", what, n)
		}
	}
}

func BenchmarkDashboard(b *testing.B) {
	m := busy(testTheme(Braille))
	m.decode(6000) // ten minutes of history
	heat := picture(32, 256)
	for _, bench := range []struct {
		name string
		draw func()
	}{
		{"add a sample", func() { m.decode(1) }},
		{"all panels 120x36", func() { m.d.Draw(120, 36) }},
		{"column 38x30", func() { m.d.Draw(38, 30) }},
		{"page 120x36", func() { m.d.Page(Speed, 120, 36) }},
		{"heat 120x36", func() { m.d.HeatMap(heat, 120, 36) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bench.draw()
			}
		})
	}
}
