package pack

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hotcell/models/gguf"
)

// tiny is a pack with residents, scales, an order, and groups of both cuts.
func tiny(t testing.TB) []byte {
	t.Helper()
	src := model(t, "bamboo",
		tensor("output_norm.weight", gguf.F32, 32),
		tensor("blk.0.ffn_gate.weight", gguf.Q4_0, 32, 64), tensor("blk.0.ffn_up.weight", gguf.Q4_0, 32, 64), tensor("blk.0.ffn_down.weight", gguf.Q4_0, 64, 32),
		tensor("blk.1.ffn_up_exps.weight", gguf.Q8_0, 32, 32, 2), tensor("blk.1.ffn_down_exps.weight", gguf.Q8_0, 32, 32, 2))
	f := packed(t, src, Options{Activity: someActivity(src, 9)})
	b, err := io.ReadAll(io.NewSectionReader(f.src, 0, f.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(b []byte) (*File, error) { return Parse(bytes.NewReader(b), int64(len(b)), "m.pack") }

// seal makes the checksums of a changed pack right, so that a change is judged by what it says.
func seal(b []byte) []byte {
	if len(b) < PageBytes || len(b)%PageBytes != 0 {
		return b
	}
	h := header{metaBytes: int64(le.Uint64(b[24:])), dirBytes: int64(le.Uint64(b[32:])), pages: int64(le.Uint64(b[40:]))}
	if uint64(h.metaBytes)|uint64(h.dirBytes)|uint64(h.pages) < uint64(len(b)) {
		if h.place(); h.dataAt <= int64(len(b)) {
			le.PutUint32(b[48:], checksum(b[h.metaStart:h.dirStart]))
			le.PutUint32(b[52:], checksum(b[h.dirStart:h.tableStart]))
			le.PutUint32(b[56:], checksum(b[h.tableStart:h.dataAt]))
		}
	}
	le.PutUint32(b[PageBytes-4:], checksum(b[:PageBytes-4]))
	return b
}

// change is a pack with another directory entry: what find marks is overwritten.
func change(t testing.TB, b []byte, at int, with ...byte) []byte {
	t.Helper()
	b = slices.Clone(b)
	copy(b[at:], with)
	return seal(b)
}

func TestHostilePacksAreRefused(t *testing.T) {
	whole := tiny(t)
	f, err := parse(whole)
	if err != nil {
		t.Fatal(err)
	}
	dir := int(f.header.dirStart)
	dirEnd := dir + int(f.header.dirBytes)
	tensorAt := func(name string) int { // the u32 type after the name
		return dir + bytes.Index(whole[dir:dirEnd], []byte(name)) + len(name)
	}
	placeAt := func(name string, dims int) int { return tensorAt(name) + 8 + 8*dims }
	firstGroup := placeAt("blk.1.ffn_down_exps.weight", 3) + 1
	order := firstGroup + 20 + 36
	second := order + 64*4 + 64*2
	third := second + 20 + 36 + 32*2
	for _, test := range []struct {
		name string
		pack []byte
		want string
	}{
		{"nothing", nil, "not a pack, its 0 bytes are less than the header"},
		{"a GGUF file", append([]byte("GGUF"), make([]byte, PageBytes)...), "not a pack (it starts with"},
		{"a pack that is being written", change(t, whole, 0, []byte(magicPart)...), "not complete"},
		{"a later version", change(t, whole, 8, 2), "version 2, but only version 1 is known"},
		{"another page size", change(t, whole, 13, 0x20), "page size at offset 12: 8192 is not 4096"},
		{"the last page missing", whole[:len(whole)-PageBytes], "that it should have"},
		{"a page too many", append(slices.Clone(whole), make([]byte, PageBytes)...), "that it should have"},
		{"bytes of the file that are not the sections'", change(t, whole, 16, 1), "but the sections have"},
		{"metadata larger than any", change(t, whole, 30, 1), "more than the"},
		{"data larger than any", change(t, whole, 47, 0xff), "pages of data at offset 40"},
		{"fewer pages of data than groups need", func() []byte {
			b := change(t, whole, 40, byte(f.header.pages-1))
			le.PutUint64(b[16:], uint64(len(b)-PageBytes))
			return seal(b[:len(b)-PageBytes])
		}(), "but tensors and groups have"},
		{"a directory that ends early", change(t, whole, 32, byte(f.header.dirBytes-1), byte((f.header.dirBytes-1)>>8)), "directory at byte"},
		{"a directory with bytes after its end", change(t, whole, 32, byte(f.header.dirBytes+1), byte((f.header.dirBytes+1)>>8)), "1 bytes follow its end"},
		{"more tensors than there are", change(t, whole, dir, 200), "directory at byte"},
		{"another shape in the header", change(t, whole, 64, 33), "the shape is not that of"},
		{"an unknown tensor type", change(t, whole, tensorAt("output_norm.weight"), 77), "unknown tensor type 77"},
		{"no dimensions", change(t, whole, tensorAt("output_norm.weight")+4, 0), "dimensions"},
		{"a name longer than the directory", change(t, whole, dir+8, 0xff, 0xff), "ends early"},
		{"an unknown place", change(t, whole, placeAt("output_norm.weight", 1), 2), "in the place 2"},
		{"a tensor that two hold: resident and in a group", change(t, whole, placeAt("blk.0.ffn_up.weight", 2), 0), "said to be resident"},
		{"a packed tensor that no group has", change(t, whole, placeAt("output_norm.weight", 1), 1), "do not make up the tensor"},
		{"one name twice", change(t, whole, tensorAt("blk.0.ffn_up.weight")-len("up.weight"), 'x', 'p'), ""},
		{"overlapping groups", change(t, whole, third+20+16, 0), "do not make up the tensor"},
		{"a tensor that does not exist", change(t, whole, firstGroup+20, 99), "there is no tensor 99"},
		{"a group without up", change(t, whole, firstGroup+32, 0xff, 0xff, 0xff, 0xff), "there is no tensor"},
		{"rows past the tensor's end", change(t, whole, firstGroup+24, 1), "has no 64 rows of 32 at row 1"},
		{"a row past any tensor", change(t, whole, firstGroup+31, 0x7f), "has no 64 rows of 32"},
		{"no neurons", change(t, whole, firstGroup+8, 0), "0 neurons"},
		{"fewer neurons than the tensors have", change(t, whole, firstGroup+8, 32), "has no 32 rows"},
		{"an unknown cut", change(t, whole, firstGroup+12, 2), "cut 2"},
		{"unknown flags", change(t, whole, firstGroup+13, 0x83), "is not known"},
		{"a cluster with an order", change(t, whole, firstGroup+12, 1), "clusters with an order"},
		{"another number of neurons in a unit", change(t, whole, firstGroup+16, 1), "units of 1 neurons"},
		{"clusters of no neurons", change(t, whole, second+16, 0), "clusters of 0 of 32 neurons"},
		{"an order with a neuron twice", change(t, whole, order, whole[order+4:order+8]...), "or there twice"},
		{"an order with a neuron too many", change(t, whole, order, 64, 0, 0, 0), "neuron 64 at position 0"},
		{"metadata that are no GGUF", change(t, whole, PageBytes, 'X'), "metadata"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := parse(test.pack)
			if test.want == "" && err == nil {
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "m.pack: ") {
				t.Errorf("got %v, %v, want %s", f != nil, err, test.want)
			}
		})
	}
}

func TestEveryFlippedBitBeforeTheDataIsFound(t *testing.T) {
	whole := tiny(t)
	f, err := parse(whole)
	if err != nil {
		t.Fatal(err)
	}
	for at := range int(f.header.dataAt) {
		b := whole
		b[at] ^= 1 << (at % 8)
		if _, err := parse(b); err == nil {
			t.Fatalf("byte %d is not looked at", at)
		}
		b[at] ^= 1 << (at % 8)
	}
}

func TestEveryTruncatedPackIsRefused(t *testing.T) {
	whole := tiny(t)
	for n := 0; n < len(whole); n += 1021 {
		if _, err := parse(whole[:n]); err == nil {
			t.Fatalf("the first %d bytes are taken for a pack", n)
		}
	}
}

func TestDamagedDataIsFoundWhenItIsRead(t *testing.T) {
	whole := tiny(t)
	f, err := parse(whole)
	if err != nil {
		t.Fatal(err)
	}
	norm, _ := f.GGUF().Tensor("output_norm.weight")
	g := &f.Groups()[1]
	whole[norm.Offset+5] ^= 4
	whole[g.Offset+int64(g.UnitBytes)-1] ^= 128 // filling counts too
	if err := f.GGUF().ReadTensor(norm, make([]byte, 4), 100); err == nil || !strings.Contains(err.Error(), "the checksum is wrong") {
		t.Errorf("the tensor: %v", err)
	}
	unit := whole[g.Offset:][:g.UnitBytes]
	if err := f.Verify(g.Offset/PageBytes, unit); err == nil || !strings.Contains(err.Error(), "the checksum is wrong") {
		t.Errorf("the unit: %v", err)
	}
	if err := f.Verify(f.Groups()[0].Offset/PageBytes, whole[f.Groups()[0].Offset:][:f.Groups()[0].UnitBytes]); err != nil {
		t.Errorf("a unit that is not damaged: %v", err)
	}
	damage, err := f.Check(context.Background(), nil)
	if err != nil || len(damage) != 2 || damage[0].Where != `tensor "output_norm.weight"` || damage[0].Offset != norm.Offset ||
		damage[1].Where != "layer 1, expert 0, unit 0 of 1" {
		t.Errorf("%+v, %v", damage, err)
	}
	if err := Unpack(context.Background(), f, filepath.Join(t.TempDir(), "m.gguf"), nil); err == nil {
		t.Error("a damaged pack is unpacked")
	}
}

func TestVerifyKnowsOnlyWholePagesOfData(t *testing.T) {
	f, err := parse(tiny(t))
	if err != nil {
		t.Fatal(err)
	}
	first, last := f.header.dataAt/PageBytes, f.Size()/PageBytes
	for _, test := range []struct {
		page  int64
		bytes int
	}{{0, PageBytes}, {first - 1, PageBytes}, {last, PageBytes}, {last - 1, 2 * PageBytes}, {first, 100}, {-1, PageBytes}, {1 << 60, PageBytes}} {
		if err := f.Verify(test.page, make([]byte, test.bytes)); err == nil || strings.Contains(err.Error(), "damaged") {
			t.Errorf("%d bytes at page %d: %v", test.bytes, test.page, err)
		}
	}
	b := make([]byte, PageBytes)
	if _, err := f.src.ReadAt(b, first*PageBytes); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { _ = f.Verify(first, b) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAPackWhoseValuesAreNotTheModelsIsFound(t *testing.T) {
	whole := tiny(t)
	f, err := parse(whole)
	if err != nil {
		t.Fatal(err)
	}
	at := f.Groups()[0].Offset
	whole[at] ^= 1
	page := (at - f.header.dataAt) / PageBytes
	le.PutUint32(whole[f.header.tableStart+4*page:], checksum(whole[at:][:PageBytes]))
	if f, err = parse(seal(whole)); err != nil {
		t.Fatal(err)
	}
	if damage, err := f.Check(context.Background(), nil); err == nil || !strings.Contains(err.Error(), "is not the model") {
		t.Errorf("%v, %v", damage, err)
	}
}

func TestOpenReadsNoData(t *testing.T) {
	whole := tiny(t)
	f, err := parse(whole)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(forbidden{bytes.NewReader(whole), f.header.dataAt}, int64(len(whole)), "m.pack"); err != nil {
		t.Error(err)
	}
}

// forbidden cannot be read from an offset on.
type forbidden struct {
	io.ReaderAt
	from int64
}

func (r forbidden) ReadAt(b []byte, off int64) (int, error) {
	if off+int64(len(b)) > r.from {
		return 0, io.ErrNoProgress
	}
	return r.ReaderAt.ReadAt(b, off)
}

func TestOpenWantsAFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Error(err)
	}
	if _, err := Open(filepath.Join(dir, "m.pack")); err == nil || strings.Contains(err.Error(), dir) {
		t.Error(err)
	}
	path := filepath.Join(dir, "here.pack")
	if err := os.WriteFile(path, tiny(t), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if of, ok := Of(f.GGUF()); !ok || of != f || !Is(path) || Is(dir) || Is("hostile_test.go") {
		t.Error("the pack is not known as one")
	}
	if _, ok := Of(model(t, "llama")); ok {
		t.Error("a GGUF file is taken for a pack")
	}
	if f.Name() != "here.pack" || f.Path() != path || f.Close() != nil || f.Close() != nil {
		t.Errorf("%s, %s", f.Name(), f.Path())
	}
}

func FuzzParse(f *testing.F) {
	whole := tiny(f)
	f.Add(whole[:PageBytes])
	f.Add(whole)
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := parse(seal(slices.Clone(b)))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "m.pack: ") {
				t.Fatalf("the error does not name the file: %v", err)
			}
			return
		}
		// What is accepted can be addressed and read, right or wrong.
		for i := range file.Groups() {
			g := &file.Groups()[i]
			unit := make([]byte, g.UnitBytes)
			for u := 0; u < g.Units; u += max(1, g.Units-1) {
				off := g.Offset + int64(u)*int64(g.UnitBytes)
				if _, err := file.src.ReadAt(unit, off); err != nil {
					t.Fatal(err)
				}
				_ = file.Verify(off/PageBytes, unit)
			}
			apart(t, g)
		}
		_, _ = file.Check(context.Background(), nil)
		_ = file.restore(context.Background(), io.Discard, nil)
	})
}
