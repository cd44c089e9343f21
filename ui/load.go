package ui

import (
	"cmp"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/models"
	"hotcell/ui/look"
)

// load is the model on its way into memory.
type load struct {
	started     time.Time
	before      string                 // the model that was loaded until now; "" if none
	cancel      func()                 // nil: it has not begun
	done, total atomic.Int64           // bytes
	ready       chan struct{}          // one slot: the numbers have changed, or loading has ended
	then        func(m *model) tea.Cmd // once it is loaded; may be nil
}

// loadMsg ends loading; progressMsg says that the numbers of a load or of a long operation have changed.
type (
	loadMsg struct {
		load   *load // nil: the first one
		engine Engine
		err    error
	}
	progressMsg struct{ of any }
)

func newLoad(now time.Time) *load {
	return &load{started: now, ready: make(chan struct{}, 1)}
}

func wake(ready chan struct{}) {
	select {
	case ready <- struct{}{}:
	default:
	}
}

// await waits for progress.
func (l *load) await() tea.Cmd {
	return atEdge(l.ready, l.started, func(time.Time) tea.Msg { return progressMsg{l} })
}

// run loads a model when the old engine has given its memory back.
func (l *load) run(m *model, id string, old Engine) tea.Cmd {
	ctx, cancel := context.WithCancel(m.ctx)
	l.cancel = cancel
	loader, choice := m.cfg.Models.Load, m.choice()
	return guard(func() tea.Msg {
		defer wake(l.ready) // so that the last await ends
		if c, ok := old.(io.Closer); ok {
			_ = c.Close() // it only frees memory
		}
		engine, err := loader(ctx, id, choice, func(done, total int64) {
			l.done.Store(done)
			l.total.Store(total)
			wake(l.ready)
		})
		return loadMsg{l, engine, err}
	})
}

// choice is how models are loaded: as the settings say, unless the program was started otherwise.
func (m *model) choice() Choice {
	c, p := m.cfg.Choice, m.prefs
	mode := p.Mode
	if mode == "auto" {
		mode = ""
	}
	return Choice{
		Context: cmp.Or(c.Context, p.Context), Threads: cmp.Or(c.Threads, p.Threads),
		Mode: cmp.Or(c.Mode, mode), Budget: cmp.Or(c.Budget, p.Budget),
	}
}

// loadModel changes the model. The conversation stays; its next answer comes from the new one.
func (m *model) loadModel(id string, then func(m *model) tea.Cmd) tea.Cmd {
	switch {
	case m.answer != nil:
		return m.busy()
	case m.loading != nil:
		return m.toastFor("wait, a model is being loaded", longToast)
	case m.work != nil:
		return m.toastFor("wait until "+m.work.label+" has ended, or /stop", longToast)
	}
	l := newLoad(m.now())
	l.then = then
	if m.engine != nil {
		l.before = m.modelID
	}
	old := m.engine
	m.engine, m.loading, m.modelID = nil, l, id
	m.hasLast = false
	return tea.Batch(l.run(m, id, old), l.await())
}

// loaded takes the engine, or tells why there is none.
func (m *model) loaded(msg loadMsg) tea.Cmd {
	l := m.loading
	if msg.load != nil && msg.load != l {
		return nil
	}
	if l != nil && l.cancel != nil {
		l.cancel() // it has ended
	}
	m.loading = nil
	if msg.err != nil {
		if errors.Is(msg.err, context.Canceled) {
			m.say("The model was not loaded: it was stopped.")
		} else {
			m.report("The model could not be loaded: " + msg.err.Error())
		}
		if l != nil && l.before != "" && l.before != m.modelID && m.ctx.Err() == nil {
			m.say("The model before it is loaded again.")
			return m.loadModel(l.before, nil)
		}
		if l != nil && l.before == "" && m.cfg.Model == "" && m.modelID != models.BuiltIn && m.ctx.Err() == nil { // it was remembered, not asked for
			m.say("The built-in model is loaded in its place.")
			return m.loadModel(models.BuiltIn, nil)
		}
		return nil
	}
	m.engine = msg.engine
	stats := m.engine.Stats()
	m.context, m.contextMax = stats.ContextUsed, stats.ContextMax
	m.dash.view.Reset()
	m.dash.expect(m.engine)
	m.dash.sample(m.now(), stats, nil)
	if w := m.engine.Info().Warning; w != "" {
		m.say(w)
	}
	m.fillModels()
	cmds := []tea.Cmd{m.remember(), m.start()}
	if l != nil && l.then != nil {
		cmds = append(cmds, l.then(m))
	}
	if l != nil && l.before != "" {
		cmds = append(cmds, m.toastFor("loaded "+look.Label(m.modelName()), longToast))
	}
	return tea.Batch(cmds...)
}

// progressed waits for the next progress of what is still going on.
func (m *model) progressed(msg progressMsg) tea.Cmd {
	switch of := msg.of.(type) {
	case *load:
		if of == m.loading {
			return of.await()
		}
	case *work:
		if of == m.work {
			return of.await()
		}
	}
	return nil
}

// work is a long operation beside the chat: packing, measuring, copying.
type work struct {
	label       string
	engine      bool // it uses the loaded engine, so nothing can be answered
	started     time.Time
	cancel      context.CancelFunc
	done, total atomic.Int64
	ready       chan struct{}
}

// await waits for progress.
func (w *work) await() tea.Cmd {
	return atEdge(w.ready, w.started, func(time.Time) tea.Msg { return progressMsg{w} })
}

// begin runs a long operation. What it returns is done to the model when it has ended.
func (m *model) begin(label string, usesEngine bool, f func(ctx context.Context, progress func(done, total int64)) menuMsg) tea.Cmd {
	if m.work != nil {
		return m.toastFor("wait until "+m.work.label+" has ended, or /stop", longToast)
	}
	ctx, cancel := context.WithCancel(m.ctx)
	w := &work{label: label, engine: usesEngine, started: m.now(), cancel: cancel, ready: make(chan struct{}, 1)}
	m.work = w
	return tea.Batch(w.await(), m.later(func() tea.Msg {
		defer wake(w.ready)
		defer cancel()
		then := f(ctx, func(done, total int64) {
			w.done.Store(done)
			w.total.Store(total)
			wake(w.ready)
		})
		return menuMsg(func(m *model) tea.Cmd {
			m.work = nil
			return then(m)
		})
	}))
}
