package look

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestWidthIsThatOfTheTable(t *testing.T) {
	for _, s := range []string{
		"", "plain", "\x1b[1;38;2;1;2;3mred\x1b[0m", "│ ▰▱ ▸ ↵ ⣀⣿ █▏░ ● … · – ‹ • °", "漢字", "e\u0301", "👩 and ⚠ ♥", "▶\ufe0f", "─\u0301", "\x1b]0;t\x07x", "a\tb", "\xff",
		"☀ ☎ ✓ ↔ ⌚ ◽ ◾ ■ □ ▪ ▫ ◻ ◼",
	} {
		if got, want := Width(s), ansi.StringWidth(s); got != want {
			t.Errorf("%q takes %d cells, want %d", s, got, want)
		}
	}
	for r := rune(0x80); r < 0x3000; r++ {
		if s := string(r); oneCell(r) && (ansi.StringWidth(s) != 1 || ansi.StringWidth("a"+s) != 2) {
			t.Errorf("%U takes %d cells", r, ansi.StringWidth(s))
		}
	}
}

func FuzzWidth(f *testing.F) {
	for _, s := range []string{"plain", "\x1b[31mred", "─│", "漢", "▶\ufe0f", "\x1b[", "\x1b[1;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = Sanitize(strings.ReplaceAll(s, "\n", " "))
		if got, want := Width(s), ansi.StringWidth(s); got != want {
			t.Errorf("%q takes %d cells, want %d", s, got, want)
		}
	})
}

func TestSpread(t *testing.T) {
	th := New(true, false)
	for _, c := range []struct {
		name, left, right string
		w                 int
		want              string
	}{
		{"both ends are used", "left", "right", 12, "left   right"},
		{"a long left is cut", "a long left side", "right", 14, "a long … right"},
		{"right goes before it takes more than half", "a long left side", "a long right side", 20, "a long left side"},
		{"there may be no right", "left", "", 3, "le…"},
	} {
		if got := th.Spread(c.left, c.right, c.w); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
