package menu

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/ui/keys"
	"hotcell/ui/look"
)

// Field is one row of a form. A field without Step and Set is a heading, or a fact when it has a Value.
type Field struct {
	Label string
	Help  string                  // sentences that explain it
	Value func() string           // as it is shown
	Share func() (float64, bool)  // where it stands between its ends, 0 to 1, if it has a value; nil: no slider
	Step  func(n int)             // one less or more
	Set   func(text string) error // takes what was typed
	Text  func() string           // what typing begins with; nil: Value
	Multi bool                    // several lines may be typed
	Reset func()                  // as it was made; nil: it cannot be
}

func (f *Field) heading() bool { return f.Value == nil }

// Form is a screen of values. Each change counts at once.
type Form struct {
	Theme   look.Theme
	Title   string
	Note    string
	Subject any // what the form is about
	Fields  []Field
	Wrong   string // why what stands here is not accepted

	at, top int
	page    int
	zones   zones
}

// Typing reports that no text is typed here: a prompt does that.
func (f *Form) Typing() bool { return false }

// Click is a tap.
func (f *Form) Click(x, y int) Action { return f.zones.click(x, y) }

// Key does what a key means in a form.
func (f *Form) Key(k tea.KeyMsg) Action {
	if k.Paste {
		return nil
	}
	return f.press(keys.Of(keys.InForms, k.String()))
}

func (f *Form) press(a keys.Action) Action {
	f.settle(1)
	field := &f.Fields[f.at]
	switch a {
	case keys.Back:
		return Close{}
	case keys.Up:
		f.at--
		f.settle(-1)
	case keys.Down:
		f.at++
		f.settle(1)
	case keys.PageUp:
		f.at -= max(1, f.page-1)
		f.settle(-1)
	case keys.PageDown:
		f.at += max(1, f.page-1)
		f.settle(1)
	case keys.Home:
		f.at = 0
		f.settle(1)
	case keys.End:
		f.at = len(f.Fields) - 1
		f.settle(-1)
	case keys.Less, keys.More:
		if field.Step == nil {
			return nil
		}
		n := 1
		if a == keys.Less {
			n = -1
		}
		field.Step(n)
		return Changed{f}
	case keys.Reset:
		if field.Reset == nil {
			return nil
		}
		field.Reset()
		return Changed{f}
	case keys.Choose:
		return f.choose(field)
	}
	return nil
}

// choose types a value, or takes the next one where nothing can be typed.
func (f *Form) choose(field *Field) Action {
	switch {
	case field.Set != nil:
		text := field.Value
		if field.Text != nil {
			text = field.Text
		}
		return Open{NewPrompt(f.Theme, field.Label, field.Help, text(), field.Multi, func(s string) (Action, error) {
			if err := field.Set(s); err != nil {
				return nil, err
			}
			return Changed{f}, nil
		})}
	case field.Step != nil:
		field.Step(1)
		return Changed{f}
	}
	return nil
}

// settle moves the cursor off headings, in the direction in which it went.
func (f *Form) settle(dir int) {
	f.at = max(0, min(f.at, len(f.Fields)-1))
	for range f.Fields {
		if !f.Fields[f.at].heading() {
			return
		}
		if f.at+dir < 0 || f.at+dir >= len(f.Fields) {
			dir = -dir
		}
		f.at += dir
	}
}

// Draw draws the rows and, where there is room, what the selected one means.
func (f *Form) Draw(w, h int) []string {
	t := f.Theme
	f.settle(1)
	actions := []keys.Action{keys.Choose, keys.Less, keys.Up, keys.Reset, keys.Back}
	return frame(t, look.Label(f.Title), f.Note, foot{keys.InForms, actions, f.press}, w, h, &f.zones, func(y, w, h int) []string {
		var help []string
		if f.Wrong != "" {
			help = append(help, look.Wrap(f.Wrong, max(1, w-4))...)
			for i := range help {
				help[i] = t.Bad.Render(help[i])
			}
		}
		field := &f.Fields[f.at]
		help = append(help, look.Wrap(field.Help, max(1, w-4))...)
		switch {
		case h >= 14:
			help = t.Box(field.Label, help, w)
		case h >= 6:
			help = indent(help[:min(len(help), 2)])
		default:
			help = nil
		}
		help = help[:min(len(help), h/2)]
		rows := h - len(help)
		f.page = max(1, rows)
		f.top = max(0, min(f.top, len(f.Fields)-rows))
		f.top = max(min(f.top, f.at), f.at-rows+1)
		if f.top == 1 && f.at < rows { // the first heading stays in view
			f.top = 0
		}
		var lines []string
		for i := f.top; i < min(len(f.Fields), f.top+rows); i++ {
			f.zone(y+len(lines), w, i)
			lines = append(lines, f.row(i, w))
		}
		return append(lines, help...)
	})
}

// zone makes a row tappable: the first tap selects it, the next one at its left or right end takes less or more, and
// elsewhere chooses.
func (f *Form) zone(y, w, i int) {
	if f.Fields[i].heading() {
		return
	}
	tap := func(a keys.Action) func() Action {
		return func() Action {
			if f.at != i {
				f.at = i
				return nil
			}
			if a != keys.Choose && f.Fields[i].Step == nil {
				a = keys.Choose
			}
			return f.press(a)
		}
	}
	third := w / 3
	f.zones.add(0, y, third, 1, tap(keys.Choose))
	f.zones.add(third, y, third, 1, tap(keys.Less))
	f.zones.add(2*third, y, w-2*third, 1, tap(keys.More))
}

func (f *Form) row(i, w int) string {
	t, field := f.Theme, &f.Fields[i]
	if field.heading() {
		return t.Heading(field.Label)
	}
	mark, style := "  ", t.Strong
	if i == f.at {
		mark, style = t.Accent.Render(t.Mark)+" ", t.Accent
	}
	value := look.Label(field.Value())
	label := style.Render(field.Label)
	if field.Step == nil && field.Set == nil {
		label = t.Dim.Render(field.Label)
	}
	right := value
	share, slides := 0.0, false
	if field.Share != nil && w >= look.TinyW {
		share, slides = field.Share()
	}
	if slides {
		right = t.Slider(max(6, min(24, w/3)), share) + " " + strings.Repeat(" ", max(0, 8-look.Width(value))) + value
	} else if field.Step != nil && i == f.at {
		right = t.Dim.Render(t.Left) + " " + value + " " + t.Dim.Render(t.Right)
	}
	room := w - 3 - look.Width(field.Label) - 3
	return t.Spread(mark+label, t.Fit(right, max(4, room)), w-1)
}
