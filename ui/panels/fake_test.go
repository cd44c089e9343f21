package panels

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"hotcell/infer"
)

func TestMain(m *testing.M) {
	lipgloss.SetColorProfile(termenv.TrueColor)
	os.Exit(m.Run())
}

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// testTheme has colours that are easy to see in a golden file: ANSI 1 to 6.
func testTheme(glyphs Glyphs) Theme {
	colour := func(c string) lipgloss.Style { return lipgloss.NewStyle().Foreground(lipgloss.Color(c)) }
	return Theme{OK: colour("2"), Warn: colour("3").Bold(true), Bad: colour("1").Bold(true), Accent: colour("4"),
		Dim: colour("8"), Border: colour("6"), Glyphs: glyphs}
}

// colourless is the theme of NO_COLOR.
func colourless(glyphs Glyphs) Theme { return Theme{Glyphs: glyphs} }

const (
	gb = 1_000_000_000
	mb = 1_000_000
)

// machine plays an engine that streams a model from flash, on a phone with three clusters, and takes a sample each
// 100 ms of its clock. The speed swings, so that graphs have a shape.
type machine struct {
	d  *Dashboard
	in Input
	n  int
}

func newMachine(t Theme) *machine {
	m := &machine{d: New(t)}
	m.in.At = start
	s := &m.in.Stats
	s.Workers, s.ContextMax, s.Budget, s.Mode = 8, 8192, 5*gb, "predicted"
	s.WeightBytes, s.KVBytes = 15*gb/10, 4*gb/10
	s.Hot = infer.RegionStats{Capacity: 13 * gb / 10, Used: 12 * gb / 10}
	s.Cold = infer.RegionStats{Capacity: 18 * gb / 10, Used: 17 * gb / 10}
	m.in.Process = Process{Reading{34 * gb / 10, true}, Reading{12 * gb / 10, true}, Reading{2 * gb / 10, true}}
	m.in.Thermal = Thermal{Reading{41.2, true}, "cpu-0-0-usr", Reading{1, true}}
	m.in.Clusters = []Cluster{
		{Name: "P", Workers: []int{0, 1}, GHz: Reading{3, true}},
		{Name: "M", Workers: []int{2, 3, 4}, GHz: Reading{2.6, true}},
		{Name: "E", Workers: []int{5, 6, 7}, GHz: Reading{1.1, true}},
	}
	m.in.Accelerator.Name = "NPU"
	m.in.Plan = &Plan{"phone 5.0 GB", Reading{7, true}, Reading{0.8, true}, Reading{0.2, true}}
	m.d.Add(m.in)
	return m
}

// step lets 100 ms pass while f changes the sample.
func (m *machine) step(f func(s *infer.Stats)) {
	m.n++
	m.in.At = m.in.At.Add(100 * time.Millisecond)
	f(&m.in.Stats)
	m.d.Add(m.in)
}

func (m *machine) prefill(tokens, steps int) {
	m.in.Prefill = infer.Progress{Total: tokens}
	m.step(func(s *infer.Stats) { s.Prefilling, s.ReusedTokens = true, s.ReusedTokens+120 })
	for i := range steps {
		m.step(func(s *infer.Stats) {
			n := tokens*(i+1)/steps - tokens*i/steps
			s.PrefillTokens += uint64(n)
			s.PrefillNs += 100e6
			s.ContextUsed += n
			for w := range 5 {
				s.ComputeNs[w] += 95e6
			}
			m.in.Prefill.Done += n
			m.in.Prefill.Left = time.Duration(steps-i-1) * 100 * time.Millisecond
		})
	}
}

func (m *machine) decode(steps int) {
	m.in.Prefill, m.in.TTFT = infer.Progress{}, 1600*time.Millisecond
	for range steps {
		m.step(func(s *infer.Stats) {
			s.Prefilling, s.Decoding = false, true
			swing := 1 + 0.4*math.Sin(float64(m.n)/23)
			if m.n%2 == 0 { // a token each 200 ms of the screen, of wall time as the swing says
				s.DecodeTokens++
				s.ContextUsed++
				s.DecodeNs += uint64(147e6 * swing)
				s.SampleNs += 1e6
				s.StallNs += uint64(38e6 * swing)
				s.ManageNs += uint64(9e6 * swing * 8)
				s.FlashReads += 12
				s.FlashBytes += 92 * mb
				s.FlashBusyNs += uint64(48e6 * swing)
				for w, share := range []float64{.97, .95, .88, .86, .84, .26, .14, .13} {
					s.ComputeNs[w] += uint64(147e6 * swing * share)
				}
				s.Hot.Hits += 9900
				s.Hot.Misses += 100
				s.Cold.Hits += 820
				s.Cold.Misses += 180
				s.Cold.PrefetchHits += 200
				s.Hot.Evictions++
				s.Cold.Evictions += 31
				s.Neurons, s.ActiveNeurons = s.Neurons+50000, s.ActiveNeurons+6000
				s.RecallActive, s.RecallFound = s.RecallActive+100, s.RecallFound+97
			}
			s.QueueDepth = 8
		})
	}
}

func (m *machine) rest() {
	m.step(func(s *infer.Stats) { s.Decoding, s.Prefilling, s.QueueDepth = false, false, 0 })
}

// busy is a machine in the middle of an answer.
func busy(t Theme) *machine {
	m := newMachine(t)
	m.prefill(412, 13)
	m.decode(200)
	return m
}

func joinRows(rows []string) string { return strings.Join(rows, "\n") + "\n" }

// plainRows is what one sees of rows.
func plainRows(rows []string) string {
	seen := make([]string, len(rows))
	for i, row := range rows {
		seen[i] = strings.TrimRight(ansi.Strip(row), " ")
	}
	return joinRows(seen)
}

// dense is a machine whose model is all in memory, on a system that tells little.
func dense(t Theme) *machine {
	m := &machine{d: New(t)}
	m.in.At = start
	s := &m.in.Stats
	s.Workers, s.ContextMax, s.Mode = 2, 4096, "dense"
	s.WeightBytes, s.KVBytes = 812*mb, 64*mb
	m.in.Process = Process{Anon: Reading{950 * mb, true}, File: Reading{14 * mb, true}, Swap: Reading{0, true}}
	m.in.Accelerator.Reason = "this device has none"
	m.d.Add(m.in)
	m.step(func(s *infer.Stats) { s.Prefilling = true })
	m.step(func(s *infer.Stats) {
		s.PrefillTokens, s.PrefillNs, s.ContextUsed = 64, 400e6, 64
		s.ComputeNs[0], s.ComputeNs[1] = 390e6, 380e6
	})
	for range 30 {
		m.step(func(s *infer.Stats) {
			s.Prefilling, s.Decoding = false, true
			s.DecodeTokens, s.DecodeNs, s.ContextUsed = s.DecodeTokens+2, s.DecodeNs+99e6, s.ContextUsed+2
			s.ComputeNs[0] += 90e6
			s.ComputeNs[1] += 88e6
		})
	}
	return m
}

// picture is a neuron cache: hot at the left, cold neurons scattered, a few just read.
func picture(layers, columns int) *infer.Heat {
	h := &infer.Heat{Layers: layers, Columns: columns}
	for l := range layers {
		for c := range columns {
			w := infer.Absent
			switch {
			case c < columns/4+l:
				w = infer.Hot
			case (c*5+l*3)%37 == 0:
				w = infer.JustRead
			case (c*7+l*13)%11 < 4:
				w = infer.Cold
			}
			h.Cells = append(h.Cells, w)
		}
	}
	return h
}

// sized checks that rows is a picture of h rows of w cells each.
func sized(t *testing.T, what string, rows []string, w, h int) {
	t.Helper()
	if len(rows) != h {
		t.Fatalf("%s: %d rows, want %d", what, len(rows), h)
	}
	for y, row := range rows {
		if n := ansi.StringWidth(row); n != w {
			t.Fatalf("%s: row %d has %d cells, want %d: %q", what, y, n, w, ansi.Strip(row))
		}
	}
}
