package panels

// The panels that tell how fast decode is and where its time goes: speed, one token, plan.

// speedInk judges the speed now, or of the newest answer, against the best of the session.
func speedInk(v *view, r Reading) ink {
	if !r.OK || !v.best.OK {
		return dim
	}
	return level(ofSpeed, per(r.Value, v.best.Value))
}

// current is the speed now while tokens are computed, else that of the newest answer.
func (v *view) current() Reading {
	if v.active || v.now.OK {
		return v.now
	}
	return v.average
}

// speedTitle names the mode of feed-forward layers, since some are lossy.
func speedTitle(v *view) []item { return []item{{{dim, v.in.Stats.Mode}}} }

func (v *view) mode() string {
	if v.in.Stats.Mode == "" {
		return unknown
	}
	return v.in.Stats.Mode
}

func speedFull(g region, v *view) {
	g.words(0, 0, 3,
		append(judged(speedInk(v, v.now), number(v.now)), span{plain, " tok/s"}),
		item{{dim, "avg "}, {plain, number(v.average)}},
		item{{dim, "best "}, {plain, number(v.best)}})
	g.spark(v, 1, tokensSeries, 0, decimals)
}

func speedCompact(g, _ region, v *view) {
	g.words(0, 0, 2,
		append(judged(speedInk(v, v.now), number(v.now)), span{plain, " tok/s"}),
		item{{dim, "avg "}, {plain, number(v.average)}},
		item{{dim, "best "}, {plain, number(v.best)}})
}

func speedLine(v *view) []item {
	r := v.current()
	k := speedInk(v, r)
	return []item{
		{{k, number(r)}, {plain, " tok/s"}},
		{{k, number(r)}, {plain, " t/s"}},
		{{k, number(r)}},
	}
}

func speedTail(g region, v *view) { g.graph(v, tokensSeries, sparkSpan, 0, accent) }

// tokenParts are the parts of one token's time, in the order of the bar.
func (v *view) tokenParts() [4]struct {
	name, short string
	time        Reading
	r           rune
	k           ink
} {
	return [...]struct {
		name, short string
		time        Reading
		r           rune
		k           ink
	}{
		{"compute", "cpu", v.compute, '█', accent},
		{"flash wait", "flash", v.stall, '▓', warn},
		{"cache mgmt", "mgmt", v.manage, '▒', good},
		{"other", "other", v.other, '░', dim},
	}
}

func (v *view) tokenBar(g region, x, y, w int) {
	var parts [4]segment
	for i, p := range v.tokenParts() {
		parts[i] = segment{p.time.Value, p.r, p.k}
	}
	g.stack(x, y, w, v.token.Value, parts[:]...)
}

func tokenTitle(v *view) []item {
	title := []item{{{dim, "= "}, {plain, millis(v.token) + " ms"}}}
	if !v.active && v.token.OK {
		title = append(title, item{{dim, "last answer"}})
	}
	return title
}

func tokenFull(g region, v *view) {
	v.tokenBar(g, 0, 0, g.w)
	for i, p := range v.tokenParts() {
		half := g.part(i%2*(g.w+1)/2, 1+i/2, (g.w-1)/2, 1)
		half.set(0, 0, p.r, p.k)
		half.words(2, 0, 1, item{{dim, p.name}}, item{{plain, millis(p.time)}})
	}
	g.spark(v, 3, millisSeries, 0, decimals)
}

func tokenCompact(g, rest region, v *view) {
	x := g.words(0, 0, 1, item{{plain, millis(v.token) + " ms"}})
	v.tokenBar(g, x+1, 0, g.w-x-1)
	var items [4]item
	for i, p := range v.tokenParts() {
		items[i] = item{{p.k, string(p.r)}, {dim, p.short + " "}, {plain, millis(p.time)}}
	}
	rest.words(0, 0, 1, items[:]...)
}

func tokenLine(v *view) []item {
	head := item{{plain, millis(v.token) + " ms"}}
	long := append(item{}, head...)
	for i, p := range v.tokenParts() {
		long = append(long, span{dim, [...]string{" = ", " + ", " + ", " + "}[i] + p.short + " "}, span{plain, millis(p.time)})
	}
	return []item{long, head, {{plain, millis(v.token) + "ms"}}}
}

func planTitle(v *view) []item {
	return []item{append(judged(level(ofPlan, v.planShare), percents(v.planShare)), span{dim, " of expected"})}
}

// planRows are the numbers of a plan beside what was measured in the newest answer.
func (v *view) planRows() [3]struct {
	name           string
	expected, real string
} {
	p := v.in.Plan
	if p == nil {
		p = &Plan{}
	}
	return [...]struct {
		name           string
		expected, real string
	}{
		{"tok/s", number(p.TokensPerSec), number(v.average)},
		{"hit %", percent(p.HitRate), percent(v.hit)},
		{"stall %", percent(p.StallShare), percent(v.stallShare)},
	}
}

// planRow is one of them in a line.
func (v *view) planRow(i int) item {
	row := v.planRows()[i]
	return item{{dim, "expected "}, {plain, row.expected}, {dim, "  measured "}, {plain, row.real}}
}

func (v *view) planName() string {
	if v.in.Plan == nil || v.in.Plan.Name == "" {
		return unknown
	}
	return v.in.Plan.Name
}

func planFull(g region, v *view) {
	g.put(0, 0, dim, "         expected  measured")
	for i, row := range v.planRows() {
		g.put(0, 1+i, dim, row.name)
		g.right(17, 1+i, plain, row.expected)
		g.right(27, 1+i, plain, row.real)
	}
	g.spark(v, 4, planSeries, 0, decimals)
}

func planCompact(g, _ region, v *view) {
	row := v.planRows()[0]
	g.words(0, 0, 1,
		judged(level(ofPlan, v.planShare), percents(v.planShare)),
		item{{dim, "of "}, {plain, row.expected + " tok/s"}},
		item{{dim, "got "}, {plain, row.real}})
}

func planLine(v *view) []item {
	row := v.planRows()[0]
	k := level(ofPlan, v.planShare)
	return []item{
		{{dim, "plan "}, {plain, row.expected}, {dim, " tok/s, got "}, {k, row.real}},
		{{dim, "plan "}, {k, percents(v.planShare)}},
	}
}
