package token

import (
	"path/filepath"
	"strings"
	"testing"
)

// longTexts are the lines that make a careless tokenizer quadratic.
var longTexts = map[string]func(n int) string{
	"one letter":              func(n int) string { return strings.Repeat("a", n) },
	"spaces":                  func(n int) string { return strings.Repeat(" ", n) },
	"line ends":               func(n int) string { return strings.Repeat("\n", n) },
	"a digit":                 func(n int) string { return strings.Repeat("7", n) },
	"broken UTF-8":            func(n int) string { return strings.Repeat("\xff", n) },
	"an emoji":                func(n int) string { return strings.Repeat("👍", n/4) },
	"dashes":                  func(n int) string { return strings.Repeat("-", n) },
	"an open tag":             func(n int) string { return strings.Repeat("<", n) },
	"half a control":          func(n int) string { return strings.Repeat("<|endoftext", n/11) },
	"prose":                   func(n int) string { return strings.Repeat("The cat, it's said, sat. ", n/25) },
	"space and line":          func(n int) string { return strings.Repeat(" \n", n/2) },
	"words of two scripts":    func(n int) string { return strings.Repeat("a語", n/4) },
	"capitals and ideographs": func(n int) string { return strings.Repeat("語", n/6) + strings.Repeat("A", n/2) },
	"foreign numbers":         func(n int) string { return strings.Repeat("٣", n/2) },
	"numbers of two scripts":  func(n int) string { return strings.Repeat("1234٣", n/6) },
	"ideographic spaces":      func(n int) string { return strings.Repeat("\u3000", n/3) },
	"control characters":      func(n int) string { return strings.Repeat("\x01", n) },
	"tildes and marks":        func(n int) string { return strings.Repeat("~\u0301", n/3) },
	"words and spaces":        func(n int) string { return strings.Repeat("a ", n/2) },
	"sentinels":               func(n int) string { return strings.Repeat("<sentinel:1", n/11) },
	"images":                  func(n int) string { return strings.Repeat("IMGIMGABCD", n/10) },
	"apostrophes":             func(n int) string { return strings.Repeat("'", n) },
}

// TestWorkGrowsInProportionToTheText counts the candidate pairs that Encode
// looks up. Each joined pair makes at most two new ones, so there can be at most
// three for each byte that Encode sees, whatever the text.
func TestWorkGrowsInProportionToTheText(t *testing.T) {
	for _, name := range ownVocabularies {
		tok := own(t, name)
		for what, text := range longTexts {
			for _, size := range []int{1 << 10, 1 << 16} {
				s := new(scratch)
				input := text(size)
				tok.encode(input, EncodeOptions{Special: true}, s)
				if limit := 3 * (len(input) + 1); s.joins > limit {
					t.Errorf("%s, %s: %d pairs for %d bytes, want at most %d", name, what, s.joins, len(input), limit)
				}
			}
		}
	}
}

func TestAWordIsMergedTheSameInALongText(t *testing.T) {
	tok := own(t, "gpt-2")
	for _, size := range []int{1 << 6, 1 << 12, 1 << 16} {
		ids := tok.Encode(strings.Repeat("a", size), EncodeOptions{})
		if got := tok.Decode(ids); got != strings.Repeat("a", size) {
			t.Errorf("%d letters come back as %d", size, len(got))
		}
	}
}

func BenchmarkEncodeMegabyte(b *testing.B) {
	dir := shared(b)
	for _, name := range []string{"llama-spm", "gpt-2", "llama-bpe", "qwen2"} {
		tok := open(b, filepath.Join(dir, "vocab", "ggml-vocab-"+name+".gguf"))
		for what, text := range longTexts {
			input := text(1 << 20)
			b.Run(name+"/"+strings.ReplaceAll(what, " ", "-"), func(b *testing.B) {
				b.SetBytes(int64(len(input)))
				b.ReportAllocs()
				for b.Loop() {
					tok.Encode(input, EncodeOptions{Special: true})
				}
			})
		}
	}
}

// BenchmarkWords shows that no way to cut words is slow on any text.
func BenchmarkWords(b *testing.B) {
	for name, pre := range preTokenizers {
		for what, text := range longTexts {
			input := text(1 << 20)
			b.Run(name+"/"+strings.ReplaceAll(what, " ", "-"), func(b *testing.B) {
				b.SetBytes(int64(len(input)))
				for b.Loop() {
					pre.words(input, func(string) {})
				}
			})
		}
	}
}

func BenchmarkNew(b *testing.B) {
	dir := shared(b)
	for _, name := range []string{"llama-spm", "qwen2", "llama-bpe"} {
		b.Run(name, func(b *testing.B) {
			file := openFile(b, filepath.Join(dir, "vocab", "ggml-vocab-"+name+".gguf"))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := New(file); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
