package pack

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"hotcell/models/gguf"
)

// Activity says how often neurons were active over a sample of text.
type Activity struct {
	Tokens int
	// Counts is [layer][neuron]: for how many of the tokens the activation was not
	// zero. A layer of experts has those of expert 0, then 1 and so on, and then
	// those of its shared expert or nothing of it. Nil: not known, or not sparse.
	Counts [][]uint32
}

// sparse lists architectures whose activation makes exact zeros: ReLU, its square,
// and the product of two.
var sparse = []string{"bamboo", "smallthinker", "bitnet-25", "bitnet-b1.58"}

// Sparse tells whether most of a model's neurons are exactly zero for a token, so
// that it pays to know which are active often. PowerInfer's files hold such models
// also of families that have another activation elsewhere.
func Sparse(f *gguf.File) bool {
	arch, _ := f.String("general.architecture")
	return f.PowerInfer() || slices.Contains(sparse, arch)
}

const (
	// clusterBytes is how large a cluster should be: reads of this size reach the
	// speed of sequential ones on UFS and NVMe, and smaller ones waste less of a cache.
	clusterBytes = 512 << 10

	// wholeExpert is the most bytes of an expert that is cut by cluster although its
	// activation makes zeros. UFS 4.0 reads pieces of 512 KB four times as fast as single
	// pages, so to read so little whole costs no more than to pick its active neurons.
	wholeExpert = 16 << 20

	maxExperts = 1 << 12
)

// plan decides how a model becomes a pack. What is no FFN that it knows stays resident.
type plan struct {
	f           *gguf.File
	sparse      bool
	activity    *Activity
	wholeExpert int64
	dir         *directory
	index       map[string]int // of tensors
}

// newPlan makes the directory of f's pack.
func newPlan(f *gguf.File, activity *Activity, wholeExpert int64) (*directory, error) {
	p := &plan{f: f, sparse: Sparse(f), activity: activity, wholeExpert: wholeExpert, index: map[string]int{},
		dir: &directory{tensors: f.Tensors(), packed: make([]bool, len(f.Tensors()))}}
	for i, t := range p.dir.tensors {
		p.index[t.Name] = i
		if len(t.Name) > maxName || t.Size > maxTensor {
			return nil, fmt.Errorf("%s: the tensor %s is too large for a pack", f.Name(), quote(t.Name))
		}
	}
	layers := p.layers()
	if a := activity; a != nil && (a.Tokens < 1 || len(a.Counts) > 0 && len(layers) > 0 && len(a.Counts) > layers[len(layers)-1]+1) {
		return nil, fmt.Errorf("%s: the activity of %d layers over %d tokens is not that of this model", f.Name(), len(a.Counts), a.Tokens)
	}
	for _, l := range layers {
		if err := p.layer(l); err != nil {
			return nil, err
		}
	}
	return p.dir, nil
}

var upName = regexp.MustCompile(`^blk\.(\d{1,6})\.ffn_up(_exps|_shexp|\.\d+)?\.weight$`)

// layers are the layers that have an FFN.
func (p *plan) layers() []int {
	var list []int
	for _, t := range p.dir.tensors {
		if m := upName.FindStringSubmatch(t.Name); m != nil {
			l, _ := strconv.Atoi(m[1])
			list = append(list, l)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// layer adds the groups of one layer: its FFN or its experts, and its shared expert.
func (p *plan) layer(l int) error {
	prefix := fmt.Sprintf("blk.%d.ffn_", l)
	groups := p.ffn(l, prefix, "", Dense)
	if len(groups) == 0 {
		groups = p.stacked(l, prefix)
	}
	for e := 0; ; e++ {
		one := p.ffn(l, prefix, "."+strconv.Itoa(e), e)
		if one == nil {
			break
		}
		groups = append(groups, one...)
	}
	groups = append(groups, p.ffn(l, prefix, "_shexp", Shared)...)
	if err := p.order(l, groups); err != nil {
		return err
	}
	for _, g := range groups {
		for _, m := range g.matrices() {
			if m.Has() {
				p.dir.packed[m.Tensor] = true
			}
		}
		p.dir.groups = append(p.dir.groups, g)
	}
	return nil
}

// find is the tensor of a matrix, or -1.
func (p *plan) find(name string) int {
	if i, ok := p.index[name+".weight"]; ok && len(p.dir.tensors[i].Dims) >= 2 {
		return i
	}
	return -1
}

// ffn is the group of three, or two, tensors whose names end in suffix; nil if there are none that fit together.
func (p *plan) ffn(l int, prefix, suffix string, expert int) []Group {
	gate, up, down := p.find(prefix+"gate"+suffix), p.find(prefix+"up"+suffix), p.find(prefix+"down"+suffix)
	byNeuron := down < 0
	if byNeuron {
		down = p.find(prefix + "down" + suffix + "_t")
	}
	if up < 0 || down < 0 {
		return nil
	}
	u, d := p.dir.tensors[up], p.dir.tensors[down]
	dim, neurons, outputs := u.Cols(), d.Cols(), d.Rows()
	if byNeuron {
		neurons, outputs = outputs, neurons
	}
	g := Group{Layer: l, Expert: expert, Gate: Matrix{Tensor: gate}, Up: Matrix{Tensor: up}, Down: Matrix{Tensor: down}}
	switch {
	case outputs != dim || len(u.Dims) != 2 || len(d.Dims) != 2:
		return nil
	case gate >= 0:
		if t := p.dir.tensors[gate]; t.Cols() != dim || t.Rows() != neurons || u.Rows() != neurons || len(t.Dims) != 2 {
			return nil
		}
	case u.Rows() == 2*neurons: // merged, gate first
		g.Gate.Tensor, g.Up.FirstRow = up, int64(neurons)
	case u.Rows() != neurons:
		return nil
	}
	return p.cut([]Group{g}, dim, neurons, byNeuron)
}

// stacked are the groups of tensors that hold the matrices of all experts.
func (p *plan) stacked(l int, prefix string) []Group {
	gate, up, down := p.find(prefix+"gate_exps"), p.find(prefix+"up_exps"), p.find(prefix+"down_exps")
	if up < 0 || down < 0 {
		return nil
	}
	u, d := p.dir.tensors[up], p.dir.tensors[down]
	if len(u.Dims) != 3 || len(d.Dims) != 3 || u.Dims[2] != d.Dims[2] {
		return nil
	}
	dim, neurons, experts := u.Dims[0], u.Dims[1], u.Dims[2]
	// Of a square matrix the shape does not tell: that is taken for the usual order.
	byNeuron := d.Dims[0] == dim && d.Dims[1] == neurons && dim != neurons
	if !byNeuron && (d.Dims[0] != neurons || d.Dims[1] != dim) {
		return nil
	}
	if gate >= 0 && !slices.Equal(p.dir.tensors[gate].Dims, u.Dims) {
		return nil
	}
	if experts > maxExperts {
		return nil
	}
	groups := make([]Group, experts)
	for e := range groups {
		row, downRow := int64(e)*int64(neurons), int64(e)*int64(dim)
		if byNeuron {
			downRow = row
		}
		groups[e] = Group{Layer: l, Expert: e, Gate: Matrix{Tensor: gate, FirstRow: row}, Up: Matrix{Tensor: up, FirstRow: row},
			Down: Matrix{Tensor: down, FirstRow: downRow}}
		if gate < 0 {
			groups[e].Gate.FirstRow = 0
		}
	}
	return p.cut(groups, dim, neurons, byNeuron)
}

// cut decides how groups of one shape are cut, and lays them out.
func (p *plan) cut(groups []Group, dim, neurons uint64, byNeuron bool) []Group {
	if dim > maxSide || neurons > maxSide {
		return nil
	}
	for i := range groups {
		g := &groups[i]
		g.Dim, g.Neurons = int(dim), int(neurons)
		bytes := 0
		for _, m := range g.matrices() {
			if !m.Has() {
				continue
			}
			m.Type = p.dir.tensors[m.Tensor].Type
			elems, size := m.Type.Block()
			bytes += g.Dim * g.Neurons / elems * size
		}
		_, taken := p.index[scalesName(p.dir.tensors[g.Down.Tensor].Name)]
		g.Cut = ByCluster
		if p.hasZeros(g.Layer) && canCutByNeuron(g.Down.Type, byNeuron, g.Dim) && !taken && (g.Expert < 0 || int64(bytes) > p.wholeExpert) {
			g.Cut = ByNeuron
		}
		g.UnitNeurons = clusterNeurons(g, bytes, byNeuron)
		if g.lay(byNeuron) != nil {
			return nil
		}
	}
	return groups
}

// hasZeros tells whether a layer's activations are mostly zero, so that neurons can be
// skipped. A norm of the activations (BitNet's) needs them all before the first product.
func (p *plan) hasZeros(l int) bool {
	_, normed := p.index[fmt.Sprintf("blk.%d.ffn_sub_norm.weight", l)]
	return (p.sparse || p.counts(l) != nil) && !normed
}

func (p *plan) counts(l int) []uint32 {
	if p.activity == nil || l >= len(p.activity.Counts) {
		return nil
	}
	return p.activity.Counts[l]
}

// clusterNeurons is how many neurons of a group with that many bytes make a cluster: units of
// about clusterBytes, nearly equal, and whole blocks of the down matrix's rows.
func clusterNeurons(g *Group, bytes int, byNeuron bool) int {
	block := 1
	if !byNeuron {
		block, _ = g.Down.Type.Block()
	}
	units := max(1, (bytes+clusterBytes/2)/clusterBytes)
	each := (g.Neurons + units - 1) / units
	return min(g.Neurons, (each+block-1)/block*block)
}

// order puts the neurons of a layer's groups in the order of their activity.
func (p *plan) order(l int, groups []Group) error {
	counts := p.counts(l)
	if counts == nil || len(groups) == 0 {
		return nil
	}
	total, shared := 0, 0
	for _, g := range groups {
		total += g.Neurons
		if g.Expert == Shared {
			shared = g.Neurons
		}
	}
	if len(counts) != total && len(counts) != total-shared {
		return fmt.Errorf("%s: the activity of layer %d has %d neurons, the layer has %d", p.f.Name(), l, len(counts), total)
	}
	for i := range groups {
		g := &groups[i]
		if len(counts) == 0 {
			break // nothing is known of the shared expert
		}
		own := counts[:g.Neurons]
		counts = counts[g.Neurons:]
		if g.Cut == ByNeuron {
			g.Order = make([]uint32, g.Neurons)
			for n := range g.Order {
				g.Order[n] = uint32(n)
			}
			slices.SortStableFunc(g.Order, func(a, b uint32) int { return cmp.Compare(own[b], own[a]) })
		}
		g.Activity = make([]uint16, g.Neurons)
		for at := range g.Activity {
			g.Activity[at] = share(own[g.Neuron(at)], p.activity.Tokens)
		}
	}
	return nil
}

// share is count/tokens in 1/65535.
func share(count uint32, tokens int) uint16 {
	most := uint64(max(tokens, 1))
	return uint16((min(uint64(count), most)*65535 + most/2) / most)
}
