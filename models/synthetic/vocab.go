package synthetic

import (
	"fmt"
	"slices"

	"hotcell/models/gguf"
)

// The vocabulary is SentencePiece's: <unk>, <s>, </s>, the 256 bytes, then words.
const (
	unknownID = 0
	beginID   = 1
	endID     = 2
	firstByte = 3
	firstWord = firstByte + 256
)

// Piece types of SentencePiece, as GGUF numbers them.
const (
	pieceNormal  = 1
	pieceUnknown = 2
	pieceControl = 3
	pieceByte    = 6
)

// vocabulary adds a tokenizer of the shape's size. It can write any text: what is no word is written by letters or bytes.
func (s *Shape) vocabulary(w *gguf.Writer) {
	pieces := make([]string, s.Vocab)
	scores := make([]float32, s.Vocab)
	types := make([]int32, s.Vocab)
	pieces[unknownID], types[unknownID] = "<unk>", pieceUnknown
	pieces[beginID], types[beginID] = "<s>", pieceControl
	pieces[endID], types[endID] = "</s>", pieceControl
	for b := range 256 {
		pieces[firstByte+b], types[firstByte+b] = fmt.Sprintf("<0x%02X>", b), pieceByte
	}
	for id := firstWord; id < s.Vocab; id++ {
		// Earlier words are shorter and go first, so every word can be built from two earlier ones.
		pieces[id], types[id], scores[id] = word(id-firstWord), pieceNormal, -float32(id-firstWord)
	}
	w.Set("tokenizer.ggml.model", "llama")
	w.Set("tokenizer.ggml.pre", "default")
	w.Set("tokenizer.ggml.tokens", pieces)
	w.Set("tokenizer.ggml.scores", scores)
	w.Set("tokenizer.ggml.token_type", types)
	w.Set("tokenizer.ggml.bos_token_id", uint32(beginID))
	w.Set("tokenizer.ggml.eos_token_id", uint32(endID))
	w.Set("tokenizer.ggml.unknown_token_id", uint32(unknownID))
	w.Set("tokenizer.ggml.add_bos_token", true)
	w.Set("tokenizer.ggml.add_eos_token", false)
}

// word is the i-th word: SentencePiece's mark of a space, then a to z, aa, ab, ...
func word(i int) string {
	if i == 0 {
		return "▁"
	}
	var letters []byte
	for ; i > 0; i = (i - 1) / 26 {
		letters = append(letters, 'a'+byte((i-1)%26))
	}
	slices.Reverse(letters)
	return string(letters)
}
