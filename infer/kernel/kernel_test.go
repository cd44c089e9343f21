package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"unsafe"

	"hotcell/models/gguf"
)

// onlyVariant names the one variant to test, and makes its absence a failure: emulators run the tests with it, so that a kernel
// which the emulated CPU should have cannot be skipped unseen.
var onlyVariant = os.Getenv("HOTCELL_KERNEL_ONLY")

func TestMain(m *testing.M) {
	if onlyVariant != "" && Use(onlyVariant) != nil {
		fmt.Fprintf(os.Stderr, "variant %q asked by HOTCELL_KERNEL_ONLY is not among %v\n", onlyVariant, Names())
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// eachVariant runs a test for every variant of this CPU, the Go reference included.
func eachVariant(t *testing.T, test func(t *testing.T, v ops)) {
	for _, v := range variants {
		if onlyVariant == "" || onlyVariant == v.name {
			t.Run(v.name, func(t *testing.T) { test(t, v) })
		}
	}
}

// formats are all formats, in the order of their values.
var formats = []Format{F32, F16, Q8, Q4, Q4K, Q4T, Q8S, Q8A}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// unitCols is the number of columns that a panelFunc's n counts.
func unitCols(f Format) int {
	if f.Quantized() {
		return BlockCols
	}
	return 1
}

// wholeUnits rounds n, columns or blocks as a panelFunc counts them, up to what the format's panels have: Q4K comes in super-blocks.
func wholeUnits(f Format, n int) int {
	if f == Q4K {
		return (n + superCols/BlockCols - 1) / (superCols / BlockCols) * (superCols / BlockCols)
	}
	return n
}

// inputBytes is the size of one token's input for a panelFunc.
func inputBytes(f Format, n int) int {
	if f.Quantized() {
		return actRecordBytes(n)
	}
	return n * 4
}

// filling is a way to fill a panel and an input. Each tries one kind of numbers.
type filling struct {
	name   string
	weight func(r *rand.Rand) float32 // of the F formats; scales and minima where they are float32
	code   func(r *rand.Rand, i int) byte
	scale  func(r *rand.Rand) uint16 // float16 bits
	x      func(r *rand.Rand) float32
	q      func(r *rand.Rand) int8
	xscale func(r *rand.Rand) float32
}

func gauss(r *rand.Rand) float32 { return float32(r.NormFloat64()) }

func small16(r *rand.Rand) uint16 { return gguf.F32ToF16(gauss(r) / 64) }

func smallScale(r *rand.Rand) float32 { return float32(math.Abs(r.NormFloat64())) / 127 }

func randomCode(r *rand.Rand, _ int) byte { return byte(r.Uint32()) }

func randomQ(r *rand.Rand) int8 { return int8(r.IntN(255) - 127) }

func pick[T any](values ...T) func(*rand.Rand) T {
	return func(r *rand.Rand) T { return values[r.IntN(len(values))] }
}

var (
	inf32 = float32(math.Inf(1))
	nan32 = float32(math.NaN())

	fillings = []filling{
		{"ordinary numbers", gauss, randomCode, small16, gauss, randomQ, smallScale},
		{"every weight code in turn", gauss, func(_ *rand.Rand, i int) byte { return byte(i) }, small16, gauss, randomQ, smallScale},
		{"lowest weights and largest activations", gauss, func(*rand.Rand, int) byte { return 0x80 }, small16, gauss, pick[int8](-127, 127), smallScale},
		{"lowest codes against one sign", gauss, func(*rand.Rand, int) byte { return 0x80 }, small16, gauss, pick[int8](127), smallScale},
		{"highest Q4 weights against one sign", gauss, func(*rand.Rand, int) byte { return 0xff }, small16, gauss, pick[int8](127), smallScale},
		{"lowest Q4 weights against one sign", gauss, func(*rand.Rand, int) byte { return 0 }, small16, gauss, pick[int8](-127), smallScale},
		{"highest Q8 weights against one sign", gauss, func(*rand.Rand, int) byte { return 0x7f }, small16, gauss, pick[int8](-127), smallScale},
		{"subnormal scales", pick[float32](1e-40, -3e-39, 1e-45), randomCode, pick[uint16](1, 0x8001, 0x3ff, 0x83ff, 0, 0x8000), pick[float32](1, -2, 1e-3), randomQ, pick[float32](1e-45, 1e-39, 1, 1e-38)},
		{"largest scales", pick[float32](1e18, -1e18), randomCode, pick[uint16](0x7bff, 0xfbff), pick[float32](1e15, -1e15), randomQ, pick[float32](1e20)},
		{"some infinite weights", pick(1, 2, 3, 4, 5, -1, -2, inf32), randomCode, pick[uint16](0x2e66, 0xae66, 0x2e67, 0xae67, 0x2e68, 0x7c00), pick[float32](1, 2, 0.5, 0.25), pick[int8](0, 1, -127, 127, 5), smallScale},
		{"some weights that are no numbers", pick(1, 2, 3, 4, 5, 6, 7, 8, 9, nan32), randomCode, pick[uint16](0x2e66, 0xae66, 0x2e67, 0xae67, 0x2e68, 0x7e00, 0xfe01), gauss, randomQ, smallScale},
		{"some activations that are no numbers", gauss, randomCode, small16, pick(1, 2, 3, 4, 5, 6, 7, 8, -inf32, nan32), randomQ, pick(1, 2, 3, 4, 5, 6, inf32, nan32)},
	}
)

// fillPanel writes one panel of n columns or blocks to w.
func (k *filling) fillPanel(r *rand.Rand, f Format, n int, w []byte) {
	switch f {
	case F32:
		for i := range n * PanelRows {
			putF32(w[i*4:], k.weight(r))
		}
	case F16:
		for i := range n * PanelRows {
			putU16(w[i*2:], k.weight16(r))
		}
	default:
		if f == Q4T {
			for i := range tableBytes {
				w[i] = byte(max(-127, int8(k.code(r, i)))) // no table holds -128
			}
			w = w[tableBytes:]
		}
		codes, scales := w[:n*f.blockBytes()], w[n*f.blockBytes():]
		for i := range codes {
			codes[i] = k.code(r, i)
			if f == Q8A {
				codes[i] &= 31
			}
		}
		k.fillScales(r, f, scales)
	}
}

// fillScales writes all that lies behind the codes of a panel.
func (k *filling) fillScales(r *rand.Rand, f Format, scales []byte) {
	switch f {
	case Q8, Q4:
		for i := range len(scales) / 2 {
			putU16(scales[i*2:], k.scale(r))
		}
	case Q4K:
		for s := range len(scales) / superBytes {
			sup := scales[s*superBytes:][:superBytes]
			for i := range 2 * PanelRows {
				putU16(sup[i*2:], k.scale(r))
			}
			for i := 4 * PanelRows; i < superBytes; i++ {
				sup[i] = k.code(r, i)
			}
		}
	default:
		for i := range len(scales) / 4 {
			putF32(scales[i*4:], k.weight(r))
		}
	}
}

// weight16 is a weight of the F16 format: from the scales where those are the point of the filling.
func (k *filling) weight16(r *rand.Rand) uint16 {
	if r.IntN(2) == 0 {
		return k.scale(r)
	}
	return gguf.F32ToF16(gauss(r))
}

// fillInput writes one token's input for n columns or blocks to x.
func (k *filling) fillInput(r *rand.Rand, f Format, n int, x []byte) {
	if !f.Quantized() {
		for i := range n {
			putF32(x[i*4:], k.x(r))
		}
		return
	}
	for b := range n {
		var sum int32
		for c := range BlockCols {
			q := k.q(r)
			x[b*BlockCols+c] = byte(q)
			sum += int32(q)
		}
		putF32(x[n*BlockCols+b*4:], k.xscale(r))
		putU32(x[n*(BlockCols+4)+b*4:], uint32(sum))
	}
}

// blockBytes is the size of one block of codes of a Q format.
func (f Format) blockBytes() int {
	switch f {
	case Q4, Q4K, Q4T:
		return q4BlockBytes
	}
	return q8BlockBytes
}

func putU16(b []byte, v uint16)  { *(*[2]byte)(b) = *(*[2]byte)(unsafe.Pointer(&v)) }
func putU32(b []byte, v uint32)  { *(*[4]byte)(b) = *(*[4]byte)(unsafe.Pointer(&v)) }
func putF32(b []byte, v float32) { putU32(b, math.Float32bits(v)) }
func getU16(b []byte) uint16     { return uint16(b[0]) | uint16(b[1])<<8 }
func getU32(b []byte) uint32     { return uint32(getU16(b)) | uint32(getU16(b[2:]))<<16 }
func getF32(b []byte) float32    { return math.Float32frombits(getU32(b)) }

// sum is a sum of products as it is without rounding, and how much rounding may have moved it.
type sum struct {
	value     float64
	magnitude float64 // sum of the finite terms' absolute values
	terms     int
}

func (s *sum) add(term float64) {
	s.value += term
	if !math.IsInf(term, 0) {
		s.magnitude += math.Abs(term)
	}
	s.terms++
}

// check tells whether a float32 computation of the sum, in any order and with or without fused operations, may give got.
func (s *sum) check(got float32) error {
	want, g := s.value, float64(got)
	switch {
	case math.IsNaN(want):
		if !math.IsNaN(g) {
			return fmt.Errorf("got %v, want NaN", got)
		}
	case s.magnitude > math.MaxFloat32/2: // may or may not overflow on the way
	case math.IsInf(want, 0):
		if g != want {
			return fmt.Errorf("got %v, want %v", got, want)
		}
	default:
		// every operation rounds by half a unit of at most the magnitude, or of the smallest subnormal number
		if bound := s.magnitude*float64(s.terms+4)*0x1p-23 + float64(s.terms+1)*0x1p-149; !(math.Abs(g-want) <= bound) {
			return fmt.Errorf("got %v, want %v within %.3g", got, want, bound)
		}
	}
	return nil
}

// exactPanel computes what a panelFunc should, in float64.
func exactPanel(f Format, w, x []byte, n int) (rows [PanelRows]sum) {
	for r := range rows {
		for i := range n {
			switch f {
			case F32:
				rows[r].add(float64(getF32(w[(i*PanelRows+r)*4:])) * float64(getF32(x[i*4:])))
			case F16:
				rows[r].add(float64(gguf.F16ToF32(getU16(w[(i*PanelRows+r)*2:]))) * float64(getF32(x[i*4:])))
			default:
				exactBlock(&rows[r], f, w, x, n, r, i)
			}
		}
	}
	return rows
}

// exactBlock adds row r's block b to its sum. Scales are multiplied in float32, as kernels do.
func exactBlock(row *sum, f Format, w, x []byte, n, r, b int) {
	var table [16]int8
	if f == Q4T {
		for i := range table {
			table[i] = int8(w[i])
		}
		w = w[tableBytes:]
	}
	scales, xd := w[n*f.blockBytes():], getF32(x[n*BlockCols+b*4:])
	f16 := func(off int) float32 { return gguf.F16ToF32(getU16(scales[off+r*2:])) }
	parts := 1 // with a scale of their own
	if f == Q8S || f == Q8A {
		parts = 2
	}
	for part := range parts {
		dot, xsum := 0, 0
		for c := part * BlockCols / parts; c < (part+1)*BlockCols/parts; c++ {
			q := int(int8(x[b*BlockCols+c]))
			dot += panelCode(f, &table, w[b*f.blockBytes():], r, c) * q
			xsum += q
		}
		var scale, least float32
		switch f {
		case Q8, Q4:
			scale = f16(b * scaleBytes)
		case Q4K:
			sup, j := b/8*superBytes, b%8*PanelRows+r
			scale = f16(sup) * float32(scales[sup+4*PanelRows+j])
			least = f16(sup+2*PanelRows) * float32(scales[sup+12*PanelRows+j])
		default:
			scale = wideAt(scales, b*parts+part, r)
			if f == Q8A {
				least = wideAt(scales[n*parts*wideBytes:], b*parts+part, r)
			}
		}
		row.add(float64(dot) * float64(scale*xd))
		if f == Q4K || f == Q8A {
			row.add(-float64(xsum) * float64(least*xd))
		}
	}
}

// panelCode is the integer weight of row r and column c of a block.
func panelCode(f Format, table *[16]int8, block []byte, r, c int) int {
	if f.blockBytes() == q8BlockBytes {
		return int(int8(block[(c/4*PanelRows+r)*4+c%4]))
	}
	nibble := block[(c%16/4*PanelRows+r)*4+c%4] >> (c / 16 * 4) & 15
	switch f {
	case Q4:
		return int(nibble) - 8
	case Q4T:
		return int(table[nibble])
	default:
		return int(nibble)
	}
}

func sameFloat(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || (a != a && b != b)
}
