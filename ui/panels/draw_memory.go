package panels

// The panels that tell how full something is: memory against the budget, context.

// budget is how much memory the process may hold.
func (v *view) budget() Reading { return some(float64(v.in.Stats.Budget)) }

// memoryUnit is the unit of all numbers of the panel.
func (v *view) memoryUnit() unit {
	return unitOf(max(v.budget().Value, v.memory.Value, v.parts[partWeights]))
}

func (v *view) memoryInk() ink {
	k := level(ofBudget, Reading{v.memory.Value / max(1, v.budget().Value), v.memory.OK && v.budget().OK})
	if v.memory.OK && k == dim {
		k = plain
	}
	return max(k, v.swapInk()) // dim is said of no value, which swap does not change
}

// ofBudget is memory that is ours, and the budget where there is one: 4.8/5.0 GB.
func (v *view) memoryOfBudget(space string) item {
	u := v.memoryUnit()
	t := item{{v.memoryInk(), u.of(v.memory)}}
	if v.budget().OK {
		t = append(t, span{plain, "/" + u.of(v.budget())})
	}
	return append(t, span{plain, space + u.name})
}

func (v *view) memoryBar(g region, x, y, w int) {
	total := v.budget().Value
	if total == 0 {
		total = v.parts[0] + v.parts[1] + v.parts[2] + v.parts[3]
	}
	g.stack(x, y, w, total,
		segment{v.parts[partWeights], '█', accent}, segment{v.parts[partKV], '▓', good},
		segment{v.parts[partCache], '▒', warn}, segment{v.parts[partRest], '░', dim})
}

// swapInk judges swap by whether it grows, and whether our memory goes with it.
func (v *view) swapInk() ink {
	switch {
	case v.taken:
		return bad
	case v.growing:
		return warn
	}
	return plain
}

func (v *view) swapItem(name string) item {
	return append(item{{dim, name}}, judged(v.swapInk(), v.memoryUnit().of(v.in.Process.Swap))...)
}

func memoryTitle(v *view) []item { return []item{v.memoryOfBudget(" ")} }

func memoryFull(g region, v *view) {
	u := v.memoryUnit()
	v.memoryBar(g, 0, 0, g.w)
	s := &v.in.Stats
	g.words(0, 1, 2,
		item{{accent, "█"}, {dim, "weights "}, {plain, u.of(some(float64(s.WeightBytes)))}},
		item{{good, "▓"}, {dim, "KV "}, {plain, u.of(some(float64(s.KVBytes)))}},
		item{{warn, "▒"}, {dim, "cache "}, {plain, u.of(some(v.parts[partCache]))}})
	p := v.in.Process
	g.words(0, 2, 2,
		item{{dim, "anon "}, {plain, u.of(p.Anon)}},
		item{{dim, "file "}, {plain, u.of(p.File)}},
		v.swapItem("swap "))
	g.spark(v, 3, memorySeries, v.budget().Value, shortSize)
}

func memoryCompact(g, rest region, v *view) {
	x := g.words(0, 0, 1, v.memoryOfBudget(" "))
	v.memoryBar(g, x+1, 0, g.w-x-1)
	u, p := v.memoryUnit(), v.in.Process
	rest.words(0, 0, 1,
		item{{dim, "anon "}, {plain, u.of(p.Anon)}},
		item{{dim, "file "}, {plain, u.of(p.File)}},
		v.swapItem("swap "))
}

func memoryLine(v *view) []item {
	u, p := v.memoryUnit(), v.in.Process
	long := append(item{{dim, "mem "}}, v.memoryOfBudget(" ")...)
	middle := append(append(item{}, v.memoryOfBudget("")...), append(item{{dim, " "}}, v.swapItem("sw")...)...)
	return []item{
		append(append(long, span{dim, " anon "}, span{plain, u.of(p.Anon)}, span{dim, " file "}, span{plain, u.of(p.File)}, span{dim, " "}), v.swapItem("swap ")...),
		middle,
		v.memoryOfBudget(""),
	}
}

func memoryTail(g region, v *view) { v.memoryBar(g, 0, 0, g.w) }

// contextShare is the share of the context that is used.
func (v *view) contextShare() Reading {
	return per(float64(v.in.Stats.ContextUsed), float64(v.in.Stats.ContextMax))
}

func (v *view) contextItem() item {
	s := &v.in.Stats
	if s.ContextMax <= 0 {
		return item{{dim, unknown}}
	}
	return item{{plain, tokens(s.ContextUsed) + "/" + tokens(s.ContextMax)}}
}

func (v *view) contextShareItem() item {
	return judged(level(ofContext, v.contextShare()), percents(v.contextShare()))
}

func contextTitle(v *view) []item { return []item{v.contextShareItem()} }

func contextFull(g region, v *view) {
	g.words(0, 0, 1, v.contextItem(), item{{dim, "tokens"}})
	g.bar(0, 1, g.w, v.contextShare(), level(ofContext, v.contextShare()))
	g.spark(v, 2, contextSeries, float64(v.in.Stats.ContextMax), func(top float64) string { return tokens(int(top)) })
}

func contextCompact(g, _ region, v *view) {
	x := g.words(0, 0, 1, v.contextItem(), v.contextShareItem())
	g.bar(x+1, 0, g.w-x-1, v.contextShare(), level(ofContext, v.contextShare()))
}

func contextLine(v *view) []item {
	share := span{level(ofContext, v.contextShare()), percents(v.contextShare())}
	return []item{
		append(append(item{{dim, "ctx "}}, v.contextItem()...), span{dim, " "}, share),
		{{dim, "ctx "}, share},
		{share},
	}
}

func contextTail(g region, v *view) {
	g.bar(0, 0, g.w, v.contextShare(), level(ofContext, v.contextShare()))
}
