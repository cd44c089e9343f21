package ui

import (
	"fmt"
	"strings"
)

// headerData is what the header shows.
type headerData struct {
	model, role      string
	context, contMax int // tokens; a maximum of 0 means that it is not known yet
}

// drawHeader draws the top line, and a rule below it when its region has two rows. As the width shrinks
// the program's name goes, then the words, then the bar, then the count becomes a share.
func drawHeader(t theme, d headerData, r Rect) []string {
	wall := t.border.Render(" " + t.wall + " ")
	model, role := t.accent.Render(sanitizeLabel(d.model)), sanitizeLabel(d.role)
	left := " " + model + wall + role
	switch {
	case r.W >= wideW:
		left = " hotcell" + wall + model + wall + "role " + role
	case r.W < tinyW:
		left = model
	}
	lines := []string{t.spread(left, t.context(d.context, d.contMax, r.W), r.W)}
	if r.H > 1 {
		lines = append(lines, t.border.Render(strings.Repeat(t.rule, r.W)))
	}
	return lines
}

// context tells how much of the context is used, as widely as a screen of w columns allows.
func (t theme) context(used, most, w int) string {
	if most <= 0 {
		return t.dim.Render("ctx "+t.dash) + " "
	}
	share := 100 * used / most
	style := t.dim
	switch {
	case share >= 90:
		style = t.bad
	case share >= 75:
		style = t.warn
	}
	switch {
	case w >= narrow:
		bar := t.bar(min(8, w/16), int64(used), int64(most))
		return style.Render(fmt.Sprintf("ctx %s/%s", count(used), count(most))) + " " + bar + " "
	case w >= tinyW:
		return style.Render(fmt.Sprintf("ctx %d%%", share)) + " "
	}
	return style.Render(fmt.Sprintf("%d%%", share))
}
