package ui

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/exp/golden"

	"hotcell/ui/field"
)

// regions are the rectangles with their names, from top to bottom.
func (r Rects) regions() []struct {
	name string
	Rect
} {
	type region = struct {
		name string
		Rect
	}
	return []region{{"header", r.Header}, {"dash", r.Dash}, {"chat", r.Chat}, {"status", r.Status}, {"input", r.Input}, {"Hint", r.Hint}}
}

// drawRects paints each region with its first letter, and its name in its corner.
func drawRects(a Args) string {
	grid := make([][]byte, a.H)
	for y := range grid {
		grid[y] = []byte(strings.Repeat(".", a.W))
	}
	r := Layout(a)
	for _, region := range r.regions() {
		for y := region.Y; y < region.Y+region.H; y++ {
			for x := region.X; x < region.X+region.W; x++ {
				grid[y][x] = region.name[0]
			}
			if y == region.Y {
				copy(grid[y], region.name+" ")
			}
		}
	}
	var b strings.Builder
	for _, row := range grid {
		b.Write(row)
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "boxed %v, roomy %v, indent %d, wide %v, framed %v\n", r.Boxed, r.Roomy, r.Indent, r.Wide, r.Framed)
	return b.String()
}

func TestLayoutDrawings(t *testing.T) {
	for _, a := range []Args{
		{W: 120, H: 36}, {W: 110, H: 28}, {W: 109, H: 28}, {W: 80, H: 24}, {W: 72, H: 20}, {W: 71, H: 40}, {W: 48, H: 40}, {W: 46, H: 19},
		{W: 40, H: 12}, {W: 30, H: 10}, {W: 20, H: 6}, {W: 1, H: 1},
		{W: 80, H: 24, Input: 9}, {W: 46, H: 19, Input: 9}, {W: 20, H: 6, Input: 9}, // a long draft
		{W: 120, H: 36, Strip: true}, {W: 80, H: 24, Strip: true},
	} {
		for _, a.Dash = range []bool{false, true} {
			name := fmt.Sprintf("%dx%d", a.W, a.H)
			if a.Input > 0 {
				name += " with a long draft"
			}
			if a.Dash {
				name += " and a dashboard"
			}
			if a.Strip {
				name += " as a strip"
			}
			t.Run(name, func(t *testing.T) { golden.RequireEqual(t, drawRects(a)) })
		}
	}
}

func TestLayoutCoversEverySizeWithoutOverlap(t *testing.T) {
	for w := 1; w <= 200; w++ {
		for h := 1; h <= 60; h++ {
			for _, draft := range []int{0, 1, 6, 1000} {
				for _, a := range []Args{{w, h, draft, false, false}, {w, h, draft, true, false}, {w, h, draft, true, true}} {
					check(t, a)
				}
			}
		}
	}
}

// check looks at each row: its regions follow each other without overlap, and nothing but the gap beside the dashboard is left free.
func check(t *testing.T, a Args) {
	r := Layout(a)
	for y := range a.H {
		x := 0
		for _, region := range []Rect{r.Header, r.Chat, r.Status, r.Input, r.Hint, r.Dash} {
			if region.H == 0 || y < region.Y || y >= region.Y+region.H {
				continue
			}
			if gap := region.X - x; gap != 0 && !(region == r.Dash && gap > 0 && gap <= dashGap) {
				t.Fatalf("%+v: row %d: %+v begins at %d, want %d", a, y, region, region.X, x)
			}
			x = region.X + region.W
		}
		if x != a.W {
			t.Fatalf("%+v: row %d is covered up to %d", a, y, x)
		}
	}
	if r.Input.H < 1 || a.H >= 3 && r.Chat.H < 1 {
		t.Fatalf("%+v: chat %d rows, input %d rows", a, r.Chat.H, r.Input.H)
	}
	if a.Dash && a.H >= 5 && (r.Dash.H < 1 || r.Dash.W < 1) {
		t.Fatalf("%+v: there is no dashboard", a)
	}
	if tw, th := r.InputText(); tw < 1 || th < 1 || th > field.MostRows {
		t.Fatalf("%+v: the draft's text is %dx%d", a, tw, th)
	}
}

func TestLayoutOfNoTerminal(t *testing.T) {
	for _, a := range []Args{{}, {W: -1, H: -5, Input: -3, Dash: true}, {H: 10, Dash: true}, {W: 10, Dash: true}} {
		r := Layout(a)
		for _, region := range r.regions() {
			if region.W < 0 || region.H < 0 {
				t.Errorf("%+v: %s is %+v", a, region.name, region.Rect)
			}
		}
	}
}
