package panels

import (
	"strconv"

	"hotcell/infer"
)

// warmth is how each state of the neurons is drawn: the glyphs differ also without colour.
var warmth = [...]struct {
	name, short string
	r           rune
	k           ink
}{
	infer.Absent:   {"absent", "absent", '·', dim},
	infer.Cold:     {"cold", "cold", '▒', accent},
	infer.Hot:      {"hot", "hot", '█', warn},
	infer.JustRead: {"just read", "read", '●', good},
}

// readShare: a cell of which one in so many neurons was just read shows it. Reads are few and short, and the picture is
// there to watch them.
const readShare = 8

// HeatMap draws where the neurons are in w x h cells: a layer a row from top to bottom, often active neurons at the left, a legend with the
// shares below. Where a cell stands for several neurons it shows one of their states, so that an area has the share of each, or that an
// eighth of them was just read.
// While the dashboard is frozen it shows the first picture that it was given since. heat may be nil, and is copied.
func (d *Dashboard) HeatMap(heat *infer.Heat, w, h int) []string {
	if w <= 0 || h <= 0 {
		return nil
	}
	if !d.Frozen() || !d.heatFrozen {
		if heat == nil {
			heat = &infer.Heat{}
		}
		d.heat = infer.Heat{Layers: heat.Layers, Columns: heat.Columns, Cells: append(d.heat.Cells[:0], heat.Cells...)}
		d.heatFrozen = d.Frozen()
	}
	d.canvas.clear(w, h)
	g, m := d.canvas.whole(), &d.heat
	if m.Layers <= 0 || m.Columns <= 0 || len(m.Cells)/m.Columns < m.Layers {
		g.wrap(1, 0, dim, "There is no neuron cache to look at: all weights are in memory.")
		return d.canvas.rows(d.paint)
	}
	legend := min(1, h-1)
	axis := len(strconv.Itoa(m.Layers-1)) + 1
	if w < 24 {
		axis = 0
	}
	body := g.part(axis, 0, w-axis, h-legend)
	rows, columns := body.h, min(body.w, m.Columns)
	perLayer := max(1, rows/m.Layers) // rows that a layer takes
	for y := range min(rows, m.Layers*perLayer) {
		from, to := y/perLayer, y/perLayer+1
		if m.Layers > rows {
			from, to = y*m.Layers/rows, (y+1)*m.Layers/rows
		}
		if axis > 0 && y%perLayer == 0 {
			g.right(axis-1, y, dim, strconv.Itoa(from))
		}
		for x := range columns {
			state := warmth[stateAt(m, x, y, from, to, x*m.Columns/columns, (x+1)*m.Columns/columns)]
			body.set(x, y, state.r, state.k)
		}
	}
	if legend > 0 {
		var seen [len(warmth)]int
		for _, c := range m.Cells[:m.Layers*m.Columns] {
			seen[min(int(c), len(warmth)-1)]++
		}
		d.legend(g, &seen)
	}
	return d.canvas.rows(d.paint)
}

// legend draws what the glyphs mean, with the share of the neurons where there is room for it.
func (d *Dashboard) legend(g region, seen *[len(warmth)]int) {
	all := 0
	for _, n := range seen {
		all += n
	}
	for form := range 3 {
		var t item
		if d.Frozen() {
			t = item{{warn, "frozen "}}
		}
		for i, state := range []infer.Warmth{infer.Hot, infer.Cold, infer.Absent, infer.JustRead} {
			s := warmth[state]
			gap := [...]string{"  ", " ", " "}[form]
			if i == 0 {
				gap = ""
			}
			t = append(t, span{plain, gap}, span{s.k, string(s.r)}, span{plain, [...]string{" " + s.name, s.short, s.short}[form]})
			if form < 2 {
				t = append(t, span{dim, " " + percents(per(float64(seen[state]), float64(all)))})
			}
		}
		if t.width() <= g.w || form == 2 {
			g.item(0, g.h-1, t)
			return
		}
	}
}

// dither is Bayer's matrix: each cell's place among its 16 neighbours. A cell shows a state if the share of the neurons in it, or in a
// warmer one, is more than the cell's sixteenths, so that an area shows each state by its share, and a cell does not flicker.
var dither = [4][4]int{{0, 8, 2, 10}, {12, 4, 14, 6}, {3, 11, 1, 9}, {15, 7, 13, 5}}

// stateAt is the state that the cell at x, y shows for the layers and columns that it stands for.
func stateAt(m *infer.Heat, x, y, layer, layerEnd, column, columnEnd int) infer.Warmth {
	if layerEnd-layer == 1 && columnEnd-column == 1 {
		return infer.Warmth(min(int(m.Cells[layer*m.Columns+column]), len(warmth)-1))
	}
	var seen [len(warmth)]int
	for l := layer; l < layerEnd; l++ {
		for _, c := range m.Cells[l*m.Columns+column : l*m.Columns+columnEnd] {
			seen[min(int(c), len(warmth)-1)]++
		}
	}
	all := (layerEnd - layer) * (columnEnd - column)
	if seen[infer.JustRead]*readShare >= all {
		return infer.JustRead
	}
	warmer := 0
	for _, s := range []infer.Warmth{infer.JustRead, infer.Hot, infer.Cold} {
		if warmer += seen[s]; warmer*16 > all*dither[y%4][x%4] && warmer > 0 {
			return s
		}
	}
	return infer.Absent
}
