package convert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"hotcell/models/gguf"
)

// matrixFile is a file that holds rows x cols values 0, 1, 2, ... as F32.
func matrixFile(t *testing.T, rows, cols int) weight {
	t.Helper()
	var data []byte
	for i := range rows * cols {
		data = le.AppendUint32(data, uint32(0))
		if err := encodeF32(data[4*i:], []float32{float32(i)}); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "m")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return weight{sourceTensor{name: "w", dtype: f32, shape: []uint64{uint64(rows), uint64(cols)}, size: int64(len(data))}, &shard{"m", file}}
}

func TestRowsComeInTheOrderThatIsAskedForWhateverThePieces(t *testing.T) {
	const rows, cols, headDim = 24, 7, 6
	for _, test := range []struct {
		order  order
		source func(row, col int) int // index of the value that belongs there
	}{
		{asIs, func(r, c int) int { return r*cols + c }},
		{transposed, func(r, c int) int { return c*rows + r }},
		{interleaved, func(r, c int) int {
			head, j, half := r/headDim, r%headDim/2, r%2
			return (head*headDim+half*headDim/2+j)*cols + c
		}},
	} {
		w := matrixFile(t, rows, cols)
		p := part{weight: w, rows: rows, cols: cols, order: test.order, headDim: headDim}
		for _, piece := range []int{1, 7, 15, 50, 1 << 20} {
			var got bytes.Buffer
			s := &stream{ctx: t.Context(), piece: piece}
			if err := s.part(&got, gguf.F32, &p); err != nil {
				t.Fatal(err)
			}
			var want bytes.Buffer
			for r := range rows {
				for c := range cols {
					raw := make([]byte, 4)
					encodeF32(raw, []float32{float32(test.source(r, c))})
					want.Write(raw)
				}
			}
			if !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Errorf("order %d in pieces of %d: wrong values", test.order, piece)
			}
		}
	}
}

func TestAShardThatShrinksIsTold(t *testing.T) {
	w := matrixFile(t, 4, 4)
	if err := os.Truncate(w.shard.file.Name(), 40); err != nil {
		t.Fatal(err)
	}
	err := (&stream{ctx: t.Context(), piece: 8}).part(&bytes.Buffer{}, gguf.F32, &part{weight: w, rows: 4, cols: 4})
	if err == nil || !strings.Contains(err.Error(), "the file ends within the tensor w") {
		t.Error(err)
	}
}

func TestAConversionNeedsLittleMemoryHoweverLargeTheModel(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 80 MB")
	}
	f := newFolder("LlamaForCausalLM", func(f *folder, c object) { c["tie_word_embeddings"] = true })
	const dim, vocab, ff = 2048, 40_000, 8192
	f.config["hidden_size"], f.config["vocab_size"], f.config["intermediate_size"], f.config["num_hidden_layers"] = dim, vocab, ff, 1
	f.config["hidden_act"] = "relu" // so that the down matrix is transposed
	f.tensors = map[string]tensor{}
	dir := f.write(t)
	var header strings.Builder
	offset := 0
	add := func(name string, shape ...int) {
		n := 2
		dims := ""
		for i, d := range shape {
			n *= d
			dims += strings.Repeat(",", min(i, 1)) + fmt.Sprint(d)
		}
		fmt.Fprintf(&header, `,"%s":{"dtype":"BF16","shape":[%s],"data_offsets":[%d,%d]}`, name, dims, offset, offset+n)
		offset += n
	}
	const p = "model.layers.0."
	add("model.embed_tokens.weight", vocab, dim)
	add("model.norm.weight", dim)
	add(p+"input_layernorm.weight", dim)
	add(p+"post_attention_layernorm.weight", dim)
	add(p+"self_attn.q_proj.weight", dim, dim)
	add(p+"self_attn.k_proj.weight", dim/2, dim)
	add(p+"self_attn.v_proj.weight", dim/2, dim)
	add(p+"self_attn.o_proj.weight", dim, dim)
	add(p+"mlp.gate_proj.weight", ff, dim)
	add(p+"mlp.up_proj.weight", ff, dim)
	add(p+"mlp.down_proj.weight", dim, ff)
	text := "{" + header.String()[1:] + "}"
	path := filepath.Join(dir, singleFile)
	if err := os.WriteFile(path, append(le.AppendUint64(nil, uint64(len(text))), text...), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(8+len(text)+offset)); err != nil { // a hole: all zeros
		t.Fatal(err)
	}

	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var most uint64
	err := Convert(t.Context(), dir, filepath.Join(t.TempDir(), "m.gguf"), Options{Progress: func(_, _ int64) {
		runtime.ReadMemStats(&now)
		most = max(most, now.HeapInuse)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d MB of weights took %d MB of heap", offset>>20, (most-min(most, before.HeapInuse))>>20)
	if most > before.HeapInuse+128<<20 {
		t.Errorf("the heap grew by %d MB", (most-before.HeapInuse)>>20)
	}
}

func TestCancellingLeavesNothingBehind(t *testing.T) {
	dir, folder := newFolder("LlamaForCausalLM", nil).write(t), t.TempDir()
	ctx, cancel := cancelable(t)
	calls := 0
	err := Convert(ctx, dir, filepath.Join(folder, "m.gguf"), Options{Progress: func(done, total int64) {
		if calls++; calls == 5 {
			cancel()
		}
	}})
	if !errors.Is(err, ctx.Err()) || calls != 5 {
		t.Errorf("error %v after %d pieces", err, calls)
	}
	if left, _ := os.ReadDir(folder); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func cancelable(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, cancel
}
