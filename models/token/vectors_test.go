package token

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hotcell/models/gguf"
)

// Vocabularies that may be kept in the repository lie in testdata, the others in
// the folder vocab of HOTCELL_SHARED.
var (
	ownVocabularies    = []string{"phi-3", "gpt-2"}
	sharedVocabularies = []string{"llama-spm", "phi-3", "gpt-2", "llama-bpe", "qwen2"}
)

func shared(t testing.TB) string {
	dir := os.Getenv("HOTCELL_SHARED")
	if dir == "" {
		t.Skip("HOTCELL_SHARED is not set")
	}
	return dir
}

func open(t testing.TB, path string) *Tokenizer {
	t.Helper()
	tok, err := New(openFile(t, path))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// openFile reads a vocabulary from path or path.gz.
func openFile(t testing.TB, path string) *gguf.File {
	t.Helper()
	var raw []byte
	if f, err := os.Open(path + ".gz"); err == nil {
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		if raw, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
	} else if raw, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	file, err := gguf.Parse(bytes.NewReader(raw), int64(len(raw)), filepath.Base(path))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func own(t testing.TB, name string) *Tokenizer {
	t.Helper()
	return open(t, filepath.Join("testdata", name+".gguf"))
}

func TestIDsEqualTheVectors(t *testing.T) {
	for _, name := range ownVocabularies {
		t.Run(name, func(t *testing.T) {
			base := filepath.Join("testdata", name)
			tok := own(t, name)
			checkPairs(t, tok, base+".inp", base+".out")
			checkLines(t, tok, base+".lines.txt")
		})
	}
}

func TestIDsEqualTheVectorsOfAllVocabularies(t *testing.T) {
	dir := filepath.Join(shared(t), "vocab")
	for _, name := range sharedVocabularies {
		t.Run(name, func(t *testing.T) {
			base := filepath.Join(dir, "ggml-vocab-"+name+".gguf")
			tok := open(t, base)
			checkPairs(t, tok, base+".inp", base+".out")
			checkLines(t, tok, filepath.Join(dir, name+".lines.txt"))
		})
	}
}

func TestEveryModelHasATokenizer(t *testing.T) {
	dir := shared(t)
	paths, _ := filepath.Glob(filepath.Join(dir, "golden", "*", "*.gguf"))
	more, _ := filepath.Glob(filepath.Join(dir, "models", "*.gguf"))
	for _, path := range append(paths, more...) {
		file, err := gguf.Open(path)
		if err != nil {
			t.Error(err)
			continue
		}
		tok, err := New(file)
		file.Close()
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		const text = "Hello there, \n it's 2024: ünïcode 世界!"
		if got := tok.Decode(tok.Encode(text, EncodeOptions{BOS: tok.AddBOS()})); got != text {
			t.Errorf("%s: %q comes back as %q", path, text, got)
		}
	}
}

// checkPairs compares the texts of one file, divided by a separator line, with
// the lines of ids of another.
func checkPairs(t *testing.T, tok *Tokenizer, input, output string) {
	t.Helper()
	const separator = "\n__ggml_vocab_test__\n"
	texts := strings.Split(readText(t, input), separator)
	lines := strings.Split(readText(t, output), "\n")
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	}
	if last := len(texts) - 1; len(texts) == len(lines)+1 && texts[last] == "" {
		texts = texts[:last]
	}
	if len(texts) != len(lines) || len(texts) < 40 {
		t.Fatalf("%d texts, but %d lines of ids", len(texts), len(lines))
	}
	for i, text := range texts {
		checkIDs(t, tok, text, false, lines[i])
	}
}

// checkLines reads lines of a JSON string, the ids of the text, and its ids with
// control tokens recognised.
func checkLines(t *testing.T, tok *Tokenizer, path string) {
	t.Helper()
	lines := bufio.NewScanner(strings.NewReader(readText(t, path)))
	lines.Buffer(nil, 1<<20)
	checked := 0
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		columns := strings.Split(lines.Text(), "\t")
		if len(columns) != 3 {
			t.Fatalf("%s: %d columns in %q", path, len(columns), lines.Text())
		}
		var text string
		if err := json.Unmarshal([]byte(columns[0]), &text); err != nil {
			t.Fatal(err)
		}
		checkIDs(t, tok, text, false, columns[1])
		checkIDs(t, tok, text, true, columns[2])
		checked++
	}
	if checked < 90 {
		t.Errorf("%s: only %d lines", path, checked)
	}
}

func checkIDs(t *testing.T, tok *Tokenizer, text string, special bool, want string) {
	t.Helper()
	ids := tok.Encode(text, EncodeOptions{Special: special})
	if !slices.Equal(ids, parseIDs(t, want)) {
		t.Errorf("%q, special %v:\n got %v\nwant %v", text, special, ids, want)
	}
	if special {
		return
	}
	if tok.spacePrefix {
		text = strings.ReplaceAll(text, blank, " ") // SentencePiece cannot tell them apart
	}
	if got := tok.Decode(ids); got != text {
		t.Errorf("%v decodes to %q, want %q", ids, got, text)
	}
}

func parseIDs(t *testing.T, line string) []int32 {
	t.Helper()
	var ids []int32
	for _, field := range strings.Fields(line) {
		id, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, int32(id))
	}
	return ids
}

func readText(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
