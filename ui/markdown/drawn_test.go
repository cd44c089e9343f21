package markdown

import (
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/exp/golden"
)

func TestDrawn(t *testing.T) {
	for _, c := range []struct {
		name  string
		width int
		text  string
		want  string
	}{
		{"lines of a paragraph stay lines", 20, "one\ntwo\n\nthree", "one\ntwo\n\nthree"},
		{"words wrap at spaces", 12, "some words that wrap", "some words\nthat wrap"},
		{"a word that is too long is broken", 6, "a incomprehensible", "a\nincomp\nrehens\nible"},
		{"wide characters need no spaces and keep their stops", 9, "漢字漢字。漢字", "漢字漢\n字。漢字"},
		{"a wide character in one column is a box", 1, "漢a", "□\na"},
		{"combining marks stay with their letter", 3, "e\u0301e\u0301e\u0301e\u0301", "e\u0301e\u0301e\u0301\ne\u0301"},
		{"marks stay where a style cannot be seen", 60, "# A\n\n### B\n\n*i* **b** ~~s~~ `c`", "# A\n\n### B\n\n*i* **b** ~~s~~ `c`"},
		{"a heading above a line of text has no blank row that is not there", 20, "## A\ntext", "## A\ntext"},
		{"a line above dashes is a heading", 20, "A\n---\nb", "## A\nb"},
		{"a loose list has blank rows where the source has", 20, "- a\n- b\n\n- c", "• a\n• b\n\n• c"},
		{"numbers count from the first", 20, "9. a\n9. b\n\ntext\n\n3) c", "9. a\n10. b\n\ntext\n\n3) c"},
		{"items hang", 14, "12. one two three\n    - four five six", "12. one two\n    three\n    • four\n      five six"},
		{"indents give way on a narrow screen", 5, "- a\n  - b\n    - c", "• a\n  •\n  b\n  •\n  c"},
		{"tasks have boxes", 20, "- [ ] open\n- [X] done", "[ ] open\n[x] done"},
		{"an empty item has its marker", 20, "- a\n-\n- c", "• a\n•\n• c"},
		{"quotes have a bar", 12, "> one two three\n>\n> > four", "│ one two\n│ three\n│\n│ │ four"},
		{"links show their address", 60, "[docs](https://a.b/c) <https://d.e> [https://f.g](https://f.g) ![cat](c.png) [](h)",
			"docs (https://a.b/c) https://d.e https://f.g cat (c.png) h"},
		{"definitions of links stay", 40, "see [docs][1] or [2].\n\n[1]: http://x.y/_z_\n[2]: <http://u.v>",
			"see [docs][1] or [2].\n\n[1]: http://x.y/_z_\n[2]: http://u.v"},
		{"HTML is text", 40, "<b>x</b> a<br>b\n\n<div>\n  <p>*y*\n</div>", "<b>x</b> a\nb\n\n<div>\n  <p>*y*\n</div>"},
		{"mathematics is left as it is", 60, "$a_i * b_j * c$, \\(x\\_1*y*\\) and\n\\[\n\\frac{a_1}{b*c*d} \\\\\n\\]\n$$x*y*z$$",
			"$a_i * b_j * c$, \\(x\\_1*y*\\) and\n\\[\n\\frac{a_1}{b*c*d} \\\\\n\\]\n$$x*y*z$$"},
		{"prices are no mathematics", 60, "$5 *and* US$6, \\$7", "$5 *and* US$6, $7"},
		{"entities are resolved and cleaned", 40, "&lt;&amp;&#65;&#27;[31m&#10;x&nosuch;", "<&A x&nosuch;"},
		{"escape sequences and control characters go", 40, "a\x1b]52;c;aGk=\x07b\x1b[2Jc\x00\u202e\n\n    \x1b[31mcode\x9b", "abc\n\n──────────────────────────── [1] copy ──\n code\n" + strings.Repeat("─", 40)},
		{"code", 24, "```go\nx := \"a long line of code\"\n\ty\n```", "go ───────── [1] copy ──\n x := \"a long line of co\n↳de\"\n     y\n" + strings.Repeat("─", 24)},
		{"a code block that is open is code", 16, "~~~\n*x*", "──── [1] copy ──\n *x*\n────────────────"},
		{"code blocks are numbered", 16, "```\n```\n\n    x",
			"──── [1] copy ──\n────────────────\n\n──── [2] copy ──\n x\n────────────────"},
		{"a table", 40, "a|b|c\n:-|-:|:-:\n1|22|333\n4444||**6**\n", "a    │  b │   c\n─────┼────┼──────\n1    │ 22 │  333\n4444 │    │ **6**"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := New(bare())
			d.SetText(c.text, false)
			if got := strings.Join(d.Lines(c.width), "\n"); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestWhatIsHalfWrittenIsDrawnAsWhatItWillBe(t *testing.T) {
	sheet := coloured()
	lines := func(text string, open bool) []string {
		d := New(sheet)
		d.SetText(text, open)
		return slices.Clone(d.Lines(40))
	}
	for _, c := range []struct{ name, open, whole string }{
		{"strong", "some **bold text", "some **bold text**"},
		{"strong, half closed", "some **bold*", "some **bold**"},
		{"strong between wide characters", "这是**重点", "这是**重点**"},
		{"code", "run `go test", "run `go test`"},
		{"code in an item", "- a\n- run `go", "- a\n- run `go`"},
		{"a dash is no heading", "text\n-", "text"},
		{"a number sign waits", "text\n\n##", "text"},
		{"a fence waits", "text\n\n``", "text"},
		{"a code block", "```go\nx := 1", "```go\nx := 1\n```"},
		{"stars at the end of a word", "some **", "some "},
		{"a power is no strong text", "2**3 ** 4", "2**3 ** 4"},
		{"a finished code span stays", "a `b` c", "a `b` c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, want := lines(c.open, true), lines(c.whole, false); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	if got := lines("some **bold text", false); !strings.Contains(got[0], "**") {
		t.Errorf("a text that has ended is %q", got)
	}
}

func TestColoursOfCode(t *testing.T) {
	sheet := coloured()
	for _, c := range []struct{ name, lang, code, want string }{
		{"words, strings and numbers", "go", `if x == "a\"b" { return 0x1F }`, `K(if) x == S("a\"b") { K(return) N(0x1F) }`},
		{"a comment of many lines", "c", "a /* if\n1 */ 2", "a C(/* if)\nC(1 */) N(2)"},
		{"a string of many lines", "python", "'''a\nb''' # c", "S('''a)\nS(b''') C(# c)"},
		{"an apostrophe is no string", "rust", "&'a str", "&'a str"},
		{"SQL in capitals", "SQL", "SELECT 1 -- x", "K(SELECT) N(1) C(-- x)"},
		{"an unknown language", "brainheck", "if 1", "if 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			names := strings.NewReplacer(sheet.begin[7], "K(", sheet.begin[8], "S(", sheet.begin[9], "C(", sheet.begin[10], "N(", resetStyle, ")")
			d := New(sheet)
			d.SetText("```"+c.lang+"\n"+c.code+"\n```", false)
			lines := d.Lines(40)
			var got []string
			for _, line := range lines[1 : len(lines)-1] {
				got = append(got, strings.TrimPrefix(names.Replace(line), " "))
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("got %q, want %q", strings.Join(got, "\n"), c.want)
			}
		})
	}
}

func TestEssay(t *testing.T) {
	for name, width := range map[string]int{"wide": 100, "medium": 72, "phone": 46, "tiny": 18} {
		t.Run(name, func(t *testing.T) {
			d := New(coloured())
			d.SetText(essay, false)
			golden.RequireEqual(t, strings.Join(d.Lines(width), "\n")+"\n")
		})
	}
	t.Run("ascii", func(t *testing.T) {
		d := New(NewSheet(Style{ASCII: true}))
		d.SetText(essay, false)
		got := strings.Join(d.Lines(46), "\n") + "\n"
		if strings.IndexFunc(got, func(r rune) bool { return r >= 0x80 }) >= 0 {
			t.Errorf("not ASCII")
		}
		golden.RequireEqual(t, got)
	})
}
