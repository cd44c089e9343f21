package main

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	steps, err := parse(strings.NewReader("# a session\nwait ready\n\n  type Hello  there\nkey enter\nkey ctrl-o\nsize 46 19\npause 300\ngone x y\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []step{
		{line: 2, verb: "wait", text: "ready"}, {line: 4, verb: "type", text: "Hello  there"}, {line: 5, verb: "key", text: "\r"}, {line: 6, verb: "key", text: "\x0f"},
		{line: 7, verb: "size", text: "46 19", a: 46, b: 19}, {line: 8, verb: "pause", text: "300", a: 300}, {line: 9, verb: "gone", text: "x y"},
	}
	if len(steps) != len(want) {
		t.Fatalf("%d steps", len(steps))
	}
	for i := range want {
		if steps[i] != want[i] {
			t.Errorf("step %d is %+v, want %+v", i, steps[i], want[i])
		}
	}
	for _, wrong := range []string{"jump", "key f1", "key ctrl-1", "wait", "pause long", "size 46"} {
		if _, err := parse(strings.NewReader(wrong)); err == nil {
			t.Errorf("%q was accepted", wrong)
		}
	}
}

func TestWholeCharacters(t *testing.T) {
	for text, want := range map[string]int{"": 0, "abc": 3, "漢": 3, "a\xe6\xbc": 1, "\xe6": 0, "a\xff": 2} {
		if got := wholeCharacters([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
