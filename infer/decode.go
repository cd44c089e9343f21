package infer

import (
	"bytes"
	"context"
	"time"

	"hotcell/models/token"
)

// decoding is one answer: prefill, then token after token until something ends it.
type decoding struct {
	s       *Session
	g       *Generation
	o       Options
	prompt  prompt
	sampler *sampler
	decoder *token.Decoder
	stop    *stopMatcher
	thinker *thinker // nil: all text is answer
	answer  []int32  // tokens of the answer so far
}

func (d *decoding) run(ctx context.Context) (Reason, error) {
	logits, err := d.s.prefill(ctx, d.g, d.prompt.tokens)
	if err != nil {
		return Failed, err
	}
	c := &d.s.counters
	c.decoding.Store(true)
	defer c.decoding.Store(false)
	d.s.recent.start(d.s.Stats())
	for {
		start := time.Now()
		id := d.sampler.sample(logits, d.s.cached)
		c.sampleNs.Add(uint64(time.Since(start)))
		var mark, end bool
		if d.thinker != nil {
			mark, end = d.thinker.control(id)
		}
		if end || d.s.tokenizer.IsEnd(id) && !mark {
			d.flush()
			c.decodeNs.Add(uint64(time.Since(start)))
			return EndOfTurn, nil
		}
		d.answer = append(d.answer, id)
		d.emit(d.stop.push(d.decoder.Push(id)))
		switch {
		case d.stop.found:
			return EndOfTurn, nil
		case d.o.MaxTokens > 0 && len(d.answer)-len(d.prompt.begun) >= d.o.MaxTokens:
			d.flush()
			return Length, nil
		case ctx.Err() != nil:
			d.flush()
			return Stopped, nil
		}
		if len(d.s.cached) < d.s.eng.kv.context {
			logits, err = d.s.step(ctx, id)
			c.decodeNs.Add(uint64(time.Since(start)))
			if err == nil {
				d.s.recent.add(d.s.Stats())
			}
		} else {
			var full bool
			if logits, full, err = d.makeRoom(ctx); full {
				d.flush()
				return ContextFull, nil
			}
			d.s.recent.start(d.s.Stats())
		}
		if err != nil {
			d.flush()
			return Failed, err
		}
	}
}

// emit gives out new text.
func (d *decoding) emit(text []byte) {
	if d.thinker == nil {
		d.g.Append(text)
		return
	}
	answer, thought := d.thinker.push(text)
	d.g.Think(thought)
	d.g.Append(answer)
}

// flush gives out what was held back.
func (d *decoding) flush() {
	d.emit(d.stop.push(d.decoder.Flush()))
	d.emit(d.stop.rest())
	if d.thinker != nil {
		answer, thought := d.thinker.rest()
		d.g.Think(thought)
		d.g.Append(answer)
	}
}

// makeRoom leaves older turns out of a conversation whose answer reached the end of the context, and computes the rest anew. full is
// true when nothing can be left out.
func (d *decoding) makeRoom(ctx context.Context) (logits []float32, full bool, err error) {
	if d.prompt.raw {
		return nil, true, nil
	}
	before := len(d.s.window.dropped)
	p, err := d.s.fit(d.g, d.prompt.messages, d.answer, d.o)
	if err != nil || len(d.s.window.dropped) == before {
		return nil, true, nil
	}
	logits, err = d.s.prefill(ctx, nil, p.tokens)
	return logits, false, err
}

// stopMatcher ends an answer at a text that is no single token, and holds back text that may be the beginning of one.
type stopMatcher struct {
	stops [][]byte
	held  []byte // a proper prefix of some stop text
	out   []byte // what push returned, reused
	found bool
}

func newStopMatcher(stops []string) *stopMatcher {
	m := &stopMatcher{}
	for _, s := range stops {
		if s != "" {
			m.stops = append(m.stops, []byte(s))
		}
	}
	return m
}

// push takes new text and returns what may be shown, valid until the next call. Nothing follows a stop text.
func (m *stopMatcher) push(text []byte) []byte {
	if m.found {
		return nil
	}
	if len(m.stops) == 0 {
		return text
	}
	m.held = append(m.held, text...)
	end, keep := len(m.held), 0
	for _, s := range m.stops {
		if i := bytes.Index(m.held, s); i >= 0 && i < end {
			end, m.found = i, true
		}
	}
	if !m.found {
		for _, s := range m.stops {
			keep = max(keep, overlap(m.held, s))
		}
		end -= keep
	}
	m.out = append(m.out[:0], m.held[:end]...)
	m.held = append(m.held[:0], m.held[end:]...)
	if m.found {
		m.held = m.held[:0]
	}
	return m.out
}

// rest returns what was held back when nothing more follows.
func (m *stopMatcher) rest() []byte {
	out := m.held
	m.held = nil
	return out
}

// overlap is the length of the longest proper prefix of s at the end of text.
func overlap(text, s []byte) int {
	for n := min(len(text), len(s)-1); n > 0; n-- {
		if bytes.HasSuffix(text, s[:n]) {
			return n
		}
	}
	return 0
}
