package panels

import (
	"hotcell/infer"
)

// Dashboard is the panels and what they remember. It is used by one goroutine.
type Dashboard struct {
	// Focus is the panel whose frame stands out; None for none.
	Focus ID

	paint  *paint
	record record
	view   view    // of the newest sample
	hist   history // all samples
	frozen *freeze // what is shown instead, while the dashboard is frozen
	canvas canvas

	heat       infer.Heat // drawn last
	heatFrozen bool       // and drawn since the dashboard was frozen
}

// freeze is what a frozen dashboard shows.
type freeze struct {
	view view
	hist history
}

// New makes an empty dashboard.
func New(t Theme) *Dashboard {
	d := &Dashboard{paint: newPaint(t)}
	d.Reset()
	return d
}

// Reset forgets all samples, as when another model is loaded. Add does so by itself when it sees the counters of another engine.
func (d *Dashboard) Reset() {
	d.record, d.hist, d.frozen, d.heat = record{}, history{}, nil, infer.Heat{}
	d.view = view{paint: d.paint, hist: &d.hist}
}

// SetTheme draws with another look from now on.
func (d *Dashboard) SetTheme(t Theme) {
	d.paint = newPaint(t)
	d.view.paint = d.paint
	if d.frozen != nil {
		d.frozen.view.paint = d.paint
	}
}

// Add takes a sample. Names in it are cleaned; its slices and its plan are copied.
func (d *Dashboard) Add(in Input) {
	in.Accelerator = Accelerator{label(in.Accelerator.Name), label(in.Accelerator.Reason)}
	in.Thermal.Zone, in.Stats.Mode = label(in.Thermal.Zone), label(in.Stats.Mode)
	if in.Plan != nil {
		p := *in.Plan
		p.Name = label(p.Name)
		in.Plan = &p
	}
	if d.record.add(&in) {
		d.hist = history{}
	}
	d.record.look(&d.view)
	d.view.grouped, d.view.in.Clusters = d.view.groups(), nil
	values := d.view.points()
	d.hist.add(in.At, &values)
}

// Freeze stops or resumes what is shown. Samples are taken all the same. Boxes and titles carry a mark while it is
// frozen; where there is room for words only the caller has to tell.
func (d *Dashboard) Freeze(on bool) {
	switch {
	case !on:
		d.frozen = nil
	case d.frozen == nil:
		d.frozen, d.heatFrozen = &freeze{view: d.view, hist: d.hist}, false
		d.frozen.view.hist = &d.frozen.hist
	}
}

// Frozen tells whether the dashboard shows an older moment.
func (d *Dashboard) Frozen() bool { return d.frozen != nil }

// shown is the view to draw.
func (d *Dashboard) shown() *view {
	if d.frozen != nil {
		return &d.frozen.view
	}
	return &d.view
}

// Absent says in a plain sentence why a panel is not among those shown; "" if it is.
func (d *Dashboard) Absent(id ID) string {
	v := d.shown()
	s := &v.in.Stats
	switch {
	case id == Planned && v.in.Plan == nil:
		return "There is no plan for this model on this device."
	case id == Cache && s.Hot.Capacity+s.Cold.Capacity == 0:
		return "There is no neuron cache: all weights are in memory."
	case id == Flash && s.FlashReads == 0 && s.StallNs == 0 && s.Hot.Capacity+s.Cold.Capacity == 0:
		return "Nothing is read from flash: all weights are in memory."
	}
	return ""
}

// Shown lists the panels that have something to tell of this model.
func (d *Dashboard) Shown() []ID {
	ids := All()
	kept := ids[:0]
	for _, id := range ids {
		if d.Absent(id) == "" {
			kept = append(kept, id)
		}
	}
	return kept
}

// Title is a panel's name, with a mark while the dashboard is frozen.
func (d *Dashboard) Title(id ID) string {
	title := panelTable[min(id, count-1)].name
	if d.Frozen() {
		title += " (frozen)"
	}
	return title
}

// Draw draws the panels that have something to tell, arranged in w x h cells: h rows of w cells.
func (d *Dashboard) Draw(w, h int) []string {
	if w <= 0 || h <= 0 {
		return nil
	}
	return d.DrawPlaced(Arrange(w, h, d.Shown()), w, h)
}

// DrawPlaced draws panels at places that [Arrange] has chosen.
func (d *Dashboard) DrawPlaced(placed []Placed, w, h int) []string {
	if w <= 0 || h <= 0 {
		return nil
	}
	d.canvas.clear(w, h)
	all, v := d.canvas.whole(), d.shown()
	for _, p := range placed {
		if p.ID == None || p.ID >= count {
			continue
		}
		g := all.part(p.X, p.Y, p.W, p.H)
		switch p.Form {
		case Full:
			d.box(g, v, p.ID)
		case Compact:
			d.labelled(g, v, p.ID)
		case Line:
			line(g, v, p.ID, p.ID == d.Focus)
			if p.X >= wideGap && gapFor(w) == wideGap {
				all.set(p.X-2, p.Y, '│', border)
			}
		}
	}
	return d.canvas.rows(d.paint)
}

// box draws a panel's full form.
func (d *Dashboard) box(g region, v *view, id ID) {
	p, k := &panelTable[id], border
	if id == d.Focus {
		k = accent
	}
	right, bottom := g.w-1, g.h-1
	g.fill(1, 0, right-1, k, '─')
	g.fill(1, bottom, right-1, k, '─')
	for y := 1; y < bottom; y++ {
		g.set(0, y, '│', k)
		g.set(right, y, '│', k)
	}
	g.set(0, 0, '╭', k)
	g.set(right, 0, '╮', k)
	g.set(0, bottom, '╰', k)
	g.set(right, bottom, '╯', k)
	if d.Frozen() {
		g.right(right-1, bottom, warn, " frozen ")
	}
	title := g.part(2, 0, g.w-4, 1)
	end := title.put(0, 0, plain, " "+p.name+" ")
	for i, t := range p.title(v) {
		gap := min(i, 1)
		if t.width() == 0 || end+gap+t.width() >= title.w {
			break
		}
		title.fill(end, 0, gap, plain, ' ')
		end = title.put(title.item(end+gap, 0, t), 0, plain, " ")
	}
	p.full(g.part(2, 1, g.w-4, g.h-2), v)
}

// labelWidth is the column in which a compact form's content begins.
const labelWidth = 8

// labelled draws a panel's compact form.
func (d *Dashboard) labelled(g region, v *view, id ID) {
	p, k := &panelTable[id], dim
	if id == d.Focus {
		k = accent
	}
	g.part(0, 0, labelWidth-1, 1).put(0, 0, k, p.label)
	p.compact(g.part(labelWidth, 0, g.w-labelWidth, 1), g.part(2, 1, g.w-2, g.h-1), v)
}

// tailLeast is how many cells a line's bar or graph needs.
const tailLeast = 6

// line draws the longest of a panel's line forms that fits, and its graph where there is room behind.
func line(g region, v *view, id ID, focus bool) {
	p := &panelTable[id]
	forms := p.line(v)
	form := forms[len(forms)-1]
	for _, t := range forms {
		if t.width() <= g.w {
			form = t
			break
		}
	}
	if focus {
		form[0].k = accent
	}
	end := g.words(0, 0, 0, form)
	if p.tail != nil && g.w-end-1 >= tailLeast {
		p.tail(g.part(end+1, 0, g.w-end-1, 1), v)
	}
}
