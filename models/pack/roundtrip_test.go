package pack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"hotcell/models/builtin"
	"hotcell/models/gguf"
	"hotcell/models/synthetic"
)

// packed writes src as a pack and opens it.
func packed(t testing.TB, src *gguf.File, o Options) *File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.pack")
	if err := Write(context.Background(), src, path, o); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// unpacked writes f's model and opens it.
func unpacked(t testing.TB, f *File) *gguf.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.gguf")
	if err := Unpack(context.Background(), f, path, nil); err != nil {
		t.Fatal(err)
	}
	g, err := gguf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// sameModel compares metadata, directory and data, bit by bit.
func sameModel(t testing.TB, a, b *gguf.File) {
	t.Helper()
	header := func(f *gguf.File) []byte {
		var out bytes.Buffer
		if _, err := copyOf(f).WriteTo(&out); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	if !bytes.Equal(header(a), header(b)) || a.PowerInfer() != b.PowerInfer() {
		t.Error("the metadata differ")
	}
	if len(a.Tensors()) != len(b.Tensors()) {
		t.Fatalf("%d and %d tensors", len(a.Tensors()), len(b.Tensors()))
	}
	for i, x := range a.Tensors() {
		y := b.Tensors()[i]
		if x.Name != y.Name || x.Type != y.Type || !slices.Equal(x.Dims, y.Dims) {
			t.Fatalf("tensor %v and %v", x, y)
		}
		if !bytes.Equal(raw(t, a, x), raw(t, b, y)) {
			t.Errorf("the data of %s differ", x.Name)
		}
	}
}

func raw(t testing.TB, f *gguf.File, x gguf.Tensor) []byte {
	t.Helper()
	b := make([]byte, x.Size)
	if err := f.ReadTensor(x, b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

// someActivity makes counts for all layers of a model that is sparse.
func someActivity(src *gguf.File, seed uint64) *Activity {
	d, err := newPlan(src, nil, wholeExpert)
	if err != nil || !Sparse(src) {
		return nil
	}
	r := rand.New(rand.NewPCG(seed, 1))
	a := &Activity{Tokens: 100}
	for _, g := range d.groups {
		for len(a.Counts) <= g.Layer {
			a.Counts = append(a.Counts, nil)
		}
		for range g.Neurons {
			a.Counts[g.Layer] = append(a.Counts[g.Layer], r.Uint32N(uint32(a.Tokens)+1))
		}
	}
	return a
}

// goldenModels are the golden models of the repository, and all there are if HOTCELL_SHARED names them.
func goldenModels(t testing.TB) []string {
	list, err := filepath.Glob("../../infer/testdata/golden/*/model.gguf")
	if err != nil || len(list) == 0 {
		t.Fatalf("no golden models: %v", err)
	}
	if shared := os.Getenv("HOTCELL_SHARED"); shared != "" {
		for _, pattern := range []string{"golden/*/model.gguf", "models/*.gguf"} {
			more, _ := filepath.Glob(filepath.Join(shared, pattern))
			list = append(list, more...)
		}
	}
	return list
}

// roundTrip packs, checks, and unpacks a model, in the original order and by activity.
func roundTrip(t *testing.T, src *gguf.File) {
	t.Helper()
	orders := []*Activity{nil}
	if a := someActivity(src, 7); a != nil {
		orders = append(orders, a)
	}
	for _, a := range orders {
		f := packed(t, src, Options{Activity: a})
		if damage, err := f.Check(context.Background(), nil); err != nil || len(damage) > 0 {
			t.Fatalf("%v, %v", damage, err)
		}
		sameModel(t, src, unpacked(t, f))
		unitsHold(t, src, f)
	}
}

func TestEveryGoldenModelComesBackBitForBit(t *testing.T) {
	for _, path := range goldenModels(t) {
		t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) {
			src, err := gguf.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			roundTrip(t, src)
		})
	}
}

func TestTheBuiltInModelComesBackBitForBit(t *testing.T) {
	src, err := builtin.Open()
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, src)
}

// small has sizes that fill neither pages nor clusters evenly.
var small = synthetic.Shape{Name: "small", Arch: "llama", Layers: 1, Dim: 256, FF: 1280, Heads: 4, KVHeads: 2, Vocab: 300, Context: 64}

func TestModelsOfEveryTypeComeBackBitForBit(t *testing.T) {
	for kind := range gguf.Type(64) {
		if !synthetic.CanMake(kind) {
			continue
		}
		for _, arch := range []string{"llama", "bamboo"} {
			if arch == "bamboo" && !canCutByNeuron(kind, false, small.Dim) {
				continue // nothing but another name
			}
			t.Run(arch+"/"+kind.String(), func(t *testing.T) {
				shape := small
				shape.Arch = arch
				src, err := synthetic.Open(shape, kind)
				if err != nil {
					t.Fatal(err)
				}
				roundTrip(t, src)
			})
		}
	}
}

func TestAGroupLargerThanASliceComesBackBitForBit(t *testing.T) {
	defer func(n int) { sliceBytes = n }(sliceBytes)
	sliceBytes = 100_000
	for _, kind := range []gguf.Type{gguf.Q4_0, gguf.F16, gguf.Q6_K} {
		t.Run(kind.String(), func(t *testing.T) {
			shape := small
			shape.Arch = "bamboo"
			src, err := synthetic.Open(shape, kind)
			if err != nil {
				t.Fatal(err)
			}
			roundTrip(t, src)
		})
	}
}

// model is a model written by hand, for shapes that no golden model has.
func model(t testing.TB, arch string, tensors ...gguf.Tensor) *gguf.File {
	t.Helper()
	w := gguf.NewWriter()
	w.Set("general.architecture", arch)
	w.Set("general.alignment", uint32(64))
	r := rand.New(rand.NewPCG(5, 6))
	for _, x := range tensors {
		b := make([]byte, x.Size)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		w.AddTensor(x.Name, x.Type, x.Dims, gguf.Bytes(b))
	}
	var out bytes.Buffer
	if _, err := w.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	f, err := gguf.Parse(bytes.NewReader(out.Bytes()), int64(out.Len()), "hand.gguf")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func tensor(name string, kind gguf.Type, dims ...uint64) gguf.Tensor {
	x, err := gguf.NewTensor(name, kind, dims)
	if err != nil {
		panic(err)
	}
	return x
}

// oddModels are FFNs as few files have them.
func oddModels(t testing.TB) map[string]*gguf.File {
	return map[string]*gguf.File{
		"no tensors at all": model(t, "llama"),
		"no FFN":            model(t, "llama", tensor("token_embd.weight", gguf.F32, 32, 3), tensor("blk.0.ffn_up.weight", gguf.F32, 32, 8)),
		"an FFN that does not fit together": model(t, "bamboo", tensor("blk.0.ffn_up.weight", gguf.F32, 32, 8),
			tensor("blk.0.ffn_gate.weight", gguf.F32, 32, 9), tensor("blk.0.ffn_down.weight", gguf.F32, 8, 32)),
		"one tensor per expert": model(t, "bamboo",
			tensor("blk.3.ffn_up.0.weight", gguf.Q8_0, 64, 32), tensor("blk.3.ffn_gate.0.weight", gguf.Q8_0, 64, 32), tensor("blk.3.ffn_down.0.weight", gguf.Q8_0, 32, 64),
			tensor("blk.3.ffn_up.1.weight", gguf.Q8_0, 64, 32), tensor("blk.3.ffn_gate.1.weight", gguf.Q8_0, 64, 32), tensor("blk.3.ffn_down.1.weight", gguf.Q8_0, 32, 64)),
		"experts of several types": model(t, "smallthinker",
			tensor("blk.0.ffn_up_exps.weight", gguf.Q4_0, 96, 64, 3), tensor("blk.0.ffn_gate_exps.weight", gguf.F16, 96, 64, 3), tensor("blk.0.ffn_down_exps.weight", gguf.Q4_0, 64, 96, 3)),
		"a square expert": model(t, "smallthinker",
			tensor("blk.0.ffn_up_exps.weight", gguf.Q4_0, 64, 64, 2), tensor("blk.0.ffn_down_exps.weight", gguf.Q8_0, 64, 64, 2)),
		"merged gate and up": model(t, "bamboo",
			tensor("blk.0.ffn_up.weight", gguf.Q4_0, 64, 192), tensor("blk.0.ffn_down.weight", gguf.Q4_0, 96, 64)),
		"a down matrix whose scales' name is taken": model(t, "bamboo", tensor("blk.0.ffn_down.scales", gguf.F32, 4),
			tensor("blk.0.ffn_up.weight", gguf.Q4_0, 64, 96), tensor("blk.0.ffn_down.weight", gguf.Q4_0, 96, 64)),
		"outputs that are no whole blocks": model(t, "bamboo",
			tensor("blk.0.ffn_up.weight", gguf.F32, 48, 96), tensor("blk.0.ffn_down.weight", gguf.Q4_0, 96, 48)),
		"doubles and whole numbers": model(t, "bamboo",
			tensor("blk.0.ffn_up.weight", gguf.F64, 33, 5), tensor("blk.0.ffn_gate.weight", gguf.I16, 33, 5), tensor("blk.0.ffn_down.weight", gguf.I8, 5, 33)),
		"rows longer than a page": model(t, "bamboo",
			tensor("blk.0.ffn_up.weight", gguf.F16, 4128, 7), tensor("blk.0.ffn_gate.weight", gguf.Q8_0, 4128, 7), tensor("blk.0.ffn_down.weight", gguf.BF16, 7, 4128)),
		"gate and up of different shared experts": model(t, "qwen2moe",
			tensor("blk.0.ffn_up_shexp.weight", gguf.Q4_K, 256, 512), tensor("blk.0.ffn_gate_shexp.weight", gguf.Q4_K, 256, 512), tensor("blk.0.ffn_down_shexp.weight", gguf.Q6_K, 512, 256)),
	}
}

func TestOddModelsComeBackBitForBit(t *testing.T) {
	for name, src := range oddModels(t) {
		t.Run(name, func(t *testing.T) { roundTrip(t, src) })
	}
}

func TestExpertsThatAreCutByNeuronComeBackBitForBit(t *testing.T) {
	for name, src := range oddModels(t) {
		t.Run(name, func(t *testing.T) {
			d, err := newPlan(src, someActivity(src, 3), 0)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "model.pack")
			w := &writer{ctx: context.Background(), src: src, dir: d}
			if err := errors.Join(w.sections(), w.hash(), w.write(path)); err != nil {
				t.Fatal(err)
			}
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			sameModel(t, src, unpacked(t, f))
			unitsHold(t, src, f)
		})
	}
}

// unitsHold reads units as an engine does, by addresses alone, and compares each weight with the model's.
func unitsHold(t *testing.T, src *gguf.File, f *File) {
	t.Helper()
	start, end := f.Data()
	for i := range f.Groups() {
		g := &f.Groups()[i]
		if g.Offset%PageBytes != 0 || g.Offset < start || g.Offset+int64(g.Units)*int64(g.UnitBytes) > end {
			t.Fatalf("%v lies at %d", g, g.Offset)
		}
		var scales []byte
		if x, ok := f.GGUF().Tensor(g.DownScales); ok && g.Down.Form == ColumnCodes {
			scales = raw(t, f.GGUF(), x)[g.DownScaleRow*int64(g.Dim)*2:]
		}
		for p := 0; p < g.Neurons; p += 1 + g.Neurons/37 {
			unit, k := p/g.UnitNeurons, p%g.UnitNeurons
			b := make([]byte, g.UnitBytes)
			off := g.Offset + int64(unit)*int64(g.UnitBytes)
			if _, err := f.src.ReadAt(b, off); err != nil {
				t.Fatal(err)
			}
			if err := f.Verify(off/PageBytes, b); err != nil {
				t.Fatal(err)
			}
			for _, m := range g.matrices() {
				if m.Has() {
					wantNeuron(t, src, scales, g, m, b, g.Neuron(p), k)
				}
			}
		}
	}
}

// wantNeuron compares number k of a unit with a neuron of the model; scales are those of
// the down matrix. It takes the formats apart by itself: in blocks of 32, the scale is the first two bytes.
func wantNeuron(t *testing.T, src *gguf.File, scales []byte, g *Group, m *Matrix, unit []byte, neuron, k int) {
	t.Helper()
	x := src.Tensors()[m.Tensor]
	elems, size := x.Type.Block()
	row := func(r int) []byte {
		b := make([]byte, x.RowSize())
		if err := src.ReadTensor(x, b, (m.FirstRow+int64(r))*x.RowSize()); err != nil {
			t.Fatal(err)
		}
		return b
	}
	at := func(p Piece, k int) []byte { return unit[p.Offset+k*p.Stride:][:p.Bytes] }
	var got, want []byte
	switch m.Form {
	case Rows:
		got, want = at(m.Codes, k), row(neuron)
	case SplitRows:
		got = append(slices.Clone(at(m.Scales, k)), at(m.Codes, k)...)
		for block := range slices.Chunk(row(neuron), size) {
			want = append(want, block[:2]...)
		}
		for block := range slices.Chunk(row(neuron), size) {
			want = append(want, block[2:]...)
		}
	case Column:
		got = at(m.Codes, k)
		for o := range g.Dim {
			want = append(want, row(o)[neuron*size:][:size]...)
		}
	case ColumnCodes:
		own := scales[neuron/32*g.Dim*2:]
		for o := range g.Dim {
			got = append(got, own[2*o:2*o+2]...)
			want = append(want, row(o)[neuron/32*size:][:2]...)
			got = append(got, code(x.Type, at(m.Codes, k)[o/32*(size-2):], o%32))
			want = append(want, code(x.Type, row(o)[neuron/32*size+2:], neuron%32))
		}
	case ColumnBlocks:
		first := neuron / g.UnitNeurons * g.UnitNeurons // of the unit
		for o := range g.Dim {
			got = append(got, at(m.Codes, o)[(neuron-first)/elems*size:][:size]...)
			want = append(want, row(o)[neuron/elems*size:][:size]...)
		}
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%v: neuron %d of the tensor %s is wrong", g, neuron, x.Name)
	}
}

// code is the code of element i of a block.
func code(kind gguf.Type, codes []byte, i int) byte {
	if kind == gguf.Q8_0 {
		return codes[i]
	}
	return codes[i%16] >> (i / 16 * 4) & 15
}

func TestTheHashIsThatOfTheFileThatWasPacked(t *testing.T) {
	for _, name := range []string{"bamboo-pwri-q4_0", "mixtral", "quant-q4_k_m"} {
		path := filepath.Join("../../infer/testdata/golden", name, "model.gguf")
		src, err := gguf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b)
		if got, want := packed(t, src, Options{}).Hash(), hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestASplitModelComesBackAsOneFile(t *testing.T) {
	one := oddModels(t)["merged gate and up"]
	dir := t.TempDir()
	for i, x := range one.Tensors() {
		w := gguf.NewWriter()
		if i == 0 {
			w = copyOf(one)
		}
		w.Set("split.no", uint16(i))
		w.Set("split.count", uint16(2))
		w.Set("split.tensors.count", int32(2))
		w.AddTensor(x.Name, x.Type, x.Dims, gguf.Bytes(raw(t, one, x)))
		var out bytes.Buffer
		if _, err := w.WriteTo(&out); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("m-%05d-of-00002.gguf", i+1)), out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	src, err := gguf.Open(filepath.Join(dir, "m-00001-of-00002.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	sameModel(t, one, unpacked(t, packed(t, src, Options{})))
}

func TestTheSameModelAndActivityGiveTheSameBytes(t *testing.T) {
	src, err := builtin.Open()
	if err != nil {
		t.Fatal(err)
	}
	read := func(a *Activity) []byte {
		f := packed(t, src, Options{Activity: a})
		b, err := io.ReadAll(io.NewSectionReader(f.src, 0, f.Size()))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := read(someActivity(src, 1))
	if !bytes.Equal(first, read(someActivity(src, 1))) {
		t.Error("two packs of one model differ")
	}
	if bytes.Equal(first, read(someActivity(src, 2))) {
		t.Error("another activity makes no difference")
	}
}

func TestNeuronsLieInTheOrderOfTheirActivity(t *testing.T) {
	src := model(t, "bamboo", tensor("blk.0.ffn_up.weight", gguf.F16, 32, 5), tensor("blk.0.ffn_gate.weight", gguf.F16, 32, 5), tensor("blk.0.ffn_down_t.weight", gguf.F16, 32, 5))
	g := packed(t, src, Options{Activity: &Activity{Tokens: 10, Counts: [][]uint32{{1, 10, 1, 99, 0}}}}).Groups()[0]
	if want := []uint32{3, 1, 0, 2, 4}; !slices.Equal(g.Order, want) { // equals keep their order
		t.Errorf("order %v, want %v", g.Order, want)
	}
	if want := []uint16{65535, 65535, 6554, 6554, 0}; !slices.Equal(g.Activity, want) {
		t.Errorf("activity %v, want %v", g.Activity, want)
	}
	if want := []uint32{2, 1, 3, 0, 4}; !slices.Equal(g.Positions(), want) {
		t.Errorf("positions %v, want %v", g.Positions(), want)
	}
}

func TestActivityOfAnotherModelIsRefused(t *testing.T) {
	src := model(t, "bamboo", tensor("blk.0.ffn_up.weight", gguf.F16, 32, 5), tensor("blk.0.ffn_down_t.weight", gguf.F16, 32, 5))
	for name, a := range map[string]*Activity{
		"too few neurons": {Tokens: 1, Counts: [][]uint32{{1, 2}}},
		"too many layers": {Tokens: 1, Counts: [][]uint32{nil, nil}},
		"no tokens":       {Counts: [][]uint32{{1, 2, 3, 4, 5}}},
	} {
		if err := Write(context.Background(), src, filepath.Join(t.TempDir(), "m.pack"), Options{Activity: a}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestTheResidentModelLooksLikeTheWholeOne(t *testing.T) {
	src, err := builtin.Open()
	if err != nil {
		t.Fatal(err)
	}
	f := packed(t, src, Options{})
	in := map[string]bool{}
	for i, x := range f.Tensors() {
		in[x.Name] = f.dir.packed[i]
		got, ok := f.GGUF().Tensor(x.Name)
		if ok == in[x.Name] {
			t.Errorf("%s: resident %v, packed %v", x.Name, ok, in[x.Name])
		}
		if want, _ := src.Tensor(x.Name); ok && !bytes.Equal(raw(t, f.GGUF(), got), raw(t, src, want)) {
			t.Errorf("%s differs", x.Name)
		}
	}
	if !in["blk.0.ffn_gate.weight"] || in["blk.0.fc1.weight"] || in["token_embd.weight"] {
		t.Errorf("packed are %v", in)
	}
	if !reflect.DeepEqual(f.GGUF().Keys(), src.Keys()) || !f.GGUF().PowerInfer() {
		t.Error("the metadata differ")
	}
}
