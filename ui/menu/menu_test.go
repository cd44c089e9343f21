package menu

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"hotcell/ui/keys"
	"hotcell/ui/look"
)

var theme = look.New(true, false)

func typed(s Screen, text string) (last Action) {
	for _, r := range text {
		last = s.Key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
	}
	return last
}

func press(s Screen, all ...tea.KeyType) (last Action) {
	for _, k := range all {
		last = s.Key(tea.KeyMsg{Type: k})
	}
	return last
}

func drawn(s Screen, w, h int) string { return ansi.Strip(strings.Join(s.Draw(w, h), "\n")) }

// newList has five rows; what is done with them is an Item.
func newList() *List {
	l := &List{Theme: theme, Place: keys.InRoles, Title: "Roles", Empty: "none", Buttons: []keys.Action{keys.Choose, keys.New, keys.Delete},
		Always: []keys.Action{keys.New},
		Do: func(a keys.Action, row *Row) Action {
			if row == nil {
				return Item{Do: a}
			}
			return Item{ID: row.ID, Do: a}
		}}
	var rows []Row
	for _, name := range []string{"Tutor", "Translator", "Writer", "Editor", "Debater"} {
		rows = append(rows, Row{ID: name, Title: name, Sub: "a sentence about " + name, Detail: func(int) []string { return []string{"all of " + name} }})
	}
	l.SetRows(rows)
	return l
}

func TestAListIsMovedWithKeysAndDigits(t *testing.T) {
	l := newList()
	l.Draw(80, 24)
	for _, step := range []struct {
		name string
		do   func() Action
		want string
	}{
		{"it begins with the first", func() Action { return nil }, "Tutor"},
		{"down", func() Action { return press(l, tea.KeyDown) }, "Translator"},
		{"up past the first", func() Action { return press(l, tea.KeyUp, tea.KeyUp, tea.KeyUp) }, "Tutor"},
		{"a digit", func() Action { return typed(l, "4") }, "Editor"},
		{"a digit past the last", func() Action { return typed(l, "9") }, "Editor"},
		{"end", func() Action { return press(l, tea.KeyEnd) }, "Debater"},
		{"down past the last", func() Action { return press(l, tea.KeyDown) }, "Debater"},
		{"home", func() Action { return press(l, tea.KeyHome) }, "Tutor"},
	} {
		if step.do(); l.Selected().ID != step.want {
			t.Errorf("%s: selected is %s, want %s", step.name, l.Selected().ID, step.want)
		}
	}
	if got := press(l, tea.KeyEnter); got != (Item{ID: "Tutor", Do: keys.Choose}) {
		t.Errorf("enter asks for %+v", got)
	}
	if got := typed(l, "d"); got != (Item{ID: "Tutor", Do: keys.Delete}) {
		t.Errorf("d asks for %+v", got)
	}
	if got := typed(l, "e"); got != nil {
		t.Errorf("a key that the list does not offer asks for %+v", got)
	}
	if _, ok := press(l, tea.KeyRight).(Open); !ok {
		t.Error("the details did not open")
	}
	if got := press(l, tea.KeyEsc); got != (Close{}) {
		t.Errorf("esc asks for %+v", got)
	}
}

func TestASearchShowsTitlesFirst(t *testing.T) {
	l := newList()
	typed(l, "/tra")
	if l.Selected().ID != "Translator" || !l.Typing() {
		t.Errorf("selected is %s", l.Selected().ID)
	}
	press(l, tea.KeyCtrlU)
	typed(l, "about e")
	if l.Selected().ID != "Editor" {
		t.Errorf("a search in the descriptions finds %s", l.Selected().ID)
	}
	press(l, tea.KeyCtrlU)
	typed(l, "wtr")
	if l.Selected().ID != "Writer" {
		t.Errorf("letters in order find %s", l.Selected().ID)
	}
	typed(l, "zzz")
	if !strings.Contains(drawn(l, 60, 20), "Nothing fits.") || press(l, tea.KeyEnter) != nil {
		t.Error("nothing fits, but something is there")
	}
	if got := press(l, tea.KeyEsc); got != nil || l.Query() != "" {
		t.Error("esc did not end the search first")
	}
	if len(l.shown) != 5 {
		t.Errorf("%d rows came back", len(l.shown))
	}
}

func TestAnEmptyListOffersOnlyWhatNeedsNoRow(t *testing.T) {
	l := newList()
	l.SetRows(nil)
	if got := press(l, tea.KeyEnter); got != nil {
		t.Errorf("enter asks for %+v", got)
	}
	if got := typed(l, "d"); got != nil {
		t.Errorf("d asks for %+v", got)
	}
	if got := typed(l, "n"); got != (Item{Do: keys.New}) {
		t.Errorf("n asks for %+v", got)
	}
	if text := drawn(l, 80, 24); strings.Contains(text, "delete") || !strings.Contains(text, "n new") {
		t.Errorf("the foot is wrong:\n%s", text)
	}
}

func TestTheSelectionStaysOnItsRow(t *testing.T) {
	l := newList()
	typed(l, "3")
	l.SetRows([]Row{{ID: "new"}, {ID: "Writer"}, {ID: "Tutor"}})
	if l.Selected().ID != "Writer" {
		t.Errorf("selected is %s", l.Selected().ID)
	}
	fresh := &List{Theme: theme, Place: keys.Elsewhere}
	fresh.SetRows([]Row{{ID: "a"}, {ID: "b", InUse: true}})
	if fresh.Selected().ID != "b" {
		t.Error("a new list does not begin with what is in use")
	}
}

func TestTapsSelectAndThenChoose(t *testing.T) {
	l := newList()
	find := func(text string) (x, y int) {
		for y, line := range strings.Split(drawn(l, 48, 40), "\n") {
			if at := strings.Index(line, text); at >= 0 {
				return len([]rune(line[:at])), y
			}
		}
		t.Fatalf("%s is not on the screen", text)
		return 0, 0
	}
	if got := l.Click(find("a sentence about Writer")); got != nil || l.Selected().ID != "Writer" {
		t.Errorf("the first tap asks for %+v", got)
	}
	if got := l.Click(find("Writer")); got != (Item{ID: "Writer", Do: keys.Choose}) {
		t.Errorf("the second tap asks for %+v", got)
	}
	if got := l.Click(find("[delete]")); got != (Item{ID: "Writer", Do: keys.Delete}) {
		t.Errorf("the button asks for %+v", got)
	}
	if got := l.Click(find("esc back")); got != (Close{}) {
		t.Errorf("the hint asks for %+v", got)
	}
	if got := l.Click(0, 0); got != (Close{}) {
		t.Errorf("the title asks for %+v", got)
	}
	if got := l.Click(400, 400); got != nil {
		t.Errorf("a tap on nothing asks for %+v", got)
	}
}

func TestButtonsThatDestroyStandApart(t *testing.T) {
	for _, line := range newList().Draw(48, 40) {
		line = ansi.Strip(line)
		if at := strings.Index(line, "[delete]"); at >= 0 && !strings.HasSuffix(strings.TrimRight(line[:at], " ")+"   ", "   ") {
			t.Errorf("delete has a neighbour: %q", line)
		}
	}
}

func TestTheWayBackIsAlwaysOnTheScreen(t *testing.T) {
	for w := 20; w <= 130; w += 7 {
		for _, s := range []Screen{newList(), &Page{Theme: theme, Title: "x", Lines: func(int) []string { return nil }},
			NewQuestion(theme, "q", "really?", Close{}), NewPrompt(theme, "p", "", "", true, nil)} {
			if !strings.Contains(drawn(s, w, 19), "esc back") {
				t.Errorf("%T at %d columns does not say how to leave:\n%s", s, w, drawn(s, w, 19))
			}
		}
	}
}

func TestThePaletteKnowsCommandsFromText(t *testing.T) {
	commands := []Command{{Name: "copy"}, {Name: "continue"}, {Name: "ctx", Args: "N"}, {Name: "chats"}}
	for _, c := range []struct {
		name, text string
		want       Action
	}{
		{"a whole name", "ctx", Replace{Run{"ctx"}}},
		{"the beginning of a name", "cont", Replace{Run{"continue"}}},
		{"arguments go along", "ctx 4096 ", Replace{Run{"ctx 4096"}}},
		{"letters in order", "cps", Say{"there is no command /cps; a space before the slash sends it as a message"}},
		{"upper case", "COPY 2", Replace{Run{"copy 2"}}},
	} {
		p := NewPalette(theme, commands, "")
		typed(p, c.text)
		if got := press(p, tea.KeyEnter); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	p := NewPalette(theme, commands, "")
	if got := typed(p, "usr/"); got != (Replace{Draft{"/usr/"}}) {
		t.Errorf("a path becomes %+v", got)
	}
	p = NewPalette(theme, commands, "")
	typed(p, "co")
	press(p, tea.KeyDown, tea.KeyTab)
	if got := drawn(p, 60, 20); !strings.Contains(got, "/continue ") {
		t.Errorf("tab did not complete:\n%s", got)
	}
}

func TestAPromptKeepsWhatIsWrong(t *testing.T) {
	p := NewPrompt(theme, "Number", "one please", "", false, func(text string) (Action, error) {
		if text != "1" {
			return nil, errors.New("that is not one")
		}
		return Say{text}, nil
	})
	typed(p, "2")
	if got := press(p, tea.KeyEnter); got != nil || !strings.Contains(drawn(p, 46, 19), "that is not one") {
		t.Errorf("a wrong text asks for %+v", got)
	}
	press(p, tea.KeyBackspace)
	typed(p, "1")
	if got := press(p, tea.KeyEnter); got != (Replace{Say{"1"}}) {
		t.Errorf("a right text asks for %+v", got)
	}
	p.Key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("a\rb"), Paste: true})
	if strings.Contains(p.field.Value(), "\n") {
		t.Error("a paste brought a second line into a text of one")
	}
}

func TestAFormSkipsHeadingsAndSteps(t *testing.T) {
	n, word := 3, "x"
	f := &Form{Theme: theme, Title: "F", Fields: []Field{
		{Label: "Heading"},
		{Label: "number", Value: func() string { return fmt.Sprint(n) }, Step: func(d int) { n += d }, Reset: func() { n = 3 }},
		{Label: "Heading"},
		{Label: "word", Value: func() string { return word }, Set: func(s string) error { word = s; return nil }},
	}}
	if press(f, tea.KeyRight) != (Changed{f}) || n != 4 {
		t.Errorf("the number is %d", n)
	}
	press(f, tea.KeyLeft, tea.KeyLeft)
	if typed(f, "r"); n != 3 {
		t.Errorf("reset leaves %d", n)
	}
	press(f, tea.KeyDown)
	open, ok := press(f, tea.KeyEnter).(Open)
	if !ok {
		t.Fatal("the word cannot be typed")
	}
	typed(open.Screen, "y")
	if got := press(open.Screen, tea.KeyEnter); got != (Replace{Changed{f}}) || word != "xy" {
		t.Errorf("the word is %q, %+v", word, got)
	}
	press(f, tea.KeyUp, tea.KeyUp, tea.KeyUp)
	if f.at != 1 {
		t.Errorf("the cursor is on row %d", f.at)
	}
}

func TestScreensFitEverySize(t *testing.T) {
	long := newList()
	var rows []Row
	for i := range 300 {
		rows = append(rows, Row{ID: fmt.Sprint(i), Title: strings.Repeat("漢字 ", i%9), Sub: "\x1b]0;x\x07 sub", Cells: []string{"a", "bb"}, State: "state"})
	}
	long.Columns = []string{"name", "one", "two", "state"}
	long.SetRows(rows)
	screens := []Screen{newList(), long, NewQuestion(theme, "q", strings.Repeat("really? ", 40), Close{}), NewPrompt(theme, "p", "about", "text\nlines", true, nil),
		NewPalette(theme, []Command{{Name: "copy", Args: "[N]", Long: "long", Key: "^Y"}}, "c"),
		&Page{Theme: theme, Title: "\x1b[31mt", Lines: func(w int) []string { return slices.Repeat([]string{strings.Repeat("x", w+5)}, 100) }}}
	for _, s := range screens {
		for w := 1; w <= 130; w += 1 + w/10 {
			for h := 1; h <= 45; h++ {
				lines := s.Draw(w, h)
				if len(lines) > h {
					t.Fatalf("%T at %dx%d: %d rows", s, w, h, len(lines))
				}
				for _, line := range lines {
					if n := ansi.StringWidth(line); h >= 4 && n > w {
						t.Fatalf("%T at %dx%d: a row of %d cells: %q", s, w, h, n, line)
					}
					if strings.Contains(line, "\x1b]") {
						t.Fatalf("%T: an escape sequence reached the screen: %q", s, line)
					}
				}
			}
		}
	}
}
