package token

import (
	"strings"
	"testing"
	"testing/quick"
)

func TestDecoder(t *testing.T) {
	spm, bpe := tinySPM().tokenizer(t), tinyBPE("gpt-2").tokenizer(t)
	for _, test := range []struct {
		name   string
		tok    *Tokenizer
		pieces string // separated by blanks
		want   string // what each Push gives and then Flush, separated by |
	}{
		{"the space in front of the text is removed once", spm, "▁a ▁a", "a| a|"},
		{"a control token gives nothing and is not the beginning", spm, "<s> ▁a </s> ▁a", "|a|| a|"},
		{"only one space is removed", spm, "▁ ▁a", "| a|"},
		{"a text that begins without a space loses nothing", spm, "b ▁a", "b| a|"},
		{"a character of several byte tokens is held back", spm, "<0xF0> <0x9F> <0x98> <0x80> a", "|||😀|a|"},
		{"what cannot become a character is replaced", spm, "<0xE2> a <0xFF>", "|�a|�|"},
		{"each byte is replaced by itself", spm, "<0xE2> <0x82> a", "||��a|"},
		{"Flush replaces what was held back", spm, "a <0xE2> <0x82>", "a|||��"},
		{"user-defined tokens give their text", spm, "<tool> ▁a", "<tool>| a|"},
		{"unused tokens give nothing", spm, "gone a", "|a|"},
		{"BPE keeps the first space", bpe, "Ġab Ġab", " ab| ab|"},
		{"BPE bytes form characters", bpe, "Ã © Ċ", "|é|\n|"},
		{"user-defined tokens in BPE", bpe, "<tool>", "<tool>|"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := test.tok.NewDecoder()
			var got []string
			var ids []int32
			for _, piece := range strings.Fields(test.pieces) {
				id, ok := test.tok.Lookup(piece)
				if !ok {
					t.Fatalf("no piece %q", piece)
				}
				ids = append(ids, id)
				got = append(got, string(d.Push(id)))
			}
			got = append(got, string(d.Flush()))
			if joined := strings.Join(got, "|"); joined != test.want {
				t.Errorf("got %q, want %q", joined, test.want)
			}
			if text := test.tok.Decode(ids); text != strings.Join(got, "") {
				t.Errorf("Decode gives %q", text)
			}
		})
	}
}

func TestIDsOutOfRangeHaveNoText(t *testing.T) {
	tok := tinySPM().tokenizer(t)
	if got := tok.Decode([]int32{-1, 1 << 30, int32(tok.Size()), -1 << 31}); got != "" {
		t.Errorf("got %q", got)
	}
}

// What comes back is the text itself, with each byte that is not UTF-8
// replaced. SentencePiece cannot tell a blank from a space.
func decoded(tok *Tokenizer, text string) string {
	if tok.spacePrefix {
		text = strings.ReplaceAll(text, blank, " ")
	}
	return string([]rune(text))
}

func TestDecodeIsTheInverseOfEncode(t *testing.T) {
	for _, name := range ownVocabularies {
		tok := own(t, name)
		roundTrip := func(text string) bool {
			return tok.Decode(tok.Encode(text, EncodeOptions{BOS: true, EOS: true})) == decoded(tok, text)
		}
		if err := quick.Check(roundTrip, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		bytesToo := func(text []byte) bool { return roundTrip(string(text)) }
		if err := quick.Check(bytesToo, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDecodingAllocatesNothingPerToken(t *testing.T) {
	tok := own(t, "phi-3")
	ids := tok.Encode(strings.Repeat("Grüße, 世界 😀! ", 20), EncodeOptions{})
	d := tok.NewDecoder()
	pushAll := func() {
		for _, id := range ids {
			d.Push(id)
		}
	}
	pushAll() // grows the buffers
	if n := testing.AllocsPerRun(10, pushAll); n != 0 {
		t.Errorf("%v allocations for %d tokens", n, len(ids))
	}
}
