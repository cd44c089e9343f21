package gguf

import (
	"fmt"
	"math"
)

// Keys returns the metadata keys in file order. The slice is shared and must
// not be changed.
func (f *File) Keys() []string { return f.keys }

// Value returns a metadata value as the file types it.
func (f *File) Value(key string) (Value, bool) {
	v, ok := f.values[key]
	return v, ok
}

// Uint returns a non-negative integer of any size.
func (f *File) Uint(key string) (uint64, error) {
	n, err := f.integer(key)
	if err != nil {
		return 0, err
	}
	if n.neg {
		return 0, fmt.Errorf("%s: %s is %d, expected no negative number", f.name, key, int64(n.bits))
	}
	return n.bits, nil
}

// Int returns an integer of any size; a uint64 past the range is an error.
func (f *File) Int(key string) (int64, error) {
	n, err := f.integer(key)
	if err != nil {
		return 0, err
	}
	if !n.isInt64() {
		return 0, fmt.Errorf("%s: %s is %d, which is too large", f.name, key, n.bits)
	}
	return int64(n.bits), nil
}

// Float returns a float of either size, or an integer as a float.
func (f *File) Float(key string) (float64, error) {
	v, err := f.lookup(key)
	if err != nil {
		return 0, err
	}
	switch x := v.data.(type) {
	case float32:
		return float64(x), nil
	case float64:
		return x, nil
	}
	if n, ok := integer(v.data); ok {
		return n.float(), nil
	}
	return 0, f.mismatch(key, v, "a number")
}

// Bool returns a bool.
func (f *File) Bool(key string) (bool, error) { return exact[bool](f, key, "a bool") }

// String returns a string, byte for byte as in the file.
func (f *File) String(key string) (string, error) { return exact[string](f, key, "a string") }

// Strings returns an array of strings. The slice is shared and must not be
// changed.
func (f *File) Strings(key string) ([]string, error) {
	return exact[[]string](f, key, "an array of strings")
}

// Floats returns an array of numbers as float32. The slice may be shared and
// must not be changed.
func (f *File) Floats(key string) ([]float32, error) {
	v, err := f.lookup(key)
	if err != nil {
		return nil, err
	}
	switch s := v.data.(type) {
	case []float32:
		return s, nil
	case []float64:
		return convert(s, func(x float64) float32 { return float32(x) }), nil
	}
	if ints, ok := integers(v.data); ok && v.elem != KindBool {
		return convert(ints, func(n number) float32 { return float32(n.float()) }), nil
	}
	return nil, f.mismatch(key, v, "an array of numbers")
}

// Ints returns an array of integers of any size, or of bools as 0 and 1.
func (f *File) Ints(key string) ([]int64, error) {
	v, err := f.lookup(key)
	if err != nil {
		return nil, err
	}
	ints, ok := integers(v.data)
	if !ok {
		return nil, f.mismatch(key, v, "an array of whole numbers")
	}
	for i, n := range ints {
		if !n.isInt64() {
			return nil, fmt.Errorf("%s: %s: element %d is %d, which is too large", f.name, key, i, n.bits)
		}
	}
	return convert(ints, func(n number) int64 { return int64(n.bits) }), nil
}

// UintOr is Uint with a default for an absent key.
func (f *File) UintOr(key string, def uint64) (uint64, error) { return or(f, key, def, f.Uint) }

// FloatOr is Float with a default for an absent key.
func (f *File) FloatOr(key string, def float64) (float64, error) { return or(f, key, def, f.Float) }

// BoolOr is Bool with a default for an absent key.
func (f *File) BoolOr(key string, def bool) (bool, error) { return or(f, key, def, f.Bool) }

// StringOr is String with a default for an absent key.
func (f *File) StringOr(key string, def string) (string, error) { return or(f, key, def, f.String) }

func or[T any](f *File, key string, def T, get func(string) (T, error)) (T, error) {
	if _, ok := f.values[key]; !ok {
		return def, nil
	}
	return get(key)
}

func exact[T any](f *File, key, want string) (T, error) {
	v, err := f.lookup(key)
	if err != nil {
		var none T
		return none, err
	}
	x, ok := v.data.(T)
	if !ok {
		return x, f.mismatch(key, v, want)
	}
	return x, nil
}

func (f *File) lookup(key string) (Value, error) {
	v, ok := f.values[key]
	if !ok {
		return Value{}, fmt.Errorf("%s: %s is missing", f.name, key)
	}
	return v, nil
}

func (f *File) integer(key string) (number, error) {
	v, err := f.lookup(key)
	if err != nil {
		return number{}, err
	}
	n, ok := integer(v.data)
	if !ok {
		want := "a number"
		if v.kind == KindFloat32 || v.kind == KindFloat64 {
			want = "a whole number"
		}
		return number{}, f.mismatch(key, v, want)
	}
	return n, nil
}

func (f *File) mismatch(key string, v Value, want string) error {
	return fmt.Errorf("%s: %s is %s, expected %s", f.name, key, v.describe(), want)
}

// describe names the type in a sentence: "a string", "an array of int32s".
func (v Value) describe() string {
	switch v.kind {
	case KindArray:
		return "an array of " + v.elem.String() + "s"
	case KindInt8, KindInt16, KindInt32, KindInt64:
		return "an " + v.kind.String()
	}
	return "a " + v.kind.String()
}

// number is any integer of the file: int64 and uint64 at once.
type number struct {
	bits uint64 // two's complement if neg
	neg  bool
}

func (n number) isInt64() bool { return n.neg || n.bits <= math.MaxInt64 }

func (n number) float() float64 {
	if n.neg {
		return float64(int64(n.bits))
	}
	return float64(n.bits)
}

func signed[T int8 | int16 | int32 | int64](x T) number {
	return number{bits: uint64(int64(x)), neg: x < 0}
}

func unsigned[T uint8 | uint16 | uint32 | uint64](x T) number { return number{bits: uint64(x)} }

func integer(data any) (number, bool) {
	switch x := data.(type) {
	case uint8:
		return unsigned(x), true
	case uint16:
		return unsigned(x), true
	case uint32:
		return unsigned(x), true
	case uint64:
		return unsigned(x), true
	case int8:
		return signed(x), true
	case int16:
		return signed(x), true
	case int32:
		return signed(x), true
	case int64:
		return signed(x), true
	}
	return number{}, false
}

func integers(data any) ([]number, bool) {
	switch s := data.(type) {
	case []uint8:
		return convert(s, unsigned[uint8]), true
	case []uint16:
		return convert(s, unsigned[uint16]), true
	case []uint32:
		return convert(s, unsigned[uint32]), true
	case []uint64:
		return convert(s, unsigned[uint64]), true
	case []int8:
		return convert(s, signed[int8]), true
	case []int16:
		return convert(s, signed[int16]), true
	case []int32:
		return convert(s, signed[int32]), true
	case []int64:
		return convert(s, signed[int64]), true
	case []bool:
		return convert(s, func(b bool) number {
			if b {
				return number{bits: 1}
			}
			return number{}
		}), true
	}
	return nil, false
}

func convert[A, B any](in []A, f func(A) B) []B {
	out := make([]B, len(in))
	for i, x := range in {
		out[i] = f(x)
	}
	return out
}
