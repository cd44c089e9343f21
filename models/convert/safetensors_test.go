package convert

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
)

// file makes a safetensors file of a header and n bytes of data.
func file(header string, n int) []byte {
	return append(append(le.AppendUint64(nil, uint64(len(header))), header...), make([]byte, n)...)
}

func TestHeaders(t *testing.T) {
	entry := func(name, rest string) string { return fmt.Sprintf(`"%s":{%s}`, name, rest) }
	for _, test := range []struct {
		name, header string
		data         int
		err          string
	}{
		{"one tensor", `{` + entry("a", `"dtype":"F32","shape":[2,3],"data_offsets":[0,24]`) + `}`, 24, ""},
		{"a scalar, padding and metadata", `{"__metadata__":{"x":"y"},` + entry("a", `"dtype":"BF16","shape":[],"data_offsets":[0,2]`) + `}   `, 2, ""},
		{"tensors in any order, with a hole", `{` + entry("b", `"dtype":"U8","shape":[4],"data_offsets":[8,12]`) + `,` + entry("a", `"dtype":"U8","shape":[4],"data_offsets":[0,4]`) + `}`, 12, ""},
		{"no tensors", `{}`, 0, ""},
		{"a file cut short", `{` + entry("a", `"dtype":"F32","shape":[2,3],"data_offsets":[0,24]`) + `}`, 23, "truncated"},
		{"overlap", `{` + entry("a", `"dtype":"U8","shape":[4],"data_offsets":[0,4]`) + `,` + entry("b", `"dtype":"U8","shape":[4],"data_offsets":[3,7]`) + `}`, 8, "a and b overlap"},
		{"a shape that the offsets do not hold", `{` + entry("a", `"dtype":"F32","shape":[2,3],"data_offsets":[0,12]`) + `}`, 24, "takes 24 bytes"},
		{"an unknown type", `{` + entry("a", `"dtype":"F31","shape":[1],"data_offsets":[0,4]`) + `}`, 4, "F31 is not known"},
		{"a shape past all numbers", `{` + entry("a", `"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,0]`) + `}`, 0, "too large"},
		{"offsets backwards", `{` + entry("a", `"dtype":"U8","shape":[4],"data_offsets":[4,0]`) + `}`, 4, "not possible"},
		{"offsets past all files", `{` + entry("a", `"dtype":"U8","shape":[0],"data_offsets":[18446744073709551615,18446744073709551615]`) + `}`, 4, "not possible"},
		{"a negative size", `{` + entry("a", `"dtype":"U8","shape":[-4],"data_offsets":[0,4]`) + `}`, 4, "does not belong there"},
		{"three offsets", `{` + entry("a", `"dtype":"U8","shape":[4],"data_offsets":[0,4,4]`) + `}`, 4, "3 data offsets"},
		{"the same name twice", `{` + strings.Repeat(entry("a", `"dtype":"U8","shape":[0],"data_offsets":[0,0]`)+",", 2) + `"b":{}}`, 0, "there twice"},
		{"a list", `[]`, 0, "not a JSON object"},
		{"a number for an entry", `{"a":1}`, 0, "a number stands"},
		{"JSON that is cut off", `{"a":{"dtype"`, 0, "cut off"},
		{"JSON without an end", `{`, 0, "cut off"},
		{"text behind the JSON", `{} x`, 0, "goes on"},
		{"bytes that are no text", "{\"\xff\":1}", 0, "not UTF-8"},
		{"many dimensions", `{` + entry("a", `"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]`) + `}`, 1, "9 dimensions"},
	} {
		raw := file(test.header, test.data)
		_, err := parseHeader(bytes.NewReader(raw), int64(len(raw)))
		if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.err)
		}
	}
}

func TestHeaderLengthsThatAreNotPossible(t *testing.T) {
	for _, length := range []uint64{9, 1 << 31, 1 << 63, math.MaxUint64, math.MaxUint64 - 8} {
		raw := append(le.AppendUint64(nil, length), "{}      "...)
		if _, err := parseHeader(bytes.NewReader(raw), int64(len(raw))); err == nil || !strings.Contains(err.Error(), "header's length") {
			t.Errorf("length %d: %v", length, err)
		}
	}
	if _, err := parseHeader(bytes.NewReader(nil), 0); err == nil {
		t.Error("an empty file is accepted")
	}
	// A file that claims to be large does not make the parser allocate for it.
	head := le.AppendUint64(nil, longestHeader+1)
	if _, err := parseHeader(bytes.NewReader(head), 1<<40); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Error(err)
	}
}

func FuzzHeader(f *testing.F) {
	f.Add(file(`{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}`, 24))
	f.Add(file(`{"__metadata__":{},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2))
	f.Add(file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,1]}}`, 1))
	f.Add(le.AppendUint64(nil, math.MaxUint64))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tensors, err := parseHeader(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			return
		}
		end := int64(8)
		for _, x := range tensors {
			if x.size == 0 {
				continue
			}
			if x.offset < end || x.size < 0 || x.offset+x.size > int64(len(raw)) {
				t.Fatalf("%s lies from %d on and takes %d of %d bytes", x.name, x.offset, x.size, len(raw))
			}
			end = x.offset + x.size
		}
	})
}
