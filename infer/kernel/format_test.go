package kernel

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"hotcell/models/gguf"
)

// fileType is the file type that a format is named after.
var fileType = [numFormats]gguf.Type{F32: gguf.F32, F16: gguf.F16, Q8: gguf.Q8_0, Q4: gguf.Q4_0}

// randomRows makes rows of a file type with finite weights of any code.
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
			putU16(block, small16(r))
		}
	}
	return src
}

func TestPackedRowsAreTheDequantizedRows(t *testing.T) {
	for _, typ := range []gguf.Type{gguf.F32, gguf.BF16, gguf.F16, gguf.Q8_0, gguf.Q5_0, gguf.Q4_0} {
		t.Run(typ.String(), func(t *testing.T) {
			f, ok := FormatOf(typ)
			if !ok {
				t.Fatalf("%v has no format", typ)
			}
			for _, rows := range []int{1, 16, 21, 32} {
				const cols = 160
				m := &Matrix{Format: f, Rows: rows, Cols: cols, Data: alignedBytes(MatrixBytes(f, rows, cols))}
				src := randomRows(newRand(uint64(typ)), typ, rows, cols)
				rowBytes := len(src) / rows
				for p := range m.Panels() {
					last := min(rows, (p+1)*PanelRows)
					if err := m.PackPanel(p, typ, src[p*PanelRows*rowBytes:last*rowBytes]); err != nil {
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
						if got[c] != want[c] {
							t.Fatalf("%d rows: row %d column %d is %v, want %v", rows, row, c, got[c], want[c])
						}
					}
				}
			}
		})
	}
}

func TestPackPanelRefusesWhatDoesNotFit(t *testing.T) {
	m := &Matrix{Format: Q4, Rows: 20, Cols: 64, Data: alignedBytes(MatrixBytes(Q4, 20, 64))}
	for _, c := range []struct {
		name  string
		panel int
		typ   gguf.Type
		bytes int
		want  string
	}{
		{"another type", 0, gguf.Q8_0, 16 * 2 * 34, "cannot be packed as Q4"},
		{"a type without a format", 0, gguf.Q6_K, 16 * 64, "cannot be packed as Q4"},
		{"too few bytes", 0, gguf.Q4_0, 16*2*18 - 1, "575 bytes for 16 rows"},
		{"a full panel where rows end", 1, gguf.Q4_0, 16 * 2 * 18, "576 bytes for 4 rows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := m.PackPanel(c.panel, c.typ, make([]byte, c.bytes))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestMatrixBytesCountsWholePanels(t *testing.T) {
	for f, perRow := range map[Format]int{F32: 64 * 4, F16: 64 * 2, Q8: 2 * 34, Q4: 2 * 18} {
		for _, rows := range []int{1, 16, 17, 33} {
			if got, want := MatrixBytes(f, rows, 64), (rows+15)/16*16*perRow; got != want {
				t.Errorf("%v, %d rows: %d bytes, want %d", f, rows, got, want)
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
