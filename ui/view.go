package ui

import "strings"

// View draws the screen: exactly h lines, none wider than w.
func (m *model) View() string {
	if m.w <= 0 || m.h <= 0 {
		return ""
	}
	if m.page != nil {
		return m.screen(m.page.draw(m.theme, m.w, m.h))
	}
	t, r := m.theme, m.rects
	var rows []string
	if r.Header.H > 0 {
		rows = append(rows, drawHeader(t, headerData{m.modelName(), m.roleName(), m.context, m.contextMax}, r.Header)...)
	}
	rows = append(rows, m.chat.draw()...)
	if r.Status.H > 0 {
		rows = append(rows, drawStatus(t, m.status(), r.Status, r.Boxed))
	}
	rows = append(rows, m.input.draw(r)...)
	if r.Hint.H > 0 {
		rows = append(rows, drawHint(t, m.hints(), r.Hint.W))
	}
	return m.screen(rows)
}

// hints are the keys that do something now.
func (m *model) hints() []action {
	switch {
	case m.engine == nil:
		return hintsNoModel
	case m.answer != nil:
		return hintsAnswering
	case len(conversation(Role{}, m.chat.messages)) == 0:
		return hintsEmpty
	}
	return hintsIdle
}

// screen makes rows fit, whatever a part has drawn: a line that is too wide would wrap and move all
// below it.
func (m *model) screen(rows []string) string {
	for i, row := range rows {
		rows[i] = cut(row, m.w)
	}
	return strings.Join(rows[:min(len(rows), m.h)], "\n")
}

// status gathers what the status line shows.
func (m *model) status() statusData {
	d := statusData{phase: idle, toast: m.toast, newer: m.chat.scrolled, answer: m.last, hasAnswer: m.hasLast}
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
	default:
		d.info = m.engine.Info()
	}
	return d
}

func (m *model) roleName() string {
	if name := sanitizeLabel(m.cfg.Role.Name); name != "" {
		return name
	}
	return "assistant"
}

func (m *model) modelName() string {
	if m.engine != nil {
		if name := m.engine.Info().Name; name != "" {
			return name
		}
	}
	if m.cfg.Model != "" {
		return m.cfg.Model
	}
	return "no model"
}
