package ui

import (
	"context"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/infer"
	"hotcell/ui/store"
)

// newKept is a bench whose chats are kept.
func newKept(t *testing.T, w, h int) (*bench, *hand) {
	s, err := store.Temporary(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	b, e := newBench(t, w, h)
	b.Update(storeMsg{store: s})
	return b, e
}

// path are the messages of the chat as they are on disk, as "speaker:text".
func (b *bench) path() string {
	b.t.Helper()
	messages, err := b.archive.store.Path(context.Background(), b.talk.id)
	if err != nil {
		b.t.Fatal(err)
	}
	var list []string
	for _, m := range messages {
		list = append(list, m.Speaker+":"+m.Text+":"+string(m.State))
	}
	return strings.Join(list, " ")
}

func (b *bench) kept(want string) {
	b.t.Helper()
	if got := b.path(); got != want {
		b.t.Errorf("kept is %q, want %q", got, want)
	}
}

func TestAQuestionIsOnDiskBeforeItsAnswerBegins(t *testing.T) {
	b, e := newKept(t, 80, 24)
	b.ask("hello")
	b.kept("user:hello:complete assistant::writing")
	if len(e.asked) != 1 {
		t.Fatal("the engine was not asked")
	}
	b.gen.Append([]byte("Hi "))
	b.drain()
	b.kept("user:hello:complete assistant::writing")
	b.clock = b.clock.Add(saveEvery)
	b.gen.Append([]byte("there"))
	b.drain()
	b.kept("user:hello:complete assistant:Hi there:writing")
	b.answerWith("!", infer.EndOfTurn, nil)
	b.kept("user:hello:complete assistant:Hi there!:complete")
	b.shows("hello") // the title in the header
}

func TestEditingBeginsABranchAndBothCanBeSeen(t *testing.T) {
	b, e := newKept(t, 80, 24)
	b.ask("first")
	b.answerWith("one", infer.EndOfTurn, nil)
	b.ask("second")
	b.answerWith("two", infer.EndOfTurn, nil)
	b.typeText("a draft")
	b.press(tea.KeyCtrlB)
	b.shows("> second")
	b.shows("editing a question")
	b.press(tea.KeyCtrlB)
	b.shows("> first")
	b.press(tea.KeyEsc)
	b.shows("> a draft")
	b.press(tea.KeyCtrlB, tea.KeyCtrlU)
	b.ask("other")
	b.hides("two")
	if got := e.asked[2]; len(got) != 4 || got[3].Content != "other" {
		t.Errorf("asked %q", got)
	}
	b.answerWith("three", infer.EndOfTurn, nil)
	b.shows("edited · 2/2")
	b.shows("> a draft")
	b.kept("user:first:complete assistant:one:complete user:other:complete assistant:three:complete")
	b.press(tea.KeyCtrlF)
	b.shows("second")
	b.shows("two")
	b.shows("edited · 1/2")
	b.kept("user:first:complete assistant:one:complete user:second:complete assistant:two:complete")
	b.press(tea.KeyCtrlF)
	b.shows("three")
}

func TestARetryKeepsTheFirstAnswerAsABranch(t *testing.T) {
	b, _ := newKept(t, 80, 24)
	b.ask("hello")
	b.answerWith("one", infer.EndOfTurn, nil)
	b.press(tea.KeyCtrlR)
	b.answerWith("two", infer.EndOfTurn, nil)
	b.shows("Coder 2/2")
	b.hides("one")
	b.press(tea.KeyCtrlX) // the list of messages
	b.shows("branch 2 of 2")
	b.press(tea.KeyLeft)
	b.shows("branch 1 of 2")
	b.press(tea.KeyEsc)
	b.shows("one")
}

func TestAnAnswerThatWasStoppedGoesOn(t *testing.T) {
	b, e := newKept(t, 80, 24)
	b.ask("hello")
	e.stats.DecodeTokens = 5
	b.gen.Append([]byte("Once upon"))
	b.gen.Finish(infer.Stopped, nil)
	b.drain()
	b.shows("stopped; /continue goes on")
	b.kept("user:hello:complete assistant:Once upon:stopped")
	b.ask("/continue")
	if got := e.asked[1]; got[len(got)-1].Content != goOn || got[len(got)-2].Content != "Once upon" {
		t.Errorf("asked %q", got)
	}
	e.stats.DecodeTokens = 8
	b.answerWith(" a time.", infer.EndOfTurn, nil)
	b.shows("Once upon a time.")
	b.shows("8 tok")
	b.kept("user:hello:complete assistant:Once upon a time.:complete")
}

func TestChatsAreListedSearchedRenamedDeletedAndBroughtBack(t *testing.T) {
	b, _ := newKept(t, 80, 24)
	b.ask("about goroutines")
	b.answerWith("They leak.", infer.EndOfTurn, nil)
	b.press(tea.KeyCtrlN)
	b.ask("about cheese")
	b.answerWith("It smells.", infer.EndOfTurn, nil)
	b.press(tea.KeyCtrlS)
	b.shows("about goroutines")
	b.shows("about cheese")
	b.typeText("/")
	b.typeText("leak")
	b.shows("1 places")
	b.hides("about cheese")
	b.press(tea.KeyEnter)
	b.shows("They leak.")
	b.hides("It smells.")

	b.press(tea.KeyCtrlS)
	b.typeText("r")
	b.shows("Rename the chat")
	b.press(tea.KeyCtrlU)
	b.ask("Leaks")
	b.shows("Leaks")
	b.typeText("d")
	b.hides("Leaks")
	b.typeText("u")
	b.shows("Leaks")
	b.press(tea.KeyEsc)
	if b.talk.id != 0 {
		t.Error("the deleted chat is still on screen")
	}
	b.ask("/chats smells")
	b.shows("about cheese")
}

func TestAChatIsResumedAsItWasLeft(t *testing.T) {
	b, e := newKept(t, 80, 24)
	b.ask("hello")
	b.answerWith("**Hi** there", infer.Stopped, nil)
	again, _ := newBench(t, 80, 24)
	again.cfg.Resume = true
	again.Update(storeMsg{store: b.archive.store})
	again.shows("Hi there")
	again.shows("stopped")
	if again.talk.id != b.talk.id {
		t.Error("another chat came back")
	}
	e.b = again
	again.engine = e
	again.ask("more")
	if got := e.asked[1]; len(got) != 4 || got[2].Content != "**Hi** there" {
		t.Errorf("asked %q", got)
	}
}

func TestQuittingKeepsWhatAnAnswerHasSaid(t *testing.T) {
	b, _ := newKept(t, 80, 24)
	s := b.archive.store
	b.ask("hello")
	b.gen.Append([]byte("half an"))
	b.drain()
	b.gen.Append([]byte(" answer"))
	go b.gen.Finish(infer.Stopped, nil)
	id := b.talk.id
	path := func() []store.Message { p, _ := s.Path(context.Background(), id); return p }
	b.model.finishAnswer(s)
	if got := path(); len(got) != 2 || got[1].Text != "half an answer" || got[1].State != store.Stopped {
		t.Errorf("kept is %+v", got)
	}
}

func TestExportWritesBothFormats(t *testing.T) {
	b, _ := newKept(t, 80, 24)
	b.ask("/export")
	b.shows("the chat has no message yet")
	b.ask("hello there")
	b.answerWith("Hi", infer.EndOfTurn, nil)
	b.ask("/export")
	b.shows("hello-there.md")
	b.ask("/export json")
	b.shows("hello-there.json")
	b.ask("/export pdf")
	b.shows("the formats are md and json")
}

func TestInputsComeBack(t *testing.T) {
	b, _ := newKept(t, 80, 24)
	for _, text := range []string{"one", "two"} {
		b.ask(text)
		b.answerWith("x", infer.EndOfTurn, nil)
	}
	b.typeText("dra")
	b.press(tea.KeyUp)
	b.shows("> two")
	b.press(tea.KeyUp)
	b.shows("> one")
	b.press(tea.KeyDown, tea.KeyDown)
	b.shows("> dra")
	b.press(tea.KeyCtrlU)
	b.ask("/history")
	b.shows("Earlier inputs")
	b.press(tea.KeyDown, tea.KeyEnter)
	b.shows("> one")
}

func TestWhatCannotBeKeptIsToldAndAnsweredAllTheSame(t *testing.T) {
	b, e := newKept(t, 80, 24)
	b.ask("one")
	b.answerWith("1", infer.EndOfTurn, nil)
	b.archive.store.Close()
	b.ask("two")
	b.shows("This message is not kept: the chats are closed")
	b.answerWith("2", infer.EndOfTurn, nil)
	b.shows("two")
	b.ask("three")
	b.answerWith("3", infer.EndOfTurn, nil)
	b.press(tea.KeyCtrlR)
	b.answerWith("3 again", infer.EndOfTurn, nil)
	b.shows("3 again")
	if len(e.asked) != 4 || len(e.asked[3]) != 6 {
		t.Errorf("asked %q", e.asked)
	}
}
