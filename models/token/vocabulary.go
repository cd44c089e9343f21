package token

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Metadata is what the package reads of a model file. *gguf.File satisfies it.
// A missing key and a value of another type are errors that name the file and
// the key; the ...Or forms return the default for a missing key.
type Metadata interface {
	Name() string // base name of the file, for messages
	Keys() []string
	String(key string) (string, error)
	StringOr(key, def string) (string, error)
	Int(key string) (int64, error)
	BoolOr(key string, def bool) (bool, error)
	Strings(key string) ([]string, error)
	Floats(key string) ([]float32, error)
	Ints(key string) ([]int64, error)
}

const (
	keyModel       = "tokenizer.ggml.model"
	keyPre         = "tokenizer.ggml.pre"
	keyTokens      = "tokenizer.ggml.tokens"
	keyTypes       = "tokenizer.ggml.token_type"
	keyScores      = "tokenizer.ggml.scores"
	keyMerges      = "tokenizer.ggml.merges"
	keyBOS         = "tokenizer.ggml.bos_token_id"
	keyEOS         = "tokenizer.ggml.eos_token_id"
	keyEOT         = "tokenizer.ggml.eot_token_id"
	keyEOM         = "tokenizer.ggml.eom_token_id"
	keyUnknown     = "tokenizer.ggml.unknown_token_id"
	keyAddBOS      = "tokenizer.ggml.add_bos_token"
	keyAddEOS      = "tokenizer.ggml.add_eos_token"
	keySpacePrefix = "tokenizer.ggml.add_space_prefix"
)

// kind is the type of a token as GGUF numbers it in tokenizer.ggml.token_type.
type kind uint8

const (
	normal      kind = 1 // a piece of text
	unknown     kind = 2 // stands for text that cannot be spelled
	control     kind = 3 // steers the model
	userDefined kind = 4 // text with an id of its own, never split
	unused      kind = 5 // padding of the vocabulary
	byteKind    kind = 6 // one byte, written <0x0A>
)

// steers reports whether tokens of the kind have no text of their own.
func (k kind) steers() bool { return k == control || k == unknown }

// vocabulary is the list of pieces, indexed by id, and the way back.
type vocabulary struct {
	texts []string         // as the file writes them
	kinds []kind           // one per text
	ids   map[string]int32 // by text; of equal texts the last one counts

	// plain holds the bytes that each id stands for, one after the other;
	// those of id lie at plain[ends[id-1]:ends[id]].
	plain []byte
	ends  []uint32

	unknown int32
	longest int // bytes of the longest text
}

func newVocabulary(m Metadata) (*vocabulary, error) {
	texts, err := m.Strings(keyTokens)
	if err != nil {
		return nil, err
	}
	if len(texts) == 0 {
		return nil, fmt.Errorf("%s: %s is empty", m.Name(), keyTokens)
	}
	if len(texts) > math.MaxInt32 {
		return nil, fmt.Errorf("%s: %s has %d entries, too many to number", m.Name(), keyTokens, len(texts))
	}
	kinds, err := readKinds(m, len(texts))
	if err != nil {
		return nil, err
	}
	v := &vocabulary{texts: texts, kinds: kinds, ids: make(map[string]int32, len(texts))}
	for id, text := range texts {
		if text == "" {
			continue
		}
		v.ids[text] = int32(id)
		v.longest = max(v.longest, len(text))
	}
	if v.unknown, err = v.special(m, keyUnknown); err != nil {
		return nil, err
	}
	return v, nil
}

// readKinds reads the types of n tokens. Without the key all are normal.
func readKinds(m Metadata, n int) ([]kind, error) {
	kinds := slices.Repeat([]kind{normal}, n)
	if !has(m, keyTypes) {
		return kinds, nil
	}
	types, err := m.Ints(keyTypes)
	if err != nil {
		return nil, err
	}
	if len(types) != n {
		return nil, fmt.Errorf("%s: %s has %d entries, but there are %d tokens", m.Name(), keyTypes, len(types), n)
	}
	for id, number := range types {
		// Types of later versions of the format count as text.
		if number >= int64(normal) && number <= int64(byteKind) {
			kinds[id] = kind(number)
		}
	}
	return kinds, nil
}

func has(m Metadata, key string) bool { return slices.Contains(m.Keys(), key) }

// special reads the id of a special token. A missing key and an id outside the
// vocabulary, with which some files say "there is none", give none.
func (v *vocabulary) special(m Metadata, key string) (int32, error) {
	if !has(m, key) {
		return none, nil
	}
	id, err := m.Int(key)
	if err != nil {
		return none, err
	}
	if id < 0 || id >= int64(len(v.texts)) {
		return none, nil
	}
	return int32(id), nil
}

func (v *vocabulary) has(id int32) bool { return id >= 0 && int(id) < len(v.texts) }

// piece returns the id of a piece of plain text. Control tokens are no such
// pieces, even where the merges lead to their text: text that was not asked to
// be special must never steer the model.
func (v *vocabulary) piece(text []byte) (int32, bool) {
	id, ok := v.ids[string(text)]
	return id, ok && !v.kinds[id].steers()
}

// bytes returns the bytes that id stands for: none for control tokens and for
// ids out of range. The slice is part of the vocabulary; do not write to it.
func (v *vocabulary) bytes(id int32) []byte {
	if !v.has(id) {
		return nil
	}
	from := uint32(0)
	if id > 0 {
		from = v.ends[id-1]
	}
	return v.plain[from:v.ends[id]:v.ends[id]]
}

// setPlain fills in the bytes of every token. unwrite appends the bytes of a
// normal piece to dst; it is where the two families differ.
func (v *vocabulary) setPlain(m Metadata, unwrite func(dst []byte, text string) []byte) error {
	v.ends = make([]uint32, len(v.texts))
	for id, text := range v.texts {
		switch v.kinds[id] {
		case normal:
			v.plain = unwrite(v.plain, text)
		case userDefined:
			v.plain = append(v.plain, text...)
		case byteKind:
			if b, ok := parseByte(text); ok {
				v.plain = append(v.plain, b)
			} else {
				v.plain = unwrite(v.plain, text)
			}
		}
		if uint64(len(v.plain)) > math.MaxUint32 {
			return fmt.Errorf("%s: %s holds more than 4 GiB of text", m.Name(), keyTokens)
		}
		v.ends[id] = uint32(len(v.plain))
	}
	v.plain = slices.Clip(v.plain)
	return nil
}

// parseByte reads the text of a byte token: <0x0A>.
func parseByte(text string) (byte, bool) {
	digits, ok := strings.CutPrefix(text, "<0x")
	if !ok || len(text) != len("<0x0A>") || text[5] != '>' {
		return 0, false
	}
	b, err := strconv.ParseUint(digits[:2], 16, 8)
	return byte(b), err == nil
}
