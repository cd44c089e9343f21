package look

// The classes of terminals. Each is a set of things that are left out.
const (
	WideW  = 110 // from here on, with WideH, there is room for two panes
	WideH  = 28
	Narrow = 72 // below: a phone held upright
	TinyW  = 30
	TinyH  = 10
)

// Short reports whether rows are scarce: a phone with its keyboard up, or a small window.
func Short(w, h int) bool { return h < 20 || w < Narrow && h < 24 }
