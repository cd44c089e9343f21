package ui

import (
	"hotcell/ui/keys"
	"hotcell/ui/look"
	"hotcell/ui/menu"
	"hotcell/ui/panels"
)

// drawHint draws the line of keys that work now, as many as fit.
func drawHint(t look.Theme, actions []keys.Action, editing bool, w int) string {
	var parts []string
	for _, a := range actions {
		hint := keys.Hint(t, keys.InChat, a)
		if a == keys.Back && editing {
			hint = "esc leave"
		}
		parts = append(parts, hint)
	}
	return " " + t.Dim.Render(look.JoinFitting(parts, "  ", w-2))
}

// What the hint line tells, the most important first.
var (
	hintsIdle      = []keys.Action{keys.Send, keys.Newline, keys.Palette, keys.NextPanel, keys.Models, keys.Help, keys.Retry, keys.EditLast, keys.Copy, keys.PageUp, keys.Quit}
	hintsEmpty     = []keys.Action{keys.Send, keys.Newline, keys.Palette, keys.Help, keys.NextPanel, keys.Models, keys.Roles, keys.Chats, keys.Settings, keys.Quit}
	hintsNoModel   = []keys.Action{keys.Models, keys.Palette, keys.Help, keys.Quit}
	hintsAnswering = []keys.Action{keys.Back, keys.Newline, keys.Palette, keys.NextPanel, keys.PageUp, keys.Help}
	hintsEditing   = []keys.Action{keys.Send, keys.Back, keys.EditLast, keys.Newline}
)

// helpPage explains the keys, the commands and the numbers, each from its own table.
func helpPage(t look.Theme) *menu.Page {
	return &menu.Page{Theme: t, Title: "Help", Note: "keys, commands, numbers", Lines: func(w int) []string {
		lines := keys.HelpLines(t, w)
		var slash [][2]string
		for _, c := range commands() {
			slash = append(slash, [2]string{"/" + c.name, c.long})
		}
		lines = append(lines, "", t.Heading("Commands, on an empty line"))
		lines = append(lines, t.Table(slash, w)...)
		lines = append(lines, "", t.Heading("On a phone"))
		lines = append(lines, t.Table([][2]string{
			{"^C", "CTRL of the extra keys, or volume down, then C"},
			{"keyboard", "gone? tap the chat; in menus taps press buttons"},
			{"swipe", "scrolls the chat while the line is empty"},
		}, w)...)
		lines = append(lines, "", t.Heading("What the numbers mean"))
		numbers := [][2]string{
			{"tok", "tokens written in this answer"},
			{"TTFT", "time to first token: from sending to the first text"},
			{"ctx", "tokens of the conversation that the model holds, of how many it can"},
			{t.Dash, "not known yet"},
		}
		for _, n := range panels.Numbers() {
			numbers = append(numbers, [2]string{n.Name, n.Text})
		}
		return append(lines, t.Table(numbers, w)...)
	}}
}
