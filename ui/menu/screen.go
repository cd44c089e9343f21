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

// The classes of terminals.
const (
	WideW  = 110 // from here on, with WideH, there is room for two panes
	WideH  = 28
	Narrow = 72 // below: a phone held upright
	TinyW  = 30
	TinyH  = 10
)

// Short reports whether rows are scarce: a phone with its keyboard up, or a small window.
func Short(w, h int) bool { return h < 20 || w < Narrow && h < 24 }

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
		return body(0, w, h)
	}
	rules, buttons := h >= 16, w < Narrow && h >= 24
	rows := []string{t.Spread(" "+t.Accent.Render(t.Back+" "+title), t.Dim.Render(note)+" ", w)}
	z.add(0, 0, min(w, 4+look.Width(title)), 1, func() Action { return f.press(keys.Back) })
	used := 2
	if rules {
		rows = append(rows, t.RuleLine(w))
		used++
	}
	if buttons {
		used += 2
	}
	top := len(rows)
	for _, line := range body(top, w, h-used) {
		rows = append(rows, t.Fit(line, w))
	}
	rows = rows[:min(len(rows), top+h-used)]
	for len(rows) < top+h-used {
		rows = append(rows, "")
	}
	if buttons {
		rows = append(rows, t.RuleLine(w), f.buttons(t, w, len(rows)+1, z))
	}
	return append(rows, f.hints(t, w, len(rows), z))
}

// hints draws the line of keys that work.
func (f foot) hints(t look.Theme, w, y int, z *zones) string {
	line := " "
	for _, a := range f.actions {
		hint := keys.Hint(t, f.place, a)
		if hint == "" || look.Width(line)+look.Width(hint) > w-1 {
			continue
		}
		z.add(look.Width(line), y, look.Width(hint), 1, func() Action { return f.press(a) })
		line += hint + "  "
	}
	return t.Dim.Render(strings.TrimRight(line, " "))
}

// destructive actions stand apart from all others.
func destructive(a keys.Action) bool { return a == keys.Delete || a == keys.Reset }

// buttons draws the actions as buttons that a finger can hit, what destroys at the other end.
func (f foot) buttons(t look.Theme, w, y int, z *zones) string {
	var left, right string
	var apart keys.Action
	for _, a := range f.actions {
		b, ok := keys.Find(f.place, a)
		if !ok || b.Short == "" || a == keys.Back || a == keys.Up || a == keys.Less || a == keys.Pick {
			continue
		}
		label := "[" + b.Short + "]"
		if destructive(a) {
			right, apart = label, a
			continue
		}
		if look.Width(left)+look.Width(label)+2 > w-10 {
			continue
		}
		z.add(1+look.Width(left), y, look.Width(label), 1, func() Action { return f.press(a) })
		left += label + " "
	}
	if right != "" {
		z.add(w-1-look.Width(right), y, look.Width(right), 1, func() Action { return f.press(apart) })
		right = t.Warn.Render(right) + " "
	}
	return t.Spread(" "+t.Accent.Render(strings.TrimRight(left, " ")), right, w)
}

// printable is the text that a key types, "" for a key that types none.
func printable(k tea.KeyMsg) string {
	if k.Type == tea.KeyRunes || k.Type == tea.KeySpace {
		return string(k.Runes)
	}
	return ""
}
