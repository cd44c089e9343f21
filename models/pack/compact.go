package pack

import (
	"fmt"

	"hotcell/models/gguf"
)

// Compact lays out the dense FFNs of a model for memory instead of flash: each group is one unit without pages, in original order, so that
// single neurons can be computed from it as from a pack. Where up and down are wanted, both are: they lie side by side. So does the gate if
// together is set, for whoever computes few neurons and all their rows; else the gate rows are apart, for whoever goes through them all.
// Groups that cannot be cut by neuron are left out.
func Compact(f *gguf.File, together bool) ([]Group, error) {
	dir, err := newPlan(f, nil, 0)
	if err != nil {
		return nil, err
	}
	if err := dir.place(0); err != nil { // names the scales of down matrices
		return nil, err
	}
	var list []Group
	for _, g := range dir.groups {
		if g.Cut != ByNeuron || g.Expert != Dense {
			continue
		}
		g.Offset, g.Order, g.Activity = 0, nil, nil
		g.Units, g.UnitNeurons = 1, g.Neurons
		g.UnitBytes, g.Align = 0, 1
		switch {
		case !g.Gate.Has():
			g.rowsOf(&g.Up, &g.Down)
		case together:
			g.rowsOf(&g.Gate, &g.Up, &g.Down)
		default:
			g.rowsOf(&g.Gate)
			g.rowsOf(&g.Up, &g.Down)
		}
		g.Parts = [2]Part{{0, g.UnitBytes}, {}}
		list = append(list, g)
	}
	return list, nil
}

// rowsOf appends rows to the unit that hold codes and scales of the given matrices, one row per neuron.
func (g *Group) rowsOf(list ...*Matrix) {
	stride := 0
	for _, m := range list {
		stride += m.Codes.Bytes + m.Scales.Bytes
	}
	stride = alignUp(stride, 64)
	at := g.UnitBytes
	for _, m := range list {
		for _, p := range []*Piece{&m.Codes, &m.Scales} {
			if p.Bytes > 0 {
				p.Offset, p.Stride = at, stride
				at += p.Bytes
			}
		}
	}
	g.UnitBytes += stride * g.Neurons
}

// Fill reads all units of a group of Compact's out of the model into memory, UnitBytes of it, which are zero.
func (g *Group) Fill(src *gguf.File, memory []byte) error {
	if len(memory) != g.Units*g.UnitBytes {
		return fmt.Errorf("%s: layer %d: %d bytes for units of %d", src.Name(), g.Layer, len(memory), g.Units*g.UnitBytes)
	}
	var buf []byte
	s := span{g: g, bytes: memory, positions: g.Positions()}
	return s.fill(src, &buf)
}

// DownScaleBytes is the size of what FillDownScales writes: 0 unless the down matrix is of form ColumnCodes.
func (g *Group) DownScaleBytes() int { return int(g.scaleBytes()) }

// FillDownScales reads the scales of a down matrix of form ColumnCodes out of the model: [neurons/32][dim] f16.
func (g *Group) FillDownScales(src *gguf.File, scales []byte) error {
	var buf []byte
	return g.fillDownScales(src, scales, &buf)
}
