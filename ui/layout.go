package ui

import "hotcell/ui/look"

// Args is all that the layout depends on.
type Args struct {
	W, H  int  // the terminal, in cells
	Input int  // rows that the draft wants
	Dash  bool // the dashboard is wanted
	Strip bool // with no more than two lines, also where there is room for more
}

// Rect is a rectangle of cells. Zero height or width means hidden.
type Rect struct{ X, Y, W, H int }

// has reports whether a cell lies in the rectangle.
func (r Rect) has(x, y int) bool { return x >= r.X && x < r.X+r.W && y >= r.Y && y < r.Y+r.H }

// Rects are the regions of the chat screen, from top to bottom, and how densely they are drawn.
type Rects struct {
	Header Rect // one line, and a rule below it when there is room
	Dash   Rect // the dashboard: a column at the right, a band or a strip below the header, or a piece of the header
	Chat   Rect
	Status Rect // one line: speed and progress; it also parts the chat from the input
	Input  Rect // the draft, with a box around it when Boxed
	Hint   Rect // one line: the keys that work now

	Wide   bool // the dashboard's place is a column
	Boxed  bool // the input has a border, two rows and four columns
	Roomy  bool // an empty line between messages
	Indent int  // columns by which a message's text is moved in
	Framed bool // the dashboard has a border, two rows and four columns
}

// dashInHeader reports whether the dashboard is a piece of the header's line.
func (r Rects) dashInHeader() bool { return r.Dash.H == 1 && r.Dash.Y == 0 }

// The dashboard's sizes.
const (
	dashColumn = 38 // columns at the right
	dashGap    = 3  // a wall between spaces
	dashBand   = 3  // rows on a medium screen
	dashStrip  = 2  // rows on a narrow one
)

// Layout divides the terminal. It is a pure function, and every size is good: when rows run out, boxes
// and rules go first, then the hint, the header and the status; chat and input stay to the last.
func Layout(a Args) Rects {
	w, h := max(0, a.W), max(0, a.H)
	small := look.Short(w, h)
	r := Rects{Boxed: !small, Roomy: !small && h >= 26, Indent: 2, Wide: w >= look.WideW && h >= look.WideH && !a.Strip}
	switch {
	case w < look.TinyW:
		r.Indent = 0
	case w < look.Narrow:
		r.Indent = 1
	}

	// Chat and input first, then one row at a time for the rest.
	input := min(1, h)
	left := h - input - min(1, h-input)
	take := func(want int, when bool) int {
		if !when || left < want {
			return 0
		}
		left -= want
		return want
	}
	status := take(1, true)
	header := take(1, h >= 5)
	hint := take(1, h >= look.TinyH && w >= look.TinyW)
	dash := 0
	if a.Dash && !small && !r.Wide {
		if r.Framed = w >= look.Narrow && !a.Strip; r.Framed {
			dash = take(dashBand+2, true)
		} else {
			dash = take(dashStrip+1, true) // and a rule
		}
	}
	if dash == 0 {
		header += take(1, !small)
	}
	input += take(2, r.Boxed)
	most := 5
	if small {
		most = 3
	}
	if more := min(a.Input, most) - 1; more > 0 {
		input += take(min(more, left*2/3), true)
	}

	y := 0
	place := func(rows int) Rect {
		if rows == 0 || w == 0 {
			return Rect{Y: y}
		}
		rect := Rect{X: 0, Y: y, W: w, H: rows}
		y += rows
		return rect
	}
	r.Header = place(header)
	r.Dash = place(dash)
	r.Chat = place(h - header - dash - status - input - hint)
	r.Status = place(status)
	r.Input = place(input)
	r.Hint = place(hint)
	switch {
	case a.Dash && r.Wide:
		r.Dash = Rect{w - dashColumn, r.Chat.Y, dashColumn, r.Chat.H + r.Status.H}
		r.Chat.W -= dashColumn + dashGap
		r.Status.W = r.Chat.W
	case a.Dash && small && header == 1 && w >= look.TinyW:
		r.Dash = Rect{w - w*46/100, 0, w * 46 / 100, 1}
		r.Header.W = w - r.Dash.W - 1
	case a.Dash && small && header == 1:
		r.Dash, r.Header = r.Header, Rect{}
	}
	return r
}

// InputText is the size of the draft's text within the input region.
func (r Rects) InputText() (w, h int) {
	if r.Boxed {
		return max(1, r.Input.W-4), max(1, r.Input.H-2)
	}
	return max(1, r.Input.W), max(1, r.Input.H)
}
