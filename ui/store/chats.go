package store

import (
	"context"
	"strings"
	"time"
	"unicode"

	"github.com/ncruces/go-sqlite3"
)

// Chat is a conversation, without its messages.
type Chat struct {
	ID      int64     `json:"id"`
	Title   string    `json:"title"` // from the first question, until it is renamed
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"` // when its last message was begun or ended
	Role    string    `json:"role"`    // name of the role and of the model last used
	Model   string    `json:"model"`
	Leaf    int64     `json:"leaf"` // the last message on screen; 0: the chat is empty
}

// Listed is a chat as a list shows it.
type Listed struct {
	Chat
	Preview  string // beginning of the last message on screen, on one line
	Messages int    // of all branches
}

const (
	titleRunes   = 60
	previewRunes = 160
)

// NewChat begins a chat. It is listed once it has a message.
func (s *Store) NewChat(ctx context.Context, role, model string) (Chat, error) {
	now := s.now()
	c := Chat{Role: clean(role), Model: clean(model), Created: now, Updated: now}
	err := s.change(ctx, "begin a chat", func(db *conn) error {
		_, err := db.run(`INSERT INTO chats (title, role, model, created, updated) VALUES ('', ?, ?, ?, ?)`, c.Role, c.Model, now, now)
		c.ID = db.LastInsertRowID()
		return err
	})
	return c, err
}

const chatColumns = `c.id, c.title, c.created, c.updated, c.role, c.model, c.leaf`

func scanChat(r *sqlite3.Stmt) Chat {
	return Chat{
		ID: r.ColumnInt64(0), Title: r.ColumnText(1),
		Created: unstamp(r.ColumnInt64(2)), Updated: unstamp(r.ColumnInt64(3)),
		Role: r.ColumnText(4), Model: r.ColumnText(5), Leaf: r.ColumnInt64(6),
	}
}

// Chat returns one chat that is not deleted.
func (s *Store) Chat(ctx context.Context, id int64) (c Chat, err error) {
	err = s.do(ctx, "read the chat", func(db *conn) error {
		c, err = chat(db, id)
		return err
	})
	return c, err
}

func chat(db *conn, id int64) (c Chat, err error) {
	err = db.one(func(r *sqlite3.Stmt) { c = scanChat(r) }, `SELECT `+chatColumns+` FROM chats c WHERE id = ? AND deleted = 0`, id)
	return c, err
}

// Recent lists the chats that have messages, the last used first: limit of them after the first skip.
func (s *Store) Recent(ctx context.Context, limit, skip int) (list []Listed, err error) {
	err = s.do(ctx, "list the chats", func(db *conn) error {
		return db.each(func(r *sqlite3.Stmt) error {
			list = append(list, Listed{Chat: scanChat(r), Preview: oneLine(r.ColumnText(7), previewRunes), Messages: r.ColumnInt(8)})
			return nil
		}, `SELECT `+chatColumns+`, substr(m.text, 1, ?), (SELECT count(*) FROM messages n WHERE n.chat = c.id)
			FROM chats c JOIN messages m ON m.id = c.leaf
			WHERE c.deleted = 0 ORDER BY c.updated DESC, c.id DESC LIMIT ? OFFSET ?`, 2*previewRunes, max(0, limit), max(0, skip))
	})
	return list, err
}

// Rename gives a chat a title of at most 60 characters; an empty one makes the list show the first question again.
func (s *Store) Rename(ctx context.Context, id int64, title string) error {
	return s.change(ctx, "rename the chat", func(db *conn) error {
		title := oneLine(title, titleRunes)
		if title == "" {
			err := db.one(func(r *sqlite3.Stmt) { title = titleOf(r.ColumnText(0)) },
				`SELECT substr(text, 1, 400) FROM messages WHERE chat = ? ORDER BY id LIMIT 1`, id)
			if err != nil && err != ErrNotFound {
				return err
			}
		}
		return db.must(`UPDATE chats SET title = ? WHERE id = ? AND deleted = 0`, title, id)
	})
}

// Use notes which role and model the chat goes on with.
func (s *Store) Use(ctx context.Context, id int64, role, model string) error {
	return s.change(ctx, "note role and model", func(db *conn) error {
		return db.must(`UPDATE chats SET role = ?, model = ? WHERE id = ? AND deleted = 0`, clean(role), clean(model), id)
	})
}

// Delete hides a chat. Undelete brings it back; a day later the next Open deletes it for good.
func (s *Store) Delete(ctx context.Context, id int64) error {
	return s.change(ctx, "delete the chat", func(db *conn) error {
		return db.must(`UPDATE chats SET deleted = ? WHERE id = ? AND deleted = 0`, s.now(), id)
	})
}

// Undelete brings back a chat that was deleted in the last day.
func (s *Store) Undelete(ctx context.Context, id int64) error {
	return s.change(ctx, "bring the chat back", func(db *conn) error {
		return db.must(`UPDATE chats SET deleted = 0 WHERE id = ?`, id)
	})
}

// titleOf is the first line of a question that says something.
func titleOf(question string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(question), "\n")
	return oneLine(line, titleRunes)
}

// clean makes text that SQLite and JSON can hold: valid UTF-8 without NUL.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// oneLine is the beginning of a text on one line: at most limit runes, white space and control characters as
// single spaces.
func oneLine(text string, limit int) string {
	var b strings.Builder
	gap, n := false, 0
	for _, r := range clean(text) {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			gap = n > 0
			continue
		}
		if n >= limit-1 {
			return b.String() + "…"
		}
		if gap {
			b.WriteByte(' ')
			n++
		}
		b.WriteRune(r)
		n++
		gap = false
	}
	return b.String()
}
