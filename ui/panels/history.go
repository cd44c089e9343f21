package panels

import (
	"math"
	"time"
)

// spans are how much time a page's graph may show: the shortest that holds all samples.
var spans = [...]time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, historySpan}

// historySpan is how much time is kept, and sparkSpan what a sparkline shows of it.
const (
	historySpan = 10 * time.Minute
	sparkSpan   = time.Minute
)

// Samples that come faster than this count as one, so that the ring holds its whole span at any rate of drawing.
const historyStep = time.Second / 15

// pauseAfter is the longest time between samples that counts as time. Nothing is sampled while nothing happens, so
// the graph's clock stands still then, and a pause is one gap instead of an empty graph.
const pauseAfter = 2 * time.Second

// series names what is kept over time.
type series uint8

const (
	tokensSeries series = iota
	millisSeries
	hitSeries
	flashSeries
	coresSeries
	prefillSeries
	memorySeries
	thermalSeries
	contextSeries
	planSeries
	seriesCount
)

// point is one sample of all series; NaN stands for no data.
type point struct {
	at     uint32 // milliseconds on the graph's clock
	values [seriesCount]float32
}

// history is a ring of samples.
type history struct {
	points [historySpan/historyStep + 1]point
	n      int // points so far
	next   int
	clock  time.Duration
	last   time.Time
}

// add keeps one sample.
func (h *history) add(at time.Time, values *[seriesCount]float32) {
	passed := at.Sub(h.last)
	switch {
	case h.n == 0:
	case passed >= 0 && passed < historyStep:
		return
	case passed < 0 || passed > pauseAfter:
		h.clock += 2 * pauseAfter // wider than what bridge fills
	default:
		h.clock += passed
	}
	h.last = at
	h.push(point{uint32(h.clock.Milliseconds()), *values})
}

func (h *history) push(p point) {
	h.points[h.next] = p
	h.next = (h.next + 1) % len(h.points)
	h.n = min(h.n+1, len(h.points))
}

// span is how much time there is to show.
func (h *history) span() time.Duration {
	if h.n > 0 {
		newest := h.points[(h.next+len(h.points)-1)%len(h.points)].at
		oldest := h.points[(h.next+len(h.points)-h.n)%len(h.points)].at
		for _, s := range spans {
			if newest-oldest < uint32(s.Milliseconds()) {
				return s
			}
		}
	}
	return historySpan
}

// columns averages the newest span of a series into out, the newest sample in the last column; a column without data is
// NaN. It tells the highest value and whether there is any.
func (h *history) columns(s series, span time.Duration, out []float32) (highest float32, found bool) {
	for i := range out {
		out[i] = float32(math.NaN())
	}
	if h.n == 0 || len(out) == 0 {
		return 0, false
	}
	width, ms := len(out), uint32(span.Milliseconds())
	now := h.points[(h.next+len(h.points)-1)%len(h.points)].at
	column, sum, n := -1, float32(0), 0
	flush := func() {
		if n > 0 {
			out[column] = sum / float32(n)
			highest, found = max(highest, out[column]), true
		}
		sum, n = 0, 0
	}
	for i := range h.n {
		p := &h.points[(h.next+len(h.points)-1-i)%len(h.points)]
		age := now - p.at
		if age >= ms {
			break
		}
		if at := width - 1 - int(uint64(age)*uint64(width)/uint64(ms)); at != column {
			flush()
			column = at
		}
		if v := p.values[s]; v == v {
			sum, n = sum+v, n+1
		}
	}
	flush()
	bridge(out, int(time.Duration(width)*pauseAfter/span))
	return highest, found
}

// bridge fills up to most columns between two samples with the older one, so that samples that come more slowly than
// columns pass make steps and not dots.
func bridge(out []float32, most int) {
	last := -1
	for i, v := range out {
		if v != v {
			continue
		}
		if last >= 0 && i-last-1 <= most {
			for j := last + 1; j < i; j++ {
				out[j] = out[last]
			}
		}
		last = i
	}
}
