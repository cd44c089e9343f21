package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"hotcell/models"
	"hotcell/models/gguf"
	"hotcell/models/pack"
	"hotcell/models/synthetic"
	"hotcell/neuroncache/trace/synth"
)

// Random weights have no habits: half of their gates are positive, other ones for each token. So for shapes whose real models' activity is
// known, package synth says which neurons are active; all else is computed as ever.

// activitySeed makes every run about the same tokens.
const activitySeed = 1

// shaped is the model of a shape, from a pack if one is named.
func (b *benchFlags) shaped(shape synthetic.Shape, t gguf.Type) benchModel {
	m := benchModel{name: shape.Name, open: func() (*gguf.File, error) { return synthetic.Open(shape, t) }}
	habits, err := synth.Find(shape.Name)
	if err != nil || habits.Experts != 1 || habits.Neurons != shape.FF || habits.Layers != shape.Layers {
		habits = synth.Shape{}
	}
	if habits.Neurons > 0 {
		m.activity = func() func(layer int) []uint64 { return recurring(habits) }
	}
	if b.pack != "" {
		random := m.open
		m.open = func() (*gguf.File, error) {
			if _, err := os.Stat(b.pack); errors.Is(err, fs.ErrNotExist) {
				if err := writeShaped(random, habits, b.pack); err != nil {
					return nil, err
				}
			}
			return models.Open(b.pack)
		}
	}
	return m
}

// benchTokens are how many tokens' activity is made before anything is measured, since drawing it would take a part of the time. Then they come again.
const benchTokens = 256

// recurring gives the activity of the same tokens over and over: for each layer in turn a bit for each neuron.
func recurring(habits synth.Shape) func(layer int) []uint64 {
	words := (habits.Neurons + 63) / 64
	all := make([]uint64, benchTokens*habits.Layers*words)
	at := func(token, layer int) []uint64 { return all[(token*habits.Layers+layer)*words:][:words] }
	next := synth.New(habits, activitySeed)
	for token := range benchTokens {
		for layer := range habits.Layers {
			for _, neuron := range next.Next(layer) {
				at(token, layer)[neuron/64] |= 1 << (neuron % 64)
			}
		}
	}
	tokens := make([]int, habits.Layers)
	return func(layer int) []uint64 {
		tokens[layer]++
		return at((tokens[layer]-1)%benchTokens, layer)
	}
}

// activityTokens are how many tokens say which neurons are active often.
const activityTokens = 256

// writeShaped packs a model of random weights, with the activity of its shape.
func writeShaped(open func() (*gguf.File, error), habits synth.Shape, path string) error {
	f, err := open()
	if err != nil {
		return err
	}
	defer f.Close()
	var o pack.Options
	if habits.Neurons > 0 {
		o.Activity = &pack.Activity{Tokens: activityTokens, Counts: make([][]uint32, habits.Layers)}
		next := synth.New(habits, activitySeed+1)
		for l := range o.Activity.Counts {
			o.Activity.Counts[l] = make([]uint32, habits.Neurons)
		}
		for range activityTokens {
			for l, counts := range o.Activity.Counts {
				for _, neuron := range next.Next(l) {
					counts[neuron]++
				}
			}
		}
	}
	if err := pack.Write(context.Background(), f, path, o); err != nil {
		return fmt.Errorf("writing the pack: %w", err)
	}
	return nil
}
