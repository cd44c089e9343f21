package ui

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/ui/keys"
	"hotcell/ui/look"
)

// wheelRows is how far one notch of a wheel goes.
const wheelRows = 3

// key routes a key. A terminal sends Alt as an Esc before the key, and nothing is bound to Alt, so what
// looks like Alt is an Esc and a key that came close behind it.
func (m *model) key(k tea.KeyMsg) tea.Cmd {
	if k.Alt {
		k.Alt = false
		return tea.Batch(m.press(tea.KeyMsg{Type: tea.KeyEsc}), m.press(k))
	}
	return m.press(k)
}

// press gives a key to the top screen, or does what it means in the chat.
func (m *model) press(k tea.KeyMsg) tea.Cmd {
	switch keys.Of(keys.Everywhere, k.String()) {
	case keys.Quit:
		return m.askQuit()
	case keys.Redraw:
		return tea.ClearScreen
	}
	if top := m.top(); top != nil && len(k.Runes) > 1 && !k.Paste { // what came in one read may still be several keys
		var cmds []tea.Cmd
		for _, r := range k.Runes {
			cmds = append(cmds, m.press(tea.KeyMsg{Type: k.Type, Runes: []rune{r}}))
		}
		return tea.Batch(cmds...)
	} else if top != nil {
		return m.perform(top.Key(k))
	}
	if k.Paste {
		return m.paste(string(k.Runes))
	}
	if m.input.Empty() && k.Type == tea.KeyRunes && k.Runes[0] == '/' {
		return m.openPalette(string(k.Runes[1:]))
	}
	switch a := keys.Of(keys.InChat, k.String()); a {
	case keys.Send:
		return m.enter()
	case keys.Newline:
		m.input.Insert("\n")
	case keys.Back:
		return m.askStop()
	case keys.PageUp:
		m.chat.scrollBy(-max(1, m.chat.h-1))
	case keys.PageDown:
		m.chat.scrollBy(max(1, m.chat.h-1))
	case keys.Up, keys.Down:
		m.arrow(a, k)
	case keys.Help:
		if m.input.Empty() {
			return m.openHelp()
		}
		m.input.Key(k)
	case keys.None:
		if k.Type == tea.KeyRunes || k.Type == tea.KeySpace {
			m.input.Key(k)
		}
	case keys.Home, keys.End:
		switch {
		case !m.input.Empty():
			m.input.Key(k)
		case a == keys.Home:
			m.chat.scrollTo(0)
		default:
			m.chat.scrolled = false
		}
	case keys.Edit, keys.Palette:
		m.input.Key(k)
	default:
		return m.act(a)
	}
	return nil
}

// act does what has a key and a command.
func (m *model) act(a keys.Action) tea.Cmd {
	switch a {
	case keys.NextPanel:
		return m.nextDash()
	case keys.Models:
		return m.openModels()
	case keys.Roles:
		return m.openRoles()
	case keys.Chats:
		return m.openChats("")
	case keys.Settings:
		return m.openSettings()
	case keys.Messages:
		return m.openMessages()
	case keys.NewChat:
		return m.newChat()
	case keys.Retry:
		return m.retry()
	case keys.EditLast:
		return m.editLast()
	case keys.NextBranch:
		return m.nextBranch()
	case keys.Copy:
		return m.openCopy()
	case keys.Fold:
		m.chat.unfolded = !m.chat.unfolded
		m.chat.settle()
	}
	return nil
}

// arrow scrolls when there is no draft, which is how a swipe in Termux arrives; in a draft it moves, and past its first or last row
// it brings earlier inputs.
func (m *model) arrow(a keys.Action, k tea.KeyMsg) {
	recalled := m.recall.at < len(m.recall.texts)
	switch {
	case m.input.Empty() && !recalled && a == keys.Up:
		m.chat.scrollBy(-1)
	case m.input.Empty() && !recalled:
		m.chat.scrollBy(1)
	case a == keys.Up && m.input.FirstRow() && m.edit == nil:
		if text, ok := m.recall.older(m.input.Value()); ok {
			m.input.Set(text)
		}
	case a == keys.Down && m.input.LastRow() && recalled:
		if text, ok := m.recall.newer(); ok {
			m.input.Set(text)
		}
	default:
		m.input.Key(k)
	}
}

// mouseMode asks the terminal to report the mouse, or not to, when that has changed. While it reports it, a tap in Termux opens no
// keyboard, so in the chat it is on only if the user wants it so.
func (m *model) mouseMode() tea.Cmd {
	top := m.top()
	want := m.prefs.Mouse
	if top != nil {
		want = want || !top.Typing()
	}
	if want == m.mouse {
		return nil
	}
	if m.mouse = want; want {
		return tea.EnableMouseCellMotion
	}
	return tea.DisableMouse
}

// mouseEvent is a tap, a click or the wheel.
func (m *model) mouseEvent(e tea.MouseEvent) tea.Cmd {
	turn := tea.KeyType(0)
	switch {
	case e.Button == tea.MouseButtonWheelUp:
		turn = tea.KeyUp
	case e.Button == tea.MouseButtonWheelDown:
		turn = tea.KeyDown
	case e.Action != tea.MouseActionPress || e.Button != tea.MouseButtonLeft:
		return nil
	}
	top := m.top()
	if turn != 0 {
		if top == nil {
			n := wheelRows
			if turn == tea.KeyUp {
				n = -n
			}
			m.chat.scrollBy(n)
			return nil
		}
		var cmds []tea.Cmd
		for range wheelRows {
			if top == m.top() {
				cmds = append(cmds, m.perform(top.Key(tea.KeyMsg{Type: turn})))
			}
		}
		return tea.Batch(cmds...)
	}
	if top != nil {
		return m.perform(top.Click(e.X, e.Y))
	}
	switch r := m.rects; {
	case r.Dash.has(e.X, e.Y):
		return m.openPanelAt(e.X-r.Dash.X, e.Y-r.Dash.Y)
	case r.Header.has(e.X, e.Y):
		return m.headerAt(e.X)
	}
	return nil
}

// headerAt opens the menu of the part of the header that is tapped: the walls between the parts tell which it is.
func (m *model) headerAt(x int) tea.Cmd {
	line := drawHeader(m.theme, m.header(), m.rects.Header)[0]
	walls := strings.Count(plainText(line, x), m.theme.Wall)
	if m.rects.Header.W >= look.WideW {
		walls-- // the program's name comes first
	}
	switch walls {
	case 0:
		return m.openModels()
	case 1:
		return m.openRoles()
	case 2:
		return m.openChats("")
	}
	return nil
}
