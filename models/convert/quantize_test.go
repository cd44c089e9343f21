package convert

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hotcell/models/gguf"
)

// testdata/quantize holds rows of float32 values, and the blocks that ggml makes of
// them (followed by a row of arbitrary bits, which is of no use here).
func TestQuantisedBlocksAreThoseOfTheReference(t *testing.T) {
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("testdata", "quantize", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	raw := read("source.f32")
	source := make([]float32, len(raw)/4)
	for i := range source {
		source[i] = math.Float32frombits(le.Uint32(raw[4*i:]))
	}
	for _, typ := range []gguf.Type{gguf.Q4_0, gguf.Q8_0, gguf.F16} {
		elems, size := typ.Block()
		got := make([]byte, len(source)/elems*size)
		if err := quantize(typ, got, source); err != nil {
			t.Fatal(err)
		}
		want := read(typ.String() + ".raw")[:len(got)]
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%v: byte %d (block %d) is %#x, want %#x", typ, i, i/size, got[i], want[i])
				break
			}
		}
	}
}

func TestQuantisingLosesNoMoreThanItsStep(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, test := range []struct {
		typ   gguf.Type
		steps float64 // from zero to the largest value
		worst float64 // error in steps: the last step of Q4_0 is missing on one side
	}{
		{gguf.Q8_0, 127, 0.51}, {gguf.Q4_0, 8, 1.01}, {gguf.F16, 2048, 1},
	} {
		elems, size := test.typ.Block()
		block := max(elems, blockElements)
		for range 2000 {
			src, back := make([]float32, block), make([]float32, block)
			scale := math.Exp(r.Float64()*10 - 8)
			var amax float64
			for i := range src {
				src[i] = float32(r.NormFloat64() * scale)
				amax = max(amax, math.Abs(float64(src[i])))
			}
			raw := make([]byte, block/elems*size)
			if err := quantize(test.typ, raw, src); err != nil {
				t.Fatal(err)
			}
			if err := gguf.Dequantize(test.typ, back, raw); err != nil {
				t.Fatal(err)
			}
			// The scale is rounded too: to 11 bits, and at most to the last bit of a half.
			limit := amax/test.steps*test.worst + amax/2048 + test.steps*0x1p-25
			for i := range src {
				if d := math.Abs(float64(src[i] - back[i])); d > limit {
					t.Fatalf("%v: %g comes back as %g, %g off; the largest value is %g", test.typ, src[i], back[i], d, amax)
				}
			}
		}
	}
}

func TestBlocksAtTheEdgesOfTheFormats(t *testing.T) {
	block := func(v ...float32) []float32 {
		b := make([]float32, 32)
		copy(b, v)
		return b
	}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, test := range []struct {
		name string
		typ  gguf.Type
		src  []float32
		err  string
	}{
		{"zeros", gguf.Q4_0, block(), ""},
		{"zeros", gguf.Q8_0, block(), ""},
		{"values whose scale is no F16 any more", gguf.Q4_0, block(1e-40, -1e-45), ""},
		{"values whose scale is no F16 any more", gguf.Q8_0, block(1e-44), ""},
		{"an infinity", gguf.Q4_0, block(1, inf), "+Inf"},
		{"a NaN", gguf.Q4_0, block(1, nan), "NaN"},
		{"a NaN", gguf.Q8_0, block(nan), "NaN"},
		{"a NaN", gguf.F32, block(nan), "NaN"},
		{"a value too large for F16", gguf.F16, block(70000), "F16 cannot"},
		{"a scale too large for F16", gguf.Q4_0, block(1e6), "too large"},
		{"a scale too large for F16", gguf.Q8_0, block(1e8), "too large"},
		{"the largest of F16", gguf.F16, block(65504, -65504), ""},
	} {
		elems, size := test.typ.Block()
		raw := make([]byte, 32/elems*size)
		err := quantize(test.typ, raw, test.src)
		if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s as %v: error %v, want %q", test.name, test.typ, err, test.err)
		}
		if err != nil {
			continue
		}
		back := make([]float32, 32)
		if err := gguf.Dequantize(test.typ, back, raw); err != nil {
			t.Fatal(err)
		}
		for i := range back {
			if math.Abs(float64(back[i]-test.src[i])) > 1e-6 {
				t.Errorf("%s as %v: %g comes back as %g", test.name, test.typ, test.src[i], back[i])
			}
		}
	}
}

func TestEncodingOnManyCoresGivesTheSameBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const rows, cols = 1031, 256
	src := make([]float32, rows*cols)
	for i := range src {
		src[i] = float32(r.NormFloat64())
	}
	rowBytes := cols / 32 * 18
	one, many := make([]byte, rows*rowBytes), make([]byte, rows*rowBytes)
	if err := quantize(gguf.Q4_0, one, src); err != nil {
		t.Fatal(err)
	}
	if err := encode(gguf.Q4_0, many, src, rowBytes, cols); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one, many) {
		t.Error("the bytes differ")
	}
}
