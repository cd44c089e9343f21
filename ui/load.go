package ui

import (
	"sync/atomic"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// load is the model on its way into memory.
type load struct {
	started     time.Time
	done, total atomic.Int64  // bytes
	ready       chan struct{} // one slot: the numbers have changed, or loading has ended
}

// loadMsg ends loading; loadProgressMsg says that its numbers have changed.
type (
	loadMsg struct {
		engine Engine
		err    error
	}
	loadProgressMsg struct{}
)

func newLoad(now time.Time) *load {
	return &load{started: now, ready: make(chan struct{}, 1)}
}

func (l *load) signal() {
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

// await waits for progress.
func (l *load) await() tea.Cmd {
	return atEdge(l.ready, l.started, func(time.Time) tea.Msg { return loadProgressMsg{} })
}

// run loads the model.
func (l *load) run(m *model) tea.Cmd {
	ctx, loader := m.ctx, m.cfg.Load
	return guard(func() tea.Msg {
		defer l.signal() // so that the last await ends
		engine, err := loader(ctx, func(done, total int64) {
			l.done.Store(done)
			l.total.Store(total)
			l.signal()
		})
		return loadMsg{engine, err}
	})
}

// loaded takes the engine, or tells why there is none.
func (m *model) loaded(msg loadMsg) tea.Cmd {
	m.loading = nil
	if msg.err != nil {
		m.report("The model could not be loaded: " + msg.err.Error())
		return nil
	}
	m.engine = msg.engine
	stats := m.engine.Stats()
	m.context, m.contextMax = stats.ContextUsed, stats.ContextMax
	if w := m.engine.Info().Warning; w != "" {
		m.say(w)
	}
	if m.cfg.Prompt == "" {
		return nil
	}
	return m.send(m.cfg.Prompt)
}
