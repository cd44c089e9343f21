package kernel

import (
	"sync"
	"unsafe"
)

// A panel that is multiplied with many tokens is first expanded: every code in a byte of its own and every scale a float32, so that
// unpacking is paid once for all tokens and the products of many tokens need know only a few forms:
//
//	blocks of {codes [8][16][4], scales [halves][16]f32, minima [halves][16]f32}
//
// halves is 2 where each 16 columns have a scale of their own, otherwise 1; minima are there in the forms that have them. Element [g][r][j] of the
// codes is row r, column 4g+j. With many panels at once, see parts.go.
type form uint8

const (
	nibbles32 form = iota // codes 0 to 15, of values 8 less
	bytes32               // values -128 to 127
	minima32              // codes 0 to 31, with minima
	codes16               // codes 0 to 63, of values 32 less
	bytes16               // values -128 to 127
	minima16              // codes 0 to 3, with minima
	numForms
)

// halves is the number of scales of a block and row.
func (f form) halves() int {
	if f >= codes16 {
		return 2
	}
	return 1
}

func (f form) minima() bool { return f == minima32 || f == minima16 }

// zero is the code of the value 0.
func (f form) zero() int8 { return [numForms]int8{nibbles32: 8, codes16: 32}[f] }

// blockBytes is the size of an expanded block.
func (f form) blockBytes() int {
	n := 8*plane + f.halves()*wideBytes
	if f.minima() {
		n += f.halves() * wideBytes
	}
	return n
}

// expandFunc writes the expanded form of a panel of n blocks to dst. Which codes stand for which values is an agreement between a variant's
// expandFuncs and its tiles; the reference's is the one above, that of arm64 has values everywhere, that of AVX-512 values and 128 for every symmetric type.
type expandFunc func(dst, w unsafe.Pointer, n int)

// forms are the tiles of each form where codes of nibbles and bytes, of codes and bytes, mean the same.
func forms[T tile | pairTile](scale, minimum, scales, minima []T) [numForms][]T {
	return [numForms][]T{nibbles32: scale, bytes32: scale, minima32: minimum, codes16: scales, bytes16: scales, minima16: minima}
}

// expandGo is the reference of ops.expand.
func expandGo(f Format) expandFunc {
	return func(dst, w unsafe.Pointer, n int) {
		l := &layouts[f]
		panel := unsafe.Slice((*byte)(w), f.PanelBytes(n*BlockCols))
		var values [BlockCols]int8
		for b := range n {
			header, codes := l.at(panel, b)
			block := unsafe.Slice((*byte)(unsafe.Add(dst, b*l.form.blockBytes())), l.form.blockBytes())
			wide := block[8*plane:]
			for r := range PanelRows {
				l.values(panel, codes, r, &values)
				for c, v := range values {
					block[c/4*plane+r*4+c%4] = byte(v + l.form.zero())
				}
				scale, least := l.scales(header, b, r)
				for h := range l.form.halves() {
					setFloat32(wide[h*wideBytes+r*4:], scale[h])
					if l.form.minima() {
						setFloat32(wide[(l.form.halves()+h)*wideBytes+r*4:], least[h])
					}
				}
			}
		}
	}
}

// expandedGo is the reference of a form's product with one token.
func expandedGo(f form) tileFunc {
	return func(y unsafe.Pointer, _ uintptr, w, x unsafe.Pointer, _ uintptr, n int) {
		var acc [PanelRows]float32
		for b := range n {
			block := unsafe.Slice((*byte)(unsafe.Add(w, b*f.blockBytes())), f.blockBytes())
			wide := block[8*plane:]
			for r := range acc {
				var values [BlockCols]int8
				for c := range values {
					values[c] = int8(block[c/4*plane+r*4+c%4]) - f.zero()
				}
				var scale, least [2]float32
				for h := range scale {
					i := min(h, f.halves()-1)
					scale[h] = float32At(wide[i*wideBytes+r*4:])
					if f.minima() {
						least[h] = float32At(wide[(f.halves()+i)*wideBytes+r*4:])
					}
				}
				acc[r] = addBlock(acc[r], f, &values, scale, least, x, n, b)
			}
		}
		*(*[PanelRows]float32)(y) = acc
	}
}

// addBlock adds a row's product of block b to acc, in the order that all kernels keep: the scaled integer sums of both halves or of the block, less
// what the minima take, times the scale of the activations.
func addBlock(acc float32, f form, values *[BlockCols]int8, scale, least [2]float32, x unsafe.Pointer, n, b int) float32 {
	xq, xd, _ := record(x, n)
	var sum, xsum [2]int32
	for c, v := range values {
		e := int32(xq[b*BlockCols+c])
		sum[c/16] += int32(v) * e
		xsum[c/16] += e
	}
	var p float32
	if f.halves() == 1 {
		p = float32(sum[0]+sum[1]) * scale[0]
		if f.minima() {
			p -= float32(xsum[0]+xsum[1]) * least[0]
		}
	} else {
		p = float32(sum[0])*scale[0] + float32(sum[1])*scale[1]
		if f.minima() {
			p -= float32(xsum[0]) * least[0]
			p -= float32(xsum[1]) * least[1]
		}
	}
	return acc + p*xd[b]
}

// expandTokens is the number of tokens from which a product expands a panel.
const expandTokens = 4

// expanded is scratch memory for one expanded panel.
type expanded struct{ memory []byte }

// idleExpanded are those that no product is using: at most as many as threads that multiply. (A sync.Pool would let the garbage collector
// take them, and they would be allocated again in the middle of a prompt.)
var idleExpanded struct {
	sync.Mutex
	list []*expanded
}

func takeExpanded() *expanded {
	idleExpanded.Lock()
	defer idleExpanded.Unlock()
	last := len(idleExpanded.list) - 1
	if last < 0 {
		return new(expanded)
	}
	e := idleExpanded.list[last]
	idleExpanded.list = idleExpanded.list[:last]
	return e
}

func (e *expanded) giveBack() {
	idleExpanded.Lock()
	defer idleExpanded.Unlock()
	idleExpanded.list = append(idleExpanded.list, e)
}

// room returns n bytes at a multiple of 64.
func (e *expanded) room(n int) unsafe.Pointer {
	if len(e.memory) < n+63 {
		e.memory = make([]byte, n+63)
	}
	p := unsafe.Pointer(unsafe.SliceData(e.memory))
	return unsafe.Add(p, -int(uintptr(p))&63)
}
