package panels

// Placed is where a panel goes, in cells from the top left, and in which form. Hidden panels are not placed.
type Placed struct {
	ID         ID
	Form       Form
	X, Y, W, H int
}

// demotions is the order in which panels give up room. What matters least goes first, so that speed keeps its
// graph longest; and a panel goes from the screen only when all the others are words on a line.
var demotions = [...]struct {
	id ID
	to Form
}{
	{Planned, Compact}, {Context, Compact}, {Throttling, Compact}, {Prefill, Compact}, {Cores, Compact},
	{Memory, Compact}, {Token, Compact}, {Flash, Compact}, {Cache, Compact},
	{Planned, Line}, {Context, Line}, {Throttling, Line}, {Prefill, Line}, {Cores, Line}, {Memory, Line},
	{Speed, Compact},
	{Token, Line}, {Flash, Line}, {Cache, Line}, {Speed, Line},
	{Planned, Hidden}, {Prefill, Hidden}, {Cores, Hidden}, {Memory, Hidden}, {Context, Hidden}, {Token, Hidden},
	{Throttling, Hidden}, {Cache, Hidden}, {Flash, Hidden},
}

// bandRows is up to how many rows panels are words only: more of them fit into a band than with labels.
const bandRows = 4

// Arrange places the panels named by which in width x height cells. Boxes stand in as many columns as there is
// room for; panels that are words share the rows below. All begin full and are demoted in a fixed order until they
// fit; then those for which there is still room rise again, the most important first. It is a pure function, and
// every size is good: speed is placed wherever there is a cell.
func Arrange(width, height int, which []ID) []Placed {
	if width <= 0 || height <= 0 {
		return nil
	}
	a := arrangement{width: width, height: height, columns: max(1, min(3, (width+1)/(columnWidth+1)))}
	for _, id := range which {
		if id > None && id < count && !a.wanted[id] {
			a.wanted[id] = true
			a.order = append(a.order, id)
		}
	}
	best := Line
	switch column := (width+1)/a.columns - 1; {
	case height <= bandRows:
	case column >= fullWidth:
		best = Full
	case column >= compactWidth:
		best = Compact
	}
	for _, id := range a.order {
		a.form[id] = best
	}

	var before [len(demotions)]Form
	done := 0
	for ; done < len(demotions) && !a.fits(height); done++ {
		d := demotions[done]
		before[done] = a.form[d.id]
		a.form[d.id] = max(a.form[d.id], d.to)
	}
	for done--; done >= 0; done-- {
		id := demotions[done].id
		now := a.form[id]
		if a.form[id] = before[done]; !a.fits(height) {
			a.form[id] = now
		}
	}

	// Words get all the cells that they can use, as long as that pushes nothing out.
	for _, id := range a.order {
		if a.form[id] == Line {
			a.wide[id] = true
			a.wide[id] = a.fits(height)
		}
	}

	// The lowest height that still takes all makes columns of like height.
	low := 1
	for low < height && !a.fits(low) {
		low++
	}
	return a.place(low)
}

// arrangement is a choice of forms on its way to places.
type arrangement struct {
	width, height, columns int
	order                  []ID
	wanted                 [count]bool
	form                   [count]Form
	wide                   [count]bool // its line form has all that it may show
}

// fits reports whether all forms find their place within height rows.
func (a *arrangement) fits(height int) bool {
	words := 0
	a.lines(func(id ID, x, row, w int) { words = row + 1 })
	_, ok := a.boxes(height-words, func(ID, int, int) {})
	return ok && words <= height
}

// boxes walks over the full and compact panels, column by column, and tells how high the highest column is.
func (a *arrangement) boxes(height int, visit func(id ID, column, y int)) (used int, ok bool) {
	column, y := 0, 0
	for _, id := range a.order {
		if a.form[id] >= Line {
			continue
		}
		rows := panelTable[id].rows(a.form[id])
		if y+rows > height {
			column, y = column+1, 0
		}
		if column >= a.columns || rows > height {
			return used, false
		}
		visit(id, column, y)
		y += rows
		used = max(used, y)
	}
	return used, true
}

// lines walks over the panels that share rows. A row's free cells go to the panels that can use them, the first one first.
func (a *arrangement) lines(visit func(id ID, x, row, w int)) {
	gap := gapFor(a.width)
	var ids [count]ID
	n, row, used := 0, 0, 0
	flush := func() {
		free, x := a.width-used, 0
		for _, id := range ids[:n] {
			w := a.cells(id)
			more := max(0, min(free, panelTable[id].lineWide-w))
			w, free = w+more, free-more
			visit(id, x, row, w)
			x += w + gap
		}
		n, used = 0, 0
		row++
	}
	for _, id := range a.order {
		if a.form[id] != Line {
			continue
		}
		w := a.cells(id)
		if n > 0 && used+gap+w > a.width {
			flush()
		}
		if n > 0 {
			used += gap
		}
		ids[n] = id
		n, used = n+1, used+w
	}
	if n > 0 {
		flush()
	}
}

// cells is how many cells a panel's line form is given at least.
func (a *arrangement) cells(id ID) int {
	if a.wide[id] {
		return min(a.width, panelTable[id].lineWide)
	}
	return min(a.width, panelTable[id].lineWidth)
}

// gapFor is how many columns part the words of two panels.
func gapFor(width int) int {
	if width >= columnWidth {
		return wideGap
	}
	return tightGap
}

// place turns the forms into rectangles.
func (a *arrangement) place(height int) []Placed {
	words := 0
	a.lines(func(id ID, x, row, w int) { words = row + 1 })
	placed := make([]Placed, 0, len(a.order))
	used, _ := a.boxes(height-words, func(id ID, column, y int) {
		x, next := column*(a.width+1)/a.columns, (column+1)*(a.width+1)/a.columns
		placed = append(placed, Placed{id, a.form[id], x, y, next - 1 - x, panelTable[id].rows(a.form[id])})
	})
	a.lines(func(id ID, x, row, w int) {
		placed = append(placed, Placed{id, Line, x, used + row, w, 1})
	})
	return placed
}

// At tells which panel lies under a cell.
func At(placed []Placed, x, y int) ID {
	for _, p := range placed {
		if x >= p.X && x < p.X+p.W && y >= p.Y && y < p.Y+p.H {
			return p.ID
		}
	}
	return None
}
