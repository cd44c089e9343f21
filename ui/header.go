package ui

import (
	"fmt"

	"hotcell/ui/look"
)

// headerData is what the header shows.
type headerData struct {
	model, role, title string
	context, contMax   int  // tokens; a maximum of 0 means that it is not known yet
	short              bool // the context stands elsewhere
}

// drawHeader draws the top line, and a rule below it when its region has two rows. As the width shrinks
// the chat's title and the program's name go, then the words, then the bar, then the count becomes a share.
func drawHeader(t look.Theme, d headerData, r Rect) []string {
	wall := t.Border.Render(" " + t.Wall + " ")
	open := ""
	if t.Open != "" && r.W >= look.TinyW {
		open = t.Dim.Render(" " + t.Open)
	}
	meter := ""
	if !d.short {
		meter = contextMeter(t, d.context, d.contMax, r.W)
	}
	role, title := look.Label(d.role), look.Label(d.title)
	// A long name of the model leaves room for the role.
	model := t.Fit(look.Label(d.model), max(6, r.W-look.Width(meter)-look.Width(role)-look.Width(wall)-2*look.Width(open)-3))
	model = t.Accent.Render(model)
	left := " " + model + open + wall + role + open
	switch {
	case r.W >= look.WideW:
		left = " hotcell" + wall + model + open + wall + "role " + role + open
		if title != "" {
			left += wall + "chat " + title + open
		}
	case r.W >= look.Narrow:
		if title != "" {
			left += wall + title
		}
	case r.W < look.TinyW:
		left = model + wall + role
	}
	lines := []string{t.Spread(left, meter, r.W)}
	if r.H > 1 {
		lines = append(lines, t.RuleLine(r.W))
	}
	return lines
}

// contextMeter tells how much of the context is used, as widely as a line of w columns allows.
func contextMeter(t look.Theme, used, most, w int) string {
	if most <= 0 {
		return t.Dim.Render("ctx "+t.Dash) + " "
	}
	share := 100 * used / most
	style := t.Dim
	switch {
	case share >= 90:
		style = t.Bad
	case share >= 75:
		style = t.Warn
	}
	switch {
	case w >= look.Narrow:
		bar := t.Bar(min(8, w/16), int64(used), int64(most))
		return style.Render(fmt.Sprintf("ctx %s/%s", look.Count(used), look.Count(most))) + " " + bar + " "
	case w >= look.TinyW:
		return style.Render(fmt.Sprintf("ctx %d%%", share)) + " "
	}
	return style.Render(fmt.Sprintf("%d%%", share))
}
