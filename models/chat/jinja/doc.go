// Package jinja runs chat templates.
//
// A model file carries a template that turns messages into the prompt text of its training. The
// templates are written in Jinja, a Python template language, and rely on Python's own rules:
// what is true, how values print, how slices count. This package is an interpreter of the part
// that chat templates use. It follows Jinja 3.1 as Hugging Face's transformers set it up:
// trim_blocks and lstrip_blocks are on, values are immutable except namespaces, the loop
// controls break and continue exist, tojson writes plain JSON, and there are the functions
// raise_exception and strftime_now.
//
// The way of a template:
//
//	source -> tokens -> statements and expressions -> text
//	          lexer.go  parser.go, expression.go      exec.go, eval.go
//
// Values are described in value.go; filters.go, tests.go, methods.go and functions.go hold the
// vocabulary. Filters and tests are looked up when a template is parsed, so a template that
// needs one that is missing is refused at once and not in the middle of a conversation.
//
// A template is hostile input. It cannot reach files or other templates. Nesting is bounded when
// it is parsed, and every rendering has a budget of steps and of built bytes (budget.go), so
// neither time nor memory nor stack can run away. No input makes the package panic.
//
//	t, err := jinja.Parse("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")
//	hi := jinja.NewDict("role", "user", "content", "Hi")
//	text, err := t.Render(map[string]any{"messages": []any{hi}}, jinja.Options{Now: time.Now(), Bytes: 1 << 20})
//
// Not supported: template inheritance, imports, recursive loops, call blocks, line statements and
// the filters that only make sense for HTML.
package jinja
