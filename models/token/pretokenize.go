package token

import "fmt"

// preTokenizer cuts text into the words inside which pieces are merged.
type preTokenizer struct {
	cuts       []cut // each one cuts the pieces of the one before
	wholeWords bool  // a word that is a piece is one token, whatever the merges say
	addBOS     bool  // models of this kind want a BOS token unless the file says no
}

// cut returns the length in bytes of the first word of s. s is not empty, and
// the result is between 1 and len(s). To cut a text into words takes time in
// proportion to its length: what a cut looks at without taking it, the next
// cuts look at a bounded number of times.
type cut func(s string) int

// preTokenizers are the known values of tokenizer.ggml.pre. The published rules
// are regular expressions, often several that are applied one after the other;
// they stand beside the scanners that do the same in one pass.
//
// llama.cpp runs most of these expressions on a text in which one byte stands
// for each character, so that it knows the category of a character but not its
// case. Files are made and judged with llama.cpp. Where this gives other words
// than the expression of the model's authors the scanner follows llama.cpp, and
// its comment says so.
var preTokenizers = map[string]preTokenizer{
	"default": {cuts: []cut{punctuationRuns, gpt2Rules.cut, numberRuns, digitTriples}},
	"falcon":  {cuts: []cut{falconPunctuationRuns, gpt2Rules.cut, digitTriples}},

	"gpt-2": gpt2, "phi-2": gpt2, "olmo": gpt2, "mpt": gpt2, "jais": gpt2, "exaone4": gpt2,
	"trillion": gpt2, "granite-docling": gpt2, "gigachat": gpt2, "a.x-4.0": gpt2, "mellum": gpt2,
	"modern-bert": gpt2, "roberta-bpe": gpt2, "jina-es": gpt2, "jina-de": gpt2, "jina-v1-en": gpt2,
	"jina-v2-es": gpt2, "jina-v2-de": gpt2, "jina-v2-code": gpt2,

	"starcoder": gpt2Digits, "refact": gpt2Digits, "command-r": gpt2Digits, "cohere2_moe": gpt2Digits,
	"smollm": gpt2Digits, "codeshell": gpt2Digits, "exaone": gpt2Digits, "minerva-7b": gpt2Digits,
	"mellum2": gpt2Digits,

	"llama-bpe": llama3, "llama3": llama3, "llama-v3": llama3, "falcon3": llama3, "falcon-h1": llama3,
	"pixtral": llama3, "lfm2": llama3, "midm-2.0": llama3, "jina-v5-nano": llama3,
	"dbrx":        {cuts: []cut{llama3Rules.cut}},
	"smaug-bpe":   {cuts: []cut{llama3Rules.cut}},
	"chatglm-bpe": {cuts: []cut{llama3Rules.cut}},
	"glm4":        {cuts: []cut{llama3Rules.cut}},
	"jais-2":      {cuts: []cut{llama3Rules.cut, spaceBlocks}},
	"minicpm5":    {cuts: []cut{numberTriples, llama3Rules.cut}, wholeWords: true},

	"qwen2": qwen2, "deepseek-r1-qwen": qwen2, "stablelm2": qwen2, "hunyuan": qwen2, "megrez": qwen2,
	"kormo": qwen2, "openpangu": qwen2, "f2llmv2": qwen2, "grok-2": qwen2, "solar-open": qwen2,
	// \s*[\r\n] in place of \s*[\r\n]+, which takes in the same
	"bailingmoe": qwen2, "bailingmoe2": qwen2, "llada-moe": qwen2,
	"laguna":     {cuts: []cut{lineEndRuns, qwen2Rules.cut}},
	"qwen35":     {cuts: []cut{qwen35Rules.cut}},
	"seed-coder": {cuts: []cut{seedRules.cut}},
	"ufakzeka":   {cuts: []cut{ufakzekaRules.cut}},
	"exaone-moe": {cuts: []cut{exaoneRules.cut}},

	"gpt-4o": gpt4o, "llama4": gpt4o, "kanana2": gpt4o, "talkie": gpt4o, "minimax-m2": gpt4o,
	"tekken":     {cuts: []cut{tekkenRules.cut}, wholeWords: true, addBOS: true},
	"kimi-k2":    {cuts: []cut{kimiRules.cut}},
	"tiny_aya":   tinyAya,
	"cohere2moe": tinyAya,
	"youtu":      {cuts: []cut{youtuScripts, youtuRules.cut}, wholeWords: true},

	"deepseek-llm":   {cuts: []cut{lineEnds, casedLetters, deepseekPunctuation, trailingSpace, deepseekCJK, numberRuns}},
	"deepseek-coder": {cuts: []cut{lineEnds, spacedLetters, spacedPunctuation, deepseekCJK, singleNumbers}},
	"deepseek-v3":    deepseek3, "hunyuan-dense": deepseek3, "joyai-llm": deepseek3, "hy_v4": deepseek3,
	"afmoe": {cuts: []cut{leadingNumbers, triplesOfNumbers, asianScripts, symbolWords}},

	"poro-chat": bloom, "bloom": bloom, "gpt3-finnish": bloom,
	"viking": {cuts: []cut{bloomWords, singleNumbers}},

	"superbpe":  {cuts: []cut{numberRuns, leadingDigits, triplesOfDigits}},
	"chameleon": {cuts: []cut{sentinels, images, indents, singleNumbers, singlePunctuation, gpt2Rules.cut}, addBOS: true},
}

var (
	gpt2       = preTokenizer{cuts: []cut{gpt2Rules.cut}}
	gpt2Digits = preTokenizer{cuts: []cut{singleNumbers, gpt2Rules.cut}}
	llama3     = preTokenizer{cuts: []cut{llama3Rules.cut}, wholeWords: true, addBOS: true}
	qwen2      = preTokenizer{cuts: []cut{qwen2Rules.cut}}
	gpt4o      = preTokenizer{cuts: []cut{gpt4oRules.cut}}
	tinyAya    = preTokenizer{cuts: []cut{leadingNumbers, triplesOfNumbers, tinyAyaRules.cut}}
	deepseek3  = preTokenizer{cuts: []cut{numberTriples, deepseek3CJK, symbolWords}}
	bloom      = preTokenizer{cuts: []cut{bloomWords}}
)

func newPreTokenizer(m Metadata) (preTokenizer, error) {
	name, err := m.StringOr(keyPre, "default")
	if err != nil {
		return preTokenizer{}, err
	}
	pre, ok := preTokenizers[name]
	if !ok {
		return pre, fmt.Errorf("%s: %s is %q, which names no known way to cut text into words", m.Name(), keyPre, name)
	}
	return pre, nil
}

// words calls word for each word of text, in order.
func (p preTokenizer) words(text string, word func(string)) { cutAll(p.cuts, text, word) }

func cutAll(cuts []cut, text string, word func(string)) {
	for text != "" {
		n := cuts[0](text)
		if len(cuts) == 1 {
			word(text[:n])
		} else {
			cutAll(cuts[1:], text[:n], word)
		}
		text = text[n:]
	}
}
