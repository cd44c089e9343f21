package kernel

import "hotcell/models/gguf"

// PanelRows is the number of rows that are interleaved in one panel.
const PanelRows = 16

// BlockCols is the number of columns of a block, which the Q formats are made of and which share one scale of the activations.
const BlockCols = 32

// Format is a run-time layout of weights; see the package documentation.
type Format uint8

// The run-time layouts. The Q formats hold the file types of like names; Q4T holds 4-bit types with a table (IQ4_NL, IQ4_XS, MXFP4), Q8S all
// other types of at most 8 bits with a scale for each 16 columns.
const (
	F32 Format = iota
	F16
	BF16
	Q8
	Q4
	Q41
	Q50
	Q51
	Q2K
	Q3K
	Q4K
	Q5K
	Q6K
	Q4T
	Q8S
	numFormats
)

// String returns the name of the format.
func (f Format) String() string {
	return [...]string{"F32", "F16", "BF16", "Q8", "Q4", "Q41", "Q50", "Q51", "Q2K", "Q3K", "Q4K", "Q5K", "Q6K", "Q4T", "Q8S"}[f]
}

// Quantized tells whether the format multiplies 8-bit activations.
func (f Format) Quantized() bool { return f >= Q8 }

var formatOf = map[gguf.Type]Format{
	gguf.F32: F32, gguf.F16: F16, gguf.BF16: BF16, gguf.Q8_0: Q8, gguf.Q4_0: Q4, gguf.Q4_1: Q41, gguf.Q5_0: Q50, gguf.Q5_1: Q51,
	gguf.Q2_K: Q2K, gguf.Q3_K: Q3K, gguf.Q4_K: Q4K, gguf.Q5_K: Q5K, gguf.Q6_K: Q6K,
	gguf.IQ4_NL: Q4T, gguf.IQ4_XS: Q4T, gguf.MXFP4: Q4T,
}

// FormatOf says which run-time layout holds the weights of a file type exactly: the same numbers, moved or widened, never
// rounded. ok is false for types that cannot be read.
func FormatOf(t gguf.Type) (f Format, ok bool) {
	if f, ok = formatOf[t]; !ok && gguf.CanUnpack(t) && !t.HasMin() {
		return Q8S, true
	}
	return f, ok
}

// PanelBytes is the size of one panel with the given number of columns.
func (f Format) PanelBytes(cols int) int {
	switch f {
	case F32:
		return cols * PanelRows * 4
	case F16, BF16:
		return cols * PanelRows * 2
	}
	l, blocks := &layouts[f], cols/BlockCols
	return l.table + ((blocks+1<<l.unit-1)>>l.unit)*l.header + blocks*l.block
}

// Bytes of a panel's parts.
const (
	plane     = PanelRows * 4 // one byte for each of 4 columns: the step in which codes are loaded
	halfBytes = PanelRows * 2 // a float16 for each row
	wideBytes = PanelRows * 4 // a float32 for each row
)

// layout is how a quantised format lies in a panel: a table, then units of some blocks; a unit is a header, which holds scales, and then the
// codes of its blocks. The last unit may have fewer blocks. All parts are multiples of 64 bytes.
type layout struct {
	table  int // bytes
	unit   int // blocks are 1<<unit
	header int // bytes of a unit
	block  int // bytes of a block's codes

	nibbles, pairs, bits bool // what parts codes are cut into; none: whole bytes

	zero    int8 // the code that means 0: a value is its code - zero
	scaling scaling
	form    form
}

// scaling is what a unit's header holds.
type scaling uint8

const (
	halfScales   scaling = iota // [unit][16] f16
	halfMinima                  // a scale [16] f16, a minimum [16] f16
	byteScales                  // d [16] f16, dmin [16] f16, scales [8][16] u8, minima [8][16] u8; a scale is d * u8, a minimum dmin * u8
	nibbleScales                // d [16] f16, dmin [16] f16, [16][16] u8 for half blocks: the low 4 bits a scale, the high ones a minimum
	signedScales                // d [16] f16, 32 bytes of nothing, [16][16] i8 scales of half blocks
	wideScales                  // [16] f32
	wideHalves                  // [2][16] f32, of half blocks
)

var layouts = [numFormats]layout{
	Q8:  {unit: 1, header: 2 * halfBytes, block: 8 * plane, scaling: halfScales, form: bytes32},
	Q4:  {unit: 1, header: 2 * halfBytes, block: 4 * plane, nibbles: true, zero: 8, scaling: halfScales, form: nibbles32},
	Q41: {unit: 0, header: 2 * halfBytes, block: 4 * plane, nibbles: true, scaling: halfMinima, form: minima32},
	Q50: {unit: 1, header: 2 * halfBytes, block: 5 * plane, nibbles: true, bits: true, zero: 16, scaling: halfScales, form: bytes32},
	Q51: {unit: 0, header: 2 * halfBytes, block: 5 * plane, nibbles: true, bits: true, scaling: halfMinima, form: minima32},
	Q2K: {unit: 3, header: 2*halfBytes + 16*PanelRows, block: 2 * plane, pairs: true, scaling: nibbleScales, form: minima16},
	Q3K: {unit: 3, header: 2*halfBytes + 16*PanelRows, block: 3 * plane, pairs: true, bits: true, zero: 4, scaling: signedScales, form: codes16},
	Q4K: {unit: 3, header: 2*halfBytes + 16*PanelRows, block: 4 * plane, nibbles: true, scaling: byteScales, form: minima32},
	Q5K: {unit: 3, header: 2*halfBytes + 16*PanelRows, block: 5 * plane, nibbles: true, bits: true, scaling: byteScales, form: minima32},
	Q6K: {unit: 3, header: 2*halfBytes + 16*PanelRows, block: 6 * plane, nibbles: true, pairs: true, zero: 32, scaling: signedScales, form: codes16},
	Q4T: {table: 64, unit: 0, header: wideBytes, block: 4 * plane, nibbles: true, scaling: wideScales, form: bytes32},
	Q8S: {unit: 0, header: 2 * wideBytes, block: 8 * plane, scaling: wideHalves, form: bytes16},
}

// at returns the header and the codes of block b of a panel.
func (l *layout) at(panel []byte, b int) (header, codes []byte) {
	unit := panel[l.table+(b>>l.unit)*(l.header+l.block<<l.unit):]
	return unit[:l.header], unit[l.header+l.inUnit(b)*l.block:][:l.block]
}

// inUnit is the number of block b within its unit.
func (l *layout) inUnit(b int) int { return b & (1<<l.unit - 1) }

// word returns the codes of columns 4g to 4g+3 of row r of a block, one in each byte.
func (l *layout) word(codes []byte, g, r int) (w uint32) {
	at := func(i int) uint32 { return uint32At(codes[i*plane+r*4:]) }
	if !l.nibbles && !l.pairs {
		return at(g)
	}
	next, shift := 0, 0
	if l.nibbles {
		w = at(g%4) >> (g / 4 * 4) & 0x0f0f0f0f
		next, shift = 4, 4
	}
	if l.pairs {
		w |= at(next+g%2) >> (g / 2 * 2) & 0x03030303 << shift
		next, shift = next+2, shift+2
	}
	if l.bits {
		w |= at(next) >> g & 0x01010101 << shift
	}
	return w
}

// scales returns the scales and the minima of the two halves of block b, row r.
func (l *layout) scales(header []byte, b, r int) (scale, least [2]float32) {
	half := func(off int) float32 { return gguf.F16ToF32(uint16At(header[off+r*2:])) }
	b = l.inUnit(b)
	switch l.scaling {
	case halfScales:
		d := half(b * halfBytes)
		scale = [2]float32{d, d}
	case halfMinima:
		d, m := half(0), half(halfBytes)
		scale, least = [2]float32{d, d}, [2]float32{m, m}
	case byteScales:
		d := half(0) * float32(header[2*halfBytes+b*PanelRows+r])
		m := half(halfBytes) * float32(header[2*halfBytes+(8+b)*PanelRows+r])
		scale, least = [2]float32{d, d}, [2]float32{m, m}
	case nibbleScales:
		for h := range scale {
			v := header[2*halfBytes+(2*b+h)*PanelRows+r]
			scale[h], least[h] = half(0)*float32(v&15), half(halfBytes)*float32(v>>4)
		}
	case signedScales:
		for h := range scale {
			scale[h] = half(0) * float32(int8(header[2*halfBytes+(2*b+h)*PanelRows+r]))
		}
	case wideScales:
		d := float32At(header[r*4:])
		scale = [2]float32{d, d}
	case wideHalves:
		scale = [2]float32{float32At(header[r*4:]), float32At(header[wideBytes+r*4:])}
	}
	return scale, least
}

// values writes the integer values of row r of a block: codes less zero, or through the table.
func (l *layout) values(panel, codes []byte, r int, dst *[BlockCols]int8) {
	for g := range 8 {
		w := l.word(codes, g, r)
		for j := range 4 {
			v := byte(w >> (8 * j))
			if l.table > 0 {
				v = panel[v&15]
			}
			dst[4*g+j] = int8(v) - l.zero
		}
	}
}
