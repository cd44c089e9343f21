package synthetic

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"sync"

	"hotcell/models/gguf"
)

// deviation is the standard deviation of all weights.
const deviation = 0.02

// poolBlocks is how many blocks of a quantised type are made, poolValues how many numbers of a plain one. Both are primes: no row
// length divides them, so the rows of a matrix are the pool from different starts.
const (
	poolBlocks = 4093
	poolValues = 65521
)

// scaleAt says where the blocks of a type hold what their integers are multiplied by, and what is taken off or added (-1: nothing).
// The rest of a block may be any bytes, but see makePool.
var scaleAt = map[gguf.Type]struct{ scale, min int }{
	gguf.Q4_0: {0, -1}, gguf.Q4_1: {0, 2}, gguf.Q5_0: {0, -1}, gguf.Q5_1: {0, 2}, gguf.Q8_0: {0, -1},
	gguf.Q2_K: {80, 82}, gguf.Q3_K: {108, -1}, gguf.Q4_K: {0, 2}, gguf.Q5_K: {0, 2}, gguf.Q6_K: {208, -1},
	gguf.IQ2_XXS: {0, -1}, gguf.IQ2_XS: {0, -1}, gguf.IQ2_S: {0, -1}, gguf.IQ3_XXS: {0, -1}, gguf.IQ3_S: {0, -1}, gguf.IQ1_S: {0, -1},
	gguf.IQ4_NL: {0, -1}, gguf.IQ4_XS: {0, -1}, gguf.TQ1_0: {52, -1}, gguf.TQ2_0: {64, -1},
}

// CanMake tells whether random weights of a type can be made.
func CanMake(t gguf.Type) bool {
	_, scaled := scaleAt[t]
	return scaled || t == gguf.F32 || t == gguf.F16 || t == gguf.BF16
}

// fitting is t, or where rows of cols values are no whole blocks of t, the type that llama.cpp's quantiser uses instead.
func fitting(t gguf.Type, cols int) gguf.Type {
	for {
		elems, _ := t.Block()
		switch {
		case cols%elems == 0:
			return t
		case elems == 32:
			t = gguf.F16
		case t == gguf.Q4_K:
			t = gguf.Q5_0
		case t == gguf.Q5_K:
			t = gguf.Q5_1
		case t == gguf.Q6_K:
			t = gguf.Q8_0
		default:
			t = gguf.IQ4_NL
		}
	}
}

// pool is random blocks of one type, one after the other.
type pool []byte

var (
	poolsMu sync.Mutex
	pools   = map[gguf.Type]pool{} // made when first asked for, never changed
)

// poolOf returns the blocks of a type for which CanMake holds.
func poolOf(t gguf.Type) pool {
	poolsMu.Lock()
	defer poolsMu.Unlock()
	p, ok := pools[t]
	if !ok {
		p = makePool(t)
		pools[t] = p
	}
	return p
}

func makePool(t gguf.Type) pool {
	r := rand.New(rand.NewPCG(uint64(t), 0x686f7463656c6c))
	switch t {
	case gguf.F32:
		p := make(pool, poolValues*4)
		for i := range poolValues {
			binary.LittleEndian.PutUint32(p[4*i:], math.Float32bits(float32(deviation*r.NormFloat64())))
		}
		return p
	case gguf.F16, gguf.BF16:
		p := make(pool, poolValues*2)
		for i := range poolValues {
			x := float32(deviation * r.NormFloat64())
			bits := gguf.F32ToF16(x)
			if t == gguf.BF16 {
				bits = uint16(math.Float32bits(x) >> 16)
			}
			binary.LittleEndian.PutUint16(p[2*i:], bits)
		}
		return p
	}
	_, size := t.Block()
	p := make(pool, poolBlocks*size)
	for i := range p {
		p[i] = byte(r.Uint32())
		if t == gguf.TQ2_0 { // of the four codes only three are in use
			p[i] &^= (p[i] & (p[i] >> 1) & 0x55) << 1
		}
	}
	p.calibrate(t)
	return p
}

// calibrate sets the scales of random blocks so that the values have a mean of about 0 and the wanted deviation. What the integers are
// worth is found by dequantising them with scale and minimum 1.
func (p pool) calibrate(t gguf.Type) {
	scale, least := float64(1), float64(0)
	if scaleAt[t].min >= 0 {
		p.setScales(t, 1, 0)
		ofScale, _ := p.moments(t)
		p.setScales(t, 0, 1)
		ofMin, _ := p.moments(t)
		least = -ofScale / ofMin
	}
	p.setScales(t, scale, least)
	_, sigma := p.moments(t)
	p.setScales(t, deviation/sigma, least*deviation/sigma)
}

// setScales gives every block the scale and the minimum.
func (p pool) setScales(t gguf.Type, scale, least float64) {
	_, size := t.Block()
	at := scaleAt[t]
	for i := 0; i < len(p); i += size {
		binary.LittleEndian.PutUint16(p[i+at.scale:], gguf.F32ToF16(float32(scale)))
		if at.min >= 0 {
			binary.LittleEndian.PutUint16(p[i+at.min:], gguf.F32ToF16(float32(least)))
		}
	}
}

// moments are mean and standard deviation of the pool's values.
func (p pool) moments(t gguf.Type) (mean, sigma float64) {
	elems, size := t.Block()
	values := make([]float32, len(p)/size*elems)
	if err := gguf.Dequantize(t, values, p); err != nil {
		panic(fmt.Sprintf("synthetic: %v", err)) // scaleAt names a type that gguf cannot read
	}
	for _, v := range values {
		mean += float64(v)
	}
	mean /= float64(len(values))
	for _, v := range values {
		d := float64(v) - mean
		sigma += float64(d * d) // the conversion forbids a fused product, which would round otherwise on other machines
	}
	return mean, math.Sqrt(sigma / float64(len(values)))
}

// start is the byte of the pool at which a tensor begins: that of a block, chosen by the tensor's name.
func (p pool) start(tensor string, t gguf.Type) int64 {
	_, size := t.Block()
	h := fnv.New64a()
	h.Write([]byte(tensor))
	return int64(h.Sum64()%uint64(len(p)/size)) * int64(size)
}

// read fills b with what stands at byte off of the pool that is repeated without end.
func (p pool) read(b []byte, off int64) {
	for at := off % int64(len(p)); len(b) > 0; at = 0 {
		b = b[copy(b, p[at:]):]
	}
}

// constant is a pool of one number.
func constant(v float32) pool {
	return bytes.Repeat(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)), 1024)
}
