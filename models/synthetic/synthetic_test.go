package synthetic

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"hotcell/models/gguf"
	"hotcell/models/token"
)

// tiny has every optional part, and rows (of 320) that K-quants do not fit.
var tiny = Shape{
	Name: "tiny", Arch: "qwen3", Layers: 2, Dim: 256, FF: 320, Heads: 4, KVHeads: 2, HeadDim: 64,
	Vocab: 300, Context: 64, HeadNorm: true, Bias: true,
}

// types are all of which weights can be made.
func types() (list []gguf.Type) {
	for t := range gguf.Type(64) {
		if CanMake(t) {
			list = append(list, t)
		}
	}
	return list
}

func written(t *testing.T, s Shape, kind gguf.Type) []byte {
	t.Helper()
	var out bytes.Buffer
	n, err := WriteTo(&out, s, kind)
	if err != nil {
		t.Fatal(err)
	}
	if n != int64(out.Len()) {
		t.Fatalf("WriteTo says %d bytes, wrote %d", n, out.Len())
	}
	return out.Bytes()
}

func opened(t *testing.T, s Shape, kind gguf.Type) *gguf.File {
	t.Helper()
	f, err := Open(s, kind)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestTheWrittenFileIsWhatOpenPresents(t *testing.T) {
	for _, kind := range types() {
		t.Run(kind.String(), func(t *testing.T) {
			s := tiny
			if err := s.check(kind); err != nil {
				t.Fatal(err)
			}
			src, err := newSource(&s, kind)
			if err != nil {
				t.Fatal(err)
			}
			want := written(t, tiny, kind)
			for _, step := range []int{len(want), 1 << 12, 777} {
				got, err := io.ReadAll(readerOf(src, step))
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Fatalf("read in pieces of %d the file differs: %d bytes, want %d", step, len(got), len(want))
				}
			}
			onDisk, err := gguf.Parse(bytes.NewReader(want), int64(len(want)), "tiny.gguf")
			if err != nil {
				t.Fatal(err)
			}
			f := opened(t, tiny, kind)
			if f.Size() != int64(len(want)) || fmt.Sprint(f.Tensors()) != fmt.Sprint(onDisk.Tensors()) {
				t.Error("the directories differ")
			}
		})
	}
}

// readerOf reads src from its start in pieces of so many bytes.
func readerOf(src *source, step int) io.Reader {
	r, w := io.Pipe()
	go func() {
		buf := make([]byte, step)
		for off := int64(0); ; {
			n, err := src.ReadAt(buf, off)
			if _, broken := w.Write(buf[:n]); broken != nil {
				return
			}
			off += int64(n)
			if err != nil {
				w.CloseWithError(err)
				return
			}
		}
	}()
	return r
}

func TestTheSameShapeAndTypeGiveTheSameBytesOnEveryMachine(t *testing.T) {
	for kind, want := range map[gguf.Type]string{
		gguf.Q4_0: "4bd6803c60b2e921",
		gguf.Q4_K: "3c09601139c08e57",
		gguf.F16:  "99344a55982e38ac",
	} {
		sum := sha256.Sum256(written(t, tiny, kind))
		if got := hex.EncodeToString(sum[:8]); got != want {
			t.Errorf("%v: %s, want %s", kind, got, want)
		}
	}
}

func TestWeightsAreFiniteWithTheWantedMeanAndDeviation(t *testing.T) {
	for _, kind := range types() {
		t.Run(kind.String(), func(t *testing.T) {
			f := opened(t, tiny, kind)
			for _, v := range f.Tensors() {
				if len(v.Dims) != 2 {
					continue
				}
				raw, values := make([]byte, v.Size), make([]float32, v.Elements())
				if err := f.ReadTensor(v, raw, 0); err != nil {
					t.Fatal(err)
				}
				if err := gguf.Dequantize(v.Type, values, raw); err != nil {
					t.Fatal(err)
				}
				var sum, squares float64
				for _, x := range values {
					sum += float64(x)
					squares += float64(x) * float64(x)
				}
				n := float64(len(values))
				mean, sigma := sum/n, math.Sqrt(squares/n)
				if math.Abs(mean) > deviation/5 || sigma < deviation/2 || sigma > deviation*2 || math.IsNaN(sigma) {
					t.Errorf("%s %v: mean %g, deviation %g", v.Name, v.Type, mean, sigma)
				}
			}
		})
	}
}

func TestRowsThatAreNoWholeBlocksGetTheQuantisersOtherType(t *testing.T) {
	f := opened(t, tiny, gguf.Q4_K)
	for name, want := range map[string]gguf.Type{
		"blk.0.ffn_gate.weight": gguf.Q4_K, // rows of 256
		"blk.0.ffn_down.weight": gguf.Q5_0, // rows of 320
	} {
		if v, _ := f.Tensor(name); v.Type != want {
			t.Errorf("%s is %v, want %v", name, v.Type, want)
		}
	}
	for _, test := range []struct {
		from gguf.Type
		cols int
		want gguf.Type
	}{
		{gguf.Q6_K, 96, gguf.Q8_0}, {gguf.Q5_K, 96, gguf.Q5_1}, {gguf.Q2_K, 96, gguf.IQ4_NL}, {gguf.Q4_0, 48, gguf.F16}, {gguf.Q4_0, 64, gguf.Q4_0}, {gguf.F32, 7, gguf.F32},
	} {
		if got := fitting(test.from, test.cols); got != test.want {
			t.Errorf("rows of %d %v become %v, want %v", test.cols, test.from, got, test.want)
		}
	}
}

func TestNoTwoRowsOfAMatrixAreTheSame(t *testing.T) {
	f := opened(t, tiny, gguf.Q8_0)
	v, _ := f.Tensor("token_embd.weight")
	seen := map[string]bool{}
	row := make([]byte, v.RowSize())
	for i := range int64(v.Rows()) {
		if err := f.ReadTensor(v, row, i*v.RowSize()); err != nil {
			t.Fatal(err)
		}
		if seen[string(row)] {
			t.Fatalf("row %d was there before", i)
		}
		seen[string(row)] = true
	}
}

func TestEveryNamedShapeOpensWithAVocabularyThatWritesAnyText(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			s, err := Find(strings.ToUpper(name))
			if err != nil {
				t.Fatal(err)
			}
			f := opened(t, s, gguf.Q4_0)
			var params uint64
			for _, v := range f.Tensors() {
				if !strings.Contains(v.Name, ".fc") { // predictors are not part of a model's nominal size
					params += v.Elements()
				}
			}
			if want := nominal[name]; math.Abs(float64(params)/want-1) > 0.01 {
				t.Errorf("%d parameters, want about %g", params, want)
			}
			tok, err := token.New(f)
			if err != nil {
				t.Fatal(err)
			}
			if tok.Size() != s.Vocab {
				t.Errorf("%d pieces, want %d", tok.Size(), s.Vocab)
			}
			const text = "Hello, world! größer 水\n"
			if got := tok.Decode(tok.Encode(text, token.EncodeOptions{})); got != text {
				t.Errorf("%q comes back as %q", text, got)
			}
		})
	}
}

// nominal is what the published models have.
var nominal = map[string]float64{
	"smollm-135m": 134.5e6, "qwen2.5-0.5b": 494e6, "qwen3-0.6b": 596e6, "tinyllama": 1.10e9, "llama-3.2-1b": 1.236e9,
	"qwen3-1.7b": 1.72e9, "gemma-2b": 2.506e9, "llama-3.2-3b": 3.213e9, "qwen3-4b": 4.022e9, "llama-2-7b": 6.738e9,
	"mistral-7b": 7.242e9, "bamboo-7b": 7.242e9, "llama-3.1-8b": 8.03e9, "qwen3-8b": 8.19e9,
}

func TestMistakesAreToldInOneSentence(t *testing.T) {
	change := func(f func(*Shape)) Shape {
		s := tiny
		f(&s)
		return s
	}
	for _, test := range []struct {
		name  string
		shape Shape
		kind  gguf.Type
		want  string
	}{
		{"a type without blocks of random bytes", tiny, gguf.I32, `the shape "tiny": random weights of type I32 cannot be made`},
		{"no layers", change(func(s *Shape) { s.Layers = 0 }), gguf.F32, `the shape "tiny": sizes go from 1 to 16777216`},
		{"heads that share unevenly", change(func(s *Shape) { s.KVHeads = 3 }), gguf.F32, `the shape "tiny": 4 heads cannot share 3 heads of keys and values evenly`},
		{"a vocabulary without all bytes", change(func(s *Shape) { s.Vocab = 258 }), gguf.F32, `the shape "tiny": a vocabulary of 258 has no room for all bytes (at least 259)`},
		{"heads of odd length", change(func(s *Shape) { s.HeadDim = 3 }), gguf.F32, `the shape "tiny": heads of length 3 are not possible`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Open(test.shape, test.kind)
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if _, err := WriteTo(io.Discard, test.shape, test.kind); err == nil {
				t.Error("WriteTo accepts it")
			}
		})
	}
	if _, err := Find("gpt-9"); err == nil || !strings.Contains(err.Error(), `there is no shape "gpt-9" (known: smollm-135m, `) {
		t.Errorf("got %v", err)
	}
}
