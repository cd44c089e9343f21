package infer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"hotcell/infer/kernel"
	"hotcell/infer/workers"
	"hotcell/models/gguf"
	"hotcell/models/pack"
	"hotcell/models/token"
)

// A sketch predicts a layer's active neurons without a trained predictor: it is the gate matrix itself in about 2 bits a weight, so its products are
// the gates' but for an error, at half the bytes or less. A neuron is taken for active when its sketched product reaches the layer's margin,
// which lies below zero by as much as it takes to find nearly all neurons that a sample text makes active (see calibrate).

// sketchRecall is the share of active neurons of the sample text that the margin must let through.
const sketchRecall = 0.99

// sketchTokens is how much of the sample text is used; with 10 % active a layer of 4096 neurons gives some 26,000 samples.
const sketchTokens = 64

// sketchType is the format of a sketch: Q2_K, 2.6 bits a weight, or for widths that have no whole blocks of it Q4_0.
func sketchType(dim int) gguf.Type {
	if dim%256 == 0 {
		return gguf.Q2_K
	}
	return gguf.Q4_0
}

// sketchOf plans a layer's sketch.
func (ld *loader) sketchOf(f *feedForward, g *pack.Group) {
	if g.Dim%kernel.BlockCols != 0 {
		ld.fail("the file brings no predictor, and none can be made for a width of %d", g.Dim)
		return
	}
	format, _ := kernel.FormatOf(sketchType(g.Dim))
	f.sketch = kernel.Matrix{Format: format, Rows: g.Neurons, Cols: g.Dim}
	f.sketch.Data = ld.take(kernel.MatrixBytes(format, g.Neurons, g.Dim))
}

// predicts tells whether a layer that is computed by neuron has a predictor that is asked: the file's, or a sketch.
func (f *feedForward) predicts() bool { return f.predict1.Rows > 0 || f.sketch.Rows > 0 }

// scorer is the matrix that gives a predictor's scores, a row for each position.
func (f *feedForward) scorer() *kernel.Matrix {
	if f.sketch.Rows > 0 {
		return &f.sketch
	}
	return &f.predict2
}

// sketcher fills sketches; one for each worker.
type sketcher struct {
	row    []float32 // [dim]
	blocks []byte    // a panel of rows in the sketch's file type
}

func newSketcher(dim int) *sketcher {
	elems, size := sketchType(dim).Block()
	return &sketcher{make([]float32, dim), make([]byte, kernel.PanelRows*(dim/elems*size))}
}

// panel sketches the gate rows of positions 16p and following; at says where a position's unit is.
func (k *sketcher) panel(f *feedForward, p int, at func(pos int) unit) error {
	n := f.neurons
	rowBytes := len(k.blocks) / kernel.PanelRows
	first, last := p*kernel.PanelRows, min(n.group.Neurons, (p+1)*kernel.PanelRows)
	for pos := first; pos < last; pos++ {
		codes, scales := n.row(&n.group.Gate, at(pos), pos)
		n.gate.Floats(k.row, codes, scales)
		sketchRow(k.blocks[(pos-first)*rowBytes:][:rowBytes], k.row)
	}
	return f.sketch.Pack(p, sketchType(n.group.Dim), k.blocks[:(last-first)*rowBytes])
}

// sketchRow rounds a row to its sketch, in the file type's blocks.
func sketchRow(dst []byte, row []float32) {
	if len(row)%256 != 0 {
		for b := range len(row) / kernel.BlockCols {
			sketchQ4(dst[b*18:][:18], row[b*kernel.BlockCols:][:kernel.BlockCols])
		}
		return
	}
	for b := range len(row) / 256 {
		sketchQ2(dst[b*84:][:84], row[b*256:][:256])
	}
}

// sketchQ4 makes a Q4_0 block: f16 scale, 16 bytes of nibbles.
func sketchQ4(dst []byte, x []float32) {
	var top float32
	for _, v := range x {
		top = max(top, v, -v)
	}
	d := gguf.F32ToF16(top / 7)
	dst[0], dst[1] = byte(d), byte(d>>8)
	inv := inverse(gguf.F16ToF32(d))
	code := func(v float32) byte { return byte(min(15, max(0, roundToInt(v*inv)+8))) }
	for i := range 16 {
		dst[2+i] = code(x[i]) | code(x[i+16])<<4
	}
}

// sketchQ2 makes a Q2_K block: 16 bytes of scales and minima by 16 weights, 64 bytes of 2-bit codes, f16 d and dmin. A weight is
// d*scale*code - dmin*minimum. Codes of weights 0..31 lie in the lowest bits of bytes 0..31, of the next 32 in the next bits, and so on; weights 128
// and following in bytes 32 and following.
func sketchQ2(dst []byte, x []float32) {
	var steps, lows [16]float32
	var topStep, topLow float32
	for s := range steps {
		low, high := x[16*s], x[16*s]
		for _, v := range x[16*s:][:16] {
			low, high = min(low, v), max(high, v)
		}
		// The extremes are rare in 16 weights of a bell curve: steps that reach a little less far have the smaller error.
		low, high = min(0, low*0.9), high*0.9
		steps[s], lows[s] = max(0, high-low)/3, -low
		topStep, topLow = max(topStep, steps[s]), max(topLow, lows[s])
	}
	d, dmin := gguf.F32ToF16(topStep/15), gguf.F32ToF16(topLow/15)
	clear(dst)
	dst[80], dst[81], dst[82], dst[83] = byte(d), byte(d>>8), byte(dmin), byte(dmin>>8)
	step, low := gguf.F16ToF32(d), gguf.F16ToF32(dmin)
	invStep, invLow := inverse(step), inverse(low)
	for s := range steps {
		scale, minimum := min(15, roundToInt(steps[s]*invStep)), min(15, roundToInt(lows[s]*invLow))
		dst[s] = byte(scale) | byte(minimum)<<4
		inv := inverse(step * float32(scale))
		for i, v := range x[16*s:][:16] {
			code := byte(min(3, max(0, roundToInt((v+low*float32(minimum))*inv))))
			at := 16*s + i
			dst[16+at/128*32+at%32] |= code << (at % 128 / 32 * 2)
		}
	}
}

func inverse(v float32) float32 {
	if v == 0 {
		return 0
	}
	return 1 / v
}

func roundToInt(v float32) int {
	if v < 0 {
		return int(v - 0.5)
	}
	return int(v + 0.5)
}

// sketchGates fills all layers' sketches, on all workers, in one walk through the clusters.
func (e *engine) sketchGates() error {
	flash := e.sparse.flash
	flash.beginBatch()
	errs := make([]error, e.pool.Size())
	e.pool.Run(func(w *workers.Worker) {
		k := newSketcher(e.h.dim)
		for l := range e.w.layers {
			if !e.byNeurons(l) {
				continue
			}
			f := e.w.layers[l].ffn
			for c := range f.neurons.clusters() {
				if !flash.fetch(w, f.neurons, c) {
					return
				}
				first, last := f.neurons.clusterSpan(c)
				lo, hi := w.Split((last - first + kernel.PanelRows - 1) / kernel.PanelRows)
				for p := lo; p < hi && f.predicts() && errs[w.ID] == nil; p++ {
					errs[w.ID] = k.panel(f, first/kernel.PanelRows+p, func(pos int) unit { return flash.unitOf(f.neurons, first, pos) })
				}
				flash.release(w, f.neurons)
			}
		}
	})
	return errors.Join(append(errs, flash.endBatch())...)
}

// calibration collects the sketched products of active neurons.
type calibration struct {
	scores  []buffer      // per worker: [chunkTokens][ff]
	samples [][][]float32 // [layer][worker]
}

// makeSketches makes the predictors that the file does not bring; threshold, if not nil, is taken for every layer's margin.
func (e *engine) makeSketches(ctx context.Context, f *gguf.File, threshold *float32) error {
	if err := e.sketchGates(); err != nil {
		return err
	}
	if threshold == nil {
		return e.calibrate(ctx, f)
	}
	for l := range e.w.layers {
		if e.byNeurons(l) {
			e.w.layers[l].ffn.margin = *threshold
		}
	}
	return nil
}

// calibrate runs a sample text through the model and sets each layer's margin. What the KV cache held is gone.
func (e *engine) calibrate(ctx context.Context, f *gguf.File) error {
	ids := sampleText(f, e.h.vocab, min(sketchTokens, e.kv.context))
	c := &calibration{samples: make([][][]float32, len(e.w.layers))}
	for l := range c.samples {
		c.samples[l] = make([][]float32, e.pool.Size())
	}
	ff := 0
	for l := range e.w.layers {
		if e.byNeurons(l) {
			ff = max(ff, e.w.layers[l].ffn.ff())
		}
	}
	for range e.pool.Size() {
		c.scores = append(c.scores, newBuffer(chunkTokens, ff))
	}
	e.sparse.calibration = c
	_, _, err := e.eval(ctx, ids, 0, nil, nil)
	e.sparse.calibration = nil
	if err != nil {
		return fmt.Errorf("%s: calibrating the predictor: %w", f.Name(), err)
	}
	for l, byWorker := range c.samples {
		if all := slices.Concat(byWorker...); len(all) > 0 {
			slices.Sort(all)
			e.w.layers[l].ffn.margin = all[int(float64(len(all))*(1-sketchRecall))]
		}
	}
	return nil
}

// sampleText is the first tokens of the text that activity is counted over, or where the file brings no tokenizer tokens spread over the
// vocabulary.
func sampleText(f *gguf.File, vocab, n int) []int32 {
	if tok, err := token.New(f); err == nil {
		if ids := tok.Encode(pack.SampleText, token.EncodeOptions{BOS: tok.AddBOS()}); len(ids) >= n {
			return ids[:n]
		}
	}
	return randomTokens(n, vocab)
}

// sample notes the sketched products of a token's active neurons of a cluster; gates are the cluster's activations [positions][chunkTokens].
func (c *calibration) sample(w *workers.Worker, l int, n *neurons, first, last, tokens int, gates []float32) {
	for pos := first; pos < last; pos++ {
		for t, a := range gates[(pos-first)*chunkTokens:][:tokens] {
			if a != 0 {
				c.samples[l][w.ID] = append(c.samples[l][w.ID], c.scores[w.ID].row(t, n.group.Neurons)[pos])
			}
		}
	}
}
