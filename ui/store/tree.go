package store

import (
	"context"

	"github.com/ncruces/go-sqlite3"
)

// Path returns the messages from the first one to the leaf at which the chat stands: what the screen shows.
func (s *Store) Path(ctx context.Context, chatID int64) (path []Message, err error) {
	err = s.do(ctx, "read the chat", func(db *conn) error {
		if _, err := chat(db, chatID); err != nil {
			return err
		}
		path, err = pathOf(db, chatID)
		return err
	})
	return path, err
}

// up walks from the leaf of a chat to the first message. A parent has a smaller number than its child, also in
// a file that somebody edited: without that condition a ring of parents would never end.
const up = `
	WITH RECURSIVE up(id, parent) AS (
		SELECT m.id, m.parent FROM chats c JOIN messages m ON m.id = c.leaf AND m.chat = c.id WHERE c.id = ?
		UNION ALL
		SELECT m.id, m.parent FROM up JOIN messages m ON m.id = up.parent WHERE m.id < up.id
	) `

func pathOf(db *conn, chat int64) ([]Message, error) {
	return list(db, up+`SELECT `+messageColumns+` FROM up JOIN messages m ON m.id = up.id ORDER BY m.id`, chat)
}

// Message returns one message.
func (s *Store) Message(ctx context.Context, id int64) (m Message, err error) {
	err = s.do(ctx, "read the message", func(db *conn) error {
		m, err = message(db, id)
		return err
	})
	return m, err
}

func message(db *conn, id int64) (m Message, err error) {
	err = db.one(func(r *sqlite3.Stmt) { m = scanMessage(r) }, `SELECT `+messageColumns+` FROM messages m WHERE m.id = ?`, id)
	return m, err
}

// Children returns the messages that follow parent (0: the first ones of the chat), oldest first.
func (s *Store) Children(ctx context.Context, chat, parent int64) (found []Message, err error) {
	err = s.do(ctx, "read the branches", func(db *conn) error {
		found, err = children(db, chat, parent)
		return err
	})
	return found, err
}

func children(db *conn, chat, parent int64) ([]Message, error) {
	var above any
	if parent != 0 {
		above = parent
	}
	return list(db, `SELECT `+messageColumns+` FROM messages m WHERE m.chat = ? AND m.parent IS ? ORDER BY m.id`, chat, above)
}

// Siblings returns the message and the others with the same parent, oldest first.
func (s *Store) Siblings(ctx context.Context, id int64) (found []Message, err error) {
	err = s.do(ctx, "read the branches", func(db *conn) error {
		m, err := message(db, id)
		if err != nil {
			return err
		}
		found, err = children(db, m.Chat, m.Parent)
		return err
	})
	return found, err
}

// Choose makes the chat stand on the branch with the message id: at the leaf below it that was last on
// screen. It returns the new path.
func (s *Store) Choose(ctx context.Context, id int64) (path []Message, err error) {
	err = s.change(ctx, "change the branch", func(db *conn) error {
		m, err := message(db, id)
		if err != nil {
			return err
		}
		if _, err := chat(db, m.Chat); err != nil {
			return err
		}
		var leaf int64 // below id, by what was chosen last
		err = db.one(func(r *sqlite3.Stmt) { leaf = r.ColumnInt64(0) }, `
			WITH RECURSIVE down(id) AS (
				VALUES (?)
				UNION ALL
				SELECT coalesce(
					(SELECT n.id FROM messages n WHERE n.id = m.chosen AND n.chat = m.chat AND n.parent = m.id AND n.id > m.id),
					(SELECT max(n.id) FROM messages n WHERE n.chat = m.chat AND n.parent = m.id AND n.id > m.id))
				FROM down JOIN messages m ON m.id = down.id
			)
			SELECT max(id) FROM down`, id)
		if err != nil {
			return err
		}
		if _, err := db.run(`UPDATE chats SET leaf = ? WHERE id = ?`, leaf, m.Chat); err != nil {
			return err
		}
		if _, err := db.run(up+`UPDATE messages SET chosen = up.id FROM up WHERE messages.id = up.parent AND chosen <> up.id`, m.Chat); err != nil {
			return err
		}
		path, err = pathOf(db, m.Chat)
		return err
	})
	if err != nil {
		return nil, err
	}
	return path, nil
}
