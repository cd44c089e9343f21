package panels

import (
	"strconv"

	"hotcell/infer"
)

// warmth is how each state of the neurons is drawn: the glyphs differ also without colour.
var warmth = [...]struct {
	name string
	r    rune
	k    ink
}{
	infer.Absent:   {"absent", '·', dim},
	infer.Cold:     {"cold", '▒', accent},
	infer.Hot:      {"hot", '█', warn},
	infer.JustRead: {"just read", '●', good},
}

// readShare is the share of the neurons under a cell from which on it shows that some were just read: reads are few and
// short, and the picture is there to watch them.
const readShare = 8

// HeatMap draws where the neurons are in w x h cells: a layer a row from top to bottom, often active neurons at the left, a legend with the
// shares below. Where a cell stands for several neurons it shows the most common state, or that an eighth of them was just read.
// While the dashboard is frozen it shows the picture that it was drawn with last. heat may be nil and is not kept.
func (d *Dashboard) HeatMap(heat *infer.Heat, w, h int) []string {
	if w <= 0 || h <= 0 {
		return nil
	}
	if heat != nil && !d.Frozen() {
		d.heat.Layers, d.heat.Columns = heat.Layers, heat.Columns
		d.heat.Cells = append(d.heat.Cells[:0], heat.Cells...)
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
			state := warmth[common(m, from, to, x*m.Columns/columns, (x+1)*m.Columns/columns)]
			body.set(x, y, state.r, state.k)
		}
	}
	if legend > 0 {
		var seen [len(warmth)]int
		for _, c := range m.Cells[:m.Layers*m.Columns] {
			seen[min(int(c), len(warmth)-1)]++
		}
		var items []item
		for _, i := range []infer.Warmth{infer.Hot, infer.Cold, infer.Absent, infer.JustRead} {
			s := warmth[i]
			items = append(items, item{{s.k, string(s.r)}, {plain, " " + s.name + " "},
				{dim, percent(per(float64(seen[i]), float64(m.Layers*m.Columns))) + "%"}})
		}
		if d.Frozen() {
			items = append([]item{{{warn, "frozen"}}}, items...)
		}
		g.words(0, h-1, 2, items...)
	}
	return d.canvas.rows(d.paint)
}

// common is the state that a cell shows for the layers and columns that it stands for.
func common(m *infer.Heat, layer, layerEnd, column, columnEnd int) infer.Warmth {
	var seen [len(warmth)]int
	for l := layer; l < layerEnd; l++ {
		for _, c := range m.Cells[l*m.Columns+column : l*m.Columns+columnEnd] {
			seen[min(int(c), len(warmth)-1)]++
		}
	}
	all := (layerEnd - layer) * (columnEnd - column)
	best := infer.Absent
	for _, s := range []infer.Warmth{infer.Cold, infer.Hot} {
		if seen[s] > 0 && seen[s] >= seen[best] {
			best = s
		}
	}
	if n := seen[infer.JustRead]; n > 0 && (n*readShare >= all || n > seen[best]) {
		return infer.JustRead
	}
	return best
}
