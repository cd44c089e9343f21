package convert

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"hotcell/models/gguf"
)

const (
	tokenizerConfigFile  = "tokenizer_config.json"
	specialTokensFile    = "special_tokens_map.json"
	generationConfigFile = "generation_config.json"
	templateFile         = "chat_template.jinja"
)

// tokenizerConfig is what is read of tokenizer_config.json. special_tokens_map.json has
// some of the same keys.
type tokenizerConfig struct {
	BOS      tokenText     `json:"bos_token"`
	EOS      tokenText     `json:"eos_token"`
	Unknown  tokenText     `json:"unk_token"`
	Pad      tokenText     `json:"pad_token"`
	AddBOS   *bool         `json:"add_bos_token"`
	AddEOS   *bool         `json:"add_eos_token"`
	Class    string        `json:"tokenizer_class"`
	Template chatTemplates `json:"chat_template"`
}

// tokenText is a token by its text: a string, an object with the content, or null.
type tokenText string

// UnmarshalJSON implements json.Unmarshaler.
func (t *tokenText) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '{' {
		var token addedToken
		err := json.Unmarshal(text, &token)
		*t = tokenText(token.Content)
		return err
	}
	return json.Unmarshal(text, (*string)(t))
}

// chatTemplates are a model's templates. The one named "default" is for plain chats.
type chatTemplates []chatTemplate

type chatTemplate struct {
	Name string `json:"name"`
	Text string `json:"template"`
}

// UnmarshalJSON implements json.Unmarshaler. A single template is a string.
func (c *chatTemplates) UnmarshalJSON(text []byte) error {
	type list chatTemplates // without this method
	if len(text) > 0 && text[0] == '[' {
		return json.Unmarshal(text, (*list)(c))
	}
	var one *string
	err := json.Unmarshal(text, &one)
	if err == nil && one != nil {
		*c = chatTemplates{{"default", *one}}
	}
	return err
}

// store writes the templates' keys.
func (c chatTemplates) store(w *gguf.Writer) {
	var others []string
	for _, t := range c {
		if t.Name == "default" {
			w.Set("tokenizer.chat_template", t.Text)
			continue
		}
		if t.Name != "" && !slices.Contains(others, t.Name) {
			others = append(others, t.Name)
			w.Set("tokenizer.chat_template."+t.Name, t.Text)
		}
	}
	if len(others) > 0 {
		w.Set("tokenizer.chat_templates", others)
	}
}

// storeSpecial writes the ids of special tokens and the chat templates. For each token
// the first file that names it counts: tokenizer_config.json, special_tokens_map.json,
// the tokenizer, config.json.
func storeSpecial(w *gguf.Writer, dir string, v *vocabulary, c *config) error {
	var settings, tokens tokenizerConfig
	if err := readOptionalJSON(dir, tokenizerConfigFile, &settings); err != nil {
		return err
	}
	if err := readOptionalJSON(dir, specialTokensFile, &tokens); err != nil {
		return err
	}
	var generation struct {
		EOS tokenIDs `json:"eos_token_id"`
	}
	if err := readOptionalJSON(dir, generationConfigFile, &generation); err != nil {
		return err
	}
	find := func(ids tokenIDs, texts ...string) (uint32, bool) {
		for _, text := range texts {
			if id, ok := v.id(text); ok {
				return id, true
			}
		}
		if len(ids) > 0 && ids[0] >= 0 && ids[0] < int64(v.size) {
			return uint32(ids[0]), true
		}
		return 0, false
	}
	set := func(name string, ids tokenIDs, texts ...string) (uint32, bool) {
		id, ok := find(ids, texts...)
		if ok {
			w.Set("tokenizer.ggml."+name+"_token_id", id)
		}
		return id, ok
	}
	set("bos", c.BOS, string(settings.BOS), string(tokens.BOS), v.bos)
	eos, hasEOS := set("eos", c.EOS, string(settings.EOS), string(tokens.EOS), v.eos)
	set("unknown", nil, string(settings.Unknown), string(tokens.Unknown), v.unk)
	set("padding", c.Pad, string(settings.Pad), string(tokens.Pad), v.pad)
	eom, hasEOM := set("eom", nil, "<|eom_id|>")
	for _, id := range slices.Concat(generation.EOS, c.EOS) {
		// A further token that ends a turn, besides those that have keys of their own.
		known := hasEOS && id == int64(eos) || hasEOM && id == int64(eom)
		if !known && id >= 0 && id < int64(v.size) {
			w.Set("tokenizer.ggml.eot_token_id", uint32(id))
			break
		}
	}
	// The configuration goes before the tokenizer's own template. Where it is silent, the
	// class LlamaTokenizer begins texts with BOS.
	if settings.AddBOS != nil {
		v.addBOS = *settings.AddBOS
	} else if strings.HasPrefix(settings.Class, "LlamaTokenizer") {
		v.addBOS = true
	}
	if settings.AddEOS != nil {
		v.addEOS = *settings.AddEOS
	}

	switch text, err := readText(dir, templateFile); {
	case err == nil:
		settings.Template = append(settings.Template, chatTemplate{"default", string(text)}) // the last one counts
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the chat template: %w", err)
	}
	settings.Template.store(w)
	return nil
}
