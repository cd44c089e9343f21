package kernel

import (
	"fmt"
	"strings"
	"unsafe"
)

// panelFunc computes one panel for one token: y [16]float32 = panel w times x. n is the number of columns for the F formats and
// of blocks for the Q formats; x is the token's float32 row or its 8-bit record. n is at least 1, for Q4K a multiple of 8.
type panelFunc func(y, w, x unsafe.Pointer, n int)

// tileFunc does the same for Tile tokens, whose inputs and outputs lie xStride and yStride bytes apart. Each token's result has the bits that
// the format's panelFunc gives.
type tileFunc func(y unsafe.Pointer, yStride uintptr, w, x unsafe.Pointer, xStride uintptr, n int)

// ops is one variant of all operations. Pointers to weights are aligned to 2 bytes only (F32: 4) in the row operations; panels are aligned to
// 32 bytes, activation records to 4.
type ops struct {
	name     string
	panel    [numFormats]panelFunc
	tile     [numFormats]tileFunc
	quantize func(dst unsafe.Pointer, x *float32, blocks int) // makes an 8-bit record; same bits in every variant

	dotF32  func(x *float32, w unsafe.Pointer, n int) float32 // n >= 1, any
	dotF16  func(x *float32, w unsafe.Pointer, n int) float32
	axpyF32 func(y *float32, w unsafe.Pointer, a float32, n int) // y += a*w
	axpyF16 func(y *float32, w unsafe.Pointer, a float32, n int)
	axpyQ8  func(y *float32, w unsafe.Pointer, a float32, blocks int) // w: Q8_0 blocks of 34 bytes
	axpyQ4  func(y *float32, w unsafe.Pointer, a float32, blocks int) // w: Q4_0 blocks of 18 bytes

	neuron  neuronOps
	panelI8 panelFunc // a panel [n][16]int8 times float32
	tileI8  tileFunc

	max         func(x *float32, n int) float32 // n >= 1, any, in all of these
	expSum      func(x *float32, n int, top float32) float32
	logisticMul func(dst, g, u *float32, n int, linear, cubic float32) // dst = g / (1 + e^(linear*g + cubic*g^3)) * u
	scaleMul    func(dst, a, b *float32, n int, s float32)
}

var goOps = ops{
	name: "go",
	panel: [numFormats]panelFunc{
		F32: panelF32Go, F16: panelF16Go, Q8: panelQ8Go, Q4: panelQ4Go,
		Q4K: panelQ4KGo, Q4T: panelQ4TGo, Q8S: panelQ8SGo, Q8A: panelQ8AGo,
	},
	tile: [numFormats]tileFunc{
		F32: tileGo(panelF32Go), F16: tileGo(panelF16Go), Q8: tileGo(panelQ8Go), Q4: tileGo(panelQ4Go),
		Q4K: tileGo(panelQ4KGo), Q4T: tileGo(panelQ4TGo), Q8S: tileGo(panelQ8SGo), Q8A: tileGo(panelQ8AGo),
	},
	quantize: quantizeGo,
	dotF32:   dotF32Go,
	dotF16:   dotF16Go,
	axpyF32:  axpyF32Go,
	axpyF16:  axpyF16Go,
	axpyQ8:   axpyQ8Go,
	axpyQ4:   axpyQ4Go,
	neuron:   neuronGo,

	panelI8: panelI8Go,
	tileI8:  tileGo(panelI8Go),

	max:         maxGo,
	expSum:      expSumGo,
	logisticMul: logisticMulGo,
	scaleMul:    scaleMulGo,
}

// variants are those that this CPU can run, best first; the Go reference is last. active is the one in use; it is written before any engine
// starts, never while one runs.
var (
	variants = append(complete(archOps()), goOps)
	active   = variants[0]
)

// complete gives variants the Go reference for what they lack.
func complete(list []ops) []ops {
	for i := range list {
		if list[i].neuron.dotQ4 == nil {
			list[i].neuron = neuronGo
		}
		for f := range numFormats {
			if v := &list[i]; v.panel[f] == nil {
				v.panel[f], v.tile[f] = goOps.panel[f], goOps.tile[f]
			}
		}
	}
	return list
}

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
