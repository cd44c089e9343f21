package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"hotcell/models/gguf"
)

var neuronTypes = []gguf.Type{gguf.F32, gguf.F16, gguf.BF16, gguf.Q8_0, gguf.Q4_0}

// eachVariantInUse runs a test with each variant as the active one.
func eachVariantInUse(t *testing.T, test func(t *testing.T)) {
	eachVariant(t, func(t *testing.T, v ops) {
		defer func(before ops) { active = before }(active)
		active = v
		test(t)
	})
}

// neuronRow makes a random row at the end of mapped memory, codes and scales each, and its values.
func neuronRow(t *testing.T, r *rand.Rand, row NeuronRow) (w Weighted, values []float32) {
	values = make([]float32, row.Cols)
	codes := guarded(t, row.CodeBytes())
	w.Codes = unsafe.Pointer(&codes[0])
	for i := range codes {
		codes[i] = byte(r.Uint32())
	}
	switch row.Type {
	case gguf.F32:
		for i := range values {
			values[i] = float32(r.NormFloat64())
			putF32(codes[4*i:], values[i])
		}
	case gguf.F16:
		for i := range values {
			h := gguf.F32ToF16(float32(r.NormFloat64()))
			putU16(codes[2*i:], h)
			values[i] = gguf.F16ToF32(h)
		}
	case gguf.BF16:
		for i := range values {
			h := gguf.F32ToBF16(float32(r.NormFloat64()))
			putU16(codes[2*i:], h)
			values[i] = gguf.BF16ToF32(h)
		}
	default:
		scales := guarded(t, row.ScaleBytes())
		w.Scales = unsafe.Pointer(&scales[0])
		block := neuronQ4
		if row.Type == gguf.Q8_0 {
			block = neuronQ8
		}
		for b := range row.Cols / BlockCols {
			h := gguf.F32ToF16(float32(r.NormFloat64() / 16))
			putU16(scales[2*b:], h)
			for c, v := range block(w.Codes, b) {
				values[b*BlockCols+c] = gguf.F16ToF32(h) * float32(v)
			}
		}
	}
	return w, values
}

// guardedFloats is n zeros at the end of mapped memory.
func guardedFloats(t *testing.T, n int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(&guarded(t, 4*n)[0])), n)
}

func TestANeuronRowsProductIsTheSumOfItsProductsForEveryTokenCount(t *testing.T) {
	eachVariantInUse(t, func(t *testing.T) {
		for _, typ := range neuronTypes {
			for _, cols := range []int{32, 64, 7 * 32, 8 * 32, 9 * 32, 23 * 32, 1024} {
				r := newRand(uint64(cols))
				if !(NeuronRow{Type: typ}).quantized() {
					cols += 13
				}
				row := NeuronRow{typ, cols}
				w, values := neuronRow(t, r, row)
				x := NewActs(7, cols)
				x.Reset(7, cols)
				for i := range x.f {
					x.f[i] = float32(r.NormFloat64())
				}
				x.Quantize(0, 7)
				var all [7]float32
				row.DotTokens(all[:], 1, w.Codes, w.Scales, x, 0, 7)
				for token, got := range all {
					if one := row.Dot(w.Codes, w.Scales, x, token); one != got {
						t.Fatalf("%v x %d: token %d alone gives %v, among others %v", typ, cols, token, one, got)
					}
					var want, size float64
					for i, e := range x.Row(token) {
						in := float64(e)
						if row.quantized() {
							q, d, _ := record(x.record(token), cols/BlockCols)
							in = float64(q[i]) * float64(d[i/BlockCols])
						}
						want += in * float64(values[i])
						size += math.Abs(in * float64(values[i]))
					}
					if math.Abs(float64(got)-want) > size*1e-5 {
						t.Fatalf("%v x %d: token %d: %v, want %v", typ, cols, token, got, want)
					}
				}
			}
		}
	})
}

func TestANeuronRowsProductIsTheSameAloneAndAnywhereInAList(t *testing.T) {
	eachVariantInUse(t, func(t *testing.T) {
		for _, typ := range neuronTypes {
			for i, n := range []int{1, 2, 3, rowsAhead, rowsAhead + 1, 2*rowsAhead + 3} {
				cols := []int{96, 32, 128, 8 * 32, 23 * 32, 1024}[i]
				if !(NeuronRow{Type: typ}).quantized() {
					cols += 13
				}
				r := newRand(uint64(n))
				row := NeuronRow{typ, cols}
				x := NewActs(2, cols)
				x.Reset(2, cols)
				for i := range x.f {
					x.f[i] = float32(r.NormFloat64())
				}
				x.Quantize(0, 2)
				rows, want := make([]Weighted, n), make([]float32, n)
				for i := range rows {
					rows[i], _ = neuronRow(t, r, row)
					want[i] = row.Dot(rows[i].Codes, rows[i].Scales, x, 1)
				}
				for from := range rows {
					for i := range rows {
						rows[i].Coef = -1
					}
					row.Dots(rows[from:], x, 1)
					for i, w := range rows {
						if i < from && w.Coef != -1 {
							t.Fatalf("%v x %d: row %d stands before the list and was set", typ, cols, i)
						}
						if i >= from && w.Coef != want[i] {
							t.Fatalf("%v x %d: row %d is %v in a list of %d, %v alone", typ, cols, i, w.Coef, n-from, want[i])
						}
					}
				}
				row.Dots(nil, x, 1)
			}
		}
	})
}

func TestNoSumOfANeuronRowsProductOverflows(t *testing.T) {
	eachVariantInUse(t, func(t *testing.T) {
		for _, typ := range []gguf.Type{gguf.Q8_0, gguf.Q4_0} {
			const cols = 13 * BlockCols // more than a group of any variant
			row := NeuronRow{typ, cols}
			codes, scales := make([]byte, row.CodeBytes()), make([]byte, row.ScaleBytes())
			for b := range cols / BlockCols {
				putU16(scales[2*b:], gguf.F32ToF16(1))
			}
			x := NewActs(1, cols)
			x.Reset(1, cols)
			for _, code := range []byte{0x00, 0x0f, 0x7f, 0x80, 0xf0, 0xff} {
				for _, signs := range []string{"+", "-", "+-", "++--"} {
					for i := range codes {
						codes[i] = code
					}
					for i := range x.f {
						x.f[i] = map[byte]float32{'+': 127, '-': -127}[signs[i%len(signs)]]
					}
					x.Quantize(0, 1)
					dot := neuronGo.dotQ8
					if typ == gguf.Q4_0 {
						dot = neuronGo.dotQ4
					}
					want := dot(unsafe.Pointer(&codes[0]), unsafe.Pointer(&scales[0]), x.record(0), cols/BlockCols)
					got := row.Dot(unsafe.Pointer(&codes[0]), unsafe.Pointer(&scales[0]), x, 0)
					if got != want { // all of them are integers that float32 holds
						t.Fatalf("%v: codes %#x and activations %s: %v, want %v", typ, code, signs, got, want)
					}
				}
			}
		}
	})
}

func TestASumOfNeuronRowsHasTheSameBitsWhereverItsRowsStandInTheList(t *testing.T) {
	eachVariantInUse(t, func(t *testing.T) {
		for _, typ := range neuronTypes {
			for i, n := range []int{0, 1, 2, 3, 4, 5, 9} {
				cols := []int{64, 96, 32, 128, 8 * 32, 23 * 32, 1024}[i]
				if !(NeuronRow{Type: typ}).quantized() {
					cols += 13
				}
				r := newRand(uint64(n))
				row := NeuronRow{typ, cols}
				want, got, sum := make([]float64, cols), guardedFloats(t, cols), make([]float32, cols)
				rows := make([]Weighted, 5, 5+n+5) // before and behind are rows that add nothing
				for range n {
					w, values := neuronRow(t, r, row)
					w.Coef = float32(r.NormFloat64())
					rows = append(rows, w)
					for i, e := range values {
						want[i] += float64(w.Coef) * float64(e)
					}
				}
				rows = rows[:cap(rows)]
				for i := range rows {
					if rows[i].Codes == nil {
						rows[i], _ = neuronRow(t, r, row)
					}
				}
				row.Sum(sum, rows[5:5+n])
				for i := range want {
					if math.Abs(float64(sum[i])-want[i]) > 1e-4 {
						t.Fatalf("%v, %d rows, column %d: %v, want %v", typ, n, i, sum[i], want[i])
					}
				}
				for before := range 6 {
					for behind := range 6 {
						for i := range got {
							got[i] = float32(math.NaN()) // what was there counts for nothing
						}
						row.Sum(got, rows[5-before:5+n+behind])
						for i := range got {
							if got[i] != sum[i] {
								t.Fatalf("%v, %d rows behind %d and before %d, column %d: %v, alone %v", typ, n, before, behind, i, got[i], sum[i])
							}
						}
					}
				}
			}
		}
	})
}

func TestAColumnHasAScaleForEveryOutput(t *testing.T) {
	eachVariantInUse(t, func(t *testing.T) {
		for _, typ := range []gguf.Type{gguf.Q8_0, gguf.Q4_0} {
			const cols = 160
			r := newRand(9)
			codes, scales := guarded(t, NeuronRow{typ, cols}.CodeBytes()), guarded(t, 2*cols)
			for i := range codes {
				codes[i] = byte(r.Uint32())
			}
			for i := range cols {
				putU16(scales[2*i:], gguf.F32ToF16(float32(r.NormFloat64())))
			}
			w := Weighted{Codes: unsafe.Pointer(&codes[0]), Scales: unsafe.Pointer(&scales[0]), Coef: 0.75}
			got, want := guardedFloats(t, cols), make([]float32, cols)
			again := w
			again.Coef = -0.25
			NeuronRow{typ, cols}.SumColumns(got, []Weighted{w, again})
			column := neuronGo.columnQ8
			if typ == gguf.Q4_0 {
				column = neuronGo.columnQ4
			}
			column(&want[0], w.Codes, w.Scales, w.Coef, cols/BlockCols)
			column(&want[0], w.Codes, w.Scales, again.Coef, cols/BlockCols)
			for i := range want {
				if math.Abs(float64(got[i]-want[i])) > 1e-5*math.Abs(float64(want[i])) {
					t.Fatalf("%v: output %d is %v, want %v", typ, i, got[i], want[i])
				}
			}
		}
	})
}

// BenchmarkNeuronRowsInNoOrder is one core's way through lists of rows: those of a cluster's active neurons, which lie in memory in no order and are in
// no cache; beside them rows of memory in order, as all gates are read, and rows from cache, which tell what the arithmetic takes.
func BenchmarkNeuronRowsInNoOrder(b *testing.B) {
	mem := stream(b)
	for _, row := range []NeuronRow{{gguf.Q4_0, 4096}, {gguf.Q4_0, 2048}, {gguf.Q8_0, 4096}} {
		stride := row.CodeBytes() + row.ScaleBytes()
		n := len(mem) / stride
		x := NewActs(1, row.Cols)
		x.Reset(1, row.Cols)
		x.Quantize(0, 1)
		y := make([]float32, row.Cols)
		list := func(order []int) []Weighted {
			rows := make([]Weighted, len(order))
			for i, k := range order {
				p := unsafe.Pointer(&mem[k*stride])
				rows[i] = Weighted{Codes: p, Scales: unsafe.Add(p, row.CodeBytes()), Coef: 1}
			}
			return rows
		}
		inOrder, few := make([]int, n), make([]int, 256)
		for i := range inOrder {
			inOrder[i] = i
		}
		for i := range few {
			few[i] = i % 4
		}
		noOrder := list(rand.New(rand.NewPCG(1, 2)).Perm(n))
		next := 0 // where the run before ended: what it read is in the caches
		for _, place := range []struct {
			name string
			rows []Weighted
			each int // rows of a call
		}{
			{"no order", noOrder, 26}, // a tenth of a cluster of 256
			{"in order", list(inOrder), 256},
			{"cache", list(few), len(few)},
		} {
			for _, op := range []struct {
				name string
				do   func(rows []Weighted)
			}{
				{"dot", func(rows []Weighted) { row.Dots(rows, x, 0) }},
				{"sum", func(rows []Weighted) { row.Sum(y, rows) }},
			} {
				b.Run(fmt.Sprintf("%v/%d/%s/%s", row.Type, row.Cols, op.name, place.name), func(b *testing.B) {
					b.SetBytes(int64(place.each * stride))
					for b.Loop() {
						if next+place.each > len(place.rows) {
							next = 0
						}
						op.do(place.rows[next : next+place.each : next+place.each])
						next += place.each
					}
				})
			}
		}
	}
}
