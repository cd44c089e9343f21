package menu

import (
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/infer"
	"hotcell/ui/keys"
	"hotcell/ui/look"
	"hotcell/ui/panels"
)

// Panels gives each panel of the dashboard the whole screen in turn, and the heat map of the neuron cache.
type Panels struct {
	theme  look.Theme
	dash   *panels.Dashboard
	heat   func() *infer.Heat // nil: this engine has no cache to look at
	at     panels.ID
	mapped bool // the heat map is shown
	top    int
	rows   int
	zones  zones
}

// NewPanels begins with the panel at; heat returns the picture of the cache as it is now and may be nil.
func NewPanels(t look.Theme, dash *panels.Dashboard, at panels.ID, heat func() *infer.Heat) *Panels {
	p := &Panels{theme: t, dash: dash, heat: heat, at: at}
	if at == panels.None {
		p.at = panels.Speed
	}
	return p
}

// ShowHeat goes to the heat map.
func (p *Panels) ShowHeat() { p.mapped = true }

// Typing reports that no text is typed.
func (p *Panels) Typing() bool { return false }

// Click is a tap.
func (p *Panels) Click(x, y int) Action { return p.zones.click(x, y) }

// Key goes from panel to panel, freezes and scrolls.
func (p *Panels) Key(k tea.KeyMsg) Action {
	if k.Paste {
		return nil
	}
	return p.press(keys.Of(keys.InPanels, k.String()))
}

func (p *Panels) press(a keys.Action) Action {
	switch a {
	case keys.Back:
		p.dash.Freeze(false)
		return Close{}
	case keys.NextPanel:
		p.dash.Freeze(false)
		return Replace{Run{"panels off"}}
	case keys.Less, keys.More:
		p.step(a == keys.More)
	case keys.Freeze:
		p.dash.Freeze(!p.dash.Frozen())
	case keys.Heat:
		p.mapped, p.top = !p.mapped, 0
	case keys.Up:
		p.top--
	case keys.Down:
		p.top++
	case keys.PageUp:
		p.top -= max(1, p.rows-1)
	case keys.PageDown:
		p.top += max(1, p.rows-1)
	}
	return nil
}

// step goes to the next panel or the one before; the heat map comes after the last.
func (p *Panels) step(next bool) {
	all := panels.All()
	i := slices.Index(all, p.at)
	if p.mapped {
		i = len(all)
	}
	if next {
		i++
	} else {
		i += len(all)
	}
	i %= len(all) + 1
	if p.mapped = i == len(all); !p.mapped {
		p.at = all[i]
	}
	p.top = 0
}

// Draw draws the panel's page or the heat map.
func (p *Panels) Draw(w, h int) []string {
	title, note := p.dash.Title(p.at), "a panel and its numbers"
	if p.mapped {
		if title, note = "heat map", "layers down, neurons across"; p.dash.Frozen() {
			title += " (frozen)"
		}
	}
	f := foot{keys.InPanels, []keys.Action{keys.Less, keys.More, keys.Up, keys.Heat, keys.Freeze, keys.NextPanel, keys.Back}, p.press}
	return frame(p.theme, title, note, f, w, h, &p.zones, func(_, w, h int) []string {
		if p.mapped {
			var heat *infer.Heat
			if p.heat != nil {
				heat = p.heat()
			}
			return p.dash.HeatMap(heat, w, h)
		}
		lines := p.dash.Page(p.at, w, h)
		p.rows = max(1, h)
		p.top = max(0, min(p.top, len(lines)-h))
		return lines[p.top:min(len(lines), p.top+h)]
	})
}
