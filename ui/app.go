package ui

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// How the screen comes to be. Messages walk down, what is drawn walks to the right:
//
//	keyboard ─ ttyIn ──── tea.KeyMsg ────┐
//	terminal ──────── tea.WindowSizeMsg ─┤
//	load.run ─ progress ─ loadProgressMsg┤     model.Update          model.View
//	         └ engine ─── loadMsg ───────┼──▶ the only place ──▶ Layout ─▶ Rects
//	infer.Generation                     │    where anything        │
//	  Append, SetPrefill (engine)        │    changes               ├ drawHeader
//	  Ready ─ atEdge ──── drainMsg ──────┤                          ├ chatView.draw
//	tea.Tick ──────────── toastMsg ──────┤                          ├ drawStatus
//	a command's panic ─── crashMsg ──────┘                          ├ input.draw
//	                                                                └ drawHint
//
// The engine never waits for the screen: it appends to the generation, and atEdge lets the model take
// what has come at most once per drawEvery. When nothing happens no message comes and nothing is drawn.

// drawEvery is the least time between two updates from the engine.
const drawEvery = 80 * time.Millisecond

// How long a short message stands, and how soon a key must follow the one that asked for it.
const (
	again     = time.Second
	longToast = 4 * time.Second
)

// model is the whole app, the only Bubble Tea model. Its parts are plain structs that draw themselves.
type model struct {
	ctx   context.Context // ends with the program; the engine's work hangs on it
	cfg   Config
	theme theme
	now   func() time.Time

	w, h  int
	rects Rects
	chat  chatView
	input input
	page  *page // over the chat, or nil

	loading *load   // nil when the model is loaded or could not be
	engine  Engine  // nil until then
	answer  *answer // nil when nothing is being generated

	context, contextMax int // tokens
	last                speed
	hasLast             bool

	toast      string
	toastNo    int       // counts toasts, so that an old one's end does not clear a new one
	stopBefore time.Time // a second Esc before this stops
	quitBefore time.Time // a second ^C before this quits
	crash      *crashMsg
}

func newModel(ctx context.Context, cfg Config, t theme, now func() time.Time) *model {
	m := &model{ctx: ctx, cfg: cfg, theme: t, now: now, input: newInput(t)}
	m.chat.theme = t
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

// Init starts loading the model.
func (m *model) Init() tea.Cmd {
	return tea.Batch(m.loading.run(m), m.loading.await())
}

// Update changes the model by one message.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := m.update(msg)
	m.layout()
	return m, cmd
}

func (m *model) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.w, m.h = msg.Width, msg.Height
	case drainMsg:
		return m.drain(msg)
	case loadMsg:
		return m.loaded(msg)
	case loadProgressMsg:
		if m.loading != nil {
			return m.loading.await()
		}
	case toastMsg:
		if int(msg) == m.toastNo {
			m.toast = ""
		}
	case crashMsg:
		m.crash = &msg
		return tea.Quit
	case tea.KeyMsg:
		return m.key(msg)
	}
	return nil
}

// layout fits the parts to the screen. It runs after every message, since a draft may have grown.
func (m *model) layout() {
	rects := Layout(Args{W: m.w, H: m.h})
	w, _ := rects.InputText()
	m.input.setSize(w, m.input.h)
	rects = Layout(Args{W: m.w, H: m.h, Input: m.input.rows()})
	w, h := rects.InputText()
	m.input.setSize(w, h)
	if rects != m.rects {
		m.rects = rects
		m.chat.setSize(rects)
	}
}

// key routes a key. A terminal sends Alt as an Esc before the key, and nothing is bound to Alt, so what
// looks like Alt is an Esc and a key that came close behind it.
func (m *model) key(k tea.KeyMsg) tea.Cmd {
	if k.Paste {
		return m.paste(string(k.Runes))
	}
	if k.Alt {
		k.Alt = false
		return tea.Batch(m.press(tea.KeyMsg{Type: tea.KeyEsc}), m.press(k))
	}
	return m.press(k)
}

// paste puts text into the draft. Terminals send its newlines as carriage returns.
func (m *model) paste(text string) tea.Cmd {
	if m.page != nil {
		return nil
	}
	if !m.input.insert(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)) {
		return m.toastFor(fmt.Sprintf("the text was cut: a message has at most %d characters", longestDraft), longToast)
	}
	return nil
}

func (m *model) press(k tea.KeyMsg) tea.Cmd {
	a := actionOf(k.String())
	switch a {
	case quit:
		return m.askQuit()
	case redraw:
		return tea.ClearScreen
	}
	if m.page != nil {
		if m.page.handle(a, m.h) {
			m.page = nil
		}
		return nil
	}
	switch a {
	case send:
		return m.enter()
	case newline:
		m.input.insert("\n")
	case stop:
		return m.askStop()
	case retry:
		return m.retry()
	case complete:
		return m.completeCommand()
	case pageUp:
		m.chat.scrollBy(-max(1, m.chat.h-1))
	case pageDown:
		m.chat.scrollBy(max(1, m.chat.h-1))
	case lineUp, lineDown:
		if !m.input.empty() {
			m.input.key(k)
		} else if a == lineUp {
			m.chat.scrollBy(-1)
		} else {
			m.chat.scrollBy(1)
		}
	case help:
		if m.input.empty() {
			return m.openHelp()
		}
		m.input.key(k)
	default:
		if a != noAction || k.Type == tea.KeyRunes || k.Type == tea.KeySpace {
			m.input.key(k)
		}
	}
	return nil
}

// enter sends the draft, runs it as a command, or breaks the line when it ends with a backslash.
func (m *model) enter() tea.Cmd {
	draft := m.input.value()
	if strings.HasSuffix(draft, `\`) {
		m.input.set(strings.TrimSuffix(draft, `\`) + "\n")
		return nil
	}
	if cmd, isCommand := m.runCommand(draft); isCommand {
		return cmd
	}
	text := strings.TrimSpace(draft)
	switch {
	case text == "":
		return nil
	case m.answer != nil:
		return m.toastFor("wait, or press esc to stop the answer", longToast)
	case m.loading != nil:
		return m.toastFor("wait, the model is still loading", longToast)
	case m.engine == nil:
		return m.toastFor("no model is loaded", longToast)
	}
	m.input.set("")
	return m.send(text)
}

// send adds the user's message and asks for the answer.
func (m *model) send(text string) tea.Cmd {
	m.chat.add(&message{kind: fromUser, name: "you", text: text, at: m.now()})
	return m.startAnswer()
}

// retry takes the last answer away and asks for another one.
func (m *model) retry() tea.Cmd {
	if m.answer != nil {
		return m.toastFor("wait, or press esc to stop the answer", longToast)
	}
	kept := m.chat.messages
	for len(kept) > 0 && kept[len(kept)-1].kind != fromUser {
		kept = kept[:len(kept)-1]
	}
	if len(kept) == 0 || m.engine == nil {
		return m.toastFor("there is nothing to answer again yet", longToast)
	}
	m.chat.messages = kept
	return m.startAnswer()
}

func (m *model) newConversation() tea.Cmd {
	if m.answer != nil {
		return m.toastFor("wait, or press esc to stop the answer", longToast)
	}
	m.chat.clear()
	m.context, m.hasLast = 0, false
	return nil
}

// askStop stops the answer at the second press; one press is easily a slip, or half of an arrow key.
func (m *model) askStop() tea.Cmd {
	if m.answer == nil || m.answer.stopping {
		return nil
	}
	if now := m.now(); now.After(m.stopBefore) {
		m.stopBefore = now.Add(again)
		return m.toastFor("press esc again to stop", again)
	}
	return m.stopAnswer()
}

func (m *model) stopAnswer() tea.Cmd {
	m.toast, m.stopBefore = "", time.Time{}
	if m.answer == nil {
		return m.toastFor("nothing is being answered", longToast)
	}
	m.answer.stop()
	return nil
}

// askQuit stops the answer at once, and quits at the second press.
func (m *model) askQuit() tea.Cmd {
	now := m.now()
	if !now.After(m.quitBefore) {
		return m.quit()
	}
	m.quitBefore = now.Add(again)
	if m.answer != nil {
		m.answer.stop()
	}
	return m.toastFor("press ^C again to quit", again)
}

func (m *model) quit() tea.Cmd { return tea.Quit }

func (m *model) openHelp() tea.Cmd {
	m.page = helpPage(m.theme)
	return nil
}

func (m *model) openStats() tea.Cmd {
	if m.engine == nil {
		return m.toastFor("no model is loaded", longToast)
	}
	m.page = statsPage(m.theme, m.engine)
	return nil
}

// say adds a sentence of ours to the chat.
func (m *model) say(s string) { m.chat.add(&message{kind: fromApp, text: s, at: m.now()}) }

// report adds a sentence about a failure to the chat.
func (m *model) report(s string) {
	m.chat.add(&message{kind: fromApp, text: s, at: m.now(), failed: true})
}

// toastFor shows a short message in the status line for a while.
func (m *model) toastFor(s string, d time.Duration) tea.Cmd {
	m.toast = s
	m.toastNo++
	no := m.toastNo
	return tea.Tick(d, func(time.Time) tea.Msg { return toastMsg(no) })
}
