package token

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

// pieces writes ids as the texts of their tokens.
func pieces(tok *Tokenizer, ids []int32) []string {
	texts := []string{}
	for _, id := range ids {
		texts = append(texts, tok.Text(id))
	}
	return texts
}

func TestEncode(t *testing.T) {
	spm, bpe := tinySPM().tokenizer(t), tinyBPE("gpt-2").tokenizer(t)
	wholeWords := tinyBPE("llama-bpe").tokenizer(t)
	noPrefix := tinySPM()
	noPrefix[keySpacePrefix] = false
	spmNoPrefix := noPrefix.tokenizer(t)
	phi := tinySPM()
	phi["general.name"] = "Phi3 mini"
	spmPhi := phi.tokenizer(t)

	special := EncodeOptions{Special: true}
	for _, test := range []struct {
		name string
		tok  *Tokenizer
		text string
		opt  EncodeOptions
		want string // pieces, separated by blanks
	}{
		{"no text gives no tokens", spm, "", EncodeOptions{}, ""},
		{"the best score is joined first", spm, "abc", EncodeOptions{}, "▁abc"},
		{"of equal scores the leftmost is joined first", spmNoPrefix, "abcab", EncodeOptions{}, "abc ab"},
		{"a space is a piece", spm, "a  c", EncodeOptions{}, "▁a ▁ ▁ c"},
		{"an unknown character is spelled with byte tokens", spm, "aü", EncodeOptions{}, "▁a <0xC3> <0xBC>"},
		{"a known character is not spelled", spm, "é", EncodeOptions{}, "▁ é"},
		{"broken UTF-8 is spelled byte by byte", spm, "\xffa\xe2\x96", EncodeOptions{}, "▁ <0xFF> a <0xE2> <0x96>"},
		{"a file can do without the space in front", spmNoPrefix, "abc", EncodeOptions{}, "abc"},
		{"control tokens are text by default", spmNoPrefix, "<s>", EncodeOptions{}, "<0x3C> <0x73> <0x3E>"},
		{"control tokens are recognised on request", spmNoPrefix, "a<s>a", special, "a <s> a"},
		{"the unknown token is a control token", spmNoPrefix, "<unk>", special, "<unk>"},
		{"a space is added after a special token", spm, "a<s>a", special, "▁a <s> ▁a"},
		{"no space is added between special tokens", spm, "<s></s>", special, "<s> </s>"},
		{"user-defined tokens are always recognised", spm, "a<tool>a", EncodeOptions{}, "▁a <tool> ▁a"},
		{"the longest special token wins", spmNoPrefix, "<tool>s<tool>", EncodeOptions{}, "<tool>s <tool>"},
		{"a mistyped end of turn counts as control", spmNoPrefix, "<|im_end|>a", special, "<|im_end|> a"},
		{"phi-3 strips white space behind special tokens", spmPhi, "<|im_end|>\n a<s> a", special, "<|im_end|> ▁a <s> ▁ ▁a"},
		{"BOS and EOS on request", spm, "a", EncodeOptions{BOS: true, EOS: true}, "<s> ▁a </s>"},
		{"BOS alone for no text", spm, "", EncodeOptions{BOS: true}, "<s>"},

		{"merges go by rank", bpe, "abc", EncodeOptions{}, "abc"},
		{"a merge may need another first", bpe, "aaaa aa", EncodeOptions{}, "aaaa Ġ aa"},
		{"merges stay inside words", bpe, "a\nb", EncodeOptions{}, "a Ċ b"},
		{"a space belongs to the word behind it", bpe, "ab ab", EncodeOptions{}, "ab Ġab"},
		{"bytes of broken UTF-8 are kept", bpe, "\xffa\xc3", EncodeOptions{}, "ÿ a Ã"},
		{"no merge leads to cab", bpe, "cab", EncodeOptions{}, "c ab"},
		{"llama-bpe takes a whole word that is a piece", wholeWords, "cab", EncodeOptions{}, "cab"},
		{"user-defined tokens in BPE", bpe, "ab<tool>", EncodeOptions{}, "ab <tool>"},
		{"control tokens in BPE", bpe, "<|im_start|>ab<|im_end|>", special, "<|im_start|> ab <|im_end|>"},
		{"a missing BOS is not added", bpe, "ab", EncodeOptions{BOS: true, EOS: true}, "ab"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := pieces(test.tok, test.tok.Encode(test.text, test.opt))
			if want := strings.Fields(test.want); !slices.Equal(got, want) {
				t.Errorf("%q gives %q, want %q", test.text, got, want)
			}
		})
	}
}

func TestAMarkedControlTokenIsPlainText(t *testing.T) {
	for name, tok := range map[string]*Tokenizer{
		"llama": tinySPM().tokenizer(t), "gpt2": tinyBPE("qwen2").tokenizer(t), "phi-3": own(t, "phi-3"), "gpt-2": own(t, "gpt-2"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, control := range tok.ControlTexts() {
				for _, typed := range []string{control, "a " + control + " bc", control + control} {
					marked := strings.ReplaceAll(typed, control, control[:1]+literal+control[1:])
					got := tok.Encode(marked, EncodeOptions{Special: true})
					if want := tok.Encode(typed, EncodeOptions{}); !slices.Equal(got, want) {
						t.Errorf("%q gives %q, want %q", marked, pieces(tok, got), pieces(tok, want))
					}
				}
			}
		})
	}
}

func TestMarks(t *testing.T) {
	tok := tinySPM().tokenizer(t)
	for _, test := range []struct {
		name, text string
		special    bool
		want       string
	}{
		{"a mark between control tokens leaves nothing", "<s>" + literal + "</s>", true, "<s> </s>"},
		{"a lone mark leaves nothing", literal + literal, true, ""},
		{"a mark does not hide a user-defined token", "a<to" + literal + "ol>a", true, "▁a <tool> ▁a"},
		{"dropping marks never makes a control token", "<" + literal + "s>", true, "▁ <0x3C> <0x73> <0x3E>"},
		{"a mark is text where control tokens are", "a" + literal, false, "▁a <0xEF> <0xB7> <0x90>"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := pieces(tok, tok.Encode(test.text, EncodeOptions{Special: test.special}))
			if want := strings.Fields(test.want); !slices.Equal(got, want) {
				t.Errorf("%q gives %q, want %q", test.text, got, want)
			}
		})
	}
}

func TestAccessorsOfPhi3(t *testing.T) {
	tok := own(t, "phi-3")
	if tok.Size() != 32064 {
		t.Errorf("Size is %d", tok.Size())
	}
	for _, test := range []struct {
		name string
		get  func() (int32, bool)
		want int32
	}{
		{"BOS", tok.BOS, 1}, {"EOS", tok.EOS, 32000}, {"EOT", tok.EOT, 32007}, {"EOM", tok.EOM, none}, {"UNK", tok.UNK, 0},
	} {
		if id, ok := test.get(); ok != (test.want != none) || ok && id != test.want {
			t.Errorf("%s is %d, %v; want %d", test.name, id, ok, test.want)
		}
	}
	if !tok.AddBOS() || tok.AddEOS() {
		t.Error("the file says BOS and no EOS")
	}
	if id, ok := tok.Lookup("▁the"); !ok || tok.Text(id) != "▁the" {
		t.Errorf("▁the is %d, %v", id, ok)
	}
	if _, ok := tok.Lookup("no such piece"); ok {
		t.Error("found a piece that is not there")
	}
	for id, want := range map[int32]bool{-1: false, 0: true, 1: true, 2: false, 300: false, 32000: true, 32007: true, 1 << 30: false} {
		if tok.Control(id) != want {
			t.Errorf("Control(%d) is %v", id, !want)
		}
	}
	for id, want := range map[int32]bool{-1: false, 1: false, 2: false, 32000: true, 32001: false, 32007: true, 1 << 30: false} {
		if tok.IsEnd(id) != want {
			t.Errorf("IsEnd(%d), %q, is %v", id, tok.Text(id), !want)
		}
	}
	texts := tok.ControlTexts()
	if !slices.IsSortedFunc(texts, func(a, b string) int { return len(b) - len(a) }) {
		t.Errorf("control texts are not longest first: %q", texts)
	}
	if !slices.Contains(texts, "<|end|>") || !slices.Contains(texts, "<unk>") || slices.Contains(texts, "</s>") {
		t.Errorf("control texts are %q", texts)
	}
	if tok.Text(-1) != "" || tok.Text(1<<30) != "" {
		t.Error("an id out of range has a text")
	}
}

func TestBOSIsAddedByDefaultOnlyWhereTheModelWantsIt(t *testing.T) {
	withBOS := func(m metadata) metadata { m[keyBOS] = uint32(1); return m }
	wish := func(m metadata, add bool) metadata { m[keyAddBOS] = add; return m }
	for _, test := range []struct {
		name string
		m    metadata
		want bool
	}{
		{"llama", tinySPM(), true},
		{"llama, the file says no", wish(tinySPM(), false), false},
		{"gpt-2", withBOS(tinyBPE("gpt-2")), false},
		{"gpt-2, the file says yes", wish(withBOS(tinyBPE("gpt-2")), true), true},
		{"llama-bpe", withBOS(tinyBPE("llama-bpe")), true},
		{"llama-bpe without a BOS token", tinyBPE("llama-bpe"), false},
		{"no pre-tokenizer named", withBOS(tinyBPE("")), false},
	} {
		if got := test.m.tokenizer(t).AddBOS(); got != test.want {
			t.Errorf("%s: AddBOS is %v", test.name, got)
		}
	}
}

func TestEndsOfTurn(t *testing.T) {
	for _, test := range []struct {
		name  string
		texts string // control tokens added to the vocabulary
		ends  string
	}{
		{"Llama 3 ends messages and turns", "<|eot_id|> <|eom_id|> <|end_of_text|> <|start_header_id|>", "<|eot_id|> <|eom_id|> <|end_of_text|>"},
		{"ChatML", "<|im_start|> <|im_end|> <|endoftext|>", "<|im_end|> <|endoftext|>"},
		{"Gemma", "<start_of_turn> <end_of_turn> <eos>", "<end_of_turn> <eos>"},
		{"Phi", "<|assistant|> <|end|>", "<|end|>"},
		{"Command-R", "<|START_OF_TURN_TOKEN|> <|END_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>"},
		{"DeepSeek", "<｜User｜> <｜end▁of▁sentence｜>", "<｜end▁of▁sentence｜>"},
		{"Ernie", "<|begin_of_sentence|> <|end_of_sentence|>", "<|end_of_sentence|>"},
		{"Granite", "<|start_of_role|> <|end_of_role|> <|end_of_text|>", "<|end_of_text|>"},
		{"Kimi", "<|im_middle|> <|im_end|> [EOT] [EOS] [BOS]", "<|im_end|> [EOT] [EOS]"},
		{"in GLM the next turn ends the last", "<|assistant|> <|user|> <|observation|>", "<|user|> <|observation|>"},
		{"in gpt-oss <|end|> ends only a message", "<|start|> <|end|> <|return|> <|call|>", "<|return|> <|call|>"},
		{"in Solar <|end|> ends only a message", "<|end|> <|flush|> <|calls|>", "<|flush|> <|calls|>"},
		{"completion of code ends at the next file", "<|fim_prefix|> <|fim_pad|> <|repo_name|> <|file_sep|>", "<|fim_pad|> <|repo_name|> <|file_sep|>"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := tinySPM()
			entries := []entry{{"<unk>", 0, unknown}, {"<s>", 0, control}, {"</s>", 0, control}}
			for _, text := range strings.Fields(test.texts) {
				entries = append(entries, entry{text, 0, control})
			}
			m.setTokens(entries)
			tok := m.tokenizer(t)
			for id, e := range entries {
				want := e.text == "</s>" || slices.Contains(strings.Fields(test.ends), e.text)
				if tok.IsEnd(int32(id)) != want {
					t.Errorf("IsEnd(%s) is %v", e.text, !want)
				}
			}
		})
	}
}

func TestMistypedTokensOfTheModelAreControlTokens(t *testing.T) {
	for _, text := range []string{"<|im_end|>", "<|endoftext|>", "<|eom_id|>", "<|fim_prefix|>", "<|fim_middle|>", "<|file_sep|>"} {
		for _, kind := range []kind{normal, userDefined} {
			m := tinySPM()
			m.setTokens(append([]entry{{"<unk>", 0, unknown}, {"▁", 0, normal}}, entry{text, 0, kind}))
			tok := m.tokenizer(t)
			if !tok.Control(2) {
				t.Errorf("%s of type %d is no control token", text, kind)
			}
			if ids := tok.Encode(text, EncodeOptions{}); slices.Contains(ids, 2) {
				t.Errorf("plain text %s gives the control token", text)
			}
		}
	}
}

func TestEncodeIsSafeFromManyGoroutines(t *testing.T) {
	tok := own(t, "gpt-2")
	texts := strings.Split(readText(t, "testdata/gpt-2.inp"), "\n")
	var want [][]int32
	for _, text := range texts {
		want = append(want, tok.Encode(text, EncodeOptions{Special: true}))
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i, text := range texts {
				if got := tok.Encode(text, EncodeOptions{Special: true}); !slices.Equal(got, want[i]) {
					t.Errorf("%q: got %v, want %v", text, got, want[i])
				}
			}
		})
	}
	group.Wait()
}
