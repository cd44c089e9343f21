package ui

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/exp/teatest"
	"github.com/charmbracelet/x/vt"

	"hotcell/infer"
	"hotcell/ui/internal/script"
	"hotcell/ui/look"
	"hotcell/ui/roles"
	"hotcell/ui/settings"
)

// session is a running program and the screen it draws on.
type session struct {
	t    *testing.T
	tm   *teatest.TestModel
	term *vt.Emulator
}

func newSession(t *testing.T, w, h int, cfg Config) *session {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	if cfg.DataDir == "" {
		cfg.DataDir = t.TempDir()
	}
	m := newModel(ctx, cfg, look.New(false, false), settings.Default(), time.Now)
	return &session{t, teatest.NewTestModel(t, m, teatest.WithInitialTermSize(w, h)), vt.NewEmulator(w, h)}
}

func (s *session) waitFor(want string) {
	s.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		io.Copy(s.term, s.tm.Output())
		screen := s.term.String()
		if strings.Contains(screen, want) {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("the screen never showed %q:\n%s", want, screen)
		}
	}
}

// write sends text as one message; teatest's Type would send each byte as a character.
func (s *session) write(text string) {
	s.tm.Send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(text)})
}

func (s *session) press(k tea.KeyType) { s.tm.Send(tea.KeyMsg{Type: k}) }

func (s *session) ask(text string) {
	s.write(text)
	s.press(tea.KeyEnter)
}

func (s *session) resize(w, h int) {
	io.Copy(s.term, s.tm.Output())
	s.term.Resize(w, h)
	s.tm.Send(tea.WindowSizeMsg{Width: w, Height: h})
}

func TestSession(t *testing.T) {
	t.Parallel()
	words := strings.Repeat("word ", 400)
	e := &script.Engine{
		Model:   infer.ModelInfo{Name: "Scripted"},
		Context: 4096,
		Answers: []script.Answer{
			{Text: "An answer of 漢字 that ends here", Prompt: 100, Prefill: 300 * time.Millisecond, Word: time.Millisecond},
			{Text: words + "never reached", Prompt: 20, Word: 20 * time.Millisecond},
			{Text: "Another try.", Prompt: 20, Notices: []infer.Notice{{Kind: infer.TurnsDropped, Count: 2}}},
			{Reason: infer.Failed, Err: errors.New("flash went away")},
			{Text: "All is well again.", Prompt: 20},
		},
	}
	loadNow := make(chan struct{})
	s := newSession(t, 80, 24, Config{
		Name: "scripted.gguf",
		Role: &roles.Role{Name: "assistant"},
		Models: Models{Load: func(_ context.Context, _ string, _ Choice, progress func(done, total int64)) (Engine, error) {
			progress(50e6, 200e6)
			<-loadNow
			return e, nil
		}},
	})
	s.waitFor("25% · 50 MB of 200 MB")
	close(loadNow)
	s.waitFor("ready")

	s.ask("Étude 漢")
	s.waitFor("prefill")
	s.waitFor("that ends here")
	s.waitFor("last answer")

	s.ask("talk")
	s.waitFor("word word")
	s.resize(46, 19)
	s.waitFor("esc stop")
	s.resize(120, 36)
	s.waitFor("hotcell │ Scripted")
	s.press(tea.KeyEsc)
	s.waitFor("press esc again to stop")
	s.press(tea.KeyEsc)
	s.waitFor("  stopped")

	s.press(tea.KeyCtrlR)
	s.waitFor("the 2 oldest messages were left out")
	s.waitFor("Another try.")
	s.waitFor("last answer")
	s.ask("fail")
	s.waitFor("The answer failed: flash went away")
	s.ask("and now")
	s.waitFor("All is well again.")
	s.waitFor("last answer")

	s.ask("/quit")
	s.tm.WaitFinished(t, teatest.WithFinalTimeout(5*time.Second))
	asked := e.Asked()
	if len(asked) != 5 {
		t.Fatalf("the engine was asked %d times", len(asked))
	}
	if got := asked[1]; len(got) != 3 || got[0].Content != "Étude 漢" || got[1].Content != "An answer of 漢字 that ends here" {
		t.Errorf("the second request is %q", got)
	}
	if got := asked[4]; got[len(got)-1].Content != "fail\n\nand now" {
		t.Errorf("the last request is %q", got)
	}
}

// loads is models of which there is one.
func loads(e Engine) Models {
	return Models{Load: func(context.Context, string, Choice, func(done, total int64)) (Engine, error) { return e, nil }}
}

// counter counts what is drawn.
type counter struct{ bytes atomic.Int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.bytes.Add(int64(len(p)))
	return len(p), nil
}

func TestNothingIsDrawnWhenNothingHappens(t *testing.T) {
	t.Parallel()
	e := &script.Engine{Context: 100, Answers: []script.Answer{{Text: "hi", Prompt: 10}}}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := newModel(ctx, Config{Models: loads(e), Prompt: "hello", DataDir: t.TempDir()}, look.New(false, false), settings.Default(), time.Now)
	updates := new(atomic.Int64)
	var out counter
	p := tea.NewProgram(m, tea.WithInput(nil), tea.WithOutput(&out), tea.WithoutSignalHandler(), tea.WithFPS(15),
		tea.WithFilter(func(_ tea.Model, msg tea.Msg) tea.Msg { updates.Add(1); return msg }))
	done := make(chan struct{})
	go func() { p.Run(); close(done) }()
	p.Send(tea.WindowSizeMsg{Width: 80, Height: 24})
	drawn, seen := int64(0), int64(-1)
	for seen != updates.Load() || drawn == 0 { // until it is loaded, answered and drawn
		seen = updates.Load()
		time.Sleep(400 * time.Millisecond)
		drawn = out.bytes.Load()
	}
	time.Sleep(700 * time.Millisecond)
	if n := out.bytes.Load() - drawn; n != 0 {
		t.Errorf("%d bytes were drawn while idle", n)
	}
	if n := updates.Load() - seen; n != 0 {
		t.Errorf("%d messages came while idle", n)
	}
	p.Quit()
	<-done
}

func TestAFastEngineIsDrawnAtThePaceOfTheScreen(t *testing.T) {
	t.Parallel()
	gen := infer.NewGeneration()
	a := &answer{gen: gen, started: time.Now()}
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				gen.Finish(infer.EndOfTurn, nil)
				return
			default:
				gen.Append([]byte("x"))
				time.Sleep(100 * time.Microsecond)
			}
		}
	}()
	drains, text, start := 0, "", time.Now()
	for u := (infer.Update{}); !u.Done; drains++ {
		a.await()()
		u = gen.Drain()
		text += u.Text
		if drains == 5 {
			close(stop)
		}
	}
	if least := time.Duration(drains-2) * drawEvery; time.Since(start) < least {
		t.Errorf("%d updates came within %v", drains, time.Since(start))
	}
	if len(text) < drains {
		t.Errorf("%d updates brought %d characters", drains, len(text))
	}
}

func TestAPanicInACommandEndsTheProgramWithItsStack(t *testing.T) {
	t.Parallel()
	s := newSession(t, 80, 24, Config{Models: Models{Load: func(context.Context, string, Choice, func(done, total int64)) (Engine, error) { panic("scripted") }}})
	m := s.tm.FinalModel(t, teatest.WithFinalTimeout(5*time.Second)).(*model)
	if m.crash == nil || m.crash.Error() != "hotcell crashed: scripted" || !strings.Contains(string(m.crash.stack), "session_test.go") {
		t.Errorf("the crash is %v", m.crash)
	}
}

func TestQuittingCancelsTheAnswer(t *testing.T) {
	t.Parallel()
	e := &script.Engine{Context: 100, Answers: []script.Answer{{Text: strings.Repeat("word ", 1000), Prompt: 10, Word: 50 * time.Millisecond}}}
	s := newSession(t, 80, 24, Config{Models: loads(e), Prompt: "hello"})
	s.waitFor("word")
	s.press(tea.KeyCtrlC)
	s.press(tea.KeyCtrlC)
	m := s.tm.FinalModel(t, teatest.WithFinalTimeout(5*time.Second)).(*model)
	start := time.Now()
	m.finish()
	if d := time.Since(start); d >= patience {
		t.Errorf("the engine was given up after %v", d)
	}
}
