package pack

import "hotcell/models/gguf"

// A block of Q4_0 or Q8_0 is an f16 scale and the codes of 32 elements. Units
// store the codes of a row and its scales apart, so that a kernel reads whole
// cache lines of codes, and a page may hold scales without codes.

const scaleBytes = 2

// splitRow takes a row in GGUF's layout apart. Lengths that the compiler knows make moves of a few words; loading a model does it to all neurons.
func splitRow(t gguf.Type, codes, scales, row []byte) {
	if t == gguf.Q4_0 {
		for ; len(row) > 0; row, scales, codes = row[18:], scales[scaleBytes:], codes[16:] {
			*(*[scaleBytes]byte)(scales), *(*[16]byte)(codes) = [scaleBytes]byte(row), [16]byte(row[scaleBytes:])
		}
		return
	}
	for ; len(row) > 0; row, scales, codes = row[34:], scales[scaleBytes:], codes[32:] {
		*(*[scaleBytes]byte)(scales), *(*[32]byte)(codes) = [scaleBytes]byte(row), [32]byte(row[scaleBytes:])
	}
}

// joinRow is the inverse of splitRow.
func joinRow(t gguf.Type, row, codes, scales []byte) {
	size := codeBytes(t, blockLen)
	for len(row) > 0 {
		copy(row[:scaleBytes], scales)
		copy(row[scaleBytes:scaleBytes+size], codes)
		row, scales, codes = row[scaleBytes+size:], scales[scaleBytes:], codes[size:]
	}
}
