package synthetic

import (
	"fmt"
	"strings"

	"hotcell/models/gguf"
)

// Shape is a transformer's sizes. Zero values of the optional fields mean what their comments say.
type Shape struct {
	Name string // such as "tinyllama"
	Arch string // general.architecture

	Layers         int
	Dim            int // of the residual stream
	FF             int // neurons of a layer
	Heads, KVHeads int // KVHeads divides Heads
	HeadDim        int // 0: Dim/Heads
	Vocab          int // at least 259
	Context        int // trained context in tokens

	RoPEBase float32 // 0: 10000
	Tied     bool    // the output matrix is the embedding
	HeadNorm bool    // queries and keys are normalised by head
	Bias     bool    // queries, keys and values have a bias
	Rank     int     // of PowerInfer's predictors, and down matrices have a row per neuron as in its files; 0: neither
}

// shapes are the models that people compare machines by, small ones first.
var shapes = []Shape{
	{Name: "smollm-135m", Arch: "llama", Layers: 30, Dim: 576, FF: 1536, Heads: 9, KVHeads: 3, Vocab: 49152, Context: 2048, Tied: true},
	{Name: "qwen2.5-0.5b", Arch: "qwen2", Layers: 24, Dim: 896, FF: 4864, Heads: 14, KVHeads: 2, Vocab: 151936, Context: 32768, RoPEBase: 1e6, Tied: true, Bias: true},
	{Name: "qwen3-0.6b", Arch: "qwen3", Layers: 28, Dim: 1024, FF: 3072, Heads: 16, KVHeads: 8, HeadDim: 128, Vocab: 151936, Context: 40960, RoPEBase: 1e6, Tied: true, HeadNorm: true},
	{Name: "tinyllama", Arch: "llama", Layers: 22, Dim: 2048, FF: 5632, Heads: 32, KVHeads: 4, Vocab: 32000, Context: 2048},
	{Name: "llama-3.2-1b", Arch: "llama", Layers: 16, Dim: 2048, FF: 8192, Heads: 32, KVHeads: 8, Vocab: 128256, Context: 131072, RoPEBase: 5e5, Tied: true},
	{Name: "qwen3-1.7b", Arch: "qwen3", Layers: 28, Dim: 2048, FF: 6144, Heads: 16, KVHeads: 8, HeadDim: 128, Vocab: 151936, Context: 40960, RoPEBase: 1e6, Tied: true, HeadNorm: true},
	{Name: "gemma-2b", Arch: "gemma", Layers: 18, Dim: 2048, FF: 16384, Heads: 8, KVHeads: 1, HeadDim: 256, Vocab: 256000, Context: 8192, Tied: true},
	{Name: "llama-3.2-3b", Arch: "llama", Layers: 28, Dim: 3072, FF: 8192, Heads: 24, KVHeads: 8, Vocab: 128256, Context: 131072, RoPEBase: 5e5, Tied: true},
	{Name: "qwen3-4b", Arch: "qwen3", Layers: 36, Dim: 2560, FF: 9728, Heads: 32, KVHeads: 8, HeadDim: 128, Vocab: 151936, Context: 40960, RoPEBase: 1e6, Tied: true, HeadNorm: true},
	{Name: "llama-2-7b", Arch: "llama", Layers: 32, Dim: 4096, FF: 11008, Heads: 32, KVHeads: 32, Vocab: 32000, Context: 4096},
	{Name: "mistral-7b", Arch: "llama", Layers: 32, Dim: 4096, FF: 14336, Heads: 32, KVHeads: 8, Vocab: 32000, Context: 32768},
	// The rank is what the published file's size comes to, 1.27K on average.
	{Name: "bamboo-7b", Arch: "bamboo", Layers: 32, Dim: 4096, FF: 14336, Heads: 32, KVHeads: 8, Vocab: 32000, Context: 4096, Rank: 1280},
	{Name: "llama-3.1-8b", Arch: "llama", Layers: 32, Dim: 4096, FF: 14336, Heads: 32, KVHeads: 8, Vocab: 128256, Context: 131072, RoPEBase: 5e5},
	{Name: "qwen3-8b", Arch: "qwen3", Layers: 36, Dim: 4096, FF: 12288, Heads: 32, KVHeads: 8, HeadDim: 128, Vocab: 151936, Context: 40960, RoPEBase: 1e6, HeadNorm: true},
}

// Names lists the shapes that Find knows, small ones first.
func Names() []string {
	names := make([]string, len(shapes))
	for i, s := range shapes {
		names[i] = s.Name
	}
	return names
}

// Find returns the shape of that name.
func Find(name string) (Shape, error) {
	for _, s := range shapes {
		if s.Name == strings.ToLower(name) {
			return s, nil
		}
	}
	return Shape{}, fmt.Errorf("there is no shape %q (known: %s)", name, strings.Join(Names(), ", "))
}

// check fills in what may be left out and refuses what no model can have.
func (s *Shape) check(t gguf.Type) error {
	if !CanMake(t) {
		return fmt.Errorf("the shape %q: random weights of type %v cannot be made", s.Name, t)
	}
	for _, n := range []int{s.Layers, s.Dim, s.FF, s.Heads, s.KVHeads, s.Vocab, s.Context} {
		if n < 1 || n > 1<<24 {
			return fmt.Errorf("the shape %q: sizes go from 1 to %d", s.Name, 1<<24)
		}
	}
	if s.HeadDim == 0 {
		s.HeadDim = s.Dim / s.Heads
	}
	if s.RoPEBase == 0 {
		s.RoPEBase = 10000
	}
	switch {
	case s.Heads%s.KVHeads != 0:
		return fmt.Errorf("the shape %q: %d heads cannot share %d heads of keys and values evenly", s.Name, s.Heads, s.KVHeads)
	case s.HeadDim < 2 || s.HeadDim%2 != 0 || s.HeadDim > 1<<16:
		return fmt.Errorf("the shape %q: heads of length %d are not possible", s.Name, s.HeadDim)
	case s.Vocab < firstWord:
		return fmt.Errorf("the shape %q: a vocabulary of %d has no room for all bytes (at least %d)", s.Name, s.Vocab, firstWord)
	}
	return nil
}
