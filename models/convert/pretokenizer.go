package convert

import (
	"errors"
	"fmt"
	"strings"
)

// GGUF names the rules by which a text is cut into words; tokenizer.json spells them
// out, most often as one regular expression.
const (
	gpt2Regex = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

	contractions = `(?i:'s|'t|'re|'ve|'m|'ll|'d)`
	llamaRest    = `| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	llamaWords   = contractions + `|[^\r\n\p{L}\p{N}]?\p{L}+|`

	upper     = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`
	lower     = `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`
	casedRest = `| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`

	oneDigit = `\p{N}`
)

// preTokenizers are GGUF's names by the expressions that cut the text, one after the
// other. Only those stand here that package token can follow.
var preTokenizers = map[string]string{
	gpt2Regex:                             "gpt-2",
	oneDigit + "\n" + gpt2Regex:           "smollm",
	llamaWords + `\p{N}{1,3}` + llamaRest: "llama-bpe",
	llamaWords + `\p{N}` + llamaRest:      "qwen2",
	llamaWords + `\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+`:                                                 "seed-coder",
	upper + `*` + lower + `+|` + upper + `+` + lower + `*|\p{N}` + casedRest:                                                "tekken",
	upper + `*` + lower + `+` + contractions + `?|` + upper + `+` + lower + `*` + contractions + `?|\p{N}{1,3}` + casedRest: "gpt-4o",
}

// lineEnds spells line ends as the expressions above do; some files hold the characters
// themselves.
var lineEnds = strings.NewReplacer("\r", `\r`, "\n", `\n`)

// preTokenizerName finds GGUF's name for the steps of a pre-tokenizer.
func preTokenizerName(steps []component) (string, error) {
	var cuts []string
	for _, s := range steps {
		switch s.Type {
		case "ByteLevel":
			if s.PrefixSpace != nil && *s.PrefixSpace {
				return "", errors.New("the pre-tokenizer puts a space in front of the text, which GGUF cannot say of byte-level BPE")
			}
			if s.UseRegex == nil || *s.UseRegex {
				cuts = append(cuts, gpt2Regex)
			}
		case "Split":
			// To isolate the matches, and to remove all else, are the same where every
			// character is matched.
			if s.Behavior == "Isolated" && !s.Invert || s.Behavior == "Removed" && s.Invert {
				cuts = append(cuts, lineEnds.Replace(s.Pattern.Regex+s.Pattern.String))
				continue
			}
			return "", fmt.Errorf("the pre-tokenizer's splitting %s is not known", quote(fmt.Sprint(s.Behavior)))
		case "Digits":
			if s.Digits {
				cuts = append(cuts, oneDigit)
				continue
			}
			cuts = append(cuts, oneDigit+"+")
		default:
			return "", fmt.Errorf("the pre-tokenizer has a step %s that is not known", quote(s.Type))
		}
	}
	name, ok := preTokenizers[strings.Join(cuts, "\n")]
	if !ok {
		return "", fmt.Errorf("the pre-tokenizer is not known: it cuts by %.400q", cuts)
	}
	return name, nil
}
