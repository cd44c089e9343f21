package kernel

import (
	"fmt"
	"math"
	"testing"
	"unsafe"

	"hotcell/models/gguf"
)

// rowLengths are all short lengths, so that every tail is met, and some long ones.
func rowLengths() []int {
	lengths := []int{95, 96, 127, 128, 129, 200, 255, 1000}
	for n := 1; n <= 70; n++ {
		lengths = append(lengths, n)
	}
	return lengths
}

// weightRow makes n weights of a file type at the end of mapped memory, aligned to no more than their element, and their values.
func weightRow(t *testing.T, k *filling, typ gguf.Type, n int) (row []byte, values []float32) {
	r := newRand(uint64(n))
	elems, size := typ.Block()
	row = guarded(t, n/elems*size)
	for i := 0; i < len(row); i += size {
		switch block := row[i:][:size]; typ {
		case gguf.F32:
			putF32(block, k.weight(r))
		case gguf.F16:
			putU16(block, k.weight16(r))
		default:
			for j := range block[2:] {
				block[2+j] = k.code(r, i+j)
			}
			putU16(block, k.scale(r))
		}
	}
	values = make([]float32, n)
	if err := gguf.Dequantize(typ, values, row); err != nil {
		t.Fatal(err)
	}
	return row, values
}

func TestDotIsTheSumOfProductsForAnyLength(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		for typ, dot := range map[gguf.Type]func(*float32, unsafe.Pointer, int) float32{gguf.F32: v.dotF32, gguf.F16: v.dotF16} {
			for _, k := range fillings {
				t.Run(fmt.Sprintf("%v with %s", typ, k.name), func(t *testing.T) {
					r := newRand(3)
					for _, n := range rowLengths() {
						row, w := weightRow(t, &k, typ, n)
						x := guarded(t, n*4)
						var want sum
						for i := range n {
							e := k.x(r)
							putF32(x[i*4:], e)
							want.add(float64(e) * float64(w[i]))
						}
						if err := want.check(dot((*float32)(unsafe.Pointer(&x[0])), unsafe.Pointer(&row[0]), n)); err != nil {
							t.Fatalf("n=%d: %v", n, err)
						}
					}
				})
			}
		}
	})
}

func TestAxpyAddsTheScaledRowForAnyLength(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		type axpy struct {
			typ  gguf.Type
			call func(y *float32, w unsafe.Pointer, a float32, n int)
		}
		for _, op := range []axpy{{gguf.F32, v.axpyF32}, {gguf.F16, v.axpyF16}, {gguf.Q8_0, v.axpyQ8}, {gguf.Q4_0, v.axpyQ4}} {
			elems, _ := op.typ.Block()
			for _, k := range fillings {
				t.Run(fmt.Sprintf("%v with %s", op.typ, k.name), func(t *testing.T) {
					r := newRand(5)
					for _, units := range rowLengths() {
						n := units * elems
						if n > 1000 {
							continue
						}
						row, w := weightRow(t, &k, op.typ, n)
						a := k.x(r)
						y, before := guarded(t, 36+n*4), make([]float32, n)
						fillCanary(y)
						for i := range n {
							before[i] = gauss(r)
							putF32(y[36+i*4:], before[i])
						}
						op.call((*float32)(unsafe.Pointer(&y[36])), unsafe.Pointer(&row[0]), a, units)
						checkCanary(t, "before y", y[:36])
						for i := range n {
							var want sum
							want.add(float64(before[i]))
							want.add(float64(a) * float64(w[i]))
							if err := want.check(getF32(y[36+i*4:])); err != nil {
								t.Fatalf("n=%d element %d: %v + %v*%v: %v", n, i, before[i], a, w[i], err)
							}
						}
					}
				})
			}
		}
	})
}

func TestAxpyOfAPartEqualsThePartOfTheWhole(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		defer func(before ops) { active = before }(active)
		active = v
		for _, typ := range []gguf.Type{gguf.F32, gguf.F16, gguf.Q8_0, gguf.Q4_0} {
			const cols, rows = 224, 3
			m := Rows{Type: typ, N: rows, Cols: cols, Data: randomRows(newRand(9), typ, rows, cols)}
			if !RowType(typ) {
				t.Fatalf("%v rows cannot be used", typ)
			}
			whole, parts := make([]float32, cols), make([]float32, cols)
			for i := range whole {
				whole[i] = float32(i)
			}
			copy(parts, whole)
			m.Axpy(whole, 2, 0, cols, 1.5)
			m.Axpy(parts[:32], 2, 0, 32, 1.5)
			m.Axpy(parts[32:160], 2, 32, 160, 1.5)
			m.Axpy(parts[160:], 2, 160, cols, 1.5)
			m.Axpy(nil, 2, 64, 64, 1.5)
			for i := range whole {
				if math.Float32bits(whole[i]) != math.Float32bits(parts[i]) {
					t.Fatalf("%v column %d: %v in parts, %v whole", typ, i, parts[i], whole[i])
				}
			}
		}
	})
}

func TestSliceFormsCallTheActiveVariant(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		defer func(before ops) { active = before }(active)
		active = v
		x, w := []float32{1, 2, 3, 4, 5}, []float32{5, 4, 3, 2, 1}
		w16 := make([]uint16, len(w))
		for i := range w {
			w16[i] = gguf.F32ToF16(w[i])
		}
		if got := DotF32(x, w); got != 35 {
			t.Errorf("DotF32 = %v", got)
		}
		if got := DotF16(x, w16); got != 35 {
			t.Errorf("DotF16 = %v", got)
		}
		AxpyF32(x, w, 2)
		AxpyF16(x, w16, -1)
		if want := [5]float32{6, 6, 6, 6, 6}; [5]float32(x) != want {
			t.Errorf("x = %v, want %v", x, want)
		}
		if DotF32(nil, nil) != 0 || DotF16(nil, nil) != 0 {
			t.Error("the empty sum is not 0")
		}
		AxpyF32(nil, nil, 1)
		AxpyF16(nil, nil, 1)
	})
}
