package panels

import "strconv"

// graphs says of each panel what its page's graph shows, and its top; a top of 0 is the highest value shown.
func (v *view) graphOf(id ID) (what string, top float64, write func(float64) string) {
	share := func(float64) string { return "100%" }
	switch id {
	case Speed:
		return "tokens per second", 0, decimals
	case Token:
		return "milliseconds per token", 0, decimals
	case Cache:
		return "hit rate, %", 100, share
	case Flash:
		return "GB/s while reading", 0, decimals
	case Cores:
		return "all workers busy, %", 100, share
	case Prefill:
		return "tokens per second of prefill", 0, decimals
	case Memory:
		return "GB that are ours, of the budget", v.budget().Value / 1e9, decimals
	case Heat:
		return "temperature, °C", heatTop, func(top float64) string { return strconv.Itoa(int(top)) + "°" }
	case Context:
		return "tokens held", float64(v.in.Stats.ContextMax), func(top float64) string { return tokens(int(top)) }
	case Planned:
		return "measured speed, % of the plan's", 0, decimals
	}
	return "", 0, decimals
}

// The rows of a page's graph, axis included.
const (
	graphLeast = 4
	graphMost  = 14
)

// Page draws a panel's page for a screen of w columns and h rows: a graph of the last ten minutes, then each number with
// its meaning. It has as many rows as that takes, each of w cells, so it may have to be scrolled; the graph leaves room for numbers.
func (d *Dashboard) Page(id ID, w, h int) []string {
	if w <= 0 || id == None || id >= count {
		return nil
	}
	v := d.shown()
	d.canvas.clear(w, 0)
	g := region{c: &d.canvas, w: w, grows: true}
	y := 0
	if why := d.Absent(id); why != "" {
		return d.explain(g, id, g.wrap(1, y, plain, why)+1)
	}
	what, top, write := v.graphOf(id)
	g.words(1, y, 2, item{{dim, what}})
	y++
	rows := max(graphLeast, min(graphMost, h/3))
	d.canvas.grow(y + rows)
	region{c: &d.canvas, x: 1, y: y, w: max(0, w-2), h: rows}.history(v, panelTable[id].series, top, write)
	return d.explain(g, id, y+rows+1)
}

// explain draws the panel's numbers from row y on, and returns all rows of the page.
func (d *Dashboard) explain(g region, id ID, y int) []string {
	v := d.shown()
	for i := range numbers {
		n := &numbers[i]
		if n.Panel != id {
			continue
		}
		g.put(1, y, accent, n.Name)
		g.words(13, y, 0, n.value(v))
		y = g.wrap(3, y+1, dim, n.Text)
	}
	return d.canvas.rows(d.paint)
}
