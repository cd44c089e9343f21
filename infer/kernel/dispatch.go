package kernel

import (
	"fmt"
	"strings"
	"unsafe"
)

// panelFunc computes one panel for one token: y [16]float32 = panel w times x. n is the number of columns for the F formats and
// of blocks for the Q formats; x is the token's float32 row or its 8-bit record. n is at least 1, for the K formats a multiple of 8.
type panelFunc func(y, w, x unsafe.Pointer, n int)

// tileFunc does the same for some tokens, whose inputs and outputs lie xStride and yStride bytes apart; w is a panel of a float format or an
// expanded panel. Each token's result has the bits that the format's panelFunc gives.
type tileFunc func(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

// tile is a tileFunc with the number of its tokens.
type tile struct {
	tokens   int
	multiply tileFunc
}

// pairFunc is a tileFunc for two panels, wStride bytes apart; a token's results of the second lie behind those of the first.
type pairFunc func(y unsafe.Pointer, yStride uintptr, w unsafe.Pointer, wStride uintptr, x unsafe.Pointer, xStride uintptr, n int)

// pairTile is a pairFunc with the number of its tokens.
type pairTile struct {
	tokens   int
	multiply pairFunc
}

// partFunc is a tileFunc of Tile tokens for a part of an expanded panel: w is blocks first to first+count-1 of n, count is at most partBlocks. The parts of a
// panel are computed in order, and each but the first adds to y, which gives the same bits as all at once.
type partFunc func(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n, first, count int)

// Tile is the number of tokens that the kernels of one weight row compute at once.
const Tile = 4

// ops is one variant of all operations. Pointers to weights are aligned to 2 bytes only (F32: 4) in the row operations; panels are aligned to
// 32 bytes, activation records to 4.
type ops struct {
	name     string
	panel    [numFormats]panelFunc
	tile     [numFormats][]tile     // of the float formats, widest first
	expand   [numFormats]expandFunc // of the quantised ones
	form     [numForms][]tile       // of expanded panels; the last is for one token where a format has no panelFunc
	pair     [numFormats][]pairTile // as tile, of two panels, and as form: a variant has them where they are faster
	formPair [numForms][]pairTile
	part     [numForms]partFunc                               // what form computes, in parts; nil where a panel is better taken at once
	quantize func(dst unsafe.Pointer, x *float32, blocks int) // makes an 8-bit record; same bits in every variant

	halve func(dst *uint16, x *float32, n int) // float16 bits, to nearest even; n >= 1, any; same bits in every variant

	dotF32  func(x *float32, w unsafe.Pointer, n int) float32 // n >= 1, any
	dotF16  func(x *float32, w unsafe.Pointer, n int) float32
	axpyF32 func(y *float32, w unsafe.Pointer, a float32, n int) // y += a*w
	axpyF16 func(y *float32, w unsafe.Pointer, a float32, n int)
	axpyQ8  func(y *float32, w unsafe.Pointer, a float32, blocks int) // w: Q8_0 blocks of 34 bytes
	axpyQ4  func(y *float32, w unsafe.Pointer, a float32, blocks int) // w: Q4_0 blocks of 18 bytes

	pack packMoves // same bits in every variant

	neuron  neuronOps
	panelI8 panelFunc // a panel [n][16]int8 times float32
	tileI8  []tile
	pairI8  []pairTile

	max         func(x *float32, n int) float32 // n >= 1, any, in all of these
	expSum      func(x *float32, n int, top float32) float32
	logisticMul func(dst, g, u *float32, n int, linear, cubic float32) // dst = g / (1 + e^(linear*g + cubic*g^3)) * u
	scaleMul    func(dst, a, b *float32, n int, s float32)
}

var goOps = ops{
	name:     "go",
	panel:    quantized([numFormats]panelFunc{F32: panelF32Go, F16: panelF16Go, BF16: panelBF16Go}, panelGo),
	tile:     [numFormats][]tile{F32: tileGo(panelF32Go), F16: tileGo(panelF16Go), BF16: tileGo(panelBF16Go)},
	expand:   quantized([numFormats]expandFunc{}, expandGo),
	form:     formsGo(),
	quantize: quantizeGo,
	halve:    halveGo,
	dotF32:   dotF32Go,
	dotF16:   dotF16Go,
	axpyF32:  axpyF32Go,
	axpyF16:  axpyF16Go,
	axpyQ8:   axpyQ8Go,
	axpyQ4:   axpyQ4Go,
	pack:     packGo,
	neuron:   neuronGo,

	panelI8: panelI8Go,
	tileI8:  tileGo(panelI8Go),

	max:         maxGo,
	expSum:      expSumGo,
	logisticMul: logisticMulGo,
	scaleMul:    scaleMulGo,
}

// quantized adds what kernel makes for each quantised format to a table.
func quantized[T any](table [numFormats]T, kernel func(Format) T) [numFormats]T {
	for f := Q8; f < numFormats; f++ {
		table[f] = kernel(f)
	}
	return table
}

func formsGo() (forms [numForms][]tile) {
	for f := range numForms {
		forms[f] = []tile{{1, expandedGo(f)}}
	}
	return forms
}

// wholes are the tiles that take all parts of a panel at once.
func wholes(parts *[numForms]partFunc) (forms [numForms][]tile) {
	for f, part := range parts {
		forms[f] = []tile{{Tile, func(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int) {
			for first := 0; first < n; first += partBlocks {
				part(y, yStride, unsafe.Add(w, first*form(f).blockBytes()), x, xStride, n, first, min(partBlocks, n-first))
			}
		}}}
	}
	return forms
}

// variants are those that this CPU can run, best first; the Go reference is last. active is the one in use; it is written before any engine
// starts, never while one runs.
var (
	variants = append(archOps(), goOps)
	active   = variants[0]
)

// Names lists the variants that this CPU can run, best first.
func Names() []string {
	names := make([]string, len(variants))
	for i, v := range variants {
		names[i] = v.name
	}
	return names
}

// Active is the name of the variant in use.
func Active() string { return active.name }

// Use selects a variant by name. It must not be called while products are being computed.
func Use(name string) error {
	for _, v := range variants {
		if v.name == name {
			active = v
			return nil
		}
	}
	return fmt.Errorf("kernel variant %q is not available on this CPU (available: %s)", name, strings.Join(Names(), ", "))
}
