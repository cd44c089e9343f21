package convert

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const tokenizerFile = "tokenizer.json"

// tokenizerJSON is what is read of a tokenizer.json.
type tokenizerJSON struct {
	Added []addedToken `json:"added_tokens"`
	Model struct {
		Type         string          `json:"type"`
		Vocab        json.RawMessage `json:"vocab"`
		Merges       []mergePair     `json:"merges"`
		Unknown      *string         `json:"unk_token"`
		ByteFallback bool            `json:"byte_fallback"`
	} `json:"model"`
	Normalizer    *component `json:"normalizer"`
	PreTokenizer  *component `json:"pre_tokenizer"`
	PostProcessor *component `json:"post_processor"`
	Decoder       *component `json:"decoder"`
}

// mergePair is two pieces that may be joined: "a b", or ["a", "b"] in newer files.
type mergePair [2]string

// UnmarshalJSON implements json.Unmarshaler.
func (m *mergePair) UnmarshalJSON(text []byte) error {
	var pair []string
	if len(text) > 0 && text[0] == '[' {
		if err := json.Unmarshal(text, &pair); err != nil {
			return err
		}
	} else {
		var joined string
		if err := json.Unmarshal(text, &joined); err != nil {
			return err
		}
		pair = strings.Split(joined, " ")
	}
	if len(pair) != 2 || pair[0] == "" || pair[1] == "" {
		return fmt.Errorf("the merge %.60q is not two pieces", text)
	}
	*m = mergePair{pair[0], pair[1]}
	return nil
}

// component is a step of the tokenizer, or a sequence of such.
type component struct {
	Type string `json:"type"`

	Normalizers   []component `json:"normalizers"`
	PreTokenizers []component `json:"pretokenizers"`
	Processors    []component `json:"processors"`
	Decoders      []component `json:"decoders"`

	Prepend       string `json:"prepend"`        // Prepend
	PrependScheme string `json:"prepend_scheme"` // Metaspace
	PrefixSpace   *bool  `json:"add_prefix_space"`
	UseRegex      *bool  `json:"use_regex"` // ByteLevel
	Digits        bool   `json:"individual_digits"`
	Behavior      any    `json:"behavior"` // Split, Punctuation
	Invert        bool   `json:"invert"`
	Pattern       struct {
		Regex  string `json:"Regex"`
		String string `json:"String"`
	} `json:"pattern"`
	Single []struct {
		Special *struct {
			ID string `json:"id"`
		} `json:"SpecialToken"`
	} `json:"single"` // TemplateProcessing
}

// steps are the single components of c, in order.
func (c *component) steps() []component {
	if c == nil {
		return nil
	}
	var steps []component
	if c.Type != "Sequence" {
		return []component{*c}
	}
	for _, inner := range slices.Concat(c.Normalizers, c.PreTokenizers, c.Processors, c.Decoders) {
		steps = append(steps, inner.steps()...)
	}
	return steps
}

func hasType(steps []component, kind string) bool {
	return slices.ContainsFunc(steps, func(c component) bool { return c.Type == kind })
}

func (v *vocabulary) readTokenizerJSON(dir string) error {
	var t tokenizerJSON
	if err := readJSON(dir, tokenizerFile, &t); err != nil {
		return err
	}
	if err := v.fromTokenizerJSON(&t); err != nil {
		return fmt.Errorf("%s: %w", tokenizerFile, err)
	}
	return nil
}

func (v *vocabulary) fromTokenizerJSON(t *tokenizerJSON) error {
	if t.Model.Type != "BPE" && (t.Model.Type != "" || t.Model.Merges == nil) {
		return fmt.Errorf("the tokenizer is of the kind %s; only BPE can be converted", quote(t.Model.Type))
	}
	var pieces map[string]int64
	if err := json.Unmarshal(t.Model.Vocab, &pieces); err != nil {
		return fmt.Errorf("the vocabulary: %w", plainJSON(err))
	}
	for text, id := range pieces {
		if id >= 0 && id < int64(v.size) && v.kinds[id] != unused {
			return fmt.Errorf("the id %d is given to both %s and %s", id, quote(v.texts[id]), quote(text))
		}
		if err := v.set(id, text, normal); err != nil {
			return err
		}
	}
	if t.Model.Unknown != nil {
		v.unk = *t.Model.Unknown
	}
	v.byteLevel = hasType(t.PreTokenizer.steps(), "ByteLevel") || hasType(t.Decoder.steps(), "ByteLevel")
	var err error
	switch {
	case v.byteLevel:
		err = v.byteLevelBPE(t)
	case t.Model.ByteFallback:
		v.sentencePieceBPE(t, pieces)
	default:
		err = errors.New("the tokenizer is neither byte-level BPE nor SentencePiece's BPE with byte fallback")
	}
	if err != nil {
		return err
	}
	for _, a := range t.Added {
		if err := v.add(a); err != nil {
			return err
		}
	}
	if id, ok := v.id(v.unk); ok && !v.byteLevel {
		v.kinds[id] = unknown
	}
	v.readEnds(t.PostProcessor.steps())
	return nil
}

// readEnds reads what the tokenizer puts around a text.
func (v *vocabulary) readEnds(steps []component) {
	for _, step := range steps {
		if step.Type != "TemplateProcessing" || len(step.Single) == 0 {
			continue
		}
		if first := step.Single[0].Special; first != nil {
			v.bos, v.addBOS = first.ID, true
		}
		if last := step.Single[len(step.Single)-1].Special; last != nil && len(step.Single) > 1 {
			v.eos, v.addEOS = last.ID, true
		}
	}
}

func (v *vocabulary) byteLevelBPE(t *tokenizerJSON) error {
	v.model = "gpt2"
	var err error
	if v.pre, err = preTokenizerName(t.PreTokenizer.steps()); err != nil {
		return err
	}
	v.merges = make([]string, 0, len(t.Model.Merges))
	for _, m := range t.Model.Merges {
		if strings.Contains(m[0], " ") || strings.Contains(m[1], " ") {
			return fmt.Errorf("the merge of %s and %s has a space within a piece, which GGUF cannot hold", quote(m[0]), quote(m[1]))
		}
		v.merges = append(v.merges, m[0]+" "+m[1])
	}
	return nil
}

// sentencePieceBPE turns a list of merges back into the scores that SentencePiece
// had: the list was made by sorting the pieces from the best score to the worst. Then
// the negative place of a piece in the list is as good as its score. What no merge makes
// is never made.
func (v *vocabulary) sentencePieceBPE(t *tokenizerJSON, pieces map[string]int64) {
	v.model = "llama"
	worst := -float32(len(t.Model.Merges) + 1)
	for id, text := range v.texts {
		switch {
		case isByte(text):
			v.kinds[id] = byteToken
		case v.kinds[id] == normal:
			v.scores[id] = worst
		}
	}
	for rank, m := range t.Model.Merges {
		if id, ok := pieces[m[0]+m[1]]; ok && v.scores[id] == worst {
			v.scores[id] = -float32(rank)
		}
	}
	for _, step := range slices.Concat(t.Normalizer.steps(), t.PreTokenizer.steps()) {
		switch step.Type {
		case "Prepend":
			v.prefix = step.Prepend == "▁" || step.Prepend == " "
		case "Metaspace":
			v.prefix = step.PrependScheme == "always" || step.PrependScheme == "first" ||
				step.PrependScheme == "" && (step.PrefixSpace == nil || *step.PrefixSpace)
		}
	}
}
