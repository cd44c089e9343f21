package kernel

import (
	"encoding/binary"
	"unsafe"
)

// A file's row is blocks of 32 columns, or of 256 in the K types. A panel has the same codes and scales, in other places: in each plane lie 4 bytes of
// a row, and codes that share a byte in the file are of other columns than those that share one in a panel. So a block is moved by words of 8
// bytes, and where bits change places they do so in all bytes of a word at once. Tests hold the result against the file's own numbers.

// packing is rows on their way into a panel. PackPanel has checked that both ends are as large as they must be; checking each word again would take
// longer than moving it.
type packing struct {
	dst, src       unsafe.Pointer
	rows, rowBytes int // of the file
}

// unitMovers move row r's part of a unit, from the file to where the unit begins; it has so many blocks of 32 columns.
var unitMovers = [numFormats]func(unit, file unsafe.Pointer, r, blocks int){
	Q8: moveQ8, Q4: moveQ4, Q41: moveQ41, Q50: moveQ50, Q51: moveQ51, Q2K: moveQ2K, Q3K: moveQ3K, Q4K: moveQ4K, Q5K: moveQ5K, Q6K: moveQ6K,
}

// quantized interleaves rows unit by unit: a panel of a wide matrix is larger than the first cache, a unit is not. unitBytes is what a row's part of a
// unit takes in the file.
func (p *packing) quantized(f Format, blocks, unitBytes int) {
	l, move := &layouts[f], unitMovers[f]
	unit, file := p.dst, p.src
	for {
		for r := range p.rows {
			move(unit, unsafe.Add(file, r*p.rowBytes), r, min(blocks, 1<<l.unit))
		}
		if blocks -= 1 << l.unit; blocks <= 0 {
			return // before the pointers leave what they point to
		}
		unit, file = unsafe.Add(unit, l.header+l.block<<l.unit), unsafe.Add(file, unitBytes)
	}
}

// floats interleaves rows of numbers of 2 or 4 bytes, a cache line of a row at a time: rows are often a power of 2 apart, and then the cache keeps few
// lines that follow each other down the rows.
func (p *packing) floats(cols, size int) {
	step := 64 / size
	for c := 0; c < cols; c += step {
		n := min(step, cols-c)
		for r := range p.rows {
			in, out := unsafe.Add(p.src, r*p.rowBytes+c*size), unsafe.Add(p.dst, (c*PanelRows+r)*size)
			if size == 4 {
				for i := range n {
					store32(out, i*wideBytes, load32(in, i*4))
				}
				continue
			}
			i := 0
			for ; i+4 <= n; i += 4 {
				v := load64(in, i*2)
				store16(out, i*halfBytes, uint16(v))
				store16(out, (i+1)*halfBytes, uint16(v>>16))
				store16(out, (i+2)*halfBytes, uint16(v>>32))
				store16(out, (i+3)*halfBytes, uint16(v>>48))
			}
			for ; i < n; i++ {
				store16(out, i*halfBytes, load16(in, i*2))
			}
		}
	}
}

// moveQ8: an f16 scale, 32 int8.
func moveQ8(unit, file unsafe.Pointer, r, blocks int) {
	header, codes := unsafe.Add(unit, 2*r), unsafe.Add(unit, 2*halfBytes+4*r)
	for b := range blocks {
		blk, out := unsafe.Add(file, b*34), unsafe.Add(codes, b*8*plane)
		store16(header, b*halfBytes, load16(blk, 0))
		storeTwo(out, 0, load64(blk, 2))
		storeTwo(out, 2*plane, load64(blk, 10))
		storeTwo(out, 4*plane, load64(blk, 18))
		storeTwo(out, 6*plane, load64(blk, 26))
	}
}

// moveQ4: an f16 scale, 16 bytes whose low nibbles are columns 0-15 and whose high ones 16-31. A panel pairs them so too.
func moveQ4(unit, file unsafe.Pointer, r, blocks int) {
	header, codes := unsafe.Add(unit, 2*r), unsafe.Add(unit, 2*halfBytes+4*r)
	for b := range blocks {
		blk, out := unsafe.Add(file, b*18), unsafe.Add(codes, b*4*plane)
		store16(header, b*halfBytes, load16(blk, 0))
		storeTwo(out, 0, load64(blk, 2))
		storeTwo(out, 2*plane, load64(blk, 10))
	}
}

// moveQ41: an f16 scale, an f16 minimum, nibbles.
func moveQ41(unit, file unsafe.Pointer, r, _ int) {
	codes := unsafe.Add(unit, 2*halfBytes+4*r)
	moveMinimum(unit, file, r)
	storeTwo(codes, 0, load64(file, 4))
	storeTwo(codes, 2*plane, load64(file, 12))
}

// moveQ50: an f16 scale, a bit for each column, nibbles.
func moveQ50(unit, file unsafe.Pointer, r, blocks int) {
	header, codes := unsafe.Add(unit, 2*r), unsafe.Add(unit, 2*halfBytes+4*r)
	for b := range blocks {
		blk, out := unsafe.Add(file, b*22), unsafe.Add(codes, b*5*plane)
		store16(header, b*halfBytes, load16(blk, 0))
		storeTwo(out, 0, load64(blk, 6))
		storeTwo(out, 2*plane, load64(blk, 14))
		store32(out, 4*plane, spreadBits(load32(blk, 2)))
	}
}

// moveQ51: an f16 scale, an f16 minimum, a bit for each column, nibbles.
func moveQ51(unit, file unsafe.Pointer, r, _ int) {
	codes := unsafe.Add(unit, 2*halfBytes+4*r)
	moveMinimum(unit, file, r)
	storeTwo(codes, 0, load64(file, 8))
	storeTwo(codes, 2*plane, load64(file, 16))
	store32(codes, 4*plane, spreadBits(load32(file, 4)))
}

// moveQ2K: 16 bytes of a scale and a minimum of 4 bits, 64 bytes of pairs, f16 d and dmin.
func moveQ2K(unit, file unsafe.Pointer, r, _ int) {
	store16(unit, 2*r, load16(file, 80))
	store16(unit, halfBytes+2*r, load16(file, 82))
	storeParts(unit, r, load64(file, 0), load64(file, 8))
	for n := range 2 {
		out := unsafe.Add(unit, superHeader+n*8*plane+4*r)
		a, b, c, d := takePairs(unsafe.Add(file, 16+32*n))
		storeTwo(out, 0, a)
		storeTwo(out, 2*plane, b)
		storeTwo(out, 4*plane, c)
		storeTwo(out, 6*plane, d)
	}
}

// moveQ3K: 32 bytes of bits, 64 of pairs, 12 of scales, f16 d.
func moveQ3K(unit, file unsafe.Pointer, r, _ int) {
	store16(unit, 2*r, load16(file, 108))
	moveSignedScales(unit, unsafe.Add(file, 96), r)
	bits := takeBits(file)
	for n := range 2 {
		out := unsafe.Add(unit, superHeader+n*12*plane+4*r)
		a, b, c, d := takePairs(unsafe.Add(file, 32+32*n))
		storeTwo(out, 0, a)
		storeTwo(out, 3*plane, b)
		storeTwo(out, 6*plane, c)
		storeTwo(out, 9*plane, d)
		store32(out, 2*plane, uint32(bits[2*n]))
		store32(out, 5*plane, uint32(bits[2*n]>>32))
		store32(out, 8*plane, uint32(bits[2*n+1]))
		store32(out, 11*plane, uint32(bits[2*n+1]>>32))
	}
}

// moveQ4K: f16 d and dmin, 12 bytes of scales and minima, 128 of nibbles: the low ones of 32 bytes are a block, the high ones the next.
func moveQ4K(unit, file unsafe.Pointer, r, _ int) {
	store16(unit, 2*r, load16(file, 0))
	store16(unit, halfBytes+2*r, load16(file, 2))
	moveScales(unit, unsafe.Add(file, 4), r)
	for j := range 4 {
		out := unsafe.Add(unit, superHeader+j*8*plane+4*r)
		splitNibbles(out, unsafe.Add(out, 4*plane), unsafe.Add(file, 16+32*j))
	}
}

// moveQ5K: as Q4_K, with 32 bytes of bits before the nibbles.
func moveQ5K(unit, file unsafe.Pointer, r, _ int) {
	store16(unit, 2*r, load16(file, 0))
	store16(unit, halfBytes+2*r, load16(file, 2))
	moveScales(unit, unsafe.Add(file, 4), r)
	for j, v := range takeBits(unsafe.Add(file, 16)) {
		out := unsafe.Add(unit, superHeader+j*10*plane+4*r)
		splitNibbles(out, unsafe.Add(out, 5*plane), unsafe.Add(file, 48+32*j))
		store32(out, 4*plane, uint32(v))
		store32(out, 9*plane, uint32(v>>32))
	}
}

// moveQ6K: 128 bytes of nibbles, 64 of pairs, 16 int8 scales, f16 d. Of each 128 columns, the low nibbles of 64 bytes are the first two blocks.
func moveQ6K(unit, file unsafe.Pointer, r, _ int) {
	store16(unit, 2*r, load16(file, 208))
	storeParts(unit, r, load64(file, 192), load64(file, 200))
	for n := range 2 {
		out, nibbles := unsafe.Add(unit, superHeader+n*24*plane+4*r), unsafe.Add(file, 64*n)
		splitNibbles(out, unsafe.Add(out, 12*plane), nibbles)
		splitNibbles(unsafe.Add(out, 6*plane), unsafe.Add(out, 18*plane), unsafe.Add(nibbles, 32))
		a, b, c, d := takePairs(unsafe.Add(file, 128+32*n))
		storeTwo(out, 4*plane, a)
		storeTwo(out, 10*plane, b)
		storeTwo(out, 16*plane, c)
		storeTwo(out, 22*plane, d)
	}
}

// superHeader is the header of a unit of 256 columns.
const superHeader = 2*halfBytes + 16*PanelRows

// Masks of all bytes of a word.
const (
	allBits    = 0x0101010101010101
	lowPairs   = 0x03 * allBits
	lowNibbles = 0x0f * allBits
)

// splitNibbles moves the low nibbles of 32 bytes, a block, and the high ones, another. A panel pairs a block's columns 0-15 with its columns 16-31.
func splitNibbles(low, high, file unsafe.Pointer) {
	a, b := load64(file, 0), load64(file, 16)
	storeTwo(low, 0, a&lowNibbles|b&lowNibbles<<4)
	storeTwo(high, 0, a>>4&lowNibbles|b&^lowNibbles)
	a, b = load64(file, 8), load64(file, 24)
	storeTwo(low, 2*plane, a&lowNibbles|b&lowNibbles<<4)
	storeTwo(high, 2*plane, a>>4&lowNibbles|b&^lowNibbles)
}

// takePairs reads 32 bytes: pair j of byte c is column c's of block j. A panel has columns c, c+8, c+16 and c+24 of one block in a byte: a transposition of 4
// words and the 4 pairs of their bytes, two by two and then one by one. The results are the blocks'.
func takePairs(file unsafe.Pointer) (b0, b1, b2, b3 uint64) {
	w0, w1, w2, w3 := load64(file, 0), load64(file, 8), load64(file, 16), load64(file, 24)
	w0, w2 = w0&lowNibbles|w2&lowNibbles<<4, w0>>4&lowNibbles|w2&^lowNibbles
	w1, w3 = w1&lowNibbles|w3&lowNibbles<<4, w1>>4&lowNibbles|w3&^lowNibbles
	const even = 0x33 * allBits
	return w0&even | w1&even<<2, w0>>2&even | w1&^even, w2&even | w3&even<<2, w2>>2&even | w3&^even
}

// takeBits reads 32 bytes: bit k of byte c is column c's of block k. A panel's byte i has columns i, i+4, ..., i+28 of one block. As pairs, blocks 2j and
// 2j+1 share word j, a bit each of a pair, with columns 4 apart in the halves of the word: what is left is to exchange these. Each result is two
// blocks', the even one's in the low half.
func takeBits(file unsafe.Pointer) [4]uint64 {
	p0, p1, p2, p3 := takePairs(file)
	return [4]uint64{exchangeHalves(p0), exchangeHalves(p1), exchangeHalves(p2), exchangeHalves(p3)}
}

// exchangeHalves exchanges the odd bits of the low half with the even ones of the high half.
func exchangeHalves(v uint64) uint64 {
	t := (v ^ v>>31) & 0xaaaaaaaa
	return v ^ t ^ t<<31
}

// spreadBits takes the bits of 32 columns: a panel's byte i has columns i, i+4, ..., i+28. The product puts 4 bits into a byte each.
func spreadBits(v uint32) (spread uint32) {
	for g := range 8 {
		spread |= v >> (4 * g) & 15 * 0x204081 & 0x01010101 << g
	}
	return spread
}

// moveMinimum moves a block's f16 scale and minimum. The file adds what a kernel takes off.
func moveMinimum(unit, file unsafe.Pointer, r int) {
	store16(unit, 2*r, load16(file, 0))
	store16(unit, halfBytes+2*r, load16(file, 2)^0x8000)
}

// moveScales moves 8 scales and 8 minima of 6 bits: the first 4 of each have a byte, in whose upper bits is a part of the last 4.
func moveScales(unit, file unsafe.Pointer, r int) {
	s, m, last := load32(file, 0), load32(file, 4), load32(file, 8)
	const six, four, two = 0x3f3f3f3f, 0x0f0f0f0f, 0x03030303
	scales := uint64(s&six) | uint64(last&four|s>>6&two<<4)<<32
	minima := uint64(m&six) | uint64(last>>4&four|m>>6&two<<4)<<32
	storeParts(unit, r, scales, minima)
}

// moveSignedScales moves 16 scales of 6 bits, stored 32 too large: nibbles in 8 bytes, the upper two bits in 4.
func moveSignedScales(unit, file unsafe.Pointer, r int) {
	low, high := load64(file, 0), uint64(load32(file, 8))
	first := low&lowNibbles | (high|high<<30)&lowPairs<<4
	last := low>>4&lowNibbles | (high>>4|high>>6<<32)&lowPairs<<4
	const top = 0x80 * allBits // of a byte: what it lends stays in it
	storeParts(unit, r, (first|top)-0x20*allBits^top, (last|top)-0x20*allBits^top)
}

// storeParts stores what a super-block has for each half block.
func storeParts(unit unsafe.Pointer, r int, first, last uint64) {
	out := unsafe.Add(unit, 2*halfBytes+r)
	for i := range 8 {
		*(*byte)(unsafe.Add(out, i*PanelRows)) = byte(first >> (8 * i))
		*(*byte)(unsafe.Add(out, (8+i)*PanelRows)) = byte(last >> (8 * i))
	}
}

// storeTwo stores 8 codes of a row, 4 in a plane and 4 in the next.
func storeTwo(p unsafe.Pointer, at int, v uint64) {
	store32(p, at, uint32(v))
	store32(p, at+plane, uint32(v>>32))
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
