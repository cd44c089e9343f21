package token

import (
	"bytes"
	"fmt"
	"testing"

	"hotcell/models/gguf"
)

// entry is a token of a hand-made vocabulary.
type entry struct {
	text  string
	score float32
	kind  kind
}

// metadata collects keys for a GGUF file without tensors.
type metadata map[string]any

// file writes the keys and reads them back as a file named tiny.gguf.
func (m metadata) file(t testing.TB) *gguf.File {
	t.Helper()
	w := gguf.NewWriter()
	for key, value := range m {
		w.Set(key, value)
	}
	var raw bytes.Buffer
	if _, err := w.WriteTo(&raw); err != nil {
		t.Fatal(err)
	}
	file, err := gguf.Parse(bytes.NewReader(raw.Bytes()), int64(raw.Len()), "tiny.gguf")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func (m metadata) tokenizer(t testing.TB) *Tokenizer {
	t.Helper()
	tok, err := New(m.file(t))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// setTokens fills in the three arrays that describe entries.
func (m metadata) setTokens(entries []entry) {
	texts := make([]string, len(entries))
	scores := make([]float32, len(entries))
	types := make([]int32, len(entries))
	for i, e := range entries {
		texts[i], scores[i], types[i] = e.text, e.score, int32(e.kind)
	}
	m[keyTokens], m[keyScores], m[keyTypes] = texts, scores, types
}

// tinySPM has ids 0 to 2 for <unk>, <s> and </s>, 3 to 258 for the bytes, and
// then the pieces of tinyPieces.
func tinySPM() metadata {
	entries := []entry{{"<unk>", 0, unknown}, {"<s>", 0, control}, {"</s>", 0, control}}
	for b := range 256 {
		entries = append(entries, entry{fmt.Sprintf("<0x%02X>", b), 0, byteKind})
	}
	m := metadata{keyModel: "llama"}
	m.setTokens(append(entries, tinyPieces...))
	return m
}

var tinyPieces = []entry{
	{"▁", -10, normal},
	{"a", -11, normal},
	{"b", -12, normal},
	{"c", -13, normal},
	{"ab", -1, normal},
	{"bc", -1, normal},
	{"abc", -5, normal},
	{"▁a", -3, normal},
	{"▁abc", -4, normal},
	{"é", -6, normal},
	{"<|im_start|>", 0, control},
	{"<|im_end|>", 0, normal}, // mistyped in the file
	{"<tool>", 0, userDefined},
	{"<tool>s", 0, userDefined},
	{"gone", -2, unused},
}

// tinyBPE has ids 0 to 255 for the bytes, in order, and then the pieces of
// tinyMerges and four special tokens.
func tinyBPE(pre string) metadata {
	var entries []entry
	for b := range 256 {
		entries = append(entries, entry{string(alphabet[b]), 0, normal})
	}
	for _, text := range []string{"ab", "bc", "abc", "Ġab", "aa", "aaaa", "cab"} {
		entries = append(entries, entry{text, 0, normal})
	}
	entries = append(entries,
		entry{"<|im_start|>", 0, control}, entry{"<|im_end|>", 0, control},
		entry{"<tool>", 0, userDefined}, entry{"<|endoftext|>", 0, control})
	m := metadata{keyModel: "gpt2"}
	m.setTokens(entries)
	delete(m, keyScores)
	if pre != "" {
		m[keyPre] = pre
	}
	m[keyMerges] = []string{"a b", "b c", "ab c", "Ġ ab", "a a", "aa aa"}
	return m
}
