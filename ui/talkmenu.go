package ui

import (
	"fmt"
	"strconv"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/ui/keys"
	"hotcell/ui/look"
	"hotcell/ui/menu"
)

// openMessages lists the messages on screen, the newest last and selected.
func (m *model) openMessages() tea.Cmd {
	l := &menu.List{
		Theme: m.theme, Place: keys.InMessages, Title: "Messages", Empty: "There are no messages yet.",
		Buttons: []keys.Action{keys.Choose, keys.EditItem, keys.Again, keys.Copy, keys.Less, keys.More},
		Do: func(a keys.Action, row *menu.Row) menu.Action {
			if row == nil {
				return nil
			}
			return menu.Item{Kind: menu.MessageItem, ID: row.ID, Do: a}
		},
	}
	m.open(l)
	m.refreshMessages()
	if rows := len(m.chat.messages); rows > 0 {
		l.Select(strconv.Itoa(rows - 1))
	}
	return nil
}

// refreshMessages fills the list of messages, if it is open.
func (m *model) refreshMessages() {
	l := m.openList(keys.InMessages)
	if l == nil {
		return
	}
	var rows []menu.Row
	for i, s := range m.chat.messages {
		if s.kind == fromApp {
			continue
		}
		row := menu.Row{ID: strconv.Itoa(i), Title: s.name, Sub: firstLine(s.text), State: s.at.Format("15:04"),
			Keys: []keys.Action{keys.Choose, keys.Again, keys.Copy}}
		if s.kind == fromUser {
			row.Keys = append(row.Keys, keys.EditItem)
		}
		if s.branched() {
			row.State = branchName(s)
			row.Keys = append(row.Keys, keys.Less, keys.More)
		}
		rows = append(rows, row)
	}
	l.SetRows(rows)
}

// firstLine is the beginning of a text on one line.
func firstLine(text string) string {
	text = strings.TrimSpace(text)
	line, _, more := strings.Cut(text, "\n")
	if r := []rune(line); len(r) > 200 {
		line, more = string(r[:200]), true
	}
	if more {
		line += " …"
	}
	return line
}

// messageItem does what the list of messages asks for.
func (m *model) messageItem(a menu.Item) tea.Cmd {
	i, err := strconv.Atoi(a.ID)
	if err != nil || i < 0 || i >= len(m.chat.messages) {
		return nil
	}
	s := m.chat.messages[i]
	switch a.Do {
	case keys.Choose:
		m.closeAll()
		m.chat.scrollTo(i)
	case keys.EditItem:
		m.closeAll()
		return m.editMessage(i)
	case keys.Again:
		m.closeAll()
		return m.retryAt(i)
	case keys.Copy:
		m.open(m.copyList(s))
	case keys.Less:
		return m.switchBranch(i, -1)
	case keys.More:
		return m.switchBranch(i, 1)
	}
	return nil
}

// openCopy lists what can be copied of the last answer: all of it, and each code block by its number.
func (m *model) openCopy() tea.Cmd {
	s := m.lastAnswer()
	if s == nil {
		return m.toastFor("there is no answer to copy yet", longToast)
	}
	m.open(m.copyList(s))
	return nil
}

// lastAnswer is the newest answer with text.
func (m *model) lastAnswer() *message {
	for i := len(m.chat.messages) - 1; i >= 0; i-- {
		if s := m.chat.messages[i]; s.kind == fromModel && s.text != "" {
			return s
		}
	}
	return nil
}

func (m *model) copyList(s *message) *menu.List {
	texts := copyable(s)
	l := &menu.List{
		Theme: m.theme, Place: keys.Elsewhere, Title: "Copy", Note: "a digit copies", PickRuns: true,
		Do: func(_ keys.Action, row *menu.Row) menu.Action {
			i, _ := strconv.Atoi(row.ID) // ours
			return menu.CopyText{What: row.Title, Text: texts[i].text}
		},
	}
	var rows []menu.Row
	for i, t := range texts {
		rows = append(rows, menu.Row{ID: strconv.Itoa(i), Title: t.what, Sub: firstLine(t.text), State: fmt.Sprintf("%d lines", 1+strings.Count(t.text, "\n"))})
	}
	l.SetRows(rows)
	return l
}

// copied is a text that can be copied.
type copied struct{ what, text string }

// copyable is a message as a whole, then its code blocks in the order of their numbers.
func copyable(s *message) []copied {
	what := "the answer"
	if s.kind == fromUser {
		what = "the question"
	}
	texts := []copied{{what, s.text}}
	for _, b := range s.prose.blocks() {
		texts = append(texts, copied{strings.TrimSpace(fmt.Sprintf("block %d %s", b.N, look.Label(b.Lang))), b.Text})
	}
	return texts
}

// copyNumber copies by number, as the digits of the list do.
func (m *model) copyNumber(args string) tea.Cmd {
	s := m.lastAnswer()
	if args == "" || s == nil {
		return m.openCopy()
	}
	n, err := strconv.Atoi(args)
	texts := copyable(s)
	if err != nil || n < 0 || n >= len(texts) {
		return m.toastFor(fmt.Sprintf("the last answer has %d code blocks", len(texts)-1), longToast)
	}
	return m.copyText(texts[n].what, texts[n].text)
}

// openHistory lists earlier inputs, the newest first; the one that is chosen becomes the draft.
func (m *model) openHistory() tea.Cmd {
	texts := m.recall.texts
	l := &menu.List{
		Theme: m.theme, Place: keys.Elsewhere, Title: "Earlier inputs", Empty: "Nothing was written yet.",
		Do: func(_ keys.Action, row *menu.Row) menu.Action {
			i, _ := strconv.Atoi(row.ID) // ours
			return menu.Replace{Action: menu.Draft{Text: texts[i]}}
		},
	}
	var rows []menu.Row
	for i := len(texts) - 1; i >= 0; i-- {
		rows = append(rows, menu.Row{ID: strconv.Itoa(i), Title: firstLine(texts[i])})
	}
	l.SetRows(rows)
	m.open(l)
	return nil
}
