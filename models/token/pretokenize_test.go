package token

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func words(name, text string) []string {
	list := []string{}
	preTokenizers[name].words(text, func(word string) { list = append(list, word) })
	return list
}

func TestWords(t *testing.T) {
	for _, test := range []struct {
		name, pre, text string
		want            string // words, separated by |
	}{
		{"a space goes to the word behind it", "gpt-2", "a  b", "a| | b"},
		{"white space at the end stays together", "gpt-2", "a  \n", "a|  \n"},
		{"contractions in small letters", "gpt-2", "don't DON'T we'll", "don|'t| DON|'|T| we|'ll"},
		{"a space may come before numbers", "gpt-2", "a 1234", "a| 1234"},
		{"broken UTF-8 counts as other characters", "gpt-2", "a\xff\xffb", "a|\xff\xff|b"},

		{"contractions in any letters", "llama-bpe", "DON'T we'Ll", "DON|'T| we|'Ll"},
		{"three digits at most", "llama-bpe", " 1234567", " |123|456|7"},
		{"any character may come before letters", "llama-bpe", "a\tb(c", "a|\tb|(c"},
		{"a line end comes before nothing", "llama-bpe", "a\nb", "a|\n|b"},
		{"line ends behind other characters", "llama-bpe", "a;\n\n b", "a|;\n\n| b"},
		{"white space ends at its last line end", "llama-bpe", "a \n \n  b", "a| \n \n| | b"},

		{"single digits", "qwen2", "a 12", "a| |1|2"},
		{"no line ends behind other characters", "seed-coder", "a;\n\nb", "a|;|\n\n|b"},
		{"each number alone, then as GPT-2", "starcoder", "a 12 b", "a| |1|2| b"},

		{"runs of punctuation first", "default", "a, b don't", "a|,| b| don|'|t"},
		{"numbers in triples, without the space", "default", " 12345", " |123|45"},
		{"only ASCII digits make triples", "default", "12٣456", "12٣|456"},
		{"a space stays with numbers too short for a triple", "falcon", " 12 345", " 12| |345"},

		{"a capital begins a word", "gpt-4o", "camelCaseHTTPServer", "camel|Case|HTTPServer"},
		{"a contraction stays with its word", "gpt-4o", "don't", "don't"},
		{"slashes behind other characters", "gpt-4o", "a:\n//b", "a|:\n//|b"},
		{"characters without case end a word of capitals", "gpt-4o", "AB語CD", "AB語|CD"},
		{"no contractions", "tekken", "don't", "don|'t"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(words(test.pre, test.text), "|"); got != test.want {
				t.Errorf("%s cuts %q into %q, want %q", test.pre, test.text, got, test.want)
			}
		})
	}
}

func TestWordsEqualThoseOfTheRegularExpressions(t *testing.T) {
	for line := range strings.Lines(readText(t, "testdata/words.txt")) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(line, "\t")
		var text string
		var want []string
		if err := json.Unmarshal([]byte(columns[1]), &text); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(columns[2]), &want); err != nil {
			t.Fatal(err)
		}
		if got := words(columns[0], text); !slices.Equal(got, want) {
			t.Errorf("%s cuts %q into %q, want %q", columns[0], text, got, want)
		}
	}
}

func TestLongRunsAreOneWord(t *testing.T) {
	for name := range preTokenizers {
		for _, text := range []string{strings.Repeat("a", 5000), strings.Repeat(" ", 5000)} {
			if got := words(name, text); len(got) != 1 {
				t.Errorf("%s cuts a run of %q into %d words", name, text[:1], len(got))
			}
		}
	}
}
