package chat

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotcell/models/chat/jinja"
)

// vocabulary is a test vocabulary: control tokens, and BOS and EOS by their texts.
type vocabulary struct {
	bos, eos string
	control  []string
}

func (v vocabulary) all() []string { return append([]string{v.bos, v.eos}, v.control...) }

func (v vocabulary) BOS() (int32, bool)     { return 0, v.bos != "" }
func (v vocabulary) EOS() (int32, bool)     { return 1, v.eos != "" }
func (v vocabulary) Text(id int32) string   { return v.all()[id] }
func (v vocabulary) ControlTexts() []string { return v.control }

func (v vocabulary) Lookup(piece string) (int32, bool) {
	for i, s := range v.all() {
		if s == piece && s != "" {
			return int32(i), true
		}
	}
	return 0, false
}

type metadata map[string]string

func (m metadata) StringOr(key, def string) (string, error) {
	if m[key] == "unreadable" {
		return "", errors.New("not a string")
	}
	if s, ok := m[key]; ok {
		return s, nil
	}
	return def, nil
}

type golden struct {
	Conversations map[string][]Message
	Templates     []struct {
		Template, BOS, EOS string
		Renderings         []struct {
			Conversation     string
			GenerationPrompt bool
			Want, Error      string
		}
	}
}

func readGolden(t testing.TB) golden {
	t.Helper()
	raw, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func readTemplate(t testing.TB, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "templates", name+".jinja"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

var noon = time.Date(2026, 3, 5, 14, 7, 9, 0, time.UTC)

// testdata/golden.json holds what Python's Jinja, set up as in transformers, makes of the
// templates of the well-known model families.
func TestKnownTemplatesRenderAsInPython(t *testing.T) {
	g := readGolden(t)
	for _, c := range g.Templates {
		t.Run(c.Template, func(t *testing.T) {
			tmpl, err := New(metadata{"tokenizer.chat_template": readTemplate(t, c.Template)}, vocabulary{bos: c.BOS, eos: c.EOS})
			if err != nil || tmpl.Name() != "file" {
				t.Fatalf("not used: %v %s", err, tmpl.Warning())
			}
			for _, r := range c.Renderings {
				got, err := tmpl.render(g.Conversations[r.Conversation], RenderOptions{r.GenerationPrompt, noon})
				var raised *jinja.RaisedError
				switch {
				case r.Error != "" && (!errors.As(err, &raised) || raised.Message != r.Error):
					t.Errorf("%s: got error %v, want %s", r.Conversation, err, r.Error)
				case r.Error == "" && err != nil:
					t.Errorf("%s: %v", r.Conversation, err)
				case got != r.Want:
					t.Errorf("%s:\n got %q\nwant %q", r.Conversation, got, r.Want)
				}
			}
		})
	}
}

func TestEveryKnownTemplateTakesEveryConversation(t *testing.T) {
	g := readGolden(t)
	for _, c := range g.Templates {
		tmpl, err := New(metadata{"tokenizer.chat_template": readTemplate(t, c.Template)}, vocabulary{bos: c.BOS, eos: c.EOS})
		if err != nil {
			t.Fatal(err)
		}
		for name, msgs := range g.Conversations {
			text, err := tmpl.Render(msgs, RenderOptions{GenerationPrompt: true, Now: noon})
			if err != nil {
				t.Errorf("%s, %s: %v", c.Template, name, err)
			}
			for i, m := range msgs {
				// A later system message, and the one of a finished conversation, some templates drop.
				kept := m.Role == "user" || m.Role == "system" && i == 0 && name != "answered"
				if kept && c.Template != "macros" && !strings.Contains(text, strings.TrimSpace(m.Content)) {
					t.Errorf("%s, %s: %q is missing in %q", c.Template, name, m.Content, text)
				}
			}
		}
	}
}

func TestStopTextsAndBOSAreLearntFromTheTemplate(t *testing.T) {
	want := map[string]struct {
		stops string
		bos   bool
	}{
		"chatml": {"<|im_end|>", false}, "hotcell": {"<|im_end|>", true}, "llama2": {"</s>", true}, "llama3": {"<|eot_id|>", true},
		"llama3.1": {"<|eot_id|>", true}, "mistral-v0.1": {"</s>", true}, "mistral-v0.3": {"</s>", true}, "mistral-nemo": {"</s>", true},
		"qwen2.5": {"<|im_end|>", false}, "qwen3": {"<|im_end|>", false}, "gemma2": {"<end_of_turn>", true}, "gemma3": {"<end_of_turn>", true},
		"phi3": {"<|end|>", false}, "phi4": {"<|im_end|>", false}, "zephyr": {"</s>", false}, "deepseek-r1": {"<｜end▁of▁sentence｜>", true},
		"smollm2": {"<|im_end|>", false}, "smollm3": {"<|im_end|>", false}, "command-r": {"<|END_OF_TURN_TOKEN|>", true},
		"glm4": {"<|user|>", false}, "macros": {"<|end|>", false},
	}
	for _, c := range readGolden(t).Templates {
		tmpl, err := New(metadata{"tokenizer.chat_template": readTemplate(t, c.Template)}, vocabulary{bos: c.BOS, eos: c.EOS})
		if err != nil {
			t.Fatal(err)
		}
		w := want[c.Template]
		if got := strings.Join(tmpl.StopTexts(), " "); got != w.stops || tmpl.WritesBOS() != w.bos {
			t.Errorf("%s: stops %q, writes BOS %v; want %q, %v", c.Template, got, tmpl.WritesBOS(), w.stops, w.bos)
		}
	}
}
