package infer

import (
	"fmt"

	"hotcell/models/gguf"
	"hotcell/models/pack"
)

// neuronGroups is the layers of a model file that can be computed by neuron, laid out for gates that are predicted, or all computed.
func neuronGroups(f *gguf.File, predicted bool) (map[int]*pack.Group, error) {
	groups, err := pack.Compact(f, predicted)
	if err != nil {
		return nil, err
	}
	return byLayer(f, groups), nil
}

// exactFrom is how many bytes of neurons a model has that ModeAuto computes exactly and not densely: so many that no cache of the processor holds them.
// Then what counts is how many are read: layers of bamboo-7b's shape were 1.5 times as fast with 5 % of the neurons active, 1.4 times with 10, as fast with 30
// and 0.9 times with 50, which no model made for zeros has; from PowerInfer's files, whose down matrices lie by neuron and have no panels, 4 times
// with 10 %. From a cache panels are faster: the built-in model gives 3000 tokens/s densely and 1500 exactly, on one core.
const exactFrom = 128 << 20

// groupBytes is what the neurons take.
func groupBytes(groups map[int]*pack.Group) (n int64) {
	for _, g := range groups {
		n += int64(g.UnitBytes) * int64(g.Units)
	}
	return n
}

// byLayer picks the groups that can be computed by neuron. A norm of the activations (BitNet) needs them all before the first down product.
func byLayer(f *gguf.File, groups []pack.Group) map[int]*pack.Group {
	list := make(map[int]*pack.Group)
	for i := range groups {
		if g := &groups[i]; canBeNeurons(g) && !has(f, fmt.Sprintf("blk.%d.ffn_sub_norm.weight", g.Layer)) {
			list[g.Layer] = g
		}
	}
	return list
}

// byNeuron plans an FFN whose neurons are computed one by one.
func (ld *loader) byNeuron(f *feedForward, g *pack.Group) {
	n := newNeurons(g)
	f.neurons = n
	f.gate = ld.scaleAndBias("ffn_gate", g.Neurons)
	f.up = ld.scaleAndBias("ffn_up", g.Neurons)
	f.down = ld.scaleAndBias("ffn_down", g.Dim)
	if g.Dim != ld.h.dim || g.Neurons != ld.h.ff {
		ld.fail("layer %d has %d neurons of width %d, expected %d of %d", g.Layer, g.Neurons, g.Dim, ld.h.ff, ld.h.dim)
		return
	}
	scales := ld.take(g.DownScaleBytes())
	if len(scales) > 0 {
		n.downScales = scales
	}
	if !ld.packed {
		n.memory = ld.take(g.UnitBytes)
	}
	if ld.mem == nil {
		return
	}
	if !ld.packed {
		ld.jobs = append(ld.jobs, packJob{tensor: ld.f.Tensors()[g.Gate.Tensor], neurons: n, num: 1})
		return
	}
	if n.downScales != nil && ld.err == nil {
		t, ok := ld.f.Tensor(g.DownScales)
		if !ok {
			ld.fail("the tensor %s is missing", g.DownScales)
			return
		}
		ld.err = ld.f.ReadTensor(t, n.downScales, g.DownScaleRow*int64(g.Dim)*2)
	}
}

func (ld *loader) fail(format string, args ...any) {
	if ld.err == nil {
		ld.err = fmt.Errorf("%s: %w", ld.f.Name(), fmt.Errorf(format, args...))
	}
}

// scaleAndBias is a linear whose matrix is elsewhere.
func (ld *loader) scaleAndBias(name string, rows int) linear {
	l := linear{scale: 1, bias: ld.optional(name+".bias", rows)}
	if s := ld.now(name+".scale", 1); s != nil {
		l.scale = s[0]
	}
	return l
}

// fill reads the neurons into memory.
func (n *neurons) fill(f *gguf.File) error {
	if n.downScales != nil {
		if err := n.group.FillDownScales(f, n.downScales); err != nil {
			return err
		}
	}
	return n.group.Fill(f, n.memory)
}
