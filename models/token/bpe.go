package token

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// bpe encodes with a byte-level BPE vocabulary.
//
// The pieces of such a vocabulary are written in an alphabet of 256 printable
// characters, one per byte (alphabet): " the" is written "Ġthe".
type bpe struct {
	*vocabulary
	pre preTokenizer
	// merges holds, by the ids of the left and the right piece, what they form.
	merges map[uint64]merged
	// byteIDs are the pieces of the single bytes. A piece that only the merges
	// name has an id from len(texts) on: it can be a step towards a token, but
	// is none itself.
	byteIDs [256]int32
}

// merged is the result of joining two pieces.
type merged struct {
	rank uint32 // position in the list of merges
	id   int32
}

func newBPE(t *Tokenizer, m Metadata) error {
	pre, err := newPreTokenizer(m)
	if err != nil {
		return err
	}
	merges, err := m.Strings(keyMerges)
	if err != nil {
		return err
	}
	e := &bpe{vocabulary: t.vocab, pre: pre, merges: make(map[uint64]merged, len(merges))}
	pieces := interner{e.vocabulary, map[string]int32{}}
	for b, char := range alphabet {
		e.byteIDs[b] = pieces.id([]byte(string(char)))
	}
	var text []byte
	for rank, merge := range merges {
		// The first character belongs to the left piece, whatever it is.
		cut := 1 + strings.IndexByte(merge[min(1, len(merge)):], ' ')
		if cut < 1 || cut == len(merge)-1 {
			return fmt.Errorf("%s: %s: entry %d is %.40q, expected two pieces with a space between them",
				m.Name(), keyMerges, rank, merge)
		}
		left := pieces.id(append(text[:0], merge[:cut]...))
		right := pieces.id(append(text[:0], merge[cut+1:]...))
		text = append(append(text[:0], merge[:cut]...), merge[cut+1:]...)
		key := pairKey(left, right)
		if _, ok := e.merges[key]; !ok {
			e.merges[key] = merged{uint32(rank), pieces.id(text)}
		}
	}
	t.model, t.addBOS = e, pre.addBOS
	return t.vocab.setPlain(m, unwriteBytes)
}

func pairKey(left, right int32) uint64 { return uint64(uint32(left))<<32 | uint64(uint32(right)) }

// interner numbers pieces: those of the vocabulary by their id, others from the
// size of the vocabulary on.
type interner struct {
	*vocabulary
	extra map[string]int32
}

func (p interner) id(text []byte) int32 {
	if id, ok := p.piece(text); ok {
		return id
	}
	id, ok := p.extra[string(text)]
	if !ok {
		id = int32(len(p.texts) + len(p.extra))
		p.extra[string(text)] = id
	}
	return id
}

func (e *bpe) encode(dst []int32, text string, start bool, s *scratch) []int32 {
	e.pre.words(text, func(word string) {
		dst = e.encodeWord(dst, word, s)
	})
	return dst
}

func (e *bpe) encodeWord(dst []int32, word string, s *scratch) []int32 {
	if e.pre.wholeWords && len(word) <= e.longest {
		if id, ok := e.lookup(word, s); ok {
			return append(dst, id)
		}
	}
	s.startWord(len(word))
	for i := range len(word) {
		s.addSymbol(i, i+1, e.byteIDs[word[i]])
	}
	s.merge(e)
	for at := int32(0); at >= 0; at = s.symbols[at].next {
		sym := &s.symbols[at]
		if e.has(sym.id) {
			dst = append(dst, sym.id)
			continue
		}
		for i := sym.start; i < sym.end; i++ {
			if id := e.byteIDs[word[i]]; e.has(id) {
				dst = append(dst, id)
			} else if e.unknown != none {
				dst = append(dst, e.unknown)
			}
		}
	}
	return dst
}

// lookup finds a word that is a piece as a whole.
func (e *bpe) lookup(word string, s *scratch) (int32, bool) {
	s.text = s.text[:0]
	for i := range len(word) {
		s.text = utf8.AppendRune(s.text, alphabet[word[i]])
	}
	return e.piece(s.text)
}

// join implements joiner: a pair is a piece if the list of merges has it.
func (e *bpe) join(_ *scratch, left, right *symbol) (int32, uint32, bool) {
	m, ok := e.merges[pairKey(left.id, right.id)]
	return m.id, m.rank, ok
}

// alphabet is how GPT-2 writes each byte: printable bytes of Latin-1 as
// themselves, the others as the characters from U+0100 on.
var alphabet, byteOf = makeAlphabet()

func makeAlphabet() (alphabet [256]rune, byteOf map[rune]byte) {
	byteOf = make(map[rune]byte, 256)
	next := rune(0x100)
	for b := range rune(256) {
		alphabet[b] = b
		if b <= ' ' || b >= 0x7F && b <= 0xA0 || b == 0xAD {
			alphabet[b] = next
			next++
		}
		byteOf[alphabet[b]] = byte(b)
	}
	return alphabet, byteOf
}

// unwriteBytes appends the bytes that a piece stands for. What is not of the
// alphabet stands for itself.
func unwriteBytes(dst []byte, text string) []byte {
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		if b, ok := byteOf[r]; ok {
			dst = append(dst, b)
		} else {
			dst = append(dst, text[:size]...)
		}
		text = text[size:]
	}
	return dst
}
