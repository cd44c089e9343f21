package gguf

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// parseDirectory reads the tensor entries and proves that each tensor's data
// lies in the file, aligned and apart from all others.
func (f *File) parseDirectory(c *cursor, n uint64) error {
	f.byName = make(map[string]int)
	var entries []int64 // where each tensor's directory entry stands, for errors
	for i := 0; uint64(i) < n && c.err == nil; i++ {
		entries = append(entries, c.pos())
		t := c.entry(i)
		if _, dup := f.byName[t.Name]; dup && c.err == nil {
			return fmt.Errorf("name of tensor %d at offset %d: %s appears twice", i, entries[i], quote(t.Name))
		}
		if uint64(t.Offset)%f.alignment != 0 {
			c.fail("%d is not a multiple of the alignment %d", t.Offset, f.alignment)
		}
		f.byName[t.Name] = i
		f.tensors = append(f.tensors, t)
	}
	if c.err != nil {
		return c.err
	}
	dataStart := int64(alignUp(uint64(c.pos()), f.alignment))
	for i := range f.tensors {
		t := &f.tensors[i]
		if t.Offset > math.MaxInt64-dataStart-t.Size || dataStart+t.Offset+t.Size > f.size {
			return fmt.Errorf("tensor %s at offset %d: its %d bytes at %d of the data lie past the end of the file (%d bytes); the file is incomplete",
				quote(t.Name), entries[i], t.Size, t.Offset, f.size)
		}
		t.Offset += dataStart
	}
	return f.checkOverlap(entries)
}

// entry reads one tensor of the directory. Its Offset still counts from the
// start of the data.
func (c *cursor) entry(i int) Tensor {
	c.at("name of tensor", i, "")
	t := Tensor{Name: c.string(maxName)}
	c.at("dimensions", -1, t.Name)
	nDims := c.u32()
	if nDims < 1 || nDims > maxDims {
		c.fail("%d dimensions, expected 1 to %d", nDims, maxDims)
		return t
	}
	t.Dims = make([]uint64, nDims)
	for j := range t.Dims {
		t.Dims[j] = c.u64()
	}
	c.at("type", -1, t.Name)
	t.Type = Type(c.u32())
	if c.err != nil {
		return t
	}
	size, err := tensorSize(t.Type, t.Dims)
	if err != nil {
		c.fail("%w", err)
	}
	t.Size = size
	c.at("data offset", -1, t.Name)
	offset := c.u64()
	if offset > math.MaxInt64 {
		c.fail("%d is larger than any file", offset)
	}
	t.Offset = int64(offset)
	return t
}

// tensorSize returns the bytes of a tensor, checking its type and shape.
func tensorSize(typ Type, dims []uint64) (int64, error) {
	if !typ.Known() {
		return 0, typ.unknown()
	}
	if len(dims) < 1 || len(dims) > maxDims {
		return 0, fmt.Errorf("%d dimensions, expected 1 to %d", len(dims), maxDims)
	}
	elems, bytes := typ.Block()
	if dims[0]%uint64(elems) != 0 {
		return 0, fmt.Errorf("a row of %d elements is not whole %v blocks of %d", dims[0], typ, elems)
	}
	size := uint64(bytes)
	for i, d := range dims {
		if d == 0 {
			return 0, fmt.Errorf("dimension %d is zero", i)
		}
		if i == 0 {
			d /= uint64(elems)
		}
		high, low := bits.Mul64(size, d)
		if high != 0 || low > math.MaxInt64 {
			return 0, fmt.Errorf("dimensions %v are too large", dims)
		}
		size = low
	}
	return int64(size), nil
}

// checkOverlap walks the tensors in the order of their data.
func (f *File) checkOverlap(entries []int64) error {
	order := make([]int, len(f.tensors))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Compare(f.tensors[a].Offset, f.tensors[b].Offset)
	})
	for i := 1; i < len(order); i++ {
		a, b := f.tensors[order[i-1]], f.tensors[order[i]]
		if b.Offset < a.Offset+a.Size {
			return fmt.Errorf("tensor %s at offset %d: its data overlaps that of %s",
				quote(b.Name), entries[order[i]], quote(a.Name))
		}
	}
	return nil
}

// alignUp rounds n up to a multiple of a power of two.
func alignUp(n, alignment uint64) uint64 { return (n + alignment - 1) &^ (alignment - 1) }
