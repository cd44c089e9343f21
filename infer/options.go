package infer

// Options say how one answer is to be generated.
type Options struct {
	MaxTokens int // most tokens to generate; 0: until the turn ends or the context is full
	Sampling  Sampling
}

// Sampling says how the next token is chosen from the logits. The steps are taken in the order of the
// fields: penalties, temperature 0 (greedy) or top-k, top-p, min-p, temperature, draw.
type Sampling struct {
	RepeatPenalty    float32 // logits of recent tokens are divided (positive) or multiplied (negative) by it; 1 or 0: off
	RepeatLast       int     // how many recent tokens the three penalties look at; 0: 64
	PresencePenalty  float32 // subtracted once from the logit of each recent token; 0: off
	FrequencyPenalty float32 // subtracted per occurrence among the recent tokens; 0: off

	TopK        int     // keep the k largest; 0: all
	TopP        float32 // keep the smallest set whose probability reaches it; 0 or 1: all
	MinP        float32 // keep those at least this fraction of the best one's probability; 0: all
	Temperature float32 // 0: greedy
	Seed        int64   // of the draws; below 0: a new one for each answer
}

// ModelInfo is what a screen shows of a loaded model.
type ModelInfo struct {
	Name    string // general.name, else the file's name
	Arch    string // general.architecture
	Quant   string // the type that holds most weights: Q4_0, F16, ...
	Params  uint64 // number of weights
	Bytes   int64  // size of the file
	Context int    // trained context in tokens
	Mode    string // how the FFN is computed: dense or predicted
	Warning string // "" or a sentence that the user should see, such as that the file's chat template does not work
}
