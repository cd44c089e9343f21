package jinja

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

func sampleVars() map[string]any {
	return map[string]any{
		"x": NewDict("n", 2, "s", "str"),
		"msgs": []any{
			NewDict("role", "user", "content", "hello"),
			NewDict("role", "assistant", "content", "hi"),
		},
	}
}

var sampleOptions = Options{Now: time.Date(2026, 3, 5, 14, 7, 9, 0, time.UTC), Bytes: 8 << 20}

func render(t *testing.T, source string) (string, error) {
	t.Helper()
	tmpl, err := Parse(source)
	if err != nil {
		return "", err
	}
	return tmpl.Render(sampleVars(), sampleOptions)
}

// testdata/python.json holds what Python's Jinja 3.1 makes of each template, set up as Hugging
// Face's transformers does it.
func TestRendersAsPythonDoes(t *testing.T) {
	raw, err := os.ReadFile("testdata/python.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Template, Want string
		Error          bool
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		got, err := render(t, c.Template)
		switch {
		case c.Error && err == nil:
			t.Errorf("%q gave %q, Python refuses it", c.Template, got)
		case !c.Error && err != nil:
			t.Errorf("%q: %v", c.Template, err)
		case got != c.Want:
			t.Errorf("%q\n got %q\nwant %q", c.Template, got, c.Want)
		}
	}
}

func TestErrorsNameTheLineAndTheFault(t *testing.T) {
	for source, want := range map[string]string{
		"a\n{{ missing.x }}":           `line 2: "missing" is undefined`,
		"a\n\n{{ x|nope }}":            `line 3: unknown filter "nope"`,
		"{% if x %}":                   `line 1: the tag "endif" is missing`,
		"{% include 'x' %}":            `line 1: the tag "include" is not allowed: a chat template stands alone`,
		"{{ raise_exception('no!') }}": "line 1: no!",
	} {
		if _, err := render(t, source); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", source, err, want)
		}
	}
	_, err := render(t, "{{ raise_exception('no!') }}")
	var raised *RaisedError
	if !errors.As(err, &raised) || raised.Message != "no!" {
		t.Errorf("raise_exception gave %v", err)
	}
}

// Each of these would run for ever, exhaust the memory or overflow the stack without a budget.
var hostile = map[string]string{
	"doubling text":         "{% set ns = namespace(s='ab') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
	"doubling list":         "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
	"repeated text":         "{{ 'a' * 9999999999 }}",
	"repeated list":         "{{ [1] * 9999999999 }}",
	"shared lists printed":  "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
	"shared lists compared": "{% set a = namespace(l=[1]) %}{% set b = namespace(l=[1]) %}{% for i in range(99) %}{% set a.l = [a.l, a.l] %}{% set b.l = [b.l, b.l] %}{% endfor %}{{ a.l == b.l }}",
	"shared lists as JSON":  "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l|tojson }}",
	"long range":            "{% for i in range(999999999999) %}{% endfor %}",
	"nested loops":          "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}",
	"endless macro":         "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
	"endless macro default": "{% macro f(x=f()) %}{% endmacro %}{{ f() }}",
	"replace":               "{% set s = 'a' * 9999 %}{{ s.replace('a', s).replace('a', s) }}",
	"join":                  "{% set s = 'a' * 99999 %}{{ s|join(s) }}",
	"indent":                "{{ ('a\n' * 99999)|indent(999) }}",
	"format precision":      "{{ '%.999999999f' % 1 }}",
	"deep brackets":         "{{ " + strings.Repeat("(", 100000) + " }}",
	"deep nots":             "{{ " + strings.Repeat("not ", 50000) + "x }}",
	"deep signs":            "{{ " + strings.Repeat("- ", 100000) + "1 }}",
	"deep ifs":              strings.Repeat("{% if 1 %}", 20000),
	"deep conditions":       "{{ " + strings.Repeat("1 if 0 else ", 20000) + "1 }}",
	"long sum":              "{{ 1" + strings.Repeat("+1", 100000) + " }}",
	"long attribute chain":  "{{ x" + strings.Repeat(".a", 100000) + " }}",
	"long filter chain":     "{{ 'x'" + strings.Repeat("|e", 100000) + " }}",
	"kept scopes":           "{% set ns = namespace(l=[]) %}{% for i in range(99999) %}{% for i in range(99999) %}{% macro f() %}{% endmacro %}{% set ns.l = [ns.l, f] %}{% endfor %}{% endfor %}",
	"too large":             strings.Repeat("a", maxSource+1),
	"sort":                  "{% for i in range(9999) %}{% set l = range(99999)|sort(reverse=true) %}{% endfor %}",
}

func TestAHostileTemplateIsStopped(t *testing.T) {
	for name, source := range hostile {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			if out, err := render(t, source); err == nil {
				t.Errorf("it rendered %d bytes", len(out))
			} else if len(err.Error()) > 300 {
				t.Errorf("its error has %d bytes", len(err.Error()))
			}
			if d := time.Since(start); d > 2*time.Second {
				t.Logf("it took %v", d)
			}
		})
	}
}

func FuzzTemplate(f *testing.F) {
	raw, err := os.ReadFile("testdata/python.json")
	if err != nil {
		f.Fatal(err)
	}
	var cases []struct{ Template string }
	if err := json.Unmarshal(raw, &cases); err != nil {
		f.Fatal(err)
	}
	for _, c := range cases {
		f.Add(c.Template)
	}
	f.Fuzz(func(t *testing.T, source string) {
		tmpl, err := Parse(source)
		if err != nil {
			return
		}
		o := Options{Now: sampleOptions.Now, Bytes: 1 << 20}
		out, err := tmpl.Render(sampleVars(), o)
		if len(out) > o.Bytes {
			t.Fatalf("%d bytes of output", len(out))
		}
		again, err2 := tmpl.Render(sampleVars(), o)
		if out != again || (err == nil) != (err2 == nil) {
			t.Fatal("two renderings differ")
		}
	})
}
