package markdown

import (
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"
)

// coloured is a sheet on which every mark can be seen.
func coloured() *Sheet {
	r := lipgloss.NewRenderer(nil)
	r.SetColorProfile(termenv.ANSI256)
	colour := func(c string) lipgloss.Style { return r.NewStyle().Foreground(lipgloss.Color(c)) }
	return NewSheet(Style{
		Heading: r.NewStyle().Bold(true).Underline(true), Strong: r.NewStyle().Bold(true),
		Emphasis: r.NewStyle().Italic(true), Strike: r.NewStyle().Strikethrough(true),
		Code: colour("3"), Link: colour("4"), Dim: colour("8"),
		Keyword: colour("5"), String: colour("2"), Comment: colour("6"), Number: colour("1"),
	})
}

// bare is a sheet on which none can.
func bare() *Sheet { return NewSheet(Style{}) }

// atOnce draws a whole text from one tree, with nothing frozen.
func atOnce(sheet *Sheet, text string, width int) *Document {
	d := New(sheet)
	d.width, d.text, d.drawn = width, text, true
	src, tree := d.parse(text)
	d.render(tree, src, place{at: len(src)}, false)
	return d
}

// pieces are what random markdown is made of: markers, half markers, and words between them.
var pieces = []string{
	"word", " ", "\n", "\n", "\n\n", "\n\n", "long words that wrap around here", "漢字。", "é\u0301", "👩‍💻", "\x1b[31m", "\t",
	"# ", "## head", "\n===\n", "\n---\n", "---", "***", "*", "**", "_", "__", "~~", "`", "``", "```", "```go\n", "\n```\n", "~~~",
	"func main() { /* x", "*/ }", "\"s", "- ", "* ", "+ ", "1. ", "2. ", "10) ", "7. ", "\n- a\n- b\n", "\n1. a\n\n2. b\n", "\n   more",
	"  ", "    ", "\n    code\n", "> ", "\n> q", ">> ", "[ ] ", "- [x] ", "[a]", "[a]: http://x.y 'z'", "[t](http://u.v)", "![i](p)",
	"<b>", "<br>", "<div>\n", "</div>", "<!-- ", "-->", "http://e.org/_a_", "|", "\n|a|b|\n|-|:-:|\n|1|2|\n", "|x|y|\n", "|-|-|\n",
	"$a_b$", "$", `\(`, `\)`, "\n\\[\n", "\n\\]\n", `\`, `\*`, "&amp;", "&#27;", "&#10;", "\r\n", "===", ":-:", "\x00", "\xff",
}

func randomText(r *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(pieces[r.Intn(len(pieces))])
	}
	return b.String()
}

func TestATextThatComesInPiecesIsDrawnAsTheWholeText(t *testing.T) {
	r := rand.New(rand.NewSource(7))
	sheet := coloured()
	for range 500 {
		text, width := randomText(r, 1+r.Intn(60)), 1+r.Intn(60)
		d := New(sheet)
		for end := 0; end < len(text); {
			end = min(len(text), end+1+r.Intn(15))
			d.SetText(text[:end], r.Intn(2) == 0)
			d.Lines(width)
			d.SetText(text[:end], false)
			want := atOnce(sheet, text[:end], width)
			if got := d.Lines(width); !slices.Equal(got, want.lines) {
				t.Fatalf("width %d, %d frozen of %q\nin pieces\n%s\nat once\n%s", width, d.done.bytes, text[:end],
					strings.Join(got, "\n"), strings.Join(want.lines, "\n"))
			}
			if got := d.Blocks(); !slices.Equal(got, want.Blocks()) {
				t.Fatalf("width %d, %q: blocks in pieces\n%+v\nat once\n%+v", width, text[:end], got, want.Blocks())
			}
		}
	}
}

func TestALongTextDoesNotDependOnHowItCame(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	sheet := bare()
	for _, text := range []string{
		strings.Repeat("word ", 10000), strings.Repeat("x", 40000), strings.Repeat("漢", 20000),
		"```go\n" + strings.Repeat("y", 50000) + "\n```\nend", "```\n" + strings.Repeat("a line of code\n", 3000),
		strings.Repeat("a line\n", 6000), "> " + strings.Repeat("quoted\n> ", 6000), strings.Repeat("- item\n", 5000),
		strings.Repeat("1. item\n\n   more\n", 3000), "|a|b|\n|-|-|\n" + strings.Repeat("|1|2|\n", 6000),
		"- " + strings.Repeat("inside an item\n  ", 3000), randomText(r, 8000), randomText(r, 12000),
		strings.Repeat("text\n```sh\nls\n```\ntext\n", 2000) + strings.Repeat("one long paragraph\n", 1500),
	} {
		want := New(sheet)
		want.SetText(text, false)
		d := New(sheet)
		for end := 0; end < len(text); {
			end = min(len(text), end+1+r.Intn(4000))
			d.SetText(text[:end], end < len(text))
			d.Lines(40)
		}
		if got := d.Lines(40); !slices.Equal(got, want.Lines(40)) {
			t.Errorf("%.30q...: in pieces it has %d lines, at once %d", text, len(got), len(want.Lines(40)))
		}
		if !slices.Equal(d.Blocks(), want.Blocks()) {
			t.Errorf("%.30q...: other code blocks", text)
		}
	}
}

func TestCodeOfAnyLengthIsCopiedAsWritten(t *testing.T) {
	for _, code := range []string{"", "a", "\ta\n\n  b", strings.Repeat("z", 70000), strings.Repeat("漢字 = 1\n", 9000) + "end",
		"esc \x1b[31m and\ttab", strings.Repeat("x   ```` ", 9000)} {
		d := New(bare())
		text := "before\n```go\n" + code + "\n```\nafter"
		for end := 0; end < len(text); {
			end = min(len(text), end+997)
			d.SetText(text[:end], true)
			d.Lines(30)
		}
		if got := d.Blocks(); len(got) != 1 || got[0].Text != code || got[0].Lang != "go" || got[0].N != 1 {
			t.Errorf("%.20q: %d blocks, the first %.60q", code, len(got), got[0].Text)
		}
	}
}

func TestBlocksKnowTheirRows(t *testing.T) {
	d := New(bare())
	d.SetText("a\n\n```go\nx\n```\n\n1. item\n   ```\n   y\n   z\n   ```\n\n       indented\n", false)
	lines := d.Lines(40)
	want := []Code{{1, "go", "x", 2, 4}, {2, "", "y\nz", 7, 10}, {3, "", "indented", 12, 14}}
	if got := d.Blocks(); !slices.Equal(got, want) {
		t.Errorf("got %+v in\n%s", got, strings.Join(lines, "\n"))
	}
}

// essay is what models write: paragraphs, lists, code and a table, about 2 kB.
const essay = "## Why it leaks\n\nThree usual causes, **most likely** first:\n\n1. **No timeout.** `http.Client{}` waits for ever; set " +
	"`Timeout` or use a context.\n2. **Body not drained.** Close alone may keep the connection pinned:\n   - read it to its end\n" +
	"   - then close it\n\n3. Dial without a deadline in a custom Transport. See [the docs](https://pkg.go.dev/net/http).\n\n```go\n" +
	"resp, err := client.Do(req)\nif err != nil {\n\treturn err // nothing to close\n}\ndefer func() {\n\tio.Copy(io.Discard, resp.Body)\n" +
	"\tresp.Body.Close()\n}()\n```\n\nHow to prove which one it is:\n\n| cause | sign in pprof | cure |\n|---|---|---|\n" +
	"| no timeout | `net/http.(*Transport).dialConn` | set one |\n| not drained | `persistConn.readLoop` | drain it |\n\n" +
	"A paragraph of plain words then, as long as such paragraphs are, with *some* emphasis and the number 42 in it. It goes on " +
	"for a while, because explanations do, and ends when all has been said that can be said about leaks of goroutines.\n\n"

func TestEachDrawingParsesOnlyTheOpenTail(t *testing.T) {
	for name, text := range map[string]string{
		"essay":     strings.Repeat(essay, 1+100_000/len(essay))[:100_000],
		"one list":  strings.Repeat("1. an item of a list that never ends\n\n   with a second paragraph\n", 1600)[:40_000],
		"code":      "```go\n" + strings.Repeat("\tx := f(a, b) // a line of code\n", 3400)[:40_000],
		"no spaces": strings.Repeat("x", 100_000),
	} {
		d := New(bare())
		draws := 0
		for end := 5; end <= len(text); end += 5 {
			d.SetText(text[:end], true)
			d.Lines(80)
			draws++
			if name == "no spaces" {
				end += 1000 // each drawing parses up to maxOpen: fewer will do
			}
		}
		mean := d.parsed / draws
		t.Logf("%s: %d drawings parsed %d bytes each", name, draws, mean)
		limit := 1000
		if name == "no spaces" {
			limit = 2 * maxOpen
		}
		if mean > limit {
			t.Errorf("%s: a drawing parses %d bytes on average, want at most %d", name, mean, limit)
		}
	}
}

func TestNothingIsParsedAgainForTheSameTextAndWidth(t *testing.T) {
	d := New(bare())
	d.SetText(essay, false)
	d.Lines(60)
	before := d.parsed
	d.SetText(essay, false)
	d.Lines(60)
	if d.parsed != before {
		t.Errorf("%d bytes were parsed again", d.parsed-before)
	}
}

func TestATextThatIsReplacedIsDrawnAnew(t *testing.T) {
	d := New(bare())
	for _, text := range []string{essay, "short", "", "another\n\ntext\n\nof three", "another\n\ntext", essay[:700],
		"- a\n\nb\n", "- a\n\n  c\n"} {
		d.SetText(text, false)
		if got, want := d.Lines(50), atOnce(bare(), text, 50).lines; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// checkLines fails if a line is too wide or holds a control character that is not a colour of the sheet.
func checkLines(t *testing.T, text string, lines []string, width int) {
	t.Helper()
	for _, line := range lines {
		if n := ansi.StringWidth(line); n > width {
			t.Fatalf("width %d: %q has %d cells, of %q", width, line, n, text)
		}
		for rest := line; rest != ""; {
			before, after, found := strings.Cut(rest, "\x1b[")
			for _, c := range before {
				if c < ' ' || c >= 0x7f && c < 0xa0 || c == 0x2028 || c == 0x200d || c == '\uFEFF' {
					t.Fatalf("width %d: %q holds %U, of %q", width, line, c, text)
				}
			}
			if !found {
				break
			}
			n := strings.IndexFunc(after, func(c rune) bool { return c != ';' && (c < '0' || c > '9') })
			if n < 0 || after[n] != 'm' {
				t.Fatalf("width %d: %q holds a sequence that is no colour, of %q", width, line, text)
			}
			rest = after[n+1:]
		}
	}
}

func TestLinesFitIntoEveryWidth(t *testing.T) {
	r := rand.New(rand.NewSource(11))
	for _, sheet := range []*Sheet{coloured(), bare(), NewSheet(Style{ASCII: true})} {
		for _, text := range []string{essay, randomText(r, 150)} {
			d := New(sheet)
			d.SetText(text, false)
			for width := 1; width <= 200; width++ {
				checkLines(t, text, d.Lines(width), width)
			}
		}
	}
	d := New(bare())
	d.SetText("hello", false)
	if got := d.Lines(-3); len(got) != 5 {
		t.Errorf("a width below one draws %q", got)
	}
}

func TestNothingVisibleIsLost(t *testing.T) {
	d := New(bare())
	d.SetText(essay, false)
	letters := func(s string) string {
		return strings.Map(func(c rune) rune {
			if strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", c) {
				return c
			}
			return -1
		}, s)
	}
	want := letters(strings.ReplaceAll(essay, "```go", "```go copy"))
	for width := 60; width <= 200; width += 7 {
		if got := letters(strings.Join(d.Lines(width), "")); len(got) != len(want) {
			t.Errorf("width %d has %d letters, the text %d", width, len(got), len(want))
		}
	}
}

// FuzzDocument: whatever a model writes, however it comes, no line is too wide, nothing but colours reaches the
// terminal, and pieces give what the whole gives.
func FuzzDocument(f *testing.F) {
	f.Add(essay, 40, 7)
	r := rand.New(rand.NewSource(5))
	for range 20 {
		f.Add(randomText(r, 40), 1+r.Intn(60), 1+r.Intn(20))
	}
	sheet := coloured()
	f.Fuzz(func(t *testing.T, text string, width, step int) {
		if len(text) > maxOpen || width < 1 || width > 200 || step < 1 {
			return
		}
		d := New(sheet)
		step = max(step, len(text)/50)
		for end := 0; end < len(text); {
			end = min(len(text), end+step)
			d.SetText(text[:end], true)
			checkLines(t, text[:end], d.Lines(width), width)
		}
		d.SetText(text, false)
		got, want := d.Lines(width), atOnce(sheet, text, width).lines
		checkLines(t, text, got, width)
		if !slices.Equal(got, want) {
			t.Fatalf("width %d, step %d, %q\nin pieces\n%s\nat once\n%s", width, step, text, strings.Join(got, "\n"),
				strings.Join(want, "\n"))
		}
	})
}
