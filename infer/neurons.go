package infer

import (
	"unsafe"

	"hotcell/infer/kernel"
	"hotcell/models/pack"
)

// neurons are the rows of one layer's FFN for the walks that touch single ones (sparse.go). They lie in units laid out as models/pack
// describes: all of them in one unit in memory, or as pages of a pack, of which the neuron cache holds some (flash.go).
//
// A neuron is named by its position, its place in the pack's order of activity; in memory the order is the file's.
type neurons struct {
	group          *pack.Group
	gate, up, down kernel.NeuronRow
	downScales     []byte // [neurons/32][dim] f16 for a down matrix whose blocks run along its rows, else nil
	memory         []byte // the unit that holds all neurons; nil: they are in a pack
	always         int    // so many first positions are hot: computed whatever the predictor says
	number         int    // of the layer among those in the pack
	inParts        bool   // the cache holds the parts of a unit in slots of their own
	whole          bool   // both parts are read at once, since nearly all neurons are active
	cached         int    // the cache's group of the units, or of their parts A; that of parts B is the next
}

// mostTokens is the share of tokens, in 1/65535, from which on a neuron is hot: it is computed without asking the predictor, which would be right to
// say no less often than it is wrong. PowerInfer-2 (section 4.1.2) leaves its hot neurons to dense products likewise.
const mostTokens = 65535 / 2

// newNeurons describes a group's rows; the caller sets where they are.
func newNeurons(g *pack.Group) *neurons {
	n := &neurons{group: g}
	for n.always < len(g.Activity) && g.Activity[n.always] >= mostTokens {
		n.always++
	}
	n.gate = kernel.NeuronRow{Type: g.Gate.Type, Cols: g.Dim}
	n.up = kernel.NeuronRow{Type: g.Up.Type, Cols: g.Dim}
	n.down = kernel.NeuronRow{Type: g.Down.Type, Cols: g.Dim}
	return n
}

// canBeNeurons tells whether kernels exist for all of a group's rows, and they can be taken one at a time. All activations that make zeros have a gate.
func canBeNeurons(g *pack.Group) bool {
	return g.Cut == pack.ByNeuron && g.Expert == pack.Dense && g.Gate.Has() &&
		kernel.NeuronType(g.Gate.Type) && kernel.NeuronType(g.Up.Type) && kernel.NeuronType(g.Down.Type)
}

// clusterNeurons is how many positions make a cluster: one piece of work, and one partial sum of the down products. The sums of clusters are
// added in their order, so the bits of the result depend on the cut into clusters alone, not on who computed what when. With 32 clusters a few
// workers end at about the same time; twice as many made bamboo-7b's tokens 7 % slower, since each sum is written and read again, and half as many
// no faster.
func clusterNeurons(neurons int) int {
	return max(16, min(512, neurons/32&^15))
}

// clusters is how many of them a layer has.
func (n *neurons) clusters() int {
	size := clusterNeurons(n.group.Neurons)
	return (n.group.Neurons + size - 1) / size
}

// unit is where the unit of a position begins in memory: part A with the gate's codes and all scales, and part B with the other codes. The
// parts may lie apart; b is then so that the unit's offsets count from it too. Where a unit is in one part, both are the same.
type unit struct{ a, b unsafe.Pointer }

// row is where a matrix has position pos.
func (n *neurons) row(m *pack.Matrix, u unit, pos int) (codes, scales unsafe.Pointer) {
	k := pos
	if n.memory == nil { // in memory one unit has all
		k %= n.group.UnitNeurons
	}
	codes = u.b
	if m == &n.group.Gate {
		codes = u.a
	}
	codes = unsafe.Add(codes, m.Codes.Offset+k*m.Codes.Stride)
	if m.Scales.Bytes > 0 {
		scales = unsafe.Add(u.a, m.Scales.Offset+k*m.Scales.Stride)
	}
	return codes, scales
}

// inMemory is the one unit of all neurons that are in memory.
func (n *neurons) inMemory() unit {
	p := unsafe.Pointer(&n.memory[0])
	return unit{p, p}
}

// sumDown sets y [dim] to the sum of coefficient times down vector of rows, in order.
func (n *neurons) sumDown(y []float32, rows []kernel.Weighted) {
	if n.downScales == nil {
		n.down.Sum(y, rows)
		return
	}
	n.down.SumColumns(y, rows)
}

// downRow is position pos's down vector with its coefficient.
func (n *neurons) downRow(u unit, pos int, coef float32) kernel.Weighted {
	codes, scales := n.row(&n.group.Down, u, pos)
	if n.downScales != nil {
		scales = unsafe.Pointer(&n.downScales[n.group.Neuron(pos)/kernel.BlockCols*n.group.Dim*2])
	}
	return kernel.Weighted{Codes: codes, Scales: scales, Coef: coef}
}
