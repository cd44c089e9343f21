package ui

import (
	"cmp"
	"fmt"
	"strconv"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/ui/look"
	"hotcell/ui/menu"
	"hotcell/ui/roles"
)

// roleForm edits a role in place; every change that is right is saved at once.
func (m *model) roleForm(r roles.Role) *menu.Form {
	role := &r
	s := &role.Sampling
	text := func(label, help string, p *string, multi bool) menu.Field {
		return menu.Field{Label: label, Help: help, Multi: multi, Text: func() string { return *p },
			Value: func() string { return cmp.Or(look.Label(*p), "none") },
			Set:   func(text string) error { *p = text; return nil }}
	}
	f := &menu.Form{Theme: m.theme, Title: role.Name, Note: "saved at once", Subject: role}
	f.Fields = []menu.Field{
		text("name", "Shown above each answer.", &role.Name, false),
		text("description", "One line for the list of roles.", &role.Description, false),
		text("system prompt", "Sent before the conversation.", &role.System, true),
		text("greeting", "Shown in an empty chat, never sent to the model.", &role.Greeting, true),
		text("model", "The model that this role wants: a name in the library or a file. Empty: any.", &role.Model, false),
		wholeField("most tokens", "Of one answer; 0: until the turn ends or the context is full.", &role.MaxTokens, 0, 8192, 64),
		{Label: "Sampling"},
		shareField("temperature", "0: always the likeliest token. Higher: more surprising.", &s.Temperature, 2),
		wholeField("top-k", "Choose among the k likeliest tokens; 0: all.", &s.TopK, 0, 200, 5),
		shareField("top-p", "Choose among the likeliest tokens that together reach this probability; 0 or 1: all.", &s.TopP, 1),
		shareField("min-p", "Choose among tokens at least this fraction as likely as the likeliest; 0: all.", &s.MinP, 1),
		shareField("repeat penalty", "Divides the logits of recent tokens; 1 or 0: off.", &s.RepeatPenalty, 2),
		shareField("presence penalty", "Subtracted once from the logit of each recent token.", &s.PresencePenalty, 2),
		shareField("frequency penalty", "Subtracted per occurrence among the recent tokens.", &s.FrequencyPenalty, 2),
	}
	return f
}

// shareField is a number between 0 and most with a slider.
func shareField(label, help string, p *float32, most float32) menu.Field {
	return menu.Field{
		Label: label, Help: help,
		Value: func() string { return fmt.Sprintf("%.2f", *p) },
		Share: func() (float64, bool) { return float64(*p / most), true },
		Step:  func(n int) { *p = float32(int(max(0, min(most, *p+0.05*float32(n)))*100+0.5)) / 100 },
		Set: func(text string) error {
			v, err := strconv.ParseFloat(text, 32)
			if err != nil || v < 0 || v > float64(most) {
				return fmt.Errorf("%s must be a number between 0 and %g", label, most)
			}
			*p = float32(v)
			return nil
		},
	}
}

// wholeField is a whole number that goes in steps.
func wholeField(label, help string, p *int, least, most, step int) menu.Field {
	return menu.Field{
		Label: label, Help: help,
		Value: func() string { return strconv.Itoa(*p) },
		Step:  func(n int) { *p = max(least, min(most, *p+n*step)) },
		Set: func(text string) error {
			v, err := strconv.Atoi(text)
			if err != nil || v < least {
				return fmt.Errorf("%s must be a whole number from %d on", label, least)
			}
			*p = v
			return nil
		},
	}
}

// saveRole keeps what a form has changed.
func (m *model) saveRole(f *menu.Form, r roles.Role) tea.Cmd {
	folder := m.roles
	return m.later(func() tea.Msg {
		saved, err := folder.Save(r)
		return menuMsg(func(m *model) tea.Cmd {
			if f.Wrong = ""; err != nil {
				f.Wrong = err.Error()
				return nil
			}
			f.Title = saved.Name
			if saved.ID == m.role.ID {
				m.role = saved
			}
			return m.listRoles()
		})
	})
}
