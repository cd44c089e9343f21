package ui

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/exp/golden"
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
	return []region{{"header", r.Header}, {"chat", r.Chat}, {"status", r.Status}, {"input", r.Input}, {"Hint", r.Hint}}
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
	fmt.Fprintf(&b, "boxed %v, roomy %v, indent %d\n", r.Boxed, r.Roomy, r.Indent)
	return b.String()
}

func TestLayoutDrawings(t *testing.T) {
	for _, a := range []Args{
		{120, 36, 1}, {110, 28, 1}, {109, 28, 1}, {80, 24, 1}, {72, 20, 1}, {71, 40, 1}, {48, 40, 1}, {46, 19, 1},
		{40, 12, 1}, {30, 10, 1}, {20, 6, 1}, {1, 1, 1},
		{80, 24, 9}, {46, 19, 9}, {20, 6, 9}, // a long draft
	} {
		t.Run(fmt.Sprintf("%dx%d with a draft of %d", a.W, a.H, a.Input), func(t *testing.T) {
			golden.RequireEqual(t, drawRects(a))
		})
	}
}

func TestLayoutFillsEverySizeWithoutOverlap(t *testing.T) {
	for w := 1; w <= 200; w++ {
		for h := 1; h <= 60; h++ {
			for _, draft := range []int{0, 1, 3, 6, 1000} {
				a := Args{w, h, draft}
				r := Layout(a)
				y := 0
				for _, region := range r.regions() {
					if region.H < 0 || region.W < 0 || region.Y != y || region.H > 0 && (region.X != 0 || region.W != w) {
						t.Fatalf("%+v: %s is %+v, want it at row %d over the whole width", a, region.name, region.Rect, y)
					}
					y += region.H
				}
				if y != h {
					t.Fatalf("%+v: the regions cover %d rows", a, y)
				}
				if r.Input.H < 1 || h >= 3 && r.Chat.H < 1 {
					t.Fatalf("%+v: chat %d rows, input %d rows", a, r.Chat.H, r.Input.H)
				}
				if tw, th := r.InputText(); tw < 1 || th < 1 || th > mostDraft {
					t.Fatalf("%+v: the draft's text is %dx%d", a, tw, th)
				}
			}
		}
	}
}

func TestLayoutOfNoTerminal(t *testing.T) {
	for _, a := range []Args{{}, {-1, -5, -3}, {0, 10, 1}, {10, 0, 1}} {
		r := Layout(a)
		for _, region := range r.regions() {
			if region.W < 0 || region.H < 0 {
				t.Errorf("%+v: %s is %+v", a, region.name, region.Rect)
			}
		}
	}
}
