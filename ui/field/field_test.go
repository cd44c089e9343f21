package field

import (
	"reflect"
	"strings"
	"testing"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"hotcell/ui/keys"
	"hotcell/ui/look"
)

func TestTheDraftCountsItsRows(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       int
	}{
		{"nothing is one row", "", 1},
		{"a short line is one row", "hello", 1},
		{"lines are rows", "a\nb\nc", 3},
		{"an empty last line is a row", "a\n", 2},
		{"a long line wraps", strings.Repeat("word ", 6), 2},
		{"wide characters are two cells", strings.Repeat("漢", 11), 2},
		{"more than are shown are not counted", strings.Repeat("a\n", 50), MostRows + 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := New(look.New(true, false), "")
			in.SetSize(22, 5)
			in.Set(c.text)
			if got := in.Rows(); got != c.want {
				t.Errorf("%d rows, want %d", got, c.want)
			}
			for range 7 { // wherever the cursor stands
				in.Key(tea.KeyMsg{Type: tea.KeyUp})
				if got := in.Rows(); got != c.want {
					t.Errorf("%d rows with the cursor further up, want %d", got, c.want)
				}
			}
			if in.Value() != c.text {
				t.Errorf("the text became %q", in.Value())
			}
		})
	}
}

// typed grows a draft to eight rows and shrinks it again.
func TestADraftThatShrinksIsShownWhole(t *testing.T) {
	in := New(look.New(true, false), "")
	in.SetSize(20, 5)
	in.Set("1\n2\n3\n4\n5\n6\n7\n8")
	rows := func() string {
		var b strings.Builder
		for _, row := range strings.Split(ansi.Strip(in.text.View()), "\n") {
			b.WriteString(strings.Trim(row, " >") + " ")
		}
		return strings.TrimSpace(b.String())
	}
	if got := rows(); got != "4 5 6 7 8" {
		t.Errorf("shows %q", got)
	}
	for _, want := range []string{"3 4 5 6 7", "2 3 4 5 6", "1 2 3 4 5"} {
		in.Key(tea.KeyMsg{Type: tea.KeyBackspace})
		in.Key(tea.KeyMsg{Type: tea.KeyBackspace})
		if got := rows(); got != want {
			t.Errorf("shows %q, want %q", got, want)
		}
	}
}

func TestAPastedPageEndsWithTheCursorInView(t *testing.T) {
	in := New(look.New(true, false), "")
	in.SetSize(20, 5)
	in.Insert(strings.Repeat("line\n", 40) + "the end")
	if view := ansi.Strip(in.text.View()); !strings.Contains(view, "the end") {
		t.Errorf("shows\n%s", view)
	}
}

func TestTheTextareaBindsNothingOutsideTheKeyTable(t *testing.T) {
	fields := reflect.ValueOf(textKeys())
	for i := range fields.NumField() {
		name := fields.Type().Field(i).Name
		for _, k := range fields.Field(i).Interface().(key.Binding).Keys() {
			if keys.Of(keys.InChat, k) == keys.None {
				t.Errorf("%s: %q is not in the key table", name, k)
			}
			if name == "Paste" {
				t.Errorf("paste is bound to %q; it would start clipboard programs", k)
			}
		}
	}
}

func TestFirstAndLastRow(t *testing.T) {
	f := New(look.New(true, false), "")
	f.SetSize(12, 5)
	f.Set("a long line that wraps\nend")
	if f.FirstRow() || !f.LastRow() {
		t.Error("the cursor is at the end")
	}
	for range 6 {
		f.Key(tea.KeyMsg{Type: tea.KeyUp})
	}
	if !f.FirstRow() || f.LastRow() {
		t.Error("the cursor is on the first row")
	}
}
