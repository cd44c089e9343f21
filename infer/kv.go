package infer

import (
	"fmt"
	"math"
	"unsafe"

	"golang.org/x/sys/unix"

	"hotcell/infer/kernel"
	"hotcell/models/gguf"
)

// KVType is the number format of keys and values.
type KVType uint8

// The formats of the KV cache.
const (
	KVF16 KVType = iota // half precision: the usual choice
	KVF32               // for conformance tests
)

// kvCache holds the keys and values of all positions of one conversation, for all layers. It is one allocation for the longest context, and
// memory is taken only as positions are written. Each step writes its own place and attention reads a prefix, so nothing is ever
// copied or moved (Transformer-Lite's sub-tensors, arXiv 2403.20041). A head's vectors lie one after the other, so that attention
// streams:
//
//	keys, values [layers][kvHeads][context][headDim] f16 or f32
type kvCache struct {
	kind          KVType
	context       int // positions
	heads, dim    int
	keys, values  []byte
	mem           *arena
	bytesPerValue int
}

func newKVCache(h *hparams, context int, kind KVType) (*kvCache, error) {
	c := &kvCache{kind: kind, context: context, heads: h.kvHeads, dim: h.headDim, bytesPerValue: 2}
	if kind == KVF32 {
		c.bytesPerValue = 4
	}
	n := float64(h.layers) * float64(h.kvHeads) * float64(context) * float64(h.headDim) * float64(c.bytesPerValue)
	if n > 1<<46 {
		return nil, fmt.Errorf("a context of %d tokens needs %.0f GiB for keys and values; choose a smaller one", context, 2*n/(1<<30))
	}
	var err error
	if c.mem, err = newArena(2*arenaSize(int(n)), unix.MADV_NOHUGEPAGE); err != nil {
		return nil, fmt.Errorf("a context of %d tokens is too large for this machine (%w); choose a smaller one", context, err)
	}
	c.keys, c.values = c.mem.take(int(n)), c.mem.take(int(n))
	return c, nil
}

// offset is where the vector of a layer's head at a position begins.
func (c *kvCache) offset(layer, head, pos int) int {
	return ((layer*c.heads+head)*c.context + pos) * c.dim * c.bytesPerValue
}

// store writes one head's key or value [dim] into cells, which is c.keys or c.values.
func (c *kvCache) store(cells []byte, layer, head, pos int, x []float32) {
	at := unsafe.Pointer(&cells[c.offset(layer, head, pos)])
	if c.kind == KVF32 {
		copy(unsafe.Slice((*float32)(at), c.dim), x)
		return
	}
	half := unsafe.Slice((*uint16)(at), c.dim)
	for i, v := range x {
		half[i] = gguf.F32ToF16(v)
	}
}

// attend says what one query head looks at.
type attend struct {
	layer, head int     // of keys and values
	first, last int     // positions
	scale       float32 // of q.k
	limit       float32 // soft cap of the scores, 0: none
	sink        float32 // score that takes weight and gives nothing, or noSink
}

// noSink takes no weight.
var noSink = float32(math.Inf(-1))

// attend writes softmax(q.K * scale) V into out [dim]. scores is scratch for last-first+1 values.
func (c *kvCache) attend(out, q []float32, p attend, scores []float32) {
	n := p.last - p.first + 1
	at := c.offset(p.layer, p.head, p.first)
	k, v := unsafe.Pointer(&c.keys[at]), unsafe.Pointer(&c.values[at])
	scores = scores[:n]
	clear(out)
	if c.kind == KVF32 {
		keys, values := unsafe.Slice((*float32)(k), n*c.dim), unsafe.Slice((*float32)(v), n*c.dim)
		for s := range scores {
			scores[s] = kernel.DotF32(q, keys[s*c.dim:][:c.dim])
		}
		p.weigh(scores)
		for s, w := range scores {
			kernel.AxpyF32(out, values[s*c.dim:][:c.dim], w)
		}
		return
	}
	keys, values := unsafe.Slice((*uint16)(k), n*c.dim), unsafe.Slice((*uint16)(v), n*c.dim)
	for s := range scores {
		scores[s] = kernel.DotF16(q, keys[s*c.dim:][:c.dim])
	}
	p.weigh(scores)
	for s, w := range scores {
		kernel.AxpyF16(out, values[s*c.dim:][:c.dim], w)
	}
}

// weigh turns products into attention weights.
func (p *attend) weigh(scores []float32) {
	scale(scores, p.scale)
	if p.limit != 0 {
		for i, v := range scores {
			scores[i] = softCap(v, p.limit)
		}
	}
	softmaxWithSink(scores, p.sink)
}
