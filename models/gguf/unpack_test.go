package gguf

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// packedTypes are the types that Unpack takes apart, with the bounds of its
// integers.
var packedTypes = []struct {
	typ      Type
	low, top int8
}{
	{Q4_0, -8, 7}, {Q4_1, 0, 15}, {Q5_0, -16, 15}, {Q5_1, 0, 31}, {Q8_0, -128, 127},
	{Q2_K, 0, 3}, {Q3_K, -4, 3}, {Q4_K, 0, 15}, {Q5_K, 0, 31}, {Q6_K, -32, 31},
	{IQ1_S, -9, 9}, {IQ1_M, -9, 9}, {IQ2_XXS, -43, 43}, {IQ2_XS, -43, 43}, {IQ2_S, -43, 43},
	{IQ3_XXS, -62, 62}, {IQ3_S, -15, 15}, {IQ4_NL, -127, 113}, {IQ4_XS, -127, 113},
	{MXFP4, -12, 12}, {TQ1_0, -1, 1}, {TQ2_0, -1, 2},
}

// parts is room for what Unpack gives.
type parts struct {
	q          []int8
	scale, min []float32
}

func newParts(elems int) parts {
	return parts{make([]int8, elems), make([]float32, elems/SubBlock), make([]float32, elems/SubBlock)}
}

func (p parts) value(i int) float32 {
	return float32(p.scale[i/SubBlock]*float32(p.q[i])) - p.min[i/SubBlock]
}

func TestUnpackedPartsMakeTheValuesOfGGML(t *testing.T) {
	for _, c := range packedTypes {
		t.Run(c.typ.String(), func(t *testing.T) {
			src, want := vector(t, c.typ)
			p := newParts(len(want))
			if err := Unpack(c.typ, p.q, p.scale, p.min, src); err != nil {
				t.Fatal(err)
			}
			for i, x := range want {
				if got := p.value(i); math.Float32bits(got) != math.Float32bits(x) {
					t.Fatalf("element %d is %g, want %g", i, got, x)
				}
			}
		})
	}
}

// Random bits reach every code, scale, sign and exponent, NaN and infinite
// scales included.
func TestEveryBlockContentUnpacksToTheValuesOfTheFormat(t *testing.T) {
	const blocks = 64
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range packedTypes {
		t.Run(c.typ.String(), func(t *testing.T) {
			elems, bytes := c.typ.Block()
			src, p, got := make([]byte, blocks*bytes), newParts(blocks*elems), make([]float32, blocks*elems)
			low, top := int8(127), int8(-128)
			for range 20 {
				for i := range src {
					src[i] = byte(random.Uint32())
				}
				for i := range p.scale { // so that nothing left as it was can pass
					p.scale[i], p.min[i] = float32(math.NaN()), float32(math.NaN())
				}
				if err := Unpack(c.typ, p.q, p.scale, p.min, src); err != nil {
					t.Fatal(err)
				}
				if err := Dequantize(c.typ, got, src); err != nil {
					t.Fatal(err)
				}
				for i := range got {
					block := src[i/elems*bytes:][:bytes]
					want := plainValue(c.typ, block, i%elems)
					if !sameBits(p.value(i), want) || !sameBits(got[i], want) {
						t.Fatalf("element %d of block %x is %g unpacked and %g dequantised, want %g",
							i%elems, block, p.value(i), got[i], want)
					}
					if !c.typ.HasMin() && p.min[i/SubBlock] != 0 {
						t.Fatalf("minimum %g in a type without minima", p.min[i/SubBlock])
					}
					low, top = min(low, p.q[i]), max(top, p.q[i])
				}
			}
			if low != c.low || top != c.top {
				t.Errorf("integers from %d to %d, want %d to %d", low, top, c.low, c.top)
			}
		})
	}
}

// sameBits lets any NaN stand for any other.
func sameBits(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

func TestBlocksUnpackAloneAsTheyDoTogether(t *testing.T) {
	for _, c := range packedTypes {
		src, want := vector(t, c.typ)
		whole := newParts(len(want))
		if err := Unpack(c.typ, whole.q, whole.scale, whole.min, src); err != nil {
			t.Fatal(err)
		}
		elems, bytes := c.typ.Block()
		for at := 0; at < len(want); at += elems {
			one := newParts(elems)
			if err := Unpack(c.typ, one.q, one.scale, one.min, src[at/elems*bytes:][:bytes]); err != nil {
				t.Fatal(err)
			}
			for i := range elems {
				if one.q[i] != whole.q[at+i] || one.value(i) != whole.value(at+i) {
					t.Fatalf("%v: element %d differs", c.typ, at+i)
				}
			}
		}
	}
}

func TestCodebooksAreWhatUnpackGivesForTheCodes(t *testing.T) {
	codes := map[Type]int{IQ4_NL: 2, IQ4_XS: 8, MXFP4: 1} // offset of the first 16 bytes of codes
	for typ := range Type(64) {
		table, ok := typ.Codebook()
		at, want := codes[typ]
		if ok != want {
			t.Errorf("%v: codebook %v, want %v", typ, ok, want)
		}
		if !ok {
			continue
		}
		elems, bytes := typ.Block()
		src, p := make([]byte, bytes), newParts(elems)
		for code := range 256 {
			for i := range 16 {
				src[at+i] = byte(code + i*17)
			}
			if err := Unpack(typ, p.q, p.scale, p.min, src); err != nil {
				t.Fatal(err)
			}
			for i := range 16 {
				b := src[at+i]
				if p.q[i] != table[b&15] || p.q[i+16] != table[b>>4] {
					t.Fatalf("%v: byte %#x gives %d and %d, want %d and %d",
						typ, b, p.q[i], p.q[i+16], table[b&15], table[b>>4])
				}
			}
		}
	}
}

func TestUnpackKnowsTheQuantisedTypesOfDequantize(t *testing.T) {
	packed := map[Type]bool{}
	for _, c := range packedTypes {
		packed[c.typ] = true
	}
	withMin := map[Type]bool{Q4_1: true, Q5_1: true, Q2_K: true, Q4_K: true, Q5_K: true}
	for typ := range Type(64) {
		number := typ == F32 || typ == F16 || typ == BF16
		if CanUnpack(typ) != packed[typ] || CanUnpack(typ) != (CanDequantize(typ) && !number) {
			t.Errorf("%v: can be unpacked: %v, listed: %v, can be dequantised: %v",
				typ, CanUnpack(typ), packed[typ], CanDequantize(typ))
		}
		if typ.HasMin() != withMin[typ] {
			t.Errorf("%v: has minima: %v", typ, typ.HasMin())
		}
	}
}

func TestUnpackRefusesWhatDoesNotFit(t *testing.T) {
	for _, c := range []struct {
		name                string
		typ                 Type
		q, scale, min, size int
		want                string
	}{
		{"a type of plain numbers", F16, 32, 2, 2, 64, "unpacking F16 is not supported"},
		{"a type of activations", Q8_K, 256, 16, 16, 292, "unpacking Q8_K is not supported"},
		{"an unknown type", 1 << 31, 0, 0, 0, 0, "unpacking type 2147483648 is not supported"},
		{"half a block", Q4_K, 128, 8, 8, 72, "unpacking Q4_K: 128 elements are not whole blocks of 256"},
		{"too few bytes", Q4_0, 64, 4, 4, 18, "unpacking Q4_0: 64 elements take 36 bytes, not 18"},
		{"too many bytes", Q4_0, 32, 2, 2, 19, "unpacking Q4_0: 32 elements take 18 bytes, not 19"},
		{"too few scales", Q4_0, 32, 1, 2, 18, "unpacking Q4_0: 32 elements have 2 scales and minima, not 1 and 2"},
		{"no minima", Q4_0, 32, 2, 0, 18, "unpacking Q4_0: 32 elements have 2 scales and minima, not 2 and 0"},
		{"too many of both", Q4_0, 32, 3, 3, 18, "unpacking Q4_0: 32 elements have 2 scales and minima, not 3 and 3"},
		{"nothing at all", Q4_0, 0, 0, 0, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := make([]byte, c.size)
			for i := range src {
				src[i] = 0x55
			}
			p := parts{make([]int8, c.q), make([]float32, c.scale), make([]float32, c.min)}
			err := Unpack(c.typ, p.q, p.scale, p.min, src)
			if got := errorText(err); got != c.want {
				t.Errorf("error %q, want %q", got, c.want)
			}
			untouched := parts{make([]int8, c.q), make([]float32, c.scale), make([]float32, c.min)}
			if fmt.Sprint(p) != fmt.Sprint(untouched) {
				t.Error("something was written")
			}
		})
	}
}

func TestUnpackAllocatesNothing(t *testing.T) {
	for _, c := range packedTypes {
		src, want := vector(t, c.typ)
		p := newParts(len(want))
		if n := testing.AllocsPerRun(10, func() { Unpack(c.typ, p.q, p.scale, p.min, src) }); n != 0 {
			t.Errorf("%v: %v allocations", c.typ, n)
		}
	}
}

// BenchmarkUnpack counts an element as a byte.
func BenchmarkUnpack(b *testing.B) {
	for _, c := range packedTypes {
		b.Run(c.typ.String(), func(b *testing.B) {
			src, want := vector(b, c.typ)
			p := newParts(len(want))
			b.SetBytes(int64(len(want)))
			for b.Loop() {
				Unpack(c.typ, p.q, p.scale, p.min, src)
			}
		})
	}
}
