package token

import "slices"

// Files seldom name all the tokens that end a turn, and some give them the wrong
// type. These are found by their texts.
var (
	// End a turn.
	eotTexts = []string{
		"<|eot_id|>",             // Llama 3
		"<|im_end|>",             // ChatML: Qwen, SmallThinker, SmolLM, InternLM, Kimi
		"<|end|>",                // Phi-3
		"<end_of_turn>",          // Gemma
		"<|end_of_turn|>",        // OpenChat
		"<end_of_utterance>",     // SmolVLM
		"<|return|>", "<|call|>", // gpt-oss
		"<|flush|>", "<|calls|>", // Solar
		"<|endoftext|>",            // GPT-2
		"<|end_of_text|>",          // Llama 3 base, Granite
		"<｜end▁of▁sentence｜>",      // DeepSeek
		"<|end_of_sentence|>",      // Ernie
		"<|END_OF_TURN_TOKEN|>",    // Command-R
		"[|endofturn|]",            // Exaone
		"<EOT>", "_<EOT>", "[EOT]", // several, Kimi
		"[EOS]", "<eos>", // Kimi, Gemma
		"[e~[", // MiniMax
	}
	eomText = "<|eom_id|>" // Llama 3.1: a tool answers before the turn goes on
	eosText = "</s>"       // SentencePiece; too common in prose to be made a control token

	// Begin the turn of someone else, which ends the turn of the model. GLM has
	// no other end; where a model has another one these do no harm.
	otherTurnTexts = []string{"<|user|>", "<|observation|>"}

	// Steer the completion of code: what comes next, or the end of what was asked.
	fillTexts = []string{
		"<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>", "<|code_prefix|>",
		"<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>", "<|code_suffix|>",
		"<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>", "<|code_middle|>",
	}
	fillEndTexts = []string{
		"<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]",
		"<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>", "<|file_sep|>",
	}
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
	for _, text := range slices.Concat(t.endTexts(), fillTexts, fillEndTexts) {
		if id, ok := t.vocab.ids[text]; ok {
			t.vocab.kinds[id] = control
		}
	}
	for _, text := range t.endTexts() {
		if id, ok := t.vocab.ids[text]; ok && t.eot == none {
			t.eot = id
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
	has := func(text string) bool { _, ok := t.vocab.ids[text]; return ok }
	harmony := has("<|return|>") && has("<|call|>")
	solar := has("<|flush|>") && (has("<|call|>") || has("<|calls|>"))
	if !harmony && !solar {
		return eotTexts
	}
	// In gpt-oss and Solar <|end|> ends a message, and more messages of the turn
	// follow.
	return slices.DeleteFunc(slices.Clone(eotTexts), func(text string) bool { return text == "<|end|>" })
}

// collectEnds lists every token that ends a turn.
func (t *Tokenizer) collectEnds() {
	t.ends = append(t.ends, t.eos, t.eot, t.eom)
	for _, text := range slices.Concat(t.endTexts(), fillEndTexts) {
		if id, ok := t.vocab.ids[text]; ok {
			t.ends = append(t.ends, id)
		}
	}
	for _, text := range slices.Concat(otherTurnTexts, []string{eosText}) {
		if id, ok := t.vocab.ids[text]; ok && t.vocab.kinds[id] == control {
			t.ends = append(t.ends, id)
		}
	}
	t.ends = slices.DeleteFunc(t.ends, func(id int32) bool { return id == none })
	slices.Sort(t.ends)
	t.ends = slices.Compact(t.ends)
}
