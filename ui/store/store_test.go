package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// engineFolder holds SQLite's machine code for all stores of the tests, which lie in many folders.
var engineFolder string

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		child()
		return
	}
	var err error
	if engineFolder, err = os.MkdirTemp("", "hotcell-engine-"); err != nil {
		panic(err)
	}
	prepareEngine(engineFolder)
	status := m.Run()
	_ = os.RemoveAll(engineFolder)
	os.Exit(status)
}

// newTestStore opens a store in a folder of its own; it is closed when the test ends.
func newTestStore(t testing.TB) *Store {
	t.Helper()
	return openTestStore(t, filepath.Join(t.TempDir(), File))
}

func openTestStore(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// must is for calls that do not fail in a test.
func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// say adds a question and its finished answer below parent and returns both numbers.
func say(t testing.TB, s *Store, chat, parent int64, question, answer string) (asked, answered int64) {
	t.Helper()
	ctx := t.Context()
	q := must[Message](t)(s.Ask(ctx, chat, parent, question))
	a := must[Message](t)(s.Answer(ctx, chat, q.ID, "assistant", "tiny"))
	ok(t, s.Append(ctx, a.ID, answer, ""))
	ok(t, s.Finish(ctx, a.ID, Outcome{State: Complete}))
	return q.ID, a.ID
}

// texts are what the messages say, in order.
func texts(path []Message) string {
	var all []string
	for _, m := range path {
		all = append(all, m.Text)
	}
	return strings.Join(all, " | ")
}

func TestAChatIsKept(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "some", "folder", File)
	s := openTestStore(t, path)
	start := time.Now().Truncate(time.Millisecond)
	c := must[Chat](t)(s.NewChat(ctx, "companion", "Smalltalk"))
	if list := must[[]Listed](t)(s.Recent(ctx, 10, 0)); len(list) != 0 {
		t.Fatalf("an empty chat is listed: %v", list)
	}
	q := must[Message](t)(s.Ask(ctx, c.ID, 0, "\n Why is  the sky \x00 blue?\nI wonder."))
	a := must[Message](t)(s.Answer(ctx, c.ID, q.ID, "companion", "Smalltalk"))
	ok(t, s.Append(ctx, a.ID, "Be", "hm"))
	ok(t, s.Append(ctx, a.ID, "cause.", "m"))
	out := Outcome{State: Complete, Notice: "n", Ending: "e", PromptTokens: 7, Tokens: 3, Rate: 6.5, FirstText: 120 * time.Millisecond}
	ok(t, s.Finish(ctx, a.ID, out))
	ok(t, s.Close())

	s = openTestStore(t, path)
	c = must[Chat](t)(s.Chat(ctx, c.ID))
	if c.Title != "Why is the sky \uFFFD blue?" || c.Leaf != a.ID || c.Role != "companion" || c.Model != "Smalltalk" || c.Created.Before(start) {
		t.Errorf("the chat came back as %+v", c)
	}
	p := must[[]Message](t)(s.Path(ctx, c.ID))
	if len(p) != 2 || p[0].Text != "\n Why is  the sky \uFFFD blue?\nI wonder." || p[0].Speaker != User || p[0].State != Complete {
		t.Fatalf("the path came back as %+v", p)
	}
	if m := p[1]; m.Text != "Because." || m.Thought != "hmm" || m.Speaker != Assistant || m.Outcome != out || m.Parent != q.ID || m.Ended.Before(m.Created) {
		t.Errorf("the answer came back as %+v", m)
	}
	list := must[[]Listed](t)(s.Recent(ctx, 10, 0))
	if len(list) != 1 || list[0].Preview != "Because." || list[0].Messages != 2 || list[0].ID != c.ID {
		t.Errorf("the list is %+v", list)
	}
	if len(s.Notes()) != 0 {
		t.Errorf("notes of a healthy store: %q", s.Notes())
	}
}

func TestWhatCannotBeDoneSaysWhy(t *testing.T) {
	s := newTestStore(t)
	ctx := t.Context()
	c := must[Chat](t)(s.NewChat(ctx, "", ""))
	other := must[Chat](t)(s.NewChat(ctx, "", ""))
	q, a := say(t, s, c.ID, 0, "q", "a")
	gone, cancel := context.WithCancel(ctx)
	cancel()
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"a message in no chat", second(s.Ask(ctx, 99, 0, "x")), ErrNotFound.Error()},
		{"a parent in another chat", second(s.Ask(ctx, other.ID, q, "x")), ErrNotFound.Error()},
		{"a parent that is not there", second(s.Ask(ctx, c.ID, 99, "x")), ErrNotFound.Error()},
		{"text for an answer that has ended", s.Append(ctx, a, "x", ""), "the answer has ended (complete)"},
		{"text for no answer", s.Append(ctx, 99, "x", ""), ErrNotFound.Error()},
		{"an end without an answer", s.Finish(ctx, q, Outcome{State: Complete}), ErrNotFound.Error()},
		{"an end that is none", s.Finish(ctx, a, Outcome{State: Writing}), "cannot end as"},
		{"a question continued", s.Continue(ctx, q), ErrNotFound.Error()},
		{"a text that is too long", second(s.Ask(ctx, c.ID, 0, strings.Repeat("x", MaxText+1))), "at most 8 MiB"},
		{"a branch that is not there", second(s.Choose(ctx, 99)), ErrNotFound.Error()},
		{"a name for no chat", s.Rename(ctx, 99, "x"), ErrNotFound.Error()},
		{"a context that has ended", second(s.Path(gone, c.ID)), context.Canceled.Error()},
		{"a change with a context that has ended", s.Rename(gone, c.ID, "x"), context.Canceled.Error()},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, test.err, test.want)
		}
	}
	if p := must[[]Message](t)(s.Path(ctx, c.ID)); texts(p) != "q | a" {
		t.Errorf("after all that failed the chat is %s", texts(p))
	}
	ok(t, s.Close())
	if err := s.Rename(ctx, c.ID, "x"); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	ok(t, s.Close())
}

func second[T any](_ T, err error) error { return err }
