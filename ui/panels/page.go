package panels

import (
	"strconv"

	"hotcell/infer"
)

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
		return "memory that is ours, of the budget", v.budget().Value, shortSize
	case Throttling:
		return "temperature, °C", thermalTop, func(top float64) string { return strconv.Itoa(int(top)) + "°" }
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
		d.explain(g, id, g.wrap(1, y, plain, why)+1, func(y int, _ *Number) int { return y + 1 })
		return d.canvas.rows(d.paint)
	}
	what, top, write := v.graphOf(id)
	g.words(1, y, 2, item{{dim, what}})
	y++
	rows := max(graphLeast, min(graphMost, h/3))
	d.canvas.grow(y + rows)
	region{c: &d.canvas, x: 1, y: y, w: max(0, w-2), h: rows}.history(v, panelTable[id].series, top, write)
	y = v.detail(g.part(1, 0, w-2, 1), id, y+rows+1)
	d.explain(g, id, y, func(y int, n *Number) int {
		t := n.value(v)
		if nameWidth+2+t.width() <= w {
			g.item(nameWidth+2, y, t)
			return y + 1
		}
		return g.wrap(nameWidth+2, y, plain, t.text())
	})
	return d.canvas.rows(d.paint)
}

// barLeast is how many cells a bar on a page needs to tell something.
const barLeast = 8

// detail draws what a page shows between graph and numbers, from row y on, and returns the row below it.
func (v *view) detail(g region, id ID, y int) int {
	g.grows = true
	switch id {
	case Token:
		v.tokenBar(g, 0, y, g.w)
		var legend [4]item
		for i, p := range v.tokenParts() {
			legend[i] = item{{p.k, string(p.r)}, {dim, " " + p.short}}
		}
		g.words(0, y+1, 2, legend[:]...)
		return y + 3
	case Cache:
		s := &v.in.Stats
		for i, r := range [...]infer.RegionStats{s.Hot, s.Cold} {
			text := room(r)
			g.put(0, y+i, dim, [...]string{"hot", "cold"}[i])
			w := g.w - 6 - len(text)
			g.bar(5, y+i, w, per(float64(r.Used), float64(r.Capacity)), accent)
			g.right(g.w, y+i, plain, text)
		}
		return y + 3
	case Cores:
		return v.workers(g, y)
	case Prefill:
		if v.prefilling() {
			v.progress(g, y)
			return y + 2
		}
	case Memory:
		v.memoryBar(g, 0, y, g.w)
		g.words(0, y+1, 2, item{{accent, "█"}, {dim, " weights"}}, item{{good, "▓"}, {dim, " KV"}}, item{{warn, "▒"}, {dim, " cache"}}, item{{dim, "░ other"}})
		return y + 3
	case Context:
		g.bar(0, y, g.w, v.contextShare(), level(ofContext, v.contextShare()))
		return y + 2
	}
	return y
}

// workers draws a bar for each worker, a cluster after the other.
func (v *view) workers(g region, y int) int {
	const figures = 5 // cells for a number of percent
	columns := max(1, min(4, g.w/(2*barLeast)))
	for _, c := range v.grouped {
		g.words(0, y, 2, item{{accent, c.Name}}, item{{plain, strconv.Itoa(len(c.Workers))}, {dim, " workers"}}, item{{plain, number(c.GHz)}, {dim, " GHz"}},
			item{{dim, "cap "}, {plain, percents(c.Cap)}})
		y++
		for i, w := range c.Workers {
			cell := g.w / columns
			x := i % columns * cell
			busy := Reading{float64(v.busy[w]), v.busyOK}
			g.bar(x, y, cell-figures-1, busy, accent)
			g.right(x+cell-1, y, plain, percents(busy))
			if (i+1)%columns == 0 || i+1 == len(c.Workers) {
				y++
			}
		}
	}
	return y + 1
}

// nameWidth is how many cells the longest name of a number takes.
const nameWidth = 11

// explain draws the panel's numbers from row y on, each with what value draws behind its name; value returns the row below.
func (d *Dashboard) explain(g region, id ID, y int, value func(y int, n *Number) int) {
	for i := range numbers {
		if n := &numbers[i]; n.Panel == id {
			g.put(1, y, accent, n.Name)
			y = g.wrap(3, value(y, n), dim, n.Text)
		}
	}
}
