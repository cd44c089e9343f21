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
var formats = func() (all []Format) {
	for f := range numFormats {
		all = append(all, f)
	}
	return all
}()

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// unitCols is the number of columns that a panelFunc's n counts.
func unitCols(f Format) int {
	if f.Quantized() {
		return BlockCols
	}
	return 1
}

// wholeUnits rounds n, columns or blocks as a panelFunc counts them, up to what a file type has: K types come in super-blocks.
func wholeUnits(typ gguf.Type, n int) int {
	elems, _ := typ.Block()
	if per := elems / BlockCols; per > 1 {
		return (n + per - 1) / per * per
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

// fillRows makes 16 rows of n columns or blocks of a file type.
func (k *filling) fillRows(r *rand.Rand, typ gguf.Type, n int) []byte {
	elems, size := typ.Block()
	if f, _ := FormatOf(typ); f.Quantized() {
		n *= BlockCols
	}
	rows := make([]byte, PanelRows*n/elems*size)
	for i := 0; i < len(rows); i += size {
		block := rows[i:][:size]
		switch typ {
		case gguf.F32:
			putF32(block, k.weight(r))
		case gguf.F16:
			putU16(block, k.weight16(r))
		case gguf.BF16:
			putU16(block, uint16(math.Float32bits(k.weight(r))>>16))
		default:
			for j := range block {
				block[j] = k.code(r, i+j)
			}
			for _, off := range scalesOf(typ) {
				putU16(block[off:], k.scale(r))
			}
		}
	}
	return rows
}

// pack makes one panel of 16 rows.
func pack(t testing.TB, typ gguf.Type, rows []byte, w []byte, n int) {
	t.Helper()
	f, _ := FormatOf(typ)
	fillCanary(w)
	m := Matrix{Format: f, Rows: PanelRows, Cols: n * unitCols(f), Data: w}
	if err := m.Pack(0, typ, rows); err != nil {
		t.Fatal(err)
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
		for c := range BlockCols {
			x[b*BlockCols+c] = byte(k.q(r))
		}
		putF32(x[n*BlockCols+b*4:], k.xscale(r))
	}
	sumRecord(x, n)
}

// sumRecord writes the sums of the values of a record.
func sumRecord(x []byte, n int) {
	for b := range n {
		var sum int32
		for c := range BlockCols {
			if c == BlockCols/2 {
				putU32(x[n*(BlockCols+8)+b*4:], uint32(sum))
			}
			sum += int32(int8(x[b*BlockCols+c]))
		}
		putU32(x[n*(BlockCols+4)+b*4:], uint32(sum))
	}
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
	slack     float64 // what else rounding may do
	overflow  bool    // a float32 on the way may be infinite
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
	case s.overflow || s.magnitude > math.MaxFloat32/2: // may or may not overflow on the way
	case math.IsInf(want, 0):
		if g != want {
			return fmt.Errorf("got %v, want %v", got, want)
		}
	default:
		// every operation rounds by half a unit of at most the magnitude, or of the smallest subnormal number
		if bound := s.magnitude*float64(s.terms+4)*0x1p-23 + float64(s.terms+1)*0x1p-149 + s.slack; !(math.Abs(g-want) <= bound) {
			return fmt.Errorf("got %v, want %v within %.3g", got, want, bound)
		}
	}
	return nil
}

// exactPanel computes what a panelFunc should, in float64, from the rows of the file.
func exactPanel(t testing.TB, typ gguf.Type, rows, x []byte, n int) (sums [PanelRows]sum) {
	t.Helper()
	rowBytes := len(rows) / PanelRows
	f, _ := FormatOf(typ)
	for r := range sums {
		row := rows[r*rowBytes:][:rowBytes]
		if f.Quantized() {
			exactBlocks(t, &sums[r], typ, row, x, n)
			continue
		}
		w := make([]float32, n)
		if err := gguf.Dequantize(typ, w, row); err != nil {
			t.Fatal(err)
		}
		for i, v := range w {
			sums[r].add(float64(v) * float64(getF32(x[i*4:])))
		}
	}
	return sums
}

// exactBlocks adds a quantised row's product with a record. Scales are added as they come in blocks, since infinite ones may cancel.
func exactBlocks(t testing.TB, row *sum, typ gguf.Type, src, x []byte, n int) {
	t.Helper()
	f, _ := FormatOf(typ)
	q, scale, least := make([]int8, n*BlockCols), make([]float32, 2*n), make([]float32, 2*n)
	if err := gguf.Unpack(typ, q, scale, least, src); err != nil {
		t.Fatal(err)
	}
	parts := layouts[f].form.halves()
	for b := range n {
		xd := float64(getF32(x[n*BlockCols+b*4:]))
		var p, size float64
		for part := range parts {
			dot, xsum := 0, 0
			for c := part * BlockCols / parts; c < (part+1)*BlockCols/parts; c++ {
				e := int(int8(x[b*BlockCols+c]))
				dot += int(q[b*BlockCols+c]) * e
				xsum += e
			}
			p += float64(dot) * float64(scale[2*b+part])
			size += math.Abs(float64(dot) * float64(scale[2*b+part]))
			if typ.HasMin() {
				p -= float64(xsum) * float64(least[2*b+part])
				size += math.Abs(float64(xsum) * float64(least[2*b+part]))
			}
		}
		row.add(p * xd)
		row.overflow = row.overflow || size > math.MaxFloat32/2 && !math.IsInf(size, 0)
		if extra := size * math.Abs(xd); !math.IsInf(extra, 0) && !math.IsNaN(extra) {
			row.magnitude += extra
			row.slack += 4 * 0x1p-149 * math.Abs(xd)
		}
	}
}

func sameFloat(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || (a != a && b != b)
}
