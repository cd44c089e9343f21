package menu

import (
	tea "github.com/charmbracelet/bubbletea"

	"hotcell/ui/keys"
	"hotcell/ui/look"
)

// Page is a screen of text that can be scrolled.
type Page struct {
	Theme look.Theme
	Title string
	Note  string
	Lines func(w int) []string // drawn anew each time, so that numbers are live

	top   int // first line shown
	rows  int // that fit, at the last drawing
	zones zones
}

// Typing reports that no text is typed on a page.
func (p *Page) Typing() bool { return false }

// Click is a tap.
func (p *Page) Click(x, y int) Action { return p.zones.click(x, y) }

// Key scrolls, or closes the page.
func (p *Page) Key(k tea.KeyMsg) Action {
	if k.Paste {
		return nil
	}
	if k.Type == tea.KeyEnter {
		p.top++
		return nil
	}
	return p.press(keys.Of(keys.InPages, k.String()))
}

func (p *Page) press(a keys.Action) Action {
	switch a {
	case keys.Back:
		return Close{}
	case keys.Up:
		p.top--
	case keys.Down:
		p.top++
	case keys.PageUp:
		p.top -= max(1, p.rows-1)
	case keys.PageDown:
		p.top += max(1, p.rows-1)
	case keys.Home:
		p.top = 0
	case keys.End:
		p.top = 1 << 20
	}
	return nil
}

// Draw draws what fits.
func (p *Page) Draw(w, h int) []string {
	f := foot{keys.InPages, []keys.Action{keys.Back, keys.PageUp}, p.press}
	return frame(p.Theme, look.Label(p.Title), p.Note, f, w, h, &p.zones, func(_, w, h int) []string {
		lines := p.Lines(w)
		p.rows = max(1, h)
		p.top = max(0, min(p.top, len(lines)-h))
		return lines[p.top:min(len(lines), p.top+h)]
	})
}
