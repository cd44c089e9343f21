package infer

import (
	"context"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"hotcell/models/builtin"
	"hotcell/models/gguf"
	"hotcell/models/pack"
)

// withoutPredictor is the built-in model without the tensors of its predictor.
func withoutPredictor(t testing.TB) func() (*gguf.File, error) {
	t.Helper()
	src, err := builtin.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	w := gguf.NewWriter()
	for _, key := range src.Keys() {
		v, _ := src.Value(key)
		w.Set(key, v)
	}
	for _, x := range src.Tensors() {
		if strings.Contains(x.Name, ".fc") {
			continue
		}
		data := make([]byte, x.Size)
		if err := src.ReadTensor(x, data, 0); err != nil {
			t.Fatal(err)
		}
		w.AddTensor(x.Name, x.Type, x.Dims, func(out io.Writer) error {
			_, err := out.Write(data)
			return err
		})
	}
	path := t.TempDir() + "/plain.gguf"
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteTo(file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return func() (*gguf.File, error) { return gguf.Open(path) }
}

func perplexity(t *testing.T, open func() (*gguf.File, error), m Mode) (value float64, st Stats) {
	t.Helper()
	s := opened(t, open, Config{Threads: 2, Mode: m})
	p, err := s.Perplexity(context.Background(), pack.SampleText[:5000], 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p.Value(), s.Stats()
}

func TestPredictionsCostLittlePerplexityAndFindNearlyAllActiveNeurons(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute in instrumented runs")
	}
	plain := withoutPredictor(t)
	for name, open := range map[string]func() (*gguf.File, error){"the file's predictor": builtin.Open, "a sketch of the gate": plain} {
		t.Run(name, func(t *testing.T) {
			dense, _ := perplexity(t, open, ModeDense)
			predicted, st := perplexity(t, open, ModePredicted)
			recall, ok := st.Recall()
			active, _ := st.ActiveShare()
			t.Logf("perplexity %.2f, dense %.2f (%+.2f %%), recall %.1f %%, %.1f %% active", predicted, dense, 100*(predicted/dense-1), 100*recall, 100*active)
			if math.Abs(predicted/dense-1) > 0.02 {
				t.Errorf("perplexity %.2f, dense %.2f", predicted, dense)
			}
			if !ok || recall < 0.9 {
				t.Errorf("recall %v, %v", recall, ok)
			}
		})
	}
}

func TestASketchIsNearTheRow(t *testing.T) {
	for _, cols := range []int{256, 512, 96} {
		row := make([]float32, cols)
		var size, off float64
		for i := range row {
			row[i] = float32(math.Sin(float64(i*i))) * 0.05
		}
		elems, bytes := sketchType(cols).Block()
		blocks := make([]byte, cols/elems*bytes)
		sketchRow(blocks, row)
		got := make([]float32, cols)
		if err := gguf.Dequantize(sketchType(cols), got, blocks); err != nil {
			t.Fatal(err)
		}
		for i, v := range row {
			size += float64(v) * float64(v)
			off += float64(v-got[i]) * float64(v-got[i])
		}
		if share := math.Sqrt(off / size); share > 0.4 {
			t.Errorf("%d columns: the sketch is off by %.0f %%", cols, 100*share)
		}
	}
}
