package panels

// Number is a number that a panel shows, with its meaning. Pages and help print this table.
type Number struct {
	Panel ID
	Name  string // as the panel's page shows it
	Text  string // what it means, one plain sentence

	value func(v *view) item
}

// Numbers lists all numbers, panel by panel.
func Numbers() []Number { return append([]Number(nil), numbers...) }

func text(s string) item { return item{{plain, s}} }

var numbers = []Number{
	{Speed, "now", "Tokens written per second, in the last second; for a slow model, by the last token.",
		func(v *view) item { return append(judged(speedInk(v, v.now), number(v.now)), span{plain, " tok/s"}) }},
	{Speed, "avg", "Tokens per second of this answer's decode; prefill does not count.",
		func(v *view) item { return text(number(v.average) + " tok/s") }},
	{Speed, "best", "The highest speed of a second or 16 tokens, whichever is longer, since the model was loaded; the colour of now compares with it.",
		func(v *view) item { return text(number(v.best) + " tok/s") }},
	{Speed, "mode", "Feed-forward layers: dense, every neuron; exact, those that are zero are skipped; predicted, faster and lossy.",
		func(v *view) item { return text(v.mode()) }},

	{Token, "one token", "Wall time of one token; the four parts below sum up to it.",
		func(v *view) item { return text(millis(v.token) + " ms") }},
	{Token, "compute", "Measured in the workers, the mean of all: multiplying weights and attention.",
		func(v *view) item { return text(millis(v.compute) + " ms") }},
	{Token, "flash wait", "Time in which compute stood still because weights had not come from flash.",
		func(v *view) item { return text(millis(v.stall) + " ms") }},
	{Token, "cache mgmt", "Looking up, admitting and evicting neurons, the mean of all workers.",
		func(v *view) item { return text(millis(v.manage) + " ms") }},
	{Token, "other", "What no clock claims: barriers between workers, sampling, the operating system.",
		func(v *view) item { return text(millis(v.other) + " ms") }},
	{Token, "sampling", "Part of other: choosing the next token.",
		func(v *view) item { return text(millis(v.sample) + " ms") }},

	{Cache, "hit", "Share of the wanted neurons that were in memory, in the last 64 tokens of this answer.",
		func(v *view) item { return v.hitItem() }},
	{Cache, "session", "The same since the model was loaded; it moves slowly.",
		func(v *view) item { return text(percents(v.session)) }},
	{Cache, "hot", "The hot region, clusters that most tokens need: hits, and bytes used of its room.",
		func(v *view) item { return text(percents(v.hotHit) + "  " + room(v.in.Stats.Hot)) }},
	{Cache, "cold", "The cold region, single neurons that few tokens need: hits, and bytes used of its room.",
		func(v *view) item { return text(percents(v.coldHit) + "  " + room(v.in.Stats.Cold)) }},
	{Cache, "evict", "Clusters and neurons dropped per token to make room, hot and cold.",
		func(v *view) item { return text(whole(v.hotEvict) + " / " + whole(v.coldEvict)) }},
	{Cache, "prefetched", "Share of the hits that were read ahead for just this use, hot and cold.",
		func(v *view) item { return text(percents(v.hotPrefetch) + " / " + percents(v.coldPrefetch)) }},
	{Cache, "active", "Share of the neurons whose activation was not zero.",
		func(v *view) item { return text(percents(v.activeShare)) }},
	{Cache, "recall", "Share of the active neurons that the predictor had named; what it misses is lost.",
		func(v *view) item { return text(percents(v.recall)) }},

	{Flash, "rate", "Bytes per second while at least one read was under way.",
		func(v *view) item { return text(gigabytes(v.flashRate) + " GB/s") }},
	{Flash, "stall", "Share of the time in which compute waited for flash. Flash may be busy without a stall.",
		func(v *view) item { return judged(level(ofStall, v.stallShare), percents(v.stallShare)) }},
	{Flash, "per token", "Bytes of weights read for one token.",
		func(v *view) item { return text(size(v.readBytes)) }},
	{Flash, "reads", "Read requests for one token, after neighbours were merged.",
		func(v *view) item { return text(whole(v.reads)) }},
	{Flash, "request", "Mean size of a read; flash is slow for small ones.",
		func(v *view) item { return text(size(v.reqLen)) }},
	{Flash, "depth", "Reads under way at this moment.",
		func(v *view) item { return text(v.depth()) }},

	{Cores, "busy", "Share of the time that the workers compute, all of them. Only ours: it is not the system's load.",
		func(v *view) item { return v.busyAllItem() }},
	{Cores, "clusters", "The mean of each cluster's workers, the fastest cluster first: P big, M middle, E little.",
		func(v *view) item { return joined("  ", v.busyItems('m')) }},
	{Cores, "clock", "The cores' clock now, mean of a cluster, in GHz.",
		func(v *view) item { return v.clocks() }},
	{Cores, "clock cap", "The highest clock that the system allows now, against the highest possible, of the worst core.",
		func(v *view) item { return judged(level(ofCap, v.in.Thermal.Cap), percents(v.in.Thermal.Cap)) }},

	{Prefill, "on", "What multiplies the weights while the prompt is read.",
		func(v *view) item { return v.engineItem() }},
	{Prefill, "speed", "Tokens of the prompt read per second.",
		func(v *view) item { return text(number(v.prefillRate) + " tok/s") }},
	{Prefill, "time", "Time to read this answer's prompt, and how many tokens were computed.",
		func(v *view) item { return text(seconds(v.prefillTime) + ", " + readTokens(v.prefilled) + " tok") }},
	{Prefill, "kept", "Tokens of the prompt that the KV cache still held from before, so that they cost nothing.",
		func(v *view) item { return text(readTokens(Reading{float64(v.reused), v.prefilled.OK})) }},
	{Prefill, "TTFT", "Time to first token: from sending to the first text.",
		func(v *view) item { return text(seconds(duration(v.in.TTFT))) }},

	{Memory, "ours", "Memory that is ours now, anon and file, of the budget where one was set.",
		func(v *view) item { return v.memoryOfBudget(" ") }},
	{Memory, "weights", "Weights that stay in memory.",
		func(v *view) item { return text(size(some(float64(v.in.Stats.WeightBytes)))) }},
	{Memory, "KV", "Keys and values of the whole context, taken at the start.",
		func(v *view) item { return text(size(some(float64(v.in.Stats.KVBytes)))) }},
	{Memory, "cache", "What the neuron cache holds.",
		func(v *view) item { return text(size(some(v.parts[partCache]))) }},
	{Memory, "anon", "RssAnon: memory that the system could take only by swapping.",
		func(v *view) item { return text(size(v.in.Process.Anon)) }},
	{Memory, "file", "RssFile: mapped files, which the system may drop and read again.",
		func(v *view) item { return text(size(v.in.Process.File)) }},
	{Memory, "swap", "VmSwap: ours, but taken out of memory. If it grows, the system wants less of us: choose a smaller budget.",
		func(v *view) item { return judged(v.swapInk(), size(v.in.Process.Swap)) }},

	{Throttling, "throttling", "Judged by the clock cap and by the speed that is lost, not by the temperature.",
		func(v *view) item { word, k := v.throttling(); return judged(k, word) }},
	{Throttling, "hottest", "The hottest sensor of the processor; on most phones apps may not read it.",
		func(v *view) item {
			return append(text(degrees(v.in.Thermal.Celsius)), span{dim, " " + v.in.Thermal.Zone})
		}},
	{Throttling, "clock cap", "The highest clock that the system allows now, against the highest possible, of the worst core.",
		func(v *view) item { return judged(level(ofCap, v.in.Thermal.Cap), percents(v.in.Thermal.Cap)) }},
	{Throttling, "slower", "How much slower decode is than in its first minute, waits for flash left out. A longer context slows it too.",
		func(v *view) item { return judged(level(ofSlower, v.slower), percents(v.slower)) }},

	{Context, "used", "Tokens of the conversation that the model holds, of how many it can.",
		func(v *view) item { return v.contextItem() }},
	{Context, "share", "The same as a share. When it is full the oldest turns are left out.",
		func(v *view) item { return v.contextShareItem() }},

	{Planned, "plan", "The plan in use.",
		func(v *view) item { return text(v.planName()) }},
	{Planned, "speed", "Tokens per second that the plan expects, and those of this answer.",
		func(v *view) item { return v.planRow(0) }},
	{Planned, "hit", "Share of the neurons found in memory, expected and measured, in percent.",
		func(v *view) item { return v.planRow(1) }},
	{Planned, "stall", "Share of the time waiting for flash, expected and measured, in percent.",
		func(v *view) item { return v.planRow(2) }},
	{Planned, "reached", "Measured speed as a share of the expected one.",
		func(v *view) item { return judged(level(ofPlan, v.planShare), percents(v.planShare)) }},
}
