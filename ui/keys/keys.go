// Package keys is the key table: every key that works anywhere, what it does and how it is explained.
//
// The screens look keys up in it, and the hint lines, the buttons and the help page are printed from it, so that
// they cannot disagree. Termux's default extra keys must be able to type each one, which a test checks: no
// function keys, no Alt, no Shift with Enter. ^H ^I ^M ^[ are Backspace, Tab, Enter and Esc to a terminal, so they
// cannot mean anything else, and ^D and ^Z mean end and suspend to everybody.
//
// An entry belongs to one or more places ([Place]), since a letter that types in the chat may act in a menu.
package keys

import (
	"slices"
	"strings"

	"hotcell/ui/look"
)

// Action is what a key does.
type Action int

// The actions. What one means depends on the place; the table says it.
const (
	None Action = iota
	Send
	Newline
	Back // stop, close, leave
	Quit
	Redraw
	Help
	Palette
	NextPanel
	Up
	Down
	PageUp
	PageDown
	Home
	End
	Edit // left to the text field

	Models
	Roles
	Chats
	Settings
	Messages
	NewChat
	Retry
	EditLast
	NextBranch
	Copy
	Fold

	Choose
	Pick
	Filter
	Details
	Less
	More
	Reset
	Bench
	Pack
	Browse
	Context
	Delete
	Undo
	New
	EditItem
	Editor
	Duplicate
	Export
	Import
	Rename
	Again
	Freeze
	Heat
	Yes
)

// Place is where a key works; places are bits.
type Place uint

// The places.
const (
	InChat Place = 1 << iota
	InModels
	InRoles
	InChats
	InMessages
	InFiles
	InPalette
	InForms
	InPages
	InPanels
	InText    // a text that is typed in a menu
	InConfirm // a question
	Elsewhere // any other list

	InLists    = InModels | InRoles | InChats | InMessages | InFiles | Elsewhere
	Everywhere = ^Place(0)
)

// Binding is one entry of the table.
type Binding struct {
	Action Action
	Place  Place
	Keys   []string // as Bubble Tea names them
	Label  string   // as a person reads them; {enter}, {up}, ... stand for glyphs
	Short  string   // for hint lines and buttons
	Long   string   // for the help page; empty: not listed
}

// Table is every key that works, in the order of the help page.
var Table = []Binding{
	{Send, InChat, []string{"enter"}, "{enter}", "send", "send"},
	{Newline, InChat | InText, []string{"ctrl+j"}, "^J", "newline", "new line; so does \\ before {enter}"},
	{Back, InChat, []string{"esc"}, "esc", "stop", "stop the answer (press twice); leave editing"},
	{Palette, InChat, []string{"/"}, "/", "commands", "commands (on an empty line)"},
	{NextPanel, InChat, []string{"tab"}, "tab", "panels", "dashboard: panels, full screen, hidden"},
	{Up, InChat, []string{"up"}, "{up}", "scroll", "empty line: scroll up; first line: earlier input"},
	{Down, InChat, []string{"down"}, "{down}", "scroll", "empty line: scroll down; else move down"},
	{PageUp, InChat | InLists | InPages | InForms | InPanels, []string{"pgup"}, "pgup", "scroll", "a page up"},
	{PageDown, InChat | InLists | InPages | InForms | InPanels, []string{"pgdown"}, "pgdn", "scroll", "a page down"},
	{Home, InChat | InLists | InPages | InForms, []string{"home"}, "home", "start", "start of the line, the chat, the list, the page"},
	{End, InChat | InLists | InPages | InForms, []string{"end"}, "end", "end", "end of the line, the chat, the list, the page"},
	{Models, InChat, []string{"ctrl+o"}, "^O", "models", "models: load, measure, delete"},
	{Roles, InChat, []string{"ctrl+p"}, "^P", "roles", "roles: use, edit, create"},
	{Chats, InChat, []string{"ctrl+s"}, "^S", "chats", "chats: search, rename, export, delete"},
	{Settings, InChat, []string{"ctrl+g"}, "^G", "settings", "settings"},
	{NewChat, InChat, []string{"ctrl+n"}, "^N", "new", "begin a new chat"},
	{Retry, InChat, []string{"ctrl+r"}, "^R", "retry", "answer the last question again, as a branch"},
	{EditLast, InChat, []string{"ctrl+b"}, "^B", "edit", "edit the last question, then the one before"},
	{NextBranch, InChat, []string{"ctrl+f"}, "^F", "branch", "go to the next branch of the last fork"},
	{Messages, InChat, []string{"ctrl+x"}, "^X", "messages", "messages: edit, retry, copy, switch branches"},
	{Copy, InChat, []string{"ctrl+y"}, "^Y", "copy", "copy: then 1-9 for a code block, 0 for the answer"},
	{Fold, InChat, []string{"ctrl+t"}, "^T", "thoughts", "fold or unfold what the model thought"},
	{Help, InChat, []string{"?"}, "?", "help", "help (on an empty line)"},
	{Edit, InChat | InText, []string{"left", "right", "backspace", "ctrl+h", "delete"}, "", "", ""},
	{Edit, InChat | InText, []string{"ctrl+a", "ctrl+e"}, "^A ^E", "", "start, end of the line"},
	{Edit, InChat | InText, []string{"ctrl+w", "ctrl+u", "ctrl+k"}, "^W ^U ^K", "", "delete the word, to the start, to the end"},
	{Redraw, Everywhere, []string{"ctrl+l"}, "^L", "redraw", "redraw the screen"},
	{Quit, Everywhere, []string{"ctrl+c"}, "^C", "quit", "stop the answer; twice: quit"},

	{Choose, InModels, []string{"enter"}, "{enter}", "load", "load the model"},
	{Choose, InRoles, []string{"enter"}, "{enter}", "use", "use the role"},
	{Choose, InChats | InFiles, []string{"enter"}, "{enter}", "open", "open"},
	{Choose, InMessages, []string{"enter"}, "{enter}", "show", "go to the message in the chat"},
	{Choose, Elsewhere, []string{"enter"}, "{enter}", "choose", ""},
	{Choose, InForms, []string{"enter"}, "{enter}", "type", "type a value"},
	{Choose, InPalette, []string{"enter"}, "{enter}", "run", ""},
	{Choose, InText, []string{"enter"}, "{enter}", "accept", ""},
	{Back, InLists | InPages | InForms | InPanels | InText | InConfirm | InPalette, []string{"esc"}, "esc", "back", "back"},
	{Up, InLists | InPages | InForms | InPalette | InText | InPanels, []string{"up"}, "{up}", "up", "the row above"},
	{Down, InLists | InPages | InForms | InPalette | InText | InPanels, []string{"down"}, "{down}", "down", "the row below"},
	{Home, InText, []string{"home"}, "home", "start", ""},
	{End, InText, []string{"end"}, "end", "end", ""},
	{Pick, InLists, []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, "1-9", "pick", "go to that row"},
	{Filter, InLists, []string{"/"}, "/", "search", "search; esc ends it"},
	{Details, InModels | InRoles | InChats, []string{"right"}, "{right}", "details", "all that is known of it"},

	{Bench, InModels, []string{"b"}, "b", "bench", "measure how fast it is"},
	{Context, InModels, []string{"c"}, "c", "context", "choose how many tokens the context holds"},
	{Browse, InModels, []string{"o"}, "o", "open file", "open a model file or look into a folder"},
	{Import, InModels, []string{"i"}, "i", "keep", "copy the model file into the library"},
	{Pack, InModels, []string{"p"}, "p", "pack", "make the pack that streams from flash"},
	{Delete, InModels | InRoles | InChats, []string{"d"}, "d", "delete", "delete"},

	{New, InRoles | InChats, []string{"n"}, "n", "new", "a new one"},
	{EditItem, InRoles, []string{"e"}, "e", "edit", "edit the role here"},
	{Editor, InRoles, []string{"v"}, "v", "$EDITOR", "edit the role's file in $EDITOR"},
	{Duplicate, InRoles, []string{"y"}, "y", "duplicate", "make a copy"},
	{Import, InRoles, []string{"i"}, "i", "import", "take a role from a TOML file"},
	{Export, InRoles | InChats, []string{"x"}, "x", "export", "write it to a file"},
	{Rename, InChats, []string{"r"}, "r", "rename", "rename the chat"},
	{Undo, InChats, []string{"u"}, "u", "undo", "bring the deleted chat back"},

	{EditItem, InMessages, []string{"e"}, "e", "edit", "edit the question; the answer begins a branch"},
	{Again, InMessages, []string{"r"}, "r", "retry", "answer from here again, as a branch"},
	{Copy, InMessages, []string{"y"}, "y", "copy", "copy the message"},
	{Less, InMessages, []string{"left"}, "{left}", "branch", "the branch before"},
	{More, InMessages, []string{"right"}, "{right}", "branch", "the next branch"},

	{Less, InForms, []string{"left"}, "{left}", "less", "less, or the one before"},
	{More, InForms, []string{"right"}, "{right}", "more", "more, or the next one"},
	{Reset, InForms, []string{"r"}, "r", "reset", "as it was made"},

	{NextPanel, InPanels, []string{"tab"}, "tab", "hide", "the next form: full screen, hidden, beside the chat"},
	{Less, InPanels, []string{"left"}, "{left}", "panel", "the panel before"},
	{More, InPanels, []string{"right"}, "{right}", "next panel", "the next panel"},
	{Freeze, InPanels, []string{"p"}, "p", "freeze", "hold the numbers still"},
	{Heat, InPanels, []string{"h"}, "h", "heat map", "where the neurons are, layer by layer"},

	{Yes, InConfirm, []string{"y"}, "y", "yes", ""},
}

// Of looks a key up in a place.
func Of(place Place, name string) Action {
	for _, b := range Table {
		if b.Place&place != 0 && slices.Contains(b.Keys, name) {
			return b.Action
		}
	}
	return None
}

// Find returns the table's first entry for an action in a place.
func Find(place Place, a Action) (Binding, bool) {
	i := slices.IndexFunc(Table, func(b Binding) bool { return b.Action == a && b.Place&place != 0 })
	if i < 0 {
		return Binding{}, false
	}
	return Table[i], true
}

// Text is a text of the table with its glyphs in place.
func Text(t look.Theme, s string) string {
	return strings.NewReplacer("{enter}", t.Enter, "{up}", t.Up, "{down}", t.Down, "{left}", t.Left, "{right}", t.Right).Replace(s)
}

// Hint is a key and what it does, as hint lines show it; empty for an action that the place does not know.
func Hint(t look.Theme, place Place, a Action) string {
	b, ok := Find(place, a)
	if !ok {
		return ""
	}
	label := Text(t, b.Label)
	switch {
	case a == Quit:
		label = "^C ^C"
	case a == PageUp:
		label = "pgup/pgdn"
	case a == Up:
		label = t.Up + t.Down
		return label + " move"
	case a == More && place&(InMessages|InForms|InPanels) != 0:
		return "" // Less stands for both
	case a == Less:
		label = Text(t, "{left}{right}")
		if place&InForms != 0 {
			return label + " change"
		}
	}
	return label + " " + b.Short
}

// group is a part of the help page.
type group struct {
	title string
	place Place
}

var groups = []group{
	{"In the chat", InChat}, {"In menus", InLists}, {"Models", InModels}, {"Roles", InRoles}, {"Chats", InChats},
	{"Messages", InMessages}, {"Settings and the role editor", InForms}, {"Panels", InPanels},
}

// HelpLines explains the keys, place by place. An entry stands where it belongs most: what works in all lists is not repeated.
func HelpLines(t look.Theme, w int) []string {
	var lines []string
	for _, g := range groups {
		var rows [][2]string
		for _, b := range Table {
			if b.Long != "" && home(b) == g.place {
				rows = append(rows, [2]string{Text(t, b.Label), Text(t, b.Long)})
			}
		}
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, t.Heading(g.title))
		lines = append(lines, t.Table(rows, w)...)
	}
	return lines
}

// home is the group that lists an entry.
func home(b Binding) Place {
	for _, g := range groups {
		shared := b.Place&InLists == InLists || b.Place&InLists != 0 && b.Place&InLists&(b.Place&InLists-1) != 0
		if g.place == InLists && shared || g.place != InLists && b.Place&g.place != 0 && (!shared || g.place == InChat) {
			return g.place
		}
	}
	return 0
}
