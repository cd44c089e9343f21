package panels

import "hotcell/infer"

// The panels that tell of the way from flash to compute: neuron cache, flash.

// room is how much of a region of the cache is used of how much there is.
func room(s infer.RegionStats) string {
	used, most := some(float64(s.Used)), some(float64(s.Capacity))
	if !most.OK {
		return unknown
	}
	u := unitOf(most.Value)
	used.OK = true // a region that exists may be empty
	return u.of(used) + "/" + u.of(most) + " " + u.name
}

func (v *view) hitItem() item { return judged(level(ofHit, v.hit), percents(v.hit)) }

func cacheFull(g region, v *view) {
	g.words(0, 0, 2,
		append(item{{dim, "hit "}}, append(v.hitItem(), span{dim, " last " + readTokens(some(float64(v.hitTokens)))})...),
		item{{plain, percents(v.session)}, {dim, " session"}})
	s := &v.in.Stats
	for i, row := range [...]struct {
		name       string
		hit, evict Reading
		region     infer.RegionStats
	}{
		{"hot", v.hotHit, v.hotEvict, s.Hot},
		{"cold", v.coldHit, v.coldEvict, s.Cold},
	} {
		g.put(0, 1+i, dim, row.name)
		g.right(8, 1+i, level(ofHit, row.hit), percents(row.hit))
		g.words(9, 1+i, 1, item{{plain, room(row.region)}}, item{{dim, "evict "}, {plain, whole(row.evict)}, {dim, "/tok"}})
	}
	g.spark(v, 3, hitSeries, 100, func(float64) string { return "100%" })
}

func cacheCompact(g, rest region, v *view) {
	g.words(0, 0, 1,
		append(item{{dim, "hit "}}, v.hitItem()...),
		item{{dim, "hot "}, {plain, percent(v.hotHit)}},
		item{{dim, "cold "}, {plain, percent(v.coldHit)}})
	s := &v.in.Stats
	evict := Reading{v.hotEvict.Value + v.coldEvict.Value, v.hotEvict.OK && v.coldEvict.OK}
	rest.words(0, 0, 2,
		item{{plain, room(infer.RegionStats{Used: s.Hot.Used + s.Cold.Used, Capacity: s.Hot.Capacity + s.Cold.Capacity})}},
		item{{dim, "evict "}, {plain, whole(evict)}, {dim, "/tok"}})
}

func cacheLine(v *view) []item {
	k := level(ofHit, v.hit)
	return []item{{{dim, "hit "}, {k, percents(v.hit)}}, {{dim, "hit"}, {k, percent(v.hit)}}}
}

func cacheTail(g region, v *view) { g.bar(0, 0, g.w, v.hit, accent) }

// gigabytes is bytes per second as GB/s.
func gigabytes(r Reading) string { return number(Reading{r.Value / 1e9, r.OK}) }

func (v *view) stallItem() item {
	return append(item{{dim, "stall "}}, judged(level(ofStall, v.stallShare), percents(v.stallShare))...)
}

func flashTitle(v *view) []item {
	return []item{{{plain, gigabytes(v.flashRate) + " GB/s"}}, v.stallItem()}
}

func flashFull(g region, v *view) {
	g.words(0, 0, 2,
		item{{plain, size(v.readBytes)}, {dim, "/tok"}},
		item{{plain, whole(v.reads)}, {dim, " reads"}},
		item{{dim, "depth "}, {plain, v.depth()}})
	g.spark(v, 1, flashSeries, 0, decimals)
}

// depth is how many reads are under way; an engine that has never read has no queue.
func (v *view) depth() string {
	if v.in.Stats.FlashReads == 0 {
		return unknown
	}
	return tokens(v.in.Stats.QueueDepth)
}

func flashCompact(g, _ region, v *view) {
	g.words(0, 0, 1,
		item{{plain, gigabytes(v.flashRate) + " GB/s"}},
		v.stallItem(),
		item{{plain, size(v.readBytes)}, {dim, "/t"}})
}

func flashLine(v *view) []item {
	k, stall := level(ofStall, v.stallShare), percents(v.stallShare)
	return []item{
		{{dim, "stall "}, {k, stall}, {plain, " " + gigabytes(v.flashRate) + " GB/s"}},
		{{dim, "stall "}, {k, stall}},
		{{dim, "st"}, {k, stall}},
	}
}
