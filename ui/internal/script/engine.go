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
	Thought string         // sent before it, likewise
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
	Context int  // places of the context
	Sparse  bool // also plays the counters of a model that streams from flash

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
			s.Prefilling = true
			s.PrefillTokens += uint64(a.Prompt / chunks)
			s.PrefillNs += uint64(a.Prefill / chunks)
		})
	}
	g.SetPrefill(a.Prompt, a.Prompt)
	e.count(func(s *infer.Stats) {
		s.Prefilling, s.Decoding = false, true
		s.ContextUsed = min(s.ContextMax, s.ContextUsed+a.Prompt)
		e.panic = a.Panic
	})
	defer e.count(func(s *infer.Stats) { s.Decoding = false })
	for _, part := range []struct {
		text string
		send func([]byte)
	}{{a.Thought, g.Think}, {a.Text, g.Append}} {
		for _, word := range strings.SplitAfter(part.text, " ") {
			if word == "" {
				continue
			}
			if !rest(ctx, a.Word) {
				g.Finish(infer.Stopped, nil)
				return
			}
			e.count(func(s *infer.Stats) { e.token(s, max(a.Word, time.Microsecond)) })
			part.send([]byte(word))
		}
	}
	if a.Reason == "" {
		a.Reason = infer.EndOfTurn
	}
	g.Finish(a.Reason, a.Err)
}

// token counts one more token that took so long.
func (e *Engine) token(s *infer.Stats, took time.Duration) {
	ns := uint64(took)
	s.DecodeTokens++
	s.DecodeNs += ns
	s.ContextUsed = min(s.ContextMax, s.ContextUsed+1)
	if !e.Sparse {
		return
	}
	n := s.DecodeTokens
	s.Workers, s.Budget, s.WeightBytes, s.KVBytes, s.Mode = 4, 5e9, 3e9, 4e8, "predicted"
	for w := range s.Workers {
		s.ComputeNs[w] += ns * uint64(65-3*w) / 100
	}
	s.StallNs += ns * (20 + n%10) / 100
	s.ManageNs += ns * 6 / 100
	s.FlashReads += 40 + n%20
	s.FlashBytes += 90e6 + n%7*3e6
	s.FlashBusyNs += ns / 2
	s.QueueDepth = int(n % 32)
	s.Hot.Hits += 2000
	s.Hot.Misses += n % 40
	s.Hot.Capacity, s.Hot.Used = 1.8e9, 1.7e9
	s.Cold.Hits += 700
	s.Cold.Misses += 200 - n%100
	s.Cold.Evictions += 31
	s.Cold.Capacity, s.Cold.Used = 1.2e9, 1.2e9
	s.Neurons += 40000
	s.ActiveNeurons += 5000
}

// Heat is a picture that changes with every token.
func (e *Engine) Heat(h *infer.Heat) {
	n := int(e.Stats().DecodeTokens)
	h.Layers, h.Columns = 36, 120
	h.Cells = make([]infer.Warmth, h.Layers*h.Columns)
	for i := range h.Cells {
		layer, column := i/h.Columns, i%h.Columns
		switch edge := 30 + layer*7%20; {
		case column < edge:
			h.Cells[i] = infer.Hot
		case (column*13+layer*29+n*17)%41 == 0:
			h.Cells[i] = infer.JustRead
		case column < edge+40 && (column+layer)%3 > 0:
			h.Cells[i] = infer.Cold
		}
	}
}

// Measure plays runs of a test.
func (e *Engine) Measure(ctx context.Context, t infer.Test, runs int, each func(done int, r infer.Run)) ([]infer.Run, error) {
	var list []infer.Run
	for i := range runs {
		if !rest(ctx, 50*time.Millisecond) {
			return nil, ctx.Err()
		}
		list = append(list, infer.Run{Ns: 50e6, PerSec: float64(t.Tokens()) * 20, Share: 0.5})
		each(i+1, list[i])
	}
	return list, nil
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
