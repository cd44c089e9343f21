package gguf

import "fmt"

// Type is the element format of a tensor. The numbers are ggml's and are what
// the file stores. Gaps are formats that ggml has withdrawn.
type Type uint32

// The types that occur in files. A K in the name marks super-blocks of 256
// elements; IQ types look their values up in tables; TQ types are ternary.
const (
	F32     Type = 0
	F16     Type = 1
	Q4_0    Type = 2
	Q4_1    Type = 3
	Q5_0    Type = 6
	Q5_1    Type = 7
	Q8_0    Type = 8
	Q8_1    Type = 9
	Q2_K    Type = 10
	Q3_K    Type = 11
	Q4_K    Type = 12
	Q5_K    Type = 13
	Q6_K    Type = 14
	Q8_K    Type = 15
	IQ2_XXS Type = 16
	IQ2_XS  Type = 17
	IQ3_XXS Type = 18
	IQ1_S   Type = 19
	IQ4_NL  Type = 20
	IQ3_S   Type = 21
	IQ2_S   Type = 22
	IQ4_XS  Type = 23
	I8      Type = 24
	I16     Type = 25
	I32     Type = 26
	I64     Type = 27
	F64     Type = 28
	IQ1_M   Type = 29
	BF16    Type = 30
	TQ1_0   Type = 34
	TQ2_0   Type = 35
	MXFP4   Type = 39
)

// form is what a type's elements are made of.
type form uint8

const (
	opaque        form = iota // this package knows their size and no more
	float                     // a number of its own each
	scaled                    // small integers, times a scale
	scaledWithMin             // the same, less a minimum
)

// types is indexed by Type. An entry without a block is a format that ggml has
// withdrawn, that only a fork writes, or that is newer than this package: it has
// a name for the error.
var types = [...]struct {
	name         string
	elems, bytes int // of one block
	form         form
}{
	F32:     {"F32", 1, 4, float},
	F16:     {"F16", 1, 2, float},
	Q4_0:    {"Q4_0", 32, 18, scaled},
	Q4_1:    {"Q4_1", 32, 20, scaledWithMin},
	4:       {name: "Q4_2"},
	5:       {name: "Q4_3"},
	Q5_0:    {"Q5_0", 32, 22, scaled},
	Q5_1:    {"Q5_1", 32, 24, scaledWithMin},
	Q8_0:    {"Q8_0", 32, 34, scaled},
	Q8_1:    {"Q8_1", 32, 36, opaque},
	Q2_K:    {"Q2_K", 256, 84, scaledWithMin},
	Q3_K:    {"Q3_K", 256, 110, scaled},
	Q4_K:    {"Q4_K", 256, 144, scaledWithMin},
	Q5_K:    {"Q5_K", 256, 176, scaledWithMin},
	Q6_K:    {"Q6_K", 256, 210, scaled},
	Q8_K:    {"Q8_K", 256, 292, opaque},
	IQ2_XXS: {"IQ2_XXS", 256, 66, scaled},
	IQ2_XS:  {"IQ2_XS", 256, 74, scaled},
	IQ3_XXS: {"IQ3_XXS", 256, 98, scaled},
	IQ1_S:   {"IQ1_S", 256, 50, scaled},
	IQ4_NL:  {"IQ4_NL", 32, 18, scaled},
	IQ3_S:   {"IQ3_S", 256, 110, scaled},
	IQ2_S:   {"IQ2_S", 256, 82, scaled},
	IQ4_XS:  {"IQ4_XS", 256, 136, scaled},
	I8:      {"I8", 1, 1, opaque},
	I16:     {"I16", 1, 2, opaque},
	I32:     {"I32", 1, 4, opaque},
	I64:     {"I64", 1, 8, opaque},
	F64:     {"F64", 1, 8, opaque},
	IQ1_M:   {"IQ1_M", 256, 56, scaled},
	BF16:    {"BF16", 1, 2, float},
	31:      {name: "Q4_0_4_4"},
	32:      {name: "Q4_0_4_8"},
	33:      {name: "Q4_0_8_8"},
	TQ1_0:   {"TQ1_0", 256, 54, scaled},
	TQ2_0:   {"TQ2_0", 256, 66, scaled},
	36:      {name: "IQ4_NL_4_4 or bitnet.cpp's I2_S"},
	37:      {name: "IQ4_NL_4_8"},
	38:      {name: "IQ4_NL_8_8"},
	MXFP4:   {"MXFP4", 32, 17, scaled},
	40:      {name: "NVFP4"},
	41:      {name: "Q1_0"},
	42:      {name: "Q2_0"},
}

// Known reports whether t is one of the types above, so that its size is known.
func (t Type) Known() bool { return uint64(t) < uint64(len(types)) && types[t].elems > 0 }

// Block returns the number of elements in one block and the bytes it takes.
// A row is always whole blocks. An unknown type gives 0, 0.
func (t Type) Block() (elems, bytes int) {
	if !t.Known() {
		return 0, 0
	}
	return types[t].elems, types[t].bytes
}

func (t Type) form() form {
	if !t.Known() {
		return opaque
	}
	return types[t].form
}

// String returns ggml's name, such as "Q4_K", or "type 77" for an unknown one.
func (t Type) String() string {
	if uint64(t) < uint64(len(types)) && types[t].name != "" {
		return types[t].name
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// unknown is the error for a type that is not Known.
func (t Type) unknown() error {
	if uint64(t) < uint64(len(types)) && types[t].name != "" {
		return fmt.Errorf("type %d (%v) cannot be read; use another quantisation of this model", uint32(t), t)
	}
	return fmt.Errorf("unknown tensor type %d", uint32(t))
}
