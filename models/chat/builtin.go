package chat

import (
	"fmt"
	"strings"
)

// The built-in forms, for files without a template. Each is written as the models of its family
// were trained. A form that knows no system role says so by raising an exception, as the
// templates in files do.
var builtins = map[string]string{
	"chatml": `
{%- for message in messages -%}
{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}
{%- endfor -%}
{{ '<|im_start|>assistant\n' if add_generation_prompt else '' }}`,

	"llama2": `
{%- set turns, system = messages, '' -%}
{%- if messages[0].role == 'system' -%}
{%- set turns, system = messages[1:], '<<SYS>>\n' + messages[0].content + '\n<</SYS>>\n\n' -%}
{%- endif -%}
{%- for message in turns -%}
{%- if message.role == 'user' -%}
{{ bos_token + '[INST] ' + (system if loop.first else '') + message.content|trim + ' [/INST]' }}
{%- elif message.role == 'assistant' -%}
{{ ' ' + message.content|trim + ' ' + eos_token }}
{%- else -%}
{{ raise_exception('a system message must come first') }}
{%- endif -%}
{%- endfor -%}`,

	"llama3": `
{{- bos_token -}}
{%- for message in messages -%}
{{ '<|start_header_id|>' + message.role + '<|end_header_id|>\n\n' + message.content|trim + '<|eot_id|>' }}
{%- endfor -%}
{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' if add_generation_prompt else '' }}`,

	"mistral-v1":     mistral("'[INST] '", "' [/INST]'", "' '"),
	"mistral-v3":     mistral("'[INST] '", "'[/INST]'", "' '"),
	"mistral-tekken": mistral("'[INST]'", "'[/INST]'", "''"),

	"gemma": `
{{- bos_token -}}
{%- for message in messages -%}
{%- if message.role == 'system' -%}{{ raise_exception('no system role') }}{%- endif -%}
{{ '<start_of_turn>' + ('model' if message.role == 'assistant' else 'user') + '\n' + message.content|trim + '<end_of_turn>\n' }}
{%- endfor -%}
{{ '<start_of_turn>model\n' if add_generation_prompt else '' }}`,

	"phi3": `
{%- for message in messages -%}
{{ '<|' + message.role + '|>\n' + message.content + '<|end|>\n' }}
{%- endfor -%}
{{ '<|assistant|>\n' if add_generation_prompt else '' }}`,

	"zephyr": `
{%- for message in messages -%}
{{ '<|' + message.role + '|>\n' + message.content + eos_token + '\n' }}
{%- endfor -%}
{{ '<|assistant|>\n' if add_generation_prompt else '' }}`,

	"plain": `
{%- for message in messages -%}
{{ {'system': '', 'user': 'User: ', 'assistant': 'Assistant: '}[message.role] + message.content|trim + '\n' }}
{%- endfor -%}
{{ 'Assistant:' if add_generation_prompt else '' }}`,
}

// mistral is the family's form, whose generations differ in the spaces.
func mistral(open, end, answer string) string {
	return `
{{- bos_token -}}
{%- for message in messages -%}
{%- if message.role == 'user' -%}
{{ ` + open + ` + message.content + ` + end + ` }}
{%- elif message.role == 'assistant' -%}
{{ ` + answer + ` + message.content|trim + eos_token }}
{%- else -%}
{{ raise_exception('no system role') }}
{%- endif -%}
{%- endfor -%}`
}

// plainStop is where a plain text goes on with the user's next message.
const plainStop = "\nUser:"

// Builtin returns a built-in form: "chatml", "llama2", "llama3", "mistral-v1", "mistral-v3",
// "mistral-tekken", "gemma", "phi3", "zephyr" or "plain".
func Builtin(name string, v Vocabulary) (*Template, error) {
	source, ok := builtins[name]
	if !ok {
		return nil, fmt.Errorf("there is no built-in chat template %q", name)
	}
	t, err := build(name, source, v)
	if err != nil {
		return nil, fmt.Errorf("the built-in chat template %q: %w", name, err)
	}
	if name == "plain" {
		t.stops = []string{plainStop}
	}
	return t, nil
}

// guess names the built-in form that fits a file: by the tokens that only one form has, then by
// what the file calls itself.
func guess(m Metadata, v Vocabulary) (string, error) {
	facts := map[string]string{"general.architecture": "", "general.name": "", "tokenizer.ggml.model": ""}
	for key := range facts {
		value, err := m.StringOr(key, "")
		if err != nil {
			return "", err
		}
		facts[key] = strings.ToLower(value)
	}
	has := func(tokens ...string) bool {
		for _, t := range tokens {
			if _, ok := v.Lookup(t); !ok {
				return false
			}
		}
		return true
	}
	title := facts["general.name"]
	named := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(title, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("<|im_start|>"):
		return "chatml", nil
	case has("<|start_header_id|>"):
		return "llama3", nil
	case has("<start_of_turn>"):
		return "gemma", nil
	case has("<|end|>", "<|user|>"):
		return "phi3", nil
	case has("[INST]") && facts["tokenizer.ggml.model"] == "gpt2":
		return "mistral-tekken", nil
	case has("[INST]"):
		return "mistral-v3", nil
	case named("zephyr", "tinyllama"):
		return "zephyr", nil
	case named("mistral", "mixtral"):
		return "mistral-v1", nil
	case named("llama-2", "llama 2", "llama2") && named("chat"):
		return "llama2", nil
	case strings.HasPrefix(facts["general.architecture"], "gemma"):
		return "gemma", nil
	}
	return "plain", nil
}
