package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"
)

func TestBranchesAreKeptAndFoundAgainAsTheyWereLeft(t *testing.T) {
	s := newTestStore(t)
	ctx := t.Context()
	c := must[Chat](t)(s.NewChat(ctx, "", ""))
	path := func() string { return texts(must[[]Message](t)(s.Path(ctx, c.ID))) }
	expect := func(what, want string) {
		t.Helper()
		if got := path(); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	q1, a1 := say(t, s, c.ID, 0, "q1", "a1")
	q2, a2 := say(t, s, c.ID, a1, "q2", "a2")
	expect("a chat", "q1 | a1 | q2 | a2")

	// A second try is a sibling of the answer.
	retry := must[Message](t)(s.Answer(ctx, c.ID, q2, "", ""))
	ok(t, s.Append(ctx, retry.ID, "a2'", ""))
	if retry.Place != 2 || retry.Places != 2 {
		t.Errorf("the second try is %d of %d", retry.Place, retry.Places)
	}
	ok(t, s.Finish(ctx, retry.ID, Outcome{State: Complete}))
	expect("after a second try", "q1 | a1 | q2 | a2'")

	// An edited question is a sibling of the question.
	e2, _ := say(t, s, c.ID, a1, "edited q2", "its answer")
	expect("after an edit", "q1 | a1 | edited q2 | its answer")
	e1, _ := say(t, s, c.ID, 0, "edited q1", "another answer")
	expect("after an edit of the first question", "edited q1 | another answer")

	p := must[[]Message](t)(s.Choose(ctx, q1))
	if got := texts(p); got != "q1 | a1 | edited q2 | its answer" || got != path() {
		t.Errorf("back on the first branch: %s, and on disk %s", got, path())
	}
	if m := p[2]; m.ID != e2 || m.Place != 2 || m.Places != 2 || p[0].Place != 1 || p[0].Places != 2 || p[1].Places != 1 {
		t.Errorf("the places are %+v", p)
	}
	must[[]Message](t)(s.Choose(ctx, a2))
	expect("the first try", "q1 | a1 | q2 | a2")
	must[[]Message](t)(s.Choose(ctx, e1))
	must[[]Message](t)(s.Choose(ctx, q1))
	expect("the first try, found again", "q1 | a1 | q2 | a2")

	if got := texts(must[[]Message](t)(s.Siblings(ctx, e2))); got != "q2 | edited q2" {
		t.Errorf("the siblings are %s", got)
	}
	if got := texts(must[[]Message](t)(s.Children(ctx, c.ID, 0))); got != "q1 | edited q1" {
		t.Errorf("the first questions are %s", got)
	}
	if got := texts(must[[]Message](t)(s.Children(ctx, c.ID, q2))); got != "a2 | a2'" {
		t.Errorf("the answers are %s", got)
	}
}

func TestTheListIsByTheLastUse(t *testing.T) {
	s := newTestStore(t)
	ctx := t.Context()
	now := time.Now()
	s.now = func() time.Time { now = now.Add(time.Second); return now }
	for _, q := range []string{"one", "two", "three"} {
		c := must[Chat](t)(s.NewChat(ctx, "", ""))
		say(t, s, c.ID, 0, q, "answer to "+q)
	}
	titles := func(limit, skip int) string {
		var all []string
		for _, c := range must[[]Listed](t)(s.Recent(ctx, limit, skip)) {
			all = append(all, c.Title)
		}
		return strings.Join(all, " ")
	}
	must[Message](t)(s.Ask(ctx, 1, 2, "again"))
	ok(t, s.Rename(ctx, 2, "  a\nnew\x1b name "))
	ok(t, s.Use(ctx, 2, "coder", "Qwen"))
	if got := titles(9, 0); got != "one three a new name" {
		t.Errorf("the list is %s", got)
	}
	if got := titles(1, 1); got != "three" {
		t.Errorf("the second page is %s", got)
	}
	if c := must[Chat](t)(s.Chat(ctx, 2)); c.Role != "coder" || c.Model != "Qwen" {
		t.Errorf("the chat is %+v", c)
	}
	ok(t, s.Rename(ctx, 2, " "))
	if c := must[Chat](t)(s.Chat(ctx, 2)); c.Title != "two" {
		t.Errorf("without a name it is %q", c.Title)
	}
	ok(t, s.Delete(ctx, 2))
	if got := titles(9, 0); got != "one three" {
		t.Errorf("after Delete the list is %s", got)
	}
	if err := second(s.Chat(ctx, 2)); err != ErrNotFound {
		t.Error(err)
	}
	if err := second(s.Ask(ctx, 2, 0, "x")); err != ErrNotFound {
		t.Error(err)
	}
	ok(t, s.Undelete(ctx, 2))
	if got := titles(9, 0); got != "one three two" {
		t.Errorf("after Undelete the list is %s", got)
	}
	long := must[Chat](t)(s.NewChat(ctx, "", ""))
	say(t, s, long.ID, 0, strings.Repeat("漢字 ", 100), strings.Repeat("x", 10000))
	if l := must[[]Listed](t)(s.Recent(ctx, 1, 0))[0]; len([]rune(l.Title)) != titleRunes || len([]rune(l.Preview)) != previewRunes {
		t.Errorf("a long title has %d characters, a long preview %d", len([]rune(l.Title)), len([]rune(l.Preview)))
	}
}

func TestTheLastInputsAreRemembered(t *testing.T) {
	s := newTestStore(t)
	ctx := t.Context()
	for i := range maxInputs + 20 {
		ok(t, s.Remember(ctx, fmt.Sprintf("input %d", i)))
	}
	ok(t, s.Remember(ctx, "last"))
	ok(t, s.Remember(ctx, "last"))
	ok(t, s.Remember(ctx, ""))
	got := must[[]string](t)(s.Inputs(ctx))
	if len(got) != maxInputs || got[0] != "input 21" || got[maxInputs-1] != "last" || got[maxInputs-2] != "input 519" {
		t.Errorf("%d inputs, from %q to %q", len(got), got[0], got[len(got)-1])
	}
}

// exported is a chat with everything that an export can show.
func exported(t *testing.T) (*Store, int64) {
	s := newTestStore(t)
	ctx := t.Context()
	now := time.Date(2026, 11, 21, 12, 3, 0, 0, time.Local)
	s.now = func() time.Time { now = now.Add(time.Second); return now }
	c := must[Chat](t)(s.NewChat(ctx, "Coder", "Qwen3-4B"))
	q := must[Message](t)(s.Ask(ctx, c.ID, 0, "Why does <b> \"leak\"?\n\n- item"))
	a := must[Message](t)(s.Answer(ctx, c.ID, q.ID, "Coder", "Qwen3-4B"))
	ok(t, s.Append(ctx, a.ID, "Because:\n\n```go\nx := 1", "Let me see.\n"))
	ok(t, s.Finish(ctx, a.ID, Outcome{State: Stopped, Notice: "The context is full.", Ending: "stopped", PromptTokens: 12, Tokens: 9, Rate: 6.75, FirstText: 1600 * time.Millisecond}))
	say(t, s, c.ID, a.ID, "go on", "```\nend\n```\n")
	must[Message](t)(s.Ask(ctx, c.ID, 0, "another branch"))
	must[[]Message](t)(s.Choose(ctx, q.ID))
	return s, c.ID
}

func TestAChatIsExportedAsMarkdown(t *testing.T) {
	s, id := exported(t)
	var b bytes.Buffer
	ok(t, s.Export(t.Context(), &b, id, Markdown))
	golden.RequireEqual(t, b.Bytes())
}

func TestAChatIsExportedAsJSON(t *testing.T) {
	s, id := exported(t)
	var b bytes.Buffer
	ok(t, s.Export(t.Context(), &b, id, JSON))
	golden.RequireEqual(t, bytes.ReplaceAll(b.Bytes(), []byte(s.now().Format("Z07:00")), []byte("Z")))
	var back struct {
		Chat     Chat
		Messages []Message
	}
	ok(t, json.Unmarshal(b.Bytes(), &back))
	if len(back.Messages) != 5 || back.Messages[1].Thought != "Let me see.\n" || back.Messages[1].Rate != 6.75 || back.Chat.ID != id {
		t.Errorf("read again it is %+v", back)
	}
}

func TestAnExportedFileHasAHarmlessNameOfItsOwn(t *testing.T) {
	s := newTestStore(t)
	ctx, dir := t.Context(), t.TempDir()
	for title, want := range map[string]string{
		"Why? ../../etc/passwd": "why-etc-passwd.md",
		"\x1b[31mred":           "31mred.md",
		"...":                   "chat.md",
		"漢字 Ünï":                "漢字-ünï.md",
		"CON":                   "con.md",
	} {
		c := must[Chat](t)(s.NewChat(ctx, "", ""))
		say(t, s, c.ID, 0, title, "x")
		if got := must[string](t)(s.Save(ctx, dir, c.ID, Markdown)); got != filepath.Join(dir, want) {
			t.Errorf("%q was saved as %s", title, got)
		}
		again := must[string](t)(s.Save(ctx, dir, c.ID, Markdown))
		if again != filepath.Join(dir, strings.TrimSuffix(want, ".md")+"-2.md") {
			t.Errorf("a second time as %s", again)
		}
		if data := must[[]byte](t)(os.ReadFile(again)); !bytes.Contains(data, []byte("\nx\n")) {
			t.Errorf("in it is %q", data)
		}
	}
	if _, err := s.Save(ctx, dir, 1, "pdf"); err == nil {
		t.Error("a format that does not exist")
	}
	if _, err := s.Save(ctx, filepath.Join(dir, "none"), 1, JSON); err == nil {
		t.Error("a folder that does not exist")
	}
	if entries := must[[]os.DirEntry](t)(os.ReadDir(dir)); len(entries) != 10 {
		t.Errorf("%d files", len(entries))
	}
}

// A chat of 10 000 messages is used. The times are printed for people; a test never fails on time.
func TestABigChatIsRead(t *testing.T) {
	s := newTestStore(t)
	ctx := t.Context()
	c := must[Chat](t)(s.NewChat(ctx, "", ""))
	start := time.Now()
	took := func(what string) {
		t.Logf("%-30s %v", what, time.Since(start).Round(10*time.Microsecond))
		start = time.Now()
	}
	const n = 10000
	ok(t, s.change(ctx, "fill the chat", func(db *conn) error {
		var parent any
		for i := range n {
			text := fmt.Sprintf("message %d: %s", i, strings.Repeat("some words of a long talk ", 20))
			if _, err := db.run(`INSERT INTO messages (chat, parent, speaker, text, state, created) VALUES (?, ?, 'user', ?, 'complete', 1)`, c.ID, parent, text); err != nil {
				return err
			}
			if err := index(db, db.LastInsertRowID(), text); err != nil {
				return err
			}
			parent = db.LastInsertRowID()
		}
		return stand(db, c.ID, 0, db.LastInsertRowID())
	}))
	took("write")
	if p := must[[]Message](t)(s.Path(ctx, c.ID)); len(p) != n {
		t.Errorf("%d messages", len(p))
	}
	took("path")
	must[[]Message](t)(s.Choose(ctx, 1))
	took("choose the first")
	if l := must[[]Listed](t)(s.Recent(ctx, 50, 0)); l[0].Messages != n {
		t.Errorf("%d messages", l[0].Messages)
	}
	took("list")
	for query, want := range map[string]int{"message 7777:": 1, "words": 50, "zz": 0, "e 98": 50, "nothing of the kind": 0} {
		if hits := must[[]Hit](t)(s.Search(ctx, `"`+query+`"`, 50)); len(hits) != want {
			t.Errorf("%d hits for %q", len(hits), query)
		}
		took("search " + query)
	}
	a := must[Message](t)(s.Answer(ctx, c.ID, n, "", ""))
	took("begin an answer")
	for range 20 {
		ok(t, s.Append(ctx, a.ID, "a second of text, which is some ten words", ""))
	}
	took("20 appends")
	ok(t, s.Finish(ctx, a.ID, Outcome{State: Complete}))
	took("finish")
	var b bytes.Buffer
	ok(t, s.Export(ctx, &b, c.ID, Markdown))
	took("export")
	path := s.File()
	ok(t, s.Close())
	took("close")
	openTestStore(t, path)
	took("open with check")
}

func TestACallThatIsCancelledGivesTheStoreBack(t *testing.T) {
	s := openTestStore(t, filled(t))
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*200*time.Microsecond)
			defer cancel()
			for ctx.Err() == nil {
				if _, err := s.Search(ctx, "an answer zz", 5); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
				if err := s.Rename(ctx, 1, "x"); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	ok(t, s.Rename(t.Context(), 1, "still works"))
	if c := must[Chat](t)(s.Chat(t.Context(), 1)); c.Title != "still works" {
		t.Error(c.Title)
	}
}
