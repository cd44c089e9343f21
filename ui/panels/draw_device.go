package panels

import "math"

// The panels that tell of the device: cores, prefill and what does it, thermal.

// groups are the clusters that have workers. Where nothing is known of clusters all workers are one.
func (v *view) groups() []Cluster {
	var groups []Cluster
	workers := min(max(0, v.in.Stats.Workers), len(v.busy))
	for _, c := range v.in.Clusters {
		kept := c.Workers[:0:0]
		for _, w := range c.Workers {
			if w >= 0 && w < workers {
				kept = append(kept, w)
			}
		}
		if len(kept) > 0 {
			c.Workers, c.Name = kept, label(c.Name)
			groups = append(groups, c)
		}
	}
	if len(groups) == 0 && workers > 0 {
		all := Cluster{}
		for w := range workers {
			all.Workers = append(all.Workers, w)
		}
		groups = append(groups, all)
	}
	return groups
}

// busyItems are how busy the workers are, a cluster an item, as numbers, as blocks, or as the cluster's mean.
func (v *view) busyItems(how byte) []item {
	var items []item
	for _, c := range v.grouped {
		t, space := item{}, ""
		if c.Name != "" {
			t, space = append(t, span{dim, c.Name}), " "
		}
		sum, blocks := 0.0, []rune{}
		for _, w := range c.Workers {
			sum += float64(v.busy[w])
			if how == 'n' {
				t = append(t, span{plain, space + percent(Reading{float64(v.busy[w]), v.busyOK})})
				space = " "
			}
			blocks = append(blocks, eighth(float64(v.busy[w])))
		}
		switch {
		case how == 'm' || how == 'b' && !v.busyOK:
			t = append(t, span{plain, space + percent(Reading{sum / float64(len(c.Workers)), v.busyOK})})
		case how == 'b':
			t = append(t, span{accent, string(blocks)})
		}
		items = append(items, t)
	}
	if len(items) == 0 {
		return []item{{{dim, unknown}}}
	}
	return items
}

// joined is the items as one, with gap spaces between.
func joined(gap string, items []item) item {
	var all item
	for i, t := range items {
		if i > 0 {
			all = append(all, span{plain, gap})
		}
		all = append(all, t...)
	}
	return all
}

func (v *view) busyAllItem() item { return item{{plain, percents(v.busyAll)}} }

func coresTitle(v *view) []item { return []item{v.busyAllItem()} }

func coresFull(g region, v *view) {
	row := joined("  ", v.busyItems('n'))
	for _, how := range []byte{'b', 'm'} {
		if row.width() > g.w-2 {
			row = joined("  ", v.busyItems(how))
		}
	}
	if v.busyOK {
		row = append(row, span{dim, " %"})
	}
	g.words(0, 0, 1, row)
	g.words(0, 1, 2, append(v.clocks(), span{dim, " GHz"}), v.capItem())
	g.spark(v, 2, coresSeries, 100, func(float64) string { return "100%" })
}

// clocks are the clusters' clocks in GHz.
func (v *view) clocks() item {
	var items []item
	for _, c := range v.grouped {
		if c.GHz.OK {
			items = append(items, item{{dim, c.Name + " "}, {plain, number(c.GHz)}})
		}
	}
	if len(items) == 0 {
		return text(unknown)
	}
	return joined(" ", items)
}

// capItem is how far the system lets the clocks go.
func (v *view) capItem() item {
	return append(item{{dim, "cap "}}, judged(level(ofCap, v.in.Thermal.Cap), percents(v.in.Thermal.Cap))...)
}

func coresCompact(g, _ region, v *view) {
	row := joined(" ", v.busyItems('b'))
	if row.width() > g.w-5 {
		row = joined(" ", v.busyItems('m'))
	}
	g.words(0, 0, 1, row, v.busyAllItem())
}

func coresLine(v *view) []item {
	blocks := joined(" ", v.busyItems('b'))
	return []item{
		append(append(item{}, blocks...), span{plain, " " + percents(v.busyAll)}),
		blocks,
		joined(" ", v.busyItems('m')),
		{{dim, "cpu "}, {plain, percents(v.busyAll)}},
	}
}

// engine names what computes prefill.
func (v *view) engine() string {
	if v.in.Accelerator.Name != "" {
		return v.in.Accelerator.Name
	}
	return "CPU"
}

// engineItem is the same with the reason where it is the CPU.
func (v *view) engineItem() item {
	t := text(v.engine())
	if a := v.in.Accelerator; a.Name == "" {
		t = append(t, span{dim, ", no accelerator"})
		if a.Reason != "" {
			t = append(t, span{dim, ": " + a.Reason})
		}
	}
	return t
}

func prefillTitle(v *view) []item {
	title := []item{{{dim, "on "}, {plain, v.engine()}}}
	if v.in.Accelerator.Name == "" {
		title = append(title, item{{dim, "no accelerator"}})
	}
	return title
}

func (v *view) prefilling() bool { return v.in.Stats.Prefilling && v.in.Prefill.Total > 0 }

// progress is the bar and the words of a prefill under way.
func (v *view) progress(g region, y int) {
	p := v.in.Prefill
	done := item{{plain, tokens(p.Done) + "/" + tokens(p.Total)}}
	left := item{{plain, seconds(duration(p.Left))}, {dim, " left"}}
	w := max(0, min(g.w/3, g.w-done.width()-left.width()-2))
	g.bar(0, y, w, per(float64(p.Done), float64(p.Total)), accent)
	g.words(w+min(1, w), y, 1, done, left)
}

func prefillFull(g region, v *view) {
	g.words(0, 0, 2,
		item{{plain, number(v.prefillRate)}, {dim, " tok/s"}},
		item{{plain, readTokens(v.prefilled)}, {dim, " tok in "}, {plain, seconds(v.prefillTime)}})
	items := []item{{{dim, "TTFT "}, {plain, seconds(duration(v.in.TTFT))}}}
	if v.reused > 0 {
		items = append(items, item{{plain, tokens(int(v.reused))}, {dim, " tok kept"}})
	}
	g.words(0, 1, 2, items...)
	if v.prefilling() {
		v.progress(g, 2)
		return
	}
	g.spark(v, 2, prefillSeries, 0, decimals)
}

func prefillCompact(g, _ region, v *view) {
	if v.prefilling() {
		v.progress(g, 0)
		return
	}
	g.words(0, 0, 1,
		item{{plain, number(v.prefillRate)}, {dim, " tok/s"}},
		item{{plain, seconds(v.prefillTime)}},
		item{{dim, v.engine()}})
}

func prefillLine(v *view) []item {
	if v.prefilling() {
		share := percent(per(float64(v.in.Prefill.Done), float64(v.in.Prefill.Total)))
		return []item{
			{{dim, "prefill "}, {plain, share + "%"}, {dim, " left "}, {plain, seconds(duration(v.in.Prefill.Left))}},
			{{dim, v.engine() + " "}, {plain, share + "%"}},
			{{dim, "pre "}, {plain, share + "%"}},
		}
	}
	return []item{
		{{dim, v.engine() + " prefill "}, {plain, seconds(v.prefillTime)}, {plain, " " + number(v.prefillRate)}, {dim, " t/s"}},
		{{dim, v.engine() + " "}, {plain, seconds(v.prefillTime)}},
		{{dim, "pre "}, {plain, seconds(v.prefillTime)}},
	}
}

// throttling is the state of the heat in a word, judged by what it costs: the clock that is allowed, and the speed that is lost.
func (v *view) throttling() (string, ink) {
	k := worse(level(ofCap, v.in.Thermal.Cap), level(ofSlower, v.slower))
	switch {
	case k == dim:
		return unknown, dim
	case k == warn:
		return "moderate", warn
	case k == bad:
		return "severe", bad
	case v.in.Thermal.Cap.OK && v.in.Thermal.Cap.Value < 0.995 || v.slower.OK && v.slower.Value > 0.05:
		return "light", good
	}
	return "none", good
}

func degrees(r Reading) string {
	if !r.OK {
		return unknown
	}
	return decimals(math.Round(r.Value*10)/10) + "°C"
}

func thermalTitle(v *view) []item {
	word, k := v.throttling()
	return []item{append(item{{dim, "throttling: "}}, judged(k, word)...)}
}

func thermalFull(g region, v *view) {
	g.words(0, 0, 2, item{{plain, degrees(v.in.Thermal.Celsius)}}, v.capItem(),
		append(item{{dim, "slower "}}, judged(level(ofSlower, v.slower), percents(v.slower))...))
	g.spark(v, 1, thermalSeries, thermalTop, func(top float64) string { return decimals(top) + "°" })
}

// thermalTop is the top of the temperature's graph.
const thermalTop = 100

func thermalCompact(g, _ region, v *view) {
	word, k := v.throttling()
	g.words(0, 0, 1, item{{plain, degrees(v.in.Thermal.Celsius)}}, judged(k, word), v.capItem())
}

func thermalLine(v *view) []item {
	word, k := v.throttling()
	short := unknown
	if c := v.in.Thermal.Celsius; c.OK {
		short = decimals(math.Round(c.Value))
		short = short[:len(short)-len(".0")] + "°"
	}
	return []item{
		{{dim, "heat "}, {plain, degrees(v.in.Thermal.Celsius)}, {plain, " "}, {k, word}},
		{{plain, degrees(v.in.Thermal.Celsius)}},
		{{plain, short}},
	}
}
