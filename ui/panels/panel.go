package panels

// ID names a panel.
type ID uint8

// The panels, in the order in which they are shown.
const (
	None       ID = iota // no panel
	Speed                // tokens per second
	Token                // where one token's time goes
	Cache                // the neuron cache by region
	Flash                // reads and the wait for them
	Cores                // how busy each worker is
	Prefill              // time and speed of reading the prompt, and what does it
	Memory               // ours against the budget
	Throttling           // temperature and throttling
	Context              // tokens of the conversation
	Planned              // the plan's expectation against what is measured
	count
)

// All lists the panels in the order in which they are shown.
func All() []ID {
	ids := make([]ID, 0, count)
	for id := Speed; id < count; id++ {
		ids = append(ids, id)
	}
	return ids
}

// Form is how much of a panel is shown.
type Form uint8

// The forms, from most to least.
const (
	Full    Form = iota // a box with a sparkline
	Compact             // one or two rows of its own
	Line                // a few words that share a row with other panels
	Hidden
	forms
)

// String names the form.
func (f Form) String() string {
	return [...]string{"full", "compact", "line", "hidden", ""}[min(f, forms)]
}

// What the forms need besides rows.
const (
	columnWidth  = 38 // of a column of boxes, at least
	fullWidth    = 34
	compactWidth = 28
	wideGap      = 3 // columns between the cells of a line: a wall between spaces
	tightGap     = 1 // the same where columns are scarce
)

// panel is what is known of a panel: sizes as fixed numbers, and how each form is drawn.
type panel struct {
	name  string // the box's title
	label string // the compact form's, at most seven cells

	fullRows, compactRows int // heights, the box included
	lineWidth, lineWide   int // cells of the line form: at least, and with all that it may show

	full    func(g region, v *view)          // draws within the box
	title   func(v *view) []item             // of the box, after the name, as many as fit
	compact func(head, rest region, v *view) // draws after the label, and in the row below it
	tail    func(g region, v *view)          // draws behind the line form, where there is room; may be nil
	line    func(v *view) []item             // the longest first
	series  series                           // what its history graph shows
}

// panelTable is indexed by ID. It is filled by init because the functions in it refer to it.
var panelTable [count]panel

func init() {
	panelTable = [count]panel{
		Speed: {name: "speed", label: "speed", fullRows: 4, compactRows: 1, lineWidth: 7, lineWide: 26,
			full: speedFull, title: speedTitle, compact: speedCompact, line: speedLine, tail: speedTail, series: tokensSeries},
		Token: {name: "one token", label: "token", fullRows: 6, compactRows: 2, lineWidth: 6, lineWide: 45,
			full: tokenFull, title: tokenTitle, compact: tokenCompact, line: tokenLine, series: millisSeries},
		Cache: {name: "neuron cache", label: "cache", fullRows: 6, compactRows: 2, lineWidth: 6, lineWide: 19,
			full: cacheFull, title: noTitle, compact: cacheCompact, line: cacheLine, tail: cacheTail, series: hitSeries},
		Flash: {name: "flash", label: "flash", fullRows: 4, compactRows: 1, lineWidth: 6, lineWide: 23,
			full: flashFull, title: flashTitle, compact: flashCompact, line: flashLine, series: flashSeries},
		Cores: {name: "cores (ours)", label: "cores", fullRows: 5, compactRows: 1, lineWidth: 13, lineWide: 26,
			full: coresFull, title: coresTitle, compact: coresCompact, line: coresLine, series: coresSeries},
		Prefill: {name: "prefill", label: "prefill", fullRows: 5, compactRows: 1, lineWidth: 10, lineWide: 28,
			full: prefillFull, title: prefillTitle, compact: prefillCompact, line: prefillLine, series: prefillSeries},
		Memory: {name: "memory", label: "memory", fullRows: 6, compactRows: 2, lineWidth: 9, lineWide: 42,
			full: memoryFull, title: memoryTitle, compact: memoryCompact, line: memoryLine, tail: memoryTail, series: memorySeries},
		Throttling: {name: "thermal", label: "thermal", fullRows: 4, compactRows: 1, lineWidth: 5, lineWide: 21,
			full: thermalFull, title: thermalTitle, compact: thermalCompact, line: thermalLine, series: thermalSeries},
		Context: {name: "context", label: "context", fullRows: 5, compactRows: 1, lineWidth: 8, lineWide: 25,
			full: contextFull, title: contextTitle, compact: contextCompact, line: contextLine, tail: contextTail, series: contextSeries},
		Planned: {name: "plan", label: "plan", fullRows: 7, compactRows: 1, lineWidth: 9, lineWide: 30,
			full: planFull, title: planTitle, compact: planCompact, line: planLine, series: planSeries},
	}
}

func noTitle(*view) []item { return nil }

// rows is the height of a form.
func (p *panel) rows(f Form) int {
	switch f {
	case Full:
		return p.fullRows
	case Compact:
		return p.compactRows
	case Line:
		return 1
	}
	return 0
}
