package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"hotcell/models/gguf"
)

// near tells whether got is want as far as float32 sums of terms of that size can be; where want is not finite, got must not be either.
func near(got, want float32, size float64) error {
	g, w := float64(got), float64(want)
	if finite := !math.IsInf(w, 0) && !math.IsNaN(w); finite != (!math.IsInf(g, 0) && !math.IsNaN(g)) ||
		finite && !(math.Abs(g-w) <= size*1e-5+0x1p-140) {
		return fmt.Errorf("%v, want %v of size %.3g", got, want, size)
	}
	return nil
}

// checkNeuronRow compares the operations of the variant in use with their references on a row, four tokens and some rows of one filling.
func checkNeuronRow(t *testing.T, k *filling, r *rand.Rand, typ gguf.Type, blocks int) {
	t.Helper()
	row := NeuronRow{typ, blocks * BlockCols}
	block, ref := neuronQ4, neuronOps{dotQ8: neuronGo.dotQ4, sumQ8: neuronGo.sumQ4, columnQ8: neuronGo.columnQ4}
	format, sum := Q4, active.neuron.sumQ4
	if typ == gguf.Q8_0 {
		block, ref, format, sum = neuronQ8, neuronGo, Q8, active.neuron.sumQ8
	}
	var rows [7]Weighted // four and three
	for i := range rows {
		codes, scales := guarded(t, row.CodeBytes()), guarded(t, row.ScaleBytes())
		for j := range codes {
			codes[j] = k.code(r, j)
		}
		for b := range blocks {
			putU16(scales[2*b:], k.scale(r))
		}
		rows[i] = Weighted{unsafe.Pointer(&codes[0]), unsafe.Pointer(&scales[0]), k.x(r)}
	}

	x := NewActs(Tile, row.Cols)
	x.Reset(Tile, row.Cols)
	for token := range Tile {
		k.fillInput(r, format, blocks, x.q[token*actRecordBytes(blocks):][:actRecordBytes(blocks)])
	}
	w := rows[0]
	var tile [Tile]float32
	row.DotTokens(tile[:], 1, w.Codes, w.Scales, x, 0, Tile)
	for token, got := range tile {
		if one := row.Dot(w.Codes, w.Scales, x, token); !sameFloat(got, one) {
			t.Fatalf("%v, %d blocks, %s: token %d alone gives %v, among others %v", typ, blocks, k.name, token, one, got)
		}
		var size float64
		q, d, _ := record(x.record(token), blocks)
		for b := range blocks {
			for c, v := range block(w.Codes, b) {
				size += (math.Abs(float64(v)) + 8) * math.Abs(float64(q[b*BlockCols+c])) * math.Abs(float64(halfAt(w.Scales, b))) * math.Abs(float64(d[b]))
			}
		}
		if err := near(got, ref.dotQ8(w.Codes, w.Scales, x.record(token), blocks), size); err != nil {
			t.Fatalf("%v, %d blocks, %s: token %d: %v", typ, blocks, k.name, token, err)
		}
	}

	list := slices.Clone(rows[:])
	row.Dots(list, x, 1)
	for i, w := range list {
		if one := row.Dot(w.Codes, w.Scales, x, 1); !sameFloat(w.Coef, one) {
			t.Fatalf("%v, %d blocks, %s: row %d alone gives %v, in a list %v", typ, blocks, k.name, i, one, w.Coef)
		}
	}

	got, want := guardedFloats(t, row.Cols), make([]float32, row.Cols)
	size := make([]float64, row.Cols)
	for i := range want {
		got[i] = k.weight(r)
		for _, w := range rows {
			size[i] += math.Abs(float64(w.Coef)*float64(halfAt(w.Scales, i/BlockCols))) * math.Abs(float64(block(w.Codes, i/BlockCols)[i%BlockCols]))
		}
	}
	sum(&got[0], &rows[0], len(rows), blocks)
	ref.sumQ8(&want[0], &rows[0], len(rows), blocks)
	for i := range want {
		if err := near(got[i], want[i], size[i]); err != nil {
			t.Fatalf("%v, %d blocks, %s: sum: column %d: %v", typ, blocks, k.name, i, err)
		}
	}

	scales := guarded(t, 2*row.Cols)
	for i := range want {
		putU16(scales[2*i:], k.scale(r))
		got[i], want[i] = k.weight(r), 0
		size[i] = 8 * math.Abs(float64(w.Coef)*float64(gguf.F16ToF32(getU16(scales[2*i:])))) *
			math.Abs(float64(block(w.Codes, i/BlockCols)[i%BlockCols]))
	}
	w.Scales = unsafe.Pointer(&scales[0])
	row.SumColumns(got, []Weighted{w})
	ref.columnQ8(&want[0], w.Codes, w.Scales, w.Coef, blocks)
	for i := range want {
		if err := near(got[i], want[i], size[i]); err != nil {
			t.Fatalf("%v, %d blocks, %s: column: output %d: %v", typ, blocks, k.name, i, err)
		}
	}
}

func TestNeuronRowsOfAllKindsOfNumbersAreLikeTheReference(t *testing.T) {
	eachVariantInUse(t, func(t *testing.T) {
		for i := range fillings {
			for _, typ := range []gguf.Type{gguf.Q8_0, gguf.Q4_0} {
				for _, blocks := range []int{1, 3, 4, 7, 8, 13, 21} {
					checkNeuronRow(t, &fillings[i], newRand(uint64(blocks)), typ, blocks)
				}
			}
		}
	})
}

func FuzzNeuronRowsAgainstReference(f *testing.F) {
	f.Add(uint64(1), uint8(0), uint8(5), true)
	f.Add(uint64(2), uint8(9), uint8(12), false)
	f.Fuzz(func(t *testing.T, seed uint64, kind, blocks uint8, wide bool) {
		typ := gguf.Q4_0
		if wide {
			typ = gguf.Q8_0
		}
		eachVariantInUse(t, func(t *testing.T) {
			checkNeuronRow(t, &fillings[int(kind)%len(fillings)], newRand(seed), typ, 1+int(blocks)%40)
		})
	})
}
