package infer

import (
	"context"
	"errors"
	"fmt"
	"math"

	"hotcell/models/token"
)

// Logits computes the logits after each of the tokens, which stand at positions 0, 1, ...; each is called in order with rows [vocab] that
// are valid during the call only. With single set, and where a predictor chooses neurons, the tokens are computed one at a time, as in decode,
// otherwise in chunks, as in prefill. What the KV cache held before is gone.
func (s *Session) Logits(ctx context.Context, tokens []int32, single bool, each func(t int, logits []float32)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.forget()
	if !single && !s.eng.predictsSingle() {
		_, _, err := s.eng.eval(ctx, tokens, 0, nil, each)
		return err
	}
	return s.oneByOne(ctx, tokens, each)
}

// forget empties the KV cache.
func (s *Session) forget() {
	s.cached = s.cached[:0]
	s.counters.used.Store(0)
}

// Perplexity is the running result of [Session.Perplexity].
type Perplexity struct {
	Window, Windows int // windows done, and all
	Tokens          int // scored so far
	sum, squares    float64
}

// Value is exp of the mean negative log likelihood of the scored tokens.
func (p Perplexity) Value() float64 { return math.Exp(p.sum / float64(p.Tokens)) }

// Error is the standard error of Value.
func (p Perplexity) Error() float64 {
	if p.Tokens < 2 {
		return math.NaN()
	}
	mean := p.sum / float64(p.Tokens)
	variance := p.squares/float64(p.Tokens) - mean*mean
	return math.Sqrt(max(0, variance)/float64(p.Tokens-1)) * p.Value()
}

// Perplexity scores a text as llama.cpp does: the text is cut into windows of `size` tokens, each begins with BOS where the model wants one, and
// the tokens of its second half are scored, so that every scored token has at least half a window before it. each is called after every
// window. size 0 takes 512 or the session's whole context, if that is smaller. What the KV cache held before is gone.
func (s *Session) Perplexity(ctx context.Context, text string, size int, each func(Perplexity)) (Perplexity, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return Perplexity{}, errClosed
	}
	if s.tokenizer == nil {
		return Perplexity{}, errors.New("the model was opened for logits only")
	}
	if size == 0 {
		size = min(512, s.eng.kv.context)
	}
	if size < 4 || size > s.eng.kv.context {
		return Perplexity{}, fmt.Errorf("windows of %d tokens are not possible with a context of %d", size, s.eng.kv.context)
	}
	bos, hasBOS := s.tokenizer.BOS()
	addBOS := hasBOS && s.tokenizer.AddBOS()
	ids := s.tokenizer.Encode(text, token.EncodeOptions{BOS: addBOS})
	p := Perplexity{Windows: len(ids) / size}
	if p.Windows < 2 {
		return p, fmt.Errorf("the text has %d tokens, too few for two windows of %d", len(ids), size)
	}
	first := size / 2
	window := make([]int32, size)
	for p.Window < p.Windows {
		copy(window, ids[p.Window*size:])
		if addBOS {
			window[0] = bos
		}
		s.forget()
		err := s.windowLogits(ctx, window, func(t int, logits []float32) {
			if t < first || t+1 == size {
				return
			}
			loss := logLoss(logits, window[t+1])
			p.sum += loss
			p.squares += loss * loss
			p.Tokens++
		})
		if err != nil {
			return p, err
		}
		p.Window++
		if each != nil {
			each(p)
		}
	}
	return p, nil
}

// predictsSingle tells whether a predictor chooses neurons for single tokens, while prompts are computed exactly.
func (e *engine) predictsSingle() bool { return e.predicted && e.sparse != nil }

// windowLogits computes a window's logits as they are in decode: where a predictor chooses neurons for single tokens, but not for a prompt, token by
// token, and what the predictor misses is counted.
func (s *Session) windowLogits(ctx context.Context, window []int32, each func(t int, logits []float32)) error {
	if !s.eng.predictsSingle() {
		_, _, err := s.eng.eval(ctx, window, 0, nil, each)
		return err
	}
	s.eng.sparse.spyAlways = true
	defer func() { s.eng.sparse.spyAlways = false }()
	return s.oneByOne(ctx, window, each)
}

// oneByOne computes the logits of tokens one at a time.
func (s *Session) oneByOne(ctx context.Context, tokens []int32, each func(t int, logits []float32)) error {
	for t := range tokens {
		logits, _, err := s.eng.eval(ctx, tokens[t:t+1], t, nil, nil)
		if err != nil {
			return err
		}
		each(t, logits)
	}
	return nil
}

// logLoss is -log of the probability that softmax(logits) gives to id.
func logLoss(logits []float32, id int32) float64 {
	top := logits[0]
	for _, v := range logits {
		top = max(top, v)
	}
	var sum float64
	for _, v := range logits {
		sum += math.Exp(float64(v - top))
	}
	return math.Log(sum) - float64(logits[id]-top)
}
