package kernel

import (
	"fmt"
	"unsafe"

	"hotcell/models/gguf"
)

// NeuronRow is the shape of one row of weights as a pack stores it: the codes of all columns, and apart from them the scales, so that both can
// lie where a page has room. Codes are those of the file type, in its order: in Q4_0 a byte holds columns c and c+16 of a block of 32. Types
// without blocks have no scales.
//
// The sparse feed-forward layers touch single rows, those of active neurons, in an order that no panel could have; so the operations here
// work on one row, or a few, wherever they lie. Each row's result has the same bits however many rows or tokens are computed in one call.
type NeuronRow struct {
	Type gguf.Type // F32, F16, BF16, Q8_0 or Q4_0; the others panic
	Cols int       // a multiple of 32 for the types with blocks
}

// NeuronType tells whether a file type can be used as neuron rows.
func NeuronType(t gguf.Type) bool {
	switch t {
	case gguf.F32, gguf.F16, gguf.BF16, gguf.Q8_0, gguf.Q4_0:
		return true
	}
	return false
}

// Weighted is a row with the factor that it is added with, which may be the product that Dots found for it.
type Weighted struct {
	Codes, Scales unsafe.Pointer // scales [cols/32] f16, nil for types without
	Coef          float32
}

// neuronOps is one variant's operations on neuron rows. x and records are as in [ops]; blocks is at least 1.
type neuronOps struct {
	dotQ8    func(codes, scales, x unsafe.Pointer, blocks int) float32
	dotQ4    func(codes, scales, x unsafe.Pointer, blocks int) float32
	dotsQ8   func(rows *Weighted, n int, x unsafe.Pointer, blocks int) // sets coefficients of n >= 1 rows: each one's bits are dot's
	dotsQ4   func(rows *Weighted, n int, x unsafe.Pointer, blocks int)
	tileQ8   func(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int) // each token's bits are dot's
	tileQ4   func(y *[Tile]float32, codes, scales, x unsafe.Pointer, xStride uintptr, blocks int)
	sumQ8    func(y *float32, rows *Weighted, n, blocks int) // sets y; adds n >= 1 rows one after the other
	sumQ4    func(y *float32, rows *Weighted, n, blocks int)
	columnQ8 func(y *float32, codes, scales unsafe.Pointer, a float32, blocks int) // scales [blocks*32] f16, one for each output
	columnQ4 func(y *float32, codes, scales unsafe.Pointer, a float32, blocks int)
	dotBF16  func(x *float32, w unsafe.Pointer, n int) float32 // n >= 1, any
	axpyBF16 func(y *float32, w unsafe.Pointer, a float32, n int)
	prefetch func(p unsafe.Pointer, bytes int) // asks for the cache lines from p on; bytes is at least 1
}

var neuronGo = neuronOps{
	dotQ8: neuronDotGo(neuronQ8), dotQ4: neuronDotGo(neuronQ4),
	dotsQ8: neuronDotsGo(neuronQ8), dotsQ4: neuronDotsGo(neuronQ4),
	tileQ8: neuronTileGo(neuronQ8), tileQ4: neuronTileGo(neuronQ4),
	sumQ8: neuronSumGo(neuronQ8), sumQ4: neuronSumGo(neuronQ4),
	columnQ8: neuronColumnGo(neuronQ8), columnQ4: neuronColumnGo(neuronQ4),
	dotBF16: dotBF16Go, axpyBF16: axpyBF16Go,
	prefetch: prefetchGo,
}

// CodeBytes and ScaleBytes are the sizes of a row's two parts.
func (r NeuronRow) CodeBytes() int {
	switch r.Type {
	case gguf.Q4_0:
		return r.Cols / 2
	case gguf.Q8_0:
		return r.Cols
	}
	_, size := r.Type.Block()
	return r.Cols * size
}

// ScaleBytes is the size of a row's scales, 0 for types without.
func (r NeuronRow) ScaleBytes() int {
	if r.quantized() {
		return r.Cols / BlockCols * 2
	}
	return 0
}

func (r NeuronRow) quantized() bool { return r.Type == gguf.Q4_0 || r.Type == gguf.Q8_0 }

// Dot is the product of a row with token t of x. The types with blocks need x.Quantize before.
func (r NeuronRow) Dot(codes, scales unsafe.Pointer, x *Acts, t int) float32 {
	switch r.Type {
	case gguf.F32:
		return active.dotF32(&x.f[t*x.Cols], codes, r.Cols)
	case gguf.F16:
		return active.dotF16(&x.f[t*x.Cols], codes, r.Cols)
	case gguf.BF16:
		return active.neuron.dotBF16(&x.f[t*x.Cols], codes, r.Cols)
	case gguf.Q8_0:
		return active.neuron.dotQ8(codes, scales, x.record(t), r.Cols/BlockCols)
	case gguf.Q4_0:
		return active.neuron.dotQ4(codes, scales, x.record(t), r.Cols/BlockCols)
	}
	panic(r.unknown())
}

// Dots sets the coefficient of each of the rows to its product with token t of x, with the bits of Dot. The types with blocks need x.Quantize before.
// Rows are asked for ahead of their use, wherever they lie: two calls for the halves of a list are slower than one.
func (r NeuronRow) Dots(rows []Weighted, x *Acts, t int) {
	if len(rows) == 0 {
		return
	}
	r.begin(rows)
	switch r.Type {
	case gguf.Q8_0:
		active.neuron.dotsQ8(&rows[0], len(rows), x.record(t), r.Cols/BlockCols)
	case gguf.Q4_0:
		active.neuron.dotsQ4(&rows[0], len(rows), x.record(t), r.Cols/BlockCols)
	default:
		for i := range rows {
			r.ahead(rows[i:])
			rows[i].Coef = r.Dot(rows[i].Codes, rows[i].Scales, x, t)
		}
	}
}

// rowsAhead is how many rows before its use one of a list is asked for.
const rowsAhead = 6

// begin asks for the first rows of a list, which no row before them could, and ahead for the one that comes rowsAhead after the first.
func (r NeuronRow) begin(rows []Weighted) {
	for i := range min(rowsAhead, len(rows)) {
		r.prefetch(&rows[i])
	}
}

func (r NeuronRow) ahead(rows []Weighted) {
	if rowsAhead < len(rows) {
		r.prefetch(&rows[rowsAhead])
	}
}

func (r NeuronRow) prefetch(w *Weighted) {
	active.neuron.prefetch(w.Codes, r.CodeBytes())
	if n := r.ScaleBytes(); n > 0 {
		active.neuron.prefetch(w.Scales, n)
	}
}

// DotTokens is Dot for tokens lo to hi-1: y[(t-lo)*stride] is that of token t.
func (r NeuronRow) DotTokens(y []float32, stride int, codes, scales unsafe.Pointer, x *Acts, lo, hi int) {
	t := lo
	if r.quantized() {
		tile := active.neuron.tileQ8
		if r.Type == gguf.Q4_0 {
			tile = active.neuron.tileQ4
		}
		blocks := r.Cols / BlockCols
		var out [Tile]float32
		for ; t+Tile <= hi; t += Tile {
			tile(&out, codes, scales, x.record(t), uintptr(actRecordBytes(blocks)), blocks)
			for i, v := range out {
				y[(t-lo+i)*stride] = v
			}
		}
	}
	for ; t < hi; t++ {
		y[(t-lo)*stride] = r.Dot(codes, scales, x, t)
	}
}

// Sum sets y [Cols] to the sum of coef * row over the rows, added to zero one at a time in their order.
func (r NeuronRow) Sum(y []float32, rows []Weighted) {
	y = y[:r.Cols]
	if !r.quantized() || len(rows) == 0 {
		clear(y)
	}
	if len(rows) == 0 {
		return
	}
	r.begin(rows)
	if !r.quantized() {
		for i := range rows {
			r.ahead(rows[i:])
			switch w := &rows[i]; r.Type {
			case gguf.F32:
				active.axpyF32(&y[0], w.Codes, w.Coef, r.Cols)
			case gguf.F16:
				active.axpyF16(&y[0], w.Codes, w.Coef, r.Cols)
			case gguf.BF16:
				active.neuron.axpyBF16(&y[0], w.Codes, w.Coef, r.Cols)
			default:
				panic(r.unknown())
			}
		}
		return
	}
	sum := active.neuron.sumQ8
	if r.Type == gguf.Q4_0 {
		sum = active.neuron.sumQ4
	}
	sum(&y[0], &rows[0], len(rows), r.Cols/BlockCols)
}

// SumColumns sets each y[j] to the sum of coef * codes[j] * scales[j] over the columns, in order, for a matrix whose blocks run along its rows: every output
// has a scale of its own, scales [Cols] f16, which neighbouring columns share. Types without blocks are added as they are.
func (r NeuronRow) SumColumns(y []float32, columns []Weighted) {
	if !r.quantized() {
		r.Sum(y, columns)
		return
	}
	clear(y[:r.Cols])
	column := active.neuron.columnQ8
	if r.Type == gguf.Q4_0 {
		column = active.neuron.columnQ4
	}
	for i := range columns {
		if i+1 < len(columns) {
			active.neuron.prefetch(columns[i+1].Codes, r.CodeBytes())
		}
		w := &columns[i]
		column(&y[0], w.Codes, w.Scales, w.Coef, r.Cols/BlockCols)
	}
}

func (r NeuronRow) unknown() string { return fmt.Sprintf("kernel: no neuron rows of type %v", r.Type) } // a caller that did not ask NeuronType

// record is token t's 8-bit record.
func (a *Acts) record(t int) unsafe.Pointer {
	return unsafe.Pointer(&a.q[t*actRecordBytes(a.Cols/BlockCols)])
}

// Floats writes the values of a row to dst [Cols].
func (r NeuronRow) Floats(dst []float32, codes, scales unsafe.Pointer) {
	r.Sum(dst, []Weighted{{Codes: codes, Scales: scales, Coef: 1}})
}
