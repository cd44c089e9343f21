package kernel

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"hotcell/models/gguf"
)

// panelLengths are numbers of columns or blocks that cover every tail of the unrolled loops, and one long sum.
func panelLengths(typ gguf.Type) []int {
	switch elems, _ := typ.Block(); elems {
	case 1:
		return []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 17, 96}
	case BlockCols:
		return []int{1, 2, 3, 8, 33}
	}
	return []int{8, 24}
}

// eachType runs a test for every file type and filling.
func eachType(t *testing.T, test func(t *testing.T, f Format, typ gguf.Type, k *filling)) {
	for _, f := range formats {
		for _, typ := range fileTypes[f] {
			for _, k := range fillings {
				t.Run(fmt.Sprintf("%v with %s", typ, k.name), func(t *testing.T) { test(t, f, typ, &k) })
			}
		}
	}
}

func TestPanelGivesTheProductOfEveryType(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		eachType(t, func(t *testing.T, f Format, typ gguf.Type, k *filling) {
			if v.panel[f] == nil {
				t.Skip("this variant expands the format")
			}
			r := newRand(uint64(f))
			for _, n := range panelLengths(typ) {
				rows := k.fillRows(r, typ, n)
				w := guarded(t, f.PanelBytes(n*unitCols(f)))
				x := guarded(t, inputBytes(f, n))
				pack(t, typ, rows, w, n)
				k.fillInput(r, f, n, x)
				y := guarded(t, 64+64)
				fillCanary(y)
				v.panel[f](unsafe.Pointer(&y[64]), unsafe.Pointer(&w[0]), unsafe.Pointer(&x[0]), n)
				checkCanary(t, "before y", y[:64])
				for row, want := range exactPanel(t, typ, rows, x, n) {
					if err := want.check(getF32(y[64+row*4:])); err != nil {
						t.Fatalf("n=%d row %d: %v", n, row, err)
					}
				}
			}
		})
	})
}

// anyTile is a tile or a pair tile, which computes 2 panels.
type anyTile struct {
	panels, tokens int
	multiply       pairFunc
}

func anyTiles(tiles []tile, pairs []pairTile) (all []anyTile) {
	for _, t := range tiles {
		all = append(all, anyTile{1, t.tokens, func(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, _ uintptr, x unsafe.Pointer, xStride uintptr, n int) {
			t.multiply(y, yStride, w, x, xStride, n)
		}})
	}
	for _, t := range pairs {
		all = append(all, anyTile{2, t.tokens, t.multiply})
	}
	return all
}

// tilesOf are all tiles that multiply a format.
func tilesOf(v ops, f Format) []anyTile {
	if !f.Quantized() {
		return anyTiles(v.tile[f], v.pair[f])
	}
	form := layouts[f].form
	return anyTiles(v.form[form], v.formPair[form])
}

// asTilesTakeThem are panels, one behind the other, as the tiles of a format take them.
func asTilesTakeThem(t testing.TB, v ops, f Format, w []byte, panels, n int) []byte {
	if !f.Quantized() {
		return w
	}
	wide, size := n*layouts[f].form.blockBytes(), len(w)/panels
	all := guarded(t, panels*wide)
	for i := range panels {
		v.expand[f](unsafe.Pointer(&all[i*wide]), unsafe.Pointer(&w[i*size]), n)
	}
	return all
}

func TestTilesGiveEachTokenTheProduct(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		eachType(t, func(t *testing.T, f Format, typ gguf.Type, k *filling) {
			r := newRand(uint64(f))
			for _, n := range panelLengths(typ) {
				for _, tile := range tilesOf(v, f) {
					testTile(t, v, f, typ, k, r, tile, n)
				}
			}
		})
	})
}

func testTile(t *testing.T, v ops, f Format, typ gguf.Type, k *filling, r *rand.Rand, tile anyTile, n int) {
	const yGap, xGap = 20, 12 // strides of unaligned tokens
	xBytes, size := inputBytes(f, n), f.PanelBytes(n*unitCols(f))
	xStride, yStride := xBytes+xGap, tile.panels*PanelRows*4+yGap
	rows := make([][]byte, tile.panels)
	w := guarded(t, tile.panels*size)
	for i := range rows {
		rows[i] = k.fillRows(r, typ, n)
		pack(t, typ, rows[i], w[i*size:][:size], n)
	}
	wide := asTilesTakeThem(t, v, f, w, tile.panels, n)
	x := guarded(t, tile.tokens*xStride-xGap)
	y := guarded(t, tile.tokens*yStride)
	fillCanary(y)
	for token := range tile.tokens {
		k.fillInput(r, f, n, x[token*xStride:])
	}
	tile.multiply(unsafe.Pointer(&y[yGap]), uintptr(yStride), unsafe.Pointer(&wide[0]), uintptr(len(wide)/tile.panels), unsafe.Pointer(&x[0]), uintptr(xStride), n)
	for token := range tile.tokens {
		checkCanary(t, fmt.Sprintf("before y of token %d", token), y[token*yStride:][:yGap])
		in := x[token*xStride:][:xBytes]
		for i := range rows {
			var panel [PanelRows]float32
			if v.panel[f] != nil {
				v.panel[f](unsafe.Pointer(&panel), unsafe.Pointer(&w[i*size]), unsafe.Pointer(&in[0]), n)
			}
			for row, want := range exactPanel(t, typ, rows[i], in, n) {
				got := getF32(y[token*yStride+yGap+(i*PanelRows+row)*4:])
				err := want.check(got)
				if v.panel[f] != nil && !sameFloat(got, panel[row]) {
					err = errors.Join(err, fmt.Errorf("tile gives %v, panel %v", got, panel[row]))
				}
				if err != nil {
					t.Fatalf("n=%d token %d of %d, panel %d of %d, row %d: %v", n, token, tile.tokens, i, tile.panels, row, err)
				}
			}
		}
	}
}

func TestMulIsTheMatrixProductForAnyRowsAndTokens(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		defer func(before ops) { active = before }(active)
		active = v
		for _, f := range formats {
			for _, rows := range []int{1, 15, 16, 17, 40} {
				for _, tokens := range []int{1, 3, 4, 5, 6, 7, 9, 13} {
					cols := wholeCols(f, 96)
					m := randomMatrix(t, f, rows, cols)
					x := randomActs(tokens, cols)
					x.Quantize(0, tokens)
					stride := m.PaddedRows() + 5
					dst := make([]float32, tokens*stride)
					for i := range dst {
						dst[i] = -12345
					}
					m.Mul(dst, stride, x, 0, 1)
					m.Mul(dst, stride, x, 1, m.Panels())
					w := make([]float32, cols)
					for row := range m.PaddedRows() {
						clear(w)
						if row < rows {
							m.Row(row, w)
						}
						for token := range tokens {
							var want sum
							for c := range cols {
								want.add(float64(w[c]) * actValue(x, f, token, c))
							}
							if err := want.check(dst[token*stride+row]); err != nil {
								t.Fatalf("%v, %d rows, %d tokens: row %d token %d: %v", f, rows, tokens, row, token, err)
							}
						}
					}
					for token := range tokens {
						for i := m.PaddedRows(); i < stride; i++ {
							if dst[token*stride+i] != -12345 {
								t.Fatalf("%v, %d rows: wrote past the padded rows of token %d", f, rows, token)
							}
						}
					}
				}
			}
		}
	})
}

func TestMulGivesTheSameBitsForOneTokenAndMany(t *testing.T) {
	eachVariant(t, func(t *testing.T, v ops) {
		defer func(before ops) { active = before }(active)
		active = v
		for i := range 2 * len(formats) {
			const rows, tokens = 48, 15
			f := formats[i/2]
			cols := wholeCols(f, []int{320, (2*partBlocks + 8) * BlockCols}[i%2])
			m := randomMatrix(t, f, rows, cols)
			x := randomActs(tokens, cols)
			x.Quantize(0, tokens)
			all := make([]float32, tokens*rows)
			m.Mul(all, rows, x, 0, m.Panels())
			for token := range tokens {
				one := NewActs(1, cols)
				one.Reset(1, cols)
				copy(one.Row(0), x.Row(token))
				one.Quantize(0, 1)
				y := make([]float32, rows)
				m.Mul(y, rows, one, 2, 3)
				m.Mul(y, rows, one, 0, 2)
				for row := range y {
					if math.Float32bits(y[row]) != math.Float32bits(all[token*rows+row]) {
						t.Fatalf("%v token %d row %d: alone %v, in a batch %v", f, token, row, y[row], all[token*rows+row])
					}
				}
			}
		}
	})
}

func TestMulOfNothingWritesNothing(t *testing.T) {
	m := randomMatrix(t, F32, 16, 32)
	x := NewActs(1, 32)
	x.Reset(0, 32)
	m.Mul(nil, 16, x, 0, 1)
	x.Reset(1, 32)
	m.Mul(nil, 16, x, 1, 1)
}

func FuzzProductAgainstExactProduct(f *testing.F) {
	f.Add(byte(0), []byte{0, 0, 128, 63}, []byte{0, 0, 128, 127})
	f.Add(byte(1), []byte{0, 60, 1, 0, 255, 3}, []byte{0, 0, 192, 255})
	f.Add(byte(2), []byte{128, 127, 0, 1}, []byte{129, 127, 0, 1, 255})
	f.Add(byte(3), []byte{0xff, 0x0f, 0xf0, 0x88}, []byte{127, 129})
	f.Add(byte('#'), []byte("70x"), []byte("0\xfd00x")) // overflows on the way to an infinite term
	f.Add(byte(23), []byte("weights that repeat"), []byte("activations that repeat, of another length"))
	f.Fuzz(func(t *testing.T, shape byte, wSeed, xSeed []byte) {
		if len(wSeed) == 0 || len(xSeed) == 0 {
			return
		}
		format := Format(shape % byte(numFormats))
		typ := fileTypes[format][0]
		n := wholeUnits(typ, 1+int(shape/byte(numFormats))%9)
		elems, size := typ.Block()
		const panels, tokens = 3, 13
		rows := make([]byte, panels*PanelRows*n*unitCols(format)/elems*size)
		repeat(rows, wSeed)
		panelRows, panelBytes := len(rows)/panels, format.PanelBytes(n*unitCols(format))
		w := make([]byte, panels*panelBytes)
		for i := range panels {
			pack(t, typ, rows[i*panelRows:][:panelRows], w[i*panelBytes:][:panelBytes], n)
		}
		xBytes := inputBytes(format, n)
		x := make([]byte, tokens*xBytes)
		repeat(x, xSeed)
		if format.Quantized() {
			for token := range tokens {
				makeRecord(x[token*xBytes:][:xBytes], n)
			}
		}
		defer func(before ops) { active = before }(active)
		for _, active = range variants {
			var wide [tokens][panels * PanelRows]float32
			all := product{unsafe.Pointer(&wide), panels * PanelRows * 4, unsafe.Pointer(&w[0]), panelBytes, unsafe.Pointer(&x[0]), uintptr(xBytes), n}
			all.multiply(format, panels, tokens)
			for token := range tokens {
				in := x[token*xBytes:][:xBytes]
				for i := range panels {
					var y [PanelRows]float32
					p := all.panel(i)
					p.y, p.x = unsafe.Pointer(&y), unsafe.Pointer(&in[0])
					p.multiply(format, 1, 1)
					for row, want := range exactPanel(t, typ, rows[i*panelRows:][:panelRows], in, n) {
						if err := want.check(y[row]); err != nil {
							t.Fatalf("%s %v n=%d token %d panel %d row %d: %v", active.name, typ, n, token, i, row, err)
						}
						if got := wide[token][i*PanelRows+row]; !sameFloat(y[row], got) {
							t.Fatalf("%s %v n=%d token %d panel %d row %d: with others %v, alone %v", active.name, typ, n, token, i, row, got, y[row])
						}
					}
				}
			}
		}
	})
}

// repeat fills dst with copies of seed.
func repeat(dst, seed []byte) {
	for i := range dst {
		dst[i] = seed[i%len(seed)]
	}
}

// makeRecord turns any bytes into a valid 8-bit record of n blocks: values above -128 and their sums.
func makeRecord(x []byte, n int) {
	for i := range n * BlockCols {
		x[i] = byte(max(-127, int8(x[i])))
	}
	sumRecord(x, n)
}

// wholeCols rounds a number of columns up to whole blocks of the format's file type.
func wholeCols(f Format, cols int) int {
	elems, _ := fileTypes[f][0].Block()
	return (cols + elems - 1) / elems * elems
}

// randomMatrix packs random rows through the format's file type.
func randomMatrix(t *testing.T, f Format, rows, cols int) *Matrix {
	t.Helper()
	r := newRand(uint64(rows))
	m := &Matrix{Format: f, Rows: rows, Cols: cols, Data: alignedBytes(MatrixBytes(f, rows, cols))}
	for p := range m.Panels() {
		typ := fileTypes[f][0]
		src := randomRows(r, typ, min(PanelRows, rows-p*PanelRows), cols)
		if err := m.Pack(p, typ, src); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// alignedBytes returns n bytes at a multiple of 64, full of what a panel must overwrite.
func alignedBytes(n int) []byte {
	b := make([]byte, n+63)
	fillCanary(b)
	off := -int(uintptr(unsafe.Pointer(&b[0]))) & 63
	return b[off : off+n : off+n]
}

func randomActs(tokens, cols int) *Acts {
	r := newRand(uint64(tokens))
	x := NewActs(tokens, cols)
	x.Reset(tokens, cols)
	for token := range tokens {
		for c := range cols {
			x.Row(token)[c] = gauss(r)
		}
	}
	return x
}

// actValue is the activation as the format's kernels see it: rounded to 8 bits for the Q formats.
func actValue(x *Acts, f Format, token, c int) float64 {
	if !f.Quantized() {
		return float64(x.Row(token)[c])
	}
	blocks := x.Cols / BlockCols
	record := x.q[token*actRecordBytes(blocks):]
	return float64(int8(record[c])) * float64(getF32(record[blocks*BlockCols+c/BlockCols*4:]))
}
