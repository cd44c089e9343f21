package gguf

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

func everyKind() map[string]any {
	return map[string]any{
		"u8": uint8(200), "i8": int8(-100), "u16": uint16(60000), "i16": int16(-30000),
		"u32": uint32(4e9), "i32": int32(-2e9), "u64": uint64(math.MaxUint64), "i64": int64(math.MinInt64),
		"f32": float32(1.5), "f64": 1e300, "yes": true, "no": false, "text": "línea\n\x00", "empty": "",
		"u8s": []uint8{0, 255}, "i8s": []int8{-128, 127}, "u16s": []uint16{65535}, "i16s": []int16{-1},
		"u32s": []uint32{1, 2, 3}, "i32s": []int32{-1, 0, 1}, "u64s": []uint64{1 << 63}, "i64s": []int64{-5, 5},
		"f32s": []float32{0.25, -0.5}, "f64s": []float64{0.1}, "bools": []bool{true, false, true},
		"strings": []string{"", "a", strings.Repeat("long", 50_000), "z"}, "none": []string{},
		"nested": []Value{mustValue([]int32{1, 2}), mustValue([]Value{mustValue([]string{"x"})}), mustValue([]Value{})},
	}
}

func TestEveryKindOfValueComesBackAsItWasWritten(t *testing.T) {
	w := NewWriter()
	values := everyKind()
	for key, v := range values {
		w.Set(key, v)
	}
	f, err := parseBytes(written(w))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range values {
		got, ok := f.Value(key)
		if !ok || !reflect.DeepEqual(got.Any(), want) {
			t.Errorf("%s is %v, want %v", key, got.Any(), want)
		}
		if !sameValue(got, mustValue(want)) {
			t.Errorf("%s has kind %v of %v", key, got.Kind(), got.Elem())
		}
	}
}

func TestAccessorsConvertWhatLosesNothingAndExplainTheRest(t *testing.T) {
	w := NewWriter()
	for key, v := range everyKind() {
		w.Set(key, v)
	}
	f, err := parseBytes(written(w))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		call      string
		got       func() (any, error)
		want      any
		wantError string // after "model.gguf: "
	}{
		{"Uint of u8", func() (any, error) { return f.Uint("u8") }, uint64(200), ""},
		{"Uint of u64", func() (any, error) { return f.Uint("u64") }, uint64(math.MaxUint64), ""},
		{"Uint of a negative", func() (any, error) { return f.Uint("i32") }, nil, "i32 is -2000000000, expected no negative number"},
		{"Uint of nothing", func() (any, error) { return f.Uint("llama.block_count") }, nil, "llama.block_count is missing"},
		{"Uint of a string", func() (any, error) { return f.Uint("text") }, nil, "text is a string, expected a number"},
		{"Uint of a float", func() (any, error) { return f.Uint("f32") }, nil, "f32 is a float32, expected a whole number"},
		{"Uint of an array", func() (any, error) { return f.Uint("u32s") }, nil, "u32s is an array of uint32s, expected a number"},
		{"Int of i8", func() (any, error) { return f.Int("i8") }, int64(-100), ""},
		{"Int of i64", func() (any, error) { return f.Int("i64") }, int64(math.MinInt64), ""},
		{"Int of a huge u64", func() (any, error) { return f.Int("u64") }, nil, "u64 is 18446744073709551615, which is too large"},
		{"Int of a bool", func() (any, error) { return f.Int("yes") }, nil, "yes is a bool, expected a number"},
		{"Float of f32", func() (any, error) { return f.Float("f32") }, 1.5, ""},
		{"Float of f64", func() (any, error) { return f.Float("f64") }, 1e300, ""},
		{"Float of i16", func() (any, error) { return f.Float("i16") }, -30000.0, ""},
		{"Float of a string", func() (any, error) { return f.Float("text") }, nil, "text is a string, expected a number"},
		{"Bool", func() (any, error) { return f.Bool("yes") }, true, ""},
		{"Bool of a number", func() (any, error) { return f.Bool("i8") }, nil, "i8 is an int8, expected a bool"},
		{"String", func() (any, error) { return f.String("text") }, "línea\n\x00", ""},
		{"String of nothing", func() (any, error) { return f.String("x") }, nil, "x is missing"},
		{"String of an array", func() (any, error) { return f.String("strings") }, nil, "strings is an array of strings, expected a string"},
		{"Strings", func() (any, error) { return f.Strings("none") }, []string{}, ""},
		{"Strings of numbers", func() (any, error) { return f.Strings("i32s") }, nil, "i32s is an array of int32s, expected an array of strings"},
		{"Floats", func() (any, error) { return f.Floats("f32s") }, []float32{0.25, -0.5}, ""},
		{"Floats of f64", func() (any, error) { return f.Floats("f64s") }, []float32{0.1}, ""},
		{"Floats of integers", func() (any, error) { return f.Floats("i64s") }, []float32{-5, 5}, ""},
		{"Floats of bools", func() (any, error) { return f.Floats("bools") }, nil, "bools is an array of bools, expected an array of numbers"},
		{"Ints", func() (any, error) { return f.Ints("i8s") }, []int64{-128, 127}, ""},
		{"Ints of bools", func() (any, error) { return f.Ints("bools") }, []int64{1, 0, 1}, ""},
		{"Ints of a huge u64", func() (any, error) { return f.Ints("u64s") }, nil, "u64s: element 0 is 9223372036854775808, which is too large"},
		{"Ints of floats", func() (any, error) { return f.Ints("f32s") }, nil, "f32s is an array of float32s, expected an array of whole numbers"},
		{"Ints of one number", func() (any, error) { return f.Ints("u32") }, nil, "u32 is a uint32, expected an array of whole numbers"},
		{"UintOr present", func() (any, error) { return f.UintOr("u8", 7) }, uint64(200), ""},
		{"UintOr absent", func() (any, error) { return f.UintOr("x", 7) }, uint64(7), ""},
		{"UintOr of a string", func() (any, error) { return f.UintOr("text", 7) }, nil, "text is a string, expected a number"},
		{"FloatOr absent", func() (any, error) { return f.FloatOr("x", 0.5) }, 0.5, ""},
		{"BoolOr absent", func() (any, error) { return f.BoolOr("x", true) }, true, ""},
		{"BoolOr present", func() (any, error) { return f.BoolOr("no", true) }, false, ""},
		{"StringOr absent", func() (any, error) { return f.StringOr("x", "d") }, "d", ""},
		{"StringOr of a bool", func() (any, error) { return f.StringOr("no", "d") }, nil, "no is a bool, expected a string"},
	} {
		t.Run(c.call, func(t *testing.T) {
			got, err := c.got()
			if c.wantError != "" {
				if want := "model.gguf: " + c.wantError; errorText(err) != want {
					t.Errorf("error %v, want %s", err, want)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%v, %v; want %v", got, err, c.want)
			}
		})
	}
}
