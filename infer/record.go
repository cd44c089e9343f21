package infer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"hotcell/models/token"
)

// NeuronLayer is a layer whose feed-forward block is computed by neuron.
type NeuronLayer struct {
	Neurons int
	Bytes   int // of one neuron's three rows, as they lie together
}

// NeuronLayers lists those layers in order; none are where FFNs are computed as whole matrices.
func (s *Session) NeuronLayers() (list []NeuronLayer) {
	for l := range s.eng.w.layers {
		if s.eng.byNeurons(l) {
			g := s.eng.w.layers[l].ffn.neurons.group
			list = append(list, NeuronLayer{g.Neurons, g.UnitBytes / g.UnitNeurons})
		}
	}
	return list
}

// Recorded is which neurons of a layer one token used.
type Recorded struct {
	Token, Tokens int     // the token's number in the text from 0 on, and how many there are in all
	Layer         int     // index into NeuronLayers
	Active        []int32 // the file's numbers of the neurons that were not zero, rising; valid during the call
}

// Record computes the first tokens of a text, at most most of them, one at a time as in decode, and calls each for every token and layer in order.
// An error of each ends it. The text is cut into windows of the session's context. What the KV cache held before is gone.
func (s *Session) Record(ctx context.Context, text string, most int, each func(Recorded) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return errClosed
	case s.tokenizer == nil:
		return errors.New("the model was opened for logits only")
	case s.eng.sparse == nil:
		return fmt.Errorf("%s: the model is computed in the mode %s, which looks at no single neurons; use the mode exact", s.file.Name(), s.info.Mode)
	}
	ids := s.tokenizer.Encode(text, token.EncodeOptions{BOS: s.tokenizer.AddBOS()})
	if ids = ids[:min(len(ids), max(0, most))]; len(ids) == 0 {
		return errors.New("the text has no tokens")
	}
	r := &recorder{each: each, now: Recorded{Tokens: len(ids)}}
	s.eng.sparse.recorder = r
	defer func() { s.eng.sparse.recorder = nil }()
	defer s.eng.pool.Bind()()
	for size := s.eng.kv.context; r.now.Token < len(ids); r.now.Token++ {
		at := r.now.Token % size
		if at == 0 {
			s.forget()
		}
		r.now.Layer = 0
		one := [1]int32{ids[r.now.Token]}
		_, _, err := s.eng.eval(ctx, one[:], at, nil, nil)
		if err := errors.Join(r.err, err); err != nil {
			return err
		}
	}
	return nil
}

// recorder collects what the walk through a layer by neurons (sparseOne) found.
type recorder struct {
	each func(Recorded) error
	now  Recorded
	err  error // of each
}

// layer tells of a layer that is done. Called by one worker, between barriers; a nil recorder does nothing.
func (r *recorder) layer(s *sparseState, n *neurons) {
	if r == nil || r.err != nil || s.flash.failed() {
		return
	}
	size := clusterNeurons(n.group.Neurons)
	active := r.now.Active[:0]
	for c := range n.clusters() {
		for i := range s.candidates[c*size:][:s.runs[c].n] {
			if p := &s.candidates[c*size+i]; p.coef != 0 {
				active = append(active, int32(n.group.Neuron(int(p.pos))))
			}
		}
	}
	slices.Sort(active)
	r.now.Active = active
	r.err = r.each(r.now)
	r.now.Layer++
}
