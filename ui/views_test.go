package ui

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"

	"hotcell/infer"
	"hotcell/planner"
	"hotcell/ui/keys"
	"hotcell/ui/look"
	"hotcell/ui/menu"
	"hotcell/ui/panels"
	"hotcell/ui/settings"
)

// someModels have every verdict, and a name that wants to do harm.
var someModels = []Model{
	{ID: "builtin", Name: "Smalltalk 9M", Arch: "bamboo", Quant: "Q4_0", Bytes: 6e6, Params: 10.4e6, Context: 256,
		Memory: planner.Judge(5e6, 800e3, 2e6, 11.4e9), Facts: [][2]string{{"license", "cc-by-sa-4.0"}}},
	{ID: "qwen3-4b", Name: "Qwen3-4B", Kind: Installed, Arch: "qwen3", Quant: "Q4_0", Bytes: 2.4e9, Params: 4e9, Context: 32768,
		Memory: planner.Judge(2.3e9, 4e8, 2e8, 11.4e9)},
	{ID: "/m/qwen3-30b.pack", Name: "qwen3-30b-a3b.pack", Kind: Installed, Arch: "qwen3moe", Quant: "Q4_0", Bytes: 17e9, Params: 30e9, Context: 32768, Packed: true,
		Memory: planner.Memory{Weights: 4.2e9, KV: 4e8, Work: 2e8, Total: 4.8e9, Available: 11.4e9, Verdict: planner.Streams}},
	{ID: "turbo", Name: "TurboSparse-47B", Kind: Installed, Arch: "llama", Quant: "Q4_0", Bytes: 26.9e9, Params: 47e9, Context: 32768,
		Memory: planner.Judge(26e9, 8e8, 3e8, 11.4e9)},
	{ID: "/sdcard/\x1b[31mbad.gguf", Name: "\x1b[31mbad.gguf", Kind: OwnFile, Bytes: 1e9, Problem: "\x1b]0;x\x07bad.gguf: this is a web page, not a model"},
}

// views are all screens by name; each is opened on a bench that has answered a question.
var views = []struct {
	name string
	open func(b *bench)
}{
	{"models", func(b *bench) { b.press(tea.KeyCtrlO, tea.KeyDown) }},
	{"model details", func(b *bench) { b.press(tea.KeyCtrlO, tea.KeyDown, tea.KeyDown, tea.KeyRight) }},
	{"a model that is too large", func(b *bench) { b.press(tea.KeyCtrlO, tea.KeyEnd, tea.KeyUp, tea.KeyEnter) }},
	{"roles", func(b *bench) { b.press(tea.KeyCtrlP, tea.KeyDown, tea.KeyDown) }},
	{"roles searched", func(b *bench) { b.press(tea.KeyCtrlP); b.typeText("/"); b.typeText("tra") }},
	{"role editor", func(b *bench) { b.press(tea.KeyCtrlP, tea.KeyEnd); b.typeText("e"); b.press(tea.KeyPgDown) }},
	{"system prompt", func(b *bench) {
		b.press(tea.KeyCtrlP)
		b.typeText("e")
		b.press(tea.KeyDown, tea.KeyDown, tea.KeyEnter)
	}},
	{"settings", func(b *bench) { b.press(tea.KeyCtrlG, tea.KeyDown, tea.KeyDown) }},
	{"chats", func(b *bench) {
		l := &menu.List{Theme: b.theme, Place: keys.InChats, Title: "Chats", Note: "3 chats", Always: []keys.Action{keys.New},
			Buttons: []keys.Action{keys.Choose, keys.New, keys.Rename, keys.Export, keys.Delete},
			Find:    func(string) menu.Action { return nil }}
		var rows []menu.Row
		for i, title := range []string{"Why does my Go HTTP client leak goroutines when the server hangs?", "Goroutine leak", "漢字 and 👩‍💻 in a title"} {
			rows = append(rows, menu.Row{ID: fmt.Sprint(i), Title: title, Sub: "Three usual causes, most likely first", InUse: i == 0,
				State: look.Ago(b.clock.Add(-time.Duration(i*50)*time.Hour), b.clock),
				Detail: func(w int) []string {
					return look.Wrap("Three usual causes, most likely first: no timeout, body not drained.", w)
				}})
		}
		l.SetRows(rows)
		b.open(l)
	}},
	{"messages", func(b *bench) { b.chat.messages[0].place, b.chat.messages[0].places = 2, 3; b.press(tea.KeyCtrlX) }},
	{"copy", func(b *bench) { b.View(); b.press(tea.KeyCtrlY) }},
	{"palette", func(b *bench) { b.typeText("/") }},
	{"palette searched", func(b *bench) { b.typeText("/"); b.typeText("co") }},
	{"help", func(b *bench) { b.typeText("?") }},
	{"panel", func(b *bench) { b.press(tea.KeyTab, tea.KeyRight, tea.KeyRight) }},
	{"heat map", func(b *bench) { b.press(tea.KeyTab); b.typeText("h") }},
	{"editing", func(b *bench) { b.press(tea.KeyCtrlB) }},
	{"panels hidden", func(b *bench) { b.press(tea.KeyTab, tea.KeyTab) }},
}

const markdownAnswer = "Three usual causes, **most likely first**:\n\n1. No timeout. `http.Client{}` waits for ever.\n2. Body not drained:\n\n" +
	"```go\nresp, err := client.Do(req)\nif err != nil {\n\treturn err\n}\n```\n\n| cause | fix |\n|---|---|\n| no timeout | set one |\n\x1b[2J"

// newViewBench has asked a question that a model that streams has answered.
func newViewBench(t *testing.T, w, h int) *bench {
	b, e := newBench(t, w, h)
	b.cfg.Models = Models{
		List:   func(context.Context, Choice) ([]Model, error) { return someModels[:4], nil },
		Look:   func(context.Context, string, Choice) (Model, error) { return someModels[4], nil },
		Remove: func(context.Context, string) error { return nil },
		Pack:   func(context.Context, string, func(done, total int64)) error { return nil },
	}
	b.catalog.files = someModels[4:]
	b.modelID = "qwen3-4b"
	b.prefs = settings.Default()
	b.ask("Why does my Go HTTP client leak goroutines?")
	for i := range 40 {
		b.clock = b.clock.Add(100 * time.Millisecond)
		n := uint64(i + 1)
		e.stats = infer.Stats{
			ContextMax: 4096, ContextUsed: 412 + i, Decoding: true, Mode: "exact", Workers: 4, Budget: 5e9, WeightBytes: 3e9, KVBytes: 4e8,
			PrefillTokens: 412, PrefillNs: 132e7, DecodeTokens: n, DecodeNs: n * 147e6, StallNs: n * 38e6, ManageNs: n * 9e6,
			FlashReads: n * 40, FlashBytes: n * 92e6, FlashBusyNs: n * 50e6, QueueDepth: 7,
			Hot:  infer.RegionStats{Hits: n * 2000, Misses: n * 20, Capacity: 18e8, Used: 17e8},
			Cold: infer.RegionStats{Hits: n * 700, Misses: n * 150, Evictions: n * 31, Capacity: 12e8, Used: 12e8},
		}
		for w := range 4 {
			e.stats.ComputeNs[w] = n * uint64(96-8*w) * 1e6
		}
		b.drain()
	}
	b.answerWith(markdownAnswer, infer.EndOfTurn, nil)
	return b
}

func (h *hand) Heat(picture *infer.Heat) {
	picture.Layers, picture.Columns = 8, 64
	picture.Cells = make([]infer.Warmth, 8*64)
	for i := range picture.Cells {
		picture.Cells[i] = infer.Warmth(i * 7 / 64 % 4)
	}
}

// TestViews shows every screen at the three sizes that count.
func TestViews(t *testing.T) {
	for _, size := range screenSizes {
		for _, v := range views {
			t.Run(fmt.Sprintf("%s at %dx%d", v.name, size[0], size[1]), func(t *testing.T) {
				b := newViewBench(t, size[0], size[1])
				b.toast.text = ""
				v.open(b)
				golden.RequireEqual(t, b.screen())
			})
		}
	}
}

// TestEveryViewFitsEverySize opens every screen and changes the size of the window, with ASCII and without colours too.
func TestEveryViewFitsEverySize(t *testing.T) {
	for _, v := range views {
		b := newViewBench(t, 80, 24)
		v.open(b)
		for _, ascii := range []bool{false, true} {
			if ascii {
				b.setTheme(look.New(true, true))
			}
			for w := 1; w <= 130; w += 1 + w/6 {
				for _, h := range []int{1, 2, 3, 4, 5, 7, 10, 15, 16, 19, 24, 40} {
					b.Update(tea.WindowSizeMsg{Width: w, Height: h})
					lines := strings.Split(b.View(), "\n")
					if len(lines) != h {
						t.Fatalf("%s at %dx%d: %d rows", v.name, w, h, len(lines))
					}
					for _, line := range lines {
						if n := ansi.StringWidth(line); n > w {
							t.Fatalf("%s at %dx%d: a row of %d cells: %q", v.name, w, h, n, line)
						}
						if strings.Contains(line, "\x1b]") || strings.Contains(line, "\x1b[2J") {
							t.Fatalf("%s at %dx%d: what is not ours reached the terminal: %q", v.name, w, h, line)
						}
					}
				}
			}
		}
	}
}

// TestKeysNeverPanic presses keys at random in every screen.
func TestKeysNeverPanic(t *testing.T) {
	pressed := []tea.KeyMsg{}
	for _, k := range []tea.KeyType{tea.KeyEnter, tea.KeyEsc, tea.KeyUp, tea.KeyDown, tea.KeyLeft, tea.KeyRight, tea.KeyPgUp, tea.KeyPgDown, tea.KeyHome, tea.KeyEnd,
		tea.KeyTab, tea.KeyBackspace, tea.KeyCtrlB, tea.KeyCtrlF, tea.KeyCtrlG, tea.KeyCtrlJ, tea.KeyCtrlN, tea.KeyCtrlO, tea.KeyCtrlP, tea.KeyCtrlR, tea.KeyCtrlS,
		tea.KeyCtrlT, tea.KeyCtrlU, tea.KeyCtrlX, tea.KeyCtrlY} {
		pressed = append(pressed, tea.KeyMsg{Type: k})
	}
	for _, r := range "/?0159abcdehinoprxyu " {
		pressed = append(pressed, tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
	}
	b, _ := newKept(t, 80, 24)
	b.dash.sensors = panels.NewSensors(nil)
	b.cfg.Models = Models{
		List: func(context.Context, Choice) ([]Model, error) { return someModels, nil },
		Load: func(context.Context, string, Choice, func(done, total int64)) (Engine, error) { return b.engine, nil },
	}
	state := uint32(1)
	for i := range 3000 {
		state = state*1664525 + 1013904223
		k := pressed[state>>8%uint32(len(pressed))]
		b.Update(k)
		switch {
		case b.loading != nil:
			b.Update(loadMsg{load: b.loading, engine: &hand{b: b}})
		case i%37 == 0 && b.answer != nil && b.answer.gen != nil:
			b.answerWith("text", infer.EndOfTurn, nil)
		case i%101 == 0:
			b.Update(tea.WindowSizeMsg{Width: 1 + int(state%120), Height: 1 + int(state>>8%40)})
		case i%11 == 0:
			b.Update(tea.MouseMsg{X: int(state % 80), Y: int(state >> 8 % 24), Action: tea.MouseActionPress, Button: tea.MouseButtonLeft})
		}
		b.View()
	}
}
