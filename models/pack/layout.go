package pack

import (
	"fmt"

	"hotcell/models/gguf"
)

// canCutByNeuron tells whether single columns can be taken out of a down matrix.
func canCutByNeuron(down gguf.Type, byNeuron bool, dim int) bool {
	elems, _ := down.Block()
	return byNeuron || elems == 1 || split(down) && dim%blockLen == 0
}

// lay decides forms and pieces; all fields that the directory stores are set, and
// the types and shapes of the tensors are checked. For ByNeuron it sets UnitNeurons.
func (g *Group) lay(downByNeuron bool) error {
	if g.Cut == ByCluster {
		return g.layCluster(downByNeuron)
	}
	for _, m := range []*Matrix{&g.Gate, &g.Up, &g.Down} {
		switch {
		case m == &g.Down && !downByNeuron:
			m.Form = Column
			if split(m.Type) {
				m.Form = ColumnCodes
			}
		case split(m.Type):
			m.Form = SplitRows
		default:
			m.Form = Rows
		}
	}
	if !canCutByNeuron(g.Down.Type, downByNeuron, g.Dim) {
		return fmt.Errorf("a down matrix of type %v and %d rows cannot be cut by neuron", g.Down.Type, g.Dim)
	}
	narrow := *g
	narrow.layBundle(32)
	g.layBundle(64)
	if narrow.UnitBytes*g.UnitNeurons < g.UnitBytes*narrow.UnitNeurons {
		*g = narrow
	}
	return g.finish()
}

// layBundle places the pieces of a bundle at multiples of align.
func (g *Group) layBundle(align int) {
	g.Align = align
	end := 0
	put := func(p *Piece, bytes int) {
		if bytes == 0 {
			*p = Piece{}
			return
		}
		*p = Piece{Offset: end, Bytes: bytes}
		end = alignUp(end+bytes, align)
	}
	codes := func(m *Matrix) { put(&m.Codes, codeBytes(m.Type, g.Dim)) }
	scales := func(m *Matrix) {
		if m.Form == SplitRows {
			put(&m.Scales, g.Dim/blockLen*2)
		}
	}
	second := []*Matrix{&g.Down}
	if g.Gate.Has() {
		codes(&g.Gate)
		scales(&g.Gate)
		second = []*Matrix{&g.Up, &g.Down}
	} else {
		codes(&g.Up)
	}
	scales(&g.Up)
	scales(&g.Down)
	a := end
	for _, m := range second {
		codes(m)
	}
	if end <= PageBytes {
		g.UnitNeurons, g.UnitBytes = PageBytes/end, PageBytes
		g.Parts = [2]Part{{0, PageBytes}, {}}
		for _, m := range g.matrices() {
			m.Codes.stride(end)
			m.Scales.stride(end)
		}
		return
	}
	b := alignUp(a, PageBytes)
	for _, m := range second {
		m.Codes.Offset += b - a
	}
	g.UnitNeurons, g.UnitBytes = 1, alignUp(end-a+b, PageBytes)
	g.Parts = [2]Part{{0, b}, {b, g.UnitBytes - b}}
}

func (p *Piece) stride(n int) {
	if p.Bytes > 0 {
		p.Stride = n
	}
}

// layCluster places the pieces of a cluster of UnitNeurons neurons.
func (g *Group) layCluster(downByNeuron bool) error {
	g.Align = 64
	elems, _ := g.Down.Type.Block()
	if g.UnitNeurons < 1 || g.UnitNeurons > g.Neurons || !downByNeuron && g.UnitNeurons%elems != 0 {
		return fmt.Errorf("clusters of %d of %d neurons are not possible with a down matrix of type %v", g.UnitNeurons, g.Neurons, g.Down.Type)
	}
	end := 0
	for _, m := range g.matrices() {
		m.Form = Rows
		n, bytes := g.UnitNeurons, rowBytes(m.Type, g.Dim)
		if m == &g.Down && !downByNeuron {
			m.Form = ColumnBlocks
			n, bytes = g.Dim, rowBytes(m.Type, g.UnitNeurons)
		}
		if !m.Has() {
			continue
		}
		m.Codes = Piece{Offset: end, Stride: bytes, Bytes: bytes}
		end = alignUp(end+n*bytes, g.Align)
	}
	g.UnitBytes = alignUp(end, PageBytes)
	g.Parts = [2]Part{{0, g.UnitBytes}, {}}
	return g.finish()
}

// maxUnit bounds what one read may take.
const maxUnit = 1 << 30

func (g *Group) finish() error {
	if g.UnitBytes > maxUnit {
		return fmt.Errorf("units of %d bytes are more than the %d allowed", g.UnitBytes, maxUnit)
	}
	g.Units = (g.Neurons + g.UnitNeurons - 1) / g.UnitNeurons
	return nil
}

func alignUp(n, align int) int { return (n + align - 1) &^ (align - 1) }
