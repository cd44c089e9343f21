package synth

import (
	"fmt"
	"strings"
)

// Shape is a model as its activity shows it. Neurons 0 means that whole experts are units: then a group is a layer.
type Shape struct {
	Name      string
	Layers    int
	Experts   int // of a layer; 1: a dense FFN
	Used      int // experts for each token
	Neurons   int // of an FFN, or of an expert
	UnitBytes int // of a unit on flash, in 4-bit weights

	Least, Most float64 // share of active neurons in the first and the last layer
	Stay        float64 // chance that a neuron does what it did for the last token
	Topic       float64 // log-normal deviation of a subject's factors for neurons
	Keep        float64 // chance that an expert stays for the next token
	Popularity  float64 // log-normal deviation of experts' weights
	ExpertTopic float64 // and of a subject's factors for them
}

// TopicTokens is how long a subject lasts on average.
const TopicTokens = 128

// shapes: a 4-bit bundle is two pages for widths of 2,560 and 4,096 (PowerInfer-2, section 4.4); Qwen3's expert is 3 x 2048 x 768 weights in Q4_0.
var shapes = []Shape{
	{Name: "bamboo-7b", Layers: 32, Experts: 1, Used: 1, Neurons: 14336, UnitBytes: 8192, Least: 0.06, Most: 0.22, Stay: 0.08, Topic: 0.6},
	{Name: "turbosparse-mixtral-47b", Layers: 32, Experts: 8, Used: 2, Neurons: 14336, UnitBytes: 8192, Least: 0.11, Most: 0.27, Stay: 0.08, Topic: 0.6,
		Keep: 0.12, Popularity: 0.25, ExpertTopic: 0.25},
	{Name: "smallthinker-21b", Layers: 52, Experts: 64, Used: 6, Neurons: 768, UnitBytes: 8192, Least: 0.16, Most: 0.32, Stay: 0.08, Topic: 0.6,
		Keep: 0.15, Popularity: 1.3, ExpertTopic: 0.9},
	{Name: "qwen3-30b-a3b", Layers: 48, Experts: 128, Used: 8, UnitBytes: 648 * 4096, Keep: 0.15, Popularity: 1.3, ExpertTopic: 0.9},
}

// Names lists the shapes that Find knows.
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
	return Shape{}, fmt.Errorf("there is no shape %q with known activity (known: %s)", name, strings.Join(Names(), ", "))
}

// PerLayer is how many groups a layer has.
func (s *Shape) PerLayer() int {
	if s.Neurons == 0 {
		return 1
	}
	return s.Experts
}

// Units is how many units a group has.
func (s *Shape) Units() int {
	if s.Neurons == 0 {
		return s.Experts
	}
	return s.Neurons
}

// share is the part of a layer's neurons that is active. Most layers are near the first one's share: of 6 and 22 % the mean is 10.
func (s *Shape) share(layer int) float64 {
	depth := float64(layer) / float64(max(1, s.Layers-1))
	return s.Least + (s.Most-s.Least)*depth*depth*depth
}
