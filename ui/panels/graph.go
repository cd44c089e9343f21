package panels

import (
	"math"
	"strconv"
	"time"
)

// eighths are the block characters of a graph one cell high, from least to most.
var eighths = [...]rune{'▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'}

// lefts are the block characters of a bar's last cell.
var lefts = [...]rune{' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'}

// braille is the dots of a cell's left and right column, from none to all four, from the bottom up.
var braille = [2][5]rune{{0, 0x40, 0x44, 0x46, 0x47}, {0, 0x80, 0xa0, 0xb0, 0xb8}}

// eighth is the block for a share of 0 to 1.
func eighth(share float64) rune {
	return eighths[int(min(7, max(0, share*8)))]
}

// graph draws the newest span of a series into the region, each column filled from the bottom up to its value against top. A
// value above 0 shows at least one dot. A top of 0 is the highest value shown. It returns the top.
func (g region) graph(v *view, s series, span time.Duration, top float64, k ink) (used float64, ok bool) {
	if g.w <= 0 || g.h <= 0 {
		return 0, false
	}
	perCell, levels := 1, 8
	if v.paint.glyphs == Braille {
		perCell, levels = 2, 4
	}
	var buffer [1024]float32
	columns := buffer[:min(len(buffer)/2, g.w)*perCell]
	highest, found := v.hist.columns(s, span, columns)
	if !found {
		return 0, false
	}
	if top <= 0 {
		top = float64(highest)
	}
	height := func(value float32) int { // in levels; NaN and nothing are 0
		if !(value > 0) || top <= 0 {
			return 0
		}
		return max(1, int(math.Round(min(1, float64(value)/top)*float64(g.h*levels))))
	}
	left := g.w - len(columns)/perCell
	for x := range len(columns) / perCell {
		for y := range g.h {
			below := (g.h - 1 - y) * levels
			within := func(column int) int { return min(levels, max(0, height(columns[column])-below)) }
			if perCell == 2 {
				if a, b := within(2*x), within(2*x+1); a+b > 0 {
					g.set(left+x, y, 0x2800|braille[0][a]|braille[1][b], k)
				}
			} else if n := within(x); n > 0 {
				g.set(left+x, y, eighths[n-1], k)
			}
		}
	}
	return top, true
}

// spark draws a row with the last minute of a series and the highest value behind it.
func (g region) spark(v *view, y int, s series, top float64, write func(float64) string) {
	if y >= g.h || g.w < 4 {
		return
	}
	scale := 6
	if g.w < 20 {
		scale = 0
	}
	if used, ok := g.part(0, y, g.w-scale, 1).graph(v, s, sparkSpan, top, accent); !ok {
		g.put(0, y, dim, unknown)
	} else if scale > 0 {
		g.right(g.w, y, dim, write(used))
	}
}

// bar draws a bar of w cells of which a share of 0 to 1 is filled.
func (g region) bar(x, y, w int, share Reading, k ink) {
	w = min(w, g.w-x)
	if w <= 0 {
		return
	}
	g.fill(x, y, w, dim, '░')
	if !share.OK {
		return
	}
	n := int(math.Round(min(1, max(0, share.Value)) * float64(w*8)))
	if share.Value > 0 {
		n = max(1, n)
	}
	g.fill(x, y, n/8, k, '█')
	if n%8 > 0 {
		g.set(x+n/8, y, lefts[n%8], k)
	}
}

// segment is a part of a stacked bar. Its glyph tells it apart without colour.
type segment struct {
	value float64
	r     rune
	k     ink
}

// stack draws a bar of w cells whose parts are shares of total. Each cell shows the part under its middle; a part that is
// not zero is dropped only where it is smaller than half a cell.
func (g region) stack(x, y, w int, total float64, parts ...segment) {
	w = min(w, g.w-x)
	if w <= 0 {
		return
	}
	g.fill(x, y, w, border, '─')
	if !(total > 0) {
		return
	}
	sum, at := 0.0, 0
	for _, p := range parts {
		sum += max(0, p.value)
		end := int(math.Round(min(1, sum/total) * float64(w)))
		g.fill(x+at, y, end-at, p.k, p.r)
		at = max(at, end)
	}
}

// history draws a page's graph of all that is kept, with its scale and its time axis.
func (g region) history(v *view, s series, top float64, write func(float64) string) {
	axis := 7
	if g.w < 24 {
		axis = 0
	}
	body, span := g.part(axis, 0, g.w-axis, g.h-1), v.hist.span()
	used, ok := body.graph(v, s, span, top, accent)
	if !ok {
		g.put(axis, (g.h-1)/2, dim, "nothing was measured yet")
	}
	if axis > 0 {
		for y := range g.h - 1 {
			g.put(axis-1, y, border, "│")
		}
		if ok {
			g.right(axis-2, g.h-2, dim, "0")
			g.right(axis-2, 0, dim, write(used))
		}
	}
	g.fill(axis, g.h-1, g.w-axis, border, '─')
	g.put(axis, g.h-1, dim, strconv.Itoa(-int(span/time.Minute))+" min ")
	g.put(g.w-4, g.h-1, dim, " now")
}
