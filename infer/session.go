package infer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"hotcell/models/chat"
	"hotcell/models/gguf"
	"hotcell/models/pack"
	"hotcell/models/token"
	"hotcell/planner"
)

// Session is one loaded model with the keys and values of one conversation. Generate and Complete return at once and work on a goroutine
// of their own, one generation at a time; a second call waits for the first to end. Stats and Info may be called at any time.
type Session struct {
	file      *gguf.File
	info      ModelInfo
	tokenizer *token.Tokenizer
	template  *chat.Template
	stops     []string // texts that end a turn, besides tokens

	mu     sync.Mutex // held by the running generation, and by Close
	eng    *engine
	cached []int32 // tokens whose keys and values the cache holds, in order
	window window
	closed bool

	counters counters
	recent   recent
}

// counters are the parts of Stats that are written while a generation runs; the writer is its goroutine.
type counters struct {
	prefillTokens, reusedTokens, prefillNs  atomic.Uint64
	decodeTokens, decodeNs, sampleNs, bytes atomic.Uint64
	used                                    atomic.Int64
	prefilling, decoding                    atomic.Bool
}

// Open loads a model. The session owns f from then on, also when Open fails. Cancelling ctx ends the loading.
func Open(ctx context.Context, f *gguf.File, c Config) (*Session, error) {
	s, err := open(ctx, f, c)
	if err != nil {
		closeModel(f)
		return nil, err
	}
	return s, nil
}

func open(ctx context.Context, f *gguf.File, c Config) (*Session, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	s := &Session{file: f}
	if !c.Bare {
		if err := s.readText(f); err != nil {
			return nil, err
		}
	}
	progress := c.Progress
	c.Progress = func(done, total int64) {
		s.counters.bytes.Store(uint64(done))
		if progress != nil {
			progress(done, total)
		}
	}
	var err error
	if s.eng, err = newModelEngine(ctx, f, c); err != nil {
		return nil, err
	}
	h := s.eng.h
	if !c.Bare && s.tokenizer.Size() > h.vocab {
		s.eng.close()
		return nil, fmt.Errorf("%s: the vocabulary has %d pieces but the embedding only %d rows", f.Name(), s.tokenizer.Size(), h.vocab)
	}
	name, _ := f.StringOr("general.name", f.Name())
	mode := ModeDense
	switch {
	case s.Plan() != nil:
		mode = Mode(s.Plan().Mode)
	case s.eng.predicted:
		mode = ModePredicted
	case s.eng.sparse != nil:
		mode = ModeExact
	}
	s.info = ModelInfo{Name: name, Arch: h.name, Quant: h.quantName, Params: h.params, Bytes: f.Size(), Context: h.context, Mode: string(mode)}
	if s.template != nil {
		s.info.Warning = s.template.Warning()
	}
	return s, nil
}

// readText reads what turns text into tokens and back.
func (s *Session) readText(f *gguf.File) (err error) {
	if s.tokenizer, err = token.New(f); err != nil {
		return err
	}
	if s.template, err = chat.New(f, s.tokenizer); err != nil {
		return err
	}
	for _, text := range s.template.StopTexts() {
		if id, ok := s.tokenizer.Lookup(text); !ok || !s.tokenizer.IsEnd(id) {
			s.stops = append(s.stops, text)
		}
	}
	return nil
}

// Close ends the session's threads and frees its memory. It waits for a running generation: cancel that first.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.eng.close()
	return closeModel(s.file)
}

// closeModel closes a model file, or the pack that it is presented from.
func closeModel(f *gguf.File) error {
	if p, ok := pack.Of(f); ok {
		return p.Close()
	}
	return f.Close()
}

// Info describes the model.
func (s *Session) Info() ModelInfo { return s.info }

// Tokenizer is the model's.
func (s *Session) Tokenizer() *token.Tokenizer { return s.tokenizer }

// Stats is a copy of the counters; it never blocks.
func (s *Session) Stats() Stats {
	c, e := &s.counters, s.eng
	st := Stats{
		Version:       StatsVersion,
		PrefillTokens: c.prefillTokens.Load(),
		ReusedTokens:  c.reusedTokens.Load(),
		PrefillNs:     c.prefillNs.Load(),
		DecodeTokens:  c.decodeTokens.Load(),
		DecodeNs:      c.decodeNs.Load(),
		SampleNs:      c.sampleNs.Load(),
		ReadBytes:     c.bytes.Load(),
		Neurons:       e.neurons.Load(),
		ActiveNeurons: e.active.Load(),
		Workers:       e.pool.Size(),
		ContextUsed:   int(c.used.Load()),
		ContextMax:    e.kv.context,
		WeightBytes:   uint64(e.w.bytes),
		KVBytes:       uint64(len(e.kv.mem.mem)),
		Prefilling:    c.prefilling.Load(),
		Decoding:      c.decoding.Load(),
	}
	st.Mode = s.info.Mode
	if e.sparse != nil {
		st.RecallFound, st.RecallActive = e.sparse.recall[0].Load(), e.sparse.recall[1].Load()
		e.sparse.flash.addTo(&st)
	}
	for i := range st.Workers {
		st.ComputeNs[i] = e.pool.BusyNs(i)
	}
	return st
}

var errClosed = errors.New("the model was closed")

// Generate answers a conversation; the last message is usually the user's. Where the KV cache already holds the beginning of the prompt, only the rest is
// computed. If the conversation does not fit into the context, its oldest turns are left out (never the system prompt or the last
// message), and a notice says so.
func (s *Session) Generate(ctx context.Context, msgs []Message, o Options) *Generation {
	msgs = append([]Message(nil), msgs...)
	return s.start(ctx, o, func(g *Generation) (prompt, error) { return s.fit(g, msgs, nil, o) })
}

// Continue goes on with an answer that was stopped: msgs is the conversation before it, begun what it says so far, which is not repeated. Where the
// answer was the last thing that the model wrote, nothing is computed again.
func (s *Session) Continue(ctx context.Context, msgs []Message, begun string, o Options) *Generation {
	msgs = append([]Message(nil), msgs...)
	return s.start(ctx, o, func(g *Generation) (prompt, error) {
		ids := s.tokenizer.Encode(begun, token.EncodeOptions{})
		p, err := s.fit(g, msgs, ids, o)
		p.begun = ids
		return p, err
	})
}

// Plan is how a model in a pack runs; nil for one that is in memory.
func (s *Session) Plan() *planner.Plan {
	if s.eng.sparse == nil || s.eng.sparse.flash == nil {
		return nil
	}
	return s.eng.sparse.flash.plan
}

// Complete continues a text without a template. Control tokens written in it are not parsed.
func (s *Session) Complete(ctx context.Context, text string, o Options) *Generation {
	return s.start(ctx, o, func(*Generation) (prompt, error) {
		ids := s.tokenizer.Encode(text, token.EncodeOptions{BOS: s.tokenizer.AddBOS()})
		if len(ids) == 0 {
			return prompt{}, errors.New("the prompt is empty")
		}
		if limit := s.eng.kv.context - 1; len(ids) > limit {
			return prompt{}, fmt.Errorf("the prompt has %d tokens but the context has room for %d; choose a larger context (--ctx) or a shorter prompt", len(ids), limit)
		}
		return prompt{tokens: ids, raw: true}, nil
	})
}

// start runs one generation on its own goroutine.
func (s *Session) start(ctx context.Context, o Options, begin func(*Generation) (prompt, error)) *Generation {
	g := NewGeneration()
	go func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.closed {
			defer s.eng.pool.Bind()() // this goroutine is worker 0
		}
		reason, err := s.generate(ctx, g, o, begin)
		if ctx.Err() != nil {
			reason, err = Stopped, nil
		}
		g.Finish(reason, err)
	}()
	return g
}

func (s *Session) generate(ctx context.Context, g *Generation, o Options, begin func(*Generation) (prompt, error)) (Reason, error) {
	switch {
	case s.closed:
		return Failed, errClosed
	case s.tokenizer == nil:
		return Failed, errors.New("the model was opened for logits only")
	}
	if err := o.Sampling.Validate(); err != nil {
		return Failed, err
	}
	p, err := begin(g)
	if err != nil {
		return Failed, err
	}
	d := decoding{
		s: s, g: g, o: o, prompt: p, answer: append([]int32(nil), p.begun...),
		sampler: newSampler(o.Sampling, s.eng.h.vocab),
		decoder: s.tokenizer.NewDecoder(),
		stop:    newStopMatcher(s.stops),
	}
	if p.raw {
		d.stop = newStopMatcher(nil)
	} else {
		d.thinker = newThinker(s.tokenizer, p.text)
	}
	return d.run(ctx)
}

// prefill brings the cache to hold exactly tokens and returns the logits after the last.
func (s *Session) prefill(ctx context.Context, g *Generation, tokens []int32) ([]float32, error) {
	keep := commonPrefix(s.cached, tokens)
	keep = min(keep, len(tokens)-1) // the last one is computed again for its logits
	s.cached = s.cached[:keep]
	s.counters.reusedTokens.Add(uint64(keep))
	s.counters.used.Store(int64(keep))
	rest := tokens[keep:]
	if g != nil {
		g.SetPrefill(0, len(rest))
	}
	s.counters.prefilling.Store(true)
	defer s.counters.prefilling.Store(false)
	start, counted := time.Now(), 0
	logits, done, err := s.eng.eval(ctx, rest, keep, func(done int) {
		now := time.Now()
		s.counters.prefillTokens.Add(uint64(done - counted))
		s.counters.prefillNs.Add(uint64(now.Sub(start)))
		start, counted = now, done
		if g != nil {
			g.SetPrefill(done, len(rest))
		}
	}, nil)
	s.remember(rest[:done])
	return logits, err
}

// step computes one more token and returns the logits after it.
func (s *Session) step(ctx context.Context, id int32) ([]float32, error) {
	one := [1]int32{id}
	logits, done, err := s.eng.eval(ctx, one[:], len(s.cached), nil, nil)
	s.remember(one[:done])
	s.counters.decodeTokens.Add(uint64(done))
	return logits, err
}

// remember notes that the cache now holds these tokens too.
func (s *Session) remember(ids []int32) {
	s.cached = append(s.cached, ids...)
	s.counters.used.Store(int64(len(s.cached)))
}

func commonPrefix(a, b []int32) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
