package ui

// Args is all that the layout depends on.
type Args struct {
	W, H  int // the terminal, in cells
	Input int // rows that the draft wants
}

// Rect is a rectangle of cells. Zero height or width means hidden.
type Rect struct{ X, Y, W, H int }

// Rects are the regions of the chat screen, from top to bottom, and how densely they are drawn.
type Rects struct {
	Header Rect // one line, and a rule below it when there is room
	Chat   Rect
	Status Rect // one line: speed and progress; it also parts the chat from the input
	Input  Rect // the draft, with a box around it when Boxed
	Hint   Rect // one line: the keys that work now

	Boxed  bool // the input has a border, two rows and four columns
	Roomy  bool // an empty line between messages
	Indent int  // columns by which a message's text is moved in
}

// The classes of terminals. Each is a set of things that are left out.
const (
	wideW  = 110 // from here on there is room for the model's name beside an answer
	narrow = 72  // below: a phone held upright
	tinyW  = 30
	tinyH  = 10
)

// short reports whether rows are scarce: a phone with its keyboard up, or a small window.
func short(w, h int) bool { return h < 20 || w < narrow && h < 24 }

// Layout divides the terminal. It is a pure function, and every size is good: when rows run out, boxes
// and rules go first, then the hint, the header and the status; chat and input stay to the last.
func Layout(a Args) Rects {
	w, h := max(0, a.W), max(0, a.H)
	small := short(w, h)
	r := Rects{Boxed: !small, Roomy: !small && h >= 26, Indent: 2}
	switch {
	case w < tinyW:
		r.Indent = 0
	case w < narrow:
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
	hint := take(1, h >= tinyH && w >= tinyW)
	header += take(1, !small)
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
	r.Chat = place(h - header - status - input - hint)
	r.Status = place(status)
	r.Input = place(input)
	r.Hint = place(hint)
	return r
}

// InputText is the size of the draft's text within the input region.
func (r Rects) InputText() (w, h int) {
	if r.Boxed {
		return max(1, r.Input.W-4), max(1, r.Input.H-2)
	}
	return max(1, r.Input.W), max(1, r.Input.H)
}
