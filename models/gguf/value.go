package gguf

import (
	"errors"
	"fmt"
	"reflect"
)

// Kind is the type of a metadata value, with the numbers of the file format.
type Kind uint32

// The kinds of metadata values.
const (
	KindUint8   Kind = 0
	KindInt8    Kind = 1
	KindUint16  Kind = 2
	KindInt16   Kind = 3
	KindUint32  Kind = 4
	KindInt32   Kind = 5
	KindFloat32 Kind = 6
	KindBool    Kind = 7
	KindString  Kind = 8
	KindArray   Kind = 9
	KindUint64  Kind = 10
	KindInt64   Kind = 11
	KindFloat64 Kind = 12
)

var kindNames = [...]string{"uint8", "int8", "uint16", "int16", "uint32", "int32",
	"float32", "bool", "string", "array", "uint64", "int64", "float64"}

// minBytes is the least that a value of each kind takes in a file.
var minBytes = [...]int{1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8}

func (k Kind) known() bool { return uint64(k) < uint64(len(kindNames)) }

// String returns the name of the kind, such as "uint32".
func (k Kind) String() string {
	if !k.known() {
		return fmt.Sprintf("kind %d", uint32(k))
	}
	return kindNames[k]
}

// Value is one metadata value. It is immutable; slices it hands out are shared
// with the File and must not be changed.
type Value struct {
	kind, elem Kind // elem counts for arrays only
	data       any  // the Go value: uint8 ... float64, bool, string, []T of these, or []Value
}

// Kind returns the value's type.
func (v Value) Kind() Kind { return v.kind }

// Elem returns the element type of an array; it means nothing for other kinds.
func (v Value) Elem() Kind { return v.elem }

// Any returns the Go value: a uint8 to float64, bool or string as the kind
// says; for an array a slice of these, or []Value for an array of arrays.
func (v Value) Any() any { return v.data }

// Len returns the number of elements of an array, and 1 for any other kind.
func (v Value) Len() int {
	if v.kind != KindArray {
		return 1
	}
	return reflect.ValueOf(v.data).Len()
}

// ValueOf makes a Value of a Go value: any sized integer or float, bool,
// string, a slice of one of these, or a []Value of arrays (an array of
// arrays). Plain int is refused because the file needs a size.
func ValueOf(data any) (Value, error) {
	scalar := func(k Kind) (Value, error) { return Value{kind: k, data: data}, nil }
	array := func(k Kind) (Value, error) { return Value{kind: KindArray, elem: k, data: data}, nil }
	switch x := data.(type) {
	case Value:
		if x.data == nil {
			return Value{}, errors.New("an empty Value cannot be stored")
		}
		return x, nil
	case uint8:
		return scalar(KindUint8)
	case int8:
		return scalar(KindInt8)
	case uint16:
		return scalar(KindUint16)
	case int16:
		return scalar(KindInt16)
	case uint32:
		return scalar(KindUint32)
	case int32:
		return scalar(KindInt32)
	case uint64:
		return scalar(KindUint64)
	case int64:
		return scalar(KindInt64)
	case float32:
		return scalar(KindFloat32)
	case float64:
		return scalar(KindFloat64)
	case bool:
		return scalar(KindBool)
	case string:
		return scalar(KindString)
	case []uint8:
		return array(KindUint8)
	case []int8:
		return array(KindInt8)
	case []uint16:
		return array(KindUint16)
	case []int16:
		return array(KindInt16)
	case []uint32:
		return array(KindUint32)
	case []int32:
		return array(KindInt32)
	case []uint64:
		return array(KindUint64)
	case []int64:
		return array(KindInt64)
	case []float32:
		return array(KindFloat32)
	case []float64:
		return array(KindFloat64)
	case []bool:
		return array(KindBool)
	case []string:
		return array(KindString)
	case []Value:
		for i, v := range x {
			if v.kind != KindArray {
				return Value{}, fmt.Errorf("element %d is a %s, but a []Value holds arrays only", i, v.kind)
			}
		}
		return array(KindArray)
	case int, uint, []int, []uint:
		return Value{}, fmt.Errorf("%T has no fixed size; use uint32, int32 or another sized type", data)
	}
	return Value{}, fmt.Errorf("GGUF has no type for %T", data)
}
