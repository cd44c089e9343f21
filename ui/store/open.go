package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// undoFor is how long a deleted chat can be brought back.
const undoFor = 24 * time.Hour

// Open opens the chats in the file at path and makes what is missing: folder, file, tables. The first call
// of a process takes some 70 ms, the very first on a device some seconds, so call it after the first frame.
//
// Beside the file lie its journal (-wal, -shm), the locks (-lock), the machine code of SQLite (-engine), a
// backup for each change of the tables (.v1-DATE) and what was found damaged (.damaged-DATE).
//
// A damaged file is set aside and a fresh one begun; Notes tells so. A file of a newer Hotcell is an error
// and stays as it is.
func Open(ctx context.Context, path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open the chats: %w", err)
	}
	return open(ctx, path, migrations)
}

// Temporary returns an empty store that is gone when it is closed: for a device where nothing can be written.
func Temporary(ctx context.Context) (*Store, error) {
	prepareEngine("")
	s := newStore("")
	db, err := connect(memory)
	if err == nil {
		s.db = db
		err = s.migrate(migrations)
	}
	if err != nil {
		return nil, explain("keep chats in memory", errors.Join(err, db.close()))
	}
	return s, nil
}

func newStore(path string) *Store {
	return &Store{path: path, now: time.Now, turn: make(chan struct{}, 1)}
}

func open(ctx context.Context, path string, to []string) (s *Store, err error) {
	what := "open the chats in " + path
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, explain(what, err)
	}
	prepareEngine(path + "-engine")
	s = newStore(path)
	if s.writer, err = openWriter(path + "-lock"); err != nil {
		return nil, explain(what, err)
	}
	defer func() {
		if err != nil {
			_ = s.Close()
			s, err = nil, explain(what, err)
		}
	}()
	err = s.writer.opening(ctx, func() error {
		if err := s.writer.take(); err != nil {
			return err
		}
		err := s.load(ctx, to)
		if !damaged(err) {
			return err
		}
		aside, moved := setAside(path, s.now())
		if moved != nil {
			return fmt.Errorf("the file is damaged (%v) and cannot be renamed: %w", err, moved)
		}
		s.notes = append(s.notes, fmt.Sprintf("The file of the chats was damaged. It was kept as %s, and a new one was begun.", filepath.Base(aside)))
		return s.load(ctx, to)
	})
	return s, err
}

// load connects, checks, migrates and tidies up. If it fails there is no connection.
func (s *Store) load(ctx context.Context, to []string) (err error) {
	defer func() {
		if r := recover(); r != nil { // not a sign of damage: it may be the device that has no memory
			s.db.abandon()
			s.db, err = nil, fmt.Errorf("the database engine failed: %v", r)
		}
	}()
	if s.db, err = connect(s.path); err != nil {
		return err
	}
	s.db.SetInterrupt(ctx)
	for _, step := range []func() error{
		s.check,
		func() error { return s.migrate(to) },
		s.stopOrphans,
		s.purge,
	} {
		if err := step(); err != nil {
			return errors.Join(err, s.disconnect())
		}
	}
	s.db.SetInterrupt(context.Background())
	return nil
}

func (s *Store) disconnect() error {
	err := s.db.close()
	s.db = nil
	return err
}

// check reads the whole file. A damaged search index alone costs no chat: it is made anew.
func (s *Store) check() error {
	id, err := s.db.number(`PRAGMA application_id`)
	if err != nil {
		return err
	}
	tables, err := s.db.number(`SELECT count(*) FROM sqlite_schema`)
	if err != nil {
		return err
	}
	code, err := s.db.number(`SELECT count(*) FROM sqlite_schema WHERE type IN ('trigger', 'view')`)
	if err != nil {
		return err
	}
	if tables > 0 && id != applicationID || code > 0 { // ours has no code in it that others could have written
		return errors.New("it is a database of another program")
	}
	trouble, err := quickCheck(s.db)
	if err != nil || trouble == "" {
		return err
	}
	if indexTrouble(trouble) && s.db.transaction(func() error { return repairIndex(s.db) }) == nil {
		s.notes = append(s.notes, "The search index of the chats was damaged and was made anew.")
		return nil
	}
	return fmt.Errorf("%w: %s", sqlite3.CORRUPT, trouble)
}

// quickCheck returns the first thing that is wrong with the file, or "".
func quickCheck(db *conn) (trouble string, err error) {
	err = db.one(func(r *sqlite3.Stmt) { trouble = r.ColumnText(0) }, `PRAGMA quick_check(1)`)
	if trouble == "ok" {
		trouble = ""
	}
	return trouble, err
}

// repairIndex makes the search index anew. It fails, and changes nothing, if more is wrong than the index.
func repairIndex(db *conn) error {
	if err := reindex(db); err != nil {
		return err
	}
	trouble, err := quickCheck(db)
	if err == nil && trouble != "" {
		err = errors.New(trouble)
	}
	return err
}

func damaged(err error) bool {
	return errors.Is(err, sqlite3.CORRUPT) || errors.Is(err, sqlite3.NOTADB)
}

// setAside renames the database and its journal, which belong together.
func setAside(path string, now time.Time) (aside string, err error) {
	aside = freeName(path + ".damaged-" + now.Format("20060102-150405"))
	for _, tail := range []string{"-wal", "-shm", ""} { // the database last: a crash in between leaves it recognisably damaged
		if err := os.Rename(path+tail, aside+tail); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	return aside, syncFolder(filepath.Dir(path))
}

// freeName is name, or name with a number if there is such a file already.
func freeName(name string) string {
	free := name
	for n := 2; ; n++ {
		if _, err := os.Lstat(free); errors.Is(err, os.ErrNotExist) {
			return free
		}
		free = fmt.Sprintf("%s-%d", name, n)
	}
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// migrate brings the tables to the newest version. Before it changes tables that hold something it makes a
// backup.
func (s *Store) migrate(to []string) error {
	version, err := s.db.number(`PRAGMA user_version`)
	if err != nil {
		return err
	}
	if version > int64(len(to)) {
		return fmt.Errorf("it was written by a newer hotcell (version %d of the tables, this one knows %d); update hotcell or use another --data-dir", version, len(to))
	}
	if version == int64(len(to)) {
		return nil
	}
	if version > 0 {
		if err := s.backup(version); err != nil {
			return fmt.Errorf("make a backup before the tables change: %w", err)
		}
	}
	return s.db.transaction(func() error {
		for ; version < int64(len(to)); version++ {
			if err := s.db.Exec(to[version]); err != nil {
				return fmt.Errorf("change the tables to version %d: %w", version+1, err)
			}
		}
		return s.db.Exec(fmt.Sprintf(`PRAGMA application_id = %d; PRAGMA user_version = %d`, applicationID, version))
	})
}

// backup copies the database, journal included, to a file that is complete when it has its name.
func (s *Store) backup(version int64) error {
	if s.path == "" {
		return nil
	}
	name := freeName(fmt.Sprintf("%s.v%d-%s", s.path, version, s.now().Format("20060102-150405")))
	part := name + ".part"
	defer os.Remove(part)
	if _, err := s.db.run(`VACUUM INTO ?`, part); err != nil {
		return err
	}
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o600), f.Sync(), f.Close(), os.Rename(part, name)); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(name))
}

// stopOrphans ends the answers whose writers are gone.
func (s *Store) stopOrphans() error {
	var orphans []int64
	err := s.db.each(func(r *sqlite3.Stmt) error {
		if !s.writer.alive(r.ColumnInt(1)) {
			orphans = append(orphans, r.ColumnInt64(0))
		}
		return nil
	}, `SELECT id, writer FROM messages WHERE state = 'writing'`)
	if err != nil || len(orphans) == 0 {
		return err
	}
	return s.db.transaction(func() error {
		for _, id := range orphans {
			if err := s.finish(id, Outcome{State: Stopped, Ending: "Hotcell ended while this was being written."}); err != nil {
				return err
			}
		}
		return nil
	})
}

// purge deletes for good what was deleted long ago.
func (s *Store) purge() error {
	var gone []int64
	err := s.db.each(func(r *sqlite3.Stmt) error {
		gone = append(gone, r.ColumnInt64(0))
		return nil
	}, `SELECT id FROM chats WHERE deleted BETWEEN 1 AND ?`, s.now().Add(-undoFor))
	if err != nil || len(gone) == 0 {
		return err
	}
	err = s.db.transaction(func() error {
		for _, chat := range gone {
			if _, err := s.db.run(`DELETE FROM search WHERE rowid IN (SELECT id FROM messages WHERE chat = ?)`, chat); err != nil {
				return err
			}
			if _, err := s.db.run(`DELETE FROM chats WHERE id = ?`, chat); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		_, err = s.db.run(`PRAGMA incremental_vacuum`)
	}
	return err
}
