package ui

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"hotcell/ui/look"
	"hotcell/ui/menu"
	"hotcell/ui/panels"
	"hotcell/ui/roles"
	"hotcell/ui/settings"
)

// sections are the headings of the settings screen and the keys below each. Model and role have menus of their own.
var sections = []struct {
	title string
	keys  []string
}{
	{"Screen", []string{"theme", "ascii", "panels", "fold_thoughts", "mouse", "keep_awake"}},
	{"Model, from the next loading on", []string{"context", "threads", "mode", "budget"}},
	{"Sampling, in front of every role's own", []string{"sampling.temperature", "sampling.top_k", "sampling.top_p", "sampling.min_p",
		"sampling.repeat_penalty", "sampling.presence_penalty", "sampling.frequency_penalty", "sampling.seed", "sampling.max_tokens"}},
}

// unset is how a setting is shown that leaves the role's own value.
const unset = "the role's"

// openSettings shows the settings; each change counts at once.
func (m *model) openSettings() tea.Cmd {
	s := m.prefs
	f := &menu.Form{Theme: m.theme, Title: "Settings", Note: "saved at once", Subject: &s}
	for _, section := range sections {
		f.Fields = append(f.Fields, menu.Field{Label: section.title})
		for _, key := range section.keys {
			if field, ok := settings.Find(key); ok {
				f.Fields = append(f.Fields, settingField(&s, field))
			}
		}
	}
	f.Fields = append(f.Fields, menu.Field{Label: "What this device lets us read"})
	f.Fields = append(f.Fields, m.readable()...)
	m.open(f)
	return m.sense()
}

// readable are the measurements that the system gives or withholds, as facts.
func (m *model) readable() []menu.Field {
	in := m.dash.in
	fact := func(label string, ok bool, yes, no, help string) menu.Field {
		text := no
		if ok {
			text = yes
		}
		return menu.Field{Label: label, Help: help, Value: func() string { return text }}
	}
	clocks := slices.ContainsFunc(in.Clusters, func(c panels.Cluster) bool { return c.GHz.OK })
	return []menu.Field{
		fact("temperature", in.Thermal.Celsius.OK, look.Label(in.Thermal.Zone), "not readable", "Android hides the sensors from most apps; adb shell may read them."),
		fact("clocks of the cores", clocks, "yes", "not readable", "The clock now and the highest that is allowed: the honest sign of throttling."),
		fact("our memory", in.Process.Anon.OK, "yes", "not readable", "RssAnon, RssFile and VmSwap of this process."),
	}
}

// settingField is a setting as a row of the form. The settings' own table says what it may be.
func settingField(s *settings.Settings, field settings.Field) menu.Field {
	label := strings.ReplaceAll(strings.TrimPrefix(field.Key, "sampling."), "_", " ")
	text := func() string { return field.Text(*s) }
	f := menu.Field{
		Label: label, Help: sentence(field.About), Text: text,
		Value: func() string {
			switch t := text(); {
			case t == "" && field.Optional():
				return unset
			case field.Key == "context" && t == "0":
				return "the model's"
			case t == "0" && (field.Key == "threads" || field.Key == "budget"):
				return "auto"
			case t == "true":
				return "on"
			case t == "false":
				return "off"
			default:
				return t
			}
		},
		Step: func(n int) { step(s, field, n) },
		Set:  func(text string) error { return field.Set(s, text) },
	}
	if len(field.Choices) > 0 {
		f.Set = nil
	}
	if field.Optional() {
		f.Reset = func() { _ = field.Set(s, "") } // an optional setting can always be unset
	}
	if most := field.Most; field.Optional() && most > 0 && most <= 5 && field.Least == 0 {
		f.Share = func() (float64, bool) {
			v, err := strconv.ParseFloat(text(), 64)
			return v / most, err == nil
		}
	}
	return f
}

// sentence makes a line of the settings' table one.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

// step takes the next value of a setting, or the one before. What is out of range is not taken.
func step(s *settings.Settings, field settings.Field, n int) {
	text := field.Text(*s)
	if len(field.Choices) > 0 {
		i := slices.Index(field.Choices, text)
		_ = field.Set(s, field.Choices[(i+n+len(field.Choices))%len(field.Choices)])
		return
	}
	v, _ := strconv.ParseFloat(text, 64)
	switch {
	case field.Key == "context":
		v = float64(double(int(v), n, 512, 128<<10))
	case field.Key == "budget":
		v = float64(double(int(v), n, 512, 64<<10))
	case field.Key == "sampling.max_tokens":
		v += 64 * float64(n)
	case field.Key == "sampling.top_k":
		v += 5 * float64(n)
	case field.Most <= 5 && field.Key != "sampling.seed":
		v += 0.05 * float64(n)
	default:
		v += float64(n)
	}
	v = max(field.Least, min(field.Most, v))
	_ = field.Set(s, strconv.FormatFloat(v, 'f', 2, 64))
	if field.Set(s, strconv.Itoa(int(v))) != nil || v != float64(int(v)) {
		_ = field.Set(s, strconv.FormatFloat(v, 'f', 2, 64))
	}
}

// double goes through 0, least, twice as much and so on.
func double(v, n, least, most int) int {
	switch {
	case n > 0 && v < least:
		return least
	case n > 0:
		return min(most, 2*v)
	case v <= least:
		return 0
	}
	return v / 2
}

// changed takes what a form has changed.
func (m *model) changed(f *menu.Form) tea.Cmd {
	switch subject := f.Subject.(type) {
	case *roles.Role:
		return m.saveRole(f, *subject)
	case *settings.Settings:
		after := *subject
		after.Model, after.Role = m.prefs.Model, m.prefs.Role // these change elsewhere
		cmd := m.setSettings(after)
		f.Theme = m.theme
		return cmd
	}
	return nil
}

// setSettings makes settings hold, and keeps what is different.
func (m *model) setSettings(after settings.Settings) tea.Cmd {
	before := m.prefs
	m.prefs = after
	if after.Theme != before.Theme || after.ASCII != before.ASCII {
		m.applyTheme()
	}
	m.dash.shown = after.Panels != "hidden"
	if after.FoldThoughts != before.FoldThoughts {
		m.chat.unfolded = !after.FoldThoughts
		m.chat.settle()
	}
	path := m.cfg.Settings
	if path == "" {
		return nil
	}
	return m.saveSettings(path, before, after)
}

// saveSettings writes the fields that differ, so that another program's changes of others survive. Writes happen one after another.
func (m *model) saveSettings(path string, before, after settings.Settings) tea.Cmd {
	wait, done := m.settingsSaved, make(chan struct{})
	m.settingsSaved = done
	return m.later(func() tea.Msg {
		defer close(done)
		if wait != nil {
			<-wait
		}
		_, err := settings.Change(path, func(s *settings.Settings) {
			for _, f := range settings.Fields {
				if text := f.Text(after); text != f.Text(before) {
					_ = f.Set(s, text) // it was accepted before
				}
			}
		})
		if err != nil {
			return menuMsg(func(m *model) tea.Cmd { return m.toastFor(err.Error(), longToast) })
		}
		return nil
	})
}

// setSetting changes one setting by its name.
func (m *model) setSetting(key, text string) tea.Cmd {
	field, ok := settings.Find(key)
	if !ok {
		var names []string
		for _, f := range settings.Fields {
			names = append(names, strings.TrimPrefix(f.Key, "sampling."))
		}
		m.say("There is no setting " + look.Label(key) + ". The settings are " + strings.Join(names, ", ") + ".")
		return nil
	}
	after := m.prefs
	if err := field.Set(&after, text); err != nil {
		return m.toastFor(err.Error(), longToast)
	}
	return m.setSettings(after)
}

// setAction checks a setting that was typed in a prompt, and is the action that makes it hold.
func (m *model) setAction(key, text string) (menu.Action, error) {
	field, ok := settings.Find(key)
	if !ok {
		return nil, errors.New("there is no such setting")
	}
	s := m.prefs
	if err := field.Set(&s, text); err != nil {
		return nil, err
	}
	return menu.Run{Line: fmt.Sprintf("set %s %s", key, text)}, nil
}

// applyTheme makes the look follow the settings.
func (m *model) applyTheme() {
	lipgloss.SetHasDarkBackground(dark(m.cfg, m.prefs))
	m.setTheme(look.New(m.theme.NoColor, m.cfg.ASCII || m.prefs.ASCII))
	m.layout()
}

// remember keeps which model is used, so that the next start loads it.
func (m *model) remember() tea.Cmd {
	if m.cfg.Role == nil && m.prefs.Role == "" { // no role was chosen, so it follows the model
		if role, err := m.roles.Get(suits(m.modelID)); err == nil {
			m.role = role
		}
	}
	if m.cfg.Model != "" && m.modelID == m.cfg.Model {
		return m.noteUse() // asked for once, not chosen
	}
	after := m.prefs
	after.Model = m.modelID
	if after.Model == m.prefs.Model || m.prefs.Model == "" && m.modelID == m.firstModel() {
		return m.noteUse()
	}
	return tea.Batch(m.noteUse(), m.setSettings(after))
}
