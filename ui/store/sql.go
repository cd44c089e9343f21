package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// conn is a connection that keeps its prepared statements. The low-level interface of the driver is used,
// not database/sql: a pool of connections would be a pool of SQLite instances, each with memory of its own.
type conn struct {
	*sqlite3.Conn
	statements map[string]*sqlite3.Stmt
}

// busyTimeout is how long one process waits for another's transaction.
const busyTimeout = 5 * time.Second

// memory is the name of a database that lives as long as its connection.
const memory = ":memory:"

// connect opens or creates the file at path. An existing file is not changed.
func connect(path string) (*conn, error) {
	fresh := true
	if path != memory {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // SQLite would let others read what it creates
		if err != nil {
			return nil, err
		}
		info, err := f.Stat()
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		fresh = info.Size() == 0
	}
	c, err := sqlite3.OpenFlags(path, sqlite3.OPEN_READWRITE|sqlite3.OPEN_CREATE) // not as a URI: a % in a path is a %
	if err != nil {
		return nil, err
	}
	db := &conn{c, map[string]*sqlite3.Stmt{}}
	db.Limit(sqlite3.LIMIT_LENGTH, 2*MaxText)
	_, err = db.Config(sqlite3.DBCONFIG_DEFENSIVE, true)
	if err == nil {
		err = db.BusyTimeout(busyTimeout)
	}
	if err == nil && fresh {
		err = db.Exec(`PRAGMA auto_vacuum = INCREMENTAL`) // later it has no effect, but writes to the file
	}
	if err == nil {
		// The result of journal_mode is not looked at: a file system without shared memory keeps its rollback
		// journal, which is as safe.
		err = db.Exec(`
			PRAGMA journal_mode = WAL;
			PRAGMA synchronous = FULL;
			PRAGMA foreign_keys = ON;
			PRAGMA secure_delete = ON;
			PRAGMA trusted_schema = OFF;
			PRAGMA cell_size_check = ON;
			PRAGMA cache_size = -2048;
			PRAGMA temp_store = MEMORY;
			SELECT count(*) FROM sqlite_schema`)
	}
	if err == nil && path != memory {
		// The last statement has made the journal. Its name must be on flash before anything in it counts, and
		// the driver, which means to see to that, syncs the file in place of the folder.
		_ = os.Chmod(path+"-wal", 0o600)
		_ = os.Chmod(path+"-shm", 0o600)
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return nil, errors.Join(err, db.close())
	}
	return db, nil
}

func (c *conn) close() error {
	if c == nil {
		return nil
	}
	for _, s := range c.statements {
		_ = s.Close() // repeats the error of its last use
	}
	c.statements = nil
	return c.Conn.Close()
}

// abandon closes a connection whose engine panicked, as far as it still lets itself be closed: what matters
// is that its file locks go.
func (c *conn) abandon() {
	defer func() { _ = recover() }()
	_ = c.close()
}

// prepare returns the statement of one query with its parameters set.
func (c *conn) prepare(query string, args []any) (*sqlite3.Stmt, error) {
	s := c.statements[query]
	if s == nil {
		var err error
		if s, _, err = c.PrepareFlags(query, sqlite3.PREPARE_PERSISTENT); err != nil {
			return nil, err
		}
		c.statements[query] = s
	}
	for i, arg := range args {
		var err error
		switch v := arg.(type) {
		case nil:
			err = s.BindNull(i + 1)
		case int:
			err = s.BindInt(i+1, v)
		case int64:
			err = s.BindInt64(i+1, v)
		case float64:
			err = s.BindFloat(i+1, v)
		case string:
			err = s.BindText(i+1, v)
		case time.Time:
			err = s.BindInt64(i+1, stamp(v))
		default:
			err = fmt.Errorf("a parameter of type %T", arg)
		}
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// errEnough ends each without an error.
var errEnough = errors.New("enough rows")

// each calls row for every row of a query. It must not run the same query inside.
func (c *conn) each(row func(r *sqlite3.Stmt) error, query string, args ...any) error {
	s, err := c.prepare(query, args)
	if err != nil {
		return err
	}
	for err == nil && s.Step() {
		err = row(s)
	}
	if err == nil {
		err = s.Err()
	}
	_ = s.Reset()         // repeats the error of Step
	_ = s.ClearBindings() // frees texts
	if err == errEnough {
		return nil
	}
	return err
}

// one is each for a query that has one row; without it the error is ErrNotFound.
func (c *conn) one(row func(r *sqlite3.Stmt), query string, args ...any) error {
	found := false
	err := c.each(func(r *sqlite3.Stmt) error {
		row(r)
		found = true
		return errEnough
	}, query, args...)
	if err == nil && !found {
		return ErrNotFound
	}
	return err
}

// number is one for a query of a single number.
func (c *conn) number(query string, args ...any) (n int64, err error) {
	err = c.one(func(r *sqlite3.Stmt) { n = r.ColumnInt64(0) }, query, args...)
	return n, err
}

// run executes a statement and returns how many rows it changed.
func (c *conn) run(query string, args ...any) (changed int64, err error) {
	err = c.each(func(*sqlite3.Stmt) error { return nil }, query, args...)
	return c.Changes(), err
}

// must is run for a statement that changes a row that should be there.
func (c *conn) must(query string, args ...any) error {
	changed, err := c.run(query, args...)
	if err == nil && changed == 0 {
		return ErrNotFound
	}
	return err
}

// transaction runs f between BEGIN IMMEDIATE and COMMIT. Immediate, because a transaction that reads first
// and writes then fails at once, without waiting, if another process has written in between.
func (c *conn) transaction(f func() error) (err error) {
	tx, err := c.BeginImmediate()
	if err != nil {
		return err
	}
	defer tx.End(&err)
	return f()
}
