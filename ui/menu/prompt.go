package menu

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/ui/field"
	"hotcell/ui/keys"
	"hotcell/ui/look"
)

// Prompt asks for one text.
type Prompt struct {
	theme look.Theme
	title string
	about string // sentences above the text
	multi bool   // it may have several lines
	field field.Field
	done  func(text string) (Action, error)
	wrong string // why the last try was refused
	zones zones
}

// NewPrompt asks for a text, beginning with the one given. done is given what was typed; its action follows once the
// prompt is closed, and its error is shown and keeps the prompt open.
func NewPrompt(t look.Theme, title, about, text string, multi bool, done func(text string) (Action, error)) *Prompt {
	p := &Prompt{theme: t, title: title, about: about, multi: multi, field: field.New(t, ""), done: done}
	p.field.Set(text)
	return p
}

// Typing reports that text is typed.
func (p *Prompt) Typing() bool { return true }

// Click is a tap.
func (p *Prompt) Click(x, y int) Action { return p.zones.click(x, y) }

// Key edits the text, accepts it, or closes the prompt.
func (p *Prompt) Key(k tea.KeyMsg) Action {
	if k.Paste {
		text := string(k.Runes)
		if !p.multi {
			text = strings.Join(strings.Fields(text), " ")
		}
		p.field.Insert(text)
		return nil
	}
	switch a := keys.Of(keys.InText, k.String()); {
	case a == keys.Newline && p.multi:
		p.field.Insert("\n")
	case a == keys.Newline:
	case a == keys.Choose || a == keys.Back:
		return p.press(a)
	case a != keys.None || printable(k) != "":
		p.field.Key(k)
	}
	return nil
}

func (p *Prompt) press(a keys.Action) Action {
	if a == keys.Back {
		return Close{}
	}
	if a != keys.Choose {
		return nil
	}
	text := p.field.Value()
	if p.multi && strings.HasSuffix(text, `\`) {
		p.field.Set(strings.TrimSuffix(text, `\`) + "\n")
		return nil
	}
	then, err := p.done(strings.TrimSpace(text))
	if err != nil {
		p.wrong = err.Error()
		return nil
	}
	return Replace{then}
}

// Draw draws the question and the text.
func (p *Prompt) Draw(w, h int) []string {
	t := p.theme
	actions := []keys.Action{keys.Choose, keys.Back}
	if p.multi {
		actions = []keys.Action{keys.Choose, keys.Newline, keys.Back}
	}
	return frame(t, look.Label(p.title), "", foot{keys.InText, actions, p.press}, w, h, &p.zones, func(_, w, h int) []string {
		var lines []string
		if p.about != "" {
			for _, line := range look.Wrap(p.about, max(1, w-4)) {
				lines = append(lines, "  "+t.Dim.Render(line))
			}
		}
		if p.wrong != "" {
			for _, line := range look.Wrap(p.wrong, max(1, w-4)) {
				lines = append(lines, "  "+t.Bad.Render(line))
			}
		}
		rows := 1
		if p.multi {
			rows = max(1, h-len(lines)-2)
		}
		lines = lines[:max(0, min(len(lines), h-rows))]
		p.field.SetSize(max(1, w-4), rows)
		for _, line := range p.field.Lines() {
			lines = append(lines, "  "+look.Cut(line, max(1, w-4)))
		}
		return lines
	})
}

// NewQuestion asks whether to do something that cannot be undone.
func NewQuestion(t look.Theme, title, text string, then Action) *Question {
	return &Question{theme: t, title: title, text: text, then: then}
}

// Question has one answer besides going back.
type Question struct {
	theme       look.Theme
	title, text string
	then        Action
	zones       zones
}

// Typing reports that no text is typed.
func (q *Question) Typing() bool { return false }

// Click is a tap.
func (q *Question) Click(x, y int) Action { return q.zones.click(x, y) }

// Key answers.
func (q *Question) Key(k tea.KeyMsg) Action {
	if k.Paste {
		return nil
	}
	return q.press(keys.Of(keys.InConfirm, k.String()))
}

func (q *Question) press(a keys.Action) Action {
	switch a {
	case keys.Yes:
		return Replace{q.then}
	case keys.Back:
		return Close{}
	}
	return nil
}

// Draw draws the question.
func (q *Question) Draw(w, h int) []string {
	f := foot{keys.InConfirm, []keys.Action{keys.Yes, keys.Back}, q.press}
	return frame(q.theme, look.Label(q.title), "", f, w, h, &q.zones, func(_, w, _ int) []string {
		return indent(look.Wrap(q.text, max(1, w-4)))
	})
}
