package menu

import (
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/sahilm/fuzzy"

	"hotcell/ui/keys"
	"hotcell/ui/look"
)

// Row is one thing of a list. Texts may come from anywhere; they are sanitised when they are drawn.
type Row struct {
	ID    string
	Title string
	State string   // at the right end: ready, in use, 12:04
	Sub   string   // the second line of a card
	Cells []string // in place of Sub, where there is a line of columns for it
	Bad   bool     // it cannot be used
	InUse bool
	Keys  []keys.Action // what can be done with it, besides what can always be done; nil: all that the list offers
	// Detail is all that is known of it; nil: nothing more.
	Detail func(w int) []string
}

// List is a screen of rows.
type List struct {
	Theme   look.Theme
	Place   keys.Place
	Title   string
	Note    string
	Empty   string        // what stands in place of rows
	Columns []string      // titles of Cells
	Buttons []keys.Action // what the list offers, besides moving; the first is what choosing does
	Always  []keys.Action // those of them that need no row
	// Do is what an action does with a row; row is nil for an empty list.
	Do func(a keys.Action, row *Row) Action
	// Find asks for other rows when the search's text changes; nil: the list searches its own rows.
	Find func(query string) Action
	// PickRuns makes a digit choose its row at once; the digits then begin with 0.
	PickRuns bool

	rows   []Row
	shown  []int // rows that fit the search
	at     int   // selected, of shown
	top    int   // first shown row on the screen
	typing bool
	query  string
	page   int  // rows that fit, at the last drawing
	cards  bool // rows are cards of two lines, at the last drawing
	zones  zones
}

// SetRows replaces the rows; the selection stays on its row, or goes to the row in use.
func (l *List) SetRows(rows []Row) {
	id, had := "", len(l.rows) > 0
	if row := l.Selected(); row != nil {
		id = row.ID
	}
	l.rows = rows
	l.filter()
	for i, n := range l.shown {
		if had && rows[n].ID == id || !had && rows[n].InUse {
			l.at = i
		}
	}
}

// Selected is the row at the cursor, nil if there is none.
func (l *List) Selected() *Row {
	if l.at < 0 || l.at >= len(l.shown) {
		return nil
	}
	return &l.rows[l.shown[l.at]]
}

// Select moves to the row with this ID.
func (l *List) Select(id string) {
	for i, n := range l.shown {
		if l.rows[n].ID == id {
			l.at = i
		}
	}
}

// Clear forgets rows, search and place, before the list shows something else.
func (l *List) Clear() {
	l.rows, l.shown, l.at, l.top, l.query, l.typing = nil, nil, 0, 0, "", false
}

// Query is the search's text.
func (l *List) Query() string { return l.query }

// Typing reports whether a search is being typed.
func (l *List) Typing() bool { return l.typing }

// filter finds the rows that fit the query: first those whose title has it, then those that have it anywhere, then those whose title has its
// letters in this order.
func (l *List) filter() {
	l.shown = l.shown[:0]
	if l.query == "" || l.Find != nil {
		for i := range l.rows {
			l.shown = append(l.shown, i)
		}
	} else {
		l.match(strings.ToLower(l.query))
	}
	l.at = max(0, min(l.at, len(l.shown)-1))
}

func (l *List) match(query string) {
	titles, found := make([]string, len(l.rows)), make([]bool, len(l.rows))
	for i, row := range l.rows {
		titles[i] = look.Label(row.Title)
	}
	add := func(i int) {
		if !found[i] {
			found[i] = true
			l.shown = append(l.shown, i)
		}
	}
	for i, title := range titles {
		if strings.Contains(strings.ToLower(title), query) {
			add(i)
		}
	}
	for i, row := range l.rows {
		if strings.Contains(strings.ToLower(row.Sub), query) {
			add(i)
		}
	}
	for _, m := range fuzzy.Find(query, titles) {
		add(m.Index)
	}
}

// Key does what a key means in a list.
func (l *List) Key(k tea.KeyMsg) Action {
	if l.typing {
		if a, used := l.searchKey(k); used {
			return a
		}
	}
	if k.Paste {
		return nil
	}
	a := keys.Of(l.Place, k.String())
	if l.PickRuns && k.String() == "0" {
		a = keys.Pick
	}
	if a == keys.Pick {
		n := int(k.Runes[0]-'0') - l.base()
		if n < 0 || n >= len(l.shown) {
			return nil
		}
		l.at = n
		if l.PickRuns {
			return l.press(keys.Choose)
		}
		return nil
	}
	return l.press(a)
}

// base is the digit of the first row.
func (l *List) base() int {
	if l.PickRuns {
		return 0
	}
	return 1
}

// searchKey types into the search.
func (l *List) searchKey(k tea.KeyMsg) (a Action, used bool) {
	was := l.query
	switch {
	case printable(k) != "":
		l.query += look.Sanitize(strings.NewReplacer("\r", " ", "\n", " ").Replace(printable(k)))
	case k.Type == tea.KeyBackspace || k.Type == tea.KeyCtrlH:
		r := []rune(l.query)
		l.query = string(r[:max(0, len(r)-1)])
	case k.Type == tea.KeyCtrlU:
		l.query = ""
	case k.Type == tea.KeyEsc:
		l.typing, l.query = false, ""
	case k.Type == tea.KeyTab:
		l.typing = false
		return nil, true
	default:
		return nil, false
	}
	if l.query == was {
		return nil, true
	}
	l.at = 0
	if l.Find != nil {
		return l.Find(l.query), true
	}
	l.filter()
	return nil, true
}

// press does an action of the key table.
func (l *List) press(a keys.Action) Action {
	last := len(l.shown) - 1
	switch a {
	case keys.Back:
		if l.query != "" { // the first leaves the search
			l.query, l.typing = "", false
			if l.Find != nil {
				return l.Find("")
			}
			l.filter()
			return nil
		}
		return Close{}
	case keys.Up:
		l.at--
	case keys.Down:
		l.at++
	case keys.PageUp:
		l.at -= max(1, l.page-1)
	case keys.PageDown:
		l.at += max(1, l.page-1)
	case keys.Home:
		l.at = 0
	case keys.End:
		l.at = last
	case keys.Filter:
		l.typing = true
		return nil
	case keys.Details:
		if row := l.Selected(); row != nil && row.Detail != nil {
			return Open{&Page{Theme: l.Theme, Title: row.Title, Lines: row.Detail}}
		}
		return nil
	default:
		return l.do(a)
	}
	l.at = max(0, min(l.at, last))
	return nil
}

// do asks for an action if it is offered for the selected row.
func (l *List) do(a keys.Action) Action {
	row := l.Selected()
	if a == keys.None || a != keys.Choose && !slices.Contains(l.offers(row), a) {
		return nil
	}
	if a == keys.Choose && row == nil {
		return nil
	}
	if a == keys.Choose && row.Bad {
		return l.press(keys.Details)
	}
	return l.Do(a, row)
}

// offers are the actions that the selected row and the list have.
func (l *List) offers(row *Row) []keys.Action {
	if row != nil && row.Keys == nil {
		return l.Buttons
	}
	var both []keys.Action
	for _, a := range l.Buttons {
		if slices.Contains(l.Always, a) || row != nil && slices.Contains(row.Keys, a) {
			both = append(both, a)
		}
	}
	return both
}

// Click selects the row that is tapped, and chooses it if it was selected.
func (l *List) Click(x, y int) Action { return l.zones.click(x, y) }

// Search begins with a query that was given already.
func (l *List) Search(query string) {
	l.query = look.Label(query)
	if l.Find == nil {
		l.filter()
	}
}
