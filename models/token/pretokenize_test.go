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
		{"only ASCII letters have a case", "gpt-4o", "éÉaÉ ÉA", "éÉaÉ| É|A"},
		{"no contractions", "tekken", "don't", "don|'t"},

		{"marks belong to the letters", "qwen35", "cafe\u0301s", "cafe\u0301s"},
		{"without marks among the letters a word ends at one", "qwen2", "cafe\u0301s", "cafe|\u0301s"},
		{"an apostrophe begins a suffix", "ufakzeka", "Ali'nin", "Ali|'nin"},
		{"words with single spaces between them", "exaone-moe", "two words  three 4", "two words| | three| |4"},
		{"one line end behind other characters", "exaone-moe", "a;\n\nb", "a|;\n|\n|b"},
		{"Han apart from other letters", "kimi-k2", "ab你好カナ's", "ab|你好|カナ's"},
		{"numbers from the right", "tiny_aya", "x 1234567", "x| |1|234|567"},
		{"scripts first", "youtu", "ab한국，你好ㄅ", "ab|한국|，|你好|ㄅ"},
		{"white space in powers of two", "jais-2", strings.Repeat(" ", 8) + "a", "    |  | | a"},
		{"each line end alone", "deepseek-llm", "a\n\nb c1 ", "a|\n|\n|b| c|1| "},
		{"scripts without capitals are no letters of it", "deepseek-llm", "abעברית", "ab|עברית"},
		{"numbers one by one", "deepseek-coder", "a, b 12", "a|,| b| |1|2"},
		{"ASCII letters behind a sign", "deepseek-v3", "x.foé +é", "x|.fo|é| +|é"},
		{"a tilde is no sign", "deepseek-v3", "~~ ~a", "~~| |~a"},
		{"control characters stay together", "deepseek-v3", "a\x01\x02.", "a|\x01\x02|."},
		{"numbers from the right, and no word takes them in", "afmoe", "12345 6", "12|345| |6"},
		{"stops but not in ranges", "bloom", "a-b, c  d", "a-b|,| c| | d"},
		{"single numbers", "viking", "ab12 c", "ab|1|2| c"},
		{"only numbers are cut, in triples from the right", "superbpe", "a b, 12345٣123", "a b, |12|345٣|123"},
		{"images and their sentinels", "chameleon", "<sentinel:7>IMGIMGABZ\t", "<|sentinel|:|7|>|IMGIMGABZ|\t"},
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
	blocks := map[string]int{"jais-2": 5000/512 + 3, "chameleon": 5000 / 4}
	for name := range preTokenizers {
		if got := words(name, strings.Repeat("a", 5000)); len(got) != 1 {
			t.Errorf("%s cuts a run of letters into %d words", name, len(got))
		}
		if got := words(name, strings.Repeat(" ", 5000)); len(got) != max(blocks[name], 1) {
			t.Errorf("%s cuts a run of spaces into %d words", name, len(got))
		}
	}
}
