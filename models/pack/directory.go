package pack

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"hotcell/models/gguf"
)

// directory is what a pack holds: the model's tensors in its order, and the groups
// that have the data of those that are packed. place derives all offsets.
type directory struct {
	tensors []gguf.Tensor
	packed  []bool // per tensor
	groups  []Group

	resident []gguf.Tensor // with offsets in the file: tensors that are not packed, then scales
	source   []int         // per resident tensor the index of its tensor, or of the down matrix of which it is the scales
	pages    int64         // of data
}

const (
	hasOrder = 1 << iota
	hasActivity
	downRows
)

const noTensor = 1<<32 - 1

// Sizes beyond those of any model, which keep sums of products in range.
const (
	maxSide   = 1 << 24 // dim and neurons
	maxTensor = 1 << 48 // bytes
	maxName   = 1<<16 - 1
	maxDims   = 4
)

// downByNeuron tells whether the group's down matrix has a row per neuron.
func (g *Group) downByNeuron() bool { return g.Down.Form == Rows || g.Down.Form == SplitRows }

func (d *directory) encode() []byte {
	b := le.AppendUint32(nil, uint32(len(d.tensors)))
	b = le.AppendUint32(b, uint32(len(d.groups)))
	for i, t := range d.tensors {
		b = le.AppendUint32(b, uint32(len(t.Name)))
		b = append(b, t.Name...)
		b = le.AppendUint32(b, uint32(t.Type))
		b = le.AppendUint32(b, uint32(len(t.Dims)))
		for _, n := range t.Dims {
			b = le.AppendUint64(b, n)
		}
		place := byte(0)
		if d.packed[i] {
			place = 1
		}
		b = append(b, place)
	}
	for i := range d.groups {
		b = d.groups[i].encode(b)
	}
	return b
}

func (g *Group) encode(b []byte) []byte {
	flags := byte(0)
	if g.Order != nil {
		flags |= hasOrder
	}
	if g.Activity != nil {
		flags |= hasActivity
	}
	if g.downByNeuron() {
		flags |= downRows
	}
	b = le.AppendUint32(b, uint32(g.Layer))
	b = le.AppendUint32(b, uint32(int32(g.Expert)))
	b = le.AppendUint32(b, uint32(g.Neurons))
	b = append(b, byte(g.Cut), flags, 0, 0)
	b = le.AppendUint32(b, uint32(g.UnitNeurons))
	for _, m := range g.matrices() {
		b = le.AppendUint32(b, uint32(m.Tensor))
		b = le.AppendUint64(b, uint64(m.FirstRow))
	}
	for _, n := range g.Order {
		b = le.AppendUint32(b, n)
	}
	for _, a := range g.Activity {
		b = le.AppendUint16(b, a)
	}
	return b
}

// fields reads the directory's primitives. After the first error it gives zeros.
type fields struct {
	b     []byte
	start int // of what is being read
	at    int
	err   error
}

func (f *fields) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("directory at byte %d: %w", f.start, fmt.Errorf(format, args...))
	}
}

var zeros [8]byte

// next is the next n bytes, checked to be there.
func (f *fields) next(n int) []byte {
	if f.err == nil && n > len(f.b)-f.at {
		f.fail("it ends early")
	}
	if f.err != nil {
		return zeros[:min(n, len(zeros))]
	}
	f.at += n
	return f.b[f.at-n : f.at]
}

func (f *fields) u8() byte    { return f.next(1)[0] }
func (f *fields) u16() uint16 { return le.Uint16(f.next(2)) }
func (f *fields) u32() uint32 { return le.Uint32(f.next(4)) }
func (f *fields) u64() uint64 { return le.Uint64(f.next(8)) }

// fits checks that n things of size bytes can follow, before room is made for them.
func (f *fields) fits(n, size int) bool {
	if f.err == nil && n > (len(f.b)-f.at)/size {
		f.fail("%d entries cannot follow in %d bytes", n, len(f.b)-f.at)
	}
	return f.err == nil
}

// decodeDirectory reads and checks everything but how much data there must be.
func decodeDirectory(b []byte) (*directory, error) {
	f := &fields{b: b}
	tensors, groups := int(f.u32()), int(f.u32())
	d := &directory{}
	for i := 0; i < tensors && f.err == nil; i++ {
		f.start = f.at
		d.tensor(f)
	}
	for i := 0; i < groups && f.err == nil; i++ {
		f.start = f.at
		d.group(f)
	}
	f.start = f.at
	if f.err == nil && f.at != len(b) {
		f.fail("%d bytes follow its end", len(b)-f.at)
	}
	if f.err != nil {
		return nil, f.err
	}
	return d, d.checkTiling()
}

func (d *directory) tensor(f *fields) {
	n := int(f.u32())
	if n > maxName {
		f.fail("a name of %d bytes", n)
	}
	name := string(f.next(n))
	kind := gguf.Type(f.u32())
	dims := make([]uint64, min(f.u32(), maxDims+1)) // NewTensor refuses too many
	for i := range dims {
		dims[i] = f.u64()
	}
	place := f.u8()
	if f.err != nil {
		return
	}
	t, err := gguf.NewTensor(name, kind, dims)
	switch {
	case err != nil:
		f.fail("%w", err)
	case t.Size > maxTensor:
		f.fail("tensor %s of %d bytes", quote(name), t.Size)
	case place > 1:
		f.fail("tensor %s is in the place %d, which is not known", quote(name), place)
	}
	d.tensors, d.packed = append(d.tensors, t), append(d.packed, place == 1)
}

func (d *directory) group(f *fields) {
	g := Group{Layer: int(f.u32()), Expert: int(int32(f.u32())), Neurons: int(f.u32()), Cut: Cut(f.u8())}
	flags, reserved := f.u8(), f.u16()
	unit := int(f.u32())
	for _, m := range g.matrices() {
		m.Tensor, m.FirstRow = int(f.u32()), int64(f.u64()&(1<<63-1))
	}
	switch {
	case f.err != nil:
	case g.Layer > maxSide || g.Expert < Shared || g.Expert > maxSide:
		f.fail("layer %d, expert %d is out of range", g.Layer, g.Expert)
	case g.Neurons < 1 || g.Neurons > maxSide:
		f.fail("%d neurons", g.Neurons)
	case g.Cut > ByCluster || flags&^(hasOrder|hasActivity|downRows) != 0 || reserved != 0:
		f.fail("cut %d with flags %d and %d is not known", g.Cut, flags, reserved)
	case g.Cut == ByCluster && flags&hasOrder != 0:
		f.fail("clusters with an order")
	}
	if f.err != nil {
		return
	}
	g.UnitNeurons = unit
	if err := d.shape(&g, flags&downRows != 0); err != nil {
		f.fail("layer %d: %w", g.Layer, err)
		return
	}
	if g.UnitNeurons != unit {
		f.fail("layer %d: units of %d neurons, not %d", g.Layer, unit, g.UnitNeurons)
	}
	if flags&hasOrder != 0 && f.fits(g.Neurons, 4) {
		g.Order = f.order(g.Neurons)
	}
	if flags&hasActivity != 0 && f.fits(g.Neurons, 2) {
		g.Activity = make([]uint16, g.Neurons)
		for i := range g.Activity {
			g.Activity[i] = f.u16()
		}
	}
	d.groups = append(d.groups, g)
}

// order reads a permutation of 0 to n-1.
func (f *fields) order(n int) []uint32 {
	list, seen := make([]uint32, n), make([]uint64, (n+63)/64)
	for i := range list {
		v := f.u32()
		if int64(v) >= int64(n) || seen[v/64]>>(v%64)&1 != 0 {
			f.fail("neuron %d at position %d of an order of %d neurons is out of range or there twice", v, i, n)
			return nil
		}
		seen[v/64] |= 1 << (v % 64)
		list[i] = v
	}
	return list
}

// shape gives g's matrices their types, checks their shapes against those of the
// tensors, and lays out the unit.
func (d *directory) shape(g *Group, downByNeuron bool) error {
	if g.Gate.Tensor == noTensor {
		g.Gate.Tensor = -1
		g.Gate.FirstRow = 0
	}
	for _, m := range g.matrices() {
		if m == &g.Gate && !m.Has() {
			continue
		}
		if m.Tensor >= len(d.tensors) {
			return fmt.Errorf("there is no tensor %d", m.Tensor)
		}
		if !d.packed[m.Tensor] {
			return fmt.Errorf("the tensor %s is used by a group but said to be resident", quote(d.tensors[m.Tensor].Name))
		}
		m.Type = d.tensors[m.Tensor].Type
	}
	dim := d.tensors[g.Up.Tensor].Cols()
	if dim > maxSide {
		return fmt.Errorf("rows of %d", dim)
	}
	g.Dim = int(dim)
	for _, m := range g.matrices() {
		if !m.Has() {
			continue
		}
		cols, rows := g.Dim, g.Neurons
		if m == &g.Down && !downByNeuron {
			cols, rows = g.Neurons, g.Dim
		}
		t := d.tensors[m.Tensor]
		if t.Cols() != uint64(cols) || uint64(m.FirstRow) > t.Rows() || uint64(rows) > t.Rows()-uint64(m.FirstRow) {
			return fmt.Errorf("the tensor %s of shape %v has no %d rows of %d at row %d", quote(t.Name), t.Dims, rows, cols, m.FirstRow)
		}
	}
	return g.lay(downByNeuron)
}

// checkTiling proves that each row of each packed tensor is in one group.
func (d *directory) checkTiling() error {
	type run struct {
		tensor      int
		first, rows int64
	}
	var runs []run
	for i := range d.groups {
		g := &d.groups[i]
		for _, m := range g.matrices() {
			if m.Has() {
				runs = append(runs, run{m.Tensor, m.FirstRow, g.rows(m)})
			}
		}
	}
	slices.SortFunc(runs, func(a, b run) int {
		return cmp.Or(cmp.Compare(a.tensor, b.tensor), cmp.Compare(a.first, b.first))
	})
	for i, t := range d.tensors {
		next := int64(0)
		for len(runs) > 0 && runs[0].tensor == i && runs[0].first == next {
			next += runs[0].rows
			runs = runs[1:]
		}
		if d.packed[i] && uint64(next) != t.Rows() || len(runs) > 0 && runs[0].tensor == i {
			return fmt.Errorf("directory: the groups do not make up the tensor %s: row %d is in none or in several", quote(t.Name), next)
		}
	}
	return nil
}

// scalesName is the resident tensor with the scales of a down matrix.
func scalesName(down string) string { return strings.TrimSuffix(down, ".weight") + ".scales" }

// scalesOf makes the tensor with the scales of down matrix i, which groups of neurons are cut out of.
func (d *directory) scalesOf(i, neurons int) (gguf.Tensor, error) {
	t := d.tensors[i]
	dims := append([]uint64{t.Dims[1], uint64(neurons / blockLen)}, t.Dims[2:]...)
	return gguf.NewTensor(scalesName(t.Name), gguf.F16, dims)
}

// place derives where everything is, from data page 0 at the offset dataAt on.
func (d *directory) place(dataAt int64) error {
	d.resident, d.source, d.pages = nil, nil, 0
	put := func(t gguf.Tensor, source int) {
		t.Offset = dataAt + d.pages*PageBytes
		d.resident, d.source = append(d.resident, t), append(d.source, source)
		d.pages += pagesOf(t.Size)
	}
	names := make(map[string]bool, len(d.tensors))
	for i, t := range d.tensors {
		if names[t.Name] {
			return fmt.Errorf("directory: the tensor %s appears twice", quote(t.Name))
		}
		names[t.Name] = true
		if !d.packed[i] {
			put(t, i)
		}
		if d.pages > maxPages {
			return errTooLarge
		}
	}
	form := make(map[int]*Group) // of down matrices that were seen: a group of it
	var downs []int
	for i := range d.groups {
		g := &d.groups[i]
		first := form[g.Down.Tensor]
		if first == nil {
			form[g.Down.Tensor] = g
			downs = append(downs, g.Down.Tensor)
		} else if first.Down.Form != g.Down.Form || first.Dim != g.Dim {
			return fmt.Errorf("directory: the groups of the tensor %s are not cut in one way", quote(d.tensors[g.Down.Tensor].Name))
		}
	}
	slices.Sort(downs)
	for _, i := range downs {
		if form[i].Down.Form != ColumnCodes {
			continue
		}
		if len(d.tensors[i].Dims) < 2 || d.tensors[i].Dims[1] != uint64(form[i].Dim) {
			return fmt.Errorf("directory: the tensor %s of shape %v is not made of matrices of %d rows", quote(d.tensors[i].Name), d.tensors[i].Dims, form[i].Dim)
		}
		t, err := d.scalesOf(i, form[i].Neurons)
		switch {
		case err != nil:
			return fmt.Errorf("directory: %w", err)
		case names[t.Name]:
			return fmt.Errorf("directory: the tensor %s appears twice", quote(t.Name))
		}
		names[t.Name] = true
		put(t, i)
	}
	for i := range d.groups {
		g := &d.groups[i]
		g.Offset = dataAt + d.pages*PageBytes
		if g.Down.Form == ColumnCodes {
			g.DownScales = scalesName(d.tensors[g.Down.Tensor].Name)
			g.DownScaleRow = g.Down.FirstRow / int64(g.Dim) * int64(g.Neurons/blockLen)
		}
		high, low := bits.Mul64(uint64(g.Units), uint64(g.UnitBytes/PageBytes))
		if high != 0 || low > maxPages {
			return errTooLarge
		}
		if d.pages += int64(low); d.pages > maxPages {
			return errTooLarge
		}
	}
	return nil
}

var errTooLarge = errors.New("directory: there is more data than a pack can have")

// summary fills in what the header says of the model for people and tools.
func (d *directory) summary(h *header) {
	var experts = map[int]uint32{}
	for i := range d.groups {
		g := &d.groups[i]
		h.layers = max(h.layers, uint32(g.Layer)+1)
		h.dim = max(h.dim, uint32(g.Dim))
		h.neurons = max(h.neurons, uint32(g.Neurons))
		if g.Expert >= 0 {
			experts[g.Layer]++
			h.experts = max(h.experts, experts[g.Layer])
		}
	}
	bytes, most := map[gguf.Type]int64{}, int64(0)
	for _, t := range d.tensors {
		bytes[t.Type] += t.Size
	}
	for t, n := range bytes {
		if n > most || n == most && t.String() < h.quantisation {
			most, h.quantisation = n, t.String()
		}
	}
}

// quote makes text from a file safe and short enough to print.
func quote(s string) string {
	const most = 100
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}
