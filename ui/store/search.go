package store

import (
	"context"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// Hit is one place at which a search found all its words.
type Hit struct {
	Chat    int64
	Title   string // of the chat
	Message int64  // for Choose; 0: the words are in the title
	Speaker string // of the message
	When    time.Time
	Snippet []Span // of the message, or the title; one line without control characters
}

// Search finds the messages, and chats by their titles, that contain every word of query: anywhere, in upper or
// lower case, also as a part of a longer word, which is how Chinese can be searched at all. Words in double
// quotes are one. Nothing else in query has a meaning, so anything may be typed. Titles come first, then
// messages, the newest first; an empty query finds nothing. Answers that are being written and deleted chats
// are not searched.
func (s *Store) Search(ctx context.Context, query string, limit int) (hits []Hit, err error) {
	words := terms(query)
	if len(words) == 0 || limit <= 0 {
		return nil, nil
	}
	err = s.do(ctx, "search the chats", func(db *conn) error {
		err := db.each(func(r *sqlite3.Stmt) error {
			if title := r.ColumnText(1); containsAll(fold(title), words) {
				hits = append(hits, Hit{Chat: r.ColumnInt64(0), Title: title, When: unstamp(r.ColumnInt64(2)), Snippet: snippet(title, words)})
			}
			return full(hits, limit)
		}, `SELECT id, title, updated FROM chats WHERE deleted = 0 AND leaf <> 0 ORDER BY updated DESC`)
		if err != nil || len(hits) >= limit {
			return err
		}
		return candidates(db, words, func(r *sqlite3.Stmt) error {
			if text := r.ColumnText(5); containsAll(fold(text), words) {
				hits = append(hits, Hit{
					Chat: r.ColumnInt64(0), Title: r.ColumnText(1), Message: r.ColumnInt64(2), Speaker: r.ColumnText(3),
					When: unstamp(r.ColumnInt64(4)), Snippet: snippet(text, words),
				})
			}
			return full(hits, limit)
		})
	})
	if err != nil {
		return nil, err
	}
	return hits, nil
}

func full(hits []Hit, limit int) error {
	if len(hits) >= limit {
		return errEnough
	}
	return nil
}

// candidates calls row for every message that may contain the words: those that the index names or, if all
// the words are too short for it, every one.
func candidates(db *conn, words []string, row func(*sqlite3.Stmt) error) error {
	const columns = `SELECT c.id, c.title, m.id, m.speaker, m.created, m.text FROM `
	const where = ` c.deleted = 0 AND m.state <> 'writing' `
	if question := trigrams(words); question != "" {
		return db.each(row, columns+`search s CROSS JOIN messages m ON m.id = s.rowid CROSS JOIN chats c ON c.id = m.chat
			WHERE s.search MATCH ? AND`+where+`ORDER BY s.rowid DESC`, question)
	}
	return db.each(row, columns+`messages m CROSS JOIN chats c ON c.id = m.chat WHERE`+where+`ORDER BY m.id DESC`)
}

// index makes the text of a message searchable.
func index(db *conn, id int64, text string) error {
	if text == "" {
		return nil
	}
	_, err := db.run(`INSERT OR REPLACE INTO search (rowid, text) VALUES (?, ?)`, id, fold(text))
	return err
}

// indexTrouble tells whether a complaint of SQLite's is about the search index.
func indexTrouble(complaint string) bool {
	return strings.Contains(strings.ToLower(complaint), "fts5") && strings.Contains(complaint, "search")
}

// reindex makes the search index anew from the messages.
func reindex(db *conn) error {
	if err := db.Exec(`DROP TABLE search;` + searchTable); err != nil {
		return err
	}
	return db.each(func(r *sqlite3.Stmt) error {
		return index(db, r.ColumnInt64(0), r.ColumnText(1))
	}, `SELECT id, text FROM messages WHERE state <> 'writing'`)
}
