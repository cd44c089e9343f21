package panels

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/exp/golden"
)

// drawPlaces paints each place with the first letter of its panel in the alphabet of IDs, and lists the forms.
func drawPlaces(w, h int, ids []ID) string {
	grid := make([][]byte, h)
	for y := range grid {
		grid[y] = []byte(strings.Repeat(".", w))
	}
	var list []string
	for _, p := range Arrange(w, h, ids) {
		for y := p.Y; y < p.Y+p.H; y++ {
			for x := p.X; x < p.X+p.W; x++ {
				grid[y][x] = "-abcdefghij"[p.ID]
			}
		}
		copy(grid[p.Y][p.X:p.X+p.W], panelTable[p.ID].label+" ")
		list = append(list, fmt.Sprintf("%s %s", panelTable[p.ID].label, p.Form))
	}
	var b strings.Builder
	for _, row := range grid {
		b.Write(row)
		b.WriteByte('\n')
	}
	b.WriteString(strings.Join(list, ", ") + "\n")
	return b.String()
}

// inMemory are the panels of a model that is all in memory, without a plan.
var inMemory = []ID{Speed, Token, Cores, Prefill, Memory, Throttling, Context}

func TestArrangeDrawings(t *testing.T) {
	for _, size := range [][2]int{
		{120, 36}, {110, 28}, {109, 28}, {80, 24}, {72, 20}, {71, 40}, {60, 30}, {48, 40}, {46, 19}, {40, 12}, {38, 30}, {38, 18},
		{30, 10}, {20, 6}, {1, 1}, {120, 3}, {78, 3}, {48, 2}, {46, 1}, {24, 1},
	} {
		t.Run(fmt.Sprintf("all panels in %dx%d", size[0], size[1]), func(t *testing.T) {
			golden.RequireEqual(t, drawPlaces(size[0], size[1], All()))
		})
		t.Run(fmt.Sprintf("a model in memory in %dx%d", size[0], size[1]), func(t *testing.T) {
			golden.RequireEqual(t, drawPlaces(size[0], size[1], inMemory))
		})
	}
}

func TestArrangePlacesPanelsApartAndInside(t *testing.T) {
	for _, ids := range [][]ID{All(), inMemory, {Flash}, {Speed, Throttling}, {Throttling, Speed, Throttling, None, count, 200}} {
		for w := 1; w <= 140; w++ {
			for h := 1; h <= 50; h++ {
				taken := make([]bool, w*h)
				var seen [count]bool
				placed := Arrange(w, h, ids)
				for _, p := range placed {
					if !slices.Contains(ids, p.ID) || p.ID == None || seen[p.ID] || p.Form >= Hidden {
						t.Fatalf("%dx%d %v: %+v was not asked for, or twice", w, h, ids, p)
					}
					seen[p.ID] = true
					if p.H != panelTable[p.ID].rows(p.Form) {
						t.Fatalf("%dx%d: %+v has a height that is not that of its form", w, h, p)
					}
					if p.Form == Full && p.W < fullWidth || p.Form == Compact && p.W < compactWidth ||
						p.Form == Line && p.W < min(w, panelTable[p.ID].lineWidth) {
						t.Fatalf("%dx%d: %+v is too narrow for its form", w, h, p)
					}
					for y := p.Y; y < p.Y+p.H; y++ {
						for x := p.X; x < p.X+p.W; x++ {
							if x < 0 || y < 0 || x >= w || y >= h || taken[y*w+x] {
								t.Fatalf("%dx%d %v: %+v overlaps or is outside", w, h, ids, p)
							}
							taken[y*w+x] = true
						}
					}
				}
				if len(placed) == 0 {
					t.Fatalf("%dx%d %v: nothing is shown", w, h, ids)
				}
				if slices.Contains(ids, Speed) && !seen[Speed] {
					t.Fatalf("%dx%d %v: the speed is not shown", w, h, ids)
				}
			}
		}
	}
}

func TestArrangeHidesOnlyWhenAllOthersAreWords(t *testing.T) {
	for w := 1; w <= 140; w++ {
		for h := 1; h <= 50; h++ {
			placed := Arrange(w, h, All())
			if len(placed) == len(All()) {
				continue
			}
			for _, p := range placed {
				if p.Form != Line {
					t.Fatalf("%dx%d: %s is %s while %d panels are hidden", w, h, panelTable[p.ID].label, p.Form, len(All())-len(placed))
				}
			}
		}
	}
}

func TestArrangeOfNothing(t *testing.T) {
	for _, size := range [][2]int{{0, 0}, {-1, 5}, {10, 0}, {10, -3}} {
		if p := Arrange(size[0], size[1], All()); p != nil {
			t.Errorf("%v: %v", size, p)
		}
	}
	if p := Arrange(80, 24, nil); len(p) != 0 {
		t.Errorf("no panels: %v", p)
	}
}

func TestAtFindsThePanelUnderATap(t *testing.T) {
	placed := Arrange(80, 24, All())
	for _, p := range placed {
		for _, corner := range [][2]int{{p.X, p.Y}, {p.X + p.W - 1, p.Y + p.H - 1}} {
			if got := At(placed, corner[0], corner[1]); got != p.ID {
				t.Errorf("%v is panel %d, want %d", corner, got, p.ID)
			}
		}
	}
	if got := At(placed, 500, 500); got != None {
		t.Errorf("outside is panel %d", got)
	}
}
