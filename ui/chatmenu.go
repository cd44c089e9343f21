package ui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/ui/keys"
	"hotcell/ui/look"
	"hotcell/ui/menu"
	"hotcell/ui/store"
)

// mostChats is how many chats, or places that a search found, are listed.
const mostChats = 300

// openChats lists the chats that fit a query.
func (m *model) openChats(query string) tea.Cmd {
	if m.archive.store == nil {
		if m.archive.opening {
			return m.toastFor("wait, the chats are being opened", longToast)
		}
		return m.toastFor("chats are not kept", longToast)
	}
	l := &menu.List{
		Theme: m.theme, Place: keys.InChats, Title: "Chats", Empty: "There are no chats yet.",
		Always: []keys.Action{keys.New, keys.Undo},
		Do: func(a keys.Action, row *menu.Row) menu.Action {
			item := menu.Item{Kind: menu.ChatItem, Do: a}
			if row != nil {
				item.ID = row.ID
			}
			return item
		},
		Find: func(query string) menu.Action { return menu.Search{Query: query} },
	}
	if query != "" {
		l.Search(query)
	}
	m.open(l)
	return m.searchChats(query)
}

// searchChats reads the chats that a query finds, all of them for an empty one.
func (m *model) searchChats(query string) tea.Cmd {
	if m.archive.store == nil {
		return nil
	}
	now, current := m.now(), m.talk.id
	return m.job(func(ctx context.Context, s *store.Store) tea.Msg {
		rows, err := chatRows(ctx, s, query, current, now)
		return menuMsg(func(m *model) tea.Cmd {
			l := m.openList(keys.InChats)
			switch {
			case err != nil:
				return m.toastFor(err.Error(), longToast)
			case l == nil || l.Query() != query: // another search has been typed
				return nil
			}
			l.SetRows(rows)
			l.Note = fmt.Sprintf("%d chats", len(rows))
			if query != "" {
				l.Note = fmt.Sprintf("%d places", len(rows))
			}
			l.Buttons = []keys.Action{keys.Choose, keys.New, keys.Rename, keys.Export, keys.Delete}
			if m.deleted != 0 {
				l.Buttons = append(l.Buttons, keys.Undo)
			}
			return nil
		})
	})
}

// chatRows are the chats, or the places in them, that a query finds. The ID is the chat's number, and for a place the message's behind a slash.
func chatRows(ctx context.Context, s *store.Store, query string, current int64, now time.Time) (rows []menu.Row, err error) {
	if strings.TrimSpace(query) == "" {
		recent, err := s.Recent(ctx, mostChats, 0)
		for _, c := range recent {
			rows = append(rows, menu.Row{
				ID: strconv.FormatInt(c.ID, 10), Title: c.Title, Sub: c.Preview, State: look.Ago(c.Updated, now), InUse: c.ID == current,
				Detail: func(w int) []string { return chatDetail(c, w) },
			})
		}
		return rows, err
	}
	hits, err := s.Search(ctx, query, mostChats)
	for _, h := range hits {
		var text strings.Builder
		for _, span := range h.Snippet {
			text.WriteString(span.Text)
		}
		id := strconv.FormatInt(h.Chat, 10)
		if h.Message != 0 {
			id += "/" + strconv.FormatInt(h.Message, 10)
		}
		rows = append(rows, menu.Row{ID: id, Title: h.Title, Sub: text.String(), State: look.Ago(h.When, now), InUse: false})
	}
	return rows, err
}

func chatDetail(c store.Listed, w int) []string {
	lines := look.Wrap(c.Preview, w)
	return append(lines, "", look.Label(fmt.Sprintf("%s with %s", c.Role, c.Model)),
		fmt.Sprintf("%d messages, begun %s", c.Messages, c.Created.Format("2 Jan 2006 15:04")))
}

// chatItem does what the menu of chats asks for.
func (m *model) chatItem(a menu.Item) tea.Cmd {
	first, second, _ := strings.Cut(a.ID, "/")
	chat, _ := strconv.ParseInt(first, 10, 64)
	place, _ := strconv.ParseInt(second, 10, 64)
	switch a.Do {
	case keys.Choose:
		m.closeAll()
		return m.resume(chat, place)
	case keys.New:
		m.closeAll()
		return m.newChat()
	case keys.Rename:
		if chat == 0 {
			return nil
		}
		if a.Text != "" {
			return m.renameChat(chat, a.Text)
		}
		m.open(menu.NewPrompt(m.theme, "Rename the chat", "", m.openList(keys.InChats).Selected().Title, false, func(text string) (menu.Action, error) {
			if a.Text = text; text == "" {
				return nil, errors.New("a chat needs a title")
			}
			return a, nil
		}))
	case keys.Export:
		if chat == 0 {
			return nil
		}
		m.open(m.formats(chat))
	case keys.Delete:
		if chat == 0 {
			return nil
		}
		return m.deleteChat(chat)
	case keys.Undo:
		return m.undelete()
	}
	return nil
}

// renameChat gives a chat a title.
func (m *model) renameChat(id int64, title string) tea.Cmd {
	return m.job(func(ctx context.Context, s *store.Store) tea.Msg {
		err := s.Rename(ctx, id, title)
		var c store.Chat
		if err == nil {
			c, err = s.Chat(ctx, id)
		}
		return menuMsg(func(m *model) tea.Cmd {
			if err != nil {
				return m.toastFor(err.Error(), longToast)
			}
			if id == m.talk.id {
				m.talk.title = look.Label(c.Title)
			}
			return m.searchAgain()
		})
	})
}

// searchAgain reads the list of chats anew, if it is open.
func (m *model) searchAgain() tea.Cmd {
	if l := m.openList(keys.InChats); l != nil {
		return m.searchChats(l.Query())
	}
	return nil
}

// deleteChat hides a chat; it can be brought back for a day.
func (m *model) deleteChat(id int64) tea.Cmd {
	if id == 0 || m.archive.store == nil {
		return m.toastFor("the chat has no message yet", longToast)
	}
	if id == m.talk.id && m.answer != nil {
		return m.busy()
	}
	return m.job(func(ctx context.Context, s *store.Store) tea.Msg {
		err := s.Delete(ctx, id)
		return menuMsg(func(m *model) tea.Cmd {
			if err != nil {
				return m.toastFor(err.Error(), longToast)
			}
			m.deleted = id
			if id == m.talk.id {
				m.newChat()
			}
			return tea.Batch(m.searchAgain(), m.toastFor("deleted; u in the list of chats or /undo brings it back", longToast))
		})
	})
}

func (m *model) undelete() tea.Cmd {
	id := m.deleted
	if id == 0 || m.archive.store == nil {
		return m.toastFor("no chat was deleted", longToast)
	}
	return m.job(func(ctx context.Context, s *store.Store) tea.Msg {
		err := s.Undelete(ctx, id)
		return menuMsg(func(m *model) tea.Cmd {
			if err != nil {
				return m.toastFor(err.Error(), longToast)
			}
			m.deleted = 0
			return tea.Batch(m.searchAgain(), m.toastFor("the chat is back", longToast))
		})
	})
}

// noteUse writes down with which role and model the chat goes on.
func (m *model) noteUse() tea.Cmd {
	if m.talk.id == 0 || m.archive.store == nil {
		return nil
	}
	id, role, name := m.talk.id, m.role.Name, m.modelName()
	return m.job(func(ctx context.Context, s *store.Store) tea.Msg {
		if err := s.Use(ctx, id, role, name); err != nil {
			return failedMsg{"Role and model of the chat were not noted", err}
		}
		return nil
	})
}

// exportDir is where chats are exported to.
func (m *model) exportDir() string { return filepath.Join(m.cfg.DataDir, "exports") }

// formats asks in which format a chat is to be exported.
func (m *model) formats(id int64) menu.Screen {
	l := &menu.List{
		Theme: m.theme, Place: keys.Elsewhere, Title: "Export the chat",
		Do: func(_ keys.Action, row *menu.Row) menu.Action { return menu.Replace{Action: menu.Run{Line: row.ID}} },
	}
	number := strconv.FormatInt(id, 10)
	l.SetRows([]menu.Row{
		{ID: "export md " + number, Title: "Markdown", Sub: "the messages on screen, to read"},
		{ID: "export json " + number, Title: "JSON", Sub: "all branches with all that is known of them"},
	})
	return l
}

// export writes a chat to a new file; args are a format and perhaps the chat's number.
func (m *model) export(args string) tea.Cmd {
	words := strings.Fields(args)
	format, id := store.Markdown, m.talk.id
	if len(words) > 0 {
		format = store.Format(strings.ToLower(words[0]))
	}
	if len(words) > 1 {
		id, _ = strconv.ParseInt(words[1], 10, 64)
	}
	if format == "markdown" {
		format = store.Markdown
	}
	switch {
	case format != store.Markdown && format != store.JSON:
		return m.toastFor("the formats are md and json", longToast)
	case id == 0 || m.archive.store == nil:
		return m.toastFor("the chat has no message yet", longToast)
	}
	dir := m.exportDir()
	return m.job(func(ctx context.Context, s *store.Store) tea.Msg {
		err := os.MkdirAll(dir, 0o700)
		var path string
		if err == nil {
			path, err = s.Save(ctx, dir, id, format)
		}
		return menuMsg(func(m *model) tea.Cmd {
			if err != nil {
				return m.toastFor(err.Error(), longToast)
			}
			m.closeAll()
			m.say("The chat was written to " + path)
			return nil
		})
	})
}
