package ui

import (
	"os"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/infer"
	"hotcell/planner"
	"hotcell/ui/look"
	"hotcell/ui/menu"
	"hotcell/ui/panels"
)

// senseEvery is how often the system is asked for memory, heat and clocks while something goes on, and how often a panel
// that has the whole screen is drawn when nothing goes on.
const senseEvery = time.Second

// dashboard is the panels and what is fed to them.
type dashboard struct {
	view    *panels.Dashboard
	shown   bool
	in      panels.Input // the newest sample
	sensors *panels.Sensors
	sensing bool
	sensed  time.Time
	ticking bool
	rows    []string // the last drawing
	w, h    int
}

func (d *dashboard) setTheme(t look.Theme) {
	p := panels.Theme{Text: t.Plain(), OK: t.OK, Warn: t.Warn, Bad: t.Bad, Accent: t.Accent, Dim: t.Dim, Border: t.Border}
	if t.ASCII {
		p.Glyphs = panels.ASCII
	}
	d.rows = nil
	if d.view == nil {
		d.view = panels.New(p)
		d.sensors = panels.NewSensors(os.DirFS("/"))
		return
	}
	d.view.SetTheme(p)
}

// sample takes the engine's counters; a is the answer in the making, nil when there is none.
func (d *dashboard) sample(at time.Time, stats infer.Stats, a *answer) {
	d.in.At, d.in.Stats, d.in.Prefill = at, stats, infer.Progress{}
	if a != nil {
		d.in.Prefill = a.prefill
		if a.message.speed.ttftSet {
			d.in.TTFT = a.message.speed.ttft
		}
	}
	d.view.Add(d.in)
	d.rows = nil
}

// draw draws the panels into a region, anew only when there is something new.
func (d *dashboard) draw(w, h int) []string {
	if d.rows == nil || w != d.w || h != d.h {
		d.w, d.h = w, h
		d.rows = d.view.Draw(w, h)
	}
	return d.rows
}

// sensedMsg brings what the system tells.
type sensedMsg panels.Input

// sense asks the system, at most every senseEvery; it reads files, so it is a command.
func (m *model) sense() tea.Cmd {
	d := &m.dash
	if d.sensing || m.now().Sub(d.sensed) < senseEvery {
		return nil
	}
	d.sensing, d.sensed = true, m.now()
	in, sensors := panels.Input{Clusters: slices.Clone(m.cfg.Clusters)}, d.sensors
	return guard(func() tea.Msg {
		sensors.Update(time.Now(), &in)
		return sensedMsg(in)
	})
}

func (m *model) sensedNow(msg sensedMsg) {
	d := &m.dash
	d.sensing = false
	d.in.Process, d.in.Thermal, d.in.Clusters = msg.Process, msg.Thermal, msg.Clusters
	if m.engine != nil && m.answer == nil {
		d.sample(m.now(), m.engine.Stats(), nil)
	}
}

// nextDash goes from the dashboard beside the chat to one panel on the whole screen; from there it is hidden, and shown again by the
// same key.
func (m *model) nextDash() tea.Cmd {
	if m.engine == nil {
		return m.toastFor("the dashboard comes with a loaded model", longToast)
	}
	if !m.dash.shown {
		return m.showDash(true)
	}
	return m.openPanel(panels.None)
}

// showDash shows or hides the dashboard beside the chat, also the next time.
func (m *model) showDash(shown bool) tea.Cmd {
	m.dash.shown = shown
	word := "auto"
	if !shown {
		word = "hidden"
	}
	return m.setSetting("panels", word)
}

// planned is an engine that runs by a plan.
type planned interface{ Plan() *planner.Plan }

// expect takes what the engine's plan promises.
func (d *dashboard) expect(e Engine) {
	d.in.Plan = nil
	p, ok := e.(planned)
	if !ok || p.Plan() == nil || p.Plan().Expected.TokensPerSec == 0 { // without a profile of the device nothing is promised
		return
	}
	plan := p.Plan()
	d.in.Plan = &panels.Plan{
		Name:         plan.Name,
		TokensPerSec: panels.Known(plan.Expected.TokensPerSec, true),
		HitRate:      panels.Known(plan.Expected.HitRate, true),
		StallShare:   panels.Known(plan.Expected.StallShare, true),
	}
}

// heater is an engine that can show where its neurons are.
type heater interface{ Heat(*infer.Heat) }

// openPanel gives a panel the whole screen.
func (m *model) openPanel(id panels.ID) tea.Cmd {
	m.open(m.panelScreen(id))
	return m.tick()
}

func (m *model) panelScreen(id panels.ID) *menu.Panels {
	var heat func() *infer.Heat
	if h, ok := m.engine.(heater); ok {
		picture := new(infer.Heat)
		heat = func() *infer.Heat {
			picture.Columns = max(1, m.w) // as many as can be seen
			h.Heat(picture)
			return picture
		}
	}
	return menu.NewPanels(m.theme, m.dash.view, id, heat)
}

func (m *model) openHeat() tea.Cmd {
	if m.engine == nil {
		return m.toastFor("no model is loaded", longToast)
	}
	s := m.panelScreen(panels.None)
	s.ShowHeat()
	m.open(s)
	return m.tick()
}

// openPanelAt opens the panel under a cell of the dashboard.
func (m *model) openPanelAt(x, y int) tea.Cmd {
	r := m.rects.Dash
	if m.rects.Framed {
		x, y, r.W, r.H = x-2, y-1, r.W-4, r.H-2
	}
	return m.openPanel(panels.At(panels.Arrange(r.W, r.H, m.dash.view.Shown()), x, y))
}

// tickMsg comes every senseEvery while a panel has the whole screen.
type tickMsg struct{}

// tick takes a sample and asks for the next tick as long as a panel has the whole screen. A dashboard beside an idle chat needs none.
func (m *model) tick() tea.Cmd {
	_, onTop := m.top().(*menu.Panels)
	if !onTop || m.engine == nil {
		m.dash.ticking = false
		return nil
	}
	if m.answer == nil {
		m.dash.sample(m.now(), m.engine.Stats(), nil)
	}
	m.dash.ticking = true
	return tea.Batch(m.sense(), tea.Tick(senseEvery, func(time.Time) tea.Msg { return tickMsg{} }))
}
