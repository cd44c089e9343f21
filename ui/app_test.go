package ui

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/infer"
	"hotcell/ui/field"
)

func (b *bench) shows(want string) {
	b.t.Helper()
	if screen := b.screen(); !strings.Contains(screen, want) {
		b.t.Errorf("the screen does not show %q:\n%s", want, screen)
	}
}

func (b *bench) hides(what string) {
	b.t.Helper()
	if screen := b.screen(); strings.Contains(screen, what) {
		b.t.Errorf("the screen shows %q:\n%s", what, screen)
	}
}

func (b *bench) answerWith(text string, reason infer.Reason, err error) {
	b.gen.Append([]byte(text))
	b.gen.Finish(reason, err)
	b.drain()
}

func TestEnterSendsAndTheAnswerStreams(t *testing.T) {
	b, e := newBench(t, 80, 24)
	b.ask("hello")
	if len(e.asked) != 1 || len(e.asked[0]) != 2 || e.asked[0][1].Content != "hello" {
		t.Fatalf("the engine was asked %q", e.asked)
	}
	b.gen.Append([]byte("Hi "))
	b.drain()
	b.shows("Hi")
	b.answerWith("there.", infer.EndOfTurn, nil)
	b.shows("Hi there.")
	b.ask("more")
	if got := e.asked[1]; len(got) != 4 || got[2].Role != "assistant" || got[2].Content != "Hi there." {
		t.Errorf("the second request is %q", got)
	}
}

func TestNewlines(t *testing.T) {
	b, e := newBench(t, 80, 24)
	b.typeText("one")
	b.press(tea.KeyCtrlJ)
	b.typeText(`two\`)
	b.press(tea.KeyEnter)
	b.typeText("three")
	b.press(tea.KeyEnter)
	if got := e.asked[0][1].Content; got != "one\ntwo\nthree" {
		t.Errorf("sent %q", got)
	}
}

func TestPasteKeepsItsLines(t *testing.T) {
	b, e := newBench(t, 80, 24)
	b.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("a\rb\r\nc\n?"), Paste: true})
	if len(e.asked) != 0 {
		t.Fatal("a paste was sent")
	}
	b.press(tea.KeyEnter)
	if got := e.asked[0][1].Content; got != "a\nb\nc\n?" {
		t.Errorf("sent %q", got)
	}
}

func TestAPasteThatIsTooLongIsCutAndTold(t *testing.T) {
	b, _ := newBench(t, 80, 24)
	b.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(strings.Repeat("漢\n", field.Longest/2+1)), Paste: true})
	b.shows("the text was cut: a message has at most 100000 characters")
}

func TestEscapeTwiceStopsAndKeepsTheText(t *testing.T) {
	b, e := newBench(t, 80, 24)
	b.ask("hello")
	b.gen.Append([]byte("partial"))
	b.drain()
	b.press(tea.KeyEsc)
	b.shows("press esc again to stop")
	b.clock = b.clock.Add(2 * time.Second)
	b.press(tea.KeyEsc) // too late: this is a first press again
	if b.answer.stopping {
		t.Fatal("it stopped at a press after more than a second")
	}
	b.clock = b.clock.Add(500 * time.Millisecond)
	b.press(tea.KeyEsc)
	b.shows("stopping")
	b.answerWith(" text", infer.Stopped, nil)
	b.shows("partial text")
	b.shows("stopped")
	b.ask("go on")
	if got := e.asked[1][2]; got.Role != "assistant" || got.Content != "partial text" {
		t.Errorf("the partial answer was sent as %q", got)
	}
}

func TestTwoEscapesInOneReadStop(t *testing.T) {
	b, _ := newBench(t, 80, 24)
	b.ask("hello")
	b.Update(tea.KeyMsg{Type: tea.KeyEsc, Alt: true})
	if !b.answer.stopping {
		t.Error("it did not stop")
	}
}

func TestControlCStopsOnceAndQuitsTwice(t *testing.T) {
	b, _ := newBench(t, 80, 24)
	b.ask("hello")
	b.press(tea.KeyCtrlC)
	if !b.answer.stopping {
		t.Fatal("one ^C did not stop the answer")
	}
	b.shows("press ^C again to quit")
	b.clock = b.clock.Add(900 * time.Millisecond)
	if _, cmd := b.Update(tea.KeyMsg{Type: tea.KeyCtrlC}); cmd == nil || !quits(cmd) {
		t.Error("the second ^C did not quit")
	}
}

func TestControlCTwiceMustBeSoon(t *testing.T) {
	b, _ := newBench(t, 80, 24)
	b.press(tea.KeyCtrlC)
	b.clock = b.clock.Add(1100 * time.Millisecond)
	b.press(tea.KeyCtrlC)
	b.shows("press ^C again to quit")
}

func TestTypingWhileAnswering(t *testing.T) {
	b, e := newBench(t, 80, 24)
	b.ask("hello")
	b.ask("next")
	b.shows("wait, or press esc to stop the answer")
	b.shows("> next")
	b.answerWith("done", infer.EndOfTurn, nil)
	b.press(tea.KeyEnter)
	if len(e.asked) != 2 || e.asked[1][3].Content != "next" {
		t.Errorf("asked %q", e.asked)
	}
}

func TestRetryReplacesTheAnswer(t *testing.T) {
	b, e := newBench(t, 80, 24)
	b.press(tea.KeyCtrlR)
	b.shows("there is nothing to answer again yet")
	b.ask("hello")
	b.press(tea.KeyCtrlR)
	b.shows("wait")
	b.answerWith("first try", infer.EndOfTurn, nil)
	b.press(tea.KeyCtrlR)
	b.hides("first try")
	b.answerWith("second try", infer.EndOfTurn, nil)
	b.shows("second try")
	if got := e.asked[1]; len(got) != 2 || got[1].Content != "hello" {
		t.Errorf("the second request is %q", got)
	}
}

func TestAFailedAnswerKeepsTheQuestionAndTheNextMessageWorks(t *testing.T) {
	b, e := newBench(t, 80, 24)
	b.ask("hello")
	b.answerWith("", infer.Failed, errors.New("read of the model failed\x1b[2J"))
	b.shows("The answer failed: read of the model failed")
	b.shows("hello")
	b.ask("again")
	if got := e.asked[1]; len(got) != 2 || got[1].Content != "hello\n\nagain" {
		t.Errorf("the second request is %q", got)
	}
	b.answerWith("fine", infer.EndOfTurn, nil)
	b.shows("fine")
}

func TestEndingsAreTold(t *testing.T) {
	for reason, want := range map[infer.Reason]string{
		infer.Length:      "cut at the role's limit of 7 tokens",
		infer.ContextFull: "cut: the context is full",
		infer.Stopped:     "stopped",
	} {
		b, e := newBench(t, 80, 24)
		b.ask("hello")
		e.stats.DecodeTokens = 7
		b.answerWith("text", reason, nil)
		b.shows(want)
	}
}

func TestNoticesStandInTheChat(t *testing.T) {
	b, _ := newBench(t, 80, 24)
	b.ask("hello")
	b.gen.Notify(infer.Notice{Kind: infer.TurnsDropped, Count: 1})
	b.drain()
	b.shows("The context is full: the oldest message was left out.")
}

func TestThoughtsAreShownAsTheyComeAndFoldedWhenTheAnswerBegins(t *testing.T) {
	b, e := newBench(t, 80, 24)
	b.ask("hello")
	b.gen.Think([]byte("first idea\nsecond idea\nthird idea\nfourth \x1b[31midea"))
	b.drain()
	b.hides("first idea")
	b.shows("second idea")
	b.shows("fourth idea")
	b.gen.Append([]byte("The answer."))
	b.gen.Finish(infer.EndOfTurn, nil)
	b.drain()
	b.hides("fourth idea")
	b.shows("thought for 8 words")
	b.shows("The answer.")
	b.ask("more")
	if got := e.asked[1][2].Content; got != "The answer." {
		t.Errorf("the thought went into the conversation: %q", got)
	}
}

func TestSpeedIsThatOfTheLastSecondAndOfTheAnswer(t *testing.T) {
	b, e := newBench(t, 80, 24)
	e.stats.DecodeTokens, e.stats.DecodeNs = 1000, 1000*50e6 // an earlier answer
	b.ask("hello")
	b.shows("– tok/s")
	step := func(tokens int, each time.Duration) {
		for range tokens {
			b.clock = b.clock.Add(each)
			e.stats.DecodeTokens++
			e.stats.DecodeNs += uint64(each)
			b.gen.Append([]byte("x"))
			b.drain()
		}
	}
	step(20, 100*time.Millisecond)
	b.shows("10.0 tok/s · avg 10.0 · 20 tok")
	step(10, 200*time.Millisecond)
	b.shows("5.0 tok/s · avg 7.5 · 30 tok")
}

func TestThePaletteFindsAndRunsCommands(t *testing.T) {
	b, _ := newBench(t, 80, 24)
	b.typeText("/")
	b.shows("begin a new chat")
	b.typeText("hel")
	b.hides("begin a new chat")
	b.shows("/help")
	b.press(tea.KeyEnter)
	b.shows("keys, commands, numbers")
	b.press(tea.KeyEsc)
	b.typeText("?")
	b.shows("keys, commands, numbers")
	b.press(tea.KeyEsc)
	b.typeText("what?")
	b.shows("> what?")
	b.press(tea.KeyCtrlU)
	b.ask("/nosuch")
	b.shows("there is no command /nosuch")
	b.press(tea.KeyEsc)
	b.typeText("/x")
	b.press(tea.KeyBackspace, tea.KeyBackspace)
	b.shows("Write a message")
	b.typeText("/quit")
	if _, cmd := b.Update(tea.KeyMsg{Type: tea.KeyEnter}); cmd == nil || !quits(cmd) {
		t.Error("/quit did not quit")
	}
}

// quits reports whether a command ends the program.
func quits(cmd tea.Cmd) bool {
	switch msg := cmd().(type) {
	case tea.BatchMsg:
		for _, c := range msg {
			if c != nil && quits(c) {
				return true
			}
		}
	case tea.QuitMsg:
		return true
	}
	return false
}

func TestWhatOnlyLooksLikeACommandBecomesTheDraft(t *testing.T) {
	for _, text := range []string{"/usr/bin/env is what?", "/2 is a half"} {
		b, e := newBench(t, 80, 24)
		for _, r := range text {
			b.typeText(string(r))
		}
		b.press(tea.KeyEnter)
		if len(e.asked) != 1 || e.asked[0][1].Content != text {
			t.Errorf("%q was sent as %q", text, e.asked)
		}
	}
}

func TestANewConversationForgets(t *testing.T) {
	b, e := newBench(t, 80, 24)
	b.ask("hello")
	e.stats.ContextUsed = 300
	b.answerWith("hi", infer.EndOfTurn, nil)
	b.shows("ctx 300/4096")
	b.ask("/new")
	b.hides("hello")
	b.shows("ctx 0/4096")
	b.ask("other")
	if got := e.asked[1]; len(got) != 2 || got[1].Content != "other" {
		t.Errorf("the request is %q", got)
	}
}

func TestUpScrollsAnEmptyDraftAndMovesInAText(t *testing.T) {
	b, _ := newBench(t, 80, 12)
	b.ask("hello")
	b.answerWith(strings.Repeat("line\n", 40)+"last line", infer.EndOfTurn, nil)
	b.press(tea.KeyUp, tea.KeyUp)
	if !b.chat.scrolled {
		t.Error("Up on an empty draft did not scroll")
	}
	b.press(tea.KeyDown, tea.KeyDown)
	if b.chat.scrolled {
		t.Error("Down on an empty draft did not scroll back")
	}
	b.typeText("draft")
	b.press(tea.KeyUp)
	if b.chat.scrolled {
		t.Error("Up in a text scrolled the chat")
	}
}

func TestWithoutAModelTheAppStaysUsable(t *testing.T) {
	b, _ := newBench(t, 80, 24)
	b.engine = nil
	b.Update(loadMsg{err: errors.New("no such file")})
	b.shows("The model could not be loaded: no such file")
	b.ask("hello")
	b.shows("no model is loaded")
	b.press(tea.KeyCtrlR)
	b.press(tea.KeyCtrlU)
	b.ask("/stats")
	b.ask("/help")
	b.shows("keys, commands, numbers")
}

func TestThePromptIsSentWhenTheModelIsLoaded(t *testing.T) {
	b, e := newBench(t, 80, 24)
	b.cfg.Prompt = "first"
	b.Update(loadMsg{engine: e})
	if len(e.asked) != 1 || e.asked[0][1].Content != "first" {
		t.Errorf("asked %q", e.asked)
	}
}

// BenchmarkFrame is what one drawn frame of a streaming answer costs; there are at most 12.5 of them in a second.
func BenchmarkFrame(b *testing.B) {
	for _, size := range screenSizes {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			bench := newViewBench(&testing.T{}, size[0], size[1])
			bench.ask("more")
			e := bench.engine.(*hand)
			b.ReportAllocs()
			for i := range b.N {
				if i%2000 == 1999 {
					bench.answer.message.text = ""
				}
				bench.clock = bench.clock.Add(drawEvery)
				e.stats.DecodeTokens++
				e.stats.DecodeNs += 60e6
				bench.gen.Append([]byte("word and "))
				if i%10 == 0 {
					bench.gen.Append([]byte("\n\n"))
				}
				bench.model.Update(drainMsg{bench.gen, bench.clock})
				bench.View()
			}
		})
	}
}
