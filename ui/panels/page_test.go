package panels

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/charmbracelet/x/exp/golden"

	"hotcell/infer"
)

func TestPages(t *testing.T) {
	m := busy(colourless(Braille))
	for _, id := range All() {
		for _, s := range [][2]int{{80, 24}, {46, 19}} {
			t.Run(fmt.Sprintf("%s at %dx%d", panelTable[id].label, s[0], s[1]), func(t *testing.T) {
				golden.RequireEqual(t, plainRows(m.d.Page(id, s[0], s[1])))
			})
		}
	}
	t.Run("speed in ASCII", func(t *testing.T) {
		golden.RequireEqual(t, joinRows(busy(colourless(ASCII)).d.Page(Speed, 60, 24)))
	})
	t.Run("cache of a model in memory", func(t *testing.T) {
		golden.RequireEqual(t, plainRows(dense(colourless(Braille)).d.Page(Cache, 46, 19)))
	})
	t.Run("prefill without an accelerator", func(t *testing.T) {
		golden.RequireEqual(t, plainRows(dense(colourless(Braille)).d.Page(Prefill, 46, 19)))
	})
}

func TestPagesHaveTheirWidthAtEverySize(t *testing.T) {
	for _, d := range []*Dashboard{busy(testTheme(Braille)).d, dense(testTheme(Blocks)).d, New(colourless(ASCII))} {
		for w := 1; w <= 140; w += 1 + w/24 {
			for _, h := range []int{-1, 1, 5, 19, 50} {
				for _, id := range All() {
					rows := d.Page(id, w, h)
					sized(t, fmt.Sprintf("%s in %dx%d", panelTable[id].label, w, h), rows, w, len(rows))
				}
			}
		}
	}
}

func TestEveryPanelExplainsItsNumbers(t *testing.T) {
	var of [count]int
	names := map[string]bool{}
	for _, n := range Numbers() {
		of[n.Panel]++
		key := fmt.Sprint(n.Panel, n.Name)
		if names[key] {
			t.Errorf("%s %q stands twice", panelTable[n.Panel].label, n.Name)
		}
		names[key] = true
		if utf8.RuneCountInString(n.Name) > nameWidth || n.Name == "" {
			t.Errorf("%q does not fit its column", n.Name)
		}
		if !strings.HasSuffix(n.Text, ".") || strings.ContainsAny(n.Text, "\n") || len(n.Text) > 130 {
			t.Errorf("%q is not one line: %q", n.Name, n.Text)
		}
	}
	for _, id := range All() {
		if of[id] < 2 {
			t.Errorf("%s explains %d numbers", panelTable[id].label, of[id])
		}
	}
}

func TestHeatMaps(t *testing.T) {
	d := New(colourless(Braille))
	for _, s := range [][2]int{{120, 36}, {80, 24}, {46, 19}, {20, 6}} {
		t.Run(fmt.Sprintf("28 layers at %dx%d", s[0], s[1]), func(t *testing.T) {
			golden.RequireEqual(t, plainRows(d.HeatMap(picture(28, 256), s[0], s[1])))
		})
	}
	t.Run("4 layers of 30 at 46x19", func(t *testing.T) {
		golden.RequireEqual(t, plainRows(d.HeatMap(picture(4, 30), 46, 19)))
	})
	t.Run("ASCII", func(t *testing.T) {
		golden.RequireEqual(t, joinRows(New(colourless(ASCII)).HeatMap(picture(12, 90), 60, 14)))
	})
	t.Run("16 colours", func(t *testing.T) {
		golden.RequireEqual(t, joinRows(New(testTheme(Braille)).HeatMap(picture(6, 40), 46, 8)))
	})
	t.Run("no cache", func(t *testing.T) {
		golden.RequireEqual(t, plainRows(New(colourless(Braille)).HeatMap(nil, 46, 4)))
	})
}

func TestHeatMapsFitEverySize(t *testing.T) {
	d := New(testTheme(Braille))
	bad := infer.Heat{Layers: 1 << 40, Columns: 1 << 40, Cells: make([]infer.Warmth, 7)}
	wild := picture(3, 5)
	for i := range wild.Cells {
		wild.Cells[i] = infer.Warmth(i * 17)
	}
	for _, heat := range []*infer.Heat{nil, {}, {Layers: -1, Columns: 3}, &bad, wild, picture(1, 1), picture(80, 3), picture(28, 300)} {
		for w := 1; w <= 140; w += 1 + w/9 {
			for h := 1; h <= 50; h += 1 + h/9 {
				sized(t, fmt.Sprintf("%dx%d", w, h), d.HeatMap(heat, w, h), w, h)
			}
		}
	}
}

func TestHeatMapShowsEachStateByItsShare(t *testing.T) {
	for _, test := range []struct {
		cells string // of .chr
		want  [4]int // of 16 neighbouring cells: absent, cold, hot, just read
	}{
		{"........", [4]int{16, 0, 0, 0}},
		{"hhhhhhhh", [4]int{0, 0, 16, 0}},
		{"cccc....", [4]int{8, 8, 0, 0}},
		{"hhcc....", [4]int{8, 4, 4, 0}},
		{"hhhhhhhr", [4]int{0, 0, 0, 16}},
		{"hhhhhhhhhhhhhhhr", [4]int{0, 0, 15, 1}},
		{"c", [4]int{0, 16, 0, 0}},
	} {
		h := &infer.Heat{Layers: 1, Columns: len(test.cells)}
		for _, r := range test.cells {
			h.Cells = append(h.Cells, infer.Warmth(strings.IndexRune(".chr", r)))
		}
		var got [4]int
		for i := range 16 {
			got[stateAt(h, i%4, i/4, 0, 1, 0, h.Columns)]++
		}
		if got != test.want {
			t.Errorf("%q is shown as %v, want %v", test.cells, got, test.want)
		}
	}
}
