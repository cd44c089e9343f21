// Package script is an engine that says what it is told to, for tests of the interface and for looking
// at it without a model.
//
// An [Engine] plays one [Answer] per call of Generate, in order and then the last one over and over. It
// keeps the counters of infer.Stats as a real engine does, and stops when its context ends.
package script

import (
	"context"
	"strings"
	"sync"
	"time"

	"hotcell/infer"
)

// Answer is one answer to play.
type Answer struct {
	Text    string         // sent word by word
	Prompt  int            // tokens of the prompt; prefill is shown in chunks of a tenth
	Prefill time.Duration  // how long prefill takes
	Word    time.Duration  // how long each word takes
	Notices []infer.Notice // told before the text
	Reason  infer.Reason   // empty: EndOfTurn
	Err     error          // with Reason Failed
	Panic   string         // the engine's Stats panics with it once this answer is under way
}

// Engine plays answers.
type Engine struct {
	Answers []Answer
	Model   infer.ModelInfo
	Context int // places of the context

	mu    sync.Mutex
	asked [][]infer.Message
	stats infer.Stats
	panic string
}

// Asked returns the conversations that Generate was given.
func (e *Engine) Asked() [][]infer.Message {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([][]infer.Message(nil), e.asked...)
}

// Info describes the model that is played.
func (e *Engine) Info() infer.ModelInfo { return e.Model }

// Stats is what was played so far.
func (e *Engine) Stats() infer.Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.panic != "" {
		panic(e.panic)
	}
	e.stats.ContextMax = e.Context
	return e.stats
}

func (e *Engine) count(f func(s *infer.Stats)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f(&e.stats)
}

// Generate plays the next answer.
func (e *Engine) Generate(ctx context.Context, msgs []infer.Message, _ infer.Options) *infer.Generation {
	e.mu.Lock()
	a := e.Answers[min(len(e.asked), len(e.Answers)-1)]
	e.asked = append(e.asked, msgs)
	e.mu.Unlock()
	g := infer.NewGeneration()
	go e.play(ctx, g, a)
	return g
}

func (e *Engine) play(ctx context.Context, g *infer.Generation, a Answer) {
	for _, n := range a.Notices {
		g.Notify(n)
	}
	const chunks = 10
	for i := 1; i <= chunks; i++ {
		g.SetPrefill(a.Prompt*(i-1)/chunks, a.Prompt)
		if !rest(ctx, a.Prefill/chunks) {
			g.Finish(infer.Stopped, nil)
			return
		}
		e.count(func(s *infer.Stats) {
			s.PrefillTokens += uint64(a.Prompt / chunks)
			s.PrefillNs += uint64(a.Prefill / chunks)
		})
	}
	g.SetPrefill(a.Prompt, a.Prompt)
	e.count(func(s *infer.Stats) { s.ContextUsed = min(s.ContextMax, s.ContextUsed+a.Prompt); e.panic = a.Panic })
	for _, word := range strings.SplitAfter(a.Text, " ") {
		if !rest(ctx, a.Word) {
			g.Finish(infer.Stopped, nil)
			return
		}
		e.count(func(s *infer.Stats) {
			s.DecodeTokens++
			s.DecodeNs += uint64(max(a.Word, time.Microsecond))
			s.ContextUsed = min(s.ContextMax, s.ContextUsed+1)
		})
		g.Append([]byte(word))
	}
	if a.Reason == "" {
		a.Reason = infer.EndOfTurn
	}
	g.Finish(a.Reason, a.Err)
}

// rest sleeps and reports whether ctx is still alive.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil
	}
}
