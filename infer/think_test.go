package infer

import (
	"strings"
	"testing"
)

func TestThoughtsArePartedFromTheAnswerWhereverTheStreamIsCut(t *testing.T) {
	tests := []struct{ name, prompt, text, answer, thought string }{
		{"no thoughts", "", "Hello <think> is a tag", "Hello <think> is a tag", ""},
		{"tags", "", "<think>\nhm, well\n</think>\n\nYes.", "Yes.", "\nhm, well\n"},
		{"white space before the tag", "", "\n<think>a</think>b", "b", "a"},
		{"opened by the prompt", "...assistant\n<think>\n", "because</think>\nNo.", "No.", "because"},
		{"never closed", "", "<think>on and on", "", "on and on"},
		{"another notation", "", "[THINK]x[/THINK]y", "y", "x"},
		{"a beginning of a tag is just text", "", "<thin", "<thin", ""},
		{"an answer of white space", "", "  ", "  ", ""},
		{"a second pair is text", "", "<think>a</think>b<think>c</think>", "b<think>c</think>", "a"},
	}
	for _, c := range tests {
		for step := 1; step <= len(c.text); step++ {
			k := &thinker{tag: -1}
			k.openIn(c.prompt)
			var answer, thought strings.Builder
			put := func(a, b []byte) { answer.Write(a); thought.Write(b) }
			for i := 0; i < len(c.text); i += step {
				put(k.push([]byte(c.text[i:min(len(c.text), i+step)])))
			}
			put(k.rest())
			if answer.String() != c.answer || thought.String() != c.thought {
				t.Errorf("%s, cut every %d bytes: answer %q, thought %q; expected %q, %q", c.name, step, answer.String(), thought.String(), c.answer, c.thought)
			}
		}
	}
}

func TestChannelsPartThoughtsFromTheAnswer(t *testing.T) {
	const start, channel, message, end = 1, 2, 3, 4
	k := &thinker{tag: -1, marks: &channelMarks{start, channel, message, end}}
	var answer, thought string
	for _, piece := range []any{channel, "analysis", message, "let me see", end, start, "assistant", channel, "final", message, "It is so."} {
		switch p := piece.(type) {
		case int:
			if mark, end := k.control(int32(p)); !mark || end {
				t.Fatalf("the mark %d would end the answer", p)
			}
		case string:
			a, b := k.push([]byte(p))
			answer, thought = answer+string(a), thought+string(b)
		}
	}
	if answer != "It is so." || thought != "let me see" {
		t.Errorf("answer %q, thought %q", answer, thought)
	}
	if _, over := k.control(end); !over {
		t.Error("the end of the final channel does not end the answer")
	}
}

func TestStopTextsEndTheAnswerWhereverTheStreamIsCut(t *testing.T) {
	const text = "One two.\nUser: three"
	for step := 1; step <= len(text); step++ {
		m := newStopMatcher([]string{"\nUser:", "###"})
		var out strings.Builder
		for i := 0; i < len(text) && !m.found; i += step {
			out.Write(m.push([]byte(text[i:min(len(text), i+step)])))
		}
		out.Write(m.rest())
		if out.String() != "One two." || !m.found {
			t.Errorf("cut every %d bytes: %q, found %v", step, out.String(), m.found)
		}
	}
	m := newStopMatcher([]string{"END"})
	if got := string(m.push([]byte("an EN"))) + string(m.rest()); got != "an EN" {
		t.Errorf("held-back text is lost: %q", got)
	}
}
