// Package token turns text into the token ids of a model and ids back into text.
//
// A model reads numbers from a fixed vocabulary of pieces. Two families of
// vocabulary are in use, and a GGUF file says in tokenizer.ggml.model which one
// it carries:
//
//   - "llama": SentencePiece BPE (Kudo and Richardson 2018). A space is written
//     as U+2581 "▁", each piece has a score, and the neighbouring pair that forms
//     the piece with the best score is joined first. A character that the
//     vocabulary lacks is spelled with the byte pieces <0x00> to <0xFF>.
//   - "gpt2": byte-level BPE (Radford et al. 2019). The text is first cut into
//     words by the rules that tokenizer.ggml.pre names. A word starts as single
//     bytes, and a ranked list of merges says which neighbours are joined first.
//
// Both are the same loop over a linked list of symbols and a heap of candidate
// pairs (merge.go); they differ in how a pair is ranked (spm.go, bpe.go). The
// loop takes n log n steps, so a megabyte of one letter costs no more than prose.
//
// Text on its way in:
//
//	text -> split at special tokens -> cut into words -> merge pairs -> ids
//	        special.go                 pretokenize.go   merge.go
//
// Control tokens such as <|im_end|> are recognised only when the caller asks for
// it, because they can end a turn or start a forged one. User-defined tokens are
// ordinary text with an id of their own and are always recognised. See [Literal]
// for text of a user inside a rendered prompt.
//
// A vocabulary is hostile input: New checks it once and after that no id and no
// text can make a method panic. A Tokenizer never changes after New and may be
// used from many goroutines; a Decoder belongs to one stream.
//
//	tok, err := token.New(file)
//	ids := tok.Encode(prompt, token.EncodeOptions{Special: true, BOS: tok.AddBOS()})
//	stream := tok.NewDecoder()
//	for id := range answer {
//		screen.Write(stream.Push(id))
//	}
//	screen.Write(stream.Flush())
package token
