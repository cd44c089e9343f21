package pack

import "hotcell/models/gguf"

// Columns of a down matrix, whose rows are outputs. The window is n of these rows
// one after the other in GGUF's layout, for the types that are split a multiple of 32. dst and src are the
// column's elements for these rows.

// getColumn takes column i out of a window: its elements, or for types that are
// split its codes in blocks of 32 outputs.
func getColumn(t gguf.Type, dst, window []byte, rowBytes, i int) {
	elems, size := t.Block()
	at := i / elems * size
	switch t {
	case gguf.Q4_0:
		at += scaleBytes + i%(blockLen/2)
		shift := i % blockLen / (blockLen / 2) * 4
		for len(dst) > 0 {
			for j := range blockLen / 2 {
				low, high := window[at+j*rowBytes]>>shift, window[at+(j+blockLen/2)*rowBytes]>>shift
				dst[j] = low&15 | high<<4
			}
			dst, at = dst[blockLen/2:], at+blockLen*rowBytes
		}
	case gguf.Q8_0:
		at += scaleBytes + i%blockLen
		for j := range dst {
			dst[j] = window[at+j*rowBytes]
		}
	default:
		for len(dst) > 0 {
			copy(dst[:size], window[at:])
			dst, at = dst[size:], at+rowBytes
		}
	}
}

// putColumn is the inverse of getColumn; it leaves scales alone.
func putColumn(t gguf.Type, window, src []byte, rowBytes, i int) {
	elems, size := t.Block()
	at := i / elems * size
	switch t {
	case gguf.Q4_0:
		at += scaleBytes + i%(blockLen/2)
		shift := i % blockLen / (blockLen / 2) * 4
		put := func(b *byte, code byte) { *b = *b&^(15<<shift) | code<<shift }
		for len(src) > 0 {
			for j := range blockLen / 2 {
				put(&window[at+j*rowBytes], src[j]&15)
				put(&window[at+(j+blockLen/2)*rowBytes], src[j]>>4)
			}
			src, at = src[blockLen/2:], at+blockLen*rowBytes
		}
	case gguf.Q8_0:
		at += scaleBytes + i%blockLen
		for j := range src {
			window[at+j*rowBytes] = src[j]
		}
	default:
		for len(src) > 0 {
			copy(window[at:at+size], src)
			src, at = src[size:], at+rowBytes
		}
	}
}

// getScales transposes the scales of a window of n rows into dst [blocks][outputs],
// where the window's first row is output first.
func getScales(t gguf.Type, dst, window []byte, rowBytes, outputs, first int) {
	_, size := t.Block()
	for r := 0; r*rowBytes < len(window); r++ {
		for b := range rowBytes / size {
			copy(dst[(b*outputs+first+r)*scaleBytes:][:scaleBytes], window[r*rowBytes+b*size:])
		}
	}
}

// putScales is the inverse of getScales.
func putScales(t gguf.Type, window, src []byte, rowBytes, outputs, first int) {
	_, size := t.Block()
	for r := 0; r*rowBytes < len(window); r++ {
		for b := range rowBytes / size {
			copy(window[r*rowBytes+b*size:][:scaleBytes], src[(b*outputs+first+r)*scaleBytes:])
		}
	}
}
