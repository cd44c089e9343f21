package roles

import (
	"math"
	"strings"

	"hotcell/infer"
	"hotcell/ui/settings/tomlfile"
)

// Unchosen is the sampling of a role whose file says nothing about it, field by field.
var Unchosen = infer.Sampling{Temperature: 0.7, TopK: 40, TopP: 0.95, MinP: 0.05, RepeatPenalty: 1, RepeatLast: 64, Seed: -1}

// Parse reads the text of a role's file; name stands for the file in errors.
func Parse(name, text string) (Role, error) {
	if len(text) > maxFile {
		return Role{}, tomlfile.Problem{File: name, What: "the file is too large"}
	}
	doc, err := tomlfile.Parse(name, text)
	if err != nil {
		return Role{}, err
	}
	return decode(doc)
}

// decode is the description of the file: every field with what it may hold.
func decode(doc *tomlfile.Doc) (Role, error) {
	r := Role{Sampling: Unchosen}
	doc.String("name", &r.Name, MaxName, false)
	doc.String("description", &r.Description, MaxDescription, false)
	doc.String("system", &r.System, MaxSystem, true)
	doc.String("greeting", &r.Greeting, MaxGreeting, true)
	doc.String("model", &r.Model, maxModel, false)
	doc.Int("max_tokens", &r.MaxTokens, 0, 1<<20)
	s := &r.Sampling
	doc.Float("sampling.temperature", &s.Temperature, 0, 5)
	doc.Int("sampling.top_k", &s.TopK, 0, 1<<20)
	doc.Float("sampling.top_p", &s.TopP, 0, 1)
	doc.Float("sampling.min_p", &s.MinP, 0, 1)
	doc.Float("sampling.repeat_penalty", &s.RepeatPenalty, 0, 2)
	doc.Int("sampling.repeat_last", &s.RepeatLast, 0, 1<<20)
	doc.Float("sampling.presence_penalty", &s.PresencePenalty, -2, 2)
	doc.Float("sampling.frequency_penalty", &s.FrequencyPenalty, -2, 2)
	doc.Int64("sampling.seed", &s.Seed, -1, math.MaxInt64)
	if problems := doc.Problems(); len(problems) > 0 {
		return Role{}, problems[0]
	}
	if strings.TrimSpace(r.Name) == "" {
		doc.Wrong("name", "a role needs a name")
		return Role{}, doc.Problems()[0]
	}
	return r, nil
}

// field is one line of a role's file.
type field struct {
	key   string
	value any // in the type that tomlfile writes; nil: not in the file
	about string
}

// fields are all lines in the order in which a new file has them. An empty text is left out.
func fields(r Role) []field {
	text := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	s := r.Sampling
	return []field{
		{"name", r.Name, "shown above each answer"},
		{"description", text(r.Description), "one line for the list of roles"},
		{"system", text(r.System), "sent before the conversation"},
		{"greeting", text(r.Greeting), "shown in an empty chat, never sent"},
		{"model", text(r.Model), "the model that this role wants"},
		{"max_tokens", r.MaxTokens, "of one answer; 0: until it ends"},
		{"sampling.temperature", s.Temperature, "0: always the likeliest token"},
		{"sampling.top_k", s.TopK, "choose among the k likeliest; 0: all"},
		{"sampling.top_p", s.TopP, "choose among those that together reach this probability; 1: all"},
		{"sampling.min_p", s.MinP, "and that are at least this fraction as likely as the likeliest"},
		{"sampling.repeat_penalty", s.RepeatPenalty, "divides the logits of recent tokens; 1: off"},
		{"sampling.repeat_last", s.RepeatLast, "how many tokens are recent; 0: 64"},
		{"sampling.presence_penalty", s.PresencePenalty, "subtracted from the logits of recent tokens"},
		{"sampling.frequency_penalty", s.FrequencyPenalty, "the same, per occurrence"},
		{"sampling.seed", s.Seed, "of the random choices; -1: a new one for each answer"},
	}
}

// encode is a new file for a role.
func encode(r Role) string {
	var b strings.Builder
	table := false
	for _, f := range fields(r) {
		key, sampling := strings.CutPrefix(f.key, "sampling.")
		if sampling && !table {
			b.WriteString("\n[sampling]\n")
			table = true
		}
		if f.value != nil {
			b.WriteString(key + " = " + tomlfile.Literal(f.value) + "  # " + f.about + "\n")
		}
	}
	return b.String()
}

// patch changes in text, which says before, what is different in r. A file in an unusual form is written anew.
func patch(text string, before, r Role) string {
	doc, err := tomlfile.Parse("", text)
	old := fields(before)
	for i, f := range fields(r) {
		if err == nil && f.value != old[i].value {
			err = doc.Set(f.key, f.value)
		}
	}
	if err != nil {
		return encode(r)
	}
	return doc.Text()
}
