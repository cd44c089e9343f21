package token

import "unicode/utf8"

// Decode returns the text of ids. Control tokens and ids out of range have no
// text; bytes that are not UTF-8 become U+FFFD. If the tokenizer puts a space in
// front of the text, that space is removed again.
func (t *Tokenizer) Decode(ids []int32) string {
	d := t.NewDecoder()
	var text []byte
	for _, id := range ids {
		text = append(text, d.Push(id)...)
	}
	return string(append(text, d.Flush()...))
}

// Decoder turns a stream of ids into text. A character may be spread over
// several tokens, so bytes are held back until they form one. A Decoder is for
// one stream and one goroutine.
type Decoder struct {
	vocab     *vocabulary
	trimSpace bool   // the next text begins the stream and loses a leading space
	held      []byte // what may still become a character: at most 3 bytes between calls
	out       []byte // what the last call returned
}

// NewDecoder returns a decoder at the beginning of a text.
func (t *Tokenizer) NewDecoder() *Decoder {
	return &Decoder{vocab: t.vocab, trimSpace: t.spacePrefix}
}

// Push adds a token and returns the bytes that are now whole UTF-8 characters,
// often none. The slice is valid until the next call of Push or Flush. Bytes
// that cannot become a character are replaced by U+FFFD.
func (d *Decoder) Push(id int32) []byte {
	piece := d.vocab.bytes(id)
	if d.trimSpace && len(piece) > 0 {
		d.trimSpace = false
		if piece[0] == ' ' {
			piece = piece[1:]
		}
	}
	d.held = append(d.held, piece...)
	return d.take(false)
}

// Flush ends the stream: it returns what was held back, with U+FFFD for each
// byte that is not UTF-8. The slice is valid until the next call.
func (d *Decoder) Flush() []byte { return d.take(true) }

// take moves whole characters from held to out, and with all set everything.
func (d *Decoder) take(all bool) []byte {
	d.out = d.out[:0]
	at := 0
	for at < len(d.held) && (all || utf8.FullRune(d.held[at:])) {
		r, size := utf8.DecodeRune(d.held[at:])
		d.out = utf8.AppendRune(d.out, r) // RuneError for a byte that is not UTF-8
		at += size
	}
	d.held = d.held[:copy(d.held, d.held[at:])]
	return d.out
}
