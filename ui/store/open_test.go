package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// template is the file of a store with some chats, made once.
var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "hotcell-store-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	ctx, path := context.Background(), filepath.Join(dir, File)
	s, err := Open(ctx, path)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, "fill the store", func(db *conn) error {
		for chat := range 20 {
			if _, err := db.run(`INSERT INTO chats (title, role, model, created, updated, leaf) VALUES ('chat', '', '', 1, 1, ?)`, 10*chat+10); err != nil {
				return err
			}
			for i := range 10 {
				var parent any
				text := strings.Repeat("an answer with some words ", 20)
				if i > 0 {
					parent = 10*chat + i
				}
				if i%2 == 0 {
					text = fmt.Sprintf("question %d of chat %d", i/2, chat)
				}
				if _, err := db.run(`INSERT INTO messages (chat, parent, speaker, text, state, created) VALUES (?, ?, 'user', ?, 'complete', 1)`, chat+1, parent, text); err != nil {
					return err
				}
				if err := index(db, db.LastInsertRowID(), text); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err = errors.Join(err, s.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// filled returns the file of a store of its own, with 20 chats of 10 messages.
func filled(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), File)
	ok(t, os.WriteFile(path, must[[]byte](t)(template()), 0o600))
	return path
}

// others lists the files beside path whose names go on with tail.
func others(t testing.TB, path, tail string) []string {
	t.Helper()
	return must[[]string](t)(filepath.Glob(path + tail))
}

func TestADamagedFileIsSetAside(t *testing.T) {
	for _, test := range []struct {
		name   string
		damage func(data []byte) []byte
	}{
		{"another file", func([]byte) []byte { return []byte(strings.Repeat("this is no database\n", 500)) }},
		{"a short file", func([]byte) []byte { return []byte("hello") }},
		{"the end is missing", func(d []byte) []byte { return d[:len(d)/2] }},
		{"pages of zeros", func(d []byte) []byte {
			for i := range d[4096 : len(d)-4096] {
				d[4096+i] = 0
			}
			return d
		}},
		{"pages of noise", func(d []byte) []byte {
			r := rand.New(rand.NewPCG(1, 2))
			for i := range d[8192 : len(d)/2] {
				d[8192+i] = byte(r.Uint32())
			}
			return d
		}},
		{"a damaged schema", func(d []byte) []byte {
			for i := range 3000 {
				d[1000+i] ^= 0x55
			}
			return d
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filled(t)
			bad := test.damage(must[[]byte](t)(os.ReadFile(path)))
			ok(t, os.WriteFile(path, bad, 0o600))
			s := openTestStore(t, path)
			aside := slices.DeleteFunc(others(t, path, ".damaged-*"), func(name string) bool {
				return strings.HasSuffix(name, "-wal") || strings.HasSuffix(name, "-shm")
			})
			if len(aside) != 1 || len(s.Notes()) != 1 || !strings.Contains(s.Notes()[0], filepath.Base(aside[0])) {
				t.Fatalf("set aside are %q, the notes are %q", aside, s.Notes())
			}
			if got := must[[]byte](t)(os.ReadFile(aside[0])); string(got) != string(bad) {
				t.Error("what was set aside is not what was there")
			}
			c := must[Chat](t)(s.NewChat(t.Context(), "", ""))
			say(t, s, c.ID, 0, "new", "life")
			ok(t, s.Close())
			if s := openTestStore(t, path); len(s.Notes()) != 0 || len(must[[]Listed](t)(s.Recent(t.Context(), 9, 0))) != 1 {
				t.Errorf("the fresh file is not kept: %q", s.Notes())
			}
		})
	}
}

func TestOneWrongByteNeverStopsTheProgram(t *testing.T) {
	path := filled(t)
	good := must[[]byte](t)(os.ReadFile(path))
	r := rand.New(rand.NewPCG(3, 4))
	for range 40 {
		bad := slices.Clone(good)
		at := r.IntN(len(bad))
		if r.IntN(3) == 0 {
			at = r.IntN(200) // the header decides more than the rest
		}
		bad[at] ^= byte(1 + r.IntN(255))
		dir := t.TempDir()
		path := filepath.Join(dir, File)
		ok(t, os.WriteFile(path, bad, 0o600))
		s, err := Open(t.Context(), path)
		if err != nil {
			if got := must[[]byte](t)(os.ReadFile(path)); string(got) != string(bad) {
				t.Errorf("byte %d: the file was refused (%v) and changed", at, err)
			}
			continue
		}
		list, err := s.Recent(t.Context(), 100, 0)
		for _, c := range list {
			_, _ = s.Path(t.Context(), c.ID)
		}
		_, _ = s.Search(t.Context(), "answer question", 10)
		_, _ = s.NewChat(t.Context(), "", "")
		if len(list) == 0 && err == nil && len(s.Notes()) == 0 {
			t.Errorf("byte %d: all chats are gone and nothing is said", at)
		}
		_ = s.Close()
	}
}

func TestADamagedSearchIndexIsMadeAnew(t *testing.T) {
	for name, damage := range map[string]string{
		"emptied":     `DELETE FROM search_data WHERE id > 10`,
		"overwritten": `UPDATE search_data SET block = zeroblob(100) WHERE id > 10`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t)
			db := must[*conn](t)(connect(path))
			must[bool](t)(db.Config(sqlite3.DBCONFIG_DEFENSIVE, false))
			ok(t, db.Exec(damage))
			ok(t, db.close())
			s := openTestStore(t, path)
			if len(s.Notes()) != 1 || !strings.Contains(s.Notes()[0], "search index") {
				t.Errorf("the notes are %q", s.Notes())
			}
			if hits := must[[]Hit](t)(s.Search(t.Context(), "question 3 of chat 17", 5)); len(hits) != 1 {
				t.Errorf("found are %v", hits)
			}
		})
	}
}

func TestTheTablesAreChangedAfterABackup(t *testing.T) {
	path := filled(t)
	next := append(slices.Clone(migrations), `ALTER TABLE chats ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0`, `UPDATE chats SET pinned = 1 WHERE id = 3`)
	s := must[*Store](t)(open(t.Context(), path, next))
	if n := must[int64](t)(s.db.number(`SELECT count(*) FROM chats WHERE pinned`)); n != 1 {
		t.Errorf("%d chats are pinned", n)
	}
	say(t, s, 3, 0, "after", "the change")
	ok(t, s.Close())
	backups := others(t, path, ".v1-*")
	if len(backups) != 1 {
		t.Fatalf("the backups are %q", backups)
	}
	if info := must[fs.FileInfo](t)(os.Stat(backups[0])); info.Mode().Perm() != 0o600 {
		t.Errorf("the backup has the mode %v", info.Mode())
	}
	copied := filepath.Join(t.TempDir(), File)
	ok(t, os.WriteFile(copied, must[[]byte](t)(os.ReadFile(backups[0])), 0o600))
	old := openTestStore(t, copied)
	if len(old.Notes()) != 0 || len(must[[]Listed](t)(old.Recent(t.Context(), 99, 0))) != 20 || len(must[[]Message](t)(old.Path(t.Context(), 3))) != 10 {
		t.Error("the backup is not whole")
	}

	// A second opening changes nothing.
	s = must[*Store](t)(open(t.Context(), path, next))
	ok(t, s.Close())
	if n := len(others(t, path, ".v1-*")); n != 1 {
		t.Errorf("%d backups", n)
	}

	// And this program, which knows only version 1, leaves the file alone.
	before := must[[]byte](t)(os.ReadFile(path))
	_, err := Open(t.Context(), path)
	if err == nil || !strings.Contains(err.Error(), "written by a newer hotcell (version 3 of the tables, this one knows 1)") {
		t.Errorf("a newer file: %v", err)
	}
	if after := must[[]byte](t)(os.ReadFile(path)); string(after) != string(before) {
		t.Error("a newer file was changed")
	}
}

func TestAChangeOfTheTablesThatFailsLeavesThemAsTheyWere(t *testing.T) {
	path := filled(t)
	_, err := open(t.Context(), path, append(slices.Clone(migrations), `ALTER TABLE chats ADD COLUMN pinned INTEGER; SELECT nonsense`))
	if err == nil || !strings.Contains(err.Error(), "change the tables to version 2") {
		t.Fatal(err)
	}
	s := openTestStore(t, path)
	if len(s.Notes()) != 0 || len(must[[]Listed](t)(s.Recent(t.Context(), 99, 0))) != 20 {
		t.Error("the chats are not as they were")
	}
}

func TestWhatIsNotOursIsRefusedAndKept(t *testing.T) {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "foreign.db")
	c := must[*sqlite3.Conn](t)(sqlite3.Open(foreign))
	ok(t, c.Exec(`CREATE TABLE bookmarks (url TEXT)`))
	ok(t, c.Close())
	trap := filled(t)
	db := must[*conn](t)(connect(trap))
	ok(t, db.Exec(`CREATE TRIGGER trap AFTER INSERT ON messages BEGIN DELETE FROM chats; END`))
	ok(t, db.close())
	folder := filepath.Join(dir, "folder.db")
	ok(t, os.Mkdir(folder, 0o700))
	blocked := filepath.Join(foreign, File)
	for path, want := range map[string]string{
		foreign: "it is a database of another program",
		trap:    "it is a database of another program",
		folder:  "is a directory",
		blocked: "not a directory",
	} {
		if _, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	if found := others(t, foreign, ".*"); len(found) != 0 {
		t.Errorf("set aside: %q", found)
	}
}

func TestTheFilesArePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", File)
	s := openTestStore(t, path)
	c := must[Chat](t)(s.NewChat(t.Context(), "", ""))
	say(t, s, c.ID, 0, "q", "a")
	for _, file := range append(others(t, path, "*"), filepath.Dir(path)) {
		if info := must[fs.FileInfo](t)(os.Stat(file)); info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v", filepath.Base(file), info.Mode())
		}
	}
}

func TestAStoreInMemoryWorksTheSame(t *testing.T) {
	s := must[*Store](t)(Temporary(t.Context()))
	c := must[Chat](t)(s.NewChat(t.Context(), "", ""))
	say(t, s, c.ID, 0, "why", "because")
	if p := must[[]Message](t)(s.Path(t.Context(), c.ID)); texts(p) != "why | because" || s.File() != "" {
		t.Error(texts(p))
	}
	if hits := must[[]Hit](t)(s.Search(t.Context(), "because", 5)); len(hits) != 1 {
		t.Error(hits)
	}
	ok(t, s.Close())
}

func TestTwoStoresShareAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), File)
	var stores [2]*Store
	for i := range stores {
		stores[i] = openTestStore(t, path)
	}
	const each = 30
	var wait sync.WaitGroup
	for i, s := range stores {
		for range 2 { // and two goroutines share a store
			wait.Go(func() {
				ctx := t.Context()
				c, err := s.NewChat(ctx, "", "")
				var parent int64
				for k := 0; err == nil && k < each; k++ {
					var q, a Message
					if q, err = s.Ask(ctx, c.ID, parent, fmt.Sprintf("store %d asks %d", i, k)); err != nil {
						break
					}
					if a, err = s.Answer(ctx, c.ID, q.ID, "", ""); err != nil {
						break
					}
					if err = s.Append(ctx, a.ID, "yes", ""); err != nil {
						break
					}
					if err = s.Finish(ctx, a.ID, Outcome{State: Complete}); err != nil {
						break
					}
					if _, err = s.Recent(ctx, 10, 0); err != nil {
						break
					}
					parent = a.ID
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wait.Wait()
	for _, s := range stores {
		list := must[[]Listed](t)(s.Recent(t.Context(), 10, 0))
		if len(list) != 4 {
			t.Fatalf("%d chats", len(list))
		}
		for _, c := range list {
			if c.Messages != 2*each || len(must[[]Message](t)(s.Path(t.Context(), c.ID))) != 2*each {
				t.Errorf("%d messages", c.Messages)
			}
		}
		if hits := must[[]Hit](t)(s.Search(t.Context(), "asks 29", 10)); len(hits) != 4 {
			t.Errorf("%d hits", len(hits))
		}
	}
}

func TestManyStoresOpenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), File)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			s, err := Open(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			_, err = s.NewChat(t.Context(), "", "")
			if err = errors.Join(err, s.Close()); err != nil || len(s.Notes()) != 0 {
				t.Error(err, s.Notes())
			}
		})
	}
	wait.Wait()
}

func TestAnAnswerIsStoppedOnlyWhenItsWriterIsGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), File)
	ctx := t.Context()
	first := openTestStore(t, path)
	c := must[Chat](t)(first.NewChat(ctx, "", ""))
	q := must[Message](t)(first.Ask(ctx, c.ID, 0, "q"))
	a := must[Message](t)(first.Answer(ctx, c.ID, q.ID, "", ""))
	ok(t, first.Append(ctx, a.ID, "half", ""))
	second := openTestStore(t, path)
	if m := must[Message](t)(second.Message(ctx, a.ID)); m.State != Writing {
		t.Errorf("the writer is alive and the answer is %s", m.State)
	}
	ok(t, second.Close())
	ok(t, first.Close())
	third := openTestStore(t, path)
	if m := must[Message](t)(third.Message(ctx, a.ID)); m.State != Stopped || m.Text != "half" {
		t.Errorf("the writer is gone and the answer is %s, %q", m.State, m.Text)
	}
}

func TestChatsDeletedLongAgoArePurged(t *testing.T) {
	path := filled(t)
	s := openTestStore(t, path)
	s.now = func() time.Time { return time.Now().Add(-undoFor - time.Minute) }
	ok(t, s.Delete(t.Context(), 3))
	s.now = time.Now
	ok(t, s.Delete(t.Context(), 4))
	if hits := must[[]Hit](t)(s.Search(t.Context(), `"of chat 2"`, 99)); len(hits) != 0 {
		t.Errorf("a deleted chat is found: %v", hits)
	}
	ok(t, s.Close())
	s = openTestStore(t, path)
	if err := s.Undelete(t.Context(), 3); !errors.Is(err, ErrNotFound) {
		t.Errorf("the chat that was deleted long ago: %v", err)
	}
	ok(t, s.Undelete(t.Context(), 4))
	if n := must[int64](t)(s.db.number(`SELECT count(*) FROM messages WHERE chat = 3`)); n != 0 {
		t.Errorf("%d messages are left", n)
	}
	if n := len(must[[]Listed](t)(s.Recent(t.Context(), 99, 0))); n != 19 {
		t.Errorf("%d chats are left", n)
	}
	if trouble := must[string](t)(quickCheck(s.db)); trouble != "" {
		t.Error(trouble)
	}
}

// The files are copied while a store writes: what a device that is cut off leaves behind.
func TestACopyTakenAtAnyMomentOpens(t *testing.T) {
	path := filepath.Join(t.TempDir(), File)
	s := openTestStore(t, path)
	c := must[Chat](t)(s.NewChat(t.Context(), "", ""))
	parent := int64(0)
	for i := range 12 {
		_, parent = say(t, s, c.ID, parent, fmt.Sprintf("question %d", i), strings.Repeat("text ", 500))
		// The journal may end anywhere: a power cut keeps what was synced and any part of the rest.
		copied := filepath.Join(t.TempDir(), File)
		data := must[[]byte](t)(os.ReadFile(path))
		ok(t, os.WriteFile(copied, data, 0o600))
		wal := must[[]byte](t)(os.ReadFile(path + "-wal"))
		ok(t, os.WriteFile(copied+"-wal", wal[:len(wal)-i*37%min(len(wal), 3000)], 0o600))
		other := openTestStore(t, copied)
		if len(other.Notes()) != 0 {
			t.Fatalf("copy %d: %q", i, other.Notes())
		}
		p := must[[]Message](t)(other.Path(t.Context(), c.ID))
		if len(p) < 2*i {
			t.Errorf("copy %d has %d messages", i, len(p))
		}
	}
}

func TestDamagedMachineCodeIsMadeAnew(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "engine")
	ok(t, os.CopyFS(folder, os.DirFS(engineFolder)))
	ok(t, os.Chmod(folder, 0o700))
	files := cachedFiles(folder)
	if len(files) != 1 {
		t.Fatalf("the files are %q", files)
	}
	ok(t, os.Truncate(files[0], 100000))
	if openCache(folder) == nil {
		t.Error("there is no cache")
	}
	if info := must[fs.FileInfo](t)(os.Stat(files[0])); info.Size() < 1<<20 {
		t.Error("the file was not made anew")
	}
	ok(t, os.Chmod(folder, 0o777))
	if openCache(folder) != nil {
		t.Error("machine code is taken from where everybody may put it")
	}
}

func TestMachineCodeOfAnOlderVersionGoes(t *testing.T) {
	for _, test := range []struct {
		name          string
		before, after []string
		want          []string
	}{
		{"nothing was there", nil, []string{"a"}, nil},
		{"it was used", []string{"a", "b"}, []string{"a", "b"}, nil},
		{"a new one was made", []string{"a"}, []string{"a", "b"}, []string{"a"}},
	} {
		if got := outdated(test.before, test.after); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q goes, want %q", test.name, got, test.want)
		}
	}
}

func TestAStoreSurvivesAFailureOfTheEngine(t *testing.T) {
	s := openTestStore(t, filled(t))
	err := s.change(t.Context(), "try", func(db *conn) error {
		if _, err := db.run(`DELETE FROM messages WHERE id > 100`); err != nil {
			return err
		}
		panic("out of memory")
	})
	if err == nil || err.Error() != "cannot try: the database engine failed: out of memory" {
		t.Error(err)
	}
	if p := must[[]Message](t)(s.Path(t.Context(), 20)); len(p) != 10 {
		t.Errorf("%d messages are left", len(p))
	}
	say(t, s, 20, 0, "and it", "goes on")
}
