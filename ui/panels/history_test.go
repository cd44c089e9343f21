package panels

import (
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
)

// fill adds samples of one value for a time.
func (h *history) fill(at *time.Time, span, every time.Duration, value float32) {
	for end := at.Add(span); at.Before(end); {
		*at = at.Add(every)
		var values [seriesCount]float32
		for i := range values {
			values[i] = value
		}
		h.add(*at, &values)
	}
}

func drawColumns(h *history, span time.Duration, n int) string {
	out := make([]float32, n)
	h.columns(tokensSeries, span, out)
	s := ""
	for _, v := range out {
		if v != v {
			s += "."
		} else {
			s += string(rune('0' + int(math.Round(float64(v)))))
		}
	}
	return s
}

func TestHistoryHoldsTenMinutesAtTheFastestRate(t *testing.T) {
	h, at := new(history), start
	h.fill(&at, time.Minute, time.Second/15, 9)
	h.fill(&at, 10*time.Minute, time.Second/15, 3)
	if got := drawColumns(h, historySpan, 10); got != "3333333333" {
		t.Errorf("ten minutes are %q", got)
	}
	if h.n != len(h.points) || h.span() != historySpan {
		t.Errorf("%d of %d samples, a span of %v", h.n, len(h.points), h.span())
	}
	h.fill(&at, time.Minute, time.Millisecond, 5)
	if got := drawColumns(h, historySpan, 10); got != "3333333335" {
		t.Errorf("samples that come too fast push out others: %q", got)
	}
}

func TestHistoryAveragesAndShowsTheNewestAtTheRight(t *testing.T) {
	h, at := new(history), start
	h.fill(&at, 30*time.Second, 100*time.Millisecond, 2)
	h.fill(&at, 30*time.Second, 100*time.Millisecond, 8)
	for n, want := range map[int]string{4: "2288", 1: "5", 2: "28"} {
		if got := drawColumns(h, time.Minute, n); got != want {
			t.Errorf("%d columns are %q, want %q", n, got, want)
		}
	}
	if got := drawColumns(h, 2*time.Minute, 4); got != "..28" {
		t.Errorf("two minutes are %q", got)
	}
}

func TestHistoryOfAPauseIsOneGap(t *testing.T) {
	h, at := new(history), start
	h.fill(&at, 20*time.Second, 100*time.Millisecond, 4)
	at = at.Add(time.Hour)
	h.fill(&at, 20*time.Second, 100*time.Millisecond, 6)
	if got := drawColumns(h, time.Minute, 60); !regexp.MustCompile(`^\.+4{20,21}\.{3,4}6{20,21}$`).MatchString(got) {
		t.Errorf("a pause is %q", got)
	}
}

func TestHistoryOfSlowSamplesIsALine(t *testing.T) {
	h, at := new(history), start
	h.fill(&at, time.Minute, time.Second, 7)
	if got := drawColumns(h, time.Minute, 120); got[3:] != strings.Repeat("7", 117) {
		t.Errorf("a sample a second is %q", got)
	}
}

func TestHistoryTellsWhetherThereIsAnything(t *testing.T) {
	h := new(history)
	out := make([]float32, 4)
	if _, found := h.columns(tokensSeries, time.Minute, out); found {
		t.Error("an empty history has something")
	}
	var values [seriesCount]float32
	values[tokensSeries] = float32(math.NaN())
	h.add(start, &values)
	if _, found := h.columns(tokensSeries, time.Minute, out); found {
		t.Error("a value without data is something")
	}
	if top, found := h.columns(hitSeries, time.Minute, out); !found || top != 0 || out[3] != 0 {
		t.Error("a value of 0 is nothing")
	}
	if _, found := h.columns(hitSeries, time.Minute, nil); found {
		t.Error("no columns show something")
	}
}

func TestAClockThatGoesBackDoesNoHarm(t *testing.T) {
	h, at := new(history), start
	h.fill(&at, time.Second, 100*time.Millisecond, 1)
	back := at.Add(-time.Hour)
	var values [seriesCount]float32
	h.add(back, &values)
	h.fill(&at, time.Second, 100*time.Millisecond, 1)
	if got := drawColumns(h, time.Minute, 60); got[59] != '1' || h.n != 21 {
		t.Errorf("%d samples, %q", h.n, got)
	}
}
