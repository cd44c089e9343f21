package token

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Tokenizer holds the vocabulary of one model and the rules to use it.
// It is safe for concurrent use.
type Tokenizer struct {
	vocab    *vocabulary
	model    encoder
	specials *specials

	bos, eos, eot, eom int32   // none when the model has no such token
	ends               []int32 // every token that ends a turn, ascending
	addBOS, addEOS     bool
	spacePrefix        bool // a space goes in front of the text, and Decode removes it
}

// none stands for a token that the vocabulary does not have.
const none int32 = -1

// encoder turns text without special tokens into ids. The two implementations
// are spm and bpe.
type encoder interface {
	// encode appends the ids of text to dst. start says that the text stands at
	// the beginning or follows a special token.
	encode(dst []int32, text string, start bool, s *scratch) []int32
}

// New builds the tokenizer that the tokenizer.ggml.* keys of m describe. The
// error is one sentence that starts with the name of the file.
func New(m Metadata) (*Tokenizer, error) {
	build := map[string]func(*Tokenizer, Metadata) error{"llama": newSPM, "gpt2": newBPE}

	kind, err := m.String(keyModel)
	if err != nil {
		return nil, err
	}
	if build[kind] == nil {
		return nil, fmt.Errorf("%s: %s is %q, but only %s are known",
			m.Name(), keyModel, kind, list(slices.Sorted(maps.Keys(build))))
	}
	t := &Tokenizer{}
	if t.vocab, err = newVocabulary(m); err != nil {
		return nil, err
	}
	if err := t.readSpecialIDs(m); err != nil {
		return nil, err
	}
	if err := build[kind](t, m); err != nil {
		return nil, err
	}
	t.collectEnds()
	if t.addBOS, err = m.BoolOr(keyAddBOS, t.addBOS); err != nil {
		return nil, err
	}
	if t.addEOS, err = m.BoolOr(keyAddEOS, false); err != nil {
		return nil, err
	}
	if t.specials, err = newSpecials(m, t.vocab); err != nil {
		return nil, err
	}
	return t, nil
}

// list writes names for an error message: "a", "b" and "c".
func list(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	if n := len(quoted); n > 1 {
		return strings.Join(quoted[:n-1], ", ") + " and " + quoted[n-1]
	}
	return strings.Join(quoted, "")
}

// EncodeOptions say what Encode adds to the ids of the text and what it
// recognises in it. The zero value encodes the text as plain text.
type EncodeOptions struct {
	Special bool // recognise control tokens that are written in the text
	BOS     bool // put the BOS token first, if the model has one; see AddBOS
	EOS     bool // put the EOS token last, if the model has one; see AddEOS
}

// scratch is the working memory of one Encode call.
type scratch struct {
	text    []byte   // the fragment or word as the vocabulary writes it
	symbols []symbol // the word being merged
	pairs   []uint64 // heap of candidates
	joins   int      // candidate pairs looked up, for tests of the complexity
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// keepSymbols is the largest word whose working memory is kept for the next
// call. Chat text stays far below; what a pasted megabyte needed is given back.
const keepSymbols = 1 << 14

// longestFragment keeps positions within the 32 bits of a symbol, also when
// each space of the text takes three bytes.
const longestFragment = 1 << 29

// Encode returns the ids of text. Bytes that are not UTF-8 are encoded as
// bytes.
func (t *Tokenizer) Encode(text string, opt EncodeOptions) []int32 {
	s := scratches.Get().(*scratch)
	ids := t.encode(text, opt, s)
	if cap(s.symbols) <= keepSymbols {
		scratches.Put(s)
	}
	return ids
}

func (t *Tokenizer) encode(text string, opt EncodeOptions, s *scratch) []int32 {
	ids := make([]int32, 0, len(text)/3+2)
	if opt.BOS && t.bos != none {
		ids = append(ids, t.bos)
	}
	ids, _ = t.encodeFragments(ids, text, opt.Special, true, s)
	if opt.EOS && t.eos != none {
		ids = append(ids, t.eos)
	}
	return ids
}

// encodeFragments splits text at special tokens and encodes what lies between
// them. start says that the text stands at the beginning or follows a special
// token; the result says the same of what comes after it.
func (t *Tokenizer) encodeFragments(dst []int32, text string, control, start bool, s *scratch) ([]int32, bool) {
	for text != "" {
		at, length, id := t.specials.find(text, control)
		plain := text[:at]
		switch {
		case plain == "":
		case control && strings.Contains(plain, literal):
			// Split again: a mark may have hidden a user-defined token, and the
			// ids must be those of the text without marks.
			dst, start = t.encodeFragments(dst, strings.ReplaceAll(plain, literal, ""), false, start, s)
		default:
			for ; len(plain) > longestFragment; plain, start = plain[longestFragment:], false {
				dst = t.model.encode(dst, plain[:longestFragment], start, s)
			}
			dst, start = t.model.encode(dst, plain, start, s), false
		}
		if id == none {
			break
		}
		dst, start = append(dst, id), true
		text = text[at+length:]
		if t.specials.stripsRight(id) {
			text = strings.TrimLeft(text, asciiSpace)
		}
	}
	return dst, start
}

// Size returns the number of tokens in the vocabulary: ids run from 0 to Size-1.
func (t *Tokenizer) Size() int { return len(t.vocab.texts) }

// BOS returns the token that begins a text, and false if the model has none.
func (t *Tokenizer) BOS() (int32, bool) { return present(t.bos) }

// EOS returns the token that ends a text, and false if the model has none.
func (t *Tokenizer) EOS() (int32, bool) { return present(t.eos) }

// EOT returns the token that ends a turn, and false if the model has none.
func (t *Tokenizer) EOT() (int32, bool) { return present(t.eot) }

// EOM returns the token that ends a message within a turn, for instance before
// the answer of a tool, and false if the model has none.
func (t *Tokenizer) EOM() (int32, bool) { return present(t.eom) }

// UNK returns the token for text that cannot be spelled, and false if the model
// has none.
func (t *Tokenizer) UNK() (int32, bool) { return present(t.vocab.unknown) }

func present(id int32) (int32, bool) {
	if id == none {
		return 0, false
	}
	return id, true
}

// AddBOS reports whether the model wants a BOS token before each prompt.
func (t *Tokenizer) AddBOS() bool { return t.addBOS && t.bos != none }

// AddEOS reports whether the model wants an EOS token after each prompt.
func (t *Tokenizer) AddEOS() bool { return t.addEOS && t.eos != none }

// Text returns the piece as the vocabulary writes it, "▁the" or "Ġthe", and ""
// for an id out of range.
func (t *Tokenizer) Text(id int32) string {
	if !t.vocab.has(id) {
		return ""
	}
	return t.vocab.texts[id]
}

// Lookup returns the id of the piece that the vocabulary writes exactly so.
func (t *Tokenizer) Lookup(piece string) (int32, bool) {
	id, ok := t.vocab.ids[piece]
	return id, ok
}

// Control reports whether id steers the model instead of standing for text: a
// control token or an unknown token.
func (t *Tokenizer) Control(id int32) bool {
	return t.vocab.has(id) && t.vocab.kinds[id].steers()
}

// ControlTexts returns the texts of all control tokens, longest first and in
// byte order where they are equally long. The caller owns the slice.
func (t *Tokenizer) ControlTexts() []string {
	var texts []string
	for id, kind := range t.vocab.kinds {
		if kind.steers() && t.vocab.texts[id] != "" {
			texts = append(texts, t.vocab.texts[id])
		}
	}
	slices.SortFunc(texts, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(texts)
}

// IsEnd reports whether id ends a turn of the model.
func (t *Tokenizer) IsEnd(id int32) bool { return slices.Contains(t.ends, id) }
