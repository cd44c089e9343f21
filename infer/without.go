package infer

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"hotcell/models/pack"
	"hotcell/planner"
)

// Without is a set of parts of the sparse engine that are left out, to see what each gives (PowerInfer-2, section 7.5, adds them one by one:
// bundles, the cache, the pipeline). The results are the same bits. It is about single tokens of a model in a pack.
type Without uint8

const (
	// WithoutBundles reads a neuron as if the three matrices lay apart: each row by a read of its own, of whole pages, none of which is merged with
	// another. The pack stays what it is, so the page that a neuron's up and down codes share is read twice.
	WithoutBundles Without = 1 << iota
	// WithoutCache lets nothing stay from token to token: no neuron is hot, and what a layer read is forgotten when the layer is done.
	WithoutCache
	// WithoutPipeline lets reads and products take turns, matrix by matrix.
	WithoutPipeline
)

var withoutNames = [...]string{"bundles", "cache", "pipeline"}

// WithoutNames are the names that ParseWithout knows.
func WithoutNames() []string { return withoutNames[:] }

// ParseWithout reads names separated by commas; "" is the empty set.
func ParseWithout(list string) (w Without, err error) {
	for name := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		i := slices.Index(withoutNames[:], name)
		if i < 0 {
			return 0, fmt.Errorf("%q cannot be left out (known: %s)", name, strings.Join(withoutNames[:], ", "))
		}
		w |= 1 << i
	}
	return w, nil
}

// String is what ParseWithout reads.
func (w Without) String() string {
	var names []string
	for i, name := range withoutNames {
		if w>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// withoutCache is the plan with no room but for one layer's neurons, each in slotBytes for each of its parts.
func withoutCache(p *planner.Plan, layers []*neurons, slotBytes int) *planner.Plan {
	bare, parts := *p, 1
	if p.TwoPhase {
		parts = 2
	}
	bare.Layers, bare.Expected = slices.Clone(p.Layers), planner.Expected{}
	bare.Memory.Hot, bare.Memory.Cold = 0, 0
	for i, n := range layers {
		bare.Layers[i].HotGates, bare.Layers[i].HotRest = 0, 0
		bare.Memory.Cold = max(bare.Memory.Cold, int64(n.group.Units*parts)*int64(slotBytes))
	}
	return &bare
}

// pieces counts, for each slot of the cache, the reads of its unit that are under way where bundles are left out. nil: a unit is one read.
type pieces []atomic.Uint32

// spoilt marks a slot one of whose reads failed.
const spoilt = 1 << 31

// of is how many reads bring a part of a unit: one for each matrix.
func (p pieces) of(n *neurons, which part) int {
	switch {
	case p == nil || n.inParts && which == partGate:
		return 1
	case n.inParts:
		return 2
	}
	return 3
}

// span is the pages of the k-th of count reads of a part of so many bytes: at least one, and together all.
func span(bytes, k, count int) (offset, end int) {
	pages := bytes / pack.PageBytes
	first, last := k*pages/count, (k+1)*pages/count
	return first * pack.PageBytes, max(last, first+1) * pack.PageBytes
}

// begin notes that so many reads into a slot are about to begin.
func (p pieces) begin(slot int32, reads int) {
	if p != nil {
		p[slot].Store(uint32(reads))
	}
}

// ended notes that a read into a slot ended, and tells whether it was the last, and whether all of them went well.
func (p pieces) ended(slot int32, well bool) (last, whole bool) {
	if p == nil {
		return true, well
	}
	if !well {
		p[slot].Or(spoilt)
	}
	left := p[slot].Add(^uint32(0))
	return left&^spoilt == 0, left&spoilt == 0
}
