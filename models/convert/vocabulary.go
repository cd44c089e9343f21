package convert

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"hotcell/models/gguf"
)

// tokenKind is the type of a token as GGUF numbers it.
type tokenKind int32

const (
	normal      tokenKind = 1
	unknown     tokenKind = 2
	control     tokenKind = 3 // steers the model; never text of a user
	userDefined tokenKind = 4 // text with an id of its own
	unused      tokenKind = 5 // a row of the embedding without a token
	byteToken   tokenKind = 6 // <0x0A>
)

// vocabulary is a tokenizer on its way into the metadata.
type vocabulary struct {
	size   int // rows of the embedding: ids run from 0 to size-1
	model  string
	pre    string // of byte-level BPE
	texts  []string
	kinds  []tokenKind
	scores []float32 // of SentencePiece
	merges []string  // of byte-level BPE

	bos, eos, unk, pad string // texts, "" where the tokenizer's own file names none
	addBOS, addEOS     bool   // what goes around a prompt
	prefix             bool   // SentencePiece puts a space in front of a text
	byteLevel          bool
}

// newVocabulary makes room for the ids of an embedding of size rows. Rows that no token
// claims are padding.
func newVocabulary(size int) *vocabulary {
	v := &vocabulary{size: size, texts: make([]string, size), kinds: make([]tokenKind, size), scores: make([]float32, size)}
	for i := range v.kinds {
		v.kinds[i] = unused
	}
	return v
}

// set gives the id a text. Ids past the embedding cannot be used.
func (v *vocabulary) set(id int64, text string, k tokenKind) error {
	if id < 0 || id >= int64(v.size) {
		return fmt.Errorf("the token %s has the id %d, but the model has only %d", quote(text), id, v.size)
	}
	v.texts[id], v.kinds[id] = text, k
	return nil
}

// addedToken is a token that was added to a vocabulary after its training.
type addedToken struct {
	ID      int64  `json:"id"`
	Content string `json:"content"`
	Special bool   `json:"special"`
}

// add enters an added token. Those past the embedding are dropped: some fine-tunes name
// a padding token that their model has no row for.
func (v *vocabulary) add(t addedToken) error {
	if t.ID >= int64(v.size) {
		return nil
	}
	kind := userDefined
	text := t.Content
	switch {
	case t.Special || looksSpecial(text):
		kind = control
	case !v.byteLevel:
		text = strings.ReplaceAll(text, "▁", " ") // user-defined tokens stand as they are read
	}
	return v.set(t.ID, text, kind)
}

// looksSpecial finds turn markers that a tokenizer does not flag as special. As plain
// text, users could write them and forge a turn.
func looksSpecial(text string) bool {
	return strings.HasPrefix(text, "<|") && strings.HasSuffix(text, "|>") ||
		strings.HasPrefix(text, "<｜") && strings.HasSuffix(text, "｜>")
}

// isByte tells whether a piece stands for one byte: <0x0A>.
func isByte(text string) bool {
	return len(text) == len("<0x0A>") && strings.HasPrefix(text, "<0x") && text[5] == '>' &&
		strings.Trim(text[3:5], "0123456789ABCDEFabcdef") == ""
}

// readVocabulary reads the tokenizer of a model with an embedding of size rows.
func readVocabulary(dir string, size int) (*vocabulary, error) {
	v := newVocabulary(size)
	err := v.readTokenizerJSON(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err = v.readSentencePiece(dir); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: there is no tokenizer in this folder (neither %s nor %s)", quote(base(dir)), tokenizerFile, sentencePieceFile)
		}
	}
	if err != nil {
		return nil, err
	}
	for id, k := range v.kinds {
		if k == unused && v.texts[id] == "" {
			v.texts[id] = fmt.Sprintf("[PAD%d]", id)
		}
	}
	return v, nil
}

// id finds a token by its text.
func (v *vocabulary) id(text string) (uint32, bool) {
	if text == "" {
		return 0, false
	}
	i := slices.Index(v.texts, text)
	return uint32(max(i, 0)), i >= 0
}

// store writes the tokenizer's keys.
func (v *vocabulary) store(w *gguf.Writer) {
	w.Set("tokenizer.ggml.model", v.model)
	kinds := make([]int32, len(v.kinds))
	for i, k := range v.kinds {
		kinds[i] = int32(k)
	}
	if v.byteLevel {
		w.Set("tokenizer.ggml.pre", v.pre)
	}
	w.Set("tokenizer.ggml.tokens", v.texts)
	if v.byteLevel {
		w.Set("tokenizer.ggml.merges", v.merges)
	} else {
		w.Set("tokenizer.ggml.scores", v.scores)
	}
	w.Set("tokenizer.ggml.token_type", kinds)
	w.Set("tokenizer.ggml.add_bos_token", v.addBOS)
	w.Set("tokenizer.ggml.add_eos_token", v.addEOS)
	if !v.byteLevel {
		w.Set("tokenizer.ggml.add_space_prefix", v.prefix)
	}
}
