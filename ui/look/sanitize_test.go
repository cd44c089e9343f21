package look

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

func TestSanitize(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain text stays", "Hello, world.\nSecond line", "Hello, world.\nSecond line"},
		{"letters of all scripts stay", "é 漢字 привет नमस्ते …·→°▲", "é 漢字 привет नमस्ते …·→°▲"},
		{"colour goes", "a \x1b[31mred\x1b[0m b", "a red b"},
		{"the clipboard is not set", "x\x1b]52;c;aGk=\x07y", "xy"},
		{"the title is not set", "x\x1b]0;evil\x1b\\y", "xy"},
		{"a device control string goes", "x\x1bP1$r0m\x1b\\y", "xy"},
		{"a sequence without an end hides one line at most", "a\x1b]0;never ends\nb", "a\nb"},
		{"C1 control characters go", "a\u009b31mb\u0085c", "a31mbc"},
		{"a C1 byte is no character", "a\x9bb", "a\uFFFDb"},
		{"bells, backspaces and carriage returns go", "a\ab\bc\rd\x7f", "abcd"},
		{"line ends of Windows become newlines", "a\r\nb", "a\nb"},
		{"tabs go to the next stop", "\tx\nab\ty\n漢\tz", "    x\nab  y\n漢  z"},
		{"of a joined emoji the first stays", "👩‍💻 and 👩‍👩‍👧!", "👩 and 👩!"},
		{"skin tones go", "👍🏽", "👍"},
		{"emoji selectors go", "⚠️ ❤️", "⚠ ❤"},
		{"keycaps become digits", "1️⃣", "1"},
		{"flags become letters", "🇨🇳", "CN"},
		{"newer than the tables becomes a box", "\U0001fae9", "□"},
		{"private use becomes a box", "\ue0b0", "□"},
		{"text direction marks go", "a\u202eb\u2066c", "abc"},
		{"invisible characters go", "a\u200bb\ufeffc\u00add", "abcd"},
		{"a joiner between letters takes no letter", "क्\u200dष", "क्ष"},
		{"marks are counted", "a\u0301\u0301\u0301\u0301\u0301\u0301", "a\u0301\u0301\u0301\u0301"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Sanitize(c.in); got != c.want {
				t.Errorf("%q becomes %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestSanitizeLabelIsOneLine(t *testing.T) {
	if got := Label(" a\n\tb \x1b[2J c "); got != "a b c" {
		t.Errorf("got %q", got)
	}
}

// FuzzSanitize: whatever a model says, no control character reaches the terminal, and saying it again
// changes nothing.
func FuzzSanitize(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b[31mred", "\x1b]52;c;aGk=\a", "\x1bP\x1b\\", "\u009b2J", "\x9b2J",
		"👩‍💻🇨🇳⚠️", "\t\r\n\v\f", "\xff\xfe", "a\u0301\u0301", "\x1b\x1b\x1b[", "\x1bO", "\u2028\u2029", "\x90q\x9c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Sanitize(s)
		if !utf8.ValidString(got) {
			t.Fatalf("%q becomes %q, which is not UTF-8", s, got)
		}
		for _, r := range got {
			if r != '\n' && !unicode.IsGraphic(r) {
				t.Fatalf("%q becomes %q, which holds %U", s, got, r)
			}
		}
		if again := Sanitize(got); again != got {
			t.Fatalf("%q becomes %q and then %q", s, got, again)
		}
		for _, w := range []int{1, 7, 40} {
			for _, line := range WrapLine(strings.ReplaceAll(s, "\n", " "), w) {
				if n := ansi.StringWidth(line); n > max(2, w) { // a wide character needs two cells
					t.Fatalf("%q wrapped to %d has %q of %d cells", s, w, line, n)
				}
			}
		}
	})
}
