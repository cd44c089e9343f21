package kernel

import (
	"encoding/binary"
	"unsafe"
)

// limits are loops that do one thing and nothing else, as fast as a core can: they tell what the products of a variant could reach at
// best. Each computes a sum that a test knows, so none can be faster than the work it claims. The Go reference has none.
type limits struct {
	read func(mem unsafe.Pointer, n int) uint64 // the sum of the 64-bit words of n times 256 bytes; n is at least 1

	// multiplyInt8 and multiplyFloat32 add 1*1 to the numbers in registers, again and again, n rounds of macs multiply-additions,
	// with the instructions of the variant's products. sums is what the lanes then hold in all; lanes that do not exist stay 0.
	multiplyInt8    func(sums *[16]int32, n int)
	multiplyFloat32 func(sums *[16]float32, n int)
	int8MACs        int // multiply-additions of one round
	float32MACs     int
}

// limitMACs is how many multiply-additions one call of MultiplyInt8 or MultiplyFloat32 does at least: some microseconds, because a thread in
// assembly cannot be stopped by the garbage collector, and long against the call.
const limitMACs = 1 << 20

// HasLimits tells whether the variant in use has loops that measure its limits. If not, StreamRead, MultiplyInt8 and MultiplyFloat32
// do nothing and return 0.
func HasLimits() bool { return archLimits(active.name).read != nil }

// StreamRead reads all of mem once, in order, and returns the sum of its little-endian 64-bit words (bytes past the last whole word
// are left out).
func StreamRead(mem []byte) uint64 {
	l := archLimits(active.name)
	if l.read == nil {
		return 0
	}
	return l.streamRead(mem)
}

func (l limits) streamRead(mem []byte) (sum uint64) {
	if n := len(mem) / 256; n > 0 {
		sum = l.read(unsafe.Pointer(&mem[0]), n)
		mem = mem[n*256:]
	}
	for ; len(mem) >= 8; mem = mem[8:] {
		sum += binary.LittleEndian.Uint64(mem)
	}
	return sum
}

// MultiplyInt8 multiplies and adds 8-bit integers in registers for some microseconds and returns how many operations that were, a
// multiplication and an addition counted as two. It is what no product of a quantised format can exceed.
func MultiplyInt8() (operations int) {
	l := archLimits(active.name)
	if l.multiplyInt8 == nil {
		return 0
	}
	var sums [16]int32
	n := limitMACs/l.int8MACs + 1
	l.multiplyInt8(&sums, n)
	return 2 * n * l.int8MACs
}

// MultiplyFloat32 is MultiplyInt8 for float32, the limit of the F formats.
func MultiplyFloat32() (operations int) {
	l := archLimits(active.name)
	if l.multiplyFloat32 == nil {
		return 0
	}
	var sums [16]float32
	n := limitMACs/l.float32MACs + 1
	l.multiplyFloat32(&sums, n)
	return 2 * n * l.float32MACs
}
