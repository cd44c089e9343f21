package ui

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
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
		{"more than are shown are not counted", strings.Repeat("a\n", 50), mostDraft + 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := newInput(newTheme(true, false))
			in.setSize(22, 5)
			in.set(c.text)
			if got := in.rows(); got != c.want {
				t.Errorf("%d rows, want %d", got, c.want)
			}
			for range 7 { // wherever the cursor stands
				in.key(tea.KeyMsg{Type: tea.KeyUp})
				if got := in.rows(); got != c.want {
					t.Errorf("%d rows with the cursor further up, want %d", got, c.want)
				}
			}
			if in.value() != c.text {
				t.Errorf("the text became %q", in.value())
			}
		})
	}
}

// typed grows a draft to eight rows and shrinks it again.
func TestADraftThatShrinksIsShownWhole(t *testing.T) {
	in := newInput(newTheme(true, false))
	in.setSize(20, 5)
	in.set("1\n2\n3\n4\n5\n6\n7\n8")
	rows := func() string {
		var b strings.Builder
		for _, row := range strings.Split(plain(in.text.View()), "\n") {
			b.WriteString(strings.Trim(row, " >") + " ")
		}
		return strings.TrimSpace(b.String())
	}
	if got := rows(); got != "4 5 6 7 8" {
		t.Errorf("shows %q", got)
	}
	for _, want := range []string{"3 4 5 6 7", "2 3 4 5 6", "1 2 3 4 5"} {
		in.key(tea.KeyMsg{Type: tea.KeyBackspace})
		in.key(tea.KeyMsg{Type: tea.KeyBackspace})
		if got := rows(); got != want {
			t.Errorf("shows %q, want %q", got, want)
		}
	}
}

func TestAPastedPageEndsWithTheCursorInView(t *testing.T) {
	in := newInput(newTheme(true, false))
	in.setSize(20, 5)
	in.insert(strings.Repeat("line\n", 40) + "the end")
	if view := plain(in.text.View()); !strings.Contains(view, "the end") {
		t.Errorf("shows\n%s", view)
	}
}
