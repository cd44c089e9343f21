package ui

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/bubbles/cursor"
	"github.com/charmbracelet/bubbles/textarea"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
)

const (
	promptWidth  = 2
	mostDraft    = 5       // rows that are shown of a draft
	longestDraft = 100_000 // characters; more would make each key slow
)

// input is the draft: a text field that grows with its text.
type input struct {
	theme    theme
	text     textarea.Model
	w, h     int  // of the text
	length   int  // characters, before the change that is being made
	overflow bool // the draft has had more rows than are shown, so the field may be scrolled
}

func newInput(t theme) input {
	ta := textarea.New()
	ta.KeyMap = textKeys()
	ta.ShowLineNumbers = false
	ta.CharLimit, ta.MaxHeight, ta.MaxWidth = longestDraft, 0, 0
	ta.Placeholder = "Write a message"
	ta.SetPromptFunc(promptWidth, func(line int) string {
		if line == 0 {
			return "> "
		}
		return "  "
	})
	plain := lipgloss.NewStyle()
	ta.FocusedStyle = textarea.Style{
		Base: plain, CursorLine: plain, CursorLineNumber: plain, EndOfBuffer: plain, LineNumber: plain,
		Placeholder: t.dim, Prompt: t.accent, Text: plain,
	}
	ta.BlurredStyle = ta.FocusedStyle
	ta.Cursor.Style = t.cursor
	ta.Cursor.SetMode(cursor.CursorStatic) // a blinking one would draw twice a second for ever
	ta.Focus()
	in := input{theme: t, text: ta}
	in.setSize(80, 1)
	return in
}

func (in *input) setSize(w, h int) {
	if w == in.w && h == in.h {
		return
	}
	in.w, in.h = w, h
	in.text.SetWidth(w)
	in.text.SetHeight(h)
	in.changed()
}

func (in *input) value() string { return in.text.Value() }
func (in *input) empty() bool   { return in.text.Length() == 0 && in.text.LineCount() == 1 }

func (in *input) set(s string) {
	in.text.SetValue(s)
	in.changed()
}

// insert adds text at the cursor and reports whether all of it had room.
func (in *input) insert(s string) (whole bool) {
	room := longestDraft - in.text.Length()
	in.text.InsertString(s)
	in.changed()
	return utf8.RuneCountInString(s) <= room
}

// key gives a key to the text field.
func (in *input) key(k tea.KeyMsg) {
	in.text, _ = in.text.Update(k)
	in.changed()
}

// changed scrolls the field to its cursor. The field does so only in its Update, by the text that its
// last View drew. And it stays scrolled when its text has become short enough to be shown whole:
// setting the text again scrolls to its top.
func (in *input) changed() {
	rows, length := in.rows(), in.text.Length()+in.text.LineCount()
	if in.overflow && (rows <= in.h || length < in.length) {
		row, at := in.text.Line(), in.text.LineInfo()
		in.text.SetValue(in.text.Value())
		for in.text.Line() > row {
			in.text.CursorUp()
		}
		in.text.SetCursor(at.StartColumn + at.ColumnOffset)
	}
	in.overflow, in.length = rows > in.h, length
	in.text.View()
	in.text, _ = in.text.Update(nil)
}

// rows is how many rows the draft needs when wrapped, counted up to one more than are ever shown. The
// field does not tell, but its cursor can be walked: a copy of the field shares the text and has a
// cursor of its own.
func (in *input) rows() int {
	walk := func(step func(*textarea.Model)) int {
		ta := in.text
		for n := 0; n <= mostDraft; n++ {
			line, row := ta.Line(), ta.LineInfo().RowOffset
			step(&ta)
			if ta.Line() == line && ta.LineInfo().RowOffset == row {
				return n
			}
		}
		return mostDraft
	}
	rows := 1 + walk((*textarea.Model).CursorUp) + walk((*textarea.Model).CursorDown)
	return min(rows, mostDraft+1)
}

// draw returns the rows of the input region.
func (in *input) draw(r Rects) []string {
	t := in.theme
	text := strings.Split(in.text.View(), "\n")
	var rows []string
	if !r.Boxed {
		for i := 0; i < r.Input.H; i++ {
			rows = append(rows, cut(lineAt(text, i), r.Input.W))
		}
		return rows
	}
	edge := strings.Repeat(t.rule, max(0, r.Input.W-2))
	w, h := r.InputText()
	rows = append(rows, t.border.Render(t.topLeft+edge+t.topRight))
	for i := 0; i < h; i++ {
		rows = append(rows, t.border.Render(t.wall)+" "+pad(cut(lineAt(text, i), w), w)+" "+t.border.Render(t.wall))
	}
	return append(rows, t.border.Render(t.bottomLeft+edge+t.bottomRight))
}

// lineAt is line i, or an empty one when there are fewer.
func lineAt(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}
