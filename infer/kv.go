package infer

import (
	"fmt"

	"golang.org/x/sys/unix"

	"hotcell/infer/kernel"
)

// KVType is the number format of keys and values.
type KVType uint8

// The formats of the KV cache.
const (
	KVF16 KVType = iota // half precision: the usual choice
	KVF32               // for conformance tests
	KVQ8                // 8 bits in blocks of 32: half the memory and half the reading, for a small loss
)

var kvNames = [...]string{KVF16: "f16", KVF32: "f32", KVQ8: "q8"}

// String is the name that ParseKVType takes.
func (k KVType) String() string { return kvNames[k] }

// ParseKVType is the type with a name: f16, q8 or f32.
func ParseKVType(name string) (KVType, error) {
	for k, n := range kvNames {
		if n == name {
			return KVType(k), nil
		}
	}
	return 0, fmt.Errorf("the KV cache's format %q is unknown (known: f16, q8, f32)", name)
}

// format is how the kernels call it.
func (k KVType) format() kernel.Format {
	switch k {
	case KVF32:
		return kernel.F32
	case KVQ8:
		return kernel.Q8
	}
	return kernel.F16
}

// kvCache holds the keys and values of all positions of one conversation, for all layers. It is one allocation for the longest context, and
// memory is taken only as positions are written. Each step writes its own place and attention reads a prefix, so nothing is ever
// copied or moved (Transformer-Lite's sub-tensors, arXiv 2403.20041).
type kvCache struct {
	context  int         // positions
	kvHeads  int         // of a layer
	heads    []kernel.KV // [layers*kvHeads], in the layout of the kernels
	position int         // bytes of one position's key and value of one head, a share of its block's scales included
	mem      *arena
}

// kvShape is what a head's keys and values take: the positions that there is room for, and bytes.
func kvShape(h *hparams, context int, kind KVType) (positions, keys, values int) {
	positions = (context + kernel.KVBlock - 1) / kernel.KVBlock * kernel.KVBlock
	keys, values = kernel.KVBytes(kind.format(), h.headDim, positions)
	return positions, keys, values
}

// kvBytes is what the whole cache takes.
func kvBytes(h *hparams, context int, kind KVType) int64 {
	_, keys, values := kvShape(h, context, kind)
	return int64(h.layers) * int64(h.kvHeads) * int64(arenaSize(keys)+arenaSize(values))
}

// checkKV refuses a cache that cannot be.
func checkKV(h *hparams, context int, kind KVType) error {
	if !kernel.KVFormat(kind.format(), h.headDim) {
		return fmt.Errorf("keys and values in %v need heads of a multiple of %d numbers, this model's have %d; choose f16", kind, kernel.BlockCols, h.headDim)
	}
	if n := float64(h.layers) * float64(h.kvHeads) * float64(context) * float64(h.headDim) * 4; n > 1<<46 {
		return fmt.Errorf("a context of %d tokens needs more than %.0f GiB for keys and values; choose a smaller one", context, n/4/(1<<30))
	}
	return nil
}

func newKVCache(h *hparams, context int, kind KVType) (*kvCache, error) {
	if err := checkKV(h, context, kind); err != nil {
		return nil, err
	}
	positions, keys, values := kvShape(h, context, kind)
	mem, err := newArena(int(kvBytes(h, context, kind)), unix.MADV_NOHUGEPAGE)
	if err != nil {
		return nil, fmt.Errorf("a context of %d tokens is too large for this machine (%w); choose a smaller one", context, err)
	}
	c := &kvCache{context: context, kvHeads: h.kvHeads, heads: make([]kernel.KV, h.layers*h.kvHeads), position: (keys + values) / positions, mem: mem}
	for i := range c.heads {
		c.heads[i] = kernel.KV{Format: kind.format(), Dim: h.headDim, Positions: positions, Keys: mem.take(keys), Values: mem.take(values)}
	}
	return c, nil
}

// head is the keys and values of a layer's head.
func (c *kvCache) head(layer, head int) *kernel.KV { return &c.heads[layer*c.kvHeads+head] }
