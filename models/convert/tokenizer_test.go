package convert

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hotcell/models/gguf"
	"hotcell/models/token"
)

// tokenizerOf converts the tokenizer that lies in a folder of these files.
func tokenizerOf(t testing.TB, size int, files map[string]any) (*gguf.File, error) {
	t.Helper()
	f := &folder{config: object{}, files: files, tensors: map[string]tensor{}}
	dir := f.write(t)
	v, err := readVocabulary(dir, size)
	if err != nil {
		return nil, err
	}
	w := gguf.NewWriter()
	w.Set("general.architecture", "llama")
	if err := storeSpecial(w, dir, v, &config{BOS: tokenIDs{1}, EOS: tokenIDs{2}}); err != nil {
		return nil, err
	}
	v.store(w)
	if err := checkTokenizer(w); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if _, err := w.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return gguf.Parse(bytes.NewReader(out.Bytes()), int64(out.Len()), "t.gguf")
}

func mustTokenizer(t testing.TB, size int, files map[string]any) (*gguf.File, *token.Tokenizer) {
	t.Helper()
	f, err := tokenizerOf(t, size, files)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := token.New(f)
	if err != nil {
		t.Fatal(err)
	}
	return f, tok
}

func TestASentencePieceVocabularyFromMerges(t *testing.T) {
	f, tok := mustTokenizer(t, tinyVocab, map[string]any{tokenizerFile: tinySentencePiece(),
		tokenizerConfigFile: object{"bos_token": object{"content": "<s>"}, "eos_token": "<|im_end|>", "add_bos_token": true}})
	texts, _ := f.Strings("tokenizer.ggml.tokens")
	kinds, _ := f.Ints("tokenizer.ggml.token_type")
	for _, test := range []struct {
		id   int
		text string
		kind tokenKind
	}{
		{0, "<unk>", unknown}, {1, "<s>", control}, {3, "<0x00>", byteToken}, {263, "▁t", normal},
		{268, "<|im_end|>", control}, // not flagged, but it looks like what it is
		{269, "  tab", userDefined}, {270, "[PAD270]", unused}, {299, "[PAD299]", unused},
	} {
		if texts[test.id] != test.text || tokenKind(kinds[test.id]) != test.kind {
			t.Errorf("token %d is %q of type %d, want %q of type %d", test.id, texts[test.id], kinds[test.id], test.text, test.kind)
		}
	}
	if eos, _ := tok.EOS(); eos != 268 || !tok.AddBOS() {
		t.Errorf("EOS %d, add BOS %v", eos, tok.AddBOS())
	}
	// "▁ t" comes before "h e" and "▁t he".
	for text, want := range map[string][]int32{"the": {265}, "the x": {265, 267}, "he": {259, 264}, "z": {259, 3 + 'z'}, "  tab": {269}} {
		if got := tok.Encode(text, token.EncodeOptions{}); !slices.Equal(got, want) {
			t.Errorf("%q becomes %v, want %v", text, got, want)
		}
	}
}

func TestAByteLevelVocabulary(t *testing.T) {
	for _, pairs := range []bool{false, true} {
		f, tok := mustTokenizer(t, 310, map[string]any{
			tokenizerFile: byteLevel(qwenSteps, pairs),
			tokenizerConfigFile: object{"bos_token": nil, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "add_bos_token": false,
				"chat_template": []object{{"name": "default", "template": "D"}, {"name": "tool_use", "template": "T"}}},
			generationConfigFile: object{"eos_token_id": []int{258, 259}},
		})
		if pre, _ := f.String("tokenizer.ggml.pre"); pre != "qwen2" {
			t.Errorf("pre-tokenizer %q", pre)
		}
		if got := tok.Encode("at <|im_end|><think>", token.EncodeOptions{Special: true}); !slices.Equal(got, []int32{256, ' ', 258, 260}) {
			t.Errorf("ids %v", got)
		}
		for key, want := range map[string]int64{"eos": 258, "padding": 259, "eot": 259} {
			if id, err := f.Int("tokenizer.ggml." + key + "_token_id"); id != want {
				t.Errorf("%s is %d (%v), want %d", key, id, err, want)
			}
		}
		if d, _ := f.String("tokenizer.chat_template"); d != "D" {
			t.Errorf("template %q", d)
		}
		if d, _ := f.String("tokenizer.chat_template.tool_use"); d != "T" {
			t.Errorf("second template %q", d)
		}
	}
}

var qwenSteps = []object{
	{"type": "Split", "pattern": object{"Regex": llamaWords + `\p{N}` + llamaRest}, "behavior": "Isolated", "invert": false},
	{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false},
}

// byteLevel is a tokenizer.json of the 256 bytes, one merge and a few added tokens.
func byteLevel(steps []object, pairs bool) object {
	vocab := object{}
	next := rune(0x100)
	for b := range rune(256) {
		c := b
		if b <= ' ' || b >= 0x7F && b <= 0xA0 || b == 0xAD {
			c, next = next, next+1
		}
		vocab[string(c)] = b
	}
	vocab["at"] = 256
	merges := []any{"a t"}
	if pairs {
		merges = []any{[]string{"a", "t"}}
	}
	return object{
		"pre_tokenizer": object{"type": "Sequence", "pretokenizers": steps},
		"decoder":       object{"type": "ByteLevel"},
		"added_tokens": []object{{"id": 257, "content": "<|im_start|>", "special": true}, {"id": 258, "content": "<|im_end|>", "special": true},
			{"id": 259, "content": "<|endoftext|>", "special": true}, {"id": 260, "content": "<think>", "special": false},
			{"id": 5000, "content": "<pad>", "special": true}},
		"model": object{"type": "BPE", "vocab": vocab, "merges": merges},
	}
}

func TestPreTokenizersAreKnownByTheirExpressions(t *testing.T) {
	split := func(regex string) object {
		return object{"type": "Split", "pattern": object{"Regex": regex}, "behavior": "Isolated"}
	}
	bytes := object{"type": "ByteLevel", "use_regex": false}
	const cased = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	for _, test := range []struct {
		steps     []object
		want, err string
	}{
		{[]object{{"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}}, "gpt-2", ""},
		{[]object{{"type": "ByteLevel"}}, "gpt-2", ""},
		{[]object{{"type": "Digits", "individual_digits": true}, {"type": "ByteLevel"}}, "smollm", ""},
		{[]object{split(`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`), bytes}, "llama-bpe", ""},
		{[]object{split("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"), bytes}, "seed-coder", ""},
		{qwenSteps, "qwen2", ""},
		{[]object{split(cased), bytes}, "tekken", ""},
		{[]object{split(`\d+`), bytes}, "", `the pre-tokenizer is not known: it cuts by ["\\d+"]`},
		{[]object{{"type": "Whitespace"}, bytes}, "", "a step Whitespace that is not known"},
		{[]object{{"type": "ByteLevel", "add_prefix_space": true}}, "", "a space in front"},
		{[]object{{"type": "Split", "pattern": object{"String": " "}, "behavior": "MergedWithNext"}, bytes}, "", "splitting MergedWithNext"},
	} {
		f, err := tokenizerOf(t, 310, map[string]any{tokenizerFile: byteLevel(test.steps, false)})
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("error %v, want %q", err, test.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.want, err)
			continue
		}
		if got, _ := f.String("tokenizer.ggml.pre"); got != test.want {
			t.Errorf("%v is %q, want %q", test.steps, got, test.want)
		}
	}
}

func TestEveryPreTokenizerNameIsOneThatTheEngineFollows(t *testing.T) {
	for _, name := range preTokenizers {
		w := gguf.NewWriter()
		v := newVocabulary(1)
		v.byteLevel, v.model, v.pre, v.merges = true, "gpt2", name, []string{}
		v.set(0, "a", normal)
		v.store(w)
		if err := checkTokenizer(w); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// protobuf encodings for a tokenizer.model.
func protoNumber(field int, n uint64) []byte {
	return appendUvarint(appendUvarint(nil, uint64(field)<<3), n)
}

func protoBytes(field int, b []byte) []byte {
	return append(appendUvarint(appendUvarint(nil, uint64(field)<<3|2), uint64(len(b))), b...)
}

func appendUvarint(b []byte, n uint64) []byte {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

func protoPiece(text string, score float32, kind tokenKind) []byte {
	b := protoBytes(pieceText, []byte(text))
	b = le.AppendUint32(append(b, pieceScore<<3|5), math.Float32bits(score))
	if kind != normal {
		b = append(b, protoNumber(pieceType, uint64(kind))...)
	}
	return protoBytes(fieldPiece, b)
}

func sentencePieceModel(pieces [][]byte, prefix bool) []byte {
	b := slices.Concat(pieces...)
	b = append(b, protoBytes(fieldTrainer, protoNumber(trainerModel, 2))...)
	if !prefix {
		b = append(b, protoBytes(fieldNormalizer, protoNumber(normalizerPrefix, 0))...)
	}
	return b
}

func TestASentencePieceModel(t *testing.T) {
	pieces := [][]byte{protoPiece("<unk>", 0, unknown), protoPiece("<s>", 0, control), protoPiece("</s>", 0, control)}
	for b := range 256 {
		pieces = append(pieces, protoPiece(fmt.Sprintf("<0x%02X>", b), 0, byteToken))
	}
	pieces = append(pieces, protoPiece("ab", -1, normal), protoPiece("bc", -0.5, normal), protoPiece("a", -2, normal), protoPiece("b", -3, normal), protoPiece("c", -4, normal))
	files := map[string]any{
		sentencePieceFile:   sentencePieceModel(pieces, false),
		"added_tokens.json": object{"<x>": 264},
		tokenizerConfigFile: object{"added_tokens_decoder": object{"0": object{"content": "<unk>", "special": true}, "265": object{"content": "<|im_start|>", "special": true}}},
	}
	f, tok := mustTokenizer(t, 268, files)
	if got := tok.Encode("abc", token.EncodeOptions{}); !slices.Equal(got, []int32{261, 260}) {
		t.Errorf("abc becomes %v: the better score is bc's", got)
	}
	kinds, _ := f.Ints("tokenizer.ggml.token_type")
	if !slices.Equal(kinds[259:], []int64{1, 1, 1, 1, 1, 4, 3, 5, 5}) || kinds[0] != int64(unknown) {
		t.Errorf("types %v ... %v", kinds[:4], kinds[259:])
	}
	if unk, _ := tok.UNK(); unk != 0 || !tok.AddBOS() {
		t.Error("unknown token or BOS wrong")
	}
}

func TestTokenizersThatCannotBeConverted(t *testing.T) {
	change := func(change func(o, model object)) object {
		o := tinySentencePiece()
		change(o, o["model"].(object))
		return o
	}
	for _, test := range []struct {
		name, err string
		files     map[string]any
	}{
		{"none", "no tokenizer in this folder", map[string]any{}},
		{"unigram", "of the kind Unigram", map[string]any{tokenizerFile: object{"model": object{"type": "Unigram", "vocab": []any{[]any{"a", -1.5}}}}}},
		{"no JSON", "not valid JSON", map[string]any{tokenizerFile: []byte("<html>")}},
		{"a list", "an array stands", map[string]any{tokenizerFile: []byte("[]")}},
		{"deep nesting", "JSON", map[string]any{tokenizerFile: bytes.Repeat([]byte(`{"normalizer":`), 20000)}},
		{"an id past the embedding", "has the id 300, but the model has only 300", map[string]any{tokenizerFile: change(func(o, m object) { m["vocab"].(object)["new"] = 300 })}},
		{"a negative id", "has the id -1", map[string]any{tokenizerFile: change(func(o, m object) { m["vocab"].(object)["new"] = -1 })}},
		{"a negative added id", "has the id -7", map[string]any{tokenizerFile: change(func(o, m object) { o["added_tokens"] = []object{{"id": -7, "content": "x"}} })}},
		{"an id given twice", "is given to both", map[string]any{tokenizerFile: change(func(o, m object) { m["vocab"].(object)["new"] = 5 })}},
		{"a merge of three", "is not two pieces", map[string]any{tokenizerFile: change(func(o, m object) { m["merges"] = []any{"a b c"} })}},
		{"merges that are numbers", "merges is a number", map[string]any{tokenizerFile: change(func(o, m object) { m["merges"] = []any{1} })}},
		{"neither family", "neither byte-level", map[string]any{tokenizerFile: change(func(o, m object) { m["byte_fallback"] = false })}},
		{"a vocabulary that is a list", "the vocabulary", map[string]any{tokenizerFile: change(func(o, m object) { m["vocab"] = []int{1} })}},
		{"a damaged model", "not a SentencePiece model", map[string]any{sentencePieceFile: []byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}}},
		{"an empty model", "not a SentencePiece model", map[string]any{sentencePieceFile: []byte{}}},
		{"a unigram model", "of the kind BPE", map[string]any{sentencePieceFile: protoPiece("a", 0, normal)}},
		{"a piece of an unknown type", "has the type 9", map[string]any{sentencePieceFile: protoPiece("a", 0, 9)}},
	} {
		_, err := tokenizerOf(t, tinyVocab, test.files)
		if err == nil || !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.err)
		}
	}
}

func FuzzSentencePiece(f *testing.F) {
	f.Add(sentencePieceModel([][]byte{protoPiece("<unk>", 0, unknown), protoPiece("a", -1, normal)}, true))
	f.Add([]byte{0x0a, 0x80})
	f.Fuzz(func(t *testing.T, message []byte) {
		v := newVocabulary(100)
		if v.fromSentencePiece(message) == nil && v.kinds[0] == unused && v.texts[0] == "" {
			t.Fatal("no piece was read")
		}
	})
}

func FuzzTokenizerJSON(f *testing.F) {
	// Short seeds: long ones keep the fuzzer busy with shortening them.
	f.Add([]byte(`{"added_tokens":[{"id":0,"content":"<unk>","special":true}],"normalizer":{"type":"Prepend","prepend":"▁"},
		"model":{"type":"BPE","byte_fallback":true,"unk_token":"<unk>","vocab":{"a":1,"b":2,"ab":3},"merges":["a b"]}}`))
	f.Add([]byte(`{"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},{"type":"ByteLevel"}]},
		"model":{"type":"BPE","vocab":{"a":1,"b":2,"ab":3},"merges":[["a","b"]]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var parsed tokenizerJSON
		if json.Unmarshal(text, &parsed) != nil {
			return
		}
		v := newVocabulary(tinyVocab)
		if v.fromTokenizerJSON(&parsed) == nil {
			w := gguf.NewWriter()
			v.store(w)
			_ = checkTokenizer(w) // may refuse, must not panic
		}
	})
}

// The published vocabularies are GGUF files. What Hugging Face's files would hold is made
// of them, converted, and compared by the ids of many texts.
func TestPublishedVocabulariesSurviveTheWayThroughHuggingFacesFiles(t *testing.T) {
	shared := os.Getenv("HOTCELL_SHARED")
	if shared == "" {
		t.Skip("HOTCELL_SHARED is not set")
	}
	for _, name := range []string{"llama-spm", "gpt-2", "llama-bpe", "qwen2"} {
		t.Run(name, func(t *testing.T) {
			old := openVocabulary(t, filepath.Join(shared, "vocab", "ggml-vocab-"+name+".gguf"))
			want, err := token.New(old)
			if err != nil {
				t.Fatal(err)
			}
			lines, err := os.ReadFile(filepath.Join(shared, "vocab", name+".lines.txt"))
			if err != nil {
				t.Fatal(err)
			}
			forms := []map[string]any{{tokenizerFile: asTokenizerJSON(t, old)}}
			if name == "llama-spm" {
				forms = append(forms, map[string]any{sentencePieceFile: asSentencePiece(t, old)})
			}
			for _, files := range forms {
				_, got := mustTokenizer(t, want.Size(), files)
				for _, line := range strings.Split(string(lines), "\n") {
					var text string
					quoted, _, _ := strings.Cut(line, "\t")
					if json.Unmarshal([]byte(quoted), &text) != nil {
						continue
					}
					for _, o := range []token.EncodeOptions{{}, {Special: true}} {
						if a, b := got.Encode(text, o), want.Encode(text, o); !slices.Equal(a, b) {
							t.Fatalf("%.80q becomes %v, want %v", text, a, b)
						}
					}
				}
			}
		})
	}
}

func openVocabulary(t *testing.T, path string) *gguf.File {
	raw, err := os.ReadFile(path)
	if err != nil {
		packed, err := os.Open(path + ".gz")
		if err != nil {
			t.Fatal(err)
		}
		defer packed.Close()
		z, err := gzip.NewReader(packed)
		if err != nil {
			t.Fatal(err)
		}
		if raw, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
	}
	f, err := gguf.Parse(bytes.NewReader(raw), int64(len(raw)), filepath.Base(path))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func asTokenizerJSON(t *testing.T, f *gguf.File) object {
	texts, _ := f.Strings("tokenizer.ggml.tokens")
	kinds, _ := f.Ints("tokenizer.ggml.token_type")
	vocab := map[string]int{}
	added := []object{}
	for id, text := range texts {
		switch tokenKind(kinds[id]) {
		case control, unknown, userDefined:
			added = append(added, object{"id": id, "content": text, "special": tokenKind(kinds[id]) != userDefined})
		case normal, byteToken:
			vocab[text] = id
		}
	}
	if model, _ := f.String("tokenizer.ggml.model"); model == "gpt2" {
		merges, _ := f.Strings("tokenizer.ggml.merges")
		regex := map[string]string{"gpt-2": gpt2Regex, "qwen2": llamaWords + `\p{N}` + llamaRest, "llama-bpe": llamaWords + `\p{N}{1,3}` + llamaRest}
		pre, _ := f.String("tokenizer.ggml.pre")
		return object{"added_tokens": added, "model": object{"type": "BPE", "vocab": vocab, "merges": merges},
			"pre_tokenizer": object{"type": "Sequence", "pretokenizers": []object{
				{"type": "Split", "pattern": object{"Regex": regex[pre]}, "behavior": "Isolated"}, {"type": "ByteLevel", "use_regex": false}}}}
	}
	// As the published converter does: every cut of a piece into two pieces is a merge,
	// from the best score to the worst, and by ids where scores are equal.
	scores, _ := f.Floats("tokenizer.ggml.scores")
	type merge struct {
		left, right string
		score       float32
		ids         [3]int
	}
	var merges []merge
	for text, id := range vocab {
		for i := range text {
			left, isLeft := vocab[text[:i]]
			right, isRight := vocab[text[i:]]
			if i > 0 && isLeft && isRight {
				merges = append(merges, merge{text[:i], text[i:], scores[id], [3]int{id, left, right}})
			}
		}
	}
	slices.SortFunc(merges, func(a, b merge) int {
		return cmp.Or(cmp.Compare(b.score, a.score), slices.Compare(a.ids[:], b.ids[:]))
	})
	pairs := make([][]string, len(merges))
	for i, m := range merges {
		pairs[i] = []string{m.left, m.right}
	}
	return object{"added_tokens": added, "normalizer": object{"type": "Prepend", "prepend": "▁"},
		"model": object{"type": "BPE", "unk_token": "<unk>", "byte_fallback": true, "vocab": vocab, "merges": pairs}}
}

func asSentencePiece(t *testing.T, f *gguf.File) []byte {
	texts, _ := f.Strings("tokenizer.ggml.tokens")
	kinds, _ := f.Ints("tokenizer.ggml.token_type")
	scores, _ := f.Floats("tokenizer.ggml.scores")
	var pieces [][]byte
	for id, text := range texts {
		pieces = append(pieces, protoPiece(text, scores[id], tokenKind(kinds[id])))
	}
	return sentencePieceModel(pieces, true)
}
