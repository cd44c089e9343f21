package kernel

import (
	"bytes"
	"math"
	"testing"
	"unsafe"
)

// actBlocks are blocks of 32 activations that are hard to round alike everywhere.
func actBlocks() map[string][]float32 {
	r := newRand(7)
	fill := func(value func(i int) float32) []float32 {
		block := make([]float32, 3*BlockCols)
		for i := range block {
			block[i] = value(i)
		}
		return block
	}
	return map[string][]float32{
		"ordinary":              fill(func(int) float32 { return gauss(r) }),
		"every integer and tie": fill(func(i int) float32 { return float32(i%64)/2*max(-1, float32(i%3-1)) + 0.5 }),
		"ties to even":          fill(func(i int) float32 { return []float32{127, 0.5, 1.5, -2.5, -3.5, 64.5, -126.5}[i%7] }),
		"zeros of both signs":   fill(func(i int) float32 { return float32(math.Copysign(0, float64(i%2)-0.5)) }),
		"one value":             fill(func(i int) float32 { return float32(i/31%2) * -3e-7 }),
		"subnormal":             fill(func(i int) float32 { return float32(i-40) * 1e-42 }),
		"about the smallest to have a reciprocal": fill(func(i int) float32 { return float32(i-40) * 1e-38 }),
		"largest":                        fill(func(i int) float32 { return math.MaxFloat32 * float32(1-i%2*2) }),
		"wide range":                     fill(func(i int) float32 { return float32(math.Ldexp(r.NormFloat64(), i*2-90)) }),
		"some infinite":                  fill(func(i int) float32 { return []float32{1, -2, inf32, 3, -inf32}[i%5] }),
		"some not a number":              fill(func(i int) float32 { return []float32{1, -2, nan32, 3, 4, 5, 6}[i%7] }),
		"one not a number, first":        append([]float32{nan32}, fill(func(i int) float32 { return float32(i) })[1:]...),
		"infinite and not a number":      fill(func(i int) float32 { return []float32{inf32, 0, nan32, -1}[i%4] }),
		"not a number with its sign set": fill(func(i int) float32 { return []float32{1, math.Float32frombits(0xffc00001)}[i/50] }),
	}
}

func TestQuantizeGivesTheBitsOfTheReference(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		for name, values := range actBlocks() {
			for blocks := 1; blocks <= len(values)/BlockCols; blocks++ {
				x := guarded(t, blocks*BlockCols*4)
				for i := range blocks * BlockCols {
					putF32(x[i*4:], values[i])
				}
				want := make([]byte, actRecordBytes(blocks))
				quantizeGo(unsafe.Pointer(&want[0]), (*float32)(unsafe.Pointer(&x[0])), blocks)
				got := guarded(t, 8+len(want))
				fillCanary(got)
				v.quantize(unsafe.Pointer(&got[8]), (*float32)(unsafe.Pointer(&x[0])), blocks)
				checkCanary(t, "before the record", got[:8])
				sameNaN(want[blocks*BlockCols:], got[8+blocks*BlockCols:], blocks)
				if !bytes.Equal(got[8:], want) {
					t.Errorf("%s, %d blocks:\ngot  %v\nwant %v", name, blocks, got[8:], want)
				}
			}
		}
		r := newRand(11)
		x := make([]float32, 64*BlockCols)
		want, got := make([]byte, actRecordBytes(64)), make([]byte, actRecordBytes(64))
		for range 50 {
			for i := range x {
				x[i] = gauss(r) * float32(math.Exp(3*r.NormFloat64()))
			}
			quantizeGo(unsafe.Pointer(&want[0]), &x[0], 64)
			v.quantize(unsafe.Pointer(&got[0]), &x[0], 64)
			if !bytes.Equal(got, want) {
				t.Fatal("random blocks differ from the reference")
			}
		}
	})
}

// sameNaN makes scales that are no numbers in both records the same bits: which of them a CPU gives is its own affair.
func sameNaN(a, b []byte, blocks int) {
	for i := range blocks {
		x, y := a[i*4:], b[i*4:]
		if math.IsNaN(float64(getF32(x))) && math.IsNaN(float64(getF32(y))) {
			copy(y[:4], x[:4])
		}
	}
}

func TestQuantizedValuesAreWithinHalfAStep(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		defer func(before ops) { active = before }(active)
		active = v
		x := randomActs(3, 256)
		x.Quantize(0, 3)
		for token := range x.Tokens {
			for c, want := range x.Row(token) {
				record := x.q[token*actRecordBytes(8):]
				step := float64(getF32(record[256+c/BlockCols*4:]))
				if got := actValue(x, Q8, token, c); math.Abs(got-float64(want)) > step*0.50001 {
					t.Fatalf("token %d column %d: %v became %v, step %v", token, c, want, got, step)
				}
			}
		}
	})
}

func TestQuantizeLeavesOtherTokensAlone(t *testing.T) {
	x := randomActs(3, 64)
	fillCanary(x.q)
	x.Quantize(1, 2)
	n := actRecordBytes(2)
	checkCanary(t, "token 0", x.q[:n])
	checkCanary(t, "token 2", x.q[2*n:])
	odd := randomActs(1, 40)
	fillCanary(odd.q)
	odd.Quantize(0, 1)
	checkCanary(t, "a record of a width without blocks", odd.q)
}

func FuzzQuantizeAgainstReference(f *testing.F) {
	f.Add([]byte{0, 0, 128, 63, 0, 0, 0, 64})
	f.Add([]byte{0, 0, 128, 127, 1, 0, 0, 0})
	f.Add([]byte{0, 0, 192, 127, 0, 0, 128, 191})
	f.Fuzz(func(t *testing.T, seed []byte) {
		if len(seed) == 0 {
			return
		}
		const blocks = 2
		raw := make([]byte, blocks*BlockCols*4)
		repeat(raw, seed)
		x := make([]float32, blocks*BlockCols)
		for i := range x {
			x[i] = getF32(raw[i*4:])
		}
		want := make([]byte, actRecordBytes(blocks))
		quantizeGo(unsafe.Pointer(&want[0]), &x[0], blocks)
		for _, v := range variants {
			got := make([]byte, len(want))
			v.quantize(unsafe.Pointer(&got[0]), &x[0], blocks)
			sameNaN(want[blocks*BlockCols:], got[blocks*BlockCols:], blocks)
			if !bytes.Equal(got, want) {
				t.Fatalf("%s: got %v, want %v", v.name, got, want)
			}
		}
	})
}

func TestPartsOfATokenAreRoundedAsTheWhole(t *testing.T) {
	const cols, token = 32 * 230, 1
	whole, parts := NewActs(2, cols), NewActs(2, cols)
	whole.Reset(2, cols)
	parts.Reset(2, cols)
	for i := range cols {
		whole.Row(token)[i] = float32(math.Sin(float64(i*i))) * float32(1+i%7)
	}
	whole.Quantize(token, token+1)
	var scratch KVScratch
	for _, at := range [][2]int{{64, 96}, {0, 64}, {96, 32 * 220}, {32 * 220, cols}} {
		parts.QuantizePart(token, at[0], whole.Row(token)[at[0]:at[1]], &scratch)
	}
	if !bytes.Equal(whole.q, parts.q) {
		t.Error("the records differ")
	}
}
