package ui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/charmbracelet/x/vt"
	"github.com/muesli/termenv"

	"hotcell/infer"
	"hotcell/ui/internal/script"
	"hotcell/ui/look"
	"hotcell/ui/panels"
	"hotcell/ui/roles"
	"hotcell/ui/settings"
)

// testPrograms is where the terminal tests have built their programs, if they have.
var testPrograms string

func TestMain(m *testing.M) {
	lipgloss.SetColorProfile(termenv.TrueColor)
	lipgloss.SetHasDarkBackground(true)
	code := m.Run()
	if testPrograms != "" {
		os.RemoveAll(testPrograms)
	}
	os.Exit(code)
}

func plain(s string) string { return ansi.Strip(s) }

// bench drives a model by hand: no program, no goroutines, a clock that stands still unless it is moved.
type bench struct {
	*model
	t     *testing.T
	clock time.Time
	gen   *infer.Generation // what the engine gave last
	ended chan tea.Msg      // what commands returned
}

// Update runs the commands that come of a message, and does what comes of them, until all work has ended that ends by itself. What waits
// for a generation or a clock goes on waiting: the test says when something comes.
func (b *bench) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	b.t.Helper()
	_, cmd := b.model.Update(msg)
	b.background(cmd)
	for b.pending > 0 {
		select {
		case msg := <-b.ended:
			_, more := b.model.Update(msg)
			b.background(more)
		case <-time.After(20 * time.Second):
			b.t.Fatal("work never ended")
		}
	}
	return b.model, cmd
}

func (b *bench) background(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		switch msg := cmd().(type) {
		case tea.BatchMsg:
			for _, c := range msg {
				b.background(c)
			}
		case laterMsg:
			b.ended <- msg
		}
	}()
}

// hand is an engine whose generations the test writes itself.
type hand struct {
	script.Engine
	b     *bench
	stats infer.Stats
	asked [][]infer.Message

	options []infer.Options
}

func (h *hand) Stats() infer.Stats { return h.stats }
func (h *hand) Generate(_ context.Context, msgs []infer.Message, o infer.Options) *infer.Generation {
	h.options = append(h.options, o)
	h.asked = append(h.asked, msgs)
	h.b.gen = infer.NewGeneration()
	return h.b.gen
}

// benchConfig is an app without a model list whose data are gone with the test.
func benchConfig(t *testing.T) Config {
	return Config{Name: "qwen3-4b.gguf", Role: &roles.Role{Name: "Coder", System: "be brief"}, DataDir: t.TempDir()}
}

func newBench(t *testing.T, w, h int) (*bench, *hand) {
	b := &bench{t: t, clock: time.Date(2026, 3, 1, 12, 3, 0, 0, time.UTC), ended: make(chan tea.Msg, 100)}
	b.model = newModel(context.Background(), benchConfig(t), look.New(false, false), settings.Default(), func() time.Time { return b.clock })
	b.dash.sensors = panels.NewSensors(fstest.MapFS{}) // the machine of the test must not show
	e := &hand{b: b, stats: infer.Stats{ContextMax: 4096}}
	e.Model = infer.ModelInfo{Name: "Qwen3-4B", Arch: "qwen3", Quant: "Q4_0", Mode: "dense"}
	b.Update(tea.WindowSizeMsg{Width: w, Height: h})
	b.Update(loadMsg{engine: e})
	return b, e
}

func (b *bench) press(keys ...tea.KeyType) {
	for _, k := range keys {
		b.Update(tea.KeyMsg{Type: k})
	}
}

func (b *bench) typeText(s string) { b.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(s)}) }

func (b *bench) ask(s string) {
	b.typeText(s)
	b.press(tea.KeyEnter)
}

func (b *bench) drain() { b.Update(drainMsg{b.gen, b.clock}) }

// screen is what a terminal shows after the frame.
func (b *bench) screen() string {
	b.t.Helper()
	view := b.View()
	for i, line := range strings.Split(view, "\n") {
		if n := ansi.StringWidth(line); n > b.w {
			b.t.Errorf("row %d has %d cells of %d: %q", i, n, b.w, plain(line))
		}
	}
	if n := strings.Count(view, "\n") + 1; n != b.h {
		b.t.Errorf("the frame has %d rows of %d", n, b.h)
	}
	term := vt.NewEmulator(b.w, b.h)
	defer term.Close()
	fmt.Fprint(term, strings.ReplaceAll(view, "\n", "\r\n"))
	lines := strings.Split(term.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

var screenSizes = [][2]int{{120, 36}, {80, 24}, {46, 19}}

const longAnswer = "Three usual causes, most likely first:\n\n1. No timeout. http.Client{} waits for ever; set Timeout or use a context.\n" +
	"2. Body not drained. Close alone may keep the connection pinned:\n\n\tresp, err := client.Do(req)\n\tif err != nil {\n\t\treturn err\n\t}\n\n" +
	"3. Dial without a deadline. 漢字 👩‍💻 🇨🇳 \x1b[31mred\x1b[2J"

// TestScreens shows one conversation at the three sizes that count.
func TestScreens(t *testing.T) {
	for _, size := range screenSizes {
		name := func(s string) string { return fmt.Sprintf("%s at %dx%d", s, size[0], size[1]) }
		b, e := newBench(t, size[0], size[1])
		shot := func(s string) {
			t.Run(name(s), func(t *testing.T) { b.t = t; golden.RequireEqual(t, b.screen()) })
		}
		shot("01 ready")
		b.ask("Why does my Go HTTP client leak goroutines when the server hangs?")
		b.gen.SetPrefill(0, 412)
		b.drain()
		shot("02 prefill")
		b.gen.SetPrefill(412, 412)
		for i := range 20 {
			b.clock = b.clock.Add(100 * time.Millisecond)
			e.stats.DecodeTokens, e.stats.DecodeNs = uint64(i+1), uint64(i+1)*147e6
			e.stats.ContextUsed = 412 + i
			if i == 10 {
				b.gen.Append([]byte(longAnswer[:150]))
			}
			b.drain()
		}
		shot("03 streaming")
		b.typeText("and how would I see it in pprof?")
		b.press(tea.KeyEsc)
		shot("04 stop asked for with a draft")
		b.gen.Append([]byte(longAnswer[150:]))
		b.gen.Finish(infer.EndOfTurn, nil)
		b.drain()
		b.toast.text = ""
		shot("05 answered")
		b.press(tea.KeyPgUp)
		shot("06 scrolled up")
		b.press(tea.KeyPgDown, tea.KeyEnter)
		b.gen.Notify(infer.Notice{Kind: infer.TurnsDropped, Count: 2})
		b.gen.Append([]byte("It "))
		b.gen.Finish(infer.Failed, errors.New("the model file could not be read"))
		e.stats.ContextUsed = 3900
		b.drain()
		shot("07 notice and failure")
		b.typeText("/new /foo")
		b.press(tea.KeyCtrlU)
		b.ask("/foo")
		shot("08 unknown command")
		b.press(tea.KeyCtrlU)
		b.ask("/help")
		shot("09 help")
		b.press(tea.KeyEsc)
		b.ask("/stats")
		shot("10 statistics")
	}
}

func TestLoadingScreens(t *testing.T) {
	for _, size := range screenSizes {
		name := func(s string) string { return fmt.Sprintf("%s at %dx%d", s, size[0], size[1]) }
		b := &bench{t: t, ended: make(chan tea.Msg, 100), model: newModel(context.Background(), benchConfig(t), look.New(false, false), settings.Default(), time.Now)}
		b.Update(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		b.loading.done.Store(600e6)
		b.loading.total.Store(2.4e9)
		t.Run(name("loading"), func(t *testing.T) { b.t = t; golden.RequireEqual(t, b.screen()) })
		b.Update(loadMsg{err: errors.New("qwen3-4b.gguf is not a GGUF model")})
		t.Run(name("load failed"), func(t *testing.T) { b.t = t; golden.RequireEqual(t, b.screen()) })
	}
}

// TestEverySizeIsDrawn draws a busy chat and the help page at sizes of every kind.
func TestEverySizeIsDrawn(t *testing.T) {
	b, e := newBench(t, 80, 24)
	b.ask("A question that is long enough to be wrapped at most sizes, 漢字 included.")
	b.gen.SetPrefill(100, 412)
	e.stats.ContextUsed = 400
	b.gen.Append([]byte(longAnswer))
	b.drain()
	b.typeText("a draft\nof lines")
	b.chat.scrollBy(-3)
	for w := 1; w <= 125; w += 1 + w/12 {
		for _, h := range []int{1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 19, 20, 23, 24, 28, 36, 60} {
			b.Update(tea.WindowSizeMsg{Width: w, Height: h})
			for _, frame := range []func(){
				func() { b.toast.text = "press esc again to stop" },
				func() { b.toast.text = "" },
				func() { b.open(helpPage(b.theme)) },
			} {
				frame()
				view := b.View()
				if n := strings.Count(view, "\n") + 1; n != h {
					t.Fatalf("%dx%d: %d rows", w, h, n)
				}
				for _, line := range strings.Split(view, "\n") {
					if ansi.StringWidth(line) > w {
						t.Fatalf("%dx%d: %q is too wide", w, h, line)
					}
				}
			}
			b.closeAll()
		}
	}
}
