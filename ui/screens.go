package ui

import (
	"github.com/charmbracelet/x/ansi"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/ui/keys"
	"hotcell/ui/look"
	"hotcell/ui/menu"
)

// top is the screen that has the keyboard; nil: the chat.
func (m *model) top() menu.Screen {
	if len(m.screens) == 0 {
		return nil
	}
	return m.screens[len(m.screens)-1]
}

// open puts a screen over all others.
func (m *model) open(s menu.Screen) { m.screens = append(m.screens, s) }

// close takes the top screen away.
func (m *model) close() {
	if n := len(m.screens); n > 0 {
		m.screens = m.screens[:n-1]
	}
}

// closeAll shows the chat.
func (m *model) closeAll() { m.screens = nil }

// openList is the list of a kind of things that is on screen; nil if there is none.
func (m *model) openList(place keys.Place) *menu.List {
	for i := len(m.screens) - 1; i >= 0; i-- {
		if l, ok := m.screens[i].(*menu.List); ok && l.Place == place {
			return l
		}
	}
	return nil
}

// perform does what a screen asks for. Only here do menus change anything.
func (m *model) perform(a menu.Action) tea.Cmd {
	switch a := a.(type) {
	case nil:
	case menu.Close:
		m.close()
	case menu.Open:
		m.open(a.Screen)
	case menu.Replace:
		m.close()
		return m.perform(a.Action)
	case menu.Run:
		return m.run(a.Line)
	case menu.Draft:
		m.input.Insert(a.Text)
	case menu.Say:
		return m.toastFor(a.Text, longToast)
	case menu.CopyText:
		m.closeAll()
		return m.copyText(a.What, a.Text)
	case menu.Search:
		return m.searchChats(a.Query)
	case menu.Changed:
		return m.changed(a.Form)
	case menu.Item:
		switch a.Kind {
		case menu.ModelItem:
			return m.modelItem(a)
		case menu.FileItem:
			return m.fileItem(a)
		case menu.RoleItem:
			return m.roleItem(a)
		case menu.ChatItem:
			return m.chatItem(a)
		case menu.MessageItem:
			return m.messageItem(a)
		}
	}
	return nil
}

// plainText is the text of the first n cells of a drawn line.
func plainText(line string, n int) string { return ansi.Strip(look.Cut(line, n)) }
