package token

import "slices"

// Well-known texts of tokens that end a turn. Files seldom name all of theirs
// in the metadata, and some give these tokens the wrong type.
var (
	eotTexts = []string{
		"<|eot_id|>",             // Llama 3
		"<|im_end|>",             // ChatML: Qwen, SmallThinker, Yi
		"<|end|>",                // Phi-3
		"<end_of_turn>",          // Gemma
		"<|end_of_turn|>",        // OpenChat
		"<end_of_utterance>",     // SmolVLM
		"<|return|>", "<|call|>", // gpt-oss
		"<|endoftext|>",            // GPT-2
		"<|end_of_text|>",          // Llama 3 base, Granite
		"<｜end▁of▁sentence｜>",      // DeepSeek
		"<|END_OF_TURN_TOKEN|>",    // Command-R
		"<EOT>", "_<EOT>", "[EOT]", // several
	}
	eomText = "<|eom_id|>" // Llama 3.1: a tool answers before the turn goes on
	eosText = "</s>"       // SentencePiece; too common in prose to be made a control token
)

// readSpecialIDs reads the ids that the file names and finds by their texts
// those that it does not.
func (t *Tokenizer) readSpecialIDs(m Metadata) error {
	for _, special := range []struct {
		key string
		id  *int32
	}{{keyBOS, &t.bos}, {keyEOS, &t.eos}, {keyEOT, &t.eot}, {keyEOM, &t.eom}} {
		id, err := t.vocab.special(m, special.key)
		if err != nil {
			return err
		}
		*special.id = id
	}
	for _, text := range t.endTexts() {
		if id, ok := t.vocab.ids[text]; ok {
			t.vocab.kinds[id] = control
			if t.eot == none {
				t.eot = id
			}
		}
	}
	if id, ok := t.vocab.ids[eomText]; ok {
		t.vocab.kinds[id] = control
		if t.eom == none {
			t.eom = id
		}
	}
	return nil
}

// endTexts returns the well-known texts that end a turn of this model.
func (t *Tokenizer) endTexts() []string {
	if _, harmony := t.vocab.ids["<|return|>"]; !harmony {
		return eotTexts
	}
	// In gpt-oss <|end|> ends a message, and more messages of the turn follow.
	return slices.DeleteFunc(slices.Clone(eotTexts), func(text string) bool { return text == "<|end|>" })
}

// collectEnds lists every token that ends a turn.
func (t *Tokenizer) collectEnds() {
	t.ends = append(t.ends, t.eos, t.eot, t.eom)
	for _, text := range t.endTexts() {
		if id, ok := t.vocab.ids[text]; ok {
			t.ends = append(t.ends, id)
		}
	}
	if id, ok := t.vocab.ids[eosText]; ok && t.vocab.kinds[id] == control {
		t.ends = append(t.ends, id)
	}
	t.ends = slices.DeleteFunc(t.ends, func(id int32) bool { return id == none })
	slices.Sort(t.ends)
	t.ends = slices.Compact(t.ends)
}
