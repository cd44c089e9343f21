package gguf

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The vectors in testdata/dequant are rows quantised by ggml (TYPE.raw) and
// the values its own conversion gives for them (TYPE.f32). Most end with a row
// of arbitrary bits, so that every code point occurs.
var dequantTypes = []Type{F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0,
	Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ1_S, IQ1_M, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S,
	IQ4_NL, IQ4_XS, MXFP4, TQ1_0, TQ2_0}

func vector(t testing.TB, typ Type) (src []byte, want []float32) {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("testdata", "dequant", typ.String()+".raw"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join("testdata", "dequant", typ.String()+".f32"))
	if err != nil {
		t.Fatal(err)
	}
	want = make([]float32, len(b)/4)
	for i := range want {
		want[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return src, want
}

func TestDequantizeGivesTheSameBitsAsGGML(t *testing.T) {
	for _, typ := range dequantTypes {
		t.Run(typ.String(), func(t *testing.T) {
			src, want := vector(t, typ)
			got := make([]float32, len(want))
			if err := Dequantize(typ, got, src); err != nil {
				t.Fatal(err)
			}
			for i := range want {
				if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
					t.Fatalf("element %d is %g, want %g", i, got[i], want[i])
				}
			}
		})
	}
}

func TestDequantizeOfF32CopiesTheBits(t *testing.T) {
	want := []uint32{0, 0x80000000, 1, 0x7f800000, 0x7fc00001, 0x3f800000}
	var src []byte
	for _, b := range want {
		src = binary.LittleEndian.AppendUint32(src, b)
	}
	got := make([]float32, len(want))
	if err := Dequantize(F32, got, src); err != nil {
		t.Fatal(err)
	}
	for i, b := range want {
		if math.Float32bits(got[i]) != b {
			t.Errorf("element %d is %#x, want %#x", i, math.Float32bits(got[i]), b)
		}
	}
}

func TestDequantizeRefusesWhatItCannotDo(t *testing.T) {
	for _, c := range []struct {
		name     string
		typ      Type
		dst, src int
		want     string
	}{
		{"a type of integers", I32, 4, 16, "dequantising I32 is not supported"},
		{"a type of activations", Q8_K, 256, 292, "dequantising Q8_K is not supported"},
		{"an unknown type", 1 << 31, 1, 1, "dequantising type 2147483648 is not supported"},
		{"half a block", Q4_0, 16, 9, "dequantising Q4_0: 16 elements are not whole blocks of 32"},
		{"too few bytes", Q4_0, 64, 18, "dequantising Q4_0: 64 elements take 36 bytes, not 18"},
		{"too many bytes", Q4_0, 32, 19, "dequantising Q4_0: 32 elements take 18 bytes, not 19"},
		{"nothing at all", Q4_0, 0, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Dequantize(c.typ, make([]float32, c.dst), make([]byte, c.src))
			if got := errorText(err); got != c.want {
				t.Errorf("error %q, want %q", got, c.want)
			}
		})
	}
}

func TestEveryDequantizableTypeIsKnownAndTested(t *testing.T) {
	tested := map[Type]bool{F32: true}
	for _, typ := range dequantTypes {
		tested[typ] = true
	}
	for typ := range Type(64) {
		if CanDequantize(typ) != tested[typ] {
			t.Errorf("%v: can be dequantised: %v, tested: %v", typ, CanDequantize(typ), tested[typ])
		}
		if CanDequantize(typ) && !typ.Known() {
			t.Errorf("%v has a dequantiser but no block size", typ)
		}
	}
}

func TestDequantizeAllocatesNothing(t *testing.T) {
	for _, typ := range dequantTypes {
		src, want := vector(t, typ)
		if n := testing.AllocsPerRun(10, func() { Dequantize(typ, want, src) }); n != 0 {
			t.Errorf("%v: %v allocations", typ, n)
		}
	}
}

func TestTypeNames(t *testing.T) {
	for typ, want := range map[Type]string{F32: "F32", Q4_K: "Q4_K", MXFP4: "MXFP4", 31: "Q4_0_4_4", 77: "type 77"} {
		if typ.String() != want {
			t.Errorf("type %d is called %q, want %q", uint32(typ), typ, want)
		}
	}
	for typ := range Type(64) {
		elems, bytes := typ.Block()
		if typ.Known() != (elems > 0 && bytes > 0) {
			t.Errorf("%v: known %v, block %d, %d", typ, typ.Known(), elems, bytes)
		}
		if typ.Known() && strings.HasPrefix(typ.String(), "type ") {
			t.Errorf("type %d has no name", uint32(typ))
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func BenchmarkDequantize(b *testing.B) {
	for _, typ := range dequantTypes {
		b.Run(typ.String(), func(b *testing.B) {
			src, dst := vector(b, typ)
			b.SetBytes(int64(len(dst) * 4))
			for b.Loop() {
				Dequantize(typ, dst, src)
			}
		})
	}
}
