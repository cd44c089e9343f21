// Package field is a text field that grows with its text: the draft of a message, and what is typed in menus.
//
// It is bubbles' textarea with a key table of its own, a cursor that does not blink (a blinking one would draw
// twice a second for ever), a count of the rows that its text takes when wrapped, and a cure for two habits: the
// textarea scrolls to its cursor only in its Update, and stays scrolled when its text has become short again.
package field

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/bubbles/cursor"
	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textarea"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"hotcell/ui/look"
)

const (
	promptWidth = 2
	// MostRows is how many rows of a text a [Field] counts, but for one more that says that there are more.
	MostRows = 5
	// Longest is how many characters a text may have; more would make each key slow.
	Longest = 100_000
)

// Field is a text that is being written.
type Field struct {
	text     textarea.Model
	w, h     int  // of the text
	length   int  // characters, before the change that is being made
	overflow bool // the text has had more rows than are shown, so the field may be scrolled

	lines []string // as drawn last; nil when something has changed
	rows  int      // as counted last; 0 when something has changed
}

// New returns an empty field. The placeholder is shown while it is empty.
func New(t look.Theme, placeholder string) Field {
	ta := textarea.New()
	ta.KeyMap = textKeys()
	ta.ShowLineNumbers = false
	ta.CharLimit, ta.MaxHeight, ta.MaxWidth = Longest, 0, 0
	ta.Placeholder = placeholder
	ta.SetPromptFunc(promptWidth, func(line int) string {
		if line == 0 {
			return "> "
		}
		return "  "
	})
	plain := lipgloss.NewStyle()
	ta.FocusedStyle = textarea.Style{
		Base: plain, CursorLine: plain, CursorLineNumber: plain, EndOfBuffer: plain, LineNumber: plain,
		Placeholder: t.Dim, Prompt: t.Accent, Text: plain,
	}
	ta.BlurredStyle = ta.FocusedStyle
	ta.Cursor.Style = t.Cursor
	ta.Cursor.SetMode(cursor.CursorStatic)
	ta.Focus()
	f := Field{text: ta}
	f.SetSize(80, 1)
	return f
}

// textKeys is the textarea's table: what the app's key table leaves to a text field, and nothing of what the
// textarea binds by default. Its paste would look for clipboard programs; a terminal pastes by itself.
func textKeys() textarea.KeyMap {
	on := func(keys ...string) key.Binding { return key.NewBinding(key.WithKeys(keys...)) }
	return textarea.KeyMap{
		CharacterBackward:       on("left"),
		CharacterForward:        on("right"),
		LinePrevious:            on("up"),
		LineNext:                on("down"),
		LineStart:               on("home", "ctrl+a"),
		LineEnd:                 on("end", "ctrl+e"),
		DeleteCharacterBackward: on("backspace", "ctrl+h"),
		DeleteCharacterForward:  on("delete"),
		DeleteWordBackward:      on("ctrl+w"),
		DeleteBeforeCursor:      on("ctrl+u"),
		DeleteAfterCursor:       on("ctrl+k"),
	}
}

// SetSize sets the columns, prompt included, and the rows that are shown.
func (f *Field) SetSize(w, h int) {
	w, h = max(1, w), max(1, h)
	if w == f.w && h == f.h {
		return
	}
	f.w, f.h = w, h
	f.text.SetWidth(w)
	f.text.SetHeight(h)
	f.changed()
}

// SetWidth sets the columns alone.
func (f *Field) SetWidth(w int) { f.SetSize(w, f.h) }

// Value is the text.
func (f *Field) Value() string { return f.text.Value() }

// Empty reports whether there is no text.
func (f *Field) Empty() bool { return f.text.Length() == 0 && f.text.LineCount() == 1 }

// FirstRow reports whether the cursor is on the first row of the text.
func (f *Field) FirstRow() bool { return f.text.Line() == 0 && f.text.LineInfo().RowOffset == 0 }

// LastRow reports whether the cursor is on the last row of the text.
func (f *Field) LastRow() bool {
	at := f.text.LineInfo()
	return f.text.Line() == f.text.LineCount()-1 && at.RowOffset == at.Height-1
}

// Set replaces the text.
func (f *Field) Set(s string) {
	f.text.SetValue(s)
	f.changed()
}

// Insert adds text at the cursor and reports whether all of it had room. Terminals send the newlines of a paste as carriage returns.
func (f *Field) Insert(s string) (whole bool) {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	room := Longest - f.text.Length()
	f.text.InsertString(s)
	f.changed()
	return utf8.RuneCountInString(s) <= room
}

// Key gives a key to the field.
func (f *Field) Key(k tea.KeyMsg) {
	f.text, _ = f.text.Update(k)
	f.changed()
}

// changed scrolls the field to its cursor. The textarea does so only in its Update, by the text that its
// last View drew. And it stays scrolled when its text has become short enough to be shown whole:
// setting the text again scrolls to its top.
func (f *Field) changed() {
	f.lines, f.rows = nil, 0
	rows, length := f.Rows(), f.text.Length()+f.text.LineCount()
	if f.overflow && (rows <= f.h || length < f.length) {
		row, at := f.text.Line(), f.text.LineInfo()
		f.text.SetValue(f.text.Value())
		for f.text.Line() > row {
			f.text.CursorUp()
		}
		f.text.SetCursor(at.StartColumn + at.ColumnOffset)
	}
	f.overflow, f.length = rows > f.h, length
	f.text.View()
	f.text, _ = f.text.Update(nil)
}

// Rows is how many rows the text needs when wrapped, counted up to MostRows + 1. The textarea does not tell, but
// its cursor can be walked: a copy of it shares the text and has a cursor of its own.
func (f *Field) Rows() int {
	if f.rows == 0 {
		f.rows = f.count()
	}
	return f.rows
}

func (f *Field) count() int {
	walk := func(step func(*textarea.Model)) int {
		ta := f.text
		for n := 0; n <= MostRows; n++ {
			line, row := ta.Line(), ta.LineInfo().RowOffset
			step(&ta)
			if ta.Line() == line && ta.LineInfo().RowOffset == row {
				return n
			}
		}
		return MostRows
	}
	rows := 1 + walk((*textarea.Model).CursorUp) + walk((*textarea.Model).CursorDown)
	return min(rows, MostRows+1)
}

// Lines draws the field's rows. The slice is valid until the text changes.
func (f *Field) Lines() []string {
	if f.lines == nil {
		f.lines = strings.Split(f.text.View(), "\n")
	}
	return f.lines
}
