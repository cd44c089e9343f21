package pack

import (
	"testing"

	"hotcell/models/gguf"
)

// group lays out an FFN of the given types; gate < 0 means none.
func group(t *testing.T, cut Cut, dim, neurons int, gate, up, down gguf.Type, downRows bool) *Group {
	t.Helper()
	g := &Group{Cut: cut, Dim: dim, Neurons: neurons, Gate: Matrix{Type: gate}, Up: Matrix{Type: up}, Down: Matrix{Type: down}}
	if gate == none {
		g.Gate = Matrix{Tensor: -1}
	}
	if cut == ByCluster {
		bytes := rowBytes(up, dim)*neurons + rowBytes(down, dim)*neurons
		if g.Gate.Has() {
			bytes += rowBytes(gate, dim) * neurons
		}
		g.UnitNeurons = clusterNeurons(g, bytes, downRows)
	}
	if err := g.lay(downRows); err != nil {
		t.Fatal(err)
	}
	return g
}

const none = gguf.Type(1000)

func TestBundlesFollowTheRule(t *testing.T) {
	for _, test := range []struct {
		name           string
		dim            int
		gate, up, down gguf.Type
		downRows       bool

		unit, neurons int
		parts         [2]Part
		align         int
		gateAt, upAt  int // of codes
		downAt        int
	}{
		{"7B Q4_0 with rows: gate and three rows of scales on page A, up and down on page B", 4096, gguf.Q4_0, gguf.Q4_0, gguf.Q4_0, true,
			8192, 1, [2]Part{{0, 4096}, {4096, 4096}}, 64, 0, 4096, 6144},
		{"7B Q4_0 with columns", 4096, gguf.Q4_0, gguf.Q4_0, gguf.Q4_0, false,
			8192, 1, [2]Part{{0, 4096}, {4096, 4096}}, 64, 0, 4096, 6144},
		{"7B F16 is 24 KB", 4096, gguf.F16, gguf.F16, gguf.F16, false,
			24576, 1, [2]Part{{0, 8192}, {8192, 16384}}, 64, 0, 8192, 16384},
		{"7B Q8_0", 4096, gguf.Q8_0, gguf.Q8_0, gguf.Q8_0, true,
			16384, 1, [2]Part{{0, 8192}, {8192, 8192}}, 64, 0, 8192, 12288},
		{"width 2048 in Q4_0: a bundle is less than a page", 2048, gguf.Q4_0, gguf.Q4_0, gguf.Q4_0, true,
			4096, 1, [2]Part{{0, 4096}, {}}, 64, 0, 1408, 2432},
		{"width 256 in Q4_0: several bundles share a page", 256, gguf.Q4_0, gguf.Q4_0, gguf.Q4_0, true,
			4096, 8, [2]Part{{0, 4096}, {}}, 32, 0, 224, 352},
		{"width 32 in Q4_0: 32 bytes are alignment enough where 64 would waste room", 32, gguf.Q4_0, gguf.Q4_0, gguf.Q4_0, true,
			4096, 21, [2]Part{{0, 4096}, {}}, 32, 0, 128, 160},
		{"no gate: up takes its place", 4096, none, gguf.F16, gguf.F16, false,
			16384, 1, [2]Part{{0, 8192}, {8192, 8192}}, 64, 0, 0, 8192},
		{"other types: whole rows", 4096, gguf.Q4_K, gguf.Q6_K, gguf.Q4_K, true,
			12288, 1, [2]Part{{0, 4096}, {4096, 8192}}, 64, 0, 4096, 7488},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := group(t, ByNeuron, test.dim, 1000, test.gate, test.up, test.down, test.downRows)
			if g.UnitBytes != test.unit || g.UnitNeurons != test.neurons || g.Parts != test.parts || g.Align != test.align {
				t.Errorf("units of %d bytes and %d neurons in parts %v, alignment %d", g.UnitBytes, g.UnitNeurons, g.Parts, g.Align)
			}
			if g.Gate.Codes.Offset != test.gateAt || g.Up.Codes.Offset != test.upAt || g.Down.Codes.Offset != test.downAt {
				t.Errorf("gate at %d, up at %d, down at %d", g.Gate.Codes.Offset, g.Up.Codes.Offset, g.Down.Codes.Offset)
			}
			if g.Units != (1000+g.UnitNeurons-1)/g.UnitNeurons {
				t.Errorf("%d units", g.Units)
			}
			apart(t, g)
		})
	}
}

func TestClustersAreOfAboutTheWantedSize(t *testing.T) {
	for _, test := range []struct {
		name           string
		dim, ff        int
		kind, down     gguf.Type
		neurons, units int
	}{
		{"an expert of SmallThinker 21B", 2560, 768, gguf.Q4_0, gguf.Q4_0, 128, 6},
		{"an expert of Qwen3 30B", 2048, 768, gguf.Q4_K, gguf.Q6_K, 256, 3},
		{"a layer of Mistral 7B: at least a block of the down matrix", 4096, 14336, gguf.Q4_K, gguf.Q6_K, 256, 56},
		{"a layer of Llama 7B", 4096, 11008, gguf.Q8_0, gguf.Q8_0, 64, 172},
		{"a tiny model", 64, 172, gguf.Q8_0, gguf.F16, 172, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := group(t, ByCluster, test.dim, test.ff, test.kind, test.kind, test.down, false)
			if g.UnitNeurons != test.neurons || g.Units != test.units {
				t.Errorf("%d units of %d neurons and %d bytes", g.Units, g.UnitNeurons, g.UnitBytes)
			}
			apart(t, g)
		})
	}
}

// apart proves that a unit's pieces lie inside their part, aligned and apart.
func apart(t *testing.T, g *Group) {
	t.Helper()
	taken := make([]bool, g.UnitBytes)
	for _, m := range g.matrices() {
		for _, p := range []Piece{m.Codes, m.Scales} {
			n := g.UnitNeurons
			if m.Form == ColumnBlocks {
				n = g.Dim
			}
			if p.Bytes == 0 {
				continue
			}
			if p.Offset%g.Align != 0 || m.Form != ColumnBlocks && g.Cut == ByNeuron && p.Stride%g.Align != 0 {
				t.Errorf("the piece %+v is not aligned to %d", p, g.Align)
			}
			for k := range n {
				from, to := p.Offset+k*p.Stride, p.Offset+k*p.Stride+p.Bytes
				if border := g.Parts[1].Offset; border > 0 && from < border && to > border {
					t.Fatalf("the piece %+v crosses into part B", p)
				}
				for i := from; i < to; i++ {
					if taken[i] {
						t.Fatalf("byte %d of the unit is taken twice", i)
					}
					taken[i] = true
				}
			}
		}
	}
}
