package ui

import (
	"cmp"
	"path/filepath"
	"strings"

	"hotcell/ui/keys"
	"hotcell/ui/look"
)

// View draws the screen: exactly h lines, none wider than w.
func (m *model) View() string {
	if m.w <= 0 || m.h <= 0 {
		return ""
	}
	if top := m.top(); top != nil {
		return m.screen(m.withToast(top.Draw(m.w, m.h)))
	}
	t, r := m.theme, m.rects
	var rows []string
	header := make([]string, 0, 2)
	if r.Header.H > 0 {
		header = drawHeader(t, m.header(), r.Header)
	}
	besides := r.dashInHeader()
	switch {
	case besides && len(header) > 0: // a piece of the header
		rows = append(rows, look.Pad(header[0], r.Dash.X)+m.dash.draw(r.Dash.W, 1)[0])
	case besides:
		rows = append(rows, m.dash.draw(r.Dash.W, 1)[0])
	default:
		rows = append(rows, header...)
	}
	chat := m.chat.draw()
	if r.Status.H > 0 {
		chat = append(chat, drawStatus(t, m.status(), r.Status, r.Boxed))
	}
	switch {
	case r.Dash.H == 0 || besides:
	case r.Wide:
		panels := m.dash.draw(r.Dash.W, r.Dash.H)
		wall := " " + t.Border.Render(t.Wall) + " "
		for i, row := range chat {
			chat[i] = look.Pad(look.Cut(row, r.Chat.W), r.Chat.W) + wall + look.LineAt(panels, i)
		}
	case r.Framed:
		rows = append(rows, t.Box(m.dashTitle(), m.dash.draw(r.Dash.W-4, r.Dash.H-2), r.Dash.W)...)
	default:
		rows = append(rows, m.dash.draw(r.Dash.W, r.Dash.H-1)...)
		rows = append(rows, t.RuleLine(r.Dash.W))
	}
	rows = append(rows, chat...)
	rows = append(rows, m.drawInput()...)
	if r.Hint.H > 0 {
		rows = append(rows, drawHint(t, m.hints(), m.edit != nil, r.Hint.W))
	}
	return m.screen(rows)
}

func (m *model) dashTitle() string { return "tab: more" }

// drawInput draws the draft, with a box around it where there is room.
func (m *model) drawInput() []string {
	t, r, text := m.theme, m.rects, m.input.Lines()
	var rows []string
	if !r.Boxed {
		for i := range r.Input.H {
			rows = append(rows, look.Cut(look.LineAt(text, i), r.Input.W))
		}
		return rows
	}
	edge := strings.Repeat(t.Rule, max(0, r.Input.W-2))
	w, h := r.InputText()
	wall := t.Border.Render(t.Wall)
	rows = append(rows, t.Border.Render(t.TopLeft+edge+t.TopRight))
	for i := range h {
		rows = append(rows, wall+" "+look.Pad(look.Cut(look.LineAt(text, i), w), w)+" "+wall)
	}
	return append(rows, t.Border.Render(t.BottomLeft+edge+t.BottomRight))
}

// withToast puts a short message over the last line of a menu.
func (m *model) withToast(rows []string) []string {
	if m.toast.text != "" && len(rows) > 0 {
		rows[len(rows)-1] = m.theme.Warn.Render(" " + m.theme.Fit(m.toast.text, m.w-2))
	}
	return rows
}

// hints are the keys that do something now.
func (m *model) hints() []keys.Action {
	switch {
	case m.edit != nil:
		return hintsEditing
	case m.engine == nil:
		return hintsNoModel
	case m.answer != nil:
		return hintsAnswering
	case m.lastAnswer() == nil:
		return hintsEmpty
	}
	return hintsIdle
}

// screen makes rows fit, whatever a part has drawn: a line that is too wide would wrap and move all
// below it.
func (m *model) screen(rows []string) string {
	for len(rows) < m.h {
		rows = append(rows, "")
	}
	for i, row := range rows {
		rows[i] = look.Cut(row, m.w)
	}
	return strings.Join(rows[:m.h], "\n")
}

func (m *model) header() headerData {
	return headerData{m.modelName(), m.roleName(), m.talk.title, m.context, m.contextMax, m.rects.dashInHeader()}
}

// status gathers what the status line shows.
func (m *model) status() statusData {
	d := statusData{phase: idle, toast: m.toast.text, newer: m.chat.scrolled, answer: m.last, hasAnswer: m.hasLast, editing: m.edit != nil}
	if m.rects.dashInHeader() {
		d.context = strings.TrimSpace(contextMeter(m.theme, m.context, m.contextMax, look.TinyW))
	}
	if m.work != nil {
		d.work, d.done, d.total = m.work.label, m.work.done.Load(), m.work.total.Load()
	}
	switch {
	case m.loading != nil:
		d.phase, d.done, d.total = loading, m.loading.done.Load(), m.loading.total.Load()
	case m.engine == nil:
		d.phase = unloaded
	case m.answer != nil:
		d.phase, d.now, d.prefill, d.answer = answering, m.answer.now, m.answer.prefill, m.answer.message.speed
		if m.answer.stopping {
			d.phase = stopping
		}
	case m.archive.opening:
		d.phase = opening
	default:
		d.info = m.engine.Info()
	}
	return d
}

func (m *model) modelName() string {
	if m.engine != nil {
		if name := m.engine.Info().Name; name != "" {
			return name
		}
	}
	if m.loading != nil && m.modelID == m.firstModel() && m.cfg.Name != "" {
		return m.cfg.Name
	}
	if filepath.IsAbs(m.modelID) {
		return filepath.Base(m.modelID)
	}
	return cmp.Or(m.modelID, "no model")
}
