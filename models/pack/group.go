package pack

import (
	"hotcell/models/gguf"
)

// Experts that are none of the routed ones.
const (
	Dense  = -1 // the layer's only FFN
	Shared = -2 // the expert that every token uses
)

// Cut is how a group is divided into units.
type Cut uint8

// The cuts.
const (
	ByNeuron  Cut = iota // bundles: a unit is one neuron, or as many as fit in a page
	ByCluster            // runs of neurons, up to a whole expert
)

// Group is one FFN of a layer, or one expert of it. Units are what is read,
// verified and cached; every address follows from the fields without a call.
type Group struct {
	Layer   int
	Expert  int // from 0, or Dense or Shared
	Dim     int // length of the residual stream
	Neurons int
	Cut     Cut

	Offset      int64 // of unit 0 in the file, a multiple of PageBytes
	Units       int
	UnitNeurons int     // neurons of a unit; the last unit may have fewer
	UnitBytes   int     // a multiple of PageBytes
	Parts       [2]Part // of a unit: all of it, or A and B; an empty B means one part
	Align       int     // of the pieces of a bundle or cluster: 64 or 32, and 1 in memory (Compact)

	Gate, Up, Down Matrix

	// DownScales names the resident tensor with the scales of a down matrix of form
	// ColumnCodes, and DownScaleRow its row for the group's neurons 0 to 31.
	DownScales   string
	DownScaleRow int64

	Order    []uint32 // position -> neuron; nil: original order
	Activity []uint16 // position -> share of sampled tokens that it was active for, in 1/65535; nil: unknown
}

// Part is a run of pages of a unit that can be read alone.
type Part struct {
	Offset, Bytes int // in the unit, multiples of PageBytes
}

// Matrix says where one of an FFN's matrices is in each unit.
type Matrix struct {
	Tensor   int // index into File.Tensors, or -1 if there is no such matrix
	FirstRow int64
	Type     gguf.Type
	Form     Form
	Codes    Piece
	Scales   Piece // empty unless Form is SplitRows
}

// Form is how a matrix is laid out in a unit.
type Form uint8

// The forms. Column forms and ColumnBlocks are of down matrices only.
const (
	Rows         Form = iota // Codes: per neuron its row as in GGUF
	SplitRows                // Codes: the codes of its row; Scales: its f16 scales
	Column                   // Codes: its column, one element per output
	ColumnCodes              // Codes: its column's codes; its scales are in the tensor DownScales
	ColumnBlocks             // Codes: per output the unit's blocks of that row
)

// Piece is a run of bytes for each neuron of a unit, or for ColumnBlocks for each
// output: number k has Bytes bytes at Offset + k*Stride of the unit.
type Piece struct {
	Offset, Stride, Bytes int
}

// Has tells whether there is such a matrix.
func (m *Matrix) Has() bool { return m.Tensor >= 0 }

// Neuron is the neuron at a position.
func (g *Group) Neuron(position int) int {
	if g.Order == nil {
		return position
	}
	return int(g.Order[position])
}

// Positions is the inverse of Order: neuron -> position, nil for original order.
func (g *Group) Positions() []uint32 {
	if g.Order == nil {
		return nil
	}
	at := make([]uint32, len(g.Order))
	for p, n := range g.Order {
		at[n] = uint32(p)
	}
	return at
}

// matrices lists gate, up and down in the directory's order.
func (g *Group) matrices() [3]*Matrix { return [3]*Matrix{&g.Gate, &g.Up, &g.Down} }

// rows is how many rows of its tensor a matrix takes.
func (g *Group) rows(m *Matrix) int64 {
	if m.Form == Rows || m.Form == SplitRows {
		return int64(g.Neurons)
	}
	return int64(g.Dim)
}

// cols is the length of those rows.
func (g *Group) cols(m *Matrix) int {
	if m.Form == Rows || m.Form == SplitRows {
		return g.Dim
	}
	return g.Neurons
}

// scaleBytes is what the group has in the NAME.scales tensor of its down matrix.
func (g *Group) scaleBytes() int64 {
	if g.Down.Form != ColumnCodes {
		return 0
	}
	return int64(g.Neurons/blockLen) * int64(g.Dim) * 2
}

// blockLen is the number of elements of a Q4_0 or Q8_0 block.
const blockLen = 32

// split tells whether codes and scales of a type are stored apart.
func split(t gguf.Type) bool { return t == gguf.Q4_0 || t == gguf.Q8_0 }

// codeBytes is the size of n elements of a type: of their codes, if it is split, else as in GGUF.
func codeBytes(t gguf.Type, n int) int {
	switch t {
	case gguf.Q4_0:
		return n / 2
	case gguf.Q8_0:
		return n
	}
	return rowBytes(t, n)
}

// rowBytes is the size of n elements in GGUF's layout.
func rowBytes(t gguf.Type, n int) int {
	elems, size := t.Block()
	return n / elems * size
}
