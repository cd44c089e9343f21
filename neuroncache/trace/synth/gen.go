package synth

import (
	"math"
	"slices"

	"hotcell/neuroncache/trace"
)

// lambda is how steeply activity falls with a neuron's place: 26 % of the neurons make 80 % of the activity.
const lambda = 6.5

// surest is the highest chance of a neuron to be active.
const surest = 0.98

// Generator says which units each token uses. It is not safe for use by several goroutines at once.
type Generator struct {
	shape  Shape
	seed   uint64
	chance [][]float32 // [layer][neuron] of a fresh draw, over all subjects
	groups []group
	layers []layer
	gains  [256]float64 // a subject's factors: equally likely ones
	stay   uint32       // Stay as a 32-bit fraction
	units  []int32      // what Next returned last
}

// group is an FFN's neurons.
type group struct {
	topic uint64
	uses  uint64
	// odds [neuron] holds the chance of a fresh draw to make it active, as a fraction of 2^32, but for the lowest bit: whether it was active last.
	odds []uint32
}

// layer is the state of a layer's tokens.
type layer struct {
	tokens  uint64
	topic   uint64
	popular []float64 // [expert]
	weights []float64 // [expert] with the subject's factors
	chosen  []int32   // rising
	before  []bool    // [expert] it is among chosen
}

// New returns a generator that has made no token yet. Memory is 4 bytes for each neuron of the model, as far as it is used.
func New(shape Shape, seed uint64) *Generator {
	g := &Generator{shape: shape, seed: seed, stay: uint32(shape.Stay * (1 << 32)), units: make([]int32, shape.Units())}
	g.layers = make([]layer, shape.Layers)
	g.groups = make([]group, shape.Layers*shape.PerLayer())
	for i := range g.gains {
		g.gains[i] = logNormal(shape.Topic, (float64(i)+0.5)/float64(len(g.gains)))
	}
	for l := range g.layers {
		if shape.Neurons > 0 {
			g.chance = append(g.chance, curve(shape.Neurons, shape.share(l)))
		}
		g.layers[l] = layer{popular: make([]float64, shape.Experts), weights: make([]float64, shape.Experts), before: make([]bool, shape.Experts)}
		random := g.random(uint64(l), 0, 'p')
		for e := range g.layers[l].popular {
			g.layers[l].popular[e] = logNormal(shape.Popularity, random.float())
		}
		// Experts have no order on flash by use as neurons do; their popularity stays where chance has put it.
	}
	return g
}

// Header is the header of a trace of this generator.
func (g *Generator) Header() trace.Header {
	return trace.Header{
		Name: g.shape.Name, UnitBytes: g.shape.UnitBytes, PerLayer: g.shape.PerLayer(),
		Groups: slices.Repeat([]int{g.shape.Units()}, len(g.groups)),
	}
}

// WriteToken makes the next token of all layers and adds it to a trace.
func (g *Generator) WriteToken(w *trace.Writer) error {
	for l := range g.layers {
		if g.shape.PerLayer() == 1 {
			if err := w.Add(l, g.Next(l)); err != nil {
				return err
			}
			continue
		}
		for _, e := range g.Route(l) {
			group := l*g.shape.Experts + int(e)
			if err := w.Add(group, g.Next(group)); err != nil {
				return err
			}
		}
	}
	return w.EndToken()
}

// Route begins a layer's next token where the layer has several groups: it returns the experts that the token uses, in rising order, valid until
// the layer's next call. The caller calls Next for each of them, with group layer*Experts + expert.
func (g *Generator) Route(l int) []int32 {
	layer := &g.layers[l]
	if g.begin(layer) {
		g.changeSubject(l)
	}
	random := g.random(uint64(l), layer.tokens, 'r')
	for e := range layer.before {
		layer.before[e] = false
	}
	kept := layer.chosen[:0]
	for _, e := range layer.chosen {
		if random.float() < g.shape.Keep {
			kept = append(kept, e)
			layer.before[e] = true
		}
	}
	for len(kept) < g.shape.Used {
		e := layer.draw(random.float())
		kept = append(kept, e)
		layer.before[e] = true
	}
	slices.Sort(kept)
	layer.chosen = kept
	return kept
}

// draw picks an expert that is not chosen yet, by weight.
func (layer *layer) draw(at float64) int32 {
	total := 0.0
	for e, w := range layer.weights {
		if !layer.before[e] {
			total += w
		}
	}
	at *= total
	last := int32(0)
	for e, w := range layer.weights {
		if layer.before[e] {
			continue
		}
		last = int32(e)
		if at -= w; at < 0 {
			break
		}
	}
	return last
}

// Next returns the units of a group that its next token uses, in rising order. The slice is valid until the next call. Where a layer has one
// group, the call begins the layer's next token; else Route has.
func (g *Generator) Next(index int) []int32 {
	if g.shape.Neurons == 0 {
		return g.Route(index)
	}
	l := index / g.shape.PerLayer()
	layer := &g.layers[l]
	if g.shape.PerLayer() == 1 {
		g.begin(layer)
	}
	group := &g.groups[index]
	if group.odds == nil || group.topic != layer.topic {
		g.turn(index, l)
	}
	random := g.random(uint64(index), group.uses, 'n')
	group.uses++
	// No branch in the loop: half of them would be guessed wrong.
	odds, units, n := group.odds, g.units, 0
	for i := 0; i < len(odds); i += 2 {
		both := random.next()
		for k, draw := range [2]uint32{uint32(both), uint32(both >> 32)} {
			if i+k == len(odds) {
				break
			}
			was := odds[i+k] & 1
			line := odds[i+k]&^1 + g.stay&-was
			active := uint32((uint64(draw) - uint64(line)) >> 63)
			odds[i+k] = odds[i+k]&^1 | active
			units[n] = int32(i + k)
			n += int(active)
		}
	}
	return units[:n]
}

// begin counts a layer's token and says whether it is the first of a subject. All layers change the subject at the same token.
func (g *Generator) begin(layer *layer) bool {
	random := g.random(layer.tokens, 0, 't')
	first := layer.tokens == 0 || random.float() < 1.0/TopicTokens
	if layer.tokens++; first {
		layer.topic = layer.tokens
	}
	return first
}

// changeSubject draws the factors of a layer's experts.
func (g *Generator) changeSubject(l int) {
	layer := &g.layers[l]
	random := g.random(uint64(l), layer.topic, 'e')
	for e, p := range layer.popular {
		layer.weights[e] = p * logNormal(g.shape.ExpertTopic, random.float())
	}
	if layer.chosen == nil {
		layer.chosen = make([]int32, 0, g.shape.Used)
	}
}

// turn gives a group's neurons the odds of its layer's subject. They are scaled so that the share of active ones stays.
func (g *Generator) turn(index, l int) {
	group := &g.groups[index]
	group.topic = g.layers[l].topic
	chance := g.chance[l]
	if group.odds == nil {
		group.odds = make([]uint32, len(chance))
	}
	want, sum := 0.0, 0.0
	factor := func(i int, bytes uint64) float64 { return g.gains[bytes>>(i%8*8)&0xff] }
	random, eight := g.random(uint64(index), group.topic, 'g'), uint64(0)
	for i, p := range chance {
		if i%8 == 0 {
			eight = random.next()
		}
		want += float64(p)
		sum += min(surest, float64(p)*factor(i, eight))
	}
	random = g.random(uint64(index), group.topic, 'g')
	scale := want / sum * (1 - g.shape.Stay) * (1 << 32)
	most := surest * (1 - g.shape.Stay) * (1 << 32)
	for i, p := range chance {
		if i%8 == 0 {
			eight = random.next()
		}
		group.odds[i] = uint32(min(most, float64(p)*factor(i, eight)*scale))&^1 | group.odds[i]&1
	}
}

// curve is the chance of each of n neurons, so that on average a share of them is active.
func curve(n int, share float64) []float32 {
	p := make([]float32, n)
	low, high := 0.0, 1e6
	for range 60 { // the cut at surest leaves no closed form
		c, sum := (low+high)/2, 0.0
		for i := range p {
			v := min(surest, c*math.Exp(-lambda*(float64(i)+0.5)/float64(n)))
			p[i] = float32(v)
			sum += v
		}
		if sum > share*float64(n) {
			high = c
		} else {
			low = c
		}
	}
	return p
}

// logNormal is the quantile of a log-normal distribution of mean 1.
func logNormal(deviation, at float64) float64 {
	return math.Exp(deviation*math.Sqrt2*math.Erfinv(2*min(max(at, 1e-9), 1-1e-9)-1) - deviation*deviation/2)
}

// source is SplitMix64: as fast as a multiplication, and as good as activity needs.
type source struct{ state uint64 }

// random returns a source of its own for each purpose, so that neither the order of calls nor other groups change what a group does.
func (g *Generator) random(a, b, purpose uint64) source {
	s := source{g.seed}
	s.state ^= s.next() + a
	s.state ^= s.next() + b
	s.state ^= s.next() + purpose
	return source{s.next()}
}

func (s *source) next() uint64 {
	s.state += 0x9e3779b97f4a7c15
	z := s.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// float is from 0 to below 1.
func (s *source) float() float64 { return float64(s.next()>>11) / (1 << 53) }
