package token

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// blank is how SentencePiece writes a space (U+2581).
const blank = "▁"

// spm encodes with a SentencePiece vocabulary.
type spm struct {
	*vocabulary
	ranks       []uint32   // by id: how many better scores there are
	byteIDs     [256]int32 // the byte tokens, none where there is none
	spacePrefix bool
	// byWord says that no piece has a blank behind another character. Then no
	// merge crosses the beginning of a word, and words can be merged one by one
	// in little memory.
	byWord bool
}

func newSPM(t *Tokenizer, m Metadata) error {
	e := &spm{vocabulary: t.vocab, byWord: true}
	scores, err := m.Floats(keyScores)
	if err != nil {
		return err
	}
	if len(scores) != len(e.texts) {
		return fmt.Errorf("%s: %s has %d entries, but there are %d tokens", m.Name(), keyScores, len(scores), len(e.texts))
	}
	for id, score := range scores {
		if math.IsNaN(float64(score)) {
			return fmt.Errorf("%s: %s: the score of token %d is not a number", m.Name(), keyScores, id)
		}
	}
	e.ranks = rankScores(scores)
	for i := range e.byteIDs {
		e.byteIDs[i] = none
	}
	for id, text := range e.texts {
		if b, ok := parseByte(text); ok && (e.kinds[id] == byteKind || !has(m, keyTypes)) {
			e.kinds[id], e.byteIDs[b] = byteKind, int32(id)
		}
		if strings.Contains(strings.TrimLeft(text, blank), blank) {
			e.byWord = false
		}
	}
	if e.spacePrefix, err = m.BoolOr(keySpacePrefix, true); err != nil {
		return err
	}
	t.model, t.spacePrefix, t.addBOS = e, e.spacePrefix, true
	// Early files do not name these tokens, but SentencePiece always numbers
	// them so.
	for _, special := range []struct {
		key  string
		id   *int32
		at   int32
		kind kind
	}{
		{keyUnknown, &e.unknown, 0, unknown}, {keyBOS, &t.bos, 1, control}, {keyEOS, &t.eos, 2, control},
	} {
		if !has(m, special.key) && e.has(special.at) && e.kinds[special.at] == special.kind {
			*special.id = special.at
		}
	}
	return t.vocab.setPlain(m, func(dst []byte, text string) []byte {
		return append(dst, strings.ReplaceAll(text, blank, " ")...)
	})
}

// rankScores numbers the distinct scores from the best, 0, to the worst.
func rankScores(scores []float32) []uint32 {
	bestFirst := func(a, b float32) int { return cmp.Compare(b, a) }
	sorted := slices.Clone(scores)
	slices.SortFunc(sorted, bestFirst)
	sorted = slices.Compact(sorted)
	ranks := make([]uint32, len(scores))
	for id, score := range scores {
		at, _ := slices.BinarySearchFunc(sorted, score, bestFirst)
		ranks[id] = uint32(at)
	}
	return ranks
}

func (e *spm) encode(dst []int32, text string, start bool, s *scratch) []int32 {
	s.text = slices.Grow(s.text[:0], len(text)+strings.Count(text, " ")*(len(blank)-1)+len(blank))
	if start && e.spacePrefix {
		s.text = append(s.text, blank...)
	}
	for i := range len(text) {
		if text[i] == ' ' {
			s.text = append(s.text, blank...)
		} else {
			s.text = append(s.text, text[i])
		}
	}
	for at := 0; at < len(s.text); {
		end := len(s.text)
		if e.byWord {
			end = wordEnd(s.text, at)
		}
		dst = e.encodeWord(dst, at, end, s)
		at = end
	}
	return dst
}

// wordEnd returns the end of the word at text[at]: blanks, and then what is
// none.
func wordEnd(text []byte, at int) int {
	for bytes.HasPrefix(text[at:], []byte(blank)) {
		at += len(blank)
	}
	if n := bytes.Index(text[at:], []byte(blank)); n >= 0 {
		return at + n
	}
	return len(text)
}

// encodeWord appends the ids of s.text[at:end].
func (e *spm) encodeWord(dst []int32, at, end int, s *scratch) []int32 {
	s.startWord(utf8.RuneCount(s.text[at:end]))
	for at < end {
		_, size := utf8.DecodeRune(s.text[at:])
		id, ok := e.piece(s.text[at : at+size])
		if !ok {
			id = none
		}
		s.addSymbol(at, at+size, id)
		at += size
	}
	s.merge(e)
	for at := int32(0); at >= 0; at = s.symbols[at].next {
		sym := &s.symbols[at]
		if sym.id != none {
			dst = append(dst, sym.id)
			continue
		}
		dst = e.spell(dst, s.text[sym.start:sym.end])
	}
	return dst
}

// spell appends the byte tokens of a character that is no piece, or the unknown
// token where the vocabulary lacks one of them.
func (e *spm) spell(dst []int32, char []byte) []int32 {
	spelled := dst
	for _, b := range char {
		if e.byteIDs[b] == none {
			if e.unknown == none {
				return dst
			}
			return append(dst, e.unknown)
		}
		spelled = append(spelled, e.byteIDs[b])
	}
	return spelled
}

// join implements joiner: a pair is a piece if its text is in the vocabulary.
func (e *spm) join(s *scratch, left, right *symbol) (int32, uint32, bool) {
	if int(right.end-left.start) > e.longest {
		return none, 0, false
	}
	id, ok := e.piece(s.text[left.start:right.end])
	if !ok {
		return none, 0, false
	}
	return id, e.ranks[id], true
}
