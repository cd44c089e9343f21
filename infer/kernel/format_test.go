package kernel

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"hotcell/models/gguf"
)

// fileTypes are the file types of each format, the usual one first.
var fileTypes = [numFormats][]gguf.Type{
	F32: {gguf.F32}, F16: {gguf.F16}, BF16: {gguf.BF16}, Q8: {gguf.Q8_0}, Q4: {gguf.Q4_0}, Q41: {gguf.Q4_1}, Q50: {gguf.Q5_0}, Q51: {gguf.Q5_1},
	Q2K: {gguf.Q2_K}, Q3K: {gguf.Q3_K}, Q4K: {gguf.Q4_K}, Q5K: {gguf.Q5_K}, Q6K: {gguf.Q6_K},
	Q4T: {gguf.IQ4_NL, gguf.IQ4_XS, gguf.MXFP4},
	Q8S: {gguf.IQ3_S, gguf.IQ1_S, gguf.IQ1_M, gguf.IQ2_XXS, gguf.IQ2_XS, gguf.IQ2_S, gguf.IQ3_XXS, gguf.TQ1_0, gguf.TQ2_0},
}

// float16At says where the float16 scales and minima of a block lie; at its start where a type is not listed.
var float16At = map[gguf.Type][]int{
	gguf.Q4_1: {0, 2}, gguf.Q5_1: {0, 2}, gguf.Q2_K: {80, 82}, gguf.Q3_K: {108}, gguf.Q4_K: {0, 2}, gguf.Q5_K: {0, 2}, gguf.Q6_K: {208},
	gguf.MXFP4: {}, gguf.IQ1_M: {}, gguf.TQ1_0: {52}, gguf.TQ2_0: {64},
}

// scalesOf says where the float16 of a block lie.
func scalesOf(typ gguf.Type) []int {
	if at, ok := float16At[typ]; ok {
		return at
	}
	return []int{0}
}

// randomRows makes rows of a file type with weights of any code, finite where a scale is one float16.
func randomRows(r *rand.Rand, typ gguf.Type, rows, cols int) []byte {
	elems, size := typ.Block()
	src := make([]byte, rows*cols/elems*size)
	for i := 0; i < len(src); i += size {
		block := src[i:][:size]
		switch typ {
		case gguf.F32:
			putF32(block, gauss(r))
		case gguf.BF16:
			putU16(block, uint16(math.Float32bits(gauss(r))>>16))
		case gguf.F16:
			putU16(block, gguf.F32ToF16(gauss(r)))
		default:
			for j := range block {
				block[j] = byte(r.Uint32())
			}
			for _, off := range scalesOf(typ) {
				putU16(block[off:], small16(r))
			}
		}
	}
	return src
}

func TestPackedRowsAreTheDequantizedRows(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		defer func(before ops) { active = before }(active)
		active = v
		for _, types := range fileTypes {
			for _, typ := range types {
				t.Run(typ.String(), func(t *testing.T) {
					for _, rows := range []int{1, 16, 21, 32, 53} {
						elems, _ := typ.Block()
						cols := []int{5 * BlockCols, 2 * BlockCols}
						switch {
						case elems == 1:
							cols = []int{160, 1, 2, 3, 7, 97}
						case elems > BlockCols:
							cols = []int{2 * elems}
						}
						for _, n := range cols {
							checkPacked(t, typ, rows, n)
						}
					}
				})
			}
		}
	})
}

// checkPacked packs random rows that end where memory ends, and compares panels with numbers.
func checkPacked(t *testing.T, typ gguf.Type, rows, cols int) {
	f, ok := FormatOf(typ)
	if !ok {
		t.Fatalf("%v has no format", typ)
	}
	m := &Matrix{Format: f, Rows: rows, Cols: cols, Data: alignedBytes(MatrixBytes(f, rows, cols))}
	random := randomRows(newRand(uint64(typ)), typ, rows, cols)
	src := guarded(t, len(random))
	copy(src, random)
	rowBytes := len(src) / rows
	for first, end := 0, PanelRows; first < rows; first, end = end, rows { // a panel, and then all others
		if err := m.Pack(first/PanelRows, typ, src[first*rowBytes:min(end, rows)*rowBytes]); err != nil {
			t.Fatal(err)
		}
	}
	got, want := make([]float32, cols), make([]float32, cols)
	for row := range m.PaddedRows() {
		clear(want)
		if row < rows {
			if err := gguf.Dequantize(typ, want, src[row*rowBytes:][:rowBytes]); err != nil {
				t.Fatal(err)
			}
		}
		m.Row(row, got)
		for c := range want {
			if got[c] != want[c] && !sameFloat(got[c], want[c]) {
				t.Fatalf("%d rows of %d: row %d column %d is %v, want %v", rows, cols, row, c, got[c], want[c])
			}
		}
	}
}

func TestPackRefusesWhatDoesNotFit(t *testing.T) {
	m := &Matrix{Format: Q4, Rows: 20, Cols: 64, Data: alignedBytes(MatrixBytes(Q4, 20, 64))}
	for _, c := range []struct {
		name  string
		panel int
		typ   gguf.Type
		bytes int
		want  string
	}{
		{"another type", 0, gguf.Q8_0, 16 * 2 * 34, "cannot be packed as Q4"},
		{"a type without a format", 0, gguf.I32, 16 * 64, "cannot be packed as Q4"},
		{"too few bytes", 0, gguf.Q4_0, 16*2*18 - 1, "575 bytes are not whole panels of the 20 rows"},
		{"a full panel where rows end", 1, gguf.Q4_0, 16 * 2 * 18, "576 bytes are not whole panels of the 4 rows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := m.Pack(c.panel, c.typ, make([]byte, c.bytes))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestMatrixBytesCountsWholePanels(t *testing.T) {
	for f, panel := range map[Format]int{
		F32: 16 * 256 * 4, F16: 16 * 256 * 2, BF16: 16 * 256 * 2, Q8: 16 * 8 * 34, Q4: 16 * 8 * 18, Q41: 16 * 8 * 20, Q50: 16 * 8 * 22, Q51: 16 * 8 * 24,
		Q2K: 16 * 84, Q3K: 16 * 116, Q4K: 16 * 148, Q5K: 16 * 180, Q6K: 16 * 212, Q4T: 64 + 16*8*20, Q8S: 16 * 8 * 40,
	} {
		for _, rows := range []int{1, 16, 17, 33} {
			if got, want := MatrixBytes(f, rows, 256), (rows+15)/16*panel; got != want {
				t.Errorf("%v, %d rows: %d bytes, want %d", f, rows, got, want)
			}
		}
	}
}

func TestPanelsAreNoMoreThanATenthLargerThanTheFile(t *testing.T) {
	for f, types := range fileTypes {
		if Format(f) == Q4T || Format(f) == Q8S {
			continue // codebooks are stored with wider scales, and as bytes
		}
		elems, size := types[0].Block()
		const cols = 2048
		if got, file := Format(f).PanelBytes(cols), PanelRows*cols/elems*size; float64(got) > 1.1*float64(file) {
			t.Errorf("%v takes %d bytes for %d in the file", types[0], got, file)
		}
	}
}

func TestPanelsAreWholeCacheLines(t *testing.T) {
	for _, f := range formats {
		if !f.Quantized() {
			continue
		}
		for _, blocks := range []int{1, 2, 3, 8, 9} {
			if n := f.PanelBytes(blocks * BlockCols); n%64 != 0 {
				t.Errorf("%v: %d blocks take %d bytes", f, blocks, n)
			}
		}
	}
}

func TestUseSelectsAVariantByName(t *testing.T) {
	defer func(before ops) { active = before }(active)
	for _, name := range Names() {
		if err := Use(name); err != nil || Active() != name {
			t.Errorf("Use(%q): %v, active %q", name, err, Active())
		}
	}
	if err := Use("abacus"); err == nil || !strings.Contains(err.Error(), `"abacus" is not available`) {
		t.Errorf("unknown variant: %v", err)
	}
}
