// Package store keeps the chats on disk.
//
// The problem: a phone ends programs without a word, and storage wears out. What a person typed must be
// on flash before the answer begins, an answer must survive a kill -9 but for its last second, and no
// fault of a file may lose a chat or keep the program from starting.
//
// The idea: one SQLite database in WAL mode, used through one connection. The messages of a chat form a
// tree: each names the one that it follows. An edited question or a second try is a sibling of the first
// one, so nothing is ever overwritten; the chat remembers at which leaf it stands, and every message
// which of the ones below it was last chosen, so that a branch is found again as it was left. Search
// keeps an index of three-letter groups beside the messages; what matches is decided in Go (search.go).
//
// SQLite is compiled to WebAssembly and runs in wazero: pure Go, also on android/arm64. engine.go tells
// what that costs and how the cost is paid once.
//
// What holds:
//   - When [Store.Ask] returns, the message is synced. [Store.Append] is not: it survives the death of
//     the process, not that of the device, so that streaming costs no fsync a second.
//   - An answer whose writer is gone is [Stopped] when the next store opens. Who is alive is told by
//     file locks, so two processes may share a store (writers.go).
//   - A damaged file is renamed, never deleted or overwritten; before the tables change there is a backup
//     (open.go, schema.go). What the user should know of it is in [Store.Notes].
//   - All methods may be called from any goroutine. Each stops when its context ends and then has
//     changed nothing. Errors are plain sentences.
//
// Use:
//
//	s, err := store.Open(ctx, filepath.Join(dataDir, store.File))
//	chat, err := s.NewChat(ctx, "assistant", "Qwen3-4B")
//	question, err := s.Ask(ctx, chat.ID, 0, "Why is the sky blue?")
//	answer, err := s.Answer(ctx, chat.ID, question.ID, "assistant", "Qwen3-4B")
//	err = s.Append(ctx, answer.ID, "Because", "") // as it streams, at most once a second
//	err = s.Finish(ctx, answer.ID, store.Outcome{State: store.Complete, Tokens: 41})
//	path, err := s.Path(ctx, chat.ID) // what the screen shows
package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// File is the usual name of the database in the folder of Hotcell's data.
const File = "chats.db"

// MaxText is the most bytes that one message may hold.
const MaxText = 8 << 20

// Errors that a caller may want to tell apart; the others are for the user to read.
var (
	ErrNotFound = errors.New("this chat or message is no longer there")
	ErrClosed   = errors.New("the chats are closed")
)

// Store is an open database of chats. Make one with [Open] or [Temporary].
type Store struct {
	path  string
	notes []string
	now   func() time.Time

	turn   chan struct{} // one slot: who has it uses what follows
	db     *conn         // nil after Close, or after SQLite failed in a way that left it in pieces
	writer *writer       // nil in a temporary store
	closed bool
}

// Notes are sentences that the user should see once: that a damaged file was set aside, for example.
func (s *Store) Notes() []string { return s.notes }

// File is the path of the database, or "" if the store is temporary.
func (s *Store) File() string { return s.path }

// Close ends the store. Later calls fail with [ErrClosed]; closing twice is fine.
func (s *Store) Close() error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.db.close()
	s.db = nil
	return errors.Join(err, s.writer.close())
}

// do runs f with the connection, alone. what is said in front of an error: "save the message".
func (s *Store) do(ctx context.Context, what string, f func(db *conn) error) (err error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.turn }()
	if s.closed {
		return ErrClosed
	}
	if err := s.revive(); err != nil {
		return explain(what, err)
	}
	defer func() {
		// Running out of the memory that SQLite may have, or a trap in it, is a panic of the wasm runtime.
		// The instance cannot be trusted after that; its open transaction is undone by the next one.
		if r := recover(); r != nil {
			s.db.abandon()
			s.db = nil
			err = fmt.Errorf("cannot %s: the database engine failed: %v", what, r)
		}
	}()
	s.db.SetInterrupt(ctx)
	err = f(s.db)
	s.db.SetInterrupt(context.Background())
	if ctx.Err() != nil && errors.Is(err, sqlite3.INTERRUPT) {
		return ctx.Err()
	}
	return explain(what, err)
}

// change is do within a transaction that is synced before change returns.
func (s *Store) change(ctx context.Context, what string, f func(db *conn) error) error {
	return s.do(ctx, what, func(db *conn) error {
		return db.transaction(func() error { return f(db) })
	})
}

// revive connects again after a failure that cost the connection.
func (s *Store) revive() (err error) {
	if s.db != nil {
		return nil
	}
	if s.path == "" {
		return errors.New("the chats of this run were lost")
	}
	s.db, err = connect(s.path)
	return err
}

// stamp is a time as the database holds it: milliseconds since 1970, 0 for none.
func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func unstamp(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// explain turns what SQLite says into a plain sentence.
func explain(what string, err error) error {
	if err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if errors.Is(err, sqlite3.CONSTRAINT) { // a parent that is not a message of the chat
		return ErrNotFound
	}
	for _, known := range []struct {
		code  error
		words string
	}{
		{sqlite3.FULL, "the disk is full"},
		{sqlite3.BUSY, "another hotcell is using the chats; try again"},
		{sqlite3.LOCKED, "another hotcell is using the chats; try again"},
		{sqlite3.READONLY, "the file of the chats may not be written"},
		{sqlite3.CORRUPT, "the file of the chats is damaged; restart to set it aside"},
		{sqlite3.NOTADB, "the file of the chats is damaged; restart to set it aside"},
		{sqlite3.CANTOPEN, "the file of the chats cannot be opened"},
		{sqlite3.IOERR, "the disk does not work"},
	} {
		if errors.Is(err, known.code) {
			return fmt.Errorf("cannot %s: %s: %w", what, known.words, err)
		}
	}
	return fmt.Errorf("cannot %s: %w", what, err)
}
