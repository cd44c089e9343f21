package ui

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/infer"
	"hotcell/ui/field"
	"hotcell/ui/look"
	"hotcell/ui/menu"
	"hotcell/ui/roles"
	"hotcell/ui/settings"
)

// How the screen comes to be. Messages walk down, what is drawn walks to the right:
//
//	keyboard ─ ttyIn ──── tea.KeyMsg ────┐
//	terminal ──────── tea.WindowSizeMsg ─┤
//	load.run ─ progress ─ progressMsg ───┤     model.Update           model.View
//	         └ engine ─── loadMsg ───────┤  ┌▶ the only place ──────▶ Layout ─▶ Rects
//	infer.Generation                     ├──┤  where anything           ├ drawHeader
//	  Append, SetPrefill (engine)        │  │  changes                  ├ dashboard.draw
//	  Ready ─ atEdge ──── drainMsg ──────┤  └▶ top screen of the ──────┐├ chatView.draw
//	later ─ disk ──────── laterMsg ──────┤     stack: Key, Click       ││ drawStatus
//	tea.Tick ──────────── toastMsg ──────┤       │ menu.Action         ││ field.Lines
//	a command's panic ─── crashMsg ──────┘       └▶ model.perform      │└ drawHint
//	                                                                   └ Screen.Draw
//
// The engine never waits for the screen: it appends to the generation, and atEdge lets the model take
// what has come at most once per drawEvery. When nothing happens no message comes and nothing is drawn.

// drawEvery is the least time between two updates from the engine.
const drawEvery = 80 * time.Millisecond

// How long a short message stands, and how soon a key must follow the one that asked for it.
const (
	soon      = time.Second
	longToast = 4 * time.Second
)

// model is the whole app, the only Bubble Tea model. Its parts are plain structs that draw themselves.
type model struct {
	ctx   context.Context // ends with the program; the engine's work hangs on it
	cfg   Config
	theme look.Theme
	now   func() time.Time
	copy  func(text string) (how string, err error) // puts text on the clipboard

	w, h    int
	started bool // the first size is known, so what takes time was begun
	rects   Rects
	chat    chatView
	input   field.Field
	dash    dashboard
	screens []menu.Screen // over the chat, the last on top
	mouse   bool          // the terminal was asked to report the mouse

	prefs         settings.Settings
	settingsSaved chan struct{} // closed when the newest change of them is on disk
	awake         awake
	archive       archive
	talk          talk
	edit          *edit // nil when no question is being edited
	recall        recall
	waiting       bool // the draft is to be sent as soon as all is loaded
	roles         *roles.Folder
	role          roles.Role

	modelID string  // of the engine, or of the model on its way
	loading *load   // nil when the model is loaded or could not be
	engine  Engine  // nil until then
	answer  *answer // nil when nothing is being generated
	work    *work   // a long operation besides; nil when there is none
	catalog catalog

	context, contextMax int // tokens
	last                speed
	hasLast             bool
	deleted             int64 // the chat that was deleted last, for undo
	pending             int   // work that has been begun by later and has not ended

	toast toast
	again second
	crash *crashMsg
}

// toast is a short message in the status line.
type toast struct {
	text string
	no   int // counts toasts, so that an old one's end does not clear a new one
}

// second is until when a key's second press counts.
type second struct{ stop, quit time.Time }

// newModel makes the app. The theme must be that of prefs.
func newModel(ctx context.Context, cfg Config, t look.Theme, prefs settings.Settings, now func() time.Time) *model {
	m := &model{ctx: ctx, cfg: cfg, now: now, prefs: prefs, copy: func(string) (string, error) { return "", errNoClipboard }}
	m.input = field.New(t, "Write a message")
	m.setTheme(t)
	m.dash.shown = prefs.Panels != "hidden"
	m.chat.unfolded = !prefs.FoldThoughts
	m.roles = roles.Open(filepath.Join(cfg.DataDir, "roles"))
	m.modelID = m.firstModel()
	m.role = m.firstRole()
	m.loading = newLoad(now())
	return m
}

// toastMsg ends the toast of that number.
type toastMsg int

// atEdge is a command that waits for ready and then for the next edge of a clock that ticks every
// drawEvery from start on, so that many small changes become one message.
func atEdge(ready <-chan struct{}, start time.Time, msg func(at time.Time) tea.Msg) tea.Cmd {
	return guard(func() tea.Msg {
		<-ready
		at := time.Now()
		time.Sleep(drawEvery - at.Sub(start)%drawEvery)
		return msg(at)
	})
}

// startMsg comes when the first frame is on screen: what takes time begins then.
type startMsg struct{}

// Init does nothing: the first frame must not wait.
func (m *model) Init() tea.Cmd { return nil }

// Update changes the model by one message.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := m.update(msg)
	m.layout()
	return m, tea.Batch(cmd, m.mouseMode())
}

func (m *model) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.w, m.h = msg.Width, msg.Height
		if !m.started {
			m.started = true
			return tea.Tick(drawEvery, func(time.Time) tea.Msg { return startMsg{} })
		}
	case startMsg:
		return tea.Batch(m.openStore(), m.sense())
	case drainMsg:
		return m.drain(msg)
	case laterMsg:
		m.pending--
		return m.update(msg.result)
	case storeMsg:
		return m.opened(msg)
	case resumedMsg:
		return m.resumed(msg)
	case branchMsg:
		return m.branched(msg)
	case begunMsg:
		return m.begun(msg)
	case appendedMsg:
		m.appended(msg)
	case failedMsg:
		m.report(msg.what + ": " + msg.err.Error())
	case loadMsg:
		return m.loaded(msg)
	case progressMsg:
		return m.progressed(msg)
	case menuMsg:
		return msg(m)
	case tickMsg:
		return m.tick()
	case sensedMsg:
		m.sensedNow(msg)
	case toastMsg:
		if int(msg) == m.toast.no {
			m.toast.text = ""
		}
	case crashMsg:
		m.crash = &msg
		return tea.Quit
	case tea.KeyMsg:
		return m.key(msg)
	case tea.MouseMsg:
		return m.mouseEvent(tea.MouseEvent(msg))
	}
	return nil
}

// laterMsg is the end of work; result says what came of it and may be nil.
type laterMsg struct{ result tea.Msg }

// later makes a command of work that ends by itself, such as reading a file.
func (m *model) later(f func() tea.Msg) tea.Cmd {
	m.pending++
	return guard(func() tea.Msg { return laterMsg{f()} })
}

// menuMsg is what work for a menu found, as a change of the model.
type menuMsg func(m *model) tea.Cmd

// layout fits the parts to the screen. It runs after every message, since a draft may have grown.
func (m *model) layout() {
	args := Args{W: m.w, H: m.h, Dash: m.dash.shown && m.engine != nil, Strip: m.prefs.Panels == "strip"}
	w, _ := Layout(args).InputText()
	m.input.SetWidth(w) // on which the draft's rows depend
	args.Input = m.input.Rows()
	rects := Layout(args)
	m.input.SetSize(rects.InputText())
	if rects != m.rects {
		m.rects = rects
		m.chat.setSize(rects)
	}
}

// setTheme changes the look of everything.
func (m *model) setTheme(t look.Theme) {
	m.theme, m.chat.theme, m.chat.sheet = t, t, sheetOf(t)
	for _, s := range m.chat.messages {
		s.prose = prose{}
	}
	text := m.input.Value()
	m.input = field.New(t, "Write a message")
	m.input.Set(text)
	m.dash.setTheme(t)
}

// start sends what waited for the model and the chats: a message that was typed before, or the first one that was asked for.
func (m *model) start() tea.Cmd {
	if m.cannotAnswer() != "" || m.cfg.Resume {
		return nil
	}
	if m.waiting {
		m.waiting, m.toast.text = false, ""
		return m.enter()
	}
	if m.cfg.Prompt == "" {
		return nil
	}
	text := m.cfg.Prompt
	m.cfg.Prompt = ""
	return m.send(text, len(m.chat.messages))
}

// options are how the next answer is to be sampled: the role's, changed by what the user has set.
func (m *model) options() infer.Options {
	o := infer.Options{MaxTokens: m.role.MaxTokens, Sampling: m.role.Sampling}
	o = m.prefs.Sampling.Apply(o)
	if m.cfg.Sampling != nil {
		m.cfg.Sampling(&o)
	}
	return o
}

// askQuit stops the answer at once, and quits at the second press.
func (m *model) askQuit() tea.Cmd {
	now := m.now()
	if !now.After(m.again.quit) {
		return m.quit()
	}
	m.again.quit = now.Add(soon)
	if m.answer != nil {
		m.answer.stop()
	}
	return m.toastFor("press ^C again to quit", soon)
}

func (m *model) quit() tea.Cmd { return tea.Quit }

// say adds a sentence of ours to the chat.
func (m *model) say(s string) { m.chat.add(&message{kind: fromApp, text: s, at: m.now()}) }

// report adds a sentence about a failure to the chat.
func (m *model) report(s string) {
	m.chat.add(&message{kind: fromApp, text: s, at: m.now(), failed: true})
}

// toastFor shows a short message in the status line for a while.
func (m *model) toastFor(s string, d time.Duration) tea.Cmd {
	m.toast.text = look.Label(s)
	m.toast.no++
	no := m.toast.no
	return tea.Tick(d, func(time.Time) tea.Msg { return toastMsg(no) })
}

// paste puts text into the draft.
func (m *model) paste(text string) tea.Cmd {
	lines := strings.Count(text, "\r") + strings.Count(text, "\n")
	if !m.input.Insert(text) {
		return m.toastFor(fmt.Sprintf("the text was cut: a message has at most %d characters", field.Longest), longToast)
	}
	if lines >= 10 {
		return m.toastFor(fmt.Sprintf("pasted %d lines, %d characters", lines+1, len([]rune(text))), longToast)
	}
	return nil
}
