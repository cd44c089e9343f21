package infer

import (
	"context"
	"fmt"

	"hotcell/models/gguf"
	"hotcell/models/token"
)

// Activity is how often each neuron's activation was not zero over some text. It is what a pack's order and a plan's hot set are made from.
type Activity struct {
	Tokens int        // tokens of text
	Counts [][]uint32 // [layer][neuron], of experts one after the other; nil for a layer whose activation makes no zeros
}

// CountActivity runs a text of up to maxTokens tokens through the model, all of it in memory, and counts. The text is cut into windows of the
// trained context, at most 512 tokens. f stays open and is the caller's.
func CountActivity(ctx context.Context, f *gguf.File, text string, maxTokens int, progress func(done, total int)) (*Activity, error) {
	c := Config{Mode: ModeDense, Context: 512}
	if err := c.check(); err != nil {
		return nil, err
	}
	tok, err := token.New(f)
	if err != nil {
		return nil, err
	}
	ids := tok.Encode(text, token.EncodeOptions{BOS: tok.AddBOS()})
	ids = ids[:min(len(ids), maxTokens)]
	if len(ids) == 0 {
		return nil, fmt.Errorf("%s: the sample text has no tokens", f.Name())
	}
	h, err := readHparams(f)
	if err != nil {
		return nil, err
	}
	c.Context = min(c.Context, h.context)
	e, err := newModelEngine(ctx, f, c)
	if err != nil {
		return nil, err
	}
	defer e.close()
	defer e.pool.Bind()()
	a := e.countActivity()
	for a.Tokens < len(ids) {
		window := ids[a.Tokens:min(len(ids), a.Tokens+c.Context)]
		if _, _, err := e.eval(ctx, window, 0, nil, nil); err != nil {
			return nil, err
		}
		a.Tokens += len(window)
		if progress != nil {
			progress(a.Tokens, len(ids))
		}
	}
	return a, nil
}

// countActivity makes the engine count, until it is closed, into the returned Activity's rows. Workers own the neurons that they count.
func (e *engine) countActivity() *Activity {
	a := &Activity{Counts: make([][]uint32, len(e.w.layers))}
	if !e.h.activation.sparse() {
		return a
	}
	for l := range e.w.layers {
		lw, at := &e.w.layers[l], 0
		list := lw.experts
		if lw.ffn != nil {
			list = []*feedForward{lw.ffn}
		}
		for _, f := range list {
			a.Counts[l] = append(a.Counts[l], make([]uint32, f.ff())...)
		}
		for _, f := range list {
			f.counts = a.Counts[l][at : at+f.ff()]
			at += f.ff()
		}
	}
	return a
}
