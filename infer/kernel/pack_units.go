package kernel

import (
	"encoding/binary"
	"unsafe"

	"hotcell/models/gguf"
)

// A file's row is blocks of 32 columns, or of 256 in the K types. A panel has the same codes and scales, in other places: in each plane lie 4 bytes of
// each row, and codes that share a byte in the file are of other columns than those that share one in a panel. So first 4 bytes of each row become a
// plane (interleave), and then planes, in which rows are all alike, exchange bits (split). Vector instructions do both; they are moves of packMoves.
// Tests hold the result against the file's own numbers.

// packing is what rows on their way into panels have in common. Pack has checked that both ends are as large as they must be; checking each word again
// would take longer than moving it.
type packing struct {
	format   Format
	typ      gguf.Type
	cols     int
	rowBytes int            // of the file
	raw      unsafe.Pointer // rawPlanes planes: a unit's rows, interleaved and else as in the file
	move     *packMoves
}

// rawPlanes is what the longest part of a row in a unit takes, that of Q6_K.
const rawPlanes = 52

// unitPackers pack 16 rows' part of a unit, from the file to where the unit begins; it has so many blocks of 32 columns. Q8_0 and Q4_0 need no more than a
// move.
var unitPackers = [numFormats]func(p *packing, unit, file unsafe.Pointer, blocks int){
	Q41: packQ41, Q50: packQ50, Q51: packQ51, Q2K: packQ2K, Q3K: packQ3K, Q4K: packQ4K, Q5K: packQ5K, Q6K: packQ6K,
}

// quantized packs a panel unit by unit: a panel of a wide matrix is larger than the first cache, a unit is not.
func (p *packing) quantized(dst, src unsafe.Pointer) {
	scratch := takeExpanded()
	defer scratch.giveBack()
	p.raw = scratch.room(rawPlanes * plane)
	l, pack := &layouts[p.format], unitPackers[p.format]
	blocks, unitBytes := p.cols/BlockCols, l.header+l.block<<l.unit
	for b := 0; b < blocks; b += 1 << l.unit {
		pack(p, unsafe.Add(dst, b>>l.unit*unitBytes), unsafe.Add(src, b*p.rowBytes/blocks), min(blocks-b, 1<<l.unit))
	}
}

// floats interleaves rows of numbers of 4 or 2 bytes, some hundred bytes of a row at a time, so that what was interleaved is still in the first cache
// when two numbers of 2 bytes are taken apart.
func (p *packing) floats(dst, src unsafe.Pointer) {
	const step = 32
	words, wide := p.rowBytes/4, p.format == F32
	for i := 0; i < words; i += step {
		n, out := min(step, words-i), planeAt(dst, i)
		p.move.interleave(out, unsafe.Add(src, i*4), p.rowBytes, n)
		if !wide {
			p.move.halves(out, out, n)
		}
	}
	if p.rowBytes%4 != 0 {
		gather(planeAt(dst, words), unsafe.Add(src, words*4), p.rowBytes)
	}
}

// packQ41: an f16 scale, an f16 minimum, nibbles.
func packQ41(p *packing, unit, file unsafe.Pointer, _ int) {
	p.move.interleave(p.raw, file, p.rowBytes, 5)
	p.minimum(unit)
	copyPlanes(planeAt(unit, 1), planeAt(p.raw, 1), 4)
}

// packQ50: an f16 scale, a bit for each column, nibbles.
func packQ50(p *packing, unit, file unsafe.Pointer, blocks int) {
	for b := range blocks {
		block := unsafe.Add(file, b*22)
		gather(unsafe.Add(unit, b*halfBytes), block, p.rowBytes)
		codes := planeAt(unit, 1+5*b)
		p.move.interleave(codes, unsafe.Add(block, 6), p.rowBytes, 4)
		p.move.interleave(p.raw, unsafe.Add(block, 2), p.rowBytes, 1)
		spreadBits(planeAt(codes, 4), p.raw)
	}
}

// packQ51: an f16 scale, an f16 minimum, a bit for each column, nibbles.
func packQ51(p *packing, unit, file unsafe.Pointer, _ int) {
	p.move.interleave(p.raw, file, p.rowBytes, 6)
	p.minimum(unit)
	copyPlanes(planeAt(unit, 1), planeAt(p.raw, 2), 4)
	spreadBits(planeAt(unit, 5), planeAt(p.raw, 1))
}

// superPlanes is the header of a unit of 256 columns, in planes: f16 d and dmin, 16 bytes of scales and minima.
const superPlanes = 1 + 4

// packQ2K: 16 bytes of a scale and a minimum of 4 bits, 64 bytes of pairs, f16 d and dmin.
func packQ2K(p *packing, unit, file unsafe.Pointer, _ int) {
	p.move.interleave(p.raw, file, p.rowBytes, 21)
	p.move.halves(unit, planeAt(p.raw, 20), 1)
	p.move.bytes(planeAt(unit, 1), p.raw, 4)
	for n := range 2 {
		p.move.split(planeAt(unit, superPlanes+8*n), planeAt(p.raw, 4+8*n), 4, 2*plane)
	}
}

// packQ3K: 32 bytes of bits, 64 of pairs, 12 of scales, f16 d.
func packQ3K(p *packing, unit, file unsafe.Pointer, _ int) {
	p.move.interleave(p.raw, file, p.rowBytes, 27)
	gather(unit, unsafe.Add(file, 108), p.rowBytes)
	sixBitScales(planeAt(p.raw, 24))
	p.move.bytes(planeAt(unit, 1), planeAt(p.raw, 24), 4)
	for n := range 2 {
		p.move.split(planeAt(unit, superPlanes+12*n), planeAt(p.raw, 8+8*n), 4, 3*plane)
	}
	p.move.split(planeAt(unit, superPlanes+2), p.raw, 8, 3*plane)
}

// packQ4K: f16 d and dmin, 12 bytes of scales and minima, 128 of nibbles: the low ones of 32 bytes are a block, the high ones the next.
func packQ4K(p *packing, unit, file unsafe.Pointer, _ int) {
	p.move.interleave(p.raw, file, p.rowBytes, 36)
	p.superScales(unit)
	for j := range 4 {
		p.move.split(planeAt(unit, superPlanes+8*j), planeAt(p.raw, 4+8*j), 2, 4*plane)
	}
}

// packQ5K: as Q4_K, with 32 bytes of bits before the nibbles.
func packQ5K(p *packing, unit, file unsafe.Pointer, _ int) {
	p.move.interleave(p.raw, file, p.rowBytes, 44)
	p.superScales(unit)
	for j := range 4 {
		p.move.split(planeAt(unit, superPlanes+10*j), planeAt(p.raw, 12+8*j), 2, 5*plane)
	}
	p.move.split(planeAt(unit, superPlanes+4), planeAt(p.raw, 4), 8, 5*plane)
}

// packQ6K: 128 bytes of nibbles, 64 of pairs, 16 int8 scales, f16 d. Of each 128 columns, the low nibbles of 64 bytes are the first two blocks.
func packQ6K(p *packing, unit, file unsafe.Pointer, _ int) {
	p.move.interleave(p.raw, file, p.rowBytes, 52)
	gather(unit, unsafe.Add(file, 208), p.rowBytes)
	p.move.bytes(planeAt(unit, 1), planeAt(p.raw, 48), 4)
	for n := range 2 {
		out, nibbles := planeAt(unit, superPlanes+24*n), planeAt(p.raw, 16*n)
		p.move.split(out, nibbles, 2, 12*plane)
		p.move.split(planeAt(out, 6), planeAt(nibbles, 8), 2, 12*plane)
		p.move.split(planeAt(out, 4), planeAt(p.raw, 32+8*n), 4, 6*plane)
	}
}

// minimum takes a block's f16 scale and minimum, the first raw plane. The file adds what a kernel takes off.
func (p *packing) minimum(unit unsafe.Pointer) {
	p.move.halves(unit, p.raw, 1)
	for i := halfBytes; i < 2*halfBytes; i += 8 {
		store64(unit, i, load64(unit, i)^0x8000800080008000)
	}
}

// Masks of all bytes of a word.
const (
	allBits    = 0x0101010101010101
	lowPairs   = 0x03 * allBits
	lowNibbles = 0x0f * allBits
	lowSixes   = 0x3f * allBits
)

// superScales takes f16 d and dmin and 8 scales and 8 minima of 6 bits, the first 4 raw planes: the first 4 of each have a byte, in whose upper bits is a
// part of the last 4.
func (p *packing) superScales(unit unsafe.Pointer) {
	p.move.halves(unit, p.raw, 1)
	for i := 0; i < plane; i += 8 {
		s, m, last := load64(p.raw, plane+i), load64(p.raw, 2*plane+i), load64(p.raw, 3*plane+i)
		store64(p.raw, i, s&lowSixes)
		store64(p.raw, plane+i, last&lowNibbles|s>>6&lowPairs<<4)
		store64(p.raw, 2*plane+i, m&lowSixes)
		store64(p.raw, 3*plane+i, last>>4&lowNibbles|m>>6&lowPairs<<4)
	}
	p.move.bytes(planeAt(unit, 1), p.raw, 4)
}

// sixBitScales makes 4 planes of 16 int8 of 3 planes of scales of 6 bits, stored 32 too large: nibbles in two, the upper two bits in the third.
func sixBitScales(raw unsafe.Pointer) {
	signed := func(v uint64) uint64 {
		const top = 0x80 * allBits // of a byte: what it lends stays in it
		return (v | top) - 0x20*allBits ^ top
	}
	for i := 0; i < plane; i += 8 {
		a, b, high := load64(raw, i), load64(raw, plane+i), load64(raw, 2*plane+i)
		store64(raw, i, signed(a&lowNibbles|high&lowPairs<<4))
		store64(raw, plane+i, signed(b&lowNibbles|high>>2&lowPairs<<4))
		store64(raw, 2*plane+i, signed(a>>4&lowNibbles|high>>4&lowPairs<<4))
		store64(raw, 3*plane+i, signed(b>>4&lowNibbles|high>>6&lowPairs<<4))
	}
}

// spreadBits takes a plane of the bits of 32 columns: a panel's byte i has columns i, i+4, ..., i+28. So what is bit 4g+i becomes bit 8i+g: the five digits
// of its place turn by two, which four exchanges of two digits do.
func spreadBits(dst, src unsafe.Pointer) {
	for i := 0; i < plane; i += 8 {
		v := load64(src, i)
		v = swapBits(v, 14, 0x0000cccc0000cccc)
		v = swapBits(v, 7, 0x00aa00aa00aa00aa)
		v = swapBits(v, 2, 0x0c0c0c0c0c0c0c0c)
		v = swapBits(v, 1, 0x2222222222222222)
		store64(dst, i, v)
	}
}

// swapBits exchanges each bit of the mask with the one so far above it.
func swapBits(v uint64, distance int, mask uint64) uint64 {
	t := (v ^ v>>distance) & mask
	return v ^ t ^ t<<distance
}

// planeAt is where plane i after p lies.
func planeAt(p unsafe.Pointer, i int) unsafe.Pointer { return unsafe.Add(p, i*plane) }

func copyPlanes(dst, src unsafe.Pointer, n int) {
	copy(unsafe.Slice((*byte)(dst), n*plane), unsafe.Slice((*byte)(src), n*plane))
}

func load16(p unsafe.Pointer, at int) uint16 {
	return binary.LittleEndian.Uint16((*[2]byte)(unsafe.Add(p, at))[:])
}

func load32(p unsafe.Pointer, at int) uint32 {
	return binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(p, at))[:])
}

func load64(p unsafe.Pointer, at int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, at))[:])
}

func store16(p unsafe.Pointer, at int, v uint16) {
	binary.LittleEndian.PutUint16((*[2]byte)(unsafe.Add(p, at))[:], v)
}

func store32(p unsafe.Pointer, at int, v uint32) {
	binary.LittleEndian.PutUint32((*[4]byte)(unsafe.Add(p, at))[:], v)
}

func store64(p unsafe.Pointer, at int, v uint64) {
	binary.LittleEndian.PutUint64((*[8]byte)(unsafe.Add(p, at))[:], v)
}
