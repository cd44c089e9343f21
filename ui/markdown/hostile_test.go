package markdown

import (
	"strings"
	"testing"
)

// hostile texts of about maxOpen bytes, which parsers and renderers of markdown are slow on.
func hostile() []string {
	fill := func(s string) string { return strings.Repeat(s, maxOpen/len(s)) }
	var nested strings.Builder
	for depth := 0; nested.Len() < maxOpen; depth++ {
		nested.WriteString(strings.Repeat("  ", depth) + "- a\n")
	}
	texts := []string{
		nested.String(),
		"|" + fill("a|") + "\n|" + fill("-|"),
		strings.Repeat("|a", maxOpen/8) + "|\n" + strings.Repeat("|-", maxOpen/8) + "|\n" + strings.Repeat("x\n", maxOpen/4),
		"```go\n" + fill("/*"), "```go\n" + fill("\"a "), "```py\n" + fill("'''"), "# " + fill("["), "- " + fill("[a]("),
	}
	for _, s := range []string{
		"[", "]", "[]", "[a](", "![", "*", "*a ", "**a ", "_a*b", "`", "`a``b", "<", "<a ", "<!--", "&", "&a", `\`, `\[`, "$$", "$a",
		">", "> ", "- ", "1. ", "> - ", "|", "|a|b|\n|-|-|\n", "~~a", "http://", " a@", "a@b.c ", "\t", "\n", "#", "# \n", "a\n=\n",
		"e\u0301", "\u0301", "漢", "\x1b[", "\x1b]", "-\n", "- \n\n", "```\n", "[a][b] ", "[a]: b\n", "<b>", "<div>\n\n", "*[a](b)* ",
		"[*a ", "![[]()](", ">\n", "*a_ ", "*a **b ", "[a](<b", "[a](b \"c", "<?", "a  \n", "a\\\n",
	} {
		texts = append(texts, fill(s))
	}
	return texts
}

func TestHostileTextStaysInItsLines(t *testing.T) {
	d := New(coloured())
	for _, text := range hostile() {
		for _, width := range []int{1, 46} {
			d.SetText(text, true)
			checkLines(t, text[:20], d.Lines(width), width)
		}
	}
}

func TestContainersNestOnlySoDeep(t *testing.T) {
	d := New(bare())
	d.SetText(strings.Repeat("> ", 100)+"deep", false)
	want := strings.Repeat("│ ", maxDepth) + strings.Repeat("> ", 100-maxDepth) + "deep"
	if got := d.Lines(300); len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// BenchmarkHostile draws the slowest of the hostile texts; see the largest figure.
func BenchmarkHostile(b *testing.B) {
	for _, text := range hostile() {
		b.Run(strings.ReplaceAll(text[:12], "\n", " "), func(b *testing.B) {
			for b.Loop() {
				d := New(bare())
				d.SetText(text, true)
				d.Lines(46)
			}
		})
	}
}

// BenchmarkStreaming is one drawing of an answer that grows by 8 bytes each time.
func BenchmarkStreaming(b *testing.B) {
	text := strings.Repeat(essay, 20)
	sheet := coloured()
	d, end := New(sheet), 0
	for b.Loop() {
		if end += 8; end > len(text) {
			d, end = New(sheet), 8
		}
		d.SetText(text[:end], true)
		d.Lines(46)
	}
}

// BenchmarkResize draws an answer of 100 kB at a new width.
func BenchmarkResize(b *testing.B) {
	d, width := New(coloured()), 46
	d.SetText(strings.Repeat(essay, 1+100_000/len(essay)), false)
	for b.Loop() {
		width ^= 1
		d.Lines(width)
	}
}
