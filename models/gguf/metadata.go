package gguf

import (
	"fmt"
	"math"
	"strings"
)

const (
	alignmentKey     = "general.alignment"
	defaultAlignment = 32
)

// parseMetadata reads n key-value pairs.
func (f *File) parseMetadata(c *cursor, n uint64) (err error) {
	f.alignment = defaultAlignment
	f.values = make(map[string]Value)
	nested := 0
	for i := 0; uint64(i) < n && c.err == nil; i++ {
		c.at("key", i, "")
		key := c.string(maxName)
		if _, dup := f.values[key]; dup && c.err == nil {
			c.fail("%s appears twice", quote(key))
		}
		c.at("kind", -1, key)
		kind := Kind(c.u32())
		c.at("value", -1, key)
		v := c.value(kind, key, 0, &nested)
		if key == alignmentKey && c.err == nil {
			if f.alignment, err = alignment(v); err != nil {
				c.fail("%w", err)
			}
		}
		f.values[key] = v
		f.keys = append(f.keys, key)
	}
	return c.err
}

// value reads one value; depth counts the arrays around it.
func (c *cursor) value(kind Kind, key string, depth int, nested *int) Value {
	switch kind {
	case KindUint8:
		return Value{kind: kind, data: c.u8()}
	case KindInt8:
		return Value{kind: kind, data: int8(c.u8())}
	case KindUint16:
		return Value{kind: kind, data: c.u16()}
	case KindInt16:
		return Value{kind: kind, data: int16(c.u16())}
	case KindUint32:
		return Value{kind: kind, data: c.u32()}
	case KindInt32:
		return Value{kind: kind, data: int32(c.u32())}
	case KindUint64:
		return Value{kind: kind, data: c.u64()}
	case KindInt64:
		return Value{kind: kind, data: int64(c.u64())}
	case KindFloat32:
		return Value{kind: kind, data: math.Float32frombits(c.u32())}
	case KindFloat64:
		return Value{kind: kind, data: math.Float64frombits(c.u64())}
	case KindBool:
		b := c.u8()
		if b > 1 {
			c.fail("a bool is 0 or 1, not %d", b)
		}
		return Value{kind: kind, data: b == 1}
	case KindString:
		return Value{kind: kind, data: c.string(maxHeader)}
	case KindArray:
		return c.array(key, depth, nested)
	}
	c.fail("unknown %v", kind)
	return Value{}
}

func (c *cursor) array(key string, depth int, nested *int) Value {
	elem := Kind(c.u32())
	n := c.u64()
	if !elem.known() {
		c.fail("array of unknown %v", elem)
		return Value{}
	}
	if !c.fits("an array of %d elements", n, minBytes[elem]) {
		return Value{}
	}
	v := Value{kind: KindArray, elem: elem}
	switch elem {
	case KindUint8:
		v.data = elements(c, n, 1, func(b []byte) uint8 { return b[0] })
	case KindInt8:
		v.data = elements(c, n, 1, func(b []byte) int8 { return int8(b[0]) })
	case KindUint16:
		v.data = elements(c, n, 2, le.Uint16)
	case KindInt16:
		v.data = elements(c, n, 2, func(b []byte) int16 { return int16(le.Uint16(b)) })
	case KindUint32:
		v.data = elements(c, n, 4, le.Uint32)
	case KindInt32:
		v.data = elements(c, n, 4, func(b []byte) int32 { return int32(le.Uint32(b)) })
	case KindUint64:
		v.data = elements(c, n, 8, le.Uint64)
	case KindInt64:
		v.data = elements(c, n, 8, func(b []byte) int64 { return int64(le.Uint64(b)) })
	case KindFloat32:
		v.data = elements(c, n, 4, func(b []byte) float32 { return math.Float32frombits(le.Uint32(b)) })
	case KindFloat64:
		v.data = elements(c, n, 8, func(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) })
	case KindBool:
		v.data = elements(c, n, 1, func(b []byte) bool {
			if b[0] > 1 {
				c.fail("a bool is 0 or 1, not %d", b[0])
			}
			return b[0] == 1
		})
	case KindString:
		v.data = c.strings(n, key)
	case KindArray:
		v.data = c.arrays(n, key, depth+1, nested)
	}
	return v
}

// elements reads n elements of size bytes each, a window at a time.
func elements[T any](c *cursor, n uint64, size int, decode func([]byte) T) []T {
	perWindow := uint64(windowBytes / size)
	out := make([]T, 0, min(n, perWindow))
	for n > 0 && c.err == nil {
		k := min(n, perWindow)
		for b := c.next(int(k) * size); len(b) > 0; b = b[size:] {
			out = append(out, decode(b))
		}
		n -= k
	}
	return out
}

// strings reads n strings into one block of memory and cuts it up: a
// vocabulary has 256k of them, and an allocation each would dominate Open.
func (c *cursor) strings(n uint64, key string) []string {
	var text strings.Builder
	var ends []int
	for i := 0; uint64(i) < n && c.err == nil; i++ {
		c.at("element", i, key)
		c.text(&text, c.u64())
		ends = append(ends, text.Len())
	}
	all, start := text.String(), 0
	out := make([]string, len(ends))
	for i, end := range ends {
		out[i] = all[start:end]
		start = end
	}
	return out
}

// arrays reads n arrays, the elements of an array of arrays.
func (c *cursor) arrays(n uint64, key string, depth int, nested *int) []Value {
	out := []Value{}
	for i := 0; uint64(i) < n && c.err == nil; i++ {
		c.at("element", i, key)
		if depth >= maxDepth {
			c.fail("arrays are nested deeper than %d", maxDepth)
		}
		if *nested++; *nested > maxNested {
			c.fail("more than %d arrays lie in other arrays", maxNested)
		}
		out = append(out, c.array(key, depth, nested))
	}
	return out
}

// alignment checks the value of general.alignment.
func alignment(v Value) (uint64, error) {
	n, ok := integer(v.data)
	if !ok {
		return 0, fmt.Errorf("it is %s, expected a number", v.describe())
	}
	if n.neg || n.bits < 8 || n.bits > maxAlignment || n.bits&(n.bits-1) != 0 {
		return 0, fmt.Errorf("%v is not a power of two from 8 to %d", v.data, maxAlignment)
	}
	return n.bits, nil
}
