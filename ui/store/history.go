package store

import (
	"context"
	"slices"

	"github.com/ncruces/go-sqlite3"
)

// maxInputs is how many inputs are remembered.
const maxInputs = 500

// Remember adds an input to the history, unless it is the same as the last one. The oldest goes.
func (s *Store) Remember(ctx context.Context, text string) error {
	if text = clean(text); text == "" || len(text) > MaxText {
		return nil
	}
	return s.change(ctx, "remember the input", func(db *conn) error {
		if _, err := db.run(`INSERT INTO inputs (text) SELECT ?1
			WHERE ?1 IS NOT (SELECT text FROM inputs ORDER BY id DESC LIMIT 1)`, text); err != nil {
			return err
		}
		_, err := db.run(`DELETE FROM inputs WHERE id <= (SELECT id FROM inputs ORDER BY id DESC LIMIT 1 OFFSET ?)`, maxInputs)
		return err
	})
}

// Inputs returns the last inputs, at most 500, oldest first.
func (s *Store) Inputs(ctx context.Context) (texts []string, err error) {
	err = s.do(ctx, "read the history", func(db *conn) error {
		return db.each(func(r *sqlite3.Stmt) error {
			texts = append(texts, r.ColumnText(0))
			return nil
		}, `SELECT text FROM inputs ORDER BY id DESC LIMIT ?`, maxInputs)
	})
	slices.Reverse(texts)
	return texts, err
}
