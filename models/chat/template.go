package chat

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"hotcell/models/chat/jinja"
)

// Vocabulary is what this package needs of a tokenizer.
type Vocabulary interface {
	BOS() (int32, bool)
	EOS() (int32, bool)
	Text(id int32) string
	Lookup(piece string) (int32, bool)
	ControlTexts() []string // texts of the control tokens, longest first
}

// Metadata is what this package needs of a model file.
type Metadata interface {
	StringOr(key, def string) (string, error)
}

// Template turns conversations into prompts.
type Template struct {
	name, warning string
	jinja         *jinja.Template
	bos, eos      string // texts, empty if the vocabulary has none
	guard         *guard
	stops         []string
	writesBOS     bool
	foldsSystem   bool // the template refuses or ignores a system message
}

// RenderOptions says how to render.
type RenderOptions struct {
	GenerationPrompt bool      // end with the beginning of an assistant's turn
	Now              time.Time // the date, where a template writes one; zero means time.Now
}

// New returns the template of a model file. If the file has none, or one that cannot be parsed
// or cannot render a single user message, it is the built-in form that fits the vocabulary best,
// and Warning tells so where it matters. The error is that of metadata that cannot be read.
func New(m Metadata, v Vocabulary) (*Template, error) {
	source, err := m.StringOr("tokenizer.chat_template", "")
	if err != nil {
		return nil, fmt.Errorf("read the chat template: %w", err)
	}
	if source == "" {
		if source, err = m.StringOr("tokenizer.chat_template.default", ""); err != nil {
			return nil, fmt.Errorf("read the chat template: %w", err)
		}
	}
	var fault error
	if source != "" {
		var t *Template
		if t, fault = build("file", source, v); fault == nil {
			return t, nil
		}
	}
	form, err := guess(m, v)
	if err != nil {
		return nil, fmt.Errorf("choose a chat template: %w", err)
	}
	t, err := Builtin(form, v)
	if err != nil {
		return nil, err
	}
	switch {
	case fault != nil:
		t.warning = fmt.Sprintf("The file's chat template does not work (%v), so the built-in form %q is used.", printable(fault), form)
	case form == "plain":
		t.warning = "The file has no chat template and its vocabulary shows no known form, so messages are written as plain text."
	}
	return t, nil
}

// build parses a template and learns its habits.
func build(name, source string, v Vocabulary) (*Template, error) {
	parsed, err := jinja.Parse(source)
	if err != nil {
		return nil, err
	}
	t := &Template{name: name, jinja: parsed}
	if id, ok := v.BOS(); ok {
		t.bos = v.Text(id)
	}
	if id, ok := v.EOS(); ok {
		t.eos = v.Text(id)
	}
	if err := t.probe(v); err != nil {
		return nil, err
	}
	return t, nil
}

// Name is "file" for the file's own template, else the name of the built-in form.
func (t *Template) Name() string { return t.name }

// Warning is empty, or one plain sentence for the user about the choice of the template.
func (t *Template) Warning() string { return t.warning }

// StopTexts are the texts that the template writes after an assistant's message, such as
// "<|im_end|>". A model that writes one has ended its turn.
func (t *Template) StopTexts() []string { return slices.Clone(t.stops) }

// WritesBOS tells whether a rendering begins with the text of the BOS token, so that the caller
// must not add another.
func (t *Template) WritesBOS() bool { return t.writesBOS }

// Render returns the prompt of a conversation. Roles are "system", "user" and "assistant". A
// conversation that the template refuses is reshaped (see the package comment); if it is still
// refused, the error is the template's own.
func (t *Template) Render(msgs []Message, o RenderOptions) (string, error) {
	for _, m := range msgs {
		if m.Role != "system" && m.Role != "user" && m.Role != "assistant" {
			return "", fmt.Errorf("a message has the unknown role %q", m.Role)
		}
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	folded := foldSystem(msgs)
	attempts := [][]Message{msgs, folded, mergeNeighbours(msgs), mergeNeighbours(folded)}
	if t.foldsSystem {
		attempts = [][]Message{folded, mergeNeighbours(folded)}
	}
	var first error
	for i, attempt := range attempts {
		if slices.ContainsFunc(attempts[:i], func(tried []Message) bool { return slices.Equal(tried, attempt) }) {
			continue
		}
		text, err := t.render(attempt, o)
		if err == nil {
			return text, nil
		}
		if first == nil {
			first = err
		}
		if errors.Is(err, jinja.ErrBudget) {
			break
		}
	}
	var raised *jinja.RaisedError
	if errors.As(first, &raised) {
		return "", fmt.Errorf("the model's chat template refuses the conversation: %s", printable(raised))
	}
	return "", fmt.Errorf("the model's chat template failed: %s", printable(first))
}

// printable is the message of an error whose words may come from the file: one line of bounded
// length without control characters.
func printable(err error) string {
	var b strings.Builder
	for i, r := range []rune(err.Error()) {
		switch {
		case i == 300:
			return b.String() + "..."
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// What a rendering may build, in bytes: a fixed part for the template's own texts, and a
// multiple of the conversation, for each filter and each "+" makes a copy.
const (
	fixedBudget   = 8 << 20
	budgetPerByte = 64
)

func (t *Template) render(msgs []Message, o RenderOptions) (string, error) {
	list := make([]any, len(msgs))
	size := 0
	for i, m := range msgs {
		content := t.guard.protect(m.Content)
		size += len(content)
		list[i] = jinja.NewDict("role", m.Role, "content", content)
	}
	return t.jinja.Render(map[string]any{
		"messages":              list,
		"add_generation_prompt": o.GenerationPrompt,
		"bos_token":             t.bos,
		"eos_token":             t.eos,
		"tools":                 nil,
		"documents":             nil,
	}, jinja.Options{Now: o.Now, Bytes: fixedBudget + budgetPerByte*min(size, 1<<26)})
}

// These stand for messages when a template is probed. No template writes them by itself.
const (
	sampleSystem    = "Sample-System-4c1"
	sampleUser      = "Sample-User-8e7"
	sampleAssistant = "Sample-Assistant-2b9"
)

// probe renders sample conversations to learn what the template does.
func (t *Template) probe(v Vocabulary) error {
	t.guard = newGuard(nil)
	o := RenderOptions{Now: time.Unix(0, 0)}
	system, user := Message{"system", sampleSystem}, Message{"user", sampleUser}
	assistant := Message{"assistant", sampleAssistant}

	opening, err := t.render([]Message{user}, o)
	if err != nil {
		return err
	}
	if !strings.Contains(opening, sampleUser) {
		return errors.New("it leaves out the user's message")
	}
	t.writesBOS = t.bos != "" && strings.HasPrefix(opening, t.bos)

	withSystem, err := t.render([]Message{system, user}, o)
	t.foldsSystem = err != nil || !strings.Contains(withSystem, sampleSystem)

	for _, sample := range [][]Message{{user, assistant}, {user, assistant, user}} {
		text, err := t.render(sample, o)
		at := strings.LastIndex(text, sampleAssistant)
		if err != nil || at < 0 {
			continue
		}
		stop := markerAt(strings.TrimSpace(text[at+len(sampleAssistant):]), v.ControlTexts())
		if stop != "" && stop != t.bos {
			t.stops = append(t.stops, stop)
			break
		}
	}
	t.guard = newGuard(append(markersIn(opening, v), append(t.stops, v.ControlTexts()...)...))
	return nil
}
