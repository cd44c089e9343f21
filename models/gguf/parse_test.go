package gguf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
)

// small is the file that the tests of hostile input break in one place each.
func small() []byte {
	w := NewWriter()
	w.Set("general.alignment", uint32(32))
	w.Set("name", "tiny")
	w.Set("flag", true)
	w.Set("words", []string{"a", "bc", ""})
	w.Set("flags", []bool{true, false})
	w.Set("nested", []Value{mustValue([]uint8{1, 2}), mustValue([]Value{mustValue([]float32{3})})})
	w.AddTensor("one", F32, []uint64{4, 2}, Float32s(make([]float32, 8)))
	w.AddTensor("two", Q4_0, []uint64{32, 2}, Bytes(make([]byte, 36)))
	return written(w)
}

func mustValue(data any) Value {
	v, err := ValueOf(data)
	if err != nil {
		panic(err)
	}
	return v
}

func written(w *Writer) []byte {
	var b bytes.Buffer
	if _, err := w.WriteTo(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func parseBytes(b []byte) (*File, error) {
	return Parse(bytes.NewReader(b), int64(len(b)), "model.gguf")
}

// after returns the offset of what follows the string s and its length prefix:
// for a key its kind, for a tensor name the number of dimensions.
func after(b []byte, s string) int {
	lengthAndText := append(binary.LittleEndian.AppendUint64(nil, uint64(len(s))), s...)
	i := bytes.Index(b, lengthAndText)
	if i < 0 {
		panic("no " + s)
	}
	return i + len(lengthAndText)
}

func put32(off int, v uint32) func([]byte) []byte {
	return func(b []byte) []byte { binary.LittleEndian.PutUint32(b[off:], v); return b }
}

func put64(off int, v uint64) func([]byte) []byte {
	return func(b []byte) []byte { binary.LittleEndian.PutUint64(b[off:], v); return b }
}

func replace(old, new string) func([]byte) []byte {
	return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(new), 1) }
}

type hostile struct {
	name string
	edit func([]byte) []byte
	want string // after "model.gguf: "
}

// hostileFiles is also what the fuzzer starts from.
func hostileFiles() []hostile {
	b := small()
	alignment, name, flag := after(b, "general.alignment"), after(b, "name"), after(b, "flag")
	words, flags, nested := after(b, "words"), after(b, "flags"), after(b, "nested")
	one, two := after(b, "one"), after(b, "two")
	prefix := func(s string) func([]byte) []byte {
		return func(b []byte) []byte { return append([]byte(s), b[4:]...) }
	}
	deep := func(n int) func([]byte) []byte {
		return func([]byte) []byte {
			v := mustValue([]uint8{1})
			for range n {
				v = mustValue([]Value{v})
			}
			w := NewWriter()
			w.Set("deep", v)
			return written(w)
		}
	}
	return []hostile{
		{"an empty file", func([]byte) []byte { return nil }, "the file is empty"},
		{"two bytes", func(b []byte) []byte { return b[:2] }, "magic at offset 0: the file ends after 2 bytes; it is incomplete"},
		{"another magic", prefix("GGUX"), `not a GGUF file (it starts with "GGUX")`},
		{"control characters as magic", prefix("\x1b[2J"), `not a GGUF file (it starts with "\x1b[2J")`},
		{"a big-endian file", put32(4, 3<<24), "this is a big-endian GGUF file; convert it to little-endian"},
		{"a byte-swapped magic", prefix("FUGG"), "this is a big-endian GGUF file; convert it to little-endian"},
		{"an old GGJT file", prefix("tjgg"), "this is an old GGML file from before GGUF; convert it or download the model as GGUF"},
		{"an old GGML file", prefix("lmgg"), "this is an old GGML file from before GGUF; convert it or download the model as GGUF"},
		{"a PyTorch file", prefix("PK\x03\x04"), "this is a zip or PyTorch archive, not a GGUF file"},
		{"a Git LFS pointer", prefix("vers"), "this is a Git LFS pointer, not the model; download the file itself"},
		{"a saved web page", prefix("<!DO"), "this is a web page, not a model; download the file itself"},
		{"version 1", put32(4, 1), "GGUF version 1 is too old; convert the file to version 3"},
		{"version 4", put32(4, 4), "GGUF version 4 is not known, only 2 and 3 are"},

		{"2^64-1 tensors", put64(8, math.MaxUint64), "number of tensors at offset 8: 18446744073709551615 is more than the 1048576 allowed"},
		{"2^64-1 keys", put64(16, math.MaxUint64), "number of keys at offset 16: 18446744073709551615 is more than the 65536 allowed"},
		{"more keys than there are", put64(16, 8), `key 7 at offset 278: length 562949953421312 is more than the 65535 allowed`},
		{"a key of 2^64-1 bytes", put64(24, math.MaxUint64), "key 0 at offset 24: length 18446744073709551615 is more than the 65535 allowed"},
		{"a key longer than the file", put64(24, 5000), "key 0 at offset 24: a string of 5000 bytes cannot follow, only"},
		{"a key that appears twice", replace("flag\a", "name\a"), `key 2 at offset 85: "name" appears twice`},
		{"an unknown kind", put32(name, 13), `value of "name" at offset 73: unknown kind 13`},
		{"a bool that is 2", func(b []byte) []byte { b[flag+4] = 2; return b }, `value of "flag" at offset 101: a bool is 0 or 1, not 2`},
		{"a bool in an array that is 255", func(b []byte) []byte { b[flags+17] = 255; return b },
			`value of "flags" at offset 175: a bool is 0 or 1, not 255`},
		{"a string of 2^63 bytes", put64(name+4, 1<<63), `value of "name" at offset 73: length 9223372036854775808 is more than the 1073741824 allowed`},
		{"a string longer than the file", put64(name+4, 1<<20), `value of "name" at offset 73: a string of 1048576 bytes cannot follow, only`},
		{"an array of 2^64-1 strings", put64(words+8, math.MaxUint64), `value of "words" at offset 119: an array of 18446744073709551615 elements cannot follow, only`},
		{"an array of unknown kind", put32(words+4, 99), `value of "words" at offset 119: array of unknown kind 99`},
		{"a long string in an array", put64(words+16, math.MaxUint64), `element 0 of "words" at offset 131: a string of 18446744073709551615 bytes cannot follow, only`},
		{"an array of 2^64-1 arrays", put64(nested+8, math.MaxUint64), `value of "nested" at offset 207: an array of 18446744073709551615 elements cannot follow, only`},
		{"a nested array of 2^40 bytes", put64(nested+20, 1<<40), `element 0 of "nested" at offset 219: an array of 1099511627776 elements cannot follow, only`},
		{"arrays nested too deep", deep(9), `element 0 of "deep" at offset 136: arrays are nested deeper than 8`},

		{"alignment 0", put32(alignment+4, 0), `value of "general.alignment" at offset 53: 0 is not a power of two from 8 to 16777216`},
		{"alignment 48", put32(alignment+4, 48), `value of "general.alignment" at offset 53: 48 is not a power of two from 8 to 16777216`},
		{"alignment 2^31", put32(alignment+4, 1<<31), `value of "general.alignment" at offset 53: 2147483648 is not a power of two from 8 to 16777216`},
		{"negative alignment", func(b []byte) []byte { return put32(alignment, uint32(KindInt32))(put32(alignment+4, 1<<31)(b)) },
			`value of "general.alignment" at offset 53: -2147483648 is not a power of two from 8 to 16777216`},
		{"alignment that is a float", put32(alignment, uint32(KindFloat32)), `value of "general.alignment" at offset 53: it is a float32, expected a number`},

		{"a tensor without dimensions", put32(one, 0), `dimensions of "one" at offset 272: 0 dimensions, expected 1 to 4`},
		{"five dimensions", put32(one, 5), `dimensions of "one" at offset 272: 5 dimensions, expected 1 to 4`},
		{"2^32-1 dimensions", put32(one, math.MaxUint32), `dimensions of "one" at offset 272: 4294967295 dimensions, expected 1 to 4`},
		{"a zero dimension", put64(one+12, 0), `type of "one" at offset 292: dimension 1 is zero`},
		{"dimensions whose product overflows", put64(one+12, 1<<62), `type of "one" at offset 292: dimensions [4 4611686018427387904] are too large`},
		{"half a block in a row", put64(two+4, 48), `type of "two" at offset 335: a row of 48 elements is not whole Q4_0 blocks of 32`},
		{"an unknown tensor type", put32(one+20, 77), `type of "one" at offset 292: unknown tensor type 77`},
		{"a withdrawn tensor type", put32(two+20, 31), `type of "two" at offset 335: type 31 (Q4_0_4_4) cannot be read; use another quantisation of this model`},
		{"a tensor that appears twice", replace("\x03\x00\x00\x00\x00\x00\x00\x00two", "\x03\x00\x00\x00\x00\x00\x00\x00one"),
			`name of tensor 1 at offset 304: "one" appears twice`},
		{"an unaligned offset", put64(two+24, 40), `data offset of "two" at offset 339: 40 is not a multiple of the alignment 32`},
		{"an offset past any file", put64(two+24, 1<<63), `data offset of "two" at offset 339: 9223372036854775808 is larger than any file`},
		{"an offset past this file", put64(two+24, 1<<20),
			`tensor "two" at offset 304: its 36 bytes at 1048576 of the data lie past the end of the file (448 bytes); the file is incomplete`},
		{"an offset whose end overflows", put64(two+24, math.MaxInt64-31),
			`tensor "two" at offset 304: its 36 bytes at 9223372036854775776 of the data lie past the end of the file (448 bytes); the file is incomplete`},
		{"a tensor larger than the file", put64(one+12, 1<<40),
			`tensor "one" at offset 261: its 17592186044416 bytes at 0 of the data lie past the end of the file (448 bytes); the file is incomplete`},
		{"tensors that overlap", put64(two+24, 0), `tensor "two" at offset 304: its data overlaps that of "one"`},
		{"data cut short", func(b []byte) []byte { return b[:len(b)-40] },
			`tensor "two" at offset 304: its 36 bytes at 32 of the data lie past the end of the file (408 bytes); the file is incomplete`},
	}
}

func TestHostileFilesAreRefusedWithAPlainSentence(t *testing.T) {
	for _, h := range hostileFiles() {
		t.Run(h.name, func(t *testing.T) {
			b := h.edit(small())
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := parseBytes(b)
			runtime.ReadMemStats(&after)
			// Sentences that end in a count of bytes left are compared up to it.
			got := errorText(err)
			if want := "model.gguf: " + h.want; got != want && !(strings.HasSuffix(want, "only") && strings.HasPrefix(got, want)) {
				t.Errorf("error\n got %s\nwant %s", got, want)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
				t.Errorf("refusing %d bytes allocated %d", len(b), grown)
			}
		})
	}
}

func TestAFileCutAnywhereIsRefused(t *testing.T) {
	b := small()
	f, err := parseBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	two, _ := f.Tensor("two")
	end := int(two.Offset + two.Size) // what follows is padding
	for n := range end {
		if _, err := parseBytes(b[:n]); err == nil || !strings.HasPrefix(err.Error(), "model.gguf: ") {
			t.Fatalf("%d of %d bytes: %v", n, len(b), err)
		}
		// The source may also end before the size that was announced.
		f, err := Parse(bytes.NewReader(b[:n]), int64(len(b)), "model.gguf")
		if err != nil {
			continue
		}
		if err := f.ReadTensor(two, make([]byte, two.Size), 0); err == nil {
			t.Fatalf("a tensor was read from %d of %d bytes", n, len(b))
		}
	}
	if _, err := parseBytes(b[:end]); err != nil {
		t.Errorf("a file without its last padding was refused: %v", err)
	}
}

func TestReadErrorsKeepTheirCause(t *testing.T) {
	_, err := Parse(failingReader{}, 100, "model.gguf")
	want := "model.gguf: magic at offset 0: reading the file: the disk is gone"
	if errorText(err) != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

type failingReader struct{}

func (failingReader) ReadAt([]byte, int64) (int, error) { return 0, fmt.Errorf("the disk is gone") }

// endless is a source without end that repeats one byte after a header.
type endless struct {
	head []byte
	fill byte
}

func (e endless) ReadAt(b []byte, off int64) (int, error) {
	for i := range b {
		b[i] = e.fill
	}
	if off < int64(len(e.head)) {
		copy(b, e.head[off:])
	}
	return len(b), nil
}

func TestTheHeaderIsLimitedHoweverLargeTheFile(t *testing.T) {
	head := append([]byte(nil), small()[:after(small(), "name")]...)
	head = binary.LittleEndian.AppendUint32(head, uint32(KindArray))
	head = binary.LittleEndian.AppendUint32(head, uint32(KindUint8))
	head = binary.LittleEndian.AppendUint64(head, 1<<40)
	_, err := Parse(endless{head, 0}, 1<<50, "model.gguf")
	want := `model.gguf: value of "name" at offset 73: the header is larger than 1024 MiB`
	if errorText(err) != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestArraysInArraysAreLimited(t *testing.T) {
	empty := mustValue([]uint8{})
	many := make([]Value, maxNested+1)
	for i := range many {
		many[i] = empty
	}
	w := NewWriter()
	w.Set("many", many[:maxNested])
	if _, err := parseBytes(written(w)); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	w.Set("many", many)
	_, err := parseBytes(written(w))
	if err == nil || !strings.HasSuffix(err.Error(), ": more than 65536 arrays lie in other arrays") {
		t.Errorf("past the limit: %v", err)
	}
}

func TestManyTensorsAreCheckedForOverlapInReasonableTime(t *testing.T) {
	const n = 50_000
	w := NewWriter()
	for i := range n {
		w.AddTensor(fmt.Sprint("t", i), F32, []uint64{1}, Float32s([]float32{1}))
	}
	b := written(w)
	f, err := parseBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	// Exchange the last two, then let the last lie on the first.
	last := after(b, fmt.Sprint("t", n-1)) + 16
	before := after(b, fmt.Sprint("t", n-2)) + 16
	for i := range 8 {
		b[last+i], b[before+i] = b[before+i], b[last+i]
	}
	if _, err = parseBytes(b); err != nil {
		t.Errorf("tensors out of order were refused: %v", err)
	}
	put64(last, 0)(b)
	_, err = parseBytes(b)
	if err == nil || !strings.Contains(err.Error(), "overlaps") {
		t.Errorf("error %v, want an overlap", err)
	}
	if len(f.Tensors()) != n {
		t.Errorf("%d tensors, want %d", len(f.Tensors()), n)
	}
}

func TestAFileWithoutTensorsIsAVocabulary(t *testing.T) {
	w := NewWriter()
	w.Set("tokenizer.ggml.tokens", []string{"<s>", "</s>"})
	b := written(w)
	for _, n := range []int{len(b), len(bytes.TrimRight(b, "\x00"))} {
		f, err := parseBytes(b[:n])
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Tensors()) != 0 {
			t.Errorf("tensors %v", f.Tensors())
		}
	}
}

// vocabulary is the header of a model with n tokens.
func vocabulary(n int) []byte {
	tokens := make([]string, n)
	for i := range tokens {
		tokens[i] = fmt.Sprintf("▁tok%d", i)
	}
	w := NewWriter()
	w.Set("tokenizer.ggml.tokens", tokens)
	w.Set("tokenizer.ggml.scores", make([]float32, n))
	w.Set("tokenizer.ggml.token_type", make([]int32, n))
	return written(w)
}

func TestAVocabularyIsReadInFewAllocations(t *testing.T) {
	b := vocabulary(50_000)
	n := testing.AllocsPerRun(3, func() {
		if _, err := parseBytes(b); err != nil {
			t.Fatal(err)
		}
	})
	if n > 300 {
		t.Errorf("%v allocations for 50000 tokens", n)
	}
}

func BenchmarkOpenVocabulary(b *testing.B) {
	for _, n := range []int{128_000, 256_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			file := vocabulary(n)
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parseBytes(file); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
