package ui

import (
	"slices"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textarea"
)

// action is what a key does on the chat screen.
type action int

const (
	noAction action = iota
	send
	newline
	stop
	quit
	help
	retry
	complete
	pageUp
	pageDown
	lineUp
	lineDown
	lineStart
	lineEnd
	redraw
	edit // left to the text field
)

// binding is one entry of the key table.
type binding struct {
	action action
	keys   []string // as Bubble Tea names them
	label  string   // as a person reads them; {enter}, {up} and {down} stand for glyphs
	short  string   // for the hint line
	long   string   // for the help page
}

// keyTable is every key that works. The chat looks keys up in it, and the hint line and the help page are
// printed from it, so that they cannot disagree. Termux's default extra keys must be able to type each
// one: no function keys, no Alt, no Shift with Enter. ^H ^I ^M ^[ are Backspace, Tab, Enter and Esc to a
// terminal, so they cannot mean anything else.
var keyTable = []binding{
	{send, []string{"enter"}, "{enter}", "send", "send"},
	{newline, []string{"ctrl+j"}, "^J", "newline", "new line; so does \\ before {enter}"},
	{stop, []string{"esc"}, "esc", "stop", "stop the answer (press twice), close a page"},
	{complete, []string{"tab"}, "tab", "complete", "complete a /command"},
	{lineUp, []string{"up"}, "{up}", "scroll", "empty line: scroll up, else move up"},
	{lineDown, []string{"down"}, "{down}", "scroll", "empty line: scroll down, else move down"},
	{pageUp, []string{"pgup"}, "pgup", "scroll", "scroll up a page"},
	{pageDown, []string{"pgdown"}, "pgdn", "scroll", "scroll down a page"},
	{lineStart, []string{"home"}, "home", "line start", "start of the line"},
	{lineEnd, []string{"end"}, "end", "line end", "end of the line"},
	{edit, []string{"left", "right", "backspace", "ctrl+h", "delete"}, "", "", ""},
	{edit, []string{"ctrl+a", "ctrl+e"}, "^A ^E", "", "start, end of the line"},
	{edit, []string{"ctrl+w", "ctrl+u", "ctrl+k"}, "^W ^U ^K", "", "delete the word, to the start, to the end"},
	{retry, []string{"ctrl+r"}, "^R", "retry", "answer the last message again"},
	{redraw, []string{"ctrl+l"}, "^L", "redraw", "redraw the screen"},
	{help, []string{"?"}, "?", "help", "help (on an empty line)"},
	{quit, []string{"ctrl+c"}, "^C", "quit", "stop the answer; twice: quit"},
}

// actionOf looks a key up.
func actionOf(name string) action {
	for _, b := range keyTable {
		if slices.Contains(b.keys, name) {
			return b.action
		}
	}
	return noAction
}

// bindingOf returns the table's first entry for an action.
func bindingOf(a action) binding {
	i := slices.IndexFunc(keyTable, func(b binding) bool { return b.action == a })
	return keyTable[i]
}

// What the hint line tells, the most important first.
var (
	hintsIdle      = []action{send, newline, help, retry, pageUp, quit}
	hintsEmpty     = []action{send, newline, quit, help} // nothing to retry or to scroll yet
	hintsNoModel   = []action{quit, help}
	hintsAnswering = []action{stop, newline, pageUp, help}
)

// textKeys is the text field's own table: what the key table leaves to it, and nothing of what the
// field binds by default. Its paste would look for clipboard programs; a terminal pastes by itself.
func textKeys() textarea.KeyMap {
	on := func(keys ...string) key.Binding { return key.NewBinding(key.WithKeys(keys...)) }
	return textarea.KeyMap{
		CharacterBackward:       on("left"),
		CharacterForward:        on("right"),
		LinePrevious:            on("up"),
		LineNext:                on("down"),
		LineStart:               on("home", "ctrl+a"),
		LineEnd:                 on("end", "ctrl+e"),
		DeleteCharacterBackward: on("backspace", "ctrl+h"),
		DeleteCharacterForward:  on("delete"),
		DeleteWordBackward:      on("ctrl+w"),
		DeleteBeforeCursor:      on("ctrl+u"),
		DeleteAfterCursor:       on("ctrl+k"),
	}
}
