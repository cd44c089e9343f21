package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"hotcell/infer"
)

// phase is what the app is doing.
type phase int

const (
	loading phase = iota
	unloaded
	idle
	answering
	stopping
)

// statusData is what the status line shows.
type statusData struct {
	phase       phase
	toast       string // a short message to the user; it comes before everything else
	done, total int64  // bytes, while loading
	info        infer.ModelInfo
	prefill     infer.Progress // while answering
	now         reading        // tokens per second in the last second or so
	answer      speed          // of the answer in the making, or of the last one
	hasAnswer   bool
	newer       bool // the view is scrolled up, so something newer is below
}

// drawStatus draws the line between the chat and the input. Without a box around the input it is also
// the rule that parts the two. Parts that do not fit are left out from the end.
func drawStatus(t theme, d statusData, r Rect, boxed bool) string {
	w := r.W - 2
	if !boxed && r.W >= tinyW {
		w = r.W - 4 // a piece of the rule and a space at both ends
	} else if !boxed {
		w = r.W
	}
	right := ""
	if d.newer {
		right = t.accent.Render(t.down + " newer below")
	}
	if ansi.StringWidth(right) > w/3 {
		right = cut(right, 1)
	}
	room := w
	if right != "" {
		room -= ansi.StringWidth(right) + 2
	}
	sep := t.dim.Render(" " + t.dot + " ")
	text := ""
	if d.toast != "" {
		text = t.warn.Render(t.fit(d.toast, room))
	} else {
		words := statusParts(t, d, r.W)
		if text = joinFitting(words, sep, room); text == "" && len(words) > 0 {
			text = t.fit(words[0], room)
		}
	}
	if boxed {
		return " " + t.spread(text, right, w)
	}
	rule := func(n int) string { return t.border.Render(strings.Repeat(t.rule, max(0, n))) }
	if r.W < tinyW {
		return text + rule(r.W-ansi.StringWidth(text))
	}
	line := rule(1) + " " + text + " "
	if right != "" {
		right = " " + right + " " + rule(1)
	}
	return line + rule(r.W-ansi.StringWidth(line)-ansi.StringWidth(right)) + right
}

// statusParts are the words of the status line, the most important first.
func statusParts(t theme, d statusData, w int) []string {
	bar := func(done, total int64) string { return t.bar(max(5, min(12, w/8)), done, total) }
	switch d.phase {
	case loading:
		if d.total <= 0 {
			return []string{"loading the model"}
		}
		return []string{
			fmt.Sprintf("loading %s %d%%", bar(d.done, d.total), 100*d.done/d.total),
			size(d.done) + " of " + size(d.total),
		}
	case unloaded:
		return []string{t.bad.Render("no model")}
	case stopping:
		return []string{"stopping"}
	case answering:
		rate := t.tenths(d.now) + " tok/s"
		switch p := d.prefill; {
		case d.answer.ttftSet:
			return []string{rate, "avg " + t.tenths(d.answer.rate), fmt.Sprintf("%d tok", d.answer.tokens)}
		case p.Total == 0:
			return []string{rate, "starting"}
		default:
			parts := []string{rate, fmt.Sprintf("prefill %s %d/%d", bar(int64(p.Done), int64(p.Total)), p.Done, p.Total)}
			if w < narrow { // the speed is not known yet: leave the room to what is
				parts = parts[1:]
			}
			if p.Left > 0 {
				parts = append(parts, seconds(p.Left)+" left")
			}
			return parts
		}
	}
	if d.hasAnswer {
		return append([]string{"last answer " + t.tenths(d.answer.rate) + " tok/s"}, d.answer.parts(t)[1:]...)
	}
	parts := []string{"ready"}
	for _, s := range []string{d.info.Arch, d.info.Quant, d.info.Mode} {
		if s != "" {
			parts = append(parts, sanitizeLabel(s))
		}
	}
	return parts
}
