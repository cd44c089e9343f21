// Package menu is everything that can lie over the chat: lists of models, roles, chats and messages, forms,
// pages of text, the command palette, questions.
//
// The problem is that a menu wants to do things (load a model, delete a chat) which only the app may do, at a time
// that only the app knows. So a [Screen] does nothing itself: it takes keys and clicks and returns an [Action],
// plain data that says what is wanted, and the app executes it. A menu can then be tested without a program, and
// nothing here waits for a disk.
//
// There are four kinds, and every menu is one of them with its own texts: [List] (rows, details, buttons, a search),
// [Form] (rows of values), [Page] (text), [Prompt] (one text to type; a question is a prompt with one answer). All
// are drawn by [frame] for every size: two panes on a wide terminal, rows with a box of details below, cards of two
// lines on a phone, bare rows when its keyboard is up.
//
// What can be clicked is remembered while it is drawn, so that touch needs no second description of the layout.
package menu

import (
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/ui/keys"
	"hotcell/ui/look"
)

// Screen lies over the chat and has the keyboard.
type Screen interface {
	// Key does what a key means and returns what the app is to do; nil: nothing.
	Key(k tea.KeyMsg) Action
	// Click is a tap on a cell.
	Click(x, y int) Action
	// Draw returns at most h lines of at most w cells.
	Draw(w, h int) []string
	// Typing reports whether text is being typed. Then the mouse is off, so that a tap opens a phone's keyboard.
	Typing() bool
}

// zone is a rectangle that does something when it is tapped.
type zone struct {
	x, y, w, h int
	do         func() Action
}

// zones are what the last drawing offered to tap.
type zones []zone

func (z *zones) add(x, y, w, h int, do func() Action) { *z = append(*z, zone{x, y, w, h, do}) }

// click runs the zone at a cell, the last drawn first.
func (z zones) click(x, y int) Action {
	for i := len(z) - 1; i >= 0; i-- {
		if a := z[i]; x >= a.x && x < a.x+a.w && y >= a.y && y < a.y+a.h {
			return a.do()
		}
	}
	return nil
}

// foot is what stands below a screen: actions as buttons or as a line of hints, each of which can be tapped.
type foot struct {
	place   keys.Place
	actions []keys.Action // the most important first
	press   func(a keys.Action) Action
}

// frame draws a screen: its title with a note at the right end, the body and the foot. As rows run out the rules go
// first, then the foot, then the title.
func frame(t look.Theme, title, note string, f foot, w, h int, z *zones, body func(y, w, h int) []string) []string {
	*z = (*z)[:0]
	if h < 4 {
		rows := body(0, w, h)
		return rows[:min(len(rows), h)]
	}
	rules := h >= 16
	var buttons []string
	var taps zones
	if w < look.Narrow && h >= 24 {
		buttons = f.buttons(t, w, &taps)
	}
	rows := []string{t.Spread(" "+t.Accent.Render(t.Back+" "+title), t.Dim.Render(note)+" ", w)}
	z.add(0, 0, min(w, 4+look.Width(title)), 1, func() Action { return f.press(keys.Back) })
	if rules {
		rows = append(rows, t.RuleLine(w))
	}
	top := len(rows)
	room := h - top - 1
	if len(buttons) > 0 {
		room -= len(buttons) + 1
	}
	for _, line := range body(top, w, room) {
		rows = append(rows, t.Fit(line, w))
	}
	rows = rows[:min(len(rows), top+room)]
	for len(rows) < top+room {
		rows = append(rows, "")
	}
	if len(buttons) > 0 {
		rows = append(rows, t.RuleLine(w))
		for _, tap := range taps {
			z.add(tap.x, tap.y+len(rows), tap.w, tap.h, tap.do)
		}
		for _, row := range buttons {
			rows = append(rows, look.Cut(row, w))
		}
	}
	return append(rows, f.hints(t, w, len(rows), z))
}

// hints draws the line of keys that work. The way back always has its place.
func (f foot) hints(t look.Theme, w, y int, z *zones) string {
	room := w - 1
	if slices.Contains(f.actions, keys.Back) {
		room -= look.Width(keys.Hint(t, f.place, keys.Back)) + 2
	}
	line := " "
	for _, a := range f.actions {
		if a == keys.Back {
			room = w - 1
		}
		hint := keys.Hint(t, f.place, a)
		if hint == "" || look.Width(line)+look.Width(hint) > room {
			continue
		}
		z.add(look.Width(line), y, look.Width(hint), 1, func() Action { return f.press(a) })
		line += hint + "  "
	}
	return t.Dim.Render(strings.TrimRight(line, " "))
}

// destructive actions stand apart from all others.
func destructive(a keys.Action) bool { return a == keys.Delete || a == keys.Reset }

// mostButtons is how many rows of buttons there are at most.
const mostButtons = 2

// buttons draws the actions as buttons that a finger can hit, what destroys at the other end of the last row. The zones count rows from the first.
func (f foot) buttons(t look.Theme, w int, z *zones) []string {
	rows := []string{" "}
	var apart keys.Action
	for _, a := range f.actions {
		b, ok := keys.Find(f.place, a)
		if !ok || b.Short == "" || a == keys.Back || a == keys.Up || a == keys.Less || a == keys.More && f.place != keys.InPanels || a == keys.Details {
			continue
		}
		if destructive(a) {
			apart = a
			continue
		}
		label := "[" + b.Short + "]"
		last := len(rows) - 1
		if look.Width(rows[last])+look.Width(label) > w-1 {
			if len(rows) == mostButtons {
				continue
			}
			rows = append(rows, " ")
			last++
		}
		z.add(look.Width(rows[last]), last, look.Width(label), 1, func() Action { return f.press(a) })
		rows[last] += label + " "
	}
	right := ""
	if apart != keys.None {
		b, _ := keys.Find(f.place, apart)
		right = "[" + b.Short + "]"
		if last := len(rows) - 1; look.Width(rows[last])+look.Width(right)+2 > w {
			rows = append(rows, " ")
		}
		z.add(w-1-look.Width(right), len(rows)-1, look.Width(right), 1, func() Action { return f.press(apart) })
	}
	if len(rows) == 1 && strings.TrimSpace(rows[0]+right) == "" {
		return nil
	}
	for i, row := range rows {
		rows[i] = t.Accent.Render(strings.TrimRight(row, " "))
		if i == len(rows)-1 && right != "" {
			rows[i] = t.Spread(rows[i], t.Warn.Render(right)+" ", w)
		}
	}
	return rows
}

// printable is the text that a key types, "" for a key that types none.
func printable(k tea.KeyMsg) string {
	if k.Type == tea.KeyRunes || k.Type == tea.KeySpace {
		return string(k.Runes)
	}
	return ""
}
