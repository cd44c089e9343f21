package ui

import (
	"fmt"
	"strings"

	"hotcell/infer"
	"hotcell/ui/look"
)

// phase is what the app is doing.
type phase int

const (
	loading phase = iota
	opening       // the chats
	unloaded
	idle
	answering
	stopping
)

// statusData is what the status line shows.
type statusData struct {
	phase       phase
	toast       string // a short message to the user; it comes before everything else
	done, total int64  // while loading, or of work
	info        infer.ModelInfo
	prefill     infer.Progress // while answering
	now         look.Reading   // tokens per second in the last second or so
	answer      speed          // of the answer in the making, or of the last one
	hasAnswer   bool
	newer       bool   // the view is scrolled up, so something newer is below
	context     string // how full it is, where the header does not tell; may be empty
	editing     bool   // the draft is an earlier question
	work        string // a long operation besides; done and total are its progress
}

// drawStatus draws the line between the chat and the input. Without a box around the input it is also
// the rule that parts the two. Parts that do not fit are left out from the end.
func drawStatus(t look.Theme, d statusData, r Rect, boxed bool) string {
	w := r.W - 2
	if !boxed && r.W >= look.TinyW {
		w = r.W - 4 // a piece of the rule and a space at both ends
	} else if !boxed {
		w = r.W
	}
	right := d.context
	if d.newer {
		right = t.Accent.Render(t.Down + " newer below")
	}
	if look.Width(right) > w/3 {
		right = look.Cut(right, 1)
	}
	room := w
	if right != "" {
		room -= look.Width(right) + 2
	}
	sep := t.Dim.Render(" " + t.Dot + " ")
	text := ""
	if d.toast != "" {
		text = t.Warn.Render(t.Fit(d.toast, room))
	} else {
		words := statusParts(t, d, r.W)
		if text = look.JoinFitting(words, sep, room); text == "" && len(words) > 0 {
			text = t.Fit(words[0], room)
		}
	}
	if boxed {
		return " " + t.Spread(text, right, w)
	}
	rule := func(n int) string { return t.Border.Render(strings.Repeat(t.Rule, max(0, n))) }
	if r.W < look.TinyW {
		return text + rule(r.W-look.Width(text))
	}
	line := rule(1) + " " + text + " "
	if right != "" {
		right = " " + right + " " + rule(1)
	}
	return line + rule(r.W-look.Width(line)-look.Width(right)) + right
}

// statusParts are the words of the status line, the most important first.
func statusParts(t look.Theme, d statusData, w int) []string {
	bar := func(done, total int64) string { return t.Bar(max(5, min(12, w/8)), done, total) }
	switch d.phase {
	case loading:
		if d.total <= 0 {
			return []string{"loading the model"}
		}
		return []string{
			fmt.Sprintf("loading %s %d%%", bar(d.done, d.total), 100*d.done/d.total),
			look.Size(d.done) + " of " + look.Size(d.total),
		}
	case opening:
		return []string{"opening the chats"}
	case unloaded:
		return []string{t.Bad.Render("no model")}
	case stopping:
		return []string{"stopping"}
	case answering:
		rate := t.Tenths(d.now) + " tok/s"
		switch p := d.prefill; {
		case d.answer.ttftSet:
			return []string{rate, "avg " + t.Tenths(d.answer.rate), fmt.Sprintf("%d tok", d.answer.tokens)}
		case p.Total == 0:
			return []string{rate, "starting"}
		default:
			parts := []string{rate, fmt.Sprintf("prefill %s %d/%d", bar(int64(p.Done), int64(p.Total)), p.Done, p.Total)}
			if w < look.Narrow { // the speed is not known yet: leave the room to what is
				parts = parts[1:]
			}
			if p.Left > 0 {
				parts = append(parts, look.Seconds(p.Left)+" left")
			}
			return parts
		}
	}
	if d.editing {
		return []string{t.Warn.Render("editing a question"), "sending it begins a branch"}
	}
	if d.work != "" {
		if d.total <= 0 {
			return []string{d.work}
		}
		return []string{fmt.Sprintf("%s %s %d%%", d.work, bar(d.done, d.total), 100*d.done/d.total)}
	}
	if d.hasAnswer {
		return append([]string{"last answer " + t.Tenths(d.answer.rate) + " tok/s"}, d.answer.parts(t)[1:]...)
	}
	parts := []string{"ready"}
	for _, s := range []string{d.info.Arch, d.info.Quant, d.info.Mode} {
		if s != "" {
			parts = append(parts, look.Label(s))
		}
	}
	return parts
}
