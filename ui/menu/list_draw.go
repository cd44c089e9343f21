package menu

import (
	"fmt"
	"slices"
	"strings"

	"hotcell/ui/keys"
	"hotcell/ui/look"
)

// detailW is the width of the pane of details on a wide terminal.
const detailW = 48

// Draw draws the list in the form that suits the size.
func (l *List) Draw(w, h int) []string {
	t := l.Theme
	title := l.Title
	if l.typing || l.query != "" {
		title += " " + t.Wall + " search: " + l.query
		if l.typing {
			title += "_"
		}
	}
	row := l.Selected()
	actions := slices.Clone(l.offers(row))
	if row != nil && !row.Bad && !slices.Contains(actions, keys.Choose) {
		actions = append([]keys.Action{keys.Choose}, actions...)
	}
	l.cards = w < look.Narrow && h >= 22
	if row != nil && row.Detail != nil {
		actions = append(actions, keys.Details)
	}
	if len(l.rows) > 1 || l.Find != nil {
		actions = append(actions, keys.Filter)
	}
	actions = append(actions, keys.Up, keys.Back)
	f := foot{l.Place, actions, l.press}
	return frame(t, title, l.Note, f, w, h, &l.zones, func(y, w, h int) []string { return l.body(y, w, h) })
}

func (l *List) body(y, w, h int) []string {
	t, row := l.Theme, l.Selected()
	if len(l.shown) == 0 {
		text := l.Empty
		if l.query != "" {
			text = "Nothing fits."
		}
		return indent(look.Wrap(text, max(1, w-4)))
	}
	var detail []string
	roomy := h >= 18 || len(l.shown)+8 <= h // on a small screen rows go first
	if row != nil && row.Detail != nil && roomy {
		width := w
		if w >= look.WideW {
			width = detailW
		}
		detail = t.Box(look.Label(row.Title), row.Detail(width-4), width)
	}
	if w >= look.WideW && detail != nil { // two panes
		left := w - detailW - 2
		lines := l.draw(y, left, h)
		for i := range max(len(lines), min(h, len(detail))) {
			line := look.Pad(t.Fit(look.LineAt(lines, i), left), left) + "  " + look.LineAt(detail, i)
			if i < len(lines) {
				lines[i] = line
			} else {
				lines = append(lines, line)
			}
		}
		return lines
	}
	if detail != nil {
		cards := l.cardRows()
		most := max(6, h-cards*min(len(l.shown), max(2, h/2/cards))-1)
		if len(detail) > most {
			detail = append(detail[:most-1], detail[len(detail)-1])
		}
	}
	lines := l.draw(y, w, h-len(detail))
	return append(lines, detail...)
}

// cardRows is how many lines one row of the list takes.
func (l *List) cardRows() int {
	if l.cards {
		return 3 // two lines and a rule: what a finger can hit
	}
	return 1
}

// draw draws the rows themselves.
func (l *List) draw(y, w, h int) []string {
	each := l.cardRows()
	var lines []string
	widths := l.columns(w)
	if each == 1 && len(l.Columns) > 0 && widths != nil && h > 3 {
		head := make([]string, len(l.Columns))
		copy(head, l.Columns)
		lines = append(lines, "   "+l.Theme.Dim.Render(cells(l.Theme, head, widths)))
	}
	head := len(lines)
	l.page = max(1, (h-head)/each)
	l.top = max(0, min(l.top, len(l.shown)-l.page))
	l.top = max(min(l.top, l.at), l.at-l.page+1)
	for i := l.top; i < min(len(l.shown), l.top+l.page); i++ {
		i := i
		l.zones.add(0, y+len(lines), w, each, func() Action {
			if l.at == i {
				return l.press(keys.Choose)
			}
			l.at = i
			return nil
		})
		lines = append(lines, l.drawRow(i, w, each, widths)...)
	}
	return lines[:min(len(lines), max(0, h))]
}

// drawRow draws a row as a line or as a card.
func (l *List) drawRow(i, w, each int, widths []int) []string {
	t, row := l.Theme, &l.rows[l.shown[i]]
	mark, number := " ", " "
	if i == l.at {
		mark = t.Mark
	}
	if n := i + l.base(); n <= 9 {
		number = fmt.Sprint(n)
	}
	style := t.Strong
	switch {
	case i == l.at:
		style = t.Accent
	case row.Bad:
		style = t.Dim
	}
	lead := t.Accent.Render(mark) + t.Dim.Render(number) + " "
	state := look.Label(row.State)
	if row.InUse {
		state += " " + t.Bullet
	}
	title := look.Label(row.Title)
	if each == 1 {
		if widths != nil && row.Cells != nil {
			line := []string{title}
			for _, c := range row.Cells {
				line = append(line, look.Label(c))
			}
			text := cells(t, append(line, state), widths)
			if i == l.at {
				text = t.Accent.Render(text)
			}
			return []string{lead + text}
		}
		left := lead + style.Render(title)
		if row.Sub != "" && w >= look.Narrow {
			room := min(max(20, l.longest()), w/3)
			left = lead + style.Render(look.Pad(t.Fit(title, room), room)) + "  " + t.Dim.Render(look.Label(row.Sub))
		}
		return []string{t.Spread(left, t.Dim.Render(state), w-1)}
	}
	return []string{
		t.Spread(lead+style.Render(title), t.Dim.Render(state), w-1),
		t.Fit("    "+t.Dim.Render(look.Label(row.Sub)), w-1),
		t.RuleLine(w),
	}
}

// longest is the width of the longest title.
func (l *List) longest() int {
	n := 0
	for _, i := range l.shown {
		n = max(n, look.Width(look.Label(l.rows[i].Title)))
	}
	return n
}

// columns are the widths of the title, the cells and the state; nil where there are none or no room for them.
func (l *List) columns(w int) []int {
	if len(l.Columns) == 0 || w < 60 {
		return nil
	}
	widths := make([]int, len(l.Columns))
	for i, title := range l.Columns {
		widths[i] = look.Width(title)
	}
	for _, n := range l.shown {
		row := &l.rows[n]
		for i, c := range row.Cells[:min(len(row.Cells), len(l.Columns)-2)] {
			widths[i+1] = max(widths[i+1], look.Width(look.Label(c)))
		}
		widths[len(widths)-1] = max(widths[len(widths)-1], look.Width(look.Label(row.State))+2)
	}
	rest := w - 4
	for _, n := range widths[1:] {
		rest -= n + 2
	}
	if rest < 10 {
		return nil
	}
	widths[0] = min(rest, max(10, l.longest()))
	return widths
}

// cells draws columns, all but the first and the last to the right.
func cells(t look.Theme, texts []string, widths []int) string {
	line := ""
	for i, w := range widths {
		text := ""
		if i < len(texts) {
			text = t.Fit(texts[i], w)
		}
		if i > 0 {
			line += "  "
		}
		if i == 0 || i == len(widths)-1 {
			line += look.Pad(text, w)
		} else {
			line += strings.Repeat(" ", w-look.Width(text)) + text
		}
	}
	return strings.TrimRight(line, " ")
}

// indent moves lines in by two cells.
func indent(lines []string) []string {
	for i := range lines {
		lines[i] = "  " + lines[i]
	}
	return lines
}
