package token

import (
	"slices"
	"strings"
	"testing"
)

func TestNewRefusesABrokenVocabulary(t *testing.T) {
	llama := func(key string, value any) metadata { m := tinySPM(); m[key] = value; return m }
	gpt2 := func(key string, value any) metadata { m := tinyBPE("gpt-2"); m[key] = value; return m }
	without := func(m metadata, key string) metadata { delete(m, key); return m }
	for _, test := range []struct {
		name string
		m    metadata
		want string
	}{
		{"no tokenizer", metadata{"general.name": "x"}, "tiny.gguf: tokenizer.ggml.model is missing"},
		{"no tokens", without(tinySPM(), keyTokens), "tiny.gguf: tokenizer.ggml.tokens is missing"},
		{"an empty vocabulary", llama(keyTokens, []string{}), "tiny.gguf: tokenizer.ggml.tokens is empty"},
		{"no scores", without(tinySPM(), keyScores), "tiny.gguf: tokenizer.ggml.scores is missing"},
		{"no merges", without(tinyBPE("gpt-2"), keyMerges), "tiny.gguf: tokenizer.ggml.merges is missing"},
		{"an unknown model", llama(keyModel, "wordpiece"),
			`tiny.gguf: tokenizer.ggml.model is "wordpiece", but only "gpt2" and "llama" are known`},
		{"fewer types than tokens", llama(keyTypes, []int32{1}),
			"tiny.gguf: tokenizer.ggml.token_type has 1 entries, but there are 274 tokens"},
		{"fewer scores than tokens", llama(keyScores, []float32{1, 2}),
			"tiny.gguf: tokenizer.ggml.scores has 2 entries, but there are 274 tokens"},
		{"a score that is not a number", llama(keyScores, append(make([]float32, 273), nan())),
			"tiny.gguf: tokenizer.ggml.scores: the score of token 273 is not a number"},
		{"a merge of one piece", gpt2(keyMerges, []string{"a b", "ab"}),
			`tiny.gguf: tokenizer.ggml.merges: entry 1 is "ab", expected two pieces with a space between them`},
		{"a merge with nothing", gpt2(keyMerges, []string{"a "}),
			`tiny.gguf: tokenizer.ggml.merges: entry 0 is "a ", expected two pieces with a space between them`},
		{"an empty merge", gpt2(keyMerges, []string{""}),
			`tiny.gguf: tokenizer.ggml.merges: entry 0 is "", expected two pieces with a space between them`},
		{"a giant control token", llama(keyTokens, append(make([]string, 269), strings.Repeat("x", 4000), "", "", "", "")),
			"tiny.gguf: special token 269 is 4000 bytes long; at most 512 are accepted"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := New(test.m.file(t))
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func nan() float32 { zero := float32(0); return zero / zero }

func TestNewRefusesAnUnknownPreTokenizer(t *testing.T) {
	_, err := New(tinyBPE("gpt-99").file(t))
	want := `tiny.gguf: tokenizer.ggml.pre is "gpt-99", which names no known way to cut text into words`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestNewRefusesValuesOfTheWrongType(t *testing.T) {
	for _, m := range []metadata{tinySPM(), tinyBPE("gpt-2")} {
		for _, key := range []string{
			keyModel, keyPre, keyTokens, keyTypes, keyScores, keyMerges,
			keyBOS, keyEOS, keyEOT, keyEOM, keyUnknown, keyAddBOS, keyAddEOS, keySpacePrefix,
		} {
			spm := m[keyModel] == "llama"
			if spm && (key == keyPre || key == keyMerges) || !spm && (key == keyScores || key == keySpacePrefix) {
				continue // not read
			}
			broken := metadata{}
			for k, v := range m {
				broken[k] = v
			}
			broken[key] = []float64{1}
			if _, err := New(broken.file(t)); err == nil || !strings.HasPrefix(err.Error(), "tiny.gguf: "+key) {
				t.Errorf("%s: got %v", key, err)
			}
		}
	}
}

func TestSpecialIDsOutsideTheVocabularyCountAsAbsent(t *testing.T) {
	m := tinySPM()
	for _, key := range []string{keyBOS, keyEOS, keyEOT, keyEOM, keyUnknown} {
		m[key] = uint32(1<<32 - 1)
	}
	m[keyAddEOS] = true
	tok := m.tokenizer(t)
	if _, ok := tok.BOS(); ok || tok.AddBOS() || tok.AddEOS() {
		t.Error("there is no BOS and no EOS")
	}
	if got := tok.Encode("a", EncodeOptions{BOS: true, EOS: true}); len(got) != 1 {
		t.Errorf("got %v", got)
	}
}

func TestSpecialIDsOfEarlyFilesAreFoundByTheirPlace(t *testing.T) {
	tok := tinySPM().tokenizer(t)
	bos, _ := tok.BOS()
	eos, _ := tok.EOS()
	unk, ok := tok.UNK()
	if bos != 1 || eos != 2 || unk != 0 || !ok {
		t.Errorf("BOS %d, EOS %d, UNK %d", bos, eos, unk)
	}
}

func TestPlainTextNeverBecomesAControlToken(t *testing.T) {
	m := tinySPM()
	entries := []entry{
		{"<unk>", 0, unknown}, {"<s>", 0, control}, {"</s>", 0, control},
		{"<", -1, normal}, {"s", -2, normal}, {">", -3, normal}, {"<s", -4, normal}, {"x", 0, control},
	}
	m.setTokens(entries)
	m[keySpacePrefix] = false
	spm := m.tokenizer(t)
	if got := pieces(spm, spm.Encode("<s>x", EncodeOptions{})); !slices.Equal(got, []string{"<s", ">", "<unk>"}) {
		t.Errorf("got %q", got)
	}
	m = tinyBPE("llama-bpe")
	m[keyMerges] = []string{"< |", "<| e", "<|e nd", "<|end |>", "e n", "en d", "| >", "<|endo ftext|>"}
	types := m[keyTypes].([]int32)
	for id, text := range m[keyTokens].([]string) {
		if text == "abc" {
			types[id] = int32(control)
		}
	}
	bpe := m.tokenizer(t)
	for _, text := range []string{"<|endoftext|>", "abc"} {
		for _, id := range bpe.Encode(text, EncodeOptions{}) {
			if bpe.Control(id) {
				t.Errorf("%q gives %q", text, bpe.Text(id))
			}
		}
	}
}

func TestPiecesThatOnlyMergesNameAreStepsAndNoTokens(t *testing.T) {
	m := tinyBPE("gpt-2")
	// "xy" is no token: it leads to "xyz", and alone it falls back to bytes.
	m[keyMerges] = []string{"x y", "xy z"}
	m[keyTokens] = append(m[keyTokens].([]string), "xyz")
	m[keyTypes] = append(m[keyTypes].([]int32), int32(normal))
	tok := m.tokenizer(t)
	got := pieces(tok, tok.Encode("xyzxy", EncodeOptions{}))
	if want := []string{"xyz", "x", "y"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOfEqualTextsTheLastOneCounts(t *testing.T) {
	m := tinySPM()
	m.setTokens([]entry{{"a", 0, normal}, {"a", -1, normal}, {"", 0, normal}})
	m[keySpacePrefix] = false
	tok := m.tokenizer(t)
	if got := tok.Encode("a", EncodeOptions{}); !slices.Equal(got, []int32{1}) {
		t.Errorf("got %v", got)
	}
	if _, ok := tok.Lookup(""); ok {
		t.Error("the empty text is a piece")
	}
}

func FuzzRoundTrip(f *testing.F) {
	for _, text := range []string{
		"", " ", "  a", "Hello, world!\n\n", "don't DON'T", "1234567", "▁", "<|end|>\n", "é 世界 👩‍👩‍👧", "\xff\xc3", "\ufdd0", "\u00a0\u3000\r\n\t ",
	} {
		f.Add(text)
	}
	var toks []*Tokenizer
	for _, name := range ownVocabularies {
		toks = append(toks, own(f, name))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, tok := range toks {
			ids := tok.Encode(text, EncodeOptions{})
			for _, id := range ids {
				if tok.Control(id) {
					t.Fatalf("plain text %q gives the control token %q", text, tok.Text(id))
				}
			}
			// phi-3 has a user-defined token that strips what follows.
			if !strings.Contains(text, "</s>") {
				if got, want := tok.Decode(ids), decoded(tok, text); got != want {
					t.Errorf("%q comes back as %q", want, got)
				}
			}
			tok.Encode(text, EncodeOptions{Special: true, BOS: true, EOS: true})
		}
		for name, pre := range preTokenizers {
			rest := text
			pre.words(text, func(word string) {
				if word == "" || !strings.HasPrefix(rest, word) {
					t.Fatalf("%s: word %q of %q", name, word, rest)
				}
				rest = rest[len(word):]
			})
			if rest != "" {
				t.Fatalf("%s: %q is in no word", name, rest)
			}
		}
	})
}

// FuzzHostileVocabulary builds a vocabulary out of lines "text type score" and
// a list of merges, and encodes text with it.
func FuzzHostileVocabulary(f *testing.F) {
	f.Add(true, "a\x01\x05\nb\x01\x04\nab\x03\x03\n<0x61>\x06\x00\n", "a b\nab a\n", "abba<0x61>", uint32(0))
	f.Add(false, "a\x01\x00\nb\x04\x00\naa\x02\x00\n", "a a\naa a\nx y\n", "aaab aab", uint32(9))
	f.Add(false, "\n\n<|im_end|>\x05\n", "", "<|im_end|>\ufdd0", uint32(1<<32-1))
	f.Fuzz(func(t *testing.T, llama bool, lines, merges, text string, id uint32) {
		var entries []entry
		for line := range strings.SplitSeq(lines, "\n") {
			e := entry{kind: normal}
			if n := len(line); n >= 2 {
				e = entry{line[:n-2], float32(int8(line[n-1])), kind(line[n-2])}
			}
			entries = append(entries, e)
		}
		m := metadata{keyModel: "gpt2", keyMerges: strings.Split(merges, "\n"), keyBOS: id, keyEOS: id / 2, keyUnknown: id / 3}
		if llama {
			m[keyModel] = "llama"
		}
		m.setTokens(entries)
		tok, err := New(m.file(t))
		if err != nil {
			return
		}
		unk, hasUnk := tok.UNK()
		for _, special := range []bool{false, true} {
			ids := tok.Encode(text, EncodeOptions{Special: special})
			for _, id := range ids {
				if id < 0 || int(id) >= tok.Size() {
					t.Fatalf("id %d of %d", id, tok.Size())
				}
				if !special && tok.Control(id) && !(hasUnk && id == unk) {
					t.Fatalf("plain text gives the control token %q", tok.Text(id))
				}
			}
			tok.Decode(ids)
		}
		tok.ControlTexts()
		for id := int32(-1); int(id) <= tok.Size(); id++ {
			tok.Text(id)
			tok.IsEnd(id)
			tok.Decode([]int32{id})
		}
	})
}
